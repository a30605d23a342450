"""What a run writes of itself: each step once, whatever happened; sheets that show what the networks made."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from maquette import recipe as recipes
from maquette.capabilities import Reads
from maquette.datasets.opened import OpenedData
from maquette.errors import UserError
from maquette.rendering import tiles as tiles_module
from maquette.systems import SYSTEMS
from maquette.systems.base import System
from maquette.training.monitor import log as logs
from maquette.training.monitor import samples
from maquette.training.monitor.log import Log, read_metrics


def lines(run) -> list[dict]:
    """The rows as strict JSON, in which NaN is no value."""

    def refuse(word: str):
        raise AssertionError(word)

    return [json.loads(line, parse_constant=refuse) for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture
def clock(monkeypatch):
    """Seconds that a test sets by hand."""
    now = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(logs, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    return now


def test_rows_count_steps_samples_and_seconds_and_are_there_at_once(tmp_path, clock):
    run = tmp_path / "a" / "run"
    with Log(run, 8, 0, False) as log:
        clock.seconds += 2.5
        log.write_row("stepped", 5, {"critic/wasserstein": np.float32(-0.5), "skipped": 3})
        assert lines(run) == [
            {"event": "stepped", "step": 5, "samples": 40, "time": 2.5, "critic/wasserstein": -0.5, "skipped": 3}
        ]
        log.write_row("probed", 5, {"a": float("nan"), "b": -np.inf, "networks": "critic"})
        assert lines(run)[1] == {"event": "probed", "step": 5, "samples": 40, "time": 2.5, "a": "nan", "b": "-inf",
                                 "networks": "critic"}
        assert read_metrics(run) == log.known == lines(run)


def test_seconds_go_on_where_the_run_was_resumed(tmp_path, clock):
    for first in (0, 2, 4):
        with Log(tmp_path, 1, first, False) as log:
            clock.seconds += 10
            log.write_row("stepped", first + 2, {})
        clock.seconds += 1000
    assert [row["time"] for row in lines(tmp_path)] == [10, 20, 30]


def test_a_run_that_fell_back_has_each_step_once(tmp_path):
    with Log(tmp_path, 2, 0, False) as log:
        for step in (2, 4, 6):
            log.write_row("stepped", step, {"loss": step})
            log.write_row("checked", step, {"iou": 0.5})
            log.write_picture("samples", step, np.zeros((4, 4, 3), np.uint8))
    whole = (tmp_path / "metrics.jsonl").read_text()
    (tmp_path / "metrics.jsonl").write_text(whole + '{"event": "stepped", "st')
    with Log(tmp_path, 2, 4, False) as log:
        assert (tmp_path / "metrics.jsonl").read_text() == "".join(whole.splitlines(keepends=True)[:4])
        assert [row["step"] for row in log.known] == [2, 2, 4, 4]
        log.write_row("stepped", 6, {"loss": 60})
    assert [(row["step"], row.get("loss")) for row in lines(tmp_path) if row["event"] == "stepped"] == [
        (2, 2), (4, 4), (6, 60)
    ]
    assert [path.name for path in sorted((tmp_path / "samples").iterdir())] == [
        "samples-0000002.png", "samples-0000004.png"
    ]
    with Log(tmp_path, 2, 0, False):
        assert lines(tmp_path) == [], "a run that starts anew"


def test_a_record_that_is_whole_is_not_written_again(tmp_path):
    with Log(tmp_path, 2, 0, False) as log:
        log.write_row("stepped", 1, {"loss": 0.1, "word": "größer"})
    before = (tmp_path / "metrics.jsonl").stat()
    with Log(tmp_path, 2, 1, False):
        assert (tmp_path / "metrics.jsonl").stat().st_ino == before.st_ino


def test_only_the_process_that_writes_touches_the_disk(tmp_path):
    with Log(tmp_path, 2, 0, False) as log:
        for step in (1, 2):
            log.write_row("stepped", step, {})
    with Log(tmp_path, 2, 1, True, writes=False) as log:
        log.write_row("stepped", 2, {"loss": 1.0})
        path = log.write_picture("samples", 2, np.zeros((4, 4, 3), np.uint8))
        assert [row["step"] for row in log.known] == [1, 2] and log.known[1]["loss"] == 1.0
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.jsonl"] and not path.exists()
    assert [row["step"] for row in lines(tmp_path)] == [1, 2]


def test_tensorboard_has_the_same_numbers_and_pictures(tmp_path):
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    pixels = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
    for first, value in ((0, 1.0), (3, 10.0)):
        with Log(tmp_path, 2, first, True) as log:
            for step in range(first + 1, 6):
                log.write_row("stepped", step, {"critic/wasserstein": step * value, "word": "nan"})
            log.write_picture("samples", 4, pixels)
    found = accumulators.EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    assert [(event.step, event.value) for event in found.Scalars("stepped/critic/wasserstein")] == [
        (1, 1), (2, 2), (3, 3), (4, 40), (5, 50)
    ]
    assert found.Tags()["scalars"] == ["stepped/critic/wasserstein"]
    (picture,) = found.Images("samples")
    assert (picture.step, picture.height, picture.width) == (4, 6, 9)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "samples" / "samples-0000004.png")), pixels)


def test_without_tensorboard_the_rest_is_written(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    with Log(tmp_path, 2, 0, True) as log:
        log.write_row("stepped", 1, {"loss": 1.0})
    assert lines(tmp_path)[0]["loss"] == 1.0 and not (tmp_path / "tensorboard").exists()


def test_what_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write .*file.metrics.jsonl: "), Log(tmp_path / "file", 2, 0, False):
        pass
    (tmp_path / "folder" / "metrics.jsonl").mkdir(parents=True)
    with pytest.raises(UserError, match="cannot read .*metrics.jsonl: "), Log(tmp_path / "folder", 2, 0, False):
        pass
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "tensorboard").write_text("in the way")
    with pytest.raises(UserError, match="cannot write .*tensorboard: "), Log(tmp_path / "run", 2, 0, True):
        pass


def test_a_full_disk_is_told_once_and_as_it_is(tmp_path):
    class Full:
        def write(self, _text: str):
            raise OSError(28, "No space left on device")

        def close(self):
            raise OSError(5, "Input/output error")

    with pytest.raises(UserError, match="metrics.jsonl: No space left on device; the run goes on from"):
        with Log(tmp_path, 2, 0, False) as log:
            log._file.close()
            log._file = Full()
            log.write_row("stepped", 1, {})
    with pytest.raises(UserError, match="metrics.jsonl: Input/output error"), Log(tmp_path, 2, 0, False) as log:
        log._file.close()
        log._file = Full()


def test_reading_a_run_while_it_is_written_and_what_is_none(tmp_path):
    with pytest.raises(UserError, match="is not a run: it has no recipe.yaml and no metrics.jsonl"):
        read_metrics(tmp_path)
    (tmp_path / "recipe.yaml").write_text("system: iwgan\n")
    assert read_metrics(tmp_path) == []
    (tmp_path / "metrics.jsonl").write_bytes(b'{"event": "stepped", "step": 1}\n\0\0\0\n7\n{"event": "stepp')
    assert read_metrics(tmp_path) == [{"event": "stepped", "step": 1}]


GRIDS = np.zeros((9, 20, 20, 20), bool)
for width, grid in enumerate(GRIDS):
    grid[4 : 6 + width, 6:14, 3:12] = True


class Data(OpenedData):
    """Stands in for OpenedData: boxes of growing width, and views that say which one it is."""

    views_per_shape = 2

    def __init__(self):
        """Nothing is opened."""

    def voxels(self, rows):
        return GRIDS[rows]

    def views(self, rows, which):
        return np.stack([np.full((32, 32), 10 * row, np.uint8) for row in rows])


class Knows(System):
    """A system that reads the number off the view and gives that grid, or what it is told to give instead."""

    reads = Reads.VIEWS

    def reconstruct(self, images):
        return self.generate(self.encode(images))

    def __init__(self, gives=None):
        self.nets = torch.nn.ModuleDict({"encoder": torch.nn.Linear(1, 1), "critic": torch.nn.Dropout()})
        self.nets["critic"].eval()
        self.gives = gives

    def encode(self, images):
        assert not torch.is_grad_enabled() and not self.nets.training
        return (images[:, 0, 0, 0] * 25.5).round().long()

    def generate(self, numbers):
        grids = GRIDS[numbers.numpy()] if self.gives is None else np.stack([self.gives] * len(numbers))
        return torch.from_numpy(grids.astype(np.float32)).unsqueeze(1)


def tiles(page: np.ndarray, columns: int, head: int = 16) -> list[np.ndarray]:
    """The pictures of a sheet, row by row."""
    side, cell = tiles_module.TILE, tiles_module.TILE + 1
    rows = (page.shape[0] - head - 1) // cell
    assert page.shape == (head + rows * cell + 1, columns * cell + 1, 3) and page.dtype == np.uint8
    corners = [(head + y * cell + 1, x * cell + 1) for y in range(rows) for x in range(columns)]
    return [page[y : y + side, x : x + side] for y, x in corners]


def test_a_sheet_puts_view_reconstruction_and_truth_side_by_side():
    recipe, rows = recipes.load("vae-iwgan-image-tiny"), np.arange(9)
    found = tiles(samples.shape_sheet(Knows(), Data(), rows, recipe, 100), 6)
    assert len(found) == 3 * samples.RECONSTRUCTED
    for view, made, truth in zip(found[::3], found[1::3], found[2::3], strict=True):
        assert view.std() == 0 and made.std() > 5 and np.array_equal(made, truth)
    assert found[0][0, 0, 0] == 0 and found[-3][0, 0, 0] == 80, "the first and the last of the rows"
    assert samples.shape_sheet(Knows(), Data(), rows[:0], recipe, 100) is None
    assert len(tiles(samples.shape_sheet(Knows(), Data(), rows[:1], recipe, 0), 3)) == 3


@pytest.mark.parametrize("fill, word", [(0, "empty"), (1, "full")])
def test_grids_without_a_surface_say_so(fill, word):
    recipe = recipes.load("vae-iwgan-image-tiny")
    grid = np.full((20, 20, 20), fill, np.float32)
    found = tiles(samples.shape_sheet(Knows(grid), Data(), np.arange(8), recipe, 1), 6)
    assert np.array_equal(found[1], tiles_module._word(word, tiles_module.TILE)) and not np.array_equal(
        found[1], found[2]
    )
    assert np.array_equal(
        tiles_module.tile(grid + np.float32(np.nan)), tiles_module._word("not finite", tiles_module.TILE)
    )
    speck = np.zeros((20, 20, 20), np.float32)
    speck[3, 3, 3] = 0.5
    assert tiles_module.tile(speck).shape == (tiles_module.TILE, tiles_module.TILE, 3)


def test_tiles_show_sizes_as_they_are_and_noise_in_a_moment():
    def area(side: int) -> float:
        grid = np.zeros((20, 20, 20), np.float32)
        low = 10 - side // 2
        grid[low : low + side, low : low + side, low : low + side] = 1
        pixels = tiles_module.tile(grid).astype(int)
        return (pixels[..., 0] - pixels[..., 2] > 30).mean()

    assert area(8) / area(16) == pytest.approx(0.25, abs=0.05)
    noise = np.random.default_rng(0).random((32, 32, 32), np.float32)
    assert tiles_module.tile(noise).std() > 5


def test_sheets_leave_modes_and_random_states_alone_and_are_the_same_each_time(monkeypatch):
    recipe = recipes.load("iwgan-tiny")
    torch.manual_seed(0)
    system = SYSTEMS["iwgan"](recipe.model)
    sheet = samples.shape_sheet(system, Data(), np.zeros(0, int), recipe, 0)
    assert len(tiles(sheet, 4, head=0)) == samples.GENERATED == 16
    monkeypatch.setattr(samples, "GENERATED", 4)
    with torch.no_grad():
        system.nets["generator"].linear.weight.mul_(30)
    system.nets.train()
    system.nets["critic"].eval()
    modes = [module.training for module in system.nets.modules()]
    weights = {name: value.clone() for name, value in system.nets.state_dict().items()}
    states = torch.get_rng_state(), np.random.get_state()[1].copy()
    first, again = (samples.shape_sheet(system, Data(), np.zeros(0, int), recipe, step) for step in (1, 2))
    assert np.array_equal(first, again) and min(tile.std() for tile in tiles(first, 4, head=0)) > 5
    assert [module.training for module in system.nets.modules()] == modes and any(modes) and not all(modes)
    assert all(torch.equal(value, weights[name]) for name, value in system.nets.state_dict().items())
    assert torch.equal(torch.get_rng_state(), states[0]) and (np.random.get_state()[1] == states[1]).all()
