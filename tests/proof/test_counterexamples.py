"""Counterexamples are exact: what is found is verified, what is wrong cannot be made, and what is entailed has none."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.kernel import Fact
from boundcheck.kernel.builders import norm
from boundcheck.kernel.terms import Atom, Inverse, Root, Scalar
from boundcheck.proof import counterexamples
from boundcheck.proof.counterexamples import Counterexample, CounterexampleError, NoCounterexample, counterexample
from boundcheck.proof.smt import smt_lib
from boundcheck.proof.solvers import Answer, ask
from tests.layers import examples

from .entailments import SECONDS, Entailment, X, entailed, play, refuted, x, y, z


@examples(30)
@given(refuted(relations=(">=", ">")))
def test_inequalities_that_fail_have_a_rational_counterexample(given: Entailment) -> None:
    found = counterexample(given.goal, given.premises, SECONDS)
    assert isinstance(found, Counterexample)
    found.check()
    assert all(isinstance(value, Fraction) for value in found.values.values())


@examples(20)
@given(entailed())
def test_what_is_entailed_has_no_counterexample(given: Entailment) -> None:
    found = counterexample(given.goal, given.premises, SECONDS)
    assert isinstance(found, NoCounterexample)
    assert found.status == "unsat"


@examples(30)
@given(refuted(), st.dictionaries(st.sampled_from("xyz"), st.fractions(-1, 1, max_denominator=2), max_size=2))
def test_values_are_checked_as_z3_would(given: Entailment, moves: dict[str, Fraction]) -> None:
    assert given.point is not None
    values = {atom: value + moves.get(str(atom), Fraction(0)) for atom, value in given.point.items()}
    fixed = [Fact("=", Scalar.of(atom) - value) for atom, value in values.items()]
    status = ask("z3", smt_lib(given.goal, [*given.premises, *fixed]), SECONDS).status
    if status == "sat":
        Counterexample(values, given.goal, given.premises).check()
    else:
        with pytest.raises(CounterexampleError, match=r"the premise .* fails|the goal .* holds"):
            Counterexample(values, given.goal, given.premises)


@pytest.mark.parametrize(("relation", "at_0"), [(">=", True), (">", False), ("=", True)])
def test_0_is_where_relations_differ(relation: str, at_0: bool) -> None:
    values = {ATOM: Fraction(0)}
    made = []
    for goal, premises in ((Fact(relation, x), ()), (Fact(">", x), (Fact(relation, x),))):
        try:
            Counterexample(values, goal, premises)
            made.append(True)
        except CounterexampleError:
            made.append(False)
    assert made == [not at_0, at_0]


ROOT, INVERSE = Root(x), Inverse(x)
ATOM = x.atoms()[0]
NO_COUNTEREXAMPLES = {
    "missing": (x, {}, "needs a rational number"),
    "float": (x, {ATOM: -1.0}, "needs a rational number"),
    "root": (Scalar.of(ROOT) - 2, {ATOM: Fraction(4), ROOT: Fraction(1)}, r"root\(x\) cannot be 1"),
    "negative root": (Scalar.of(ROOT), {ATOM: Fraction(4), ROOT: Fraction(-2)}, r"root\(x\) cannot be -2"),
    "inverse": (Scalar.of(INVERSE) - 2, {ATOM: Fraction(4), INVERSE: Fraction(1)}, r"inverse\(x\) cannot be 1"),
    "inverse of 0": (Scalar.of(INVERSE) - 2, {ATOM: Fraction(0), INVERSE: Fraction(1)}, "cannot be 1"),
    "norm": (norm("F", X), {norm("F", X).atoms()[0]: Fraction(-1)}, "‖X‖_F cannot be -1"),
}


@pytest.mark.parametrize(("polynomial", "values", "fault"), NO_COUNTEREXAMPLES.values(), ids=NO_COUNTEREXAMPLES.keys())
def test_what_atoms_are_by_definition_is_checked(polynomial: Scalar, values: dict[Atom, Fraction], fault: str) -> None:
    with pytest.raises(CounterexampleError, match=fault):
        Counterexample(values, Fact(">=", polynomial), ())


def test_a_model_that_is_wrong_is_no_counterexample(monkeypatch: pytest.MonkeyPatch) -> None:
    model = "((define-fun x0 () Real 7.0))"
    play(monkeypatch, z3=f"print('sat'); print('{model}'); print('{model}')")
    assert not isinstance(counterexample(Fact(">=", x), [], SECONDS), Counterexample)
    play(monkeypatch, z3="print('sat'); print('gibberish (')")
    found = counterexample(Fact(">=", x), [], SECONDS)
    assert found == NoCounterexample("unknown", "z3 says sat and its model cannot be read")


r = Scalar.of(Root(y))
IRRATIONAL_AT_FIRST = {
    "root": (Fact(">", 3 - r), [Fact(">=", y - 10), Fact(">=", x)]),
    "room": (Fact(">=", 2 + x), [Fact("=", 2 * x**2 * y * z**3 + 5 * y + 3 * z - 7), Fact(">=", y - Fraction(5, 2))]),
    "curve": (Fact(">=", x - 1), [Fact("=", 3 * x**2 * z**2 + y**2 - 7), Fact(">=", x + 1), Fact(">=", y + 1)]),
}


@pytest.mark.parametrize("case", IRRATIONAL_AT_FIRST.values(), ids=IRRATIONAL_AT_FIRST.keys())
def test_curves_have_rational_points(case: tuple[Fact, list[Fact]]) -> None:
    assert isinstance(counterexample(*case, SECONDS), Counterexample)


def test_an_irrational_model_is_made_rational(monkeypatch: pytest.MonkeyPatch) -> None:
    root, decimal = "(root-obj (+ (^ x 2) (- 2)) 2)", "1.41421356?"
    models = [f"((define-fun x0 () Real {value}) (define-fun x1 () Real 1.0))" for value in (root, decimal)]
    answers = [Answer("sat", model=" ".join(models))]
    monkeypatch.setattr(counterexamples, "ask", lambda *args: answers.pop() if answers else ask(*args))
    found = counterexample(Fact(">=", -x), [Fact("=", x * x - 2 * y)], SECONDS)
    assert isinstance(found, Counterexample)
    assert found.values == {x.atoms()[0]: Fraction(1), y.atoms()[0]: Fraction(1, 2)}


def test_without_a_rational_counterexample_there_is_none() -> None:
    found = counterexample(Fact(">=", -x), [Fact("=", x * x - 2)], SECONDS)
    assert isinstance(found, NoCounterexample)
    assert found.status == "irrational"


def test_a_search_that_takes_too_long_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, z3="import time; time.sleep(600)")
    found = counterexample(Fact(">=", x), [], 0.2)
    assert found == NoCounterexample("unknown", "z3 took longer than 0.2 s and was killed")


def test_a_model_in_which_z3_divides_is_read() -> None:
    premises = [Fact("=", x * x * y - 2), Fact("=", y * z - 2), Fact(">=", z)]
    assert isinstance(counterexample(Fact(">=", -x), premises, SECONDS), Counterexample)
