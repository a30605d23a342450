"""How long a run takes on this machine and how much memory, before it starts: by counting and a short measurement."""

import functools
import math
import os
import time
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch

from maquette import recipe as recipes
from maquette.capabilities import Makes
from maquette.recipe import Recipe
from maquette.systems import SYSTEMS
from maquette.training.monitor.memory import count_step

LONG_S = 3 * 86400.0
"""A run of more seconds than this is announced before it starts."""
EFFICIENCY = {Makes.SHAPES: 0.5, Makes.LABELS: 0.35, Makes.IMAGES: 0.3, Makes.FIELD: 0.1}
"""The share of the speed of a matrix product that training reaches, by what a system makes: the measured shares of the
table "Seconds a step" in RESULTS.md, which lie between two thirds and one and a half times these."""
LIBRARIES = 0.5e9
"""Bytes that Python and PyTorch take on the CPU beside the tensors."""
_SLOW = 1e9
"""Operations a second that any machine reaches; with it a bound is made, without measuring."""
_MEASURE_S = 0.2
"""Seconds after which no further product is measured."""
_LEAST_PRODUCTS = 6
"""Products that are measured at least: a single one may have to wait for another program."""
_GROW_S = 0.01
"""A matrix grows until its product takes so long; the next takes eight times as long."""


@dataclass(frozen=True)
class Estimate:
    """What a run needs of this machine."""

    step_s: float
    """Seconds a step."""
    run_s: float
    """Seconds in all."""
    memory: float
    """Bytes that one process needs."""


def warning(recipe: Recipe, device: torch.device, parameters: int, processes: int = 1) -> str:
    """A line about a run that is far too large for this machine; empty for one that is not.

    A run is too large if it takes more than LONG_S, or more memory than is free. No random state changes.

    Args:
        recipe: The run.
        device: Where it is trained.
        parameters: Parameters of all networks.
        processes: How many share each batch.
    """
    free = free_memory(device)
    if _surely_small(recipe, parameters, free):
        return ""
    found = estimate(recipe, device, processes)
    if found is None:
        return ""
    lacking = "" if free is None or found.memory <= free else f" where {free / 1e9:.2g} GB are free"
    if found.run_s <= LONG_S and not lacking:
        return ""
    step = f"{found.step_s:.0f}" if found.step_s >= 10 else f"{found.step_s:.2g}"
    line = (f"about {step} s a step here, {_duration(found.run_s)} for {recipe.train.steps:,} steps, and "
            f"{found.memory / 1e9:.2g} GB{lacking}")
    smaller = smaller_recipe(recipe)
    return f"{line}; smaller: maquette train {smaller}" if smaller else line


def estimate(recipe: Recipe, device: torch.device, processes: int = 1) -> Estimate | None:
    """Seconds and bytes, within a factor of two; None for a system whose step cannot be counted without values.

    Args:
        recipe: The run.
        device: Where it is trained; its speed is measured.
        processes: How many share each batch.
    """
    own = replace(recipe.train, batch=recipe.train.batch // processes)
    try:
        counted = count_step(replace(recipe, train=own), late=True)
    except (NotImplementedError, RuntimeError):  # an operation whose result's shape depends on values
        return None
    kind = torch.bfloat16 if recipe.train.precision == "bf16" else torch.float32
    speed = matrix_speed(device, kind) * EFFICIENCY[SYSTEMS[recipe.system].makes]
    seconds = sum(counted.operations.values()) / speed
    return Estimate(seconds, seconds * recipe.train.steps,
                    counted.most + (LIBRARIES if device.type == "cpu" else 0))


def _surely_small(recipe: Recipe, parameters: int, free: float | None) -> bool:
    """Whether bounds far above the truth are small already: then nothing is counted or measured, which takes a second.

    The bounds: each parameter works on each voxel or pixel, forward and backward, in four phases; and a thousand
    numbers are kept of each.
    """
    model = recipe.model
    makes = SYSTEMS[recipe.system].makes
    if makes is Makes.FIELD:
        return recipe.train.batch * recipe.train.steps < 1000
    values = model.height * model.width if makes.images else model.resolution**3
    values *= recipe.train.batch
    operations = 4 * 6.0 * parameters * values * recipe.train.steps
    return operations / _SLOW < LONG_S and (free is None or 4000 * values + 16 * parameters < free)


def matrix_speed(device: torch.device, kind: torch.dtype) -> float:
    """Floating point operations a second of this machine's best product of square matrices.

    It is measured once a process. The CPU is measured on one thread and multiplied by the threads in use: on a busy
    machine threads wait for each other a hundred times as long as they work.

    Args:
        device: The device to measure.
        kind: The precision.
    """
    if device.type != "cpu":
        return _measured_speed(device, kind)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return threads * _measured_speed(device, kind)
    finally:
        torch.set_num_threads(threads)


@functools.cache
def _measured_speed(device: torch.device, kind: torch.dtype) -> float:
    best, side, products, started = 0.0, 256, 0, time.perf_counter()
    matrix = torch.ones(side, side, dtype=kind, device=device)
    while products < _LEAST_PRODUCTS or time.perf_counter() - started < _MEASURE_S:
        before = time.perf_counter()
        float((matrix @ matrix)[0, 0])  # waits for the device
        seconds, products = time.perf_counter() - before, products + 1
        best = max(best, 2 * side**3 / seconds)
        if seconds < _GROW_S and products % 2 == 0 and side < 8192:  # the first product of a size also sets up
            side *= 2
            matrix = torch.ones(side, side, dtype=kind, device=device)
    return best


def free_memory(device: torch.device) -> float | None:
    """Bytes that are free on a device; of the CPU also what a container's limit leaves. None where it is not known."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        if "SC_AVPHYS_PAGES" not in getattr(os, "sysconf_names", {}):
            return None
        free = float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    try:
        group = Path("/sys/fs/cgroup")
        limit, used = ((group / name).read_text(encoding="ascii").strip() for name in ("memory.max", "memory.current"))
        return min(free, float(limit) - float(used)) if limit != "max" else free
    except (OSError, ValueError):
        return free


def smaller_recipe(recipe: Recipe) -> str:
    """The name of the `-cpu` recipe of the same system, the most alike one; empty where there is none but this."""
    found = {}
    for name in recipes.names():
        if name.endswith("-cpu"):
            other = recipes.load(name)
            if other.system == recipe.system and other.model != recipe.model:
                found[name] = sum(getattr(other.model, key.name) != getattr(recipe.model, key.name)
                                  for key in fields(recipe.model))
    return min(found, key=lambda name: found[name], default="")


def _duration(seconds: float) -> str:
    """Days or hours, rounded: `16 days`, `5 hours`."""
    count, unit = (seconds / 86400, "day") if seconds >= 2 * 86400 else (seconds / 3600, "hour")
    number = max(1, math.floor(count + 0.5))
    return f"{number:,} {unit}{'s' if number > 1 else ''}"
