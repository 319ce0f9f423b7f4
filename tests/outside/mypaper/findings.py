"""What a referee finds in the paper."""

from boundcheck.proof import Ref, Row

ROWS = (
    Row(1, "Lemma 1", "‖B_1 A_1‖ ≤ a‖A_1‖", "True.", repair=(Ref("mypaper.product", "repaired"),)),
)
