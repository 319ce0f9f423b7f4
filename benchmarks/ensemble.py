"""Ensemble SGD with its audit on, against hand-written NumPy without one and against a loop over replicas.

The problem is design-sized: 256 replicas of pseudo-Huber regression, W 16 x 16, rank 4, batch 8. All three do the same
arithmetic in float64 in one process, and take turns. The figures are iterations of the whole ensemble per second, in
the best of `ROUNDS` turns, by the clock and by the seconds of all cores.

    python benchmarks/ensemble.py
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# As the command line does it.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch

from boundcheck.measure.build import build_problem
from boundcheck.measure.plan import Plan, Start, draft, guessed
from boundcheck.measure.run import run_ensemble
from boundcheck.measure.spec import parse
from boundcheck.measure.store import RunFolder
from boundcheck.problems.problem import Problem
from boundcheck.problems.pseudo_huber import PseudoHuber
from boundcheck.progress import silent

REPLICAS, SIZE, RANK, BATCH, STEPS, ROUNDS = 256, 16, 4, 8, 1000, 5
SPEC = parse(
    {
        "claim": "jiang2024.theorem2",
        "problem": {"kind": "pseudo-huber", "d": SIZE, "k": SIZE},
        "adapter": {"rank": RANK},
        "domain": {"a": 4.0, "b": 4.0},
        "run": {"replicas": REPLICAS, "batch": BATCH, "zeta": 10.0, "steps": STEPS, "audits": 32},
    }
)


def audited(problem: Problem, start: Start, plan: Plan) -> None:
    """boundcheck: the ensemble, its audit, its trace and checkpoints on disk."""
    with tempfile.TemporaryDirectory() as folder:
        run_ensemble(SPEC, problem, start, plan, RunFolder.create(Path(folder), SPEC.as_json(), "cpu"), "cpu", silent)


def numpy_ensemble(targets: np.ndarray, A: np.ndarray, alpha: float, steps: int) -> None:
    """The same iterations written by hand, batched over replicas."""
    random = np.random.default_rng(0)
    replicas = len(A)
    B = np.zeros((replicas, SIZE, RANK))
    for _ in range(steps):
        x = (B @ A)[:, None] - targets[random.integers(len(targets), size=(replicas, BATCH))]
        gradient = (x / np.sqrt(1 + x**2)).mean(1)
        A, B = A - alpha * (B.transpose(0, 2, 1) @ gradient), B - alpha * (gradient @ A.transpose(0, 2, 1))


def one_by_one(targets: np.ndarray, A: np.ndarray, alpha: float, steps: int) -> None:
    """The same in a Python loop over replicas."""
    for i in range(len(A)):
        numpy_ensemble(targets, A[i : i + 1], alpha, steps)


def seconds(works: dict[str, Callable[[], None]]) -> dict[str, tuple[float, float]]:
    """The least time that each took in `ROUNDS` turns, by the clock and by the seconds of all cores."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            begin, cpu = time.perf_counter(), time.process_time()
            work()
            times[name].append((time.perf_counter() - begin, time.process_time() - cpu))
    return {name: (min(clock for clock, _ in each), min(cpu for _, cpu in each)) for name, each in times.items()}


def main() -> None:
    """Print the three rates and their ratios."""
    problem = build_problem(SPEC, "cpu")
    start = Start.draw(SPEC, problem, "cpu")
    plan = draft(SPEC, problem, start, guessed(SPEC, problem, start))
    if not isinstance(problem.objective, PseudoHuber):
        raise TypeError(f"expected the pseudo-Huber problem of the spec, got {problem.objective.name}")
    targets = problem.objective._targets.numpy()
    A = np.repeat(start.v[0].numpy(), REPLICAS, axis=0)
    few = STEPS // 100
    took = seconds(
        {
            "boundcheck, audited": lambda: audited(problem, start, plan),
            "NumPy, batched": lambda: numpy_ensemble(targets, A, plan.step_size, STEPS),
            "NumPy, loop over replicas": lambda: one_by_one(targets, A, plan.step_size, few),
        }
    )
    steps = dict(zip(took, (STEPS, STEPS, few), strict=True))
    ours = [STEPS / each for each in took["boundcheck, audited"]]
    print(f"{REPLICAS} replicas, {SIZE} x {SIZE}, rank {RANK}, batch {BATCH}, {torch.get_num_threads()} threads")
    for name, each in took.items():
        clock, cpu = (steps[name] / value for value in each)
        print(
            f"{name:25} {clock:7.1f} iterations/s, {cpu:7.1f} per CPU second; "
            f"boundcheck is {ours[0] / clock:.2f}, {ours[1] / cpu:.2f} of it"
        )


if __name__ == "__main__":
    main()
