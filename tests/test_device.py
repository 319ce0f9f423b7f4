"""Other devices than the CPU: torch's meta device, which has shapes and no numbers; and a CUDA card
where there is one.

Whatever is in a registry is tried on the meta device. There a number that is asked for is an error,
and so is a
tensor of the CPU that is mixed in: what passes keeps all numbers on the device on which they are.
"""

import io
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest
import torch
from torch import Tensor

import boundcheck as bc
from boundcheck import Loss
from boundcheck.experiment.store import finished
from boundcheck.functions.adapters import ADAPTERS, LoRA, Rebased, make_adapter
from boundcheck.functions.adapters.base import gaussian
from boundcheck.functions.arithmetic import replicate, seeded
from boundcheck.functions.objective import PROBLEMS, Setting, table_of
from boundcheck.functions.objectives.clipped import Tilted
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber, synthetic
from boundcheck.functions.problem import (
    Problem,
    bilinear_product,
    gauss_newton_product,
    hessian_vector_product,
)
from boundcheck.functions.sgd import Reshuffled, Sampler, WithReplacement, advance
from boundcheck.language.algorithms import ALGORITHMS
from boundcheck.system.plugins import allowing
from tests.experiment.small import DOMAINS, bracket_table, each_kind, theorem_table
from tests.functions.networks.small import gpt_table, on_cuda
from tests.layers import covering
from tests.test_twins import own_objectives


def square(W, X, y):
    return (X @ W.mT - y).square().sum(1) / 2


def loss_of_ones_own(setting) -> Loss:
    columns = 4 + setting.bias
    X, y = (
        np.random.default_rng(seed).standard_normal((5, size))
        for seed, size in ((0, columns), (1, 3))
    )
    return Loss(square, X, y, shape=(3, columns))


def tilted(setting) -> Tilted:
    base = synthetic(3, 3 + setting.bias, 4, 1.0, 1.0, 1.0, 0, "cpu")
    return Tilted(base, np.eye(*base.shape))


def built(kind):
    def build(setting):
        with allowing(Path(__file__).parent):
            return table_of({"kind": kind} | SMALL.get(kind, {})).build(setting)

    return build


# A registry has what was opened from outside as well.
OWN = [kind for kind in PROBLEMS if ":" not in kind]
SMALL = {
    "readout": {"components": 4},
    "two-layer": {"hidden": 4},
    "hard": {"ratio": 0.3},
    "tests.outside.my_objective:LogCosh": {},
}
OBJECTIVES = {
    **{kind: built(kind) for kind in dict.fromkeys([*OWN, *SMALL])},
    "a loss of one's own": loss_of_ones_own,
    "tilted": tilted,
}


def problem_of(objective, kind):
    radii = DOMAINS.get(kind, {}) or {"a": 0.5}
    setting = Setting("cpu", ADAPTERS[kind].edits_hidden, gain=1000.0, radii=radii)
    f = objective(setting)
    random = seeded(0)
    d, k = f.shape
    made = ADAPTERS[kind]
    # DoRA has a direction in each column.
    W0 = torch.eye(d, k, dtype=torch.float64) + 1
    rank = 1 if "rank" in made.options else None
    factors = {"A": gaussian((1, k), 1.0, random)[0], "B": gaussian((d, 1), 1.0, random)[0]}
    return Problem(f, make_adapter(kind, W0, rank, 0.5, factors))


def on_meta(made):
    """A copy of an object, with all of its tensors on the meta device."""
    kept = io.BytesIO()
    torch.save(made, kept)
    kept.seek(0)
    return torch.load(kept, map_location="meta", weights_only=False)


def parts(found):
    return (found,) if isinstance(found, Tensor) else tuple(found)


def asked(problem, kind):
    """What each step and each look of a run ask of a problem, on the meta device."""
    random = seeded(1)
    adapter = problem.adapter
    radii = DOMAINS[kind]
    samples = problem.samples
    points = tuple(adapter.draw(radii, 2, random) for _ in range(3))
    samplers = (WithReplacement(2, 1, samples, random), Reshuffled(2, 1, samples, random))
    drawn = [(each.law(), each.draw()) for each in samplers]
    problem, (v, w, u), drawn = on_meta((problem, points, drawn))
    before = torch.get_rng_state()
    for law, indices in drawn:
        yield "batch gradient", problem.batch_gradient(v, indices)
        yield "observed in part", tuple(problem.observe(v, problem.retract(v, u), law).values())
    yield "observed", tuple(problem.observe(v, w, None).values())
    yield "loss", problem.loss(v)
    yield "gradient", problem.gradient(v)
    yield "variance", problem.sample_variance(v)
    yield "norms", tuple(problem.norms(v).values())
    yield "inside", problem.adapter.inside(v, radii)
    yield "curved", problem.adapter.acceleration(v, problem.adapter.unit(v, u))
    for product in (hessian_vector_product, gauss_newton_product, bilinear_product):
        yield product.__name__, product(problem, v, u)
    assert torch.equal(before, torch.get_rng_state()), "torch's own generator was used"


def check_asked(objective, kind):
    for name, found in asked(problem_of(OBJECTIVES[objective], kind), kind):
        assert {x.device.type for x in parts(found)} == {"meta"}, name


@covering
@each_kind
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_through_every_adapter(objective, kind):
    check_asked(objective, kind)


def test_no_objective_is_left_out():
    makers = [*(PROBLEMS[kind].build for kind in OWN), loss_of_ones_own, tilted]
    assert set(own_objectives()) == {get_type_hints(make)["return"] for make in makers}


@pytest.mark.parametrize("id", ALGORITHMS)
def test_every_algorithm(id):
    algorithm = ALGORITHMS[id]
    numbers = {p.name: 0.1 for p in algorithm.parameters}
    numbers |= {symbol.name: float(x) for symbol, x in algorithm.starting}
    adapter = LoRA(torch.zeros(4, 3, dtype=torch.float64), 2)
    if algorithm.period is not None:
        numbers[algorithm.period.name] = 2
        adapter = Rebased(adapter.W0, adapter)
    problem = Problem(synthetic(4, 3, 5, 1.0, 1.0, 1.0, 0, "cpu"), adapter)
    random = seeded(2)
    sampler = WithReplacement(3, 2, 5, random) if algorithm.is_stochastic else Sampler()
    point = replicate(problem.initial("its own", 1.0, random), 3)
    problem, point, drawn = on_meta((problem, point, [sampler.draw() for _ in range(4)]))
    state = algorithm.start(point, numbers)
    for t, indices in enumerate(drawn, 1):
        state, g = advance(algorithm, problem, state, t, numbers, indices)
        tensors = (*g, *(part for each in state for part in each), *algorithm.shown(state).values())
        assert {x.device.type for x in tensors} == {"meta"}


# Wrong in one way each: a minibatch's gradient that leaves the device, or asks it for a number.
slope = PseudoHuber.batch_gradient
FAULTS = {
    "a tensor of the CPU": lambda f, W, i: slope(f, W, i) + torch.zeros(W.shape, dtype=W.dtype),
    "a result on the CPU": lambda f, W, i: torch.zeros(W.shape, dtype=W.dtype),
    "NumPy": lambda f, W, i: torch.from_numpy(slope(f, W, i).numpy()),
    "by way of the CPU": lambda f, W, i: slope(f, W, i).cpu().to(W.device),
    "a number": lambda f, W, i: slope(f, W, i) * (1 + 0 * W.max().item()),
    "a question": lambda f, W, i: slope(f, W, i) if W.isfinite().all() else W,
    "torch's own generator": lambda f, W, i: slope(f, W, i) + 0 * torch.rand(()),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_seen(name, monkeypatch):
    check_asked("pseudo-huber", "lora")
    monkeypatch.setattr(PseudoHuber, "batch_gradient", FAULTS[name])
    with pytest.raises((AssertionError, RuntimeError, TypeError)):
        check_asked("pseudo-huber", "lora")


# A real card.


class Stopped(BaseException):
    """As a signal would."""


def stop_in_the_middle(stage, done, total):
    if stage == "run" and 2 * done >= total:
        raise Stopped


@on_cuda
def test_what_a_card_finds_is_what_the_cpu_finds_also_after_a_stop(tmp_path):
    few = (
        dict.fromkeys(("iterates", "rounds"), 3)
        | dict.fromkeys(("points", "ascents"), 2)
        | {"pairs": 8}
    )
    run = theorem_table(run__steps=120, run__audits=3, run__replicas=4)
    tables = (
        run,
        run | {"run": run["run"] | {"sampling": "without replacement"}},
        bracket_table(**{f"bracket__{name}": count for name, count in few.items()}),
        gpt_table(run__looks=1, run__steps=4, run__audits=2),
    )
    for table in tables:
        (there,), (here,) = (
            bc.measure(table, tmp_path, device=device) for device in ("cuda", "cpu")
        )
        assert there.run_id != here.run_id
        assert there.verdict == here.verdict
        trace, other = (finished(tmp_path / each.run_id)[1] for each in (there, here))
        assert trace.sizes == other.sizes
        for name, values in other.items():
            size = (
                float(np.nanmax(np.abs(values)))
                if values.size and np.isfinite(values).any()
                else 0.0
            )
            np.testing.assert_allclose(
                trace[name], values, rtol=1e-8, atol=1e-12 + 1e-8 * size, err_msg=str(name)
            )
    with pytest.raises(Stopped):
        bc.measure(run, tmp_path / "stopped", device="cuda", tick=stop_in_the_middle)
    (again,), (whole,) = (
        bc.measure(run, folder, device="cuda") for folder in (tmp_path / "stopped", tmp_path)
    )
    resumed, trace = (finished(x / whole.run_id)[1] for x in (tmp_path / "stopped", tmp_path))
    assert again.measured == whole.measured
    assert resumed.identical(trace)
