"""How long the commands take that a person types most, each in a fresh process: `python benchmarks/startup.py`.

Needs pyperf, from the extra `bench`. The limits are those of a machine that runs ten million steps of an empty loop in
half a second.
"""

import sys

import pyperf

BOUNDCHECK = [sys.executable, "-m", "boundcheck"]
SET = [f"--set={x}" for x in ("L=1", "C=1", "sigma=1", "G=3", "r=8", "zeta=0.1", "D=1", "T=10_000")]
COMMANDS: dict[str, tuple[list[str], float]] = {
    "python": ([sys.executable, "-c", "pass"], 0.05),
    "import boundcheck": ([sys.executable, "-c", "import boundcheck"], 0.3),
    "boundcheck --help": ([*BOUNDCHECK, "--help"], 0.3),
    "boundcheck bound": ([*BOUNDCHECK, "bound", "jiang2024.theorem2", *SET], 1.0),
    "boundcheck prove jiang2024": ([*BOUNDCHECK, "prove", "jiang2024"], 5.0),
}


def main() -> None:
    """Measure each command; pyperf prints mean and deviation, and this the ratio to the limit."""
    runner = pyperf.Runner(processes=3, values=2, warmups=1)
    for name, (command, limit) in COMMANDS.items():
        found = runner.bench_command(name, command)
        # Only the process that collects the values of the others has them all.
        if found is not None and not runner.args.worker:
            print(f"{name}: median {found.median():.2f} s of {limit:g} s ({found.median() / limit:.2f})")


if __name__ == "__main__":
    main()
