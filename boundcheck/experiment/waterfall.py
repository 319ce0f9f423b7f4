r"""The losses of a theorem on a run: from what was measured to the bound, inequality by inequality.

Each step of v - alpha g is an equation, which defines ell_t: :math:`F(v_{t+1}) = F(v_t) - \alpha\langle\nabla F,
g_t\rangle + (\alpha^2/2)\ell_t\|g_t\|^2`. So the sum over the steps that proves a theorem is an equation on every run,
and no constant in it is estimated. The proof then puts constants in place of what the run did, one after the other, as
the words of the claim say by their `Cost`: each factor between what was measured and the bound is exact.

Papers give the sums, in `SUMS` of their module `measured`.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import sympy as sp

from boundcheck.exact.digits import UP, shown
from boundcheck.experiment.audit import Evidence
from boundcheck.experiment.intervals import student_half_width, student_quantile
from boundcheck.experiment.schema import AtBest, Bar, Waterfall
from boundcheck.experiment.trace_values import SHARPEST, STEEPEST, Level, OnRun
from boundcheck.language.evidence import Audit
from boundcheck.language.hypotheses import Cost
from boundcheck.language.measures import SMOOTHNESS, PerformanceMeasure, Statistic
from boundcheck.language.sentence import words_of
from boundcheck.language.symbols import T, alpha
from boundcheck.language.vocabulary import SQUARE, EuclideanNorm, ell_t, g_t, t, v_t
from boundcheck.proofs import parts

# What these links are called.
_NOISE, _OWN = "noise", "the theorem's own slack"
# Constants that are nearer to each other are one.
_ALIKE = 1e-6
# Of a better step that would make the bound smaller by less than this factor nothing is said.
_WORTH_SAYING = 1.05


@dataclass(frozen=True)
class Sum:
    """A sum of a proof over the steps of v - alpha g: ``measure + noise = total`` on every run, whatever F is.

    Attributes:
        measure: what it bounds; a theorem about a smallest is served by the sum of the average.
        noise: 0 in expectation where minibatches are unbiased.
        total: over both ends of the run and what its steps did.

    """

    measure: PerformanceMeasure
    noise: sp.Expr
    total: sp.Expr

    def serves(self, measure: PerformanceMeasure) -> bool:
        """True if a theorem about this measure is proved by it."""
        over = measure.seen_over(is_stochastic=True)
        return measure.observable == self.measure.observable and over is self.measure.over


def mean(term: sp.Expr) -> sp.Expr:
    """The average over t of what is at v_t, or at the step from it."""
    return sp.Sum(term, (t, 1, T)) / T


class NoWaterfallError(ValueError):
    """A run has no waterfall; the message says why."""


@dataclass(frozen=True)
class _Rung:
    """A rung of a waterfall: the place where a link arrives.

    Attributes:
        label, why, rounding, is_chance: those of the link.
        level: the value.
        letters: those of the expression that it is the value of.
        is_cost: whether it is an inequality that the sum rests on, and can only rise where its hypothesis held.

    """

    label: str
    why: str
    level: Level
    rounding: float = 0.0
    letters: frozenset[sp.Symbol] = frozenset()
    is_chance: bool = False
    is_cost: bool = False


def waterfall(evidence: Evidence, audits: Sequence[Audit]) -> Waterfall:
    """The waterfall of a run, or, without links, why it has none."""
    try:
        fall = _Fall(evidence, audits, _sum_of(evidence), OnRun(evidence, _pace(evidence)))
        return fall.described()
    except NoWaterfallError as error:
        return Waterfall("", None, (), None, "", "", f"No waterfall: {error}.")


def _sum_of(evidence: Evidence) -> Sum:
    measure = evidence.spec.measure
    for part in parts("measured"):
        for each in getattr(part, "SUMS", ()):
            if each.serves(measure):
                found: Sum = each
                return found
    raise NoWaterfallError(f"no sum over the steps is known that bounds the {measure.title}")


def _pace(evidence: Evidence) -> float:
    """The step that the run took along each of its gradients."""
    algorithm, hypotheses = evidence.spec.algorithm, [each.id for each, _ in words_of(evidence.claim)]
    for row in evidence.sampling or ():
        # What is known of how the steps were made, and is no hypothesis of the theorem, is about its algorithm.
        if row.status == "failed" and row.hypothesis not in hypotheses:
            raise NoWaterfallError(f"the steps were not those of {algorithm.title}: {row.how}")
    if not algorithm.keeps_curves:
        raise NoWaterfallError(f"a step of {algorithm.title} is not along one gradient")
    if algorithm.constant_step is None:
        raise NoWaterfallError(f"the step of {algorithm.title} is not the same at every t")
    missing = {"slope", "step_length"} - set(evidence.record.trace)
    if missing:
        raise NoWaterfallError(f"the trace has no {min(missing)}")
    return float(algorithm.constant_step.subs({x: evidence.plan.numbers[x.name] for x in algorithm.parameters}))


@dataclass(frozen=True)
class _Fall:
    """A run, and the sum that its theorem is proved by."""

    evidence: Evidence
    audits: Sequence[Audit]
    sum: Sum
    on_run: OnRun

    def described(self) -> Waterfall:
        """The waterfall; raises NoWaterfallError for a run with values that are no finite numbers."""
        if not self.on_run.is_finite:
            raise NoWaterfallError("not all that was seen of the run are finite numbers")
        start, *rungs = self._rungs()
        bars, before = [], start
        for rung in rungs:
            bars.append(self._bar(before, rung))
            before = rung
        most, says = self._says(start, bars)
        return Waterfall(start.label, start.level.mean, tuple(bars), self._at_best(), most, self._covered(), says)

    def _rungs(self) -> Iterator[_Rung]:
        """The rungs from what was measured to the bound."""
        measured = self._measured()
        if self.evidence.spec.measure.over is Statistic.LEAST:
            least = float(self.evidence.spec.measure.seen(self.evidence).value.mean(0).min())
            yield self._constant("smallest seen", "", least)
        yield measured
        noise = self.on_run.level(self.sum.noise)
        off = measured.rounding + self.on_run.rounding(self.sum.noise)
        why = "⟨∇F, gₜ − ∇F⟩: luck, which is 0 in expectation where minibatches are unbiased"
        yield _Rung(_NOISE, why, measured.level.plus(noise), off, is_chance=True)
        why = "what happened between the audits: 0 in expectation over random audits, and 0 where every t is audited"
        yield self._rung("sampling of times", why, self.sum.total, is_chance=True)
        for cost, total in self._given_away:
            yield replace(self._rung(cost.label, cost.why, total), is_cost=True)
        if self._solved is not None and 0 < (value := self.on_run.number(self._solved)) < math.inf:
            why = "the average stands on both sides of the sum: its own bound takes its place on the right"
            yield self._constant("solved for the average", why, value)
        if 0 < (bound := self.evidence.plan.values["bound"]) < math.inf:
            yield self._constant(_OWN, "what the theorem says, beside what this sum says at the same constants", bound)

    def _measured(self) -> _Rung:
        """The rung of what the sum bounds: of each replica the average over t, or the last."""
        seen, over = self.evidence.spec.measure.seen(self.evidence), self.sum.measure.over
        shares = np.eye(seen.value.shape[1])[-1] if over is Statistic.LAST else self.evidence.record.schedule.weights
        level = Level(np.zeros((len(seen.value), 1)), seen.value * shares)
        why = "the smallest of T numbers is at most their average, and the smallest that was seen is low by chance too"
        return _Rung(
            f"{over.word} over t" if over is Statistic.AVERAGE else over.word,
            why,
            level,
            float(((seen.high - seen.value) @ shares).mean()),
        )

    def _rung(self, label: str, why: str, total: sp.Expr, is_chance: bool = False) -> _Rung:
        level, off = self.on_run.level(total), self.on_run.rounding(total)
        return _Rung(label, why, level, off, frozenset(total.free_symbols), is_chance)

    def _constant(self, label: str, why: str, value: float) -> _Rung:
        shape = self.evidence.record.schedule.times.shape
        return _Rung(label, why, Level(np.full((shape[0], 1), value), np.zeros(shape)))

    @cached_property
    def _given_away(self) -> list[tuple[Cost, sp.Expr]]:
        """Each cost of the theorem, first of F, then of the noise, with the sum once it replaces what the run did."""
        words = [word for _, word in words_of(self.evidence.claim) if word is not None]
        about_f, about_noise = ([w.cost for w in words if w.cost and w.is_about_noise is x] for x in (False, True))
        costs = [*about_f, *self._of_smoothness(), *about_noise]
        # Without noise g_t is the gradient.
        alike = {} if self.evidence.spec.is_stochastic else {EuclideanNorm(g_t) ** 2: SQUARE}
        found, now = [], self.sum.total.xreplace(alike)
        for cost in costs:
            before, now = now, now.xreplace(dict(cost.instead))
            found += [(cost, now)] if now != before else []
        return found

    def _of_smoothness(self) -> list[Cost]:
        """The costs from the smoothness that the steps needed, through what was seen and is known, to the theorem's."""
        claim, constant = self.evidence.claim, SMOOTHNESS.cost
        if SMOOTHNESS.letter not in claim.names:
            return []
        why = "the smoothness along the steepest step that was looked at stands for that along each"
        found = [Cost("the largest ℓₜ for ℓₜ", ((ell_t, STEEPEST),), why)]
        before = STEEPEST
        if self.on_run.sharpest < self.evidence.plan.smoothness * (1 - _ALIKE):
            why = "the least constant that a lemma gives for the whole domain stands for the largest along the run"
            found.append(Cost("the sharpest L̂ for that", ((before, SHARPEST),), why))
            before = SHARPEST
        return [*found, replace(constant, instead=tuple((before, value) for _, value in constant.instead))]

    @cached_property
    def _solved(self) -> sp.Expr | None:
        """The bound on the average that the sum gives, where the average alone is left in it of what the run did."""
        if not self._given_away or self.sum.measure.observable.expression(v_t) != SQUARE:
            return None
        average = sp.Dummy()
        total = self._given_away[-1][1].xreplace({SQUARE: average}).doit()
        if any(total.has(node) for node in self.on_run.seen):
            return None
        share = sp.diff(total, average)
        return None if share.has(average) else total.xreplace({average: sp.Integer(0)}) / (1 - share)

    def _at_best(self) -> AtBest | None:
        """The step at which the same sum, at the same constants, gives the least bound, if that is much smaller."""
        if self._solved is None:
            return None
        known = {x: sp.Float(self.on_run.number(x)) for x in self._solved.free_symbols - {alpha}}
        bound = self._solved.xreplace(known)
        slope = sp.Poly(sp.numer(sp.together(sp.diff(bound, alpha))), alpha)
        roots = [float(x.real) for x in np.roots([float(c) for c in slope.all_coeffs()]) if x.real > 0 == x.imag]
        # Where the sum divides by 0 it bounds nothing.
        values = [(bound.xreplace({alpha: sp.Float(x)}), x) for x in roots]
        found = [(float(value), x) for value, x in values if value.is_finite]
        least, step = min(((value, x) for value, x in found if value > 0), default=(math.inf, math.inf))
        factor = self.on_run.number(self._solved) / least
        return AtBest(step, least, factor) if _WORTH_SAYING < factor < math.inf else None

    def _bar(self, before: _Rung, rung: _Rung) -> Bar:
        start, value = before.level.mean, rung.level.mean
        lower, upper = self._interval(rung, rung.level.plus(before.level, -1))
        fell = value + rung.rounding < start and (upper is None or upper < 0)
        return Bar(
            label=rung.label,
            value=value,
            factor=value / start if start > 0 else None,
            why=rung.why,
            valid=not (rung.is_cost and fell),
            is_chance=rung.is_chance,
            lower=lower,
            upper=upper,
            rounding=rung.rounding,
            estimated=self._estimated(rung.letters - before.letters),
        )

    def _estimated(self, letters: frozenset[sp.Symbol]) -> tuple[str, ...]:
        """The names of these letters, and of those that they are made of, that nothing vouches for, by the audits."""
        claim, names = self.evidence.claim, {str(x.name) for x in letters}
        names = names.union(*({str(x) for x in claim.expression(each).free_symbols} for each in names & {*claim.names}))
        return tuple(sorted(names & {each.symbol for each in self.audits if each.status == "assumed"}))

    def _interval(self, rung: _Rung, added: Level) -> tuple[float, float] | tuple[None, None]:
        """The interval of what a link adds: over replicas; of a single one over the times of its audits.

        Noise is a sum of martingale differences, whose squares say how far it is from 0 by chance, in one run too.
        """
        schedule, level = self.evidence.record.schedule, self.evidence.spec.run.level
        values, center, terms = added.values, added.mean, added.parts[0]
        if len(values) > 1:
            half = float(student_half_width(values.std(ddof=1), len(values), level))
        elif rung.label == _NOISE and self.evidence.spec.is_stochastic and not self.evidence.partial:
            half = student_quantile(level, len(terms) + 1) * float(np.sqrt((terms**2).sum()))
        elif schedule.is_every_step or not schedule.at_random or (np.diff(schedule.edges) > 1).sum() < 2:
            return None, None
        else:
            spread, pairs = _spread_over_times(terms, np.diff(schedule.edges))
            half = student_quantile(level, pairs + 1) * spread
        return center - half, center + half

    def _covered(self) -> str:
        """A text that says what the intervals are over."""
        schedule, spec = self.evidence.record.schedule, self.evidence.spec
        if len(schedule.times) > 1:
            return "Student's intervals over replicas, each with its own minibatches and audit times (asymptotic)"
        if schedule.is_every_step:
            over = "exact of this run but for rounding"
        elif schedule.at_random:
            over = "intervals over the times of the audits (asymptotic)"
        else:
            over = "no interval over times, since audits came at equal distances"
        if not spec.is_stochastic:
            return over
        noise = "" if self.evidence.partial else ", but for noise, with an interval of its own (asymptotic)"
        return f"{over}; one replica says nothing of other minibatches{noise}"

    def _says(self, start: _Rung, bars: Sequence[Bar]) -> tuple[str, str]:
        """The label of the link that costs most, and what there is to say, in a few sentences."""
        # What the sum is about begins at the average, where a theorem about a smallest arrives first.
        least = bars[0] if self.evidence.spec.measure.over is Statistic.LEAST else None
        name, value, links = (least.label, least.value, bars[1:]) if least else (start.label, start.level.mean, bars)
        end, costs = links[-1], [each for each in links if not each.is_chance and each.factor is not None]
        if not value or not value > 0 or not end.value or not costs:
            return "", f"The {name} that was measured is not positive, so that nothing is a factor of it."
        most = max(costs, key=lambda each: each.factor or 0.0)
        text = f"From the {name} that was measured, {value:.3g}, to {shown(end.value, 3, UP)} is a factor of "
        text += f"{end.value / value:.3g}. The largest part of it, ×{most.factor:.3g}, is “{most.label}”: {most.why}."
        for each in most.estimated:
            text += f" {each} is only estimated."
        if end.label != _OWN:
            text += " The way ends before the bound: at this step, or without a constant, the sum says no more."
        if least and least.factor and least.factor > _WORTH_SAYING:
            text += f" The smallest that was seen is a factor of {least.factor:.3g} below that average."
        broken = ", ".join(f"“{each.label}”" for each in costs if not each.valid)
        if broken:
            text += f" The value falls at {broken}: the run broke what stands there."
        if (best := self._at_best()) is not None:
            text += f" With steps of {best.step:.3g} in place of {self.on_run.pace:.3g} the same sum would bound the "
            text += f"average by {shown(best.bound, 3, UP)}, which is {best.factor:.3g} times less."
        return most.label, text


def _spread_over_times(parts: np.ndarray, sizes: np.ndarray) -> tuple[float, int]:
    r"""The standard deviation of a sum over strata with one random time in each, and the number of its pairs.

    Of two neighbouring strata, of sizes n_a and n_b and with terms h, it takes :math:`\max(n_a, n_b)^2(h_a - h_b)^2`
    for the variance, which is no less in expectation. Strata of one time have none; the last of an odd number is held
    against the one before it. (Cochran, Sampling Techniques, 1977, section 5A.12, on collapsed strata.)
    """
    some = sizes > 1
    sizes, terms = sizes[some], parts[some] / sizes[some]
    pairs = len(sizes) // 2
    variance = 0.0
    for a, b in ((2 * i, 2 * i + 1) for i in range(pairs)):
        variance += max(sizes[a], sizes[b]) ** 2 * (terms[a] - terms[b]) ** 2
    if len(sizes) % 2:
        variance += sizes[-1] ** 2 * (terms[-1] - terms[-2]) ** 2
    return math.sqrt(variance), pairs
