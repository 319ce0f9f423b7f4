"""What the report shows of how tight claims are: brackets of adapters, the adversary's finds,
slack, the split."""

import numpy as np
import pytest

from boundcheck.functions.adapters import ADAPTERS
from boundcheck.present import programme
from boundcheck.present.material import Material
from boundcheck.present.page import write_page
from boundcheck.present.sections.attacks import attacks
from boundcheck.present.sections.smoothness import adapters as of_adapters
from boundcheck.present.sections.smoothness import curvature_split, ends, slack, smoothness
from boundcheck.present.style import panels
from boundcheck.worst_case.stored import replayed
from boundcheck.worst_case.view import rounded_down

from .conftest import ADAPTED
from .made import figure_of
from .texts import assert_no_text_overlaps


@pytest.mark.full
def test_adapters_have_a_panel_each_with_both_ends_of_the_bracket(adapters):
    figure = figure_of(of_adapters, adapters)
    titles = [axis.get_title("left").splitlines()[0] for axis in figure.axes if axis.has_data()]
    assert titles == [adapter.title for kind, adapter in ADAPTERS.items() if kind in ADAPTED]
    for axis in figure.axes:
        if axis.has_data():
            lines = {line.get_label(): np.asarray(line.get_ydata(), float) for line in axis.lines}
            marks = [
                y
                for text, y in lines.items()
                if "claim" not in text and "lemma" not in text.lower()
            ]
            assert "sharpest claim" in lines
            assert all((y <= lines["sharpest claim"] * (1 + 1e-9)).all() for y in marks)
            assert len(marks) >= 3


@pytest.mark.full
def test_one_adapter_alone_is_no_comparison(adapters):
    lora = [run for run in adapters if run.adapter == "lora"]
    assert figure_of(of_adapters, lora) is None
    assert figure_of(smoothness, lora) is not None
    assert figure_of(smoothness, adapters) is None


@pytest.mark.full
def test_ends_are_the_least_of_each_role(adapters):
    for run in adapters:
        found = ends(run)
        own = [end for end in run.result.upper if not end.claim.startswith("jiang2024")]
        assert found["sharp"] == min(end.value for end in own)
        composed = [end.value for end in own if end.claim == ADAPTERS[run.adapter].composition]
        assert [found["composition"]] == composed
        assert run.result.measured <= found["sharp"] * (1 + 1e-9)


@pytest.mark.full
def test_searches_show_each_ratio_of_what_is_drawn_and_its_curve(searches):
    drawn = [each for each in searches if each["drawn"]]
    (axis,) = figure_of(attacks, searches=drawn).axes
    shown = [y for line in axis.lines for y in np.atleast_1d(line.get_ydata())]
    for search in drawn:
        for row in search["rows"]:
            assert row["ratio"] in shown
    assert {1.0, 0.6} <= set(shown)
    assert figure_of(attacks, searches=[]) is None


@pytest.mark.full
def test_waterfalls_start_at_the_measured_ratio_and_end_at_the_bound(waterfalls):
    figure = figure_of(slack, waterfalls=waterfalls)
    chains = [chain for _, chains in waterfalls for chain in chains]
    assert len([axis for axis in figure.axes if axis.has_data()]) == len(chains) > 0
    for axis, chain in zip(figure.axes, chains, strict=False):
        bars = sorted(axis.patches, key=lambda bar: -bar.get_y())
        assert len(bars) == len(chain.links) + 2
        assert bars[0].get_x() + bars[0].get_width() == pytest.approx(chain.measured)
        assert bars[-1].get_x() + bars[-1].get_width() == pytest.approx(chain.links[-1].value)
        assert axis.get_xscale() == "log"
    assert figure_of(slack, waterfalls=[]) is None


@pytest.mark.full
def test_at_the_adversarys_instance_the_sharp_proof_gives_nothing_away():
    chains = programme.waterfall("jiang2024.lemma1", 4)
    lost = {chain.version: chain.links[-1].value / chain.measured for chain in chains}
    assert 1 <= lost["sharp"] < 1.001
    # At L = G = sigma = 1 and C = sigma the printed constant is 2 sqrt(r) + 1, and lambda* is 3.
    assert lost["printed"] == pytest.approx(5 / 3, rel=1e-3)
    assert lost["repaired"] == lost["printed"]


@pytest.mark.full
def test_split_is_that_of_lora_along_its_run(adapters):
    (axis,) = figure_of(curvature_split, adapters).axes
    assert {"Gauss–Newton, BB", "bilinear, AB"} <= {line.get_label() for line in axis.lines}
    assert figure_of(curvature_split, [run for run in adapters if run.adapter != "lora"]) is None


@pytest.mark.full
def test_page_has_the_searches_and_their_instances_can_be_replayed(
    adapters, searches, waterfalls, tmp_path
):
    material = Material(adapters, searches=searches, waterfalls=waterfalls)
    files = write_page(material, tmp_path / "index.html", "A", "B")
    text = "".join(each.read_text() for each in files if each.suffix == ".html")
    assert any(run.rank is None for run in adapters)
    assert "None" not in text
    for search in searches:
        assert rounded_down(max(row["ratio"] for row in search["rows"]), 5) in text
        assert search["file"] in text
        _, found = replayed(tmp_path / search["file"])
        assert found.lower == search["ratio"]
    assert text.count("<svg") == 5
    names = {path.name for path in files}
    assert {
        "falsification.pdf",
        "slack.pdf",
        "curvature_split.pdf",
        "adapters_pseudo_huber.svg",
    } <= names
    assert "not violated" in text


@pytest.mark.full
def test_a_violated_search_is_shown_as_one(adapters, searches, tmp_path):
    broken = [searches[0] | {"violated": True}]
    text = write_page(Material(adapters, searches=broken), tmp_path / "index.html", "A", "B")[
        0
    ].read_text()
    assert ">violated<" in text
    assert ">not violated<" not in text


@pytest.mark.parametrize(
    "ratio, decimals, text",
    [
        (0.99999, 2, "0.99"),
        (1.0, 4, "1.0000"),
        (0.123456, 5, "0.12345"),
        (0.0, 3, "0.000"),
        (1.5, 0, "1"),
    ],
)
def test_a_lower_bound_is_printed_rounded_down(ratio, decimals, text):
    assert rounded_down(ratio, decimals) == text


def test_titles_that_run_into_each_other_are_found():
    """The check of overlaps is one that can fail: by a few pixels, as a title somewhat too long
    does."""

    def draw(axis, title):
        axis.plot([1, 2], label="a line")
        axis.set_title(title, loc="left")

    others = ["B\nσ₁(A) ≤ 0.5", "C\nσ₁(A) ≤ 0.5"]
    assert_no_text_overlaps(panels(["A\nσ₁(A), σ₁(B) ≤ 0.5; |m| ≤ 1", *others], draw, most=3))
    with pytest.raises(AssertionError, match="lies on"):
        assert_no_text_overlaps(
            panels(["A\nσ₁(A) ≤ 0.500, σ₁(B) ≤ 0.500, |m| ≤ 1.00", *others], draw, most=3)
        )
