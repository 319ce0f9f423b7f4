"""Lemma 1 beyond the paper: A frozen, which needs no ball; and two layers, whose constants do not add up."""

from dataclasses import replace

import sympy as sp
from sympy import MatrixSymbol

from boundcheck.claims.jiang2024 import A1, A2, ASSUMPTION_1, B1, B2, W1, W2, W, v, v1, v2
from boundcheck.claims.meft import (
    FROZEN_A,
    FROZEN_FACTOR,
    LAYER_1,
    LAYER_2,
    LAYER_A,
    LAYER_B,
    LAYER_BALLS,
    LAYER_GRADIENTS,
    LAYERS,
    LEMMA_1_SHARP,
    A,
    B,
)
from boundcheck.claims.symbols import G_2, G, L, Lhat, a, a_2, b, b_2, r, s, s_2
from boundcheck.claims.vocabulary import (
    F,
    FrobeniusNorm,
    Gradient,
    InnerProduct,
    PartialGradient,
    Value,
    d,
    f,
    k,
)
from boundcheck.kernel import Theorem
from boundcheck.kernel.terms import Matrix, Symbol
from boundcheck.kernel.times import ANY
from boundcheck.prove import Proof, eq, ge, gt, le, script

from .eigenvalue import K, P, R, l, quadratic_form
from .eigenvalue import p as side_a
from .eigenvalue import u as side_b
from .lemma_1 import top_eigenvalue
from .setting import READING, W0

ONE_FACTOR = replace(READING, constants=READING.constants | {"A"})


@script(FROZEN_A, "sharp", ONE_FACTOR)
def frozen(proof: Proof) -> None:
    """∇F(B) = s∇f(W)Aᵀ, and W moves by s(B_1 - B_2)A."""
    by = proof.by
    signs = proof.positive(L, a, s)
    radius = proof.assume(FROZEN_FACTOR)
    smooth = proof.assume(ASSUMPTION_1, forall=[W1, W2])
    law = proof.define(Value(F, B), Value(f, W0 + s * B * A), "F(B) = f(W)", forall=[B])
    slope = Gradient(f, W0 + s * B * A)
    chain = proof.state(
        "chain rule",
        eq(Gradient(F, B), s * slope * A.T),
        by.chain_rule(law, 0),
        meaning="For all B, by the chain rule.",
    )
    w1, w2 = W0 + s * B1 * A, W0 + s * B2 * A
    turned, move = Gradient(f, w1) - Gradient(f, w2), B1 - B2
    size = proof.step("s ≥ 0", ge(s, 0), signs)
    moved = proof.step(
        "W",
        le(FrobeniusNorm(w1 - w2), s * a * FrobeniusNorm(move)),
        by.homogeneous(size, "F", move * A),
        proof.step(
            "BA", le(FrobeniusNorm(move * A), a * FrobeniusNorm(move)), by.submultiplicative("F", "op", move, A), radius
        ),
        signs,
    )
    turn = proof.step(
        "∇f",
        le(FrobeniusNorm(turned), L * s * a * FrobeniusNorm(move)),
        by.instance(smooth, {W1: w1, W2: w2}),
        moved,
        signs,
    )
    image = proof.step(
        "∇fAᵀ",
        le(FrobeniusNorm(turned * A.T), a * FrobeniusNorm(turned)),
        by.submultiplicative("F", "op", turned, A.T),
        radius,
    )
    scale = proof.step("sa ≥ 0", ge(s * a, 0), signs)
    inner = proof.step(
        "s∇fAᵀ",
        le(FrobeniusNorm(s * turned * A.T), s**2 * L * a**2 * FrobeniusNorm(move)),
        by.homogeneous(size, "F", turned * A.T),
        image,
        proof.step("sa∇f", le(s * a * FrobeniusNorm(turned), s**2 * L * a**2 * FrobeniusNorm(move)), scale, turn),
        signs,
    )
    gradients = [
        (by.instance(chain, {B: x}), Gradient(F, x), s * Gradient(f, w) * A.T) for x, w in ((B1, w1), (B2, w2))
    ]
    constant = proof.quantity(FROZEN_A.quantities[0])
    relation = le(FrobeniusNorm(Gradient(F, B1) - Gradient(F, B2)), s**2 * L * a**2 * FrobeniusNorm(move))
    line = proof.step("∇F", relation, by.rewrite(inner, relation, *gradients), meaning="By the chain rule.")
    proof.conclude(proof.step("(8)", FROZEN_A.conclusion, line, constant), forall=[B1, B2])


C1, C2 = (MatrixSymbol(f"A'_{i}", r, k) for i in (1, 2))
E1, E2 = (MatrixSymbol(f"B'_{i}", d, r) for i in (1, 2))
theta = sp.Symbol("theta")

_SHAPES = {"A": ("r", "k"), "B": ("d", "r"), "A'": ("r", "k"), "B'": ("d", "r"), "U": ("d", "k"), "U'": ("d", "k")}


def _blocks(names: str, suffix: str) -> tuple[Matrix, ...]:
    return tuple(Matrix.of(Symbol(name + suffix, _SHAPES[name], ANY)) for name in names.split())


_FACTORS, _WEIGHTS = "A B A' B'", "U U'"
# A point w is the pair of weights that v reaches, and w_1 -> w_2 the segment between two such.
w, w1, w2, along = (MatrixSymbol(name, d, k) for name in ("w", "w_1", "w_2", "w_θ"))


def _weights(suffix: str) -> tuple[Matrix, ...]:
    found = []
    for prime, scale in (("", s), ("'", s_2)):
        left, right = (Matrix.of(Symbol(f"{x}{prime}{suffix}", _SHAPES[x + prime], ANY)) for x in "AB")
        start = Matrix.of(Symbol(f"U{prime}_0", _SHAPES["U" + prime]))
        found.append(start + (right @ left).scaled(READING.scalar(scale)))
    return tuple(found)


_SEGMENT = tuple(p + (q - p).scaled(READING.scalar(theta)) for p, q in zip(_weights("_1"), _weights("_2"), strict=True))
TWO_LAYERS = replace(
    READING,
    points={
        v: _blocks(_FACTORS, ""),
        v1: _blocks(_FACTORS, "_1"),
        v2: _blocks(_FACTORS, "_2"),
        W1: _blocks(_WEIGHTS, "_1"),
        W2: _blocks(_WEIGHTS, "_2"),
        w: _weights(""),
        w1: _weights("_1"),
        w2: _weights("_2"),
        along: _SEGMENT,
    },
    blocks={A: 0, B: 1, LAYER_A: 2, LAYER_B: 3, LAYER_1: 0, LAYER_2: 1},
    constants=frozenset({"U_0", "U'_0"}),
)


Factors = tuple[MatrixSymbol, MatrixSymbol, MatrixSymbol, MatrixSymbol]
Constants = tuple[sp.Symbol, sp.Symbol, sp.Symbol, sp.Symbol]
LAYER_OF = (
    ((A1, B1, A2, B2), LAYER_1, (G, a, b, s)),
    ((C1, E1, C2, E2), LAYER_2, (G_2, a_2, b_2, s_2)),
)


@script(LAYERS, "sharp", TWO_LAYERS)
def layers(proof: Proof) -> None:
    """F's own descent inequality between the two pairs of weights, and what each layer adds to it."""
    by = proof.by
    signs = proof.positive(L, G, a, b, s, G_2, a_2, b_2, s_2)
    smooth = proof.assume(ASSUMPTION_1, forall=[W1, W2])
    law = proof.define(Value(F, v), Value(f, w), "F(v) = f(U, U')", forall=[v])
    ball = LAYER_BALLS.conclusion.args
    bounded = proof.assume(LAYER_GRADIENTS, where={W: w}, forall=[v], given=ball)
    # Sympy sorts the parts of a conjunction.
    slopes = {part.lhs.args[0].args[2]: law for part, law in zip(LAYER_GRADIENTS.conclusion.args, bounded, strict=True)}
    near, far = (
        [relation.xreplace(dict(zip((A, B, LAYER_A, LAYER_B), point, strict=True))) for relation in ball]
        for point in ((A1, B1, C1, E1), (A2, B2, C2, E2))
    )
    inside = [proof.local(relation) for relation in (*near, *far)]
    form, larger = quadratic_form(proof), _larger(proof)
    bounds = [
        _layer(proof, by.instance(slopes[layer[1]], {v: v1}), inside, signs, form, above, *layer)
        for above, layer in zip(larger, LAYER_OF, strict=True)
    ]
    relation = LAYERS.conclusion
    left = relation.xreplace({InnerProduct(Gradient(F, v1), v2 - v1): _linear()})
    values = [by.instance(law, {v: point}) for point in (v1, v2)]
    norms = [by.block_norm(w2 - w1), by.block_norm(v2 - v1)]
    line = proof.step("layers", left, _downhill(proof, smooth), *values, *norms, *bounds, proof.step("1/2", gt(1, 0)))
    chain = [by.instance(by.chain_rule(law, i), {v: v1}) for i in range(4)]
    blocks = [
        (block, value) for factors, layer, constants in LAYER_OF for block, value in _slopes(factors, layer, constants)
    ]
    gradients = [
        (theorem, PartialGradient(F, v1, block), value) for theorem, (block, value) in zip(chain, blocks, strict=True)
    ]
    proof.conclude(
        proof.step("(15)", relation, by.rewrite(line, relation, *gradients), meaning="By the chain rule."),
        forall=[v1, v2],
        such_that=[*near, *far],
    )


def _slopes(factors: Factors, layer: MatrixSymbol, constants: Constants) -> list[tuple[MatrixSymbol, sp.MatrixExpr]]:
    """The blocks of ∇F(v_1) that belong to a layer: sBᵀM and sMAᵀ."""
    left, right, *_ = factors
    slope, scale = PartialGradient(f, w1, layer), constants[3]
    names = (A, B) if layer == LAYER_1 else (LAYER_A, LAYER_B)
    return [(names[0], scale * right.T * slope), (names[1], scale * slope * left.T)]


def _linear() -> sp.Expr:
    """⟨∇F(v_1), v_2 - v_1⟩, with the chain rule put in."""
    total = sp.Integer(0)
    for factors, layer, constants in LAYER_OF:
        (_, in_a), (_, in_b) = _slopes(factors, layer, constants)
        total += InnerProduct(in_a, factors[2] - factors[0]) + InnerProduct(in_b, factors[3] - factors[1])
    return total


def _downhill(proof: Proof, smooth: Theorem) -> Theorem:
    """f(w_2) <= f(w_1) + ⟨∇f(w_1), w_2 - w_1⟩ + L/2 ‖w_2 - w_1‖²."""
    by, step = proof.by, w2 - w1
    low = proof.local(ge(theta, 0))
    proof.local(ge(1, theta))
    steady = proof.step(
        "along the segment",
        le(FrobeniusNorm(Gradient(f, along) - Gradient(f, w1)), L * theta * FrobeniusNorm(step)),
        by.instance(smooth, {W1: along, W2: w1}),
        by.homogeneous(low, "F", step),
        meaning="f is jointly L-smooth.",
    )
    return proof.state(
        "descent of f",
        le(Value(f, w2) - Value(f, w1) - InnerProduct(Gradient(f, w1), step), L / 2 * FrobeniusNorm(step) ** 2),
        by.descent_lemma(steady, f, w1, step, L, theta),
        meaning="The descent lemma.",
    )


def _larger(proof: Proof) -> list[Theorem]:
    """L̂ is at least each layer's λ*, being the larger of the two."""
    by, quantity = proof.by, LAYERS.quantities[0]
    defined = proof.quantity(quantity)
    first, second = (_top(constants) for _, _, constants in LAYER_OF)
    distance = (first - second) ** 2
    square = proof.step("(λ - λ')² ≥ 0", ge(distance, 0), hints=[first - second])
    squared, root = by.root(square), by.root_nonnegative(distance)
    found = []
    for top, other in ((first, second), (second, first)):
        apart = by.from_squares(proof.step("squares", ge(distance, (top - other) ** 2)), root, top - other, squared)
        found.append(proof.step("L̂ ≥ λ", ge(Lhat, top), defined, apart))
    return found


def _top(constants: Constants) -> sp.Expr:
    bound, left, right, scale = constants
    return LEMMA_1_SHARP.quantities[0].expression.xreplace({G: bound, a: left, b: right, s: scale})


def _layer(
    proof: Proof,
    slope: Theorem,
    inside: list[Theorem],
    signs: list[Theorem],
    form: Theorem,
    larger: Theorem,
    factors: Factors,
    layer: MatrixSymbol,
    constants: Constants,
) -> Theorem:
    """L‖ΔW‖² + 2s⟨M, ΔBΔA⟩ <= L̂ (‖ΔA‖² + ‖ΔB‖²)."""
    by, (left1, right1, left2, right2), (bound, radius_a, radius_b, scale) = proof.by, factors, constants
    matrix = PartialGradient(f, w1, layer)
    in_a, in_b = left2 - left1, right2 - right1
    move_a, move_b = FrobeniusNorm(in_a), FrobeniusNorm(in_b)
    product = proof.step(
        "BA",
        le(FrobeniusNorm(right2 * left2 - right1 * left1), radius_b * move_a + radius_a * move_b),
        by.triangle("F", right2 * in_a, in_b * left1),
        by.submultiplicative("op", "F", right2, in_a),
        by.submultiplicative("F", "op", in_b, left1),
        inside,
    )
    change = scale * (right2 * left2 - right1 * left1)
    size = proof.step("s ≥ 0", ge(scale, 0), signs)
    reach = scale * (radius_b * move_a + radius_a * move_b)
    moved = proof.step(
        "W", le(FrobeniusNorm(change), reach), by.homogeneous(size, "F", right2 * left2 - right1 * left1), product, size
    )
    squares = proof.step("W²", le(FrobeniusNorm(change) ** 2, reach**2), moved, by.nonnegative("F", change))
    curved = proof.step(
        "LW²", le(L * FrobeniusNorm(change) ** 2, L * reach**2), squares, proof.step("L ≥ 0", ge(L, 0), signs)
    )
    crossed = proof.step(
        "⟨M, ΔBΔA⟩",
        le(InnerProduct(matrix, in_b * in_a), bound * move_a * move_b),
        by.cauchy_schwarz(in_b.T * matrix, in_a),
        by.submultiplicative("F", "op", in_b.T, matrix),
        slope,
        proof.step("move", ge(move_a * move_b, 0)),
    )
    entries = (
        scale**2 * L * radius_b**2,
        scale**2 * L * radius_a * radius_b + scale * bound,
        scale**2 * L * radius_a**2,
    )
    above, eigen = top_eigenvalue(proof, _top(constants), _top(constants), entries, signs)
    values = dict(zip((P, K, R, l, side_a, side_b), (*entries, _top(constants), move_a, move_b), strict=True))
    total = move_a**2 + move_b**2
    stretched = proof.step(
        "λ",
        le(_top(constants) * total, Lhat * total),
        larger,
        proof.step("length", ge(total, 0), hints=[move_a, move_b]),
    )
    return proof.step(
        "layer",
        le(L * FrobeniusNorm(change) ** 2 + 2 * scale * InnerProduct(matrix, in_b * in_a), Lhat * total),
        curved,
        crossed,
        size,
        by.instance(form, values, above, eigen),
        stretched,
    )
