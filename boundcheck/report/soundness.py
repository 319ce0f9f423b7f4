"""The page on how often boundcheck is wrong: wrong verdicts, what was caught by which layer, and how fast."""

import csv
import io
from dataclasses import fields
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from boundcheck.report.page import json_bytes, write_files
from boundcheck.report.style import BLUE, GREY, VERMILLION, panels, pdf, svg
from boundcheck.report.words import number
from boundcheck.soundness.survey import LAYERS, Survey
from boundcheck.soundness.trial import Trial, as_json

_ASKED = {
    "proof": "a changed line of a proof, or a changed claim with its whole script",
    "reading": "a script, claim, witness, file or page that would mislead, and letters renamed or given another role",
    "input": "a malformed spec, number, claim, instance, run, text or model's folder",
    "falsification": "a changed claim about an adapter's smoothness",
    "measurement": "a run with a planted fault",
}
# Shown of each list of trials.
_MOST_ROWS = 12


def write_soundness(found: Survey, folder: Path, command: str) -> list[Path]:
    """Write the page, its figure as SVG and PDF, the figures as results.json and every trial as trials.csv.

    Returns:
        The files written, the page first.

    Raises:
        InputError: where the folder cannot be written.

    """
    numbers = found.as_json()
    figure = _figure(numbers["kinds"])
    drawn = svg(figure)
    return write_files(
        {
            folder / "index.html": _html(found, numbers, drawn, command).encode(),
            folder / "results.json": json_bytes(numbers),
            folder / "trials.csv": _csv(found.trials).encode(),
            folder / "soundness.svg": drawn.encode(),
            folder / "soundness.pdf": pdf(figure),
        }
    )


def _html(found: Survey, numbers: dict[str, Any], drawn: str, command: str) -> str:
    environment = Environment(
        loader=PackageLoader("boundcheck.report", "."), autoescape=True, undefined=StrictUndefined
    )
    missed = [trial for trial in found.trials if not trial.true and not trial.caught]
    unproved = [trial for trial in found.of("proof", True) if trial.outcome == "not proved"]
    return environment.get_template("soundness.html.j2").render(
        title="boundcheck, checked: how often its verdicts are wrong",
        number=number,
        numbers=numbers,
        layers=LAYERS,
        asked=_ASKED,
        wrong=found.wrong,
        missed=missed,
        unproved=unproved,
        most=_MOST_ROWS,
        figure=Markup(drawn),
        command=command,
    )


def _figure(kinds: list[dict[str, Any]]) -> Figure:
    """For each kind of change the time to catch it, a panel for each layer, and how many of how many were caught."""
    times = [x for row in kinds for x in row["seconds"].values()] or [1.0]
    limits = min(times) / 1.5, max(times) * 1.5
    items = [(limits, [row for row in kinds if row["layer"] == layer]) for layer in LAYERS]
    return panels([item for item in items if item[1]], _draw, most=2, tall=2.5)


def _draw(axis: Axes, item: tuple[tuple[float, float], list[dict[str, Any]]]) -> None:
    limits, rows = item
    for y, row in enumerate(rows):
        if row["seconds"]:
            median, longest = row["seconds"]["median"], row["seconds"]["longest"]
            axis.plot([median, longest], [y, y], color=BLUE, lw=1, label="from the median to the longest")
            axis.plot(median, y, "o", color=BLUE, ms=4, label="median time to catch")
        whole = row["caught"] == row["tried"]
        axis.annotate(
            f"{row['caught']:,} of {row['tried']:,}",
            (1.02, y),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=7,
            color=GREY if whole else VERMILLION,
        )
    axis.set_xscale("log")
    axis.set_xlim(*limits)
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axis.set_yticks(range(len(rows)), [row["kind"] for row in rows])
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_xlabel("seconds")
    caught, tried = (sum(row[name] for row in rows) for name in ("caught", "tried"))
    axis.set_title(f"{rows[0]['layer']}: {caught:,} of {tried:,} caught", loc="left")


def _csv(trials: tuple[Trial, ...]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, [each.name for each in fields(Trial)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(as_json(trial) | {"seconds": f"{trial.seconds:.3f}"} for trial in trials)
    return out.getvalue()
