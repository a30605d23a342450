"""Inception v3 as the Fréchet inception distance uses it: 299x299 images to 2048 features.

Szegedy et al., CVPR 2016, with the weights that Google published on 2015-12-05 (Heusel et al. 2017). That network
differs from the usual one (torchvision's): average pooling leaves its padding out of the mean, the last block pools by
maximum, and there are 1008 classes. Names of the tensors are those of torchvision and pytorch-fid.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

FEATURES = 2048
"""Values of a feature vector."""
SIDE_PX = 299
"""Pixels a side of the images that the network reads."""
CLASSES = 1008
"""Rows of the last layer in files of the right weights, which is not used; torchvision's have 1000."""

Maps = Float[Tensor, "batch _ _ _"]
"""Feature maps: channels, height, width."""


class ConvNormReLU(nn.Module):
    """Convolution without a bias, batch normalisation, ReLU."""

    def __init__(self, channels: int, out: int, kernel: int | tuple[int, int], stride: int = 1,
                 padding: int | tuple[int, int] = 0):
        super().__init__()
        self.conv = nn.Conv2d(channels, out, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(out, eps=0.001)

    def forward(self, x: Maps) -> Maps:
        """Feature maps to feature maps."""
        return F.relu(self.bn(self.conv(x)), inplace=True)


def _mean_pool(x: Maps) -> Maps:
    """The mean of 3x3 windows without their padding."""
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


class BlockA(nn.Module):
    """The module of 35x35 maps: branches of 1x1, 5x5 and two 3x3 convolutions, and of mean pooling."""

    def __init__(self, channels: int, pooled: int):
        super().__init__()
        self.branch1x1 = ConvNormReLU(channels, 64, 1)
        self.branch5x5_1 = ConvNormReLU(channels, 48, 1)
        self.branch5x5_2 = ConvNormReLU(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = ConvNormReLU(channels, 64, 1)
        self.branch3x3dbl_2 = ConvNormReLU(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = ConvNormReLU(96, 96, 3, padding=1)
        self.branch_pool = ConvNormReLU(channels, pooled, 1)

    def forward(self, x: Maps) -> Maps:
        """Feature maps to feature maps."""
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        five = self.branch5x5_2(self.branch5x5_1(x))
        return torch.cat([self.branch1x1(x), five, double, self.branch_pool(_mean_pool(x))], 1)


class BlockB(nn.Module):
    """The reduction from 35x35 to 17x17 maps."""

    def __init__(self, channels: int):
        super().__init__()
        self.branch3x3 = ConvNormReLU(channels, 384, 3, stride=2)
        self.branch3x3dbl_1 = ConvNormReLU(channels, 64, 1)
        self.branch3x3dbl_2 = ConvNormReLU(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = ConvNormReLU(96, 96, 3, stride=2)

    def forward(self, x: Maps) -> Maps:
        """Feature maps to feature maps."""
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, F.max_pool2d(x, 3, 2)], 1)


class BlockC(nn.Module):
    """The module of 17x17 maps, with 1x7 and 7x1 convolutions; inner: channels between them."""

    def __init__(self, inner: int, channels: int = 768):
        super().__init__()
        self.branch1x1 = ConvNormReLU(channels, 192, 1)
        self.branch7x7_1 = ConvNormReLU(channels, inner, 1)
        self.branch7x7_2 = ConvNormReLU(inner, inner, (1, 7), padding=(0, 3))
        self.branch7x7_3 = ConvNormReLU(inner, 192, (7, 1), padding=(3, 0))
        self.branch7x7dbl_1 = ConvNormReLU(channels, inner, 1)
        self.branch7x7dbl_2 = ConvNormReLU(inner, inner, (7, 1), padding=(3, 0))
        self.branch7x7dbl_3 = ConvNormReLU(inner, inner, (1, 7), padding=(0, 3))
        self.branch7x7dbl_4 = ConvNormReLU(inner, inner, (7, 1), padding=(3, 0))
        self.branch7x7dbl_5 = ConvNormReLU(inner, 192, (1, 7), padding=(0, 3))
        self.branch_pool = ConvNormReLU(channels, 192, 1)

    def forward(self, x: Maps) -> Maps:
        """Feature maps to feature maps."""
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), seven, double, self.branch_pool(_mean_pool(x))], 1)


class BlockD(nn.Module):
    """The reduction from 17x17 to 8x8 maps."""

    def __init__(self, channels: int = 768):
        super().__init__()
        self.branch3x3_1 = ConvNormReLU(channels, 192, 1)
        self.branch3x3_2 = ConvNormReLU(192, 320, 3, stride=2)
        self.branch7x7x3_1 = ConvNormReLU(channels, 192, 1)
        self.branch7x7x3_2 = ConvNormReLU(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = ConvNormReLU(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = ConvNormReLU(192, 192, 3, stride=2)

    def forward(self, x: Maps) -> Maps:
        """Feature maps to feature maps."""
        seven = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), seven, F.max_pool2d(x, 3, 2)], 1)


class BlockE(nn.Module):
    """The module of 8x8 maps, with 1x3 and 3x1 convolutions side by side."""

    def __init__(self, channels: int, pool_by_maximum: bool):
        super().__init__()
        self.pool_by_maximum = pool_by_maximum
        self.branch1x1 = ConvNormReLU(channels, 320, 1)
        self.branch3x3_1 = ConvNormReLU(channels, 384, 1)
        self.branch3x3_2a = ConvNormReLU(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = ConvNormReLU(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = ConvNormReLU(channels, 448, 1)
        self.branch3x3dbl_2 = ConvNormReLU(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = ConvNormReLU(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = ConvNormReLU(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = ConvNormReLU(channels, 192, 1)

    def forward(self, x: Maps) -> Maps:
        """Feature maps to feature maps."""
        three = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        pooled = F.max_pool2d(x, 3, stride=1, padding=1) if self.pool_by_maximum else _mean_pool(x)
        return torch.cat([
            self.branch1x1(x), self.branch3x3_2a(three), self.branch3x3_2b(three),
            self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double), self.branch_pool(pooled),
        ], 1)


class InceptionV3(nn.Module):
    """Images in [-1, 1] to features: the mean over the last maps ("pool3")."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = ConvNormReLU(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = ConvNormReLU(32, 32, 3)
        self.Conv2d_2b_3x3 = ConvNormReLU(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = ConvNormReLU(64, 80, 1)
        self.Conv2d_4a_3x3 = ConvNormReLU(80, 192, 3)
        self.Mixed_5b = BlockA(192, 32)
        self.Mixed_5c = BlockA(256, 64)
        self.Mixed_5d = BlockA(288, 64)
        self.Mixed_6a = BlockB(288)
        self.Mixed_6b = BlockC(128)
        self.Mixed_6c = BlockC(160)
        self.Mixed_6d = BlockC(160)
        self.Mixed_6e = BlockC(192)
        self.Mixed_7a = BlockD()
        self.Mixed_7b = BlockE(1280, False)
        self.Mixed_7c = BlockE(2048, True)

    def forward(self, x: Float[Tensor, "batch 3 299 299"]) -> Float[Tensor, "batch 2048"]:
        """Images in [-1, 1] to features."""
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(x, 3, 2)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(F.max_pool2d(x, 3, 2))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        return self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x))).mean((2, 3))
