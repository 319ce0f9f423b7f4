"""Proof scripts, runs and lemmas whose truth is known, for the engines; and all claims that these
are examined on.

A script of a true claim has a witness that meets what the script assumes and not what the claim
does: it must not be refuted. A script of a false claim takes a hypothesis for more than it says: it
must not be proved. Runs show what is so of an edited statement, and not of the word beside it.
Lemmas about smoothness stay true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from itertools import product
from typing import Any, NamedTuple

import sympy as sp

from boundcheck.exact.balls import number
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.language import hypotheses as words
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, for_all, letters
from boundcheck.language.sentence import word_of
from boundcheck.language.symbols import Parameter, zeta
from boundcheck.language.vocabulary import (
    FrobeniusNorm,
    InnerProduct,
    n,
)
from boundcheck.proof import Proof, at_numbers, script
from soundness.edits import mixed_up
from soundness.engines import Examined, descended, examined, run
from soundness.exact_model import ExactModel, fractions, huber
from soundness.runs import on_kink, on_scalars
from soundness.theorems import Edited, Recipe, edited, exchanged, own_id, rational, recipes, times

Make = Callable[[], Examined]
# Of the claims of which nothing is known, every so manieth is tried.
_UNKNOWN = 4
_STATEMENT = "statement beside its word"
_WORD = "word beside its statement"


def examinations(every: int = 1, first: int = 0) -> Iterator[Examined]:
    """Every `every`-th claim from the first on, in a mixed order; of those not known to be true or
    false, a quarter.
    """
    makers: list[Callable[[], Recipe | Examined]] = [
        *recipes(),
        *scripted(),
        *measurable(),
        *lemmas(),
    ]
    for turn, make in enumerate(mixed_up(makers)[first::every]):
        made = make()
        found = made.examined(turn) if isinstance(made, Recipe) else made
        if found.is_known or turn % _UNKNOWN == 0:
            yield found


# Laws about matrices, at one matrix and at another

M = sp.MatrixSymbol("M", n, n)
X = sp.MatrixSymbol("X", n, 1)
Y = sp.MatrixSymbol("Y", n, 1)
SIZE = Parameter(sp.Symbol("size_0", positive=True), "positive real", "a bound")
_SIDES = {"n": 1, "one": 1}
_FACTORS = fractions("1/2 1 2")


class _Law(NamedTuple):
    """For all X `left` is at most, or at least, x times a power of ‖X‖; numbers M with which that
    fails and holds.
    """

    name: str
    left: Callable[[sp.Basic], sp.Expr]
    power: int
    breaks: Callable[[Fraction], Fraction]
    meets: Callable[[Fraction], Fraction]
    is_upper: bool = True

    def says(self, z: sp.Basic, x: sp.Expr) -> sp.Basic:
        """The relation at one X."""
        return (sp.Le if self.is_upper else sp.Ge)(self.left(z), x * FrobeniusNorm(z) ** self.power)


_LAWS = (
    _Law("‖MX‖ ≤ x‖X‖", lambda z: FrobeniusNorm(M * z), 1, lambda x: 10 * x, lambda x: x),
    _Law(
        "‖MX‖² ≤ x‖X‖²",
        lambda z: FrobeniusNorm(M * z) ** 2,
        2,
        lambda x: 10 * x + 10,
        lambda x: min(x, Fraction(1)),
    ),
    _Law("⟨MX, X⟩ ≤ x‖X‖²", lambda z: InnerProduct(M * z, z), 2, lambda x: 10 * x, lambda x: x),
    _Law(
        "⟨MX, X⟩ ≥ x‖X‖²",
        lambda z: InnerProduct(M * z, z),
        2,
        lambda x: -x,
        lambda x: x,
        is_upper=False,
    ),
    _Law(
        "‖MX‖ ≥ x‖X‖",
        lambda z: FrobeniusNorm(M * z),
        1,
        lambda x: x / 10,
        lambda x: x,
        is_upper=False,
    ),
    _Law(
        "‖MX - X‖ ≤ x‖X‖",
        lambda z: FrobeniusNorm(M * z - z),
        1,
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


def _at_one(law: int, target: int, size: Fraction, factor: Fraction, at_zero: bool) -> Examined:
    """A law for all X is assumed at one X; its consequence at another point is held against a
    witness.
    """
    each = _LAWS[law]
    where, z = _TARGETS[target]
    x = SIZE.symbol
    ratio = "_".join(map(str, factor.as_integer_ratio()))
    id = f"engines.law{law}_{target}_{int(size)}_{ratio}_{int(at_zero)}"
    hypothesis = Claim(
        f"{id}_given", each.name, "boundcheck", each.says(X, x), for_all(X), declared=(SIZE,)
    )
    concluded = each.says(z, rational(factor) * x)
    claim = Claim(id, f"{each.name} {where}", "boundcheck", concluded, hypotheses=(hypothesis,))
    true = factor >= 1 if each.is_upper else factor <= 1
    # Of a false claim the law holds everywhere at M; of a true one at X alone.
    m = each.breaks(size) if true else each.meets(size)
    first = Fraction(not true)
    second = Fraction(1)
    point = first if at_zero or not true else Fraction(0)
    why = "the law at another point" if true else f"M = {m}, X = {first}, Y = {second}, x = {size}"
    matrices = {"M": number(m), "X": number(first), "Y": number(second)}
    if not true and ExactModel(why, _SIDES, {x.name: size}, matrices, {}).says(concluded):
        # The law is loose there, as at ‖MX‖² ≤ x‖X‖² with M = 1 < x: another M attains it.
        true = True
        why = "not shown to be false"

    def build(proof: Proof) -> None:
        proof.assume(hypothesis, where={} if at_zero else {X: 2 * X})
        values = {M: [[m]], X: [[point]], Y: [[second]], x: size}
        proof.step("the claim", concluded, witness=at_numbers("Numbers", values))

    kind = "law at one point" if at_zero else "law at one multiple"
    change = f"{each.name} for all X, {factor} of it {where}, x = {size}"
    made = script(claim, "printed", is_statement=True)
    return examined(kind, change, each.name, true, why, lambda: claim, script=lambda _: made(build))


# Runs with noise: the variance that is stated, beside the word that looks at ζ²; and without:
# smoothness and the gap

# What the ids of claims that are run begin with: these are known from then on, and no other id may
# begin so.
_FIRST = "runs_of_engines"
_NOISY = ("ghadimi2013.corollary2_2", "khaled2020.bounded_variance", "meft.theorem2_any_step")
_VARIANCE = catalogue["jiang2024.assumption4"]
_QUIET = catalogue["nesterov2004.gradient_descent"]
_STEPS = 12
_EDITS = 12
# What is stated in place of ζ², and what it is.
_VARIANCES: tuple[tuple[str, sp.Expr], ...] = (
    *(("ζ²", zeta**2), ("ζ²/2", zeta**2 / 2), ("ζ²/100", zeta**2 / 100)),
    *(("ζ⁴/16", zeta**4 / 16), ("ζ/100", zeta / 100)),
)
_noisy = cache(partial(on_scalars, steps=_STEPS))


def measurable() -> Iterator[Make]:
    """Every run, to be made when it is its turn; in an order that never changes."""
    for id in _NOISY:
        for place, is_known in product(range(len(_VARIANCES)), (True, False)):
            yield partial(_variance, id, is_known, place)
        for word, is_known in product((words.UNBIASED, words.CONVEX), (True, False)):
            yield partial(_variance, id, is_known, word)
    shares = fractions("1 1/4 1/16 1/64")
    changes = [change for hypothesis in _QUIET.hypotheses for change in edited(hypothesis)]
    edits = list(product(shares, changes))[:_EDITS]
    for steps, (place, (share, change)) in product((2, 3, 6), enumerate(edits)):
        yield partial(_quiet, steps, share, change, place)


def _variance(id: str, is_known: bool, stated: int | words.Hypothesis) -> Examined:
    """The variance is stated to be at most something else than ζ², or with the word of another
    hypothesis.

    With another word ζ² is half of what the variance is at v_1.
    """
    found = _noisy(id)
    other = _VARIANCE.id if is_known else own_id(_VARIANCE)
    table = found.table
    fields = dict[str, Any](id=other)
    if isinstance(stated, int):
        kind = _STATEMENT
        tag = f"variance_{stated}"
        name, limit = _VARIANCES[stated]
        fields["conclusion"] = _VARIANCE.conclusion.func(_VARIANCE.conclusion.lhs, limit)
        exact = limit.xreplace({zeta: rational(Fraction(table["run"]["zeta"]))})
        value = float(exact)
        meets = found.variance <= Fraction(int(exact.p), int(exact.q))
        change = f"the variance is at most {name}, under {other}"
    else:
        kind = _WORD
        tag = f"word_{stated.id}"
        name = "ζ²"
        size = (float(found.variance) / 2) ** 0.5
        fields["word"], value, meets = stated, size**2, False
        table = table | {"run": table["run"] | {"zeta": size}}
        change = f"the variance with the word {stated.id}, under {other}"
    why = (
        f"{found.name}: the variance at v_1 is {float(found.variance):.6g}, and {name} is"
        f" {value:.6g}"
    )
    new_id = f"{_FIRST}.{id.replace('.', '_')}.{tag}_{int(is_known)}"
    make = partial(exchanged, catalogue[id], _VARIANCE, fields, id=new_id)
    return examined(f"{kind}, measured", change, id, meets, why, make, table=table, meets=meets)


def _quiet(steps: int, share: Fraction, change: Edited, place: int) -> Examined:
    """Gradient descent on a Huber function, whose exact course is known."""
    found = on_kink(_QUIET.id, steps)
    L, G = (Fraction(found.table["problem"][name]) for name in "LG")
    walk = run("", huber(int(L), G), 1 - G / L, descended(1), steps, ell=L)
    bound = share * 2 * L * walk.gap / steps
    least = min(walk.squares)
    said = f"{share} of the bound, with {change.change} under its word"
    why = f"{found.name}: the least squared gradient is {least}, and the bound {bound}"
    meets = change.holds(walk)
    id = f"{_FIRST}.quiet_{steps}_{place}"
    make = partial(exchanged, times(_QUIET, share), change.of, change.fields, id=id)
    true = meets and least <= bound
    return examined(
        f"{_STATEMENT}, measured", said, _QUIET.id, true, why, make, table=found.table, meets=meets
    )


# Lemmas about smoothness, which stay true

_LEMMAS = (
    *("meft.full", "meft.frozen_a", "meft.lemma1_sharp", "meft.lemma1_sharp_equal_radii"),
    *("meft.loreft_sharp", "meft.dora"),
)
_FOREIGN = (words.BOUNDED_GRADIENT, words.BOUNDED_SPECTRAL_GRADIENT, words.CONVEX)


def lemmas() -> Iterator[Make]:
    """Every lemma, to be made when it is its turn; in an order that never changes."""
    for lemma in map(catalogue.__getitem__, _LEMMAS):
        own = {parameter.symbol for parameter in lemma.parameters}
        for hypothesis in (x for x in lemma.hypotheses if word_of(x)):
            for letter in sorted(letters(hypothesis) & own, key=str):
                # A hypothesis with half of a letter: the bound at half of it is the lemma itself,
                # of other numbers.
                half = {letter: letter / 2}
                halved = {
                    "id": own_id(hypothesis),
                    "conclusion": hypothesis.conclusion.xreplace(half),
                }
                formulas = {
                    "quantities": tuple(
                        replace(x, expression=x.expression.xreplace(half)) for x in lemma.quantities
                    ),
                    "conditions": tuple(x.xreplace(half) for x in lemma.conditions),
                }
                change = (
                    f"the bound at {letter}/2, with {hypothesis.id} of {letter}/2 under its word"
                )
                told = (_STATEMENT, change, f"{lemma.id} at {letter}/2")
                tag = f"at_half_of_{letter}"
                yield partial(_lemma, lemma, hypothesis, halved, told, tag, **formulas)
            for word in (x for x in _FOREIGN if x != hypothesis.word):
                told = (_WORD, f"{hypothesis.id} with the word {word.id}", f"{lemma.id} is true")
                yield partial(_lemma, lemma, hypothesis, {"word": word}, told, f"with_{word.id}")


def _lemma(
    lemma: Claim,
    old: Claim,
    fields: dict[str, Any],
    told: tuple[str, str, str],
    tag: str,
    **formulas: Any,
) -> Examined:
    """A lemma with other fields of one of its hypotheses, which is true."""
    kind, change, why = told
    id = f"engines.{lemma.id.replace('.', '_')}_{old.id.replace('.', '_')}_{tag}"
    # Its argument and formulas first: a claim of the catalogue with other hypotheses may refuse to
    # be made.
    changed = replace(lemma, argument="", unproved="", **formulas)
    adapter = next(kind for kind, adapter in ADAPTERS.items() if lemma.id in adapter.claims)
    make = partial(exchanged, changed, old, fields, id=id)
    return examined(f"{kind}, of smoothness", change, lemma.id, True, why, make, adapter=adapter)
