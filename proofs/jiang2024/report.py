"""The report's own text on jiang2024: its title, and the findings of runs and attacks on rows of its table."""

from boundcheck.falsify.show import rounded_down
from boundcheck.falsify.worst_case import WorstCase
from boundcheck.report.section import Finding, Search
from boundcheck.report.stored import StoredRun
from boundcheck.report.study import Study
from boundcheck.report.words import label, number
from boundcheck.verdicts import Verdict

TITLE = "jiang2024, audited: A Unified Convergence Theory for Large Language Model Efficient Fine-tuning"
LEAD = (
    "The proofs of the paper line by line, its statements repaired and sharpened, and what runs say of them: softmax "
    "regression over the 1797 handwritten digits that scikit-learn bundles (64 pixels, 10 classes), and pseudo-Huber "
    "matrix regression, with certified L, G and f*."
)
STATEMENTS = ("jiang2024.lemma1", "jiang2024.theorem2")


def measured(runs: list[StoredRun], searches: list[Search], study: Study) -> list[Finding]:
    """The findings of runs, attacks and worst cases on rows of the referee's table."""
    return [*findings(runs), _search_finding(searches), _slowest_finding(runs, study.worst_cases)]


def findings(runs: list[StoredRun]) -> list[Finding]:
    """The rows of the referee's table with findings of measurement, in the paper's order.

    The other rows are about lines of proofs, about which runs say nothing.
    """
    brackets = [run for run in runs if run.result.claim == "jiang2024.lemma1"]
    printed = [run for run in runs if run.result.claim == "jiang2024.theorem2"]
    theorems = [run for run in runs if run.is_theorem]
    return [
        Finding(8, "Lemma 1, Eq. (8)", _common(brackets), _bracket_evidence(brackets)),
        Finding(12, "Theorem 2, Eq. (9)", _common(printed), _theorem_evidence(printed)),
        _ball_finding(theorems),
    ]


def _search_finding(searches: list[Search]) -> Finding:
    printed = next(each for each in searches if each["id"] == "jiang2024.lemma1")
    sharp = next(each for each in searches if each["id"] == "meft.lemma1_sharp")
    first, *_, last = printed["rows"]
    reached = min(row["ratio"] for row in sharp["rows"])
    ranks = sorted(row["rank"] for row in sharp["rows"])
    broken = [each["label"] for each in searches if each["violated"]]
    verdict = f"It breaks {', '.join(broken)}." if broken else "It breaks none of the claims."
    return Finding(
        8,
        "Lemma 1, Eq. (8), attacked",
        "violated" if printed["violated"] else "not violated",
        f"{verdict} At L = G = σ = 1 and C = σ the printed constant is reached to {_percent(first['ratio'])} at "
        f"rank {first['rank']} and to {_percent(last['ratio'])} at rank {last['rank']}, because of its √r; λ* is "
        f"reached to {_percent(reached)} or more at each rank from {ranks[0]} to {ranks[-1]}, with "
        "a = b and with a ≠ b.",
    )


def _slowest_finding(runs: list[StoredRun], cases: list[WorstCase]) -> Finding:
    """How near SGD comes to the repaired bound, by performance estimation and on the hard instance."""
    broken = sorted({label(case.claim, "sigma") for case in cases if case.violated})
    said = [f"Performance estimation breaks {', '.join(broken)}." if broken else "No theorem is broken."]
    for run in [run for run in runs if run.result.settings.problem["kind"] == "hard"][-1:]:
        steps, share = number(run.course.plan.steps), run.result.ratio or 0.0
        said.append(f"On the hard instance at T = {steps} the average is {share:.0%} of the repaired bound.")
    for case in [case for case in cases if case.claim == "meft.theorem2_repaired"][-1:]:
        said.append(
            f"The worst case over all smooth F and two-point noise is {case.ratio:.0%} of it at T = {case.steps},"
            " by a numerical solution."
        )
    return Finding(12, "Theorem 2, Eq. (9), attacked", "violated" if broken else "not violated", " ".join(said))


def _percent(ratio: float) -> str:
    """A certified lower bound, rounded down."""
    return f"{rounded_down(100 * ratio, 2)} %"


def _common(runs: list[StoredRun]) -> Verdict:
    """The verdict of all runs, or the gravest among them."""
    return Verdict.gravest(run.verdict for run in runs)


def _bracket_evidence(runs: list[StoredRun]) -> str:
    last = max((run for run in runs if run.problem == "digits"), key=lambda run: run.rank or 0)
    ends = "; ".join(f"{label(end.claim, end.lipschitz)}: {number(end.value)}" for end in last.result.upper)
    within = sum(run.verdict.is_supported for run in runs)
    return (
        f"In {within} of {len(runs)} brackets over ranks and problems, no lower estimate exceeds the printed constant. "
        f"On digits at rank {last.rank} the largest estimate is {number(last.result.measured)}, against {ends}."
    )


def _theorem_evidence(runs: list[StoredRun]) -> str:
    each = "; ".join(
        f"{run.problem}, rank {run.rank}: {run.verdict}, measured {number(run.result.measured)} "
        f"against {number(run.result.bound)}"
        for run in runs
    )
    return f"Average over t of the expected squared gradient norm, every hypothesis audited. {each}."


def _ball_finding(runs: list[StoredRun]) -> Finding:
    balls = ("jiang2024.assumption2", "meft.ball")
    held = [[a.status == "held" for a in run.result.audit if a.hypothesis in balls] for run in runs]
    within = [all(each) for each in held if each]
    return Finding(
        18,
        "Assumption 2: σ → L̂ → α → iterates → σ",
        Verdict.SUPPORTED if all(within) else Verdict.HYPOTHESIS_FAILED,
        f"σ was fixed before each run and every iterate of every replica held against it: in {sum(within)} of "
        f"{len(within)} runs of theorems with a ball all stayed inside, so that the theorem speaks of them.",
    )
