"""The two standard facts of analysis that algebra cannot prove. Each is named, cited, and counted in every ledger.

They are schemas: each computes its conclusion from a premise that states what it needs.
"""

from __future__ import annotations

from fractions import Fraction

from boundcheck.kernel.atoms import FROBENIUS, Value, Variable
from boundcheck.kernel.builders import inner, norm
from boundcheck.kernel.derive import Answer, rule
from boundcheck.kernel.errors import RuleError
from boundcheck.kernel.facts import Fact, Law, Theorem, free
from boundcheck.kernel.terms import ONE, Gradient, Letter, Matrix, Point, Scalar, Symbol, difference, transposed
from boundcheck.kernel.times import ANY

_CHAIN_RULE = (
    "The gradient of $F(X) = f(P(X))$, $P$ a matrix polynomial, is the adjoint of the derivative of $P$ applied to "
    "the gradient of $f$. (Magnus and Neudecker, Matrix Differential Calculus, chapter 5, the chain rule)"
)
_DESCENT_LEMMA = (
    "If $‖∇F(x + θδ) - ∇F(x)‖ ≤ Lθ‖δ‖$ for $0 ≤ θ ≤ 1$, then $|F(x + δ) - F(x) - ⟨∇F(x), δ⟩| ≤ L/2 ‖δ‖²$. "
    "(Nesterov, Lectures on Convex Optimization, 2018, lemma 1.2.3; its proof uses the segment alone)"
)


@rule(1, standard_fact=_CHAIN_RULE)
def chain_rule(composition: Theorem, block: int) -> Answer:
    """Differentiate a composition.

    ::

               H ⊢ for all X: F(X) = f(P(X))
        ────────────────────────────────────────────    u X_i w the words of P_j that hold X_i
        H ⊢ for all X: ∇_iF(X) = Σ_j uᵀ ∇_jf(P(X)) wᵀ

    The conclusion is ‖left - right‖_F = 0. Fails unless the law has no premises, its variables are the blocks of F's
    point, and they enter P only as factors of its words.
    """
    law = composition.conclusion
    if not isinstance(law, Law) or law.premises:
        raise RuleError("chain_rule", 0, f"expected a law without premises, and not {law}")
    outer, inner_ = sides_of(law)
    variables = [_only_letter(x) for x in outer.point]
    if sorted(variables) != sorted(law.variables):
        raise RuleError("chain_rule", 0, f"the point {outer.point} is not made of the variables {law.variables}")
    if not 0 <= block < len(variables):
        raise RuleError("chain_rule", None, f"there is no block {block} among {len(variables)}")
    gradient = Matrix.zero(variables[block].shape)
    for j, image in enumerate(inner_.point):
        slope = Matrix.of(Gradient(inner_.function, inner_.point, j))
        gradient = gradient + _adjoint(image, variables, variables[block], slope)
    left = Matrix.of(Gradient(outer.function, outer.point, block))
    return composition.hypotheses, Law(law.variables, (), Fact("=", norm(FROBENIUS, left - gradient)))


def sides_of(law: Law) -> tuple[Value, Value]:
    """The terms F(X) and f(P(X)) of the equation F(X) - f(P(X)) = 0, written with either sign."""
    terms = law.conclusion.polynomial.terms
    values = [atom for monomial in terms for atom, exponent in monomial if isinstance(atom, Value) and exponent == 1]
    if law.conclusion.relation == "=" and len(terms) == len(values) == 2:
        for outer, inside in (values, values[::-1]):
            if law.conclusion.polynomial in (Scalar.of(outer) - inside, Scalar.of(inside) - outer):
                variables = {Matrix.of(x) for x in law.variables if isinstance(x, Symbol) and x.when == ANY}
                if set(outer.point) == variables and outer.function != inside.function:
                    return outer, inside
    raise RuleError("chain_rule", 0, f"expected F(X) - f(P(X)) = 0, and not {law.conclusion}")


def _only_letter(matrix: Matrix) -> Symbol:
    ((word, _),) = matrix.terms.items()
    ((letter, _),) = word
    return letter  # type: ignore[return-value]


def _adjoint(image: Matrix, variables: list[Symbol], x: Symbol, slope: Matrix) -> Matrix:
    """The sum over occurrences of x in the words u x w of uᵀ S wᵀ, and of w Sᵀ u for u xᵀ w."""
    summands = []
    for word, coefficient in image.terms.items():
        factors = [coefficient, *(letter for letter, _ in word if letter not in variables)]
        if not all(factor.inside.isdisjoint(variables) for factor in factors):
            raise RuleError("chain_rule", 0, f"a variable is hidden in a factor of {image}")
        for place, (letter, flipped) in enumerate(word):
            if letter == x:
                term = _word(transposed(word[:place]), slope, transposed(word[place + 1 :]))
                summands.append((term.T if flipped else term).scaled(coefficient))
    return Matrix.sum(x.shape, summands)


def _word(left: tuple[tuple[Letter, bool], ...], middle: Matrix, right: tuple[tuple[Letter, bool], ...]) -> Matrix:
    for letter, flipped in reversed(left):
        factor = Matrix.of(letter)
        middle = (factor.T if flipped else factor) @ middle
    for letter, flipped in right:
        factor = Matrix.of(letter)
        middle = middle @ (factor.T if flipped else factor)
    return middle


@rule(1, standard_fact=_DESCENT_LEMMA)
def descent_lemma(
    smooth: Theorem, function: str, x: Point, step: Point, constant: Scalar, theta: Variable, sign: int = 1
) -> Answer:
    """Bound a step by the smoothness along its segment, from above (sign 1) or from below (sign -1).

    ::

        H, θ >= 0, 1 - θ >= 0 ⊢ ‖∇F(x + θδ) - ∇F(x)‖ <= Lθ‖δ‖    θ not free in H, x, δ, L
        ────────────────────────────────────────────────────────────────────────────────
                        H ⊢ ±(F(x + δ) - F(x) - ⟨∇F(x), δ⟩) <= L/2 ‖δ‖²

    Fails where the theorem concludes something else, and where θ occurs elsewhere or is not arbitrary.
    """
    if len(x) != len(step) or sign not in (1, -1):
        raise RuleError("descent_lemma", None, f"a point of {len(x)} blocks, a step of {len(step)} and the sign {sign}")
    ends = Scalar.of(theta)
    rest = smooth.hypotheses - {Fact(">=", ends), Fact(">=", ONE - ends)}
    beyond = tuple(p + q.scaled(ends) for p, q in zip(x, step, strict=True))
    change = difference(gradients(function, beyond), gradients(function, x))
    wanted = Fact(">=", constant * ends * norm(FROBENIUS, *step) - norm(FROBENIUS, *change))
    if smooth.conclusion != wanted:
        raise RuleError("descent_lemma", 0, f"expected {wanted}, and not {smooth.conclusion}")
    elsewhere = any(theta in term.inside for term in (*x, *step, constant))
    if theta.when != ANY or elsewhere or any(theta in free(each) for each in rest):
        raise RuleError("descent_lemma", 0, f"{theta} must be arbitrary, and occur only in its two ends")
    size = norm(FROBENIUS, *step)
    after = tuple(p + q for p, q in zip(x, step, strict=True))
    gain = Value(function, after) - Scalar.of(Value(function, x)) - inner(gradients(function, x), step)
    return rest, Fact(">=", constant * size * size * Fraction(1, 2) - sign * gain)


def gradients(function: str, point: Point) -> Point:
    """All blocks of the gradient of a function at a point."""
    return tuple(Matrix.of(Gradient(function, point, i)) for i in range(len(point)))
