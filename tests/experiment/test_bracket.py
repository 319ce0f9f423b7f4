"""Brackets: lower estimates, of pairs, iterates, curvatures and ascents, and upper ends that
hold."""

import json
import math
from dataclasses import replace

import mpmath
import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from boundcheck.experiment import measure
from boundcheck.experiment.bracket import ascend, split_along
from boundcheck.experiment.plan import build
from boundcheck.experiment.spec import Spec, parse
from boundcheck.functions.adapters import ADAPTERS, LoRA
from boundcheck.functions.arithmetic import seeded, square_norm
from boundcheck.functions.problem import (
    Problem,
    bilinear_product,
    block_norms,
    gauss_newton_product,
    hessian_vector_product,
)
from boundcheck.language.catalogue import catalogue
from boundcheck.language.function import Constant
from boundcheck.proof.script import find
from boundcheck.properties import adapters, directions, domain_points, pseudo_huber_problems
from boundcheck.system.limits import silent
from tests.functions.twins import softmax_problems
from tests.layers import covering, examples, full
from tests.strategies import domains

from .small import (
    DOMAINS,
    OF_KIND,
    altered,
    bracket_table,
    bracketed,
    changed,
    each_flat_kind,
    each_kind,
    pseudo_huber,
    random_point,
    softmax,
    with_quantity_scaled,
)

PROBLEMS = {"pseudo-Huber": pseudo_huber, "softmax": softmax}
LEMMAS = LoRA.claims
BOTH_RADII = {"meft.lemma1_sharp", "meft.lora"}
ROUNDING = 1e-9


def lambda_star(L, G, s, a, b):
    """The top eigenvalue of [[s^2 L b^2, s^2 L a b + s G], [s^2 L a b + s G, s^2 L a^2]]."""
    off = s**2 * L * a * b + s * G
    return np.linalg.eigvalsh([[s**2 * L * b**2, off], [off, s**2 * L * a**2]])[-1]


@pytest.mark.parametrize("claim", LEMMAS)
def test_the_bound_is_that_of_the_specs_claim_rounded_up(claim):
    problem = pseudo_huber()
    found, _ = bracketed(bracket_table(claim=claim), problem)
    a, b = (1.5, 2.0) if claim in BOTH_RADII else (2.0, 2.0)
    assert found.radii == {"a": a, "b": b}
    G = problem.gradient_bound(found.radii).value
    expected = lambda_star(1.0, G, 1.0, a, b)
    if claim == "jiang2024.lemma1":
        expected = 2 * 2**0.5 * 4 + G
    elif claim == "meft.lora":
        expected = a**2 + b**2 + G
    assert found.bound == pytest.approx(expected, rel=1e-12)
    assert found.bound >= expected * (1 - 1e-15)


@pytest.mark.parametrize("rank", [1, 2, 4, 8])
def test_points_lie_in_the_ball_to_the_last_digit(rank):
    """The true norm of the floats, in 50 digits, is within the radius."""
    problem = pseudo_huber(rank=rank, d=9, k=10)
    radii = {"a": 0.7, "b": 2.3}
    points = problem.adapter.draw(radii, 24, seeded(1))
    with mpmath.workdps(50):
        for part, limit in zip(points, radii.values(), strict=True):
            for X in part[::2]:
                gram = mpmath.matrix((X if X.shape[0] <= X.shape[1] else X.mT).tolist())
                largest = max(mpmath.eigsy(gram * gram.T, eigvals_only=True))
                assert mpmath.sqrt(largest) <= limit


def test_more_points_than_pairs_are_cut_to_what_there_is():
    found, trace = bracketed(
        bracket_table(bracket={"pairs": 2, "iterates": 2, "points": 9}), pseudo_huber()
    )
    assert 1 <= trace.sizes["point"] <= 9
    assert found.verdict == "supported"


def test_a_start_outside_the_ball_is_shrunk_into_it(tmp_path):
    (result,) = measure(bracket_table(domain={"a": 0.01, "b": 0.01}), tmp_path)
    assert result.verdict == "supported"
    assert "iterates" in result.lower


@full
@pytest.mark.parametrize("samples", [1, 2])
def test_a_true_lemma_is_not_violated_by_iterates_that_have_converged(samples, tmp_path):
    """One sample, so no noise: steps shrink to a unit roundoff, and ratios of differences to
    rounding errors."""
    for signal, rank in ((0.2, 4), (1.0, 4), (0.2, 2)):
        table = bracket_table(
            problem={"kind": "pseudo-huber", "d": 4, "k": 4, "samples": samples, "signal": signal},
            adapter={"rank": rank},
            domain={"a": 2.0, "b": 2.0},
            bracket={"pairs": 16, "iterates": 1200, "points": 2},
        )
        (result,) = measure(table, tmp_path)
        assert result.verdict == "supported", result.reason


EXTREME = [
    {"signal": 1e6},
    {"delta": 1e-6},
    {"delta": 1e6},
    {"signal": 1e-9, "noise": 1e-9},
    (1e-6, 1e6),
    (1e6, 1e-6),
    (1e-9, 1e-9),
    (1e6, 1e6),
    (1e-3, 1e3),
]


@pytest.mark.parametrize("extreme", EXTREME, ids=str)
def test_a_true_lemma_is_not_violated_by_extreme_data_or_in_an_extreme_ball(extreme, tmp_path):
    data = extreme if isinstance(extreme, dict) else {}
    domain = {} if data else {"domain": dict(zip("ab", extreme, strict=True))}
    table = bracket_table(
        problem={"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 6} | data, seed=[0, 1], **domain
    )
    for result in measure(table, tmp_path):
        assert result.verdict == "supported", result.reason


TABLES = {
    "pseudo-huber": {"d": 4, "k": 4, "samples": 6},
    "least-squares": {"d": 4, "k": 4, "samples": 6},
    "extremal": {"d": 4, "k": 4, "L": 2.0, "G": 0.5},
    "breast-cancer": {},
    "two-layer": {"hidden": 4},
    "readout": {"components": 4},
}
TINY = {"pairs": 24, "iterates": 8, "points": 3, "ascents": 2, "rounds": 4, "looks": 1}
# DoRA needs columns of W0 further from 0 than its radii reach: 1 > 0.5 * 0.5.
PROVED = {script.claim.id for script in find(()) if script.version != "printed" and script.claim}


def table_of(kind, problem="pseudo-huber", **changes):
    fields = {"problem": {"kind": problem, **TABLES[problem]}, "bracket": TINY}
    if problem == "breast-cancer":
        # Two classes, so two rows.
        fields["adapter.rank"] = None if kind == "full" else 1
    return altered(changed(OF_KIND[kind], fields), **changes)


def dora_has_no_column(kind, problem):
    """W0 = I with more columns than rows has a column of zeros."""
    return kind == "dora" and problem in {"breast-cancer", "two-layer"}


@covering
@each_kind
@pytest.mark.parametrize("problem", TABLES)
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
    (again,) = measure(table_of(kind, problem), tmp_path)
    # A bracket is read, and says so.
    assert again.reason.startswith(f"{result.reason} (read, not run")
    assert replace(again, verdict=result.verdict, reason=result.reason) == result


@each_kind
@examples(5)
@given(st.data())
def test_no_lower_estimate_through_any_adapter_exceeds_an_upper_end(kind, data):
    adapter = data.draw(adapters(kind, most=2))
    radii = data.draw(domains(adapter))
    problem = Problem(data.draw(pseudo_huber_problems(tuple(adapter.W0.shape))), adapter)
    constants = adapter.constants(radii)
    if not all(value > 0 for value in constants.values()):
        return
    claim = ADAPTERS[kind].claims[-1]
    table = changed(
        table_of(kind), {"domain": radii, "claim": claim, "seed": data.draw(st.integers(0, 99))}
    )
    found, _ = bracketed(table, problem)
    assert found.verdict == "supported", found.reason
    for end in found.upper:
        assert found.measured * (1 - ROUNDING) <= end.value, end.claim


@each_kind
def test_the_trace_holds_every_number_that_the_estimates_are_of(kind):
    found, trace = bracketed(table_of(kind))
    names = {
        "pairs": "pair_ratio",
        "iterates": "iterate_ratio",
        "curvature": "curvature",
        "ascent": "ascent",
    }
    assert found.lower == {kind: np.nanmax(trace[names[kind]].values) for kind in found.lower}
    assert trace.sizes["pair"] == TINY["pairs"]
    assert trace.sizes["point"] == TINY["points"]
    assert trace.sizes["start"] == TINY["ascents"]
    seen = "iterate_ratio" in trace and bool(np.isfinite(trace["iterate_ratio"]).any())
    assert ("iterates" in found.lower) == seen


@each_kind
def test_iterates_are_compared_wherever_they_stay_in_the_domain(kind):
    domain = DOMAINS[kind] if kind == "dora" else dict.fromkeys(DOMAINS[kind], 20.0)
    found, _ = bracketed(table_of(kind, domain=domain))
    assert ("iterates" in found.lower) == (not kind.startswith("loreft"))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_claim_about_rank_1_is_made_at_rank_1_alone(rank):
    problem = build(parse(table_of("loreft", claim="meft.loreft", adapter__rank=rank)), "cpu")
    named = [end.claim for end in problem.upper_ends({"nu": 1.0})]
    assert (
        named == ["meft.loreft_rank1", "meft.loreft_sharp", "meft.loreft"][0 if rank == 1 else 1 :]
    )
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
        # By the kernel where a script has it replayed, and nowhere else.
        assert end.trust == ("kernel" if end.claim in PROVED else "by hand"), end.claim
        names = {p.name for p in claim.parameters}
        if "C" in names or ("s" in constants and "s" not in names and constants["s"] != 1):
            continue
        known = constants | {
            "L": problem.objective.smoothness.value,
            "G": problem.gradient_bound(DOMAINS[kind]).value,
        }
        assert end.value == pytest.approx(
            claim.bound(**{name: known[name] for name in names}), rel=1e-12
        )
        assert end.value >= claim.bound(**{name: known[name] for name in names}) * (1 - 1e-15)


def test_columns_that_may_vanish_leave_nothing_to_say():
    problem = build(parse(table_of("dora")), "cpu")
    for a, said in ((1.99, True), (2.0, False), (2.01, False)):
        assert bool(problem.upper_ends({"a": a, "b": 0.5, "mu": 1.0})) == said


@each_kind
@pytest.mark.parametrize("name", ["smoothness", "infimum", "gradient_bound"])
def test_an_estimated_constant_gives_no_verdict(kind, name):
    spec = parse(table_of(kind))
    problem = build(spec, "cpu")
    before = getattr(problem.objective, name)
    setattr(problem.objective, name, Constant(before.value, "estimated", "a guess"))
    found, _ = bracketed(table_of(kind), problem)
    # A bound on the gradient that is estimated is not used where a certified one is smaller; f* is
    # used by nobody.
    G = problem.gradient_bound(found.radii).kind
    needs_gradient = "G" in {p.name for p in catalogue[spec.claim].parameters}
    estimated = name == "smoothness" or (
        name == "gradient_bound" and G == "estimated" and needs_gradient
    )
    supported = f"supported, given {name} of {problem.objective.name}"
    assert found.verdict == ("inconclusive" if estimated else supported), found.reason
    assert ("estimated" in found.reason) == estimated


@each_kind
def test_a_smoothness_of_f_that_is_too_small_is_found_out(kind):
    """A lie: half, or less, of what is seen; it is blamed, and not the claim that it was given
    to."""
    problem = build(parse(table_of(kind)), "cpu")
    for name in ("smoothness", "gradient_bound"):
        setattr(problem.objective, name, Constant(1e-3, "certified", "a lie"))
    found, _ = bracketed(table_of(kind), problem)
    assert found.verdict == "hypothesis-failed"
    assert found.blame.kind == "constant"
    assert found.blame.name == "L"
    assert found.measured > found.bound


@pytest.mark.parametrize(
    "kind, claim", [(kind, id) for kind, adapter in ADAPTERS.items() for id in adapter.claims]
)
def test_a_claim_that_is_too_small_is_violated(kind, claim, monkeypatch):
    table = table_of(kind, claim=claim)
    honest, _ = bracketed(table)
    factor = sp.Rational(honest.measured) / sp.Rational(honest.bound)
    for share, verdict in (
        (sp.Rational(999, 1000), "violated"),
        (sp.Rational(1001, 1000), "supported"),
    ):
        with monkeypatch.context() as patch:
            doctored = with_quantity_scaled(catalogue[claim], factor * share)
            patch.setattr(Spec, "said", property(lambda spec, doctored=doctored: doctored))
            found, _ = bracketed(table)
        # The iterates take their step size from the least bound, and may see another curvature
        # then.
        if found.measured == honest.measured:
            assert found.verdict == verdict, found.reason
            assert ("exceeds the bound" in found.reason) == (verdict == "violated")
        else:
            assert found.verdict == ("violated" if found.measured > found.bound else "supported")


@full
@pytest.mark.parametrize("kind, least", [("lora", 0.95), ("direft", 0.95)])
@pytest.mark.parametrize("radii", [{"a": 1.0, "b": 1.0}, {"a": 2.0, "b": 0.5}])
@pytest.mark.parametrize("seed", range(3))
def test_ascent_finds_the_known_maximum_of_the_extremal_problem(kind, least, radii, seed):
    table = changed(
        OF_KIND[kind],
        {
            "problem": {"kind": "extremal", "d": 3, "k": 4, "L": 1.0, "G": 1.0},
            "domain": radii,
            "seed": seed,
            "bracket": {
                "pairs": 256,
                "iterates": 8,
                "points": 2,
                "ascents": 8,
                "rounds": 64,
                "looks": 0,
            },
        },
    )
    found, _ = bracketed(table)
    a, b = radii.values()
    # The top eigenvalue at the corner of the ball, at L = G = 1.
    star = (a**2 + b**2) / 2 + math.sqrt(((a**2 - b**2) / 2) ** 2 + (a * b + 1) ** 2)
    assert found.bound == pytest.approx(star, rel=1e-9)
    assert least * star <= found.lower["ascent"] <= star * (1 + ROUNDING)


# Not shrunk: a climb is slow, and a failing one would take minutes.
few_examples = examples(2, phases=[Phase.generate])
one_example = settings(few_examples, max_examples=1)


def lengths_at(problem, v, u):
    """‖H(v)u‖ over ‖u‖ for the tangent part of u, 0 where that is 0."""
    u = problem.adapter.tangent(v, u)
    size = square_norm(u).sqrt()
    image = square_norm(hessian_vector_product(problem, v, u)).sqrt()
    return image / size.where(size > 0, 1.0)


@st.composite
def climbs(draw, kind, replicas=3):
    """A problem through that adapter, radii, points of the domain of any spectrum, and
    directions."""
    objective = draw(st.one_of(softmax_problems(), pseudo_huber_problems()))
    adapter = draw(adapters(kind, objective.shape))
    radii = draw(domains(adapter))
    # The claims speak of positive constants: of no loss that is constant, and no frozen factor that
    # is zero.
    assume(
        min(
            objective.smoothness.value,
            objective.gradient_bound.value,
            *adapter.constants(radii).values(),
        )
        > 0
    )
    v = draw(domain_points(adapter, radii, replicas))
    return Problem(objective, adapter), v, draw(directions(adapter, replicas)), radii


@each_kind
@few_examples
@given(st.data())
def test_lengths_rise_in_the_domain_to_what_they_say_and_no_more_than_the_claims(kind, data):
    problem, v, u, radii = data.draw(climbs(kind))
    start = lengths_at(problem, v, u)
    found = ascend(problem, v, u, radii, 5, silent)
    # What rounding may take from a length that is all but 0.
    tiny = 1e-12 * (1 + problem.objective.smoothness.value)
    assert (found.lengths >= start * (1 - ROUNDING) - tiny).all()
    ends = problem.upper_ends(radii)
    assert (
        found.lengths.max().item() * (1 - ROUNDING)
        <= min([end.value for end in ends], default=torch.inf) + tiny
    )
    problem.adapter.check(found.v, radii)
    assert problem.adapter.inside(found.v, radii).all()
    for x, y in zip(found.u, problem.adapter.tangent(found.v, found.u), strict=True):
        torch.testing.assert_close(x, y, rtol=0, atol=1e-12)
    sizes = square_norm(found.u).sqrt()
    assert ((sizes - 1).abs().le(1e-12) | (sizes == 0)).all()
    expected = square_norm(hessian_vector_product(problem, found.v, found.u)).sqrt()
    torch.testing.assert_close(found.lengths, expected, rtol=1e-12, atol=0)


def start_of(problem, count, radii):
    """Points of the domain, and directions."""
    random = seeded(2)
    return tuple(problem.adapter.draw(radii, count, random) for _ in range(2))


RADII = {"a": 1.5, "b": 2.0}


def test_starts_do_not_mix():
    problem = pseudo_huber()
    v, u = start_of(problem, 4, RADII)
    together = ascend(problem, v, u, RADII, 6, silent)
    for i in range(4):
        alone = ascend(
            problem, *(tuple(x[i : i + 1] for x in point) for point in (v, u)), RADII, 6, silent
        )
        torch.testing.assert_close(alone.lengths[0], together.lengths[i], rtol=1e-9, atol=0)


@pytest.mark.parametrize("where", ["direction", "point"])
def test_a_start_that_is_no_number_gains_nothing_and_takes_nothing_from_others(where):
    problem = pseudo_huber()
    v, u = start_of(problem, 3, RADII)
    sound = ascend(problem, *(tuple(x[::2] for x in point) for point in (v, u)), RADII, 6, silent)
    broken = {"direction": u, "point": v}[where][0]
    broken[1] = torch.nan
    found = ascend(problem, v, u, RADII, 6, silent)
    assert found.lengths[1].isnan()
    torch.testing.assert_close(found.lengths[::2], sound.lengths, rtol=1e-9, atol=0)


def test_a_direction_that_nothing_is_seen_along_stays():
    """u = 0, and a flat point: the length is 0 and not what 0 over 0 would be."""
    problem = pseudo_huber()
    v, _ = start_of(problem, 2, RADII)
    found = ascend(problem, v, tuple(torch.zeros_like(x) for x in v), RADII, 3, silent)
    assert found.lengths.tolist() == [0.0, 0.0]


def test_a_step_to_where_nothing_is_a_number_is_no_gain(monkeypatch):
    """Such as past the range of floats: there f has no gradient, and the climb stays below."""
    problem = pseudo_huber()
    v, u = (tuple(0.5 * part for part in point) for point in start_of(problem, 4, RADII))
    sound = problem.objective.gradient
    limit = problem.adapter.weight(v).abs().amax((-2, -1), keepdim=True) + 1e-3

    def broken(W):
        return torch.where(
            W.abs().amax((-2, -1), keepdim=True) > limit, torch.nan, sound(W.clone())
        )

    monkeypatch.setattr(problem.objective, "gradient", broken)
    start = lengths_at(problem, v, u)
    found = ascend(problem, v, u, RADII, 6, silent)
    assert all(part.isfinite().all() for part in (*found.v, *found.u, found.lengths))
    assert (found.lengths >= start * (1 - ROUNDING)).all()


PARTS = {"gauss-newton": gauss_newton_product, "bilinear": bilinear_product}
PRODUCTS = {"whole": hessian_vector_product, **PARTS}

some_examples = examples(40)


def problem_of(kind, seed=0):
    """A small problem through that adapter, and a point of its domain."""
    problem = build(parse(OF_KIND[kind]), "cpu")
    return problem, problem.adapter.draw(DOMAINS[kind], 1, seeded(seed))


def dense_blocks(problem, v, product):
    """Every block of the matrix of a product, a column at a time."""
    sizes = [part.numel() for part in v]
    columns = []
    for block, part in enumerate(v):
        for place in range(part.numel()):
            unit = [torch.zeros_like(x) for x in v]
            unit[block].view(-1)[place] = 1
            columns.append(
                np.concatenate([x.numpy().ravel() for x in product(problem, v, tuple(unit))])
            )
    cuts = np.cumsum(sizes)[:-1]
    return [
        np.split(rows, cuts, axis=1) for rows in np.split(np.stack(columns, axis=1), cuts, axis=0)
    ]


def norms(blocks):
    return np.array([[np.linalg.svd(block)[1].max() for block in row] for row in blocks])


@each_kind
@pytest.mark.parametrize("part", PRODUCTS)
def test_block_norms_are_those_of_the_dense_matrix(kind, part):
    problem, v = problem_of(kind)
    found = block_norms(problem, v, PRODUCTS[part])
    expected = norms(dense_blocks(problem, v, PRODUCTS[part]))
    assert found.shape == (len(v), len(v))
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-13)


def iterates_of(kind, count):
    problem, _ = problem_of(kind)
    return problem, [problem_of(kind, seed)[1] for seed in range(count)]


@each_flat_kind
def test_the_split_is_the_block_norms_at_the_looks(kind):
    problem, iterates = iterates_of(kind, 9)
    split = split_along(problem, iterates, 4, silent)
    times = split["look_time"].values
    blocks = [block.name for block in problem.adapter.blocks]
    assert split["split"].dims == ("part", "row", "column", "look")
    assert split["split"].attrs["parts"].split() == list(PARTS)
    assert split["split"].attrs["blocks"].split() == blocks
    assert split["split"].shape == (2, len(blocks), len(blocks), len(times))
    for part, product in enumerate(PARTS.values()):
        for look, time in enumerate(times):
            expected = block_norms(problem, iterates[time - 1], product)
            np.testing.assert_array_equal(split["split"].values[part, :, :, look], expected)


@some_examples
@given(st.integers(1, 400), st.integers(2, 12))
def test_looks_go_from_the_first_iterate_to_the_last(count, looks):
    problem, (v,) = iterates_of("full", 1)
    times = split_along(problem, [v] * count, looks, silent)["look_time"].values
    assert times[0] == 1
    assert times[-1] == count
    assert (np.diff(times) > 0).all()
    # At equal ratios of time, as far as whole numbers can be; those that fall together are one.
    wanted = [count ** (i / (looks - 1)) for i in range(looks)]
    assert sorted({min(times, key=lambda time, x=x: abs(time - x)) for x in wanted}) == list(times)
    assert all(min(abs(times - x)) <= 0.5 + 1e-9 for x in wanted)


def test_nothing_is_split_of_a_curved_domain_and_without_iterates_or_looks():
    curved, points = iterates_of("loreft", 3)
    flat, iterates = iterates_of("lora", 3)
    assert split_along(flat, iterates, 4, silent).variables
    for problem, some, looks in (
        (curved, points, 4),
        (flat, [], 4),
        (flat, iterates, 0),
        (flat, [], 0),
    ):
        assert not split_along(problem, some, looks, silent).variables


@pytest.mark.parametrize(
    "shape, rank, split", [((16, 16), 10, True), ((53, 54), 3, False), ((23, 23), 7, False)]
)
def test_320_numbers_are_split_and_more_are_not(shape, rank, split):
    d, k = shape
    problem = pseudo_huber(rank=rank, d=d, k=k, samples=1)
    assert (rank * (d + k) <= 320) == split
    assert bool(split_along(problem, [random_point(problem)], 1, silent).variables) == split
