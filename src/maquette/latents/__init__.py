"""Work on latents: ways between them, sums of them, the latent of a given shape, and the nearest known objects.

`operands` reads what a user names, `paths` and `arithmetic` compute, `projection` finds a shape's latent, `suggestion`
compares pictures with known objects. The verbs yield `Progress` as they go and their result last.
"""

from maquette.latents.arithmetic import Combined, Interpolated, combine, interpolate
from maquette.latents.operands import Operand
from maquette.latents.projection import Fit, Projected, project
from maquette.latents.suggestion import Catalogue, Known, Suggested, catalogue, suggest

__all__ = ["Catalogue", "Combined", "Fit", "Interpolated", "Known", "Operand", "Projected", "Suggested", "catalogue",
           "combine", "interpolate", "project", "suggest"]
