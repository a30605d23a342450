"""Views of a shape: photo-like pictures, pencil drawings, depth maps, and clean studio pictures."""

from maquette.rendering.camera import Camera
from maquette.rendering.raycaster import Buffers, RayCaster
from maquette.rendering.studio import shade
from maquette.rendering.views import Views, render_views

__all__ = ["Buffers", "Camera", "RayCaster", "Views", "render_views", "shade"]
