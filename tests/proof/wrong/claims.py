"""Proofs that are not of the claim that they seem to be of.

Among them the unfaithful patterns of machine-made formalisations whose every proof a kernel had passed: a statement of
several parts of which one is proved, hypotheses that are added in silence, parameters that are restricted
(arXiv 2606.14000).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import sympy as sp
from boundcheck.proofs.jiang2024.claims import LEMMA_1

from boundcheck.kernel import rules
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import L, Lhat
from boundcheck.language.vocabulary import A1, A2, B1, B2, F, FrobeniusNorm, Value, d, k, v1, v2
from boundcheck.proof import Proof, Reading, Script, eq, ge, le
from boundcheck.proof.proof import Assumption
from boundcheck.proof.script import checked

from .case import NUMBERS, Case, claim, ending, given, lemma, of_scripts, refusal, x, y, z

X, Y = sp.MatrixSymbol("X", d, k), sp.MatrixSymbol("Y", d, k)
MATRICES = Reading(constants={x, y, z}, arbitrary={X, Y})
POINTS = Reading(points={v1: (A1, B1), v2: (A2, B2)}, constants={x}, arbitrary={A1, A2, B1, B2})


def defining(left: Any, right: Any, relation: Any, **options: Any) -> Callable[[Proof], Any]:
    def build(proof: Proof) -> None:
        proof.conclude(proof.step("line", relation, proof.define(left, right, **options)))

    return build


def entered(role: Any, relation: Any, source: Claim | None = None) -> Callable[[Proof], Any]:
    """The goal, entered by hand as something that a proof may start from."""

    def build(proof: Proof) -> None:
        fact = proof.reading.fact(ge(x, 5))
        proof.assumptions.append(Assumption("fine", role, fact, source, relation))
        proof.conclude(rules.assume(fact))

    return build


def called(role: Any) -> Callable[[Proof], Any]:
    """A lemma from 1 <= 0, which is entered by hand under this role."""

    def build(proof: Proof) -> None:
        fact = proof.reading.fact(le(1, 0))
        proof.assumptions.append(Assumption("fine", role, fact, None, eq(x, 0)))
        proof.conclude(
            proof.step("line", ge(x, 5), rules.assume(fact), proof.step("x² ≥ 0", ge(x**2, 0))), relation=ge(x, 5)
        )

    return build


LARGE, SMALL = given(ge(x, 1)), given(le(FrobeniusNorm(X), 1))
ALL_SMALL = replace(SMALL, quantifier=r"\text{for all } X")
TWO = claim(ge(2 * x, 2), LARGE)
FIVE = claim(ge(x, 5), LARGE)


def own(**change: Any) -> Callable[[], Any]:
    """A script of Lemma 1, with something of it changed."""
    plain = Script(LEMMA_1.id, "sharp", "Lemma 1", LEMMA_1, POINTS, lambda proof: None)
    return lambda: checked(replace(plain, **change))


def of_objects(name: str, why: str, **change: Any) -> Case:
    return Case(name, why, lambda _: refusal(own(**change)), lambda _: refusal(own()))


CASES = [
    of_scripts(
        "two parts, of which one is proved",
        "statement = .*expected a single relation",
        ending(ge(2 * x, 2), (LARGE, {})),
        ending(ge(2 * x, 2), (LARGE, {})),
        claim=claim(sp.And(ge(2 * x, 2), ge(x, 7)), LARGE),
        twin_claim=TWO,
    ),
    of_scripts(
        "a maximum, of which one part is proved",
        "statement = .*expected a single relation",
        ending(le(x, y), (given(le(x, y)), {})),
        ending(le(x, y), (given(le(x, y)), {})),
        claim=claim(sp.Le(sp.Max(x, z), y, evaluate=False), given(le(x, y))),
        twin_claim=claim(le(x, y), given(le(x, y))),
    ),
    of_scripts(
        "a hypothesis that is added in silence",
        "it rests on .*, which is not a hypothesis of the claim",
        ending(ge(2 * x, 2), (ge(x, 1), {})),
        ending(ge(2 * x, 2), (LARGE, {})),
        claim=claim(ge(2 * x, 2)),
        twin_claim=TWO,
    ),
    of_scripts(
        "a hypothesis of another claim under its id",
        "which is not a hypothesis of the claim",
        ending(ge(x, 5), (given(ge(x, 5)), {})),
        ending(ge(2 * x, 2), (LARGE, {})),
        claim=FIVE,
        twin_claim=TWO,
    ),
    of_scripts(
        "a parameter that is restricted",
        "it ends in|it replaces",
        ending(ge(5, 5 - x**2), where={y: sp.Integer(5)}),
        ending(ge(y, y - x**2)),
        claim=claim(ge(y, y - x**2)),
    ),
    of_scripts(
        "the conclusion at one point for two",
        "it replaces|points that share|says something",
        ending(le(FrobeniusNorm(X - X), 0), where={Y: X}, forall=[X]),
        ending(le(FrobeniusNorm(X - Y), FrobeniusNorm(X - Y) + 1), forall=[X, Y]),
        claim=claim(le(FrobeniusNorm(X - Y), 0)),
        twin_claim=claim(le(FrobeniusNorm(X - Y), FrobeniusNorm(X - Y) + 1)),
        reading=MATRICES,
    ),
    of_scripts(
        "an end of its own",
        "the proof ends in my.claim's own",
        ending(ge(2, 1), relation=ge(2, 1)),
        ending(ge(2 * x, 2), (LARGE, {})),
        claim=FIVE,
        twin_claim=TWO,
    ),
    of_scripts(
        "points under a condition of its own",
        "which is not an instance of a hypothesis",
        ending(
            le(FrobeniusNorm(X), 1),
            (le(FrobeniusNorm(X), 1), {"role": "local"}),
            forall=[X],
            such_that=[le(FrobeniusNorm(X), 1)],
        ),
        ending(
            le(FrobeniusNorm(X), 1),
            (le(FrobeniusNorm(X), 1), {"role": "local"}),
            forall=[X],
            such_that=[le(FrobeniusNorm(X), 1)],
        ),
        claim=claim(le(FrobeniusNorm(X), 1)),
        twin_claim=claim(le(FrobeniusNorm(X), 1), SMALL),
        reading=MATRICES,
    ),
    of_scripts(
        "a hypothesis about one matrix, for all of them",
        "which is not a hypothesis of the claim",
        lambda proof: _at_any(proof, SMALL),
        lambda proof: _at_any(proof, ALL_SMALL),
        claim=claim(le(FrobeniusNorm(Y), 1), SMALL),
        twin_claim=claim(le(FrobeniusNorm(Y), 1), ALL_SMALL),
        reading=MATRICES,
    ),
    of_scripts(
        "a hypothesis about one matrix, at another",
        "which is not a hypothesis of the claim",
        ending(le(FrobeniusNorm(Y), 1), (SMALL, {"where": {X: Y}})),
        ending(le(FrobeniusNorm(Y), 1), (ALL_SMALL, {"where": {X: Y}})),
        claim=claim(le(FrobeniusNorm(Y), 1), SMALL),
        twin_claim=claim(le(FrobeniusNorm(Y), 1), ALL_SMALL),
        reading=MATRICES,
    ),
    of_scripts(
        "a letter of the claim, defined",
        "which is not a hypothesis of the claim",
        defining(y, FrobeniusNorm(X) + 1, le(FrobeniusNorm(X), y)),
        defining(z, FrobeniusNorm(X), ge(FrobeniusNorm(X), 0)),
        claim=claim(le(FrobeniusNorm(X), y)),
        twin_claim=claim(ge(FrobeniusNorm(X), 0)),
        reading=Reading(arbitrary={X, y, z}),
    ),
    of_scripts(
        "a function of the claim, defined",
        "which is not a hypothesis of the claim|it ends in",
        lambda proof: _by_definition(proof, 0),
        lambda proof: _by_definition(proof, 0),
        claim=claim(le(Value(F, X), 0)),
        twin_claim=claim(le(Value(F, X), 0), given(eq(Value(F, X), 0), r"\text{for all } X")),
        reading=MATRICES,
    ),
    of_scripts(
        "a matrix of the claim that is read as 0",
        "expected a statement that says something|it reads X as",
        ending(le(FrobeniusNorm(X), 0)),
        ending(ge(FrobeniusNorm(X), 0)),
        claim=claim(le(FrobeniusNorm(X), 0)),
        twin_claim=claim(ge(FrobeniusNorm(X), 0)),
        reading=Reading(points={X: (sp.ZeroMatrix(d, k),)}),
        twin_reading=MATRICES,
    ),
    of_scripts(
        "two matrices of the claim that are read as one",
        "it reads X and Y as points that share|expected a statement that says something",
        ending(le(FrobeniusNorm(X), FrobeniusNorm(Y) + 1)),
        ending(le(FrobeniusNorm(X), FrobeniusNorm(X) + 1)),
        claim=claim(le(FrobeniusNorm(X), FrobeniusNorm(Y) + 1)),
        twin_claim=claim(le(FrobeniusNorm(X), FrobeniusNorm(X) + 1)),
        reading=Reading(
            points={X: (sp.MatrixSymbol("Z", d, k),), Y: (sp.MatrixSymbol("Z", d, k),)},
            arbitrary={sp.MatrixSymbol("Z", d, k)},
        ),
        twin_reading=MATRICES,
    ),
    of_scripts(
        "a hypothesis entered by hand",
        "which is not a hypothesis of the claim",
        entered("hypothesis", LARGE.conclusion, LARGE),
        ending(ge(2 * x, 2), (LARGE, {})),
        claim=FIVE,
        twin_claim=TWO,
    ),
    of_scripts(
        "a definition entered by hand",
        "which is not a hypothesis of the claim",
        entered("definition", eq(z, 0)),
        ending(ge(2 * x, 2), (LARGE, {})),
        claim=FIVE,
        twin_claim=TWO,
    ),
    of_scripts(
        "a domain entered by hand",
        "which is not a hypothesis of the claim",
        entered("domain", sp.Symbol("w", positive=True)),
        ending(ge(2 * x, 2), (LARGE, {})),
        claim=FIVE,
        twin_claim=TWO,
    ),
    of_scripts(
        "an existing object that the claim does not have",
        "which is not a hypothesis of the claim",
        ending(ge(x, 5), (ge(x, 5), {"role": "choice"})),
        ending(ge(2 * x, 2), (LARGE, {})),
        claim=FIVE,
        twin_claim=TWO,
    ),
    of_scripts(
        "the claim's own title over another statement",
        "title = Lemma 1: expected none",
        lemma(ge(x**2, 0)),
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
    of_objects("an id that is not its claim's", "claim = my.claim: expected the catalogue's own", id="my.claim"),
    of_objects(
        "a claim of a class of one's own",
        "expected the catalogue's own",
        claim=type("Mine", (Claim,), {})(LEMMA_1.id, "Mine", "me", LEMMA_1.conclusion),
    ),
    of_objects("a version that is none", "version = final", version="final"),
    Case(
        "a lemma under a paper's name",
        "id = jiang2024.theorem3: expected an id that does not begin with jiang2024",
        lambda folder: refusal(
            lambda: checked(Script("jiang2024.theorem3", "sharp", "", None, NUMBERS, print, home=folder))
        ),
        lambda folder: refusal(lambda: checked(Script("my.theorem3", "sharp", "", None, NUMBERS, print, home=folder))),
    ),
    of_scripts(
        "another constant of the catalogue's claim",
        "definition = .*expected its own formula",
        lambda proof: proof.define(Lhat, L / 2),
        ending(ge(2 * x, 2), (LARGE, {})),
        claim=LEMMA_1,
        reading=POINTS,
        twin_claim=TWO,
        twin_reading=NUMBERS,
    ),
    of_scripts(
        "the claim itself in the place of a hypothesis",
        "it assumes what it concludes",
        ending(ge(x, 5), (given(ge(x, 5), id="my.other"), {})),
        ending(ge(x, 5), (given(ge(x, 6), id="my.other"), {})),
        claim=FIVE,
        instead={"my.given": given(ge(x, 5), id="my.other")},
        twin_claim=claim(ge(x, 5), given(ge(x, 7))),
        twin_instead={"my.given": given(ge(x, 6), id="my.other")},
    ),
    of_scripts(
        "a stronger hypothesis in the place of a hypothesis",
        "from which that does not follow",
        ending(ge(x, 5), (given(ge(x, 6), id="my.other"), {})),
        ending(ge(x, 5), (given(ge(x, 6), id="my.other"), {})),
        claim=claim(ge(x, 5), given(ge(x, 0))),
        instead={"my.given": given(ge(x, 6), id="my.other")},
        twin_claim=claim(ge(x, 5), given(ge(x, 7))),
    ),
    of_scripts(
        "a falsehood that is called a definition",
        "which is not a hypothesis of the claim",
        called("definition"),
        called("hypothesis"),
        claim="my.lemma",
    ),
    of_scripts(
        "a falsehood that is called a domain",
        "which is not a hypothesis of the claim",
        called("domain"),
        called("hypothesis"),
        claim="my.lemma",
    ),
    of_scripts(
        "a law of a hypothesis for all of its constant",
        "which is not a hypothesis of the claim|a law cannot be for all|it rests on",
        lambda proof: proof.conclude(
            proof.step("line", ge(0, 1), proof.by.instance(proof.assume(LARGE, forall=[x]), {x: sp.Integer(0)}))
        ),
        ending(ge(2 * x, 2), (LARGE, {})),
        claim=claim(ge(0, 1), LARGE),
        twin_claim=TWO,
    ),
]


def _at_any(proof: Proof, hypothesis: Claim) -> None:
    law = proof.assume(hypothesis, forall=[X])
    proof.conclude(proof.step("line", le(FrobeniusNorm(Y), 1), proof.by.instance(law, {X: Y})))


def _by_definition(proof: Proof, value: int) -> None:
    law = proof.define(Value(F, X), sp.Integer(value), forall=[X])
    proof.conclude(proof.step("line", le(Value(F, X), 0), proof.by.instance(law, {X: X})))
