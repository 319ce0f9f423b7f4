"""The referee's table of jiang2024: each row names the lines of proofs that establish it."""

from boundcheck.prove.rows import Ref, Row

LEMMA_1, THEOREM_2 = "jiang2024.lemma1", "jiang2024.theorem2"


def printed(id: str, *labels: str) -> tuple[Ref, ...]:
    """Lines of the proof as printed."""
    return tuple(Ref(id, "printed", label) for label in labels)


def repaired(id: str, *labels: str) -> tuple[Ref, ...]:
    """Lines of the repaired proof; without lines its conclusion."""
    return tuple(Ref(id, "repaired", label) for label in labels or ("",))


def sharp(*ids: str) -> tuple[Ref, ...]:
    """The conclusions of sharp proofs."""
    return tuple(Ref(id, "sharp") for id in ids)


ROWS = (
    Row(
        1,
        "Assumptions 1 and 2",
        "$σ_1 ≤ σ$ on the iterates",
        "The descent lemma needs the segments between iterates. As membership of the ball, which is convex, the "
        "assumption covers them.",
        repair=repaired("jiang2024.assumption2.segment"),
    ),
    Row(
        2,
        "Assumption 3(1)",
        '$‖W_1 - W_2‖ ≤ C(‖ΔA‖ + ‖ΔB‖)$ "for any parameters"',
        "No $C$ satisfies it everywhere. On the ball it is no assumption: $C = σ$, and no smaller one. $C = √r·σ$ is "
        "loose by $√r$.",
        false=sharp("jiang2024.assumption3.1.anywhere"),
        repair=sharp("jiang2024.assumption3.1.on_ball", "jiang2024.assumption3.1.optimal"),
    ),
    Row(
        3,
        "Assumption 3(2)",
        "$‖∇_W f‖ ≤ G$",
        "Redundant on the ball, by Assumptions 1 and 2; everywhere it excludes least squares.",
        repair=sharp("jiang2024.assumption3.2.redundant", "jiang2024.assumption3.2.anywhere"),
    ),
    Row(
        4,
        "Lemma 1",
        '"for any given $v_1, v_2$ in $ℝ^m$"',
        "False off the ball. (And $v$ lies in $ℝ^n$.)",
        false=printed("jiang2024.lemma1.any_points", "(10), any v_1, v_2"),
        repair=repaired(LEMMA_1),
    ),
    Row(
        5,
        "Eq. (11)",
        "$‖(X, Y)‖ = ‖X‖_F + ‖Y‖_F$",
        "False for the Euclidean norm that (8) names.",
        false=printed(LEMMA_1, "(11)"),
        repair=repaired(LEMMA_1, "squares"),
    ),
    Row(
        6,
        "Eq. (11) to (13)",
        "$‖v_1 - v_2‖$ replaced by $‖ΔA‖ + ‖ΔB‖$ in a denominator",
        "The wrong direction, by up to $√2$.",
        false=printed(LEMMA_1, "(13), first ≤"),
        repair=repaired(LEMMA_1, "(10)"),
    ),
    Row(
        7,
        "Eq. (12)",
        '"Cauchy-Schwarz"',
        "True, by submultiplicativity. With $‖XY‖_F ≤ ‖X‖_op‖Y‖_F$ the $√r$ disappears.",
        holds=printed(LEMMA_1, "(12)", "(12), similarly"),
        repair=repaired(LEMMA_1, "without √r"),
    ),
    Row(
        8,
        "Lemma 1, Eq. (8)",
        "$2LC√r·σ + G$",
        "True, by a repaired proof, and not sharp: $2LCσ + G$, then $λ*$, which is $2Lσ² + G$ on the paper's ball.",
        repair=(
            *repaired(LEMMA_1),
            *sharp("meft.lemma1_sharp", "meft.lemma1_sharp_equal_radii", "meft.frozen_a", "meft.layers"),
        ),
    ),
    Row(
        9,
        "Eq. (18)",
        "$‖g‖² ≤ 2‖g - ∇f‖² + 2‖∇f‖²$",
        "True, and wasteful: in expectation it is an equation with factor 1.",
        holds=printed(THEOREM_2, "(18)"),
        repair=repaired(THEOREM_2, "variance"),
    ),
    Row(
        10,
        "Eq. (21) to (22)",
        "$+ L̂αζ²/2$",
        "An error of algebra, $2/α · L̂α²ζ²$ being $2L̂αζ²$. (22) is false; mended, the printed chain proves $4S$ and "
        "not $2.5S$.",
        false=printed(THEOREM_2, "(22)"),
        repair=printed(THEOREM_2, "(22), corrected", "(14), corrected"),
    ),
    Row(
        11,
        "Eq. (23) and (24)",
        "the sums of (22)",
        "False for constant $α ≤ 1/(2L̂)$, which is all that they use of $α$. For the printed $α$ they are true, by "
        "the repaired proof and not by the printed one.",
        false=printed("jiang2024.theorem2.any_step", "(23), any α", "(24), any α"),
        repair=printed(THEOREM_2, "(23)", "(24), second ≤"),
    ),
    Row(
        12,
        "Theorem 2, Eq. (9)",
        "$≤ 2.5S$",
        "True, by a repaired proof: $2S$; then $κS$ with $κ = 1.5/(1 - q/2)$; and $√2·S$ in the limit at the best step "
        "size.",
        repair=(
            *repaired(THEOREM_2, "", "constant 2"),
            *sharp("meft.theorem2_repaired", "meft.theorem2_best_step"),
        ),
    ),
    Row(
        13,
        "Convergence rate",
        "$O(r^(1/4) σ^(1/2) / T^(1/2))$",
        "Hides $r$ in $C$: with the paper's own $C = √r·σ$ the bound grows as $r^(1/2)$. With $λ*$ no $r$ is left in "
        "$L̂$.",
        false=sharp("jiang2024.rate.with_own_constant"),
        repair=sharp("jiang2024.rate.exponent", "meft.theorem2_repaired"),
    ),
    Row(14, "Training vs. fine-tuning", "$α ∝ r^(-1/4)$", "The same objection; and $r$ is not the size of the model."),
    Row(
        15,
        "Algorithm 1",
        "Result: $v_T$",
        "The guarantee is for the least of $T$ expectations, not for the last iterate. Return $v_τ$, with $τ$ uniform "
        'on $1, …, T$. (Input $v_0$ against $v_1$, and "epochs", which the proof counts as iterations.)',
        false=printed("jiang2024.algorithm1", "(14) of v_T"),
        repair=repaired(THEOREM_2, "Σ ≤ 2TL̂αζ²"),
    ),
    Row(
        16,
        "Unbiasedness",
        "$E[g] = ∇f$, of mini-batches drawn over an epoch",
        "The proof uses it given the past. Drawn without replacement, gradients are not unbiased given the past.",
        false=printed("jiang2024.unbiased.without_replacement", "E[g_t | past]"),
        repair=repaired(THEOREM_2, "given the past"),
    ),
    Row(
        17,
        "Problem formulation",
        "$f(v, θ_0)$ is coercive",
        "Unused: it is no hypothesis of any proof here. And impossible for $F$.",
        false=sharp("jiang2024.coercivity"),
    ),
    Row(
        19,
        "Section 3",
        "$b ≈ U_3h$",
        "For zero-mean $h$ the best $U_3$ is 0. Exact repair: on $[h; 1]$ DiReFT with its bias is LoRA.",
        false=(*printed("jiang2024.direft.recipe", "b ≈ U_3h"), *sharp("jiang2024.direft.bias")),
        repair=sharp("jiang2024.direft.exact"),
    ),
    Row(
        20,
        "Table 1",
        "$d$ input, $k$ output; $2dr$",
        "Dimensions swapped: $W$ in $ℝ^(d × k)$ acts on $ℝ^k$. With the bias $2dr + r$.",
    ),
    Row(
        21,
        "Training vs. fine-tuning",
        '"MeFT results in a worse convergence error bound"',
        "Does not follow: $L̂$ may be below $L$, and $ζ$ and $D$ differ too.",
        false=printed("jiang2024.training_against_fine_tuning", "L̂ ≥ L"),
    ),
    Row(
        22,
        "A.6",
        "MT-Bench, AdvBench",
        "Neither measures a gradient norm; and MT-Bench is multi-turn chat, not machine translation.",
    ),
)
