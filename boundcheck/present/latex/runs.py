"""The numbers of runs, brackets, attacks and proofs, each with a command; and the commands of each run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from boundcheck.exact.digits import Toward, last_place
from boundcheck.experiment.intervals import Interval
from boundcheck.present.latex.numbers import FREE, Numbers, place_of, significant, tag, typeset, whole
from boundcheck.present.section import Material, Search
from boundcheck.present.stored import StoredRun
from boundcheck.present.words import titled
from boundcheck.worst_case.worst_case import Case

Made = dict[str, str]


@dataclass(frozen=True)
class Printed:
    """A run, and the commands of its numbers by what they are, such as measured, lower, upper, bound, steps."""

    run: StoredRun
    commands: Made

    def __getitem__(self, name: str) -> str:
        """The command of a number; a dash where the run has none."""
        return self.commands.get(name, "--")


def printed(material: Material, numbers: Numbers) -> list[Printed]:
    """Give every number of the material a command, and return the commands of each run."""
    runs = [Printed(run, _of_run(run, numbers)) for run in material.runs]
    for words, run in material.faults:
        _of_run(run, numbers, "fault", about=f"planted fault: {words}")
    if material.searches:
        numbers.heading("Attacks: the largest ratio of what was measured to the bound, at an instance that was found.")
    for search in material.searches:
        _of_search(search, numbers)
    if cases := material.study.worst_cases:
        numbers.heading("Worst cases by performance estimation, over the bound; numerical, and no proof.")
        for case in cases:
            _of_case(case, numbers)
    for what, verdicts in verdict_counts(material).items():
        if verdicts:
            numbers.heading(f"How many {what} have each verdict.")
            numbers.add((what,), whole(verdicts.total()))
            for verdict, count in sorted(verdicts.items()):
                numbers.add((what, verdict), whole(count))
    return runs


def verdict_counts(material: Material) -> dict[str, Counter[str]]:
    """The number of findings from proofs, of lines of proofs and of runs that have each verdict."""
    proofs = [proof for claim in (material.proofs.claims if material.proofs else ()) for proof in claim.proofs]
    return {
        "findings": Counter(str(row.verdict) for row in (material.proofs.rows if material.proofs else ())),
        "lines": Counter(str(step.verdict) for proof in proofs for step in proof.steps),
        "runs": Counter(str(run.verdict) for run in material.runs),
    }


def measured(value: float, interval: Interval | None, digits: int = FREE) -> str:
    """A measured value, with the digits that its interval supports, or with more that tell it from its bound."""
    return typeset(value, _place(interval, value, digits))


def _place(interval: Interval | None, value: float, digits: int) -> int:
    place = place_of(interval, value)
    return place if digits == FREE else min(place, last_place(value, digits))


def limits(interval: Interval, value: float | None, digits: int = FREE) -> tuple[str, str]:
    """The ends of an interval, rounded outwards at the last digit of what was measured."""
    place = _place(interval, value or interval.upper, digits)
    return typeset(interval.lower, place, Toward.DOWN), typeset(interval.upper, place, Toward.UP)


def _of_run(run: StoredRun, numbers: Numbers, *before: str, about: str = "") -> Made:
    x = run.result
    rank = ("rank", run.rank) if run.rank is not None else ()
    words = (*before, x.claim, run.problem, *rank, tag(x.spec))
    numbers.heading(", ".join(filter(None, (about, titled(x), run.title, f"run {x.run_id}"))))
    made = {"verdict": numbers.add((*words, "verdict"), str(run.verdict), x.reason)}
    if run.is_theorem:
        made |= _measured(run, numbers, words)
    elif x.measured is not None:
        note = "the largest lower estimate, rounded down"
        made["measured"] = numbers.add(
            (*words, "observed"), significant(x.measured, Toward.DOWN, x.digits(FREE)), note, "observed"
        )
    for end in x.upper:
        of_end = (*words, end.claim, end.lipschitz, "bound")
        numbers.add(of_end, significant(end.value, Toward.UP), "bound on the smoothness of F, rounded up", end.trust)
    if run.bound is not None:
        note = f"bound of {x.claim}, rounded up"
        kind = "estimated" if run.is_estimated else ""
        made["bound"] = numbers.add((*words, "bound"), significant(run.bound, Toward.UP, x.digits(FREE)), note, kind)
        made["mark"] = "$^{*}$" if kind else ""
    if run.ratio is not None:
        # Of a bracket the lower estimate over an upper bound: rounded down it is a lower estimate still.
        low = significant(run.ratio, Toward.DOWN)
        text = measured(run.ratio, _scaled(x.interval, run.bound)) if run.is_theorem else low
        made["ratio"] = numbers.add((*words, "ratio"), text, "measured over bound")
    for name, constant in x.constants.items():
        if constant.value is not None:
            numbers.add((*words, name), significant(constant.value, constant.toward(name)), constant.how, constant.kind)
    return made


def _measured(run: StoredRun, numbers: Numbers, words: tuple[object, ...]) -> Made:
    """Give the numbers of a run of an algorithm their commands, and return these."""
    x, plan, made = run.course, run.course.plan, {}
    kind = x.interval.kind if x.interval else "without interval"
    if x.measured is not None:
        text = r"\ensuremath{\infty}" if run.has_diverged else measured(x.measured, x.interval, x.digits(FREE))
        made["measured"] = numbers.add((*words, "measured"), text, run.shown, kind)
    if x.interval:
        low, high = limits(x.interval, x.measured, x.digits(FREE))
        said = f"at level {x.interval.level:g}, {x.interval.method}"
        made["lower"] = numbers.add((*words, "lower"), low, f"{said}, rounded down", kind)
        made["upper"] = numbers.add((*words, "upper"), high, f"{said}, rounded up", kind)
        made["kind"] = kind
    made["steps"] = numbers.add((*words, "steps"), whole(plan.steps), "T")
    made["replicas"] = numbers.add((*words, "replicas"), whole(x.replicas))
    if plan.batch is not None:
        made["batch"] = numbers.add((*words, "batch"), whole(plan.batch))
    if plan.step_size is not None:
        made["step"] = numbers.add((*words, "step size"), significant(plan.step_size), "rounded to the nearest")
    if x.first is not None:
        made["first"] = numbers.add((*words, "first"), significant(x.first, Toward.UP), "known at v_1, rounded up")
    return made


def _scaled(interval: Interval | None, bound: float | None) -> Interval | None:
    if interval is None or not bound:
        return None
    return Interval(interval.lower / bound, interval.upper / bound, interval.level, interval.kind, interval.method)


def _of_search(search: Search, numbers: Numbers) -> None:
    words = ("attack", search["id"], search["lipschitz"])
    note = f"{search['label']}: a certified instance, rounded down"
    numbers.add((*words, "ratio"), significant(search["ratio"], Toward.DOWN), note, "certified")
    for row in search["rows"]:
        numbers.add((*words, "rank", row["rank"], "ratio"), significant(row["ratio"], Toward.DOWN), note, "certified")


def _of_case(case: Case, numbers: Numbers) -> None:
    words = ("worst case", case.claim, case.method, "T", case.steps, tag(case.inputs))
    note = f"{case.claim} at T = {case.steps}, {case.method}"
    numbers.add((*words, "ratio"), significant(case.ratio), f"{note}: worst case over bound", "numerical")
    if case.lower is not None:
        low = significant(case.lower, Toward.DOWN)
        numbers.add((*words, "lower"), low, f"{note}: the worst case is at least this, rounded down", "certified")
    if case.upper is not None:
        high = significant(case.upper, Toward.UP)
        numbers.add((*words, "upper"), high, f"{note}: the worst case is at most this, rounded up", "kernel")
