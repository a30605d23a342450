"""Pictures and scans of shapes: rays, cameras, and what is drawn with them. No networks.

- `camera`, `raycaster`: where a picture is taken from and what each ray hits; read these first. `rasteriser` sees the
  same of a mesh of many small faces, faster for one picture
- `views`: the random views that models learn from. `photo` with `room`, `clutter`, `lights`, `textures`, `effects` and
  `framing` makes photos, `pencil_style` with `sketch_lines` makes drawings
- `studio`, `sheets`, `tiles`, `depth`: pictures for people; `coloured`, `colours`, `materials`: objects in colours
- `vector_lines`, `hatching`, `occlusion`: exact lines for a pen; `depth_scan`: what one depth camera sees
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
