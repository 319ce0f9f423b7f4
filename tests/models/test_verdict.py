"""Verdicts of runs on networks: never that a claim is supported or violated, and a failure always shows."""

import math
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given

from boundcheck.measure.result import Audit, Blame
from boundcheck.models.verdict import Judged, Seen, audits_of, judge
from tests.layers import examples

SEEN = Seen(
    step_size=0.1,
    longest=1.0,
    too_long=1.25,
    rounding=False,
    bound=0.4,
    needed=7,
    first=0.5,
    measured=0.3,
    steps=10,
    looks="every iterate",
)
HELD = Audit("meft.unbiased", "hypothesis", "held", 0.0, 0.0, "drawn with replacement")
FAILED = Audit("meft.unbiased", "hypothesis", "failed", 0.2, 0.0, "drawn without replacement")


def judged(seen: Seen, sampling: Audit = HELD) -> Judged:
    return judge(seen, audits_of(seen, [sampling], 0.25, 1.0, 3.0, 2.0))


def test_each_hypothesis_has_its_audit() -> None:
    audits = audits_of(SEEN, [HELD], 0.25, 1.0, 3.0, 2.0)
    assert [(each.hypothesis, each.status, each.limit) for each in audits] == [
        ("meft.unbiased", "held", 0.0),
        ("jiang2024.bounded_below", "held", 1.0),
        ("eta < eta_max", "held", 1.0),
        ("classic.smooth", "assumed", 2.0),
        ("jiang2024.assumption4", "assumed", 0.25),
        ("jiang2024.assumption1", "assumed", 3.0),
    ]
    assert all("every iterate" in each.how for each in audits[3:5])


def test_a_bound_below_the_first_gradient_is_inconclusive_and_smoothness_to_blame() -> None:
    found = judged(SEEN)
    assert found.verdict == "inconclusive"
    assert "0.3 is at most 0.4" in found.reason
    assert found.blame.kind == "constant"
    assert found.blame.name == "Lhat"


@pytest.mark.parametrize(
    ("step", "status", "verdict"),
    [
        (0.999, "held", "inconclusive"),
        (1.0, "assumed", "inconclusive"),
        (1.249, "assumed", "inconclusive"),
        (1.25, "failed", "hypothesis-failed"),
        (9.0, "failed", "hypothesis-failed"),
    ],
)
def test_a_step_is_too_long_only_where_rounding_cannot_have_made_it_so(step: float, status: str, verdict: str) -> None:
    seen = replace(SEEN, step_size=step, bound=0.4 if step < 1 else None)
    audits = {each.hypothesis: each.status for each in audits_of(seen, [HELD], 0.25, 1.0, 3.0, 2.0)}
    assert audits["eta < eta_max"] == status
    found = judged(seen)
    assert found.verdict == verdict
    if status == "assumed":
        assert (found.blame.kind, found.blame.name) == ("rounding", "Lhat")
        assert "hides whether the step is below" in found.reason


def test_a_smoothness_that_is_mostly_rounding_earns_no_comparison_with_a_bound() -> None:
    for bound in (0.4, 0.9, None):
        found = judged(replace(SEEN, rounding=True, too_long=math.inf, bound=bound))
        assert found.verdict == "inconclusive"
        assert "no L̂ was measured" in found.reason
        assert found.blame.kind == "rounding"
    # What a run did against the rules is worse.
    assert judged(replace(SEEN, rounding=True, too_long=math.inf), FAILED).verdict == "hypothesis-failed"


def test_an_average_above_the_bound_is_no_violation() -> None:
    found = judged(replace(SEEN, measured=0.45))
    assert found.verdict == "inconclusive"
    assert "0.45 is above 0.4" in found.reason


@pytest.mark.parametrize(
    ("needed", "words", "blame"),
    [(40, "before T = 40", ("horizon", "T")), (None, "at no T", ("constant", "eta"))],
)
def test_a_bound_that_says_nothing_is_uninformative(needed: int | None, words: str, blame: tuple[str, str]) -> None:
    found = judged(replace(SEEN, bound=0.5, needed=needed))
    assert found.verdict == "uninformative"
    assert words in found.reason
    assert (found.blame.kind, found.blame.name) == blame


@pytest.mark.parametrize("changes", [{"first": 0.0}, {"measured": 0.0}, {"measured": -0.01}], ids=str)
def test_a_gradient_below_its_noise_is_uninformative(changes: dict[str, float]) -> None:
    """What is left of an estimate from some samples when their variance is taken off may be negative."""
    found = judged(replace(SEEN, **changes, partial=True))
    assert found.verdict == "uninformative"
    assert (found.blame.kind, found.blame.name) == ("statistics", "samples")


def test_what_is_seen_on_some_samples_is_assumed() -> None:
    audits = audits_of(replace(SEEN, partial=True), [HELD], 0.25, 1.0, 3.0, 2.0)
    assert [each.status for each in audits] == ["held", "assumed", "held", "assumed", "assumed", "assumed"]
    assert "some of the samples" in audits[1].how
    assert "some of the samples" in audits[4].how


def test_a_constant_of_0_is_uninformative() -> None:
    found = judged(replace(SEEN, bound=None))
    assert found.verdict == "uninformative"
    assert found.blame.kind == "constant"


def test_a_step_that_is_too_long_is_a_failed_hypothesis() -> None:
    for step in (1.25, 2.0):
        found = judged(replace(SEEN, step_size=step, bound=None))
        assert found.verdict == "hypothesis-failed"
        assert (found.blame.kind, found.blame.name) == ("constant", "eta")
        assert "eta < eta_max" in found.reason


def test_what_failed_first_is_to_blame_and_all_is_named() -> None:
    rules = replace(FAILED, hypothesis="Algorithm 1", observed=None, limit=None, how="the optimizer is AdamW")
    seen = replace(SEEN, step_size=2.0)
    found = judge(seen, audits_of(seen, [rules, FAILED], 0.25, 1.0, 3.0, 2.0))
    assert found.verdict == "hypothesis-failed"
    assert "Algorithm 1, meft.unbiased, eta < eta_max" in found.reason
    assert found.blame == Blame("hypothesis", "Algorithm 1", "Algorithm 1: the optimizer is AdamW")


@pytest.mark.parametrize("measured", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_blames_rounding(measured: float) -> None:
    seen = replace(SEEN, measured=measured)
    audits = audits_of(seen, [HELD], 0.25, 1.0, 3.0, 2.0)
    assert audits[1].status == "failed"
    found = judge(seen, audits)
    assert found.verdict == "hypothesis-failed"
    assert found.blame.kind == "rounding"


numbers = st.floats(0, 1e9) | st.sampled_from([0.0, math.nan, math.inf])
seen_things = st.builds(
    Seen,
    step_size=st.floats(1e-6, 1e6),
    longest=st.floats(0, 1e6) | st.just(math.inf),
    bound=st.none() | numbers,
    needed=st.none() | st.integers(1, 10**12),
    first=numbers,
    measured=numbers | st.floats(-1e9, 0),
    steps=st.integers(1, 10**6),
    looks=st.just("3 random iterates"),
    partial=st.booleans(),
)
audits_drawn = st.lists(
    st.builds(
        Audit,
        st.sampled_from(["Algorithm 1", "meft.unbiased"]),
        st.sampled_from(["hypothesis", "constant", "horizon"]),
        st.sampled_from(["held", "failed", "assumed"]),
        st.none() | numbers,
        st.none() | numbers,
        st.just("as it was seen"),
    ),
    max_size=3,
)


@examples(300)
@given(seen_things, audits_drawn, numbers, numbers, numbers, numbers)
def test_no_run_on_a_network_supports_or_violates_a_claim(
    seen: Seen, sampling: list[Audit], zeta_square: float, D: float, L: float, path: float
) -> None:
    audits = audits_of(seen, sampling, zeta_square, D, L, path)
    found = judge(seen, audits)
    assert found.verdict in {"hypothesis-failed", "uninformative", "inconclusive"}
    failed = [each for each in audits if each.status == "failed"]
    assert (found.verdict == "hypothesis-failed") == bool(failed)
    assert found.blame is None or found.blame.evidence
    assert (not math.isfinite(seen.measured)) <= (found.blame.kind == "rounding")
    if not seen.step_size < seen.too_long or not math.isfinite(seen.measured):
        assert failed
    for each in failed:
        assert each.hypothesis in found.reason or not math.isfinite(seen.measured)
