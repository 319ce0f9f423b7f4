"""The text means what the facts mean; the solver ends in time, and its numbers are checked."""

import fcntl
import random
import re
import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.kernel import Fact
from boundcheck.kernel.builders import norm
from boundcheck.kernel.terms import Atom, Dimension, Horizon, Inverse, Root, Scalar
from boundcheck.proof import solver
from boundcheck.proof.solver import (
    Answer,
    Counterexample,
    ask,
    counterexample,
    smt_lib,
)
from tests.layers import examples

from .entailments import SECONDS, X, entailed, play, refuted, x

HALF = Fraction(1, 2)


def said(goal, premises):
    """The solver's word on whether the goal can fail where the premises hold."""
    return ask(smt_lib(goal, premises), SECONDS).status


def code_of(text):
    return re.sub(r";.*", "", text)


# The text.


@given(refuted(), st.randoms(use_true_random=False))
def test_the_text_is_one_for_a_set_of_premises_and_never_divides(given, order):
    shuffled = [*given.premises, *given.premises[:1]]
    order.shuffle(shuffled)
    text = smt_lib(given.goal, given.premises)
    assert text == smt_lib(given.goal, shuffled)
    assert not set("/.") & set(code_of(text))


def test_an_atom_cannot_break_out_of_its_comment():
    class Sly(Atom):
        key = "(sly)"

        def __str__(self):
            return "a\n(assert false)\r(assert false)\u2028(assert false)"

    text = smt_lib(Fact(">=", Scalar.of(Sly())), [])
    assert "(assert false)" not in code_of(text)
    assert ask(text, SECONDS).status == "sat"


# It is read as it is meant.


@examples(25)
@given(refuted())
def test_a_refuted_entailment_can_fail(given):
    assert said(given.goal, given.premises) == "sat"


@examples(25)
@given(entailed())
def test_an_entailment_cannot_fail(given):
    assert said(given.goal, given.premises) == "unsat"


DEFINED = {
    "root": (Fact(">=", Scalar.of(Root(x)) - 2), [Fact(">=", x - 4)]),
    "root of a root": (Fact(">=", Scalar.of(Root(Scalar.of(Root(x)))) - 2), [Fact(">=", x - 16)]),
    "root of a negative number": (Fact("=", Scalar.of(Root(x))), [Fact(">", -x)]),
    "inverse": (Fact("=", x * Scalar.of(Inverse(x * 2)) - HALF), [Fact(">", x)]),
    "inverse of 0": (Fact("=", Scalar.of(Inverse(x))), [Fact("=", x)]),
    "norm": (Fact(">=", norm("op", X)), []),
    "dimension": (Fact(">=", Scalar.of(Dimension("d")) * Scalar.of(Horizon()) - 1), []),
}


@pytest.mark.parametrize("case", DEFINED.values(), ids=DEFINED.keys())
def test_definitions_are_premises(case):
    assert said(*case) == "unsat"


# Models.


def test_models_are_read_whatever_form_a_number_has():
    text = """((define-fun a () Real 3.0) (define-fun b () Real (- (/ 1.0 3.0)))
    (define-fun c () Real (/ (- 7) 2)) (define-fun d () Real (/ 1 0))
    (define-fun e () Real (root-obj (+ (^ x 2) (- 2)) 1))
    (define-fun f () Real (_ real_algebraic_number <1*x^2 + (-2), (5/4, 3/2)>))
    (define-fun /0 ((x!0 Real) (x!1 Real)) Real (ite (= x!0 2.0) 2.0 0.0)))"""
    numbers = [Fraction(3), Fraction(-1, 3), Fraction(-7, 2), None, None, None]
    assert solver.read_model(text) == dict(zip("abcdef", numbers, strict=True))


# Processes.


def hard_problem():
    """Dense cubic equations in several variables, which take minutes at least."""
    draw = random.Random(1)
    names = [f"x{i}" for i in range(5)]
    cubics = [f"(* {draw.randint(1, 9)} {a} {b} {c})" for a in names for b in names for c in names]
    equations = [f"(assert (= (+ 1 {' '.join(draw.sample(cubics, 60))}) 0))" for _ in names]
    declared = [f"(declare-const {name} Real)" for name in names]
    return "\n".join(["(set-logic QF_NRA)", *declared, *equations, "(check-sat)"])


def test_a_hard_problem_ends_in_time():
    start = time.monotonic()
    answer = ask(hard_problem(), 0.3)
    assert time.monotonic() - start < 3
    assert answer == Answer("unknown")


DEAF = """
import fcntl, os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
lock = open({path!r}, "w")
fcntl.flock(lock, fcntl.LOCK_EX)
if os.fork() and {leader_ends}:
    os._exit(0)
time.sleep(600)
"""


@pytest.mark.full
@pytest.mark.parametrize("leader_ends", [False, True])
def test_a_deaf_solver_is_killed_with_its_children(leader_ends, tmp_path, monkeypatch):
    # The lock is held as long as one of the two processes lives.
    path = tmp_path / "lock"
    play(monkeypatch, DEAF.format(path=str(path), leader_ends=leader_ends))
    start = time.monotonic()
    assert ask("", 0.5).status == "unknown"
    assert time.monotonic() - start < 3
    with path.open() as lock:
        for _ in range(100):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.02)
        else:
            pytest.fail("a process of the solver still lives")


BROKEN = {
    "crash": "import os; os.abort()",
    "crash after its answer": "import os; print('unsat', flush=True); os.abort()",
    "exception": "1/0",
    "silence": "",
    "error before the answer": "print('(error no)\\nunsat')",
    "modesty": "print('unknown')",
}


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN)
def test_a_broken_solver_says_nothing(script, monkeypatch):
    play(monkeypatch, script)
    assert ask("(check-sat)", SECONDS) == Answer("unknown")


@pytest.mark.parametrize(
    "text, status",
    [
        # z3 itself goes on after the error and says sat.
        ("(set-logic QF_NRA)\n(assert (< undeclared 0))\n(check-sat)\n", "unknown"),
        # Without a model.
        (smt_lib(Fact(">", x * x + 1), [], model=True), "unsat"),
    ],
    ids=["wrong", "without a model"],
)
def test_what_the_solver_answers_to_a_text(text, status):
    assert ask(text, SECONDS) == Answer(status)


# Counterexamples: what is found is verified, what is wrong cannot be made, and what is entailed has
# none.


@examples(30)
@given(refuted(relations=(">=", ">")))
def test_inequalities_that_fail_have_a_rational_counterexample(given):
    found = counterexample(given.goal, given.premises, SECONDS)
    assert isinstance(found, Counterexample)
    assert all(isinstance(value, Fraction) for value in found.values.values())


@examples(20)
@given(entailed())
def test_what_is_entailed_has_no_counterexample(given):
    assert counterexample(given.goal, given.premises, SECONDS) is None


@examples(30)
@given(
    refuted(),
    st.dictionaries(st.sampled_from("xyz"), st.fractions(-1, 1, max_denominator=2), max_size=2),
)
def test_values_are_checked_as_z3_would(given, moves):
    assert given.point is not None
    values = {
        atom: value + moves.get(str(atom), Fraction(0)) for atom, value in given.point.items()
    }
    fixed = [Fact("=", Scalar.of(atom) - value) for atom, value in values.items()]
    status = ask(smt_lib(given.goal, [*given.premises, *fixed]), SECONDS).status
    if status == "sat":
        Counterexample(values, given.goal, given.premises)
    else:
        with pytest.raises(
            solver.CounterexampleError, match=r"the premise .* fails|the goal .* holds"
        ):
            Counterexample(values, given.goal, given.premises)


@pytest.mark.parametrize("relation, at_0", [(">=", True), (">", False), ("=", True)])
def test_0_is_where_relations_differ(relation, at_0):
    values = {ATOM: Fraction(0)}
    made = []
    for goal, premises in ((Fact(relation, x), ()), (Fact(">", x), (Fact(relation, x),))):
        try:
            Counterexample(values, goal, premises)
            made.append(True)
        except solver.CounterexampleError:
            made.append(False)
    assert made == [not at_0, at_0]


ROOT = Root(x)
INVERSE = Inverse(x)
ATOM = x.atoms()[0]
NO_COUNTEREXAMPLES = {
    "missing": (x, {}, "needs a rational number"),
    "float": (x, {ATOM: -1.0}, "needs a rational number"),
    "root": (Scalar.of(ROOT) - 2, {ATOM: Fraction(4), ROOT: Fraction(1)}, r"root\(x\) cannot be 1"),
    "negative root": (
        Scalar.of(ROOT),
        {ATOM: Fraction(4), ROOT: Fraction(-2)},
        r"root\(x\) cannot be -2",
    ),
    "inverse": (
        Scalar.of(INVERSE) - 2,
        {ATOM: Fraction(4), INVERSE: Fraction(1)},
        r"inverse\(x\) cannot be 1",
    ),
    "inverse of 0": (
        Scalar.of(INVERSE) - 2,
        {ATOM: Fraction(0), INVERSE: Fraction(1)},
        "cannot be 1",
    ),
    "norm": (norm("F", X), {norm("F", X).atoms()[0]: Fraction(-1)}, "‖X‖_F cannot be -1"),
}


@pytest.mark.parametrize(
    "polynomial, values, fault", NO_COUNTEREXAMPLES.values(), ids=NO_COUNTEREXAMPLES.keys()
)
def test_what_atoms_are_by_definition_is_checked(polynomial, values, fault):
    with pytest.raises(solver.CounterexampleError, match=fault):
        Counterexample(values, Fact(">=", polynomial), ())


def test_a_model_that_is_wrong_is_no_counterexample(monkeypatch):
    model = "((define-fun x0 () Real 7.0))"
    play(monkeypatch, f"print('sat'); print('{model}')")
    assert not isinstance(counterexample(Fact(">=", x), [], SECONDS), Counterexample)
    play(monkeypatch, "print('sat'); print('gibberish (')")
    assert counterexample(Fact(">=", x), [], SECONDS) is None


def test_without_a_rational_counterexample_or_time_there_is_none(monkeypatch):
    assert counterexample(Fact(">=", -x), [Fact("=", x * x - 2)], SECONDS) is None
    play(monkeypatch, "import time; time.sleep(600)")
    assert counterexample(Fact(">=", x), [], 0.2) is None
