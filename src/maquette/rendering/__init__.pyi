# The names that other packages use; lazy_loader reads this file at run time, and so do editors and type checkers.
from .camera import Camera as Camera
from .raycaster import RayCaster as RayCaster
from .studio import shade as shade
from .views import render_views as render_views
