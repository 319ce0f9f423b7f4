"""Letters of a claim of one's own that a script takes for others, or hypotheses for more than they
say: laws at what they do not range over, and readings that restrict."""

from dataclasses import replace

import sympy as sp

from boundcheck.exact.evaluate import t
from boundcheck.language import vocabulary as words
from boundcheck.language.algorithms import GRADIENT_DESCENT
from boundcheck.language.claim import Quantity
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
UNREAD = "the range of the claim is not read"
X = sp.MatrixSymbol("X", d, k)
Y = sp.MatrixSymbol("Y", d, k)
A_0, B_0, u, q, h, h_2 = (sp.MatrixSymbol(each, n, 1) for each in ("A", "B", "u", "q", "h", "h_2"))
ROWS = sp.MatrixSymbol("Z", r, k)
ONE = sp.MatrixSymbol("E", 1, 1)
G_T, V_T, W_T = (Iterate(each, t, n, 1) for each in "gvw")
SHARED = sp.MatrixSymbol("w", n, 1)
DRAWN = Process((sp.MatrixSymbol("g", n, 1),), drawn=True)
RUN = Reading(processes={G_T: DRAWN, V_T: Process((u,))}, constants={h, h_2})
FIXED = Reading(constants={x, y, z, X, Y})
OF_ANY = Reading(constants={x, y, z, X}, arbitrary={Y})


def ranging(relation, names, **fields):
    return replace(given(relation, rf"\text{{for all }} {names}"), **fields)


def at(law, goal, **values):
    """The goal, from a law at values of its number."""

    def build(proof):
        found = proof.assume(law, forall=[NAMED[name] for name in values])
        instance = proof.by.instance(found, {NAMED[name]: at for name, at in values.items()})
        proof.conclude(proof.step("line", goal, instance))

    return build


NAMED = {"x": x, "L": L}
MEAN = ranging(le(Expectation(InnerProduct(G_T, h)), 0), "h")
SQUARE, OTHER = (le(Expectation(InnerProduct(G_T, each)), 0) for each in (G_T, h_2))
PRODUCT = ranging(le(Expectation(x * y), 0), "x")
SCALED = ranging(le(x, L * y), "L")
BALL = given(le(FrobeniusNorm(X), 1), id="my.ball")
IN_BALL = replace(given(le(Value(F, X), y)), hypotheses=(BALL,))
EQUAL = le(FrobeniusNorm(X), SpectralNorm(X))
SMALL = given(le(FrobeniusNorm(X), L))
OF_ITERATES = replace(given(le(Value(F, V_T), 1)), algorithm=GRADIENT_DESCENT)
BLOCK = given(le(FrobeniusNorm(PartialGradient(F, Pair(A_0, B_0), A_0)), 1))
OTHER_BLOCK = le(FrobeniusNorm(PartialGradient(F, Pair(A_0, B_0), B_0)), 1)
SHARING = Reading(processes={V_T: Process((SHARED,)), W_T: Process((SHARED,))})
APART = Reading(processes={V_T: Process((u,)), W_T: Process((SHARED,))})
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
        ending(OTHER, (MEAN, {"where": {h: h_2}})),
        claim=claim(SQUARE, MEAN),
        twin_claim=claim(OTHER, MEAN),
        reading=RUN,
    ),
    of_scripts(
        "a number under a mean, at one that is drawn",
        STRANGE,
        at(PRODUCT, le(Expectation(y * y), 0), x=y),
        ending(PRODUCT.conclusion, PRODUCT),
        claim=claim(le(Expectation(y * y), 0), PRODUCT),
        twin_claim=claim(PRODUCT.conclusion, PRODUCT),
        reading=Reading(arbitrary={x, y}),
    ),
    of_scripts(
        "a law for positive numbers, at a negative one",
        STRANGE,
        at(SCALED, le(x, -y), L=sp.Integer(-1)),
        ending(SCALED.conclusion, SCALED),
        claim=claim(le(x, -y), SCALED),
        twin_claim=claim(SCALED.conclusion, SCALED),
        reading=FIXED,
    ),
    of_scripts(
        "a lemma in a ball, outside of it",
        STRANGE,
        ending(
            le(Value(F, Y), y),
            (ranging(IN_BALL.conclusion, "X", hypotheses=(BALL,)), {"where": {X: Y}}),
        ),
        ending(IN_BALL.conclusion, IN_BALL),
        claim=claim(le(Value(F, Y), y), BALL, ranging(IN_BALL.conclusion, "X", hypotheses=(BALL,))),
        twin_claim=claim(IN_BALL.conclusion, BALL, IN_BALL),
        reading=FIXED,
    ),
    *(
        of_scripts(
            f"a hypothesis about {name}, at another matrix",
            STRANGE,
            ending(EQUAL.xreplace({X: Y}), (law, {"where": {letter: Y}})),
            ending(EQUAL.xreplace({X: Y}), (ranging(EQUAL, "X"), {"where": {X: Y}})),
            claim=claim(EQUAL.xreplace({X: Y}), law),
            twin_claim=claim(EQUAL.xreplace({X: Y}), ranging(EQUAL, "X")),
            reading=replace(FIXED, constants={X, Y, ONE}),
        )
        for name, letter, law in (
            ("matrices of one entry", X, ranging(EQUAL, r"X \in \mathbb{R}^{1 \times 1}")),
            ("a letter of another shape", ONE, ranging(EQUAL.xreplace({X: ONE}), "E")),
        )
    ),
    of_scripts(
        "a matrix that is read as one of another shape",
        "as another",
        ending(ge(FrobeniusNorm(X), 0)),
        claim=claim(ge(FrobeniusNorm(X), 0)),
        reading=Reading(points={X: (ROWS,)}, constants={ROWS}),
        twin_reading=FIXED,
    ),
    of_scripts(
        "two iterates that are read as one",
        "share",
        ending(ge(InnerProduct(V_T, W_T) ** 2, 0)),
        claim=claim(ge(InnerProduct(V_T, W_T) ** 2, 0)),
        reading=SHARING,
        twin_reading=APART,
    ),
    of_scripts(
        "a formula of the horizon",
        "expected a number, which may be no integer",
        ending(ge(FrobeniusNorm(X), 0)),
        claim=sized(T),
        twin_claim=sized(z),
        reading=FIXED,
    ),
    of_scripts(
        "one letter with two formulas",
        "expected one formula",
        lambda proof: proof.conclude(
            proof.step("line", le(z, 1), proof.assume(proof.claim.hypotheses[0]))
        ),
        claim=meaning(FrobeniusNorm(X), FrobeniusNorm(Y)),
        twin_claim=meaning(FrobeniusNorm(X), FrobeniusNorm(X)),
        reading=FIXED,
    ),
    of_scripts(
        "a hypothesis about the iterates of an algorithm, of any others",
        STRANGE,
        ending(OF_ITERATES.conclusion, OF_ITERATES),
        claim=claim(OF_ITERATES.conclusion, OF_ITERATES),
        twin_claim=claim(OF_ITERATES.conclusion, OF_ITERATES, algorithm=GRADIENT_DESCENT),
        reading=RUN,
    ),
    of_scripts(
        "a claim for all of a catalogue's letter, from what is said of one",
        "it is for one L",
        ending(SMALL.conclusion, SMALL),
        claim=claim(SMALL.conclusion, SMALL, quantifier=r"\text{for all } L"),
        twin_claim=claim(SMALL.conclusion, SMALL),
        reading=FIXED,
    ),
    *(
        of_scripts(
            f"a range that says more: {more}",
            UNREAD,
            ending(ge(FrobeniusNorm(Y), 0)),
            claim=claim(
                ge(FrobeniusNorm(Y), 0), quantifier=rf"\text{{for all }} Y \text{{{more}}}"
            ),
            twin_claim=claim(ge(FrobeniusNorm(Y), 0), quantifier=r"\text{for all } Y"),
            reading=OF_ANY,
        )
        for more in (", with equality only at 0", "if and only if it is 0", "but for finitely many")
    ),
    of_acts(
        "a past that hides in a sum",
        "a sum over earlier times",
        lambda: RUN.scalar(Expectation(SUM * InnerProduct(G_T, h), V_T)),
        lambda: RUN.scalar(Expectation(InnerProduct(G_T, h), V_T)),
    ),
    of_scripts(
        "a block of a gradient, named by another vector",
        STRANGE,
        ending(OTHER_BLOCK, BLOCK),
        ending(BLOCK.conclusion, BLOCK),
        claim=claim(OTHER_BLOCK, BLOCK),
        twin_claim=claim(BLOCK.conclusion, BLOCK),
        reading=Reading(points={u: (A_0,), q: (B_0,)}, constants={A_0, B_0}),
        twin_reading=Reading(constants={A_0, B_0}),
    ),
]
