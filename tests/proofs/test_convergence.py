"""Theorems of other papers are proved by the kernel, by script alone; and what is planted in them is not."""

from dataclasses import replace
from types import ModuleType

import pytest
import sympy as sp
from boundcheck.proofs.bottou2018 import claims, sgd
from boundcheck.proofs.meft import adaptive, adaptive_gd
from boundcheck.proofs.methods import descent

from boundcheck.claims import Claim, catalogue
from boundcheck.claims.symbols import D, Lhat, T, alpha, mu_F, zeta
from boundcheck.prove import prove
from boundcheck.prove.script import Script
from boundcheck.words.algorithms.decreasing_sgd import gamma, omega

PROVED = (
    "abbaszadehpeivasti2022.best_step",
    "bottou2018.contraction",
    "bottou2018.convex_average",
    "bottou2018.theorem4_6",
    "bottou2018.theorem4_7",
    "bottou2018.theorem4_8",
    "classic.heavy_ball",
    "drori2014.gradient_descent",
    "ghadimi2013.corollary2_2",
    "khaled2020.bounded_variance",
    "khaled2020.theorem2",
    "meft.adaptive_gd",
    "nesterov2004.gradient_descent",
    "su2016.nesterov",
    "ward2019.adagrad_norm",
)


@pytest.mark.parametrize("id", PROVED)
def test_it_is_proved_by_the_kernel(id: str) -> None:
    (audit,) = prove(id).claims
    assert audit.verdict == "proved"
    assert {proof.trust for proof in audit.proofs} == {"kernel"}
    assert {step.trust for proof in audit.proofs for step in proof.steps} <= {"kernel", "assumed"}
    assert not catalogue[id].argument


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


PLANTED = {
    "γ for γ + 1": ("DECREASING_STEP", sgd.decreasing_step, gamma + 1, gamma),
    "ω less than 1/μ_F": ("DECREASING_STEP", sgd.decreasing_step, 1 / mu_F, 1 / (2 * mu_F)),
    "ω for ω²": ("DECREASING_STEP", sgd.decreasing_step, omega**2, omega),
}


@pytest.mark.parametrize("case", PLANTED.values(), ids=PLANTED)
def test_what_is_planted_in_sgd_is_not_proved(case: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    name, script, old, new = case
    assert not closes(monkeypatch, sgd, name, script, changed(getattr(claims, name), old, new))


@pytest.mark.parametrize("name", ["CONSTANT_STEP", "NONCONVEX", "DECREASING_STEP"])
def test_the_theorem_itself_under_another_id_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is not the change of the id that is refused."""
    claim = getattr(claims, name)
    own = replace(claim, id=f"planted.{claim.id.split('.')[1]}")
    scripts = {"CONSTANT_STEP": sgd.constant_step, "NONCONVEX": sgd.nonconvex, "DECREASING_STEP": sgd.decreasing_step}
    assert closes(monkeypatch, sgd, name, scripts[name], own)


def test_a_larger_share_of_the_descent_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    """An adaptive step gives 7/10 of itself, and not 3/4."""
    monkeypatch.setattr(adaptive_gd, "C", sp.Rational(3, 4))
    claim = changed(adaptive.ADAPTIVE_GD, sp.Rational(7, 10), sp.Rational(3, 4))
    assert not closes(monkeypatch, adaptive_gd, "ADAPTIVE_GD", adaptive_gd.adaptive_gd, claim)


def test_a_smaller_bound_of_heavy_ball_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = changed(descent.HEAVY_BALL, D, D / 2)
    assert not closes(monkeypatch, descent, "HEAVY_BALL", descent.heavy_ball, claim)
