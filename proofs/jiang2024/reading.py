"""How jiang2024 is read: each choice that its words leave open, and the readings of it that were
tried.

The first reading of each choice is the one under which all rows of the referee's table are judged.
A row that depends on a choice says which way it goes under each.
"""

from boundcheck.proof import Choice

IN_BALL = "any parameters in the ball of Assumption 2"
ANYWHERE = "any parameters at all"

SUM = "$‖(X, Y)‖ := ‖X‖_F + ‖Y‖_F$ in (11) to (13)"
EUCLIDEAN = "the Euclidean norm in (11) to (13), too"

HIDDEN = "$C$ is a constant that $O(·)$ and $∝$ hide, as $L$, $G$, $D$ and $ζ$"
LEAST = "$C ≥ σ$, as the ball forces it, is not hidden; the least is $σ$"
EXAMPLE = "$C = √r·σ$, the example of the text, is not hidden"

GIVEN_THE_PAST = "each mini-batch is drawn anew: $E[g_t] = ∇f(v_t)$ given the past"
EACH_ALONE = "$E[g_t] = ∇f(v_t)$ for each $t$ by itself"

CHOICES = (
    Choice(
        "Assumption 3(1), for which parameters",
        '"for any parameters"; Assumption 2: "For any $A$ and $B$ matrices induced by Algorithm 1",'
        " $max(σ_1(A), σ_1(B)) ≤ σ$. $W_i$ is $W_0 + B_iA_i$, as in Lemma 1.",
        (IN_BALL, ANYWHERE),
    ),
    Choice(
        "The norm of a pair, in the proof of Lemma 1",
        '(11) writes $‖·‖_F$ of a pair, and equates it with a sum of two norms; below (8): "where'
        ' $‖·‖$ is Euclidean norm". From (15) on the norm goes with $⟨·, ·⟩$, and is Euclidean.',
        (SUM, EUCLIDEAN),
    ),
    Choice(
        "The constant $C$, in the rate and in $α ∝ r^(-1/4)$",
        '"There exists a constant $C > 0$"; "$C$ can be quickly determined as $√r·σ$"; "one can set'
        ' a sufficiently large constant". No text says what $O(·)$ hides.',
        (HIDDEN, LEAST, EXAMPLE),
    ),
    Choice(
        "What a sample knows",
        '"Sample a random mini-batch $S$ from $D$"; "$∇f(v, θ_0) = E[g]$"',
        (GIVEN_THE_PAST, EACH_ALONE),
    ),
)
