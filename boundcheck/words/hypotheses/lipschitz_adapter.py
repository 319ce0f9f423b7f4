"""W is Lipschitz in its factors."""

from boundcheck.claims.symbols import C
from boundcheck.words.hypotheses.base import Hypothesis, Worst

LIPSCHITZ_ADAPTER = Hypothesis("lipschitz_adapter", "W is Lipschitz in its factors", (C,), worst=Worst())
