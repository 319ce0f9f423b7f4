"""Proofs that are not of the claim that they seem to be of.

Among them the unfaithful patterns of machine-made formalisations whose every proof a kernel had
passed: a statement of several parts of which one is proved, hypotheses that are added in silence,
parameters that are restricted (arXiv 2606.14000).
"""

from dataclasses import replace
from functools import partial

import sympy as sp
from boundcheck.proofs.jiang2024.claims import LEMMA_1

from boundcheck.exact.evaluate import t
from boundcheck.kernel import rules
from boundcheck.language.claim import Claim, Quantity, for_all
from boundcheck.language.symbols import D, L, Lhat, T, f_star
from boundcheck.language.vocabulary import (
    A1,
    A2,
    B1,
    B2,
    GAP,
    Expectation,
    F,
    FrobeniusNorm,
    InnerProduct,
    Iterate,
    Value,
    d,
    k,
    n,
    v1,
    v2,
    v_t,
)
from boundcheck.proof import Process, Reading, Script, eq, ge, gt, le
from boundcheck.proof.proof import Assumption
from boundcheck.proof.script import checked

from .case import (
    NUMBERS,
    Case,
    claim,
    ending,
    given,
    lemma,
    of_acts,
    of_scripts,
    refusal,
    x,
    y,
    z,
)

X, Y, Z = (sp.MatrixSymbol(name, d, k) for name in "XYZ")
MATRICES = Reading(constants={x, y, z}, arbitrary={X, Y})
POINTS = Reading(points={v1: (A1, B1), v2: (A2, B2)}, constants={x}, arbitrary={A1, A2, B1, B2})
STRANGE = "which is not a hypothesis of the claim"
u, w = sp.symbols("u w", positive=True)
RUN = Reading(processes={v_t: Process((sp.MatrixSymbol("v", n, 1),))}, constants={x})
SIZE = eq(z, FrobeniusNorm(X))
JENSEN = le(Expectation(FrobeniusNorm(X) ** 2), Expectation(FrobeniusNorm(X)) ** 2)
START = Value(F, v_t.xreplace({t: sp.Integer(1)}))


def defining(left, right, relation):
    return lambda proof: proof.conclude(proof.step("line", relation, proof.define(left, right)))


def entered(role, relation, source=None):
    """The goal, entered by hand as something that a proof may start from."""

    def build(proof):
        fact = proof.reading.fact(ge(x, 5))
        proof.assumptions.append(Assumption("fine", role, fact, source, relation))
        proof.conclude(rules.assume(fact))

    return build


def signed(*letters):
    """The claim, from the signs of letters and from definitions."""

    def build(proof):
        known = [
            proof.define(*each) if isinstance(each, tuple) else proof.positive(each)
            for each in letters
        ]
        assert proof.claim is not None
        proof.conclude(proof.step("line", proof.claim.conclusion, *known))

    return build


def assumed_as_definition(proof):
    known = [*proof.positive(w), proof.assume(eq(w, -1), role="definition")]
    proof.conclude(proof.step("line", ge(x, 5), *known))


def constant_quantity(proof):
    """That ‖X‖ is its own mean, because a quantity is."""
    size = proof.assume(SIZE, role="definition")
    square = proof.step("square", eq(FrobeniusNorm(X) ** 2, z**2), size)
    proof.conclude(proof.step("line", JENSEN, *map(proof.by.expectation, (size, square))))


def defined_by_inequalities(proof):
    """A lemma from z = 0 and z = 1, which are entered by hand as definitions."""
    known = [proof.reading.fact(eq(z, value)) for value in (0, 1)]
    proof.assumptions += [Assumption("z", "definition", fact, None, ge(z, 0)) for fact in known]
    proof.conclude(proof.step("line", ge(x, 5), *map(rules.assume, known)), relation=ge(x, 5))


def called(role):
    """A lemma from 1 <= 0, which is entered by hand under this role."""

    def build(proof):
        fact = proof.reading.fact(le(1, 0))
        proof.assumptions.append(Assumption("fine", role, fact, None, eq(x, 0)))
        line = proof.step("line", ge(x, 5), rules.assume(fact), proof.step("x² ≥ 0", ge(x**2, 0)))
        proof.conclude(line, relation=ge(x, 5))

    return build


def at_any(hypothesis):
    def build(proof):
        law = proof.assume(hypothesis, forall=[X])
        proof.conclude(proof.step("line", le(FrobeniusNorm(Y), 1), proof.by.instance(law, {X: Y})))

    return build


def by_definition(proof):
    law = proof.define(Value(F, X), sp.Integer(0), forall=[X])
    proof.conclude(proof.step("line", le(Value(F, X), 0), proof.by.instance(law, {X: X})))


LARGE = given(ge(x, 1))
SMALL = given(le(FrobeniusNorm(X), 1))
ALL_SMALL = replace(SMALL, quantifier=for_all(X))
OF_Y = {
    "claim": claim(le(FrobeniusNorm(Y), 1), SMALL),
    "twin_claim": claim(le(FrobeniusNorm(Y), 1), ALL_SMALL),
}
TWO = claim(ge(2 * x, 2), LARGE)
FIVE = claim(ge(x, 5), LARGE)
OTHER = {more: given(ge(x, more), id="my.other") for more in (5, 6)}


def own(**change):
    """A script of Lemma 1, with something of it changed."""
    return checked(
        replace(
            Script(LEMMA_1.id, "sharp", "Lemma 1", LEMMA_1, POINTS, lambda proof: None), **change
        )
    )


def of_objects(name, why, **change):
    return of_acts(name, why, partial(own, **change), own)


def by_quantity(proof):
    """The claim, from the formula of its quantity."""
    assert proof.claim is not None
    size = proof.quantity(proof.claim.quantities[0])
    known = (size, proof.step("norm", ge(proof.claim.quantities[0].expression, 0)))
    proof.conclude(proof.step("line", proof.claim.conclusion, *known))


def sized(conclusion, expression):
    """A claim about z, which is the expression."""
    return claim(conclusion, quantities=(Quantity(z, expression, "a size"),))


def at_itself(hypothesis, goal, at=None):
    """The goal, from a hypothesis at another letter of h."""

    def build(proof):
        law = proof.assume(hypothesis, forall=[H])
        proof.conclude(proof.step("line", goal, proof.by.instance(law, {H: at or H_2})))

    return build


def of_gap(proof):
    gap = proof.define(D, GAP)
    assert proof.claim is not None
    proof.conclude(proof.step("line", proof.claim.conclusion, gap, *proof.positive(D)))


def chosen(role, *relations):
    """A lemma from what is assumed under this role, by `assume`."""

    def build(proof):
        known = [proof.assume(each, role=role) for each in relations]
        line = proof.step("line", ge(x, 5), *known, proof.step("x² ≥ 0", ge(x**2, 0)))
        proof.conclude(line, relation=ge(x, 5))

    return build


V, H, H_2 = (sp.MatrixSymbol(name, n, 1) for name in ("v", "h", "h_2"))
G_T = Iterate("g", t, n, 1)
V_T = Iterate("v", t, n, 1)
# In the mean, and in the sum over t.
MEAN = given(le(Expectation(InnerProduct(G_T, H)), 0), for_all(H))
REGRET = given(le(sp.Sum(InnerProduct(G_T, V_T - H), (t, 1, T)), x), for_all(H))
CONDITIONAL = replace(LARGE, hypotheses=(given(ge(y, 1), id="my.inner"),))
PAIR = (sp.MatrixSymbol("P", d, k), sp.MatrixSymbol("Q", d, k))


CASES = [
    of_scripts(
        "a reading of a claim of one's own",
        "reading = Reading: expected none: my.claim says itself what it means",
        by_quantity,
        claim=sized(ge(z, 0), FrobeniusNorm(X)),
        reading=Reading(points={X: (sp.ZeroMatrix(d, k),)}),
        twin_reading=None,
    ),
    of_scripts(
        "a letter of the claim as a fresh one",
        "fresh = X: expected a letter that my.claim has not",
        by_quantity,
        claim=sized(ge(z, 0), FrobeniusNorm(X)),
        fresh=[X],
        twin_fresh=[Y],
    ),
    of_scripts(
        "a mean with one h in it, at what is drawn",
        "h is a constant, and g",
        at_itself(MEAN, le(Expectation(InnerProduct(G_T, G_T)), 0), G_T),
        at_itself(MEAN, le(Expectation(InnerProduct(G_T, H_2)), 0)),
        claim=claim(le(Expectation(InnerProduct(G_T, G_T)), 0), MEAN),
        twin_claim=claim(le(Expectation(InnerProduct(G_T, H_2)), 0), MEAN),
    ),
    of_scripts(
        "a regret against one h, as one against many",
        "h is a constant, and v",
        at_itself(REGRET, le(sp.Sum(InnerProduct(G_T, V_T - V_T), (t, 1, T)) + x, 2 * x), V_T),
        at_itself(REGRET, le(sp.Sum(InnerProduct(G_T, V_T - H_2), (t, 1, T)), x)),
        claim=claim(le(sp.Sum(InnerProduct(G_T, V_T - V_T), (t, 1, T)) + x, 2 * x), REGRET),
        twin_claim=claim(le(sp.Sum(InnerProduct(G_T, V_T - H_2), (t, 1, T)), x), REGRET),
    ),
    of_scripts(
        "a hypothesis without what it rests on",
        "says nothing: it holds where y >= 1",
        ending(ge(2 * x, 2), CONDITIONAL),
        claim=claim(ge(2 * x, 2), CONDITIONAL),
        twin_claim=claim(ge(2 * x, 2), CONDITIONAL, *CONDITIONAL.hypotheses),
    ),
    of_scripts(
        "a start above the least value, because D is positive",
        STRANGE,
        of_gap,
        defining(D, GAP, ge(D + f_star, START)),
        claim=claim(gt(START * D, f_star * D)),
        twin_claim=claim(ge(D + f_star, START)),
    ),
    *(
        of_scripts(
            f"a lemma from what is entered as a {role}: {name}",
            "which is not a hypothesis of the claim",
            chosen(role, *relations),
            chosen("hypothesis", ge(x, 5)),
        )
        for role, name, relations in (
            ("choice", "1 ≤ 0", [le(1, 0)]),
            ("choice", "its conclusion", [ge(x, 5)]),
            ("domain", "its conclusion", [ge(x, 5)]),
            ("definition", "a value of T", [eq(T, x - 4)]),
        )
    ),
    of_scripts(
        "two parts, of which one is proved",
        "statement = .*expected a single relation",
        ending(ge(2 * x, 2), LARGE),
        claim=claim(sp.And(ge(2 * x, 2), ge(x, 7)), LARGE),
        twin_claim=TWO,
    ),
    of_scripts(
        "a maximum, of which one part is proved",
        r"it ends in x <= y, and not in max\(x, z\) <= y",
        ending(le(x, y), given(le(x, y))),
        claim=claim(sp.Le(sp.Max(x, z), y, evaluate=False), given(le(x, y))),
        twin_claim=claim(le(x, y), given(le(x, y))),
    ),
    of_scripts(
        "a hypothesis that is added in silence",
        f"it rests on .*, {STRANGE}",
        ending(ge(2 * x, 2), ge(x, 1)),
        TWO,
        claim=claim(ge(2 * x, 2)),
    ),
    of_scripts(
        "a hypothesis of another claim under its id",
        STRANGE,
        ending(ge(x, 5), given(ge(x, 5))),
        TWO,
        claim=FIVE,
    ),
    of_scripts(
        "a parameter that is restricted",
        "it ends in",
        ending(ge(5 * x**2, 0)),
        claim(ge(5 * x**2, 0)),
        claim=claim(ge(y * x**2, 0)),
    ),
    of_scripts(
        "an end of its own",
        "relation = .*expected none",
        ending(ge(2, 1), relation=ge(2, 1)),
        TWO,
        claim=FIVE,
    ),
    of_scripts(
        "a hypothesis about one matrix, for all of them",
        STRANGE,
        at_any(SMALL),
        at_any(ALL_SMALL),
        **OF_Y,
    ),
    of_scripts(
        "a hypothesis about one matrix, at another",
        STRANGE,
        ending(le(FrobeniusNorm(Y), 1), (SMALL, {"where": {X: Y}})),
        at_any(ALL_SMALL),
        **OF_Y,
    ),
    of_scripts(
        "a letter of the claim, defined",
        STRANGE,
        defining(y, FrobeniusNorm(X) + 1, le(FrobeniusNorm(X), y)),
        defining(z, FrobeniusNorm(X), ge(FrobeniusNorm(X), 0)),
        claim=claim(le(FrobeniusNorm(X), y)),
        twin_claim=claim(ge(FrobeniusNorm(X), 0)),
        twin_fresh=[z],
    ),
    of_scripts(
        "a function of the claim, defined",
        f"{STRANGE}|it ends in",
        by_definition,
        claim=claim(le(Value(F, X), 0)),
        twin_claim=claim(le(Value(F, X), 0), given(eq(Value(F, X), 0), for_all(X))),
    ),
    *(
        of_scripts(f"{name} entered by hand", STRANGE, entered(*what), TWO, claim=FIVE)
        for name, what in {
            "a hypothesis": ("hypothesis", LARGE.conclusion, LARGE),
            "a definition": ("definition", eq(z, 0)),
            "a domain": ("domain", sp.Symbol("w", positive=True)),
        }.items()
    ),
    of_scripts(
        "a letter that is positive, and defined by one that is not",
        STRANGE,
        signed((w, sp.Integer(-1)), (u, w), u),
        signed((w, sp.Integer(1)), (u, w), u),
        claim=claim(ge(x, 5)),
        twin_claim=claim(ge(x * x, 0)),
        fresh=[u, w],
    ),
    of_scripts(
        "a letter that is positive, and defined by a definition that is assumed",
        STRANGE,
        assumed_as_definition,
        signed(w, (w, sp.Integer(1))),
        claim=claim(ge(x, 5)),
        twin_claim=claim(ge(x * x, 0)),
        fresh=[u, w],
    ),
    of_scripts(
        "a gap that is positive, of a claim that does not say so",
        STRANGE,
        signed(D, (D, GAP)),
        claim=claim(gt(START, f_star)),
        twin_claim=claim(gt(START + D, f_star + D), conditions=(gt(D, 0),)),
    ),
    of_scripts(
        "a quantity that is random, and a constant by a definition that is assumed",
        "expected the expectation of what is random",
        constant_quantity,
        lambda proof: proof.conclude(
            proof.step("line", SIZE, proof.assume(SIZE, role="definition"))
        ),
        claim=claim(JENSEN, quantities=(Quantity(z, FrobeniusNorm(X)),)),
        twin_claim=claim(SIZE, quantities=(Quantity(z, FrobeniusNorm(X)),)),
    ),
    of_scripts(
        "an inequality that is called a definition",
        STRANGE,
        entered("definition", ge(x, 5)),
        TWO,
        claim=FIVE,
    ),
    of_scripts(
        "two definitions that are inequalities by hand",
        STRANGE,
        defined_by_inequalities,
        lambda proof: proof.conclude(
            proof.step("line", ge(x * z, x), proof.define(z, 1)), relation=ge(x * z, x)
        ),
    ),
    of_scripts(
        "an existing object that the claim does not have",
        STRANGE,
        ending(ge(x, 5), (ge(x, 5), {"role": "choice"})),
        TWO,
        claim=FIVE,
    ),
    of_scripts(
        "the claim's own title over another statement",
        "title = Lemma 1: expected none",
        lemma(ge(x**2, 0)),
        claim=LEMMA_1,
        title="Lemma 1",
        twin_claim="my.lemma",
        twin_title="A square",
    ),
    of_objects(
        "another claim under an id of the catalogue",
        "expected the catalogue's own",
        claim=replace(LEMMA_1, quantities=()),
    ),
    of_objects(
        "an id that is not its claim's",
        "claim = my.claim: expected the catalogue's own",
        id="my.claim",
    ),
    of_objects(
        "a claim of a class of one's own",
        "expected the catalogue's own",
        claim=type("Mine", (Claim,), {})(LEMMA_1.id, "Mine", "me", LEMMA_1.conclusion),
    ),
    of_objects("a version that is none", "version = final", version="final"),
    Case(
        "a lemma under a paper's name",
        "id = jiang2024.theorem3: expected an id that does not begin with jiang2024",
        *(
            lambda folder, id=id: refusal(
                lambda: checked(Script(id, "sharp", "", None, NUMBERS, print, home=folder))
            )
            for id in ("jiang2024.theorem3", "my.theorem3")
        ),
    ),
    of_scripts(
        "another constant of the catalogue's claim",
        "definition = .*expected its own formula",
        lambda proof: proof.define(Lhat, L / 2),
        TWO,
        claim=LEMMA_1,
        twin_reading=None,
    ),
    *(
        of_scripts(
            f"a falsehood that is called a {role}",
            STRANGE,
            called(role),
            chosen("hypothesis", le(1, 0)),
        )
        for role in ("definition", "domain")
    ),
    of_scripts(
        "a law of a hypothesis for all of its constant",
        f"{STRANGE}|a law cannot be for all|it rests on",
        lambda proof: proof.conclude(
            proof.step(
                "line",
                ge(0, 1),
                proof.by.instance(proof.assume(LARGE, forall=[x]), {x: sp.Integer(0)}),
            )
        ),
        TWO,
        claim=claim(ge(0, 1), LARGE),
    ),
]
