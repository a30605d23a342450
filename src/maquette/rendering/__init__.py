"""Pictures and scans of shapes: rays, cameras, and what is drawn with them. No networks.

- `camera`, `raycaster`: where a picture is taken from and what each ray hits; read these first
- `views`: the random views that models learn from. `photo` with `room`, `clutter`, `lights`, `textures`, `effects` and
  `framing` makes photos, `pencil_style` with `sketch_lines` makes drawings
- `studio`, `sheets`, `tiles`, `depth`: pictures for people; `coloured`, `colours`, `materials`: objects in colours
- `vector_lines`, `hatching`, `occlusion`: exact lines for a pen; `depth_scan`: what one depth camera sees
"""

from maquette.rendering.camera import Camera
from maquette.rendering.raycaster import RayCaster
from maquette.rendering.studio import shade
from maquette.rendering.views import render_views

__all__ = ["Camera", "RayCaster", "render_views", "shade"]
