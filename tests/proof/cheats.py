"""Scripts that earn `proved` for Lemma 1 without proving it: they do nothing but call what scripts
call.

Each is a class of ways in. What reads, judges and records proofs is tried with all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import sympy as sp
from boundcheck.proofs.jiang2024.claims import ASSUMPTION_1, ASSUMPTION_3_1, ASSUMPTION_3_2, LEMMA_1

from boundcheck.exact.evaluate import t
from boundcheck.kernel import rules
from boundcheck.language import vocabulary as words
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import C, G, L, Lhat, r, sigma
from boundcheck.language.vocabulary import (
    A1,
    A2,
    B1,
    B2,
    W1,
    W2,
    F,
    Gradient,
    Value,
    W,
    d,
    f,
    k,
    v,
    v1,
    v2,
)
from boundcheck.proof import Proof, Reading, eq, ge, le, script
from boundcheck.proof.proof import Assumption

from .scripts import z

GOAL = LEMMA_1.conclusion
A = sp.MatrixSymbol("A", r, k)
B = sp.MatrixSymbol("B", d, r)
M_t = words.Iterate("M", t, d, k)
POINTS = {v: (A, B), v1: (A1, B1), v2: (A2, B2)}
LETTERS = {A, B, A1, A2, B1, B2, W, W1, W2}


def signs(proof):
    """That both sides of Lemma 1 are not negative."""
    sizes = [
        proof.by.nonnegative("F", each) for each in (Gradient(F, v1) - Gradient(F, v2), v1 - v2)
    ]
    (quantity,) = LEMMA_1.quantities
    own = proof.step("its formula", ge(quantity.expression, 0), proof.positive(L, C, sigma, G))
    return [*sizes, proof.step("its constant", ge(Lhat, 0), own, proof.quantity(quantity))]


def absurd(theorems):
    """A proof of Lemma 1 from theorems that contradict each other."""

    def build(proof):
        nothing = proof.step("1 <= 0", le(1, 0), theorems(proof))
        proof.conclude(proof.step("line", GOAL, nothing, signs(proof)))

    return build


def one_factor(proof):
    # W_i is not W_0 + B_i A_i but anything, and the factors are the same.
    where = {W1: Gradient(F, v1), W2: Gradient(F, v2), A2: A1, B2: B1}
    proof.conclude(
        proof.step(
            "line", GOAL, proof.assume(ASSUMPTION_3_1, where=where), proof.positive(C), signs(proof)
        )
    )


def all_bounds(proof):
    law = proof.assume(ASSUMPTION_3_2, where={W: W1}, forall=[W1, G])
    return [
        proof.by.instance(law, {W1: W1, G: sp.Integer(-1)}),
        proof.by.nonnegative("F", Gradient(f, W1)),
    ]


def another_function(proof):
    """F is a constant, by definition."""
    law = proof.define(Value(F, v), Value(f, W), forall=[v])
    slopes = [proof.by.chain_rule(law, i) for i in (0, 1)]
    equations = [
        (
            proof.by.instance(slope, {v: at}),
            words.PartialGradient(F, at, block),
            sp.ZeroMatrix(*block.shape),
        )
        for at in (v1, v2)
        for slope, block in zip(slopes, (A, B), strict=True)
    ]
    line = proof.step("size", ge(Lhat * words.EuclideanNorm(v1 - v2), 0), signs(proof))
    proof.conclude(proof.by.rewrite(line, GOAL, *equations))


def another_reading(proof):
    slopes = [tuple(words.PartialGradient(F, at, block) for block in (A, B)) for at in (v1, v2)]
    points = dict(zip((W1, W2), slopes, strict=True)) | {A2: (A1,), B2: (B1,)}
    other = Proof(LEMMA_1, Reading(points=POINTS | points, arbitrary=LETTERS - points.keys()))
    other.conclusion = other.assume(ASSUMPTION_3_1)
    proof.conclude(
        proof.step("line", GOAL, proof.cite(other, "cited"), proof.positive(C), signs(proof))
    )


def entered(role, claim=None):
    """The goal as an assumption that is entered in the public list by hand."""

    def build(proof):
        fact = proof.reading.fact(GOAL)
        relation = claim.conclusion if claim else eq(z, 0)
        proof.assumptions.append(Assumption("mine", role, fact, claim, relation))
        proof.conclude(rules.assume(fact))

    return build


def under_an_absurd_condition(proof):
    line = proof.step("line", GOAL, proof.local(le(1, 0)), signs(proof))
    proof.conclude(line, forall=[v1, v2], such_that=[le(1, 0)])


def assumed_as(role):
    return lambda proof: proof.conclude(proof.assume(GOAL, role=role.removesuffix(" fact")))


def trivial(**conclude):
    return lambda proof: proof.conclude(proof.step("trivial", le(0, 1)), **conclude)


class Cheat(NamedTuple):
    """What a script does, and what it says of itself."""

    build: Callable[[Proof], Any]
    claim: Claim = LEMMA_1

    def script(self):
        return script(self.claim, "sharp", fresh=[z])(self.build)


# What is refused whatever the claim is, such as letters defined twice, is in `wrong`.
CHEATS = {
    # The ids of claims were compared, and not the claims.
    "a hypothesis by its id alone": Cheat(
        lambda proof: proof.conclude(proof.assume(Claim(ASSUMPTION_1.id, "Mine", "me", GOAL)))
    ),
    # Another claim with an id of the catalogue was reported under it.
    "a claim of that id": Cheat(trivial(), claim=Claim(LEMMA_1.id, "Mine", "me", le(0, 1))),
    "W_i of Assumption 3(1) are any": Cheat(one_factor),
    "Assumption 3(2) for all G": Cheat(absurd(all_bounds)),
    # That F(v) is f(W_0 + BA) was nowhere checked.
    "another F": Cheat(another_function),
    # What `cite` brings was read by the other proof's reading.
    "another proof's reading": Cheat(another_reading),
    # A statement was not held against its role and relation.
    "a domain entered by hand": Cheat(entered("domain")),
    "a definition entered by hand": Cheat(entered("definition")),
    "a hypothesis entered by hand": Cheat(entered("hypothesis", ASSUMPTION_1)),
    "itself": Cheat(lambda proof: proof.conclude(proof.assume(LEMMA_1))),
    **{
        f"itself as a {role}": Cheat(assumed_as(role))
        for role in ("hypothesis", "definition", "domain", "choice", "local fact")
    },
    "itself as Assumption 1": Cheat(
        lambda proof: proof.conclude(
            proof.assume(ASSUMPTION_1, where={ASSUMPTION_1.conclusion: GOAL})
        )
    ),
    "an absurd condition": Cheat(under_an_absurd_condition),
    "another statement": Cheat(trivial()),
    "a conclusion of its own": Cheat(trivial(relation=le(0, 1))),
}
