"""How long jiang2024's proofs take: the whole command cold, in a process of its own, and the kernel's replay alone."""

import subprocess
import sys
from statistics import median
from time import perf_counter

import boundcheck as bc
from boundcheck.kernel import replay_all

COLD_LIMIT, REPLAY_LIMIT = 10.0, 0.5
REPEATS = 5


def cold() -> float:
    """Seconds of `boundcheck prove jiang2024`, from the start of Python to its end."""
    command = [sys.executable, "-m", "boundcheck", "prove", "jiang2024", "--json"]
    began = perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return perf_counter() - began


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
    """Print both, beside their limits."""
    seconds = median(cold() for _ in range(3))
    print(f"prove jiang2024, cold: {seconds:.2f} s of {COLD_LIMIT:g} s ({seconds / COLD_LIMIT:.2f})")
    again, lines = replay()
    print(f"kernel replay of {lines} lines: {again:.3f} s of {REPLAY_LIMIT:g} s ({again / REPLAY_LIMIT:.2f})")


if __name__ == "__main__":
    main()
