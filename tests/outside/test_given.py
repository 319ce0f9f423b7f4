"""What nobody proves is named in each verdict that rests on it, wherever that is shown: `supported,
given …`."""

import json
import pickle
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import boundcheck as bc
from boundcheck.experiment.result import read
from boundcheck.experiment.statistics import borne
from boundcheck.experiment.view import verdicts_table
from boundcheck.functions.adapters import ADAPTERS, Full
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber
from boundcheck.language.catalogue import catalogue
from boundcheck.language.hypotheses import BOUNDED_BELOW
from boundcheck.language.screen import show
from boundcheck.language.view import html
from boundcheck.present import latex as tex
from boundcheck.present.material import Material, load_runs
from boundcheck.present.page import write_runs
from boundcheck.verdicts import Verdict, is_well
from tests.layers import full
from tests.outside.my_adapter import FALSE, Scaled

HERE = "tests.outside.test_given"
GIVEN = "outer.wishful"
SAID = f"supported, given {GIVEN}"
RUN = {
    "claim": "nesterov2004.gradient_descent",
    "problem": {"kind": "pseudo-huber", "d": 3, "k": 3, "samples": 6, "noise": 3.0},
    "adapter": {"kind": f"{HERE}:Wishful", "scale": 0.5},
    "run": {"steps": 100, "audits": 100},
}


WISHFUL = replace(FALSE, id=GIVEN)


class Wishful(Scaled):
    """Its claim says half of the smoothness constant that F has."""

    title = "wishful"
    claims = (f"{HERE}:WISHFUL",)
    composition = f"{HERE}:WISHFUL"


class Borrowed(Full):
    """It says of itself that a theorem of another adapter is about it."""

    title = "borrowed"


@cache
def stored():
    runs = Path(mkdtemp())
    (result,) = bc.measure(RUN, runs)
    return runs, result


@full
def test_a_claim_that_is_nobodys_theorem_is_given():
    runs, result = stored()
    assert result.verdict == SAID, result.reason
    assert result.verdict.plain == Verdict.SUPPORTED
    assert result.verdict.given == (GIVEN,)
    assert {end.trust for end in result.upper} == {"given"}
    kept = json.loads((runs / result.run_id / "result.json").read_text())
    assert kept["verdict"] == SAID
    assert read({name: x for name, x in kept.items() if name != "digests"}) == result
    (again,) = bc.measure(RUN, runs)
    assert again == result


def displays():
    """All that shows a run, by what it is: with signs of markup taken away that stand before
    others."""
    runs, result = stored()
    folder = runs / result.run_id
    page = runs / "report" / "index.html"
    results = bc.measure([RUN], runs)
    material = Material(load_runs([folder]))
    write_runs([folder], page, "Mine", "Mine.", "")
    console = Console(width=200, record=True)
    show(console, verdicts_table([result.as_json()]))
    texts = {
        "table": console.export_text(),
        "notebook": html(result.view()) + html(results.view()),
        "text": str(result.view()),
        "frame": results.to_frame().to_csv(),
        "json": json.dumps(result.as_json()),
        # The glossary defines the bare word; what is said of the run stands outside it.
        "page": re.sub(
            r'<dl id="words">.*?</dl>', "", page.read_text(encoding="utf-8"), flags=re.S
        ),
        "latex": "".join(
            x.decode(errors="replace") for x in tex.files_of(material, "Mine", "").values()
        ),
    }
    return {
        name: re.sub(r"\\(?=[._])|\\allowbreak\s*|&#\d+;", "", text) for name, text in texts.items()
    }


@full
def test_every_display_of_a_run_names_what_is_given():
    for name, text in displays().items():
        assert SAID in text, name
        assert not re.search(r"support their claim(?!, given)", text), name
        # No cell, badge or value is the bare word.
        assert not re.search(r"""[>"'\t,|&{]\s*supported\s*[<"'\t|&}]""", text), name


@given(st.sampled_from([*Verdict]), st.lists(st.text(min_size=1).filter(str.strip), max_size=3))
def test_a_verdict_that_is_decided_keeps_what_it_rests_on(verdict, names):
    said = verdict.resting_on(names)
    assert said.plain is verdict
    assert Verdict(str(said)) == said == pickle.loads(pickle.dumps(said))
    assert (said == verdict) is not (verdict.is_decided and bool(names))
    assert said.is_supported == verdict.is_supported
    assert said.is_decided == verdict.is_decided
    assert is_well(said) is is_well(verdict)
    assert said.resting_on(names) == said
    if verdict.is_decided and names:
        assert Verdict.gravest([verdict, said]) == said
        assert said.isprintable()


def test_what_is_no_such_verdict_is_none():
    for text in (
        "uninformative, given x",
        "supported, given ",
        "supported, given a, ",
        "supported, given a\nb",
        "given",
    ):
        with pytest.raises(ValueError, match="Verdict"):
            Verdict(text)
    assert borne(Verdict(SAID), "asymptotic", 8) == f"supported (asymptotic), given {GIVEN}"


def test_only_what_is_from_outside_or_by_hand_is_given():
    for kind, adapter in ADAPTERS.items():
        found = adapter.given.fget(object.__new__(adapter))
        by_hand = [id for id in adapter.claims if catalogue[id].argument]
        assert [*found] == by_hand, kind
        assert not (adapter.is_run and found)
    assert Borrowed.given.fget(object.__new__(Borrowed)) == ("meft.full",)


@pytest.mark.parametrize("share, steps, verdict", [(1, 100, "supported"), (99, 1, "violated")])
def test_what_is_held_by_a_word_from_outside_is_given(share, steps, verdict, tmp_path):
    """Though all of its faces are of this package: nobody holds them against what it states."""
    claim = catalogue["nesterov2004.gradient_descent"]
    said = replace(BOUNDED_BELOW, id="outer.floor").claim("outer.below", "Bounded", "mine")
    *others, last = claim.quantities
    less = replace(last, expression=last.expression / share)
    mine = replace(
        claim,
        id=f"outer.{verdict}",
        hypotheses=(claim.hypotheses[0], said),
        quantities=(*others, less),
    )
    table = RUN | {
        "claim": mine,
        "adapter": {"kind": "full"},
        "run": {"steps": steps, "audits": steps},
    }
    (result,) = bc.measure(table, tmp_path)
    assert result.verdict == f"{verdict}, given outer.floor", result.reason


@pytest.mark.parametrize(
    "name", ["smoothness", "gradient_bound", "infimum", "strong_convexity", "is_convex"]
)
def test_a_constant_of_ours_that_a_user_sets_is_given(name, tmp_path):
    f = PseudoHuber(np.random.default_rng(0).normal(size=(6, 3, 3)), 0.25)
    assert f.given == ()
    setattr(f, name, False if name == "is_convex" else f.smoothness)
    assert f.given == (f"{name} of {f.name}",)
    if name == "smoothness":
        table = {"claim": RUN["claim"], "adapter": {"kind": "full"}, "run": RUN["run"]}
        (result,) = bc.measure(table, tmp_path, problem=f)
        assert result.verdict == f"supported, given smoothness of {f.name}", result.reason
