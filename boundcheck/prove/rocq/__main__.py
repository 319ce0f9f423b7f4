"""Check the proofs of papers with Rocq: `python -m boundcheck.prove.rocq jiang2024 meft`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from boundcheck.errors import InputError
from boundcheck.prove.rocq.check import check

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="+", help="papers or ids of claims")
    parser.add_argument("--out", type=Path, default=Path("build/rocq"), help="the folder for the files")
    parser.add_argument("--jobs", type=int, default=2, help="how many files are compiled at once")
    given = parser.parse_args()
    try:
        words = check(given.targets, given.out, given.jobs, lambda word: print(word, flush=True))
    except InputError as error:
        sys.exit(str(error))
    open_ = [word for word in words if word.reason]
    print(f"{len(words) - len(open_)} of {len(words)} proofs are checked by Rocq")
    sys.exit(bool(open_))
