"""One benchmark in this process: what `python -m benchmarks` starts for each, so that none can end
another.

python -m benchmarks.alone NAME TURNS SHARE FILE
"""

import importlib
import importlib.util
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import benchmarks
from benchmarks.line import Benchmark, Effort, Line
from boundcheck.system.child import end_with


def found() -> dict[str, Benchmark]:
    """Every benchmark by name: those that a file of this folder lists as its ``BENCHMARKS``."""
    names = [
        each.name for each in pkgutil.iter_modules(benchmarks.__path__) if each.name != "__main__"
    ]
    files = [importlib.import_module(f"benchmarks.{name}") for name in names]
    return {each.name: each for file in files for each in getattr(file, "BENCHMARKS", ())}


def measured(benchmark: Benchmark, effort: Effort) -> Line:
    """Its line, whatever happens."""
    missing = [name for name in benchmark.needs if importlib.util.find_spec(name) is None]
    if missing:
        return benchmark.line(
            None, f"{', '.join(missing)} is not installed here; the extra bench has it."
        )
    try:
        return benchmark.line(benchmark.measure(effort))
    except subprocess.CalledProcessError as error:
        words = (error.stderr or b"").decode(errors="replace").strip().splitlines()
        return benchmark.line(
            None,
            f"The command ended with exit code {error.returncode}: {words[-1] if words else ''}",
        )
    except Exception as error:
        # Any: a peer of whatever kind may fail in whatever way, and its line says so.
        first = (str(error).strip().splitlines() or [""])[0]
        return benchmark.line(None, f"It failed here: {type(error).__name__}: {first}")


def main(name: str, turns: str, share: str, file: str) -> None:
    from pydantic import TypeAdapter

    end_with(os.getppid())
    line = measured(found()[name], Effort(int(turns), float(share)))
    Path(file).write_bytes(TypeAdapter(Line).dump_json(line))


if __name__ == "__main__":
    main(*sys.argv[1:])
