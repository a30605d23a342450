"""Networks that read a drawing, raced at equal time: in the view's frame, in the object's frame, or joined.

    maquette data prepare solids --count 1600 --out SOLIDS --views 8 --view-size 128 --channels 3 --resolution 64
    maquette data prepare furniture --count 600 --out FURNITURE --views 8 --view-size 128 --channels 3 --resolution 64
    python benchmarks/race.py joined --minutes 10 --data SOLIDS FURNITURE

All have the encoder, the recipe's batches and losses of `vae-iwgan-view`, and a learning rate that falls over the time
that is given, which is processor time of one thread. `view`: the view's volume alone. `joined`: beside it the
generator's logits at each point. `object`: the generator, and corrections of its cells from features that the camera
carries into the object's frame (`PixelAlignedDecoder`), as today's bundled models have them. Measured on one drawing of
each of `--shapes` things, half of them of kinds that are kept for testing, half random constructions, at 32
voxels: IoU with the camera that the network reads and with the true one, IoU after the best turn about the up axis, and
the camera's errors.
"""

import argparse
import dataclasses
import math
import time

import numpy as np
import torch
from torch import Tensor

from maquette import recipe as recipes
from maquette.datasets.opened import open_dataset
from maquette.datasets.rows import mesh_of
from maquette.datasets.sources import generated
from maquette.geometry.voxelise import voxelise
from maquette.models.pixels import as_images
from maquette.nets.efficientnet import MAPS
from maquette.nets.image_encoder import ImageNetEncoder
from maquette.nets.pixel_aligned import AZIMUTH, ELEVATION, PixelAlignedDecoder, Poses, centres, poses
from maquette.nets.view_volume import voxels_at
from maquette.nets.volume import from_cells
from maquette.rendering import render_views
from maquette.systems.base import ENCODER, GENERATOR, Batch, Nets
from maquette.systems.view_volume import CAMERA, POINTS, ViewVolumeSystem
from maquette.training.batches import Batches
from maquette.training.optim import SHARE, make_optimisers
from maquette.ways.views import turned

ALIGNED = "aligned"
SIDE = 32
STEP_DEG = 10


class ObjectFrame(ViewVolumeSystem):
    """The generator, corrected cell by cell in the object's frame."""

    def make_refiner(self, encoder: torch.nn.Module, generator: torch.nn.Module) -> dict[str, torch.nn.Module]:
        """The camera's head and the corrections."""
        assert isinstance(encoder, ImageNetEncoder)
        camera = super().make_refiner(encoder, generator)[CAMERA]
        cells = generator.cell_channels
        return {CAMERA: camera, ALIGNED: PixelAlignedDecoder(self.config.resolution, cells, MAPS[1:], encoder.features)}

    def averaged(self) -> tuple[str, ...]:
        """All but the critic."""
        return (ENCODER, GENERATOR, CAMERA, ALIGNED)

    def grids(self, nets: Nets, views: Tensor, known: Poses | None) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Mean, log-variance, the generator's and the corrected logits, and the camera's head's output."""
        mean, log_variance, maps, features = nets[ENCODER](views, maps=True)
        logits, cells = nets[GENERATOR](mean, cells=True)
        head = nets[CAMERA](features)
        used = nets[CAMERA].pose(head.detach()) if known is None else known
        more, _ = nets[ALIGNED](cells, maps[1:], features, used, 1.0)
        return mean, log_variance, logits, logits + from_cells(more), head

    def _autoencode(
        self, nets: Nets, batch: Batch, n_prior: int, step: int
    ) -> tuple[Tensor, Tensor, Tensor, dict[str, Tensor]]:
        truth = batch.need("poses")
        known = truth if step < self.true_until else None
        mean, log_variance, logits, refined, head = self.grids(nets, batch.seen, known)
        points, filled = self._samples(batch)
        batch.carry |= {POINTS: points, "filled": filled}
        return mean, log_variance, logits, {
            "view": self._of_points(voxels_at(refined, points), filled),
            "pose": self.config.pose_weight * nets[CAMERA].loss(head, truth),
        }

    true_until = 0


def answer(system: ViewVolumeSystem, view: Tensor, pose: Poses | None) -> tuple[np.ndarray, Tensor]:
    """The occupancy at SIDE voxels a side that a network gives, and the camera that it reads."""
    if isinstance(system, ObjectFrame):
        *_, refined, head = system.grids(system.nets, view, pose)
        grid = torch.nn.functional.avg_pool3d(refined.sigmoid(), refined.shape[-1] // SIDE)
        return grid[0, 0].numpy(), system.nets[CAMERA].pose(head)
    volume, base, own = system.read(view)
    filled = system.filled(centres(SIDE)[None], volume, base, own if pose is None else pose)
    return filled.view(SIDE, SIDE, SIDE).numpy(), own


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """IoU."""
    return float((one & other).sum() / max((one | other).sum(), 1))


@torch.no_grad()
def measure(system: ViewVolumeSystem, count: int, seed: int = 7) -> str:
    """A row of figures on things that no network was trained on."""
    items = [*generated("solids", count // 2, seed=seed, split="test"),
             *generated("solids:construction", count - count // 2, seed=seed, split="test")]
    rows = []
    system.nets.eval()
    for number, item in enumerate(items):
        mesh = mesh_of(item.id, item.load())
        drawn = render_views(mesh, count=1, size_px=system.config.view_size, seed=number, kinds=("pencil",), channels=3)
        camera = drawn.cameras[0]
        truth = poses(torch.tensor([[camera.azimuth_deg, camera.elevation_deg, camera.fov_deg, camera.roll_deg,
                                     camera.zoom, *camera.shift]], dtype=torch.float32))
        view, true = as_images(drawn.images[:1]).float(), voxelise(mesh, SIDE)
        (mine, own), (told, _) = answer(system, view, None), answer(system, view, truth)
        best = max(overlap(turned(mine, float(angle)) > 0.5, true) for angle in range(0, 360, STEP_DEG))
        away = (own - truth)[0]
        azimuth = abs((float(away[AZIMUTH]) + math.pi) % (2 * math.pi) - math.pi)
        rows.append([overlap(mine > 0.5, true), overlap(told > 0.5, true), best, azimuth < math.radians(20),
                     abs(math.degrees(float(away[ELEVATION])))])
    table = np.array(rows, float)
    return (f"{table[:, 0].mean():.3f} | {table[:, 1].mean():.3f} | {table[:, 2].mean():.3f} | "
            f"{table[:, 3].mean():.2f} | {np.median(table[:, 4]):.1f}")


def main() -> None:
    """Train for the minutes given, measure, print a row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("view", "object", "joined"))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--shapes", type=int, default=150)
    parser.add_argument("--batch", type=int, default=32)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    recipe = recipes.load("vae-iwgan-view")
    recipe = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, path=tuple(options.data)),
                                 train=dataclasses.replace(recipe.train, batch=options.batch))
    config = dataclasses.replace(recipe.model, knows=options.kind != "view")
    system = (ObjectFrame if options.kind == "object" else ViewVolumeSystem)(config)
    system.begin()
    for name, net in system.nets.items():
        if name not in (GENERATOR, ALIGNED, "critic"):
            net.to(memory_format=torch.channels_last)
    data = open_dataset(options.data)
    batches = Batches(data, np.arange(len(data)), recipe, system)
    optimisers, phase, step = make_optimisers(system, recipe.optim), system.phases()[0], 0
    start, limit, recent = time.process_time(), 60 * options.minutes, []
    system.nets.train()
    while (share := (time.process_time() - start) / limit) < 1:
        if isinstance(system, ObjectFrame):
            system.true_until = step + 1 if share < 0.25 else 0
        scale = min(1.0, (step + 1) / 60) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
        with torch.autocast("cpu", torch.bfloat16):
            terms = phase.loss(system.nets, batches.at(step), step)
        terms.total().backward()
        for name in phase.trains:
            for group in optimisers[name].param_groups:
                group["lr"] = recipe.optim.lr * scale * group.get(SHARE, 1.0)
            torch.nn.utils.clip_grad_norm_(system.nets[name].parameters(), recipe.optim.clip)
            optimisers[name].step()
            optimisers[name].zero_grad(set_to_none=True)
        recent.append(float(terms.minimised["view"].detach()))
        step += 1
        if step % 25 == 0:
            print(f"step {step}, {100 * share:.0f} %, view {np.mean(recent[-25:]):.4f}", flush=True)
    print("| network | steps | IoU | with the true camera | best turn | azimuth within 20 | elevation off |")
    print(f"| {options.kind} | {step} | {measure(system, options.shapes)} |")


if __name__ == "__main__":
    main()
