"""`Spec`: an experiment as a person writes it, in TOML, checked field by field before anything
runs.

One class for each table. A list in place of a scalar is a sweep: `expand` makes one `Spec` for
every combination. What a spec says of a problem is in `boundcheck.functions`, beside the objective.
"""

import math
import os
import sys
import tomllib
from collections.abc import Collection, Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import sympy as sp
import torch
from pydantic import (
    BeforeValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    PrivateAttr,
    SerializeAsAny,
    model_validator,
)

from boundcheck.errors import InputError, one_of
from boundcheck.functions.adapters import ADAPTERS, Adapter
from boundcheck.functions.adapters.kinds import BASE_RADIUS
from boundcheck.functions.loss import Loss
from boundcheck.functions.networks.bridge import PretrainedSpec
from boundcheck.functions.networks.gpt import GPTSpec
from boundcheck.functions.objective import (
    Objective,
    ProblemTable,
    Setting,
    checked,
    device_of,
    table_of,
)
from boundcheck.language import hypotheses, sentence
from boundcheck.language.algorithms import SGD, Algorithm
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.hypotheses import BOUNDED_BELOW, LEAST, SMOOTH, Lipschitz
from boundcheck.language.measures import LEAST_GRADIENT, SMOOTHNESS, PerformanceMeasure
from boundcheck.language.prose import plain
from boundcheck.language.symbols import T, exact, formula, parsed, r
from boundcheck.system.files import Json, likely_file, read_text
from boundcheck.system.fingerprint import content_of
from boundcheck.system.plugins import allowed, allowing, is_path
from boundcheck.system.tables import (
    NOT_GIVEN,
    Count,
    Real,
    Seed,
    Side,
    Steps,
    Table,
    combinations,
    validated,
)

# What people look for in a spec, and the command has.
_OPTIONS = ("device", "hours", "jobs", "memory", "out", "store")
# Bytes of a spec.
_LONGEST = 2**18
# The parameters of a theorem that may be assumed; the others are part of how it is run.
ASSUMABLE = (
    hypotheses.SMOOTH_IN_W.letter,
    hypotheses.BOUNDED_GRADIENT.letter,
    hypotheses.LIPSCHITZ_ADAPTER.letter,
    BOUNDED_BELOW.letter,
    hypotheses.NEAR_MINIMISER.letter,
    *(symbol.name for symbol in hypotheses.EXPECTED_SMOOTHNESS.symbols),
)
FOLLOWING = (hypotheses.BOUNDED_VARIANCE.letter, T.name)
"""The parameters whose values follow from the others: noise, and horizon."""
# The parameters whose values a run shows, beside its step size.
_SEEN = {SMOOTH.letter, BOUNDED_BELOW.letter, *FOLLOWING}


_SCALES = 'a positive number, or text such as "16/r" or "16/sqrt(r)"'


def _known_adapter(kind: Any) -> Any:
    ADAPTERS.open(kind)
    return kind


class AdapterSpec(Table):
    """The adapter: what is trained, and where it starts."""

    kind: Annotated[str, BeforeValidator(_known_adapter)] = "lora"
    """one of the adapters, or the import path of your own"""
    rank: PositiveInt | None = None
    """r, from 1 to min(d, k); full fine-tuning has none"""
    scale: Real | str = 1.0
    """s in W = W₀ + s·BA: a number, or text such as `"16/r"` and `"16/sqrt(r)"`"""
    gain: Real = 1.0
    """the entries of A start, or are frozen, as N(0, gain²/k); B starts at 0, unless it is
    frozen"""
    start: Literal["lora", "diagonal"] = "lora"
    """`diagonal`: A and B start with `gain` on their diagonals, and 0 elsewhere"""
    targets: str = ""
    """of a network, the ends of the paths of the modules to adapt, as `q_proj, v_proj`; left out,
    those that peft chooses, or every layer of the built-in GPT"""

    @model_validator(mode="after")
    def _fits_the_kind(self) -> "AdapterSpec":
        made = self.made
        if (self.rank is None) == ("rank" in made.options):
            raise InputError(
                "adapter.rank",
                "(not given)" if self.rank is None else self.rank,
                f"no rank, for {made.title}" if self.rank else f"a rank, for {self.kind}",
            )
        if "scale" not in made.options and self.scale != 1:
            raise InputError(
                "adapter.scale", self.scale, f"no scale: {self.kind} has no such number"
            )
        if self.start == "diagonal" and "diagonal" not in made.options:
            raise InputError(
                "adapter.start", self.start, "lora, unless the adapter is lora or direft"
            )
        if not 0 < self.factor < math.inf:
            raise InputError("adapter.scale", self.scale, _SCALES)
        return self

    @property
    def made(self) -> type[Adapter]:
        return ADAPTERS[self.kind]

    @property
    def paths(self) -> list[str]:
        return [target.strip() for target in self.targets.split(",") if target.strip()]

    @property
    def factor(self) -> float:
        """The scale s as a number."""
        if not isinstance(self.scale, str):
            return self.scale
        if self.rank is not None:
            value = parsed("adapter.scale", self.scale, (r,), _SCALES)
            for letter, number in ((r, self.rank), (sp.sqrt(r), math.sqrt(self.rank))):
                part = value * letter
                # A rational may be beyond floats.
                if isinstance(part, sp.Rational) and abs(part) < sys.float_info.max:
                    return int(part.p) / int(part.q) / number
        raise InputError("adapter.scale", self.scale, _SCALES)


class DomainSpec(Table):
    """The domain that the theory needs: a radius for each norm of the adapter.

    For a theorem, a pilot finds the radii that are left out.
    """

    a: Real | None = None
    """bounds σ₁(A)"""
    b: Real | None = None
    """bounds σ₁(B)"""
    mu: Real | None = None
    """bounds the entries of DoRA's m"""
    nu: Real | None = None
    """bounds σ₁(V) of LoReFT"""
    rho: Real | None = None
    """bounds σ₁(W − W₀) of full fine-tuning; points are sampled within it"""
    z: Real | None = None
    """of ReLoRA, bounds σ₁ of what was merged"""

    @property
    def given(self) -> dict[str, float]:
        return {name: radius for name, radius in self if radius is not None}


class RunSpec(Table):
    """The settings of a theorem's run; sample sizes and level are fixed here, before the run.

    A theorem about gradient descent has no noise and one replica: of these fields it takes only
    steps, audits, and what it leaves open.
    """

    steps: Steps | Literal["informative"] = "informative"
    """T: a number, or the fewest at which the bound says something"""
    step_size: Real | Literal["best"] | None = None
    """the step of a theorem that prescribes none: a number, or `best`, at which its bound is
    smallest"""
    batch: Count | Literal["balanced"] = "balanced"
    """minibatch size; `balanced` makes ζ² 0.8 of ‖∇F(v₁)‖²"""
    sampling: Literal["with replacement", "without replacement"] = "with replacement"
    """`without replacement`: in epochs, which the audit reports as biased given the past"""
    zeta: Real | None = None
    """ζ, the bound on the noise of a minibatch gradient; left out, a pilot with its own seed finds
    it"""
    given: dict[str, Real] = Field(default_factory=dict)
    """other numbers that a theorem leaves open, as `{ beta = 0.9 }` for the heavy ball"""
    replicas: int = Field(default=32, ge=1, le=2**20)
    """runs side by side, on other minibatches; of a network 1 unless given"""
    audits: Count | None = 128
    """how many random iterates are audited; of a network every one unless given"""
    looks: int = Field(default=0, ge=0, le=2**20)
    """of a network, at how many iterates the top curvatures of F and f are found; 2 unless given"""
    level: float = Field(default=0.95, gt=0.5, lt=1)
    """the level of the interval"""


ITERATING = 8
"""Replicas of the iterates of a bracket."""


class BracketSpec(Table):
    """The settings by which a smoothness constant is bracketed from below, on the domain of the
    spec.
    """

    pairs: Count = 2048
    """sampled pairs of points"""
    iterates: Count = 256
    """consecutive iterates of a run"""
    points: Count = 16
    """points with a Lanczos iteration on the Hessian of F"""
    ascents: Count = 8
    """starts of the projected ascent over the ball"""
    rounds: Count = 32
    """steps of each ascent"""
    looks: int = Field(default=8, ge=0, le=2**20)
    """iterates at which the curvature is split into its two parts, of at most 320 trained
    numbers"""


ModelTable = Annotated[GPTSpec | PretrainedSpec, Field(discriminator="kind")]


class _Shape(Table):
    d: Side
    k: Side
    version: str = ""


class GivenProblem(ProblemTable):
    """A problem that is no text, but an object: its name and a hash of its content stand for it."""

    kind: Literal["given"] = "given"
    name: str
    content: str
    version: str
    _made: Any = PrivateAttr()

    @classmethod
    def of(cls, problem: Any, table: Any) -> "GivenProblem":
        """The table of an objective, which stands alone, or of a function of W, whose shape the
        given table says.
        """
        if not isinstance(problem, Objective):
            if not callable(problem):
                raise InputError(
                    "problem", type(problem).__name__, "an Objective, or a function of W"
                )
            sides = validated(_Shape, table if isinstance(table, dict) else {}, "problem.")
            problem = Loss.of_function(problem, (sides.d, sides.k), version=sides.version)
        elif table is not None:
            raise InputError(
                "problem", table, "no such table beside a problem that is given as an object"
            )
        checked(problem, "problem")
        version = problem.version
        made = cls(name=problem.name, content=content_of(problem, version), version=version)
        made._made = problem
        return made

    def build(self, setting: Setting) -> Objective:
        """The objective itself; raises InputError for one whose tensors are on another device."""
        found: Objective = self._made
        there = device_of(found)
        if there is not None and there.type != torch.device(setting.device).type:
            where = f"{there.type}, where the tensors of {found.name} are"
            raise InputError(
                "device",
                setting.device,
                f"{where}; or an objective made with device={setting.device!r}",
            )
        return found


def adapters_of(theorem: Claim) -> tuple[str, ...]:
    """The kinds of adapter that a theorem speaks of and Algorithm 1 can be run on.

    A classic is about any function that is smooth where the iterates go; some of them need F to be
    smooth beyond the segments between them, and of two trained factors F is only known to be smooth
    in the ball.
    """
    where = _smooth_on(theorem)
    run = [(kind, adapter) for kind, adapter in ADAPTERS.items() if adapter.is_run]
    if where & {"space", "steps"}:
        return tuple(kind for kind, adapter in run if adapter.is_linear)
    if "path" in where:
        return tuple(kind for kind, _ in run)
    where = where & {"frozen"} or {"ball"}
    return tuple(kind for kind, adapter in run if where & _smooth_on(catalogue[adapter.claims[0]]))


def _smooth_on(claim: Claim) -> set[str]:
    return {word.smooth_on for _, word in sentence.words_of(claim) if word and word.smooth_on}


def _known_claim(claim: Any) -> Any:
    """The id of a `Claim`, or the id or path as given; a path is opened where that is allowed."""
    if isinstance(claim, Claim):
        return catalogue.opened(claim).id
    if is_path(claim):
        catalogue.named(claim)
    return claim


class Spec(Table):
    """One experiment: a claim, a problem in one matrix or a network, an adapter, and how to
    measure.
    """

    elsewhere: ClassVar[dict[str, str]] = {
        **{name: f"the option --{name}" for name in _OPTIONS},
        **{name: f"assume.{name}" for name in ASSUMABLE},
        **dict.fromkeys(("eta", "lr", "learning_rate"), "run.step_size"),
        "T": "run.steps",
        "r": "adapter.rank",
        "s": "adapter.scale",
        "lora_alpha": 'adapter.scale, as "16/r"',
        "beta": "run.given.beta",
    }

    claim: Annotated[str, BeforeValidator(_known_claim)]
    """the id, or the import path, of a theorem about an algorithm, or of a lemma about smoothness;
    left out of a network, the theorem about any constant step"""
    seed: Seed = 0
    """from which every random stream of the run derives"""
    lipschitz: Lipschitz = LEAST
    """what Assumption 3's C stands for"""
    problem: Annotated[SerializeAsAny[ProblemTable], BeforeValidator(table_of)] | None = None
    """what is minimised, in one matrix"""
    model: ModelTable | None = None
    """what is minimised, a network, in place of a problem"""
    adapter: AdapterSpec
    """what is trained"""
    domain: DomainSpec = DomainSpec()
    """the ball, if it is not left to a pilot"""
    assume: dict[str, PositiveFloat | str] = Field(default_factory=dict)
    """other values or formulas for L, G, C, D and what the theorem derives, as `bound =
    "bound/2.5"`"""
    run: RunSpec = RunSpec()
    """how a theorem is run"""
    bracket: BracketSpec = BracketSpec()
    """how the constant of a lemma is bracketed"""
    _allowed: tuple[Path, ...] = PrivateAttr(default_factory=allowed)

    @model_validator(mode="before")
    @classmethod
    def _of_a_network(cls, tables: Any) -> Any:
        """Fill in what a network's tables leave out, and drop the rank of a kind without one, for
        sweeps over kinds.
        """
        if not isinstance(tables, dict) or "model" not in tables:
            return tables
        adapter = tables.get("adapter")
        run = tables.get("run", {})
        kind = adapter.get("kind", "") if isinstance(adapter, dict) else ""
        known = ADAPTERS[kind] if isinstance(kind, str) and kind in ADAPTERS else None
        if isinstance(adapter, dict) and known is not None and "rank" not in known.options:
            tables = tables | {
                "adapter": {name: value for name, value in adapter.items() if name != "rank"}
            }
        if isinstance(run, dict):
            tables = tables | {"run": {"replicas": 1, "audits": None, "looks": 2} | run}
        return {"claim": about_any_step().id} | tables

    @model_validator(mode="after")
    def _is_measurable(self) -> "Spec":
        if (self.problem is None) == (self.model is None):
            both = "both" if self.model else NOT_GIVEN
            raise InputError("problem", both, "one table, [problem] or [model]")
        if self.model is not None:
            self._check_network(self.model)
            return self
        claim = self.said
        made = self.adapter.made
        if sentence.algorithm_of(claim) is None and not self.is_bracket:
            raise InputError(
                "claim", self.claim, "a theorem with a step size, or a lemma about smoothness"
            )
        if not self.is_bracket:
            self._check_theorem()
        elif not made.is_subject_of(claim):
            raise InputError(
                "claim", self.claim, f"a lemma about {made.title}: one of {', '.join(made.claims)}"
            )
        elif not SMOOTHNESS.is_bounded_by(claim.conclusion, claim.quantities[-1].symbol):
            raise InputError(
                "claim", self.claim, "a lemma that concludes with a bound on the smoothness of F"
            )
        # A theorem that speaks of a ball, on this adapter, may leave it to a pilot; one that speaks
        # of none has no use for it. Of ReLoRA there is a radius for what was merged, too.
        radii = (*made.radius_names, *((BASE_RADIUS,) if self.restarts else ()))
        has_ball = self.is_bracket or (made.needs_ball and sentence.speaks_of_a_ball(claim))
        given = set(self.domain.given)
        wanted = set(radii) if has_ball else set()
        # One that there is not is named before one that is missing.
        if wrong := (given - wanted) or (wanted - given if self.is_bracket else set()):
            expected = f"no radius: {self.claim} needs no ball"
            if wanted:
                expected = f"radii {' and '.join(radii)}, for {self.adapter.kind}"
            raise InputError(
                f"domain.{min(wrong)}", self.domain.given.get(min(wrong), NOT_GIVEN), expected
            )
        for unused in ("run", "assume") if self.is_bracket else ("bracket",):
            if unused in self.model_fields_set:
                raise InputError(
                    unused, "(a table)", f"no such table, which says nothing of {self.claim}"
                )
        return self

    def _check_network(self, model: ModelTable) -> None:
        """Refuse what a run on a network does not have, or cannot be held to."""
        run = self.run
        if not _is_about_any_step(self.said):
            raise InputError(
                "claim",
                self.claim,
                f"a theorem about whatever step a run takes: {about_any_step().id}",
            )
        for table in ("lipschitz", "domain", "assume", "bracket"):
            if table in self.model_fields_set:
                raise InputError(
                    table, "(given)", "no such field: no constant of a network is known beforehand"
                )
        if "zeta" in run.model_fields_set:
            raise InputError(
                "run.zeta", run.zeta, "no such field: the noise of a network is measured"
            )
        if self.adapter.start != "lora":
            raise InputError("adapter.start", self.adapter.start, "lora, in a network")
        self._check_steps()
        if (
            run.sampling == "without replacement"
            and isinstance(run.batch, int)
            and run.batch > model.samples
        ):
            raise InputError(
                "run.batch",
                run.batch,
                f"at most the model.samples = {model.samples}, drawn without replacement",
            )
        model.check_targets(self.adapter.kind, self.adapter.paths)

    def _check_theorem(self) -> None:
        """Refuse what cannot be run on a problem in one matrix."""
        said = self.said
        run = self.run
        if not sentence.takes(said, T):
            raise InputError(
                "claim", self.claim, "a theorem with the horizon T among its parameters"
            )
        # One that says how small the measure can be is none.
        _ = self.measure
        allowed = adapters_of(said)
        if self.adapter.kind not in allowed:
            expected = f"{' or '.join(allowed)}, of which {self.claim} speaks"
            if not _smooth_on(said):
                expected += (
                    ": none of its hypotheses says that F is smooth elsewhere than on a ball"
                )
            raise InputError("adapter.kind", self.adapter.kind, expected)
        self._check_steps()
        for field, given, without in (
            ("run.looks", run.looks, 0),
            ("adapter.targets", self.adapter.targets, ""),
        ):
            if given != without:
                raise InputError(
                    field, given, "no such field: a problem is in one matrix, and not a network"
                )
        if self.is_stochastic and run.replicas < 2:
            raise InputError("run.replicas", run.replicas, "a number greater than or equal to 2")
        for field in (
            () if self.is_stochastic else ("batch", "zeta", "replicas", "sampling", "level")
        ):
            if field in run.model_fields_set:
                raise InputError(
                    f"run.{field}",
                    getattr(run, field),
                    f"no such field: {self.claim} is about gradient descent, which has no noise",
                )
        self.assumed_inputs()
        _ = self.theorem

    def _check_steps(self) -> None:
        """Refuse a step that is missing or not the run's to choose, and more audits than steps."""
        run = self.run
        others = self.free[1:] if self.takes_step_size else self.free
        for name in others:
            if name not in run.given:
                raise InputError(
                    f"run.given.{name}",
                    NOT_GIVEN,
                    f"a number, which {self.claim} leaves to the run",
                )
        for name, value in run.given.items():
            if name not in others:
                none = f"no such field: {self.claim} leaves nothing else open"
                raise InputError(
                    f"run.given.{name}", value, one_of(name, others) if others else none
                )
        for p in self.said.parameters:
            if p.domain == "positive integer" and not float(run.given.get(p.name, 1)).is_integer():
                raise InputError(
                    f"run.given.{p.name}", run.given[p.name], f"a whole number: {plain(p.meaning)}"
                )
        if self.takes_step_size and run.step_size is None:
            raise InputError(
                "run.step_size", NOT_GIVEN, f"a number, for {self.claim} prescribes no step"
            )
        if not self.takes_step_size and run.step_size is not None:
            raise InputError(
                "run.step_size",
                run.step_size,
                f"no such field: {self.claim} prescribes its own step",
            )
        if run.steps != "informative" and run.audits is not None and run.audits > run.steps:
            raise InputError("run.audits", run.audits, f"at most run.steps = {run.steps}")

    def __reduce__(self) -> Any:
        """Let another process open what lies outside of the package, as allowed here; what is an
        object goes along.
        """
        claim = (
            self.said if catalogue.is_own(self.claim) and not is_path(self.claim) else self.claim
        )
        problem = {"problem": self.problem} if isinstance(self.problem, GivenProblem) else {}
        return _parse_as_allowed, (self.as_json() | {"claim": claim} | problem, self._allowed)

    def as_json(self) -> Json:
        """The tables that this experiment uses, as a spec file holds them; `parse` reads it
        back.
        """
        if self.model is not None:
            unused_tables = {"problem", "lipschitz", "domain", "assume", "bracket"}
            return self.model_dump(
                mode="json", exclude=dict.fromkeys(unused_tables, True) | {"run": {"zeta", "given"}}
            )
        matrix: Json = {"model": True, "adapter": {"targets"}}
        # What is not taken is not stored: a spec of before there was the field is the same
        # experiment.
        if not self.restarts:
            matrix["domain"] = {BASE_RADIUS}
        if self.is_bracket:
            return self.model_dump(mode="json", exclude=matrix | {"run": True, "assume": True})
        unused = (
            set()
            if self.is_stochastic
            else set(RunSpec.model_fields) - {"steps", "audits", "step_size", "given"}
        )
        unused |= set() if self.takes_step_size else {"step_size"}
        unused |= set() if self.run.given else {"given"}
        return self.model_dump(
            mode="json", exclude=matrix | {"bracket": True, "run": unused | {"looks"}}
        )

    @cached_property
    def said(self) -> Claim:
        """The claim as it was when the spec was read."""
        return catalogue[self.claim]

    @property
    def is_bracket(self) -> bool:
        """True if the claim is a lemma about smoothness, to be bracketed, and not a theorem, to be
        run.
        """
        return sentence.is_about_smoothness(self.said)

    @property
    def is_stochastic(self) -> bool:
        return self.algorithm.is_stochastic

    @property
    def replicas(self) -> int:
        """The number of runs side by side; 1 for gradient descent, whose replicas would all be the
        same.
        """
        return self.run.replicas if self.is_stochastic else 1

    @property
    def algorithm(self) -> Algorithm:
        found = sentence.algorithm_of(self.said)
        if found is None:
            raise InputError("claim", self.claim, "a theorem about an algorithm")
        return found

    @property
    def measure(self) -> PerformanceMeasure:
        found = sentence.measure_of(self.said)
        if not isinstance(found, PerformanceMeasure) or not found.is_seen:
            raise InputError(
                "claim", self.claim, "a theorem that bounds a measure that a run shows"
            )
        if not sentence.calls_it_bound(self.said):
            raise InputError("claim", self.claim, "a theorem whose last quantity is called bound")
        return found

    @property
    def free(self) -> tuple[str, ...]:
        """The numbers of the algorithm that the theorem leaves to the run, the step size first
        where it is one.
        """
        return sentence.free_numbers(self.said)

    @property
    def takes_step_size(self) -> bool:
        """True if the theorem is about whatever constant step a run takes, and prescribes none."""
        return sentence.free_step(self.said) is not None

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

    @cached_property
    def theorem(self) -> Claim:
        """The claim, with the formulas that the spec assumes in place of its own."""
        return self._assumed(self.said.names)

    @cached_property
    def prescription(self) -> Claim:
        """The claim as it is, but for an L̂ that is assumed: what it prescribes for a function of
        that smoothness.
        """
        names = self.said.names
        letter = SMOOTHNESS.letter
        return self._assumed(names[: names.index(letter) + 1] if letter in names else ())

    def _assumed(self, names: Collection[str]) -> Claim:
        claim = self.said
        found = {}
        for name in (each for each in self.assume if each in names):
            # A formula may speak of parameters, of itself, and of what is derived before it.
            earlier = [q.symbol for q in claim.quantities[: claim.names.index(name) + 1]]
            found[name] = _formula(
                name, self.assume[name], [*(p.symbol for p in claim.parameters), *earlier]
            )
        return claim.assuming(found) if found else claim

    def assumed_inputs(self) -> dict[str, sp.Expr]:
        """The constants that the spec assumes, each a formula over the symbols of the claim's
        parameters.
        """
        claim = self.said
        found = {}
        allowed = [name for name in ASSUMABLE if any(p.name == name for p in claim.parameters)]
        # Those that follow are not known yet.
        symbols = [p.symbol for p in claim.parameters if p.name not in FOLLOWING]
        for name, value in self.assume.items():
            if name not in (*allowed, *claim.names):
                raise InputError(f"assume.{name}", value, one_of(name, (*allowed, *claim.names)))
            if name in allowed:
                found[name] = _formula(name, value, symbols)
        return found


def _formula(name: str, value: float | str, symbols: list[sp.Symbol]) -> sp.Expr:
    return (
        formula(f"assume.{name}", value, symbols)
        if isinstance(value, str)
        else exact(f"assume.{name}", value)
    )


def _is_about_any_step(claim: Claim) -> bool:
    """True if a theorem prescribes no step, and a run shows all other constants of it."""
    known = {*_SEEN, *sentence.free_numbers(claim)}
    return sentence.free_step(claim) is not None and {p.name for p in claim.parameters} <= known


@cache
def about_any_step() -> Claim:
    """The first theorem about SGD at any step of which a run shows the rest, and at some iterates
    its measure, the least gradient.
    """
    return next(
        claim
        for claim in catalogue.values()
        if _is_about_any_step(claim)
        and sentence.algorithm_of(claim) is SGD
        and sentence.measure_of(claim) is LEAST_GRADIENT
    )


@cache
def about_its_own_step() -> tuple[Claim, Algorithm]:
    """The first theorem that prescribes step and horizon, of which a run shows all but L̂; with its
    algorithm.
    """
    for claim in catalogue.values():
        algorithm = sentence.algorithm_of(claim)
        if (
            algorithm is not None
            and SMOOTHNESS.letter in claim.names
            and sentence.limit_of(claim, T)
        ):
            left = claim.assuming({SMOOTHNESS.letter: sp.Integer(1)}).parameters
            if {p.name for p in left} == _SEEN - {SMOOTH.letter}:
                return claim, algorithm
    raise LookupError("expected a theorem about a step that it prescribes, in the catalogue")


Given = Spec | Json | str | Path
"""An experiment, or a sweep: a spec, its dictionary, or the path of its file."""


def specs_of(given: Given | list[Given], problem: Any = None) -> list[Spec]:
    """The experiments that are given: one, several, a dictionary, or the path of a TOML file; lists
    make a sweep.

    A problem that is given, an objective or a function of W, takes the place of theirs. Raises
    InputError for an unreadable file or bad TOML, and for any field that is unknown, missing or out
    of range.
    """
    match given:
        case Spec() if problem is not None:
            raise InputError(
                "problem",
                type(problem).__name__,
                "a spec that is a dictionary or the path of a file",
            )
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
                "spec",
                type(given).__name__,
                "a Spec, a dictionary, the path of a file, or a list of them",
            )
    return list(
        expand(
            raw
            if problem is None
            else raw | {"problem": GivenProblem.of(problem, raw.get("problem"))}
        )
    )


def beside(raw: Json, folder: Path) -> Json:
    """The tables of a spec, with each import path of a file that lies beside the spec written from
    here.
    """
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


def read(path: Path) -> Json:
    """The tables of a TOML file; raises InputError for one that is unreadable, or no TOML."""
    try:
        # Some editors begin a file with a mark of its encoding.
        text = read_text(path, _LONGEST).removeprefix("\ufeff")
    except (OSError, ValueError) as error:
        raise InputError(
            "SPEC", path, f"a readable TOML file ({error}){likely_file(path)}"
        ) from None
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise InputError("SPEC", path, "lists and tables that are not as deep") from None
    except ValueError as error:
        # An integer of too many digits is one that is no TOMLDecodeError.
        raise InputError("SPEC", path, f"valid TOML ({error})") from None


def expand(raw: Json) -> Iterator[Spec]:
    """One `Spec` for every combination of the lists in `raw`, in the order in which they are
    written.
    """
    return map(parse, combinations(raw))


def parse(raw: Json) -> Spec:
    """One experiment from one table; raises InputError naming the first field that is wrong."""
    return validated(Spec, raw)


def _parse_as_allowed(raw: Json, paths: tuple[Path, ...]) -> Spec:
    with allowing(*paths):
        return parse(raw)
