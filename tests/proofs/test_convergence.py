"""What is planted in proofs that have formulas of their own, or an algorithm, is not proved."""

from dataclasses import replace
from fractions import Fraction

import pytest
import sympy as sp
from boundcheck.proofs.jiang2024 import theorem_2_beyond as beyond
from boundcheck.proofs.meft import factors, merging

from boundcheck.errors import InputError
from boundcheck.exact.evaluate import t
from boundcheck.language.algorithms import RELORA, A_moved, B_moved, ReLoRA, Z_t
from boundcheck.language.catalogue import catalogue
from boundcheck.language.symbols import G, L, Lhat, a, alpha, bound, kappa, q, s, zeta
from boundcheck.language.vocabulary import A_t, B_t
from tests.layers import full
from tests.proofs.planted import changed, closes


@full
def test_a_larger_share_of_the_descent_is_not_proved(monkeypatch):
    """An adaptive step gives 3/4 of itself, and not 4/5."""
    monkeypatch.setattr(factors, "C", sp.Rational(4, 5))
    script = factors.adaptive_gd
    assert not closes(script, changed(script.claim, sp.Rational(3, 4), sp.Rational(4, 5)))


STEP = Lhat * alpha
KAPPA_PLANTED = {
    "κ": ("", (6 + q, sp.Rational(59, 10) + q)),
    "a step takes more": ("RATE", alpha * (1 - STEP / 5)),
    "noise gives back less": ("COST", STEP * alpha / 4 * (sp.Rational(19, 10) + STEP) * zeta**2),
}


@full
@pytest.mark.parametrize("name, planted", KAPPA_PLANTED.values(), ids=KAPPA_PLANTED)
def test_a_smaller_kappa_is_not_proved(name, planted, monkeypatch):
    claim = beyond.everywhere.claim
    if name:
        monkeypatch.setattr(beyond, name, planted)
    else:
        claim = changed(claim, *planted)
    assert not closes(beyond.everywhere, claim)


@pytest.mark.parametrize("share", [Fraction(1, 100), Fraction(1, 4), Fraction(1, 2)])
def test_kappa_is_between_that_of_the_hard_instance_and_that_of_smoothness_along_the_run(share):
    """The hard instance of `problems.hard` has 1 + 1/(2 - q) in the limit."""
    sharper, other = (
        next(x.expression for x in catalogue[id].quantities if x.symbol == kappa).subs(
            q, sp.Rational(share)
        )
        for id in ("meft.theorem2_everywhere", "meft.theorem2_repaired")
    )
    assert 1 + 1 / (2 - share) < sharper < other <= 2


RELORA_PLANTED = {
    "3/4 of the bound": (bound, bound, sp.Rational(3, 4)),
    "twice the step": (alpha, alpha, 2),
    "half of G": (Lhat, G, sp.Rational(1, 2)),
    "half of L": (Lhat, L, sp.Rational(1, 2)),
    "half of the radius of A": (Lhat, a, sp.Rational(1, 2)),
}


@full
@pytest.mark.parametrize("symbol, part, factor", RELORA_PLANTED.values(), ids=RELORA_PLANTED)
def test_a_constant_of_relora_that_is_wrong_is_not_proved(symbol, part, factor):
    def planted(quantity):
        if quantity.symbol != symbol:
            return quantity.expression
        return (
            factor * quantity.expression
            if part == symbol
            else quantity.expression.subs(part, factor * part)
        )

    right = merging.relora.claim
    quantities = tuple(replace(each, expression=planted(each)) for each in right.quantities)
    assert not closes(merging.relora, replace(right, id="planted.relora", quantities=quantities))


_NEXT = [x.xreplace({t: t + 1}) for x in (Z_t, B_t, A_t)]
# What Z_{t+1} is where a restart does not keep W.
RESTARTS = {
    "nothing is merged": Z_t,
    "the scale is forgotten": Z_t + B_moved * A_moved - s * _NEXT[1] * _NEXT[2],
    "what is begun with is not taken off": Z_t + s * B_moved * A_moved,
    "merged before the step": Z_t + s * B_t * A_t - s * _NEXT[1] * _NEXT[2],
}


@pytest.mark.parametrize("base", [*RESTARTS.values(), None], ids=[*RESTARTS, "W is kept"])
def test_a_restart_that_does_not_keep_w_proves_nothing(base, monkeypatch):
    """Under an algorithm of one's own, so that its equation is one that a proof may start from."""

    class Restarting(ReLoRA):
        recurrence = RELORA.recurrence if base is None else (sp.Eq(_NEXT[0], base),)

    algorithm = Restarting(**{name: getattr(RELORA, name) for name in RELORA.__dataclass_fields__})
    claim = replace(merging.relora.claim, id="planted.relora", algorithm=algorithm)
    monkeypatch.setattr(merging, "RELORA", algorithm)
    if base is None:
        assert closes(merging.relora, claim)
        return
    with pytest.raises(InputError, match=r"it and the goal differ by -?f"):
        closes(merging.relora, claim)
