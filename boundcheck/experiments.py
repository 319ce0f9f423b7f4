"""Which layer runs a spec: one with a table [model] is about a network, one with [problem] about a matrix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import boundcheck.measure as matrices
from boundcheck.progress import Tick, silent

if TYPE_CHECKING:
    from boundcheck.measure.spec import Spec
    from boundcheck.models.spec import ModelSpec


def measure(
    spec: Spec | ModelSpec | list[Spec] | list[ModelSpec] | dict[str, Any] | str | Path,
    runs: str | Path = "runs",
    device: str = "cpu",
    tick: Tick = silent,
    jobs: int = 1,
) -> list[dict[str, Any]]:
    """Run the experiments of a spec and say what each shows.

    Args:
        spec: a `Spec` or `ModelSpec`, several of one kind, the same as a dictionary, or the path of a TOML file; lists
            in it make a sweep.
        runs: where the run folders are kept; a run that is already there is read and not repeated.
        device: a torch device, ``cpu`` or ``cuda``.
        tick: told of progress.
        jobs: how many experiments to run at a time, each in a process and with its share of the processor's threads.

    Returns:
        For each experiment its result, with the keys run_id, claim, verdict, reason, measured, bound, interval, audit.

    Raises:
        InputError: for a bad spec or device, before anything is run.

    """
    # Deferred: torch takes a second to import, and `import boundcheck` should not.
    from boundcheck.measure.pool import measure_each
    from boundcheck.measure.spec import combinations, read, validated
    from boundcheck.models import experiment
    from boundcheck.models.spec import ModelSpec

    given: Any = read(Path(spec)) if isinstance(spec, str | Path) else spec
    if isinstance(given, dict) and "model" in given:
        given = [validated(ModelSpec, table) for table in combinations(given)]
    if isinstance(given, ModelSpec):
        given = [given]
    if not (isinstance(given, list) and given and isinstance(given[0], ModelSpec)):
        return matrices.measure(given, runs, device, tick, jobs)
    return measure_each(given, experiment.prepare, experiment.measure_one, Path(runs), device, tick, jobs)
