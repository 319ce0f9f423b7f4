"""What a hypothesis from outside says of a run is a row under its own id, whose status its numbers
bear out."""

from dataclasses import replace

import pytest

import boundcheck as bc
from boundcheck.functions.adapters import Full
from boundcheck.language.catalogue import catalogue
from boundcheck.language.evidence import Audit
from boundcheck.language.hypotheses import BALL, Hypothesis
from tests.experiment.small import refused
from tests.outside.my_hypothesis import SAID
from tests.outside.my_theorem import BELOW, HALVED_DESCENT
from tests.outside.specs import OBJECTIVE

RUN = {
    "problem": {"kind": OBJECTIVE, "seed": 3},
    "adapter": {"kind": "full"},
    "run": {"steps": 40, "audits": 40},
}
ID = "outer.told"


def told(word):
    """The theorem with one hypothesis more."""
    hypothesis = word.claim(ID, "what is told", "mine")
    return replace(
        HALVED_DESCENT, id="outer.telling", hypotheses=(*HALVED_DESCENT.hypotheses, hypothesis)
    )


def telling(rows):
    """A run whose hypothesis says these rows."""
    return RUN | {
        "claim": told(
            Hypothesis("told", "what is told", says=(SAID,), held=lambda evidence, id: rows(id))
        )
    }


def row(id, status="held", observed=0.0, guilt="hypothesis", error=0.0):
    return Audit(id, guilt, status, observed, 1.0, "it is told", error=error)


@pytest.mark.parametrize(
    "table, status, verdict",
    [
        (telling(lambda id: []), "assumed", "inconclusive"),
        (RUN | {"claim": told(BALL)}, "held", "supported"),
    ],
    ids=["what says nothing is assumed", "a ball is held where none is needed"],
)
def test_a_hypothesis_has_a_row(table, status, verdict, tmp_path):
    (result,) = bc.measure(table, tmp_path)
    assert {each.hypothesis: each.status for each in result.audit}[ID] == status
    assert result.verdict.plain == verdict, result.reason


@pytest.mark.parametrize(
    "rows",
    [
        lambda id: [row("something else")],
        lambda id: [row(id), row(id, observed=2.0)],
        lambda id: [row(id, "assumed", observed=float("nan"))],
        lambda id: [row(id, observed=0.5, guilt="horizon")],
        lambda id: [row(id, observed=2.0, error=0.5)],
        lambda id: [row(id, "fail", observed=2.0)],
        lambda id: [row(id, guilt="nobody")],
        lambda id: ["held"],
    ],
    ids=[
        "another id",
        "beyond",
        "no number",
        "below a horizon",
        "beyond its error",
        "status",
        "guilt",
        "no row",
    ],
)
def test_a_row_that_is_not_what_it_says_is_refused(rows, tmp_path):
    assert ID in str(refused(bc.measure, telling(rows), tmp_path))


@pytest.mark.parametrize(
    "rows",
    [
        lambda id: [row(id, observed=1.5, error=0.5)],
        lambda id: [row(id, observed=2.0, guilt="horizon")],
    ],
)
def test_what_is_within_its_limit_is_held(rows, tmp_path):
    (result,) = bc.measure(telling(rows), tmp_path)
    assert result.verdict.plain == "supported", result.reason


def test_a_hypothesis_without_a_word_of_a_claim_about_an_adapter_is_assumed(tmp_path, monkeypatch):
    full = catalogue["meft.full"]
    bare = replace(
        full, id="outer.bare", hypotheses=(*full.hypotheses, replace(BELOW, id=ID, word=None))
    )
    monkeypatch.setitem(catalogue._opened, bare.id, bare)
    monkeypatch.setattr(Full, "claims", (bare.id,))
    (result,) = bc.measure(RUN | {"claim": HALVED_DESCENT}, tmp_path)
    assert {each.hypothesis: each.status for each in result.audit}[ID] == "assumed"
