"""How fast the fields render: rays a second, evaluations a ray, memory; and how well each shows one fitted object.

    python benchmarks/field_render.py [RECIPE ...] [--device cpu] [--size 64] [--images 4] [--fit 0]

`rays/s` counts all pixels of whole images made by `generate`, `trained rays/s` those of patches with their backward
pass (a generator phase without the discriminator). `samples` are what is put together along a ray, `evaluations` all
evaluations of the field for one pixel, the search and its grid among them. Each recipe is measured in a process of its
own; memory is that process's most, or the accelerator's.

--fit N: first each generator is fitted by N steps of its recipe's optimiser to pictures of one chair of the furniture
maker from 48 known cameras, one fixed latent; the last column is the PSNR in dB of 12 pictures from other cameras. Both
times and quality are of that fitted object then.
"""

import argparse
import dataclasses
import json
import math
import resource
import subprocess
import sys
import time

VIEWS, HELD_OUT = 48, 12


def measure(name: str, options: argparse.Namespace) -> dict:
    """The numbers of one recipe."""
    import torch

    from maquette import recipe as recipes
    from maquette.systems import SYSTEMS

    torch.manual_seed(0)
    recipe = recipes.load(name)
    config = dataclasses.replace(recipe.model, height=options.size, width=options.size, channels=3)
    device = torch.device(options.device)
    system = SYSTEMS[recipe.system](config)
    system.nets.to(device)
    latent = torch.randn(1, config.latent, device=device)
    quality = fit(system, recipe.optim.lr, latent, options) if options.fit else math.nan
    generator, counted = system.nets["generator"], [0]
    field = generator.field
    inner = field.occupancy if hasattr(field, "occupancy") else field.forward

    def counting(positions, *rest):
        counted[0] += positions.shape[0] * positions.shape[1]
        return inner(positions, *rest)

    setattr(field, "occupancy" if hasattr(field, "occupancy") else "forward", counting)
    system.nets.eval()
    cameras = system.views(torch.randn(options.images, config.latent, device=device))
    codes = latent.expand(options.images, -1)
    with torch.no_grad():
        system.generate(codes[:1], cameras[:1])  # warms up
        seconds, _ = timed(lambda: system.generate(codes, cameras), device, counted)
    evaluations = counted[0] / (options.images * options.size**2)
    patch = latent.expand(options.batch, -1)
    turned = system.views(torch.randn(options.batch, config.latent, device=device))
    origins, directions = turned.rays(torch.rand(options.batch, config.patch**2, 2, device=device))

    def step():
        generator(patch, origins, directions).colour.square().mean().backward()

    step()
    trained, _ = timed(step, device, counted)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    memory = torch.cuda.max_memory_allocated() if device.type == "cuda" else peak
    return {"recipe": name, "samples": generator.samples, "evaluations": evaluations,
            "rays": options.images * options.size**2 / seconds, "trained": options.batch * config.patch**2 / trained,
            "memory_gb": memory / 1e9, "psnr": quality, "device": str(device), "threads": torch.get_num_threads(),
            "torch": torch.__version__}


def timed(work, device, counted: list[int]) -> tuple[float, object]:
    """Seconds of one run, and what it gave."""
    import torch

    counted[0] = 0
    if device.type == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    made = work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started, made


def fit(system, rate: float, latent, options: argparse.Namespace) -> float:
    """Fit the generator to one chair; the PSNR in dB on pictures from cameras that it was not fitted to."""
    import numpy as np
    import torch

    from maquette.data import furniture
    from maquette.nets import rays, schedules
    from maquette.render import Camera, shade
    from maquette.render.rays import RayCaster

    mesh, rng = furniture.make("chair", 1), np.random.default_rng(0)
    caster = RayCaster(mesh)
    angles = np.stack([rng.uniform(0, 360, VIEWS + HELD_OUT), rng.uniform(0, 45, VIEWS + HELD_OUT)], 1)
    pictures = []
    for azimuth, elevation in angles:
        camera = Camera(azimuth, elevation, 34.75, options.size, zoom=1.168)  # from 2.9, seen by 30 degrees
        picture = shade(mesh, camera, ground=False, caster=caster).astype(np.float32) / 127.5 - 1
        mask = caster.cast(camera).mask[..., None]
        pictures.append(np.where(mask, picture, 1))
    device = latent.device
    images = torch.from_numpy(np.stack(pictures)).float().permute(0, 3, 1, 2).to(device)
    turns = torch.from_numpy(angles).float().to(device)
    views = rays.views(turns[:, 0], turns[:, 1], torch.full_like(turns[:, 0], 2.9), 30)
    generator, config = system.nets["generator"], system.config
    optimiser = torch.optim.Adam(generator.parameters(), rate)
    for step in range(options.fit):
        chosen = torch.randint(VIEWS, (options.batch,), device=device)
        places = rays.patch_places(torch.rand(options.batch, 3, device=device), config.scale_least, config.patch)
        chosen_views = rays.Views(views.positions[chosen], views.axes[chosen], views.focal[chosen])
        if hasattr(generator, "half_width"):  # the whole schedule in these steps
            shrink = math.log(config.interval_start / config.interval_end) / options.fit
            generator.half_width.fill_(schedules.interval_half_width(
                step, config.interval_start, shrink, config.interval_end))
        jitter = torch.rand(options.batch, config.patch**2, generator.samples, device=device)
        seen = generator(latent.expand(options.batch, -1), *chosen_views.rays(places), 1.0, jitter)
        truth = rays.look_up(images[chosen], places).flatten(2).transpose(1, 2)
        loss = (seen.colour - truth).square().mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        made = system.generate(latent.expand(HELD_OUT, -1), views[VIEWS:])
    error = ((made - images[VIEWS:]) / 2).square().mean().item()
    return -10 * math.log10(error)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", default=["3dgen", "3dgen-fast", "graf"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--fit", type=int, default=0)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)  # a process of its own
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.recipes[0], options)))
        return
    print("| recipe | samples | evaluations | rays/s | trained rays/s | memory GB | PSNR |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    keys = [word for key in ("device", "size", "images", "batch", "fit")
            for word in (f"--{key}", str(getattr(options, key)))]
    for name in options.recipes:
        command = [sys.executable, __file__, name, "--one", *keys]
        row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        print(f"| {name} | {row['samples']} | {row['evaluations']:.0f} | {row['rays']:.0f} | {row['trained']:.0f} "
              f"| {row['memory_gb']:.2f} | {row['psnr']:.1f} |", flush=True)


if __name__ == "__main__":
    main()
