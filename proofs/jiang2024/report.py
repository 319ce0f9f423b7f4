"""The report's own text on jiang2024: title, opening, and the findings of runs and attacks on rows
of its table.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp
from markupsafe import Markup

from boundcheck.exact.digits import Toward
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import as_typed
from boundcheck.language.hypotheses import LARGER, LEAST
from boundcheck.language.symbols import kappa, q
from boundcheck.present.material import Finding, Material, Search, StoredRun, Study
from boundcheck.present.opening import (
    HOLDS,
    PRINTED,
    RUN,
    Headline,
    Opening,
    Stroke,
    Strokes,
    in_all,
    picture,
)
from boundcheck.present.sections.smoothness import ends as ends_of
from boundcheck.present.words import c_is, label, number, symbol
from boundcheck.proof import ClaimAudit
from boundcheck.proof.audit import JudgedRow
from boundcheck.verdicts import Verdict
from boundcheck.worst_case.view import rounded_down
from boundcheck.worst_case.worst_case import Case

from ..meft.lora import THEOREM_2_BEST_STEP
from .claims import LEMMA_1, ROOT_TERM, THEOREM_2

TITLE = (
    "jiang2024, audited: A Unified Convergence Theory for Large Language Model Efficient"
    " Fine-tuning"
)
LEAD = (
    "The proofs of the paper line by line, its statements repaired and sharpened, and what runs say"
    " of them: softmax regression over the 1797 handwritten digits that scikit-learn bundles (64"
    " pixels, 10 classes), and pseudo-Huber matrix regression, with certified L, G and f*."
)
STATEMENTS = (LEMMA_1.id, THEOREM_2.id)


def opening(material: Material) -> Opening | None:
    """What is true, what is wrong, and what a run shows; None unless the proofs say that both are
    repaired.
    """
    audits = {claim.id: claim for claim in material.proofs.claims} if material.proofs else {}
    theorems = [
        run for run in material.theorems if run.result.claim == THEOREM_2.id and run.result.ratio
    ]
    brackets = [run for run in material.brackets if run.result.claim == LEMMA_1.id]
    if material.proofs is None or not theorems or not brackets:
        return None
    if any(
        id not in audits or audits[id].verdict != "repaired" for id in (LEMMA_1.id, THEOREM_2.id)
    ):
        return None
    factors = _factors(audits[THEOREM_2.id])
    if factors is None:
        return None
    run, bracket = (max(some, key=lambda run: run.rank or 0) for some in (theorems, brackets))
    share = number((run.result.ratio or 0) * factors.printed, 2)
    sharp = catalogue["meft.lemma1_sharp_equal_radii"]
    lemmas = [symbol(each.latex(each.expression("Lhat"))) for each in (LEMMA_1, sharp)]
    numbers = (
        Headline(
            f"${factors.printed:g}S$ → ${factors.proved:g}S$",
            "the bound of Theorem 2, as printed and as proved",
        ),
        Headline(
            Markup(" → ").join(lemmas),
            "the smoothness constant of Lemma 1, as printed, where $C ≥ σ$, and as proved",
        ),
        Headline(f"${share}S$", f"what a run measured, {run.title}: an estimate, and no bound"),
    )
    words = _words(factors, material.proofs.rows, material.runs)
    return Opening(
        words, numbers, picture([_of_theorem(factors, run), _of_lemma(bracket)]), _PICTURE
    )


@dataclass(frozen=True)
class _Factors:
    """Theorem 2's factors of S: as printed, as its printed proof gives mended, as proved, and at
    the best step.
    """

    printed: float
    mended: float
    proved: float
    best: sp.Expr


def _factors(audit: ClaimAudit) -> _Factors | None:
    """The factors, from the claims and from the lines that the kernel replays; None where it does
    not.
    """
    found = [
        float(sp.simplify(step.step.relation.rhs / ROOT_TERM))
        for version, wanted in (("printed", "(14), corrected"), ("repaired", "constant 2"))
        for step in audit.proof(version).steps
        if step.step.label == wanted and step.verdict == "proved" and step.step.relation is not None
    ]
    if len(found) != 2:
        return None
    kappas = (each.expression for each in THEOREM_2_BEST_STEP.quantities if each.symbol == kappa)
    printed = float(sp.simplify(THEOREM_2.quantities[-1].expression / ROOT_TERM))
    return _Factors(printed, found[0], found[1], next(kappas).subs(q, 0))


def _words(factors: _Factors, rows: Sequence[JudgedRow], runs: list[StoredRun]) -> str:
    """The verdict in a paragraph: what is true, then what is wrong under every reading, then what
    needs a reading.
    """
    refuted = [row.row.locator for row in rows if row.verdict == "refuted"]
    divided = [
        row.row.locator for row in rows if row.row.has("fails") and row.verdict == "conditional"
    ]
    return (
        "Both main statements of the paper are true on the ball that it assumes, by other proofs"
        " than the printed ones, and so is its rate in $T$. Theorem 2 holds with"
        f" ${factors.proved:g}S$ in place of the printed ${factors.printed:g}S$, and at the best"
        f" step size with $√{factors.best**2}·S$ in the limit of long runs. Here $S$ is"
        f" ${as_typed(ROOT_TERM)}$. The constant of Lemma 1 has a factor $√r$ that no proof needs."
        f" Of the {len(rows)}"
        " findings below, false under every reading of the text that was tried:"
        f" {'; '.join(refuted)}. There the printed proof of Theorem 2 loses a factor of 4; mended,"
        f" it proves ${factors.mended:g}S$. True under one reading and false under another, with"
        f" what would mend each: {'; '.join(divided)}. The others confirm, repair or remark."
        f" {in_all('run', 'runs', [run.verdict for run in runs])}"
    )


def _of_theorem(factors: _Factors, run: StoredRun) -> Strokes:
    """The factors of Theorem 2, and what a run measured over its S."""
    result = run.result
    unit = (result.bound or math.nan) / factors.printed
    limits = (
        (result.interval.lower / unit, result.interval.upper / unit) if result.interval else None
    )
    lines = (
        Stroke("printed, by a broken proof", factors.printed, PRINTED),
        Stroke("the printed proof, mended", factors.mended, HOLDS),
        Stroke("another proof", factors.proved, HOLDS),
        Stroke("the best step size, in the limit", float(factors.best), HOLDS),
        Stroke(
            f"a run: {run.shown}",
            (result.measured or math.nan) / unit,
            RUN,
            limits,
            run.verdict.is_silent,
            Toward.NEAREST,
        ),
    )
    return Strokes(f"Theorem 2: squared gradient norm\n{run.title}", "multiples of S", lines)


def _of_lemma(run: StoredRun) -> Strokes:
    """The constants of Lemma 1 on one problem, and the largest smoothness that was found."""
    claimed = ends_of(run)
    lines = (
        Stroke(f"printed, {c_is(LARGER)}", claimed.get(f"printed {LARGER}"), PRINTED),
        Stroke(f"printed, {c_is(LEAST)}", claimed.get(f"printed {LEAST}"), PRINTED),
        Stroke("proved: λ*", claimed.get("sharp"), HOLDS),
        Stroke("a run: the largest that was found", run.result.measured, RUN, toward=Toward.DOWN),
    )
    return Strokes(
        f"Lemma 1: smoothness of F\n{run.title}", f"smoothness [{run.result.problem.units}]", lines
    )


_PICTURE = """What the paper prints, what is proved in its place, and what a run does. A printed
line may be true by another proof. What a run measured is an estimate from below, and never a
bound."""


def measured(runs: list[StoredRun], searches: list[Search], study: Study) -> list[Finding]:
    """The findings of runs, attacks and worst cases on rows of the referee's table."""
    return [*findings(runs), _search_finding(searches), _slowest_finding(runs, study.worst_cases)]


def findings(runs: list[StoredRun]) -> list[Finding]:
    """The rows of the referee's table with findings of measurement, in the paper's order.

    The other rows are about lines of proofs, about which runs say nothing.
    """
    brackets = [run for run in runs if run.result.claim == LEMMA_1.id]
    last = max((run for run in brackets if run.problem == "digits"), key=lambda run: run.rank or 0)
    ends = "; ".join(
        f"{label(end.claim, end.lipschitz)}: {number(end.value, toward=Toward.UP)}"
        for end in last.result.upper
    )
    supported = sum(run.verdict.is_supported for run in brackets)
    printed = [run for run in runs if run.result.claim == THEOREM_2.id]
    each = "; ".join(
        f"{run.title}: {run.verdict}, measured {run.numbers.measured} against {run.numbers.bound}"
        for run in printed
    )
    balls = ("jiang2024.assumption2", "meft.ball")
    held = [
        [a.status == "held" for a in run.result.audit if a.hypothesis in balls]
        for run in runs
        if run.is_theorem
    ]
    within = [all(each) for each in held if each]
    return [
        Finding(
            8,
            "Lemma 1, Eq. (8)",
            Verdict.gravest(run.verdict for run in brackets),
            f"In {supported} of {len(brackets)} brackets over ranks and problems, no lower estimate"
            f" exceeds the printed constant. On digits at rank {last.rank} the largest estimate is"
            f" {last.numbers.measured}, against {ends}.",
        ),
        Finding(
            12,
            "Theorem 2, Eq. (9)",
            Verdict.gravest(run.verdict for run in printed),
            "Average over t of the expected squared gradient norm, which is no less than the"
            f" least; every hypothesis audited. {each}.",
        ),
        Finding(
            18,
            "Assumption 2: σ → L̂ → α → iterates → σ",
            Verdict.SUPPORTED if all(within) else Verdict.HYPOTHESIS_FAILED,
            "$σ$ was fixed before each run and every iterate of every replica held against it: in"
            f" {sum(within)} of {len(within)} runs of theorems with a ball all stayed inside, so"
            " that the theorem speaks of them.",
        ),
    ]


def _search_finding(searches: list[Search]) -> Finding:
    printed = next(each for each in searches if each["id"] == "jiang2024.lemma1")
    sharp = next(each for each in searches if each["id"] == "meft.lemma1_sharp")
    first, *_, last = printed["rows"]
    reached = min(row["ratio"] for row in sharp["rows"])
    ranks = sorted(row["rank"] for row in sharp["rows"])
    broken = [each["label"] for each in searches if each["violated"]]
    verdict = (
        f"The search found counterexamples to {', '.join(broken)}."
        if broken
        else "The search found no counterexample."
    )
    return Finding(
        8,
        "Lemma 1, Eq. (8), attacked",
        "violated" if printed["violated"] else "not violated",
        f"{verdict} At $L = G = σ = 1$ and $C = σ$ the printed constant is reached to"
        f" {_percent(first['ratio'])} at rank {first['rank']} and to {_percent(last['ratio'])} at"
        f" rank {last['rank']}, because of its $√r$; $λ*$ is reached to {_percent(reached)} or more"
        f" at each rank from {ranks[0]} to {ranks[-1]}, with $a = b$ and with $a ≠ b$.",
    )


def _slowest_finding(runs: list[StoredRun], cases: list[Case]) -> Finding:
    """How near SGD comes to the repaired bound, by performance estimation and on the hard
    instance.
    """
    broken = sorted({label(case.claim, "sigma") for case in cases if case.violated})
    said = [
        f"Performance estimation breaks {', '.join(broken)}." if broken else "No theorem is broken."
    ]
    for run in [run for run in runs if run.result.settings.problem["kind"] == "hard"][-1:]:
        steps, share = number(run.course.plan.steps), run.result.ratio or 0.0
        said.append(
            f"On the hard instance at T = {steps} the average over t is {share:.0%} of the repaired"
            " bound on the least."
        )
    for case in [case for case in cases if case.claim == "meft.theorem2_repaired"][-1:]:
        said.append(
            f"The worst case over all smooth F and two-point noise is {case.ratio:.0%} of it at T ="
            f" {case.steps}, by a numerical solution."
        )
    return Finding(
        12, "Theorem 2, Eq. (9), attacked", "violated" if broken else "not violated", " ".join(said)
    )


def _percent(ratio: float) -> str:
    """A certified lower bound, rounded down."""
    return f"{rounded_down(100 * ratio, 2)} %"
