"""How fast the fields render: rays a second, evaluations a ray, memory; and how well each shows one fitted object.

    python benchmarks/field_render.py [RECIPE ...] [--device cpu] [--size 64] [--images 4]
    python benchmarks/field_render.py 3dgen 3dgen-fast --images 1 --batch 1 --fit-seconds 1500 --fit-samples 24

`rays/s` counts all pixels of whole images made by `generate`, `trained rays/s` those of patches with their backward
pass (a generator phase without the discriminator). `samples` are what is put together along a ray, `evaluations` all
evaluations of the field for one pixel, the search and its grid among them. Each recipe is measured in a process of its
own; memory is that process's most, or the accelerator's.

--fit N, --fit-seconds S: first each generator is fitted, for N steps or S seconds, whichever ends first, to pictures of
one chair of the furniture maker from 48 known cameras: one fixed latent, Adam at its recipe's rate, --fit-rays rays a
step, half of them at pixels of the object, the interval's whole schedule in that time. PSNR, in dB, is of --psnr-rays
rays to 12 pictures from other cameras, with the samples of the recipe. Times are of that fitted object then.
--fit-samples: samples a ray while fitting, where the recipe's own would make too few steps of the time.
--equal: recipes after the first are fitted only until they have the first one's PSNR, so that the line below the table
compares speeds at equal quality; without it both are fitted for the same time.
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
CHECK_EVERY = 25  # steps between looks at the PSNR, where it is to be reached
GOAL = 10  # times as many rays a second as the first recipe


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
    fitted = {"psnr": math.nan, "fit_seconds": 0.0, "fit_steps": 0}
    if options.fit or options.fit_seconds:
        fitted = fit(system, recipe.optim.lr, latent, options)
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
            "memory_gb": memory / 1e9, **fitted, "device": str(device), "threads": torch.get_num_threads(),
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


def fit(system, rate: float, latent, options: argparse.Namespace) -> dict:
    """Fit the generator to one chair; the PSNR in dB from cameras that it was not fitted to, and what was spent."""
    import torch

    from maquette.rays import sampling as rays

    images, masks, views = pictures(options, latent.device)
    generator, config = system.nets["generator"], system.config
    draws = torch.Generator().manual_seed(0)
    objects = masks[:VIEWS].cpu().nonzero()

    def cast(places):
        """Rays through pixels `[P, 3]` (view, row, column), and the colours there: `[1, P, 3]` each."""
        view, row, column = places.to(latent.device).unbind(1)
        at = (torch.stack([column, row], 1)[:, None] + 0.5) / options.size
        origins, directions = rays.Views(views.positions[view], views.axes[view], views.focal[view]).rays(at)
        return origins.transpose(0, 1), directions.transpose(0, 1), images[view, :, row, column][None]

    def anywhere(count, low, high):
        view = torch.randint(low, high, (count, 1), generator=draws)
        return torch.cat([view, torch.randint(options.size, (count, 2), generator=draws)], 1)

    held_out = cast(anywhere(options.psnr_rays, VIEWS, VIEWS + HELD_OUT))

    def psnr() -> float:
        with torch.no_grad():
            parts = zip(*(part.split(1024, 1) for part in held_out), strict=True)
            errors = [((generator(latent, *ray).colour - truth) / 2).square() for *ray, truth in parts]
        return -10 * math.log10(torch.cat(errors, 1).mean().item())

    own, samples = generator.config, generator.samples
    if options.fit_samples and hasattr(own, "interval_samples"):
        free = options.fit_samples * own.free_samples // samples
        generator.config = dataclasses.replace(own, free_samples=free, interval_samples=options.fit_samples - free)
    generator.samples = options.fit_samples or samples
    optimiser = torch.optim.Adam(generator.parameters(), rate)
    started, checking, step, reached = time.perf_counter(), 0.0, 0, -math.inf
    while True:
        spent = time.perf_counter() - started - checking
        done = max(step / options.fit if options.fit else 0, spent / options.fit_seconds if options.fit_seconds else 0)
        if done >= 1 or reached >= options.target:
            break
        if hasattr(generator, "half_width"):  # the whole schedule in this time
            generator.half_width.fill_(config.interval_start * (config.interval_end / config.interval_start) ** done)
        half = options.fit_rays // 2
        chosen = objects[torch.randint(len(objects), (half,), generator=draws)]
        origins, directions, truth = cast(torch.cat([chosen, anywhere(options.fit_rays - half, 0, VIEWS)]))
        jitter = torch.rand(1, options.fit_rays, generator.samples, device=latent.device)
        loss = (generator(latent, origins, directions, 1.0, jitter).colour - truth).square().mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        step += 1
        if math.isfinite(options.target) and step % CHECK_EVERY == 0:
            before, now = time.perf_counter(), (generator.config, generator.samples)
            generator.config, generator.samples = own, samples
            reached = psnr()
            generator.config, generator.samples = now
            checking += time.perf_counter() - before
    generator.config, generator.samples = own, samples
    return {"psnr": psnr(), "fit_seconds": spent, "fit_steps": step}


def pictures(options: argparse.Namespace, device):
    """Images `[N, 3, S, S]` in [-1, 1] of a chair on white, its masks `[N, S, S]`, and the cameras."""
    import numpy as np
    import torch

    from maquette.datasets import furniture
    from maquette.rays import sampling as rays
    from maquette.rendering import Camera, shade
    from maquette.rendering.raycaster import RayCaster

    mesh, rng = furniture.make("chair", 1), np.random.default_rng(0)
    caster = RayCaster(mesh)
    angles = np.stack([rng.uniform(0, 360, VIEWS + HELD_OUT), rng.uniform(0, 45, VIEWS + HELD_OUT)], 1)
    images, masks = [], []
    for azimuth, elevation in angles:
        camera = Camera(azimuth, elevation, 34.75, options.size, zoom=1.168)  # from 2.9, seen by 30 degrees
        picture = shade(mesh, camera, ground=False, caster=caster).astype(np.float32) / 127.5 - 1
        masks.append(caster.cast(camera).mask)
        images.append(np.where(masks[-1][..., None], picture, 1))
    turns = torch.from_numpy(angles).float().to(device)
    views = rays.views(turns[:, 0], turns[:, 1], torch.full_like(turns[:, 0], 2.9), 30)
    stacked = torch.from_numpy(np.stack(images)).float().permute(0, 3, 1, 2).to(device)
    return stacked, torch.from_numpy(np.stack(masks)).to(device), views


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", default=["3dgen", "3dgen-fast", "graf"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--fit", type=int, default=0)
    parser.add_argument("--fit-seconds", type=float, default=0)
    parser.add_argument("--fit-rays", type=int, default=512)
    parser.add_argument("--fit-samples", type=int, default=0)
    parser.add_argument("--psnr-rays", type=int, default=4096)
    parser.add_argument("--equal", action="store_true")
    parser.add_argument("--target", type=float, default=math.inf, help=argparse.SUPPRESS)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)  # a process of its own
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.recipes[0], options)))
        return
    print("| recipe | samples | evaluations | rays/s | trained rays/s | memory GB | fitted s | steps | PSNR |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    keys = [word for key in ("device", "size", "images", "batch", "fit", "fit_seconds", "fit_rays", "fit_samples",
                             "psnr_rays")
            for word in (f"--{key.replace('_', '-')}", str(getattr(options, key)))]
    first = None
    for name in options.recipes:
        target = ["--target", str(first["psnr"])] if first and options.equal else []
        command = [sys.executable, __file__, name, "--one", *keys, *target]
        row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        print(f"| {name} | {row['samples']} | {row['evaluations']:.0f} | {row['rays']:.0f} | {row['trained']:.0f} "
              f"| {row['memory_gb']:.2f} | {row['fit_seconds']:.0f} | {row['fit_steps']} | {row['psnr']:.1f} |",
              flush=True)
        if first and name.startswith("3dgen") and not math.isnan(row["psnr"]):
            times = row["rays"] / first["rays"]
            hits_box = "met" if times >= GOAL and row["psnr"] >= first["psnr"] else "NOT met"
            print(f"{name} beside {first['recipe']}: {times:.1f} times the rays a second, {row['psnr']:.2f} dB beside "
                  f"{first['psnr']:.2f} dB; {GOAL} times at no lower quality: {hits_box}", flush=True)
        first = first or row


if __name__ == "__main__":
    main()
