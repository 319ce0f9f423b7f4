"""No false edit of a line or of a claim is accepted; each is first shown to be false by an exact instance."""

from __future__ import annotations

from itertools import islice

import pytest
import sympy as sp

from boundcheck.claims import Claim
from boundcheck.kernel import Fact, Law
from boundcheck.prove import Script, judge
from tests.proofs import cases
from tests.proofs.cases import NAMES, SCRIPTS, Line
from tests.proofs.models import World, worlds

PER_LINE, PER_CLAIM, MANY_PREMISES, MOST_OF = 2, 1, 3, 0.9
FEW, ALL = 6, 1000

scripts = pytest.mark.parametrize("script", SCRIPTS, ids=NAMES)
PROVED = [each for each in SCRIPTS if judge(each).verdict == "proved"]
CLAIMS = [each for each in PROVED if each.claim and each.claim.quantities]
# To run a long script once more takes long.
SHORT = [each for each in CLAIMS if len(each.proof.steps) < 40]


def names(chosen: list[Script]) -> list[str]:
    return [f"{each.id}, {each.version}" for each in chosen]


def check(line: Line, per_line: int | None, most_worlds: int) -> int:
    """Close the edits that are false; nothing may come of them."""
    count = 0
    for case in islice(cases.shown_false(line, most_worlds), per_line):
        assert case.accepted() is None, f"ACCEPTED: {case}"
        count += 1
    return count


def sampled(line: Line) -> int:
    """How many edits of a line every run of the tests closes: fewer where the search takes long."""
    return PER_LINE if len(line.because.premises) < MANY_PREMISES else 1


@scripts
def test_no_false_edit_of_a_line_is_accepted(script: Script) -> None:
    found = {line.key: check(line, sampled(line), FEW) for line in cases.new_lines(script)}
    assert sum(found.values()) >= MOST_OF * expected([script])


def expected(scripts: list[Script]) -> int:
    """How many edits there are, if those of each line that has a value somewhere can be shown to be false."""
    lines = [line for script in scripts for line in cases.new_lines(script)]
    return sum(sampled(line) for line in lines if line.allowed(1))


def test_there_are_enough_of_them() -> None:
    assert MOST_OF * expected(SCRIPTS) >= 250


@pytest.mark.slow
@scripts
def test_no_false_edit_of_a_line_is_accepted_of_all(script: Script) -> None:
    assert sum(check(line, None, ALL) for line in cases.new_lines(script)) >= MOST_OF * expected([script])


@scripts
def test_lines_and_premises_are_false_nowhere(script: Script) -> None:
    for line in cases.lines(script):
        for world in line.allowed(FEW):
            for fact in (line.fact, *(x.conclusion for x in line.because.premises)):
                assert not (isinstance(fact, Fact) and world.refutes(fact)), (line.step.label, str(fact), world.about)


def check_claims(script: Script, most: int | None, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the script with each false claim; it must not be proved."""
    count = 0
    for edit, claim, world in islice(cases.false_claims(script), most):
        verdict = run(script, claim, monkeypatch)
        assert verdict != "proved", f"ACCEPTED: {script.id}, {script.version}, {edit}, false in: {world.about}"
        count += 1
    return count


def run(script: Script, claim: Claim, monkeypatch: pytest.MonkeyPatch) -> str:
    with monkeypatch.context() as patched:
        for module, name, value in cases.patches(script, claim):
            patched.setattr(module, name, value)
        return cases.verdict_on(script, claim)


@pytest.mark.parametrize("script", SHORT, ids=names(SHORT))
def test_no_false_claim_is_proved(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_claims(script, PER_CLAIM, monkeypatch) == PER_CLAIM


@pytest.mark.slow
@pytest.mark.parametrize("script", CLAIMS, ids=names(CLAIMS))
def test_no_false_claim_is_proved_of_all(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_claims(script, None, monkeypatch) >= PER_CLAIM


@pytest.mark.parametrize("script", CLAIMS, ids=names(CLAIMS))
def test_true_claims_are_refuted_nowhere_and_proved_when_patched(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert script.claim is not None
    assert cases.refuted(script.claim, script, cases.runs_for(script.claim)) is None
    # The same claim once more: what edited claims are refused for is the edit.
    same = cases.edited(script.claim, 0, script.claim.quantities[0].expression)
    assert same is not script.claim
    assert run(script, same, monkeypatch) == "proved"


def test_the_printed_bound_is_not_proved_with_1_7(monkeypatch: pytest.MonkeyPatch) -> None:
    (script,) = (each for each in PROVED if (each.id, each.version) == ("jiang2024.theorem2", "repaired"))
    assert script.claim is not None
    bound = script.claim.quantities[-1].expression
    for constant in (sp.Rational(17, 10), sp.Rational(19, 10)):
        claim = cases.edited(script.claim, len(script.claim.quantities) - 1, cases.scaled_to(bound, constant))
        assert run(script, claim, monkeypatch) != "proved"
    weaker = cases.edited(script.claim, len(script.claim.quantities) - 1, cases.scaled_to(bound, sp.Rational(3)))
    assert run(script, weaker, monkeypatch) == "proved"


def satisfying(script: Script) -> World | None:
    """A world in which all hypotheses of a proof hold, and those of its conclusion where that is a law."""
    proof = script.proof
    assert proof.conclusion is not None
    premises = proof.goal.premises if isinstance(proof.goal, Law) else ()
    conclusion = proof.conclusion.conclusion
    fact = conclusion.conclusion if isinstance(conclusion, Law) else conclusion
    fitting = (x for x in worlds() if x.allows([*proof.conclusion.hypotheses, *premises], proof))
    return next((x for x in fitting if x.values(fact)), None)


# Their hypotheses cannot all hold, which is what they prove.
ABSURD = [x for x in PROVED if isinstance(x.proof.goal, Fact) and x.proof.goal.polynomial.number == -1]
SATISFIABLE = [x for x in PROVED if x not in ABSURD]


@pytest.mark.parametrize("script", SATISFIABLE, ids=names(SATISFIABLE))
def test_no_theorem_is_vacuous(script: Script) -> None:
    world = satisfying(script)
    assert world is not None, "no world satisfies its hypotheses"
    goal = script.proof.goal
    conclusion = goal.conclusion if isinstance(goal, Law) else goal
    assert isinstance(conclusion, Fact)
    assert not world.refutes(conclusion)
    # Equalities between irrational numbers cannot be seen to hold.
    assert conclusion.relation == "=" or world.meets(conclusion)


@pytest.mark.parametrize("script", ABSURD, ids=names(ABSURD))
def test_what_is_absurd_rests_on_laws(script: Script) -> None:
    """Without its laws, which are what it refutes, its hypotheses hold somewhere."""
    assert script.proof.conclusion is not None
    facts = [x for x in script.proof.conclusion.hypotheses if isinstance(x, Fact)]
    assert len(facts) < len(script.proof.conclusion.hypotheses)
    assert any(all(world.meets(x) for x in facts) for world in worlds())
