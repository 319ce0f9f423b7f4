"""What a run on a network shows: estimates of its constants, the theorems there, verdicts in
hindsight."""

import math
from dataclasses import dataclass, replace
from types import SimpleNamespace

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given

import boundcheck as bc
from boundcheck.experiment.audit import Evidence, audit
from boundcheck.experiment.plan import Plan, Start
from boundcheck.experiment.run import Record, empty_trace
from boundcheck.experiment.spec import parse
from boundcheck.experiment.statistics import Schedule
from boundcheck.experiment.verdict import (
    estimates_of,
    in_hindsight,
    own_step,
    smoothness_of,
    theorem_rows,
)
from boundcheck.experiment.waterfall import waterfall
from boundcheck.functions.adapters.base import spectral_bound
from boundcheck.functions.arithmetic import seeded
from boundcheck.functions.networks.function import NetworkFunction, block_norms
from boundcheck.functions.networks.network import Network
from boundcheck.language.evidence import Audit
from boundcheck.language.function import Constant
from tests.experiment.small import blame_of, judged
from tests.functions.networks.small import (
    KINDS,
    dense_hessian,
    flat,
    gpt_table,
    hessian_in,
    merged,
    network_of,
)
from tests.layers import examples
from tests.results import ESTIMATES as HAND

CLAIM = bc.claims["meft.theorem2_any_step"]
RADII = {"a": 1.25, "b": 0.75, "mu": 0.6, "nu": 0.7, "rho": 2.0}


def ran(found, step, steps, first, sites=()):
    """The evidence of a run at this step, of whose constants D alone is known beforehand."""
    number = {"alpha": step}
    inputs = {"D": found.D, "eta": step, "T": steps}
    plan = Plan({}, None, 1, steps, step, math.inf, inputs, number, number)
    start = SimpleNamespace(square_norm=first)
    function = SimpleNamespace(sites=sites)
    return SimpleNamespace(claim=CLAIM, plan=plan, start=start, function=function)


def by_path(found, step, steps, first):
    """What the theorems say at the L̂ of the path: of no site nothing else is known."""
    (row,) = theorem_rows(ran(found, step, steps, first), found)
    return row


def constants(network, **changes):
    """L = 3, and norms that grow from site to site."""
    sites = list(enumerate(network.sites, start=1))
    return replace(
        HAND,
        **{
            "radii": {
                site.name: {
                    b.radius: RADII[b.radius] * place / 2 for b in site.adapter.blocks if b.radius
                }
                for place, site in sites
            },
            "G": {site.name: 0.5 * place for place, site in sites},
            "G_frobenius": {site.name: 0.875 * place for place, site in sites},
        }
        | changes,
    )


def by_way(found):
    return {(way, lipschitz): value for way, lipschitz, value, _ in found}


def of_catalogue(id, **inputs):
    return bc.claims[id].bound(**inputs)


def test_lora_has_the_sharp_constant_and_the_printed_ones_with_its_scale_in_f():
    network = network_of("lora", scale=1.5)
    sites = (network.sites[0],)
    single = Network(network.model, sites, network.task)
    found = by_way(smoothness_of(single.sites, constants(single)))
    a = 0.625
    s = 1.5
    L = 3.0
    printed = {"L": s**2 * L, "G": s * 0.875, "sigma": a, "r": 2}
    for lipschitz, C in (("sigma", a), ("sqrt(r) sigma", math.sqrt(2) * a)):
        expected = of_catalogue("jiang2024.lemma1", C=C, **printed)
        assert found["printed", lipschitz] == pytest.approx(expected, rel=1e-12)
        # By hand.
        assert expected == pytest.approx(2 * s**2 * L * C * math.sqrt(2) * a + s * 0.875, rel=1e-12)
    assert found["path", ""] == 2.0
    assert list(found) == [
        ("path", ""),
        ("layers", ""),
        ("printed", "sigma"),
        ("printed", "sqrt(r) sigma"),
    ]


def test_the_largest_over_layers_is_taken():
    network = network_of("lora")
    whole = constants(network)
    found = by_way(smoothness_of(network.sites, whole))
    alone = [by_way(smoothness_of((site,), whole)) for site in network.sites]
    for way in [("layers", ""), ("printed", "sigma"), ("printed", "sqrt(r) sigma")]:
        values = [each[way] for each in alone]
        assert len(set(values)) == len(values)
        assert found[way] == max(values)


def sharp(network, found):
    """The least that the catalogue says of the first site, with the G that each claim speaks of."""
    site = network.sites[0]
    adapter = site.adapter
    radii = found.radii[site.name]
    L = found.L
    G = found.G[site.name]
    G_frobenius = found.G_frobenius[site.name]
    s = {"s": getattr(adapter, "scale", 1.0)}
    match adapter.kind:
        case "lora":
            return of_catalogue("meft.lemma1_sharp", L=L, G=G, **radii, **s)
        case "direft":
            return of_catalogue("meft.direft", L=L, G=G, **radii)
        case "full":
            return L
        case "frozen-a":
            return of_catalogue("meft.frozen_a", L=L, a=spectral_bound(adapter.A), **s)
        case "frozen-b":
            return of_catalogue("meft.frozen_b", L=L, b=spectral_bound(adapter.B), **s)
        case "loreft":
            return of_catalogue("meft.loreft_sharp", L=L, G=G, **radii)
        case "loreft-trained":
            return of_catalogue("meft.loreft_trained", L=L, G=G, **radii)
        case _:
            w_0 = adapter.W0.norm(dim=0).min().item()
            # Its claims are about the Frobenius norm of the gradient.
            assert "jiang2024.assumption3.2" in {
                h.id for h in bc.claims["meft.dora_blocks"].hypotheses
            }
            claims = ("meft.dora_blocks", "meft.dora")
            return min(of_catalogue(id, L=L, G=G_frobenius, w_0=w_0, **radii, **s) for id in claims)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_the_constant_of_its_sharpest_claim(kind):
    network = network_of(kind, scale=0.5)
    single = Network(network.model, network.sites[:1], network.task)
    found = constants(single)
    if kind == "dora":
        # Inside of where its claims say something: no column may vanish.
        found = replace(found, radii={single.sites[0].name: {"a": 0.3, "b": 0.2, "mu": 0.6}})
    ways = by_way(smoothness_of(single.sites, found))
    assert ways["layers", ""] == pytest.approx(sharp(single, found), rel=1e-9)
    assert (("printed", "sigma") in ways) == (kind in {"lora", "direft"})


@pytest.mark.parametrize("kind", KINDS)
def test_no_curvature_is_larger_than_that_of_the_layers(kind):
    """At the L, the norms and the gradients of one point, where the claims are about its
    Hessian."""
    network = network_of(kind, scale=0.4)
    look = network.look()
    v = network.point()
    norms = iter(block_norms(network, v))
    radii = [
        [(block.radius, next(norms)) for block in site.adapter.blocks] for site in network.sites
    ]
    names = [site.name for site in network.sites]
    found = replace(
        HAND,
        L=torch.linalg.eigvalsh(hessian_in(network, *merged(network))).abs().max().item(),
        radii={
            name: {r: max(x for other, x in pairs if other == r) for r, _ in pairs if r}
            for name, pairs in zip(names, radii, strict=True)
        },
        G={
            name: torch.linalg.matrix_norm(M, 2).item()
            for name, M in zip(names, look.weight_gradients, strict=True)
        },
        G_frobenius={
            name: M.norm().item() for name, M in zip(names, look.weight_gradients, strict=True)
        },
    )
    ways = by_way(smoothness_of(network.sites, found))
    if kind.startswith("loreft"):
        random = seeded(0)
        curvature = 0.0
        for _ in range(8):
            u = tuple(torch.randn(part.shape, generator=random, dtype=torch.float64) for part in v)
            for _ in range(3):
                u = network.hessian_vector_product(u)
                u = tuple(part / flat(u).norm() for part in u)
            curvature = max(curvature, flat(network.hessian_vector_product(u)).norm().item())
    else:
        curvature = torch.linalg.eigvalsh(dense_hessian(network)).abs().max().item()
    assert curvature <= ways["layers", ""] * (1 + 1e-9)
    assert curvature > 1e-3


def test_a_way_that_says_nothing_is_left_out():
    network = network_of("lora")
    for nothing in ({"L": 0.0}, {"G": dict.fromkeys([site.name for site in network.sites], 0.0)}):
        assert list(by_way(smoothness_of(network.sites, constants(network, **nothing)))) == [
            ("path", "")
        ]


def test_dora_says_nothing_where_a_column_may_vanish():
    network = network_of("dora")
    single = Network(network.model, network.sites[:1], network.task)
    found = constants(single, radii={single.sites[0].name: {"a": 9.0, "b": 9.0, "mu": 1.0}})
    rows = theorem_rows(ran(found, 0.1, 10, 0.5, single.sites), found)
    assert [row.way for row in rows] == ["path", "layers"]
    assert rows[1].value == math.inf
    assert rows[1].longest == 0.0
    assert all(
        getattr(rows[1], name) is None
        for name in ("bound", "needed", "alpha", "T_min", "printed_bound")
    )
    # The path says what it says.
    assert rows[0].bound is not None


def test_constants_beyond_the_range_of_floats_are_no_crash():
    """Of a run that diverged."""
    network = network_of("lora")
    found = constants(
        network, L=1e200, radii={site.name: {"a": 1e80, "b": 1e90} for site in network.sites}
    )
    rows = theorem_rows(ran(found, 0.1, 10, 0.5, network.sites), found)
    assert rows[0].bound is not None
    assert all(row.bound is None for row in rows[1:])


def test_rows_are_those_that_one_finds_by_hand():
    # (D/(eta T) + ell eta zeta²/2) / (1 - ell eta/2), at ell = 2, D = 1, zeta² = 1/4, T = 10, eta =
    # 1/10.
    row = by_path(HAND, 0.1, 10, 0.5)
    assert row.bound == pytest.approx((1 + 0.025) / 0.9, rel=1e-14)
    assert row.bound == bc.claims["meft.theorem2_any_step"].bound(
        ell=2.0, D=1.0, zeta=0.5, T=10, eta=0.1
    )
    assert row.longest == 1.0
    # 10/T + 0.025 < 0.45 from T = 24 on.
    assert row.needed == 24
    # The printed theorem's own step, sqrt(D/(ell T zeta²)), shortest T, 4 ell D/zeta², and bound.
    assert row.alpha == pytest.approx(math.sqrt(0.2), rel=1e-14)
    assert row.T_min == pytest.approx(32.0, rel=1e-14)
    assert row.printed_bound == pytest.approx(2.5 * math.sqrt(0.05), rel=1e-14)
    assert row.way == "path"
    assert row.lipschitz == ""
    assert row.value == 2.0


@pytest.mark.parametrize("changes", [{"zeta_square": 0.0}, {"D": 0.0}, {"zeta_square": math.inf}])
def test_there_is_no_bound_without_constants(changes):
    row = by_path(replace(HAND, **changes), 0.1, 10, 0.5)
    assert row.bound is None
    if 0.0 in changes.values():
        assert row.alpha is None
        assert row.printed_bound is None


def test_no_smoothness_is_no_bound():
    assert own_step(ran(HAND, 0.1, 10, 0.5), HAND, 0.0) == (math.inf, None, None)


def test_a_plan_in_hindsight_has_the_constants_that_were_seen_and_the_bound_there():
    given = ran(HAND, 0.1, 10, 0.5)
    plan = in_hindsight(given, HAND)
    assert dict(plan.inputs) == {"D": 1.0, "eta": 0.1, "T": 10, "ell": 2.0, "zeta": 0.5}
    assert plan.zeta == 0.5
    assert plan.steps == 10
    assert plan.step_size == 0.1
    assert plan.values["Lhat"] == 2.0
    assert plan.values["bound"] == pytest.approx((1 + 0.025) / 0.9, rel=1e-14)
    # What a pilot found is no constant of the run.
    piloted = replace(given.plan, zeta=9.0, inputs=given.plan.inputs | {"ell": 7.0, "zeta": 9.0})
    assert in_hindsight(SimpleNamespace(**vars(given) | {"plan": piloted}), HAND) == plan
    for changes in ({"zeta_square": 0.0}, {"path": 0.0}, {"path": 20.0}):
        assert math.isnan(in_hindsight(given, replace(HAND, **changes)).values["bound"])


positive = st.floats(1e-6, 1e6)


@examples(60)
@given(positive, positive, positive, st.integers(1, 10**6), st.floats(1e-3, 1.5), positive)
def test_the_bound_is_the_formula_and_needed_is_where_it_falls_below(
    ell, D, variance, T, share, first
):
    step = share * 2 / ell
    seen = replace(HAND, D=D, zeta_square=variance)
    longest, bound_there, needed = own_step(ran(seen, step, T, first), seen, ell)
    assert longest == 2 / ell
    if share >= 1:
        assert step < 2 / ell or bound_there is None
        return

    def bound(steps):
        return (D / (step * steps) + ell * step * variance / 2) / (1 - ell * step / 2)

    assert bound_there == pytest.approx(bound(T), rel=1e-9)
    if needed is None:
        assert bound(10**12) >= first * (1 - 1e-9)
    else:
        assert bound(needed) < first * (1 + 1e-9)
        assert needed == 1 or bound(needed - 1) >= first * (1 - 1e-9)


def filled(network):
    """A trace of two replicas with three audits and two looks, of numbers that tell where they are
    from."""
    trace = empty_trace(
        np.array([[1, 2, 3]] * 2), NetworkFunction("", network, 0), np.array([1, 3])
    )
    for place, name in enumerate(sorted(trace.data_vars)):
        values = trace[name].values
        if values.dtype.kind == "f":
            values[...] = np.arange(values.size).reshape(values.shape) / 8 + place
    trace["curvature"].values[1] = np.nan
    trace["weight_curvature"].values[...] = [[5.0, 4.0], [np.nan, np.nan]]
    return trace


def test_constants_are_the_largest_of_the_trace():
    network = network_of("dora")
    trace = filled(network)
    trace["path_smoothness"].values[...] = [[1.0, 7.0, 2.0], [3.0, 6.5, np.nan]]
    trace["path_smoothness_error"].values[...] = [[0.0, 0.5, 0.0], [0.0, 2.0, np.nan]]
    trace["weight_smoothness"].values[...] = [[1.0, 2.0, 6.0], [9.0, 0.0, np.inf]]
    trace["weight_smoothness_error"].values[...] = [[0.0, 0.0, 0.5], [8.0, 0.0, 0.0]]
    found = estimates_of(network.sites, trace, 3.25)
    assert found.path == 8.5
    assert found.path_sure == 6.5
    assert found.L == 5.5
    assert found.D == 3.25
    assert found.curvature == trace["curvature"].values[0].max()
    assert found.zeta_square == trace["noise_variance"].values.max()
    for place, site in enumerate(network.sites):
        assert found.G[site.name] == trace["weight_gradient_spectral"].values[..., place].max()
        assert (
            found.G_frobenius[site.name]
            == trace["weight_gradient_frobenius"].values[..., place].max()
        )
        norms = trace["norm"].values[..., 3 * place : 3 * place + 3].max((0, 1))
        assert found.radii[site.name] == dict(zip(("a", "b", "mu"), norms, strict=True))
    trace["weight_curvature"].values[0, 1] = 5.75
    assert estimates_of(network.sites, trace, 3.25).L == 5.75


def test_of_negative_smoothness_no_constant_is_known_and_a_radius_is_positive():
    network = network_of("lora")
    trace = filled(network)
    for name in ("curvature", "weight_curvature"):
        trace[name].values[...] = np.nan
    for name in ("path_smoothness", "weight_smoothness"):
        trace[name].values[...] = -1.0
        trace[f"{name}_error"].values[...] = 0.0
    trace["norm"].values[...] = 0.0
    found = estimates_of(network.sites, trace, 1.0)
    assert (found.path, found.path_sure, found.L, found.curvature) == (None, None, None, None)
    assert all(0 < radius < 1e-9 for radii in found.radii.values() for radius in radii.values())


AUDITS = 10
# With one block that no radius bounds.
SITE = SimpleNamespace(
    name="layer", blocks=("block",), adapter=SimpleNamespace(blocks=(SimpleNamespace(radius=""),))
)
FAILED = Audit("meft.unbiased", "hypothesis", "failed", 0.2, 0.0, "drawn without replacement")
RULES = Audit("Algorithm 1", "hypothesis", "failed", None, None, "the optimizer is AdamW")
ONE_PASS = Audit("meft.unbiased", "hypothesis", "assumed", None, None, "one pass over samples")


@dataclass(frozen=True)
class Enclosure:
    """What a run showed, the same at each of its audits.

    At L̂ = 2, D = 1, zeta² = 1/4 and a step of 0.1 the bound on the average after T steps is (10/T
    + 0.025)/0.9.
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
    def bound(self):
        """The formula of the theorem, at the L̂ with the rounding error added."""
        ell = self.path + self.path_error
        return (self.gap / (self.step * self.steps) + ell * self.step * self.noise / 2) / (
            1 - ell * self.step / 2
        )

    def evidence(self, **columns):
        """What a run left; `columns` are what differs from audit to audit."""
        replica = {
            "loss": self.loss,
            "loss_error": 1e-12,
            "gradient_square_norm_error": 0.0,
            "noise_variance": self.noise,
            "minibatch_excess": -1e-9,
            "conditional_bias": 0.0,
            "conditional_bias_error": 0.0,
            "path_smoothness": self.path,
            "path_smoothness_error": self.path_error,
            "weight_smoothness": 3.0,
            "weight_smoothness_error": 0.0,
        }
        values = {
            name: (("replica", "stratum"), np.full((1, AUDITS), value))
            for name, value in replica.items()
        }
        for name, column in ({"gradient_square_norm": self.squares} | columns).items():
            values[name] = (("replica", "stratum"), np.array([column]))
        for name in ("weight_gradient_spectral", "weight_gradient_frobenius"):
            values[name] = (("replica", "stratum", "site"), np.ones((1, AUDITS, 1)))
        values["norm"] = (("replica", "stratum", "block"), np.ones((1, AUDITS, 1)))
        trace = xr.Dataset(values | {"curvature": (("replica", "look"), np.empty((1, 0)))})
        infimum = Constant(0.0, "certified", "cross-entropy is nonnegative")
        at = torch.zeros(1, 1, dtype=torch.float64)
        # Flat, so that minibatches have the mean that the gradient has.
        function = SimpleNamespace(
            is_known=False,
            samples=12,
            given=(),
            drawn=(),
            infimum=infimum,
            norm_names={"": "norm"},
            sites=(SITE,),
            loss=lambda v: v[0].sum(1),
            gradient=lambda v: v,
            batch_gradient=lambda v, rows: v,
            sample_variance=lambda v: v[0].sum(1),
            rounding=lambda v, loss: (loss, loss, loss),
        )
        gap = Constant(
            self.gap, "certified", "F(v_1) minus the lower bound on f: cross-entropy is nonnegative"
        )
        start = Start((), gap, self.gap, self.first, 12 * self.noise, {})
        inputs = {"D": self.gap, "eta": self.step, "T": self.steps}
        plan = Plan(
            {},
            None,
            3,
            self.steps,
            self.step,
            math.inf,
            inputs,
            {"alpha": self.step},
            {"alpha": self.step},
        )
        spec = parse(gpt_table(run__steps=self.steps, run__step_size=self.step))
        edges = Schedule.edges_of(self.steps, AUDITS)
        record = Record(Schedule(edges, edges[None, 1:]), trace, None, (at,))
        evidence = Evidence(CLAIM, spec, function, start, plan, record, self.sampling, self.partial)
        return replace(evidence, plan=in_hindsight(evidence, estimates_of([SITE], trace, self.gap)))

    def audits(self):
        return {each.hypothesis: each for each in audit(self.evidence())}

    def judged(self):
        return judged(self.evidence())


SEEN = Enclosure()


def test_each_hypothesis_has_its_audit():
    audits = SEEN.audits()
    assert [(each.hypothesis, each.status, each.limit) for each in audits.values()] == [
        ("step size", "held", 0.1),
        ("meft.unbiased", "held", 0.0),
        ("minibatches", "held", None),
        ("classic.smooth", "assumed", 2.0),
        ("jiang2024.assumption4", "assumed", 0.25),
        ("jiang2024.bounded_below", "held", 1.0),
        ("eta < eta_max", "held", 1.0),
    ]
    for name in ("classic.smooth", "jiang2024.assumption4", "jiang2024.bounded_below"):
        assert f"{AUDITS} random iterates" in audits[name].how
    assert audits["jiang2024.bounded_below"].observed == pytest.approx(0.25)


@pytest.mark.parametrize(
    "step, status, verdict",
    [
        (0.999, "held", "uninformative"),
        (1.0, "assumed", "inconclusive"),
        (1.249, "assumed", "inconclusive"),
        (1.25, "failed", "hypothesis-failed"),
        (9.0, "failed", "hypothesis-failed"),
    ],
)
def test_a_step_is_too_long_only_where_rounding_cannot_have_made_it_so(step, status, verdict):
    # 2 with the rounding error added, 1.6 with it taken off.
    seen = replace(SEEN, step=step, path=1.8, path_error=0.2)
    assert seen.audits()["eta < eta_max"].status == status
    found = seen.judged()
    assert found.verdict == verdict, found.reason
    if status == "assumed":
        assert blame_of(found) == ("rounding", "Lhat")
    if status == "failed":
        assert blame_of(found) == ("constant", "eta")


@pytest.mark.parametrize("path, error", [(1.0, 1.0), (0.5, 0.5), (-1.0, 3.0), (0.1, 0.04)])
def test_a_smoothness_that_is_mostly_rounding_earns_no_comparison_with_a_bound(path, error):
    for steps in (50, 20):
        seen = replace(SEEN, path=path, path_error=error, steps=steps)
        found = seen.judged()
        assert found.verdict == "inconclusive"
        assert blame_of(found) == ("rounding", "Lhat")
        # No view can take for a number what is none.
        kept = seen.evidence().plan.rounded()
        assert math.isnan(found.bound)
        assert all(
            math.isnan(x) for x in (kept.inputs["ell"], kept.values["Lhat"], kept.values["bound"])
        )
        assert seen.audits()["classic.smooth"].observed is None
        assert seen.audits()["eta < eta_max"].limit is None
        assert not waterfall(seen.evidence(), audit(seen.evidence())).links
        # What a run did against the rules is worse.
        assert replace(seen, sampling=(FAILED,)).judged().verdict == "hypothesis-failed"
    ratios = {"gradient_ratio": [0.5] * AUDITS, "gradient_ratio_error": [0.0101] * AUDITS}
    found = judged(replace(SEEN, path=path, path_error=error).evidence(**ratios))
    assert "the largest gradient ratio, a lower estimate, is 0.5 ± 0.011" in found.reason


@pytest.mark.parametrize(
    "changes, verdict, blame, words",
    [
        ({}, "inconclusive", ("constant", "Lhat"), "the average 0.2 (no less than the smallest)"),
        ({"squares": (0.45,) * AUDITS}, "inconclusive", ("constant", "Lhat"), "is above 0.25"),
        # (10/T + 0.025)/0.9 falls below 0.24 from T = 53 on, and never below 0.0277.
        ({"first": 0.24}, "uninformative", ("horizon", "T"), "at least 53 steps"),
        ({"first": 0.027}, "uninformative", ("constant", "eta"), "a shorter one"),
        # What is left of an estimate from some samples when their variance is taken off may be
        # negative.
        *(
            (
                change | {"partial": "8 of 12 samples"},
                "uninformative",
                ("statistics", "samples"),
                "take more",
            )
            for change in (
                {"first": 0.0},
                {"squares": (0.0,) * AUDITS},
                {"squares": (-0.01,) * AUDITS},
            )
        ),
        ({"sampling": (ONE_PASS,)}, "inconclusive", ("hypothesis", "meft.unbiased"), ""),
        ({"noise": 0.0}, "uninformative", ("constant", "zeta"), "measured as 0"),
        (
            {"step": 2.0, "sampling": (RULES, FAILED)},
            "hypothesis-failed",
            ("hypothesis", "Algorithm 1"),
            "Algorithm 1, meft.unbiased, eta < eta_max",
        ),
        *(
            (
                {"squares": (*SEEN.squares[1:], value)},
                "hypothesis-failed",
                ("rounding", "overflow"),
                "finite number",
            )
            for value in (math.nan, math.inf, -math.inf)
        ),
        (
            {"loss": math.nan},
            "hypothesis-failed",
            ("rounding", "jiang2024.bounded_below"),
            "jiang2024.bounded_below",
        ),
        ({"loss": -0.5}, "hypothesis-failed", ("constant", "D"), ""),
    ],
    ids=str,
)
def test_what_was_seen_decides_the_verdict_and_whom_it_blames(changes, verdict, blame, words):
    seen = replace(SEEN, **changes)
    found = seen.judged()
    assert (found.verdict, blame_of(found)) == (verdict, blame), found.reason
    assert words in found.reason
    assert verdict != "inconclusive" or found.bound == pytest.approx(seen.bound, rel=1e-12)
    assert math.isnan(found.bound) or "noise" not in changes
    assert (found.interval is None) or blame != ("rounding", "overflow")


def test_what_is_seen_on_some_samples_is_assumed():
    audits = replace(SEEN, partial="8 of 12 samples").audits()
    statuses = [each.status for each in audits.values()]
    assert statuses == ["held"] * 3 + ["assumed"] * 3 + ["held"]
    for name in ("classic.smooth", "jiang2024.assumption4", "jiang2024.bounded_below"):
        assert "8 of 12 samples" in audits[name].how


def test_a_smoothness_that_is_no_number_hides_no_step_that_is_too_long():
    """The last step leads to where F is no number."""
    path = [2.0] * (AUDITS - 1)
    for last in (math.nan, math.inf, -math.inf):
        evidence = replace(SEEN, step=1.5).evidence(path_smoothness=[*path, last])
        found = judged(evidence)
        assert found.verdict == "hypothesis-failed"
        assert blame_of(found) == ("constant", "eta")


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
def test_no_run_whose_constants_were_seen_supports_or_violates_a_claim(seen):
    evidence = seen.evidence()
    audits = audit(evidence)
    found = judged(evidence, audits)
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
