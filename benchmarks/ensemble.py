"""Ensemble SGD with its audit on, against hand-written NumPy without one and against a loop over replicas.

The problem is design-sized: 256 replicas of pseudo-Huber regression, W 16 x 16, rank 4, batch 8. All three do the same
arithmetic in float64 in one process; the figures are iterations of the whole ensemble per second, best of `ROUNDS`.

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

from boundcheck.measure.build import build
from boundcheck.measure.plan import Plan, Start, draft
from boundcheck.measure.run import run_ensemble
from boundcheck.measure.spec import parse
from boundcheck.measure.store import RunFolder
from boundcheck.problems.problem import Problem
from boundcheck.problems.pseudo_huber import PseudoHuber
from boundcheck.progress import silent

REPLICAS, SIZE, RANK, BATCH, STEPS, ROUNDS = 256, 16, 4, 8, 1000, 3
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


def seconds(work: Callable[[], None]) -> float:
    """The best time of `ROUNDS`."""
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def main() -> None:
    """Print the three rates and their ratios."""
    problem = build(SPEC, "cpu")
    start = Start.draw(SPEC, problem, "cpu")
    plan = draft(SPEC, problem, start, {"a": 4.0, "b": 4.0}, start.variance)
    if not isinstance(problem.objective, PseudoHuber):
        raise TypeError(f"expected the pseudo-Huber problem of the spec, got {problem.objective.name}")
    targets = problem.objective._targets.numpy()
    A = np.repeat(start.v[0].numpy(), REPLICAS, axis=0)
    few = STEPS // 100

    ours = STEPS / seconds(lambda: audited(problem, start, plan))
    by_hand = STEPS / seconds(lambda: numpy_ensemble(targets, A, plan.step_size, STEPS))
    loop = few / seconds(lambda: one_by_one(targets, A, plan.step_size, few))
    print(f"{REPLICAS} replicas, {SIZE} x {SIZE}, rank {RANK}, batch {BATCH}, {torch.get_num_threads()} threads")
    print(f"boundcheck, audited      {ours:9.1f} iterations/s")
    print(f"NumPy, batched           {by_hand:9.1f} iterations/s   boundcheck / NumPy {ours / by_hand:.2f}")
    print(f"NumPy, loop over replicas{loop:9.1f} iterations/s   boundcheck / loop  {ours / loop:.1f}")


if __name__ == "__main__":
    main()
