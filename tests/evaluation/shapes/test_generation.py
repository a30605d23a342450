"""Made shapes beside a test split: fast distances against the plain ones, copies found, a whole table."""

import dataclasses

import numpy as np
import pytest
import torch

from maquette.datasets.cache import shapes_of
from maquette.datasets.orientations import turned
from maquette.errors import UserError
from maquette.evaluation.report import Measured
from maquette.evaluation.shapes import point_clouds
from maquette.evaluation.shapes.generation import (
    MEASURES,
    GenerationOptions,
    _shapes_of_class,
    distance_to_nearest_shape,
    evaluate_generation,
    match_class_frequencies,
    pairwise_chamfer,
    pairwise_earth_movers,
)
from maquette.geometry.resample import resample

PLAN = GenerationOptions(samples=6, points=64, emd_points=16, many=8)


def test_distances_in_batches_are_the_plain_ones():
    rng = np.random.default_rng(0)
    a, b = ([rng.normal(size=(30, 3)) for _ in range(count)] for count in (3, 18))
    plain, earth_movers = point_clouds.pairwise_distances, point_clouds.earth_movers
    np.testing.assert_allclose(pairwise_chamfer(a, b), plain(a, b), rtol=1e-4)
    np.testing.assert_allclose(pairwise_earth_movers(a, a), plain(a, a, earth_movers))
    np.testing.assert_allclose(pairwise_earth_movers(a, b), plain(a, b, earth_movers))


def test_a_copy_is_at_distance_0_and_half_a_shape_at_a_half():
    training = np.zeros((3, 4, 4, 4), bool)
    training[0, :2], training[1, :, :1], training[2, 3, 3, 3] = True, True, True
    made = np.stack([training[0], training[0]])
    made[1, 1] = False
    assert distance_to_nearest_shape(made, training).tolist() == [0.0, 0.5]
    own = distance_to_nearest_shape(training[:1], training, skip_itself=True)
    assert own[0] == pytest.approx(1 - 8 / 40), "itself is skipped"


def grids(count: int, seed: int) -> np.ndarray:
    """Boxes of many sizes, resting in the middle."""
    rng = np.random.default_rng(seed)
    shapes = np.zeros((count, 20, 20, 20), np.float32)
    for grid in shapes:
        x, y, z = rng.integers(3, 10, 3)
        grid[10 - x : 10 + x, 10 - y : 10 + y, 10 - z : 10 + z] = 1
    return shapes


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "boxes.npz"
    made = {"X_train": grids(10, 1).astype(np.uint8), "X_test": grids(6, 2).astype(np.uint8)}
    np.savez(path, y_train=np.zeros(10, int), y_test=np.zeros(6, int), classes=np.array(["box"]), **made)
    return path


def measure(archive, tmp_path, make, **options) -> Measured:
    given = {"resolution": 20, "threshold": 0.5, "options": PLAN} | options
    *_, measured = evaluate_generation(make, lambda x: x.mean((3, 4)).flatten(1), archive, tmp_path / "c", **given)
    return measured


def test_boxes_of_the_same_kind_are_near_and_specks_are_far(archive, tmp_path):
    good = measure(archive, tmp_path, lambda kinds: grids(len(kinds), 3))
    names = [row[0] for row in good.rows]
    assert tuple(names) == MEASURES and good.columns[1:] == ("the model", "training shapes")

    def specks(kinds):
        empty = np.zeros((len(kinds), 20, 20, 20), np.float32)
        empty[:, 0, 0, 19] = empty[:, 19, 19, 0] = 1
        return empty

    bad = measure(archive, tmp_path, specks)
    for name in ("minimum matching distance x1000", "Fréchet distance, 3D classifier"):
        assert bad.details["made"][name] > 2 * good.details["made"][name], name
    assert bad.details["made"]["Jensen-Shannon divergence"] == pytest.approx(1), "no cell in common"
    assert bad.details["made"]["1-NN accuracy (0.5 is best)"] == 1.0
    assert bad.details["made"]["one connected part"] == 0.0 and good.details["made"]["one connected part"] == 1.0


def test_the_test_shapes_themselves_are_as_good_as_can_be(archive, tmp_path):
    with np.load(archive) as whole:
        tested = np.stack([resample(grid, 20) for grid in whole["X_test"]]).astype(np.float32)
    measured = measure(archive, tmp_path, lambda kinds: np.resize(tested, (len(kinds), *tested.shape[1:])))
    assert measured.details["made"]["coverage"] == 1.0
    more = measure(archive, tmp_path, lambda kinds: grids(len(kinds), 3), options=dataclasses.replace(PLAN, samples=8))
    assert more.details["samples"] == more.details["real"] == 6, "sets of one size, or the figures are biased"


def test_real_shapes_come_in_the_orientations_asked_for(archive, tmp_path):
    """Each is one of its orientations, as `turned` makes them, and not always the same one."""
    steps = shapes_of(archive, tmp_path / "c", "train", 20, orientations=12)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            data = done.value
            break
    found, labels = _shapes_of_class(data, "box", 12, np.random.default_rng(0))
    assert labels.tolist() == [0] * len(found)
    with np.load(archive) as whole:
        sources = whole["X_train"] > 0
    numbers = []
    for grid, source in zip(found, sources, strict=True):
        every = [np.rot90(resample(turned(source, k % 90), 20), k // 90, (0, 1)) for k in range(0, 360, 30)]
        numbers.append([k for k, one in enumerate(every) if np.array_equal(one, grid)])
    assert all(numbers) and len({first % 3 for first, *_ in numbers}) == 3
    plan = dataclasses.replace(PLAN, turns=12)
    details = measure(archive, tmp_path, lambda kinds: grids(len(kinds), 3), options=plan).details
    assert details["turns"] == 12 and details["real"] == 6
    with pytest.raises(UserError, match="turns must be 1, 2, 3, 4, 6 or 12, got 8"):
        GenerationOptions(turns=8)


def test_no_shape_at_all_and_unknown_classes_are_one_line(archive, tmp_path):
    with pytest.raises(UserError, match="every shape that the model made is empty"):
        measure(archive, tmp_path, lambda kinds: np.zeros((len(kinds), 20, 20, 20), np.float32))
    with pytest.raises(UserError, match="no class of this name, got 'sofa'; they have box"):
        measure(archive, tmp_path, lambda kinds: grids(len(kinds), 3), kind="sofa")
    with pytest.raises(UserError, match="samples must be 2 or more, got 1"):
        GenerationOptions(samples=1)
    with pytest.raises(UserError, match="many must be samples or more, got 20 and 30"):
        GenerationOptions(samples=30, many=20)


def test_a_share_of_each_class_is_as_much_as_can_be_had():
    labels = np.array([0] * 10 + [1] * 10 + [2] * 10)
    rows = match_class_frequencies(labels, np.array([40, 20, 0]), np.random.default_rng(0))
    assert np.bincount(labels[rows], minlength=3).tolist() == [10, 5, 0] and len(set(rows)) == 15
    rows = match_class_frequencies(labels, np.array([1, 1, 1]), np.random.default_rng(0))
    assert sorted(rows) == list(range(30))
    rows = match_class_frequencies(labels, np.array([5, 5, 5, 70]), np.random.default_rng(0))
    assert sorted(rows) == list(range(30)), "a class that the test split lacks binds nobody"
    assert len(match_class_frequencies(labels, np.array([0, 0, 0, 1]), np.random.default_rng(0))) == 0


def test_classes_are_made_and_measured_as_often_as_they_are_trained_on(tmp_path):
    made = {"X_train": grids(40, 1).astype(np.uint8), "X_test": grids(40, 2).astype(np.uint8)}
    labels, tested = np.array([0] * 30 + [1] * 10), np.array([0] * 20 + [1] * 20)
    np.savez(tmp_path / "two.npz", **made, y_train=labels, y_test=tested,
             classes=np.array(["box", "crate"]))
    asked: list[str] = []

    def make(kinds):
        asked.extend(kinds)
        return grids(len(kinds), 3)

    plan = dataclasses.replace(PLAN, samples=40, many=400)
    *_, measured = evaluate_generation(make, None, tmp_path / "two.npz", tmp_path / "c", resolution=20, threshold=0.5,
                                       options=plan)
    assert measured.details["real"] == 26, "20 of 30 boxes and a third as many crates"
    assert len(asked) == 400 and 0.68 < asked.count("box") / 400 < 0.82
    assert "Fréchet distance, 3D classifier" not in [row[0] for row in measured.rows]


def test_the_classifiers_features_come_before_its_last_layer():
    from maquette.systems.classifier3d import VolumeClassifier

    net = VolumeClassifier((2, 3), 5, 4, 0.5).eval()
    voxels = torch.rand(2, 1, 20, 20, 20)
    assert net.features(voxels).shape == (2, 5)
    torch.testing.assert_close(net.last(net.features(voxels)), net(voxels))


def test_the_frechet_distance_of_the_model_and_of_its_control_are_of_equally_many(archive, tmp_path):  # A8
    """Ten training shapes beside forty made ones: the model that makes the training shapes is as good as they are."""
    with np.load(archive) as whole:
        training = np.stack([resample(grid, 20) for grid in whole["X_train"]]).astype(np.float32)
    seen = []

    def features(shapes):
        seen.append(len(shapes))
        return shapes.mean((3, 4)).flatten(1)

    *_, measured = evaluate_generation(
        lambda kinds: np.resize(training, (len(kinds), *training.shape[1:])), features, archive, tmp_path / "c",
        resolution=20, threshold=0.5, options=dataclasses.replace(PLAN, many=40))
    name = "Fréchet distance, 3D classifier"
    made, control = next(row[1:] for row in measured.rows if row[0] == name)
    assert seen == [10, 6, 10, 6] and measured.details["frechet_shapes"] == 10
    assert made == pytest.approx(control, rel=1e-6)
