"""Brackets of every kind of adapter, end to end: estimates below bounds, planted faults found, what is said of each."""

import json
import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.experiment import measure
from boundcheck.experiment.plan import build
from boundcheck.experiment.spec import Spec, parse
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.functions.problem import Problem
from boundcheck.language.catalogue import catalogue
from boundcheck.language.function import Constant
from boundcheck.proof.script import find
from boundcheck.properties import adapters, domains, pseudo_huber_problems
from tests.layers import covering, examples, sampled

from .small import DOMAINS, OF_KIND, bracketed, changed, with_quantity_scaled

each_kind = pytest.mark.parametrize("kind", ADAPTERS)
ROUNDING = 1e-9
PROBLEMS = {
    "pseudo-huber": {"d": 4, "k": 4, "samples": 6},
    "least-squares": {"d": 4, "k": 4, "samples": 6},
    "extremal": {"d": 4, "k": 4, "L": 2.0, "G": 0.5},
    "breast-cancer": {},
    "logistic": {},
    "two-layer": {"hidden": 4},
    "readout": {"components": 4},
}
TINY = {"pairs": 24, "iterates": 8, "points": 3, "ascents": 2, "rounds": 4, "looks": 1}
# DoRA needs columns of W0 further from 0 than its radii reach: 1 > 0.5 * 0.5.
PROVED = {script.claim.id for script in find(()) if script.version != "printed" and script.claim}


def table_of(kind, problem="pseudo-huber", **changes):
    fields = {"problem": {"kind": problem, **PROBLEMS[problem]}, "bracket": TINY}
    if problem == "breast-cancer":
        # Two classes, so two rows.
        fields["adapter.rank"] = None if kind == "full" else 1
    if problem == "logistic":
        fields["adapter.rank"] = None if kind == "full" else 1
    return changed(OF_KIND[kind], fields | {name.replace("__", "."): value for name, value in changes.items()})


def dora_has_no_column(kind, problem):
    """W0 = I with more columns than rows has a column of zeros."""
    return kind == "dora" and problem in {"breast-cancer", "logistic", "two-layer"}


@covering
@each_kind
@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_adapter_is_bracketed_on_every_problem(kind, problem, tmp_path):
    if dora_has_no_column(kind, problem):
        pytest.skip("W0 has a column of zeros")
    (result,) = measure(table_of(kind, problem), tmp_path)
    assert result.verdict == "supported", result.reason
    assert result.radii == DOMAINS[kind]
    lower = set(result.lower)
    assert lower - {"iterates"} == {"pairs", "curvature", "ascent"}
    assert result.measured == max(result.lower.values()) > 0
    for end in result.upper:
        assert result.measured * (1 - ROUNDING) <= end.value
    assert min(end.value for end in result.upper) <= result.bound * (1 + 1e-15)
    json.dumps(result.as_json(), allow_nan=False)
    # Read back, not measured again.
    assert measure(table_of(kind, problem), tmp_path) == [result]


@each_kind
@examples(5)
@given(st.data())
def test_no_lower_estimate_exceeds_an_upper_end(kind, data):
    adapter = data.draw(adapters(kind, most=2))
    radii = data.draw(domains(adapter))
    problem = Problem(data.draw(pseudo_huber_problems(tuple(adapter.W0.shape))), adapter)
    constants = adapter.constants(radii)
    if not all(value > 0 for value in constants.values()):
        return
    claim = ADAPTERS[kind].claims[-1]
    table = changed(table_of(kind), {"domain": radii, "claim": claim, "seed": data.draw(st.integers(0, 99))})
    found, _ = bracketed(table, problem)
    assert found.verdict == "supported", found.reason
    for end in found.upper:
        assert found.measured * (1 - ROUNDING) <= end.value, end.claim


@pytest.mark.full
@each_kind
def test_the_same_spec_twice_gives_the_same_numbers_and_another_seed_others(kind):
    (one, first), (two, second) = (bracketed(table_of(kind)) for _ in range(2))
    assert one == two
    assert first.identical(second)
    other, _ = bracketed(table_of(kind, seed=1))
    assert other.lower != one.lower


@sampled(3, 1)
@each_kind
def test_the_trace_holds_every_number_that_the_estimates_are_of(kind):
    found, trace = bracketed(table_of(kind))
    names = {"pairs": "pair_ratio", "iterates": "iterate_ratio", "curvature": "curvature", "ascent": "ascent"}
    assert found.lower == {kind: np.nanmax(trace[names[kind]].values) for kind in found.lower}
    assert trace.sizes["pair"] == TINY["pairs"]
    assert (trace.sizes["point"], trace.sizes["start"]) == (TINY["points"], TINY["ascents"])
    seen = "iterate_ratio" in trace and bool(np.isfinite(trace["iterate_ratio"]).any())
    assert ("iterates" in found.lower) == seen


@sampled(3, 2)
@each_kind
def test_iterates_are_compared_wherever_they_stay_in_the_domain(kind):
    domain = DOMAINS[kind] if kind == "dora" else dict.fromkeys(DOMAINS[kind], 20.0)
    found, _ = bracketed(table_of(kind, domain=domain))
    assert ("iterates" in found.lower) == (not kind.startswith("loreft"))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_claim_about_rank_1_is_made_at_rank_1_alone(rank):
    problem = build(parse(table_of("loreft", claim="meft.loreft", adapter__rank=rank)), "cpu")
    named = [end.claim for end in problem.upper_ends({"nu": 1.0})]
    assert named == ["meft.loreft_rank1", "meft.loreft_sharp", "meft.loreft"][0 if rank == 1 else 1 :]
    values = [end.value for end in problem.upper_ends({"nu": 1.0})]
    assert values == sorted(values)


@each_kind
def test_upper_ends_are_the_claims_of_the_adapter_that_apply(kind):
    problem = build(parse(table_of(kind)), "cpu")
    ends = problem.upper_ends(DOMAINS[kind])
    assert list(dict.fromkeys(end.claim for end in ends)) == list(ADAPTERS[kind].claims)
    constants = problem.adapter.constants(DOMAINS[kind])
    for end in ends:
        claim = catalogue[end.claim]
        names = {p.name for p in claim.parameters}
        if "C" in names or ("s" in constants and "s" not in names and constants["s"] != 1):
            continue
        known = constants | {"L": problem.objective.smoothness.value, "G": problem.gradient_bound(DOMAINS[kind]).value}
        assert end.value == pytest.approx(claim.bound(**{name: known[name] for name in names}), rel=1e-12)
        assert end.value >= claim.bound(**{name: known[name] for name in names}) * (1 - 1e-15)


@each_kind
def test_an_end_is_trusted_to_the_kernel_if_and_only_if_a_script_has_it_replayed(kind):
    problem = build(parse(table_of(kind)), "cpu")
    for end in problem.upper_ends(DOMAINS[kind]):
        assert end.trust == ("kernel" if end.claim in PROVED else "by hand"), end.claim


def test_columns_that_may_vanish_leave_nothing_to_say():
    problem = build(parse(table_of("dora")), "cpu")
    for a, said in ((1.99, True), (2.0, False), (2.01, False)):
        assert bool(problem.upper_ends({"a": a, "b": 0.5, "mu": 1.0})) == said


@sampled(6)
@each_kind
@pytest.mark.parametrize("name", ["smoothness", "infimum", "gradient_bound"])
def test_an_estimated_constant_gives_no_verdict(kind, name):
    spec = parse(table_of(kind))
    problem = build(spec, "cpu")
    before = getattr(problem.objective, name)
    setattr(problem.objective, name, Constant(before.value, "estimated", "a guess"))
    found, _ = bracketed(table_of(kind), problem)
    # A bound on the gradient that is estimated is not used where a certified one is smaller; f* is used by nobody.
    G = problem.gradient_bound(found.radii).kind
    needs_gradient = "G" in {p.name for p in catalogue[spec.claim].parameters}
    estimated = name == "smoothness" or (name == "gradient_bound" and G == "estimated" and needs_gradient)
    supported = f"supported, given {name} of {problem.objective.name}"
    assert found.verdict == ("inconclusive" if estimated else supported), found.reason
    assert ("estimated" in found.reason) == estimated


@sampled(3, 1)
@each_kind
def test_a_smoothness_of_f_that_is_too_small_is_found_out(kind):
    """A lie: half, or less, of what is seen; it is blamed, and not the claim that it was given to."""
    problem = build(parse(table_of(kind)), "cpu")
    for name in ("smoothness", "gradient_bound"):
        setattr(problem.objective, name, Constant(1e-3, "certified", "a lie"))
    found, _ = bracketed(table_of(kind), problem)
    assert found.verdict == "hypothesis-failed"
    assert (found.blame.kind, found.blame.name) == ("constant", "L")
    assert found.measured > found.bound


@sampled(5)
@pytest.mark.parametrize(
    ("kind", "claim"),
    [(kind, id) for kind, adapter in ADAPTERS.items() for id in adapter.claims],
)
def test_a_claim_that_is_too_small_is_violated(kind, claim, monkeypatch):
    table = table_of(kind, claim=claim)
    honest, _ = bracketed(table)
    factor = sp.Rational(honest.measured) / sp.Rational(honest.bound)
    for share, verdict in ((sp.Rational(999, 1000), "violated"), (sp.Rational(1001, 1000), "supported")):
        with monkeypatch.context() as patch:
            doctored = with_quantity_scaled(catalogue[claim], factor * share)
            patch.setattr(Spec, "said", property(lambda spec, doctored=doctored: doctored))
            found, _ = bracketed(table)
        # The iterates take their step size from the least bound, and may see another curvature then.
        if found.measured == honest.measured:
            assert found.verdict == verdict, found.reason
            assert ("exceeds the bound" in found.reason) == (verdict == "violated")
        else:
            assert found.verdict == ("violated" if found.measured > found.bound else "supported")


@pytest.mark.full
@pytest.mark.parametrize(("kind", "least"), [("lora", 0.95), ("direft", 0.95)])
@pytest.mark.parametrize("radii", [{"a": 1.0, "b": 1.0}, {"a": 2.0, "b": 0.5}])
@pytest.mark.parametrize("seed", range(3))
def test_ascent_finds_the_known_maximum_of_the_extremal_problem(kind, least, radii, seed):
    table = changed(
        OF_KIND[kind],
        {
            "problem": {"kind": "extremal", "d": 3, "k": 4, "L": 1.0, "G": 1.0},
            "domain": radii,
            "seed": seed,
            "bracket": {"pairs": 256, "iterates": 8, "points": 2, "ascents": 8, "rounds": 64, "looks": 0},
        },
    )
    found, _ = bracketed(table)
    a, b = radii.values()
    # The top eigenvalue at the corner of the ball, at L = G = 1.
    star = (a**2 + b**2) / 2 + math.sqrt(((a**2 - b**2) / 2) ** 2 + (a * b + 1) ** 2)
    assert found.bound == pytest.approx(star, rel=1e-9)
    assert least * star <= found.lower["ascent"] <= star * (1 + ROUNDING)
