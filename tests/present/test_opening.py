"""What a page begins with: words, numbers and picture say what the evidence says, and nothing
measured is a bound."""

import pytest
from boundcheck.proofs.jiang2024 import report
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.present.material import Material
from boundcheck.present.opening import (
    HOLDS,
    KNOWN,
    PRINTED,
    RUN,
    Stroke,
    Strokes,
    _of_run,
    in_all,
    opening_of,
    picture,
)
from boundcheck.present.words import number
from tests.judged import of_the_paper
from tests.proof.conftest import paper as the_paper

from .made import changed
from .test_networks import run as network

paper = the_paper


def looks(material):
    """The look of each line of the picture, by its words."""
    return {line.words: line.look for run in material.runs for line in _of_run(material, run).lines}


def test_the_numbers_are_those_of_the_runs(stored):
    opening = opening_of(Material(stored))
    theorem = next(run for run in stored if run.is_theorem)
    assert (
        opening.numbers[0].shown
        == f"{sum(run.verdict.is_supported for run in stored)} of {len(stored)}"
    )
    assert f"{len(stored)} runs" in opening.words
    broken = [changed(run, verdict="violated") for run in stored]
    assert opening_of(Material(broken)).numbers[0].shown == f"0 of {len(stored)}"
    twice = [changed(theorem, measured=0.5 * theorem.result.bound)]
    assert number(0.5, 2) in [each.shown for each in opening_of(Material(twice)).numbers]


def test_what_a_run_measured_never_looks_like_a_bound(stored):
    found = looks(Material(stored))
    assert {found["measured on the run"], found["largest that was found"]} == {RUN}
    assert found["the theorem's bound"] == HOLDS
    assert RUN not in (HOLDS, PRINTED, KNOWN)
    failed = [changed(run, verdict="hypothesis-failed") for run in stored if run.is_theorem]
    assert looks(Material(failed))["the theorem's bound"] == PRINTED
    # Of a network no bound is known, whatever its smoothness looked like.
    assert HOLDS not in looks(Material([network()])).values()


def test_the_page_of_nothing_has_no_numbers():
    opening = opening_of(Material())
    assert opening.words == ""
    assert opening.numbers == ()
    assert opening.figure is None


positive = st.floats(1e-6, 1e9)


@given(
    st.lists(st.tuples(positive, st.sampled_from((PRINTED, HOLDS, KNOWN))), min_size=1, max_size=4),
    positive,
)
def test_every_line_ends_at_its_value_within_the_axis(claimed, measured):
    lines = [Stroke(f"line {place}", value, look) for place, (value, look) in enumerate(claimed)]
    figure = picture(
        [
            Strokes(
                "A title",
                "units",
                [*lines, Stroke("run", measured, RUN, (measured / 2, measured * 2))],
            )
        ]
    )
    (axis,) = figure.axes
    low, high = axis.get_xlim()
    drawn = [line.get_xdata()[0] for line in axis.lines if line.get_marker() in ("|", "o")]
    assert drawn == [*(value for value, _ in claimed), measured]
    assert all(low <= x <= high for x in drawn)


def test_values_that_are_none_are_not_drawn():
    nothing = [
        Stroke("none", None, HOLDS),
        Stroke("infinite", float("inf"), HOLDS),
        Stroke("zero", 0.0, RUN),
    ]
    assert picture([Strokes("t", "u", nothing)]) is None
    assert picture([]) is None


@pytest.mark.full
@of_the_paper
def test_the_opening_of_jiang2024_says_what_is_proved(stored, paper):
    opening = report.opening(Material(stored, proofs=paper))
    assert opening.numbers[0].shown == "$2.5S$ → $2S$"
    theorem = next(run for run in stored if run.is_theorem)
    assert opening.numbers[2].shown == f"${number(2.5 * theorem.result.ratio, 2)}S$"
    refuted = sum(row.verdict == "refuted" for row in paper.rows)
    assert refuted == 1
    assert f"Of the {len(paper.rows)} findings below" in opening.words
    assert in_all("run", "runs", [run.verdict for run in stored]) in opening.words
    assert "holds with $2S$ in place of the printed $2.5S$" in opening.words
    first, second = opening.figure.axes
    assert [" ".join(tick.get_text().split()) for tick in first.get_yticklabels()][:4] == [
        "printed, by a broken proof",
        "the printed proof, mended",
        "another proof",
        "the best step size, in the limit",
    ]
    values = [line.get_xdata()[0] for line in first.lines if line.get_marker() == "|"]
    assert values == pytest.approx([2.5, 4, 2, 2**0.5])
    assert "largest that was found" in " ".join(second.get_yticklabels()[-1].get_text().split())


@of_the_paper
def test_it_says_so_of_no_other_evidence(stored, paper):
    """Without the runs, without the proofs, or where a statement is not repaired, the page begins
    as others do."""
    assert report.opening(Material([], proofs=paper)) is None
    assert report.opening(Material(stored)) is None


def test_of_a_single_one_its_verdict_is_said():
    assert in_all("run", "runs", ["supported"]) == "The one run is supported."
    both = in_all("run", "runs", ["supported", "violated"])
    assert "1 is supported" in both
    assert "1 is violated" in both
