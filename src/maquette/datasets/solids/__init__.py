"""The solids maker: constructions of simple bodies, and eighty everyday things, as clean solids from a seed.

It stands beside the furniture maker, with the same contract. Each kind has several styles and each style a broad
range of proportions; the size is normalised last. The same kind and seed always give the same mesh.
"""

import difflib
import hashlib

import numpy as np
import trimesh
from manifold3d import Manifold

from maquette.datasets.furniture.materials import materials
from maquette.datasets.furniture.parts import Dice, join
from maquette.datasets.solids import (
    aircraft,
    animals,
    boats,
    boxes,
    churches,
    constructions,
    creatures,
    cutlery,
    emblems,
    houses,
    letters,
    nature,
    people,
    tents,
    things,
    tools,
    towers,
    vehicles,
    vessels,
)
from maquette.datasets.solids.parts import Styles
from maquette.errors import UserError
from maquette.rendering.materials import ATTRIBUTE

_STYLES: dict[str, Styles] = {
    "construction": constructions.CONSTRUCTIONS,
    "mug": vessels.MUGS,
    "jug": vessels.JUGS,
    "bottle": vessels.BOTTLES,
    "vase": vessels.VASES,
    "bowl": vessels.BOWLS,
    "wineglass": vessels.WINEGLASSES,
    "teapot": vessels.TEAPOTS,
    "bucket": vessels.BUCKETS,
    "watering_can": vessels.WATERING_CANS,
    "house": houses.HOUSES,
    "church": churches.CHURCHES,
    "tent": tents.TENTS,
    "tower": towers.TOWERS,
    "castle": towers.CASTLES,
    "bridge": towers.BRIDGES,
    "windmill": towers.WINDMILLS,
    "lorry": vehicles.LORRIES,
    "bus": vehicles.BUSES,
    "train": vehicles.TRAINS,
    "boat": boats.BOATS,
    "sailing_boat": boats.SAILING_BOATS,
    "aeroplane": aircraft.AEROPLANES,
    "helicopter": aircraft.HELICOPTERS,
    "rocket": aircraft.ROCKETS,
    "box": boxes.BOXES,
    "drawer": boxes.DRAWERS,
    "basket": boxes.BASKETS,
    "crate": boxes.CRATES,
    "bin": boxes.BINS,
    "gift": things.GIFTS,
    "book": things.BOOKS,
    "letter": letters.LETTERS,
    "sign": emblems.SIGNS,
    "star": emblems.STARS,
    "heart": emblems.HEARTS,
    "hat": things.HATS,
    "crown": emblems.CROWNS,
    "ring": emblems.RINGS,
    "bell": things.BELLS,
    "die": emblems.DICE,
    "gear": emblems.GEARS,
    "hourglass": things.HOURGLASSES,
    "umbrella": things.UMBRELLAS,
    "candle": things.CANDLES,
    "mushroom": nature.MUSHROOMS,
    "tree": nature.TREES,
    "flower": nature.FLOWERS,
    "cactus": nature.CACTI,
    "apple": nature.APPLES,
    "pear": nature.PEARS,
    "snowman": nature.SNOWMEN,
    "cat": animals.CATS,
    "cat_head": creatures.CAT_HEADS,
    "dog": animals.DOGS,
    "horse": animals.HORSES,
    "elephant": animals.ELEPHANTS,
    "pig": animals.PIGS,
    "giraffe": animals.GIRAFFES,
    "rabbit": animals.RABBITS,
    "bear": animals.BEARS,
    "bird": creatures.BIRDS,
    "owl": creatures.OWLS,
    "penguin": creatures.PENGUINS,
    "duck": creatures.DUCKS,
    "fish": creatures.FISH,
    "whale": creatures.WHALES,
    "turtle": creatures.TURTLES,
    "snail": creatures.SNAILS,
    "person": people.PEOPLE,
    "robot": people.ROBOTS,
    "key": cutlery.KEYS,
    "spoon": cutlery.SPOONS,
    "fork": cutlery.FORKS,
    "hammer": tools.HAMMERS,
    "spanner": tools.SPANNERS,
    "axe": tools.AXES,
    "shovel": tools.SHOVELS,
    "screwdriver": tools.SCREWDRIVERS,
    "saw": tools.SAWS,
    "brush": tools.BRUSHES,
}

KINDS: tuple[str, ...] = tuple(_STYLES)
"""What the solids maker can make."""

HELD_OUT: tuple[str, ...] = ("teapot", "umbrella", "castle", "bridge", "helicopter", "snail", "gift", "spanner")
"""The kinds that no network is trained on, so that tests can ask about things that it never saw.

They are of all sorts: a vessel, a thin shell, buildings, a vehicle, an animal, a tool, a box. Their parts are met in
other kinds (the spout and handle of a jug, the towers of a tower), but never so put together. The wineglass is not one
of them: the furniture maker's cups have goblets.
"""


def make(kind: str, seed: int) -> trimesh.Trimesh:
    """One object as a watertight mesh, in the frame: z up, facing +y, centred, longest side 1.

    Args:
        kind: one of KINDS.
        seed: any whole number; the same one gives the same mesh.

    Returns:
        The mesh, one body. `face_attributes[materials.ATTRIBUTE]`: of what each face is, uint8 [F], indices into
        `materials.MATERIALS` of the furniture maker: "frame" for bars, "cover" for all that is broader.

    Raises:
        UserError: for a kind that is not there.
    """
    if kind not in _STYLES:
        near = difflib.get_close_matches(str(kind).lower(), KINDS, n=1, cutoff=0)[0]
        raise UserError(f"kind must be one of {', '.join(KINDS)}", got=repr(kind), hint=f"did you mean '{near}'?")
    digest = hashlib.sha256(f"solids/{kind}/{int(seed)}".encode()).digest()
    dice = Dice(int.from_bytes(digest[:8], "little"))
    styles = _STYLES[kind]
    return _finish(join(dice.weighted(styles)(dice)), kind)


def _finish(solid: Manifold, kind: str) -> trimesh.Trimesh:
    """A solid as a mesh in the frame: its largest body, all others and closed voids dropped."""
    body = max(solid.simplify(0.02).decompose(), key=lambda part: part.volume())
    raw = body.to_mesh64()
    points = np.asarray(raw.vert_properties)[:, :3]
    low, high = points.min(0), points.max(0)
    points = (points - (low + high) / 2) / (high - low).max()
    mesh = trimesh.Trimesh(points, np.asarray(raw.tri_verts, dtype=np.int64), process=False)
    mesh.face_attributes[ATTRIBUTE] = materials(kind, mesh, np.asarray(raw.run_index), np.asarray(raw.run_transform))
    return mesh
