from maquette.rendering.camera import Camera as Camera
from maquette.rendering.raycaster import RayCaster as RayCaster
from maquette.rendering.studio import shade as shade
from maquette.rendering.views import render_views as render_views
