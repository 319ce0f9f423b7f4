"""Small finished runs that the report's tests draw on: one theorem, one bracket at two ranks."""

from pathlib import Path
from typing import Any

import pytest

import boundcheck as bc
from boundcheck.report.figures import StoredRun
from boundcheck.report.page import load_runs

PROBLEM = {"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 8, "delta": 0.25, "noise": 0.5}
THEOREM: dict[str, Any] = {
    "claim": "jiang2024.theorem2",
    "problem": PROBLEM,
    "adapter": {"rank": 2, "gain": 1.5},
    "run": {"replicas": 16, "audits": 8},
}
BRACKET: dict[str, Any] = {
    "claim": "jiang2024.lemma1",
    "problem": PROBLEM,
    "adapter": {"rank": [1, 2]},
    "domain": {"a": 1.0, "b": 1.0},
    "bracket": {"pairs": 32, "iterates": 8, "points": 2},
}


@pytest.fixture(scope="session")
def run_folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("runs")
    results = bc.measure(THEOREM, root) + bc.measure(BRACKET, root)
    return [root / result["run_id"] for result in results]


@pytest.fixture(scope="session")
def stored(run_folders: list[Path]) -> list[StoredRun]:
    return load_runs(run_folders)
