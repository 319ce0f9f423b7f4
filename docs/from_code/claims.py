"""The catalogue of claims."""

from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.proof.audit import Carrier, carrier, counted
from boundcheck.proof.statement import statement
from boundcheck.proofs import papers
from from_code.markdown import block, definition, formula, prose, table

_CARRIED = {
    Carrier.KERNEL: "by the kernel, which replays a proof that ends in this statement",
    Carrier.SCRIPT: "by a script of its paper, which `boundcheck prove` judges",
    Carrier.BY_HAND: "by hand: no proof is there that the kernel could replay",
    Carrier.HYPOTHESIS: "by nothing, and nothing has to: theorems start from it",
    Carrier.NOTHING: "by nothing",
}


def count() -> str:
    """How many claims each carrier has."""
    rows = [(number, _CARRIED[by]) for by, number in counted(catalogue.values()).most_common()]
    return table(("claims", "carried"), rows)


def listed() -> str:
    """A row for each claim."""
    rows = [
        (f"[{id}](#{id})", prose(claim.title), str(carrier(claim)))
        for id, claim in catalogue.items()
    ]
    return table(("id", "title", "carried by"), rows)


def whole() -> str:
    """Each claim with everything that it says, paper by paper."""
    parts = []
    for key, paper in papers().items():
        parts += [f"## {key}", *map(_claim, paper.claims())]
    return "\n\n".join(parts)


def _claim(claim: Claim) -> str:
    by = carrier(claim)
    hypotheses = ", ".join(
        f"[{prose(each.title)}](#{each.id})" for each in claim.hypotheses if each.id in catalogue
    )
    said = definition(
        (
            ("Source", prose(claim.source)),
            ("Under", hypotheses),
            ("Note", prose(claim.note)),
            ("Carried", _CARRIED[by]),
            ("Argument", prose(claim.argument)),
            ("Why no proof", prose(claim.unproved)),
        )
    )
    where = "".join(formula(each) for each in claim.definitions_latex)
    letters = [
        (f"${claim.latex(p.symbol)}$", f"`{p.name}`", prose(p.meaning)) for p in claim.parameters
    ]
    numbers = table(("letter", "typed", "meaning"), letters) if letters else ""
    proved = ""
    if by is Carrier.KERNEL:
        told = (
            f"What the kernel proves; `boundcheck prove {claim.id}` prints from which hypotheses:"
        )
        proved = f"{told}\n\n{block(str(statement(claim).conclusion), 'none')}"
    says = formula(claim.statement_latex)
    return "\n\n".join(
        (
            f"({claim.id})=\n### {prose(claim.title)}\n\n`{claim.id}`",
            says,
            where,
            numbers,
            said,
            proved,
        )
    )
