"""What a system reads and what it makes: the two things that the rest of the package asks of it."""

from enum import Enum


class Reads(Enum):
    """What a system's encoder reads."""

    NOTHING = "nothing"
    """It has no encoder: it can only be drawn from."""
    VIEWS = "views"
    """Photo-like renders and drawings of a shape."""
    SCANS = "scans"
    """Partial grids, with only what one depth camera saw."""


class Makes(Enum):
    """What a system makes of latents."""

    SHAPES = "shapes"
    """Occupancy grids."""
    IMAGES = "images"
    """Flat images; it learns from a dataset of images."""
    FIELD = "field"
    """Images of objects in space, learned from a dataset of images; meshes can be taken (`maquette.fields`)."""
    LABELS = "labels"
    """Nothing: it tells classes of shapes apart."""

    @property
    def images(self) -> bool:
        """Whether images come out, and images are learned from."""
        return self in (Makes.IMAGES, Makes.FIELD)
