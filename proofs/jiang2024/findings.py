"""The referee's table of jiang2024: each row names the lines of proofs that establish it.

What is true is said first. All rows are judged under one reading of the paper, see `reading`; a row
that depends on a choice has evidence under each reading, and is refuted only where it fails under
all.
"""

from boundcheck.proof import Ref, Row, Under

from .reading import (
    ANYWHERE,
    EACH_ALONE,
    EUCLIDEAN,
    EXAMPLE,
    GIVEN_THE_PAST,
    HIDDEN,
    IN_BALL,
    LEAST,
    SUM,
)

LEMMA_1, THEOREM_2 = "jiang2024.lemma1", "jiang2024.theorem2"
THEIR_C = "$C = √r·σ$"


def printed(id: str, *labels: str) -> tuple[Ref, ...]:
    """Lines of the proof as printed."""
    return tuple(Ref(id, "printed", label) for label in labels)


def repaired(id: str, *labels: str) -> tuple[Ref, ...]:
    """Lines of the repaired proof; without lines its conclusion."""
    return tuple(Ref(id, "repaired", label) for label in labels or ("",))


def sharp(*ids: str) -> tuple[Ref, ...]:
    """The conclusions of sharp proofs."""
    return tuple(Ref(id, "sharp") for id in ids)


def ends(name: str) -> tuple[Ref, ...]:
    """The proofs that something is at least, and at most, a constant times a power."""
    return sharp(f"jiang2024.rate.{name}.least", f"jiang2024.rate.{name}.most")


NOWHERE = sharp("jiang2024.assumption3.1.anywhere")
FALSE_22 = printed(THEOREM_2, "(22)")

ROWS = (
    Row(
        1,
        "Assumptions 1 and 2",
        '"For any $A$ and $B$ matrices induced by Algorithm 1", $max(σ_1(A), σ_1(B)) ≤ σ$',
        "The descent lemma needs the segments between iterates. As membership of the ball, which is"
        " convex, the assumption covers them.",
        repair=repaired("jiang2024.assumption2.segment"),
    ),
    Row(
        2,
        "Assumption 3(1)",
        '"There exists a constant $C > 0$ such that for any parameters $W_1, W_2, A_1, A_2, B_1,'
        ' B_2$, $‖W_1 - W_2‖_F ≤ C(‖A_1 - A_2‖_F + ‖B_1 - B_2‖_F)$"',
        "True on the ball of Assumption 2, where it is no assumption: $C = σ$ serves, and no"
        f" smaller one; the text's example {THEIR_C} is loose by $√r$. Of any parameters at all no"
        " $C$ satisfies it, however large.",
        under=(
            Under(IN_BALL, holds=sharp("jiang2024.assumption3.1.on_ball")),
            Under(ANYWHERE, fails=NOWHERE),
        ),
        mend='Read "any parameters" as any in the ball of Assumption 2.',
        about=sharp("jiang2024.assumption3.1.optimal"),
    ),
    Row(
        3,
        "Assumption 3(2)",
        '"the gradient of $f$ on $W$, $∇_W f$, is bounded above by a constant $G > 0$"',
        "Redundant on the ball, by Assumptions 1 and 2; everywhere it excludes least squares.",
        repair=sharp("jiang2024.assumption3.2.redundant", "jiang2024.assumption3.2.anywhere"),
    ),
    Row(
        4,
        "Lemma 1",
        '"for any given $v_1, v_2$ in $ℝ^m$"',
        "True on the ball, by the repaired proof. Outside nothing can be said: no instance meets"
        " Assumption 3(1) there (row 2). ($v$ lies in $ℝ^n$, as (4) says.)",
        within=(*repaired(LEMMA_1), *sharp("jiang2024.assumption3.1.anywhere")),
    ),
    Row(
        5,
        "Eq. (11)",
        # A formula breaks between dollars alone.
        "$‖∇f(v_1) - ∇f(v_2)‖_F$ $= ‖B_1ᵀ∇f(W_1) - B_2ᵀ∇f(W_2)‖_F$ $+ ‖∇f(W_1)A_1ᵀ -"
        ' ∇f(W_2)A_2ᵀ‖_F$, both over $‖v_1 - v_2‖_F$; and below (8): "where $‖·‖$ is Euclidean'
        ' norm"',
        "Valid with $‖(X, Y)‖ := ‖X‖_F + ‖Y‖_F$ on both sides, and so are (12) and (13). Then (8)"
        " follows in the Euclidean norm too, with the same constant, by one more line. For the"
        " Euclidean norm (11) itself is false.",
        under=(
            Under(SUM, holds=(Ref("jiang2024.lemma1.sum_of_norms", "sharp", "(11)"),)),
            Under(EUCLIDEAN, fails=printed(LEMMA_1, "(11)")),
        ),
        mend=(
            "Write the sum for the norm, and add: the Hessian of $F$ is symmetric, so its Euclidean"
            " norm is at most any operator norm. (In algebra: (12) bounds the blocks by a symmetric"
            " matrix with row sums $2LC√r·σ + G$.)"
        ),
        repair=sharp("jiang2024.lemma1.sum_of_norms", "jiang2024.lemma1.euclidean_norm"),
        follows=(
            Row(
                6,
                "Eq. (13), first $≤$",
                "the denominator $‖v_1 - v_2‖_F$ becomes $‖A_1 - A_2‖_F + ‖B_1 - B_2‖_F$",
                "The same norm once more. For the Euclidean one the wrong direction, by up to"
                " $√2$.",
                under=(
                    Under(
                        SUM, holds=(Ref("jiang2024.lemma1.sum_of_norms", "sharp", "(13), first ≤"),)
                    ),
                    Under(EUCLIDEAN, fails=printed(LEMMA_1, "(13), first ≤")),
                ),
                mend="As of (11).",
                repair=repaired(LEMMA_1, "(10)"),
            ),
        ),
    ),
    Row(
        7,
        "Eq. (12)",
        '"According to Triangle inequality and Cauchy-Schwartz inequality"',
        "True, by submultiplicativity. With $‖XY‖_F ≤ ‖X‖_op‖Y‖_F$ the $√r$ disappears.",
        holds=printed(LEMMA_1, "(12)", "(12), similarly"),
        repair=repaired(LEMMA_1, "without √r"),
    ),
    Row(
        8,
        "Lemma 1, Eq. (8)",
        "$2LC√r·σ + G$",
        "True, by a repaired proof, and not sharp: $2LCσ + G$, then $λ*$, which is $2Lσ² + G$ on"
        " the paper's ball.",
        repair=(
            *repaired(LEMMA_1),
            *sharp(
                "meft.lemma1_sharp", "meft.lemma1_sharp_equal_radii", "meft.frozen_a", "meft.layers"
            ),
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
        '"With some simple mathematical manipulations, the following inequality is obtained:"'
        " $E‖∇f(v_t)‖²$ $≤ 2E[f(v_t) - f(v_(t+1))]/α$ $+ L̂αζ²/2$",
        "(21) is true; (22) is false, by an error of algebra: $2/α · L̂α²ζ²$ is $2L̂αζ²$. Mended,"
        " the printed chain proves $4S$ and not $2.5S$.",
        under=(
            *(
                Under(reading, fails=FALSE_22)
                for reading in (IN_BALL, SUM, EUCLIDEAN, HIDDEN, LEAST, EXAMPLE)
            ),
            *(Under(reading, fails=FALSE_22) for reading in (GIVEN_THE_PAST, EACH_ALONE)),
            Under(ANYWHERE, empty=NOWHERE),
        ),
        mend=(
            "Write $2L̂αζ²$ for $L̂αζ²/2$, and $4S$ for $2.5S$ in (9); or keep (9), by another"
            " proof (row 12)."
        ),
        repair=printed(THEOREM_2, "(22), corrected", "(14), corrected"),
        follows=(
            Row(
                11,
                "Eq. (23) and (24)",
                '"Now we sum the above equation over 1 to $T$"',
                "True for the printed $α$, by the repaired proof and not as sums of (22). Of $α$"
                " these lines use $α ≤ 1/(2L̂)$ alone, which would not do.",
                repair=printed(THEOREM_2, "(23)", "(24), second ≤"),
                about=printed("jiang2024.theorem2.any_step", "(23), any α", "(24), any α"),
            ),
        ),
    ),
    Row(
        12,
        "Theorem 2, Eq. (9)",
        "$≤ 2.5S$",
        "True, by a repaired proof: $2S$; then $κS$ with $κ = 1.5/(1 - q/2)$; and $√2·S$ in the"
        " limit at the best step size.",
        repair=(
            *repaired(THEOREM_2, "", "constant 2"),
            *sharp("meft.theorem2_repaired", "meft.theorem2_best_step"),
        ),
    ),
    Row(
        13,
        "Convergence rate",
        '"the convergence rate has a correlation with the rank $r$ and the largest eigenvalue $σ$'
        ' of low-rank decomposition matrices, i.e.," $min_t E‖∇f(v_t)‖² ≤ O(r^(1/4) σ^(1/2) /'
        " T^(1/2))$",
        "Right in $T$, $r$ and $σ$ where $O(·)$ hides $C$ (and $√r·σ ≥ 1$). On the ball $C ≥ σ$,"
        " so that $C$ cannot be free of every $σ$: with $C = σ$ the bound grows as $r^(1/4)σ$, and"
        f" with the text's example {THEIR_C} as $r^(1/2)σ$. With $λ*$ no $r$ is left in $L̂$.",
        under=(
            Under(HIDDEN, holds=ends("hidden_constant")),
            Under(LEAST, fails=sharp("jiang2024.rate.any_constant")),
            Under(EXAMPLE, fails=sharp("jiang2024.rate.with_own_constant")),
        ),
        mend="Say that $C ≥ σ$, and that the exponents of $σ$ and $r$ in $C$ are hidden with it.",
        about=(*ends("least_constant"), *ends("own_constant"), *sharp("meft.theorem2_repaired")),
    ),
    Row(
        14,
        "Training vs. fine-tuning",
        '"the learning rate has now become dependent on the model size, $α ∝ r^(-1/4)$"',
        f"True for large $r$ where $C$ is hidden, and with $C = σ$; with {THEIR_C} it is"
        " $r^(-1/2)$. ($r$ is not the size of the model.)",
        under=(
            Under(HIDDEN, holds=ends("step_size.hidden_constant")),
            Under(LEAST, holds=ends("step_size.least_constant")),
            Under(EXAMPLE, fails=sharp("jiang2024.rate.step_size.with_own_constant")),
        ),
        mend="Say that $C$ is free of $r$, as $C = σ$ is.",
    ),
    Row(
        15,
        "Algorithm 1",
        '"Result: $v_T$"',
        "The theorem is about the least of $T$ expectations, and says nothing of $v_T$"
        " (`jiang2024.algorithm1` has a run on which the bound fails for it). To return $v_τ$, with"
        ' $τ$ uniform on $1, …, T$, would match. (Input $v_0$ against $v_1$; "epochs", which the'
        " proof counts as iterations.)",
    ),
    Row(
        16,
        "Unbiasedness",
        '"Sample a random mini-batch"; $g$ "is assumed to be an unbiased estimate"',
        "The text assumes what its proof needs, read as given the past. Of practice: minibatches"
        " drawn over an epoch without replacement are not unbiased given the past.",
        about=printed("jiang2024.unbiased.without_replacement", "E[g_t | past]"),
    ),
    Row(
        17,
        "Problem formulation",
        '"we assume $f$ is continuously differentiable, coercive, and bounded below"',
        "$f$ of $θ$ may be coercive. $F$ of $v$ never is; and no proof here uses it.",
        about=sharp("jiang2024.coercivity"),
    ),
    Row(
        18,
        "Assumption 2 and Theorem 2",
        '"matrices induced by Algorithm 1"; $α = √(D/(L̂ζ²T))$, $L̂ = 2LC√r·σ + G$',
        "Sound for runs that stay in the ball that $σ$ gave: $σ$ is fixed first, and Assumption 2"
        " is about the run. But $α$ depends on $σ$, and $σ$ has to bound the iterates that $α$"
        " makes, which no step size ensures. Noise without a bound, such as Gaussian, meets"
        " Assumption 4, and then no $σ$ bounds every run.",
        about=(*sharp("jiang2024.remarks.leaves_the_ball"), *ends("step_size.least_constant")),
    ),
    Row(
        19,
        "Section 3",
        '"A recipe to this is to approximate $b ≈ U_3h$"',
        "As a recipe it is anybody's choice. For zero-mean $h$ the best $U_3$ is 0"
        " (`jiang2024.direft.bias`); and none is needed, for with its bias DiReFT is LoRA exactly"
        " (row 24).",
    ),
    Row(
        20,
        "Table 1",
        "$d$: input dimension; $k$: output dimension; $2dr$",
        "The counts are right: $(d + k)r$, and $2dr$ without the bias, $2dr + r$ with it. The names"
        " are swapped: $W$ in $ℝ^(d × k)$ acts on $ℝ^k$.",
    ),
    Row(
        21,
        "Training vs. fine-tuning",
        '"Given the same initialization and variance, compared to training a model with full'
        ' parameters, MeFT results in a worse convergence error bound"',
        "True of the bounds if $√r ≥ 1/(2Cσ)$, which the text supposes below Lemma 1: at the same"
        " $D$ and $ζ$ the one with $L̂$ is no smaller. Without it $L̂$ may be below $L$. Of the"
        " methods it says nothing: the same minibatches do not give $g$ the same variance in $v$ as"
        " in $W$, and the two bounds are of two gradients (row 28).",
        within=sharp("jiang2024.remarks.worse_bound"),
        about=printed("jiang2024.training_against_fine_tuning", "L̂ ≥ L"),
    ),
    Row(
        22,
        "A.6",
        "MT-Bench, AdvBench",
        "Neither measures a gradient norm; and MT-Bench is multi-turn chat, not machine"
        " translation.",
    ),
    Row(
        23,
        "Eq. (2)",
        '"$Φ_LoReFT(h)$ can be deemed as a linear transformation on $h$ if we simplify Eq. 2 by'
        ' setting $b = 0$"',
        "True: it is $(I + Rᵀ(U - R))h$, which is row 24 with $U_2 = R$ and $U_1 = U - R$. With $b$"
        " it is affine.",
        holds=sharp("jiang2024.direft.exact"),
    ),
    Row(
        24,
        "Eq. (7)",
        '"By equating $W_0 = I$, $B = U_2ᵀ$, and $A = U_1$, we retain LoRA in DiReFT'
        ' mathematically"',
        "True, and $b = 0$ is not needed: on $[h; 1]$ DiReFT with its bias is LoRA, with $W_0 = [I"
        " 0]$ and $A = [U_1 b]$.",
        holds=sharp("jiang2024.direft.exact"),
    ),
    Row(
        25,
        "Section 3",
        '"the analysis techniques for the former can be extended to the latter"',
        "True in kind, and not free: the rows of $R$ are orthonormal, which $v - αg$ does not keep,"
        " so that smoothness is that of a manifold, with another constant (`meft.loreft_sharp`).",
    ),
    Row(
        26,
        "Assumption 2",
        "$0 < max(σ_1(A), σ_1(B))$",
        "It holds at the start, where $B_0 = 0$ and $A_0 ≠ 0$, and excludes $A = B = 0$ alone. No"
        " proof needs it: Lemma 1 holds there too.",
        about=repaired(LEMMA_1),
    ),
    Row(
        27,
        "LoRA, and Assumption 2",
        '"each element of $A_0$ is sampled from a Gaussian distribution", $N(0, σ²)$; $max(σ_1(A),'
        " σ_1(B)) ≤ σ$",
        "Two numbers with one letter, which may be read apart. As one number Assumption 2 fails at"
        " $t = 1$ with some probability, whatever $r$ and $k$ are; and $σ_1(A_0)²$ is at least"
        " $kσ²$ on average (and $σ_1(A_0)$ about $σ(√k + √r)$).",
        about=sharp("jiang2024.remarks.gaussian_start", "jiang2024.remarks.start"),
    ),
    Row(
        28,
        "Table 1",
        "Full model: $O(1/√T)$; MeFT: $O(√(r^(1/2)/T))$",
        "Each may stand for its own method. But the first is of $∇_W f$ and the second of $∇_v F$,"
        " which is 0 at $v = 0$ whatever $∇_W f$ is: that the one is small does not make the other"
        " small.",
        about=sharp("jiang2024.remarks.origin"),
    ),
    Row(
        29,
        "Convergence rate",
        '"the largest eigenvalue $σ$ of low-rank decomposition matrices"',
        "$A$ and $B$ are not square: it is the largest singular value, as in Assumption 2.",
    ),
    Row(
        30,
        "Below Lemma 1",
        '"with the low-rank decomposition and tuning both $A$ and $B$ yields a larger smoothness'
        ' constant if $√r ≥ 1/(2Cσ)$"',
        "True: $L̂ > L$ then.",
        holds=sharp("jiang2024.remarks.larger_constant"),
    ),
    Row(
        31,
        "Below Lemma 1",
        '"This can assist in convergence for the early phase of the optimization"',
        "It can, as the text says. No line shows that it does: a larger constant allows faster"
        " change, and causes none; and the bound (9), which is of the whole run, is no smaller with"
        " $L̂$ than with $L$.",
        about=sharp("jiang2024.remarks.worse_bound"),
    ),
    Row(
        32,
        "Convergence rate",
        '"a recent result [38] reporting an information-theoretic generalization bound shows the'
        ' similar relationship"',
        "Similar in that both bounds grow with $r$. Theirs is $r^(1/2)$, of a generalization gap;"
        f" this one is $r^(1/4)$, or $r^(1/2)$ with {THEIR_C}, of a gradient.",
        about=(*ends("hidden_constant"), *ends("least_constant"), *ends("own_constant")),
    ),
    Row(
        33,
        "A.6",
        '"These findings support our theoretical results"',
        "They do not contradict them. An upper bound that grows with $r$ does not say that what it"
        " bounds grows: the same quantity has a bound whose $L̂$ is free of $r$.",
        about=sharp("meft.lemma1_sharp_equal_radii", "meft.theorem2_repaired"),
    ),
    Row(
        34,
        "Convergence rate",
        '"the convergence rate with MeFT is" $O(√(1/T))$',
        "True, by the repaired proof of Theorem 2.",
        repair=repaired(THEOREM_2),
    ),
    Row(
        35,
        "Convergence rate",
        '"Both a good initialization and a large batch are able to reduce the convergence error'
        ' bound"',
        "True while $T ≥ 4L̂D/ζ²$, which the theorem asks for. There the bound is at least"
        " $5L̂D/T$, so that at a fixed $T$ a larger batch does not help beyond $ζ² = 4L̂D/T$.",
        within=sharp("jiang2024.remarks.smaller_bound", "jiang2024.remarks.least_bound"),
    ),
    Row(
        36,
        "Training vs. fine-tuning",
        '"If $r$ is extremely large, then $T$ is required to be large as well"',
        'True at "the same initialization and variance", as the paragraph has it: $T ≥ 4L̂D/ζ²$ is'
        " at least $8LC√r·σD/ζ²$.",
        holds=sharp("jiang2024.remarks.long_horizon"),
    ),
)
