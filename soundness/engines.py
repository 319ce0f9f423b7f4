"""Claims whose truth is known, put to every engine; the answers are held against it and against
each other.

An exact run on a function of one number decides a claim's truth, and is its instance to be judged.
It is written from
the definitions, in rational numbers: nothing of it is taken from the engines.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import count, islice, pairwise
from pathlib import Path
from typing import Any, Literal

import sympy as sp

from boundcheck.errors import InputError
from boundcheck.exact.balls import number
from boundcheck.exact.evaluate import Paths, VectorFunction, rational_value
from boundcheck.experiment import measure
from boundcheck.kernel import KernelError
from boundcheck.language import evidence
from boundcheck.language.algorithms import Algorithm, LinearMethod
from boundcheck.language.claim import Claim
from boundcheck.language.evidence import HOLDS, UNKNOWN, Extent, Instance
from boundcheck.language.judge import meets
from boundcheck.language.sentence import algorithm_of, is_about_smoothness
from boundcheck.language.vocabulary import v, v_star
from boundcheck.proof import Script, judge
from boundcheck.properties import ClaimViolatedError, check_claim
from boundcheck.properties.session import using
from boundcheck.verdicts import Verdict
from boundcheck.worst_case import falsify
from boundcheck.worst_case.program import NotSolvedError
from boundcheck.worst_case.search import Search
from boundcheck.worst_case.worst_case import WorstCase
from soundness.edits import written_out
from soundness.exact_model import Curve, ExactModel, Number
from soundness.proofs import scripts, verdict_on
from soundness.runs import Table
from soundness.trial import Answer, Mutant, varied

Slope = Callable[[Fraction], Fraction]
Numbers = Mapping[str, Fraction]
Follow = Callable[[Slope, Fraction, Numbers], Iterator[Fraction]]
"""An algorithm: from F', v_1 and the numbers, all iterates that are known, as its paper prints
them."""
_SIDES = dict.fromkeys(("one", "n", "d", "k", "r"), 1)
_ZERO = Fraction(0)


@dataclass(frozen=True)
class Walk:
    """A run on a curve without noise.

    Attributes:
        about: what it is, in words.
        curve: F.
        points: v_1, ..., v_(T+1), or as many of them as are rational.
        numbers: the value of each letter of the claims that it is an instance of, T among them.

    """

    about: str
    curve: Curve
    points: tuple[Fraction, ...]
    numbers: Numbers

    @property
    def steps(self) -> int:
        """T."""
        return int(self.numbers["T"])

    @property
    def is_whole(self) -> bool:
        """True if the iterate after the last step is known, and so all steps."""
        return len(self.points) > self.steps

    @property
    def seen(self) -> tuple[Fraction, ...]:
        """The iterates v_1, ..., v_T of which measures speak."""
        return self.points[: self.steps]

    @property
    def squares(self) -> list[Fraction]:
        """The squared gradient at each of them."""
        return [self.curve.slope(x) ** 2 for x in self.seen]

    @property
    def gap(self) -> Fraction:
        """F(v_1) - f*."""
        return self.curve.value(self.points[0])

    @property
    def smoothness(self) -> Fraction:
        """The largest |F''| on the segments between the iterates; of all, where some are not known.

        On a line these are also the balls whose diameters are the steps.
        """
        if not self.is_whole:
            return self.curve.smoothness
        ways = [sorted(ends) for ends in pairwise(self.points)]
        found = (self.curve.smoothness_between(x, y) for x, y in ways if x < y)
        return max(found, default=_ZERO)

    def followed(self, follow: Follow) -> tuple[Fraction, ...]:
        """The iterates v_1, ..., v_(T+1) of an algorithm from v_1 on this curve, or as many of them
        as are known.
        """
        return tuple(islice(follow(self.curve.slope, self.points[0], self.numbers), self.steps + 1))

    def __str__(self) -> str:
        letters = ", ".join(f"{name} = {x}" for name, x in self.numbers.items())
        return f"{self.about}, v_1 = {self.points[0]}, {letters}"


def run(
    about: str,
    curve: Curve,
    start: Fraction | int,
    follow: Follow,
    steps: int,
    **numbers: Fraction | int,
) -> Walk:
    """The run of an algorithm on a curve whose smoothness constant is 1 unless it is given; D and
    R_1 are its own.
    """
    begin = Fraction(start)
    known = {"ell": Fraction(1)} | {name: Fraction(x) for name, x in numbers.items()}
    known = {"D": curve.value(begin)} | known | {"T": Fraction(steps), "R_1": abs(begin)}
    walk = Walk(about, curve, (begin,), known)
    return replace(walk, points=walk.followed(follow))


def descended(share: Number) -> Follow:
    """Gradient descent at the step share/ℓ."""

    def follow(slope: Slope, x: Fraction, numbers: Numbers) -> Iterator[Fraction]:
        while True:
            yield x
            x = x - Fraction(share) / numbers["ell"] * slope(x)

    return follow


def between(slope: Slope, x: Fraction, numbers: Numbers) -> Iterator[Fraction]:
    """Gradient descent at the step 2/(ℓ + μ)."""
    return descended(2 * numbers["ell"] / (numbers["ell"] + numbers["mu_F"]))(slope, x, numbers)


def accelerated(slope: Slope, x: Fraction, numbers: Numbers) -> Iterator[Fraction]:
    """Nesterov's method with the momentum (t - 1)/(t + 2)."""
    ahead = x
    for t in count(1):
        yield x
        x, before = ahead - slope(ahead) / numbers["ell"], x
        ahead = x + Fraction(t - 1, t + 2) * (x - before)


def with_momentum(slope: Slope, x: Fraction, numbers: Numbers) -> Iterator[Fraction]:
    """Heavy ball, which begins without a step before it."""
    before = x
    while True:
        yield x
        x, before = x - numbers["eta"] * slope(x) + numbers["beta"] * (x - before), x


def unmoved(slope: Slope, x: Fraction, numbers: Numbers) -> Iterator[Fraction]:
    """v_1 alone is known: what follows is drawn, or no rational number."""
    yield x


def function_of(curve: Curve) -> VectorFunction:
    """A curve as a function of matrices of one entry."""
    return VectorFunction(
        lambda p: curve.value(p[0][0][0]), lambda p: (number(curve.slope(p[0][0][0])),)
    )


def model_of_walk(
    walk: Walk, claim: Claim, letters: Collection[str] = (v_star.name,)
) -> ExactModel:
    """A run with the numbers of a claim; each matrix letter is 0, the minimiser among them.

    Raises:
        InputError: where a quantity of the claim is no rational number.

    """
    known = dict(walk.numbers) | {"f_star": _ZERO}
    for place, quantity in enumerate(claim.quantities):
        found = rational_value(
            written_out(quantity.expression, claim.quantities[:place]), walk.numbers
        )
        if found is None:
            raise InputError("quantity", quantity.name, "a rational number")
        known[quantity.name] = found
    paths: Paths[Any, Any] = Paths(
        None, lambda *_: None, lambda state, *_: state, (None,), walk.steps
    )
    return ExactModel(
        str(walk),
        _SIDES,
        known,
        {name: number(_ZERO) for name in letters},
        dict.fromkeys("Ff", function_of(walk.curve)),
        (v.name,),
        paths=paths,
        process=lambda _, time, __: number(walk.points[time - 1]),
    )


@dataclass(frozen=True)
class Asked(Instance):
    """A run without noise, of whose F everything is known, and the claim that it is an instance
    of.
    """

    walk: Walk
    claim: Claim

    @cached_property
    def model(self) -> ExactModel:
        """The run with the claim's numbers."""
        return model_of_walk(self.walk, self.claim)

    def value(self, symbol: sp.Symbol) -> Extent:
        found = self.model.numbers.get(symbol.name)
        return UNKNOWN if found is None else Extent.of(found)

    def decide(self, relation: sp.Basic) -> evidence.Answer:
        found = self.model.says(relation, frozenset({v.name}))
        return (
            HOLDS if found else evidence.Answer("open" if found is None else "fails", f"{relation}")
        )

    def follows(self, algorithm: Algorithm) -> evidence.Answer:
        """Each iterate, by the exact step of a linear method."""
        if not isinstance(algorithm, LinearMethod) or not self.walk.is_whole:
            return evidence.Answer("open", "its steps are no rational numbers")
        numbers = {x.name: self.model.numbers[x.name] for x in algorithm.parameters}
        state = algorithm.exact_start(self.walk.points[0], numbers)
        for t, point in enumerate(self.walk.points[1:], 1):
            gradient = self.walk.curve.slope(algorithm.exact_query(state, t, numbers))
            state = algorithm.exact_step(state, gradient, t, numbers)
            if algorithm.iterate(state) != point:
                return evidence.Answer("fails", f"v_{t + 1} is {point}")
        return HOLDS

    def smoothness(self, where: str) -> Extent:
        walk = self.walk
        return Extent.of((walk if where in ("path", "steps") else walk.curve).smoothness)

    def convexity(self, where: Literal["near", "space"]) -> Extent:
        return Extent.of(min(self.walk.curve.curvatures))

    def infimum(self) -> Extent:
        return Extent.of(_ZERO) if self.walk.curve.is_least_at_0 else UNKNOWN

    def gap(self) -> Extent:
        return Extent.of(self.walk.gap) if self.walk.curve.is_least_at_0 else UNKNOWN

    def distance(self) -> Extent:
        return Extent(most=abs(self.walk.points[0])) if self.walk.curve.is_least_at_0 else UNKNOWN

    def bias(self) -> Extent:
        return Extent.of(_ZERO)

    def variance(self) -> Extent:
        return Extent.of(_ZERO)


@dataclass(frozen=True)
class Examined(Mutant):
    """A claim, what is known of it, and all that engines are given with it.

    Attributes:
        claim: what engines are asked about; None where it refuses to be made.
        is_known: whether it is known to be true or false; where it is not, `true` says nothing.
        steps: the T at which its worst case is looked for.
        worst: between which shares of the bound the worst case is known to be.
        adapter: by which instances are drawn and searched for; by any where it is empty.
        script: makes a proof script of it, where there is one.
        run: a run that breaks the bound, and meets the claim or not.
        original: the same claim under the id of the catalogue's, whose own script is tried on it.
        table: a spec that runs it; the other engines are asked where there is none.
        meets: of a run, or a spec, whether it meets what the claim states; None where that is not
            known.

    """

    layer = "engines"
    claim: Claim | None
    is_known: bool = True
    steps: int = 1
    worst: tuple[Fraction | None, Fraction | None] = (None, None)
    adapter: str = ""
    script: Callable[[Claim], Script] | None = None
    run: Walk | None = None
    original: Claim | None = None
    table: Table | None = None
    meets: bool | None = None

    def ask(self) -> Answer:
        """Ask each engine in turn; hold the answers against what is known, and against each other.

        Wrong is a true claim that is rejected, a false one that is vouched for, both of one that is
        not known, and an answer that contradicts something else that is known. A claim that refuses
        to be made is not asked about.
        """
        if self.claim is None:
            return Answer("refused when it is made", rejects=not self.true)
        said: list[tuple[str, Answer]] = []
        for name, engine in ENGINES:
            try:
                found = engine(self, self.claim)
            except InputError:
                found = Answer("refuses")
            if found is not None:
                said.append((name, found))
        vouches = any(x.accepts for _, x in said)
        rejects = any(x.rejects for _, x in said)
        wrong = any(x.wrong for _, x in said) or (vouches and rejects)
        if self.is_known:
            wrong = wrong or (rejects if self.true else vouches)
        outcome = "; ".join(
            f"{name}: {x.outcome}{f', {x.wrong}' if x.wrong else ''}" for name, x in said
        )
        if self.true:
            return Answer(outcome, accepts=vouches, rejects=wrong)
        return Answer(outcome, accepts=wrong, rejects=rejects)


def examined(
    kind: str,
    change: str,
    subject: str,
    true: bool,
    why: str,
    make: Callable[[], Claim],
    is_known: bool = True,
    **given: Any,
) -> Examined:
    """A claim, which may refuse to be made, with what is known of it and what engines are given
    with it.
    """
    try:
        claim = make()
    except InputError:
        claim = None
    named = f"{kind}, not known" if not is_known else varied(kind) if true else kind
    return Examined(subject, named, change, true, why, claim, is_known, **given)


# The engines. Each gets what is examined, and its claim; None is the answer of one that is not
# asked about such claims.

Engine = Callable[[Examined, Claim], Answer | None]
# How many instances are drawn of a claim; how long is looked for one of a claim about smoothness.
_EXAMPLES = 3
_STARTS = 4
_ROUNDS = 20
# Of the floats in which a bound is written.
_ROUNDED = 1e-9


def proved(each: Examined, claim: Claim) -> Answer | None:
    """The verdict on the script that comes with the claim, and on the catalogue's own with the
    claim in its place.
    """
    words: list[str] = []
    try:
        if each.script is not None:
            words.append(judge(each.script(claim)).verdict)
        if (original := each.original) is not None:
            theirs = [x for x in scripts() if x.id == original.id and x.version != "printed"]
            words += [verdict_on(script, original) for script in theirs]
    except (InputError, KernelError):
        words.append("refuses")
    if not words:
        return None
    word = next((x for x in ("proved", "refuted", "unknown") if x in words), "refuses")
    both = "proved and refuted" if {"proved", "refuted"} <= set(words) else ""
    return Answer(word, "proved" in words, "refuted" in words, wrong=both)


def falsified(each: Examined, claim: Claim) -> Answer | None:
    """The worst case beside the bound at one T, and its bracket beside the constant that is
    known.
    """
    if algorithm_of(claim) is None or each.table is not None:
        return None
    try:
        (case,) = falsify(claim, WorstCase([each.steps]))
    except NotSolvedError:
        return Answer("does not solve")
    least, most = each.worst
    low = case.lower
    high = case.upper
    wrong = ""
    if low is not None and high is not None and low > high:
        wrong = f"a bracket from {low} to {high}"
    elif most is not None and low is not None and low > float(most) * case.bound * (1 + _ROUNDED):
        wrong = f"a worst case of at least {low}, where {float(most) * case.bound} is the most"
    elif (
        least is not None and high is not None and high < float(least) * case.bound * (1 - _ROUNDED)
    ):
        wrong = f"a worst case of at most {high}, where {float(least) * case.bound} is attained"
    return Answer(
        "violated" if case.violated else "not violated", rejects=case.violated, wrong=wrong
    )


def searched(each: Examined, claim: Claim) -> Answer | None:
    """A short search for the instance of a claim about smoothness that breaks it."""
    if not is_about_smoothness(claim):
        return None
    method = Search([1], adapter=each.adapter or None, starts=_STARTS, rounds=_ROUNDS, examples=0)
    found = falsify(claim, method)
    return Answer("violated" if found.violated else "not violated", rejects=found.violated)


def checked(each: Examined, claim: Claim) -> Answer | None:
    """A few instances that are drawn, each with all of its paths."""
    if each.table is not None:
        return None
    with tempfile.TemporaryDirectory() as folder, using(folder=Path(folder)):
        try:
            check_claim(claim, adapter=each.adapter or None, examples=_EXAMPLES)
        except ClaimViolatedError:
            return Answer("violated", rejects=True)
    return Answer("not violated")


def met(each: Examined, claim: Claim) -> Answer | None:
    """The judge of instances, asked about the run that breaks the bound; that may refute the claim
    if it is false.
    """
    if each.run is None:
        return None
    found = meets(Asked(each.run, claim), claim)
    word = "holds" if found.holds else "fails" if found.failures else "open"
    wrong = {
        "holds": "of a run that breaks the claim's hypotheses",
        "fails": "of a run that meets the claim",
    }
    return Answer(word, wrong="" if each.meets in (None, word == "holds") else wrong.get(word, ""))


def measured(each: Examined, claim: Claim) -> Answer | None:
    """A short run, where there is a spec of one."""
    if each.table is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        (result,) = measure({**each.table, "claim": claim}, folder)
    supported = result.verdict.is_supported
    violated = result.verdict is Verdict.VIOLATED
    wrong = "of a run that breaks a hypothesis as it is stated" if each.meets is False else ""
    return Answer(
        str(result.verdict), supported, violated, wrong=wrong if supported or violated else ""
    )


ENGINES: tuple[tuple[str, Engine], ...] = (
    ("prove", proved),
    ("falsify", falsified),
    ("falsify", searched),
    ("check_claim", checked),
    ("judge", met),
    ("measure", measured),
)
