"""Verdicts of runs whose constants are those that they showed: never supported or violated, and a failure always shows.

No L of a network is known, so that what was seen along its run stands for each constant.
"""

import math
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given

from boundcheck.experiment.audit import Evidence, audit
from boundcheck.experiment.outcome import estimates_of, in_hindsight
from boundcheck.experiment.plan import Plan, Start
from boundcheck.experiment.result import Blame
from boundcheck.experiment.run import Record
from boundcheck.experiment.spec import parse
from boundcheck.experiment.statistics import Schedule
from boundcheck.experiment.verdict import Outcome, judge
from boundcheck.language.catalogue import catalogue
from boundcheck.language.evidence import Audit
from boundcheck.language.function import Constant
from tests.functions.networks.small import gpt_table
from tests.layers import examples

AUDITS = 10
CLAIM = catalogue["meft.theorem2_any_step"]
# With one block that no radius bounds.
SITE: Any = SimpleNamespace(
    name="layer", blocks=("block",), adapter=SimpleNamespace(blocks=(SimpleNamespace(radius=""),))
)
FAILED = Audit("meft.unbiased", "hypothesis", "failed", 0.2, 0.0, "drawn without replacement")
RULES = Audit("Algorithm 1", "hypothesis", "failed", None, None, "the optimizer is AdamW")
ONE_PASS = Audit("meft.unbiased", "hypothesis", "assumed", None, None, "one pass over samples")


@dataclass(frozen=True)
class Enclosure:
    """What a run showed, the same at each of its audits.

    At L̂ = 2, D = 1, zeta² = 1/4 and a step of 0.1 the bound on the average after T steps is (10/T + 0.025)/0.9.
    """

    step: float = 0.1
    steps: int = 50
    path: float = 2.0
    path_error: float = 0.0
    noise: float = 0.25
    gap: float = 1.0
    first: float = 0.5
    squares: tuple[float, ...] = (0.2,) * AUDITS
    loss: float = 0.75
    sampling: tuple[Audit, ...] | None = None
    partial: str = ""

    @property
    def bound(self) -> float:
        """The formula of the theorem, at the L̂ with the rounding error added."""
        ell = self.path + self.path_error
        return (self.gap / (self.step * self.steps) + ell * self.step * self.noise / 2) / (1 - ell * self.step / 2)

    def evidence(self, **columns: Any) -> Evidence:
        """What a run left; `columns` are what differs from audit to audit."""
        replica = {
            "loss": self.loss,
            "loss_error": 1e-12,
            "gradient_square_norm_error": 0.0,
            "noise_variance": self.noise,
            "conditional_bias": 0.0,
            "conditional_bias_error": 0.0,
            "path_smoothness": self.path,
            "path_smoothness_error": self.path_error,
            "weight_smoothness": 3.0,
            "weight_smoothness_error": 0.0,
        }
        values = {name: (("replica", "stratum"), np.full((1, AUDITS), value)) for name, value in replica.items()}
        for name, column in ({"gradient_square_norm": self.squares} | columns).items():
            values[name] = (("replica", "stratum"), np.array([column]))
        for name in ("weight_gradient_spectral", "weight_gradient_frobenius"):
            values[name] = (("replica", "stratum", "site"), np.ones((1, AUDITS, 1)))
        values["norm"] = (("replica", "stratum", "block"), np.ones((1, AUDITS, 1)))
        trace = xr.Dataset(values | {"curvature": (("replica", "look"), np.empty((1, 0)))})
        infimum = Constant(0.0, "certified", "cross-entropy is nonnegative")
        at = torch.zeros(1, 1, dtype=torch.float64)
        # Flat, so that minibatches have the mean that the gradient has.
        function: Any = SimpleNamespace(
            is_known=False,
            samples=12,
            given=(),
            infimum=infimum,
            norm_names={"": "norm"},
            sites=(SITE,),
            loss=lambda v: v[0].sum(1),
            gradient=lambda v: v,
            batch_gradient=lambda v, rows: v,
            sample_variance=lambda v: v[0].sum(1),
            rounding=lambda v, loss: (loss, loss, loss),
        )
        gap = Constant(self.gap, "certified", "F(v_1) minus the lower bound on f: cross-entropy is nonnegative")
        start = Start((), gap, self.gap, self.first, 12 * self.noise, {})
        inputs = {"D": self.gap, "eta": self.step, "T": self.steps}
        plan = Plan({}, None, 3, self.steps, self.step, math.inf, inputs, {"alpha": self.step}, {"alpha": self.step})
        spec = parse(gpt_table(run__steps=self.steps, run__step_size=self.step))
        edges = Schedule.edges_of(self.steps, AUDITS)
        record = Record(Schedule(edges, edges[None, 1:]), trace, None, (at,))
        plan = in_hindsight(plan, CLAIM, estimates_of([SITE], trace, self.gap), self.first)
        return Evidence(CLAIM, spec, function, start, plan, record, self.sampling, self.partial)

    def audits(self) -> dict[str, Audit]:
        return {each.hypothesis: each for each in audit(self.evidence())}

    def judged(self) -> Outcome:
        evidence = self.evidence()
        return judge(evidence, audit(evidence))


SEEN = Enclosure()


def blame_of(found: Outcome) -> tuple[str, str] | None:
    return found.blame and (found.blame.kind, found.blame.name)


def test_each_hypothesis_has_its_audit() -> None:
    audits = SEEN.audits()
    assert [(each.hypothesis, each.status, each.limit) for each in audits.values()] == [
        ("step size", "held", 0.1),
        ("meft.unbiased", "held", 0.0),
        ("classic.smooth", "assumed", 2.0),
        ("jiang2024.assumption4", "assumed", 0.25),
        ("jiang2024.bounded_below", "held", 1.0),
        ("eta < eta_max", "held", 1.0),
    ]
    for name in ("classic.smooth", "jiang2024.assumption4", "jiang2024.bounded_below"):
        assert f"{AUDITS} random iterates" in audits[name].how
    assert audits["jiang2024.bounded_below"].observed == pytest.approx(0.25)


def test_a_bound_below_the_first_gradient_is_inconclusive_and_smoothness_to_blame() -> None:
    found = SEEN.judged()
    assert found.bound == pytest.approx(SEEN.bound, rel=1e-12) == pytest.approx(0.25)
    assert found.verdict == "inconclusive"
    assert "the average 0.2 (no less than the smallest) is at most 0.25" in found.reason
    assert blame_of(found) == ("constant", "Lhat")


@pytest.mark.parametrize(
    ("step", "status", "verdict"),
    [
        (0.999, "held", "uninformative"),
        (1.0, "assumed", "inconclusive"),
        (1.249, "assumed", "inconclusive"),
        (1.25, "failed", "hypothesis-failed"),
        (9.0, "failed", "hypothesis-failed"),
    ],
)
def test_a_step_is_too_long_only_where_rounding_cannot_have_made_it_so(step: float, status: str, verdict: str) -> None:
    # 2 with the rounding error added, 1.6 with it taken off.
    seen = replace(SEEN, step=step, path=1.8, path_error=0.2)
    assert seen.audits()["eta < eta_max"].status == status
    found = seen.judged()
    assert found.verdict == verdict, found.reason
    if status == "assumed":
        assert blame_of(found) == ("rounding", "Lhat")
        assert "hides whether the step is below" in found.reason
    if status == "failed":
        assert blame_of(found) == ("constant", "eta")
        assert "eta < eta_max" in found.reason


@pytest.mark.parametrize(("path", "error"), [(1.0, 1.0), (0.5, 0.5), (-1.0, 3.0), (0.1, 0.04)])
def test_a_smoothness_that_is_mostly_rounding_earns_no_comparison_with_a_bound(path: float, error: float) -> None:
    for steps in (50, 20):
        seen = replace(SEEN, path=path, path_error=error, steps=steps)
        found = seen.judged()
        assert found.verdict == "inconclusive"
        assert "no L̂ was measured" in found.reason
        assert blame_of(found) == ("rounding", "Lhat")
        # What a run did against the rules is worse.
        assert replace(seen, sampling=(FAILED,)).judged().verdict == "hypothesis-failed"
    assert "no L̂ was measured" not in replace(SEEN, path=1.5, path_error=0.5).judged().reason


def test_an_average_above_the_bound_is_no_violation() -> None:
    found = replace(SEEN, squares=(0.45,) * AUDITS).judged()
    assert found.verdict == "inconclusive"
    assert "is above 0.25" in found.reason
    assert blame_of(found) == ("constant", "Lhat")


def test_the_average_is_that_of_the_strata_by_their_lengths() -> None:
    squares = tuple(np.geomspace(0.3, 0.1, AUDITS).tolist())
    shares = np.diff(Schedule.edges_of(50, AUDITS)) / 50
    assert len(set(shares)) > 1
    assert replace(SEEN, squares=squares).judged().measured == pytest.approx(shares @ squares, rel=1e-14)


@pytest.mark.parametrize(
    ("first", "words", "blame"),
    [(0.24, "before T = 53", ("horizon", "T")), (0.027, "at no T", ("constant", "eta"))],
)
def test_a_bound_that_says_nothing_is_uninformative(first: float, words: str, blame: tuple[str, str]) -> None:
    """(10/T + 0.025)/0.9 falls below 0.24 from T = 53 on, and never below 0.0277."""
    found = replace(SEEN, first=first).judged()
    assert found.verdict == "uninformative"
    assert words in found.reason
    assert blame_of(found) == blame


@pytest.mark.parametrize(
    "changes",
    [{"first": 0.0}, {"squares": (0.0,) * AUDITS}, {"squares": (-0.01,) * AUDITS}],
    ids=["first", "zero", "negative"],
)
def test_a_gradient_below_its_noise_is_uninformative(changes: dict[str, Any]) -> None:
    """What is left of an estimate from some samples when their variance is taken off may be negative."""
    found = replace(SEEN, **changes, partial="8 of 12 samples").judged()
    assert found.verdict == "uninformative"
    assert blame_of(found) == ("statistics", "samples")


def test_what_is_seen_on_some_samples_is_assumed() -> None:
    audits = replace(SEEN, partial="8 of 12 samples").audits()
    assert [each.status for each in audits.values()] == ["held", "held", "assumed", "assumed", "assumed", "held"]
    for name in ("classic.smooth", "jiang2024.assumption4", "jiang2024.bounded_below"):
        assert "8 of 12 samples" in audits[name].how
    assert "an estimate from some of the samples" in audits["jiang2024.assumption4"].how


def test_sampling_that_is_only_assumed_is_to_blame_before_constants() -> None:
    found = replace(SEEN, sampling=(ONE_PASS,)).judged()
    assert (found.verdict, blame_of(found)) == ("inconclusive", ("hypothesis", "meft.unbiased"))


def test_a_constant_of_0_is_uninformative() -> None:
    found = replace(SEEN, noise=0.0).judged()
    assert found.verdict == "uninformative"
    assert blame_of(found) == ("constant", "zeta")
    assert math.isnan(found.bound)


def test_what_failed_first_is_to_blame_and_all_is_named() -> None:
    found = replace(SEEN, step=2.0, sampling=(RULES, FAILED)).judged()
    assert found.verdict == "hypothesis-failed"
    assert "Algorithm 1, meft.unbiased, eta < eta_max" in found.reason
    assert found.blame == Blame("hypothesis", "Algorithm 1", "Algorithm 1: the optimizer is AdamW")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_square_that_is_no_number_blames_rounding(value: float) -> None:
    found = replace(SEEN, squares=(*SEEN.squares[1:], value)).judged()
    assert found.verdict == "hypothesis-failed"
    assert blame_of(found) == ("rounding", "overflow")
    assert found.interval is None


def test_a_smoothness_that_is_no_number_hides_no_step_that_is_too_long() -> None:
    """The last step leads to where F is no number."""
    path = [2.0] * (AUDITS - 1)
    for last in (math.nan, math.inf, -math.inf):
        evidence = replace(SEEN, step=1.5).evidence(path_smoothness=[*path, last])
        found = judge(evidence, audit(evidence))
        assert (found.verdict, blame_of(found)) == ("hypothesis-failed", ("constant", "eta"))


def test_a_loss_that_is_no_number_blames_rounding() -> None:
    seen = replace(SEEN, loss=math.nan)
    assert seen.audits()["jiang2024.bounded_below"].status == "failed"
    found = seen.judged()
    assert found.verdict == "hypothesis-failed"
    assert blame_of(found) == ("rounding", "jiang2024.bounded_below")


def test_a_fall_below_0_contradicts_what_is_certified() -> None:
    found = replace(SEEN, loss=-0.5).judged()
    assert (found.verdict, blame_of(found)) == ("hypothesis-failed", ("constant", "D"))


numbers = st.floats(0, 1e9) | st.sampled_from([0.0, math.nan, math.inf])
seen_things = st.builds(
    Enclosure,
    step=st.floats(1e-6, 1e6),
    steps=st.integers(AUDITS, 10**6),
    path=numbers | st.floats(-1e9, 0),
    path_error=numbers,
    noise=numbers,
    gap=st.floats(1e-3, 1e9),
    first=st.floats(0, 1e9),
    squares=st.tuples(*[numbers | st.floats(-1e9, 0)] * AUDITS),
    loss=numbers,
    sampling=st.none()
    | st.lists(
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
    ).map(tuple),
    partial=st.sampled_from(["", "8 of 12 samples"]),
)


@examples(300)
@given(seen_things)
def test_no_run_whose_constants_were_seen_supports_or_violates_a_claim(seen: Enclosure) -> None:
    evidence = seen.evidence()
    audits = audit(evidence)
    found = judge(evidence, audits)
    assert found.verdict in {"hypothesis-failed", "uninformative", "inconclusive"}
    failed = [each for each in audits if each.status == "failed"]
    finite = bool(np.isfinite(seen.squares).all())
    assert (found.verdict == "hypothesis-failed") == (bool(failed) or not finite)
    assert found.blame is not None
    assert found.blame.evidence
    if not failed and not finite:
        assert found.blame.kind == "rounding"
    sure = seen.path - seen.path_error
    if 0 < sure < math.inf and seen.step >= 2 / sure:
        assert "eta < eta_max" in {each.hypothesis for each in failed}
    for each in failed:
        assert each.hypothesis in found.reason
