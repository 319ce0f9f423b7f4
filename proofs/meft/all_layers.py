"""Any number of layers: what is proved of one of them is summed over all, which are numbered by t."""

from sympy import MatrixSymbol

from boundcheck.language.symbols import G, L, Lhat, a, b, s
from boundcheck.language.vocabulary import A, A_t, B, B_t, W, d, k, v1, v2
from boundcheck.proof import Process, Proof, Reading, ge, script

from ..jiang2024 import eigenvalue
from ..jiang2024.setting import defined
from ..jiang2024.variants import Layer, layer_bound
from .lora import ALL_LAYERS, EACH_LAYER_BALL, EACH_LAYER_GRADIENT, FAR_A, FAR_B, JOINT_DESCENT, LAYER_A, LAYER_B, SLOPE

MANY_LAYERS = Reading(
    processes={
        x: Process((block,))
        for x, block in zip(
            (A_t, B_t, FAR_A, FAR_B, SLOPE), (A, B, LAYER_A, LAYER_B, MatrixSymbol("M", d, k)), strict=True
        )
    },
    constants={v1, v2, *eigenvalue.CONSTANTS},
    arbitrary=eigenvalue.ARBITRARY,
)
ANY_LAYER = Layer(W, (A, B), (A_t, B_t), (FAR_A, FAR_B), G, (a, b), s, SLOPE)


@script(ALL_LAYERS, "sharp", MANY_LAYERS)
def all_layers(proof: Proof) -> None:
    """L‖ΔW‖² + 2s⟨M, ΔBΔA⟩ <= L̂(‖ΔA‖² + ‖ΔB‖²) at each layer, and so in sum."""
    signs = proof.positive(L, G, a, b, s)
    joint, inside, steep = map(proof.assume, (JOINT_DESCENT, EACH_LAYER_BALL, EACH_LAYER_GRADIENT))
    constant = defined(proof, Lhat)
    larger = proof.step("$L̂ ≥ λ*$", ge(Lhat, ANY_LAYER.top), constant)
    one = layer_bound(proof, ANY_LAYER, steep, inside, signs, eigenvalue.quadratic_form(proof), larger)
    line = proof.step(
        "all layers",
        proof.claim.conclusion,
        joint,
        proof.by.sum(one),
        meaning="Of $⟨M, ΔW⟩$ the linear part is that of $F$, and the rest is $s⟨M, ΔBΔA⟩$.",
    )
    proof.conclude(line)
