"""A formula in a text stands between dollars, and a name of the code between backticks: so a page
can typeset them."""

import re
from pathlib import Path

import pytest

from boundcheck.kernel import STANDARD_FACTS
from boundcheck.language import prose
from boundcheck.language.algorithms import ALGORITHMS
from boundcheck.language.catalogue import catalogue
from boundcheck.language.hypotheses import HYPOTHESES
from boundcheck.language.measures import MEASURES
from boundcheck.language.symbols import PARAMETERS
from boundcheck.present.section import sections
from boundcheck.proof.script import of_file, of_paper
from boundcheck.proofs import papers
from tests.judged import of_the_paper

ROOT = Path(__file__).parents[2]
# Signs that no words have, a letter with a script, and letters that code spells out.
_FORMULA = re.compile(
    r"[\^√‖≤≥∇⟨⟩=<>²³⁴ᵀ]|\|\||->"
    r"|(?<=\w)_(?=\w)|\b(?:sqrt|grad|alpha|beta|gamma|delta|zeta|eta|theta|kappa|lambda|mu|nu"
    r"|rho|sigma|tau|omega|Lhat)\b"
)


def bare(texts):
    """The texts in which something of a formula stands outside of dollars and backticks."""
    return [
        x
        for x in dict.fromkeys(texts)
        if _FORMULA.search(prose.joined(x, str, lambda _: "", lambda _: ""))
    ]


def of_claim(claim):
    yield from (claim.title, claim.source, claim.note, claim.argument, claim.unproved)
    yield from (each.meaning for each in (*claim.quantities, *claim.declared))


def of_script(script):
    yield script.title
    yield from (each.name for each in script.proof.assumptions)
    for step in script.proof.steps:
        yield from (step.label, step.meaning, step.witness.about if step.witness else "")


def of_report(paper):
    for row in getattr(paper.part("findings"), "ROWS", ()):
        for each in (row, *row.follows):
            readings = (under.reading for under in each.under)
            yield from (each.locator, each.printed, each.finding, each.mend, *readings)
    yield from (getattr(paper.part("report"), name, "") for name in ("TITLE", "LEAD"))
    # Titles of sections of templates are HTML.
    yield from (
        re.sub("<[^>]+>", "", f"{each.title}. {getattr(each, 'see', '')}")
        for each in sections((), [paper.folder])
    )


def test_what_is_said_in_the_package_has_formulas_between_dollars():
    words = (*ALGORITHMS.values(), *MEASURES.values(), *HYPOTHESES.values())
    assert bare(text for claim in catalogue.values() for text in of_claim(claim)) == []
    assert bare(parameter.meaning for parameter in PARAMETERS.values()) == []
    assert bare([*(each.title for each in words), *STANDARD_FACTS.values()]) == []
    assert bare(text for paper in papers().values() for text in of_report(paper)) == []
    texts = [
        text for script in of_file(ROOT / "proofs" / "template.py") for text in of_script(script)
    ]
    assert bare(texts) == []
    assert any("$" in text for text in texts)


@of_the_paper
@pytest.mark.parametrize(
    "key", [pytest.param(key, marks=[pytest.mark.full] * (key != "jiang2024")) for key in papers()]
)
def test_lines_of_proofs_have_formulas_between_dollars(key):
    assert bare(text for script in of_paper(key) for text in of_script(script)) == []


def test_what_is_a_formula_is_seen_and_words_are_none():
    for text in (
        "v_1 moves",
        "at most r^2",
        "sqrt(T)",
        "||W|| is",
        "a <= b",
        "at T = 8",
        "any sigma",
        "x -> y",
        "L²",
    ):
        assert bare([text]) == [text]
        assert bare([f"so ${text}$ is, by `eta_max`"]) == []
    assert (
        bare(["Theorem 2, Eq. (3): α is 1/2 at most.", "of L-smooth F", "by λ* and no other"]) == []
    )
