"""`falsify`: the tightest instance of a smoothness claim for each rank, and whether any instance at all breaks it.

Two searches: at given constants, projected gradient from many starts says how tight the claim is; over all constants,
shapes and ranks, Hypothesis steers shorter climbs toward the largest ratio. Only Arb says that a claim is violated.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import sympy as sp
from hypothesis import HealthCheck, Phase, given, reject, seed, settings, target
from hypothesis.strategies import DrawFn, SearchStrategy

from boundcheck.errors import InputError
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.functions.slopes import check_pull_back
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.notebook import Shown
from boundcheck.language.sentence import has_common_radius
from boundcheck.language.symbols import r
from boundcheck.system.limits import Tick
from boundcheck.worst_case.certify import Certificate, certify
from boundcheck.worst_case.climb import Climber
from boundcheck.worst_case.instance import AdapterInstance, check_lipschitz
from boundcheck.worst_case.shrink import shrunk
from boundcheck.worst_case.structure import Structure, adapter_of, constants_of

if TYPE_CHECKING:
    import pandas as pd

# A start has reached the bound from this ratio on.
REACHED = 0.999
_SHORT_STARTS, _SHORT_ROUNDS = 4, 20
# From 1/16 to 16; shrink to 1.
CONSTANTS: SearchStrategy[float] = st.integers(-16, 16).map(lambda n: 2.0 ** (n / 4))


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
        open: what is not known to hold in the instance, where it exceeds the bound and is a candidate alone.
        instance: the best one, shrunk.
        rows: the best at each rank and choice of constants.
        explored: how many further structures were tried, and the largest certified ratio among them.

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
            "rows": [{"rank": r.rank, "constants": r.constants, "ratio": r.ratio, "share": r.share} for r in self.rows],
            "explored": {"structures": self.explored[0], "ratio": self.explored[1]},
        }

    def to_frame(self) -> "pd.DataFrame":
        """One row a rank and choice of constants: ``rank``, each constant, ``ratio``, ``share``; see `Row`."""
        import pandas as pd

        rows = ({"rank": x.rank} | dict(x.constants) | {"ratio": x.ratio, "share": x.share} for x in self.rows)
        return pd.DataFrame({"claim": self.id} | row for row in rows)


@dataclass
class _Best:
    """The best instance so far; an instance that certainly breaks the claim beats any other."""

    instance: AdapterInstance | None = None
    certificate: Certificate | None = None

    def offer(self, instance: AdapterInstance) -> float:
        """Keep an instance if it is better; return its certified ratio, 0 if something given fails in it."""
        found = certify(instance)
        kept = self.certificate
        if kept is None or (found.violated, _ratio(found)) > (kept.violated, _ratio(kept)):
            self.instance, self.certificate = instance, found
        return _ratio(found)


def _ratio(found: Certificate) -> float:
    return found.lower if found.inside else 0.0


def search(
    claim: str | Claim,
    ranks: Sequence[int],
    constants: Mapping[str, float] | None,
    adapter: str | None,
    lipschitz: str,
    starts: int,
    rounds: int,
    examples: int,
    seed: int,
    tick: Tick,
) -> Falsification:
    """See `boundcheck.worst_case.falsify`."""
    claim = catalogue.opened(claim) if isinstance(claim, str) else claim
    kind = adapter_of(claim, adapter)
    _check(ranks, starts, rounds, examples, seed, lipschitz)
    choices = [constants_of(kind, claim, constants or {})]
    parameters = {parameter.name for parameter in claim.parameters}
    radii = [name for name in ADAPTERS[kind].radius_names if name in parameters]
    if not constants and len(radii) > 1:
        choices.append(choices[0] | {radii[1]: choices[0][radii[1]] / 2})
    best, rows = _Best(), []
    plans = [(chosen, rank) for chosen in choices for rank in ranks if _speaks_of(claim, rank)]
    if not plans:
        raise InputError("rank", ", ".join(map(str, ranks)), f"a rank that {claim.id} speaks of")
    for done, (chosen, rank) in enumerate(plans):
        structure = Structure.of(claim, kind, (rank + 1, rank + 1, rank), chosen)
        climber = Climber(structure, starts, seed).run(rounds)
        found = climber.best(claim, lipschitz)
        check_pull_back(found.adapter, found.v)
        share = (climber.state.values >= REACHED * found.bound).double().mean().item()
        rows.append(Row(rank, chosen, best.offer(found), share))
        tick(f"climb, rank {rank}", done + 1, len(plans))
    explored = _explore(claim, kind, lipschitz, examples, seed, best, tick)
    if best.instance is None or best.certificate is None:
        raise InputError("claim", claim.id, "constants of which the claim speaks")
    instance = shrunk(best.instance, best.certificate)
    final = certify(instance)
    tried = examples, explored
    return Falsification(claim.id, final.lower, final.violated, instance, tuple(rows), tried, final.open)


def _check(ranks: Sequence[int], starts: int, rounds: int, examples: int, seed: int, lipschitz: str) -> None:
    for name, value in (*(("rank", rank) for rank in ranks), ("starts", starts), ("rounds", rounds)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(name, value, "a positive integer")
    if isinstance(examples, bool) or not isinstance(examples, int) or examples < 0:
        raise InputError("examples", examples, "an integer from 0")
    if not 0 <= seed < 2**63:
        raise InputError("seed", seed, "an integer from 0 to 2^63 - 1")
    check_lipschitz(lipschitz)


def _speaks_of(claim: Claim, rank: int) -> bool:
    """True if the conditions of a claim on the rank alone admit this one."""
    conditions = [c for c in claim.conditions if c.free_symbols == {r}]
    return all(bool(c.subs(dict.fromkeys(c.free_symbols, rank))) for c in conditions)


def _explore(claim: Claim, kind: str, lipschitz: str, examples: int, seed_: int, best: _Best, tick: Tick) -> float:
    """Let Hypothesis look for a structure that breaks the claim; return the largest certified ratio."""
    if examples == 0:
        return 0.0
    counted: Iterator[int] = iter(range(1, 10**9))
    largest = 0.0

    @seed(seed_)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.target],
        suppress_health_check=list(HealthCheck),
    )
    @given(structures(kind, claim), st.integers(0, 2**16))
    def attempt(structure: Structure, start: int) -> None:
        nonlocal largest
        try:
            found = Climber(structure, _SHORT_STARTS, start).run(_SHORT_ROUNDS).best(claim, lipschitz)
            ratio = found.ratio
        except InputError:
            # A condition of the claim excludes these constants.
            reject()
        if ratio > largest:
            ratio = best.offer(found)
        largest = max(largest, ratio)
        target(ratio)
        tick("explore", min(next(counted), examples), examples)

    attempt()
    return largest


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
def structures(draw: DrawFn, kind: str, claim: Claim, largest_rank: int = 8, largest_side: int = 9) -> Structure:
    """Structures on which to try a claim about an adapter of this kind; shrink to 1 x 1 and constants of 1."""
    ranks = [rank for rank in range(1, largest_rank + 1) if _speaks_of(claim, rank)]
    rank = draw(st.sampled_from(ranks))
    d, k = draw(st.integers(rank, largest_side)), draw(st.integers(rank, largest_side))
    constants = {name: draw(CONSTANTS) for name in constants_of(kind, claim, {})} | draw(own_constants(claim))
    if has_common_radius(claim):
        constants |= dict.fromkeys(ADAPTERS[kind].radius_names, draw(CONSTANTS))
    for condition in ADAPTERS[kind].conditions():
        if isinstance(condition, sp.StrictGreaterThan) and str(condition.lhs) in constants:
            least = condition.rhs.subs({x: constants[str(x)] for x in condition.rhs.free_symbols})
            constants[str(condition.lhs)] = float(least) * (1 + draw(CONSTANTS))
    return Structure.of(claim, kind, (d, k, rank), constants)
