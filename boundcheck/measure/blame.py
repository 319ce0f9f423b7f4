"""Who is to blame where a run is no evidence for its theorem, or the bound lies below what was measured.

hypothesis   one that the theorem rests on and the run broke
constant     one that the run contradicts, or that nothing vouches for
horizon      too few iterations for the theorem to speak, or to say anything new
statistics   too few replicas or audits to tell
rounding     floating point cannot tell
claim        none of these: the statement itself
"""

import math
from dataclasses import dataclass
from typing import Literal

from boundcheck.measure.audit import Audit

Kind = Literal["hypothesis", "constant", "horizon", "statistics", "rounding", "claim"]


@dataclass(frozen=True)
class Blame:
    """Who is to blame.

    Attributes:
        kind: one of the six.
        name: the hypothesis by its id, the constant by its symbol, ``T``, what was too few, or the claim by its id.
        evidence: why, in one sentence.

    """

    kind: Kind
    name: str
    evidence: str


def blamed(audits: list[Audit], status: str) -> Blame | None:
    """The first of the audits with this status, in the order in which `audit` gives them; None where there is none."""
    for each in audits:
        if each.status == status and each.observed is not None and math.isnan(each.observed):
            return Blame("rounding", each.hypothesis, f"{each.hypothesis}: what was observed is no number ({each.how})")
        if each.status == status:
            name = each.symbol if each.guilt == "constant" else "T" if each.guilt == "horizon" else each.hypothesis
            return Blame(each.guilt, name, _sentence(each))
    return None


def _sentence(audit: Audit) -> str:
    if audit.status == "assumed":
        return f"{audit.symbol or audit.hypothesis} is not certified, and nothing seen contradicts it: {audit.how}"
    if audit.observed is None or audit.limit is None:
        return f"{audit.hypothesis}: {audit.how}"
    if audit.guilt == "horizon":
        return f"T = {audit.observed:.6g}, where the theorem needs {audit.hypothesis} = {audit.limit:.6g}"
    if audit.hypothesis == "step size":
        times = f"{audit.observed / audit.limit:.8g} times the prescribed {audit.limit:.8g}"
        return f"the step size was {audit.observed:.8g}, {times}"
    return f"{audit.hypothesis}: {audit.observed:.4g} was seen where {audit.limit:.4g} is the limit ({audit.how})"
