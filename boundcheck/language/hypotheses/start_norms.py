"""The norms of the factors at the start are at most a_1 and b_1."""

import sympy as sp

from boundcheck.language.claim import Statement
from boundcheck.language.hypotheses.base import Hypothesis
from boundcheck.language.hypotheses.evidence import Audit, Evidence, status_of, used
from boundcheck.language.symbols import a_1, b_1
from boundcheck.language.vocabulary import A_t, B_t, SpectralNorm, t


def _held(e: Evidence, id: str) -> list[Audit]:
    """A row for each factor whose norm the function tells; the limits are rounded up from these."""
    found = []
    for symbol in START_NORMS.symbols:
        norm, limit = e.start.norms.get(symbol.name.removesuffix("_1")), used(e, symbol.name)
        if norm is not None:
            how = "spectral norm at v_1"
            found.append(Audit(id, "constant", status_of(norm, limit), norm, limit, how, symbol.name))
    return found


_AT_THE_START = (sp.Le(SpectralNorm(x.xreplace({t: 1})), radius) for x, radius in ((A_t, a_1), (B_t, b_1)))
START_NORMS = Hypothesis(
    "start_norms",
    "the norms of the factors at the start",
    (a_1, b_1),
    says=(Statement(sp.And(*_AT_THE_START)),),
    held=_held,
)
