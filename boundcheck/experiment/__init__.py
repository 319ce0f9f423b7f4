"""Observation: experiments from a spec, their audit against their own hypotheses, and their
verdicts.
"""

from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The view is what a notebook shows of a result.
from boundcheck.experiment import view as view
from boundcheck.experiment.experiment import measure_each
from boundcheck.experiment.result import Results
from boundcheck.experiment.spec import Given, specs_of
from boundcheck.system.limits import DAY, Tick, silent
from boundcheck.system.plugins import allowing, theirs

__all__ = ["Limits", "measure"]


@dataclass(frozen=True)
class Limits:
    """The most that experiments may take.

    Attributes:
        hours: of each experiment, at the pace that is seen in its first seconds.
        memory: GiB of all that run at a time together; what is available if left out.

    """

    hours: float = DAY
    memory: float | None = None


def measure(
    spec: Given | list[Given],
    runs: str | Path = "runs",
    *,
    device: str = "cpu",
    tick: Tick = silent,
    executor: int | str | Executor = 1,
    problem: Any = None,
    limits: Limits = Limits(),
    allow_code: Iterable[str | Path] = (),
) -> Results:
    """Run the experiments of a spec and say what each shows.

    Args:
        spec: a `Spec`, the same as a dictionary, the path of a TOML file, or a list of these; lists
            in it make a sweep.
        runs: where the run folders are kept; a run that is already there is read and not repeated.
        device: a torch device, ``cpu`` or ``cuda``.
        tick: told of progress.
        executor: who runs them: so many processes of this machine; any
            `concurrent.futures.Executor`, which you end yourself, and each process of which runs
            one experiment at a time; or a cluster, as ``dask://HOST:PORT``, a scheduler, or
            ``slurm?NAME=VALUE&...``, with options of submitit (``timeout_min``, ``mem_gb``) and of
            Slurm (``partition``, ``account``). All machines see the folder of the runs, at the same
            path, and have the same versions. An experiment has the same bits whoever runs it: a
            small problem is computed by one thread, others by as many as this process has
            (OMP_NUM_THREADS).
        problem: an objective of one's own in place of the spec's, a `boundcheck.Loss` say; or a
            function of W that gives the loss of each of its samples, W being of the shape (d, k) of
            the spec's table ``problem``. Where its code is in no file and no cell of a notebook,
            ``version`` there, or of the objective, is a text that you change with it.
        limits: the hours and the memory that they may take.
        allow_code: the files, and the folders, in which import paths of the spec may open code; in
            no others. What you give as an object needs none.

    Returns:
        A list of a `Result` for each experiment: run_id, claim, verdict, reason, measured, bound,
        interval, audit and more. `Results.to_frame` makes a frame of it, and `Results.to_xarray` a
        data set of the traces.

    Raises:
        InputError: before anything is run, for a bad spec or device, code that is not allowed, and
            a run that is there but not as it was left.
        CodeError: where code of your own, of a word, a problem or an adapter, does not run; it is
            an InputError.

    """
    with theirs(tick), allowing(*allow_code):
        found = measure_each(
            specs_of(spec, problem), Path(runs), device, tick, executor, limits.hours, limits.memory
        )
    return Results(found, runs)
