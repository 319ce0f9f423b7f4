"""On a CUDA device: what is asked of problems, algorithms, networks and runs, where there is none; see `tests.devices`.

Whatever is in a registry is tried. What a device is asked for its numbers by is in `CROSSINGS`, with how often.
"""

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from inspect import isabstract
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import grad, vmap

import boundcheck as bc
from boundcheck import Loss
from boundcheck.doors import allowing
from boundcheck.errors import CodeError, InputError
from boundcheck.measure.run import _Course
from boundcheck.measure.store import finished
from boundcheck.networks.adapt import sites_of
from boundcheck.networks.function import NetworkFunction
from boundcheck.networks.network import Network
from boundcheck.networks.tasks import Windows
from boundcheck.problems.adapters import ADAPTERS, LoRA, make_adapter
from boundcheck.problems.adapters.base import gaussian
from boundcheck.problems.adapters.rebased import Rebased
from boundcheck.problems.derivatives import (
    bilinear_product,
    gauss_newton_product,
    hessian_vector_product,
    sure_difference_ratio,
)
from boundcheck.problems.objective import Objective, device_of
from boundcheck.problems.problem import Problem
from boundcheck.problems.pseudo_huber import PseudoHuber, synthetic
from boundcheck.problems.sgd import Draw, Reshuffled, WholeSample, WithReplacement, advance, replicate, restart
from boundcheck.problems.tables import PROBLEMS, Setting, table_of
from boundcheck.problems.tilted import Tilted
from boundcheck.words.algorithms import ALGORITHMS
from tests.devices import CUDA, NAME, PretendedCuda, is_there, pretended_cuda
from tests.layers import covering, sampled
from tests.measure.small import DOMAINS, bracket_table, theorem_table
from tests.networks.small import KINDS, gpt_table, network_of, random_direction

Crossed = Counter[str]

# Where numbers cross, by file and function. Before and after a run, or once in it:
ONCE = {
    "content.py _of_tensor",
    "measure/consistency.py _check_samples",
    "measure/consistency.py _looks",
    "measure/consistency.py _record",
    "measure/consistency.py check_run",
    "measure/on_run.py OnRun._end",
    "measure/plan.py Start.draw",
    "measure/pool.py check_device",
    "problems/adapters/base.py check_matrix",
    "problems/minibatches.py _mixed",
    "problems/minibatches.py mean_of_minibatches",
    "problems/problem.py Problem.gradient_bound",
    "problems/problem.py Problem.inputs_at",
    "problems/pseudo_huber.py PseudoHuber.__init__",
    "problems/slopes.py _by_blocks",
    "problems/slopes.py _drawn",
    "problems/slopes.py disagreement",
    "problems/slopes.py near",
}
# In a run: how often, and what for.
IN_RUN = {
    "measure/ball.py BallWatch.look": "where the length travelled has used up the room: norms that are kept",
    "measure/ball.py BallWatch.follow": "some steps taken together: whether it has",
    "measure/run.py _Course.kept": "save: a checkpoint is of the CPU",
    "measure/run.py _Looks.observe": "save: what was observed goes into the trace",
    "measure/run.py _is_number": "stratum: a run of which no replica is left has nothing more to show",
    "problems/sgd.py Reshuffled.state": "save: the permutation of the epoch",
}
# In a run of a network, whose step takes milliseconds:
IN_NETWORK = {
    "networks/network.py Network.batch_gradient": "step: what was drawn twice is computed once: a shape",
    "networks/function.py NetworkFunction.loss": "audit: one number",
    "networks/function.py _key": "audit: points that are there twice are looked at once",
    "networks/network.py Look.loss": "audit: one number",
    "networks/network.py Look.square_norm": "audit: one number",
    "networks/network.py Look.variance": "audit: one number",
    "networks/observe.py _spectral": "audit: one number of a site",
    "networks/observe.py block_norms": "audit: one number of a block",
    "networks/observe.py observe": "audit: numbers of a site",
    "problems/curvature.py _flat": "product of a rare look: SciPy's Lanczos is on the CPU",
    "problems/curvature.py largest_eigenvalue": "rare look: one number",
}
ONCE_OF_NETWORKS = {
    "networks/adapt.py AdaptedLinear._apply",
    "networks/adapt.py adapt",
    "networks/build.py _gpt",
    "networks/function.py NetworkFunction.held_out_ends",
    "networks/network.py Network.accuracy",
    "networks/network.py Network.sample_bytes",
    "networks/observe.py _noise",
    "networks/observe.py rounding_of",
}
IN_BRACKET = {
    "exact/rounded.py Rounded.length",
    "exact/rounded.py Rounded.spectral",
    "exact/rounded.py _size",
    "measure/bracket.py _ascents",
    "measure/bracket.py _iterate_ratios",
    "measure/bracket.py _own_constants",
    "measure/bracket.py _pair_ratios",
    "problems/curvature.py _flat",
    "problems/curvature.py block_norms",
    "problems/curvature.py largest_eigenvalue",
}


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
    rank = 1 if made.has_rank else None
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


def held_against_the_cpu(
    make: Callable[[str], Any], ask: Callable[[Any, str], Iterator[tuple[str, Any]]]
) -> Counter[Any]:
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
    def classes(of: type[Objective]) -> Iterator[type[Objective]]:
        for each in of.__subclasses__():
            if each.__module__.startswith("boundcheck.") and not isabstract(each):
                yield each
            yield from classes(each)

    makers = [*(PROBLEMS[kind].build for kind in OWN), loss_of_ones_own, tilted]
    assert set(classes(Objective)) == {get_type_hints(make)["return"] for make in makers}


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


def measured(table: dict[str, Any], runs: Path, stop_at: int = sys.maxsize) -> tuple[Any, Any, Crossed, Crossed]:
    """A run on the device, its trace, what crossed in all, and within all strata but the first.

    It is stopped once where that is asked for.
    """
    seen: list[Crossed] = []

    def tick(stage: str, done: int, total: int) -> None:
        if stage == "run":
            seen.append(by_place(pretended))
            if done >= stop_at:
                raise Stopped

    with pretended_cuda() as pretended:
        if stop_at < sys.maxsize:
            with pytest.raises(Stopped):
                bc.measure(table, runs, "cuda", tick)
            stop_at = sys.maxsize
        seen.clear()
        (result,) = bc.measure(table, runs, "cuda", tick)
    within = seen[-1] - seen[0] if seen else Counter()
    return result, finished(runs / result.run_id)[1], by_place(pretended), within


def by_place(pretended: PretendedCuda) -> Crossed:
    found: Crossed = Counter()
    for (place, _), count in pretended.crossings.items():
        found[place] += count
    return found


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
def test_a_run_is_that_of_the_cpu_and_asks_for_numbers_where_it_may(tmp_path: Path) -> None:
    result, trace, crossed, within = measured(TABLE, tmp_path)
    here, other = of_the_cpu(TABLE, tmp_path)
    close_to(trace, other)
    assert (result.verdict, result.bound) == (here.verdict, here.bound)
    assert (result.environment["device"], result.environment["memory_mib"]) == (NAME, 1)
    assert result.run_id != here.run_id
    assert crossed.keys() == ONCE | IN_RUN.keys()
    assert not strays(within)


def strays(within: Crossed) -> set[str]:
    """Places in a run that are in no table, and those at which numbers cross in each step and should not."""
    often = {place for place, count in within.items() if count >= STEPS - STEPS // AUDITS}
    return within.keys() - IN_RUN.keys() | often - {place for place, how in IN_RUN.items() if how.startswith("step")}


@pytest.mark.full
def test_a_run_that_is_stopped_on_the_device_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole, trace, *_ = measured(TABLE, tmp_path)
    again, resumed, *_ = measured(TABLE, tmp_path / "stopped", stop_at=2 * STEPS // AUDITS)
    assert resumed.identical(trace)
    assert (again.measured, again.verdict) == (whole.measured, whole.verdict)


@pytest.mark.full
def test_a_bracket_is_that_of_the_cpu(tmp_path: Path) -> None:
    few = dict.fromkeys(("iterates", "rounds"), 3) | dict.fromkeys(("points", "ascents"), 2) | {"pairs": 8}
    table = bracket_table(**{f"bracket__{name}": count for name, count in few.items()})
    _, trace, crossed, _ = measured(table, tmp_path)
    close_to(trace, of_the_cpu(table, tmp_path)[1])
    assert crossed.keys() - ONCE == IN_BRACKET


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
def test_a_run_of_a_network_is_that_of_the_cpu(tmp_path: Path) -> None:
    table = gpt_table(run__looks=1, run__steps=4, run__audits=2)
    result, trace, crossed, within = measured(table, tmp_path)
    here, other = of_the_cpu(table, tmp_path)
    close_to(trace, other)
    assert result.verdict == here.verdict
    of_a_run = ONCE | IN_RUN.keys()
    assert crossed.keys() - of_a_run == ONCE_OF_NETWORKS | IN_NETWORK.keys()
    assert not within.keys() - IN_RUN.keys() - IN_NETWORK.keys()


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
slope, drawn, kept, initial = PseudoHuber.batch_gradient, WithReplacement.draw, _Course.kept, LoRA.initial
MIX, OFTEN = "on the same device", "Problem.batch_gradient"
FAULTS: dict[str, tuple[Any, str, Callable[..., Any], str]] = {
    "a tensor of the CPU": (
        *(PseudoHuber, "batch_gradient", lambda f, W, i: slope(f, W, i) + torch.zeros(W.shape, dtype=W.dtype), MIX),
    ),
    "a constant of the CPU": (
        *(PseudoHuber, "_inverse_root", lambda f, x: x / (torch.ones(x.shape[-1:], dtype=x.dtype) + x.abs()), MIX),
    ),
    "indices of the CPU": (WithReplacement, "draw", lambda sampler: drawn(sampler).cpu(), MIX),
    "a result on the CPU": (PseudoHuber, "loss", lambda f, W: W.new_zeros(len(W), device="cpu"), MIX),
    "NumPy": (*(PseudoHuber, "batch_gradient", lambda f, W, i: torch.from_numpy(slope(f, W, i).numpy()), "to numpy"),),
    "by way of the CPU": (*(PseudoHuber, "batch_gradient", lambda f, W, i: slope(f, W, i).cpu().to(W.device), OFTEN),),
    "a number in a step": (
        *(PseudoHuber, "batch_gradient", lambda f, W, i: slope(f, W, i) * (1 + 0 * W.max().item()), OFTEN),
    ),
    "a question in a step": (
        *(PseudoHuber, "batch_gradient", lambda f, W, i: slope(f, W, i) if W.isfinite().all() else W, OFTEN),
    ),
    "a generator of the CPU": (
        *(LoRA, "initial", lambda a, gain, random: initial(a, gain, torch.Generator().manual_seed(0)), MIX),
    ),
    "a generator of the device for the CPU": (
        *(LoRA, "initial", lambda a, gain, random: (torch.randn(1, generator=random), *initial(a, gain, random))),
        "Expected a 'cpu' device type for generator",
    ),
    "torch's own generator": (
        *(PseudoHuber, "batch_gradient", lambda f, W, i: slope(f, W, i) + 0 * torch.rand_like(W), "own generator"),
    ),
    "a checkpoint of the device": (
        *(
            _Course,
            "kept",
            lambda course: kept(course) | {"state": [list(x) for x in course.state]},
            "store.py _sealed",
        ),
    ),
}


@sampled(3)
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_seen(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, attribute, wrong, said = FAULTS[name]
    monkeypatch.setattr(owner, attribute, wrong)

    def run() -> None:
        *_, within = measured(TABLE | {"run": TABLE["run"] | {"sampling": "with replacement"}}, tmp_path)
        assert not strays(within)

    with pytest.raises((CodeError, AssertionError), match=re.escape(said)):
        run()


# What torch does on two devices: where the result is, or None where it raises.
CASES: dict[str, tuple[Callable[..., Any], str | None]] = {
    "product": (lambda x, y, i, j, one: x @ x, "cuda"),
    "mixed product": (lambda x, y, i, j, one: x @ y, None),
    "mixed sum": (lambda x, y, i, j, one: y + x, None),
    "mixed sum in place": (lambda x, y, i, j, one: y.add_(x), None),
    "a number that is a tensor": (lambda x, y, i, j, one: x * one, "cuda"),
    "a bound that is a tensor": (lambda x, y, i, j, one: x.clamp(max=one), "cuda"),
    "numbers in a row": (lambda x, y, i, j, one: torch.stack([x[0, 0], one]), None),
    "a number of the device": (lambda x, y, i, j, one: y * x[0, 0], None),
    "rows in a row": (lambda x, y, i, j, one: torch.cat([x, y]), None),
    "a choice": (lambda x, y, i, j, one: torch.where(x > 0, x, y), None),
    "gathered": (lambda x, y, i, j, one: x.gather(1, i[:, None]), None),
    "chosen": (lambda x, y, i, j, one: x.index_select(0, i), None),
    "chosen on the device": (lambda x, y, i, j, one: x.index_select(0, j), "cuda"),
    "indexed": (lambda x, y, i, j, one: x[i], "cuda"),
    "indexed from the device": (lambda x, y, i, j, one: y[j], None),
    "copied": (lambda x, y, i, j, one: y.copy_(x), "cpu"),
    "searched": (lambda x, y, i, j, one: torch.searchsorted(x[0].contiguous(), y), None),
    "embedded": (lambda x, y, i, j, one: torch.nn.functional.embedding(i, x), None),
    "new": (lambda x, y, i, j, one: x.new_zeros(3), "cuda"),
    "new on the CPU": (lambda x, y, i, j, one: torch.zeros_like(x, device="cpu"), "cpu"),
}
# What FakeTensorMode lets pass, and torch does not; and what it does not do in a build for the CPU.
LENIENT = {"indexed from the device"}
UNTOLD = {"numbers in a row", "a number of the device", "indexed", "searched"}


def placed(name: str) -> str | None:
    """Where the result of a case is; None where it is refused."""
    x, j = torch.ones(3, 3, device="cuda"), torch.zeros(3, dtype=torch.int64, device="cuda")
    y, i = torch.ones(3, 3), torch.zeros(3, dtype=torch.int64)
    call, _ = CASES[name]
    try:
        found: Tensor = call(x, y, i, j, torch.tensor(2.0))
    except RuntimeError as error:
        if "expected all tensors to be on the same device" in str(error).lower() or "indices should be" in str(error):
            return None
        raise
    return found.device.type


@pytest.mark.parametrize("name", CASES)
def test_devices_mix_as_in_torch(name: str) -> None:
    with pretended_cuda():
        assert placed(name) == CASES[name][1]


@pytest.mark.parametrize("name", sorted(CASES.keys() - UNTOLD))
def test_torch_says_the_same_where_it_can_tell(name: str) -> None:
    with FakeTensorMode():
        assert (placed(name) == CASES[name][1]) == (name not in LENIENT)


def test_what_is_there_stays_there() -> None:
    """Views, parameters, what `torch.func` wraps, and gradients."""
    with pretended_cuda() as pretended:
        x = torch.ones(2, 3, dtype=torch.float64, device="cuda", requires_grad=True)
        model = torch.nn.Linear(3, 2, dtype=torch.float64, device="meta").to_empty(device="cpu").to("cuda")
        (slope,) = torch.autograd.grad(model(x).square().sum(), x)
        model(x).sum().backward()
        made = vmap(grad(lambda w: (w * x[0].detach()).sum()))(x.detach())
        found = [x.mT, x.detach()[0], model.weight, model.weight.grad, x.grad, slope, made, x.to(torch.float32)]
        there, back = [f is not None and f.device.type for f in found], x.detach().cpu()
        crossed = pretended.crossings.total()
        assert [x.sum().item(), bool(x.sum() > 0), len(x.tolist()), int(x.sum())] == [6.0, True, 2, 6]
        assert pretended.crossings.total() == crossed + 4
        assert back.device.type == "cpu"
        with pytest.raises(TypeError, match="to numpy"):
            np.asarray(x.detach())
        with pytest.raises(RuntimeError, match="'cuda' device type for generator"):
            torch.randn(2, device="cuda", generator=torch.Generator())
    assert there == ["cuda"] * len(found)
    assert not is_there(back)
    assert torch.Generator("cpu").device.type == "cpu"
