"""The runs on matrices: their verdicts, their hypotheses, planted faults, and how long a run must be."""

from collections.abc import Iterator, Mapping
from functools import cache

import sympy as sp

from boundcheck.checked.coverage import STUDENT_ON_SKEWED
from boundcheck.exact.digits import UP
from boundcheck.experiment.result import Result, RunResult
from boundcheck.functions.adapters import title_of
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Quantity
from boundcheck.language.symbols import Parameter, toward
from boundcheck.language.view import (
    Badge,
    Cell,
    Code,
    Column,
    Fold,
    Head,
    Line,
    Math,
    Part,
    Prose,
    Row,
    Stack,
    Table,
    Value,
    line,
    numeric,
)
from boundcheck.present.named import Named
from boundcheck.present.section import Material, placed
from boundcheck.present.sections.smoothness import ends
from boundcheck.present.stored import StoredRun
from boundcheck.present.sweeps import settings
from boundcheck.present.words import label, number, sentence_of, titled
from boundcheck.verdicts import Verdict


@placed(
    120,
    "What the runs say",
    "What was measured on rows of the referee's table, each with the gravest verdict among its runs.",
)
def findings(material: Material) -> Iterator[Part]:
    rows = [(str(x.number), Prose(x.locator), Badge(x.verdict), Prose(x.evidence)) for x in material.findings]
    if rows:
        head = (numeric("No."), "Where", "Verdict", "Evidence")
        yield Table(head, rows, "The number is that of the row about the same place.", most=None)


@placed(
    200,
    "Verdicts of the runs",
    "A run supports a theorem only where every hypothesis held and the bound says more than was known without it; the "
    "line below each run says why.",
)
def verdicts(material: Material) -> Iterator[Part]:
    if material.theorems:
        folded = [run for run in material.theorems if all(run is not other for other in material.shown)]
        yield verdict_table([*material.shown, *folded], len(material.shown))
    if material.brackets:
        yield bracket_table(material.brackets)


_VERDICTS = """Theorems, each run by the algorithm that it is about. Measured is what the line below each run names, in
the mean over replicas; where there is noise, and the theorem is about a smallest mean over t, it is the average over
t, which is no less. $v_1$ is where a run starts: what is known of the same quantity there, without the theorem. An
asymptotic interval holds in the limit of many replicas, a nonasymptotic one as it is. Bounds are rounded up, the ends
of intervals outwards."""
_UNBOUNDED = " A run whose hypothesis failed has no bound where the formula falls below 0."
_STUDENT = """ Supported (asymptotic) stands on Student's interval alone, which misses more often than it states where
replicas are skewed, a few far above the rest. In simulation of replicas that are 0 but for one in 50, the one stated to
miss 5\u202f% missed {}."""
_STAR = " A star: the bound is one at constants that were only estimated."


def verdict_table(runs: list[StoredRun], most: int | None = None) -> Table:
    """A table of what each run of a theorem measured beside its bound, with the reason for its verdict below each."""
    caption = _VERDICTS + (_UNBOUNDED if any(run.bound is None for run in runs) else "")
    if any(run.verdict == Verdict.SUPPORTED_ASYMPTOTIC for run in runs):
        rates = ", ".join(f"{100 * rate:.0f}\u202f% over {number(n)} replicas" for n, rate in STUDENT_ON_SKEWED.items())
        caption += _STUDENT.format(rates)
    caption += _STAR if any(run.is_estimated for run in runs) else ""
    head = (
        *("Problem", numeric("Rank"), "Theorem", Column("Verdict", width=0.12), numeric("Measured")),
        *(Column("Interval", width=0.13), numeric("Bound"), numeric("At v₁", is_aside=True), numeric("T")),
        *(numeric("Batch", is_aside=True), numeric("Replicas")),
    )
    rows = [row for run in runs for row in (_verdict(run), _why(run))]
    return Table(head, rows, caption, "verdicts", most)


def _verdict(run: StoredRun) -> tuple[Cell, ...]:
    x = run.course
    seed = f", seed {x.settings.seed}" if x.settings.seed else ""
    scale = f", s\u00a0=\u00a0{run.scale}" if run.scale != "1" else ""
    return (
        f"{run.problem}{seed}",
        number(run.rank),
        f"{titled(x)}{scale}",
        Badge(run.verdict),
        measured_of(run),
        interval_of(run),
        bound_of(run),
        number(x.first, toward=UP),
        Value(number(x.plan.steps), (x.run_id, "steps")),
        number(x.plan.batch) if x.plan.batch else "all",
        Value(number(x.settings.run.replicas), (x.run_id, "replicas")),
    )


def _why(run: StoredRun) -> Line:
    algorithm = sentence_of(run.algorithm.title)
    return line(
        Prose(f"{algorithm}, measured: the {run.shown}. {sentence_of(run.result.reason)}."), *blamed(run.result)
    )


def measured_of(run: StoredRun) -> Cell:
    """The measured value of a run, or the word diverged."""
    return "diverged" if run.has_diverged else Value(run.numbers.measured, (run.result.run_id, "measured"))


def interval_of(run: StoredRun) -> Cell:
    """The interval of a run, and its kind; a dash where there is none."""
    id, found = run.result.run_id, run.result.interval
    if found is None:
        return "–"
    return Stack((Value(f"{run.numbers.lower}–{run.numbers.upper}", (id, "interval")), found.kind))


def bound_of(run: StoredRun) -> Value:
    """The bound of a run, with a star where constants of it were only estimated."""
    return Value(run.numbers.bound + ("*" if run.is_estimated else ""), (run.result.run_id, "bound"))


def blamed(result: Result) -> tuple[Cell, ...]:
    """The cells that say who is to blame for a verdict; none if nobody is."""
    if result.blame is None:
        return ()
    return f"To blame: the {result.blame.kind}", Code(result.blame.name)


_BRACKETS = """Smoothness of F(v) = f(W(v)) on the domain. Observed is the largest lower estimate; the bounds are the
claims' own numbers, rounded up, the sharpest and the composition lemma's of each adapter, and of LoRA the printed
ones."""
_ENDS = {
    "sharp": "Sharpest",
    "composition": "By composition",
    "printed sigma": "Printed, C = σ",
    "printed sqrt(r) sigma": "Printed, C = √r σ",
}


def bracket_table(runs: list[StoredRun]) -> Table:
    """A table of the smoothness that was found, beside what the claims say of it."""
    head = ("Problem", "Adapter", numeric("Rank"), "Verdict", numeric("Observed"), numeric("Observed / sharpest"))
    rows = []
    for run in runs:
        found, measured = ends(run), run.result.measured
        share = f"{100 * measured / found['sharp']:.0f}" if "sharp" in found and measured is not None else "–"
        cells = (run.problem, title_of(run.adapter), number(run.rank), Badge(run.verdict), measured_of(run))
        rows.append((*cells, f"{share}\u202f%", *(number(found.get(role), toward=UP) for role in _ENDS)))
    return Table((*head, *map(numeric, _ENDS.values())), rows, _BRACKETS, "brackets", most=None)


@placed(
    240,
    "How long a run must be before a bound says anything",
    "The larger a number, the longer a run must be before that bound says more than the gradient at the start.",
)
def informative(material: Material) -> Iterator[Part]:
    runs = [run for run in material.shown if run.course.horizons]
    if not runs:
        return
    names = settings(runs, ("claim", "lipschitz", "adapter.rank"))
    labels = [numeric(label(each.claim, each.lipschitz)) for each in runs[0].course.horizons]
    rows: list[Row] = [
        (Prose(name), number(run.rank), *(number(each.steps) for each in run.course.horizons))
        for name, run in zip(names, runs, strict=True)
    ]
    yield Table(("Problem", numeric("Rank"), *labels), rows, _INFORMATIVE)


_INFORMATIVE = """The fewest iterations at which each theorem's bound falls below the squared gradient norm at v₁ (and
below J²G², and $T ≥ T_min$), at the run's ball and noise and the batch at which ζ² is 0.8 of that norm."""


@placed(360, "Planted faults", "Each fault was planted on purpose: verdict and blame should name it.")
def faults(material: Material) -> Iterator[Part]:
    rows = [row for words, run in material.faults for row in _fault(words, run.result, run.verdict)]
    if rows:
        yield Table(("Planted", "Verdict", "Blamed", "Why"), rows, _FAULTS, most=None)


_FAULTS = """What was made wrong on purpose, on the hard instance, and what verdict and blame were: a hypothesis, a
constant, the horizon, statistics, rounding, or the claim itself."""


def _fault(words: str, result: Result, verdict: str) -> Iterator[Row]:
    blame = result.blame
    who: Cell = "–" if blame is None else Stack((blame.kind, Code(blame.name)))
    yield Prose(words), Badge(verdict), who, Prose(f"{sentence_of(result.reason)}.")
    if blame is not None:
        yield Fold(line("evidence"), (line(Prose(blame.evidence)),))


@placed(
    520,
    "Each run against its hypotheses",
    "Open a run to see each hypothesis with what was observed and the limit that it was held to.",
)
def hypotheses(material: Material) -> Iterator[Part]:
    for run in material.theorems:
        x = run.course
        constants = _across(
            dict(_constant(x.claim, name, value) for name, value in (x.plan.inputs | x.plan.values).items()),
            "Constants, fixed before the run",
        )
        yield _audited(run, f"{run.title}, {titled(x)}", constants)
    for each in material.networks:
        yield _audited(each.run, f"{each.run.problem}, {each.name}", *_of_network(each))


def _audited(run: StoredRun, name: str, *parts: Part) -> Fold:
    audit = Table(
        ("Hypothesis", "Status", numeric("Observed"), numeric("Limit"), "How it is known"),
        [(Code(x.hypothesis), Badge(x.status), *x.shown(number, 3), Prose(x.how)) for x in run.result.audit],
        "Each hypothesis, as it was held against the run",
        most=None,
    )
    head = line(Prose(f"{name}: {run.verdict} (run"), Code(f"{run.result.run_id})"))
    return Fold(head, (audit, *parts))


def _across(cells: Mapping[Cell, str], caption: str) -> Table:
    """A table with a row for each number: its name and its value."""
    return Table(("", numeric("")), list(cells.items()), caption, most=None)


def _constant(claim_id: str, name: str, value: float | None) -> tuple[Cell, str]:
    """A parameter or a quantity of a claim as its formulas write it, and its value; any other name stays as it is."""
    symbol = _symbols(claim_id).get(name)
    letter = Prose(name) if symbol is None else Math(catalogue[claim_id].latex(symbol))
    is_whole = symbol is not None and symbol.is_integer and value is not None
    return letter, number(int(value or 0) if is_whole else value, toward=toward(name))


@cache
def _symbols(claim_id: str) -> dict[str, sp.Symbol]:
    claim = catalogue[claim_id]
    letters: tuple[Parameter | Quantity, ...] = (*claim.parameters, *claim.quantities)
    return {each.name: each.symbol for each in letters}


def _of_network(each: Named) -> Iterator[Part]:
    """Parts on a network's run: the constants that were seen, what rounding may add, its machine, adapted matrices."""
    x, c = each.run.course, each.run.estimates
    infimum = x.constants["infimum"]
    seen: dict[Cell, str] = {
        "D": number(c.D),
        "L": number(c.L),
        "L̂ by the path": number(c.path, toward=UP),
        "ζ²": number(c.zeta_square),
        "Variance of a sample at v₁": number(x.first_variance),
        "Decrease of F": number(x.decrease),
        "Least ‖∇F‖²": number(x.smallest),
    }
    caption = f"Constants, set after the run to the largest that was seen; f* ≥ 0 is {infimum.kind}: {infimum.how}"
    yield _across(seen, caption)
    yield Line((Prose(f"{_rounding(x)} {_machine(x)}"),), "small")
    sites: list[Row] = [
        (Code(site), *(number(radii.get(name)) for name in each.norms), number(c.G[site]), number(c.G_frobenius[site]))
        for site, radii in c.radii.items()
    ]
    head: Head = ("Matrix", *map(numeric, each.norms.values()), numeric("G, spectral"), numeric("G, Frobenius"))
    said = f"Largest norms and gradients at each of the {x.problem.sites} adapted matrices"
    yield Fold(line(said), (Table(head, sites, most=None),))


def _rounding(x: RunResult) -> str:
    loss, gradient = (number(each, toward=UP) for each in (x.rounding["loss"], x.rounding["gradient"]))
    return (
        f"By an estimate of rounding errors F may be off by {loss} {x.problem.units}, and its gradient by a vector of "
        f"norm {gradient}."
    )


def _machine(x: Result) -> str:
    found = x.environment
    threads = f"{found['threads']} thread{'' if found['threads'] == 1 else 's'}"
    memory = f" and at most {number(found['memory_mib'])} MiB of its memory" if "memory_mib" in found else ""
    return f"Ran on {found['device']}, with {threads}{memory}."
