"""Ensemble SGD with its audit on, against the same iterations written for others without one.

The problem is design-sized: 256 replicas of pseudo-Huber regression, W 16 x 16, rank 4, batch 8.
All do the same arithmetic in float64, draw their own minibatches, and take turns: `python -m
benchmarks ensemble`.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.line import Benchmark, Effort, Found, Limit, faster, in_turns, seconds
from boundcheck.experiment.plan import Experiment, Plan
from boundcheck.experiment.run import run_ensemble
from boundcheck.experiment.spec import parse
from boundcheck.experiment.store import RunFolder
from boundcheck.functions.adapters import make_adapter
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber, synthetic
from boundcheck.functions.problem import Problem
from boundcheck.system.limits import silent

MICROSECOND = 1e-6
# Iterations in a turn.
STEPS = 1000


@dataclass(frozen=True)
class Sizes:
    """Of an ensemble: replicas R, W of d x k, rank r, n samples, minibatches of m."""

    R: int = 256
    d: int = 16
    k: int = 16
    r: int = 4
    n: int = 64
    m: int = 8

    def __str__(self) -> str:
        return ", ".join(f"{name} = {value}" for name, value in vars(self).items())


@dataclass(frozen=True)
class Ensemble:
    """An ensemble that is ready to run for T iterations, and the plain arrays of which a peer makes
    the same."""

    experiment: Experiment
    plan: Plan

    @classmethod
    def of(cls, sizes: Sizes, T: int, audits: int = 32) -> "Ensemble":
        run = {
            "replicas": sizes.R,
            "batch": sizes.m,
            "zeta": 10.0,
            "steps": T,
            "audits": min(audits, T),
        }
        spec = parse(
            {
                "claim": "jiang2024.theorem2",
                "problem": {"kind": "pseudo-huber"},
                "adapter": {"rank": 1},
                "domain": {"a": 4.0, "b": 4.0},
                "run": run,
            }
        )
        # Built here, because a spec has a largest size.
        objective = synthetic(sizes.d, sizes.k, sizes.n, delta=1.0, signal=1.0, noise=1.0, seed=0)
        W0 = torch.zeros(sizes.d, sizes.k, dtype=torch.float64)
        problem = Problem(objective, make_adapter(spec.adapter.kind, W0, sizes.r, 1.0, {}))
        experiment = Experiment(spec, problem, "cpu")
        return cls(experiment, experiment.draft(experiment.guess))

    def run(self) -> None:
        """boundcheck: the ensemble, its audit, its trace and checkpoints on disk."""
        with tempfile.TemporaryDirectory() as name:
            folder = RunFolder.create(Path(name), self.experiment.spec.as_json(), "cpu")
            run_ensemble(self.experiment, self.plan, folder, silent)

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """The targets, shape (n, d, k), A and B of each replica, and the step size."""
        objective, replicas = self.experiment.problem.objective, self.experiment.spec.run.replicas
        if not isinstance(objective, PseudoHuber):
            raise TypeError(f"expected the pseudo-Huber problem of the spec, got {objective.name}")
        A, B = (np.repeat(part.numpy(), replicas, axis=0) for part in self.experiment.start.v)
        return objective._targets.numpy(), A, B, self.plan.step_size


def by_numpy(
    targets: np.ndarray, A: np.ndarray, B: np.ndarray, alpha: float, batch: int, steps: int
) -> None:
    """The iterations as one writes them in NumPy, batched over replicas."""
    random = np.random.default_rng(0)
    for _ in range(steps):
        x = (B @ A)[:, None] - targets[random.integers(len(targets), size=(len(A), batch))]
        gradient = (x / np.sqrt(1 + x**2)).mean(1)
        A, B = (
            A - alpha * (B.transpose(0, 2, 1) @ gradient),
            B - alpha * (gradient @ A.transpose(0, 2, 1)),
        )


def by_loop(
    targets: np.ndarray, A: np.ndarray, B: np.ndarray, alpha: float, batch: int, steps: int
) -> None:
    """The same for one replica after the other."""
    for i in range(len(A)):
        by_numpy(targets, A[i : i + 1], B[i : i + 1], alpha, batch, steps)


def by_jax(
    targets: np.ndarray, A: np.ndarray, B: np.ndarray, alpha: float, batch: int, steps: int
) -> Callable[[], Any]:
    """The same as one compiled program: jit of a lax.scan over all steps."""
    import jax
    from jax import numpy as jnp

    config: Any = jax.config
    config.update("jax_enable_x64", True)
    samples = jnp.asarray(targets)

    def step(state: tuple[Any, Any], key: Any) -> tuple[tuple[Any, Any], None]:
        A, B = state
        indices = jax.random.randint(key, (len(A), batch), 0, len(samples))
        x = (B @ A)[:, None] - samples[indices]
        gradient = (x / jnp.sqrt(1 + x**2)).mean(1)
        return (
            A - alpha * (B.swapaxes(1, 2) @ gradient),
            B - alpha * (gradient @ A.swapaxes(1, 2)),
        ), None

    program = jax.jit(lambda A, B, key: jax.lax.scan(step, (A, B), jax.random.split(key, steps))[0])
    first, key = (jnp.asarray(A), jnp.asarray(B)), jax.random.key(0)
    return lambda: [part.block_until_ready() for part in program(*first, key)]


def by_torch_compile(
    targets: np.ndarray, A: np.ndarray, B: np.ndarray, alpha: float, batch: int, steps: int
) -> Callable[[], Any]:
    """The same in torch, a step compiled by torch.compile, in a Python loop over steps."""
    samples, first = torch.from_numpy(targets.copy()), (torch.from_numpy(A), torch.from_numpy(B))

    @torch.compile
    def step(
        A: torch.Tensor, B: torch.Tensor, indices: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        x = (B @ A).unsqueeze(1) - samples[indices]
        gradient = (x / (1 + x * x).sqrt()).mean(1)
        return A - alpha * (B.mT @ gradient), B - alpha * (gradient @ A.mT)

    @torch.no_grad()
    def run() -> None:
        random, (A, B) = torch.Generator().manual_seed(0), first
        for _ in range(steps):
            A, B = step(A, B, torch.randint(len(samples), (len(A), batch), generator=random))

    return run


def against(
    make: Callable[..., Callable[[], Any]], every: int, compiles: bool, effort: Effort
) -> Found:
    """An iteration of ours against one of theirs, who run for one step in so many of ours."""
    steps, sizes = effort.of(STEPS), Sizes()
    few = max(steps // every, 1)
    ours, batch = Ensemble.of(sizes, steps), sizes.m
    theirs = make(*ours.arrays, batch, few)
    first = seconds(theirs)
    taken = in_turns({"ours": ours.run, "theirs": theirs}, effort.turns)
    turns = {"ours": taken["ours"].per(steps), "theirs": taken["theirs"].per(few)}
    apart = (
        f"Compiling and the first run took it {first:.1f} s, which are not counted."
        if compiles
        else ""
    )
    return faster(turns, MICROSECOND, (apart,) if apart else ())


def _line(
    name: str, peer: str, means: str, make: Callable[..., Any], limit: float, **more: Any
) -> Benchmark:
    every, compiles = more.pop("every", 1), more.pop("compiles", False)
    return Benchmark(
        f"ensemble.{name}",
        "an iteration of an ensemble, with its audit",
        peer,
        "times as fast",
        "µs",
        means,
        partial(against, make, every, compiles),
        Limit(limit, is_least=True),
        **more,
    )


def _now(peer: Callable[..., None]) -> Callable[..., Callable[[], None]]:
    return lambda *arguments: partial(peer, *arguments)


BENCHMARKS = (
    _line(
        "numpy",
        "NumPy by hand, batched over replicas, no audit",
        "One iteration of all 256 replicas, with audit, trace and checkpoints, against one in NumPy"
        " with none. The aim is three times as fast.",
        _now(by_numpy),
        1.0,
    ),
    _line(
        "loop",
        "NumPy in a Python loop over replicas and steps, no audit",
        "The peer takes one replica after the other; each step is a dozen calls of NumPy on"
        " matrices of 16 x 16.",
        _now(by_loop),
        100.0,
        every=20,
        why=(
            "About a third of the peer's time is arithmetic, 2048 roots for a step of one replica,"
            " which all who do the same must do too: what calls of NumPy cost on 16 x 16 is a"
            " factor of 3, and not of 100."
        ),
    ),
    _line(
        "jax",
        "JAX, jit of lax.scan, float64, no audit",
        "The peer is one compiled program for all steps of all replicas.",
        by_jax,
        1.0,
        compiles=True,
        needs=("jax",),
        why=(
            "Nearly half of ours is the audit at 32 of the 1000 iterates, which the peer does not"
            " have; with 2 audits an iteration takes ours half as long."
        ),
    ),
    _line(
        "torch_compile",
        "torch.compile of a step, no audit",
        "The peer's step is compiled by torch with the machine's C++ compiler, and called in a"
        " Python loop over steps.",
        by_torch_compile,
        1.0,
        compiles=True,
    ),
)
