"""Errors that are planted in theorems of other papers are not proved; an exact run refutes each that is false early.

The runs are those of the theorem's own algorithm on a parabola, on all paths of two-point noise, in rationals. In each
of them every hypothesis, condition and definition holds, and the bound does not: so says the kernel's meaning, and so
does an evaluation of the claim's own formula that shares no code with it.
"""

from dataclasses import replace
from fractions import Fraction
from types import ModuleType
from typing import NamedTuple

import pytest
import sympy as sp
from boundcheck.proofs.bottou2018 import convex, sgd
from boundcheck.proofs.classics import exact_rate
from boundcheck.proofs.methods import descent, drori, nesterov

from boundcheck.checked.exact_model import ExactModel
from boundcheck.checked.exact_models import runs_of
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import R_1, D, Lhat, T, alpha, mu_F, zeta
from boundcheck.proof import Proof, Script
from tests.proofs.planted import changed, closes


class Planted(NamedTuple):
    """A theorem, by its name in the module of its proof, and a part of its formulas that is replaced."""

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


LAST_GAP = (sgd.constant_step, sgd, "CONSTANT_STEP")
DISTANCE = (convex.contraction, convex, "CONTRACTION")
AVERAGE_GAP = (convex.average, convex, "CONVEX_AVERAGE")
NONCONVEX = (sgd.nonconvex, sgd, "NONCONVEX")
SHRINKS = 1 - alpha * mu_F, 1 - 2 * alpha * mu_F
NOISE = zeta**2, zeta**2 / 2
LONGER = 1 / Lhat, 2 / Lhat
LATER = T - 1, T
FALSE = {
    "the gap shrinks twice as fast": Planted(*LAST_GAP, *SHRINKS),
    "half of the noise in the gap": Planted(*LAST_GAP, *NOISE),
    "a longer step, under PL": Planted(*LAST_GAP, *LONGER),
    "one more step, under PL": Planted(*LAST_GAP, *LATER),
    "the distance shrinks twice as fast": Planted(*DISTANCE, *SHRINKS),
    "half of the noise in the distance": Planted(*DISTANCE, *NOISE),
    "a longer step, strongly convex": Planted(*DISTANCE, *LONGER),
    "one more step, strongly convex": Planted(*DISTANCE, *LATER),
    "half of the noise, on average": Planted(*AVERAGE_GAP, *NOISE),
    "a longer step, on average": Planted(*AVERAGE_GAP, *LONGER),
    "half of the distance": Planted(*AVERAGE_GAP, R_1**2, R_1**2 / 2),
    "half of D": Planted(*NONCONVEX, D, D / 2),
    "a longer step, nonconvex": Planted(*NONCONVEX, *LONGER),
    "half of D, without noise": Planted(descent.gradient_descent, descent, "GRADIENT_DESCENT", D, D / 2),
    "4T - 1 for 4T - 2": Planted(drori.convex_descent, drori, "CONVEX_DESCENT", 4 * T - 2, 4 * T - 1),
    "R_1/3 for R_1": Planted(nesterov.nesterov, nesterov, "NESTEROV", R_1, R_1 / 3),
}
# No parabola is as bad as the worst function at these, or their numbers are not rational.
UNKNOWN = {
    "half of D, heavy ball": Planted(descent.heavy_ball, descent, "HEAVY_BALL", D, D / 2),
    "half of D, exact rate": Planted(exact_rate.best_step, exact_rate, "BEST_STEP", D, D / 2),
    "T for T - 1, exact rate": Planted(exact_rate.best_step, exact_rate, "BEST_STEP", *LATER),
}
F = Fraction
# In the second, most of the distance is in the direction that is a little less steep, and the noise is larger than it.
PARABOLAS = (((F(1),), (F(2),)), *(((F(2), F(3, 2)), (3 * far, -4 * far)) for far in (F(1, 50), F(1))))


@pytest.mark.parametrize("planted", (FALSE | UNKNOWN).values(), ids=FALSE | UNKNOWN)
def test_what_is_planted_is_not_proved(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not closes(monkeypatch, planted.module, planted.name, planted.script, planted.claim)


def about(planted: Planted, claim: Claim, monkeypatch: pytest.MonkeyPatch) -> Proof:
    """The script of the theorem, told that it is about this claim."""
    with monkeypatch.context() as patched:
        patched.setattr(planted.module, planted.name, claim)
        return replace(planted.script, id=claim.id, title=claim.title, claim=claim).proof


def witness(claim: Claim, proof: Proof) -> ExactModel | None:
    """The first run in which all that the proof starts from holds, and the claim does not."""
    given = {each.statement for each in proof.assumptions if each.role != "local"}
    refuting = (
        run
        for run in runs_of(claim, parabolas=PARABOLAS)
        if run.says(claim.conclusion) is False and run.refutes(proof.goal) and run.allows(given, proof)
    )
    return next(refuting, None)


@pytest.mark.parametrize("planted", FALSE.values(), ids=FALSE)
def test_what_is_planted_is_refuted_by_an_exact_run(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = planted.claim
    run = witness(claim, about(planted, claim, monkeypatch))
    assert run is not None
    assert all(isinstance(x, Fraction) for x in run.numbers.values())
    assert run.numbers["T"] <= 3


@pytest.mark.full
@pytest.mark.parametrize("planted", {each.name: each for each in FALSE.values()}.values(), ids=lambda each: each.name)
def test_no_run_refutes_the_theorem_itself(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = replace(planted.theorem, id=f"planted.{planted.name.lower()}")
    proof = about(planted, claim, monkeypatch)
    runs = runs_of(claim, parabolas=PARABOLAS)
    given = {each.statement for each in proof.assumptions if each.role != "local"}
    # There are runs of which the theorem says something.
    assert any(run.allows(given, proof) and run.says(claim.conclusion) for run in runs)
    assert witness(claim, proof) is None
