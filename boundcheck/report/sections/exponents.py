"""The exponent of the rank in each bound, by algebra on the claim's own expression."""

from boundcheck.claims import Claim
from boundcheck.report.section import Material
from boundcheck.report.words import rank_exponent, takes_c
from boundcheck.words.hypotheses.lipschitz_adapter import LARGER, LEAST

_CHOICES = (("a constant free of r", None), ("σ", LEAST), ("√r σ", LARGER))


def has_rank(material: Material) -> bool:
    """Whether a run has an adapter of some rank, or there are none that could have."""
    return not material.runs or any(run.rank is not None for run in material.runs)


def rank_exponents(claims: list[Claim]) -> list[dict[str, str]]:
    """For each claim with a bound, and each meaning of C where it takes one, the exponent."""
    rows = []
    for claim in claims:
        if "bound" in claim.names:
            for words, lipschitz in _CHOICES if takes_c(claim) else (("–", None),):
                exponent = str(rank_exponent(claim, lipschitz))
                rows.append({"title": claim.title, "lipschitz": words, "exponent": exponent})
    return rows
