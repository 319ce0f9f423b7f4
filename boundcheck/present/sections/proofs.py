"""Proofs: the referee's table, the proofs line by line, the claims, and what their formulas say of the rank."""

from collections.abc import Iterator

from boundcheck.language.claim import Claim
from boundcheck.language.hypotheses import LARGER, LEAST
from boundcheck.language.sentence import algorithm_of, measure_of, word_of
from boundcheck.language.view import (
    Badge,
    Code,
    Fold,
    Line,
    Math,
    Part,
    Points,
    Prose,
    Table,
    View,
    line,
    numeric,
    paragraph,
)
from boundcheck.present.section import Material, placed
from boundcheck.present.words import rank_exponent, takes_c
from boundcheck.proof.audit import counted, told
from boundcheck.proof.verdict import JudgedProof
from boundcheck.proof.view import referee_table

_REFEREE = (
    "Each row holds what the paper prints at one place against what is proved of it: open a row to see the lines."
)


@placed(100, "Referee's table", _REFEREE)
def referee(material: Material) -> Iterator[Part]:
    yield from referee_table(material.proofs.rows if material.proofs else ())


@placed(
    140,
    "The proofs, line by line",
    "Open a proof to see what it proves and each of its lines, with the verdict on it and the evidence behind that.",
)
def line_by_line(material: Material) -> Iterator[Part]:
    if not material.proofs:
        return
    yield paragraph(
        "Trust `kernel`: the kernel replayed the line's derivation. `assumed`: the line is itself an instance of one "
        "of these standard facts, the only ones used."
    )
    yield Points(tuple(line(Code(name), Prose(said)) for name, said in material.proofs.facts.items()))
    yield from (_proof(proof) for claim in material.proofs.claims for proof in claim.proofs)


def _proof(proof: JudgedProof) -> Fold:
    view = proof.view()
    name = Prose(f"“{proof.script.title}”"), Code(proof.script.id), Prose(proof.script.called), Badge(proof.verdict)
    return Fold(line(*name, Prose(proof.reason)), (*view.lines, *view.parts), is_for_paper=True)


@placed(900, "The claims", "Every claim that this page speaks of, in formulas, with what carries it.")
def claims(material: Material) -> Iterator[Part]:
    if not material.claims or material.survey:
        return
    counts = ", ".join(f"{by} {count}" for by, count in counted(material.claims).most_common())
    yield paragraph(f"Proofs of these claims: {counts}.")
    yield from map(claim_view, material.claims)


def claim_view(claim: Claim) -> View:
    """A claim with its formulas, and what it is made of."""
    return View(claim.title, claim.id, parts=tuple(_claim(claim)))


def _claim(claim: Claim) -> Iterator[Part]:
    yield paragraph(f"{claim.source}. {claim.note}".strip())
    yield paragraph(f"Proof: {told(claim)}. {claim.unproved}".strip())
    yield from (line(Math(latex, apart=True)) for latex in (claim.statement_latex, *claim.definitions_latex))
    if measure := measure_of(claim):
        yield paragraph(f"It bounds the {measure.title}.")
    if algorithm := algorithm_of(claim):
        yield paragraph(f"Algorithm: {algorithm.title}.")
        yield from (line(Math(claim.latex(each), apart=True)) for each in algorithm.recurrence)
    if claim.hypotheses:
        yield paragraph("Hypotheses:")
        yield Points(tuple(map(_hypothesis, claim.hypotheses)))


def _hypothesis(claim: Claim) -> Line:
    """A hypothesis: its title, its id, and the title of its word if its own title does not say that."""
    word = word_of(claim)
    called = f"({word.title})" if word and word.title.lower() not in claim.title.lower() else ""
    return line(Prose(claim.title), Code(claim.id), Prose(called))


_EXPONENTS = """Exponent p of r in each bound as r grows, all else fixed: the limit of $r ∂_r log$(bound), by algebra on
the claim's own expression."""
_CHOICES = (("a constant free of r", None), ("σ", LEAST), ("√r σ", LARGER))


@placed(500, "What the formulas say of the rank", "The power of the rank in each bound, by algebra.")
def exponents(material: Material) -> Iterator[Part]:
    if material.networks or not has_rank(material):
        return
    rows = [
        (claim.title, words, str(rank_exponent(claim, lipschitz)))
        for claim in material.claims
        if "bound" in claim.names
        for words, lipschitz in (_CHOICES if takes_c(claim) else (("–", None),))
    ]
    if rows:
        yield Table(("Claim", "C stands for", numeric("p")), rows, _EXPONENTS, most=None)


def has_rank(material: Material) -> bool:
    """True if a run has an adapter of some rank, or if there are no runs."""
    return not material.runs or any(run.rank is not None for run in material.runs)
