"""The words at the beginning of a page, and the command that makes the page again."""

from collections.abc import Iterator

from boundcheck.language.view import Code, Part, Table, line, paragraph
from boundcheck.present.section import Material, placed

_NETWORKS = """One thing on this page is certified: f* ≥ 0, because a cross-entropy is never negative, so that the gap
F(v₁) − f* is at most D = F(v₁){sampled}. Everything else is measured along the run, an estimate and no bound: nobody
knows the smoothness of a network, and a number seen at some iterates may be exceeded at others. So no run here is
called supported or violated. A run is hypothesis-failed where something that the theorem rests on was seen to fail,
uninformative where its bound says no more than the gradient at v₁ did, and else inconclusive: at the constants that
were seen the bound says something, but these are not known to hold."""
_SAMPLED = ", which of a Trainer's run is itself an estimate, from the samples that the callback drew"
_PROOFS = """Three kinds of evidence stand side by side. A proof establishes a line when a small kernel replays it, and
refutes one by an exact instance in which every hypothesis holds and the line is false. An attack can refute a claim by
a certified instance, and else shows how tight it is. A measurement can support a claim or violate it at a stated level.
Neither of these two can prove one."""
_MEASUREMENTS = """This page holds measurements. A measurement can support a claim or violate it at a stated level; it
cannot prove one."""
_COUNTS = """A run counts for a theorem only after every hypothesis has been held against it, and only where the bound
says something that was not known without it."""


@placed(0, "")
def opening(material: Material) -> Iterator[Part]:
    if material.networks:
        yield paragraph(_NETWORKS.format(sampled=_SAMPLED if material.by_callback else ""))
    elif not material.is_of_boundcheck:
        yield paragraph(_PROOFS if material.proofs else _MEASUREMENTS)
        yield paragraph(_COUNTS)


@placed(990, "To run it again", "The command that makes this page, and on what it was made.")
def again(material: Material) -> Iterator[Part]:
    if material.is_of_boundcheck:
        return
    yield line(Code(material.command))
    if material.by_callback:
        yield paragraph("A Trainer's run itself is made again by its training script.", "small")
    for environment in material.environments:
        yield Table(tuple(environment), [[Code(str(value)) for value in environment.values()]])
