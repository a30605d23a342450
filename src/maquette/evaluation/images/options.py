"""How much is measured of a model's images."""

from dataclasses import dataclass

from maquette.errors import UserError


@dataclass(frozen=True)
class ImageMeasureOptions:
    """How much is measured of a model's images, and how much of it is shown."""

    most: int = 500
    """Images of each set at most, in all measures but the nearest training image; 8 or more."""
    repeats: int = 10
    """Random subsets for each number; 2 or more."""
    curve_repeats: int = 5
    """Random subsets for each point of the curve against the number of images."""
    pairs: int = 20
    """Pairs of images of each subset for MS-SSIM."""
    shown: int = 12
    """Images in each row of the report."""
    points: int = 100
    """Images of each set on the t-SNE map; 2 or more."""

    def __post_init__(self) -> None:
        leasts = {"most": 8, "repeats": 2, "curve_repeats": 1, "pairs": 1, "shown": 1, "points": 2}
        for name, least in leasts.items():
            if getattr(self, name) < least:
                raise UserError(f"{name} must be {least} or more", getattr(self, name))
