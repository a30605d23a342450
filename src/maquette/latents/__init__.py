"""Latents: paths between them, sums of them, the latent of a given shape, and the known objects most like a picture.

Read `operands` first: what a user may name in place of a latent. `paths` interpolates between latents, and `arithmetic`
makes shapes of paths and of sums. `projection` finds the latent of a shape by optimisation. `suggestion` compares a
picture with known objects, and `clean` draws those as lines. Functions that take long yield `Progress`, and their
result last.
"""

from maquette.latents.arithmetic import Combined, Interpolated, combine, interpolate
from maquette.latents.operands import Operand
from maquette.latents.projection import Fit, Projected, project
from maquette.latents.suggestion import Catalogue, Known, Suggested, catalogue, suggest

__all__ = ["Catalogue", "Combined", "Fit", "Interpolated", "Known", "Operand", "Projected", "Suggested", "catalogue",
           "combine", "interpolate", "project", "suggest"]
