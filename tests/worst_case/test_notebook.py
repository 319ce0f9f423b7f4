"""What a notebook shows of replays and worst cases is what was found; frames have the values of `as_json`."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from sympy import Rational

import boundcheck as bc
from boundcheck.worst_case.search import Falsification
from boundcheck.worst_case.stored import replayed, save
from boundcheck.worst_case.view import rounded_down
from boundcheck.worst_case.worst_case import WorstCases
from tests.experiment.small import with_quantity_scaled


@pytest.fixture(scope="module")
def search() -> Falsification:
    return bc.falsify("jiang2024.lemma1", bc.Search((1, 2), starts=2, rounds=8, examples=1))


@pytest.fixture(scope="module")
def cases() -> WorstCases:
    return bc.falsify("nesterov2004.gradient_descent", bc.WorstCase((2, 3)))


def text_of(html: str) -> str:
    return " ".join("".join(ElementTree.fromstring(html).itertext()).split())


def test_a_frame_of_a_search_has_the_rows_of_the_json(search: Falsification) -> None:
    rows = search.to_frame().to_dict("records")
    assert rows == [
        {"claim": search.id, "rank": x["rank"], **x["constants"], "ratio": x["ratio"], "share": x["share"]}
        for x in search.as_json()["rows"]
    ]


def test_a_replay_is_shown_with_what_is_certain(search: Falsification, tmp_path: Path) -> None:
    save(search.instance, path := tmp_path / "instance.json")
    found = replayed(path)
    instance, certificate = found
    assert (certificate.violated, certificate.lower) == (search.violated, search.ratio)
    page = text_of(found._repr_html_())
    assert instance.title in page
    assert "not violated" in page
    assert f"at least {rounded_down(certificate.lower, 6)} (certified)" in page


def test_a_frame_of_worst_cases_has_the_values_of_the_json(cases: WorstCases) -> None:
    for row, case in zip(cases.to_frame().to_dict("records"), cases, strict=True):
        said = case.as_json()
        for name in ("claim", "steps", "bound", "numerical", "lower", "upper", "ratio", "violated", "how"):
            assert row[name] == said[name]
        for name, value in said["inputs"].items():
            assert row[name] == value


def test_a_broken_bound_is_called_violated() -> None:
    half = with_quantity_scaled(bc.claims["nesterov2004.gradient_descent"], Rational(1, 2))
    found = bc.falsify(half, bc.WorstCase([2]))
    assert ">violated<" in found._repr_html_()
    assert "violated" in found._repr_latex_()
