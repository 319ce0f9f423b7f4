"""A verdict says on what it stands wherever it is shown, and what is stored says no more than its interval bears."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from boundcheck.errors import InputError
from boundcheck.experiment.result import read
from boundcheck.experiment.statistics import FEWEST_REPLICAS, Kind, earned_by
from boundcheck.verdicts import Verdict
from tests.results import stored

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("replicas", [1, 2, FEWEST_REPLICAS - 1, FEWEST_REPLICAS, 1000])
def test_support_is_as_good_as_the_interval_that_it_stands_on(kind: Kind, replicas: int) -> None:
    earned = earned_by(kind, replicas)
    assert (earned == "supported") is (kind != "asymptotic")
    assert earned.is_supported is (kind != "asymptotic" or replicas >= 8)
    if earned.is_supported:
        assert read(stored("supported", kind, replicas)).verdict is earned
        assert read(stored(earned, kind, replicas)).verdict is earned


@pytest.mark.parametrize(
    ("result", "field"),
    [
        (stored("proved", "exact"), "verdict"),
        (stored("", "exact"), "verdict"),
        (stored(None, "exact"), "verdict"),
        (stored(["supported"], "exact"), "verdict"),
        (stored("supported", "asymptotic", 7), "verdict"),
        (stored("supported (asymptotic)", "asymptotic", 4), "verdict"),
        (stored("supported (asymptotic)", "nonasymptotic"), "verdict"),
        (stored("supported", None), "interval.kind"),
        (stored("supported", "certain"), "interval.kind"),
    ],
    ids=str,
)
def test_a_verdict_that_its_interval_does_not_bear_is_refused_by_name(result: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        read(result)
    assert caught.value.field == field


def test_what_the_repository_keeps_is_shown_with_its_ground() -> None:
    """Whatever the version that stored it: no asymptotic interval stands behind a bare `supported`."""
    for path in sorted((ROOT / "reports").glob("*/results.json")):
        results = json.loads(path.read_text(encoding="utf-8"))
        for result in results if isinstance(results, list) else []:
            kind, verdict = (result["interval"] or {}).get("kind"), read(result).verdict
            assert (verdict == "supported (asymptotic)") is (verdict.is_supported and kind == "asymptotic")
            assert verdict.split()[0] == result["verdict"].split()[0]


def test_the_gravest_verdict_stands_for_several() -> None:
    assert Verdict.gravest([Verdict.SUPPORTED, Verdict.SUPPORTED_ASYMPTOTIC]) is Verdict.SUPPORTED_ASYMPTOTIC
    assert Verdict.gravest([Verdict.UNINFORMATIVE, Verdict.VIOLATED, Verdict.SUPPORTED]) is Verdict.VIOLATED
    assert [each for each in Verdict if each.is_silent] == ["hypothesis-failed", "uninformative"]
