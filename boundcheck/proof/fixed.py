"""The fixed statements in the `statements.json` of papers, by the claim's id; `statements` writes them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from boundcheck.errors import InputError, raised
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.proofs import Paper, papers
from boundcheck.system.files import parse_json, read_text

WORLDS = "worlds.json"
"""The file of a paper that has exact instances of its claims; `boundcheck.properties.worlds` writes it."""


@dataclass(frozen=True)
class Fixed:
    """A claim's statement: the digest and the text of its conclusion, and the same of what it may start from.

    `broken` are the lines of its printed proof that an exact instance refutes: then its proof is another one.
    """

    conclusion: str
    text: str
    hypotheses: frozenset[str]
    given: tuple[str, ...]
    broken: tuple[str, ...] = ()


def fixed_statements() -> dict[str, Fixed]:
    """The statements of all papers, by id of the claim."""
    return {id: fixed for paper in papers().values() for id, fixed in _of_paper(paper).items()}


def is_fixed(claim: Claim) -> bool:
    """True if a proof of the claim must end in a fixed statement, and not in what its own script reads.

    This holds for every claim of a paper in `proofs/`; elsewhere for the claims in the paper's `statements.json`.
    """
    return is_ours(claim) or (claim.id in catalogue and claim.id in _of_paper(papers()[_key(claim)]))


def is_ours(claim: Claim) -> bool:
    """True for a claim of `proofs/`: people have read what it says to the kernel, even what no text of it says."""
    paper = papers().get(_key(claim))
    return claim.id in catalogue and (paper is None or paper.is_ours)


def has_instance(claim: Claim) -> bool:
    """True if the judge has accepted an instance of all that a claim of ours assumes; files of others do not count."""
    ours = (paper for paper in papers().values() if paper.is_ours)
    return is_ours(claim) and any(_instances(paper).get(claim.id) == claim.digest for paper in ours)


@cache
def _instances(paper: Paper) -> dict[str, str]:
    """The digests of the claims of which a paper has an instance, by id."""
    path = paper.folder / WORLDS
    found = parse_json(read_text(path)) if path.is_file() else {}
    return {id: str(each["claim"]) for id, each in found.items()}


def _key(claim: Claim) -> str:
    return claim.id.split(".")[0]


@cache
def _of_paper(paper: Paper) -> dict[str, Fixed]:
    """The statements that a paper fixes: in `proofs/` of any claim, elsewhere only of its own claims."""
    path = paper.folder / "statements.json"
    if not path.is_file():
        return {}
    try:
        found = {
            id: Fixed(
                str(entry["conclusion"]["digest"]),
                str(entry["conclusion"]["text"]),
                frozenset(str(each["digest"]) for each in entry["hypotheses"]),
                tuple(str(each["text"]) for each in entry["hypotheses"]),
                tuple(map(str, entry.get("broken", ()))),
            )
            for id, entry in parse_json(read_text(path)).items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        expected = f"a table as boundcheck.proof.statements writes it ({raised(error)})"
        raise InputError("statements", path, expected) from None
    return {id: fixed for id, fixed in found.items() if paper.is_ours or id.startswith(f"{paper.key}.")}
