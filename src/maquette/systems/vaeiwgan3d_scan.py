"""3D-VAE-IWGAN from a depth scan: the voxels that one camera saw in, the whole shape out.

Smith, Meger, CoRL 2017 (arXiv 1707.09557), section on depth completion. The image form (`vaeiwgan3d`) with another
encoder; its three updates, in their order:

    critic     E[D(x^)] - E[D(x)] + 10 E[(||grad D(x~)|| - 1)^2]    on every batch
    encoder    KL(q(z|s) || N(0, I)) + ||G(E(s)) - x||              on every batch
    generator  -E[D(x^)] + 100 ||G(E(s)) - x||                      on every fifth

with s a partial grid of as many voxels as the shape x, filled where a surface was in sight of the camera; the encoder
reads it with convolutions 4x4x4 of stride 2, 32-64-128-256 channels (code), and gives 200 means and 200 log-variances.

Differs from the paper, each behind a key of the config, the paper's value being the default: `generator: subvoxel`,
`joint: true`, `prior: class` and `reconstruction: bce-iou` as in the image form, whose file says what they do.
"""

from torch import nn

from maquette.configs import VAEIWGAN3DScanConfig
from maquette.nets.volume import ScanEncoder
from maquette.systems.vaeiwgan3d import VAEIWGAN3D


class VAEIWGAN3DScan(VAEIWGAN3D):
    """Scans in, shapes out; latents in, shapes out (arXiv 1707.09557, section on depth completion)."""

    name = "vae-iwgan-scan"
    Config = VAEIWGAN3DScanConfig
    reads_images = False
    reads_scans = True

    def _encoder(self, config: VAEIWGAN3DScanConfig) -> nn.Module:
        return ScanEncoder(config.resolution, config.latent, config.encoder_channels)
