# The public names of maquette, by theme. lazy_loader reads this file at run time, and so do editors and type checkers.
# ruff: noqa: I001 - by theme, not by the alphabet
__version__: str

# Models
from .models.hub import Model as Model
from .models.hub import load as load

# Pictures and scans to objects
from .api.objects import Completion as Completion
from .api.reconstruction import Reconstruction as Reconstruction
from .api.reconstruction import candidates as candidates
from .api.objects import complete as complete
from .api.objects import invert as invert
from .api.reconstruction import reconstruct as reconstruct
from .api.reconstruction import reconstruct_one as reconstruct_one
from .fields.inversion import Search as Search
from .scans.read import Intrinsics as Intrinsics

# New objects and new images
from .api.objects import generate as generate
from .api.objects import generate_mesh as generate_mesh
from .api.objects import sample_images as sample_images

# Between and beside shapes
from .api.latent_space import combine as combine
from .api.latent_space import interpolate as interpolate
from .api.latent_space import project as project
from .api.latent_space import suggest as suggest
from .latents.projection import Fit as Fit

# Flat drawings, plotters, and the loop of seeing and drawing
from .api.drawings import draw as draw
from .api.drawings import loop as loop
from .api.drawings import make_relief as make_relief
from .api.drawings import plot as plot
from .api.drawings import rectify_page as rectify_page
from .drawing_loop.loop import LoopSettings as LoopSettings
from .plotting.settings import Machine as Machine
from .plotting.settings import Paper as Paper
from .plotting.settings import ViewOptions as ViewOptions
from .relief.relief import ReliefOptions as ReliefOptions

# Shapes and views
from .geometry.shape import Shape as Shape
from .geometry.voxelise import voxelise as voxelise
from .rendering.camera import Camera as Camera
from .rendering.raycaster import RayCaster as RayCaster
from .rendering.views import render_views as render_views

# Learning and measuring
from .api.learning import doctor as doctor
from .api.learning import evaluate as evaluate
from .api.learning import load_recipe as load_recipe
from .api.learning import train as train
from .api.prepared import prepare_data as prepare_data
from .recipe import Recipe as Recipe
from .systems import SYSTEMS as SYSTEMS

# What is said on the way, and what can go wrong
from .errors import UserError as UserError
from .events import Failed as Failed
from .events import Note as Note
from .events import Progress as Progress
from .events import Skipped as Skipped
from .events import Written as Written
