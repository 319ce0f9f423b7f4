"""What the audits of runs need: how the letters of a claim are written."""

from functools import cache

from markupsafe import Markup

from boundcheck.claims import catalogue
from boundcheck.report.words import said, symbol


@cache
def letter(claim_id: str, name: str) -> Markup:
    """A parameter or a quantity of a claim as its formulas write it; of another name, the name."""
    claim = catalogue[claim_id]
    known = {x.name: x.symbol for x in claim.parameters} | {x.name: x.symbol for x in claim.quantities}
    return symbol(claim.latex(known[name])) if name in known else said(name)
