"""Which claims of `proofs/` are proved, and of which an exact instance is known: `proved.json` and
`worlds.json` of their papers.

What a claim says to the kernel is computed (`statement`), and its proof ends in that. An entry
records that there is one, so that a list of claims runs no proof; and by its digest it is of the
claim as it was then, which nobody's code has changed.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256

import sympy as sp

from boundcheck.errors import InputError, raised
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Setting
from boundcheck.proofs import Paper, papers
from boundcheck.system.files import parse_json, read_text

PROVED = "proved.json"
"""The file of a paper that says which of its claims are proved; `audit.write_record` writes it."""
WORLDS = "worlds.json"
"""The file of a paper that has exact instances of its claims; `boundcheck.properties` writes it."""


@dataclass(frozen=True)
class Record:
    """A claim that the kernel proves.

    Attributes:
        digest: of the claim, as `signature` has it.
        broken: the lines of its printed proof that an exact instance refutes: then its proof is
            another one.

    """

    digest: str
    broken: tuple[str, ...] = ()


def signature(claim: Claim) -> str:
    """A short hash of a claim with its setting."""
    said = [claim.digest]
    setting = claim.setting or Setting()
    for name, value in vars(setting).items():
        parts = value if isinstance(value, tuple) else (value,)
        said += [name, *(x.digest if isinstance(x, Claim) else sp.srepr(x) for x in parts)]
    return sha256("\n".join(said).encode()).hexdigest()[:32]


def records() -> dict[str, Record]:
    """The proved claims of all papers of `proofs/`, by id."""
    ours = (paper for paper in papers().values() if paper.is_ours)
    return {id: record for paper in ours for id, record in _of_paper(paper).items()}


def is_ours(claim: Claim) -> bool:
    """True for a claim of `proofs/`, which people have read."""
    paper = papers().get(claim.id.split(".")[0])
    return claim.id in catalogue and (paper is None or paper.is_ours)


def has_instance(claim: Claim) -> bool:
    """True if the judge has accepted an instance of all that a claim of ours assumes; files of
    others do not count.
    """
    ours = (paper for paper in papers().values() if paper.is_ours)
    return is_ours(claim) and any(_instances(paper).get(claim.id) == claim.digest for paper in ours)


@cache
def _instances(paper: Paper) -> dict[str, str]:
    """The digests of the claims of which a paper has an instance, by id."""
    path = paper.folder / WORLDS
    found = parse_json(read_text(path)) if path.is_file() else {}
    return {id: str(each["digest"]) for id, each in found.items()}


@cache
def _of_paper(paper: Paper) -> dict[str, Record]:
    path = paper.folder / PROVED
    if not path.is_file():
        return {}
    try:
        return {
            id: Record(str(entry["digest"]), tuple(map(str, entry.get("broken", ()))))
            for id, entry in parse_json(read_text(path)).items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        expected = f"a table as boundcheck.proof.audit.write_record writes it ({raised(error)})"
        raise InputError("proved", path, expected) from None
