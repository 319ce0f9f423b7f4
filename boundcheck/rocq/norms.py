"""Norms and inner products."""

from __future__ import annotations

from boundcheck.kernel.builders import inner
from boundcheck.kernel.terms import FROBENIUS, ONE, ZERO, Dimension, Horizon, Matrix, Norm, Scalar, word_shape
from boundcheck.rocq.algebra import Lemma
from boundcheck.rocq.step import OP, Step, norm_name, rule, templates


@rule
def norm_nonnegative(step: Step) -> str:
    """0 <= ‖X‖."""
    kind, point = step.theorem.arguments
    p, values = templates(step.book, "P", point)
    return step.normal(ZERO, "<=", Scalar.of(Norm(kind, p)), values, f"({norm_name(kind)}_ge0 {step.text(*point)})")


@rule
def triangle(step: Step) -> str:
    """‖X + Y‖ <= ‖X‖ + ‖Y‖."""
    kind, x, y = step.theorem.arguments
    (p, mine), (q, yours) = templates(step.book, "P", x), templates(step.book, "Q", y)
    both = tuple(a + b for a, b in zip(p, q, strict=True))
    proof = f"({norm_name(kind)}_triangle {step.text(*x)} {step.text(*y)})"
    return step.normal(Scalar.of(Norm(kind, both)), "<=", Scalar.of(Norm(kind, p)) + Norm(kind, q), mine | yours, proof)


@rule
def homogeneous(step: Step) -> str:
    """‖cX‖ = c‖X‖, from c >= 0."""
    (factor,) = step.theorem.premises
    kind, x = step.theorem.arguments
    c = factor.fact.polynomial
    p, values = templates(step.book, "P", x)
    sign = step.fact(factor) if factor.fact.relation == ">=" else f"(ltW {step.fact(factor)})"
    proof = f"(esym ({norm_name(kind)}_homogeneous {step.text(*x)} {sign}))"
    scaled = Scalar.of(Norm(kind, tuple(block.scaled(c) for block in p)))

    def told(lemma: Lemma) -> tuple[str, str]:
        size = lemma.scalar(Scalar.of(Norm(kind, p)), before=True)
        return f"({lemma.scalar(c)}) * {size}", lemma.scalar(scaled, before=True)

    return step.normal(c * Norm(kind, p), "=", scaled, values, proof, told)


@rule
def submultiplicative(step: Step) -> str:
    """‖XY‖ <= ‖X‖‖Y‖."""
    kinds, x, y = step.theorem.arguments
    ((p,), mine), ((q,), yours) = templates(step.book, "P", (x,)), templates(step.book, "Q", (y,))
    lemma = {(OP, FROBENIUS): "fro_mul_op_fro", (FROBENIUS, OP): "fro_mul_fro_op", (OP, OP): "opn_mul"}[kinds]
    product = OP if kinds == (OP, OP) else FROBENIUS
    factors = (Scalar.of(Norm(kinds[0], (p,))), Scalar.of(Norm(kinds[1], (q,))))
    proof = f"({lemma} {step.text(x)} {step.text(y)})"
    left = Scalar.of(Norm(product, (p @ q,)))

    def told(lemma: Lemma) -> tuple[str, str]:
        sizes = [lemma.scalar(x, before=True) for x in (left, *factors)]
        return sizes[0], f"{sizes[1]} * {sizes[2]}"

    return step.normal(left, "<=", factors[0] * factors[1], mine | yours, proof, told)


@rule
def spectral_below_frobenius(step: Step) -> str:
    """‖X‖_op <= ‖X‖_F."""
    (x,) = step.theorem.arguments
    p, values = templates(step.book, "P", (x,))
    return step.normal(
        Scalar.of(Norm(OP, p)), "<=", Scalar.of(Norm(FROBENIUS, p)), values, f"(opn_le_fro {step.text(x)})"
    )


@rule
def cauchy_schwarz(step: Step) -> str:
    """⟨X, Y⟩ <= ‖X‖‖Y‖."""
    x, y = step.theorem.arguments
    (p, mine), (q, yours) = templates(step.book, "P", x), templates(step.book, "Q", y)
    right = Scalar.of(Norm(FROBENIUS, p)) * Norm(FROBENIUS, q)
    proof = f"(cauchy_schwarz {step.text(*x)} {step.text(*y)})"
    return step.normal(inner(p, q), "<=", right, mine | yours, proof)


@rule
def norm_expansion(step: Step) -> str:
    """‖X‖² = ⟨X, X⟩."""
    (x,) = step.theorem.arguments
    p, values = templates(step.book, "P", x)
    proof = f"(esym (fro_sq {step.text(*x)}))"
    return step.normal(inner(p, p), "=", Scalar.of(Norm(FROBENIUS, p)) ** 2, values, proof)


@rule
def rank_bound(step: Step) -> str:
    """‖X‖_F² <= m‖X‖_op²."""
    x, dimension = step.theorem.arguments
    (p,), values = templates(step.book, "P", (x,))
    size, matrix = Scalar.of(Dimension(dimension)), p
    if dimension == x.shape[0]:
        proof = f"(rank_rows {step.text(x)})"
    elif dimension == x.shape[1]:
        proof = f"(rank_columns {step.text(x)})"
    else:
        ((word, c),) = x.terms.items()
        place = next(i for i in range(1, len(word)) if word_shape(word[:i])[1] == dimension)
        parts = [Matrix.word(word[:place]).scaled(c), Matrix.word(word[place:])]
        ((p,), mine), ((q,), yours) = templates(step.book, "P", (parts[0],)), templates(step.book, "Q", (parts[1],))
        matrix, values = p @ q, mine | yours
        proof = f"(rank_inside {step.text(parts[0])} {step.text(parts[1])})"
    left = Scalar.of(Norm(FROBENIUS, (matrix,))) ** 2
    return step.normal(left, "<=", size * Scalar.of(Norm(OP, (matrix,))) ** 2, values, proof)


@rule
def dimension_positive(step: Step) -> str:
    """A number of rows or columns is at least 1: m >= 1."""
    (name,) = step.theorem.arguments
    proof = (
        f"(one_le R (isT : is_true (0 < {step.book.size(name)})%N))"
        if step.book.size(name).isdigit()
        else f"(one_le R {step.book.size(name)}_gt0)"
    )
    return step.normal(ONE, "<=", Scalar.of(Dimension(name)), {}, proof)


@rule
def horizon_positive(step: Step) -> str:
    """T >= 1."""
    return step.normal(ONE, "<=", Scalar.of(Horizon()), {}, "(one_le R T_gt0)")
