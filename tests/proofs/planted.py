"""Errors planted in a claim, and whether its script then closes."""

from dataclasses import replace
from types import ModuleType
from typing import NamedTuple

import pytest
import sympy as sp

from boundcheck.language.claim import Claim
from boundcheck.proof import Script


def changed(claim: Claim, old: sp.Expr, new: sp.Expr) -> Claim:
    """The claim with a part of its formulas replaced, under an id of its own."""
    quantities = tuple(replace(q, expression=q.expression.subs(old, new)) for q in claim.quantities)
    assert quantities != claim.quantities
    return replace(claim, id=f"planted.{claim.id.split('.')[1]}", quantities=quantities)


def closes(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, script: Script, claim: Claim) -> bool:
    """Whether the script, told that it is about this claim, ends in the claim from what it assumes."""
    monkeypatch.setattr(module, name, claim)
    proof = replace(script, id=claim.id, title=claim.title, claim=claim).proof
    assert proof.conclusion is not None
    assumed = {each.statement for each in proof.assumptions}
    return proof.conclusion.conclusion == proof.goal and proof.conclusion.hypotheses <= assumed


class Planted(NamedTuple):
    """A theorem, by its script and its name in the script's module, and a part of its formulas that is replaced."""

    script: Script
    module: ModuleType
    name: str
    old: sp.Expr
    new: sp.Expr

    @property
    def theorem(self) -> Claim:
        return getattr(self.module, self.name)

    @property
    def claim(self) -> Claim:
        return changed(self.theorem, self.old, self.new)

    def closes(self, monkeypatch: pytest.MonkeyPatch, claim: Claim) -> bool:
        return closes(monkeypatch, self.module, self.name, self.script, claim)
