"""3D-VAE-IWGAN for any drawing: what the view shows is read in the view's own frame, and what is known of the class.

It is the joint form of 3D-VAE-IWGAN (`maquette.systems.vaeiwgan3d`) with two changes:

- the encoder is EfficientNet-Lite0, which starts from weights that were trained on ImageNet;
- the shape is not the generator's, but an implicit function of points: features that a two-dimensional network gives
  each place of the view at 32 depths (Delanoy et al., I3D 2018), interpolated where the camera shows the point (PIFu,
  Saito et al., ICCV 2019), and beside them the generator's logit at the point. The first obey the drawing, also of
  things that nothing in training resembles; the second knows how the back of a chair looks.

The camera is estimated from the view. A wrong one does little harm: a view's features stay in the view's frame, and an
error turns the whole object. Half of a batch reads the generator's logits turned by the error of the estimated azimuth,
so that the network learns how far to trust them.

    autoencoder   KL + reconstruction from the latent + reconstruction from the view + camera, on every batch
    critic        as in the joint form, on shapes from the latent alone; 0 by default
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from maquette.capabilities import Reads
from maquette.errors import UserError
from maquette.geometry.coarse_to_fine import coarse_to_fine
from maquette.keys import NonNegativeFloat, NonNegativeInt, PositiveInt, Share, ViewSize, Widths
from maquette.nets.efficientnet import MAPS
from maquette.nets.image_encoder import ImageNetEncoder
from maquette.nets.pixel_aligned import AZIMUTH, PoseHead, Poses, project
from maquette.nets.types import Images, Latent, Positions, Voxels
from maquette.nets.view_volume import PointDecoder, ViewVolume, turned, voxels_at
from maquette.systems.base import ENCODER, GENERATOR, Batch, Graph, Nets, network
from maquette.systems.losses import reconstruction_bce, reconstruction_iou
from maquette.systems.vaeiwgan3d import VAEIWGAN3D, VAEIWGAN3DConfig

CAMERA, VOLUME, POINTS = "camera", "volume", "points"
"""The networks beside encoder and generator."""
KNOWN = 8.0
"""The generator's logits go to the points clamped to this."""
POINTS_ASKED = 8192
"""Points that the graph of a trained model is asked at once."""
NEAR, STRAY = 0.75, 1.6
"""Points near filled voxels, as a share of those spread evenly, and their deviation from these voxels, in voxels."""
Samples = tuple[Positions, Float[Tensor, "batch points"]]
"""Points of the frame, and whether each is filled: 0 or 1."""


@dataclass(frozen=True)
class ViewVolumeConfig(VAEIWGAN3DConfig):
    """The keys of the joint form of 3D-VAE-IWGAN, and those of the view's volume."""

    joint: bool = True
    adversarial: NonNegativeFloat = 0.0
    image_channels: PositiveInt = 3
    """1: grey views; 3: colour."""
    view_size: ViewSize = 128
    """Pixels a side of the views, a multiple of 32."""
    frozen_blocks: NonNegativeInt = 5
    """Blocks of the encoder, of 16, that keep their ImageNet weights."""
    class_slots: PositiveInt = 128
    """Classes that may be told with a view, at most."""
    class_told: Share = 0.5
    """Share of the views in training whose class is told."""
    volume_widths: Widths = (48, 64, 128, 192)
    """Channels of the two-dimensional layers, from half the view's size down."""
    volume_depths: PositiveInt = 32
    """Places along a view's depth."""
    volume_channels: PositiveInt = 4
    """Features of a place."""
    point_hidden: PositiveInt = 32
    """Width of the layers that read a point's features."""
    knows: bool = True
    """Whether points read the generator's logits too, or the view's volume alone."""
    points: PositiveInt = 2048
    """Points of each shape and step that are spread evenly; three quarters as many more lie near filled ones."""
    camera_hidden: NonNegativeInt = 256
    """Width of the layer between the encoder's features and the camera; 0: none."""
    pose_weight: NonNegativeFloat = 0.3
    """Weight of the camera's distance from the true one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.joint:
            raise UserError("model.joint must be true: there is only one phase for encoder and generator", "false")
        if self.view_size % 32:
            raise UserError("model.view_size must be a multiple of 32", self.view_size)
        if self.image_channels not in (1, 3):
            raise UserError("model.image_channels must be 1 or 3", self.image_channels)
        if self.frozen_blocks > 16:
            raise UserError("model.frozen_blocks must be at most 16", self.frozen_blocks)
        if len(self.volume_widths) != len(MAPS) - 1:
            raise UserError(f"model.volume_widths must be {len(MAPS) - 1} widths", len(self.volume_widths))


class ViewVolumeSystem(VAEIWGAN3D[ViewVolumeConfig]):
    """Views in, shapes out; latents in, shapes out."""

    name = "vae-iwgan-view"
    Config = ViewVolumeConfig
    reads = Reads.VIEWS
    mirrors = False
    takes_class = True

    def make_encoder(self) -> ImageNetEncoder:
        """EfficientNet-Lite0 and a linear layer."""
        config = self.config
        return ImageNetEncoder(config.latent, config.view_size, config.frozen_blocks, config.class_slots)

    def make_refiner(self, encoder: nn.Module, generator: nn.Module) -> dict[str, nn.Module]:
        """The camera's head, the volume and what reads points; a shape is theirs and not the generator's."""
        config = self.config
        assert isinstance(encoder, ImageNetEncoder)  # make_encoder makes no other
        return {
            CAMERA: PoseHead(encoder.features, config.camera_hidden),
            VOLUME: ViewVolume(MAPS, config.volume_widths, config.volume_depths, config.volume_channels),
            POINTS: PointDecoder(config.volume_channels, 1, config.point_hidden),
        }

    def begin(self) -> None:
        """Give the encoder its weights from ImageNet."""
        network(self.nets, ENCODER, ImageNetEncoder).body.load_imagenet()

    def check_labels(self, labels: Sequence[str]) -> None:
        """Raise UserError where there are more classes than slots."""
        if len(labels) > self.config.class_slots:
            raise UserError("model.class_slots must be at least the number of classes",
                            f"{self.config.class_slots} for {len(labels)}")

    def averaged(self) -> tuple[str, ...]:
        """All but the critic."""
        return (ENCODER, GENERATOR, CAMERA, VOLUME, POINTS)

    def needs_poses(self) -> bool:
        """True: the camera is learned from the true ones."""
        return True

    def reconstruct(self, seen: Images) -> Voxels:
        """The occupancy in [0, 1] of the shapes that views in [0, 1] show."""
        return self.look(seen)[0]

    def look(self, seen: Images, label: int | None = None) -> tuple[Voxels, Poses]:
        """The same, and the cameras of the views; `label` is the class of all, where it is known."""
        volume, base, poses = self.read(seen, label)
        shapes = [self._shape(volume[k : k + 1], base[k : k + 1], poses[k : k + 1]) for k in range(len(seen))]
        return torch.cat(shapes), poses

    def _shape(self, volume: Tensor, base: Tensor, pose: Tensor) -> Voxels:
        """One shape, asked point by point."""

        def filled(points: np.ndarray) -> np.ndarray:
            given = torch.from_numpy(points)[None].to(volume.device)
            return self.filled(given, volume, base, pose)[0].detach().cpu().numpy()

        return torch.from_numpy(coarse_to_fine(filled, self.config.resolution))[None, None].to(volume.device)

    def graphs(self) -> dict[str, Graph]:
        """The picture to all that points are asked of, the occupancy at POINTS_ASKED points, and latents to shapes."""
        config = self.config
        shown = torch.zeros(1, config.image_channels, config.view_size, config.view_size)
        label = torch.tensor([-1])
        volume, logits, pose = self.read(shown)
        points = torch.zeros(1, POINTS_ASKED, 3)
        return super().graphs() | {
            "picture": Graph(self._picture, {"picture": shown, "label": label}, ("volume", "logits", "pose", "latent")),
            "points": Graph(lambda *given: (self.filled(*given),),
                            {"points": points, "volume": volume, "logits": logits, "pose": pose}, ("occupancy",)),
        }

    def _picture(self, seen: Images, label: Int64[Tensor, " batch"]) -> tuple[Tensor, Voxels, Poses, Latent]:
        """What `read` gives, and the latents; a label of -1 is that of no class."""
        mean, _, maps, features = self.nets[ENCODER](seen, maps=True, label=label)
        camera = network(self.nets, CAMERA, PoseHead)
        return self.nets[VOLUME](maps), self.nets[GENERATOR](mean), camera.pose(camera(features)), mean

    def read(self, seen: Images, label: int | None = None) -> tuple[Float[Tensor, "batch c d h w"], Voxels, Poses]:
        """The volumes, the generator's logits and the cameras of views in [0, 1]."""
        labels = None if label is None else torch.full((len(seen),), label, device=seen.device)
        mean, _, maps, features = self.nets[ENCODER](seen, maps=True, label=labels)
        camera = network(self.nets, CAMERA, PoseHead)
        return self.nets[VOLUME](maps), self.nets[GENERATOR](mean), camera.pose(camera(features))

    def filled(
        self, points: Positions, volume: Float[Tensor, "batch c d h w"], base: Voxels, poses: Poses
    ) -> Float[Tensor, "batch points"]:
        """The occupancy in [0, 1] at points of the frame; the other arguments are what `read` gives.

        Args:
            points: Of each shape, or the same for all.
            volume: Of each view.
            base: The generator's logits.
            poses: The cameras.
        """
        points = points.expand(len(poses), -1, -1)
        return self._logits(self.nets, points, points, volume, base, poses).sigmoid()

    def _logits(
        self, nets: Nets, points: Positions, own: Positions, volume: Tensor, base: Tensor, poses: Poses
    ) -> Float[Tensor, "batch points"]:
        """Logits at points, whose places in the generator's frame are `own`."""
        known = voxels_at(base, own).clamp(-KNOWN, KNOWN)[:, None]
        known = known if self.config.knows else torch.zeros_like(known)
        return nets[POINTS](volume, project(points, poses), known)

    def _autoencode(
        self, nets: Nets, batch: Batch, n_prior: int, step: int
    ) -> tuple[Tensor, Tensor, Tensor, dict[str, Tensor]]:
        poses, count = batch.need("poses"), len(batch)
        told = batch.uniform(count) < self.config.class_told
        labels = torch.where(told, batch.need("labels"), -1)
        mean, log_variance, maps, features = nets[ENCODER](batch.seen, maps=True, label=labels)
        logits = nets[GENERATOR](self._latent(mean, log_variance, batch, n_prior))
        camera = network(nets, CAMERA, PoseHead)
        head_output = camera(features)
        points, filled = self._samples(batch)
        batch.carry |= {POINTS: points, "filled": filled}
        error = (camera.pose(head_output.detach()) - poses)[:, AZIMUTH]
        error = torch.where(torch.arange(count, device=error.device) % 2 == 0, error, torch.zeros_like(error))
        own = turned(points, error)
        read = self._logits(nets, points, own, nets[VOLUME](maps), logits[:count], poses)
        return mean, log_variance, logits, {
            "view": self._of_points(read, filled),
            "pose": self.config.pose_weight * camera.loss(head_output, poses),
        }

    def _latent_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        return self._of_points(voxels_at(logits, batch.carry[POINTS]), batch.carry["filled"])

    def _of_points(self, logits: Float[Tensor, "batch points"], filled: Float[Tensor, "batch points"]) -> Tensor:
        """Cross-entropy at all points, plus 1 - soft IoU at those that are spread evenly."""
        even = self.config.points
        bce = reconstruction_bce(logits, filled, self.config.positive_weight)
        return bce + reconstruction_iou(logits[:, :even], filled[:, :even])

    def _samples(self, batch: Batch) -> Samples:
        """Centres of voxels, and whether these are filled: those spread evenly, then those near filled ones."""
        voxels, side = batch.real.flatten(1), self.config.resolution
        count, near = self.config.points, round(NEAR * self.config.points)
        even = (batch.uniform(len(batch), count, 3) * side).long()
        so_far = voxels.cumsum(1)
        chosen = torch.searchsorted(so_far, batch.uniform(len(batch), near) * so_far[:, -1:], right=True)
        chosen = chosen.clamp(max=side**3 - 1)
        around = torch.stack([chosen // side**2, chosen // side % side, chosen % side], dim=2)
        around = around + (STRAY * batch.normal(len(batch), near, 3)).round().long()
        at = torch.cat([even, around], dim=1).clamp(0, side - 1)
        filled = voxels.gather(1, (at[..., 0] * side + at[..., 1]) * side + at[..., 2])
        return (at.float() + 0.5) / side - 0.5, filled
