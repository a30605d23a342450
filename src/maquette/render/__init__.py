"""Views of a shape: photo-like pictures, pencil drawings, depth maps, and clean studio pictures."""

from maquette.render.camera import Camera
from maquette.render.rays import Buffers, RayCaster
from maquette.render.shade import shade
from maquette.render.views import Views, render_views

__all__ = ["Buffers", "Camera", "RayCaster", "Views", "render_views", "shade"]
