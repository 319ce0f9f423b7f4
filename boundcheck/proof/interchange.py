"""The certificates of a proof as plain data, for a reader that knows nothing of the kernel.

`proofs/check_certificates.py` is such a reader, and says what each field means. To it two atoms with one text are one
atom, so a certificate in which a name stands for two things is not written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from boundcheck.kernel import Fact, Statement, Theorem
from boundcheck.kernel.facts import derivation
from boundcheck.language.prose import plain
from boundcheck.proof.display import Display
from boundcheck.proof.letters import letters
from boundcheck.proof.verdict import JudgedProof


def certificates(proof: JudgedProof) -> Iterator[dict[str, Any]]:
    """Every certificate in the derivations of a proof's lines and of its conclusion, premises first.

    Raises:
        InputError: if a name stands for two things in a certificate.

    """
    steps = [judged.step for judged in proof.steps]
    asked = [step.inference.theorem for step in steps if step.inference is not None]
    ends = [*(step.theorem for step in steps), *asked, proof.script.proof.conclusion]
    labels: dict[Statement, str] = {}
    for step in steps:
        labels.setdefault(step.theorem.conclusion, plain(step.label))
    found = [x for x in derivation(x for x in ends if x is not None) if x.rule == "certificate"]
    for number, theorem in enumerate(found, start=1):
        where = {"claim": proof.script.id, "version": proof.script.version, "number": number}
        yield where | {"line": labels.get(theorem.conclusion, "")} | certificate_as_json(theorem)


def certificate_as_json(theorem: Theorem) -> dict[str, Any]:
    """A theorem by certificate as plain data; raises InputError if a name stands for two things in it."""
    goal, terms, multipliers, factor = theorem.arguments
    premises = [premise.conclusion for premise in theorem.premises]
    polynomials = [*(root for squares, _ in terms for _, root in squares), *(each for each, _ in multipliers)]
    table = letters([goal, *premises, *(Fact("=", polynomial) for polynomial in polynomials)])
    return {
        "letters": Display((), (), table).told,
        "goal": str(goal),
        "premises": list(map(str, premises)),
        "factor": _places(factor),
        "terms": [
            {"weight": str(weight), "square_of": str(root), "premises": _places(places)}
            for squares, places in terms
            for weight, root in squares
        ],
        "multipliers": [{"polynomial": str(each), "premise": place + 1} for each, place in multipliers],
    }


def _places(places: tuple[int, ...]) -> list[int]:
    """Places counted from 1."""
    return [place + 1 for place in places]
