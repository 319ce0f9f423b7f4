"""Every hypothesis that an instance can have, at certified constants; with one made smaller it is
found out.

A conclusion is read off its claim and walked by `boundcheck.exact.evaluate`; it passes where no
inequality in it certainly fails. What claims say of two layers and of any map W(v) is proved, and
has its models in `tests/soundness`.
"""

import math
from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from hypothesis import HealthCheck, given, settings

from boundcheck.exact.evaluate import VectorFunction
from boundcheck.exact.floats import Approx
from boundcheck.language import symbols
from boundcheck.language.catalogue import catalogue
from tests.properties.cases import CASES, DO
from tests.properties.small import some


@pytest.mark.parametrize("id", CASES)
def test_hypotheses_hold_at_certified_constants(id):
    @settings(max_examples=12, suppress_health_check=list(HealthCheck))
    @given(CASES[id](catalogue[id]))
    def holds(found):
        compared = found.compared
        assert not any(
            math.isnan(x) for each in compared for side in (each.measured, each.bound) for x in side
        )
        assert [each for each in compared if each.fails] == []

    holds()


def smaller(symbol, factor=0.5):
    """With another constant, of which the hypothesis is not true."""
    return lambda found: found.at({symbol: factor})


def higher(found):
    """With f* + 1 in place of f*."""
    raised = found.model.arithmetic.add(found.model.numbers[symbols.f_star], Approx(1.0, 0.0))
    return replace(
        found, model=replace(found.model, numbers={**found.model.numbers, symbols.f_star: raised})
    )


def biased(found):
    """With the first path twice as likely as each other."""
    count = len(found.model.weights)
    weights = [Fraction(1 + (outcome == 0), count + 1) for outcome in range(count)]
    return replace(found, model=replace(found.model, weights=weights))


def stretched(found):
    """With every matrix twice as large."""
    twice = {
        X: tuple(DO.scaled(TWO, part) for part in parts)
        for X, parts in found.model.matrices.items()
    }
    return replace(found, model=replace(found.model, matrices=twice))


def turned(found):
    """With two rows, the second pair of which is the first one turned."""
    pair = DO.exact(torch.eye(2)), DO.exact(torch.tensor([[0.0, 1.0], [-1.0, 0.0]]))
    matrices = {X: (pair[X.name == "R_2"],) for X in found.model.matrices}
    return replace(found, model=replace(found.model, matrices=matrices))


def concave(found):
    """With -F in place of F."""
    (F, true), *_ = found.model.functions.items()
    other = VectorFunction(
        lambda v: DO.times(MINUS, true.value(v)),
        lambda v: tuple(DO.scaled(MINUS, part) for part in true.gradient(v)),
    )
    return replace(found, model=replace(found.model, functions={F: other}))


TWO = Approx(2.0, 0.0)
MINUS = Approx(-1.0, 0.0)
CONTROLS = {
    **dict.fromkeys(("jiang2024.assumption3", "jiang2024.assumption3.1"), smaller(symbols.C)),
    **dict.fromkeys(
        (
            "jiang2024.assumption3.2",
            "meft.gradient_bound",
            "meft.gradient_bound_at_scale_1",
            "meft.gradient_bound_in_domain",
        ),
        smaller(symbols.G),
    ),
    **dict.fromkeys(("meft.ball", "meft.frozen_factor_b"), smaller(symbols.b)),
    **dict.fromkeys(
        ("classic.smooth", "classic.smooth_around", "classic.smooth_everywhere"),
        smaller(symbols.ell),
    ),
    **dict.fromkeys(("jiang2024.unbiased", "meft.unbiased"), biased),
    **dict.fromkeys(("meft.loreft_domain", "meft.loreft_trained_domain"), stretched),
    "jiang2024.assumption1": smaller(symbols.L),
    "jiang2024.assumption2": smaller(symbols.sigma),
    "jiang2024.assumption4": smaller(symbols.zeta),
    "jiang2024.bounded_below": higher,
    "meft.frozen_factor": smaller(symbols.a),
    "meft.dora_domain": smaller(symbols.mu),
    "meft.loreft_unturned": turned,
    "classic.abc": lambda found: found.at({symbols.abc_b: 0.5, symbols.abc_c: 0.5}),
    "classic.convex": concave,
    "classic.strongly_convex": smaller(symbols.mu_F, factor=4.0),
    "classic.near_minimiser": smaller(symbols.R_1),
}


@pytest.mark.parametrize("id", CONTROLS)
def test_wrong_constants_are_found_out(id):
    some(CASES[id](catalogue[id]), lambda found: CONTROLS[id](found).fails)
