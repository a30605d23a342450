"""A classifier of shapes, trained with labels, whose features measure the shapes that other systems make.

From no paper: four convolutions of stride 2 with batch norm and two linear layers. One update on every batch:

    classifier  cross-entropy of the shape's class

The 128 values of its penultimate layer take the place of Inception's 2048 in the Frechet distance (Heusel et al. 2017).
Distances can be compared only with distances in the same features.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from maquette.capabilities import Makes
from maquette.errors import UserError
from maquette.keys import PositiveInt, Resolution, ShareBelow1, Widths
from maquette.nets.types import Voxels
from maquette.systems.base import Batch, Config, Nets, Phase, System, Terms


@dataclass(frozen=True)
class Classifier3DConfig(Config):
    """The classifier's network."""

    resolution: Resolution = 32
    """Voxels a side: 20, 32 or 64."""
    channels: Widths = (16, 32, 64, 128)
    """Widths of the convolutions, each of which halves the grid; four at most, so that 2 voxels a side are left."""
    features: PositiveInt = 128
    """Values of the layer before the last, in which the distances are measured."""
    classes: PositiveInt = 10
    """Classes of the data."""
    dropout: ShareBelow1 = 0.5
    """Share of the features that a training step leaves out."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.resolution >> len(self.channels) < 2 - (self.resolution == 20):
            raise UserError("model.channels are more than the grid can be halved", len(self.channels))


class VolumeClassifier(nn.Module):
    """Occupancy to logits of classes.

    Args:
        channels: Widths of the convolutions.
        features: Values of the penultimate layer.
        classes: How many classes there are.
        dropout: Share of the features that a training step leaves out.
    """

    def __init__(self, channels: tuple[int, ...], features: int, classes: int, dropout: float):
        super().__init__()
        layers: list[nn.Module] = []
        for inward, width in zip((1, *channels), channels, strict=False):
            layers += [nn.Conv3d(inward, width, 4, 2, 1, bias=False), nn.BatchNorm3d(width), nn.ReLU()]
        layers += [nn.AdaptiveMaxPool3d(2), nn.Flatten(), nn.Linear(8 * channels[-1], features)]
        self.layers = nn.Sequential(*layers)
        self.last = nn.Sequential(nn.ReLU(), nn.Dropout(dropout), nn.Linear(features, classes))

    def features(self, voxels: Voxels) -> Float[Tensor, "batch features"]:
        """The values of the penultimate layer, float32."""
        return self.layers(voxels).float()

    def forward(self, voxels: Voxels) -> Float[Tensor, "batch classes"]:
        """Logits of the classes, float32."""
        return self.last(self.layers(voxels)).float()


class Classifier3D(System[Classifier3DConfig]):
    """Shapes in, classes out."""

    name = "classifier"
    Config = Classifier3DConfig
    makes = Makes.LABELS

    def make_networks(self) -> dict[str, nn.Module]:
        """The classifier."""
        config = self.config
        return {"classifier": VolumeClassifier(config.channels, config.features, config.classes, config.dropout)}

    def phases(self) -> tuple[Phase, ...]:
        """Cross-entropy on every batch."""
        return (Phase("classifier", ("classifier",), self.loss),)

    def averaged(self) -> tuple[str, ...]:
        """The one network."""
        return ("classifier",)

    def check_labels(self, labels: Sequence[str]) -> None:
        """Check that the data have as many classes as the last layer.

        Raises:
            UserError: If they do not.
        """
        if len(labels) != self.config.classes:
            raise UserError(f"model.classes must be {len(labels)} for these data", self.config.classes)

    def loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """Cross-entropy; the accuracy is watched."""
        logits, labels = nets["classifier"](batch.real), batch.need("labels")
        right = (logits.argmax(1) == labels).float().mean()
        return Terms({"cross_entropy": F.cross_entropy(logits, labels)}, {"accuracy": right.detach()})
