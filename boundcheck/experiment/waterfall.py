r"""What each inequality of a proof gives away: of a lemma between two points, and of a theorem on a
run.

A chain of Lemma 1 starts at ‖∇F(v_1) - ∇F(v_2)‖ / ‖v_1 - v_2‖ and ends at a lemma's constant. Each
link says what it replaces by what, as the paper or the proof script of that name does; on valid
links the value can only grow.

On a run, each step of v - alpha g is an equation, which defines ell_t: :math:`F(v_{t+1}) = F(v_t) -
\alpha\langle\nabla F, g_t\rangle + (\alpha^2/2)\ell_t\|g_t\|^2`. So the sum over the steps that
proves a theorem is an equation on every run, and no constant in it is estimated. The proof then
puts constants in place of what the run did, one after the other, as the words of the claim say by
their `Cost`: each factor between what was measured and the bound is exact.

Papers give the chains in `CHAINS`, and the sums in `SUMS`, of their module `measured`.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
import torch
from torch import Tensor

from boundcheck.exact.digits import UP, shown
from boundcheck.exact.evaluate import Model, VectorFunction, t
from boundcheck.exact.floats import Approx, ApproxMatrix, Rounded
from boundcheck.experiment.audit import Evidence, known_ends
from boundcheck.experiment.result import AtBest, Bar, Chain, Waterfall
from boundcheck.experiment.result import Link as Arrived
from boundcheck.experiment.statistics import spread_over_times, student_half_width, student_quantile
from boundcheck.functions.adapters import ADAPTERS, Adapter, Radii
from boundcheck.functions.arithmetic import Point
from boundcheck.functions.problem import Problem
from boundcheck.language import vocabulary
from boundcheck.language.claim import Claim
from boundcheck.language.evidence import Audit
from boundcheck.language.hypotheses import LEAST, Cost
from boundcheck.language.measures import SMOOTHNESS, PerformanceMeasure, Statistic
from boundcheck.language.sentence import words_of
from boundcheck.language.symbols import C, G, L, T, a, alpha, b, f_star, r, sigma
from boundcheck.language.vocabulary import (
    SLOPE,
    SQUARE,
    EuclideanNorm,
    F,
    Gradient,
    InnerProduct,
    Value,
    ell_t,
    f,
    g_t,
)
from boundcheck.proofs import parts

_v1 = vocabulary.v1
_v2 = vocabulary.v2
_START = EuclideanNorm(Gradient(F, _v1) - Gradient(F, _v2)) / EuclideanNorm(_v1 - _v2)


@dataclass(frozen=True)
class Link:
    """A link of a paper's chain: what the proof calls it, the quantity that it arrives at, and why
    it is no less.
    """

    label: str
    quantity: sp.Expr
    why: str
    valid: bool = True


@cache
def chains() -> dict[str, tuple[Link, ...]]:
    """The chains that papers give in `CHAINS` of their module `measured`, by version."""
    return {
        version: links
        for each in parts("measured")
        for version, links in getattr(each, "CHAINS", {}).items()
    }


@cache
def _claims() -> list[Claim]:
    """The claims whose constants the letters of the chains stand for."""
    return [claim for each in parts("measured") for claim in getattr(each, "CONSTANTS_OF", ())]


def has_chains(adapter: Adapter | type[Adapter]) -> bool:
    """True if the chains are proofs of a claim about the adapter."""
    return any(adapter.is_subject_of(claim) for claim in _claims())


def slack(
    problem: Problem, v: Point, w: Point, radii: Radii, lipschitz: str = LEAST
) -> list[Chain]:
    """Every chain at two points of LoRA, R = 1, different and in the domain; raises TypeError for
    another adapter.

    A scale s is taken into f, as X -> f(W0 + sX), and W is X = BA.
    """
    if not has_chains(problem.adapter):
        about = ", ".join(adapter.title for adapter in ADAPTERS.values() if has_chains(adapter))
        raise TypeError(f"{problem.adapter.title}: the chains are proofs about {about}")
    do = Rounded(torch.float64, str(v[0].device))
    scale = float(getattr(problem.adapter, "scale", 1.0))

    def weight(X: ApproxMatrix) -> Tensor:
        return problem.adapter.W0 + scale * X.value.unsqueeze(0)

    def batched(point: tuple[ApproxMatrix, ...]) -> Point:
        return tuple(part.value.unsqueeze(0) for part in point)

    in_w = VectorFunction(
        lambda X: Approx(problem.objective.loss(weight(X[0])).item(), 0.0),
        lambda X: (do.exact(scale * problem.objective.gradient(weight(X[0]))[0]),),
    )
    in_v = VectorFunction(
        lambda x: Approx(problem.loss(batched(x)).item(), 0.0),
        lambda x: tuple(do.exact(part[0]) for part in problem.gradient(batched(x))),
    )
    matrices: dict[sp.MatrixSymbol, tuple[ApproxMatrix, ...]] = {}
    for point, index in ((v, "1"), (w, "2")):
        A, B, W, both = (getattr(vocabulary, letter + index) for letter in "ABWv")
        left, right = (do.exact(part[0]) for part in point)
        matrices |= {A: (left,), B: (right,), W: (do.product(right, left),), both: (left, right)}
    given = [problem.theory_inputs(claim, radii, lipschitz) for claim in _claims()]
    constants = {name: float(value) for inputs in given for name, value in inputs.items()}
    numbers = {x: Approx(constants[str(x)], 0.0) for x in (L, G, C, sigma, r, a, b)}
    model = Model(do, numbers=numbers, matrices=matrices, functions={f: in_w, F: in_v})

    found = []
    for version, chain in chains().items():
        links = []
        measured = model.number(_START).value
        before = measured
        for link in chain:
            value = model.number(link.quantity).value
            links.append(
                Arrived(
                    link.label, value, value / before if before > 0 else None, link.why, link.valid
                )
            )
            before = value
        found.append(Chain(version, measured, tuple(links)))
    return found


STEEPEST = sp.Symbol("largest_ell_t", real=True)
"""The largest ell_t that was seen, its rounding error taken off."""
SHARPEST = sp.Symbol("sharpest_Lhat", real=True)
"""The least of all that is known to bound it, of a problem whose constants are known."""


# A level is a number of each replica, shape (R, 1 + M): first the part that does not vary with t,
# then what each audit adds.
Level = np.ndarray


def _numbers(level: Level) -> np.ndarray:
    """The number of each replica, shape (R,)."""
    return level[:, 0] + level[:, 1:].sum(1)


class _Seen(NamedTuple):
    """Values, and by how much they may be off: shape (R, M), or of an end of the run (R, 1)."""

    value: np.ndarray
    error: np.ndarray


# What a run shows, and the letter that stands for each while it is computed.
_SHOWN = (
    SQUARE,
    InnerProduct(SLOPE, g_t),
    EuclideanNorm(g_t) ** 2,
    ell_t,
    STEEPEST,
    Value(F, vocabulary.v_t),
    Value(F, vocabulary.v_first),
    Value(F, vocabulary.v_last),
)
_LETTER = {node: sp.Dummy() for node in _SHOWN}


@cache
def _parted(expression: sp.Expr) -> tuple[sp.Expr, list[tuple[sp.Symbol, sp.Sum]]]:
    """An expression with letters in place of its sums over t, and what they stand for."""
    sums = {total: sp.Dummy() for total in expression.atoms(sp.Sum)}
    return expression.xreplace(sums), [(letter, total) for total, letter in sums.items()]


@cache
def _compiled(expression: sp.Expr) -> tuple[list[sp.Symbol], Callable[..., Any]]:
    """The letters of an expression, with those of what is shown, and its value as a function of
    them.
    """
    plain = sp.sympify(expression, strict=True).xreplace(_LETTER)
    letters = sorted(plain.free_symbols, key=str)
    return letters, sp.lambdify(letters, plain, "numpy")


@dataclass(frozen=True)
class Sum:
    """A sum of a proof over the steps of v - alpha g: ``measure + noise = total`` on every run,
    whatever F is.
    """

    # what it bounds; a theorem about a smallest is served by the sum of the average
    measure: PerformanceMeasure
    noise: sp.Expr  # 0 in expectation where minibatches are unbiased
    total: sp.Expr  # over both ends of the run and what its steps did


class NoWaterfallError(ValueError):
    """A run has no waterfall; the message says why."""


@dataclass(frozen=True)
class OnRun:
    """The values of expressions on a run of v - alpha g, where g_t is the step that was taken.

    What is at v_t is read off its trace, and a sum over t is estimated by its audits. Raises
    NoWaterfallError for a run of which there is no such sum.
    """

    evidence: Evidence

    @cached_property
    def sum(self) -> Sum:
        """The sum that the run's theorem is proved by."""
        measure = self.evidence.spec.measure
        # One about a smallest is served by the sum of the average.
        asked = measure.observable, measure.seen_over(is_stochastic=True)
        sums: list[Sum] = [each for part in parts("measured") for each in getattr(part, "SUMS", ())]
        for each in sums:
            if (each.measure.observable, each.measure.over) == asked:
                return each
        raise NoWaterfallError(f"no sum over the steps is known that bounds the {measure.title}")

    @cached_property
    def pace(self) -> float:
        """The step alpha that the run took along each of its gradients."""
        evidence = self.evidence
        algorithm = self.evidence.spec.algorithm
        hypotheses = [each.id for each, _ in words_of(evidence.claim)]
        for row in evidence.sampling or ():
            # What is known of how the steps were made, and is no hypothesis of the theorem, is
            # about its algorithm.
            if row.status == "failed" and row.hypothesis not in hypotheses:
                raise NoWaterfallError(f"the steps were not those of {algorithm.title}: {row.how}")
        if not algorithm.keeps_curves:
            raise NoWaterfallError(f"a step of {algorithm.title} is not along one gradient")
        if algorithm.constant_step is None:
            raise NoWaterfallError(f"the step of {algorithm.title} is not the same at every t")
        missing = {"slope", "step_length"} - set(evidence.record.trace)
        if missing:
            raise NoWaterfallError(f"the trace has no {min(missing)}")
        return float(
            algorithm.constant_step.subs(
                {x: evidence.plan.numbers[x.name] for x in algorithm.parameters}
            )
        )

    @cached_property
    def numbers(self) -> dict[str, float]:
        """Constants by name: those of the plan, the infimum of F, and alpha."""
        plan = self.evidence.plan
        known = {name: float(x) for name, x in (plan.inputs | plan.values | plan.numbers).items()}
        own = {
            f_star: self.evidence.function.infimum.value,
            alpha: self.pace,
            SHARPEST: self.sharpest,
        }
        return known | {x.name: value for x, value in own.items()}

    @cached_property
    def sharpest(self) -> float:
        """The least constant that is known to bound the smoothness along the steps; infinite where
        none is.
        """
        ends = known_ends(self.evidence) if self.evidence.function.is_known else []
        return min((end.value for end in ends), default=math.inf)

    @cached_property
    def seen(self) -> dict[sp.Expr, _Seen]:
        r"""The values that the trace and both ends of the run show, and by how much they may be
        off.

        The errors are those that the trace has: that of a slope is no more than that of the part of
        second order, :math:`\ell_t\|\Delta\|^2/2`, in which it enters.
        """
        function = self.evidence.function
        trace = self.evidence.record.trace
        names = ("loss", "loss_error", "gradient_square_norm", "slope")
        loss, loss_error, square, slope = (trace[name].values for name in names)
        length, ell, off = (
            trace[name].values
            for name in ("step_length", "path_smoothness", "path_smoothness_error")
        )
        exact = np.zeros_like(length)
        ends = []
        for v in (self.evidence.start.v, self.evidence.record.last):
            at_end = function.loss(v)
            columns = (
                x.cpu().numpy().astype(float)[:, None]
                for x in (at_end, function.rounding(v, at_end)[0])
            )
            # v_1 is one for all replicas.
            ends.append(_Seen(*(np.broadcast_to(x, (len(ell), 1)) for x in columns)))
        return {
            SQUARE: _Seen(square, trace["gradient_square_norm_error"].values),
            InnerProduct(SLOPE, g_t): _Seen(-slope / self.pace, off * length**2 / (2 * self.pace)),
            EuclideanNorm(g_t) ** 2: _Seen((length / self.pace) ** 2, exact),
            ell_t: _Seen(ell, off),
            STEEPEST: _Seen(np.full((len(ell), 1), (ell - off).max()), np.zeros((len(ell), 1))),
            Value(F, vocabulary.v_t): _Seen(loss, loss_error),
            Value(F, vocabulary.v_first): ends[0],
            Value(F, vocabulary.v_last): ends[1],
        }

    def level(self, expression: sp.Expr, off: sp.Expr | None = None) -> Level:
        """The value of an expression that is affine in sums over t, with `off` as far too large as
        it may be.
        """
        schedule = self.evidence.record.schedule
        outside, sums = _parted(expression)
        added = {}
        for letter, total in sums:
            # Each audit's term, for as many t as it stands for.
            index, *ends = total.limits[0]
            term = self._value(total.function, {index: schedule.times.astype(float)}, off)
            low, high = map(self.number, ends)
            counted = (schedule.times >= low) & (schedule.times <= high)
            added[letter] = np.where(counted, term, 0.0) * schedule.weights * self.numbers[T.name]
        shape = schedule.times.shape
        base = np.broadcast_to(self._value(outside, dict.fromkeys(added, 0.0), off), (shape[0], 1))
        return np.hstack([base, np.broadcast_to(self._value(outside, added, off), shape) - base])

    def _value(
        self, expression: sp.Expr, given: Mapping[sp.Symbol, Any], off: sp.Expr | None
    ) -> Any:
        """The value of an expression without sums; infinite, or NaN, where it divides by 0."""
        letters, function = _compiled(expression)
        known = {
            _LETTER[node]: x.value + x.error if node == off else x.value
            for node, x in self.seen.items()
        }
        values = [
            given[x] if x in given else known[x] if x in known else self.numbers[x.name]
            for x in letters
        ]
        with np.errstate(all="ignore"):
            try:
                return np.asarray(function(*values), dtype=float)
            except ZeroDivisionError:
                # Python's numbers raise where numpy's are infinite, or no number.
                return np.asarray(function(*map(np.asarray, values)), dtype=float)

    def rounding(self, expression: sp.Expr) -> float:
        """The amount by which the mean over replicas may be off, by the rounding errors of all that
        was seen.
        """
        exact = _numbers(self.level(expression))
        moved = [
            _numbers(self.level(expression, node)) - exact
            for node in _SHOWN
            if expression.has(node)
        ]
        return float(sum(np.abs(each).mean() for each in moved))

    def number(self, expression: sp.Expr) -> float:
        """The value of an expression over constants alone."""
        return float(self._value(expression, {}, None))

    @cached_property
    def costs(self) -> list[tuple[Cost, sp.Expr]]:
        """Each cost of the theorem, first of F, then of the noise, with the sum once it replaces
        what the run did.
        """
        evidence = self.evidence
        words = [word for _, word in words_of(self.evidence.claim) if word and word.cost]
        costs = [word.cost for word in words if not word.is_about_noise]
        if SMOOTHNESS.letter in evidence.claim.names:
            # From the smoothness that the steps needed, through what was seen and is known, to the
            # theorem's.
            why = (
                "the smoothness along the steepest step that was looked at stands for that along"
                " each"
            )
            costs.append(Cost("the largest ℓₜ for ℓₜ", ((ell_t, STEEPEST),), why))
            before = STEEPEST
            if self.sharpest < evidence.plan.smoothness * (1 - _ALIKE):
                why = (
                    "the least constant that a lemma gives for the whole domain stands for the"
                    " largest along the run"
                )
                costs.append(Cost("the sharpest L̂ for that", ((before, SHARPEST),), why))
                before = SHARPEST
            constant = SMOOTHNESS.cost
            costs.append(
                replace(constant, instead=tuple((before, value) for _, value in constant.instead))
            )
        costs += [word.cost for word in words if word.is_about_noise]
        # Without noise g_t is the gradient.
        now = self.sum.total
        costly = []
        if not evidence.spec.is_stochastic:
            now = now.xreplace({EuclideanNorm(g_t) ** 2: SQUARE})
        for cost in filter(None, costs):
            before = now
            now = now.xreplace(dict(cost.instead))
            if now != before:
                costly.append((cost, now))
        return costly

    @cached_property
    def solution(self) -> sp.Expr | None:
        """The bound on the average that the sum gives, where of what the run did the average alone
        is left in it.
        """
        if not self.costs or self.sum.measure.observable.expression(vocabulary.v_t) != SQUARE:
            return None
        average = sp.Dummy()
        total = self.costs[-1][1].xreplace({SQUARE: average}).doit()
        if any(total.has(node) for node in self.seen):
            return None
        share = sp.diff(total, average)
        return (
            None if share.has(average) else total.xreplace({average: sp.Integer(0)}) / (1 - share)
        )


# What these links are called.
_NOISE = "noise"
_OWN = "the theorem's own slack"
# Constants that are nearer to each other are one.
_ALIKE = 1e-6
# Of a better step that would make the bound smaller by less than this factor nothing is said.
_WORTH_SAYING = 1.05


def mean(term: sp.Expr) -> sp.Expr:
    """The average over t of what is at v_t, or at the step from it."""
    return sp.Sum(term, (t, 1, T)) / T


@dataclass(frozen=True)
class _Rung:
    """A rung of a waterfall, where a link arrives: its value, and the letters of the expression
    behind it.

    A cost is an inequality that the sum rests on, which can only rise where its hypothesis held.
    """

    label: str
    why: str
    level: Level
    rounding: float = 0.0
    letters: frozenset[sp.Symbol] = frozenset()
    is_chance: bool = False
    is_cost: bool = False

    @property
    def mean(self) -> float:
        return float(_numbers(self.level).mean())


def waterfall(evidence: Evidence, audits: Sequence[Audit]) -> Waterfall:
    """The waterfall of a run, or, without links, why it has none."""
    try:
        on_run = OnRun(evidence)
        # Each says why there is none; a theorem's reason comes before that of its run.
        _ = on_run.sum, on_run.pace
        if any(math.isnan(float(x)) for x in evidence.plan.inputs.values()):
            raise NoWaterfallError("a constant of the theorem was not measured, for rounding error")
        if not all(np.isfinite(each.value).all() for each in on_run.seen.values()):
            raise NoWaterfallError("not all that was seen of the run are finite numbers")
    except NoWaterfallError as error:
        return Waterfall("", None, (), None, "", "", f"No waterfall: {error}.")
    rungs = list(_rungs(on_run))
    bars = [_bar(evidence, audits, before, rung) for before, rung in pairwise(rungs)]
    best = None if on_run.solution is None else _at_best(on_run, on_run.solution)

    schedule = evidence.record.schedule
    if len(schedule.times) > 1:
        covered = (
            "Student's intervals over replicas, each with its own minibatches and audit times"
            " (asymptotic)"
        )
    else:
        covered = "no interval over times, since audits came at equal distances"
        if schedule.is_every_step:
            covered = "exact of this run but for rounding"
        elif schedule.at_random:
            covered = "intervals over the times of the audits (asymptotic)"
        if evidence.spec.is_stochastic:
            covered += "; one replica says nothing of other minibatches"
            covered += (
                ""
                if evidence.partial
                else ", but for noise, with an interval of its own (asymptotic)"
            )
    most, says = _says(on_run, rungs[0], bars, best)
    return Waterfall(rungs[0].label, rungs[0].mean, tuple(bars), best, most, covered, says)


def _rungs(on_run: OnRun) -> Iterator[_Rung]:
    evidence = on_run.evidence
    found = on_run.sum
    solution = on_run.solution
    over = on_run.sum.measure.over
    schedule = evidence.record.schedule
    seen = evidence.spec.measure.seen(evidence)
    shape = schedule.times.shape

    def constant(label: str, why: str, value: float) -> _Rung:
        return _Rung(label, why, np.hstack([np.full((shape[0], 1), value), np.zeros(shape)]))

    def rung(label: str, why: str, total: sp.Expr, **kind: bool) -> _Rung:
        return _Rung(
            label,
            why,
            on_run.level(total),
            on_run.rounding(total),
            frozenset(total.free_symbols),
            **kind,
        )

    if evidence.spec.measure.over is Statistic.LEAST:
        yield constant("smallest seen", "", float(seen.value.mean(0).min()))
    # What the sum bounds: of each replica the average over t, or the last.
    shares = np.eye(seen.value.shape[1])[-1] if over is Statistic.LAST else schedule.weights
    level = np.hstack([np.zeros((shape[0], 1)), seen.value * shares])
    off = float(((seen.high - seen.value) @ shares).mean())
    why = (
        "the smallest of T numbers is at most their average, and the smallest that was seen is low"
        " by chance too"
    )
    yield _Rung(f"{over.word} over t" if over is Statistic.AVERAGE else over.word, why, level, off)
    why = "⟨∇F, gₜ − ∇F⟩: luck, which is 0 in expectation where minibatches are unbiased"
    level = level + on_run.level(found.noise)
    off = off + on_run.rounding(found.noise)
    yield _Rung(_NOISE, why, level, off, is_chance=True)
    why = (
        "what happened between the audits: 0 in expectation over random audits, and 0 where every t"
        " is audited"
    )
    yield rung("sampling of times", why, found.total, is_chance=True)
    for cost, total in on_run.costs:
        yield rung(cost.label, cost.why, total, is_cost=True)
    if solution is not None and 0 < (value := on_run.number(solution)) < math.inf:
        why = (
            "the average stands on both sides of the sum: its own bound takes its place on the"
            " right"
        )
        yield constant("solved for the average", why, value)
    if 0 < (bound := evidence.plan.values["bound"]) < math.inf:
        yield constant(
            _OWN, "what the theorem says, beside what this sum says at the same constants", bound
        )


def _at_best(on_run: OnRun, solution: sp.Expr) -> AtBest | None:
    """The step at which the same sum, at the same constants, gives the least bound, if that is much
    smaller.
    """
    known = {x: sp.Float(on_run.number(x)) for x in solution.free_symbols - {alpha}}
    bound = solution.xreplace(known)
    slope = sp.Poly(sp.numer(sp.together(sp.diff(bound, alpha))), alpha)
    roots = [
        float(x.real)
        for x in np.roots([float(c) for c in slope.all_coeffs()])
        if x.real > 0 == x.imag
    ]
    # Where the sum divides by 0 it bounds nothing.
    values = [(bound.xreplace({alpha: sp.Float(x)}), x) for x in roots]
    found = [(float(value), x) for value, x in values if value.is_finite]
    least, step = min(((value, x) for value, x in found if value > 0), default=(math.inf, math.inf))
    factor = on_run.number(solution) / least
    return AtBest(step, least, factor) if _WORTH_SAYING < factor < math.inf else None


def _bar(evidence: Evidence, audits: Sequence[Audit], before: _Rung, rung: _Rung) -> Bar:
    """The link between two rungs, with the interval of what it adds.

    The interval is over replicas; of a single one it is over the times of its audits.
    """
    schedule = evidence.record.schedule
    spec = evidence.spec
    claim = evidence.claim
    start = before.mean
    value = rung.mean
    added = rung.level - before.level
    values = _numbers(added)
    terms = added[0, 1:]
    sizes = np.diff(schedule.edges)
    center = float(values.mean())
    half = None
    if len(values) > 1:
        half = float(student_half_width(values.std(ddof=1), len(values), spec.run.level))
    elif rung.label == _NOISE and spec.is_stochastic and not evidence.partial:
        # A sum of martingale differences, whose squares say how far it is from 0 by chance, in one
        # run too.
        half = student_quantile(spec.run.level, len(terms) + 1) * float(np.sqrt((terms**2).sum()))
    elif not schedule.is_every_step and schedule.at_random and (sizes > 1).sum() >= 2:
        spread, pairs = spread_over_times(terms, sizes)
        half = student_quantile(spec.run.level, pairs + 1) * spread
    upper = None if half is None else center + half
    fell = value + rung.rounding < start and (upper is None or upper < 0)
    # The constants that enter, and those that they are made of, that nothing vouches for.
    names = {x.name for x in rung.letters - before.letters}
    names = names.union(
        *({str(x) for x in claim.expression(each).free_symbols} for each in names & {*claim.names})
    )
    return Bar(
        label=rung.label,
        value=value,
        factor=value / start if start > 0 else None,
        why=rung.why,
        # A fall by chance, or of what was seen at some iterates alone, breaks nothing.
        valid=not (
            rung.is_cost
            and fell
            and names & {each.symbol for each in audits if each.status == "failed"}
        ),
        is_chance=rung.is_chance,
        lower=None if half is None else center - half,
        upper=upper,
        rounding=rung.rounding,
        estimated=tuple(
            sorted(names & {each.symbol for each in audits if each.status == "assumed"})
        ),
    )


def _says(on_run: OnRun, start: _Rung, bars: Sequence[Bar], best: AtBest | None) -> tuple[str, str]:
    """The label of the link that costs most, and what there is to say, in a few sentences."""
    # What the sum is about begins at the average, where a theorem about a smallest arrives first.
    least = bars[0] if on_run.evidence.spec.measure.over is Statistic.LEAST else None
    name, value, links = (
        (least.label, least.value, bars[1:]) if least else (start.label, start.mean, bars)
    )
    end = links[-1]
    costs = [each for each in links if not each.is_chance and each.factor is not None]
    if not value or not value > 0 or not end.value or not costs:
        return (
            "",
            f"The {name} that was measured is not positive, so that nothing is a factor of it.",
        )
    most = max(costs, key=lambda each: each.factor or 0.0)
    text = (
        f"From the {name} that was measured, {value:.3g}, to {shown(end.value, 3, UP)} is a"
        " factor of "
        f"{end.value / value:.3g}. The largest part of it, ×{most.factor:.3g}, is “{most.label}”:"
        f" {most.why}."
    )
    for each in most.estimated:
        text += f" {each} is only estimated."
    if end.label != _OWN:
        text += (
            " The way ends before the bound: at this step, or without a constant, the sum says no"
            " more."
        )
    if least and least.factor and least.factor > _WORTH_SAYING:
        text += f" The smallest that was seen is a factor of {least.factor:.3g} below that average."
    broken = ", ".join(f"“{each.label}”" for each in costs if not each.valid)
    if broken:
        text += f" The value falls at {broken}: the run broke what stands there."
    if best is not None:
        text += (
            f" With steps of {best.step:.3g} in place of {on_run.pace:.3g} the same sum would bound"
            " the "
            f"average by {shown(best.bound, 3, UP)}, which is {best.factor:.3g} times less."
        )
    return most.label, text
