"""Accelerator memory of image recipes, bounded by counting tensors; nothing is measured, and no accelerator is needed.

    python benchmarks/memory.py [RECIPE ...] [--batch 32]

A row with and one without checkpointing for each recipe. `kept` is what lies there between steps; the phases' columns
are the most that is alive at once, `kept` included. What libraries take for themselves comes on top
(`maquette.training.monitor.memory`).
"""

import argparse
import dataclasses

from maquette import recipe as recipes
from maquette.training.monitor.memory import count


def main() -> None:
    """Count and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = ["wgan-gp", "wgan-gp-508x287", "wgan-gp-plus", "wgan-gp-plus-512"]
    parser.add_argument("recipes", nargs="*", default=known)
    parser.add_argument("--batch", type=int, default=0)
    options = parser.parse_args()
    print("| recipe | image | features | batch | checkpointing | kept GB | critic GB | generator GB | most GB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in options.recipes:
        recipe = recipes.load(name)
        train = dataclasses.replace(recipe.train, batch=options.batch or recipe.train.batch)
        for checkpointing in (False, True):
            model = dataclasses.replace(recipe.model, checkpointing=checkpointing)
            found = count(dataclasses.replace(recipe, model=model, train=train))
            phases = " | ".join(f"{found.phases[phase] / 1e9:.2f}" for phase in ("critic", "generator"))
            print(f"| {name} | {model.width}x{model.height} | {model.features} | {train.batch} "
                  f"| {'yes' if checkpointing else 'no'} | {found.kept / 1e9:.2f} | {phases} "
                  f"| {found.most / 1e9:.2f} |", flush=True)


if __name__ == "__main__":
    main()
