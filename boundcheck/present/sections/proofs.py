"""The words at the beginning, the proofs, the claims and what their formulas say of the rank, and
the end of a page.
"""

from collections.abc import Iterator

from boundcheck.language import view
from boundcheck.language.claim import Claim
from boundcheck.language.hypotheses import LARGER, LEAST
from boundcheck.language.sentence import algorithm_of, measure_of, word_of
from boundcheck.language.view import Anchor, Badge, Code, Part, Prose, line, numeric, paragraph
from boundcheck.present.material import Material, placed
from boundcheck.present.words import rank_exponent, takes_c
from boundcheck.proof.audit import counted, told
from boundcheck.proof.view import referee_table

_NETWORKS = """One thing on this page is certified: f* ≥ 0, because a cross-entropy is never
negative, so that the gap F(v₁) − f* is at most D = F(v₁){sampled}. Everything else is measured
along the run, an estimate and no bound: nobody knows the smoothness of a network, and a number seen
at some iterates may be exceeded at others. So no run here is called supported or violated. A run is
outside the theorem's assumptions where something that the theorem rests on was seen to fail,
uninformative where its bound says no more than the gradient at v₁ did, and else inconclusive: at
the constants that were seen the bound says something, but these are not known to hold."""
_SAMPLED = (
    ", which of a Trainer's run is itself an estimate, from the samples that the callback drew"
)
_PROOFS = """Three kinds of evidence stand side by side. A proof establishes a line when a small
kernel replays it, and refutes one by an exact instance in which every hypothesis holds and the line
is false. An attack can refute a claim by a certified instance, and else shows how tight it is. A
measurement can support a claim or violate it at a stated level. Neither of these two can prove
one."""
_MEASUREMENTS = """This page holds measurements. A measurement can support a claim or violate it at
a stated level; it cannot prove one."""
_COUNTS = """A run counts for a theorem only after every hypothesis has been held against it, and
only where the bound says something that was not known without it."""


@placed(0, "")
def opening(material: Material) -> Iterator[Part]:
    if material.networks:
        yield paragraph(_NETWORKS.format(sampled=_SAMPLED if material.by_callback else ""))
    else:
        yield paragraph(_PROOFS if material.proofs else _MEASUREMENTS)
        yield paragraph(_COUNTS)


@placed(100, "Referee's table")
def referee(material: Material) -> Iterator[Part]:
    """Each row holds what the paper prints at one place against what is proved of it: open a row to
    see the lines.
    """
    yield from referee_table(material.proofs.rows if material.proofs else ())


@placed(140, "The proofs, line by line")
def line_by_line(material: Material) -> Iterator[Part]:
    """Open a proof to see what it proves and each of its lines, with the verdict on it and the
    evidence behind that.
    """
    if not material.proofs:
        return
    yield paragraph(
        "Trust `kernel`: the kernel replayed the line's derivation. `assumed`: the line is itself"
        " an instance of one of these standard facts, the only ones used."
    )
    yield view.Points(
        tuple(line(Code(name), Prose(said)) for name, said in material.proofs.facts.items())
    )
    for proof in material.judged:
        shown, script = proof.view(), proof.script
        name = (
            Prose(f"“{script.title}”"),
            Anchor(Code(script.id), f"proof-{script.id}-{script.version}"),
            Prose(script.called),
            Badge(proof.verdict),
        )
        yield view.Fold(
            line(*name, Prose(proof.reason)), (*shown.lines, *shown.parts), is_for_paper=True
        )


@placed(900, "The claims")
def claims(material: Material) -> Iterator[Part]:
    """Every claim that this page speaks of, in formulas, with what carries it."""
    if not material.claims:
        return
    counts = ", ".join(f"{by} {count}" for by, count in counted(material.claims).most_common())
    yield paragraph(f"Proofs of these claims: {counts}.")
    yield from map(claim_view, material.claims)


def claim_view(claim: Claim) -> view.View:
    """A claim with its formulas, and what it is made of."""
    parts: list[Part] = [paragraph(f"{claim.source}. {claim.note}".strip())]
    parts.append(paragraph(f"Proof: {told(claim)}. {claim.unproved}".strip()))
    parts += [
        line(view.Math(latex, apart=True))
        for latex in (claim.statement_latex, *claim.definitions_latex)
    ]
    if measure := measure_of(claim):
        parts.append(paragraph(f"It bounds the {measure.title}."))
    if algorithm := algorithm_of(claim):
        parts.append(paragraph(f"Algorithm: {algorithm.title}."))
        parts += [line(view.Math(claim.latex(each), apart=True)) for each in algorithm.recurrence]
    points = []
    for each in claim.hypotheses:
        word = word_of(each)
        # The title of its word, if its own title does not say that.
        called = f"({word.title})" if word and word.title.lower() not in each.title.lower() else ""
        points.append(line(Prose(each.title), Code(each.id), Prose(called)))
    if points:
        parts += [paragraph("Hypotheses:"), view.Points(tuple(points))]
    return view.View(claim.title, claim.id, parts=tuple(parts))


_EXPONENTS = """Exponent p of r in each bound as r grows, all else fixed: the limit of
$r ∂_r log$(bound), by algebra on the claim's own expression."""
_CHOICES = (("a constant free of r", None), ("σ", LEAST), ("√r σ", LARGER))


@placed(500, "What the formulas say of the rank")
def exponents(material: Material) -> Iterator[Part]:
    """The power of the rank in each bound, by algebra."""
    if material.networks or not has_rank(material):
        return
    rows = [
        (claim.title, words, str(rank_exponent(claim, lipschitz)))
        for claim in material.claims
        if "bound" in claim.names
        for words, lipschitz in (_CHOICES if takes_c(claim) else (("–", None),))
    ]
    if rows:
        yield view.Table(("Claim", "C stands for", numeric("p")), rows, _EXPONENTS, most=None)


def has_rank(material: Material) -> bool:
    """True if a run has an adapter of some rank, or if there are no runs."""
    return not material.runs or any(run.rank is not None for run in material.runs)


@placed(990, "To run it again")
def again(material: Material) -> Iterator[Part]:
    """The command that makes this page, and on what it was made."""
    yield line(Code(material.command))
    if material.by_callback:
        yield paragraph("A Trainer's run itself is made again by its training script.", "small")
    for environment in material.environments:
        yield view.Table(tuple(environment), [[Code(str(value)) for value in environment.values()]])
