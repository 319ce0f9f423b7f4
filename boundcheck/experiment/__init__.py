"""Observation: experiments from a spec, their audit against their own hypotheses, and their verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundcheck.system.limits import DAY, Tick, silent

if TYPE_CHECKING:
    from boundcheck.experiment.results import Results
    from boundcheck.experiment.spec import Given

__all__ = ["measure"]


def measure(
    spec: Given | list[Given],
    runs: str | Path = "runs",
    device: str = "cpu",
    tick: Tick = silent,
    jobs: int = 1,
    problem: Any = None,
    hours: float = DAY,
    memory: float | None = None,
    cluster: str | None = None,
    allow_code: Iterable[str | Path] = (),
) -> Results:
    """Run the experiments of a spec and say what each shows.

    Args:
        spec: a `Spec`, the same as a dictionary, the path of a TOML file, or a list of these; lists in it make a sweep.
        runs: where the run folders are kept; a run that is already there is read and not repeated.
        device: a torch device, ``cpu`` or ``cuda``.
        tick: told of progress.
        jobs: how many experiments to run at a time, each in a process. An experiment has the same bits whatever this
            is: a small problem is computed by one thread, others by as many as this process has (OMP_NUM_THREADS).
        problem: an objective of one's own in place of the spec's, a `boundcheck.Loss` say; or a function of W that
            gives the loss of each of its samples, W being of the shape (d, k) of the spec's table ``problem``.
        hours: the most that an experiment may take, at the pace that is seen in its first seconds.
        memory: GiB that all experiments of a time may take together; what is available if left out.
        cluster: where to run them in place of `jobs` processes: ``dask://HOST:PORT``, a scheduler's, whose workers do
            one thing at a time, or ``slurm?NAME=VALUE&...``, with options of submitit (``timeout_min``, ``mem_gb``) and
            of Slurm (``partition``, ``account``). All of its machines see the folder of the runs, at the same path, and
            have the same versions.
        allow_code: the files, and the folders, in which import paths of the spec may open code; in no others. What you
            give as an object needs none.

    Returns:
        A list of a `Result` for each experiment: run_id, claim, verdict, reason, measured, bound, interval, audit and
        more. `Results.to_frame` makes a frame of it, and `Results.to_xarray` a data set of the traces.

    Raises:
        InputError: before anything is run, for a bad spec or device, code that is not allowed, and a run that is there
            but not as it was left.
        CodeError: where code of your own, of a word, a problem or an adapter, does not run; it is an InputError.

    """
    # Deferred: torch takes a second to import, and `import boundcheck` should not.
    from boundcheck.experiment.pool import measure_each
    from boundcheck.experiment.results import Results
    from boundcheck.experiment.spec import specs_of
    from boundcheck.system.plugins import allowing, theirs

    with theirs(tick), allowing(*allow_code):
        found = measure_each(specs_of(spec, problem), Path(runs), device, tick, jobs, hours, memory, cluster)
    return Results(found, runs)
