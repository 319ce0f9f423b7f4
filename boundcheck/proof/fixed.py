"""What the claims of `proofs/` say to the kernel, fixed in the `statements.json` of their papers.

People have read each of these statements beside its claim, and an entry is of this claim as it was
read: it has a digest of the claim, but for formulas and conditions, which are computed. A proof of
the claim ends in the fixed statement, and starts from what is fixed with it, whatever its script
calls its letters; `audit.write_statements` writes the files. What any other claim says to the
kernel is computed (`statement`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

import sympy as sp

from boundcheck.errors import InputError, raised
from boundcheck.kernel import Statement
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, declarations
from boundcheck.proof.reading import Reading, eq, gt
from boundcheck.proof.statement import own_letters
from boundcheck.proofs import Paper, papers
from boundcheck.system.files import parse_json, read_text

WORLDS = "worlds.json"
"""The file of a paper that has exact instances of its claims; `boundcheck.properties` writes it."""


@dataclass(frozen=True)
class Fixed:
    """A claim's statement: the digest and the text of its conclusion, and the same of what it may
    start from.

    `claim` is what `as_read` gives of the claim that was read, and `whole` its digest. `broken` are
    the lines of its printed proof that an exact instance refutes: then its proof is another one.
    """

    claim: str
    whole: str
    conclusion: str
    text: str
    hypotheses: frozenset[str]
    given: tuple[str, ...]
    broken: tuple[str, ...] = ()

    def objection(self, claim: Claim, ends: Statement, rests: Iterable[Statement]) -> str:
        """The reason why a theorem that ends in a statement and rests on others is not the claim's;
        empty if it is.
        """
        if as_read(claim) != self.claim:
            return f"what {claim.id} says to the kernel was fixed when it said something else"
        if digest(ends) != self.conclusion:
            return f"it does not end in {self.text}"
        own = own_statements(claim)
        for each in sorted(rests):
            if each not in own and digest(each) not in self.hypotheses:
                return f"it rests on {each}, which is not a hypothesis of the claim"
        return ""


def digest(statement: Statement) -> str:
    """A short hash of a statement."""
    return sha256(statement.key.encode()).hexdigest()[:32]


def as_read(claim: Claim) -> str:
    """A short hash of what people read of a claim: all but its formulas and its conditions."""
    algorithm = claim.algorithm
    equations = (*algorithm.beginning, *algorithm.recurrence) if algorithm else ()
    said = [claim.id, claim.quantifier.written(str), *map(sp.srepr, (claim.conclusion, *equations))]
    said += [each.digest for each in claim.hypotheses]
    return sha256("\n".join(said).encode()).hexdigest()[:32]


def own_statements(claim: Claim) -> set[Statement]:
    """The facts that the claim states without quantifiers: quantities, conditions, and that
    parameters are positive.
    """
    reading = Reading().having(own_letters(claim))
    derived = {each.symbol: eq(each.symbol, each.expression) for each in claim.quantities}
    signs = [
        gt(each.symbol, 0) for each in declarations(claim).values() if each.symbol not in derived
    ]
    return {
        fact
        for relation in (*derived.values(), *signs, *claim.conditions)
        for fact in reading.facts(relation)
    }


def fixed_statements() -> dict[str, Fixed]:
    """The statements of all papers of `proofs/`, by id of the claim."""
    return {
        id: fixed
        for paper in papers().values()
        if paper.is_ours
        for id, fixed in _of_paper(paper).items()
    }


def is_ours(claim: Claim) -> bool:
    """True for a claim of `proofs/`: people have read what it says to the kernel, even what no text
    of it says.
    """
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
def _of_paper(paper: Paper) -> dict[str, Fixed]:
    path = paper.folder / "statements.json"
    if not path.is_file():
        return {}
    try:
        return {
            id: Fixed(
                str(entry["claim"]),
                str(entry["whole"]),
                str(entry["conclusion"]["digest"]),
                str(entry["conclusion"]["text"]),
                frozenset(str(each["digest"]) for each in entry["hypotheses"]),
                tuple(str(each["text"]) for each in entry["hypotheses"]),
                tuple(map(str, entry.get("broken", ()))),
            )
            for id, entry in parse_json(read_text(path)).items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        expected = f"a table as boundcheck.proof.audit.write_statements writes it ({raised(error)})"
        raise InputError("statements", path, expected) from None
