"""What says one thing in two ways is held to both: where the faces of a word or a function differ,
nothing is run."""

from dataclasses import dataclass, replace

import pytest
import torch

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.exact.evaluate import t
from boundcheck.experiment.audit import check_function
from boundcheck.functions.adapters import LoRA, make_adapter
from boundcheck.functions.checks import check_pull_back, check_steps
from boundcheck.functions.problem import Problem
from boundcheck.language.algorithms import ALGORITHMS, LinearMethod, g, v
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Quantity
from boundcheck.language.hypotheses import Hypothesis
from boundcheck.language.measures import (
    SQUARED_GRADIENT,
    Enclosure,
    PerformanceMeasure,
    Statistic,
    gap,
)
from boundcheck.language.symbols import D, Lhat, T, alpha, bound
from boundcheck.language.vocabulary import v_t
from boundcheck.properties import check_claim
from boundcheck.worst_case.short_run import check_theorem
from tests.experiment.small import refused
from tests.outside.my_adapter import Scaled
from tests.outside.my_objective import LogCosh
from tests.outside.my_theorem import HALVED_DESCENT
from tests.outside.specs import BRACKET, OBJECTIVE

HERE = "tests.outside.test_faces"
TABLE = {
    "claim": "nesterov2004.gradient_descent",
    "problem": {"kind": OBJECTIVE},
    "adapter": {"kind": "full"},
    "run": {"steps": 20, "audits": 20},
}
NOISY = {
    "claim": "meft.theorem2_any_step",
    "run": {"steps": 50, "step_size": 0.05, "batch": 6, "replicas": 4, "audits": 10, "zeta": 0.9},
}


class Shrunk(LogCosh):
    """Every gradient is a tenth of what it is."""

    def gradient(self, W):
        return 0.1 * super().gradient(W)

    def batch_gradient(self, W, indices):
        return 0.1 * super().batch_gradient(W, indices)

    def sample_gradients(self, W):
        return 0.1 * super().sample_gradients(W)


class NearlyRight(LogCosh):
    """One entry of the gradient is off by a thousandth."""

    def sample_gradients(self, W):
        found = super().sample_gradients(W)
        found[..., 0, 0] *= 1.001
        return found

    def batch_gradient(self, W, indices):
        found = super().batch_gradient(W, indices)
        found[..., 0, 0] *= 1.001
        return found


class OtherSurvey(LogCosh):
    """What a run sees in its minibatches is not the gradient that it follows."""

    def survey(self, W, sides, among=None):
        found = super().survey(W, sides, among)
        return found._replace(gradient=0.1 * found.gradient)


class TenthPull(Scaled):
    """The pull-back is a tenth of what it is."""

    def pull_back(self, v, gradient):
        return (0.1 * self.scale * gradient,)


class Turned(Scaled):
    """The pull-back has its columns in another order: as long as it should be."""

    def pull_back(self, v, gradient):
        return (self.scale * gradient.flip(-1),)


@dataclass(frozen=True)
class TenthStep(LinearMethod):
    """A run's step is a tenth of the exact one."""

    def step(self, state, gradient, t, numbers, retract=None):
        return super().step(state, gradient, t, {"alpha": numbers["alpha"] / 10}, retract)


@dataclass(frozen=True)
class Forgetful(LinearMethod):
    """A run has no momentum, which the first step does not show."""

    def step(self, state, gradient, t, numbers, retract=None):
        return super().step(state, gradient, t, numbers | {"beta": 0.0}, retract)


@dataclass(frozen=True)
class Unwritten(LinearMethod):
    """An algorithm whose exact face its author left out."""

    def exact_step(self, state, gradient, t, numbers, space=None):
        raise NotImplementedError


@dataclass(frozen=True)
class Lost(Unwritten):
    """One whose iterate has no blocks."""

    def start(self, v, numbers):
        return ((),)


DESCENT = ((v, v - alpha * g),)


def descent(algorithm):
    """Nesterov's theorem, of another algorithm."""
    return replace(
        catalogue["nesterov2004.gradient_descent"],
        id=f"outer.{algorithm.id}",
        algorithm=algorithm,
        measure=None,
    )


def measured(observable):
    """A theorem about another measure: what it says is far below the truth."""
    measure = PerformanceMeasure("outer_least", "what is seen", Statistic.LEAST, observable)
    quantities = (
        *HALVED_DESCENT.quantities[:2],
        replace(HALVED_DESCENT.quantities[2], expression=Lhat * D / T / 50),
    )
    return replace(
        HALVED_DESCENT,
        id="outer.measured",
        hypotheses=HALVED_DESCENT.hypotheses[:3],
        quantities=quantities,
        conclusion=measure.at_most(bound),
        measure=measure,
    )


def shrunk(e):
    return Enclosure(*(x / 1000 for x in SQUARED_GRADIENT.seen(e)))


@pytest.mark.parametrize(
    "changes, face",
    [
        ({"problem": {"kind": f"{HERE}:Shrunk"}}, "problem.gradient"),
        ({"problem": {"kind": f"{HERE}:NearlyRight"}}, "problem.gradient"),
        (NOISY | {"problem": {"kind": f"{HERE}:OtherSurvey"}}, "problem"),
        ({"adapter": {"kind": f"{HERE}:TenthPull", "scale": 1.0}}, "adapter.pull_back"),
        ({"adapter": {"kind": f"{HERE}:Turned", "scale": 1.0}}, "adapter.pull_back"),
        (
            BRACKET | {"run": None, "adapter": {"kind": f"{HERE}:TenthPull", "scale": 0.5}},
            "adapter.pull_back",
        ),
        (BRACKET | {"run": None, "problem": {"kind": f"{HERE}:Shrunk"}}, "problem.gradient"),
        (
            {"claim": descent(TenthStep("tenth", "a tenth", (alpha,), moves=DESCENT))},
            "algorithm.tenth.step",
        ),
        ({"claim": descent(Lost("lost", "lost", (alpha,), moves=DESCENT))}, "algorithm.lost.start"),
        ({"claim": measured(replace(SQUARED_GRADIENT, seen=shrunk))}, "measure.outer_least.seen"),
        (
            {"claim": measured(replace(SQUARED_GRADIENT, first=lambda s, i: (1e-9, "it")))},
            "measure.outer_least.first",
        ),
        ({"claim": measured(replace(SQUARED_GRADIENT, expression=gap))}, "measure.outer_least"),
    ],
)
def test_faces_that_differ_are_refused_before_anything_is_run(changes, face, tmp_path):
    table = {name: value for name, value in (TABLE | changes).items() if value is not None}
    assert face in refused(bc.measure, table, tmp_path).field
    assert not list(tmp_path.iterdir())


@pytest.mark.full
def test_what_is_true_of_a_measure_and_of_faces_that_are_not_there_is_run(tmp_path):
    bare = descent(Unwritten("unwritten", "descent", (alpha,), moves=DESCENT))
    for claim in (bare, descent(LinearMethod("plain", "descent", (alpha,), moves=DESCENT))):
        (result,) = bc.measure(TABLE | {"claim": claim}, tmp_path)
        assert result.verdict.plain == "supported", result.reason
    (result,) = bc.measure(TABLE | {"claim": measured(SQUARED_GRADIENT)}, tmp_path)
    assert result.verdict.plain == "supported", result.reason


@pytest.mark.parametrize(
    "make",
    [
        lambda x: LinearMethod("mine", "mine", (x,), moves=DESCENT),
        lambda x: LinearMethod("mine", "mine", (alpha,), moves=((x, v - alpha * g),)),
        lambda x: LinearMethod("mine", "mine", (alpha,), moves=DESCENT, at=x),
        lambda x: LinearMethod("mine", "mine", (alpha,), moves=DESCENT, period=x),
        lambda x: LinearMethod("mine", "mine", (alpha,), moves=DESCENT, starting=((x, 1),)),
        lambda x: Hypothesis("mine", "mine", (x,)),
        lambda x: Quantity(x, alpha, "mine"),
    ],
)
def test_an_iterate_where_a_letter_is_asked_for_is_refused(make):
    assert str(v_t) in str(refused(make, v_t))


def test_steps_that_differ_are_refused_where_a_theorem_is_tried():
    with pytest.raises(InputError, match=r"algorithm.tenth.step"):
        check_claim(
            descent(TenthStep("tenth", "a tenth", (alpha,), moves=DESCENT)),
            adapter="full",
            examples=5,
        )


def test_a_pull_back_that_is_none_is_refused_by_an_attack():
    few = {"ranks": (1,), "starts": 2, "rounds": 4, "examples": 0}
    with pytest.raises(InputError, match=r"adapter.pull_back"):
        bc.falsify(BRACKET["claim"], bc.Search(adapter=f"{HERE}:TenthPull", **few))


def random():
    return torch.Generator().manual_seed(5)


class BlindToA(LoRA):
    """A pull-back that is right where training starts, at B = 0, and nowhere else."""

    def pull_back(self, v, gradient):
        A, B = super().pull_back(v, gradient)
        return 0.5 * A, B


def test_a_pull_back_is_looked_at_where_no_block_is_zero():
    problem = Problem(LogCosh(), BlindToA(torch.zeros(3, 3).double(), 1, 1.0))
    start = problem.initial("lora", 1.0, random())
    check_pull_back(problem.adapter, start)
    with pytest.raises(InputError, match=r"adapter.pull_back"):
        check_function(problem, start)


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=lambda each: each.id)
@pytest.mark.parametrize("size", [0.0, 1e-9, 1.0, 1e9])
@pytest.mark.parametrize("number", [1e-6, 0.4, 30.0])
def test_every_algorithm_steps_exactly(algorithm, size, number):
    numbers = {symbol.name: number / (i + 1) for i, symbol in enumerate(algorithm.parameters)}
    numbers |= dict.fromkeys(algorithm.asks, number)
    for is_flat in (True, False) if algorithm.keeps_curves else (True,):
        check_steps(algorithm, numbers, size, 3.0, is_flat=is_flat)
    check_steps(algorithm, numbers, 1.0, 0.0)


def test_a_momentum_that_is_missing_shows_in_the_second_step():
    heavy = ALGORITHMS["heavy_ball"]
    lazy = Forgetful("lazy", "lazy", heavy.parameters, moves=heavy.moves)
    with pytest.raises(InputError, match=r"algorithm.lazy.step"):
        check_steps(lazy, {"alpha": 0.1, "beta": 0.5}, 1.0, 1.0)


class Told(LinearMethod):
    """Its statement is the equations of another method."""

    told = ALGORITHMS["gradient_descent"]

    @property
    def recurrence(self):
        return self.told.recurrence


class Silent(Told):
    """Its statement is no equation."""

    recurrence = ()


THEOREM = catalogue["nesterov2004.gradient_descent"]
FACES = {
    "shorter steps": {
        "algorithm": Told("told", "told", (alpha,), moves=((v, v - alpha * g / 1000),))
    },
    "a later step": {"algorithm": Told("told", "told", (alpha,), moves=((v, v - alpha * g / t),))},
    "no equation": {"algorithm": Silent("silent", "silent", (alpha,), moves=((v, v - alpha * g),))},
    "a look by the name of another": {
        "measure": replace(
            THEOREM.measure, id="named", observable=replace(SQUARED_GRADIENT, name="gap")
        )
    },
}
ENGINES = {
    "worst cases": lambda claim, folder: bc.falsify(claim, bc.WorstCase([2, 7])),
    "short runs": lambda claim, folder: check_theorem(claim),
    "runs": lambda claim, folder: bc.measure(TABLE | {"claim": claim}, folder),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", FACES)
def test_no_engine_takes_a_face_that_is_not_the_statement(name, engine, tmp_path):
    claim = replace(THEOREM, id=f"own.{name.replace(' ', '_')}", **FACES[name])
    error = refused(ENGINES[engine], claim, tmp_path)
    assert error.field.split(".")[-1] in ("recurrence", "statement")


@pytest.mark.parametrize("size", [1.0, 1e-6])
def test_what_a_run_alone_sees_of_a_measure_is_given(size, tmp_path):
    def seen(evidence):
        return Enclosure(*(size * x for x in SQUARED_GRADIENT.seen(evidence)))

    observable = replace(SQUARED_GRADIENT, name="mine", seen=seen)
    claim = replace(
        THEOREM, id="own.seen", measure=replace(THEOREM.measure, id="mine", observable=observable)
    )
    (result,) = bc.measure(
        TABLE | {"claim": claim, "problem": {"kind": "pseudo-huber", "d": 3, "k": 3}}, tmp_path
    )
    assert result.verdict == "supported, given what is seen of mine"
    for engine in ("worst cases", "short runs"):
        assert refused(ENGINES[engine], claim, tmp_path).field == "measure.mine.observable"


def test_kinks_and_rounding_are_no_disagreement():
    class Kinked(LogCosh):
        """Half the square of the positive part, whose curvature jumps where a run starts."""

        def __init__(self):
            super().__init__(samples=1)
            self._targets = torch.zeros_like(self._targets)

        def loss(self, W):
            return self._ways(W).clamp(min=0).square().flatten(1).sum(1) / 2 + 1e6

        def sample_gradients(self, W):
            return self._ways(W).clamp(min=0)

        def batch_gradient(self, W, indices):
            return (W.unsqueeze(1) - self._targets[indices]).clamp(min=0).mean(1)

    for start in (torch.zeros(1, 3, 3), 1e-12 * torch.ones(1, 3, 3)):
        problem = Problem(Kinked(), make_adapter("full", torch.zeros(3, 3).double(), None, 1.0, {}))
        check_function(problem, (start.double(),))
