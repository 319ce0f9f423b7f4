"""`Spec`: an experiment as a person writes it, in TOML, checked field by field before anything runs.

A list in place of a scalar is a sweep: `expand` turns one file into one `Spec` for every combination.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import sympy as sp
from pydantic import (
    BeforeValidator,
    Field,
    PositiveFloat,
    PrivateAttr,
    SerializeAsAny,
    model_validator,
)

from boundcheck.errors import InputError
from boundcheck.experiment.given import GivenProblem
from boundcheck.experiment.tables import (
    AdapterSpec,
    BracketSpec,
    DomainSpec,
    ModelTable,
    RunSpec,
)
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.functions.adapters.products import BASE_RADIUS
from boundcheck.functions.objective import ProblemTable, table_of
from boundcheck.language.algorithms import Algorithm
from boundcheck.language.catalogue import catalogue, theorem_at_any_step
from boundcheck.language.claim import Claim
from boundcheck.language.hypotheses import (
    BOUNDED_BELOW,
    BOUNDED_GRADIENT,
    BOUNDED_VARIANCE,
    EXPECTED_SMOOTHNESS,
    LEAST,
    LIPSCHITZ_ADAPTER,
    NEAR_MINIMISER,
    SMOOTH,
    SMOOTH_IN_W,
    Lipschitz,
)
from boundcheck.language.inputs import exact, formula
from boundcheck.language.measures import SMOOTHNESS, PerformanceMeasure
from boundcheck.language.prose import plain
from boundcheck.language.sentence import (
    algorithm_of,
    calls_it_bound,
    free_numbers,
    free_step,
    is_about_smoothness,
    limit_of,
    measure_of,
    speaks_of_a_ball,
    takes,
    words_of,
)
from boundcheck.language.symbols import T
from boundcheck.system.files import read_text
from boundcheck.system.plugins import allowed, allowing, is_path
from boundcheck.system.tables import NOT_GIVEN, Seed, Table, combinations, validated

# Bytes of a spec.
_LONGEST = 2**18
# The parameters of a theorem that may be assumed; the others are part of how it is run.
ASSUMABLE = (
    *(word.letter for word in (SMOOTH_IN_W, BOUNDED_GRADIENT, LIPSCHITZ_ADAPTER, BOUNDED_BELOW, NEAR_MINIMISER)),
    *(symbol.name for symbol in EXPECTED_SMOOTHNESS.symbols),
)
FOLLOWING = (BOUNDED_VARIANCE.letter, T.name)
"""The parameters whose values follow from the others: noise, and horizon."""
# The parameters whose values a run shows, beside its step size.
_SEEN = {SMOOTH.letter, BOUNDED_BELOW.letter, *FOLLOWING}


def adapters_of(theorem: Claim) -> tuple[str, ...]:
    """The kinds of adapter that a theorem speaks of and Algorithm 1 can be run on.

    A classic is about any function that is smooth where the iterates go; some of them need F to be smooth on all of
    space, and F is not smooth there with two trained factors.
    """
    where = _smooth_on(theorem)
    run = [(kind, adapter) for kind, adapter in ADAPTERS.items() if adapter.is_run]
    if "space" in where:
        return tuple(kind for kind, adapter in run if adapter.is_linear)
    if "path" in where:
        return tuple(kind for kind, _ in run)
    where = where & {"frozen"} or {"ball"}
    return tuple(kind for kind, adapter in run if where & _smooth_on(catalogue[adapter.claims[0]]))


def _smooth_on(claim: Claim) -> set[str]:
    return {word.smooth_on for _, word in words_of(claim) if word}


def _known_claim(claim: Any) -> Any:
    """The id of a `Claim`, or the id or path as given; a path is opened where that is allowed."""
    if isinstance(claim, Claim):
        return catalogue.opened(claim).id
    if is_path(claim):
        catalogue.named(claim)
    return claim


class Spec(Table):
    """One experiment: a claim, a problem in one matrix or a network, an adapter, and how to measure."""

    claim: Annotated[str, BeforeValidator(_known_claim)] = Field(
        description="the id, or the import path, of a theorem about an algorithm, or of a lemma about smoothness; "
        "left out of a network, the theorem about any constant step"
    )
    seed: Seed = Field(default=0, description="from which every random stream of the run derives")
    lipschitz: Lipschitz = Field(default=LEAST, description="what Assumption 3's C stands for")
    problem: Annotated[SerializeAsAny[ProblemTable], BeforeValidator(table_of)] | None = Field(
        default=None, description="what is minimised, in one matrix"
    )
    model: ModelTable | None = Field(default=None, description="what is minimised, a network, in place of a problem")
    adapter: AdapterSpec = Field(description="what is trained")
    domain: DomainSpec = Field(default=DomainSpec(), description="the ball, if it is not left to a pilot")
    assume: dict[str, PositiveFloat | str] = Field(
        default_factory=dict,
        description='other values or formulas for L, G, C, D and what the theorem derives, as `bound = "bound/2.5"`',
    )
    run: RunSpec = Field(default=RunSpec(), description="how a theorem is run")
    bracket: BracketSpec = Field(default=BracketSpec(), description="how the constant of a lemma is bracketed")
    _allowed: tuple[Path, ...] = PrivateAttr(default_factory=allowed)

    @model_validator(mode="before")
    @classmethod
    def _of_a_network(cls, tables: Any) -> Any:
        """Fill in what a network's tables leave out, and drop the rank of a kind without one, for sweeps over kinds."""
        if not isinstance(tables, dict) or "model" not in tables:
            return tables
        adapter, run = tables.get("adapter"), tables.get("run", {})
        kind = adapter.get("kind", "") if isinstance(adapter, dict) else ""
        if isinstance(adapter, dict) and isinstance(kind, str) and kind in ADAPTERS and not ADAPTERS[kind].has_rank:
            tables = tables | {"adapter": {name: value for name, value in adapter.items() if name != "rank"}}
        if isinstance(run, dict):
            tables = tables | {"run": {"replicas": 1, "audits": None, "looks": 2} | run}
        return {"claim": theorem_at_any_step().id} | tables

    @model_validator(mode="after")
    def _is_measurable(self) -> "Spec":
        if (self.problem is None) == (self.model is None):
            both = "both" if self.model else NOT_GIVEN
            raise InputError("problem", both, "one table, [problem] or [model]")
        if self.model is not None:
            self._check_network(self.model)
            return self
        claim, kind = self.said, self.adapter.made
        if algorithm_of(claim) is None and not is_about_smoothness(claim):
            raise InputError("claim", self.claim, "a theorem with a step size, or a lemma about smoothness")
        if self.is_bracket and not kind.is_subject_of(claim):
            raise InputError("claim", self.claim, f"a lemma about {kind.title}: one of {', '.join(kind.claims)}")
        if not self.is_bracket:
            self._check_theorem()
        elif not SMOOTHNESS.is_bounded_by(claim.conclusion, claim.quantities[-1].symbol):
            raise InputError("claim", self.claim, "a lemma that concludes with a bound on the smoothness of F")
        given = set(self.domain.given)
        # A theorem that speaks of a ball may leave it to a pilot; one that speaks of none has no use for it.
        wanted = set(self.radius_names) if self.is_bracket or self.has_ball else set()
        # One that there is not is named before one that is missing.
        wrong = (given - wanted) or (wanted - given if self.is_bracket else set())
        if wrong:
            field, listed = f"domain.{min(wrong)}", " and ".join(self.radius_names)
            known = self.domain.given.get(field.removeprefix("domain."), NOT_GIVEN)
            expected = (
                f"radii {listed}, for {self.adapter.kind}" if wanted else f"no radius: {self.claim} needs no ball"
            )
            raise InputError(field, known, expected)
        for unused in ("run", "assume") if self.is_bracket else ("bracket",):
            if unused in self.model_fields_set:
                raise InputError(unused, "(a table)", f"no such table, which says nothing of {self.claim}")
        return self

    def _check_network(self, model: ModelTable) -> None:
        """Refuse what a run on a network does not have, or cannot be held to."""
        if {p.name for p in self.said.parameters} - {*_SEEN, *self.free} or not self.takes_step_size:
            raise InputError(
                "claim", self.claim, f"a theorem about whatever step a run takes: {theorem_at_any_step().id}"
            )
        for table in ("lipschitz", "domain", "assume", "bracket"):
            if table in self.model_fields_set:
                raise InputError(table, "(given)", "no such field: no constant of a network is known beforehand")
        if "zeta" in self.run.model_fields_set:
            raise InputError("run.zeta", self.run.zeta, "no such field: the noise of a network is measured")
        if self.adapter.start != "lora":
            raise InputError("adapter.start", self.adapter.start, "lora, in a network")
        self._check_steps()
        run, batch = self.run, self.run.batch if isinstance(self.run.batch, int) else 1
        if run.sampling == "without replacement" and batch > model.samples:
            expected = f"at most the model.samples = {model.samples}, drawn without replacement"
            raise InputError("run.batch", run.batch, expected)
        model.check_targets(self.adapter.kind, self.adapter.paths)

    def _check_steps(self) -> None:
        """Refuse a step that is missing or not the run's to choose, and more audits than steps."""
        given, audits = self.run.step_size, self.run.audits
        others = self.free[1:] if self.takes_step_size else self.free
        for name in others:
            if name not in self.run.given:
                raise InputError(f"run.given.{name}", NOT_GIVEN, f"a number, which {self.claim} leaves to the run")
        for name, value in self.run.given.items():
            if name not in others:
                expected = (
                    f"one of {', '.join(others)}" if others else f"no such field: {self.claim} leaves nothing else open"
                )
                raise InputError(f"run.given.{name}", value, expected)
        for p in self.said.parameters:
            if p.domain == "positive integer" and not float(self.run.given.get(p.name, 1)).is_integer():
                raise InputError(f"run.given.{p.name}", self.run.given[p.name], f"a whole number: {plain(p.meaning)}")
        if self.takes_step_size and given is None:
            raise InputError("run.step_size", NOT_GIVEN, f"a number, for {self.claim} prescribes no step")
        if not self.takes_step_size and given is not None:
            raise InputError("run.step_size", given, f"no such field: {self.claim} prescribes its own step")
        if self.run.steps != "informative" and audits is not None and audits > self.run.steps:
            raise InputError("run.audits", audits, f"at most run.steps = {self.run.steps}")

    def _check_theorem(self) -> None:
        said = self.said
        if not takes(said, T):
            raise InputError("claim", self.claim, "a theorem with the horizon T among its parameters")
        # One that says how small the measure can be is none.
        _ = self.measure
        allowed = adapters_of(said)
        if self.adapter.kind not in allowed:
            expected = f"{' or '.join(allowed)}, of which {self.claim} speaks"
            if not any(_smooth_on(said)):
                expected += ": none of its hypotheses says that F is smooth elsewhere than on a ball"
            raise InputError("adapter.kind", self.adapter.kind, expected)
        self._check_steps()
        for field, given, without in (("run.looks", self.run.looks, 0), ("adapter.targets", self.adapter.targets, "")):
            if given != without:
                raise InputError(field, given, "no such field: a problem is in one matrix, and not a network")
        if self.is_stochastic and self.run.replicas < 2:
            raise InputError("run.replicas", self.run.replicas, "a number greater than or equal to 2")
        if not self.is_stochastic:
            for field in ("batch", "zeta", "replicas", "sampling", "level"):
                if field in self.run.model_fields_set:
                    expected = f"no such field: {self.claim} is about gradient descent, which has no noise"
                    raise InputError(f"run.{field}", getattr(self.run, field), expected)
        self.assumed_inputs()
        _ = self.theorem

    def __reduce__(self) -> Any:
        """Let another process open for itself what lies outside of the package, as it was allowed when this was read.

        What is an object goes along.
        """
        claim = self.said if catalogue.is_own(self.claim) and not is_path(self.claim) else self.claim
        problem = {"problem": self.problem} if isinstance(self.problem, GivenProblem) else {}
        return _parse_as_allowed, (self.as_json() | {"claim": claim} | problem, self._allowed)

    def as_json(self) -> dict[str, Any]:
        """The tables that this experiment uses, as a spec file holds them; `parse` reads it back."""
        if self.model is not None:
            unused_tables = {"problem", "lipschitz", "domain", "assume", "bracket"}
            return self.model_dump(mode="json", exclude=dict.fromkeys(unused_tables, True) | {"run": {"zeta", "given"}})
        matrix: dict[str, Any] = {"model": True, "adapter": {"targets"}}
        # What is not taken is not stored: a spec of before there was the field is the same experiment.
        if not self.restarts:
            matrix["domain"] = {BASE_RADIUS}
        if self.is_bracket:
            return self.model_dump(mode="json", exclude=matrix | {"run": True, "assume": True})
        unused = set() if self.is_stochastic else set(RunSpec.model_fields) - {"steps", "audits", "step_size", "given"}
        unused |= set() if self.takes_step_size else {"step_size"}
        unused |= set() if self.run.given else {"given"}
        return self.model_dump(mode="json", exclude=matrix | {"bracket": True, "run": unused | {"looks"}})

    @cached_property
    def said(self) -> Claim:
        """The claim as it was when the spec was read."""
        return catalogue[self.claim]

    @property
    def is_bracket(self) -> bool:
        """True if the claim is a lemma about smoothness, to be bracketed, and not a theorem, to be run."""
        return is_about_smoothness(self.said)

    @property
    def is_stochastic(self) -> bool:
        """True if the theorem is about stochastic gradients."""
        return self.algorithm.is_stochastic

    @property
    def replicas(self) -> int:
        """The number of runs side by side; 1 for gradient descent, whose replicas would all be the same."""
        return self.run.replicas if self.is_stochastic else 1

    @property
    def algorithm(self) -> Algorithm:
        """The algorithm that is run."""
        found = algorithm_of(self.said)
        if found is None:
            raise InputError("claim", self.claim, "a theorem about an algorithm")
        return found

    @property
    def measure(self) -> PerformanceMeasure:
        """The measure that the theorem bounds."""
        found = measure_of(self.said)
        if not isinstance(found, PerformanceMeasure) or not found.is_seen:
            raise InputError("claim", self.claim, "a theorem that bounds a measure that a run shows")
        if not calls_it_bound(self.said):
            raise InputError("claim", self.claim, "a theorem whose last quantity is called bound")
        return found

    @property
    def free(self) -> tuple[str, ...]:
        """The numbers of the algorithm that the theorem leaves to the run, the step size first where it is one."""
        return free_numbers(self.said)

    @property
    def takes_step_size(self) -> bool:
        """True if the theorem is about whatever constant step a run takes, and prescribes none."""
        return free_step(self.said) is not None

    @property
    def given(self) -> dict[str, float | Literal["best"]]:
        """The free numbers by name: the step size, and those of [run.given]."""
        names = self.free[1:] if self.takes_step_size else self.free
        found: dict[str, float | Literal["best"]] = {name: self.run.given[name] for name in names}
        if self.takes_step_size and self.run.step_size is not None:
            found[self.free[0]] = self.run.step_size
        return found

    @property
    def restarts(self) -> bool:
        """True if what was trained is merged and training begins again, now and then."""
        return not self.is_bracket and self.algorithm.period is not None

    @property
    def radius_names(self) -> tuple[str, ...]:
        """The radii of the domain, among them that of what was merged."""
        return (*self.adapter.made.radius_names, *((BASE_RADIUS,) if self.restarts else ()))

    @property
    def has_ball(self) -> bool:
        """True if the theorem, on this adapter, speaks of a ball that the iterates must not leave."""
        return self.adapter.made.needs_ball and speaks_of_a_ball(self.said)

    @cached_property
    def theorem(self) -> Claim:
        """The claim, with the formulas that the spec assumes in place of its own."""
        return self._assumed({*self.said.names})

    @cached_property
    def prescription(self) -> Claim:
        """The claim as it is, but for an L̂ that is assumed: what it prescribes for a function of that smoothness."""
        names, letter = self.said.names, SMOOTHNESS.letter
        return self._assumed({*names[: names.index(letter) + 1]} if letter in names else set())

    def _assumed(self, names: set[str]) -> Claim:
        formulas = {name: value for name, value in self.assume.items() if name in names}
        return _assuming(self.said, formulas) if formulas else self.said

    def assumed_inputs(self) -> dict[str, sp.Expr]:
        """The constants that the spec assumes, each a formula over the symbols of the claim's parameters."""
        claim, found = self.said, {}
        names = {parameter.name for parameter in claim.parameters}
        allowed = [name for name in ASSUMABLE if name in names]
        # Those that follow are not known yet.
        symbols = [p.symbol for p in claim.parameters if p.name not in FOLLOWING]
        for name, value in self.assume.items():
            if name not in (*allowed, *claim.names):
                raise InputError(f"assume.{name}", value, f"one of {', '.join((*allowed, *claim.names))}")
            if name in allowed:
                found[name] = _formula(name, value, symbols)
        return found


def _assuming(claim: Claim, formulas: Mapping[str, float | str]) -> Claim:
    derived = {q.name: q.symbol for q in claim.quantities}
    parsed = {}
    for name, value in formulas.items():
        # A formula may speak of parameters, of itself, and of what is derived before it.
        earlier = [derived[each] for each in claim.names[: claim.names.index(name) + 1]]
        parsed[name] = _formula(name, value, [*(p.symbol for p in claim.parameters), *earlier])
    return claim.assuming(parsed)


def _formula(name: str, value: float | str, symbols: list[sp.Symbol]) -> sp.Expr:
    return formula(f"assume.{name}", value, symbols) if isinstance(value, str) else exact(f"assume.{name}", value)


@cache
def about_its_own_step() -> tuple[Claim, Algorithm]:
    """The first theorem that prescribes step and horizon, of which a run shows all but L̂; with its algorithm."""
    for claim in catalogue.values():
        algorithm = algorithm_of(claim)
        if algorithm is not None and SMOOTHNESS.letter in claim.names and limit_of(claim, T):
            left = claim.assuming({SMOOTHNESS.letter: sp.Integer(1)}).parameters
            if {p.name for p in left} == _SEEN - {SMOOTH.letter}:
                return claim, algorithm
    raise LookupError("expected a theorem about a step that it prescribes, in the catalogue")


Given = Spec | dict[str, Any] | str | Path
"""An experiment, or a sweep: a spec, its dictionary, or the path of its file."""


def specs_of(given: Given | list[Given], problem: Any = None) -> list[Spec]:
    """The experiments that are given: one, several, a dictionary, or the path of a TOML file; lists make a sweep.

    A problem that is given, an objective or a function of W, takes the place of theirs.

    Raises:
        InputError: for an unreadable file or bad TOML, and for any field that is unknown, missing or out of range.

    """
    match given:
        case Spec() if problem is not None:
            raise InputError("problem", type(problem).__name__, "a spec that is a dictionary or the path of a file")
        case Spec():
            return [given]
        case list():
            return [spec for each in given for spec in specs_of(each, problem)]
        case dict():
            raw = given
        case str() | Path():
            raw = beside(read(Path(given)), Path(given).parent)
        case _:
            raise InputError(
                "spec", type(given).__name__, "a Spec, a dictionary, the path of a file, or a list of them"
            )
    return list(expand(raw if problem is None else raw | {"problem": GivenProblem.of(problem, raw.get("problem"))}))


def beside(raw: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The tables of a spec, with each import path of a file that lies beside the spec written from here."""
    found = dict(raw)
    for table, field in (("problem", "kind"), ("adapter", "kind")):
        if isinstance(said := found.get(table), dict) and field in said:
            found[table] = said | {field: _from_here(said[field], folder)}
    return found | ({"claim": _from_here(found["claim"], folder)} if "claim" in found else {})


def _from_here(said: Any, folder: Path) -> Any:
    if isinstance(said, list):
        return [_from_here(each, folder) for each in said]
    if not is_path(said):
        return said
    place, _, name = said.rpartition(":")
    there = folder / place
    return f"{os.path.relpath(there)}:{name}" if place.endswith(".py") and there.is_file() else said


def read(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; raises InputError for one that is unreadable, or no TOML."""
    try:
        text = read_text(path, _LONGEST)
    except (OSError, ValueError) as error:
        raise InputError("SPEC", path, f"a readable TOML file ({error})") from None
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise InputError("SPEC", path, "lists and tables that are not as deep") from None
    except ValueError as error:
        # An integer of too many digits is one that is no TOMLDecodeError.
        raise InputError("SPEC", path, f"valid TOML ({error})") from None


def expand(raw: dict[str, Any]) -> Iterator[Spec]:
    """One `Spec` for every combination of the lists in `raw`, in the order in which they are written."""
    return map(parse, combinations(raw))


def parse(raw: dict[str, Any]) -> Spec:
    """One experiment from one table; raises InputError naming the first field that is wrong."""
    return validated(Spec, raw)


def _parse_as_allowed(raw: dict[str, Any], paths: tuple[Path, ...]) -> Spec:
    with allowing(*paths):
        return parse(raw)
