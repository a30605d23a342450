"""`make fuzz`: many strange files, a table of what came of them, and exit status 1 where one was not right."""

import argparse
import resource
import secrets
import sys
import time

from strange.kinds import KINDS
from strange.pool import Worker
from strange.rounds import Tally, fuzz, keep, shares, smaller, table

OWN_BYTES = 6 << 30
"""Memory of this process, which makes the inputs, so that a fault of its own does not take the machine's."""


def main() -> int:
    """Run the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="strange", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=None, help="another seed gives other inputs; drawn and printed if left out"
    )
    parser.add_argument("--count", type=int, default=20_000, help="inputs of all kinds together")
    parser.add_argument(
        "--kinds", nargs="*", default=list(KINDS), choices=list(KINDS), metavar="KIND", help="these alone"
    )
    parser.add_argument(
        "--keep",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="write findings, made smaller, into tests/data/fuzz",
    )
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_DATA, (OWN_BYTES, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    seed = secrets.randbelow(2**31) if given.seed is None else given.seed
    print(f"seed {seed}, {given.count} inputs of {len(given.kinds)} kinds", flush=True)
    tallies: dict[str, Tally] = {}
    began = time.monotonic()
    with Worker() as worker:
        for kind, count in shares(given.count, given.kinds).items():
            start = time.monotonic()
            tallies[kind] = fuzz(worker, kind, seed, count)
            print(f"{kind}: {dict(tallies[kind].outcomes)} in {time.monotonic() - start:.0f} s", flush=True)
            for result, files in tallies[kind].findings.values():
                print(f"  {result.sort}: {result.detail}", flush=True)
                if given.keep:
                    path = keep(kind, smaller(worker, kind, files, result))
                    print(f"  kept as {path}" if path else "  too large to be kept", flush=True)
    print(f"\n{table(tallies)}\n\nseed {seed}, {time.monotonic() - began:.0f} s")
    return int(any(tally.findings for tally in tallies.values()))


if __name__ == "__main__":
    sys.exit(main())
