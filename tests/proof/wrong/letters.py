"""Letters of a claim of one's own that a script takes for others, or hypotheses for more than they
say: laws at what they do not range over, and readings that restrict."""

from dataclasses import replace

import sympy as sp

from boundcheck.exact.evaluate import t
from boundcheck.language import vocabulary as words
from boundcheck.language.algorithms import GRADIENT_DESCENT
from boundcheck.language.claim import Quantifier, Quantity, for_all
from boundcheck.language.symbols import L, T
from boundcheck.language.vocabulary import (
    Expectation,
    F,
    FrobeniusNorm,
    InnerProduct,
    Iterate,
    Pair,
    PartialGradient,
    SpectralNorm,
    Value,
    d,
    k,
    n,
    r,
)
from boundcheck.proof import Process, Reading, ge, le

from .case import claim, ending, given, of_acts, of_scripts, x, y, z

STRANGE = "which is not a hypothesis of the claim"
UNREAD = "expected all values of letters"
X = sp.MatrixSymbol("X", d, k)
p = sp.Symbol("p", positive=True)
Y = sp.MatrixSymbol("Y", d, k)
A_0, B_0, u, q, h, h_2 = (sp.MatrixSymbol(each, n, 1) for each in ("A", "B", "u", "q", "h", "h_2"))
ROWS = sp.MatrixSymbol("Z", r, k)
ONE = sp.MatrixSymbol("O", 1, 1)
G_T, V_T, W_T = (Iterate(each, t, n, 1) for each in "gvw")
DRAWN = Process((sp.MatrixSymbol("g", n, 1),), drawn=True)
RUN = Reading(processes={G_T: DRAWN, V_T: Process((u,))}, constants={h, h_2})


def ranging(relation, letter, **fields):
    return replace(given(relation, for_all(letter)), **fields)


def instance(law, goal, letter, value):
    """The goal, from a law at a value of its letter."""

    def build(proof):
        found = proof.by.instance(proof.given(law), {letter: value})
        proof.conclude(proof.step("line", goal, found))

    return build


MEAN = ranging(le(Expectation(InnerProduct(G_T, h)), 0), h)
SQUARE, OTHER = (le(Expectation(InnerProduct(G_T, each)), 0) for each in (G_T, h_2))
PRODUCT = ranging(le(Expectation(x * y), 0), x)
SCALED = ranging(le(x, p * y), p)
BALL = given(le(FrobeniusNorm(X), 1), id="my.ball")
IN_BALL = replace(given(le(Value(F, X), y)), hypotheses=(BALL,))
EQUAL = le(FrobeniusNorm(X), SpectralNorm(X))
OF_ONE = ranging(EQUAL.xreplace({X: ONE}), ONE)
SMALL = given(le(FrobeniusNorm(X), L))
OF_ITERATES = replace(given(le(Value(F, V_T), 1)), algorithm=GRADIENT_DESCENT)
BLOCK = given(le(FrobeniusNorm(PartialGradient(F, Pair(A_0, B_0), A_0)), 1))
OTHER_BLOCK = le(FrobeniusNorm(PartialGradient(F, Pair(A_0, B_0), B_0)), 1)
SUM = 1 + sp.Sum(words.EuclideanNorm(Iterate("g", words.i, n, 1)) ** 2, (words.i, 1, t - 1))


def sized(symbol):
    formula = Quantity(symbol, FrobeniusNorm(X), "the size of X")
    return claim(ge(FrobeniusNorm(X), 0), quantities=(formula,))


def meaning(*formulas):
    """Hypotheses that each say what z is."""
    parts = [
        replace(given(le(z, i), id=f"my.h{i}"), quantities=(Quantity(z, each, "a size"),))
        for i, each in enumerate(formulas, 1)
    ]
    sizes = (Quantity(z, formulas[0], "a size"),)
    return claim(le(z, 1), *parts, quantities=sizes)


CASES = [
    of_scripts(
        "a letter under a mean, replaced by what is drawn",
        STRANGE,
        ending(SQUARE, (MEAN, {"where": {h: G_T}})),
        instance(MEAN, OTHER, h, h_2),
        claim=claim(SQUARE, MEAN),
        twin_claim=claim(OTHER, MEAN),
    ),
    of_scripts(
        "a law for positive numbers, at a negative one",
        STRANGE,
        instance(SCALED, le(x, -y), p, sp.Integer(-1)),
        ending(SCALED.conclusion, SCALED),
        claim=claim(le(x, -y), SCALED),
        twin_claim=claim(SCALED.conclusion, SCALED),
    ),
    of_scripts(
        "a lemma in a ball, outside of it",
        "says nothing: it holds where something is so of the letters",
        ending(
            le(Value(F, Y), y),
            (ranging(IN_BALL.conclusion, X, hypotheses=(BALL,)), {"where": {X: Y}}),
        ),
        ending(IN_BALL.conclusion, IN_BALL),
        claim=claim(le(Value(F, Y), y), BALL, ranging(IN_BALL.conclusion, X, hypotheses=(BALL,))),
        twin_claim=claim(IN_BALL.conclusion, BALL, IN_BALL),
    ),
    of_scripts(
        "a hypothesis about matrices of another shape",
        STRANGE,
        ending(EQUAL.xreplace({X: Y}), (OF_ONE, {"where": {ONE: Y}})),
        instance(ranging(EQUAL, X), EQUAL.xreplace({X: Y}), X, Y),
        claim=claim(EQUAL.xreplace({X: Y}), OF_ONE),
        twin_claim=claim(EQUAL.xreplace({X: Y}), ranging(EQUAL, X)),
    ),
    of_scripts(
        "a formula of the horizon",
        "expected a number, which may be no integer",
        ending(ge(FrobeniusNorm(X), 0)),
        claim=sized(T),
        twin_claim=sized(z),
    ),
    of_scripts(
        "one letter with two formulas",
        "expected one formula",
        lambda proof: proof.conclude(
            proof.step("line", le(z, 1), proof.assume(proof.claim.hypotheses[0]))
        ),
        claim=meaning(FrobeniusNorm(X), FrobeniusNorm(Y)),
        twin_claim=meaning(FrobeniusNorm(X), FrobeniusNorm(X)),
    ),
    of_scripts(
        "a hypothesis about the iterates of an algorithm, of any others",
        "says nothing: it is about another algorithm",
        ending(OF_ITERATES.conclusion, OF_ITERATES),
        claim=claim(OF_ITERATES.conclusion, OF_ITERATES),
        twin_claim=claim(OF_ITERATES.conclusion, OF_ITERATES, algorithm=GRADIENT_DESCENT),
    ),
    of_scripts(
        "a claim for all of a catalogue's letter, from what is said of one",
        "it is said of one L",
        ending(SMALL.conclusion, SMALL),
        claim=claim(SMALL.conclusion, SMALL, quantifier=for_all(L)),
        twin_claim=claim(SMALL.conclusion, SMALL),
    ),
    of_scripts(
        "a range that words restrict",
        UNREAD,
        ending(ge(FrobeniusNorm(Y), 0)),
        claim=claim(ge(FrobeniusNorm(Y), 0), quantifier=Quantifier((Y,), ", finitely many")),
        twin_claim=claim(ge(FrobeniusNorm(Y), 0), quantifier=for_all(Y)),
    ),
    of_acts(
        "a past that hides in a sum",
        "a sum over earlier times",
        lambda: RUN.scalar(Expectation(SUM * InnerProduct(G_T, h), V_T)),
        lambda: RUN.scalar(Expectation(InnerProduct(G_T, h), V_T)),
    ),
    of_scripts(
        "a block of a gradient, named by another vector",
        "it rests on line, which is neither proved nor given",
        ending(OTHER_BLOCK, BLOCK),
        ending(BLOCK.conclusion, BLOCK),
        claim=claim(OTHER_BLOCK, BLOCK),
        twin_claim=claim(BLOCK.conclusion, BLOCK),
    ),
]
