"""3D-VAE-IWGAN from a depth scan: the voxels that one camera saw in, the whole shape out.

Smith, Meger, CoRL 2017 (arXiv 1707.09557), section on depth completion. The image form (`vaeiwgan3d`) with another
encoder; its three updates, in their order:

    critic     E[D(x^)] - E[D(x)] + 10 E[(||grad D(x~)|| - 1)^2]    on every batch
    encoder    KL(q(z|s) || N(0, I)) + ||G(E(s)) - x||              on every batch
    generator  -E[D(x^)] + 100 ||G(E(s)) - x||                      on every fifth

with s a partial grid of as many voxels as the shape x, filled where a surface was in sight of the camera; the encoder
reads it with convolutions 4x4x4 of stride 2, 32-64-128-256 channels (code), and gives 200 means and 200 log-variances.

Differs from the paper, each behind a key of the config, the paper's value being the default: `generator: subvoxel`,
`joint: true`, `prior: class` and `reconstruction: bce-iou` as in the image form, whose file says what they do; `skips`
corrects what a latent gives by the scan itself, which lies in the same grid (`maquette.nets.volume.ScanSkipDecoder`).
"""

from torch import Tensor, nn

from maquette.configs import VAEIWGAN3DScanConfig
from maquette.nets.volume import ScanEncoder, ScanSkipDecoder
from maquette.systems.base import Batch, Nets
from maquette.systems.capabilities import Reads
from maquette.systems.vaeiwgan3d import VAEIWGAN3D


class VAEIWGAN3DScan(VAEIWGAN3D):
    """Scans in, shapes out; latents in, shapes out (arXiv 1707.09557, section on depth completion)."""

    name = "vae-iwgan-scan"
    Config = VAEIWGAN3DScanConfig
    reads = Reads.SCANS

    def _encoder(self, config: VAEIWGAN3DScanConfig) -> nn.Module:
        return ScanEncoder(config.resolution, config.latent, config.encoder_channels)

    @property
    def refiner(self) -> str:
        """The network that corrects what a latent gives by the scan, or nothing."""
        return "skips" if self.config.skips else ""

    def _corrections(self, config: VAEIWGAN3DScanConfig, encoder: nn.Module) -> nn.Module:
        return ScanSkipDecoder(self.nets["generator"].cell_channels, config.encoder_channels[1])

    def reconstruct(self, scans: Tensor) -> Tensor:
        """Scans `[B, 1, R, R, R]` of 0 and 1 to the occupancy `[B, 1, R, R, R]` of the whole objects."""
        if not self.refiner:
            return super().reconstruct(scans)
        mean, _, maps = self.nets["encoder"](scans, maps=True)
        logits, cells = self.nets["generator"](mean, cells=True)
        return (logits + self.nets["skips"](cells, maps, scans)).sigmoid()

    def _autoencode(
        self, nets: Nets, batch: Batch, n_prior: int, step: int
    ) -> tuple[Tensor, Tensor, Tensor, dict[str, Tensor]]:
        if not self.refiner:
            return super()._autoencode(nets, batch, n_prior, step)
        count = len(batch)
        mean, log_variance, maps = nets["encoder"](batch.scans, maps=True)
        logits, cells = nets["generator"](self._latent(mean, log_variance, batch, n_prior), cells=True)
        seen = logits[:count] + nets["skips"](cells[:count], maps, batch.scans)
        return mean, log_variance, logits, {"skips": self._reconstruction(seen, batch.voxels)}
