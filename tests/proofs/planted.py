"""Errors planted in a claim, and whether its script then closes."""

from dataclasses import replace
from typing import NamedTuple

import sympy as sp

from boundcheck.proof import Script


def changed(claim, old, new):
    """The claim with a part of its formulas replaced, under an id of its own."""
    quantities = tuple(replace(q, expression=q.expression.subs(old, new)) for q in claim.quantities)
    assert quantities != claim.quantities
    return replace(claim, id=f"planted.{claim.id.split('.')[1]}", quantities=quantities)


def about(script, claim):
    """The proof that the script makes, told that it is about this claim."""
    return replace(script, id=claim.id, title=claim.title, claim=claim).proof


def closes(script, claim):
    """Whether the script, told that it is about this claim, ends in the claim from what it
    assumes."""
    proof = about(script, claim)
    assert proof.conclusion is not None
    assumed = {each.statement for each in proof.assumptions}
    ends = proof.sequent.follows(proof.conclusion.conclusion)
    return ends and proof.conclusion.hypotheses <= assumed


class Planted(NamedTuple):
    """A theorem by its script, and a part of its formulas that is replaced."""

    script: Script
    old: sp.Expr
    new: sp.Expr

    @property
    def claim(self):
        return changed(self.script.claim, self.old, self.new)
