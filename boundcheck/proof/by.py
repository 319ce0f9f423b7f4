"""The kernel's rules in the words of sympy, and the few derived rules that proofs of convergence
use often.

Nothing here is trusted: each method builds theorems by the rules of the kernel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Law, Theorem, builders, rules
from boundcheck.kernel import terms as k
from boundcheck.kernel.rules import chain_rule, descent_lemma
from boundcheck.kernel.terms import ONE, Letter, Matrix, Scalar, Symbol, Variable
from boundcheck.proof.certificate import certify
from boundcheck.proof.reading import Reading, index


@dataclass(frozen=True)
class By:
    """Justifications of steps: `by.triangle("F", X, Y)` is the theorem ‖X + Y‖_F <= ‖X‖_F +
    ‖Y‖_F.
    """

    reading: Reading

    # Norms and inner products.

    def triangle(self, kind: str, x: MatrixExpr, y: MatrixExpr) -> Theorem:
        """‖X + Y‖ <= ‖X‖ + ‖Y‖, kind ``"F"`` (of vectors: Euclidean) or ``"op"``."""
        return rules.triangle(kind, self.reading.point(x), self.reading.point(y))

    def submultiplicative(self, left: str, right: str, x: MatrixExpr, y: MatrixExpr) -> Theorem:
        """‖XY‖ <= ‖X‖_left ‖Y‖_right; the left side is a Frobenius norm unless both are ``"op"``.

        ``"F", "F"`` follows from op <= F.
        """
        p, q = self._single(x), self._single(y)
        if (left, right) != (k.FROBENIUS, k.FROBENIUS):
            return rules.submultiplicative((left, right), p, q)
        wider, tight = rules.spectral_below_frobenius(p), rules.submultiplicative(("op", "F"), p, q)
        size = rules.norm_nonnegative("F", (q,))
        goal = Fact(">=", builders.norm("F", p) * builders.norm("F", q) - builders.norm("F", p @ q))
        return _certified(goal, wider, tight, size)

    def _single(self, x: MatrixExpr) -> Matrix:
        blocks = self.reading.point(x)
        if len(blocks) != 1:
            raise InputError("matrix", x, f"a single matrix, not a vector of {len(blocks)} blocks")
        return blocks[0]

    def spectral_below_frobenius(self, x: MatrixExpr) -> Theorem:
        """‖X‖_op <= ‖X‖_F."""
        return rules.spectral_below_frobenius(self._single(x))

    def rank(self, x: MatrixExpr, dimension: sp.Symbol) -> Theorem:
        """‖X‖_F² <= m‖X‖_op², m a dimension of X or within its only product."""
        return rules.rank_bound(self._single(x), dimension.name)

    def cauchy_schwarz(self, x: MatrixExpr, y: MatrixExpr) -> Theorem:
        """⟨X, Y⟩ <= ‖X‖_F‖Y‖_F."""
        return rules.cauchy_schwarz(self.reading.point(x), self.reading.point(y))

    def expansion(self, x: MatrixExpr) -> Theorem:
        """‖X‖_F² = ⟨X, X⟩."""
        return rules.norm_expansion(self.reading.point(x))

    def block_norm(self, x: MatrixExpr) -> Theorem:
        """‖(X, Y)‖² = ‖X‖_F² + ‖Y‖_F² of a vector with blocks X, Y."""
        blocks = self.reading.point(x)
        squares = sum((builders.norm("F", block) ** 2 for block in blocks), Scalar({}))
        goal = Fact("=", builders.norm("F", *blocks) ** 2 - squares)
        return _certified(
            goal, *map(rules.norm_expansion, (blocks, *((block,) for block in blocks)))
        )

    def nonnegative(self, kind: str, x: MatrixExpr) -> Theorem:
        """‖X‖ >= 0."""
        return rules.norm_nonnegative(kind, self.reading.point(x))

    def homogeneous(self, factor: Theorem, kind: str, x: MatrixExpr) -> Theorem:
        """‖cX‖ = c‖X‖, from the theorem c >= 0."""
        return rules.homogeneous(factor, kind, self.reading.point(x))

    # Laws and equations.

    def instance(
        self, law: Theorem, values: Mapping[MatrixExpr, MatrixExpr | sp.Expr], *given: Theorem
    ) -> Theorem:
        """A law at these values, without the premises that `given` proves."""
        pairs: list[tuple[Symbol | k.Variable, Matrix | Scalar]] = []
        # A letter of the law has the type that the law gives it, whatever else has its name.
        bound = law.conclusion.variables if isinstance(law.conclusion, Law) else ()
        own = {x.name: x for x in bound}
        for variable, value in values.items():
            if not isinstance(variable, MatrixExpr):
                number = own.get(variable.name) or self._variable(variable)
                pairs.append((number, self.reading.scalar(value)))
                continue
            matrices, one = self.reading.point(value), own.get(variable.name)
            letters = [one] if one else map(_symbol, self.reading.point(variable))
            pairs += zip(letters, matrices, strict=True)
        return discharged(rules.instantiate(law, tuple(pairs)), *given)

    def _variable(self, symbol: sp.Symbol) -> k.Variable:
        bound = [
            atom for atom in self.reading.scalar(symbol).atoms() if isinstance(atom, k.Variable)
        ]
        return bound[0]

    def rewrite(
        self, theorem: Theorem, goal: sp.Basic, *equations: tuple[Theorem, MatrixExpr, MatrixExpr]
    ) -> Theorem:
        """The goal, from a theorem that says the same after the replacements (‖left - right‖ = 0,
        left, right).
        """
        pairs = [
            (self.component(equation, i, blocks), _letter(blocks[i][0]), blocks[i][1])
            for equation, left, right in equations
            for blocks in [
                list(zip(self.reading.point(left), self.reading.point(right), strict=True))
            ]
            for i in range(len(blocks))
        ]
        return taken_out(put_in(theorem, pairs), self.reading.fact(goal), pairs)

    def component(
        self, equation: Theorem, i: int, pairs: Sequence[tuple[Matrix, Matrix]]
    ) -> Theorem:
        """Block i of an equation between vectors: ‖(X, Y)‖ = 0 gives ‖X‖ = 0."""
        blocks = tuple(x - y for x, y in pairs)
        if len(blocks) == 1:
            return equation
        whole = rules.norm_expansion(blocks)
        parts = [rules.norm_expansion((block,)) for block in blocks]
        # The squares of all blocks add up to 0, so each is at most 0, and so is its norm.
        mine = builders.norm("F", blocks[i])
        return rules.vanishing(_certified(Fact(">=", -mine * mine), equation, whole, *parts), mine)

    # Order.

    def from_squares(
        self, squares: Theorem, larger: Theorem, x: sp.Expr, *equations: Theorem
    ) -> Theorem:
        """The theorem x <= y, from x² <= y² and y >= 0; it is x < y if the first is strict.

        `equations`, such as root(z)² = z, rewrite x² and y².
        """
        y, smaller = larger.fact.polynomial, self.reading.scalar(x)
        wanted = Fact(squares.fact.relation, y * y - smaller * smaller)
        if squares.conclusion != wanted:
            squares = _certified(wanted, squares, *equations)
        return below(squares, larger, smaller)

    def positive_root(self, radicand: Theorem) -> Theorem:
        """root(x) > 0, from x > 0."""
        x = radicand.fact.polynomial
        root = rules.root_nonnegative(x)
        goal = Fact(">", root.fact.polynomial)
        return _certified(goal, rules.root_square(radicand), root, radicand)

    def equal(self, above: Theorem, below: Theorem) -> Theorem:
        """The theorem p = 0, from p >= 0 and -p >= 0."""
        p = above.fact.polynomial
        return rules.vanishing(_certified(Fact(">=", -p * p), above, below), p)

    def below_maximum(self, maximum: sp.Max) -> list[Theorem]:
        """The theorems that each argument is at most the maximum, in sympy's order of the
        arguments.
        """
        members = tuple(map(self.reading.scalar, maximum.args))
        return [rules.at_most_maximum(x, members) for x in members]

    def maximum_below(self, c: sp.Expr, *above: Theorem) -> Theorem:
        """Max(x, y, ...) <= c, from x <= c, y <= c, ...."""
        return rules.maximum_at_most(above, self.reading.scalar(c))

    # Analysis.

    def chain_rule(self, composition: Theorem, block: int) -> Theorem:
        """The law of a block of the gradient of F, from the law F(X) = f(P(X)); a standard fact."""
        return chain_rule(composition, block)

    def descent_lemma(
        self,
        smooth: Theorem,
        function: sp.Symbol,
        x: MatrixExpr,
        step: MatrixExpr,
        constant: sp.Expr,
        theta: sp.Symbol,
        sign: int = 1,
    ) -> Theorem:
        """F(x + δ) - F(x) - ⟨∇F(x), δ⟩ <= L/2 ‖δ‖², from smoothness along the segment; a standard
        fact.

        With the sign -1 it is >= -L/2 ‖δ‖².
        """
        point, change = self.reading.point(x), self.reading.point(step)
        scale = self.reading.scalar(constant)
        return descent_lemma(
            smooth, function.name, point, change, scale, self._variable(theta), sign
        )

    # Expectations, sums, roots.

    def expectation(self, theorem: Theorem, given: sp.Expr | None = None) -> Theorem:
        """E[p] >= 0 from p >= 0; with an index such as t, conditional on the past up to it."""
        return rules.expectation(theorem, None if given is None else index(given))

    def at(self, theorem: Theorem, time: sp.Expr) -> Theorem:
        """The theorem p[t := i], from p, for the time i = 1 or i = T."""
        return rules.at_time(theorem, index(time))

    def time(self) -> tuple[Theorem, Theorem]:
        """The theorems t >= 1 and t <= T about the number t."""
        return rules.time_at_least_one(), rules.time_at_most_horizon()

    def sum(self, theorem: Theorem) -> Theorem:
        """Σ_t p >= 0 from p >= 0."""
        return rules.summation(theorem)

    def telescope(self, x: sp.Expr) -> Theorem:
        """Σ_t (x_{t+1} - x_t) = x_{T+1} - x_1."""
        return rules.telescope(self.reading.scalar(x))

    def least(self, x: sp.Expr) -> Theorem:
        """min_t x <= x, at each t."""
        return rules.minimum_at_most(self.reading.scalar(x))

    def at_least(self, theorem: Theorem, x: sp.Expr) -> Theorem:
        """The theorem c <= min_t x, from c <= x, where c is the same at each t."""
        return rules.minimum_at_least(theorem, self.reading.scalar(x))

    def minimum(self, x: sp.Expr) -> Theorem:
        """T min_t x <= Σ_t x."""
        return rules.summation(self.least(x))

    def root(self, radicand: Theorem) -> Theorem:
        """The theorem that the square of the root of x is x, from x >= 0."""
        return rules.root_square(radicand)

    def root_nonnegative(self, x: sp.Expr) -> Theorem:
        """root(x) >= 0."""
        return rules.root_nonnegative(self.reading.scalar(x))

    def quotient(self, divisor: Theorem) -> tuple[Theorem, Theorem]:
        """The theorems x · (1/x) = 1 and 1/x > 0, from x > 0.

        Raises InputError for another fact about x, such as 1 <= T.
        """
        if divisor.fact.relation != ">":
            expected = (
                f"a fact x > 0 about the divisor x; prove it first, by a step from {divisor.fact}"
            )
            raise InputError("divisor", divisor.fact, expected)
        product = rules.inverse(divisor)
        inverse = Scalar.of(k.Inverse(divisor.fact.polynomial))
        goal = Fact(">", inverse)
        # x · (1/x) = 1 + (x · (1/x) - 1)
        return product, rules.certificate(
            (product, divisor), goal, ((((Fraction(1), ONE),), ()),), ((ONE, 0),), (1,)
        )


def _certified(goal: Fact, *premises: Theorem) -> Theorem:
    """The goal by a certificate; as its own assumption where none is found."""
    return certify(goal, premises) or rules.assume(goal)


def below(squares: Theorem, larger: Theorem, x: Scalar) -> Theorem:
    """The theorem x <= y, from x² <= y² and y >= 0; it is x < y if the first is strict."""
    # y(y - x) = (y - x)²/2 + (y² - x²)/2: if y < x, the left side is not positive, but the right
    # side is.
    half, goal = Fraction(1, 2), larger.fact.polynomial - x
    terms = ((((half, goal),), ()), (((half, ONE),), (0,)))
    return rules.certificate((squares, larger), Fact(squares.fact.relation, goal), terms, (), (1,))


def discharged(theorem: Theorem, *given: Theorem) -> Theorem:
    """The theorem, with every hypothesis that one of `given` proves replaced by that one's
    hypotheses.
    """
    for each in given:
        if each.conclusion in theorem.hypotheses:
            theorem = rules.discharge(each, theorem)
    return theorem


# That a letter is a value: the theorem, the letter and the value.
Equation = tuple[Theorem, Letter | Variable, Matrix | Scalar]


def put_in(theorem: Theorem, equations: Sequence[Equation]) -> Theorem:
    """The theorem with the letter of each equation replaced by its value."""
    for equation, letter, value in equations:
        if letter in theorem.fact.polynomial.inside:
            goal = _replaced(theorem.fact, letter, value)
            theorem = rules.rewrite(equation, theorem, letter, value, goal)
    return theorem


def taken_out(theorem: Theorem, goal: Fact, equations: Sequence[Equation]) -> Theorem:
    """The goal, from what it is with the letter of each equation replaced."""
    forms = [goal]
    for _, letter, value in equations:
        forms.append(_replaced(forms[-1], letter, value))
    for (equation, letter, value), form in reversed(list(zip(equations, forms, strict=False))):
        theorem = rules.rewrite(equation, theorem, letter, value, form)
    return theorem


def _replaced(fact: Fact, letter: Letter | Variable, value: Matrix | Scalar) -> Fact:
    return Fact(fact.relation, builders.substitute_scalar(fact.polynomial, {letter: value}))


def letter_of(term: Matrix | Scalar) -> Letter | Variable | None:
    """The letter that a matrix or a number is; None where it is anything else."""
    for x in term.inside:
        if isinstance(x, Letter) and term == Matrix.of(x):
            return x
        if isinstance(x, Variable) and term == Scalar.of(x):
            return x
    return None


def _letter(matrix: Matrix) -> Letter:
    letter = letter_of(matrix)
    if isinstance(letter, Letter):
        return letter
    raise InputError("left side", matrix, "a single matrix, to be replaced")


def _symbol(matrix: Matrix) -> Symbol:
    letter = _letter(matrix)
    if not isinstance(letter, Symbol):
        raise InputError("variable", letter, "a named matrix, over which a law can range")
    return letter
