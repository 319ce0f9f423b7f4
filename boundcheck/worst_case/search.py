"""`Search`: the tightest instance of a smoothness claim for each rank, and whether any instance at
all breaks it.

Two searches: at given constants, projected gradient from many starts says how tight the claim is;
over all constants, shapes and ranks, Hypothesis steers shorter climbs toward the largest ratio. The
best instance is shrunk: fewer rows and columns, a lower rank, constants of 1, numbers with few
digits. Only Arb says that a claim is violated.

Over all f with smoothness L and a gradient of spectral norm G, the largest second derivative of F
along u at v is L‖DW[u]‖_F² + G‖D²W[u, u]‖_*, with the nuclear norm; if G bounds the gradient's
Frobenius norm, with the Frobenius norm. A climb goes up this number over v, u and the adapter's
frozen matrices, and then builds an f that reaches it, and two points.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import hypothesis.strategies as st
import numpy as np
import sympy as sp
import torch
from hypothesis import HealthCheck, Phase, given, reject, seed, settings, target
from hypothesis.strategies import DrawFn, SearchStrategy
from torch import Tensor

from boundcheck.errors import InputError, check_count, one_of
from boundcheck.functions.adapters import ADAPTERS, Adapter, make_adapter
from boundcheck.functions.adapters.base import with_frozen
from boundcheck.functions.arithmetic import Point, apart, replica, seeded
from boundcheck.functions.checks import check_pull_back
from boundcheck.functions.judged import check_words
from boundcheck.functions.problem import derivative, leaves
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.hypotheses import BALL, BOUNDED_GRADIENT, LEAST, SMOOTH_IN_W
from boundcheck.language.sentence import algorithm_of, gradient_norm, has_common_radius
from boundcheck.language.symbols import r
from boundcheck.language.view import Shown
from boundcheck.system.limits import Demand, Tick, check_memory, silent
from boundcheck.system.plugins import is_path, typed
from boundcheck.worst_case.instance import (
    AdapterInstance,
    Certificate,
    certify,
    check_id,
    check_lipschitz,
    check_options,
    check_rank,
    rank_of,
)

if TYPE_CHECKING:
    import pandas as pd

# Constants in this range have products of up to nine, and squares of these, that are floats.
_LEAST = 1e-15
_MOST = 1e15
# The distance between the two points of a pair, over the size of the domain.
_APART = 2.0**-17
_TINY = 1e-300
_GROW = 1.5
_SHRINK = 0.5
# A start has reached the bound from this ratio on.
REACHED = 0.999
# Starts and rounds of the climbs that Hypothesis steers, and of those that shrink an instance.
SHORT = (4, 20)
SHRINKING = (16, 96)
# How much of the ratio a smaller instance may lose.
_LOSS = 1e-3
# Matrices of the size of W that a climb holds for each of its starts, about, with room for an
# adapter of four factors.
_ARRAYS = 110
# From 1/16 to 16; shrink to 1.
CONSTANTS: SearchStrategy[float] = st.integers(-16, 16).map(lambda n: 2.0 ** (n / 4))


@dataclass(frozen=True)
class Structure:
    """The frame of an instance.

    Attributes:
        kind: the adapter's.
        d, k, rank: rows and columns of W, and the adapter's rank; full fine-tuning has none and
            ignores it.
        constants: L, G, the scale of an adapter that has one, its radii, the norm of each frozen
            matrix (of DoRA's W0 that of its columns) and the claim's own parameters; see
            `constants_of`.
        spectral: whether G bounds the spectral norm of the gradient, and not its Frobenius norm.

    """

    kind: str
    d: int
    k: int
    rank: int
    constants: Mapping[str, float]
    spectral: bool

    @property
    def radii(self) -> dict[str, float]:
        """The radii of the adapter's domain."""
        return {name: self.constants[name] for name in ADAPTERS[self.kind].radius_names}

    def norm_of(self, name: str) -> float:
        """The norm of a frozen matrix."""
        return self.constants[ADAPTERS[self.kind].frozen[name]]

    def adapter(self, matrices: Mapping[str, Tensor]) -> Adapter:
        """The adapter with these frozen matrices, by the name of their field."""
        zero = torch.zeros(self.d, self.k, dtype=torch.float64)
        factors = {name: X for name, X in matrices.items() if name != "W0"}
        return make_adapter(
            self.kind, matrices.get("W0", zero), self.rank, self.constants.get("s", 1.0), factors
        )


def frozen_shapes(kind: str, d: int, k: int, rank: int) -> dict[str, tuple[int, int]]:
    """The shapes of the frozen matrices of a kind of adapter, by the name of their field."""
    every = {"A": (rank, k), "B": (d, rank), "W0": (d, k)}
    return {name: every[name] for name in ADAPTERS[kind].frozen}


def adapter_of(claim: Claim, asked: str | None) -> str:
    """The kind of adapter on which to try a claim: the requested one, or the first that the claim
    is about.

    Your own claim is about the adapter that you request, if it has a conclusion of the catalogue's
    claims about smoothness.

    Raises:
        InputError: for a claim that is not about an adapter's smoothness, and for an unknown
            adapter or one that a claim of the catalogue is not about.

    """
    if asked is not None and is_path(asked):
        with typed("adapter", asked):
            ADAPTERS.open(asked)
    # A claim of one's own says that F is smooth as a lemma does, and has no word that instances do
    # not have.
    lemmas = {catalogue[id].conclusion for adapter in ADAPTERS.values() for id in adapter.claims}
    if claim.quantities and claim.conclusion not in lemmas:
        raise InputError(
            "claim.conclusion",
            claim.conclusion,
            "the conclusion of one of the catalogue's claims about smoothness",
        )
    check_words(claim)
    about = [kind for kind, adapter in ADAPTERS.items() if adapter.is_subject_of(claim)]
    if not about and (asked is None or claim.id in catalogue):
        raise InputError(
            "claim",
            claim.id,
            "a claim about the smoothness of an adapter, such as meft.lora; `boundcheck prove`"
            " decides a lemma, and `check_claim` attacks any relation",
        )
    possible = about or list(ADAPTERS)
    if asked is not None and asked not in possible:
        raise InputError("adapter", asked, one_of(asked, possible))
    return asked or about[0]


def constants_of(kind: str, claim: Claim, given: Mapping[str, float]) -> dict[str, float]:
    """L, G, the scale, radii, norms of frozen matrices and the claim's own constants: as given,
    else 1.

    An adapter may have other default radii.
    """
    adapter = ADAPTERS[kind]
    f = SMOOTH_IN_W.letter, BOUNDED_GRADIENT.letter
    known = dict.fromkeys((*f, "s", *adapter.radius_names, *adapter.frozen.values()), 1.0)
    known |= adapter.starting
    if "scale" not in adapter.options:
        del known["s"]
    known |= {parameter.name: 1.0 for parameter in claim.own}
    common = has_common_radius(claim)
    for name, value in given.items():
        named = adapter.radius_names if name == BALL.common.name and common else (name,)
        if not set(named) <= set(known):
            raise InputError(name, value, f"a constant of {kind}, {one_of(name, known)}")
        if not _LEAST <= value <= _MOST:
            raise InputError(name, value, f"a positive number from {_LEAST:g} to {_MOST:g}")
        known |= dict.fromkeys(named, float(value))
    if common and len({known[name] for name in adapter.radius_names}) > 1:
        raise InputError(
            "a, b", [known[name] for name in adapter.radius_names], f"equal radii, for {claim.id}"
        )
    return known


# The climb.


class _State(NamedTuple):
    """Points, directions and frozen matrices of all starts, the two derivatives of W there, and the
    reached values.
    """

    v: Point
    u: Point
    frozen: dict[str, Tensor]
    slope: Tensor
    bent: Tensor
    values: Tensor


class Climber:
    """The search over one structure, from `starts` random starts."""

    def __init__(self, structure: Structure, starts: int, seed: int) -> None:
        self.structure = structure
        self.starts = starts
        self.L, self.G = (
            structure.constants[word.letter] for word in (SMOOTH_IN_W, BOUNDED_GRADIENT)
        )
        self.random = seeded(seed)
        shapes = frozen_shapes(structure.kind, structure.d, structure.k, structure.rank)
        frozen = {name: self._sized(name, self._normal(shape)) for name, shape in shapes.items()}
        self.outline = structure.adapter({name: X[0] for name, X in frozen.items()})
        v = self.outline.draw(structure.radii, starts, self.random)
        u = tuple(self._normal(block.shape) for block in self.outline.blocks)
        self.state = self._state(v, u, frozen)
        self.steps = torch.full((starts,), 0.3, dtype=torch.float64)

    def run(self, rounds: int) -> Climber:
        """Climb for `rounds` rounds; the reached value never falls."""
        radii = self.structure.radii
        size = math.sqrt(sum(radius**2 for radius in radii.values()))
        for _ in range(rounds):
            state = self.state
            blocks = len(self.state.v)
            names = list(self.state.frozen)
            # The best f at the current points. With it the value is smooth, and at most that of the
            # best f elsewhere.
            twist = _steepest(state.bent, self.structure.spectral)
            stretch = 2 * self.L * state.slope
            with torch.enable_grad():
                variables = leaves((*state.v, *state.u, *state.frozen.values()))
                v = variables[:blocks]
                u = variables[blocks : 2 * blocks]
                adapter = with_frozen(
                    self.outline, dict(zip(names, variables[2 * blocks :], strict=True))
                )
                along, across = _graph(adapter, v, self.outline.unit(v, u))
                total = (stretch * along + self.G * twist * across).sum()
                slopes = torch.autograd.grad(total, variables, materialize_grads=True)
            in_v = slopes[:blocks]
            in_u = slopes[blocks : 2 * blocks]
            rises = dict(zip(names, slopes[2 * blocks :], strict=True))

            # A cautious step along each slope, projected onto the domain.
            step = self.steps[:, None, None]
            moved = tuple(step * size * g for g in self.outline.unit(state.v, in_v))
            cautious = self._state(
                self.outline.project(self.outline.retract(state.v, moved), radii),
                tuple(
                    x + step * g
                    for x, g in zip(state.u, self.outline.unit(state.v, in_u), strict=True)
                ),
                {
                    name: self._sized(
                        name,
                        X + step * torch.linalg.matrix_norm(X, keepdim=True) * unit(rises[name]),
                    )
                    for name, X in state.frozen.items()
                },
            )
            # A bold one to where each slope is largest over the domain: a convex function is
            # largest at such an end.
            half = 0.5 / state.values.clamp(min=_TINY)[:, None, None]
            ends = {}
            for name, X in state.frozen.items():
                U, _, Vh = torch.linalg.svd(rises[name], full_matrices=False)
                ends[name] = X if name == "W0" else self._sized(name, U @ Vh)
            bold = self._state(
                self.outline.extreme(in_v, radii),
                tuple(x + half * g for x, g in zip(state.u, in_u, strict=True)),
                ends,
            )

            gained = torch.zeros_like(state.values, dtype=torch.bool)
            for other in (cautious, bold):
                better = other.values > self.state.values
                self.state = _chosen(better, other, self.state)
                gained |= better
            self.steps = torch.where(
                gained, (_GROW * self.steps).clamp(max=1.0), _SHRINK * self.steps
            ).clamp(min=1e-9)
        return self

    def best(self, claim: Claim, lipschitz: str) -> AdapterInstance:
        """The instance from the start that reached the most."""
        return self.instance(claim, lipschitz, int(self.state.values.nan_to_num(-1.0).argmax()))

    def instance(self, claim: Claim, lipschitz: str, which: int) -> AdapterInstance:
        """The instance from one start: the pair of points near it with the largest Lipschitz
        ratio.
        """
        state = self.state
        s = self.structure
        adapter = s.adapter({name: X[which] for name, X in state.frozen.items()})
        v, u = replica(state.v, which), replica(state.u, which)

        def inward(v: Point) -> Point:
            # By more than the rounding errors of norms, so that the points are exactly inside.
            return self.outline.inward(v, s.radii, 1e-13)

        v = inward(v)
        direction, tilt = steepest_loss(adapter, v, u, s.spectral)
        pairs = [(v, u)]
        if adapter.is_flat:
            # A point beside v along u, on either side, or both brought a little inside.
            step = _APART * min(s.radii.values())
            pairs = []
            inner = tuple((1 - 2 * _APART) * part for part in v)
            for start, sign in ((v, 1.0), (v, -1.0), (inner, 1.0)):
                to = adapter.retract(start, tuple(sign * step * part for part in u))
                pairs.append((start, inward(adapter.project(to, s.radii))))
        made = (
            AdapterInstance.around(claim, adapter, s.constants, lipschitz, direction, tilt, *pair)
            for pair in pairs
        )
        return max(made, key=lambda instance: instance.ratio)

    def _normal(self, shape: tuple[int, int]) -> Tensor:
        return torch.randn((self.starts, *shape), generator=self.random, dtype=torch.float64)

    def _sized(self, name: str, X: Tensor) -> Tensor:
        """A frozen matrix brought to its norm."""
        norm = self.structure.norm_of(name)
        if name == "W0":
            return norm * X / torch.linalg.vector_norm(X, dim=-2, keepdim=True)
        return norm * X / torch.linalg.matrix_norm(X, 2, keepdim=True)

    def _state(self, v: Point, u: Point, frozen: dict[str, Tensor]) -> _State:
        u = self.outline.unit(v, u)
        slope, bent = weight_derivatives(with_frozen(self.outline, frozen), v, u)
        # The dual of the norm in which G bounds the gradient.
        turned = torch.linalg.matrix_norm(bent, "nuc" if self.structure.spectral else "fro").clamp(
            min=0
        )
        return _State(
            v, u, frozen, slope, bent, self.L * slope.square().sum((-2, -1)) + self.G * turned
        )


def unit(X: Tensor) -> Tensor:
    """Each matrix of a batch, divided by its Frobenius norm."""
    return X / torch.linalg.matrix_norm(X, keepdim=True).clamp(min=torch.finfo(X.dtype).tiny)


def steepest_loss(
    adapter: Adapter, v: Point, u: Point, spectral: bool
) -> tuple[np.ndarray, np.ndarray]:
    """E and N, shapes (d, k), of the loss that bends F most along u at v: E = DW[u] over its norm,
    N of norm 1.

    N is the gradient that makes most of D²W[u, u], of spectral norm 1, or of Frobenius norm 1 where
    not `spectral`.
    """
    slope, bent = weight_derivatives(adapter, v, u)
    return unit(slope)[0].numpy(), _steepest(bent, spectral)[0].numpy()


def _steepest(bent: Tensor, spectral: bool) -> Tensor:
    if not spectral:
        return unit(bent)
    U, S, Vh = torch.linalg.svd(bent, full_matrices=False)
    # Where D²W[u, u] is 0, the gradient gains nothing.
    return (U * (1e-9 * S[..., :1] < S).unsqueeze(-2)) @ Vh


def weight_derivatives(adapter: Adapter, v: Point, u: Point) -> tuple[Tensor, Tensor]:
    """The first and second derivative of W along the geodesic from v in the direction u, shape (R,
    d, k).
    """
    with torch.enable_grad():
        slope, bent = _graph(adapter, leaves(v), u)
    return slope.detach(), bent.detach()


def _graph(adapter: Adapter, v: Point, u: Point) -> tuple[Tensor, Tensor]:
    """The derivatives of `weight_derivatives` for v of a graph: both can be differentiated
    again.
    """
    # The direction is fixed, although a tangent may be computed from v.
    at = tuple(part.clone() for part in v)
    W = (adapter.weight(at),)
    slope = derivative(W, at, u)
    (bent,) = derivative(slope, at, u)
    if not adapter.is_flat:
        bent = bent + derivative(W, at, adapter.acceleration(v, u))[0]
    return slope[0], bent


def _chosen(mask: Tensor, yes: Any, no: Any) -> Any:
    """Of each start the tensors in `yes` where the mask is true, else those in `no`."""
    if isinstance(no, Tensor):
        return torch.where(mask.view(-1, *[1] * (no.ndim - 1)), yes, no)
    if isinstance(no, dict):
        return {name: _chosen(mask, yes[name], X) for name, X in no.items()}
    parts = [_chosen(mask, x, y) for x, y in zip(yes, no, strict=True)]
    return _State(*parts) if isinstance(no, _State) else tuple(parts)


# The search.


@dataclass(frozen=True)
class Row:
    """The best instance at one rank and one choice of constants.

    Attributes:
        rank: r; for full fine-tuning, the smaller side of W minus one.
        constants: L, G, the scale, the radii and the norms of frozen matrices.
        ratio: a certified lower bound on measured over bound.
        share: the share of starts that reached `REACHED`.

    """

    rank: int
    constants: Mapping[str, float]
    ratio: float
    share: float


@dataclass(frozen=True)
class Falsification(Shown):
    """The result of the search on a claim.

    Attributes:
        id: the claim's.
        ratio: the largest certified ratio of measured over bound.
        violated: whether an instance breaks the claim, certified with Arb.
        open: what is not known to hold in the instance, where it exceeds the bound and is a
            candidate alone.
        instance: the best one, shrunk.
        rows: the best at each rank and choice of constants.
        explored: how many further structures were tried, and the largest certified ratio among
            them.

    """

    id: str
    ratio: float
    violated: bool
    instance: AdapterInstance
    rows: tuple[Row, ...]
    explored: tuple[int, float]
    open: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "ratio": self.ratio,
            "violated": self.violated,
            "open": list(self.open),
            "instance": self.instance.as_json(),
            "rows": [asdict(row) for row in self.rows],
            "explored": {"structures": self.explored[0], "ratio": self.explored[1]},
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a rank and choice of constants: ``rank``, each constant, ``ratio``, ``share``;
        see `Row`.
        """
        import pandas as pd

        rows = (
            {"rank": x.rank} | dict(x.constants) | {"ratio": x.ratio, "share": x.share}
            for x in self.rows
        )
        return pd.DataFrame({"claim": self.id} | row for row in rows)


def rating(found: Certificate) -> tuple[bool, float]:
    """What makes one instance better than another: that it certainly breaks the claim, then its
    certified ratio.

    The ratio is 0 if something given fails in the instance.
    """
    return found.violated, found.lower if found.inside else 0.0


@dataclass(frozen=True)
class Search:
    """A method of `falsify`: look for the instance of a smoothness claim with the largest ratio of
    measured over bound.

    Attributes:
        ranks: those to report the tightest instance of.
        constants: L, G, s, radii and norms of frozen matrices to search at; each is 1 where left
            out, and with none given a second search is made with b halved, where the claim has both
            radii.
        adapter: the kind of adapter, or its import path, where it does not follow from the claim.
        lipschitz: what C stands for in a claim that takes one: ``sigma`` or ``sqrt(r) sigma``.
        starts: random starts of each climb.
        rounds: steps of each climb.
        examples: further structures (shapes, ranks, constants) that Hypothesis tries.
        seed: of all random choices.

    """

    ranks: Sequence[int] = tuple(range(1, 9))
    constants: Mapping[str, float] | None = None
    adapter: str | None = None
    lipschitz: str = LEAST
    starts: int = 16
    rounds: int = 96
    examples: int = 64
    seed: int = 0

    def falsify(self, claim: Claim, tick: Tick = silent) -> Falsification:
        """The best instance, shrunk, its certified ratio, and whether it violates the claim.

        Raises:
            InputError: for a claim that is not about the smoothness of an adapter or has the id of
                another claim, and for a bad option.

        """
        if algorithm_of(claim) is not None:
            raise InputError(
                "claim",
                claim.id,
                "a claim about the smoothness of an adapter; WorstCase is for theorems",
            )
        check_id(claim)
        check_options("ranks", self.ranks, self.constants)
        kind = adapter_of(claim, self.adapter)
        for rank in self.ranks:
            check_count("rank", rank)
            check_rank("rank", rank)
        check_count("starts", self.starts)
        check_count("rounds", self.rounds)
        check_count("examples", self.examples, 0)
        if type(self.seed) is not int or not 0 <= self.seed < 2**63:
            raise InputError("seed", self.seed, "an integer from 0 to 2^63 - 1")
        check_lipschitz(self.lipschitz)
        choices = [constants_of(kind, claim, self.constants or {})]
        parameters = {parameter.name for parameter in claim.parameters}
        radii = [name for name in ADAPTERS[kind].radius_names if name in parameters]
        if not self.constants and len(radii) > 1:
            choices.append(choices[0] | {radii[1]: choices[0][radii[1]] / 2})
        plans = [
            (chosen, rank) for chosen in choices for rank in self.ranks if _speaks_of(claim, rank)
        ]
        if not plans:
            raise InputError(
                "rank", ", ".join(map(str, self.ranks)), f"a rank that {claim.id} speaks of"
            )
        largest = (max(self.ranks) + 1) ** 2
        check_memory([Demand("starts", self.starts, 8 * _ARRAYS * self.starts * largest)])

        tried: list[tuple[AdapterInstance, Certificate]] = []
        rows = []
        stages = len(plans) * self.rounds
        for place, (chosen, rank) in enumerate(plans):
            structure = Structure(
                kind, rank + 1, rank + 1, rank, chosen, gradient_norm(claim) == "spectral"
            )
            climber = Climber(structure, self.starts, self.seed)
            for done in range(place * self.rounds, (place + 1) * self.rounds):
                tick(f"climb, rank {rank}", done, stages)
                climber.run(1)
            found = climber.best(claim, self.lipschitz)
            check_pull_back(found.adapter, found.v)
            share = (climber.state.values >= REACHED * found.bound).double().mean().item()
            tried.append((found, certify(found)))
            rows.append(Row(rank, chosen, rating(tried[-1][1])[1], share))
            tick(f"climb, rank {rank}", (place + 1) * self.rounds, stages)
        explored = self._explored(claim, kind, tried, tick) if self.examples else 0.0
        instance = shrunk(*max(tried, key=lambda each: rating(each[1])))
        final = certify(instance)
        counted = self.examples, explored
        return Falsification(
            claim.id, final.lower, final.violated, instance, tuple(rows), counted, final.open
        )

    def _explored(
        self, claim: Claim, kind: str, tried: list[tuple[AdapterInstance, Certificate]], tick: Tick
    ) -> float:
        """Let Hypothesis look for a structure that breaks the claim; return the largest certified
        ratio.
        """
        done = 0
        largest = 0.0

        @seed(self.seed)
        @settings(
            max_examples=self.examples,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.target],
            suppress_health_check=list(HealthCheck),
        )
        @given(structures(kind, claim), st.integers(0, 2**16))
        def attempt(structure: Structure, start: int) -> None:
            nonlocal done, largest
            starts, rounds = SHORT
            try:
                found = Climber(structure, starts, start).run(rounds).best(claim, self.lipschitz)
                ratio = found.ratio
            except InputError:
                # A condition of the claim excludes these constants.
                reject()
            if ratio > largest:
                tried.append((found, certify(found)))
                _, ratio = rating(tried[-1][1])
            largest = max(largest, ratio)
            target(ratio)
            done += 1
            tick("explore", min(done, self.examples), self.examples)

        attempt()
        return largest


def _speaks_of(claim: Claim, rank: int) -> bool:
    """True if the conditions of a claim on the rank alone admit this one."""
    conditions = [c for c in claim.conditions if c.free_symbols == {r}]
    return all(c.subs(dict.fromkeys(c.free_symbols, rank)) for c in conditions)


@st.composite
def own_constants(draw: DrawFn, claim: Claim) -> dict[str, float]:
    """A value for each of the claim's own parameters, in its domain; shrink to 1."""
    domains: dict[str, SearchStrategy[float]] = {
        "positive real": CONSTANTS,
        "positive integer": st.integers(1, 16).map(float),
        "real": st.one_of(CONSTANTS, CONSTANTS.map(lambda x: -x)),
    }
    return {p.name: draw(domains[p.domain]) for p in claim.own}


@st.composite
def structures(draw: DrawFn, kind: str, claim: Claim, largest: int = 8) -> Structure:
    """Structures of ranks up to the largest and sides to one more; shrink to 1 x 1 and constants of
    1.
    """
    ranks = [rank for rank in range(1, largest + 1) if _speaks_of(claim, rank)]
    rank = draw(st.sampled_from(ranks))
    d, k = (draw(st.integers(rank, largest + 1)) for _ in range(2))
    constants = {name: draw(CONSTANTS) for name in constants_of(kind, claim, {})} | draw(
        own_constants(claim)
    )
    if has_common_radius(claim):
        constants |= dict.fromkeys(ADAPTERS[kind].radius_names, draw(CONSTANTS))
    for condition in ADAPTERS[kind].conditions():
        if isinstance(condition, sp.StrictGreaterThan) and str(condition.lhs) in constants:
            least = condition.rhs.subs({x: constants[str(x)] for x in condition.rhs.free_symbols})
            constants[str(condition.lhs)] = float(least) * (1 + draw(CONSTANTS))
    return Structure(kind, d, k, rank, constants, gradient_norm(claim) == "spectral")


# A smaller instance.


def shrunk(instance: AdapterInstance, certificate: Certificate) -> AdapterInstance:
    """The smallest instance found inside the domain that is as good to a thousandth, and violates
    if this one does.
    """
    own = _structure(instance)
    best = instance
    starts, rounds = SHRINKING
    plain = constants_of(own.kind, instance.claim, {})

    def is_as_good(made: AdapterInstance) -> bool:
        try:
            found = certify(made)
        except InputError:
            # Rounding can make a factor or a column 0.
            return False
        enough = (
            found.violated >= certificate.violated
            and found.lower >= (1 - _LOSS) * certificate.lower
        )
        return found.inside and enough

    # From the smallest structure up to that of the instance itself.
    smaller_ones = (
        replace(own, d=side, k=side, rank=rank, constants=constants)
        for rank in range(1, own.rank + 1)
        for side in range(rank, min(rank + 1, own.d, own.k) + 1)
        for constants in (plain, own.constants)
    )
    for smaller in smaller_ones:
        try:
            made = Climber(smaller, starts, 0).run(rounds).best(instance.claim, instance.lipschitz)
        except InputError:
            # The claim is not about this structure.
            continue
        if is_as_good(made):
            best = made
            break
    for digits in (1, 2, 3, 4):
        rounded = _rounded(best, digits)
        if rounded is not None and is_as_good(rounded):
            return rounded
    return best


def _structure(instance: AdapterInstance) -> Structure:
    adapter = instance.adapter
    d, k = instance.adapter.W0.shape
    constants = {
        parameter: float(
            torch.linalg.vector_norm(X, dim=0).min()
            if name == "W0"
            else torch.linalg.matrix_norm(X, 2)
        )
        for name, parameter in adapter.frozen.items()
        for X in (getattr(adapter, name),)
    }
    constants |= {"s": float(getattr(adapter, "scale", 1.0)), **instance.radii, **instance.given}
    constants[SMOOTH_IN_W.letter] = instance.slope * float(np.linalg.norm(instance.direction)) ** 2
    constants[BOUNDED_GRADIENT.letter] = instance.gradient_bound
    return Structure(
        adapter.kind, d, k, rank_of(adapter), constants, gradient_norm(instance.claim) == "spectral"
    )


def _rounded(instance: AdapterInstance, digits: int) -> AdapterInstance | None:
    """The instance with few digits in points, step, f's two matrices and the frozen ones; None if
    nothing is left.
    """
    adapter = instance.adapter
    rounded = {name: getattr(adapter, name).round(decimals=digits) for name in adapter.frozen}
    try:
        adapter = replace(adapter, **rounded)
    except InputError:
        # The adapter refuses such a matrix.
        return None
    # A block with orthonormal rows would lose them.
    v = tuple(
        part if block.norm == "orthonormal" else part.round(decimals=digits)
        for block, part in zip(adapter.blocks, instance.v, strict=True)
    )
    if adapter.is_flat:
        step = apart(instance.other, instance.v)
        # In units of a power of two, so that a rounded number can be written exactly.
        power = 2.0 ** np.floor(np.log2(max(float(part.abs().max()) for part in step)))
        other = tuple(
            x + power * (y / power).round(decimals=digits) for x, y in zip(v, step, strict=True)
        )
    else:
        other = tuple(part.round(decimals=digits) for part in instance.other)
    direction = instance.direction.round(digits)
    size = float(np.linalg.norm(instance.tilt, 2)) or 1.0
    tilt = (instance.tilt / size).round(digits)
    if not direction.any():
        return None
    constants = _structure(instance).constants
    return AdapterInstance.around(
        instance.claim, adapter, constants, instance.lipschitz, direction, tilt, v, other
    )
