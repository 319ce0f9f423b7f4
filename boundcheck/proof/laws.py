"""The laws at the points of a line: the premises that its author need not name.

A line speaks of norms, inner products, roots and quotients of certain matrices and numbers. Here
every law of the kernel is stated at these: the triangle inequality where a sum has a norm,
submultiplicativity where a product has one, Cauchy-Schwarz where an inner product stands, and so
on. What a matrix or a mean is equal to is put in its place; means are taken of what holds in each
outcome, and sums of what holds at each time. Nothing is trusted: each premise is a theorem of the
kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations, permutations
from typing import Any

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, KernelError, Law, Theorem, rules
from boundcheck.kernel.builders import Values, expect, norm, substitute_scalar, timed
from boundcheck.kernel.rules import gradients
from boundcheck.kernel.terms import (
    ANY,
    FROBENIUS,
    ONE,
    SPECTRAL,
    Expectation,
    Letter,
    Matrix,
    Maximum,
    Mean,
    Norm,
    Point,
    Scalar,
    Variable,
    difference,
)
from boundcheck.language import vocabulary as words
from boundcheck.proof.by import By, Equation, below, discharged, letter_of, put_in, taken_out
from boundcheck.proof.certificate import entailed
from boundcheck.proof.reading import Reading

# The most premises of which pairs are multiplied.
_MOST = 30
# The most matrices whose products are tried as the parts of a sum.
_MOST_FACTORS = 8


class Laws:
    """The instances of laws at the points of these relations, and what follows from them.

    The relations are a line and those that it may rest on; `given` are theorems that say these, and
    `general` are laws. `is_false` is asked before what takes long.
    """

    def __init__(
        self,
        reading: Reading,
        relations: Iterable[sp.Basic],
        given: Sequence[Theorem],
        general: Sequence[Theorem] = (),
        *,
        is_false: Callable[[], bool] = lambda: False,
        puts_in: bool = True,
    ) -> None:
        self.by, self.reading = By(reading), reading
        said = list(dict.fromkeys(relations))
        solved = [*self.solved(said, given)] if puts_in else []
        self.equations = [equation for *_, equation in solved]
        self.said, self.asked, self.general, self.is_false = said, given, general, is_false
        values = {left: right for left, right, _ in solved}
        self.given = [self.put_in(x) for x in given]
        after = [*said, *values, *(each.xreplace(values) for each in said)]
        parts = [part for each in after for part in sp.preorder_traversal(each)]
        self.parts = list(dict.fromkeys(parts))
        self.normed: dict[tuple[str, MatrixExpr], None] = {}
        for part in self.parts:
            if isinstance(part, words.SpectralNorm):
                self.normed[SPECTRAL, part.args[0]] = None
            elif isinstance(part, words.FrobeniusNorm | words.EuclideanNorm):
                self.normed[FROBENIUS, part.args[0]] = None
        for part in self.parts:
            # Jensen: the square of the distance from the mean.
            if isinstance(part, words.MatrixExpectation):
                self.normed[FROBENIUS, part.args[0] - values.get(part, part)] = None
        self.has_sums = any(isinstance(x, sp.Sum | words.MinimumOver) for x in self.parts)
        self.has_spectral = any(kind == SPECTRAL for kind, _ in self.normed)
        self.at_points = [*self.of_points()]
        self.given += map(self.put_in, self.at_points)

    def prove(self, goal: Fact) -> Theorem | None:
        """The goal, from the given theorems and the laws at these points; None if none is found."""
        # The descent lemma as it stands is a standard fact, and is told as one.
        for each in self.at_points:
            if each.conclusion == goal:
                return each
        if self.equations and self.has_sums:
            # Sums telescope where the next iterate stands as it is.
            plain = Laws(self.reading, self.said, self.asked, self.general, puts_in=False).prove(
                goal
            )
            if plain is not None:
                return plain
        replaced, used = goal, list[Equation]()
        for equation in self.equations:
            _, letter, value = equation
            if letter in replaced.polynomial.inside:
                used.append(equation)
                polynomial = substitute_scalar(replaced.polynomial, {letter: value})
                replaced = Fact(goal.relation, polynomial)
        found = self.proved(replaced)
        return found and taken_out(found, goal, used)

    def proved(self, goal: Fact) -> Theorem | None:
        """The goal, in which each equation is put in."""
        squares = [*map(self.put_in, self.of_squares())]
        means = [*map(self.put_in, self.of_means([*self.given, *squares]))]
        laws = [*map(self.put_in, (*self.of_norms(), *self.of_numbers()))]
        laws += [*means, *map(self.put_in, self.of_sums([*self.given, *means]))]
        near = [tuple(self.nearest(goal, each)) for each in (laws, [*laws, *squares])]
        first = [(1, near[0][:12]), (2, near[0][:12])]
        wide = [(1, x[:80]) for x in near]
        rest = [(degree, x[:most]) for degree, most in ((2, 12), (2, _MOST)) for x in near]
        rest += [(3, near[0][:12])]
        for is_brief, stages in ((True, first + wide + rest), (False, first + rest + wide)):
            # What takes long to try is not tried where the line is false.
            if not is_brief and (self.is_false() or (found := self.in_each_outcome(goal))):
                return found
            for degree, premises in dict.fromkeys(stages):
                if found := entailed(goal, premises, degree=degree, is_brief=is_brief):
                    return found
        found = self.by_its_square(goal, [*laws, *squares])
        return found or self.by_its_members(goal)

    # Equations.

    def solved(
        self, relations: Sequence[sp.Basic], given: Sequence[Theorem]
    ) -> Iterator[tuple[sp.Basic, sp.Basic, Equation]]:
        """The equations that say what a single matrix is, such as v_{t+1} = v_t - h g_t, or what a
        mean or a number is.

        Each comes with its theorem, the letter and the value. A letter has one value, in which none
        that is replaced before it stands. A number in a divisor or a root stays: a quotient of
        quotients would need more laws.
        """
        parts = (part for each in relations for part in sp.preorder_traversal(each))
        stay = set[sp.Basic]()
        for part in parts:
            if isinstance(part, sp.Pow) and not (part.exp.is_Integer and part.exp > 0):
                stay |= part.base.free_symbols
        known = {x.conclusion: x for x in given}
        found = dict[Letter | Variable, tuple[sp.Basic, sp.Basic, Equation]]()
        for each in relations:
            theorem = known.get(self.reading.fact(each)) if isinstance(each, sp.Eq) else None
            if theorem is None or each.lhs in stay:
                continue
            is_matrix = isinstance(each.lhs, MatrixExpr)
            read: Callable[[Any], Any] = (
                self.reading.point if is_matrix else lambda x: (self.reading.scalar(x),)
            )
            (left, *blocks), (right, *_) = map(read, each.args)
            letter = letter_of(left)
            if not blocks and letter is not None and letter not in right.inside:
                found.setdefault(letter, (*each.args, (theorem, letter, right)))
        while found:
            values = [value for *_, (_, _, value) in found.values()]
            free = [x for x in found if not any(x in value.inside for value in values)]
            for letter in free:
                yield found.pop(letter)
            if not free:
                # Letters that say what each other is: the last stays as it is.
                found.popitem()

    def put_in(self, theorem: Theorem) -> Theorem:
        """The theorem with each equation put in, where the kernel can."""
        try:
            equations = [x for x in self.equations if x[0] is not theorem]
            return put_in(theorem, equations)
        except KernelError:
            return theorem

    def nearest(self, goal: Fact, laws: Iterable[Theorem]) -> list[Theorem]:
        """Of the given theorems and the laws those that share an atom with the goal or, at one
        remove or more, with one that does; the nearest first.
        """
        # Of theorems that say the same, the first: what is given rests on least.
        said = {x.conclusion: x for x in reversed((*self.given, *laws))}
        found, waiting = list[Theorem](), list(reversed(said.values()))
        known = set(goal.polynomial.atoms())
        while waiting:
            near = [x for x in waiting if known & set(x.fact.polynomial.atoms())]
            if not near:
                break
            near.sort(key=lambda x: len(set(x.fact.polynomial.atoms()) - known))
            found += near
            known = known.union(*(x.fact.polynomial.atoms() for x in near))
            waiting = [x for x in waiting if x not in near]
        return found

    # Points.

    def of_points(self) -> Iterator[Theorem]:
        """What is given for all points, at those at which the line has a value or a gradient of a
        function; and the descent lemma between two of them.
        """
        line, *_ = self.said
        points = {
            (str(part.args[0]), self.reading.point(part.args[1]))
            for part in line.atoms(words.Value, words.Gradient)
        }
        ordered = sorted(points, key=str)
        for theorem in self.general:
            law = theorem.conclusion
            if not isinstance(law, Law):
                continue
            for chosen in permutations(ordered, len(law.variables)) if not law.premises else ():
                if all(len(point) == 1 for _, point in chosen):
                    values = zip(law.variables, (x for _, (x,) in chosen), strict=True)
                    yield from self.tried(rules.instantiate, theorem, tuple(values))
            for (function, x), (other, y) in permutations(ordered, 2):
                if function == other:
                    yield from self.tried(self.descent, theorem, law, function, x, y)

    def descent(
        self, smooth: Theorem, law: Law, function: str, x: Point, y: Point
    ) -> list[Theorem]:
        """The descent lemma from x to y, and the square of their distance, from the law
        ‖∇F(x) - ∇F(y)‖ <= L‖x - y‖, for all x and y or along the segment between these.
        """
        (start,), (end,) = x, y
        theta, change = Variable("theta", ANY), end - start
        ends = Scalar.of(theta)
        low, high = (rules.assume(Fact(">=", each)) for each in (ends, ONE - ends))
        beyond = start + change.scaled(ends)
        values = (ends,) if isinstance(law.variables[0], Variable) else (beyond, start)
        near = rules.instantiate(smooth, tuple(zip(law.variables, values, strict=True)))
        near = discharged(near, low, high)
        length, size = norm(FROBENIUS, change), rules.homogeneous(low, FROBENIUS, (change,))
        # L stands at the one norm of what is not taken away.
        constant = Scalar(
            {
                tuple(each for each in monomial if not isinstance(each[0], Norm)): weight
                for monomial, weight in law.conclusion.polynomial.terms.items()
                if weight > 0
            }
        )
        turn = difference(gradients(function, (beyond,)), gradients(function, x))
        goal = Fact(">=", constant * ends * length - norm(FROBENIUS, *turn))
        along = entailed(goal, [near, size])
        if along is None:
            return []
        lemma = rules.descent_lemma(along, function, x, (change,), constant, theta)
        found = [lemma, rules.norm_expansion((change,))]
        # And with a letter that is L by its formula.
        for each in self.given:
            if each.fact.relation != "=":
                continue
            for named in (constant + each.fact.polynomial, constant - each.fact.polynomial):
                if len(named.terms) == 1:
                    more = (named - constant) * length * length * Fraction(1, 2)
                    renamed = entailed(Fact(">=", lemma.fact.polynomial + more), [lemma, each])
                    found += filter(None, [renamed])
        return found

    # Norms.

    def of_norms(self) -> Iterator[Theorem]:
        """Laws that bound the norm of a product and of a sum by those of their parts."""
        waiting, seen = list(self.normed), set[tuple[str, MatrixExpr]]()
        while waiting:
            kind, matrix = waiting.pop(0)
            if (kind, matrix) in seen:
                continue
            seen.add((kind, matrix))
            if kind == FROBENIUS and self.has_spectral and not self.is_vector(matrix):
                yield from self.tried(self.by.spectral_below_frobenius, matrix)
                yield from self.of_rank(matrix)
            scale, factors = _factors(matrix)
            for place in range(1, len(factors)):
                left, right = sp.MatMul(*factors[:place]), sp.MatMul(*factors[place:])
                left, right = left.doit(deep=False), right.doit(deep=False)
                for kinds in _KINDS[kind]:
                    yield from self.tried(self.by.submultiplicative, *kinds, scale * left, right)
                    waiting += zip(kinds, (left, right), strict=True)
            for left, right in self.sums(kind, matrix):
                yield from self.tried(self.by.triangle, kind, left, right)
                waiting += [(kind, left), (kind, right)]

    def sums(self, kind: str, matrix: MatrixExpr) -> Iterator[tuple[MatrixExpr, MatrixExpr]]:
        """The ways in which a matrix is a sum: of its own terms, of two matrices with a norm, and
        of two products of such.
        """
        terms = matrix.args if isinstance(matrix, sp.MatAdd) else ()
        for count in range(1, len(terms) // 2 + 1):
            for some in combinations(terms, count):
                rest = [x for x in terms if x not in some]
                yield sp.MatAdd(*some).doit(), sp.MatAdd(*rest).doit()
        normed = [x for each, x in self.normed if each == kind]
        if len(terms) == 2 or not terms:
            products = [] if not terms else self.products(matrix)
            for left, right in [*combinations(normed, 2), *combinations(products, 2)]:
                for one, other in ((left, right), (left, -right), (-left, right)):
                    if matrix not in (left, right) and self.is_sum(matrix, one, other):
                        yield one, other

    def products(self, matrix: MatrixExpr) -> list[MatrixExpr]:
        """The products of two matrices with a norm that have the shape of this one."""
        factors = list(dict.fromkeys(x for _, x in self.normed))[:_MOST_FACTORS]
        return [
            x * y
            for x, y in permutations(factors, 2)
            if x.shape[1] == y.shape[0] and (x.shape[0], y.shape[1]) == matrix.shape
        ]

    def is_sum(self, matrix: MatrixExpr, left: MatrixExpr, right: MatrixExpr) -> bool:
        if left.shape != matrix.shape or right.shape != matrix.shape:
            return False
        try:
            whole, one, other = map(self.reading.point, (matrix, left, right))
        except InputError:
            return False
        return all(x == y + z for x, y, z in zip(whole, one, other, strict=True))

    def of_rank(self, matrix: MatrixExpr) -> Iterator[Theorem]:
        """‖X‖_F² <= m‖X‖_op², for each dimension m of X that is a letter, or within its product."""
        _, factors = _factors(matrix)
        for side in dict.fromkeys(side for each in factors for side in each.shape):
            if isinstance(side, sp.Symbol):
                yield from self.tried(self.by.rank, matrix, side)

    def is_vector(self, matrix: MatrixExpr) -> bool:
        return matrix.shape[1] == 1 or len(self.reading.point(matrix)) > 1

    # Squares and inner products.

    def of_squares(self) -> Iterator[Theorem]:
        """Expansions of squares of norms, and bounds on inner products."""
        for kind, matrix in self.normed:
            if kind == FROBENIUS:
                yield from self.tried(self.by.expansion, matrix)
        for part in self.parts:
            if isinstance(part, words.InnerProduct):
                left, right = part.args
                for one in (left, -left):
                    yield from self.tried(self.by.cauchy_schwarz, one, right)
                for each in (left, right, left + right):
                    yield from self.tried(self.by.expansion, each)
            elif isinstance(part, words.MatrixExpectation):
                yield from self.tried(self.by.cauchy_schwarz, part, part.args[0])

    def by_its_square(self, goal: Fact, premises: Sequence[Theorem]) -> Theorem | None:
        """For a norm or root x: x <= y, from x² <= y² and y >= 0."""
        for monomial, weight in goal.polynomial.terms.items():
            if weight >= 0 or len(monomial) != 1 or monomial[0][1] != 1:
                continue
            x = Scalar.of(monomial[0][0]) * -weight
            larger = goal.polynomial + x
            near = self.nearest(goal, premises)[:_MOST]
            squared = entailed(Fact(goal.relation, larger * larger - x * x), near)
            positive = squared and entailed(Fact(">=", larger), near)
            if squared and positive:
                return below(squared, positive, x)
        return None

    # Means and sums.

    def of_means(self, premises: Sequence[Theorem]) -> Iterator[Theorem]:
        """The means that a relation has, of what holds in each outcome; last those over all
        outcomes, also of what is known of the means given a past.
        """
        means = [x for x in self.parts if isinstance(x, words.Expectation)]
        pasts = dict.fromkeys(x.args[1:] for x in self.parts if isinstance(x, _MEANS))
        known = [*premises]
        for mean, square in permutations(means, 2):
            if square == words.Expectation(mean.args[0] ** 2, *mean.args[1:]):
                # Jensen: the square of the distance from the mean.
                distance = self.reading.scalar(mean.args[0] - mean)
                known += filter(None, [entailed(Fact(">=", distance**2), [])])
        for past in sorted(pasts, key=len, reverse=True):
            for each in tuple(known):
                for theorem in self.tried(self.by.expectation, each, *(x.args[1] for x in past)):
                    known.append(self.put_in(theorem))
                    yield known[-1]

    def in_each_outcome(self, goal: Fact) -> Theorem | None:
        """For means: E[x] <= E[y], from x <= y in each outcome."""
        means = [x for x in goal.polynomial.inside if isinstance(x, Expectation | Mean)]
        for past in dict.fromkeys(x.given for x in means):
            bodies: Values = {
                x: x.body if isinstance(x, Expectation) else Matrix.of(x.letter)
                for x in means
                if x.given == past
            }
            plain = Fact(goal.relation, substitute_scalar(goal.polynomial, bodies))
            is_mean = Fact(goal.relation, expect(plain.polynomial, past)) == goal
            if is_mean and (found := self.proved(plain)):
                return rules.expectation(found, past)
        return None

    def of_sums(self, premises: Sequence[Theorem]) -> Iterator[Theorem]:
        """The sums over all t of what holds at each, those that telescope, and that the least of
        numbers is at most their mean.
        """
        if not self.has_sums:
            return
        for each in premises:
            # The sum of a constant is T times it, which a product says.
            if timed(each.fact.polynomial):
                yield from self.tried(self.by.sum, each)
        for part in self.parts:
            if isinstance(part, words.MinimumOver):
                yield from self.tried(self.by.minimum, part.args[0])
        # What stands at t and at t + 1 telescopes.
        numbers = [x for x in self.parts if isinstance(x, sp.Expr) and x.has(words.Iterate)]
        for each in numbers:
            if isinstance(each, MatrixExpr) or each.has(sp.Sum, words.MinimumOver):
                continue
            if each.xreplace({words.t: words.t + 1}) in numbers:
                yield from self.tried(self.by.telescope, each)

    # Numbers.

    def by_its_members(self, goal: Fact) -> Theorem | None:
        """For a maximum: max(x, y, …) <= c, from x <= c, y <= c, …."""
        for monomial, weight in goal.polynomial.terms.items():
            if weight != -1 or len(monomial) != 1 or monomial[0][1] != 1:
                continue
            maximum = monomial[0][0]
            if not isinstance(maximum, Maximum) or goal.relation == "=":
                continue
            c = goal.polynomial + Scalar.of(maximum)
            parts = [self.prove(Fact(goal.relation, c - x)) for x in maximum.members]
            theorems = [part for part in parts if part is not None]
            if len(theorems) == len(parts):
                return rules.maximum_at_most(tuple(theorems), c)
        return None

    def of_numbers(self) -> Iterator[Theorem]:
        """Roots, absolute values, quotients and maxima, by what each is."""
        self.signs = [*self.given]
        # From within: the sign of a divisor may rest on a quotient in it.
        for part in reversed(self.parts):
            found: Iterable[Theorem] = ()
            match part:
                case sp.Max():
                    found = self.tried(self.by.below_maximum, part)
                case sp.Abs():
                    found = self.of_root(part.args[0] ** 2, part.args[0])
                case sp.Pow() if part.exp.is_Rational and part.exp.q == 2:
                    found = self.of_root(part.base)
                case sp.Pow() if part.exp.is_Integer and part.exp < 0:
                    found = self.of_quotient(part.base)
            for each in found:
                self.signs.append(each)
                yield each

    def of_root(self, body: sp.Expr, inside: sp.Expr | None = None) -> Iterator[Theorem]:
        """root(x)² = x where x >= 0; and for root(x²) also that it is at least x and -x."""
        for radicand in self.signed(">=", body):
            square = rules.root_square(radicand)
            yield square
            size = rules.root_nonnegative(radicand.fact.polynomial)
            for each in (inside, -inside) if inside is not None else ():
                equal = entailed(
                    Fact(">=", size.fact.polynomial**2 - self.reading.scalar(each) ** 2), [square]
                )
                if equal is not None:
                    yield self.by.from_squares(equal, size, each)

    def of_quotient(self, divisor: sp.Expr) -> Iterator[Theorem]:
        """Where x > 0: x · (1/x) = 1 and 1/x > 0."""
        for positive in self.signed(">", divisor):
            yield from self.by.quotient(positive)

    def signed(self, relation: str, body: sp.Expr) -> Iterator[Theorem]:
        """The theorem that a number is positive, or not negative, if what is given shows it."""
        try:
            number = self.reading.scalar(body)
        except (InputError, KernelError):
            return
        for _, letter, value in self.equations:
            number = substitute_scalar(number, {letter: value})
        found = entailed(Fact(relation, number), self.signs)
        if found is not None:
            yield found

    def tried(self, law: Callable[..., Theorem | list[Theorem]], *points: object) -> list[Theorem]:
        """The instance of a law at these points; none where the law is not about them."""
        try:
            found = law(*points)
        except (InputError, KernelError, ValueError):
            return []
        return found if isinstance(found, list) else [found]


_MEANS = words.Expectation | words.MatrixExpectation

# The norms of two factors that bound a norm of their product.
_KINDS = {
    FROBENIUS: ((SPECTRAL, FROBENIUS), (FROBENIUS, SPECTRAL), (FROBENIUS, FROBENIUS)),
    SPECTRAL: ((SPECTRAL, SPECTRAL),),
}


def _factors(matrix: MatrixExpr) -> tuple[sp.Expr, list[MatrixExpr]]:
    """The scalar in front of a product, and its matrices."""
    if not isinstance(matrix, sp.MatMul):
        return sp.Integer(1), [matrix]
    scale, product = matrix.as_coeff_mmul()
    factors = list(product.args) if isinstance(product, sp.MatMul) else [product]
    numbers = [x for x in factors if not isinstance(x, MatrixExpr)]
    return sp.Mul(scale, *numbers), [x for x in factors if isinstance(x, MatrixExpr)]
