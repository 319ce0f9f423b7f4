"""The audit of a run that is to blame, and the words for it."""

import math

from boundcheck.exact.digits import Toward, shown
from boundcheck.experiment.schema import Blame
from boundcheck.language.evidence import Audit
from boundcheck.language.symbols import T


def blamed(audits: list[Audit], status: str) -> Blame | None:
    """The first of the audits with this status, in the order in which `audit` gives them; None where there is none."""
    for each in audits:
        if each.status == status and each.observed is not None and math.isnan(each.observed):
            return Blame("rounding", each.hypothesis, f"{each.hypothesis}: what was observed is no number ({each.how})")
        if each.status == status:
            name = each.symbol if each.guilt == "constant" else T.name if each.guilt == "horizon" else each.hypothesis
            return Blame(each.guilt, name, _sentence(each))
    return None


def _sentence(audit: Audit) -> str:
    if audit.status == "assumed":
        return f"{audit.symbol or audit.hypothesis} is not certified, and nothing seen contradicts it: {audit.how}"
    if audit.observed is None or audit.limit is None:
        return f"{audit.hypothesis}: {audit.how}"
    if audit.guilt == "horizon":
        observed, limit = audit.shown(_written, 6)
        return f"T = {observed}, where the theorem needs {audit.hypothesis} = {limit}"
    if audit.hypothesis == "step size":
        times = f"{audit.observed / audit.limit:.8g} times the prescribed {audit.limit:.8g}"
        return f"the step size was {audit.observed:.8g}, {times}"
    observed, limit = audit.shown(_written, 4)
    return f"{audit.hypothesis}: {observed} was seen where {limit} is the limit ({audit.how})"


def _written(value: float | None, digits: int, toward: Toward) -> str:
    return "nothing" if value is None else shown(value, digits, toward)
