"""Check the proofs of papers with Rocq: `python -m boundcheck.rocq jiang2024 meft`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from boundcheck.rocq.check import accept, check, differing
from boundcheck.rocq.checked import LIST
from boundcheck.system.ending import in_one_line

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m boundcheck.rocq", description=__doc__)
    parser.add_argument("targets", nargs="+", help="papers or ids of claims")
    parser.add_argument("--out", type=Path, default=Path("build/rocq"), help="the folder for the files")
    parser.add_argument("--jobs", type=int, default=2, help="how many files are compiled at once")
    parser.add_argument("--accept", action="store_true", help=f"write what is checked into {LIST.name}")
    given = parser.parse_args()
    with in_one_line():
        words = check(given.targets, given.out, given.jobs, lambda word: print(word, flush=True))
    print(f"{sum(not word.reason for word in words)} of {len(words)} proofs are checked by Rocq")
    print(f"Axioms: {', '.join(sorted({name for word in words for name in word.axioms})) or 'none'}")
    if given.accept:
        accept(words)
    elif other := differing(words):
        sys.exit(f"{LIST.name} says something else of {'; '.join(other)}. Write it anew with --accept")
