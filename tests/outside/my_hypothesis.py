"""A hypothesis of one's own, one file: F does not rise along the run."""

import sympy as sp

from boundcheck.exact.evaluate import t
from boundcheck.language.claim import Statement, for_all
from boundcheck.language.evidence import Audit, Evidence, status_of
from boundcheck.language.hypotheses import Hypothesis, Worst
from boundcheck.language.vocabulary import F, Value, v_t


def _held(evidence: Evidence, id: str) -> list[Audit]:
    trace = evidence.record.trace
    rise = float((trace["loss"].values[:, 1:] - trace["loss"].values[:, :-1]).max())
    slack = 2 * float(trace["loss_error"].values.max())
    how = f"the largest rise of F at {evidence.looks}"
    return [Audit(id, "hypothesis", status_of(rise, slack), rise, slack, how)]


SAID = Statement(sp.Le(Value(F, v_t.xreplace({t: t + 1})), Value(F, v_t)), for_all(t))
NO_RISE = Hypothesis("no_rise", "F does not rise", says=(SAID,), worst=Worst(), held=_held)
