"""Performance estimation against PEPit: the same worst case by the same solver: `python -m
benchmarks worst_cases`.

The worst case of gradient descent at step 1/L over all L-smooth functions with F(v_1) - f* <= 1:
the least squared gradient norm over T iterates.
"""

from benchmarks.line import Benchmark, Effort, Found, Limit, in_turns
from boundcheck.language.algorithms import GRADIENT_DESCENT
from boundcheck.language.measures import LEAST_GRADIENT
from boundcheck.worst_case.program import Program, Solver

HORIZON = 16


def by_pepit(iterates: int) -> float:
    """The same in PEPit's words."""
    from PEPit import PEP
    from PEPit.functions import SmoothFunction

    problem = PEP()
    F = problem.declare_function(SmoothFunction, L=1.0)
    v = problem.set_initial_point()
    problem.set_initial_condition(F.value(v) <= 1)
    for _ in range(iterates):
        gradient, value = F.oracle(v)
        problem.set_performance_metric(gradient**2)
        problem.add_constraint(value >= gradient**2 / 2)
        v = v - gradient
    return float(problem.solve(wrapper="cvxpy", solver="CLARABEL", verbose=0))


def estimation(effort: Effort) -> Found:
    """Both, from the method's words to the value."""
    iterates, values = max(effort.of(HORIZON), 4), {}

    def ours() -> None:
        program = Program(GRADIENT_DESCENT, {"alpha": 1.0}, LEAST_GRADIENT, 1.0, gap=1.0)
        values["ours"] = Solver(program, iterates).value

    def theirs() -> None:
        values["theirs"] = by_pepit(iterates)

    turns = in_turns({"ours": ours, "theirs": theirs}, effort.turns)
    apart = abs(values["ours"] / values["theirs"] - 1)
    if apart > 1e-4:
        raise ArithmeticError(
            f"two values of one worst case: {values['ours']:.8g}, and PEPit's"
            f" {values['theirs']:.8g}"
        )
    fast, slow = (each.least for each in turns.values())
    note = f"T = {iterates}; the values differ by {apart:.1e} of themselves."
    return Found(slow / fast, fast, slow, turns, (note,))


BENCHMARKS = (
    Benchmark(
        "worst_cases.pepit",
        "the exact worst case of gradient descent",
        "PEPit with the same solver, Clarabel",
        "times as fast",
        "s",
        "Both write the semidefinite program and have Clarabel solve it; the values must agree.",
        estimation,
        Limit(1.0, is_least=True),
        needs=("PEPit",),
    ),
)
