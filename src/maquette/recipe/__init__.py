"""The recipe: one system, its data and every number of one training run.

Recipes are frozen dataclasses (`sections`, which is to be read first), read strictly from YAML and written to it
(`reading`); `paths` looks for the data that one names. One definition gives validation (types with their ranges,
unknown keys refused), the command line's `--key value` (tyro) and the `recipe.yaml` that is saved in each run and
model. Neither PyTorch nor the data are needed: a recipe that does not fit is refused at once.
"""

from maquette.makers import FURNITURE_CLASSES as FURNITURE_CLASSES
from maquette.recipe.paths import check_paths as check_paths
from maquette.recipe.reading import RECIPES as RECIPES
from maquette.recipe.reading import dump as dump
from maquette.recipe.reading import from_tree as from_tree
from maquette.recipe.reading import keys as keys
from maquette.recipe.reading import load as load
from maquette.recipe.reading import names as names
from maquette.recipe.reading import nearest_key as nearest_key
from maquette.recipe.reading import to_tree as to_tree
from maquette.recipe.reading import with_values as with_values
from maquette.recipe.sections import VIEW_KINDS as VIEW_KINDS
from maquette.recipe.sections import DataRecipe as DataRecipe
from maquette.recipe.sections import OptimRecipe as OptimRecipe
from maquette.recipe.sections import Recipe as Recipe
from maquette.recipe.sections import TrainRecipe as TrainRecipe
from maquette.recipe.sections import recipe_type as recipe_type
