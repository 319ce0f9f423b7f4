"""How long the kernel takes to replay every line of jiang2024's proofs; `startup.py` has the whole command."""

from statistics import median
from time import perf_counter

import boundcheck as bc
from boundcheck.kernel import replay_all

REPLAY_LIMIT = 0.5
REPEATS = 5


def replay() -> tuple[float, int]:
    """Seconds in which the kernel rebuilds every line of every proof, and how many lines these are."""
    audit = bc.prove("jiang2024")
    theorems = [step.step.theorem for claim in audit.claims for proof in claim.proofs for step in proof.steps]
    times = []
    for _ in range(REPEATS):
        began = perf_counter()
        replay_all(theorems)
        times.append(perf_counter() - began)
    return median(times), len(theorems)


def main() -> None:
    """Print the time beside its limit."""
    again, lines = replay()
    print(f"kernel replay of {lines} lines: {again:.3f} s of {REPLAY_LIMIT:g} s ({again / REPLAY_LIMIT:.2f})")


if __name__ == "__main__":
    main()
