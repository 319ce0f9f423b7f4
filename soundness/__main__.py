"""Check the checker, and write a page: `make soundness`.

python -m soundness                          how often a verdict is wrong, by every mutant
python -m soundness --share 20 --jobs 2      by every twentieth, two at a time
python -m soundness --attacks --share 30     whether work is lost when commands are killed, or their
                                             disk is full

Exit code 1: a verdict was wrong, or work was lost. 2: bad usage, in one line.
"""

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from boundcheck.language.screen import show
from boundcheck.language.view import Table, line
from boundcheck.system.ending import in_one_line
from boundcheck.system.files import cache_folder
from boundcheck.system.terminal import STDOUT, print_json, progress
from soundness import survey
from soundness.page import sentence, write_survey

REPORTS = Path(__file__).parents[1] / "reports"


def main(
    attacks: Annotated[
        bool, typer.Option("--attacks", help="Attack commands instead: is work lost?")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the page; default: reports/soundness, or reports/reliability."
        ),
    ] = None,
    share: Annotated[
        int, typer.Option(help="Try every n-th only: 1 for all, 20 for a quick look.")
    ] = 1,
    jobs: Annotated[int, typer.Option(help="How many at a time, each in a process.")] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout.")
    ] = False,
) -> None:
    """Count the wrong verdicts on statements whose truth is known, or what is lost in attacks on
    commands.
    """
    command = " ".join(
        [
            "python -m soundness",
            *(["--attacks"] if attacks else []),
            *([f"--share {share}"] if share > 1 else []),
        ]
    )
    keep = cache_folder() / "soundness"
    with progress() as tick:
        found = (
            survey.reliability(share, jobs, tick)
            if attacks
            else survey.soundness(share, jobs, tick, keep)
        )
        tick("page", 0, 1)
        page = write_survey(
            found, out or REPORTS / ("reliability" if attacks else "soundness"), command
        )[0]
        shutil.rmtree(keep, ignore_errors=True)
    told = found.as_json()
    if as_json:
        print_json(told | {"report": str(page)})
    else:
        counts = _attacks(told) if attacks else _verdicts(told)
        wrong = [
            f"WRONG: {x.subject}, {x.change}: {x.outcome}, but {x.witness}" for x in found.wrong
        ]
        ending = [*wrong, *([] if attacks else [sentence(told)]), f"Report: {page}"]
        show(STDOUT, counts, *map(line, ending))
    if found.wrong:
        raise typer.Exit(1)


def _verdicts(told: dict[str, Any]) -> Table:
    rows = []
    for layer, x in told["layers"].items():
        false = x["false"]
        true = x["true"]
        numbers = (false["tried"], false["wrong"], false["caught"], true["tried"], true["wrong"])
        rows.append((layer, *map(str, numbers)))
    return Table(
        ("layer", "false, tried", "accepted", "caught", "true, tried", "refuted"), rows, most=None
    )


def _attacks(told: dict[str, Any]) -> Table:
    rows = [(x["kind"], str(x["tried"]), str(x["wrong"])) for x in told["kinds"]]
    return Table(("attack", "tried", "wrong"), rows, most=None)


if __name__ == "__main__":
    with in_one_line():
        typer.run(main)
