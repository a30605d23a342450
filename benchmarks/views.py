"""How many views a second: `python benchmarks/views.py`, one process for each core, half photos and half drawings."""

import argparse
import os
import time
from multiprocessing import get_context

from maquette.datasets import furniture
from maquette.rendering import render_views


def work(job: tuple[int, int, int]) -> dict[str, float]:
    """Renders views of several shapes: seconds of wall clock and of processor time, the making of meshes left out."""
    seed, meshes, size_px = job
    shapes = [furniture.make(furniture.KINDS[i % len(furniture.KINDS)], seed + i) for i in range(meshes)]
    render_views(shapes[0], count=4, size_px=size_px, seed=0)  # patterns are made once a process
    wall, processor = time.perf_counter(), time.process_time()
    for number, mesh in enumerate(shapes):
        render_views(mesh, count=24, size_px=size_px, seed=seed + number)
    return {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--meshes", type=int, default=13, help="shapes a process, 24 views each")
    parser.add_argument("--size-px", type=int, default=128)
    options = parser.parse_args()
    jobs = [(100 * number, options.meshes, options.size_px) for number in range(options.processes)]
    with get_context("spawn").Pool(options.processes) as pool:
        times = pool.map(work, jobs)
    views = 24 * options.meshes
    rate = sum(views / t["wall"] for t in times)
    each = 1000 * sum(t["processor"] for t in times) / (views * len(times))
    print(f"{rate:.0f} views of {options.size_px} px a second in {options.processes} processes; "
          f"{each:.1f} ms of processor time a view")


if __name__ == "__main__":
    main()
