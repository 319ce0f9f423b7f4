"""Independent calls, made by this process, others of this machine, a Dask cluster or jobs of Slurm; none is lost."""

import logging
import os
import signal
import time
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.util import Finalize
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit
from weakref import WeakSet, ref

from joblib import cpu_count
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.backend import resource_tracker as loky_tracker
from joblib.externals.loky.process_executor import BrokenProcessPool

from boundcheck.errors import BoundcheckError, InputError, raised
from boundcheck.system.child import end_with
from boundcheck.system.ending import unheard
from boundcheck.system.limits import Tick

Work = Callable[[], Any]
# Seconds for which processes wait for more work, as joblib's do, and for which a cluster may take to answer.
_IDLE, _ANSWERS = 300, 30
# Seconds between two looks at jobs of Slurm, and at how far calls are.
_JOB_LOOKS, _LOOKS = 0.5, 1.0
# Variables that say something to boundcheck.
_OURS = "BOUNDCHECK_"
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

    room: int | None = None
    again: int = 0
    shares_fate: bool = False

    def submit(self, works: Sequence[Work]) -> list[Future[Any]]:
        """Have the calls made, in this order where not all can be made at once."""

    def proceed(self) -> None:
        """Do what only this process can do, before it waits."""
        return

    def lost(self, error: BaseException) -> bool:
        """True if an error says that a process ended, and nothing about the call."""
        return False

    def close(self, unfinished: bool) -> None:
        """Let go of what was made; what is unfinished is cancelled."""


class Here(Engine):
    """An engine that makes one call after the other in this process, while somebody waits for results."""

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

    def close(self, unfinished: bool) -> None:
        self._waiting.clear()


class Processes(Engine):
    """Processes of this machine, which joblib's loky starts, and keeps for the next who asks."""

    again, shares_fate = 2, True

    def __init__(self, jobs: int) -> None:
        self.room = jobs
        self._jobs = jobs
        self._pool: Any = None

    def submit(self, works: Sequence[Work]) -> list[Future[Any]]:
        if self._pool is None:
            # Before interrupts are withheld, which they let through again.
            _start_trackers()
        # A terminal sends Ctrl-C to all processes, and this one has to end those that are started here.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            if self._pool is None:
                # Each has its share of the cores, if it says nothing itself.
                share = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(max(cpu_count() // self._jobs, 1)))}
                self._pool = get_reusable_executor(
                    self._jobs, timeout=_IDLE, env=share, initializer=end_with, initargs=(os.getpid(),)
                )
                if self._pool not in _POOLS:
                    _POOLS.add(self._pool)
                    # Before the queue through which they are told to end is closed, of priority 10. Multiprocessing's
                    # own end would wait until the processes time out.
                    Finalize(None, _shut, (ref(self._pool),), exitpriority=100)
            return [self._pool.submit(work) for work in works]
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

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


class Dask(Engine):
    """The workers of a Dask cluster; Dask itself has the call of a worker that dies made by another, three times."""

    def __init__(self, cluster: str) -> None:
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
            try:
                self._client.wait_for_workers(1, timeout=_ANSWERS)
            except TimeoutError:
                expected = "a cluster with a worker: dask worker HOST:PORT --nthreads 1"
                raise InputError("cluster", cluster, expected) from None
            try:
                self._client.run(_number, "1")
            except Exception as error:
                expected = f"workers that have this boundcheck, and not {raised(error)}"
                raise InputError("cluster", cluster, expected) from None
            for worker, threads in self._client.nthreads().items():
                if threads > 1:
                    # Two experiments in one process would share its settings, and Python's lock.
                    expected = (
                        f"workers that do one thing at a time (dask worker --nthreads 1); {worker} does {threads}"
                    )
                    raise InputError("cluster", cluster, expected)
        except BaseException:
            self._client.close()
            raise
        self._pool = self._client.get_executor(pure=False)

    def submit(self, works: Sequence[Work]) -> list[Future[Any]]:
        return [self._pool.submit(work) for work in works]

    def lost(self, error: BaseException) -> bool:
        return isinstance(error, self._killed)

    def close(self, unfinished: bool) -> None:
        self._pool.shutdown(wait=not unfinished)
        self._client.close()
        for each in self._muted:
            each.disabled = False


class Slurm(Engine):
    """Jobs of Slurm, one a call, which submitit sends as one array."""

    again = 2

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
        while not self._closed.wait(_JOB_LOOKS):
            for job, future in [each for each in self._jobs if not each[1].done()]:
                if not job.done():
                    continue
                try:
                    future.set_result(job.result())
                except Exception as error:
                    future.set_exception(error)

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
    match cluster.split("?")[0].split("://")[0]:
        case "dask":
            return Dask(cluster)
        case "slurm":
            return Slurm(cluster, folder)
    raise InputError("cluster", cluster, "dask://HOST:PORT, or slurm?NAME=VALUE&...")


@dataclass(frozen=True)
class Call:
    """A call that any process can make.

    Attributes:
        name: what progress says when it is finished.
        function, arguments: both can be pickled.
        seconds: about how long it takes on one core.
        done: how much of it is done, from 0 to 1, while it is under way.

    """

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    seconds: float = 1.0
    done: Callable[[], float] = lambda: 0.0


@dataclass(frozen=True)
class _Work:
    """The part of a call that an engine is sent."""

    settings: dict[str, str]
    function: Callable[..., Any]
    arguments: tuple[Any, ...]

    def __call__(self) -> Any:
        """Make the call; return its result, or a boundcheck error, as not every engine brings back a raised one."""
        # A process that has worked before has the variables of that time.
        os.environ.update(self.settings)
        try:
            return self.function(*self.arguments)
        except BoundcheckError as error:
            return error


class Running:
    """Calls that an engine works on, from the moment that this is made until it is left."""

    def __init__(self, calls: Sequence[Call], engine: Engine, tick: Tick) -> None:
        """Start the calls; `tick` is told of the seconds that those finished were to take."""
        self._calls, self._engine, self._tick = calls, engine, tick
        # A long call that is begun last would be waited for alone.
        self._waiting = deque(sorted(range(len(calls)), key=lambda i: -calls[i].seconds))
        self._flying: set[int] = set()
        self._losses = [0] * len(calls)
        self._ended: SimpleQueue[tuple[int, Future[Any]]] = SimpleQueue()
        self._lock, self._found = Lock(), dict[int, Any]()
        self._total, self._done = sum(call.seconds for call in calls), 0.0
        self._parts, self._looked = dict[int, float](), time.monotonic()
        self._send()

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        """Cancel what is unfinished."""
        with self._lock:
            self._waiting.clear()
        self._engine.close(unfinished=len(self._found) < len(self._calls))

    def results(self) -> list[Any]:
        """The result of each call, in the order of the calls; waits for all of them.

        Raises:
            InputError: one of a call, and for a call whose process was lost again and again.

        """
        with warnings.catch_warnings():
            # A process that holds much memory is replaced by a fresh one, and loses nothing.
            warnings.filterwarnings("ignore", "A worker stopped", UserWarning)
            while len(self._found) < len(self._calls):
                self._engine.proceed()
                try:
                    i, future = self._ended.get(timeout=_LOOKS)
                except Empty:
                    self._tell(self._calls[min(self._flying)].name if self._flying else "waiting")
                    continue
                call = self._calls[i]
                try:
                    found = future.result()
                except CancelledError:
                    of = f"{len(self._calls) - len(self._found)} of {len(self._calls)} {call.name}"
                    expected = (
                        "a scheduler that lives; what is finished is kept, and so are checkpoints: the same command "
                        "goes on from there as soon as a scheduler answers, or without a cluster"
                    )
                    raise InputError("cluster", f"lost, with {of} unfinished", expected) from None
                except Exception as error:
                    if not self._engine.lost(error):
                        raise
                    # It is sent again, unless that has happened too often.
                    self._losses[i] += 1
                    if self._losses[i] > self._engine.again:
                        expected = (
                            "a process that lives: each that worked on it was killed, as a system does that is short "
                            "of memory; fewer jobs need less, and what is finished is kept"
                        )
                        raise InputError("jobs", call.name, expected) from None
                    with self._lock:
                        self._flying.discard(i)
                        self._waiting.appendleft(i)
                    self._send()
                    continue
                if isinstance(found, BoundcheckError):
                    raise found
                self._found[i] = found
                self._done += call.seconds
                self._tell(call.name)
        return [self._found[i] for i in range(len(self._calls))]

    def _send(self) -> None:
        """Hand over what there is room for."""
        with self._lock:
            sent = []
            while self._waiting:
                i = self._waiting[0]
                if self._flying:
                    # On its last try a call is alone, so that it is known whose fault a loss is.
                    is_last = any(0 < self._losses[j] == self._engine.again for j in (i, *self._flying))
                    is_full = self._engine.room is not None and len(self._flying) >= self._engine.room
                    if is_full or (is_last and self._engine.shares_fate):
                        break
                sent.append(self._waiting.popleft())
                self._flying.add(i)
            settings = {name: value for name, value in os.environ.items() if name.startswith(_OURS)}
            works = [_Work(settings, self._calls[i].function, self._calls[i].arguments) for i in sent]
            futures = self._engine.submit(works) if works else []
        for i, future in zip(sent, futures, strict=True):
            future.add_done_callback(partial(self._end, i))

    def _end(self, i: int, future: Future[Any]) -> None:
        """Note a call's end in a thread of the engine, and send the next at once, not when results are asked for."""
        if not future.cancelled() and future.exception() is None:
            with self._lock:
                self._flying.discard(i)
            self._send()
        self._ended.put((i, future))

    def _tell(self, name: str) -> None:
        if time.monotonic() - self._looked > _LOOKS:
            # Not at each end of a call: a look at a thousand of them is a thousand files.
            seen = {i: self._calls[i].done() * self._calls[i].seconds for i in tuple(self._flying)}
            self._parts, self._looked = {i: part for i, part in seen.items() if part}, time.monotonic()
        done = self._done + sum(part for i, part in self._parts.items() if i not in self._found)
        self._tick(name, round(done), round(self._total))
