"""Scripts that prove nothing and say that they do: the kernel's theorems are right, and none is the claim."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sympy as sp
from boundcheck.proofs.jiang2024.claims import LEMMA_1, THEOREM_2
from boundcheck.proofs.meft.lora import LEMMA_1_SHARP

from boundcheck.checked.claim_mutants import verdict_on
from boundcheck.checked.edits import with_formula
from boundcheck.claims.symbols import L, Lhat, bound
from boundcheck.claims.vocabulary import MINIMUM_GRADIENT, EuclideanNorm, F, Gradient, v1, v2
from boundcheck.errors import InputError
from boundcheck.prove import Proof, Script, eq, judge, le, script
from tests.judged import SCRIPTS, of_the_paper
from tests.layers import sampled

# The reading of the paper's scripts: v = (A, B).
READING = next(each.reading for each in SCRIPTS if each.claim is LEMMA_1)
SLOPE = EuclideanNorm(Gradient(F, v1) - Gradient(F, v2))


def assumed_as(role: str) -> Callable[[Proof], None]:
    def build(proof: Proof) -> None:
        proof.conclude(proof.assume(THEOREM_2.conclusion, role=role))  # type: ignore[arg-type]

    return build


def another_statement(proof: Proof) -> None:
    proof.conclude(proof.step("0 ≤ 1", le(0, 1)), relation=le(0, 1))


def another_bound(proof: Proof) -> None:
    defined = proof.define(bound, MINIMUM_GRADIENT + 1)
    proof.conclude(proof.step("(9)", THEOREM_2.conclusion, defined))


def circular(proof: Proof) -> None:
    absurd = proof.step("0 = 1", eq(0, 1), proof.define(bound, bound + 1))
    proof.conclude(proof.step("(9)", THEOREM_2.conclusion, absurd, proof.step("1 = 0", eq(1, 0), absurd)))


def circular_in_two(proof: Proof) -> None:
    x, y = sp.symbols("x_0 y_0")
    proof.conclude(proof.step("absurd", le(1, 0), proof.define(x, y + 1), proof.define(y, x)), relation=le(1, 0))


def under_an_absurd_condition(proof: Proof) -> None:
    by = proof.by
    (size,) = proof.positive(Lhat)
    lengths = by.nonnegative("F", Gradient(F, v1) - Gradient(F, v2)), by.nonnegative("F", v1 - v2)
    line = proof.step("(8)", LEMMA_1.conclusion, proof.local(le(1, 0)), *lengths, size, degree=3)
    proof.conclude(line, forall=[v1, v2], such_that=[le(1, 0)])


def another_constant(proof: Proof) -> None:
    half = proof.define(Lhat, L / 2)
    proof.conclude(proof.step("L̂", eq(Lhat, L / 2), half), relation=eq(Lhat, L / 2))


CHEATS = {
    "assumed as a hypothesis": (THEOREM_2, assumed_as("hypothesis")),
    "assumed as a choice": (THEOREM_2, assumed_as("choice")),
    "assumed as a local fact": (THEOREM_2, assumed_as("local")),
    "assumed as a definition": (THEOREM_2, assumed_as("definition")),
    "assumed as a domain": (THEOREM_2, assumed_as("domain")),
    "another statement": (THEOREM_2, another_statement),
    "another bound": (THEOREM_2, another_bound),
    "a circular definition": (THEOREM_2, circular),
    "two circular definitions": (THEOREM_2, circular_in_two),
    "an absurd condition": (LEMMA_1, under_an_absurd_condition),
    "another constant": (LEMMA_1_SHARP, another_constant),
}


@pytest.mark.parametrize(("claim", "build"), CHEATS.values(), ids=CHEATS)
def test_no_cheat_is_proved(claim, build: Callable[[Proof], None]) -> None:
    try:
        verdict = judge(script(claim, "sharp", READING)(build)).verdict
    except InputError:
        return
    assert verdict != "proved"


def named(id: str, version: str) -> Script:
    return next(each for each in SCRIPTS if (each.id, each.version) == (id, version))


@sampled(3, 2)
@of_the_paper
@pytest.mark.parametrize("id", ["meft.theorem2_repaired", "meft.theorem2_best_step", "meft.theorem2_frozen_a"])
def test_the_constant_of_a_cited_lemma_is_the_claims_own(id: str) -> None:
    """The claim says λ*/4, and the proof goes on with the λ* of the lemma that it cites.

    At d = k = r = 1, L = 1, G = 1/256, radii 1, T = 1 and q = 1/2 the claim of theorem2_repaired is false.
    """
    sharp = named(id, "sharp")
    assert sharp.claim is not None
    quarter = sharp.claim.quantities[0].expression / 4
    assert verdict_on(sharp, with_formula(sharp.claim, sharp.claim.names[0], quarter)) != "proved"


@pytest.mark.full
@of_the_paper
def test_paper_scripts_define_what_their_claims_define() -> None:
    """Each definition of a claim's quantity is the claim's own."""
    for each in SCRIPTS:
        quantities = {q.symbol: q.expression for q in each.claim.quantities} if each.claim else {}
        for assumption in each.proof.assumptions:
            if assumption.role == "definition" and assumption.relation.lhs in quantities:
                assert assumption.relation.rhs == quantities[assumption.relation.lhs]
