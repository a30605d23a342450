"""The Fréchet and kernel distances against closed forms, the papers' formulas and torchmetrics."""

import numpy as np
import pytest
import torch

from maquette.errors import UserError
from maquette.evaluation.feature_distances import frechet_distance, kernel_distance

RNG = np.random.default_rng(0)


def test_frechet_of_known_gaussians():
    """Exactly white features, scaled and shifted: (shift)^2 + sum (s_a - s_b)^2."""
    raw = np.random.default_rng(1).normal(size=(50, 4))
    raw -= raw.mean(0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw, rowvar=False))).T
    scale = np.array([1.0, 2.0, 0.5, 3.0])
    expected = 4 * 0.3**2 + np.sum((scale - 1) ** 2)
    assert frechet_distance(white, white * scale + 0.3) == pytest.approx(expected)
    assert frechet_distance(white, white) == pytest.approx(0, abs=1e-9)
    few = np.random.default_rng(2).normal(size=(5, 20))
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-6), "fewer samples than features"


def test_frechet_of_fewer_images_than_features_is_exact():
    a = RNG.normal(size=(6, 40))
    spread = np.trace(np.cov(a, rowvar=False))
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9) == frechet_distance(a, a[::-1])
    scaled = 3 * a + 0.5 - 2 * a.mean(0)
    assert frechet_distance(a, scaled) == pytest.approx(40 * 0.25 + 4 * spread)  # |m|^2 + (3 - 1)^2 tr C
    b = RNG.normal(1, 2, (9, 40))
    roots = np.sqrt(np.clip(np.linalg.eigvals(np.cov(a, rowvar=False) @ np.cov(b, rowvar=False)).real, 0, None))
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + spread + np.trace(np.cov(b, rowvar=False)) - 2 * roots.sum()
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-4)
    wide = np.concatenate([a, np.zeros((6, 500))], axis=1)
    many = np.concatenate([wide, RNG.normal(size=(600, 540))])
    whole = frechet_distance(many, many + 2)
    assert whole == pytest.approx(540 * 4, rel=1e-6), "more images than features: the same measure by matrices"


def test_kid_is_the_unbiased_estimate_of_the_paper():
    from torchmetrics.image.kid import poly_mmd

    a, b = RNG.normal(size=(7, 5)), RNG.normal(0.4, 1.5, (7, 5))

    def kernel(x, y):
        return (sum(float(p) * float(q) for p, q in zip(x, y, strict=True)) / 5 + 1) ** 3

    total = sum(kernel(x[i], x[j]) / 42 for x in (a, b) for i in range(7) for j in range(7) if i != j)
    total -= 2 * sum(kernel(x, y) for x in a for y in b) / 49
    assert kernel_distance(a, b) == pytest.approx(total)
    assert kernel_distance(a, b) == pytest.approx(float(poly_mmd(torch.from_numpy(a), torch.from_numpy(b))))
    assert kernel_distance(a, b[:5]) == pytest.approx(kernel_distance(b[:5], a)), "sets may differ in size"
    with pytest.raises(UserError, match="KID needs 2 samples or more of each set, got 1 and 7"):
        kernel_distance(a[:1], b)


def test_kid_of_one_distribution_is_0_on_average_however_few():
    found = [kernel_distance(*RNG.normal(size=(2, 8, 6))) for _ in range(2000)]
    assert abs(np.mean(found)) < 3 * np.std(found) / 2000**0.5
    assert min(found) < 0 < max(found)


def test_frechet_is_torchmetrics_fid():
    from torchmetrics.image.fid import FrechetInceptionDistance

    class Given(torch.nn.Module):
        """The images are the features."""

        num_features = 12

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images.flatten(1).double()

    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(40, 12)), rng.normal(0.3, 1.4, (30, 12))
    theirs = FrechetInceptionDistance(feature=Given(), normalize=True, input_img_size=(1, 3, 4)).set_dtype(
        torch.float64)
    for features, real in ((a, True), (b, False)):
        theirs.update(torch.from_numpy(features).reshape(-1, 1, 3, 4), real=real)
    assert frechet_distance(a, b) == pytest.approx(float(theirs.compute()), rel=1e-6)
    with pytest.raises(UserError, match="needs 2 samples or more of each set, got 1 and 30"):
        frechet_distance(a[:1], b)
