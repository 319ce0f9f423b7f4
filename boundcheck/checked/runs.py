"""Mutants of measured runs: what a run states made false, or made weaker, tried by measurement.

A false one is shown to be so before it is run, by an exact number: a bound below every E‖∇F(v_t)‖², a constant that is
exceeded, a hypothesis that fails at an exact point. A true one has every hypothesis for certain, whatever is drawn.
What is changed is in the spec alone: a formula or constant that it assumes, its ball, ζ, T or sampling.
"""

import copy
import math
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

from flint import arb, ctx

from boundcheck.checked.edits import KINDS, Change, of_expression
from boundcheck.checked.smoothness import FORMULAS
from boundcheck.checked.trajectories import BITS, Experiment, Table, above, factors, hard, kinks, scalars
from boundcheck.checked.trial import Answer, Mutant, varied
from boundcheck.errors import InputError
from boundcheck.exact.balls import lower, upper
from boundcheck.exact.digits import DOWN, UP, shown
from boundcheck.experiment import measure
from boundcheck.experiment.result import Result
from boundcheck.experiment.spec import parse
from boundcheck.language.claim import Claim, Quantity
from boundcheck.language.inputs import Number, exact
from boundcheck.language.symbols import D, Lhat, T, alpha
from boundcheck.verdicts import Verdict

_CLASSICS = ("ghadimi2013.corollary2_2", "khaled2020.bounded_variance")
# Too few to tell a bound that is false by half.
_FEW = 3


_SHARES = (Fraction(9, 10), Fraction(1, 2), Fraction(1, 4), Fraction(1, 20))
_GROWN = (Fraction(101, 100), Fraction(3, 2), Fraction(10))


@dataclass(frozen=True)
class Run(Mutant):
    """A run of a theorem, whose id is its subject.

    Attributes:
        table: the spec.
        blame: kind and name of what is to blame, where the run is made to show it; None where it cannot.

    """

    layer = "measurement"
    table: Table
    blame: tuple[str, str] | None = None

    def ask(self) -> Answer:
        """Measure the run in a temporary folder."""
        with tempfile.TemporaryDirectory() as folder:
            (result,) = measure(self.table, folder)
        return self.judged(result)

    def judged(self, result: Result) -> Answer:
        """Judge the verdict and the blame of its run.

        Wrong is support for a false run, blame on a theorem that is true, and a true run that is violated or said to
        have broken a hypothesis. Caught is a false run whose fault is named: it was seen, or nothing
        vouches for what the spec assumes.
        """
        verdict, blame = result.verdict, result.blame
        blamed = (blame.kind, blame.name) if blame else None
        if self.true:
            return Answer(
                verdict, accepts=False, rejects=verdict.plain in (Verdict.VIOLATED, Verdict.HYPOTHESIS_FAILED)
            )
        misled = verdict.plain is Verdict.VIOLATED and self.blame not in (None, blamed)
        named = blamed is not None and blamed == self.blame and verdict is not Verdict.UNINFORMATIVE
        return Answer(verdict, accepts=verdict.is_supported or misled, rejects=named)


def _with(setting: Experiment, **tables: Mapping[str, object]) -> Table:
    """The spec with changes to its tables."""
    changed = copy.deepcopy(setting.table)
    for name, change in tables.items():
        changed[name] = changed.get(name, {}) | dict(change)
    return changed


def _scaled(name: str, factor: Fraction) -> str:
    return f"{factor.numerator}*{name}/{factor.denominator}"


def _false(setting: Experiment, kind: str, change: str, witness: str, blame: tuple[str, str], table: Table) -> Run:
    return Run(setting.claim.id, kind, change, False, f"{setting.name}: {witness}", table, blame)


def _enclosed(claim: Claim, inputs: dict[str, Number], name: str) -> arb:
    """A quantity of a claim, whose formulas may have lost some of the symbols."""
    return claim.enclosures(**{p.name: inputs[p.name] for p in claim.parameters})[name]


def _formulas(quantity: Quantity) -> Iterator[Change]:
    """Other formulas for a quantity."""
    name, formula = quantity.name, quantity.expression
    for share in (Fraction(17, 25), *_SHARES):
        yield Change("constant", f"{name} by {share}", share * formula)
    for edit in of_expression(formula):
        if edit.kind in FORMULAS:
            yield Change(KINDS[edit.kind], f"{name}: {edit.kind} {edit.where}", edit.result)
    for horizon in (T + 1, T + 2, T - 1):
        yield Change("off by one", f"{name}: {horizon} for T", formula.xreplace({T: horizon}))
    for x, y in ((D, Lhat), (Lhat, D), (Lhat, alpha), (D, alpha), (Lhat, 1 / Lhat)):
        yield Change("exchange", f"{name}: {y} for {x}", formula.xreplace({x: y}))


def false_bounds(setting: Experiment) -> Iterator[Run]:
    """The theorem with another formula for its bound, or for a quantity of the bound, below E‖∇F(v_t)‖² at every t."""
    claim, least = setting.claim, min(setting.squares(), key=lower)
    later = claim.quantities[claim.names.index("alpha") + 1 :]
    for quantity in (each for each in later if each.name != "T_min"):
        seen = {quantity.expression}
        for change in _formulas(quantity):
            formula = change.result
            if formula in seen or not formula.free_symbols:
                continue
            seen.add(formula)
            table = _with(setting, assume={quantity.name: str(formula)})
            theorem = parse(table).theorem
            if theorem.parameters != claim.parameters:
                # A run gets a value for every symbol of the theorem, and each must have its place.
                continue
            bound = _enclosed(theorem, setting.inputs, "bound")
            if bound.is_finite() and bound > 0 and upper(bound) < lower(least):
                low, high = shown(lower(least), 9, DOWN), shown(upper(bound), 9, UP)
                witness = f"E‖∇F(v_t)‖² ≥ {low} at every t, and the bound is {high}"
                yield _false(setting, change.kind, change.where, witness, ("claim", claim.id), table)


def false_constants(setting: Experiment) -> Iterator[Run]:
    """A constant stated too small, as an exact number shows."""
    names = {p.name for p in setting.claim.parameters}
    known = {name: Fraction(str(exact(name, value))) for name, value in setting.inputs.items()}
    with ctx.workprec(BITS):
        smoothness = setting.claim.enclosures(**setting.inputs)["Lhat"]
    known["Lhat"] = above(smoothness)
    shown = [
        ("D", setting.gap, "F(v_1) - f*"),
        ("Lhat", setting.curvature, "the curvature of F"),
        ("L", setting.steepness, "the curvature of f"),
        ("G", setting.pull, "‖∇f‖"),
        ("C", known.get("sigma", Fraction(0)), "‖ΔBA‖/‖ΔB‖ at A = σ"),
    ]
    for name, truth, what in (row for row in shown if row[0] in {"D", "Lhat"} | names):
        value = known[name]
        for share in _SHARES:
            if share * value < truth:
                witness = f"{what} is at least {float(truth):.6g}, and {name} is {float(share * value):.6g}"
                table = _certain(setting, _with(setting, assume={name: _scaled(name, share)}))
                yield _false(setting, "constant", f"{name} by {share}", witness, ("constant", name), table)
    if "zeta" in names:
        for share in _SHARES:
            zeta = float(share) * float(known["zeta"])
            if Fraction(zeta) ** 2 < setting.variance:
                witness = f"the variance at v_1 is {float(setting.variance):.6g}, and ζ² is {zeta**2:.6g}"
                table = _with(setting, run={"zeta": zeta})
                yield _false(setting, "constant", f"zeta by {share}", witness, ("constant", "zeta"), table)


def false_hypotheses(setting: Experiment) -> Iterator[Run]:
    """A step that is not the prescribed one, a ball without v_1, T below T_min, minibatches without replacement."""
    for factor in ("10*alpha", "2*alpha", "alpha/2", "1001*alpha/1000", "alpha**2"):
        witness = f"the prescribed step is alpha, and the run takes {factor}"
        table = _with(setting, assume={"alpha": factor})
        kind = "exponent" if "**" in factor else "constant"
        yield _false(setting, kind, f"alpha as {factor}", witness, ("constant", "alpha"), table)
    hypotheses = {hypothesis.id for hypothesis in setting.claim.hypotheses}
    for id in sorted(hypotheses & {"jiang2024.assumption2", "meft.ball"}):
        start = setting.table["adapter"]["gain"]
        for share in (0.9999, 0.9, 0.5):
            change = f"a ball of {share} times v_1"
            witness = f"σ_1(A_1) = {start:.6g}, and the radius is {share * start:.6g}"
            table = _with(setting, domain=dict.fromkeys(("a", "b"), share * start))
            yield _false(setting, "hypothesis dropped", change, witness, ("hypothesis", id), table)
    for id in sorted(hypotheses & {"jiang2024.unbiased", "meft.unbiased"}):
        with ctx.workprec(BITS):
            step = setting.claim.enclosures(**setting.inputs)["alpha"]
            bias = setting.bias(step) if setting.bias else arb(0)
        if setting.table["run"]["steps"] > 1 and bias > 0:
            witness = f"given the first, the second minibatch has a bias of square {shown(lower(bias), 6, DOWN)}"
            table = _with(setting, run={"sampling": "without replacement"})
            change = "sampling without replacement"
            yield _false(setting, "hypothesis dropped", change, witness, ("hypothesis", id), table)
    if "T_min" in setting.claim.names:
        yield from _short(setting)
    if "eta_max" in setting.claim.names:
        yield from _too_long(setting)


def _short(setting: Experiment) -> Iterator[Run]:
    # T_min does not depend on T, at which the claim speaks.
    shortest = setting.claim.enclosures(**setting.inputs)["T_min"]
    last = math.ceil(lower(shortest)) - 1
    for steps in sorted({last, (last + 1) // 2, 1} - {0}):
        if not steps < lower(shortest):
            continue
        kind = "off by one" if steps == last else "hypothesis dropped"
        witness = f"T = {steps}, and T_min is {shown(lower(shortest), 6, DOWN)}"
        run = {"steps": steps, "audits": steps}
        blame = ("horizon", "T")
        yield _false(setting, kind, f"T = {steps}, below T_min", witness, blame, _with(setting, run=run))
        for change in ("T_min/100", "T_min - T_min/2"):
            table = _with(setting, run=run, assume={"T_min": change})
            yield _false(setting, "constant", f"T_min as {change}, at T = {steps}", witness, blame, table)


def _too_long(setting: Experiment) -> Iterator[Run]:
    longest = upper(setting.claim.enclosures(**setting.inputs)["eta_max"])
    for share in (1.001, 1.5, 4.0):
        step = share * longest
        witness = f"the step size is {step:.6g}, and must be below {longest:.6g}"
        table = _certain(setting, _with(setting, run={"step_size": step}))
        for what, assumed in (("", {}), (", eta_max as 100*eta_max", {"assume": {"eta_max": "100*eta_max"}})):
            change = f"{share:g} times the longest step{what}"
            yield _false(setting, "hypothesis dropped", change, witness, ("constant", "eta"), table | assumed)


def _stated(table: Table, inputs: dict[str, Number]) -> dict[str, Number]:
    """The inputs of the theorem, with what the spec assumes in place of them."""
    spec = parse(table)
    symbols = {p.symbol: exact(p.name, inputs[p.name]) for p in spec.theorem.parameters}
    return inputs | {name: formula.xreplace(symbols) for name, formula in spec.assumed_inputs().items()}


def _speaks(table: Table, inputs: dict[str, Number]) -> bool:
    """True if the theorem's conditions hold, also with what the spec assumes in place of them."""
    stated, spec = _stated(table, inputs), parse(table)
    try:
        for claim in (spec.theorem, spec.prescription):
            claim.check({p.name: stated[p.name] for p in claim.parameters})
    except InputError:
        return False
    return True


def _is_certain(setting: Experiment, table: Table, inputs: dict[str, Number]) -> bool:
    """True if no iterate can exceed the ζ of the spec at the step that it leads to."""
    if setting.most is None:
        return True
    given = table["run"].get("step_size")
    # A step that is too long has no enclosure.
    step = _enclosed(parse(table).theorem, _stated(table, inputs), "alpha") if given is None else arb(given)
    return setting.most(step, table["run"]["steps"]) <= Fraction(table["run"]["zeta"]) ** 2


def _certain(setting: Experiment, table: Table) -> Table:
    """The spec with a ζ so large that it is not a second fault; steps are shorter then."""
    while not _is_certain(setting, table, setting.inputs | {"zeta": table["run"].get("zeta", 1.0)}):
        table = table | {"run": table["run"] | {"zeta": 1.25 * table["run"]["zeta"]}}
    return table


def true_runs(setting: Experiment) -> Iterator[Run]:
    """Runs in which every hypothesis holds for certain: with weaker bounds, and with constants overstated."""
    for kind, change, why, table, stated in _true(setting):
        known = setting.inputs | stated
        if _speaks(table, known) and _is_certain(setting, table, known):
            yield Run(setting.claim.id, varied(kind), change, True, f"{setting.name}: {why}", table)


def _true(setting: Experiment) -> Iterator[tuple[str, str, str, Table, dict[str, Number]]]:
    """Changes: the kind, the change in words, why the run stays true, the spec, and the inputs that it changes."""
    names = {p.name for p in setting.claim.parameters}
    proved, larger = "a proved theorem, whose hypotheses hold", "a larger bound than a proved one"
    yield "none", "as it is", proved, setting.table, {}
    for factor in (*_GROWN, Fraction(1000)):
        yield "constant", f"bound by {factor}", larger, _with(setting, assume={"bound": _scaled("bound", factor)}), {}
    for term in ("D", "Lhat", "1/T"):
        yield "term added", f"bound plus {term}", larger, _with(setting, assume={"bound": f"bound + {term}"}), {}
    for name in sorted({"D", "Lhat", "L", "G", "C"} & (names | {"Lhat"})):
        why = f"{name} is a bound, and a larger one is another"
        for factor in _GROWN:
            table = _with(setting, assume={name: _scaled(name, factor)})
            yield "overstated", f"{name} by {factor}", why, table, {}
    if "zeta" not in names:
        return
    for size in (1.001, 1.5, 4.0):
        zeta = size * float(setting.inputs["zeta"])
        why, table = "ζ is a bound, and a larger one is another", _with(setting, run={"zeta": zeta})
        yield "overstated", f"zeta by {size:g}", why, table, {"zeta": zeta}
    # The seed also draws a frozen A.
    for seed in (1, 2, 3) if setting.table["adapter"].get("kind") != "frozen-a" else ():
        yield "seed", f"seed {seed}", proved, setting.table | {"seed": seed}, {}
    yield "batch", "batch 3", "a third of the variance", _with(setting, run={"batch": 3}), {}
    yield "level", "level 0.99", proved, _with(setting, run={"level": 0.99}), {}
    for size in (1.001, 1.25) if "domain" in setting.table else ():
        radii = {name: size * radius for name, radius in setting.table["domain"].items()}
        stated: dict[str, Number] = {
            name: size * float(setting.inputs[name]) for name in ("a", "b", "sigma", "C") if name in names
        }
        why = "v is inside of a larger ball too"
        yield "radius", f"radii by {size:g}", why, _with(setting, domain=radii), stated


def _experiments() -> Iterator[Experiment]:
    yield from kinks("nesterov2004.gradient_descent", (1, 2, 6))
    yield from kinks("abbaszadehpeivasti2022.best_step", (1, 2, 6))
    for id in ("jiang2024.theorem2", "meft.theorem2_repaired", "meft.theorem2_best_step"):
        yield from factors(id, (12,))
        yield from hard(id, ((8, 0.3),))
    for id in (*_CLASSICS, "meft.theorem2_frozen_a", "meft.theorem2_any_step"):
        yield from scalars(id, (2, 12), (0,))


def run_mutants(every: int = 1) -> list[Run]:
    """Every n-th of the false and of the true runs, in an order that never changes."""
    found = _all()
    return [*(run for run in found if not run.true)][::every] + [run for run in found if run.true][::every]


@cache
def _all() -> tuple[Run, ...]:
    found: list[Run] = []
    for setting in _experiments():
        bounds = list(false_bounds(setting))
        found += [*bounds, *false_constants(setting), *false_hypotheses(setting), *true_runs(setting)]
        if "zeta" in setting.table["run"]:
            found += [_with_few(run) for run in bounds[:1]]
    return tuple(found)


def _with_few(run: Run) -> Run:
    """A run with few replicas, which cannot show the fault, and must not speak for the claim either."""
    table = run.table | {"run": run.table["run"] | {"replicas": _FEW}}
    return replace(run, change=f"{run.change}, of {_FEW} replicas", table=table, blame=None)
