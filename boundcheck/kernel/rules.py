"""The rules of inference. Each docstring draws premises over a bar over the conclusion, and says
when the rule fails.

A rule is a function of theorems and arguments that computes hypotheses and conclusion;
`derive.rule` makes it a function that builds a `Theorem`. The last two are the standard facts of
analysis that algebra cannot prove: each is named, cited, and counted in every ledger.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from boundcheck.kernel import terms as k
from boundcheck.kernel.builders import (
    at,
    expect,
    inner,
    known,
    maximum,
    norm,
    square,
    substitute_scalar,
    timed,
    total,
)
from boundcheck.kernel.derive import Answer, Fact, Law, Statement, Theorem, derivation, free, rule
from boundcheck.kernel.terms import (
    FROBENIUS,
    SPECTRAL,
    Index,
    Matrix,
    Point,
    RuleError,
    Scalar,
    Symbol,
    Term,
    Variable,
)

# The first and the last time.
FIRST, LAST = Index("", 1), Index("T", 0)


def at_least_zero(polynomial: Scalar) -> Fact:
    """The fact p >= 0."""
    return Fact(">=", polynomial)


def zero(polynomial: Scalar) -> Fact:
    """The fact p = 0."""
    return Fact("=", polynomial)


def polynomial_of(rule: str, premise: int, theorem: Theorem, *relations: str) -> Scalar:
    """The polynomial of a premise, which must be a fact with one of these relations."""
    if not isinstance(theorem.conclusion, Fact) or theorem.conclusion.relation not in relations:
        raise RuleError(
            rule,
            premise,
            f"expected a fact p {' or '.join(relations)} 0, and not {theorem.conclusion}",
        )
    return theorem.conclusion.polynomial


# Hypotheses and laws.


@rule(0)
def assume(statement: Statement) -> Answer:
    """Assume.

    ::

    ─────
    p ⊢ p
    """
    if not isinstance(statement, Fact | Law):
        raise RuleError("assume", None, f"{statement!r} is neither a fact nor a law")
    return frozenset({statement}), statement


@rule(2)
def discharge(known_: Theorem, theorem: Theorem) -> Answer:
    """Replace a hypothesis by what proves it.

    ::

        H ⊢ p    K, p ⊢ q
        ─────────────────
            H, K ⊢ q

    Fails where p is not a hypothesis of the second theorem.
    """
    if known_.conclusion not in theorem.hypotheses:
        raise RuleError("discharge", 1, f"{known_.conclusion} is not one of its hypotheses")
    return known_.hypotheses | (theorem.hypotheses - {known_.conclusion}), theorem.conclusion


@rule(1)
def generalise(
    theorem: Theorem, variables: tuple[Symbol | Variable, ...], premises: tuple[Statement, ...]
) -> Answer:
    """Make a law.

    ::

        H, P ⊢ p    x not free in H
        ───────────────────────────
        H ⊢ for all x with P: p

    Fails where a variable is free in H, or is neither constant nor arbitrary, and where p is a law.
    """
    rest = theorem.hypotheses - set(premises)
    for variable in variables:
        if not isinstance(variable, Symbol | Variable) or variable.when not in (k.ANY, k.CONSTANT):
            raise RuleError(
                "generalise", None, f"{variable} is neither a constant nor an arbitrary symbol"
            )
        holder = next((x for x in sorted(rest) if variable in free(x)), None)
        if holder is not None:
            raise RuleError("generalise", 0, f"{variable} is free in the hypothesis {holder}")
    if not isinstance(theorem.conclusion, Fact):
        raise RuleError(
            "generalise", 0, f"a law, {theorem.conclusion}, cannot be the conclusion of a law"
        )
    return rest, Law(variables, premises, theorem.conclusion)


@rule(1)
def instantiate(
    theorem: Theorem, values: tuple[tuple[Symbol | Variable, Matrix | Scalar], ...]
) -> Answer:
    """Use a law.

    ::

        H ⊢ for all x with P: p
        ───────────────────────
          H, P[x:=v] ⊢ p[x:=v]

    Fails unless every variable gets a value of its own shape and, where it is a constant, a
    constant value.
    """
    law = theorem.conclusion
    if not isinstance(law, Law):
        raise RuleError("instantiate", 0, f"not a law: {law}")
    mapping: dict[Term, Matrix | Scalar] = dict(values)
    if set(mapping) != set(law.variables) or len(mapping) != len(values):
        raise RuleError(
            "instantiate",
            None,
            f"values for {list(mapping)}, where the law is for all {law.variables}",
        )
    for variable, value in values:
        if isinstance(variable, Symbol):
            fits = isinstance(value, Matrix) and value.shape == variable.shape
        else:
            fits = isinstance(value, Scalar)
        if not fits:
            raise RuleError("instantiate", None, f"{variable} cannot become {value}")
        if variable.when == k.CONSTANT and (timed(value) or not known(value, None)):
            raise RuleError("instantiate", None, f"{variable} is a constant, and {value} is not")
    premises = frozenset(_substituted(x, mapping) for x in law.premises)
    return theorem.hypotheses | premises, _substituted(law.conclusion, mapping)


def _substituted(statement: Statement, mapping: Mapping[Term, Matrix | Scalar]) -> Statement:
    if isinstance(statement, Fact):
        return Fact(statement.relation, substitute_scalar(statement.polynomial, mapping))
    outer = {x: value for x, value in mapping.items() if x not in statement.variables}
    entering = frozenset[Term]().union(*(value.inside for value in outer.values()))
    captured = sorted(entering & set(statement.variables))
    if captured:
        raise RuleError("substitution", None, f"{captured[0]} is bound in {statement}")
    premises = [_substituted(x, outer) for x in statement.premises]
    conclusion = _substituted(statement.conclusion, outer)
    # The premises of a law are facts, and stay facts.
    return Law(statement.variables, premises, conclusion)  # type: ignore[arg-type]


@rule(2)
def rewrite(
    equation: Theorem,
    theorem: Theorem,
    letter: k.Letter | Variable,
    value: Matrix | Scalar,
    goal: Fact,
) -> Answer:
    """Replace equals by equals, in either direction.

    ::

        H ⊢ ‖X - V‖_F = 0    K ⊢ p    p[X:=V] = q[X:=V]
        ───────────────────────────────────────────────    X a letter
                         H, K ⊢ q

    For a number x the first is H ⊢ x - v = 0.

    Fails where the first theorem is not this equation, and where p and the goal q differ in
    anything else.
    """
    if isinstance(letter, Variable):
        difference = Scalar.of(letter) - Scalar.of(value)  # type: ignore[arg-type]
    else:
        difference = norm(FROBENIUS, Matrix.of(letter) - value)  # type: ignore[operator]
    if equation.conclusion != zero(difference):
        raise RuleError(
            "rewrite", 0, f"{equation.conclusion} does not say that {letter} is {value}"
        )
    p = polynomial_of("rewrite", 1, theorem, goal.relation)
    before, after = (substitute_scalar(x, {letter: value}) for x in (p, goal.polynomial))
    if before != after:
        raise RuleError(
            "rewrite", 1, f"with {letter} replaced, it and the goal differ by {before - after}"
        )
    return goal


# Norms and inner products.


@rule(0)
def norm_nonnegative(kind: str, x: Point) -> Answer:
    """⊢ ‖X‖ >= 0, of either kind."""
    return at_least_zero(norm(kind, *x))


@rule(0)
def triangle(kind: str, x: Point, y: Point) -> Answer:
    """⊢ ‖X + Y‖ <= ‖X‖ + ‖Y‖, of either kind; fails where the shapes differ."""
    if len(x) != len(y):
        raise RuleError("triangle", None, f"{len(x)} blocks and {len(y)} blocks")
    return at_least_zero(
        norm(kind, *x) + norm(kind, *y) - norm(kind, *(p + q for p, q in zip(x, y, strict=True)))
    )


@rule(1)
def homogeneous(factor: Theorem, kind: str, x: Point) -> Answer:
    """Take out a scalar.

    ::

       H ⊢ c >= 0
    ────────────────
    H ⊢ ‖cX‖ = c‖X‖
    """
    c = polynomial_of("homogeneous", 0, factor, ">=", ">")
    return zero(norm(kind, *(block.scaled(c) for block in x)) - c * norm(kind, *x))


@rule(0)
def submultiplicative(kinds: tuple[str, str], x: Matrix, y: Matrix) -> Answer:
    """⊢ ‖XY‖_F <= ‖X‖_op‖Y‖_F for the kinds (op, F), ‖X‖_F‖Y‖_op for (F, op), ‖XY‖_op <=
    ‖X‖_op‖Y‖_op for (op, op).

    Fails for (F, F), which follows from `spectral_below_frobenius`, and where the shapes do not
    fit.
    """
    if kinds not in ((SPECTRAL, FROBENIUS), (FROBENIUS, SPECTRAL), (SPECTRAL, SPECTRAL)):
        raise RuleError(
            "submultiplicative", None, f"kinds {kinds}: expected (op, F), (F, op) or (op, op)"
        )
    product = SPECTRAL if kinds == (SPECTRAL, SPECTRAL) else FROBENIUS
    return at_least_zero(norm(kinds[0], x) * norm(kinds[1], y) - norm(product, x @ y))


@rule(0)
def spectral_below_frobenius(x: Matrix) -> Answer:
    """⊢ ‖X‖_op <= ‖X‖_F."""
    return at_least_zero(norm(FROBENIUS, x) - norm(SPECTRAL, x))


@rule(0)
def rank_bound(x: Matrix, dimension: str) -> Answer:
    """⊢ ‖X‖_F² <= m‖X‖_op², m a number of rows or columns of X or of every product that X sums up
    to.

    Fails unless `dimension` is one of X's own, or lies within its only word.
    """
    bounds = set(x.shape)
    if len(x.terms) == 1:
        bounds |= {name for letter, _ in next(iter(x.terms)) for name in letter.shape}
    if dimension not in bounds:
        raise RuleError(
            "rank_bound",
            None,
            f"{dimension} is not one of {sorted(bounds)}, the dimensions within {x}",
        )
    return at_least_zero(
        Scalar.of(k.Dimension(dimension)) * norm(SPECTRAL, x) ** 2 - norm(FROBENIUS, x) ** 2
    )


@rule(0)
def cauchy_schwarz(x: Point, y: Point) -> Answer:
    """⊢ ⟨X, Y⟩ <= ‖X‖_F‖Y‖_F, over all blocks."""
    return at_least_zero(norm(FROBENIUS, *x) * norm(FROBENIUS, *y) - inner(x, y))


@rule(0)
def norm_expansion(x: Point) -> Answer:
    """⊢ ‖X‖_F² = ⟨X, X⟩, the sum over blocks of tr(XᵀX); never fails."""
    return zero(norm(FROBENIUS, *x) ** 2 - square(x))


@rule(0)
def dimension_positive(name: str) -> Answer:
    """⊢ m >= 1 for a dimension m."""
    return at_least_zero(Scalar.of(k.Dimension(name)) - 1)


# Roots and inverses.


@rule(0)
def root_nonnegative(x: Scalar) -> Answer:
    """⊢ root(x) >= 0, whatever x."""
    return at_least_zero(Scalar.of(k.Root(x)))


@rule(1)
def root_square(radicand: Theorem) -> Answer:
    """Square a root.

    ::

      H ⊢ x >= 0
    ────────────────
    H ⊢ root(x)² = x
    """
    x = polynomial_of("root_square", 0, radicand, ">=", ">")
    return zero(Scalar.of(k.Root(x)) ** 2 - x)


@rule(1)
def inverse(divisor: Theorem) -> Answer:
    """Divide.

    ::

         H ⊢ x > 0
    ────────────────────
    H ⊢ x · inverse(x) = 1
    """
    x = polynomial_of("inverse", 0, divisor, ">")
    return zero(x * k.Inverse(x) - 1)


@rule(0)
def at_most_maximum(x: Scalar, others: tuple[Scalar, ...]) -> Answer:
    """⊢ x <= max(x, y, ...); never fails."""
    return at_least_zero(maximum(x, *others) - x)


@rule(None)
def maximum_at_most(premises: tuple[Theorem, ...], c: Scalar) -> Answer:
    """Bound the largest of several numbers.

    ::

        H1 ⊢ x <= c    H2 ⊢ y <= c    …    (< if all are <)
        ────────────────────────────────
           H1, H2, … ⊢ max(x, y, …) <= c

    Fails without a premise.
    """
    if not premises:
        raise RuleError("maximum_at_most", None, "there is no premise")
    members = [
        c - polynomial_of("maximum_at_most", i, x, ">=", ">") for i, x in enumerate(premises)
    ]
    strict = all(x.fact.relation == ">" for x in premises)
    return Fact(">" if strict else ">=", c - maximum(*members))


@rule(1)
def vanishing(theorem: Theorem, x: Scalar) -> Answer:
    """A square that is at most 0.

    ::

        H ⊢ -x² >= 0
        ────────────
         H ⊢ x = 0

    Fails where the premise is not that -x² >= 0.
    """
    if polynomial_of("vanishing", 0, theorem, ">=", "=") != -(x * x):
        raise RuleError("vanishing", 0, f"expected {-(x * x)} >= 0, and not {theorem.conclusion}")
    return zero(x)


# Expectations and sums.


@rule(1)
def expectation(theorem: Theorem, given: Index | None) -> Answer:
    """Take expectations, given the past up to an index or of all (None).

    ::

        H ⊢ p >= 0             (likewise for > and =)
        ───────────────────
        H ⊢ E[p | past] >= 0

    Sound because facts hold at every outcome. Fails where the theorem is a law.
    """
    p = polynomial_of("expectation", 0, theorem, ">=", ">", "=")
    return Fact(theorem.fact.relation, expect(p, given))


@rule(1)
def summation(theorem: Theorem) -> Answer:
    """Sum over t from 1 to T.

    ::

        H ⊢ p >= 0             (likewise for > and =)
        ─────────────
        H ⊢ Σ_t p >= 0

    Sound because facts hold at every time. Fails where the theorem is a law.
    """
    p = polynomial_of("summation", 0, theorem, ">=", ">", "=")
    return Fact(theorem.fact.relation, total(p))


@rule(0)
def telescope(x: Scalar) -> Answer:
    """⊢ Σ_t (x_{t+1} - x_t) = x_{T+1} - x_1; fails where x varies with t in an unknown way."""
    return zero(total(at(x, k.NEXT) - x) - at(x, Index("T", 1)) + at(x, Index("", 1)))


@rule(0)
def minimum_at_most(x: Scalar) -> Answer:
    """⊢ min_t x <= x, at each t."""
    return at_least_zero(x - Scalar.of(k.Minimum(x)))


@rule(1)
def minimum_at_least(theorem: Theorem, x: Scalar) -> Answer:
    """Bound the least value.

    ::

          H ⊢ c <= x              (likewise for <)
        ────────────────    c the same at each t
        H ⊢ c <= min_t x

    Sound because facts hold at every time, and there are finitely many.
    """
    c = x - polynomial_of("minimum_at_least", 0, theorem, ">=", ">")
    if timed(c):
        raise RuleError("minimum_at_least", 0, f"{c} varies with t")
    return Fact(theorem.fact.relation, Scalar.of(k.Minimum(x)) - c)


@rule(0)
def horizon_positive() -> Answer:
    """⊢ T >= 1."""
    return at_least_zero(Scalar.of(k.Horizon()) - 1)


# Certificates.

Squares = tuple[tuple[Fraction, Scalar], ...]  # a sum of squares with positive weights
Places = tuple[int, ...]  # among the premises


@rule(None)
def certificate(
    premises: tuple[Theorem, ...],
    goal: Fact,
    terms: tuple[tuple[Squares, Places], ...],
    multipliers: tuple[tuple[Scalar, int], ...],
    factor: Places,
) -> Answer:
    """Close by exact algebra.

    ::

        H1 ⊢ p1 ≥ 0   …   Hk ⊢ ek = 0   …   with   m·p = Σ_j s_j Π_i p_i + Σ_k c_k e_k
        ──────────────────────────────────────────────────────────────────────────────
                                  H1, …, Hk ⊢ p ≥ 0

    The goal is p ≥ 0. `terms` are (s_j, places of the p_i), each s_j a sum of squares with positive
    weights; `multipliers` are (c_k, place of e_k), c_k any polynomial; m is the product of the
    facts at the places `factor`. A goal p = 0 takes no terms. A goal p > 0 needs a term that is a
    positive number times strict facts. The facts of m are strict, unless the right side is positive
    wherever the goal fails: where p > 0 is the goal, or p² is a term. Fails where the two sides
    differ after expansion, and says by what.
    """
    if not isinstance(goal, Fact):
        raise RuleError("certificate", None, f"the goal must be a fact, and not {goal}")
    right, positive, own_square = k.ZERO, False, False
    for squares, places in terms:
        if any(weight <= 0 for weight, _ in squares):
            raise RuleError("certificate", None, f"a weight among {squares} is not positive")
        product = _product(premises, places, ">=", ">")
        right = right + Scalar.sum(Scalar.of(weight) * s * s for weight, s in squares) * product
        numbers = any(s.number for _, s in squares)
        positive = positive or (numbers and all(premises[i].fact.relation == ">" for i in places))
        own_square = own_square or (not places and any(s == goal.polynomial for _, s in squares))
    for multiplier, place in multipliers:
        right = right + Scalar.of(multiplier) * _product(premises, (place,), "=")
    weak = goal.relation == ">" or (goal.relation == ">=" and own_square)
    left = _product(premises, factor, *((">=", ">") if weak else (">",))) * goal.polynomial
    if left != right:
        raise RuleError("certificate", None, f"the two sides differ by {left - right}")
    if goal.relation == "=" and terms:
        raise RuleError("certificate", None, "an equation follows from equations alone")
    if goal.relation == ">" and not positive:
        raise RuleError(
            "certificate", None, "no term is certainly positive, as a strict goal needs"
        )
    return goal


def _product(premises: Sequence[Theorem], places: Sequence[int], *relations: str) -> Scalar:
    product = k.ONE
    for place in places:
        if not 0 <= place < len(premises):
            raise RuleError(
                "certificate", None, f"there is no premise {place + 1} among {len(premises)}"
            )
        product = product * polynomial_of("certificate", place, premises[place], *relations)
    return product


# Induction over t, and the times at which facts are used.
#
# A hypothesis of a theorem is meant at every time, so that "from p follows p[t := t+1]" alone says
# nothing. Induction needs the step at one time after the other: p at t alone has to give p at t +
# 1. `elsewhere` finds the hypotheses that a derivation uses at other times than the one it speaks
# of, as a sum over t does.


@rule(0)
def time_at_least_one() -> Answer:
    """⊢ t >= 1."""
    return at_least_zero(k.Clock() + Scalar.of(-1))


@rule(0)
def time_at_most_horizon() -> Answer:
    """⊢ t <= T."""
    return at_least_zero(k.Horizon() - Scalar.of(k.Clock()))


@rule(1)
def at_time(theorem: Theorem, time: Index) -> Answer:
    """Take the first or the last time.

    ::

           H ⊢ p               (p any fact)
        ────────────    i is 1 or T
        H ⊢ p[t:=i]

    Fails at another time, and where p varies with t in an unknown way.
    """
    p = polynomial_of("at_time", 0, theorem, ">=", ">", "=")
    if time not in (FIRST, LAST):
        raise RuleError("at_time", None, f"the time is 1 or T, and not {time}")
    return Fact(theorem.fact.relation, at(p, time))


@rule(2)
def induction(first: Theorem, step: Theorem, goal: Fact) -> Answer:
    """Induct over t.

    ::

        H ⊢ p[t:=1]    K, p ⊢ p[t:=t+1]    (p any fact)
        ────────────────────────────────    the step uses p at t alone
                    H, K ⊢ p

    Fails where the two theorems conclude something else, and where a part of the step uses p at
    other times: where p is summed over t, taken at a time, a premise of a law, or made one.
    """
    wanted = {FIRST: first, k.NEXT: step}
    for place, (time, theorem) in enumerate(wanted.items()):
        expected = Fact(goal.relation, at(goal.polynomial, time))
        if theorem.conclusion != expected:
            raise RuleError(
                "induction", place, f"expected {expected}, and not {theorem.conclusion}"
            )
    if goal in elsewhere(step):
        raise RuleError("induction", 1, f"{goal} is used at other times than t")
    return first.hypotheses | (step.hypotheses - {goal}), goal


def elsewhere(theorem: Theorem) -> frozenset[Statement]:
    """The hypotheses that the derivation of a theorem may use at other times than the one it speaks
    of.
    """
    found: dict[int, frozenset[Statement]] = {}
    for each in derivation([theorem]):
        below = frozenset[Statement]().union(*(found[id(x)] for x in each.premises))
        found[id(each)] = (below | _moved(each, below)) & each.hypotheses
    return found[id(theorem)]


def _moved(theorem: Theorem, below: frozenset[Statement]) -> frozenset[Statement]:
    """The hypotheses that the last step of a derivation uses at other times; `below` are those of
    its premises.
    """
    match theorem.rule, theorem.premises:
        # A law holds at no time of its own.
        case (
            ("summation" | "minimum_at_least" | "at_time" | "induction" | "generalise"),
            premises,
        ):
            return frozenset[Statement]().union(*(x.hypotheses for x in premises))
        # The premises of a law are meant at every time.
        case "instantiate", (law,) if isinstance(law.conclusion, Law) and law.conclusion.premises:
            return theorem.hypotheses
        # What proves a hypothesis is used where the hypothesis is.
        case "discharge", (known, used) if known.conclusion in below:
            return known.hypotheses
        # In a sum, a letter is replaced at every time.
        case "rewrite", (equation, used) if any(
            isinstance(x, k.Total | k.Minimum | k.Before)
            for x in theorem.fact.polynomial.inside | used.fact.polynomial.inside
        ):
            return equation.hypotheses
    return frozenset()


# The two standard facts of analysis that algebra cannot prove: schemas, each of which computes its
# conclusion from a premise that states what it needs.


_CHAIN_RULE = (
    "The gradient of $F(X) = f(P(X))$, $P$ a matrix polynomial, is the adjoint of the derivative of"
    " $P$ applied to the gradient of $f$. (Magnus and Neudecker, Matrix Differential Calculus,"
    " chapter 5, the chain rule)"
)
_DESCENT_LEMMA = (
    "If $‖∇F(x + θδ) - ∇F(x)‖ ≤ Lθ‖δ‖$ for $0 ≤ θ ≤ 1$, then $|F(x + δ) - F(x) - ⟨∇F(x), δ⟩| ≤ L/2"
    " ‖δ‖²$. (Nesterov, Lectures on Convex Optimization, 2018, lemma 1.2.3; its proof uses the"
    " segment alone)"
)


@rule(1, standard_fact=_CHAIN_RULE)
def chain_rule(composition: Theorem, block: int) -> Answer:
    """Differentiate a composition.

    ::

               H ⊢ for all X: F(X) = f(P(X))
        ────────────────────────────────────────────    u X_i w the words of P_j that hold X_i
        H ⊢ for all X: ∇_iF(X) = Σ_j uᵀ ∇_jf(P(X)) wᵀ

    The conclusion is ‖left - right‖_F = 0. Fails unless the law has no premises, its variables are
    the blocks of F's point, and they enter P only as factors of its words.
    """
    law = composition.conclusion
    if not isinstance(law, Law) or law.premises:
        raise RuleError("chain_rule", 0, f"expected a law without premises, and not {law}")
    outer, inner_ = sides_of(law)
    # `sides_of` has seen that each block of F's point is one of the variables.
    variables: list[Symbol] = [
        word[0][0]  # type: ignore[misc]
        for x in outer.point
        for word in x.terms
    ]
    if sorted(variables) != sorted(law.variables):
        raise RuleError(
            "chain_rule", 0, f"the point {outer.point} is not made of the variables {law.variables}"
        )
    if not 0 <= block < len(variables):
        raise RuleError("chain_rule", None, f"there is no block {block} among {len(variables)}")
    gradient = Matrix.zero(variables[block].shape)
    for j, image in enumerate(inner_.point):
        slope = Matrix.of(k.Gradient(inner_.function, inner_.point, j))
        gradient = gradient + adjoint(image, variables, variables[block], slope)
    left = Matrix.of(k.Gradient(outer.function, outer.point, block))
    return composition.hypotheses, Law(
        law.variables, (), Fact("=", norm(FROBENIUS, left - gradient))
    )


def sides_of(law: Law) -> tuple[k.Value, k.Value]:
    """The terms F(X) and f(P(X)) of the equation F(X) - f(P(X)) = 0, written with either sign."""
    terms = law.conclusion.polynomial.terms
    values = [
        atom
        for monomial in terms
        for atom, exponent in monomial
        if isinstance(atom, k.Value) and exponent == 1
    ]
    if law.conclusion.relation == "=" and len(terms) == len(values) == 2:
        for outer, inside in (values, values[::-1]):
            if law.conclusion.polynomial in (Scalar.of(outer) - inside, Scalar.of(inside) - outer):
                variables = {
                    Matrix.of(x) for x in law.variables if isinstance(x, Symbol) and x.when == k.ANY
                }
                if set(outer.point) == variables and outer.function != inside.function:
                    return outer, inside
    raise RuleError("chain_rule", 0, f"expected F(X) - f(P(X)) = 0, and not {law.conclusion}")


def adjoint(image: Matrix, variables: list[Symbol], x: Symbol, slope: Matrix) -> Matrix:
    """The sum over occurrences of x in the words u x w of uᵀ S wᵀ, and of w Sᵀ u for u xᵀ w."""
    summands = []
    for word, coefficient in image.terms.items():
        factors = [coefficient, *(letter for letter, _ in word if letter not in variables)]
        if not all(factor.inside.isdisjoint(variables) for factor in factors):
            raise RuleError("chain_rule", 0, f"a variable is hidden in a factor of {image}")
        for place, (letter, flipped) in enumerate(word):
            if letter == x:
                before, after = k.transposed(word[:place]), k.transposed(word[place + 1 :])
                term = Matrix.word(before) @ slope if before else slope
                term = term @ Matrix.word(after) if after else term
                summands.append((term.T if flipped else term).scaled(coefficient))
    return Matrix.sum(x.shape, summands)


@rule(1, standard_fact=_DESCENT_LEMMA)
def descent_lemma(
    smooth: Theorem,
    function: str,
    x: Point,
    step: Point,
    constant: Scalar,
    theta: Variable,
    sign: int = 1,
) -> Answer:
    """Bound a step by the smoothness along its segment, from above (sign 1) or from below (sign
    -1).

    ::

        H, θ >= 0, 1 - θ >= 0 ⊢ ‖∇F(x + θδ) - ∇F(x)‖ <= Lθ‖δ‖    θ not free in H, x, δ, L
        ────────────────────────────────────────────────────────────────────────────────
                        H ⊢ ±(F(x + δ) - F(x) - ⟨∇F(x), δ⟩) <= L/2 ‖δ‖²

    Fails where the theorem concludes something else, and where θ occurs elsewhere or is not
    arbitrary.
    """
    if len(x) != len(step) or sign not in (1, -1):
        raise RuleError(
            "descent_lemma",
            None,
            f"a point of {len(x)} blocks, a step of {len(step)} and the sign {sign}",
        )
    ends = Scalar.of(theta)
    rest = smooth.hypotheses - {Fact(">=", ends), Fact(">=", k.ONE - ends)}
    beyond = tuple(p + q.scaled(ends) for p, q in zip(x, step, strict=True))
    change = k.difference(gradients(function, beyond), gradients(function, x))
    wanted = Fact(">=", constant * ends * norm(FROBENIUS, *step) - norm(FROBENIUS, *change))
    if smooth.conclusion != wanted:
        raise RuleError("descent_lemma", 0, f"expected {wanted}, and not {smooth.conclusion}")
    elsewhere = any(theta in term.inside for term in (*x, *step, constant))
    if theta.when != k.ANY or elsewhere or any(theta in free(each) for each in rest):
        raise RuleError(
            "descent_lemma", 0, f"{theta} must be arbitrary, and occur only in its two ends"
        )
    size = norm(FROBENIUS, *step)
    after = tuple(p + q for p, q in zip(x, step, strict=True))
    gain = (
        k.Value(function, after)
        - Scalar.of(k.Value(function, x))
        - inner(gradients(function, x), step)
    )
    return rest, Fact(">=", constant * size * size * Fraction(1, 2) - sign * gain)


def gradients(function: str, point: Point) -> Point:
    """All blocks of the gradient of a function at a point."""
    return tuple(Matrix.of(k.Gradient(function, point, i)) for i in range(len(point)))
