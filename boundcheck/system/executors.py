"""Engines that make independent calls: this process, others of this machine, a Dask cluster, jobs of Slurm."""

import logging
import os
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.util import Finalize
from pathlib import Path
from threading import Event, Thread
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit
from weakref import WeakSet, ref

from joblib import cpu_count
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.backend import resource_tracker as loky_tracker
from joblib.externals.loky.process_executor import BrokenProcessPool

from boundcheck.errors import InputError, raised
from boundcheck.system.child import end_with
from boundcheck.system.ending import unheard

Work = Callable[[], Any]
# Seconds for which processes wait for more work, as joblib's do, and for which a cluster may take to answer.
_IDLE, _ANSWERS = 300, 30
# Seconds between two looks at jobs.
_LOOKS = 0.5
# What tells of a connection that is lost, with tracebacks; whoever waits for results says so in one line.
_LOGGERS = ("distributed.client", "distributed.core", "distributed.comm", "distributed.batched", "distributed.utils")
_INSTALL = "an environment with Dask and submitit: pip install 'boundcheck[cluster]'"


class Engine(Protocol):
    """A maker of calls.

    Attributes:
        room: how many calls it is given at a time; None for all of them at once.
        again: how often a call is sent again whose process was lost.
        shares_fate: whether a process that is lost takes the calls of others with it, so that it is not known whose
            fault it was.

    """

    room: int | None
    again: int
    shares_fate: bool

    def submit(self, works: Sequence[Work]) -> list[Future[Any]]:
        """Have the calls made, in this order where not all can be made at once."""

    def proceed(self) -> None:
        """Do what only this process can do, before it waits."""

    def lost(self, error: BaseException) -> bool:
        """True if an error says that a process ended, and nothing about the call."""

    def close(self, unfinished: bool) -> None:
        """Let go of what was made; what is unfinished is cancelled."""


class Here:
    """An engine that makes one call after the other in this process, while somebody waits for results."""

    room: int | None = None
    again, shares_fate = 0, False

    def __init__(self) -> None:
        self._waiting: list[tuple[Future[Any], Work]] = []

    def submit(self, works: Sequence[Work]) -> list[Future[Any]]:
        made: list[tuple[Future[Any], Work]] = [(Future(), work) for work in works]
        self._waiting += made
        return [future for future, _ in made]

    def proceed(self) -> None:
        if self._waiting:
            future, work = self._waiting.pop(0)
            future.set_result(work())

    def lost(self, error: BaseException) -> bool:
        return False

    def close(self, unfinished: bool) -> None:
        self._waiting.clear()


class Processes:
    """Processes of this machine, which joblib's loky starts, and keeps for the next who asks."""

    again, shares_fate = 2, True

    def __init__(self, jobs: int) -> None:
        self.room: int | None = jobs
        self._jobs = jobs
        self._pool: Any = None

    def submit(self, works: Sequence[Work]) -> list[Future[Any]]:
        if self._pool is None:
            # Before interrupts are withheld, which they let through again.
            _start_trackers()
        with _interrupts_withheld():
            if self._pool is None:
                self._pool = self._made()
                _end_with_us(self._pool)
            return [self._pool.submit(work) for work in works]

    def _made(self) -> Any:
        # Each has its share of the cores, if it says nothing itself.
        share = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(max(cpu_count() // self._jobs, 1)))}
        ours = os.getpid()
        return get_reusable_executor(self._jobs, timeout=_IDLE, env=share, initializer=end_with, initargs=(ours,))

    def proceed(self) -> None:
        pass

    def lost(self, error: BaseException) -> bool:
        if not isinstance(error, BrokenProcessPool):
            return False
        self._pool = None
        return True

    def close(self, unfinished: bool) -> None:
        if self._pool is None:
            return
        # One that was killed is started again here, and not by loky when Python ends.
        _start_trackers()
        if unfinished:
            self._pool.shutdown(wait=True, kill_workers=True)


_POOLS: WeakSet[Any] = WeakSet()


def _end_with_us(pool: Any) -> None:
    """Let a pool end when this process does: multiprocessing's own end would wait until the processes time out."""
    if pool not in _POOLS:
        _POOLS.add(pool)
        # Before the queue through which they are told to end is closed, of priority 10.
        Finalize(None, _shut, (ref(pool),), exitpriority=100)


def _shut(pool: "ref[Any]") -> None:
    if (left := pool()) is not None:
        left.shutdown(wait=True)


def _start_trackers() -> None:
    """Start loky's and Python's trackers, if they do not run: they outlive this process, and remove its semaphores.

    Nobody can do anything about what they print on the semaphores of a process that was killed. A tracker that was
    killed itself is replaced by one that knows none of them, and prints a KeyError for each.
    """
    with unheard(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for each in (resource_tracker, loky_tracker):
            each.ensure_running()


@contextmanager
def _interrupts_withheld() -> Iterator[None]:
    """Keep Ctrl-C from processes that are started here: a terminal sends it to all, and this one has to end them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Dask:
    """The workers of a Dask cluster; Dask itself has the call of a worker that dies made by another, three times."""

    room: int | None = None
    again, shares_fate = 0, False

    def __init__(self, cluster: str, folder: Path) -> None:
        """Connect to the scheduler of ``dask://HOST:PORT``."""
        try:
            import distributed
        except ImportError:
            raise InputError("cluster", cluster, _INSTALL) from None
        library: Any = distributed
        self._muted = [logger for name in _LOGGERS if not (logger := logging.getLogger(name)).disabled]
        for each in self._muted:
            each.disabled = True
        self._killed = library.scheduler.KilledWorker
        try:
            self._client = library.Client(f"tcp://{urlsplit(cluster).netloc}", timeout=_ANSWERS, set_as_default=False)
        except (OSError, ValueError):
            expected = f"dask://HOST:PORT of a Dask scheduler, which answers within {_ANSWERS} seconds"
            raise InputError("cluster", cluster, expected) from None
        try:
            self._check_workers(cluster)
        except BaseException:
            self._client.close()
            raise
        self._pool = self._client.get_executor(pure=False)

    def _check_workers(self, cluster: str) -> None:
        try:
            self._client.wait_for_workers(1, timeout=_ANSWERS)
        except TimeoutError:
            raise InputError(
                "cluster", cluster, "a cluster with a worker: dask worker HOST:PORT --nthreads 1"
            ) from None
        try:
            self._client.run(_number, "1")
        except Exception as error:
            expected = f"workers that have this boundcheck, and not {raised(error)}"
            raise InputError("cluster", cluster, expected) from None
        for worker, threads in self._client.nthreads().items():
            if threads > 1:
                # Two experiments in one process would share its settings, and Python's lock.
                expected = f"workers that do one thing at a time (dask worker --nthreads 1); {worker} does {threads}"
                raise InputError("cluster", cluster, expected)

    def submit(self, works: Sequence[Work]) -> list[Future[Any]]:
        return [self._pool.submit(work) for work in works]

    def proceed(self) -> None:
        pass

    def lost(self, error: BaseException) -> bool:
        return isinstance(error, self._killed)

    def close(self, unfinished: bool) -> None:
        self._pool.shutdown(wait=not unfinished)
        self._client.close()
        for each in self._muted:
            each.disabled = False


class Slurm:
    """Jobs of Slurm, one a call, which submitit sends as one array."""

    room: int | None = None
    again, shares_fate = 2, False

    def __init__(self, cluster: str, folder: Path) -> None:
        """Take the options of ``slurm?NAME=VALUE&...``; jobs and their logs are files below a folder."""
        try:
            import submitit
        except ImportError:
            raise InputError("cluster", cluster, _INSTALL) from None
        options = dict(parse_qsl(urlsplit(cluster).query, keep_blank_values=True))
        name = options.pop("cluster", "slurm")
        shared = submitit.AutoExecutor._typed_parameters()
        given = {x if x in shared else f"slurm_{x}": _number(value) for x, value in options.items()}
        try:
            self._executor = submitit.AutoExecutor(folder / "%j", cluster=name)
            self._executor.update_parameters(name="boundcheck", **given)
        except (RuntimeError, ValueError, NameError, AssertionError, TypeError) as error:
            expected = f"slurm?NAME=VALUE&..., with options of submitit where Slurm is ({str(error).splitlines()[0]})"
            raise InputError("cluster", cluster, expected) from None
        self._uncompleted = submitit.core.utils.UncompletedJobError
        self._jobs: list[tuple[Any, Future[Any]]] = []
        self._closed = Event()
        self._watch = Thread(target=self._look, daemon=True)

    def submit(self, works: Sequence[Work]) -> list[Future[Any]]:
        with self._executor.batch():
            jobs = [self._executor.submit(work) for work in works]
        made: list[tuple[Any, Future[Any]]] = [(job, Future()) for job in jobs]
        self._jobs += made
        if not self._watch.ident:
            self._watch.start()
        return [future for _, future in made]

    def _look(self) -> None:
        while not self._closed.wait(_LOOKS):
            for job, future in [each for each in self._jobs if not each[1].done()]:
                if not job.done():
                    continue
                try:
                    future.set_result(job.result())
                except Exception as error:
                    future.set_exception(error)

    def proceed(self) -> None:
        pass

    def lost(self, error: BaseException) -> bool:
        return isinstance(error, self._uncompleted)

    def close(self, unfinished: bool) -> None:
        self._closed.set()
        for job, future in self._jobs:
            if unfinished and not future.done():
                job.cancel(check=False)


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


_CLUSTERS: dict[str, Callable[[str, Path], Engine]] = {"dask": Dask, "slurm": Slurm}


def engine_of(jobs: int, cluster: str | None = None, folder: Path = Path()) -> Engine:
    """The engine that makes calls: a cluster, or `jobs` processes of this machine.

    Args:
        jobs: how many calls are made at a time where there is no cluster; one needs no other process.
        cluster: ``dask://HOST:PORT``, or ``slurm?NAME=VALUE&...``.
        folder: where jobs of Slurm and their logs are kept, on a file system that all machines share.

    Raises:
        InputError: for a cluster of another form, and one that does not answer.

    """
    if cluster is None:
        return Processes(jobs) if jobs > 1 else Here()
    kind = cluster.split("?")[0].split("://")[0]
    if kind not in _CLUSTERS:
        raise InputError("cluster", cluster, "dask://HOST:PORT, or slurm?NAME=VALUE&...")
    return _CLUSTERS[kind](cluster, folder)
