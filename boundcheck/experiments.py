"""Which layer runs a spec: one with a table [model] is about a network, one with [problem] about a matrix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import boundcheck.measure as matrices
from boundcheck.errors import InputError
from boundcheck.progress import Tick, silent

if TYPE_CHECKING:
    from boundcheck.measure.result import Result
    from boundcheck.measure.spec import Spec
    from boundcheck.models.spec import ModelSpec


def measure(
    spec: Spec | ModelSpec | list[Spec] | list[ModelSpec] | dict[str, Any] | str | Path,
    runs: str | Path = "runs",
    device: str = "cpu",
    tick: Tick = silent,
    jobs: int = 1,
) -> list[Result]:
    """Run the experiments of a spec and say what each shows.

    Args:
        spec: a `Spec` or `ModelSpec`, several of one kind, the same as a dictionary, or the path of a TOML file; lists
            in it make a sweep.
        runs: where the run folders are kept; a run that is already there is read and not repeated.
        device: a torch device, ``cpu`` or ``cuda``.
        tick: told of progress.
        jobs: how many experiments to run at a time, each in a process and with its share of the processor's threads.

    Returns:
        For each experiment its `Result`: run_id, claim, verdict, reason, measured, bound, interval, audit and more.

    Raises:
        InputError: for a bad spec or device, and a run that is there but not as it was left, before anything is run.

    """
    # Deferred: torch takes a second to import, and `import boundcheck` should not.
    from boundcheck.measure.pool import measure_each
    from boundcheck.models import experiment

    if networks := networks_of(spec):
        return measure_each(networks, experiment.prepare, experiment.measure_one, Path(runs), device, tick, jobs)
    # mypy does not see that what has no network in it is a spec of matrices.
    return matrices.measure(spec, runs, device, tick, jobs)  # type: ignore[arg-type]


def networks_of(spec: Any) -> list[ModelSpec]:
    """The experiments on networks that are given, in any of the forms that `measure` takes; none where it is of others.

    Raises:
        InputError: for an unreadable file or bad TOML, and for any field that is unknown, missing or out of range.

    """
    from boundcheck.measure.spec import read, validated
    from boundcheck.models.spec import ModelSpec
    from boundcheck.sweep import combinations

    given = read(Path(spec)) if isinstance(spec, str | Path) else spec
    if isinstance(given, dict):
        return [validated(ModelSpec, table) for table in combinations(given)] if "model" in given else []
    every = given if isinstance(given, list) else [given]
    networks = [each for each in every if isinstance(each, ModelSpec)]
    if networks and len(networks) < len(every):
        raise InputError("spec", f"{len(networks)} of {len(every)} on networks", "experiments of one kind")
    return networks
