"""What a system reads and what it makes: the two properties by which other packages treat systems differently."""

from enum import Enum


class Reads(Enum):
    """What a system's encoder reads."""

    NOTHING = "nothing"
    """It has no encoder: it only makes samples."""
    VIEWS = "views"
    """Photo-like renders and drawings of a shape."""
    SCANS = "scans"
    """Partial grids: the surface voxels that one depth camera saw."""


class Makes(Enum):
    """What a system makes of latents."""

    SHAPES = "shapes"
    """Occupancy grids."""
    IMAGES = "images"
    """Flat images; it learns from a dataset of images."""
    FIELD = "field"
    """Images of objects in space, learned from a dataset of images; meshes can be extracted (`maquette.fields`)."""
    LABELS = "labels"
    """Nothing: it classifies shapes."""

    @property
    def images(self) -> bool:
        """Whether it makes images and learns from images."""
        return self in (Makes.IMAGES, Makes.FIELD)
