"""One number is one number: each form of a report prints a run's bound above it, and what breaks it above the bound."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from boundcheck.present.latex import files_of
from boundcheck.present.material import Material
from boundcheck.present.page import write_page
from boundcheck.present.stored import StoredRun
from tests.present.made import changed

BOUND = 0.04920974


def printed(run: StoredRun, folder: Path) -> dict[str, set[float]]:
    """By the form of the report, the numbers in it that begin as the bound does."""
    material = Material([run])
    write_page(material, folder / "index.html", "A run", "A run.")
    texts = {name: (folder / name).read_text() for name in ("index.html", "logbook.md")}
    texts["index.html"] = re.sub(r"<svg.*?</svg>|<style.*?</style>", "", texts["index.html"], flags=re.DOTALL)
    latex = files_of(material, "A run", "A run.").items()
    texts["LaTeX"] = "\n".join(text.decode() for name, text in latex if name.endswith(".tex"))
    texts["notebook"] = run.result._repr_html_()
    return {name: set(map(float, re.findall(r"\b0\.049\d*", text))) for name, text in texts.items()}


@pytest.fixture(scope="module")
def theorem(stored: list[StoredRun]) -> StoredRun:
    return next(run for run in stored if run.is_theorem)


@pytest.mark.full
def test_no_form_prints_a_bound_below_it(theorem: StoredRun, tmp_path: Path) -> None:
    interval = {"lower": 0.01, "upper": 0.03, "level": 0.95, "kind": "nonasymptotic", "method": "betting"}
    parts = {"measured": 0.02, "interval": interval, "bound": BOUND, "plan__values__bound": BOUND}
    for name, found in printed(changed(theorem, **parts, verdict="supported"), tmp_path).items():
        assert found, name
        assert min(found) >= BOUND, name
        assert max(found) < 0.05, name


@pytest.mark.full
def test_no_form_prints_what_breaks_a_bound_below_it(theorem: StoredRun, tmp_path: Path) -> None:
    measured = BOUND * (1 + 1e-6)
    interval = {"lower": measured, "upper": measured, "level": 1.0, "kind": "exact", "method": "the one trajectory"}
    parts = {"measured": measured, "interval": interval, "bound": BOUND, "plan__values__bound": BOUND}
    for name, found in printed(changed(theorem, **parts, verdict="violated"), tmp_path).items():
        assert min(found) >= BOUND, name
        # The bound, and above it what was measured.
        assert sorted(found)[0] < measured <= max(found) + 1e-9, name
        assert len(found) > 1, name
