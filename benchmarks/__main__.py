"""Measures all benchmarks or chosen ones, each in a process of its own, and writes the page: `make
bench`.

python -m benchmarks                              every line, on the screen alone
python -m benchmarks ensemble networks.lanczos    those of a file, or one
python -m benchmarks --short                      without those that take over half a minute
python -m benchmarks --quick                      two turns of a tenth of the work: does it run?
python -m benchmarks --out reports/benchmarks     and a page with figures, and results.json
python -m benchmarks sweeps.dask --out reports/benchmarks    one line anew on a page that stands
python -m benchmarks --page reports/benchmarks    the page again from its results.json
"""

import os
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from pydantic import TypeAdapter

from benchmarks.alone import found
from benchmarks.line import FULL, QUICK, Benchmark, Effort, Line
from benchmarks.machine import machine, versions
from benchmarks.page import value_and_limit, write
from benchmarks.results import Results
from boundcheck.errors import InputError
from boundcheck.system.ending import Stopped, stoppable

# Seconds that one benchmark may take.
LONGEST = 600.0
_LEFT_OUT = "It takes over half a minute, and was left out by --short."


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Files or lines; default: all.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Two turns of a tenth of the work.")
    ] = False,
    short: Annotated[
        bool, typer.Option("--short", help="Leave out what takes over half a minute.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder of the page and results.json.")] = None,
    page: Annotated[
        Path | None, typer.Option(help="Make the page in this folder again, and measure nothing.")
    ] = None,
) -> None:
    """Measure speed against peers and limits."""
    if page is not None:
        write(Results.read(page / "results.json"), page)
        return
    chosen, effort, began = _chosen(names or []), QUICK if quick else FULL, perf_counter()
    # Before anything is measured: the load that it finds is not its own.
    made, here = datetime.now(UTC).date().isoformat(), machine() if out is not None else {}
    lines = []
    for benchmark in chosen:
        typer.echo(f"{benchmark.name} …", err=True)
        lines.append(
            benchmark.line(None, _LEFT_OUT)
            if short and benchmark.is_long
            else _line(benchmark, effort)
        )
        typer.echo(_in_words(lines[-1]))
    if out is not None:
        minutes = round((perf_counter() - began) / 60, 1)
        results = Results(made, minutes, effort, here, versions(), tuple(lines))
        if names and (out / "results.json").exists():
            results = Results.read(out / "results.json").renewed(results)
        typer.echo(f"{write(results, out)[0]}")


def _chosen(names: list[str]) -> list[Benchmark]:
    every = found()
    for name in names:
        if not any(name in (each, each.split(".")[0]) for each in every):
            raise InputError("name", name, f"one of {', '.join(every)}, or what is before its dot")
    return [
        x for name, x in every.items() if not names or name in names or name.split(".")[0] in names
    ]


def _line(benchmark: Benchmark, effort: Effort) -> Line:
    """Measure in a fresh process; of one that is killed or takes too long, the line says so."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "line.json"
        arguments = [benchmark.name, f"{effort.turns}", f"{effort.share}", f"{file}"]
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.alone", *arguments],
            # As the command line of boundcheck does it.
            env={"OMP_WAIT_POLICY": "passive"} | os.environ,
            # A group of its own, so that what it has started ends with it.
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                process.wait(LONGEST)
            except subprocess.TimeoutExpired:
                return benchmark.line(None, f"It was stopped after {LONGEST:g} s.")
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
        if process.returncode:
            return benchmark.line(None, f"Its process ended with exit code {process.returncode}.")
        return TypeAdapter(Line).validate_json(file.read_bytes())


def _in_words(line: Line) -> str:
    if line.found is None:
        return f"{line.verdict:12}  {line.name}: {line.failed}"
    found = f"{value_and_limit(line)}. {' '.join(line.found.notes)}"
    return f"{line.verdict:12}  {line.name}: {found}".rstrip()


if __name__ == "__main__":
    try:
        with stoppable():
            typer.run(main)
    except Stopped as stopped:
        raise SystemExit(stopped.exit_code) from None
    except InputError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from None
