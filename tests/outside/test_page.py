"""The page of runs whose algorithm, measure and words are one's own calls each by its name."""

import shutil
from pathlib import Path

from sympy import Rational

import boundcheck as bc
from boundcheck.language.algorithms import GRADIENT_DESCENT
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Quantifier, Quantity
from boundcheck.language.measures import GAP, PerformanceMeasure, Statistic
from boundcheck.language.sentence import theorem
from boundcheck.language.symbols import D, T, bound
from boundcheck.present.material import load_runs
from boundcheck.present.page import write_runs
from boundcheck.proofs import HOME
from boundcheck.properties import check_claim
from tests.layers import full
from tests.outside.specs import OBJECTIVE

DESCENT = catalogue["nesterov2004.gradient_descent"]
AVERAGE_GAP = theorem(
    "outer.average_gap",
    "The gap does not grow",
    "mine",
    Quantifier(),
    tuple(
        catalogue[id]
        for id in ("classic.smooth_everywhere", "classic.convex", "jiang2024.bounded_below")
    ),
    (*DESCENT.quantities[:-1], Quantity(bound, D * (1 + 1 / T), "bound on the average gap")),
    algorithm=GRADIENT_DESCENT,
    measure=PerformanceMeasure("average_gap", "average gap of an outsider", Statistic.AVERAGE, GAP),
)


@full
def test_the_page_names_algorithm_measure_and_word(tmp_path):
    spec = {
        "claim": ["tests.outside.my_theorem:HALVED_DESCENT", AVERAGE_GAP],
        "problem": {"kind": OBJECTIVE},
        "adapter": {"kind": "full"},
        "run": {"steps": 8, "audits": 8},
    }
    folders = [tmp_path / result.run_id for result in bc.measure(spec, tmp_path)]
    files = write_runs(
        folders, tmp_path / "report" / "index.html", "Own", "Own.", "boundcheck measure own.toml"
    )
    text = Path(files[0]).read_text()
    assert "Algorithm 1" not in text
    for named in (
        "halved descent",
        "last squared gradient",
        "average gap of an outsider",
        "outer.no_rise",
    ):
        assert named in text
    gradient, gap = load_runs(folders)
    assert gap.course.first == gap.course.gap, "at v_1 stands what the measure is there"
    assert gradient.course.first < gap.course.gap


def test_a_gap_without_noise_needs_no_replicas(tmp_path):
    """It is known between two numbers, and where the bound lies between them no replica would
    tell."""
    measure = PerformanceMeasure("least_gap", "least gap", Statistic.LEAST, GAP)
    formula = Quantity(bound, D * (Rational(9, 10) + 1 / (100 * T)), "bound on the least gap")
    claim = theorem(
        "outer.least_gap",
        "The gap shrinks a little",
        "mine",
        Quantifier(),
        AVERAGE_GAP.hypotheses,
        (*DESCENT.quantities[:-1], formula),
        algorithm=GRADIENT_DESCENT,
        measure=measure,
    )
    spec = {
        "claim": claim,
        "problem": {"kind": OBJECTIVE},
        "adapter": {"kind": "full"},
        "run": {"steps": 2, "audits": 2},
        "assume": {"bound": "D*8/10"},
    }
    (result,) = bc.measure(spec, tmp_path)
    assert result.verdict == "inconclusive"
    assert "replica" not in result.reason
    assert result.reason.startswith("the smallest gap is between")
    assert result.blame.kind == "constant"


@full
def test_the_example_to_copy_is_run_tried_and_shown(tmp_path):
    file = tmp_path / "my_theorem.py"
    shutil.copy(HOME / "own_words.py", file)
    spec = {
        "claim": f"{file}:WARM_DESCENT",
        "problem": {"kind": OBJECTIVE},
        "adapter": {"kind": "full"},
        "run": {"steps": 40, "audits": 40},
    }
    (result,) = bc.measure(spec, tmp_path / "runs")
    assert result.verdict.plain == "supported", result.reason
    assert {row.hypothesis: row.status for row in result.audit}["my.no_rise"] == "held"
    assert check_claim(f"{file}:WARM_DESCENT", adapter="full", examples=10).ratio > 0
