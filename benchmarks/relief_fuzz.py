"""Random drawings made into solids: each must end in a watertight solid within its bounds, or in one clear line.

PYTHONPATH=tests/helpers python benchmarks/relief_fuzz.py COUNT [FIRST_SEED]
"""

import sys
import time
from collections import Counter

from fuzz_drawings import check, random_case


def main(count: int, first: int = 0) -> None:
    """Print how many became solids, how many were refused with which words, and every one that broke."""
    started, ends, broken = time.perf_counter(), Counter(), []
    for seed in range(first, first + count):
        try:
            said = check(*random_case(seed))
        except Exception as error:  # whatever it is, it is what the fuzz looks for
            broken.append(f"seed {seed}: {type(error).__name__}: {str(error)[:200]}")
            continue
        ends["a solid" if said is None else " ".join(word for word in said.split() if not word[0].isdigit())[:90]] += 1
    print(f"{count} drawings in {time.perf_counter() - started:.0f} s, {len(broken)} broken")
    for words, times in ends.most_common():
        print(f"{times:>6}  {words}")
    print("\n".join(broken))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
