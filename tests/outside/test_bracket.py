"""A bracket on functions and adapters from outside: who is to blame where an estimate lies above
the claim."""

from dataclasses import replace

import pytest
import torch
from sympy import Le

import boundcheck as bc
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantifier
from boundcheck.language.function import Constant
from boundcheck.language.symbols import L, Lhat
from tests.experiment.small import refused
from tests.outside.my_adapter import SMOOTH, Scaled
from tests.outside.my_objective import LogCosh
from tests.outside.specs import BRACKET

HERE = "tests.outside.test_bracket"


class Flat(LogCosh):
    """Its smoothness is a twentieth of what it is."""

    def __init__(self):
        super().__init__()
        self.smoothness = Constant(0.05, "certified", "so its author says")


class Shallow(LogCosh):
    """Its gradient bound is a hundredth of what it is."""

    def __init__(self):
        super().__init__()
        self.gradient_bound = Constant(0.01, "certified", "so its author says")


def hundredth(*hypotheses):
    """A lemma whose constant is too small by a hundred; it holds where a hypothesis says as much,
    or fails."""
    (last,) = SMOOTH.quantities
    said = (replace(last, expression=last.expression / 100),)
    return replace(
        SMOOTH, id="outer.hundredth", hypotheses=(*SMOOTH.hypotheses, *hypotheses), quantities=said
    )


ALONE = hundredth()
ITSELF = hundredth(
    Claim(
        "outer.flat",
        "F is flat",
        "mine",
        SMOOTH.conclusion.xreplace({Lhat: L / 400}),
        Quantifier(within="for all"),
    )
)
CONVEX = hundredth(catalogue["classic.convex"])
NEVER = hundredth(Claim("outer.never", "no L is positive", "mine", Le(L, 0)))


def about(name):
    return type(
        name.title(), (Scaled,), {"claims": (f"{HERE}:{name}",), "composition": f"{HERE}:{name}"}
    )


Alone, Itself, Convex, Never = map(about, ("ALONE", "ITSELF", "CONVEX", "NEVER"))


class Doubled(Scaled):
    """Twice the change of W of which its claim speaks, in every face."""

    def weight(self, v):
        return self.W0 + 2 * self.scale * v[0]

    def pull_back(self, v, gradient):
        return (2 * self.scale * gradient,)

    def sides(self, v):
        return ((2 * self.scale * torch.eye(len(self.W0), dtype=self.W0.dtype), None),)


@pytest.mark.parametrize("kind, letter", [("Flat", "L"), ("Shallow", "")])
def test_a_bracket_blames_the_constant_that_f_itself_breaks(kind, letter, tmp_path):
    (result,) = bc.measure(BRACKET | {"problem": {"kind": f"{HERE}:{kind}"}}, tmp_path)
    if not letter:
        # The claim takes no bound on the gradient.
        assert result.verdict.plain == "supported"
        assert result.blame is None
        return
    assert result.verdict == "hypothesis-failed"
    assert result.blame.kind == "constant"
    assert result.blame.name == letter
    assert "so its author says" in result.blame.evidence


def test_a_bracket_that_is_violated_blames_the_claim_and_says_on_what_it_rests(tmp_path):
    (result,) = bc.measure(
        BRACKET | {"adapter": {"kind": f"{HERE}:Doubled", "scale": 0.5}}, tmp_path
    )
    assert str(result.verdict) == "violated, given constants of log-cosh"
    assert result.blame.kind == "claim"
    assert "the second derivative of log cosh is at most 1" in result.blame.evidence


@pytest.mark.parametrize("kind", [Alone, Itself, Convex, Never], ids=lambda kind: kind.__name__)
def test_a_bracket_says_nothing_of_a_claim_whose_hypothesis_it_does_not_know(kind, tmp_path):
    adapter = {"kind": f"{HERE}:{kind.__name__}", "scale": 0.5}
    (result,) = bc.measure(BRACKET | {"claim": kind.claims[0], "adapter": adapter}, tmp_path)
    *_, last = catalogue[kind.claims[0]].hypotheses
    assert result.verdict.plain == ("violated" if kind is Alone else "inconclusive"), result.reason
    assert (last.title in result.reason, result.blame is None) == (kind is not Alone,) * 2


def test_what_no_longer_concludes_with_smoothness_is_not_bracketed(tmp_path, monkeypatch):
    other = replace(
        SMOOTH, id="outer.tenfold", conclusion=Le(10 * SMOOTH.conclusion.lhs, SMOOTH.conclusion.rhs)
    )
    monkeypatch.setattr(Scaled, "claims", ("outer.tenfold",))
    error = refused(bc.measure, BRACKET | {"claim": other}, tmp_path)
    assert error.field == "claim"
    assert error.value == "outer.tenfold"
    assert "concludes" in error.expected
