"""A bracket on functions and adapters from outside: who is to blame where an estimate lies above the claim."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import boundcheck as bc
from boundcheck.problems.constant import Constant
from tests.outside.my_adapter import Scaled
from tests.outside.my_objective import LogCosh

HERE = "tests.outside.test_bracket"
BRACKET: dict[str, Any] = {
    "claim": "tests.outside.my_adapter:SMOOTH",
    "problem": {"kind": "tests.outside.my_objective:LogCosh"},
    "adapter": {"kind": "tests.outside.my_adapter:Scaled", "scale": 0.5},
    "domain": {"rho": 1.0},
    "bracket": {"pairs": 32, "iterates": 4, "points": 2, "ascents": 2, "rounds": 2, "looks": 2},
}


class Flat(LogCosh):
    """Its smoothness is a twentieth of what it is."""

    def __init__(self) -> None:
        super().__init__()
        self.smoothness = Constant(0.05, "certified", "so its author says")


class Shallow(LogCosh):
    """Its gradient bound is a hundredth of what it is."""

    def __init__(self) -> None:
        super().__init__()
        self.gradient_bound = Constant(0.01, "certified", "so its author says")


class Doubled(Scaled):
    """Twice the change of W of which its claim speaks, in every face."""

    def weight(self, v):
        return self.W0 + 2 * self.scale * v[0]

    def pull_back(self, v, gradient):
        return (2 * self.scale * gradient,)

    def sides(self, v):
        return ((2 * self.scale * torch.eye(len(self.W0), dtype=self.W0.dtype), None),)


@pytest.mark.parametrize(("kind", "letter"), [("Flat", "L"), ("Shallow", "")])
def test_a_bracket_blames_the_constant_that_f_itself_breaks(kind, letter, tmp_path) -> None:
    (result,) = bc.measure(BRACKET | {"problem": {"kind": f"{HERE}:{kind}"}}, tmp_path)
    if not letter:
        # The claim takes no bound on the gradient.
        assert (result.verdict.plain, result.blame) == ("supported", None)
        return
    assert (result.verdict, result.blame.kind, result.blame.name) == ("hypothesis-failed", "constant", letter)
    assert "so its author says" in result.blame.evidence


def test_a_bracket_that_is_violated_blames_the_claim_and_says_on_what_it_rests(tmp_path) -> None:
    (result,) = bc.measure(BRACKET | {"adapter": {"kind": f"{HERE}:Doubled", "scale": 0.5}}, tmp_path)
    assert (str(result.verdict), result.blame.kind) == ("violated, given constants of log-cosh", "claim")
    assert "the second derivative of log cosh is at most 1" in result.blame.evidence
