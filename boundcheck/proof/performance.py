r"""The upper end of a performance estimation, as a theorem of the kernel.

The dual of the semidefinite program gives multipliers of the interpolation inequalities. Each of
these is proved here from the class of functions itself, by the descent lemma, and the rest is a sum
of squares: together they say that for every F with these hypotheses the measure is at most a number
times the bound at v_1. Nothing that a solver found is
trusted: the kernel checks the identity.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Theorem, builders, rules
from boundcheck.kernel.terms import FROBENIUS, ONE, Matrix, Scalar
from boundcheck.language.symbols import alpha, f_star
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    F,
    Gradient,
    InnerProduct,
    Value,
    v,
    v1,
    v2,
    v_star,
)
from boundcheck.proof.proof import Proof
from boundcheck.proof.reading import Reading, eq, ge, le
from boundcheck.proof.script import Script

_DECIMALS = 10
theta = sp.Symbol("theta")
m = sp.Symbol("m", real=True)
"""Any number that is at most each of the measured ones."""

Squares = tuple[tuple[Fraction, tuple[Fraction, ...]], ...]
"""Weights of the squared norms of combinations of the basis."""


@dataclass(frozen=True)
class Multipliers:
    """The solution of the dual problem of a performance estimation, in units in which F is
    1-smooth.

    Attributes:
        title: of the theorem.
        curvature: the least curvature of F, -1, 0 or a share of 1.
        step: the least and the largest L times step size, which is `alpha` where they differ.
        points: the letter of each point at which F is asked, and what it is in terms of those
            before it.
        has_minimiser: whether the bound at the start is on the squared distance to v_star, and not
            on the gap.
        seen: the numbers of which the measure is the smallest, and their shares, which add up to 1.
        pairs: the weights of the interpolation inequalities of two points; None stands for v_star.
        floors: those of F - f_star being at least half of the squared gradient.
        start: the weight of the bound at the start.
        squares: for a rational step one sum of squares of combinations of the basis, which is v_1 -
            v_star where there is a minimiser, then the gradients; for a step in an interval three,
            the coefficients of (most - step)², 2(most - step)(step - least) and (step - least)²,
            over (most - least)².

    """

    title: str
    curvature: Fraction
    step: tuple[Fraction, Fraction]
    points: tuple[tuple[sp.MatrixSymbol, MatrixExpr], ...]
    has_minimiser: bool
    seen: tuple[tuple[Fraction, sp.Expr], ...]
    pairs: Mapping[tuple[int | None, int | None], Fraction]
    floors: Mapping[int, Fraction]
    start: Fraction
    squares: tuple[Squares, ...]

    @property
    def script(self) -> Script:
        """The proof, for `judge`; its statement and hypotheses are printed from the kernel's
        theorem.
        """
        letters = {letter for letter, _ in self.points}
        if self.has_minimiser:
            letters.add(v_star)
        reading = Reading(constants=letters, arbitrary={theta, m, v, v1, v2})
        return Script(
            "performance",
            "sharp",
            self.title,
            None,
            reading,
            lambda proof: _Written(self, proof).write(),
        )

    @property
    def factor(self) -> Fraction:
        """The least multiple of 10⁻¹⁰ that is at least `start`: the bound on the measure over that
        at the start.
        """
        return -(-self.start * 10**_DECIMALS // 1) / Fraction(10**_DECIMALS)

    @property
    def size(self) -> sp.Expr:
        """What is bounded at the start."""
        first = self.points[0][0]
        if self.has_minimiser:
            return EuclideanNorm(first - v_star) ** 2
        return Value(F, first) - f_star


class _Written:
    """The proof: laws about F, an interpolation inequality for each pair that is used, and one
    identity.
    """

    def __init__(self, given: Multipliers, proof: Proof) -> None:
        self.given, self.proof, self.by = given, proof, proof.by
        self.curvature = sp.Rational(given.curvature)
        near = le(EuclideanNorm(Gradient(F, v1) - Gradient(F, v2)), EuclideanNorm(v1 - v2))
        self.smooth = self.assume(near, "F is 1-smooth", [v1, v2])
        self.lowest = self.assume(ge(Value(F, v), f_star), "F is at least f*", [v])
        # Each point in terms of the first one alone.
        self.nested: dict[MatrixExpr, MatrixExpr] = {}
        for letter, point in given.points:
            self.nested[letter] = point.xreplace(dict(self.nested))
        if given.has_minimiser:
            self.least = self.assume(eq(Value(F, v_star), f_star), "F is least at v*")

    def write(self) -> None:
        """Prove the bound for every m that is at most each of the measured numbers."""
        given, proof = self.given, self.proof
        premises = [(share, self.measured(expression)) for share, expression in given.seen]
        premises += [(weight, self.pair(*pair)) for pair, weight in given.pairs.items()]
        premises += [
            (w, self.by.instance(self.floor, {v: self.at(i)})) for i, w in given.floors.items()
        ]
        exact = sp.Rational(given.start) * _inner_products(given.size)
        line = self.identity(proof.reading.fact(le(m, exact)), premises)
        first, final = self.at(0), le(m, sp.Rational(given.factor) * given.size)
        # The bound at the start is not negative, so that its weight may be rounded up.
        size = (
            self.by.expansion(first - v_star)
            if given.has_minimiser
            else self.by.instance(self.lowest, {v: first})
        )
        closed = proof.step(
            "the bound", final, line, size, meaning="The multipliers, and squares; rounded up."
        )
        proof.conclude(
            closed, forall=[m], such_that=[le(m, x) for _, x in given.seen], relation=final
        )

    def at(self, place: int | None) -> MatrixExpr:
        """A point in terms of the first one; None stands for v*."""
        return v_star if place is None else self.nested[self.given.points[place][0]]

    # The class of functions.

    def descent(self, sign: int) -> Theorem:
        """F(v_2) - F(v_1) - <∇F(v_1), v_2 - v_1> is at most ‖v_2 - v_1‖²/2; with sign -1, at least
        minus that.
        """
        proof, by, change = self.proof, self.by, v2 - v1
        beyond, inside = v1 + theta * change, rules.assume(proof.reading.fact(ge(theta, 0)))
        near = by.instance(self.smooth, {v1: beyond, v2: v1})
        along = le(
            EuclideanNorm(Gradient(F, beyond) - Gradient(F, v1)), theta * EuclideanNorm(change)
        )
        line = self.close(along, near, by.homogeneous(inside, "F", change))
        return self.law(by.descent_lemma(line, F, v1, change, sp.Integer(1), theta, sign), v1, v2)

    @cached_property
    def above(self) -> Theorem:
        """For all v_1, v_2: the quadratic with curvature 1 that is above F at v_2 and touches it at
        v_1.
        """
        return self.descent(1)

    @cached_property
    def below(self) -> Theorem:
        """For all v_1, v_2: the quadratic with the least curvature that is below F at v_2 and
        touches it at v_1.
        """
        if self.curvature == -1:
            return self.descent(-1)
        line = Value(F, v1) + InnerProduct(Gradient(F, v1), v2 - v1)
        if self.curvature:
            line += self.curvature / 2 * EuclideanNorm(v2 - v1) ** 2
        name = "F is strongly convex" if self.curvature else "F is convex"
        return self.assume(ge(Value(F, v2), line), name, [v1, v2])

    @cached_property
    def floor(self) -> Theorem:
        """For all v: 2(F(v) - f*) >= <∇F(v), ∇F(v)>."""
        slope, by = Gradient(F, v), self.by
        above, lowest = (
            by.instance(self.above, {v1: v, v2: v - slope}),
            by.instance(self.lowest, {v: v - slope}),
        )
        goal = ge(2 * (Value(F, v) - f_star) - InnerProduct(slope, slope), 0)
        return self.law(self.close(goal, above, lowest, by.expansion(slope)), v)

    @cached_property
    def interpolation(self) -> Theorem:
        """For all v_1, v_2: the interpolation inequality, from the point where the two quadratics
        are nearest.
        """
        u, c, by = v1 - v2, self.curvature, self.by
        p, q = Gradient(F, v1), Gradient(F, v2)
        z, change = (v1 - c * v2 - p + q) / (1 - c), p - q - c * u
        right = (
            InnerProduct(q, u)
            + c / 2 * InnerProduct(u, u)
            + InnerProduct(change, change) / (2 * (1 - c))
        )
        above, below = (
            by.instance(self.above, {v1: v1, v2: z}),
            by.instance(self.below, {v1: v2, v2: z}),
        )
        goal = ge(Value(F, v1) - Value(F, v2) - right, 0)
        return self.law(
            self.close(goal, above, below, by.expansion(z - v1), by.expansion(z - v2)), v1, v2
        )

    @cached_property
    def still(self) -> Theorem:
        """‖∇F(v*)‖ = 0."""
        slope = Gradient(F, v_star)
        size, floor = EuclideanNorm(slope), self.by.instance(self.floor, {v: v_star})
        negative = self.close(ge(-(size**2), 0), floor, self.least, self.by.expansion(slope))
        return rules.vanishing(negative, self.proof.reading.scalar(size))

    def pair(self, i: int | None, j: int | None) -> Theorem:
        """The interpolation inequality of two points; at v* the gradient is 0, and F is f*."""
        theorem = self.by.instance(self.interpolation, {v1: self.at(i), v2: self.at(j)})
        if i is not None and j is not None:
            return theorem
        (slope,), reading = self.proof.reading.point(Gradient(F, v_star)), self.proof.reading
        (((letter, _),),) = slope.terms
        flat = builders.substitute_scalar(
            theorem.fact.polynomial, {letter: Matrix.zero(slope.shape)}
        )
        theorem = rules.rewrite(
            self.still, theorem, letter, Matrix.zero(slope.shape), Fact(">=", flat)
        )
        # F(v*) = f*, added or taken away.
        sign = -ONE if i is None else ONE
        goal = Fact(">=", flat + sign * reading.scalar(Value(F, v_star) - f_star))
        return rules.certificate((theorem, self.least), goal, ((_ONCE, (0,)),), ((sign, 1),), ())

    # What is measured.

    def measured(self, expression: sp.Expr) -> Theorem:
        """The theorem that m is at most a measured number, in inner products and in terms of the
        first point.
        """
        inner = _inner_products(expression)
        theorem = self.proof.local(le(m, expression), name="what is measured")
        norms = [self.by.expansion(x.args[0]) for x in expression.atoms(EuclideanNorm)]
        theorem = self.close(
            le(m, inner), *([theorem] if isinstance(theorem, Theorem) else theorem), *norms
        )
        # The last point first, as it is in terms of those before it.
        used = [(self.defined[x], x, point) for x, point in reversed(self.given.points[1:])]
        return self.by.rewrite(theorem, le(m, inner.xreplace(dict(self.nested))), *used)

    @cached_property
    def defined(self) -> dict[MatrixExpr, Theorem]:
        """The theorem that says what a point is, for each point but the first."""
        return {
            x: self.assume(eq(x, point), f"{x} is the algorithm's")
            for x, point in self.given.points[1:]
        }

    def identity(self, goal: Fact, premises: Sequence[tuple[Fraction, Theorem]]) -> Theorem:
        """The goal, as the sum of weights times premises and squared norms of combinations of the
        basis.
        """
        theorems = [theorem for _, theorem in premises]
        terms: list[tuple[rules.Squares, rules.Places]] = [
            (((weight, ONE),), (place,)) for place, (weight, _) in enumerate(premises) if weight
        ]
        # The factors of each sum of squares: a number, the places of facts, and the product of
        # these.
        least, most = self.given.step
        parts: list[tuple[Fraction, rules.Places, Scalar]] = [(Fraction(1), (), ONE)]
        if least != most:
            long = self.assume(le(alpha, sp.Rational(most)), "the step is at most")
            short = self.assume(ge(alpha, sp.Rational(least)), "the step is at least")
            left, right = len(theorems), len(theorems) + 1
            theorems += [long, short]
            scale, p, q = 1 / (most - least) ** 2, long.fact.polynomial, short.fact.polynomial
            parts = [
                (scale, (left, left), p * p),
                (2 * scale, (left, right), p * q),
                (scale, (right, right), q * q),
            ]
        # The basis: v_1 - v* where there is a minimiser, and the gradients.
        first = [self.at(0) - v_star] if self.given.has_minimiser else []
        vectors = [*first, *(Gradient(F, x) for x in self.nested.values())]
        basis = [self.proof.reading.point(x)[0] for x in vectors]

        multipliers = []
        for squares, (scale, places, factor) in zip(self.given.squares, parts, strict=True):
            sums = []
            for weight, coefficients in squares:
                scaled = [
                    x.scaled(Scalar.of(c)) for c, x in zip(coefficients, basis, strict=True) if c
                ]
                y = Matrix.sum(basis[0].shape, scaled)
                sums.append((weight * scale, builders.norm(FROBENIUS, y)))
                multipliers.append((factor * Scalar.of(-weight * scale), len(theorems)))
                theorems.append(rules.norm_expansion((y,)))
            terms.append((tuple(sums), places))
        return rules.certificate(tuple(theorems), goal, tuple(terms), tuple(multipliers), ())

    # Small steps.

    def assume(self, relation: sp.Basic, name: str, forall: Sequence[sp.Basic] = ()) -> Theorem:
        """Assume a hypothesis of the theorem."""
        found = self.proof.assume(relation, name=name, forall=forall)
        return found if isinstance(found, Theorem) else found[0]

    def law(self, theorem: Theorem, *letters: MatrixExpr) -> Theorem:
        """The theorem as a law for all of these letters."""
        return self.proof.generalise(theorem, letters)

    def close(self, goal: sp.Basic, *because: Theorem) -> Theorem:
        """The goal, by exact algebra."""
        found = self.proof.close(goal, because)
        if found is None:
            raise InputError("goal", goal, "what follows from its premises by exact algebra")
        return found


_ONCE = ((Fraction(1), ONE),)


def _inner_products(expression: sp.Expr) -> sp.Expr:
    """The expression with squared norms as inner products."""
    norms = {
        x: sp.sqrt(InnerProduct(x.args[0], x.args[0])) for x in expression.atoms(EuclideanNorm)
    }
    return expression.xreplace(norms)
