"""The page: self-contained, the same twice, true to its runs; figures of each kind; exports that
read back."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from boundcheck.proofs.jiang2024.report import findings

from boundcheck.errors import InputError
from boundcheck.present.latex import Numbers, files_of
from boundcheck.present.latex import printed as commands_of
from boundcheck.present.material import Finding, Material, load_runs
from boundcheck.present.page import Page, export_data, write_page
from boundcheck.present.sections.proofs import has_rank
from boundcheck.present.sections.runs import verdicts
from boundcheck.present.sections.smoothness import smoothness
from boundcheck.present.words import number

from .made import changed, figure_of
from .test_proofs import audit as small_proofs
from .texts import spoken

audit = small_proofs


def _write(runs, folder):
    return write_page(
        Material(runs, command="boundcheck measure x.toml"),
        folder / "index.html",
        "A title",
        "A lead.",
    )


@pytest.mark.full
def test_no_formula_is_typed_in_words(stored, audit, tmp_path):
    """Neither a subscript, nor a superscript, nor a dollar that was meant for a formula."""
    folder = tmp_path / "index.html"
    material = Material(
        stored, [Finding(8, "Lemma 1", "supported", "At $v_1$ and v_2.")], audit, command="x"
    )
    page, *_ = write_page(material, folder, "A title", "A lead of $x_1$ and x^2.")
    said = spoken(page.read_text())
    assert "A lead of" in " ".join(said)
    assert [text for text in said if re.search(r"[\^_$]", text)] == []
    assert spoken("<p>v_1 <math>x_1</math> <code>a_b</code></p>") == ["v_1"]


@pytest.mark.full
def test_a_run_of_an_earlier_version_is_shown_with_the_ground_of_its_verdict(run_folders, tmp_path):
    """It said `supported`, whatever its interval was; a ground that is too weak is refused before a
    page is made."""
    (run,) = load_runs(run_folders[:1])
    assert run.result.interval.kind == "asymptotic"
    page, *_ = _write([changed(run, verdict="supported")], tmp_path / "out")
    # Below what the words mean.
    text = page.read_text().partition('id="words"')[2].partition("</dl>")[2]
    assert text.count(">supported (asymptotic)</span>") == 1
    assert ">supported</span>" not in text
    results = page.with_name("results.json")
    assert [each["verdict"] for each in json.loads(results.read_text())] == [
        "supported (asymptotic)"
    ]
    with pytest.raises(InputError, match=r"^verdict = supported: expected 8 replicas or more"):
        changed(run, verdict="supported", spec__run__replicas=5)


@pytest.mark.full
def test_a_page_names_every_run_loads_nothing_and_is_the_same_twice(stored, tmp_path):
    first = {path.name: path.read_bytes() for path in _write(stored, tmp_path / "a")}
    assert first == {path.name: path.read_bytes() for path in _write(stored, tmp_path / "b")}
    figures = (
        "opening",
        "gradient_norm",
        "smoothness",
        "slack",
        "curvature_split",
        "descent",
        "waterfall",
    )
    drawn = {f"{name}.{kind}" for name in figures for kind in ("svg", "pdf")}
    pages = [name for name in first if name.endswith(".html")]
    assert first.keys() == {"index.html", "results.json", *drawn, *pages}
    assert not list(tmp_path.rglob("*.part"))
    assert len(first["index.html"]) < 300_000
    text = "".join(first[name].decode() for name in pages)
    named = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?!#)([^"')#\s>]+)""", text)
    assert set(named) <= set(pages), "the pages load nothing, and lead to each other"
    assert text.count("<svg") == len(figures)
    for run in stored:
        assert run.verdict in text
    assert number(stored[0].result.bound) in text
    assert stored[0].result.run_id in text
    assert "Proofs of these claims: kernel" in text
    assert (
        text.count("<p>Proof: ")
        == text.count("<p>Proof: kernel") + text.count("<p>Proof: hypothesis.</p>")
        > 0
    )


def test_exports_read_back_to_the_trace(stored, tmp_path):
    files = export_data(stored[:2], tmp_path / "data")
    with xr.open_dataset(files[0], engine="scipy") as back:
        xr.testing.assert_allclose(back.load(), stored[0].trace)
    table = pd.read_csv(files[1])
    np.testing.assert_allclose(
        table["gradient_square_norm"].to_numpy(),
        stored[0].trace["gradient_square_norm"].values.ravel(),
    )
    assert {path.suffix for path in files} == {".nc", ".csv"}


def test_findings_follow_the_runs(stored):
    digits = [changed(run, problem__name="digits") for run in stored]
    by_number = {finding.number: finding for finding in findings(digits)}
    assert by_number.keys() == {8, 12, 18}
    # The stored runs were changed, and are read and not judged again.
    assert by_number[8].verdict.plain == "supported"
    broken = [changed(run, verdict="violated") if not run.is_theorem else run for run in digits]
    finding = next(f for f in findings(broken) if f.number == 8)
    assert finding.verdict == "violated"
    assert finding.evidence.startswith("In 0 of 2 brackets")
    audit = [
        a | {"status": "failed"} if a["hypothesis"] == "jiang2024.assumption2" else a
        for a in digits[0].result.as_json()["audit"]
    ]
    finding = next(
        f for f in findings([changed(digits[0], audit=audit), *digits[1:]]) if f.number == 18
    )
    assert finding.verdict == "hypothesis-failed"


def test_a_folder_that_cannot_be_written_is_refused(tmp_path, stored):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="out"):
        _write(stored[:1], tmp_path / "file" / "below")


@pytest.mark.full
def test_of_many_runs_a_few_are_shown_and_the_rest_is_folded(stored):
    theorem = next(run for run in stored if run.is_theorem)
    many = [changed(theorem, run_id=f"run{i}") for i in range(20)]
    assert "<summary" not in verdicts_of(many), "these chose their T to be informative"
    swept = [changed(run, spec__run__steps=theorem.course.plan.steps, spec__seed=3) for run in many]
    assert ">and 8 more<" in verdicts_of(swept)
    text = verdicts_of([*many[:2], *swept])
    assert ">and 20 more<" in text
    assert "seed 3" in text


def verdicts_of(runs):
    return Page().parts(verdicts.build(Material(runs)))


def test_without_a_rank_nothing_is_drawn_or_said_of_it(stored):
    assert has_rank(Material([]))
    assert has_rank(Material(stored))
    adapter = {"kind": "full", "rank": None, "gain": 1.0, "scale": 1.0, "start": "lora"}
    full = [changed(run, spec__adapter=adapter) for run in stored if run.is_theorem]
    assert not has_rank(Material(full))
    assert figure_of(smoothness, full) is None


BOUND = 0.04920974


def printed(run, folder):
    """By the form of the report, the numbers in it that begin as the bound does."""
    material = Material([run])
    write_page(material, folder / "index.html", "A run", "A run.")
    page = (folder / "index.html").read_text()
    texts = {"page": re.sub(r"<svg.*?</svg>|<style.*?</style>", "", page, flags=re.DOTALL)}
    latex = files_of(material, "A run", "A run.").items()
    texts["LaTeX"] = "\n".join(text.decode() for name, text in latex if name.endswith(".tex"))
    texts["notebook"] = run.result._repr_html_()
    return {name: set(map(float, re.findall(r"\b0\.049\d*", text))) for name, text in texts.items()}


@pytest.fixture(scope="module")
def theorem(stored):
    return next(run for run in stored if run.is_theorem)


@pytest.mark.full
@pytest.mark.parametrize(
    "measured, lower, upper, kind, verdict",
    [
        (0.02, 0.01, 0.03, "nonasymptotic", "supported"),
        (*[BOUND * (1 + 1e-6)] * 3, "exact", "violated"),
    ],
)
def test_no_form_prints_a_bound_or_what_breaks_it_below_it(
    measured, lower, upper, kind, verdict, theorem, tmp_path
):
    level = 1.0 if kind == "exact" else 0.95
    interval = {"lower": lower, "upper": upper, "level": level, "kind": kind, "method": "a method"}
    parts = {
        "measured": measured,
        "interval": interval,
        "bound": BOUND,
        "plan__values__bound": BOUND,
    }
    for name, found in printed(changed(theorem, **parts, verdict=verdict), tmp_path).items():
        assert min(found) >= BOUND, name
        assert max(found) < 0.05, name
        if verdict == "violated":
            # The bound, and above it what was measured.
            assert sorted(found)[0] < measured <= max(found) + 1e-9, name
            assert len(found) > 1, name


@pytest.mark.full
@pytest.mark.parametrize("verdict, shown", [("hypothesis-failed", False), ("violated", True)])
def test_a_formula_below_0_is_a_bound_where_the_hypotheses_held_alone(
    theorem, tmp_path, verdict, shown
):
    """What a step too long makes of the formula is no bound; where the theorem holds, it is what
    the run broke."""
    broken = changed(theorem, verdict=verdict, bound=-0.4, measured=0.1)
    assert (broken.bound is not None) == shown
    assert (broken.ratio is not None) == shown
    _, made = commands_of(Material([broken]), Numbers())[0]
    assert ("bound" in made) == shown
    assert ("ratio" in made) == shown
    page, *_ = _write([broken], tmp_path)
    assert ("-0.4" in page.read_text().replace("−", "-")) == shown
