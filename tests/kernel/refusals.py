"""What the kernel must refuse, as data: run by pytest, and by `python -O -m tests.kernel.refusals`,
without asserts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from types import SimpleNamespace

from boundcheck import kernel
from boundcheck.kernel import (
    RULES,
    Fact,
    KernelError,
    Law,
    ShapeError,
    TermError,
    Theorem,
    builders,
    replay,
    rules,
)
from boundcheck.kernel import terms as nodes
from boundcheck.kernel.builders import at, before, expect, inner, mean, norm, power, total
from boundcheck.kernel.rules import gradients
from boundcheck.kernel.terms import (
    FROBENIUS,
    NOW,
    ONE,
    Index,
    Matrix,
    Scalar,
    Symbol,
    Time,
    Value,
    Variable,
)

of = Scalar.of
a = Variable("a")
b = Variable("b")
u = Variable("u", nodes.ANY)
c = Variable("c", Time(NOW))
r = Variable("r", Time(nodes.NEXT, 1))
A = Symbol("A", ("m", "n"))
B = Symbol("B", ("n", "k"))
Y = Symbol("Y", ("m", "n"), nodes.ANY)
X = Symbol("X", ("m", "n"), Time(NOW))
S = Symbol("S", ("m", "m"))
MA, MB, MX, MY = (Matrix.of(x) for x in (A, B, X, Y))


def ge(p):
    return Fact(">=", of(p))


def gt(p):
    return Fact(">", of(p))


def eq(p):
    return Fact("=", of(p))


def assumed(*facts):
    return [rules.assume(x) for x in facts]


FALSE = ge(-1)
LAW = Law((u,), (), ge(u))


class Foreign(nodes.Letter):
    """A kind of letter that the kernel does not have."""

    key = "[foreign]"
    shape = ("m", "n")

    def __str__(self):
        return self.key


class _AsInt(type):
    """The kind of a class that says it equals int."""

    def __eq__(cls, other):
        return other is int or other is cls

    def __hash__(cls):
        return hash(int)


class Sign(int, metaclass=_AsInt):
    """A sign that makes something else of each gain."""

    def __mul__(self, other):
        return of(Variable("huge"))


@dataclass(frozen=True)
class Case:
    name: str
    call: Callable[[], object]
    error: type[KernelError]
    why: str = ""
    rule: str | None = None
    premise: int | None = None

    def failure(self):
        """What is wrong with how this was refused, or None."""
        try:
            answer = self.call()
        except KernelError as error:
            if not isinstance(error, self.error):
                return f"{self.name}: {type(error).__name__}, {error}"
            if not re.search(self.why, str(error)):
                return f"{self.name}: expected {self.why!r} in {error}"
            mine = getattr(error, "rule", None), getattr(error, "premise", None)
            if self.rule is not None and mine != (self.rule, self.premise):
                return f"{self.name}: blames {mine}, and not {(self.rule, self.premise)}"
        except (
            Exception
        ) as error:  # an untyped error is a failure to report, not one of this script
            return f"{self.name}: untyped {type(error).__name__}, {error}"
        else:
            return f"{self.name}: accepted, {answer}"
        return None


def refused(rule, premise, why, *arguments, name=""):
    """A rule that refuses for its own reason."""
    return Case(
        f"{rule}: {name or why}",
        lambda: RULES[rule](*arguments),
        kernel.RuleError,
        why,
        rule,
        premise,
    )


def laws():
    (low,) = assumed(ge(a))
    hidden = rules.instantiate(rules.assume(Law((b,), (ge(a),), ge(b))), ((b, of(b)),))
    yield refused("discharge", 1, "not one of its hypotheses", *assumed(ge(a), ge(b)))
    yield refused("generalise", 0, "free in the hypothesis", low, (a,), ())
    yield refused(
        "generalise", 0, "a is free in the hypothesis", hidden, (a,), (ge(a),), name="law"
    )
    yield refused(
        "generalise", 0, "a law, .* cannot be the conclusion", rules.assume(LAW), (a,), (LAW,)
    )
    kind = "neither a constant nor an arbitrary symbol"
    for theorem, letter, premises in (
        (*assumed(ge(c)), c, (ge(c),)),
        (*assumed(eq(norm("F", MX))), X, ()),
        (rules.dimension_positive("m"), nodes.Dimension("m"), ()),
        (rules.horizon_positive(), nodes.Horizon(), ()),
    ):
        yield refused("generalise", None, kind, theorem, (letter,), premises, name=str(letter))
    for inside, free in {
        expect(of(u), NOW): u,
        norm("F", MY): Y,
        of(nodes.Root(of(u))): u,
        norm("F", mean(MY, NOW) - MA): Y,
        norm("F", Matrix.of(nodes.Gradient("f", (MY,)))): Y,
    }.items():
        yield refused(
            "generalise", 0, "free in", *assumed(ge(inside)), (free,), (), name=f"free in {inside}"
        )


def instances():
    any_law = rules.assume(LAW)
    matrix_law = rules.assume(Law((Y,), (), ge(norm("F", MY))))
    fixed = rules.assume(Law((a,), (), ge(a)))
    letter = rules.assume(Law((A,), (), ge(norm("F", MA))))
    yield refused("instantiate", 0, "not a law", *assumed(ge(a)), ((a, of(1)),))
    for name, values in {
        "nothing": (),
        "another variable": ((a, of(1)),),
        "more": ((u, of(1)), (b, of(1))),
        "twice": ((u, of(1)), (u, of(2))),
    }.items():
        yield refused("instantiate", None, "where the law is for all", any_law, values, name=name)
    yield refused(
        "instantiate", None, "cannot become", any_law, ((u, MA),), name="matrix for a number"
    )
    yield refused(
        "instantiate", None, "cannot become", matrix_law, ((Y, of(1)),), name="number for a matrix"
    )
    yield refused(
        "instantiate", None, "cannot become", matrix_law, ((Y, MA.T),), name="transposed shape"
    )
    numbers = [
        of(c),
        of(r),
        of(u),
        expect(of(c), None),
        of(Variable("c", Time(Index("", 1)))),
        expect(of(u), NOW),
        expect(of(c), Index("", 0)),
        norm("F", MX),
        inner((MX,), (MA,)),
    ]
    matrices = [MX, MY, mean(MX, None), MA.scaled(of(c)), Matrix.of(nodes.Gradient("f", (MX,)))]
    for theorem, constant, values in ((fixed, a, numbers), (letter, A, matrices)):
        for value in values:
            name = f"constant by {value}"
            yield refused(
                "instantiate", None, "is a constant, and", theorem, ((constant, value),), name=name
            )
    nested = rules.assume(Law((u,), (Law((b,), (), ge(of(u) - b)),), ge(u)))
    deep = rules.assume(Law((u,), (Law((Y,), (), ge(inner((MY,), (MA,)) * u)),), ge(u)))
    for theorem, value, why in (
        (nested, of(b) + 1, "b is bound in"),
        (deep, norm("F", mean(MY, None)), "Y is bound in"),
    ):
        into = partial(rules.instantiate, theorem, ((u, value),))
        yield Case(f"capture: {why}", into, kernel.RuleError, why, "substitution", None)
    means = rules.assume(Law((Y,), (), eq(norm("F", mean(MY, None)))))
    product = lambda: rules.instantiate(means, ((Y, MX @ MA.T @ MX),))  # noqa: E731
    yield Case("mean of a product", product, TermError, "all its factors but one")


def equals():
    same, p = assumed(eq(norm("F", MX - MA)), ge(norm("F", MX)))
    goal = ge(norm("F", MA))
    yield refused("rewrite", 0, r"does not say that X\[t\] is Y", same, p, X, MY, goal)
    yield refused(
        "rewrite",
        0,
        "does not say",
        *assumed(ge(norm("F", MX - MA))),
        p,
        X,
        MA,
        goal,
        name="inequality",
    )
    yield refused(
        "rewrite",
        0,
        "does not say",
        *assumed(eq(norm("op", MX - MA))),
        p,
        X,
        MA,
        goal,
        name="spectral",
    )
    yield refused("rewrite", 0, "does not say that a is b", same, p, a, of(b), goal)
    number, its = assumed(eq(of(a) - of(b)), ge(of(a)))
    yield refused("rewrite", 1, "differ by", number, its, a, of(b), ge(of(b) * 2), name="number")
    yield refused("rewrite", 1, "differ by", same, p, X, MA, ge(norm("F", MA) * 2))
    yield refused(
        "rewrite", 1, "expected a fact", same, p, X, MA, gt(norm("F", MA)), name="another relation"
    )
    yield refused("rewrite", 1, "expected a fact", same, rules.assume(LAW), X, MA, goal, name="law")
    later = Matrix.of(Symbol("X", ("m", "n"), Time(nodes.NEXT)))
    yield refused(
        "rewrite", 1, "differ by", same, p, X, MA, ge(norm("F", later)), name="another time"
    )


def times():
    now, later, early = (of(Variable("x", Time(i))) for i in (NOW, nodes.NEXT, Index("", 1)))
    first, step, other = assumed(ge(early), ge(later), ge(of(c) * now))
    goal = ge(now)
    yield refused("induction", 0, "expected 0 <= x.1., and not", other, step, goal)
    yield refused(
        "induction", 1, r"expected 0 <= x.t\+1., and not", first, other, goal, name="step"
    )
    summed = rules.summation(rules.assume(goal))
    late = rules.certificate(
        (rules.assume(ge(later - total(now))), summed), ge(later), (term(0), term(1)), (), ()
    )
    yield refused(
        "induction", 1, "is used at other times than t", first, late, goal, name="elsewhere"
    )
    yield refused("minimum_at_least", 0, "varies with t", other, now)
    yield refused("minimum_at_least", 0, "expected a fact", rules.assume(LAW), now, name="law")
    for time in (Index("t", 1), NOW, Index("T", 1), Index("", 0), Index("", 2)):
        yield refused("at_time", None, "the time is 1 or T", first, time, name=str(time))
    yield refused("at_time", 0, "expected a fact", rules.assume(LAW), Index("", 1), name="law")


def norms():
    yield refused("triangle", None, "1 blocks and 2 blocks", FROBENIUS, (MA,), (MA, MA))
    yield Case(
        "triangle: shapes",
        lambda: rules.triangle(FROBENIUS, (MA,), (MB,)),
        ShapeError,
        "do not fit",
    )
    yield Case(
        "norm of nothing", lambda: rules.norm_nonnegative(FROBENIUS, ()), TermError, "0 blocks"
    )
    yield Case(
        "unknown norm",
        lambda: rules.norm_nonnegative("nuclear", (MA,)),
        TermError,
        "have no norm 'nuclear'",
    )
    yield Case(
        "spectral norm of two",
        lambda: rules.norm_nonnegative("op", (MA, MA)),
        TermError,
        "op takes one",
    )
    yield refused(
        "homogeneous", 0, "expected a fact p >= or > 0", *assumed(eq(a)), FROBENIUS, (MA,)
    )
    yield refused(
        "homogeneous", 0, "expected a fact", rules.assume(LAW), FROBENIUS, (MA,), name="law"
    )
    for kinds in ((FROBENIUS, FROBENIUS), ("F", "nuclear"), ("op",)):
        yield refused("submultiplicative", None, "expected .op, F.", kinds, MA, MB, name=str(kinds))
    fits = lambda: rules.submultiplicative((nodes.SPECTRAL, nodes.SPECTRAL), MA, MA)  # noqa: E731
    yield Case("submultiplicative: shapes", fits, ShapeError, "do not fit")
    yield refused("rank_bound", None, "k is not one of .'m', 'n'.", MA, "k")
    yield refused(
        "rank_bound",
        None,
        "n is not one of",
        MA @ MB + MA @ MB.scaled(a) + Matrix.of(Symbol("C", ("m", "k"))),
        "n",
    )
    yield refused("rank_bound", None, "n is not one of", Matrix.zero(("m", "k")), "n", name="zero")
    yield Case(
        "cauchy_schwarz: blocks",
        lambda: rules.cauchy_schwarz((MA,), (MA, MA)),
        TermError,
        "as many blocks",
    )
    yield Case(
        "cauchy_schwarz: shapes",
        lambda: rules.cauchy_schwarz((MA,), (MB,)),
        ShapeError,
        "do not fit",
    )
    yield Case(
        "dimension of no name", lambda: rules.dimension_positive("1"), TermError, "cannot be a name"
    )


def operators():
    yield refused("root_square", 0, "expected a fact p >= or > 0", *assumed(eq(a)))
    yield refused("root_square", 0, "expected a fact", rules.assume(LAW), name="law")
    for fact in (ge(a), eq(a), LAW):
        yield refused("inverse", 0, "expected a fact p > 0", rules.assume(fact), name=str(fact))
    yield refused("maximum_at_most", None, "there is no premise", (), of(a), name="of nothing")
    equation = (rules.assume(ge(a)), rules.assume(eq(b)))
    yield refused("maximum_at_most", 1, "expected a fact", equation, of(a), name="an equation")
    for fact in (ge(a), ge(of(a) ** 2), ge(-(of(b) ** 2)), gt(-(of(a) ** 2)), LAW):
        yield refused("vanishing", 0, "expected", rules.assume(fact), of(a), name=str(fact))
    for rule in ("expectation", "summation"):
        rest = (None,) if rule == "expectation" else ()
        yield refused(rule, 0, "expected a fact", rules.assume(LAW), *rest)
    for x in (of(u), norm("F", MY), expect(of(u), NOW), inner((MA,), (MY,))):
        yield Case(
            f"telescope of {x}", lambda x=x: rules.telescope(x), TermError, "any function of t"
        )


def term(*places, weight=1, square=ONE):
    """A weighted square times the premises at these places."""
    return ((Fraction(weight), of(square)),), places


def certify(name, why, goal, *premises, terms=(), multipliers=(), factor=(), **at):
    return refused(
        "certificate",
        at.get("premise"),
        why,
        premises,
        goal,
        tuple(terms),
        tuple(multipliers),
        factor,
        name=name,
    )


def certificates():
    low, strict, equal = assumed(ge(a), gt(b), eq(of(a) - 1))
    square = of(a) ** 2
    one = [term(0)]
    yield certify("one more", r"differ by 1$", ge(of(a) + 1), low, terms=one)
    yield certify("twice as much", r"differ by a$", ge(of(a) * 2), low, terms=one)
    yield certify("nothing", "differ by -1", FALSE, low)
    yield certify("sign", "differ by -2[*]a", ge(-of(a)), low, terms=one)
    yield certify("negative weight", "not positive", ge(-of(a)), low, terms=[term(0, weight=-1)])
    yield certify("zero weight", "not positive", ge(0), low, terms=[term(0, weight=0)])
    yield certify("negative square", "not positive", ge(-square), terms=[term(weight=-1, square=a)])
    kind = "expected a fact p >= or > 0"
    equation = "expected a fact p = 0"
    yield certify("equation as term", kind, ge(of(a) - 1), equal, terms=one, premise=0)
    yield certify("inequality as equation", equation, eq(a), low, multipliers=[(ONE, 0)], premise=0)
    yield certify(
        "strict as equation", equation, ge(-of(b)), strict, multipliers=[(of(-1), 0)], premise=0
    )
    yield certify("equation from inequalities", "equations alone", eq(a), low, terms=one)
    yield certify("equation with an empty term", "equations alone", eq(0), terms=[((), ())])
    none = "no term is certainly positive"
    yield certify("strict from weak", none, gt(a), low, terms=one)
    yield certify("strict from equation", none, gt(of(a) - 1), equal, multipliers=[(ONE, 0)])
    yield certify("strict square", none, gt(square), terms=[term(square=a)])
    yield certify("strict from a weak factor", none, gt(of(a) * b), low, strict, terms=[term(0, 1)])
    yield certify("0 > 0", none, gt(0))
    yield certify(
        "strict with a square that may be 0",
        none,
        gt(square * b),
        strict,
        terms=[term(0, square=a)],
    )
    yield certify("law", "expected a fact", ge(u), rules.assume(LAW), terms=one, premise=0)
    yield certify("law as goal", "the goal must be a fact", LAW, low, terms=one)
    yield certify(
        "fact as premise", "it takes a tuple of theorems first", ge(a), low, ge(a), terms=one
    )
    for place in (-1, 1, 7):
        yield certify(f"place {place}", "there is no premise", ge(a), low, terms=[term(place)])
        yield certify(
            f"multiplier {place}", "there is no premise", eq(a), low, multipliers=[(ONE, place)]
        )
        yield certify(
            f"factor {place}", "there is no premise", ge(a), low, terms=one, factor=(place,)
        )


def certificates_with_factors():
    low, equal, product, zero = assumed(ge(a), eq(of(a) - 1), ge(of(a) * b), eq(of(a) * b))
    gap, less = assumed(ge(of(a) * b - of(a) * b * b), ge(of(a) * b - of(b) * b))
    kind = "expected a fact p > 0"
    by = {"factor": (0,), "premise": 0}
    yield certify("non-strict factor", kind, ge(b), low, product, terms=[term(1)], **by)
    yield certify("factor of equation", kind, eq(b), low, zero, multipliers=[(ONE, 1)], **by)
    yield certify("equation as factor", kind, ge(b), equal, product, terms=[term(1)], **by)
    yield certify(
        "goal squared times a fact", kind, ge(b), low, gap, terms=[term(0, square=b), term(1)], **by
    )
    squared = [term(square=b), term(1)]
    yield certify(
        "goal squared, strict", "no term is", gt(b), low, less, terms=squared, factor=(0,)
    )


def chains():
    f_of = lambda *x: of(Value("f", x))  # noqa: E731
    big = of(Value("F", (MY,)))
    yield refused("chain_rule", 0, "a law without premises", *assumed(eq(big - f_of(MY))), 0)
    premised = Law((Y,), (ge(a),), eq(big - f_of(MY)))
    yield refused(
        "chain_rule", 0, "a law without premises", rules.assume(premised), 0, name="premises"
    )
    composed = {
        "inequality": (ge(big - f_of(MY)), (Y,)),
        "a sum": (eq(big - f_of(MY) + 1), (Y,)),
        "a multiple": (eq(big - f_of(MY) * 2), (Y,)),
        "a square": (eq(big**2 - f_of(MY)), (Y,)),
        "of no letters": (eq(of(Value("F", (MY.scaled(2),))) - f_of(MY.scaled(3))), (Y,)),
        "the same function": (eq(f_of(MY) - f_of(MY @ MB @ MB.T)), (Y,)),
        "constant variable": (eq(of(Value("F", (MA,))) - f_of(MA @ MB)), (A,)),
        "unbound point": (eq(of(Value("F", (MY,))) - f_of(MY)), (u,)),
        "twice the same block": (eq(of(Value("F", (MY, MY))) - f_of(MY)), (Y,)),
        "another variable": (eq(big - f_of(MY.scaled(u))), (Y, u)),
    }
    for name, (fact, names) in composed.items():
        yield refused(
            "chain_rule",
            0,
            "expected F|is not made of",
            rules.assume(Law(names, (), fact)),
            0,
            name=name,
        )
    for name, image in {
        "norm": MY.scaled(norm("F", MY)),
        "gradient": Matrix.of(nodes.Gradient("g", (MY,))),
        "mean": mean(MY, None),
        "trace": MA.scaled(inner((MY,), (MA,))),
        "expectation": MA.scaled(expect(inner((MY,), (MA,)) ** 2, NOW)),
    }.items():
        law = rules.assume(Law((Y,), (), eq(big - f_of(image))))
        yield refused("chain_rule", 0, "hidden in a factor", law, 0, name=name)
    fine = rules.assume(Law((Y,), (), eq(big - f_of(MY @ MB))))
    for block in (-1, 1):
        yield refused("chain_rule", None, "there is no block", fine, block, name=f"block {block}")


def smooth(x, step, constant, theta, *more):
    s = of(theta)
    change = tuple(
        p - q
        for p, q in zip(gradients("f", (x + step.scaled(s),)), gradients("f", (x,)), strict=True)
    )
    wanted = ge(of(constant) * s * norm("F", step) - norm("F", *change))
    return rules.instantiate(
        rules.assume(Law((theta,), (ge(s), ge(1 - s), *more), wanted)), ((theta, s),)
    )


def descents():
    good = smooth(MX, MA, b, u)

    def lemma(name, why, theorem, *changed):
        given = (*changed, *("f", (MX,), (MA,), of(b), u)[len(changed) :])
        return refused("descent_lemma", 0, why, theorem, *given, name=name)

    yield lemma("another function", "expected", good, "g")
    yield lemma("another point", "expected", good, "f", (MA,))
    yield lemma("another step", "expected", good, "f", (MX,), (MA.scaled(2),))
    yield lemma("half the constant", "expected", good, "f", (MX,), (MA,), of(b) * Fraction(1, 2))
    yield lemma(
        "another parameter", "expected", good, "f", (MX,), (MA,), of(b), Variable("v", nodes.ANY)
    )
    yield lemma("a law", "expected", rules.assume(LAW))
    twice = ("f", (MX,), (MA,), of(b), u, 2)
    yield refused("descent_lemma", None, "the sign 2", good, *twice, name="twice")
    yield lemma("the conclusion assumed", "must be arbitrary", rules.assume(good.fact))
    yield lemma(
        "one more hypothesis on the parameter", "must be arbitrary", smooth(MX, MA, b, u, gt(u))
    )
    shared = ge(of(u) * 2 - 1)
    yield lemma("half of the segment", "must be arbitrary", smooth(MX, MA, b, u, shared))
    fixed = smooth(MX, MA, b, a)
    yield lemma("a constant parameter", "must be arbitrary", fixed, "f", (MX,), (MA,), of(b), a)
    yield lemma(
        "a parameter in L", "must be arbitrary", smooth(MX, MA, u, u), "f", (MX,), (MA,), of(u), u
    )
    moving = MX.scaled(u)
    yield lemma(
        "a parameter in x",
        "must be arbitrary",
        smooth(moving, MA, b, u),
        "f",
        (moving,),
        (MA,),
        of(b),
        u,
    )
    longer = MA.scaled(u)
    yield lemma(
        "a parameter in δ",
        "must be arbitrary",
        smooth(MX, longer, b, u),
        "f",
        (MX,),
        (longer,),
        of(b),
        u,
    )
    unequal = lambda: kernel.descent_lemma(good, "f", (MX,), (MA, MA), of(b), u)  # noqa: E731
    yield Case("descent_lemma: numbers of blocks", unequal, KernelError, "")


def terms():
    yield Case("sum of other shapes", lambda: MA + MB, ShapeError, r"A of shape .* \+ B of shape")
    yield Case("product of other shapes", lambda: MA @ MA, ShapeError, "@")
    yield Case("trace of no square", lambda: nodes.Trace(((A, False),)), TermError, "square matrix")
    yield Case("inner product of other shapes", lambda: inner((MA,), (MB,)), ShapeError)
    yield Case(
        "inner product of other widths", lambda: inner((MA,), (MA @ MB,)), ShapeError, "trace"
    )
    yield Case("negative power", lambda: of(a) ** -1, TermError, "use inverse")
    yield Case("negative exponent", lambda: Scalar({((a, -1),): 1}), TermError, "exponents")
    yield Case("zero exponent", lambda: Scalar({((a, 0),): 1}), TermError, "exponents")
    yield Case("float", lambda: of(a) * 0.5, TermError, "rational number")
    yield Case(
        "power of no polynomial",
        lambda: nodes.Power(a, Index("t", -1)),
        TermError,
        "not a polynomial",
    )
    yield Case(
        "power of another exponent",
        lambda: nodes.Power(of(a), NOW),
        TermError,
        "the exponent of a power",
    )
    yield Case(
        "power that may be negative",
        lambda: power(of(c), Index("t", -2)),
        TermError,
        "may be negative",
    )
    yield Case(
        "sum before no time", lambda: at(before(of(c)), Index("t", -1)), TermError, "may be no time"
    )
    late = of(nodes.Root(total(of(c)) * c))
    yield Case("sum of a sum", lambda: before(late), TermError, "over all times in it")
    yield Case(
        "maximum of no polynomials", lambda: nodes.Maximum((a, b)), TermError, "not polynomials"
    )
    yield Case("maximum of one", lambda: nodes.Maximum((of(a),)), TermError, "sorted, two or more")
    yield Case("relation", lambda: Fact("<=", of(a)), TermError, "one of the relations")
    yield Case("fact of a law", lambda: rules.assume(LAW).fact, TermError, "must be applied")
    yield Case(
        "shape of a value",
        lambda: builders.substitute_scalar(norm("F", MA), {A: MB}),
        TermError,
        "cannot become",
    )
    yield Case(
        "any function at a time", lambda: at(of(u), nodes.NEXT), TermError, "any function of t"
    )
    yield Case(
        "mean with an unknown factor",
        lambda: mean(MA.scaled(c), None),
        TermError,
        "coefficients that are known",
    )
    yield Case(
        "mean of two unknowns", lambda: mean(MX @ MX.T, None), TermError, "all its factors but one"
    )


def attacks():
    """Ways to something false that were open once, or could be."""

    def closed(name, call):
        return Case(f"attack: {name}", call, KernelError)

    lie = Law((Y,), (), gt(0))
    yield closed("inverse of a law", lambda: rules.inverse(lie))
    yield closed("root of a law", lambda: rules.root_square(Law((Y,), (), FALSE)))
    yield closed(
        "homogeneous in a law", lambda: rules.homogeneous(Law((Y,), (), FALSE), FROBENIUS, (MA,))
    )
    fake = SimpleNamespace(conclusion=FALSE, fact=FALSE, hypotheses=frozenset(), ledger=frozenset())
    yield closed(
        "a premise that is no theorem",
        lambda: rules.certificate((fake,), FALSE, (term(0),), (), ()),
    )
    yield closed("an expectation of no theorem", lambda: rules.expectation(fake, None))
    yield closed("a discharge of no theorem", lambda: rules.discharge(fake, rules.assume(FALSE)))
    by_hand = Theorem(
        frozenset(), FALSE, frozenset(), "certificate", (), (fake, FALSE, (term(0),), (), ())
    )
    yield closed("that premise in a replay", lambda: replay(by_hand))
    whole = frozenset(), Law((Y,), (), FALSE), frozenset[str](), "generalise", tuple(assumed(FALSE))
    yield closed(
        "premises that are seen once", lambda: replay(Theorem(*whole, ((), iter([FALSE]))))
    )
    strict = frozenset({ge(a)}), gt(a), frozenset[str](), "certificate", tuple(assumed(ge(a)))
    once = (gt(a), ((term()[0], iter((0,))),), (), ())
    yield closed("places that are seen once", lambda: replay(Theorem(*strict, once)))
    yield closed("a kind of symbol that reads as a time", lambda: Variable("a", "t~0"))
    yield closed("a kind of matrix that reads as a time", lambda: Symbol("A", ("m", "n"), "t~0"))
    for base in ("t+1", "None", "T+1", "x", "0"):
        yield closed(
            f"a base {base!r} of an index", lambda base=base: Variable("a", Time(Index(base, 0)))
        )
    yield closed("a given past of no index", lambda: nodes.Expectation(of(u), "t"))
    yield closed("a mean given no index", lambda: nodes.Mean(Y, "None"))
    yield closed("a kind of norm that reads as a block", lambda: nodes.Norm("F " + MX.key, (MA,)))
    yield closed("a variable twice in a monomial", lambda: Scalar({((a, 1), (a, 1)): 1}))
    yield closed("a monomial out of order", lambda: Scalar({((b, 1), (a, 1)): 1}))
    yield closed("an exponent that is no integer", lambda: Scalar({((a, Fraction(3, 2)),): 1}))
    yield closed(
        "a matrix of a shape that its words lack", lambda: Matrix(("k", "k"), {((A, False),): ONE})
    )
    yield closed(
        "a word whose shapes do not fit",
        lambda: Matrix(("m", "n"), {((A, False), (A, False)): ONE}),
    )
    yield closed("an empty word", lambda: Matrix(("m", "n"), {(): ONE}))
    yield closed(
        "a trace whose shapes do not fit", lambda: nodes.Trace(((A, False), (S, False), (A, True)))
    )
    yield closed("a shape of three names", lambda: Symbol("A", ("m", "n", "k")))
    yield closed("a law for all values of a process", lambda: rules.assume(Law((c,), (), ge(c))))
    disguised = SimpleNamespace(key=ONE.key, terms=of(-1).terms)
    yield closed(
        "a fact of no polynomial",
        lambda: rules.expectation(rules.assume(Fact(">=", disguised)), None),
    )
    yield closed("a root of no polynomial", lambda: nodes.Root(disguised))
    yield closed("an expectation of no polynomial", lambda: nodes.Expectation(disguised, None))
    yield closed("a statement that is none", lambda: rules.assume("-1 >= 0"))
    yield closed("a coefficient that is a float", lambda: Scalar({(): 0.5}))
    yield closed("a monomial of no atoms", lambda: Scalar({((A, 1),): 1}))
    yield closed("a block from the end", lambda: nodes.Gradient("f", (MA,), -1))
    yield closed("a mean of no letter", lambda: nodes.Mean(MA, None))
    yield closed("blocks in a list", lambda: nodes.Norm("F", [MA]))
    yield closed("a word of no letters", lambda: nodes.Trace(((MA, False),)))
    yield closed(
        "a word that is flipped by a text", lambda: Matrix(("m", "n"), {((A, "no"),): ONE})
    )
    yield closed(
        "a coefficient of a matrix that is a number", lambda: Matrix(("m", "n"), {((A, False),): 1})
    )
    yield closed("a law whose conclusion is a law", lambda: Law((Y,), (), lie))
    yield closed("a key that is set", lambda: setattr(of(a), "key", "(+)"))
    yield closed("a key that is deleted", lambda: delattr(a, "key"))
    yield closed("a rule that is added", lambda: kernel.derive.rule(0)(lambda statement: statement))
    below = ("f", (MX,), (MA,), of(b), u, Sign(1))
    yield closed(
        "a number of a class that says it equals int",
        lambda: kernel.descent_lemma(smooth(MX, MA, b, u), *below),
    )
    plain = kernel.descent_lemma(smooth(MX, MA, b, u), *below[:-1], 1)
    signed = replace(plain, arguments=(*plain.arguments[:-1], Sign(1)))
    yield closed("that number in a replay", lambda: replay(signed))
    yield closed("a replay of what is no theorem", lambda: replay("⊢ -1 >= 0"))
    first = rules.horizon_positive()
    second = rules.summation(first)
    object.__setattr__(first, "premises", (second,))
    yield closed("a theorem that is derived from itself", lambda: replay(second))
    circle = norm(FROBENIUS, MA)
    ((((atom, _),), _),) = circle.terms.items()
    vars(atom)["blocks"] = (MA.scaled(circle),)
    yield closed("a term that contains itself", lambda: replay(Theorem(*_assumed(circle))))
    yield closed(
        "a kind of letter that no builder knows",
        lambda: builders.substitute_matrix(Matrix.of(Foreign()), {}),
    )
    foreign = norm(FROBENIUS, Matrix.of(Foreign()))
    yield closed(
        "a kind of letter that no builder knows, at another time",
        lambda: at(foreign, Index("t", 1)),
    )


def _assumed(polynomial):
    """What a theorem is made of that was assumed."""
    fact = ge(polynomial)
    return frozenset({fact}), fact, frozenset(), "assume", (), (fact,)


def tampered():
    """Derivations that were changed by hand; in any field of any step, near and far, by property in
    test_replay."""
    start = rules.assume(ge(a))
    twice = rules.certificate(
        (start, rules.dimension_positive("m")), ge(of(a) * 2), (term(0, weight=2),), (), ()
    )
    law = rules.generalise(rules.triangle(FROBENIUS, (MY,), (MX,)), (Y,), ())
    use = rules.instantiate(law, ((Y, MA),))
    changed = {
        "arguments": replace(use, arguments=(((Y, MA.scaled(2)),),)),
        "renamed": replace(
            rules.norm_nonnegative(FROBENIUS, (MA,)), rule="norm_expansion", arguments=((MA,),)
        ),
        "premises swapped": replace(twice, premises=twice.premises[::-1]),
        "another premise": replace(use, premises=(rules.assume(law.conclusion),)),
        "made by hand": Theorem(frozenset(), FALSE, frozenset(), "assume", (), (FALSE,)),
        "by hand, no rule": Theorem(frozenset(), FALSE, frozenset(), "axiom", (), ()),
        "theorem as an argument": replace(start, arguments=(ge(a), start)),
        "far above": rules.summation(rules.expectation(replace(twice, conclusion=FALSE), None)),
    }
    for name, theorem in changed.items():
        yield Case(f"tampered: {name}", lambda theorem=theorem: replay(theorem), KernelError)


GROUPS = (
    laws,
    instances,
    equals,
    norms,
    times,
    operators,
    certificates,
    certificates_with_factors,
    chains,
    descents,
    terms,
    attacks,
    tampered,
)
CASES = [case for group in GROUPS for case in group()]


def main():
    failures = [failure for case in CASES if (failure := case.failure())]
    if failures:
        raise SystemExit("\n".join(failures))
    print(f"{len(CASES)} refused, asserts {'on' if __debug__ else 'off'}")


if __name__ == "__main__":
    main()
