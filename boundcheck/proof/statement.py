"""What a lemma says to the kernel: `statement`, made from its claim and from nothing else.

The letters of a lemma are numbers, matrices and functions, and each has its type where it is made:
``Symbol("x", positive=True)`` is a positive number, ``Symbol("x")`` any real one,
``MatrixSymbol("X", 3, 4)`` any matrix of that shape, and F in ``Value(F, v)`` any function. The
lemma is for all of them: to the kernel they are letters of which it knows what the lemma is given,
and no more.
"""

from dataclasses import dataclass

import sympy as sp

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Statement
from boundcheck.language import vocabulary as words
from boundcheck.language.claim import Claim, letters, whole
from boundcheck.language.symbols import T
from boundcheck.proof.reading import CATALOGUE, Reading, gt, is_dimension, is_plain

# What speaks of times, outcomes and points made of blocks.
_BEYOND = (
    words.Iterate,
    words.Expectation,
    words.MatrixExpectation,
    words.MinimumOver,
    words.PartialGradient,
    sp.Sum,
)


@dataclass(frozen=True)
class Sequent:
    """What a lemma is to the kernel: from `given` and `signs` follows `conclusion`.

    Attributes:
        reading: each letter as a constant, of which the kernel knows nothing.
        given: the hypotheses in their order, each with its facts.
        positive: the numbers that are declared to be positive.
        conclusion: what the lemma says.

    """

    reading: Reading
    given: tuple[tuple[Claim, tuple[Fact, ...]], ...]
    positive: tuple[sp.Symbol, ...]
    conclusion: Fact

    @property
    def hypotheses(self) -> frozenset[Statement]:
        """All that a proof may start from."""
        signs = {fact for each in self.positive for fact in self.reading.facts(gt(each, 0))}
        return frozenset(signs.union(*(facts for _, facts in self.given)))


def statement(claim: Claim) -> Sequent:
    """The sequent of a lemma about numbers, matrices and functions.

    Raises InputError for a claim that says more: one with a text of its range, formulas, an
    algorithm, times or chance; for a hypothesis with hypotheses of its own; for a letter that is
    both a number and a function; and for a relation that the kernel cannot state.
    """
    parts = list(whole(claim))
    for part in parts:
        beside = (part.quantifier, part.quantities, part.algorithm, part.conditions)
        if any(beside) or (part is not claim and part.hypotheses):
            expected = "a lemma: a relation between its letters, given other such relations"
            raise InputError("lemma", part.id, expected)
        if not is_plain(part.conclusion):
            raise InputError("lemma", part.id, "expressions of sympy and of our vocabulary")
        beyond = sorted(part.conclusion.atoms(*_BEYOND), key=str)
        if beyond or part.conclusion.has(words.t, words.i, T):
            found = beyond[0] if beyond else part.conclusion
            raise InputError(
                "lemma", found, "numbers, matrices and functions, without times and chance"
            )
    nodes = [
        x
        for part in parts
        for x in part.conclusion.atoms(words.Value, words.Gradient, words.Hessian)
    ]
    functions = {each.args[0] for each in nodes}
    own = letters(claim) - functions
    if both := functions & set().union(*(_as_numbers(part.conclusion) for part in parts)):
        raise InputError("letter", min(both, key=str), "a number or a function, and not both")
    numbers = {x for x in own if isinstance(x, sp.Symbol) and not is_dimension(x)}
    matrices = {x for x in own if isinstance(x, sp.MatrixSymbol)}
    reading = Reading(constants=matrices | {x for x in numbers if x not in CATALOGUE.values()})
    given = tuple((each, reading.facts(each.conclusion)) for each in claim.hypotheses)
    positive = tuple(sorted((x for x in numbers if x.is_positive), key=str))
    return Sequent(reading, given, positive, reading.fact(claim.conclusion))


def _as_numbers(expression: sp.Basic) -> set[sp.Basic]:
    """The letters of an expression that stand in it as more than the name of a function."""
    if isinstance(expression, words.Value | words.Gradient | words.Hessian):
        return _as_numbers(expression.args[1])
    if isinstance(expression, sp.Symbol):
        return {expression}
    return set().union(*map(_as_numbers, expression.args))
