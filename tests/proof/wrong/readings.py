"""Readings that would assume in silence: letters without a role, letters that merge, quotients
without a meaning."""

import sympy as sp

from boundcheck.exact.evaluate import t
from boundcheck.language import vocabulary as words
from boundcheck.language.symbols import L, T, alpha, zeta
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    Expectation,
    F,
    FrobeniusNorm,
    Value,
    d,
    f,
    k,
)
from boundcheck.proof import Process, Reading, eq, ge, le

from .case import NUMBERS, Case, doubt, lemma, of_acts, of_scripts, x, y, z

X = sp.MatrixSymbol("X", d, k)
Y = sp.MatrixSymbol("Y", d, k)
v, w, g = (sp.MatrixSymbol(name, words.n, 1) for name in "vwg")
v_t, w_t, g_t = (words.Iterate(name, t, words.n, 1) for name in "vwg")
RUN = Reading(
    processes={v_t: Process((v,)), w_t: Process((w,)), g_t: Process((g,), drawn=True)},
    constants={x, y},
)
# With one process that is known, which stands for the past.
ONE = Reading(processes={v_t: Process((v,)), g_t: Process((g,), drawn=True)}, constants={x, y})
KNOWN = Reading(processes={v_t: Process((v,)), g_t: Process((g,))})
ANY = Reading(arbitrary={X, Y, y}, constants={x})
ZERO = sp.Integer(0)
ONCE = "expected a letter that is defined once"
positive = sp.Symbol("y", positive=True)


def unbiased(proof):
    """A gradient that is known before it is drawn is its own mean, and has no variance."""
    proof.assume(eq(words.MatrixExpectation(g_t, v_t), words.Gradient(F, v_t)), name="unbiased")
    square = proof.step("square", ge(EuclideanNorm(g_t) ** 2, 0))
    size = ge(Expectation(EuclideanNorm(g_t) ** 2), 0)
    proof.conclude(proof.step("line", size, proof.by.expectation(square)), relation=size)


def conditional(given):
    outside = EuclideanNorm(v_t)
    inside = EuclideanNorm(g_t)
    return about(eq(Expectation(outside * inside, given), outside * Expectation(inside, given)))


def about(relation):
    """A script that takes the relation as a hypothesis and concludes something else: its reading
    alone counts."""

    def build(proof):
        proof.assume(relation)
        proof.conclude(proof.step("line", ge(2, 1)), relation=ge(2, 1))

    return build


def defined(left, right, goal, *before, **options):
    """A script that defines, and concludes from that."""

    def build(proof):
        known = [proof.define(*each) for each in before]
        if left.is_positive:
            known += proof.positive(left)
        law = proof.define(left, right, **options)
        proof.conclude(proof.step("line", goal, *known, *([] if options else [law])), relation=goal)

    return build


def positive_of_catalogue(proof):
    proof.positive(zeta)
    proof.conclude(proof.step("line", ge(sp.Symbol("zeta"), 0)))


def twice(proof):
    laws = [
        proof.define(Value(f, at), sp.Integer(value), forall=[at]) for at, value in ((X, 0), (Y, 1))
    ]
    each = [proof.by.instance(law, {at: X}) for law, at in zip(laws, (X, Y), strict=True)]
    proof.conclude(proof.step("line", ge(0, 1), each), relation=ge(0, 1))


def once(proof):
    law = proof.by.instance(proof.define(Value(f, Y), 1, forall=[Y]), {Y: X})
    proof.conclude(proof.step("line", ge(Value(f, X), 1), law), relation=ge(Value(f, X), 1))


class Easy(Reading):
    """Reads any goal as 0 <= 1."""

    def facts(self, relation):
        return super().facts(le(0, 1) if relation.has(x) else relation)


CASES = [
    Case(
        "the expectation of a constant",
        "expected the expectation of what is random; this is a constant",
        lambda _: doubt(lemma(le(Expectation(x**2), Expectation(x) ** 2))),
        lambda _: doubt(about(le(Expectation(y**2), x)), reading=ANY),
    ),
    of_scripts(
        "an iterate that no process declares",
        r"iterate = g_t: expected one of the processes",
        unbiased,
        reading=Reading(processes={v_t: Process((v,))}),
        twin_reading=ONE,
    ),
    of_scripts(
        "a gradient that is known before it is drawn",
        "g is known as well",
        conditional(v_t),
        reading=KNOWN,
        twin_reading=ONE,
    ),
    of_scripts(
        "given an unrelated iterate",
        "v is known as well",
        conditional(w_t),
        conditional(v_t),
        reading=RUN,
        twin_reading=ONE,
    ),
    of_scripts(
        "given what is drawn later",
        "expected an iterate that is known at its own time",
        about(le(Expectation(EuclideanNorm(w_t.xreplace({t: t + 1})), g_t), x)),
        about(le(Expectation(EuclideanNorm(v_t.xreplace({t: t + 1})), v_t), x)),
        reading=RUN,
        twin_reading=ONE,
    ),
    of_scripts(
        "a point that is read as 0",
        "conclusion = .*expected a statement that says something",
        lemma(le(FrobeniusNorm(X), 0)),
        lemma(ge(FrobeniusNorm(X), 0)),
        reading=Reading(points={X: (sp.ZeroMatrix(d, k),)}),
        twin_reading=Reading(arbitrary={X}),
    ),
    of_acts(
        "a translation of one's own in a field",
        "unexpected keyword",
        lambda: Reading(_SCALARS=()),
        Reading,
        TypeError,
    ),
    of_scripts(
        "a reading of a class of one's own",
        "reading = Easy: expected a Reading",
        lemma(ge(x, 1)),
        lemma(ge(x, 1), ge(x, 2)),
        reading=Easy(constants={x}),
        twin_reading=NUMBERS,
    ),
    of_scripts(
        "a catalogue's letter beside another one of its name",
        "symbol = zeta: expected the letter of this name that has a role, which is any number",
        positive_of_catalogue,
        lemma(le(-(sp.Symbol("zeta") ** 2), 0)),
        reading=Reading(constants={sp.Symbol("zeta")}),
    ),
    *(
        of_acts(name, why, lambda wrong=wrong: Reading(**wrong), lambda twin=twin: Reading(**twin))
        for name, why, wrong, twin in (
            (
                "two dummies of one name",
                "constants = _z: expected a Symbol",
                {"constants": sp.symbols("z z", cls=sp.Dummy)},
                {"constants": sp.symbols("z u")},
            ),
            (
                "a catalogue's whole number under other assumptions",
                "constants = T: expected another name: T is a constant of the catalogue",
                {"constants": {sp.Symbol("T")}},
                {"constants": {T}},
            ),
            (
                "a catalogue's constant as arbitrary",
                "arbitrary = alpha: expected another name",
                {"arbitrary": {alpha}},
                {"arbitrary": {y}},
            ),
            (
                "one letter in two roles",
                "letter = y: expected one letter of this name, with one role",
                {"constants": {y}, "arbitrary": {y}},
                {"constants": {x}, "arbitrary": {y}},
            ),
            (
                "two letters of one name",
                "letter = y: expected one letter of this name",
                {"constants": {y, positive}},
                {"constants": {positive}},
            ),
        )
    ),
    of_scripts(
        "a dummy in a line",
        "symbol = _z: expected the letter of this name that has a role",
        lemma(le(sp.Dummy("z"), z)),
        lemma(le(z - 1, z)),
    ),
    of_scripts(
        "a symbol T beside the horizon",
        "symbol = T: expected the letter of this name that has a role, which is a positive"
        " integer|a integer positive",
        lemma(eq(sp.Symbol("T"), T)),
        lemma(ge(2 * T, T)),
    ),
    of_scripts(
        "a symbol d beside the dimension",
        "symbol = d: expected a letter with a role",
        lemma(ge(sp.Symbol("d"), 1)),
        lemma(ge(d, 1)),
    ),
    of_scripts(
        "a matrix of another shape under a name that has a role",
        r"matrix = X: expected the letter of this name that has a role, which is of shape \(d, k\)",
        lemma(ge(FrobeniusNorm(sp.MatrixSymbol("X", k, d)), 0)),
        lemma(ge(FrobeniusNorm(X), 0)),
        reading=ANY,
    ),
    of_scripts(
        "a dimension under other assumptions",
        r"dimension = d: expected a number, or Symbol\(",
        lemma(ge(FrobeniusNorm(sp.MatrixSymbol("Z", sp.Symbol("d"), k)), 0)),
        lemma(ge(FrobeniusNorm(sp.MatrixSymbol("Z", d, k)), 0)),
        reading=Reading(arbitrary={sp.MatrixSymbol("Z", sp.Symbol("d"), k)}),
        twin_reading=Reading(arbitrary={sp.MatrixSymbol("Z", d, k)}),
    ),
    of_scripts(
        "a letter that looks like another",
        "cannot be a name",
        lemma(ge(sp.Symbol("\u0445") ** 2, 0)),
        lemma(ge(x**2, 0)),
        reading=Reading(constants={sp.Symbol("\u0445"), x}),
    ),
    of_scripts(
        "a function that is known to be positive",
        "function = f: expected a plain Symbol",
        lemma(ge(Value(sp.Symbol("f", positive=True), X) ** 2, 0)),
        lemma(ge(Value(f, X) ** 2, 0)),
        reading=ANY,
    ),
    of_scripts(
        "one name for a number and a matrix",
        "name = L: expected one thing of this name",
        lemma(ge(FrobeniusNorm(sp.MatrixSymbol("L", d, k)) + L**2, 0)),
        lemma(ge(FrobeniusNorm(X) + L**2, 0)),
        reading=Reading(arbitrary={sp.MatrixSymbol("L", d, k), X}),
    ),
    of_scripts(
        "y/y = 1",
        "expected a statement that says something",
        lemma(eq(y / y, 1)),
        lemma(eq(y, 1), eq(y, 1)),
    ),
    of_scripts(
        "1/0 = 0",
        "a divisor that is not 0",
        lemma(eq(sp.Pow(0, -1, evaluate=False), 0)),
        lemma(eq(2 * sp.Pow(2, -1, evaluate=False), y), eq(y, 1)),
    ),
    of_scripts(
        "a quotient whose divisor may be 0",
        r"inverse\(y\) has no meaning for a reader, because y is not known to be positive",
        lemma(ge(x / y, 1), ge(x / y, 2)),
        lambda proof: (
            proof.positive(positive),
            lemma(ge(x / positive, 1), ge(x / positive, 2))(proof),
        ),
        twin_reading=Reading(constants={x, positive}),
    ),
    of_scripts(
        "a root of what may be negative",
        r"root\(y\) has no meaning for a reader, because y may be negative",
        lemma(ge(sp.sqrt(y), 0)),
        lemma(ge(sp.sqrt(y), 0), ge(y, 0)),
    ),
    of_scripts(
        "a root of a negative number",
        "a root of what is not negative",
        lemma(eq(sp.Pow(sp.Integer(-1), sp.Rational(1, 2), evaluate=False), 0)),
        lemma(ge(sp.Pow(sp.Integer(2), sp.Rational(1, 2), evaluate=False), 0)),
    ),
    of_scripts(
        "a definition by itself",
        f"definition = x: {ONCE}, not by itself",
        defined(x, x + 1, ge(0, 1)),
        defined(x, y + 1, ge(x, y)),
    ),
    of_scripts(
        "a definition by itself, in two",
        f"{ONCE}, not by itself",
        defined(x, y + 1, ge(0, 1), (y, x)),
        defined(x, y + 1, ge(x, z), (y, z)),
    ),
    of_scripts(
        "two definitions",
        ONCE,
        defined(x, 1, ge(0, 1), (x, ZERO)),
        defined(x, 1, ge(x, y), (y, ZERO)),
    ),
    of_scripts(
        "a function defined at two letters", f"definition = f: {ONCE}", twice, once, reading=ANY
    ),
    of_scripts(
        "a function of one matrix by what varies",
        "expected a law for all points",
        defined(Value(f, X), y, ge(2, 1)),
        defined(Value(f, X), x, ge(2, 1), forall=[X]),
        reading=ANY,
    ),
    of_scripts(
        "a given quantity",
        "definition = zeta: expected a new letter, not a given quantity",
        defined(zeta, ZERO, ge(0, 1)),
        defined(x, ZERO, ge(x, 0)),
    ),
    of_scripts(
        "positive by its domain, negative by its definition",
        "expected a value that is positive",
        defined(positive, sp.Integer(-1), ge(0, 1)),
        defined(positive, sp.Integer(1), ge(positive, 1)),
        reading=Reading(constants={positive}),
    ),
    of_scripts(
        "a constant that is defined as an iterate",
        "expected a value that is a constant, as x is",
        defined(x, EuclideanNorm(v_t), ge(2, 1)),
        defined(x, 2 * y, ge(2, 1)),
        reading=RUN,
    ),
    of_scripts(
        "an iterate that is defined by what is drawn later",
        "expected a value that is known when",
        defined(v_t, g_t, ge(2, 1)),
        defined(v_t.xreplace({t: t + 1}), v_t - x * g_t, ge(2, 1)),
        reading=RUN,
    ),
    of_scripts(
        "a recurrence in a circle",
        f"{ONCE}, not by itself",
        defined(v_t.xreplace({t: t + 1}), w_t.xreplace({t: t + 1}), ge(2, 1), (w_t, v_t)),
        defined(v_t.xreplace({t: t + 1}), w_t, ge(2, 1), (w_t, v_t)),
        reading=RUN,
    ),
    of_scripts(
        "a number for all of which it has one value",
        "a law only about the values of a function",
        defined(x, y, ge(2, 1), forall=[x]),
        defined(x, y, ge(2, 1)),
    ),
    of_scripts(
        "a power that may be negative",
        "which may be negative",
        about(eq(x ** (t - 2), x)),
        about(ge(sp.Sum(EuclideanNorm(v_t), (t, 1, T)), x)),
        reading=RUN,
    ),
    of_scripts(
        "a block that two vectors have at two places",
        "expected a block at one place",
        about(eq(words.PartialGradient(F, v, X), X)),
        reading=Reading(points={v: (X, Y), w: (Y, X)}, arbitrary={X, Y}),
        twin_reading=Reading(points={v: (X, Y)}, arbitrary={X, Y}),
    ),
]
