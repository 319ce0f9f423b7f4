"""The smoothness constant of F(v) = f(W(v)) for each adapter: one composition lemma, and what is
sharper.

The second derivative of F along u is D²f[DW[u], DW[u]] + <∇f, D²W[u, u]>. The composition lemma
bounds each term by a norm of u; the sharper claims bound it by a quadratic form in the norms of u's
blocks, whose top eigenvalue they are.
"""

from dataclasses import replace
from typing import Any

import sympy as sp
from sympy import MatrixExpr, MatrixSymbol

from boundcheck.language.claim import Claim, Quantifier, Quantity, Setting, Statement, for_all
from boundcheck.language.hypotheses import BOUNDED_SPECTRAL_GRADIENT, GRADIENT_IN_THE_DOMAIN
from boundcheck.language.hypotheses import FROZEN_FACTOR as FROZEN
from boundcheck.language.symbols import G, H, J, L, Lhat, a, b, mu, nu, r, s, w_0
from boundcheck.language.vocabulary import (
    A1,
    A2,
    W0,
    W1,
    W2,
    A,
    B,
    EuclideanNorm,
    F,
    FrobeniusNorm,
    Gradient,
    InnerProduct,
    Pair,
    PartialGradient,
    SpectralNorm,
    Value,
    W,
    d,
    f,
    k,
    n,
    v,
    v1,
    v2,
)

from ..jiang2024.claims import ASSUMPTION_1, ASSUMPTION_3_2, LEMMA_1
from .lora import BALL, FROZEN_A, GRADIENT_BOUND, LEMMA_1_SHARP, MEFT, at_scale_1

# Why the kernel has no proof of DoRA's.
_NO_COLUMNS = (
    "The kernel differentiates polynomials in matrices, and to divide columns by their lengths is"
    " none of them."
)

_IN_DOMAIN = Quantifier((v1, v2), r" \text{ in the domain}", "for")


def _top(first: sp.Expr, cross: sp.Expr, second: sp.Expr) -> sp.Expr:
    """The top eigenvalue of [[first, cross], [cross, second]]."""
    return (first + second) / 2 + sp.sqrt(((first - second) / 2) ** 2 + cross**2)


# Φ(u, M) = <M, W(u)>, by which a claim speaks of any W: DW(u)*M is its gradient in u, and W(u) that
# in M.
PHI = sp.Symbol("Phi")
u = MatrixSymbol("u", n, 1)
M, N1, N2 = (MatrixSymbol(name, d, k) for name in ("M", "N_1", "N_2"))


def pulled(point: MatrixExpr, slope: MatrixExpr) -> MatrixExpr:
    """DW(v)*N."""
    return PartialGradient(PHI, Pair(point, slope), u)


def image(point: MatrixExpr) -> MatrixExpr:
    """W(v), the gradient in M, which is the same at every M."""
    return PartialGradient(PHI, Pair(point, sp.ZeroMatrix(d, k)), M)


LIPSCHITZ = Claim(
    "meft.lipschitz",
    "W and its derivative are Lipschitz",
    "boundcheck; J and H of the composition lemma",
    sp.And(
        sp.Le(FrobeniusNorm(image(v1) - image(v2)), J * EuclideanNorm(v1 - v2)),
        sp.Le(EuclideanNorm(pulled(v1, N1) - pulled(v1, N2)), J * FrobeniusNorm(N1 - N2)),
        sp.Le(
            EuclideanNorm(pulled(v1, N2) - pulled(v2, N2)),
            H * SpectralNorm(N2) * EuclideanNorm(v1 - v2),
        ),
    ),
    Quantifier(
        within=(
            r"\text{for } v_1, v_2 \text{ in the domain and all } N_1, N_2, \; \Phi(u, M) "
            r"= \langle M, W(u) \rangle"
        )
    ),
    note=(
        "$∇_uΦ(v, N)$ is $DW(v)*N$, and $∇_MΦ(v, N)$ is $W(v)$. On a convex domain this says that"
        " $‖DW(v)‖$ is at most $J$ and $|⟨N, D²W(v)[u, u]⟩|$ at most $H‖N‖‖u‖²$."
    ),
)

CHAIN_RULE = Claim(
    "meft.chain_rule",
    "Chain rule of $F(v) = f(W(v))$",
    "Magnus and Neudecker, Matrix Differential Calculus, chapter 5, the chain rule",
    sp.Eq(Gradient(F, v), pulled(v, Gradient(f, image(v)))),
    Quantifier(
        within=(
            r"\text{for } v \text{ in the domain, which is } \nabla F(v) = DW(v)^* \nabla "
            r"f(W(v))"
        )
    ),
)

GRADIENT_BOUND_IN_DOMAIN = BOUNDED_SPECTRAL_GRADIENT.claim(
    "meft.gradient_bound_in_domain",
    "Bounded gradient at every W(v), spectral norm",
    GRADIENT_BOUND.source,
    GRADIENT_IN_THE_DOMAIN,
)

COMPOSITION = Claim(
    "meft.composition",
    "Composition lemma",
    "boundcheck; chain rule of second order",
    LEMMA_1.conclusion,
    Quantifier(
        within=r"\text{for } v_1, v_2 \text{ in a domain of any } W(v) \text{ with these } J, H"
    ),
    (ASSUMPTION_1, GRADIENT_BOUND_IN_DOMAIN, LIPSCHITZ, CHAIN_RULE),
    (Quantity(Lhat, L * J**2 + G * H, "smoothness constant of $F(v) = f(W(v))$"),),
    setting=Setting(
        weight=image(v),
        arguments=(u, M),
        slopes=(N1, N2),
        at_points=(GRADIENT_BOUND_IN_DOMAIN, LIPSCHITZ, CHAIN_RULE),
    ),
)


def _composed(
    id: str,
    title: str,
    domain: Claim,
    jacobian: sp.Expr,
    second: sp.Expr,
    gradient: Claim = GRADIENT_BOUND_IN_DOMAIN,
    **more: Any,
) -> Claim:
    """The composition lemma at an adapter's own J and H, on its domain."""
    sizes = (
        Quantity(J, jacobian, "bound on the norm of DW(v)"),
        Quantity(H, second, "bound on $|⟨M, D²W(v)[u, u]⟩|$ over $‖M‖‖u‖²$"),
    )
    about: dict[str, Any] = {
        "id": id,
        "title": title,
        "source": domain.source,
        "quantifier": _IN_DOMAIN,
        "setting": None,
    }
    about |= {
        "hypotheses": (ASSUMPTION_1, domain, gradient),
        "quantities": (*sizes, *COMPOSITION.quantities),
    }
    return replace(COMPOSITION, **(about | more))


def _sharper(
    composed: Claim, id: str, title: str, form: tuple[sp.Expr, sp.Expr, sp.Expr], **more: Any
) -> Claim:
    """The same statement with the top eigenvalue of a form in the norms of blocks as its
    constant.
    """
    constant = Quantity(Lhat, _top(*form), "smoothness constant of F, a top eigenvalue")
    return replace(
        composed, **({"id": id, "title": title, "quantities": (constant,), "argument": ""} | more)
    )


FULL = Claim(
    "meft.full",
    "Full fine-tuning",
    "boundcheck; jiang2024, Assumption 1, the baseline",
    sp.Le(FrobeniusNorm(Gradient(F, W1) - Gradient(F, W2)), Lhat * FrobeniusNorm(W1 - W2)),
    for_all(W1, W2),
    (ASSUMPTION_1,),
    (Quantity(Lhat, L, "smoothness constant of $F = f$"),),
    setting=Setting((W,), W),
)

LORA = _composed(
    "meft.lora",
    "LoRA, by composition",
    BALL,
    s * sp.sqrt(a**2 + b**2),
    s,
    GRADIENT_BOUND,
    source="boundcheck; Lemma 1 of jiang2024 by the composition lemma",
    setting=MEFT,
)

# No theorem is run on it that is about a frozen A.
FROZEN_FACTOR_B = replace(
    FROZEN,
    symbols=(b,),
    smooth_on="",
    says=(Statement(sp.Le(SpectralNorm(B), b), Quantifier(within=r"\text{for the frozen } B")),),
).claim("meft.frozen_factor_b", "A frozen factor B", "boundcheck; B is not trained")

FROZEN_B = Claim(
    "meft.frozen_b",
    "Lemma 1 with B frozen",
    "boundcheck; jiang2024, Lemma 1, where A alone is trained",
    sp.Le(FrobeniusNorm(Gradient(F, A1) - Gradient(F, A2)), Lhat * FrobeniusNorm(A1 - A2)),
    for_all(A1, A2),
    (ASSUMPTION_1, FROZEN_FACTOR_B),
    (
        Quantity(
            Lhat,
            FROZEN_A.quantities[0].expression.xreplace({a: b}),
            "smoothness constant of $F(A) = f(W_0 + sBA)$, on all of space",
        ),
    ),
    note=FROZEN_A.note,
    setting=Setting((A,), MEFT.weight, within=(FROZEN_FACTOR_B,)),
)

DIREFT = at_scale_1(
    LEMMA_1_SHARP.case(
        "meft.direft",
        "DiReFT with bias",
        "boundcheck; jiang2024, Eq. (3), as LoRA on $[h; 1]$: $A = [U_1 b]$, $B = U_2ᵀ$",
        {s: sp.Integer(1)},
    ),
    note="Lemma 1, sharp, with $W_0 = [I 0]$ and $k = d + 1$: the bias needs no approximation.",
)

DORA_DOMAIN = Claim(
    "meft.dora_domain",
    "Factors and magnitudes of DoRA in a ball",
    "boundcheck; Liu, Wang, Yin, Molchanov, Wang, Cheng and Chen 2024, Eq. (5)",
    sp.And(
        sp.Le(SpectralNorm(A), a),
        sp.Le(SpectralNorm(B), b),
        sp.Le(SpectralNorm(MatrixSymbol("Lambda_m", k, k)), mu),
    ),
    Quantifier(
        within=(
            r"\text{for } W = (W_0 + s B A) N^{-1} \Lambda_m, \; N \text{ and } \Lambda_m "
            r"\text{ diagonal, } N \text{ the norms of the columns of } W_0 + s B A, \; "
            r"w_0 \text{ the least of } W_0 \text{'s}"
        )
    ),
    note=(
        "Through the norms too, which DoRA's authors treat as constants in the gradient that they"
        " compute."
    ),
)
# The least norm of a column of W_0 + s B A, and what the columns' directions do with a change of
# (A, B).
_LEAST = w_0 - s * a * b
_TURN = LORA.expression("J") / _LEAST
_STRETCH = mu * _TURN
_BEND = 2 * mu * _TURN**2 / sp.sqrt(3) + s * mu / _LEAST
DORA = _composed(
    "meft.dora",
    "DoRA, by composition",
    DORA_DOMAIN,
    sp.Max(1, _STRETCH),
    _top(sp.Integer(0), _TURN, _BEND),
    ASSUMPTION_3_2,
    argument=(
        "$x/‖x‖$ has a derivative of norm $1/‖x‖$, at right angles to $x$, and a second one of norm"
        " $2/(√3‖x‖²)$; no column of $W_0 + sBA$ is shorter than $w_0 - sab$. $G$ bounds the"
        " Frobenius norm of the gradient here."
    ),
    conditions=(sp.Gt(w_0, s * a * b),),
    unproved=_NO_COLUMNS,
)
DORA_BLOCKS = _sharper(
    DORA,
    "meft.dora_blocks",
    "DoRA, by blocks",
    (L, G * _TURN, COMPOSITION.expression("Lhat").xreplace({J: _STRETCH, H: _BEND})),
    argument=(
        "The same bounds as a form in the norms of the magnitudes' change and of the factors'."
    ),
)

R, R1, R2 = (MatrixSymbol(name, r, d) for name in ("R", "R_1", "R_2"))
V, V1, V2 = (MatrixSymbol(name, r, k) for name in ("V", "V_1", "V_2"))
LOREFT_DOMAIN = Claim(
    "meft.loreft_domain",
    "LoReFT's R with orthonormal rows, its V in a ball",
    "boundcheck; Wu, Arora, Wang, Geiger, Jurafsky, Manning and Potts 2024, Eq. (2)",
    sp.And(sp.Eq(R1 * R1.T, R2 * R2.T), sp.Le(SpectralNorm(R), 1), sp.Le(SpectralNorm(V), nu)),
    Quantifier(
        within=(
            r"\text{for } W(R, V) = W_0 + R^T V, \; V = [U - R, b] \text{ where } W_0 = "
            r"[I, 0] \text{, and any two } R, \; R R^T = I"
        )
    ),
    note=(
        "Of orthonormal rows this is all that is used: every $R$ has the same $R Rᵀ$, and a norm of"
        " at most 1."
    ),
)


def tangent(slope: MatrixExpr) -> MatrixExpr:
    """The gradient in R on the manifold at R_1: without its part that is normal there."""
    return slope - (slope * R1.T + R1 * slope.T) * R1 / 2


def _descent(block: MatrixSymbol, move: MatrixExpr) -> sp.core.relational.Relational:
    """The descent inequality from v_1 to v_2 with the gradient on the manifold, in R and in another
    block.
    """
    in_r, in_block = (PartialGradient(F, v1, x) for x in (R, block))
    linear = InnerProduct(tangent(in_r), R2 - R1) + InnerProduct(in_block, move)
    return sp.Le(Value(F, v2) - Value(F, v1) - linear, Lhat / 2 * EuclideanNorm(v2 - v1) ** 2)


STIEFEL = Setting(
    (R, V),
    W0 + R.T * V,
    domain=(LOREFT_DOMAIN,),
    at_points=(GRADIENT_BOUND_IN_DOMAIN,),
)
LOREFT = _composed(
    "meft.loreft",
    "LoReFT, by composition",
    LOREFT_DOMAIN,
    sp.sqrt(1 + nu**2),
    _top(nu, sp.Integer(1), sp.Integer(0)),
    conclusion=_descent(V, V2 - V1),
    quantifier=Quantifier(
        within=r"\text{for } v_1 = (R_1, V_1), \; v_2 = (R_2, V_2) \text{ in the domain}"
    ),
    note=(
        "The descent inequality on the Stiefel manifold times a ball, with the Riemannian gradient."
        " -f has the same constants, so that it holds from below too; along a geodesic it then"
        " says, to second order, that the Riemannian Hessian of a twice differentiable F has this"
        " norm at most."
    ),
    setting=STIEFEL,
)
LOREFT_SHARP = _sharper(
    LOREFT, "meft.loreft_sharp", "LoReFT, sharp", (L * nu**2 + G * nu, L * nu + G, L)
)
UNTURNED = Claim(
    "meft.loreft_unturned",
    "R does not turn within its own rows",
    "boundcheck; at rank 1, where $R_1R_2ᵀ$ is a number",
    sp.Eq(R1 * R2.T, R2 * R1.T),
    Quantifier(within=r"\text{for any two } R \text{ of one row}"),
    note="At rank 1 it always holds. At a higher rank it is a condition on the two points.",
)
LOREFT_RANK_1 = _sharper(
    LOREFT,
    "meft.loreft_rank1",
    "LoReFT at rank 1, sharp",
    (L * nu**2 + G * nu, G, L),
    hypotheses=(*LOREFT.hypotheses, UNTURNED),
    conditions=(sp.Le(r, 1),),
    setting=replace(STIEFEL, at_points=(GRADIENT_BOUND_IN_DOMAIN, UNTURNED)),
)

# What pyreft trains is U and b, of which V is what is left after R.
U, U1, U2 = (MatrixSymbol(name, r, k) for name in ("U", "U_1", "U_2"))
EDITS = tuple(x - y * W0 for x, y in ((U, R), (U1, R1), (U2, R2)))
LOREFT_TRAINED_DOMAIN = Claim(
    "meft.loreft_trained_domain",
    "LoReFT's R with orthonormal rows, its edit in a ball",
    LOREFT_DOMAIN.source,
    sp.And(
        sp.Eq(R1 * R1.T, R2 * R2.T),
        sp.Le(SpectralNorm(R), 1),
        sp.Le(SpectralNorm(EDITS[0]), nu),
        sp.Le(SpectralNorm(W0), 1),
    ),
    Quantifier(
        within=(
            r"\text{for } W(R, U) = W_0 + R^T (U - R W_0) \text{, where } W_0 = [I, 0] "
            r"\text{ and } U \text{ holds pyreft's } [U, b]"
        )
    ),
)
LOREFT_TRAINED = _sharper(
    LOREFT,
    "meft.loreft_trained",
    "LoReFT in the parameters that pyreft trains",
    (L * (1 + nu) ** 2 + G * (3 + nu), L * (1 + nu) + G, L),
    conclusion=_descent(U, U2 - U1),
    quantifier=Quantifier(
        within=r"\text{for } v_1 = (R_1, U_1), \; v_2 = (R_2, U_2) \text{ in the domain}"
    ),
    hypotheses=(ASSUMPTION_1, LOREFT_TRAINED_DOMAIN, GRADIENT_BOUND_IN_DOMAIN),
    note=(
        "The same edit $h + Rᵀ(Uh + b - Rh)$ in $(R, [U, b])$: $R$ enters $W$ a second time, by"
        " $RᵀR$, and the constant is larger for it than in $(R, V)$, $V = [U - R, b]$."
    ),
    setting=Setting(
        (R, U),
        W0 + R.T * EDITS[0],
        domain=(LOREFT_TRAINED_DOMAIN,),
        at_points=(GRADIENT_BOUND_IN_DOMAIN,),
    ),
)

CLAIMS = (
    LIPSCHITZ,
    CHAIN_RULE,
    GRADIENT_BOUND_IN_DOMAIN,
    COMPOSITION,
    FULL,
    LORA,
    FROZEN_FACTOR_B,
    FROZEN_B,
    DIREFT,
    DORA_DOMAIN,
    DORA,
    DORA_BLOCKS,
    LOREFT_DOMAIN,
    LOREFT,
    LOREFT_SHARP,
    UNTURNED,
    LOREFT_RANK_1,
    LOREFT_TRAINED_DOMAIN,
    LOREFT_TRAINED,
)
