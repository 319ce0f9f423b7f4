"""On a CUDA device: what is asked of problems, algorithms, networks and runs, where there is none; see `tests.devices`.

Whatever is in a registry is tried. In no step of a run are numbers brought back from the device.
"""

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
import torch
from torch import Tensor

import boundcheck as bc
from boundcheck import Loss
from boundcheck.errors import CodeError, InputError
from boundcheck.experiment.run import Ensemble
from boundcheck.experiment.store import finished
from boundcheck.functions.adapters import ADAPTERS, LoRA, Rebased, make_adapter
from boundcheck.functions.adapters.base import gaussian
from boundcheck.functions.arithmetic import replicate
from boundcheck.functions.networks.adapt import sites_of
from boundcheck.functions.networks.function import NetworkFunction
from boundcheck.functions.networks.gpt import Windows
from boundcheck.functions.networks.network import Network
from boundcheck.functions.objective import PROBLEMS, Objective, Setting, device_of, table_of
from boundcheck.functions.objectives.clipped import Tilted
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber, synthetic
from boundcheck.functions.problem import (
    Problem,
    bilinear_product,
    gauss_newton_product,
    hessian_vector_product,
    sure_difference_ratio,
)
from boundcheck.functions.sgd import Draw, Reshuffled, WholeSample, WithReplacement, advance, restart
from boundcheck.language.algorithms import ALGORITHMS
from boundcheck.system.plugins import allowing
from tests.devices import CUDA, NAME, Crossed, is_there, pretended_cuda
from tests.experiment.small import DOMAINS, bracket_table, theorem_table
from tests.functions.networks.small import KINDS, gpt_table, network_of, random_direction
from tests.layers import covering
from tests.test_twins import own_objectives


def square(W: Tensor, X: Tensor, y: Tensor) -> Tensor:
    return (X @ W.mT - y).square().sum(1) / 2


def loss_of_ones_own(setting: Setting) -> Loss:
    columns = 4 + setting.bias
    X, y = (np.random.default_rng(seed).standard_normal((5, size)) for seed, size in ((0, columns), (1, 3)))
    return Loss(square, X, y, shape=(3, columns), device=setting.device)


def tilted(setting: Setting) -> Tilted:
    base = synthetic(3, 3 + setting.bias, 4, 1.0, 1.0, 1.0, 0, setting.device)
    return Tilted(base, np.eye(*base.shape), setting.device)


def built(kind: str) -> Callable[[Setting], Objective]:
    def build(setting: Setting) -> Objective:
        with allowing(Path(__file__).parent):
            return table_of({"kind": kind} | SMALL.get(kind, {})).build(setting)

    return build


# A registry has what was opened from outside as well.
OWN = [kind for kind in PROBLEMS if ":" not in kind]
SMALL: dict[str, dict[str, Any]] = {
    "readout": {"components": 4},
    "two-layer": {"hidden": 4},
    "hard": {"ratio": 0.3},
    "tests.outside.my_objective:LogCosh": {},
}
OBJECTIVES: dict[str, Callable[[Setting], Objective]] = {
    **{kind: built(kind) for kind in dict.fromkeys([*OWN, *SMALL])},
    "a loss of one's own": loss_of_ones_own,
    "tilted": tilted,
}


def setting_of(device: str, kind: str = "lora") -> Setting:
    radii = DOMAINS.get(kind, {}) or {"a": 0.5}
    return Setting(device, ADAPTERS[kind].edits_hidden, gain=1000.0, radii=radii)


def problem_of(device: str, objective: Callable[[Setting], Objective], kind: str) -> Problem:
    f, random = objective(setting_of(device, kind)), torch.Generator(device).manual_seed(0)
    (d, k), made = f.shape, ADAPTERS[kind]
    # DoRA has a direction in each column.
    W0 = torch.eye(d, k, dtype=torch.float64, device=device) + 1
    rank = 1 if "rank" in made.options else None
    factors = {"A": gaussian((1, k), 1.0, random)[0], "B": gaussian((d, 1), 1.0, random)[0]}
    return Problem(f, make_adapter(kind, W0, rank, 0.5, factors))


def asked(problem: Problem, kind: str, device: str) -> Iterator[tuple[str, Any]]:
    """What runs, audits and brackets ask of a problem, each with its name."""
    random = torch.Generator(device).manual_seed(1)
    adapter, radii, samples = problem.adapter, DOMAINS[kind], problem.samples
    v, w, u = (adapter.draw(radii, 2, random) for _ in range(3))
    step = tuple(0.1 * part for part in u)
    for name, sampler in {
        "with replacement": WithReplacement(2, 1, samples, random),
        "in epochs": Reshuffled(2, 1, samples, random),
    }.items():
        law, indices = sampler.law(), sampler.draw()
        yield f"gradient {name}", problem.batch_gradient(v, indices)
        yield f"observed {name}", tuple(problem.observe(v, problem.retract(v, step), law).values())
    yield "observed", tuple(problem.observe(v, w, None).values())
    yield "start", problem.initial("its own", 1.0, random)
    yield "loss", problem.loss(v)
    yield "gradient", problem.gradient(v)
    yield "variance", problem.sample_variance(v)
    yield "rounding", problem.rounding(v, problem.loss(v))
    yield "norms", tuple(problem.norms(v).values())
    yield "inside", adapter.inside(v, radii)
    yield "projected", adapter.project(tuple(3 * part for part in v), radii)
    yield "extreme", adapter.extreme(problem.gradient(v), radii)
    yield "curved", adapter.acceleration(v, adapter.unit(v, u))
    yield "ratio", sure_difference_ratio(problem, v, w)
    for product in (hessian_vector_product, gauss_newton_product, bilinear_product):
        yield product.__name__, product(problem, v, u)
    yield "bound", v[0].new_tensor(problem.gradient_bound(radii).value)
    merged = Problem(problem.objective, Rebased(adapter.W0, adapter))
    begun = merged.restart((*v, torch.zeros_like(adapter.weight(v))), 1.0, random)
    yield "begun again", begun
    yield "merged", merged.gradient(begun)


def parts(found: Any) -> tuple[Tensor, ...]:
    return (found,) if isinstance(found, Tensor) else tuple(found)


def the_same(one: Any, other: Any, name: str) -> None:
    """Numbers of the CPU, and those of the device."""
    for x, y in zip(parts(one), parts(other), strict=True):
        # On a curved domain there is no gradient ratio.
        size = float(x.double().nan_to_num().abs().max()) if x.numel() else 0.0
        close = {"rtol": 1e-9, "atol": 1e-12 + 1e-9 * size, "equal_nan": name.startswith("observed")}
        torch.testing.assert_close(y, x, **close, msg=lambda said: f"{name}: {said}")


def held_against_the_cpu(make: Callable[[str], Any], ask: Callable[[Any, str], Iterator[tuple[str, Any]]]) -> Crossed:
    """All that is yielded on the device is there, and what it is on the CPU; what crossed meanwhile."""
    here = dict(ask(make("cpu"), "cpu"))
    with pretended_cuda() as pretended:
        made = make("cuda")
        pretended.crossings.clear()
        there = dict(ask(made, "cuda"))
    assert there.keys() == here.keys()
    for name, found in there.items():
        assert all(map(is_there, parts(found))), name
        the_same(here[name], found, name)
    return pretended.crossings


@covering
@pytest.mark.parametrize("kind", ADAPTERS)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_through_every_adapter(objective: str, kind: str) -> None:
    held_against_the_cpu(
        lambda device: problem_of(device, OBJECTIVES[objective], kind),
        lambda problem, device: asked(problem, kind, device),
    )


def test_no_objective_is_left_out() -> None:
    makers = [*(PROBLEMS[kind].build for kind in OWN), loss_of_ones_own, tilted]
    assert set(own_objectives()) == {get_type_hints(make)["return"] for make in makers}


@pytest.mark.parametrize("id", ALGORITHMS)
def test_every_algorithm(id: str) -> None:
    algorithm = ALGORITHMS[id]
    numbers: dict[str, Any] = {p.name: 0.1 for p in algorithm.parameters}
    numbers |= {symbol.name: float(x) for symbol, x in algorithm.starting}
    if algorithm.period is not None:
        numbers[algorithm.period.name] = 2

    def make(device: str) -> Problem:
        adapter: Any = LoRA(torch.zeros(4, 3, dtype=torch.float64, device=device), 2)
        f = synthetic(4, 3, 5, 1.0, 1.0, 1.0, 0, device)
        return Problem(f, adapter if algorithm.period is None else Rebased(adapter.W0, adapter))

    def ask(problem: Problem, device: str) -> Iterator[tuple[str, Any]]:
        random = torch.Generator(device).manual_seed(2)
        sampler = WithReplacement(3, 2, 5, random) if algorithm.is_stochastic else WholeSample()
        state = algorithm.start(replicate(problem.initial("its own", 1.0, random), 3), numbers)
        for t in range(1, 5):
            state, g = advance(algorithm, problem, state, t, numbers, sampler.draw())
            if algorithm.restarts(t, numbers):
                state = restart(algorithm, problem, state, numbers, 1.0, random)
            yield f"gradient {t}", g
            yield f"state {t}", tuple(part for point in state for part in point)
        shown = algorithm.shown(state)
        assert set(shown) == set(dict(algorithm.shows))
        yield "shown", tuple(shown.values())

    # In a step no number comes back.
    assert not held_against_the_cpu(make, ask)


class Stopped(BaseException):
    """As a signal would."""


def measured(table: dict[str, Any], runs: Path, stop_at: int = sys.maxsize) -> tuple[Any, Any, Crossed]:
    """A run on the device, its trace, and what crossed within all strata but the first.

    It is stopped once where that is asked for.
    """
    seen: list[Crossed] = []

    def tick(stage: str, done: int, total: int) -> None:
        if stage == "run":
            seen.append(pretended.crossings.copy())
            if done >= stop_at:
                raise Stopped

    with pretended_cuda() as pretended:
        if stop_at < sys.maxsize:
            with pytest.raises(Stopped):
                bc.measure(table, runs, "cuda", tick)
            stop_at = sys.maxsize
        seen.clear()
        (result,) = bc.measure(table, runs, "cuda", tick)
    return result, finished(runs / result.run_id)[1], seen[-1] - seen[0] if seen else Counter()


def close_to(trace: Any, other: Any) -> None:
    assert trace.sizes == other.sizes
    for name, values in other.items():
        size = float(np.nanmax(np.abs(values))) if values.size and np.isfinite(values).any() else 0.0
        np.testing.assert_allclose(trace[name], values, rtol=1e-8, atol=1e-12 + 1e-8 * size, err_msg=str(name))


def of_the_cpu(table: dict[str, Any], runs: Path) -> tuple[Any, Any]:
    (result,) = bc.measure(table, runs, "cpu")
    return result, finished(runs / result.run_id)[1]


STEPS, AUDITS = 120, 3
TABLE = theorem_table(run__steps=STEPS, run__audits=AUDITS, run__replicas=4, run__sampling="without replacement")


@pytest.mark.full
def test_a_run_is_that_of_the_cpu(tmp_path: Path) -> None:
    result, trace, within = measured(TABLE, tmp_path)
    here, other = of_the_cpu(TABLE, tmp_path)
    close_to(trace, other)
    assert (result.verdict, result.bound) == (here.verdict, here.bound)
    assert (result.environment["device"], result.environment["memory_mib"]) == (NAME, 1)
    assert result.run_id != here.run_id
    assert not strays(within)


def strays(within: Crossed) -> set[str]:
    """Where numbers cross in each step, and whether a tensor is stored that is on the device."""
    places = Counter(place for place, _ in within.elements())
    often = {place for place, count in places.items() if count >= STEPS - STEPS // AUDITS}
    return often | {STORED} & {what for _, what in within}


@pytest.mark.full
def test_a_run_that_is_stopped_on_the_device_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole, trace, _ = measured(TABLE, tmp_path)
    again, resumed, _ = measured(TABLE, tmp_path / "stopped", stop_at=2 * STEPS // AUDITS)
    assert resumed.identical(trace)
    assert (again.measured, again.verdict) == (whole.measured, whole.verdict)


@pytest.mark.full
def test_a_bracket_and_a_run_of_a_network_are_those_of_the_cpu(tmp_path: Path) -> None:
    few = dict.fromkeys(("iterates", "rounds"), 3) | dict.fromkeys(("points", "ascents"), 2) | {"pairs": 8}
    bracket = bracket_table(**{f"bracket__{name}": count for name, count in few.items()})
    for table in (bracket, gpt_table(run__looks=1, run__steps=4, run__audits=2)):
        (result, trace, _), (here, other) = measured(table, tmp_path), of_the_cpu(table, tmp_path)
        close_to(trace, other)
        assert result.verdict == here.verdict


@pytest.mark.full
@pytest.mark.parametrize("kind", KINDS)
def test_every_adapter_in_a_network(kind: str) -> None:
    def make(device: str) -> Network:
        network = network_of(kind)
        network.model.to(device)
        return Network(network.model, sites_of(network.model), Windows("windows", network.task.ids.to(device)), 2)

    def ask(network: Network, device: str) -> Iterator[tuple[str, Any]]:
        v = network.point()
        u = tuple(part.to(device) for part in random_direction(network))
        look = network.look()
        yield "losses", look.losses
        yield "squares", look.sample_squares
        yield "gradient", look.gradient
        yield "in W", look.weight_gradients
        yield "batch", network.batch_gradient(torch.tensor([0, 3, 3], device=device))
        yield "Hessian", network.hessian_vector_product(u)
        yield "Hessian in W", network.weight_hessian_vector_product(look.weight_gradients)
        f = NetworkFunction("network", network, 1)
        yield "retracted", f.retract(v, tuple(0.01 * part for part in u))
        law = Draw(2, torch.tensor([[0, 1, 3]], device=device), replaced=False)
        seen = f.observe(v, tuple(x + 0.01 * y for x, y in zip(v, u, strict=True)), law)
        seen |= {"rounding": f.rounding(v, seen["loss"])[1], "accuracy": torch.tensor(f.accuracy(v))}
        seen |= {name: torch.tensor(x) for name, x in f.look(v, np.random.default_rng(0)).items()}
        for name, found in seen.items():
            # Of these there is one number each, which is asked for at once.
            assert not is_there(found)
            yield f"observed {name}", v[0].new_tensor(found.tolist())

    held_against_the_cpu(make, ask)


@pytest.mark.full
def test_an_objective_that_is_given_has_to_be_on_the_device(tmp_path: Path) -> None:
    table: dict[str, Any] = {name: TABLE[name] for name in ("claim", "adapter", "run")} | {
        "domain": {"a": 9.0, "b": 9.0}
    }
    with pretended_cuda():
        there = [make(setting_of("cuda")) for make in (loss_of_ones_own, OBJECTIVES["hard"])]
        X = torch.ones(2, 3, dtype=torch.float64, device="cuda")
        there.append(Loss.of_function(lambda W: (W * X).square().flatten(), (2, 3), device="cuda"))
        assert [device_of(f) for f in there] == [CUDA] * 3
        (result,) = bc.measure(table, tmp_path, "cuda", problem=there[0])
        here = loss_of_ones_own(setting_of("cpu"))
        with pytest.raises(InputError) as caught:
            bc.measure(table, tmp_path, "cuda", problem=here)
    assert result.measured == pytest.approx(bc.measure(table, tmp_path, "cpu", problem=here)[0].measured, rel=1e-8)
    said = "cpu, where the tensors of square are; or an objective made with device='cuda'"
    assert str(caught.value) == f"device = cuda: expected {said}"


# Wrong on the device in one way each: what is replaced, by what, and how it is seen.
slope, drawn, kept, initial = PseudoHuber.batch_gradient, WithReplacement.draw, Ensemble.kept, LoRA.initial
MIX, OFTEN, STORED = "on the same device", "Problem.batch_gradient", "untyped_storage"


def gradient(wrong: Callable[[PseudoHuber, Tensor, Tensor], Tensor], said: str) -> tuple[Any, ...]:
    """A minibatch's gradient that is computed in another way."""
    return PseudoHuber, "batch_gradient", wrong, said


def start(wrong: Callable[..., Any], said: str) -> tuple[Any, ...]:
    return LoRA, "initial", wrong, said


FAULTS: dict[str, tuple[Any, ...]] = {
    "a tensor of the CPU": gradient(lambda f, W, i: slope(f, W, i) + torch.zeros(W.shape, dtype=W.dtype), MIX),
    "indices of the CPU": (WithReplacement, "draw", lambda sampler: drawn(sampler).cpu(), MIX),
    "a result on the CPU": (PseudoHuber, "loss", lambda f, W: W.new_zeros(len(W), device="cpu"), MIX),
    "NumPy": gradient(lambda f, W, i: torch.from_numpy(slope(f, W, i).numpy()), "to numpy"),
    "by way of the CPU": gradient(lambda f, W, i: slope(f, W, i).cpu().to(W.device), OFTEN),
    "a number in a step": gradient(lambda f, W, i: slope(f, W, i) * (1 + 0 * W.max().item()), OFTEN),
    "a question in a step": gradient(lambda f, W, i: slope(f, W, i) if W.isfinite().all() else W, OFTEN),
    "a generator of the CPU": start(lambda a, gain, random: initial(a, gain, torch.Generator().manual_seed(0)), MIX),
    "a generator of the device for the CPU": start(
        lambda a, gain, random: (torch.randn(1, generator=random), *initial(a, gain, random)),
        "Expected a 'cpu' device type for generator",
    ),
    "torch's own generator": gradient(lambda f, W, i: slope(f, W, i) + 0 * torch.rand_like(W), "own generator"),
    "a checkpoint of the device": (
        *(Ensemble, "kept", lambda course: kept(course) | {"state": [list(x) for x in course.state]}, STORED),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_seen(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, attribute, wrong, said = FAULTS[name]
    monkeypatch.setattr(owner, attribute, wrong)

    def run() -> None:
        *_, within = measured(TABLE | {"run": TABLE["run"] | {"sampling": "with replacement"}}, tmp_path)
        assert not strays(within)

    with pytest.raises((CodeError, AssertionError), match=re.escape(said)):
        run()
