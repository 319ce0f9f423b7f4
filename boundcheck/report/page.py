"""From stored runs to one self-contained HTML page, with its figures as files for a paper beside it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from boundcheck.claims import Claim, catalogue
from boundcheck.errors import InputError
from boundcheck.falsify.show import rounded_down
from boundcheck.files import file_name, replace_file
from boundcheck.measure.coverage import STUDENT_ON_SKEWED
from boundcheck.measure.grounds import verdict_of
from boundcheck.measure.store import finished
from boundcheck.problems.adapters import ADAPTERS
from boundcheck.prove import ProofAudit
from boundcheck.report.descent import descent_figure, theorem_figure, theorem_rows
from boundcheck.report.gradient import gradient_figure
from boundcheck.report.proofs import shown_proofs
from boundcheck.report.smoothness import adapter_figures, bracket_figure, ends
from boundcheck.report.statistics import coverage_figure, coverage_rows, power_figure
from boundcheck.report.stored import StoredRun
from boundcheck.report.study import Study
from boundcheck.report.style import pdf, svg
from boundcheck.report.sweeps import horizon_figure, horizon_slopes, rank_exponents, rank_figure
from boundcheck.report.tightness import Search, Waterfall, search_figure, slack_figure, split_figure
from boundcheck.report.words import badge, label, mathml, number, rank_exponent, takes_c, titled
from boundcheck.report.worst import worst_figure


@dataclass(frozen=True)
class Finding:
    """A row of the referee's table: its number in the audit of the paper, where, the verdict, and the evidence.

    Attributes:
        summary: the evidence in a sentence, where it is longer than that.

    """

    number: int
    locator: str
    verdict: str
    evidence: str
    summary: str = ""


def load_runs(folders: list[Path]) -> list[StoredRun]:
    """Finished runs from their folders; raises InputError for one that holds none, or whose verdict is none."""
    stored = map(finished, folders)
    # In today's words, whatever the version that stored it.
    return [StoredRun(result | {"verdict": verdict_of(result)}, trace) for result, trace in stored]


# Rows of a table of verdicts before it is folded.
_MOST_ROWS = 12


@dataclass(frozen=True)
class Contents:
    """What a page shows; all but the runs may be missing.

    Attributes:
        runs: what was measured.
        findings: what measurement says of rows of the referee's table.
        proofs: what the proofs say.
        searches: what the adversary found.
        waterfalls: chains of Lemma 1 to draw before those of the runs.
        study: how often the intervals of the verdicts miss, how many replicas they need, and exact worst cases.
        faults: what was made wrong on purpose, in words, and the run that shows it.

    """

    runs: list[StoredRun]
    findings: list[Finding] = field(default_factory=list)
    proofs: ProofAudit | None = None
    searches: list[Search] = field(default_factory=list)
    waterfalls: list[Waterfall] = field(default_factory=list)
    study: Study = field(default_factory=Study)
    faults: list[tuple[str, StoredRun]] = field(default_factory=list)

    def figures(self) -> dict[str, Figure]:
        """Every figure that there is something to draw in, by the name of its file."""
        runs, study = self.runs, self.study
        drawn: dict[str, Figure | None] = {
            "gradient_norm": gradient_figure(runs),
            "smoothness": bracket_figure(runs),
            **{f"adapters_{_slug(name)}": figure for name, figure in adapter_figures(runs).items()},
            # Those that are drawn first belong to claims, and have a figure of what each search of them found.
            "falsification": search_figure([each for each in self.searches if each["drawn"]]),
            "slack": slack_figure([*self.waterfalls, *_waterfalls(runs)]),
            "curvature_split": split_figure(runs),
            "rank": rank_figure(runs),
            "horizon": horizon_figure(runs),
            "theorems": theorem_figure(runs),
            "descent": descent_figure(runs),
            "worst_cases": worst_figure(study.worst_cases, runs),
            "coverage": coverage_figure(study.coverage),
            "power": power_figure(study.power),
        }
        return {name: figure for name, figure in drawn.items() if figure is not None}


def write_page(contents: Contents, page: Path, title: str, lead: str, command: str) -> list[Path]:
    """Write the page and, beside it, each figure as SVG and PDF, all results and the adversary's instances as JSON.

    Args:
        contents: what it shows.
        page: the file.
        title: the page's.
        lead: its first paragraph.
        command: what makes it again.

    Returns:
        The files written, the page first.

    Raises:
        InputError: where the folder cannot be written.

    """
    drawn = contents.figures()
    # Drawn once: a second rendering of a figure would count on in its ids.
    svgs = {name: svg(figure) for name, figure in drawn.items()}
    files: dict[Path, bytes] = {
        page: _html(contents, title, lead, command, svgs).encode(),
        page.with_name("results.json"): json_bytes(
            [run.result for run in (*contents.runs, *(run for _, run in contents.faults))]
        ),
    }
    if contents.study.is_new:
        files[page.with_name("statistics.json")] = json_bytes(contents.study.as_json())
    for name, figure in drawn.items():
        files[page.with_name(f"{name}.svg")] = svgs[name].encode()
        files[page.with_name(f"{name}.pdf")] = pdf(figure)
    for search in contents.searches:
        files[page.parent / search["file"]] = (json.dumps(search["instance"], indent=1) + "\n").encode()
    return write_files(files)


def write_files(files: Mapping[Path, bytes]) -> list[Path]:
    """Write the files of a page, each whole; raises InputError where its folder cannot be written."""
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, content)
    except OSError as error:
        folder = next(iter(files)).parent
        raise InputError("out", folder, f"a folder that can be written ({error.strerror})") from None
    return list(files)


def export_data(runs: list[StoredRun], folder: Path) -> list[Path]:
    """Each run's trace as netCDF and as CSV, for other tools."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for run in runs:
        name = folder / file_name(str(run.result["run_id"]))
        run.trace.to_netcdf(name.with_suffix(".nc"), engine="scipy")
        written.append(name.with_suffix(".nc"))
        for dims in dict.fromkeys(x.dims for x in run.trace.data_vars.values()):
            names = [key for key, x in run.trace.data_vars.items() if x.dims == dims]
            path = name.with_name(f"{name.name}.{'-'.join(map(str, dims))}.csv")
            run.trace[names].to_dataframe().to_csv(path)
            written.append(path)
    return written


def _html(contents: Contents, title: str, lead: str, command: str, svgs: dict[str, str]) -> str:
    environment = Environment(
        loader=PackageLoader("boundcheck.report", "."), autoescape=True, undefined=StrictUndefined
    )
    words = {"label": label, "number": number, "mathml": mathml, "rounded_down": rounded_down, "titled": titled}
    environment.globals |= words | {"badge": badge}
    runs, proofs, study = contents.runs, contents.proofs, contents.study
    theorems = [run for run in runs if run.is_theorem]
    # Of many runs those come first whose T is as long as it takes the bound to say something.
    chosen = [run for run in theorems if run.result["spec"]["run"]["steps"] == "informative"]
    shown = (chosen or theorems[:_MOST_ROWS]) if len(theorems) > _MOST_ROWS else theorems
    horizons = [run for run in shown if run.result["horizons"]]
    return environment.get_template("page.html.j2").render(
        title=title,
        lead=lead,
        command=command,
        findings=contents.findings,
        rows=proofs.rows if proofs else (),
        proofs=shown_proofs(proofs) if proofs else [],
        standard_facts=proofs.as_json()["standard_facts"] if proofs else {},
        theorems=theorems,
        shown=shown,
        folded=[run for run in theorems if all(run is not each for each in shown)],
        brackets=[run for run in runs if not run.is_theorem],
        adapters=ADAPTERS,
        ends=ends,
        searches=contents.searches,
        svgs={name: Markup(text) for name, text in svgs.items()},
        adapter_svgs=[Markup(text) for name, text in svgs.items() if name.startswith("adapters_")],
        horizons=horizons,
        horizon_claims=[(each["claim"], each["lipschitz"]) for each in horizons[0].result["horizons"]]
        if horizons
        else [],
        rank_rows=rank_exponents(runs),
        horizon_rows=horizon_slopes(runs),
        theorem_rows=theorem_rows(runs),
        worst_cases=study.worst_cases,
        faults=contents.faults,
        coverage_rows=coverage_rows(study.coverage),
        coverage=study.coverage,
        skewed=STUDENT_ON_SKEWED,
        power=study.power,
        study=study,
        exponents=_exponents(runs),
        claims=_claims(runs),
        environment=runs[0].result["environment"] if runs else {},
    )


def _slug(name: str) -> str:
    return "_".join("".join(c if c.isascii() and c.isalnum() else " " for c in name.lower()).split())


def _waterfalls(runs: list[StoredRun]) -> list[Waterfall]:
    """The chains of the bracket of highest rank of each problem, at its steepest sampled pair."""
    best: dict[str, StoredRun] = {}
    for run in runs:
        held = best.get(run.problem)
        if run.result.get("slack") and (held is None or (run.rank or 0) > (held.rank or 0)):
            best[run.problem] = run
    return [(f"{name}, rank {run.rank}", run.result["slack"]) for name, run in best.items()]


def _claims(runs: list[StoredRun]) -> list[Claim]:
    """Every claim that the page speaks of, in the catalogue's order."""
    named = {run.result["claim"] for run in runs}
    named |= {end["claim"] for run in runs for end in run.result["upper"]}
    named |= {each["claim"] for run in runs for each in run.result.get("horizons", [])}
    return [claim for claim in catalogue.values() if claim.id in named]


def _exponents(runs: list[StoredRun]) -> list[dict[str, str]]:
    rows = []
    for claim in _claims(runs):
        if "bound" not in claim.names:
            continue
        choices = (("a constant free of r", None), ("σ", "sigma"), ("√r σ", "sqrt(r) sigma"))
        for words, lipschitz in choices if takes_c(claim) else (("–", None),):
            rows.append({"title": claim.title, "lipschitz": words, "exponent": str(rank_exponent(claim, lipschitz))})
    return rows


def json_bytes(value: Any) -> bytes:
    """A file of plain data, the same bytes for the same data."""
    return (json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()
