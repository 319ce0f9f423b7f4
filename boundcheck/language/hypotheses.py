"""Hypotheses, which theorems assume: `Hypothesis`, and the words of this package by id in
`HYPOTHESES`.

First come those about f and F, then those about the factors of an adapter, about noise, and about
where a run starts.
"""

import copyreg
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from functools import partial
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import sympy as sp

from boundcheck.errors import InputError, one_of
from boundcheck.exact.digits import DOWN, UP, Toward, shown
from boundcheck.exact.evaluate import at_time
from boundcheck.language.algorithms import (
    IN_FACTORS,
    SLOPE_A,
    SLOPE_B,
    STEEPNESS,
    A_moved,
    B_moved,
    W_t,
    g_a,
    g_b,
)
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Formal, Quantifier, Statement, for_all
from boundcheck.language.evidence import (
    HOLDS,
    OFF_SAMPLES,
    ROUNDING,
    UNKNOWN,
    Answer,
    Audit,
    Evidence,
    Extent,
    Guilt,
    Instance,
    MatrixNorm,
    Status,
    at_least,
    at_most,
    largest,
    rounding,
    status_of,
    used,
)
from boundcheck.language.symbols import (
    R_1,
    C,
    D,
    G,
    L,
    Lhat,
    a,
    a_1,
    abc_a,
    abc_b,
    abc_c,
    b,
    b_1,
    check_symbols,
    ell,
    f_star,
    mu_F,
    r,
    s,
    sigma,
    zeta,
)
from boundcheck.language.vocabulary import (
    A1,
    A2,
    B1,
    B2,
    SLOPE,
    SQUARE,
    W1,
    W2,
    A,
    A_t,
    B_t,
    EuclideanNorm,
    Expectation,
    F,
    FrobeniusNorm,
    Gradient,
    InnerProduct,
    Iterate,
    MatrixExpectation,
    SpectralNorm,
    Value,
    W,
    f,
    g,
    g_t,
    t,
    v,
    v1,
    v2,
    v_first,
    v_last,
    v_next,
    v_star,
    v_t,
)

Blamed = Literal["sampling", "constant", "ball"]
Where = Literal["space", "frozen", "path", "steps", "ball", "near"]
PLACES: Mapping[Where, str] = {
    "space": "on all of space",
    "frozen": "on all of space, with one factor frozen",
    "path": "along the path of the iterates",
    "steps": "in the balls whose diameters are the steps",
    "ball": "in a ball of factors that are all trained",
    "near": "near a minimiser",
}
"""The points at which a hypothesis asks something of F."""
Decided: TypeAlias = "Callable[[Instance, Hypothesis, Claim], Answer]"


@dataclass(frozen=True)
class Cost:
    """An inequality of a proof, as a replacement in the sum over the steps of v - alpha g; see
    `experiment.waterfall`.

    Attributes:
        label: what a bar of a figure calls it.
        instead: what the run did, over `language.vocabulary`, and what stands for it, no less in
            expectation.
        why: what is given away, in one sentence.

    """

    label: str
    instead: tuple[tuple[sp.Expr, sp.Expr], ...]
    why: str


@dataclass(frozen=True)
class Worst:
    """The demands of a hypothesis on the functions and noise among which performance estimation
    looks for the worst.

    Attributes:
        is_smooth: F has a Lipschitz gradient.
        is_convex: F is convex.
        strong: the symbol of its strong convexity constant.
        gap: the symbol of the bound on F(v_1) - f*.
        distance: the symbol of the bound on the distance from v_1 to a minimiser.
        noise: the symbol of zeta, where zeta^2 bounds the variance of the stochastic gradient.

    """

    is_smooth: bool = False
    is_convex: bool = False
    strong: sp.Symbol | None = None
    gap: sp.Symbol | None = None
    distance: sp.Symbol | None = None
    noise: sp.Symbol | None = None

    def __or__(self, other: "Worst") -> "Worst":
        """The demands of both hypotheses together."""
        return Worst(
            **{
                each.name: getattr(self, each.name) or getattr(other, each.name)
                for each in fields(self)
            }
        )


@dataclass(frozen=True)
class Hypothesis:
    """A word that theorems assume, with what a `Claim` that states it means to each engine.

    ``held(evidence, id)`` holds a run against it. It is given what the run recorded, a
    `boundcheck.language.evidence.Evidence`, and the id of the hypothesis, and returns one row or
    more, each
    an `Audit` with that id: ``Audit(id, guilt, status, observed, limit, how, symbol)``. The status
    is ``failed`` on a single counterexample that rounding cannot explain, ``held`` where nothing
    that was looked at contradicts it and nothing in the limit is an estimate, else ``assumed``;
    `status_of` decides so. A number in ``observed`` is the largest that was seen, and at most
    ``limit`` where it held. Of a run that broke a hypothesis its theorem says nothing; of one with
    an assumed row nothing is supported or violated.

    Attributes:
        id: its name.
        title: what a reader calls it.
        symbols: the symbols of the constants that it gives a meaning to, such as L or zeta.
        says: the statements that it has, in these symbols: a claim with this word makes one of
            them, the first unless it names another. Engines ask the word, so that what is printed
            may be nothing else.
        worst: how performance estimation states it, ``Worst()`` where it asks nothing of the
            functions; None where it cannot.
        is_about_noise: whether it is about the stochastic gradient, and not about the function.
        held: how a run is held against it, by what id: the rows of the audit, each with this id,
            and ``held`` only where what was observed, less its error, is within the limit. No row
            at all means that the run says nothing of it, and it is assumed; None that no run can
            show it.
        blamed: its turn among all that failed: how minibatches were drawn explains everything else
            and is blamed first; a ball may be left because of anything else and is blamed last.
        smooth_on: where it makes F smooth: along the ``path`` of the iterates, on all of ``space``,
            in a ``ball`` of factors that are all trained, with one factor ``frozen``; empty where
            it does not.
        where: the points at which what `worst` asks of F holds, one of `PLACES`; those of
            `smooth_on` if left out.
        cost: what it puts in place of what the steps did, in the sum over them; None where it
            enters in no such way.
        decided: whether it holds in an exact instance, from the instance, this word and the claim
            that states it; None where the statement itself decides, at each time of the instance.
        no_instance: why no instance that is tried is known to meet it; empty where each one does.

    """

    id: str
    title: str
    symbols: tuple[sp.Symbol, ...] = ()
    says: tuple[Statement, ...] = field(default=(), kw_only=True)
    worst: Worst | None = None
    is_about_noise: bool = False
    smooth_on: Literal["", "path", "space", "ball", "frozen"] = ""
    where: Where | None = None
    held: Callable[[Evidence, str], list[Audit]] | None = None
    blamed: Blamed = "constant"
    cost: Cost | None = None
    decided: "Decided | None" = None
    no_instance: str = ""

    def __post_init__(self) -> None:
        """Check that each of its constants has a name."""
        check_symbols(f"hypothesis.{self.id}.symbols", *self.symbols)

    @property
    def letter(self) -> str:
        """The name of the constant that it is about, the first of its symbols."""
        return self.symbols[0].name

    @property
    def is_everywhere(self) -> bool:
        """True if it holds wherever v can be: only then do the inequalities of a class on all of
        space follow.
        """
        return self.place in ("space", "frozen")

    @property
    def place(self) -> Where:
        """The points at which what `worst` asks of F holds."""
        return self.where or self.smooth_on or "space"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle it by its id, if this package has it: in another process it is the same word,
        whatever it holds.
        """
        if HYPOTHESES.get(self.id) is self:
            return _of_this_package, (self.id,)
        # Typeshed leaves out what pickle itself names.
        return copyreg.__newobj__, (type(self),), self.__dict__  # type: ignore[attr-defined]

    def claim(
        self, id: str, title: str, source: str, statement: Statement | None = None, **said: Any
    ) -> Claim:
        """The claim that states it: as `statement` of those that it has, or as the first, with a
        `note`, `declared`.

        Raises InputError for a statement that is none of them, as `Claim` does.
        """
        conclusion, quantifier, _ = statement or self.says[0]
        return Claim(id, title, source, conclusion, quantifier, **said, word=self)

    def denies(self, claim: Claim) -> str:
        """A text of what it says, if the claim says something else, or more or less; empty if it
        does not.

        A claim with hypotheses, formulas, conditions, an algorithm or a measure says more, too.
        """
        beside = (
            claim.hypotheses,
            claim.quantities,
            claim.conditions,
            claim.algorithm,
            claim.measure,
        )
        said = (claim.conclusion, claim.quantifier)
        if said in [each[:2] for each in self.says] and not any(beside):
            return ""
        listed = (
            " or ".join(each.line for each in self.says)
            or "nothing yet, a Hypothesis(…, says=(Statement(…),))"
        )
        return f"{listed}, and no more; another statement has a word of its own, or none"

    def rows(self, evidence: Evidence, id: str) -> list[tuple[Blamed, Audit]]:
        """Hold a run against it, and return the rows of the audit under this id, each with its turn
        to be blamed.

        A hypothesis that no run can show, or that this run says nothing of, is assumed, and a row
        says so.

        Raises:
            InputError: for what is no row, or one under another id, or whose numbers are not what
                its status says.

        """
        if self.held is None:
            return [(self.blamed, assumed(id, f"cannot be audited: {self.title}"))]
        rows = self.held(evidence, id)
        for row in rows:
            if not isinstance(row, Audit):
                raise InputError(f"hypothesis.{id}", row, "rows of an audit")
            if row.hypothesis != id:
                expected = f"rows under its own id, {id}"
                raise InputError(
                    f"hypothesis.{id}", f"a row under the id {row.hypothesis}", expected
                )
            for name, value, known in (("status", row.status, Status), ("guilt", row.guilt, Guilt)):
                if value not in get_args(known):
                    raise InputError(
                        f"hypothesis.{id}.{name}", value, one_of(value, get_args(known))
                    )
            # A status that its own numbers contradict would be evidence of nothing.
            if row.status != "failed" and not row.is_kept:
                given = (
                    f"{row.status}, where {row.observed:.6g} was observed and {row.limit:.6g} is"
                    " the limit"
                )
                expected = "failed where what was observed is beyond the limit"
                raise InputError(f"hypothesis.{id}.status", given, expected)
        return [
            (self.blamed, row)
            for row in rows or [assumed(id, f"nothing was looked at: {self.title}")]
        ]


def _of_this_package(id: str) -> Hypothesis:
    return HYPOTHESES[id]


def assumed(id: str, how: str) -> Audit:
    """The row of a hypothesis that is assumed, since no run was held against it."""
    return Audit(id, "hypothesis", "assumed", None, None, how)


def _stated(conclusion: sp.Basic, quantifier: Quantifier, *formal: Formal) -> tuple[Statement, ...]:
    return (Statement(conclusion, quantifier, formal),)


# Decisions in an instance. Functions with names, and objects that are equal after pickling: words
# of one's own are made from these, and travel to other processes.


@dataclass(frozen=True)
class Compared:
    """A decision: the instance's answer to a question, against the word's first constant, or
    against 0.
    """

    what: str
    question: str
    given: tuple[Any, ...] = ()
    by: Callable[[str, Extent, object, Extent], Answer] = at_most
    with_0: bool = False

    def __call__(self, instance: Instance, word: Hypothesis, hypothesis: Claim) -> Answer:
        size: Extent = getattr(instance, self.question)(*self.given)
        if self.with_0:
            return self.by(self.what, size, 0, Extent.of(Fraction(0)))
        constant = word.symbols[0]
        return self.by(self.what, size, constant, instance.value(constant))


def _held_if_certified(
    e: Evidence,
    id: str,
    symbol: sp.Symbol,
    known: Any,
    toward: Toward,
    *,
    missing: str,
    follows: str = "",
) -> list[Audit]:
    """The row of a constant of F that the run uses: held where it is on the right side of one that
    is certified.
    """
    limit = used(e, symbol.name)
    certified = (
        known is not None
        and known.kind == "certified"
        and (limit <= known.value if toward is DOWN else limit >= known.value)
    )
    how = (
        f"{follows}{shown(known.value, 6, toward)} is {known.kind}: {known.how}"
        if known
        else missing
    )
    if symbol.name in e.spec.assume:
        how = f"assumed by the spec; {how}"
    return [
        Audit(id, "constant", "held" if certified else "assumed", None, limit, how, symbol.name)
    ]


# f and F


class Smooth(Hypothesis):
    """Smoothness of F: it follows from what the adapter's sharpest claim rests on; for a network it
    is only seen.
    """

    def rows(self, evidence: Evidence, id: str) -> list[tuple[Blamed, Audit]]:
        """The rows of those hypotheses, or of what was seen."""
        if not evidence.function.is_known:
            value = evidence.plan.values[Lhat.name]
            # What is mostly rounding error is no number.
            seen = None if math.isnan(value) else value
            how = (
                "the largest smoothness along a segment, its rounding error added, at"
                f" {evidence.looks}: measured, "
            )
            return [
                (
                    "constant",
                    Audit(id, "constant", "assumed", seen, seen, how + "not proved", Lhat.name),
                )
            ]
        rows: list[tuple[Blamed, Audit]] = []
        for each in catalogue[evidence.problem.adapter.claims[0]].hypotheses:
            if isinstance(each.word, Hypothesis):
                rows += each.word.rows(evidence, each.id)
            else:
                rows.append(("constant", assumed(each.id, f"cannot be audited: {each.title}")))
        return rows


_EVERYWHERE = for_all(v1, v2)
_IS_LIPSCHITZ = sp.Le(
    EuclideanNorm(Gradient(F, v1) - Gradient(F, v2)), ell * EuclideanNorm(v1 - v2)
)
# A step of the iterates, its middle, and a point between its ends.
_theta = sp.Symbol("theta")
_MOVE = v_next - v_t
_MIDDLE, _BETWEEN = v_t + _MOVE / 2, v_t + _theta * _MOVE
SMOOTH = Smooth(
    "smooth",
    "F is smooth along the iterates",
    (ell,),
    says=_stated(
        _IS_LIPSCHITZ,
        Quantifier((v1, v2), r" \text{ on the iterates and the segments between them}", "for"),
        Formal(
            _IS_LIPSCHITZ.xreplace({v1: _BETWEEN, v2: v_t}),
            (_theta,),
            (sp.Ge(_theta, 0), sp.Ge(1, _theta)),
        ),
    ),
    worst=Worst(is_smooth=True),
    smooth_on="path",
    decided=Compared("the smoothness of F", "smoothness", ("path",)),
)
SMOOTH_EVERYWHERE = replace(
    SMOOTH,
    id="smooth_everywhere",
    title="F is smooth on all of space",
    says=_stated(_IS_LIPSCHITZ, _EVERYWHERE),
    smooth_on="space",
    decided=Compared("the smoothness of F", "smoothness", ("space",)),
)
SMOOTH_AROUND = replace(
    SMOOTH_EVERYWHERE,
    id="smooth_around",
    title="F is smooth around the iterates",
    says=_stated(
        _IS_LIPSCHITZ,
        Quantifier((v1, v2), r" \text{ in the balls whose diameters are the steps}", "for"),
        Formal(
            _IS_LIPSCHITZ,
            (v1, v2),
            tuple(sp.Le(EuclideanNorm(x - _MIDDLE), EuclideanNorm(_MOVE) / 2) for x in (v1, v2)),
        ),
    ),
    where="steps",
    decided=Compared("the smoothness of F", "smoothness", ("steps",)),
)


def _held_smooth_in_w(e: Evidence, id: str) -> list[Audit]:
    known = e.problem.objective.smoothness
    certified, limit, how = (
        known.kind == "certified",
        known.value,
        f"the limit is {known.kind}: {known.how}",
    )
    if L.name in e.spec.assume:
        # What a claim is given of f is that of X -> f(W0 + sX) where the claim has no scale.
        inputs = e.function.inputs(e.claim, e.plan.radii or e.start.norms, e.spec.lipschitz)
        least, limit = float(inputs[L.name]), used(e, L.name)
        certified = certified and limit >= least
        how = f"assumed by the spec; {shown(least, 6, UP)} is {known.kind}: {known.how}"
    return [Audit(id, "constant", "held" if certified else "assumed", None, limit, how, L.name)]


SMOOTH_IN_W = Hypothesis(
    "smooth_in_w",
    "f is smooth in W",
    (L,),
    says=_stated(
        sp.Le(FrobeniusNorm(Gradient(f, W1) - Gradient(f, W2)), L * FrobeniusNorm(W1 - W2)),
        Quantifier((W1, W2), is_typed=True),
    ),
    worst=Worst(),
    held=_held_smooth_in_w,
    decided=Compared("the largest slope of ∇f", "weight_smoothness"),
)


def _held_gradient(norm: str, e: Evidence, id: str) -> list[Audit]:
    known, observed = e.problem.gradient_bound(e.plan.radii), e.most(f"weight_gradient_{norm}")
    limit, certified, said = known.value, known.kind == "certified", f"{known.kind}: {known.how}"
    if G.name in e.spec.assume:
        scale = (
            float(e.function.inputs(e.claim, e.plan.radii, e.spec.lipschitz)[G.name]) / known.value
        )
        limit = used(e, G.name) / scale
        certified = certified and limit >= known.value
        said = f"assumed by the spec, {shown(known.value, 6, UP)} is {known.kind}"
    how = f"{norm.capitalize()} norm at {e.looks}; the limit is {said}"
    # The rounding error of a norm of dk numbers, each of them right to some units of roundoff.
    d, k = e.problem.objective.shape
    surely = None if observed is None else observed * (1 - (d * k + 64) * sys.float_info.epsilon)
    status, error = status_of(surely, limit, certified), rounding(observed, surely)
    return [Audit(id, "constant", status, observed, limit, how, G.name, error)]


@dataclass(frozen=True)
class BoundedGradient(Hypothesis):
    """A bound on a norm of the gradient in W."""

    norm: MatrixNorm = "frobenius"


def _at_all_weights(weight: str, point: str, domain: str) -> Statement:
    """The bound at each W that an adapter reaches from its own domain, of which a claim says
    nothing elsewhere.
    """
    reached = Quantifier(
        within=rf"\text{{for all }} W = {weight} \text{{ with }} {point} \text{{ in the {domain}}}"
    )
    return Statement(sp.Le(SpectralNorm(Gradient(f, W)), G), reached)


GRADIENT_IN_THE_BALL = _at_all_weights("W_0 + s B A", "(A, B)", "ball")
GRADIENT_AT_SCALE_1 = _at_all_weights("W_0 + B A", "(A, B)", "ball")
GRADIENT_IN_THE_DOMAIN = _at_all_weights("W(v)", "v", "domain")
GRADIENT_AT_ITERATES = Statement(sp.Le(SpectralNorm(Gradient(f, W_t)), G), for_all(t))
BOUNDED_GRADIENT = BoundedGradient(
    "bounded_gradient",
    "bounded gradient in W",
    (G,),
    says=_stated(sp.Le(FrobeniusNorm(Gradient(f, W)), G), for_all(W)),
    worst=Worst(),
    held=partial(_held_gradient, "frobenius"),
    decided=Compared("the largest frobenius norm of ∇f", "weight_gradient", ("frobenius",)),
)
BOUNDED_SPECTRAL_GRADIENT = replace(
    BOUNDED_GRADIENT,
    id="bounded_spectral_gradient",
    title="bounded spectral norm of the gradient in W",
    says=(GRADIENT_IN_THE_BALL, GRADIENT_AT_SCALE_1, GRADIENT_IN_THE_DOMAIN, GRADIENT_AT_ITERATES),
    held=partial(_held_gradient, "spectral"),
    decided=Compared("the largest spectral norm of ∇f", "weight_gradient", ("spectral",)),
    norm="spectral",
)


def _held_convex(e: Evidence, id: str) -> list[Audit]:
    if e.function.is_known and e.problem.is_convex:
        return [
            Audit(
                id,
                "hypothesis",
                "held",
                None,
                None,
                "f is convex, and W is an affine function of v",
            )
        ]
    return [assumed(id, "nothing says that F is convex")]


def _held_strongly_convex(e: Evidence, id: str) -> list[Audit]:
    missing = "no constant of strong convexity is known"
    return _held_if_certified(e, id, mu_F, e.problem.strong_convexity, DOWN, missing=missing)


_TANGENT = Value(F, v1) + InnerProduct(Gradient(F, v1), v2 - v1)
_IS_STRONG = sp.Ge(Value(F, v2), _TANGENT + mu_F / 2 * EuclideanNorm(v2 - v1) ** 2)
CONVEX = Hypothesis(
    "convex",
    "F is convex",
    (),
    Worst(is_convex=True),
    held=_held_convex,
    decided=Compared("the convexity of F", "convexity", ("space",), by=at_least, with_0=True),
    says=_stated(sp.Ge(Value(F, v2), _TANGENT), _EVERYWHERE),
)
STRONGLY_CONVEX = Hypothesis(
    "strongly_convex",
    "F is strongly convex",
    (mu_F,),
    says=_stated(_IS_STRONG, Quantifier((v1, v2), r" \text{ within } R_1 \text{ of } v^*")),
    worst=Worst(is_convex=True, strong=mu_F),
    where="near",
    held=_held_strongly_convex,
    decided=Compared("the strong convexity of F", "convexity", ("near",), by=at_least),
)
STRONGLY_CONVEX_EVERYWHERE = replace(
    STRONGLY_CONVEX,
    id="strongly_convex_everywhere",
    title="F is strongly convex on all of space",
    says=_stated(_IS_STRONG, _EVERYWHERE),
    where="space",
    decided=Compared("the strong convexity of F", "convexity", ("space",), by=at_least),
    no_instance="the slopes of an instance end, where strong convexity asks for steeper ones",
)


def _held_polyak(e: Evidence, id: str) -> list[Audit]:
    known, follows = e.problem.strong_convexity, "F is strongly convex, from which it follows; "
    return _held_if_certified(
        e, id, mu_F, known, DOWN, missing="no constant is known", follows=follows
    )


def _decided_polyak(instance: Instance, word: Hypothesis, hypothesis: Claim) -> Answer:
    # Strong convexity decides, from which it follows; without that nothing does.
    strong = Compared("the strong convexity of F", "convexity", ("space",), by=at_least)(
        instance, word, hypothesis
    )
    return strong if strong == HOLDS else Answer("open", "F is not known to be strongly convex")


POLYAK_LOJASIEWICZ = Hypothesis(
    "polyak_lojasiewicz",
    "F satisfies the Polyak–Łojasiewicz inequality",
    (mu_F,),
    says=_stated(
        sp.Ge(EuclideanNorm(Gradient(F, v)) ** 2, 2 * mu_F * (Value(F, v) - f_star)),
        for_all(v),
    ),
    held=_held_polyak,
    decided=_decided_polyak,
    no_instance="the slopes of an instance end, where the inequality asks for steeper ones",
)

# The factors of an adapter


def _held_ball(e: Evidence, id: str) -> list[Audit]:
    ball = e.record.ball
    if ball is None:
        if not e.function.is_known or e.problem.adapter.needs_ball:
            return []
        return [
            Audit(
                id,
                "hypothesis",
                "held",
                None,
                None,
                "no ball is needed: W has bounded derivatives everywhere",
            )
        ]
    found = []
    watched = zip(
        e.problem.adapter.blocks,
        e.function.norm_names.values(),
        ball.largest,
        ball.radii,
        strict=True,
    )
    for block, name, known, radius in watched:
        audited = e.record.trace[name].values
        norm = max(known, float(audited[np.isfinite(audited)].max(initial=0.0)))
        # Whether an iterate left, the watch decides; its largest norm may be of an earlier look.
        status: Status = "failed" if ball.outside is not None and norm > radius else "held"
        how = (
            f"spectral norm of {block.name}: every iterate of every replica, by the length"
            " travelled between looks"
        )
        if ball.outside is not None:
            how += f"; first outside at t = {ball.outside}"
        # A norm is within the radius but for its own rounding error, and that of the watch's limit.
        found.append(
            Audit(id, "hypothesis", status, norm, radius, how, block.radius, 2 * ROUNDING * radius)
        )
    return found


def _within_radii(
    what: str, size: Callable[[sp.Symbol], Extent], instance: Instance, hypothesis: Claim
) -> Answer:
    """Decide whether the norms are within each radius that it names; as it stands where it names
    none.
    """
    radii = {a, b, sigma} & hypothesis.conclusion.free_symbols
    answer = HOLDS if radii else instance.decide(hypothesis.conclusion)
    for radius in sorted(radii, key=str):
        answer &= at_most(f"{what} within {radius}", size(radius), radius, instance.value(radius))
    return answer


def _decided_ball(instance: Instance, word: Hypothesis, hypothesis: Claim) -> Answer:
    # It is decided for the points that are visited. What speaks of more, such as of steps, is
    # decided as it stands.
    if not all(
        isinstance(each.args[0], Iterate) for each in hypothesis.conclusion.atoms(SpectralNorm)
    ):
        return instance.decide(hypothesis.conclusion)
    return _within_radii("the largest norm", instance.reach, instance, hypothesis)


@dataclass(frozen=True)
class Ball(Hypothesis):
    """A ball of the factors, with a radius for each or one for all of them."""

    common: sp.Symbol = sigma
    """The symbol of the radius where there is one for all."""

    @property
    def radii(self) -> tuple[sp.Symbol, ...]:
        """The symbols of radii, of which a claim about a ball has at least one."""
        return a, self.common


_IN_ONE_BALL = sp.Le(sp.Max(SpectralNorm(A_t), SpectralNorm(B_t), evaluate=False), sigma)
ONE_RADIUS = Statement(
    _IN_ONE_BALL,
    Quantifier(within=r"\text{for all iterates of Algorithm 1}"),
    (Formal(_IN_ONE_BALL),),
)
_IN_TWO_BALLS = sp.And(sp.Le(SpectralNorm(A_t), a), sp.Le(SpectralNorm(B_t), b))
TWO_RADII = Statement(
    _IN_TWO_BALLS,
    Quantifier(within=r"\text{for all iterates, hence for all points between them}"),
    (Formal(_IN_TWO_BALLS),),
)
BEFORE_AND_AFTER_EACH_STEP = Statement(
    sp.And(
        *(
            sp.Le(SpectralNorm(x), radius)
            for x, radius in ((A_t, a), (A_moved, a), (B_t, b), (B_moved, b))
        )
    ),
    for_all(t),
)
BALL = Ball(
    "ball",
    "the factors stay in a ball",
    (a, b, sigma, r, s),
    Worst(is_smooth=True),
    smooth_on="ball",
    held=_held_ball,
    decided=_decided_ball,
    blamed="ball",
    says=(ONE_RADIUS, TWO_RADII, BEFORE_AND_AFTER_EACH_STEP),
)


def _held_frozen(e: Evidence, id: str) -> list[Audit]:
    constants, frozen = e.problem.adapter.constants(e.plan.radii), e.problem.adapter.frozen
    how = "the spectral norm of the frozen {}, rounded up with Arb"
    return [
        Audit(id, "constant", "held", None, constants[symbol], how.format(name), symbol)
        for name, symbol in frozen.items()
    ]


def _decided_frozen(instance: Instance, word: Hypothesis, hypothesis: Claim) -> Answer:
    return _within_radii("the norm of a frozen factor", instance.frozen, instance, hypothesis)


FROZEN_FACTOR = Hypothesis(
    "frozen_factor",
    "one factor is frozen",
    (a, b),
    says=_stated(sp.Le(SpectralNorm(A), a), Quantifier(within=r"\text{for the frozen } A")),
    worst=Worst(is_smooth=True),
    smooth_on="frozen",
    held=_held_frozen,
    decided=_decided_frozen,
)

Lipschitz = Literal["sigma", "sqrt(r) sigma"]
"""The readings of C on a ball of radius sigma; the first is the least that C can be."""

LEAST: Lipschitz = "sigma"
LARGER: Lipschitz = "sqrt(r) sigma"
READINGS: Mapping[str, sp.Expr] = {LEAST: sigma, LARGER: sp.sqrt(r) * sigma}


def _held_lipschitz(e: Evidence, id: str) -> list[Audit]:
    sigma, limit = max(e.plan.radii.values()), used(e, C.name)
    how = "on the ball, C = σ holds for every pair by ‖XY‖_F ≤ ‖X‖_op‖Y‖_F"
    # The sigma of the plan is the float; C is that float or a multiple of it by sqrt(r) >= 1.
    return [Audit(id, "constant", status_of(sigma, limit), sigma, limit, how, C.name)]


LIPSCHITZ_ADAPTER = Hypothesis(
    "lipschitz_adapter",
    "W is Lipschitz in its factors",
    (C,),
    says=_stated(
        sp.Le(FrobeniusNorm(W1 - W2), C * (FrobeniusNorm(A1 - A2) + FrobeniusNorm(B1 - B2))),
        Quantifier(within=r"\text{for any } A_i, B_i \text{ and } W_i = W_0 + B_i A_i"),
    ),
    worst=Worst(),
    held=_held_lipschitz,
    decided=Compared("the least constant on the domain", "adapter_lipschitz"),
)


def _held_finite_step(e: Evidence, id: str) -> list[Audit]:
    # Where a step is no number, v_{t+1} is none.
    held = bool(np.isfinite(e.record.trace["gradient_square_norm"].values).all() and e.finite.all())
    status: Status = "held" if held else "failed"
    return [
        Audit(
            id,
            "hypothesis",
            status,
            None,
            None,
            f"each step led from numbers to numbers, at {e.looks}",
        )
    ]


FINITE_STEP = Hypothesis(
    "finite_step",
    "the step is a number",
    says=_stated(sp.Gt(STEEPNESS, 0), for_all(t)),
    held=_held_finite_step,
)

# Noise

MOST_SAMPLES = 256
"""The most samples whose gradients are each looked at before a run, where minibatches are held
against F."""
# The share of all iterates that too much noise may have gone unseen at, at 95 %, for its constant
# to count as held.
_UNSEEN = 0.05


def _held_unbiased(e: Evidence, id: str) -> list[Audit]:
    trace = e.record.trace
    bias, error = (
        trace[name].values[e.finite] for name in ("conditional_bias", "conditional_bias_error")
    )
    replaced, n = e.spec.run.sampling == "with replacement", e.function.samples
    # In an epoch of several minibatches a bias of 0 where one looked says nothing of where one did
    # not.
    known = replaced or 2 * (e.plan.batch or n) > n or e.record.schedule.is_every_step
    # The law of the indices says something of minibatches that are the mean of their samples, and
    # of no others.
    off = trace[OFF_SAMPLES].values[e.finite] if OFF_SAMPLES in trace else None
    known = known and off is not None and not (off > 0).any()
    observed, surely = largest(bias), largest(bias - error)
    status = status_of(surely, 0.0, known)
    if replaced:
        how = (
            "minibatches are drawn uniformly with replacement, independent of the past: the bias"
            " is 0"
        )
        if not (e.function.is_known and n <= MOST_SAMPLES):
            how += (
                "; of gradients of single samples only the mean was held against the gradient,"
                " at v_1"
            )
    else:
        size = "more than rounding" if status == "failed" else "within rounding"
        how = (
            "minibatches are drawn without replacement: given the past, from what the epoch has"
            " left; exact bias by "
            f"enumerating the samples at {e.looks}, {size}"
        )
    mean = e.minibatches
    if mean is not None and mean.is_off:
        how = (
            f"minibatches of {e.plan.batch} that hold each sample equally often have another mean"
            " than the gradient"
            ", at the last iterate; more than rounding"
        )
        return [Audit(id, "hypothesis", "failed", mean.bias, 0.0, how, error=mean.allowed)]
    if mean is not None and mean.is_mixed:
        how = (
            f"at the last iterate a minibatch of {e.plan.batch} is not the mean of its samples:"
            " what its mean is"
        )
        return [assumed(id, f"{how} over all that might be drawn is not known")]
    return [Audit(id, "hypothesis", status, observed, 0.0, how, error=rounding(observed, surely))]


_HAS_THE_MEAN = sp.Eq(MatrixExpectation(g_t, v_t), SLOPE)
# What is so of the g at each v is so of g_t, which is the one at v_t.
UNBIASED_AT_ANY_POINT = Statement(
    sp.Eq(MatrixExpectation(g), Gradient(F, v)), for_all(v), (Formal(_HAS_THE_MEAN),)
)
UNBIASED_GIVEN_THE_PAST = Statement(_HAS_THE_MEAN, for_all(t))
UNBIASED_IN_THE_FACTORS = Statement(
    sp.And(
        sp.Eq(MatrixExpectation(g_a, v_t), SLOPE_A), sp.Eq(MatrixExpectation(g_b, v_t), SLOPE_B)
    ),
    IN_FACTORS,
)
UNBIASED = Hypothesis(
    "unbiased",
    "unbiased stochastic gradient",
    (),
    Worst(),
    says=(UNBIASED_AT_ANY_POINT, UNBIASED_GIVEN_THE_PAST, UNBIASED_IN_THE_FACTORS),
    is_about_noise=True,
    held=_held_unbiased,
    decided=Compared("the bias of the stochastic gradient", "bias", with_0=True),
    blamed="sampling",
)


def _at_looks(
    e: Evidence,
    id: str,
    observed: float | None,
    surely: float | None,
    limit: float,
    how: str,
    symbol: str,
) -> Audit:
    """The row of a constant of the noise, to which only the iterates that were looked at were held.

    `observed` is the largest value that was seen, and `surely` the same less its rounding error.
    """
    schedule = e.record.schedule
    sizes, replicas = np.diff(schedule.edges), len(schedule.times)
    # Looks miss k_j failing iterates in stratum j of size n_j with probability prod (1 - k_j/n_j),
    # which is at most exp(-sum k_j / max n_j): below 1/20 once sum k_j is 3 max n_j.
    share = 0.0 if schedule.is_every_step else 3 * sizes.max() / (replicas * sizes.sum())
    status = status_of(surely, limit, share <= _UNSEEN)
    how += f", at {e.looks}; the limit was fixed before the run"
    if status == "held" and e.inside.all() and share > 0:
        how += f"; at 95% fewer than {math.ceil(1e4 * share) / 1e4:g} of all iterates fail"
    if status == "assumed":
        how += (
            f"; more than {_UNSEEN:.0%} of all iterates may fail unseen: more audits or replicas"
            " are needed"
        )
    return Audit(id, "constant", status, observed, limit, how, symbol, rounding(observed, surely))


def _held_variance(e: Evidence, id: str) -> list[Audit]:
    limit = (e.plan.zeta or 0.0) ** 2
    if not e.function.is_known:
        source = (
            "an estimate from some of the samples"
            if e.partial
            else "exact variance by enumerating the samples"
        )
        how = f"{source}, at {e.looks}: the largest that was seen, set after the run"
        return [Audit(id, "constant", "assumed", limit, limit, how, zeta.name)]
    observed, surely = e.most("noise_variance"), e.surely("noise_variance")
    return [
        _at_looks(
            e, id, observed, surely, limit, "exact variance by enumerating the samples", zeta.name
        )
    ]


def _decided_variance(instance: Instance, word: Hypothesis, hypothesis: Claim) -> Answer:
    limit = word.symbols[0]
    return at_most(
        "the largest variance", instance.variance(), f"{limit}²", instance.value(limit).square()
    )


_HAS_THE_VARIANCE = sp.Le(Expectation(EuclideanNorm(g_t - SLOPE) ** 2), zeta**2)
VARIANCE_AT_ANY_POINT = Statement(
    sp.Le(Expectation(EuclideanNorm(g - Gradient(F, v)) ** 2), zeta**2),
    for_all(v),
    (Formal(_HAS_THE_VARIANCE),),
)
VARIANCE_AT_ITERATES = Statement(_HAS_THE_VARIANCE, for_all(t))
VARIANCE_IN_THE_FACTORS = Statement(
    sp.Le(
        Expectation(FrobeniusNorm(g_a - SLOPE_A) ** 2 + FrobeniusNorm(g_b - SLOPE_B) ** 2), zeta**2
    ),
    IN_FACTORS,
)
BOUNDED_VARIANCE = Hypothesis(
    "bounded_variance",
    "bounded variance",
    (zeta,),
    says=(VARIANCE_AT_ANY_POINT, VARIANCE_AT_ITERATES, VARIANCE_IN_THE_FACTORS),
    worst=Worst(noise=zeta),
    is_about_noise=True,
    held=_held_variance,
    decided=_decided_variance,
    cost=Cost(
        "ζ² for the variance",
        ((EuclideanNorm(g_t) ** 2, SQUARE + zeta**2),),
        "‖gₜ‖² is ‖∇F‖² and the variance of a minibatch gradient, for which ζ² stands at every t",
    ),
)


def _held_expected_smoothness(e: Evidence, id: str) -> list[Audit]:
    """Hold C against the noise and what A and B leave of it: E‖g - ∇F‖² + (1 - B)‖∇F‖² - 2A(F -
    f*).
    """
    if not e.function.is_known:
        return []
    a, b, c = (used(e, symbol.name) for symbol in (abc_a, abc_b, abc_c))
    seen = ("noise_variance", "gradient_square_norm", "loss")
    noise, square, loss = (e.record.trace[name].values[e.inside] for name in seen)
    noise_error, square_error, loss_error = (
        e.record.trace[f"{name}_error"].values[e.inside] for name in seen
    )
    rest = noise + (1 - b) * square - 2 * a * (loss - e.function.infimum.value)
    error = noise_error + abs(1 - b) * square_error + 2 * a * loss_error
    how = "exact second moment by enumerating the samples, less 2A(F - f*) and B‖∇F‖²"
    return [_at_looks(e, id, largest(rest), largest(rest - error), c, how, abc_c.name)]


EXPECTED_SMOOTHNESS = Hypothesis(
    "expected_smoothness",
    "expected smoothness (ABC)",
    (abc_a, abc_b, abc_c),
    says=_stated(
        sp.Le(
            Expectation(EuclideanNorm(g_t) ** 2, v_t),
            2 * abc_a * (Value(F, v_t) - f_star) + abc_b * SQUARE + abc_c,
        ),
        for_all(t),
    ),
    is_about_noise=True,
    held=_held_expected_smoothness,
)

# The start


def _held_below(e: Evidence, id: str) -> list[Audit]:
    """Check that F fell by no more than D, and so did not go below the least value that D
    allows.
    """
    gap, known = used(e, D.name), e.start.gap
    trace = e.record.trace
    # D is rounded up from F(v_1) as computed; a fall that its error explains is none.
    lowest = largest(-(trace["loss"].values + trace["loss_error"].values)[e.inside])
    fall = None if lowest is None else known.value + e.function.infimum.value + lowest
    source = f"D is {known.kind}: {known.how}"
    if D.name in e.spec.assume:
        source = f"D is assumed by the spec, {shown(known.value, 6, UP)} is {known.kind}"
    certified = known.kind == "certified" and known.value <= gap and not e.partial
    how = f"the largest fall F(v_1) - F(v_t) at {e.looks}; {source}"
    return [Audit(id, "constant", status_of(fall, gap, certified), fall, gap, how, D.name)]


def _decided_below(instance: Instance, word: Hypothesis, hypothesis: Claim) -> Answer:
    """Decide whether F is nowhere below f*, and D, where the instance has one, is the gap at v_1 or
    more.
    """
    below = at_least("the infimum of F", instance.infimum(), f_star, instance.value(f_star))
    gap = instance.value(D)
    return (
        below
        if gap == UNKNOWN
        else below & at_most("F(v_1) less its infimum", instance.gap(), D, gap)
    )


_IS_ABOVE = sp.Ge(Value(F, v), f_star)
# F(v) is f at a W.
BOUNDED_BELOW_IN_W = Statement(sp.Ge(Value(f, W), f_star), for_all(W), (Formal(_IS_ABOVE, (v,)),))
BOUNDED_BELOW = Hypothesis(
    "bounded_below",
    "bounded below",
    (D,),
    says=(BOUNDED_BELOW_IN_W, Statement(_IS_ABOVE, for_all(v))),
    worst=Worst(gap=D),
    held=_held_below,
    decided=_decided_below,
    cost=Cost(
        "D for the fall of F",
        ((Value(F, v_first), D + f_star), (Value(F, v_last), f_star)),
        "D is all that F might ever fall by, and stands for what it fell by",
    ),
)


def _held_near(e: Evidence, id: str) -> list[Audit]:
    known = e.problem.distance_bound(e.start.v)
    return _held_if_certified(e, id, R_1, known, UP, missing="no bound on the distance is known")


_IS_LEAST = sp.Eq(Value(F, v_star), f_star)
_IS_NEAR = sp.Le(EuclideanNorm(v_first - v_star), R_1)
NEAR_MINIMISER = Hypothesis(
    "near_minimiser",
    "the first iterate is near a minimiser",
    (R_1,),
    says=_stated(
        sp.And(_IS_LEAST, _IS_NEAR),
        Quantifier(within=r"\text{for a } v^* \text{ where } F \text{ is least}"),
        Formal(_IS_LEAST),
        Formal(_IS_NEAR),
        Formal(_IS_ABOVE, (v,)),
    ),
    worst=Worst(distance=R_1),
    held=_held_near,
    decided=Compared("the distance from v_1 to a minimiser", "distance"),
)


def _held_start_norms(e: Evidence, id: str) -> list[Audit]:
    """A row for each factor whose norm the function tells; the limits are rounded up from these."""
    found = []
    for symbol in START_NORMS.symbols:
        norm, limit = e.start.norms.get(symbol.name.removesuffix("_1")), used(e, symbol.name)
        if norm is not None:
            how = "spectral norm at v_1"
            found.append(
                Audit(id, "constant", status_of(norm, limit), norm, limit, how, symbol.name)
            )
    return found


_AT_THE_START = (
    sp.Le(SpectralNorm(at_time(x, 1)), radius) for x, radius in ((A_t, a_1), (B_t, b_1))
)
START_NORMS = Hypothesis(
    "start_norms",
    "the norms of the factors at the start",
    (a_1, b_1),
    says=(Statement(sp.And(*_AT_THE_START)),),
    held=_held_start_norms,
)

HYPOTHESES: dict[str, Hypothesis] = {
    each.id: each
    for each in (
        SMOOTH_IN_W,
        SMOOTH,
        SMOOTH_AROUND,
        SMOOTH_EVERYWHERE,
        BALL,
        FROZEN_FACTOR,
        LIPSCHITZ_ADAPTER,
        BOUNDED_GRADIENT,
        BOUNDED_SPECTRAL_GRADIENT,
        BOUNDED_VARIANCE,
        EXPECTED_SMOOTHNESS,
        UNBIASED,
        BOUNDED_BELOW,
        CONVEX,
        STRONGLY_CONVEX,
        STRONGLY_CONVEX_EVERYWHERE,
        POLYAK_LOJASIEWICZ,
        NEAR_MINIMISER,
        START_NORMS,
        FINITE_STEP,
    )
}
