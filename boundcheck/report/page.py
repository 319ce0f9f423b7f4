"""From stored runs to one self-contained HTML page, with its figures as files for a paper beside it."""

import json
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from boundcheck.claims import Claim, catalogue
from boundcheck.errors import InputError
from boundcheck.falsify.show import rounded_down
from boundcheck.files import replace_file
from boundcheck.measure.store import RunFolder
from boundcheck.problems.adapters import ADAPTERS
from boundcheck.prove import ProofAudit
from boundcheck.report.gradient import gradient_figure
from boundcheck.report.proofs import shown_proofs
from boundcheck.report.smoothness import adapter_figures, bracket_figure, ends
from boundcheck.report.stored import StoredRun
from boundcheck.report.style import pdf, svg
from boundcheck.report.tightness import Search, Waterfall, search_figure, slack_figure, split_figure
from boundcheck.report.words import label, mathml, number, rank_exponent, takes_c


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
    """Finished runs from their folders; raises InputError for a folder that holds none."""
    found = []
    for path in folders:
        folder = RunFolder.open(path)
        result = folder.result()
        if result is not None:
            found.append(StoredRun(result, folder.trace()))
    return found


def write_page(
    runs: list[StoredRun],
    page: Path,
    title: str,
    lead: str,
    command: str,
    findings: list[Finding] | None = None,
    proofs: ProofAudit | None = None,
    searches: list[Search] | None = None,
    waterfalls: list[Waterfall] | None = None,
) -> list[Path]:
    """Write the page and, beside it, each figure as SVG and PDF, all results and the adversary's instances as JSON.

    Args:
        runs: what was measured.
        page: the file.
        title: the page's.
        lead: its first paragraph.
        command: what makes it again.
        findings: what measurement says of rows of the referee's table.
        proofs: what the proofs say.
        searches: what the adversary found.
        waterfalls: chains of Lemma 1 to draw before those of the runs.

    Returns:
        The files written, the page first.

    Raises:
        InputError: where the folder cannot be written.

    """
    figures: dict[str, Figure | None] = {"gradient_norm": gradient_figure(runs), "smoothness": bracket_figure(runs)}
    adapters = adapter_figures(runs)
    figures |= {f"adapters_{_slug(name)}": figure for name, figure in adapters.items()}
    # Those that are drawn first belong to claims, and have a figure of what each search of them found.
    figures |= {
        "falsification": search_figure([each for each in searches or [] if each["drawn"]]),
        "slack": slack_figure([*(waterfalls or []), *_waterfalls(runs)]),
        "curvature_split": split_figure(runs),
    }
    drawn = {name: figure for name, figure in figures.items() if figure is not None}
    # Drawn once: a second rendering of a figure would count on in its ids.
    svgs = {name: svg(figure) for name, figure in drawn.items()}
    content: dict[Path, bytes] = {
        page: _html(runs, title, lead, command, findings or [], proofs, searches or [], svgs).encode(),
        page.with_name("results.json"): _results(runs).encode(),
    }
    for name, figure in drawn.items():
        content[page.with_name(f"{name}.svg")] = svgs[name].encode()
        content[page.with_name(f"{name}.pdf")] = pdf(figure)
    for search in searches or []:
        content[page.parent / search["file"]] = (json.dumps(search["instance"], indent=1) + "\n").encode()
    try:
        for path, data in content.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, data)
    except OSError as error:
        raise InputError("out", page.parent, f"a folder that can be written ({error.strerror})") from None
    return list(content)


def export_data(runs: list[StoredRun], folder: Path) -> list[Path]:
    """Each run's trace as netCDF and as CSV, for other tools."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for run in runs:
        name = folder / run.result["run_id"]
        run.trace.to_netcdf(name.with_suffix(".nc"), engine="scipy")
        written.append(name.with_suffix(".nc"))
        for dims in dict.fromkeys(x.dims for x in run.trace.data_vars.values()):
            names = [key for key, x in run.trace.data_vars.items() if x.dims == dims]
            path = name.with_name(f"{name.name}.{'-'.join(map(str, dims))}.csv")
            run.trace[names].to_dataframe().to_csv(path)
            written.append(path)
    return written


def _html(
    runs: list[StoredRun],
    title: str,
    lead: str,
    command: str,
    findings: list[Finding],
    proofs: ProofAudit | None,
    searches: list[Search],
    svgs: dict[str, str],
) -> str:
    environment = Environment(
        loader=PackageLoader("boundcheck.report", "."), autoescape=True, undefined=StrictUndefined
    )
    words = {"label": label, "number": number, "mathml": mathml, "rounded_down": rounded_down}
    environment.globals |= words | {"badge": _badge}
    theorems = [run for run in runs if run.is_theorem]
    horizons = theorems[0].result["horizons"] if theorems else []
    return environment.get_template("page.html.j2").render(
        title=title,
        lead=lead,
        command=command,
        findings=findings,
        rows=proofs.rows if proofs else (),
        proofs=shown_proofs(proofs) if proofs else [],
        standard_facts=proofs.as_json()["standard_facts"] if proofs else {},
        theorems=theorems,
        brackets=[run for run in runs if not run.is_theorem],
        adapters=ADAPTERS,
        ends=ends,
        searches=searches,
        svgs={name: Markup(text) for name, text in svgs.items()},
        adapter_svgs=[Markup(text) for name, text in svgs.items() if name.startswith("adapters_")],
        horizon_claims=[(each["claim"], each["lipschitz"]) for each in horizons],
        exponents=_exponents(runs),
        claims=_claims(runs),
        environment=runs[0].result["environment"] if runs else {},
    )


def _badge(verdict: str) -> Markup:
    # The class is the verdict's first word; "not violated" is no violation.
    return Markup('<span class="badge {1}">{0}</span>').format(verdict, verdict.split()[0])


def _slug(name: str) -> str:
    return "_".join("".join(c if c.isalnum() else " " for c in name.lower()).split())


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


def _results(runs: list[StoredRun]) -> str:
    return json.dumps([run.result for run in runs], indent=1, sort_keys=True, allow_nan=False) + "\n"
