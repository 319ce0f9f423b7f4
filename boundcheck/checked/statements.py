"""Proof scripts, runs and lemmas whose truth is known, for the engines; and all claims that these are examined on.

A script of a true claim has a witness that meets what the script assumes and not what the claim does: it must not be
refuted. A script of a false claim takes a hypothesis for more than it says: it must not be proved. Runs show what is so
of an edited statement, and not of the word beside it. Lemmas about smoothness stay true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from itertools import product
from typing import Any, NamedTuple

import sympy as sp

from boundcheck.checked.edits import mixed_up
from boundcheck.checked.engines import Examined, Subject, descended, examined, function_of
from boundcheck.checked.exact_model import Curve, ExactModel, huber, parabola
from boundcheck.checked.runs import Experiment, Table, on_kink, on_scalars
from boundcheck.checked.theorems import Edited, asked, edited, own_id, rational, recipes, run, times
from boundcheck.exact.balls import number
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, letters
from boundcheck.language.hypotheses import (
    BOUNDED_GRADIENT,
    BOUNDED_SPECTRAL_GRADIENT,
    CONVEX,
    UNBIASED,
    Hypothesis,
)
from boundcheck.language.sentence import word_of
from boundcheck.language.symbols import Parameter, ell, zeta
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    F,
    FrobeniusNorm,
    Gradient,
    InnerProduct,
    Iterate,
    Value,
    n,
    t,
    v,
    v1,
    v2,
    v_t,
)
from boundcheck.proof import Process, Proof, Reading, Script, at_numbers, script

Make = Callable[[], Examined]
# Of the claims of which nothing is known, every so manieth is tried.
_UNKNOWN = 4
_STATEMENT, _WORD = "statement beside its word", "word beside its statement"


def examinations(every: int = 1, first: int = 0) -> Iterator[Examined]:
    """Every `every`-th claim from the first on, in a mixed order; of those not known to be true or false, a quarter."""
    others = [lambda turn, make=make: make() for make in (*scripted(), *measurable(), *lemmas())]
    makers: list[Callable[[int], Examined]] = [*(partial(asked, make) for make in recipes()), *others]
    for turn, make in enumerate(mixed_up(makers)[first::every]):
        found = make(turn)
        if found.is_known or turn % _UNKNOWN == 0:
            yield found


# Laws about matrices, at one matrix and at another

M, X, Y = sp.MatrixSymbol("M", n, n), sp.MatrixSymbol("X", n, 1), sp.MatrixSymbol("Y", n, 1)
SIZE = Parameter(sp.Symbol("size_0", positive=True), "positive real", "a bound")
_SIDES = {"n": 1, "one": 1}
_FACTORS = (Fraction(1, 2), Fraction(1), Fraction(2))


class _Law(NamedTuple):
    """A relation for all X, as a function of X and the bound, and the numbers M with which it fails and holds."""

    name: str
    says: Callable[[sp.Basic, sp.Expr], sp.Basic]
    breaks: Callable[[Fraction], Fraction]
    meets: Callable[[Fraction], Fraction]
    is_upper: bool = True


_LAWS = (
    _Law(
        "‖MX‖ ≤ x‖X‖",
        lambda z, x: sp.Le(FrobeniusNorm(M * z), x * FrobeniusNorm(z)),
        lambda x: 10 * x,
        lambda x: x,
    ),
    _Law(
        "‖MX‖² ≤ x‖X‖²",
        lambda z, x: sp.Le(FrobeniusNorm(M * z) ** 2, x * FrobeniusNorm(z) ** 2),
        lambda x: 10 * x + 10,
        lambda x: min(x, Fraction(1)),
    ),
    _Law(
        "⟨MX, X⟩ ≤ x‖X‖²",
        lambda z, x: sp.Le(InnerProduct(M * z, z), x * FrobeniusNorm(z) ** 2),
        lambda x: 10 * x,
        lambda x: x,
    ),
    _Law(
        "⟨MX, X⟩ ≥ x‖X‖²",
        lambda z, x: sp.Ge(InnerProduct(M * z, z), x * FrobeniusNorm(z) ** 2),
        lambda x: -x,
        lambda x: x,
        is_upper=False,
    ),
    _Law(
        "‖MX‖ ≥ x‖X‖",
        lambda z, x: sp.Ge(FrobeniusNorm(M * z), x * FrobeniusNorm(z)),
        lambda x: x / 10,
        lambda x: x,
        is_upper=False,
    ),
    _Law(
        "‖MX - X‖ ≤ x‖X‖",
        lambda z, x: sp.Le(FrobeniusNorm(M * z - z), x * FrobeniusNorm(z)),
        lambda x: 10 * x + 10,
        lambda x: 1 + x,
    ),
)
_TARGETS = (("at Y", Y), ("at 2Y", 2 * Y), ("at X + Y", X + Y))


def scripted() -> Iterator[Make]:
    """Every script, to be made when it is its turn; in an order that never changes."""
    for law, target, factor in product(range(len(_LAWS)), range(len(_TARGETS)), _FACTORS):
        for size, at_zero in ((1, True), (3, True), (1, False)):
            yield partial(_at_one, law, target, Fraction(size), factor, at_zero)
    for relation, factor in product(range(len(_RELATIONS)), _FACTORS[1:]):
        for place, by_line in product(range(len(_PAIRS)), (True, False)):
            yield partial(_for_all, relation, factor, place, by_line)


def _at_one(law: int, target: int, size: Fraction, factor: Fraction, at_zero: bool) -> Examined:
    """A law for all X is assumed at one X; its consequence at another point is held against a witness."""
    each, (where, z), x = _LAWS[law], _TARGETS[target], SIZE.symbol
    ratio = "_".join(map(str, factor.as_integer_ratio()))
    id = f"engines.law{law}_{target}_{int(size)}_{ratio}_{int(at_zero)}"
    quantifier = r"\text{for all } X"
    hypothesis = Claim(f"{id}_given", each.name, "boundcheck", each.says(X, x), quantifier, declared=(SIZE,))
    concluded = each.says(z, rational(factor) * x)
    claim = Claim(id, f"{each.name} {where}", "boundcheck", concluded, hypotheses=(hypothesis,))
    true = factor >= 1 if each.is_upper else factor <= 1
    # Of a false claim the law holds everywhere at M; of a true one at X alone.
    m, first, second = (each.breaks(size) if true else each.meets(size)), Fraction(not true), Fraction(1)
    point = first if at_zero or not true else Fraction(0)
    why = "the law at another point" if true else f"M = {m}, X = {first}, Y = {second}, x = {size}"
    matrices = {"M": number(m), "X": number(first), "Y": number(second)}
    if not true and ExactModel(why, _SIDES, {x.name: size}, matrices, {}).says(concluded):
        # The law is loose there, as at ‖MX‖² ≤ x‖X‖² with M = 1 < x: another M attains it.
        true, why = True, "not shown to be false"

    def build(proof: Proof) -> None:
        proof.assume(hypothesis, where={} if at_zero else {X: 2 * X})
        values = {M: [[m]], X: [[point]], Y: [[second]], x: size}
        proof.step("the claim", concluded, witness=at_numbers("Numbers", values))

    kind = "law at one point" if at_zero else "law at one multiple"
    change = f"{each.name} for all X, {factor} of it {where}, x = {size}"
    reading = Reading(constants={M, X, Y, x})
    make = partial(script(claim, "printed", reading, is_statement=True), build)
    return _scripted(kind, change, each.name, true, why, claim, make)


def _scripted(
    kind: str, change: str, subject: str, true: bool, why: str, claim: Claim, make: Callable[[], Script]
) -> Examined:
    return examined(kind, change, subject, true, why, lambda: claim, lambda claim: Subject(claim, script=make))


# Hypotheses about iterates, as laws about all points

_Says = Callable[[sp.Basic, sp.Basic, sp.Expr], sp.Basic]
_RELATIONS: tuple[tuple[str, _Says, Curve], ...] = (
    (
        "smooth",
        lambda p, q, x: sp.Le(EuclideanNorm(Gradient(F, p) - Gradient(F, q)), x * EuclideanNorm(p - q)),
        parabola(100),
    ),
    (
        "Lipschitz",
        lambda p, q, x: sp.Le(Value(F, p) - Value(F, q), x * EuclideanNorm(p - q)),
        parabola(100),
    ),
    (
        "below a parabola",
        lambda p, q, x: sp.Le(
            Value(F, p), Value(F, q) + InnerProduct(Gradient(F, q), p - q) + x / 2 * EuclideanNorm(p - q) ** 2
        ),
        parabola(100),
    ),
    (
        "above its tangents",
        lambda p, q, x: sp.Ge(x * Value(F, p), x * Value(F, q) + x * InnerProduct(Gradient(F, q), p - q)),
        parabola(-100),
    ),
    (
        "of one slope",
        lambda p, q, x: sp.Le(EuclideanNorm(Gradient(F, p)), x + EuclideanNorm(Gradient(F, q))),
        parabola(100),
    ),
)
# The times that a hypothesis speaks of.
_PAIRS: tuple[tuple[str, sp.Basic, sp.Basic], ...] = (
    ("from an iterate to the next", v_t, v_t.xreplace({t: t + 1})),
    ("from an iterate to the one before it", v_t.xreplace({t: t + 1}), v_t),
    ("from an iterate to the first", v_t, v_t.xreplace({t: sp.Integer(1)})),
    ("from an iterate to the last", v_t, Iterate("v", sp.Symbol("T", positive=True, integer=True), n, 1)),
)


def _for_all(relation: int, factor: Fraction, place: int, by_line: bool) -> Examined:
    """A hypothesis about iterates is the premise of a law about all points, which concludes what it says."""
    (name, says, curve), (where, first, second) = _RELATIONS[relation], _PAIRS[place]
    id = f"engines.iterates{relation}_{place}_{int(factor)}_{int(by_line)}"
    hypothesis = Claim(f"{id}_given", f"{name} {where}", "boundcheck", says(first, second, ell), r"\text{for all } t")
    premise, concluded = says(v1, v2, ell), says(v1, v2, rational(factor) * ell)
    quantifier = r"\text{for all } v_1, v_2"
    claim = Claim(id, f"{name} everywhere", "boundcheck", concluded, quantifier, (hypothesis,))
    p, q = Fraction(3), Fraction(-1)
    # Two points of a function of one number, with ell = 1: the same one, and two that are apart.
    still, apart = (
        ExactModel(
            name,
            _SIDES,
            {ell.name: Fraction(1)},
            {v1.name: number(x), v2.name: number(y)},
            {"F": function_of(curve)},
            (v.name,),
        )
        for x, y in ((0, 0), (p, q))
    )
    if not still.says(premise) or apart.says(concluded) is not False:
        raise ValueError(f"{id} is not shown to be false")
    why = f"F = {curve.curvatures[0]} x²/2, v_t = 0 for all t, v_1 = {p}, v_2 = {q}, ell = 1"

    def build(proof: Proof) -> None:
        given = proof.local(premise)
        line = proof.step("the line", concluded, given) if by_line or factor != 1 else given
        # A local premise is one theorem here, and may be several.
        proof.conclude(line, forall=[v1, v2], such_that=[premise])  # type: ignore[arg-type]

    reading = Reading(processes={v_t: Process((v,))}, arbitrary={v1, v2})
    make = partial(script(claim, "sharp", reading), build)
    change = f"{name}, {where}, {factor} of it"
    return _scripted("iterates for all points", change, name, False, why, claim, make)


# Runs with noise: the variance that is stated, beside the word that looks at ζ²; and without: smoothness and the gap

# What the ids of claims that are run begin with: these are known from then on, and no other id may begin so.
_FIRST = "runs_of_engines"
_NOISY = ("ghadimi2013.corollary2_2", "khaled2020.bounded_variance", "meft.theorem2_any_step")
_VARIANCE, _QUIET = catalogue["jiang2024.assumption4"], catalogue["nesterov2004.gradient_descent"]
_STEPS, _EDITS = 12, 12
# What is stated in place of ζ², and what it is.
_VARIANCES: tuple[tuple[str, sp.Expr], ...] = (
    *(("ζ²", zeta**2), ("ζ²/2", zeta**2 / 2), ("ζ²/100", zeta**2 / 100)),
    *(("ζ⁴/16", zeta**4 / 16), ("ζ/100", zeta / 100)),
)


def measurable() -> Iterator[Make]:
    """Every run, to be made when it is its turn; in an order that never changes."""
    for id in _NOISY:
        for place, is_known in product(range(len(_VARIANCES)), (True, False)):
            yield partial(_variance, id, place, is_known)
        for word, is_known in product((UNBIASED, CONVEX), (True, False)):
            yield partial(_misnamed_variance, id, word, is_known)
    for steps, edit in product((2, 3, 6), range(len(_edits()))):
        yield partial(_quiet, steps, edit)


@cache
def _noisy(id: str) -> Experiment:
    return on_scalars(id, _STEPS)


def _measured(
    kind: str, change: str, id: str, why: str, meets: bool, true: bool, table: Table, make: Callable[[], Claim]
) -> Examined:
    told = (f"{kind}, measured", change, id, true, why)
    return examined(*told, make, lambda claim: Subject(claim, table=table, meets=meets))


def _with(claim: Claim, old: Claim, new: Callable[[], Claim], **changes: Any) -> Claim:
    """The claim with another hypothesis in place of one; it may raise, where a claim refuses to be made so."""
    made = new()
    return replace(claim, hypotheses=tuple(made if x is old else x for x in claim.hypotheses), **changes)


def _of_variance(id: str, is_known: bool, name: str, **changes: Any) -> tuple[str, Callable[[], Claim]]:
    """An id, and the claim with another version of the hypothesis about the variance, under that id of it."""
    other = _VARIANCE.id if is_known else own_id(_VARIANCE)
    new_id = f"{_FIRST}.{id.replace('.', '_')}.{name}_{int(is_known)}"
    return other, partial(_with, catalogue[id], _VARIANCE, partial(replace, _VARIANCE, id=other, **changes), id=new_id)


def _variance(id: str, place: int, is_known: bool) -> Examined:
    """The variance is stated to be at most something else than ζ²."""
    found, (name, limit) = _noisy(id), _VARIANCES[place]
    value = limit.xreplace({zeta: rational(Fraction(found.table["run"]["zeta"]))})
    meets = not found.variance > Fraction(int(value.p), int(value.q))
    stated = _VARIANCE.conclusion.func(_VARIANCE.conclusion.lhs, limit)
    other, make = _of_variance(id, is_known, f"variance_{place}", conclusion=stated)
    why = f"{found.name}: the variance at v_1 is {float(found.variance):.6g}, and {name} is {float(value):.6g}"
    change = f"the variance is at most {name}, under {other}"
    return _measured(_STATEMENT, change, id, why, meets, meets, found.table, make)


def _misnamed_variance(id: str, word: Hypothesis, is_known: bool) -> Examined:
    """The variance is stated with the word of another hypothesis; ζ² is half of what it is at v_1."""
    found = _noisy(id)
    size = (float(found.variance) / 2) ** 0.5
    table = found.table | {"run": found.table["run"] | {"zeta": size}}
    other, make = _of_variance(id, is_known, f"word_{word.id}", word=word)
    why = f"{found.name}: the variance at v_1 is {float(found.variance):.6g}, and ζ² is {size**2:.6g}"
    return _measured(_WORD, f"the variance with the word {word.id}, under {other}", id, why, False, False, table, make)


@cache
def _edits() -> tuple[tuple[Edited, Fraction], ...]:
    """A hypothesis that is edited, and the share of the bound that is claimed."""
    shares = (Fraction(1), Fraction(1, 4), Fraction(1, 16), Fraction(1, 64))
    changes = [change for hypothesis in _QUIET.hypotheses for change in edited(hypothesis)]
    return tuple((change, share) for share in shares for change in changes)[:_EDITS]


def _quiet(steps: int, edit: int) -> Examined:
    """Gradient descent on a Huber function, whose exact course is known."""
    (change, share), found = _edits()[edit], on_kink(_QUIET.id, steps)
    L, G = (Fraction(found.table["problem"][name]) for name in "LG")
    walk = run("", huber(int(L), G), 1 - G / L, descended(1), steps, ell=L)
    meets = change.holds(walk)
    bound, least = share * 2 * L * walk.gap / steps, min(walk.squares)
    return _measured(
        _STATEMENT,
        f"{share} of the bound, with {change.change} under its word",
        _QUIET.id,
        f"{found.name}: the least squared gradient is {least}, and the bound {bound}",
        meets,
        meets and least <= bound,
        found.table,
        lambda: _with(times(_QUIET, share), change.of, change.made, id=f"{_FIRST}.quiet_{steps}_{edit}"),
    )


# Lemmas about smoothness, which stay true

_LEMMAS = (
    *("meft.full", "meft.frozen_a", "meft.lemma1_sharp", "meft.lemma1_sharp_equal_radii"),
    *("meft.loha_sharp", "meft.vera_sharp", "meft.loreft_sharp", "meft.dora"),
)
_FOREIGN = (BOUNDED_GRADIENT, BOUNDED_SPECTRAL_GRADIENT, CONVEX)


def lemmas() -> Iterator[Make]:
    """Every lemma, to be made when it is its turn; in an order that never changes."""
    for lemma in map(catalogue.__getitem__, _LEMMAS):
        own = {parameter.symbol for parameter in lemma.parameters}
        for hypothesis in (x for x in lemma.hypotheses if word_of(x)):
            for letter in sorted(letters(hypothesis) & own, key=str):
                yield partial(_halved, lemma, hypothesis, letter)
            for word in (x for x in _FOREIGN if x != hypothesis.word):
                change, why = f"{hypothesis.id} with the word {word.id}", f"{lemma.id} is true"
                other = partial(replace, hypothesis, word=word)
                make = partial(_restated, lemma, hypothesis, other, f"with_{word.id}")
                yield partial(_of_smoothness, _WORD, change, lemma, why, make)


def _halved(lemma: Claim, hypothesis: Claim, letter: sp.Symbol) -> Examined:
    """A hypothesis with half of a letter: the bound at half of it is the lemma itself, of other numbers."""
    half = {letter: letter / 2}

    def make() -> Claim:
        quantities = tuple(replace(x, expression=x.expression.xreplace(half)) for x in lemma.quantities)
        changed = replace(lemma, quantities=quantities, conditions=tuple(x.xreplace(half) for x in lemma.conditions))
        says = hypothesis.conclusion.xreplace(half)
        other = partial(replace, hypothesis, id=own_id(hypothesis), conclusion=says)
        return _restated(changed, hypothesis, other, f"at_half_of_{letter}")

    change = f"the bound at {letter}/2, with {hypothesis.id} of {letter}/2 under its word"
    return _of_smoothness(_STATEMENT, change, lemma, f"{lemma.id} at {letter}/2", make)


def _restated(lemma: Claim, old: Claim, new: Callable[[], Claim], name: str) -> Claim:
    id = f"engines.{lemma.id.replace('.', '_')}_{old.id.replace('.', '_')}_{name}"
    return _with(lemma, old, new, id=id, argument="", unproved="")


def _of_smoothness(kind: str, change: str, lemma: Claim, why: str, make: Callable[[], Claim]) -> Examined:
    adapter = next(kind for kind, adapter in ADAPTERS.items() if lemma.id in adapter.claims)
    told = (f"{kind}, of smoothness", change, lemma.id, True, why)
    return examined(*told, make, lambda claim: Subject(claim, adapter=adapter))
