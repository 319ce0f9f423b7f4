"""The page of runs whose algorithm, measure and words are one's own calls each by its name."""

from __future__ import annotations

import re
from pathlib import Path

import boundcheck as bc
from boundcheck.claims import Quantity, catalogue
from boundcheck.claims.symbols import D, T, bound
from boundcheck.report.page import load_runs, write_runs
from boundcheck.words import theorem
from boundcheck.words.algorithms import GRADIENT_DESCENT
from boundcheck.words.measures.base import GAP, Over, PerformanceMeasure

HERE = "tests.outside"
DESCENT = catalogue["nesterov2004.gradient_descent"]
AVERAGE_GAP = theorem(
    "outer.average_gap",
    "The gap does not grow",
    "mine",
    "",
    tuple(catalogue[id] for id in ("classic.smooth_everywhere", "classic.convex", "jiang2024.bounded_below")),
    (*DESCENT.quantities[:-1], Quantity(bound, D * (1 + 1 / T), "bound on the average gap")),
    algorithm=GRADIENT_DESCENT,
    measure=PerformanceMeasure("average_gap", "average gap of an outsider", Over.AVERAGE, GAP),
)


def test_the_page_names_algorithm_measure_and_word(tmp_path: Path) -> None:
    spec = {
        "claim": [f"{HERE}.my_theorem:HALVED_DESCENT", AVERAGE_GAP],
        "problem": {"kind": f"{HERE}.my_objective:LogCosh"},
        "adapter": {"kind": "full"},
        "run": {"steps": 8, "audits": 8},
    }
    folders = [tmp_path / result.run_id for result in bc.measure(spec, tmp_path)]
    files = write_runs(folders, tmp_path / "report" / "index.html", "Own", "Own.", "boundcheck measure own.toml")
    text = Path(files[0]).read_text()
    assert "Algorithm 1" not in text
    assert "Halved descent, measured: the last squared gradient norm." in text
    assert "Gradient descent, measured: the average gap." in text
    assert "<p>Algorithm: halved descent.</p>" in text
    assert "It bounds the last squared gradient." in text
    assert "It bounds the average gap of an outsider." in text
    assert "<code>outer.no_rise</code>" in text
    captions = " ".join(re.findall(r"<figcaption>(.*?)</figcaption>", text, re.DOTALL))
    assert "g<sub>t</sub>" not in captions
    gradient, gap = load_runs(folders)
    assert gap.course.first == gap.course.gap, "at v_1 stands what the measure is there"
    assert gradient.course.first < gap.course.gap
