"""The keys of the systems that learn objects from images alone: see `maquette.configs` for the rules they keep."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from maquette.configs import IMAGE_SIDE, NOT_NEGATIVE, POSITIVE, WIDTHS, Rule, check
from maquette.errors import UserError

_AZIMUTHS = Rule("two angles, the first not above the second, at most 360 degrees apart",
                 lambda ends: 0 <= ends[1] - ends[0] <= 360)
_ELEVATIONS = Rule("two angles from -90 to 90 degrees, the first not above the second",
                   lambda ends: -90 <= ends[0] <= ends[1] <= 90)
_DISTANCES = Rule("two distances above 0.867, outside of the cube, and up to 1000, the first not above the second",
                  lambda ends: 0.867 < ends[0] <= ends[1] <= 1000)
_FIELD_OF_VIEW = Rule("from 1 to 120 degrees", lambda angle: 1 <= angle <= 120)
_SCALE = Rule("above 0 and at most 1", lambda value: 0 < value <= 1)
_SHARE = Rule("from 0 to below 1", lambda value: 0 <= value < 1)
_WITHIN = Rule("above 0 and below 0.5, half the cube's side", lambda value: 0 < value < 0.5)
_AT_LEAST_2 = Rule("2 or more", lambda value: value >= 2)
_PLANE_SIDE = Rule("8, 16, 32, 64, 128 or 256", lambda value: value in (8, 16, 32, 64, 128, 256))
_OCTAVES = Rule("from 0 to 16", lambda value: 0 <= value <= 16)
_FIELD = {"field_width": POSITIVE, "field_depth": POSITIVE, "position_octaves": _OCTAVES}
CAMERA_VALUES = 3
"""Values of a latent that decide the camera."""


@dataclass(frozen=True)
class ViewsConfig:
    """What GRAF and 3DGEN share: the images, the codes, the cameras and the patch discriminator."""

    section_defaults: ClassVar[dict[str, dict]] = {"data": {"flip": False}}  # a mirrored image has a mirrored camera

    height: int = 128
    """Rows of an image, equal to `width`."""
    width: int = 128
    """Columns of an image, from 8 to 4096."""
    channels: Literal[1, 3] = 3
    """1: grey; 3: colour."""
    shape_code: int = 128
    """Values of the shape code, standard normal."""
    appearance_code: int = 128
    """Values of the appearance code, standard normal."""
    view_octaves: int = 4
    """Octaves of the positional encoding of view directions."""
    azimuth_deg: tuple[float, float] = (0.0, 360.0)
    """Least and greatest azimuth of a camera, drawn uniformly; 0 sees the object's front."""
    elevation_deg: tuple[float, float] = (0.0, 45.0)
    """Least and greatest elevation above the horizon; viewpoints are uniform on that part of the sphere."""
    distance: tuple[float, float] = (2.9, 2.9)
    """Least and greatest distance of a camera from the cube's middle, drawn uniformly, where the cube's side is 1."""
    fov_deg: float = 30.0
    """Field of view, from edge to edge of an image."""
    background: Literal["white", "random"] = "white"
    """white; or a plain colour drawn for each image: data whose backgrounds are all alike get such ones by their masks.
    Objects cannot hide parts by the background's colour then."""
    critic_channels: tuple[int, ...] = (128, 256, 512)
    """Widths of the discriminator, each of which halves a patch, down to 4 pixels a side: three make patches of 32."""
    critic_norms: bool = True
    """Whether the discriminator has the paper's spectral and instance norms; without, it has more layers instead, and
    learns in hundreds of steps."""
    scale_least: float = 0.25
    """The smallest side of a patch at the end, in sides of the image."""
    scale_rate: float = 7.5e-6
    """Rate a step at which the smallest side of a patch falls from 1."""
    r1: float = 10.0
    """Weight of the R1 penalty, the squared gradient of the discriminator at real patches."""

    def __post_init__(self):
        check("model", self, {"height": IMAGE_SIDE, "width": IMAGE_SIDE, "shape_code": POSITIVE,
                              "appearance_code": POSITIVE, "view_octaves": _OCTAVES, "azimuth_deg": _AZIMUTHS,
                              "elevation_deg": _ELEVATIONS, "distance": _DISTANCES, "fov_deg": _FIELD_OF_VIEW,
                              "critic_channels": WIDTHS, "scale_least": _SCALE, "scale_rate": NOT_NEGATIVE,
                              "r1": NOT_NEGATIVE})
        if self.height != self.width:
            raise UserError("model.width and model.height must be equal, the cameras' pictures are square",
                            f"{self.width}x{self.height}")

    @property
    def latent(self) -> int:
        """Values of a latent: shape, appearance and the three that decide the camera."""
        return self.shape_code + self.appearance_code + CAMERA_VALUES

    @property
    def patch(self) -> int:
        """Pixels a side of the patches that the discriminator sees."""
        return 4 << len(self.critic_channels)


@dataclass(frozen=True)
class GRAFConfig(ViewsConfig):
    """The networks and losses of GRAF; the defaults are the paper's and its code's."""

    field_width: int = 256
    """Width of the field's layers."""
    field_depth: int = 8
    """Layers of the field; the position comes in again after half of them."""
    position_octaves: int = 10
    """Octaves of the positional encoding of positions."""
    samples: int = 64
    """Samples of a ray between where it enters and leaves the cube."""
    density_noise: float = 1.0
    """Deviation of the noise on densities at the first step."""
    density_noise_until: int = 5000
    """Step by which that noise has fallen to 0, in a line; 0: no noise."""
    def __post_init__(self):
        super().__post_init__()
        check("model", self, {**_FIELD, "samples": _AT_LEAST_2, "density_noise": NOT_NEGATIVE,
                              "density_noise_until": NOT_NEGATIVE})


@dataclass(frozen=True)
class Gen3DConfig(ViewsConfig):
    """The networks and losses of 3DGEN; the defaults are the paper's, UNISURF's and GRAF's."""

    field: Literal["mlp", "coded", "planes"] = "mlp"
    """mlp: one deep network for all positions (paper); coded: a small one as GRAF's, with a quick search; planes: three
    planes of features that a convolutional network makes of the shape code, read by a small network."""
    field_width: int = 256
    """Width of the occupancy field's layers."""
    field_depth: int = 8
    """Layers of the occupancy field; with mlp the position comes in again after half of them."""
    features: int = 256
    """Values that the occupancy field tells the colour field of a position."""
    position_octaves: int = 6
    """Octaves of the positional encoding of positions (mlp, coded)."""
    plane_side: int = 64
    """Cells a side of a plane of features (planes)."""
    plane_features: int = 16
    """Values of a cell of a plane (planes)."""
    plane_width: int = 64
    """Width of the convolutional network that makes the planes (planes)."""
    colour_width: int = 256
    """Width of the colour field's layers."""
    colour_depth: int = 4
    """Layers of the colour field."""
    radius: float = 0.3
    """Radius of the sphere that training starts from, where the cube's side is 1."""
    march_steps: int = 64
    """Steps of a ray in the search for the surface."""
    secant_steps: int = 8
    """Refinements of what the search finds."""
    interval_samples: int = 64
    """Samples of a ray in the interval about the surface."""
    free_samples: int = 32
    """Samples of a ray in the free space before it."""
    interval_start: float = 0.5
    """Half the interval's length at the first step, where the cube's side is 1."""
    interval_end: float = 0.05
    """Half the interval's length at the end."""
    interval_rate: float = 1.5e-5
    """Rate a step at which half the interval's length falls."""
    smoothness: float = 0.005
    """Weight of the difference of normals at surface points and beside them."""
    smoothness_reach: float = 0.01
    """How far beside on each axis, where the cube's side is 1."""
    min_foreground: float = 0.0
    """Share of patches that objects should cover at least, on the mean of a batch: below, a penalty pulls them back
    from vanishing, as nothing else can."""
    def __post_init__(self):
        super().__post_init__()
        check("model", self, {**_FIELD, "features": POSITIVE, "plane_side": _PLANE_SIDE, "plane_features": POSITIVE,
                              "plane_width": POSITIVE, "colour_width": POSITIVE, "colour_depth": POSITIVE,
                              "radius": _WITHIN, "march_steps": _AT_LEAST_2, "secant_steps": NOT_NEGATIVE,
                              "interval_samples": _AT_LEAST_2, "free_samples": NOT_NEGATIVE,
                              "interval_start": POSITIVE, "interval_end": POSITIVE, "interval_rate": NOT_NEGATIVE,
                              "smoothness": NOT_NEGATIVE, "smoothness_reach": POSITIVE, "min_foreground": _SHARE})
        if self.interval_end > self.interval_start:
            raise UserError("model.interval_end must not be above model.interval_start",
                            f"{self.interval_end:g} and {self.interval_start:g}")
