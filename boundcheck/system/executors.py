"""Independent calls, made by this process, others of this machine, or any executor; none is
lost.
"""

import logging
import os
import signal
import time
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from multiprocessing import resource_tracker
from multiprocessing.util import Finalize
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit
from weakref import WeakSet, ref

from joblib import cpu_count, wrap_non_picklable_objects
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.backend import resource_tracker as loky_tracker

from boundcheck.errors import BoundcheckError, InputError, raised
from boundcheck.system.child import end_with
from boundcheck.system.ending import unheard
from boundcheck.system.limits import Tick

Work = Callable[[], Any]
# Seconds for which processes wait for more work, as joblib's do, and for which a cluster may take
# to answer.
_IDLE = 300
_ANSWERS = 30
# Seconds between two looks at jobs of Slurm, and at how far calls are.
_JOB_LOOKS = 0.5
_LOOKS = 1.0
# Variables that say something to boundcheck.
_OURS = "BOUNDCHECK_"
# Loggers of Dask, which tell of a lost connection with tracebacks.
_LOGGERS = (
    "distributed.client",
    "distributed.core",
    "distributed.comm",
    "distributed.batched",
    "distributed.utils",
)


class Engine(Protocol):
    """A maker of calls.

    Attributes:
        field: what its user chose it by, as errors name it.
        room: how many calls it is given at a time; None for all of them at once.
        again: how often a call is sent again whose process was lost.
        shares_fate: whether a process that is lost takes the calls of others with it, so that it is
            not known whose fault it was.

    """

    field: str = "jobs"
    room: int | None = None
    again: int = 0
    shares_fate: bool = False

    def submit(self, works: Sequence[Work]) -> list[Future[Any]]:
        """Have the calls made, in this order where not all can be made at once."""

    def proceed(self) -> None:
        """Do what only this process can do, before it waits."""
        return

    def renew(self) -> None:
        """Replace what broke, before a call is sent again."""
        return

    def close(self, unfinished: bool) -> None:
        """Let go of what was made; what is unfinished is cancelled."""


class Here(Engine):
    """An engine that makes one call after the other in this process, while somebody waits for
    results.
    """

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

    again = 2
    shares_fate = True

    def __init__(self, jobs: int) -> None:
        self.room = jobs
        self._jobs = jobs
        self._pool: Any = None

    def submit(self, works: Sequence[Work]) -> list[Future[Any]]:
        if self._pool is None:
            # Before interrupts are withheld, which they let through again.
            _start_trackers()
        # A terminal sends Ctrl-C to all processes, and this one has to end those that are started
        # here.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            if self._pool is None:
                # Each has its share of the cores, if it says nothing itself, and no library from
                # the current folder.
                share = {
                    "OMP_NUM_THREADS": os.environ.get(
                        "OMP_NUM_THREADS", str(max(cpu_count() // self._jobs, 1))
                    )
                }
                share["PYTHONSAFEPATH"] = "1"
                self._pool = get_reusable_executor(
                    self._jobs,
                    timeout=_IDLE,
                    env=share,
                    initializer=end_with,
                    initargs=(os.getpid(),),
                )
                if self._pool not in _POOLS:
                    _POOLS.add(self._pool)
                    # Before the queue through which they are told to end is closed, of priority 10.
                    # Multiprocessing's own end would wait until the processes time out.
                    Finalize(None, _shut, (ref(self._pool),), exitpriority=100)
            return [self._pool.submit(work) for work in works]
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def renew(self) -> None:
        self._pool = None

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
    """Start loky's and Python's trackers, if they do not run: they outlive this process, and remove
    its semaphores.

    Nobody can do anything about what they print on the semaphores of a process that was killed. A
    tracker that was killed itself is replaced by one that knows none of them, and prints a KeyError
    for each.
    """
    # They would import what lies in the current folder before Python's library.
    before = os.environ.get("PYTHONSAFEPATH", "")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        with unheard(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for each in (resource_tracker, loky_tracker):
                each.ensure_running()
    finally:
        # An empty one says nothing.
        os.environ["PYTHONSAFEPATH"] = before


class Lent(Engine):
    """Any executor of `concurrent.futures`; whoever made it ends it, and what it starts has this
    boundcheck.
    """

    def __init__(self, executor: Executor, field: str = "executor") -> None:
        self.field = field
        self._executor = executor
        self._futures: list[Future[Any]] = []

    def submit(self, works: Sequence[Work]) -> list[Future[Any]]:
        try:
            # Python's own executors pickle nothing that was made in a notebook, such as an
            # objective.
            futures = [self._executor.submit(wrap_non_picklable_objects(work)) for work in works]
        except RuntimeError as error:
            raise InputError(
                self.field,
                type(self._executor).__name__,
                f"an executor that takes calls, and not {raised(error)}",
            ) from None
        self._futures += futures
        return futures

    def close(self, unfinished: bool) -> None:
        for future in self._futures:
            future.cancel()


class Dask(Lent):
    """The workers of a Dask cluster; Dask itself has the call of a worker that dies made by
    another, three times.
    """

    def __init__(self, cluster: str) -> None:
        """Connect to the scheduler of ``dask://HOST:PORT``."""
        library = _library("distributed", cluster)
        # Whoever waits for results says in one line that a connection is lost.
        for name in _LOGGERS:
            logging.getLogger(name).disabled = True
        self._client: Any = None
        try:
            self._client = library.Client(
                f"tcp://{urlsplit(cluster).netloc}", timeout=_ANSWERS, set_as_default=False
            )
            self._client.wait_for_workers(1, timeout=_ANSWERS)
        except (OSError, ValueError) as error:
            if self._client is not None:
                self._client.close()
            raise InputError(
                "cluster",
                cluster,
                f"dask://HOST:PORT of a scheduler with a worker, within {_ANSWERS} seconds"
                f" ({raised(error)})",
            ) from None
        super().__init__(self._client.get_executor(pure=False), "cluster")

    def close(self, unfinished: bool) -> None:
        super().close(unfinished)
        self._client.close()


class Slurm(Engine):
    """Jobs of Slurm, one a call, which submitit's executor sends as one array."""

    again = 2
    field = "cluster"

    def __init__(self, cluster: str, folder: Path) -> None:
        """Take the options of ``slurm?NAME=VALUE&...``; jobs and their logs are files below a
        folder.
        """
        library = _library("submitit", cluster)
        options = dict(parse_qsl(urlsplit(cluster).query, keep_blank_values=True))
        name = options.pop("cluster", "slurm")
        shared = library.AutoExecutor._typed_parameters()
        given = {x if x in shared else f"slurm_{x}": _number(value) for x, value in options.items()}
        try:
            self._executor = library.AutoExecutor(folder / "%j", cluster=name)
            self._executor.update_parameters(name="boundcheck", **given)
        except (RuntimeError, ValueError, NameError, AssertionError, TypeError) as error:
            raise InputError(
                "cluster",
                cluster,
                "slurm?NAME=VALUE&..., with options of submitit where Slurm is"
                f" ({str(error).splitlines()[0]})",
            ) from None
        self._jobs: list[Any] = []

    def submit(self, works: Sequence[Work]) -> list[Future[Any]]:
        with self._executor.batch():
            jobs = [self._executor.submit(work) for work in works]
        self._jobs += jobs
        futures: list[Future[Any]] = [Future() for _ in jobs]
        # It ends with this process, also while a job waits in the queue.
        Thread(target=_await, args=(dict(zip(futures, jobs, strict=True)),), daemon=True).start()
        return futures

    def close(self, unfinished: bool) -> None:
        for job in self._jobs:
            if unfinished and not job.done():
                job.cancel(check=False)


def _await(jobs: dict[Future[Any], Any]) -> None:
    """Look at jobs of submitit until all have ended, and tell their futures."""
    while jobs:
        time.sleep(_JOB_LOOKS)
        for future in [each for each, job in jobs.items() if job.done()]:
            try:
                future.set_result(jobs.pop(future).result())
            except Exception as error:
                future.set_exception(error)


def _library(name: str, cluster: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise InputError(
            "cluster",
            cluster,
            "an environment with Dask and submitit: pip install 'boundcheck[cluster]'",
        ) from None


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def engine_of(executor: int | str | Executor, folder: Path = Path()) -> Engine:
    """The engine that makes calls.

    Args:
        executor: so many processes of this machine, of which one needs no other process; an
            executor; or a cluster, ``dask://HOST:PORT`` or ``slurm?NAME=VALUE&...``.
        folder: where jobs of Slurm and their logs are kept, on a file system that all machines
            share.

    Raises:
        InputError: for a cluster of another form, and one that does not answer.

    """
    if isinstance(executor, Executor):
        return Lent(executor)
    if isinstance(executor, int):
        return Processes(executor) if executor > 1 else Here()
    match executor.split("?")[0].split("://")[0]:
        case "dask":
            return Dask(executor)
        case "slurm":
            return Slurm(executor, folder)
    raise InputError("cluster", executor, "dask://HOST:PORT, or slurm?NAME=VALUE&...")


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
        """Make the call; return its result, or the error that it raised.

        So an error that an engine raises is its own: a process ended, or could not be reached.
        """
        # A process that has worked before has the variables of that time.
        os.environ.update(self.settings)
        try:
            return self.function(*self.arguments)
        except BoundcheckError as error:
            return error
        except Exception as error:
            # On its way to another process an error loses the calls that led to it.
            error.add_note(traceback.format_exc())
            return error


class Running:
    """Calls that an engine works on, from the moment that this is made until it is left."""

    def __init__(self, calls: Sequence[Call], engine: Engine, tick: Tick) -> None:
        """Start the calls; `tick` is told of the seconds that those finished were to take."""
        self._calls = calls
        self._engine = engine
        self._tick = tick
        # A long call that is begun last would be waited for alone.
        self._waiting = deque(sorted(range(len(calls)), key=lambda i: -calls[i].seconds))
        self._flying: set[int] = set()
        self._losses = [0] * len(calls)
        self._ended: SimpleQueue[tuple[int, Future[Any]]] = SimpleQueue()
        self._lock = Lock()
        self._found = dict[int, Any]()
        self._total = sum(call.seconds for call in calls)
        self._done = 0.0
        self._parts = dict[int, float]()
        self._looked = time.monotonic()
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
            InputError: for a call whose process was lost again and again.
            Exception: what a call raised.

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
                    raise InputError(
                        self._engine.field,
                        f"lost, with {of} unfinished",
                        "a scheduler that lives; what is finished is kept, and so are checkpoints:"
                        " the same command goes on from there as soon as a scheduler answers, or"
                        " without a cluster",
                    ) from None
                except Exception as error:
                    # It is sent again, unless that has happened too often.
                    self._losses[i] += 1
                    if self._losses[i] > self._engine.again:
                        raise InputError(
                            self._engine.field,
                            call.name,
                            "a process that lives: each that worked on it was lost, as where a"
                            " system is short of memory; fewer jobs need less, and what is"
                            f" finished is kept ({raised(error)})",
                        ) from None
                    self._engine.renew()
                    with self._lock:
                        self._flying.discard(i)
                        self._waiting.appendleft(i)
                    self._send()
                    continue
                if isinstance(found, Exception):
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
                    is_last = any(
                        0 < self._losses[j] == self._engine.again for j in (i, *self._flying)
                    )
                    is_full = (
                        self._engine.room is not None and len(self._flying) >= self._engine.room
                    )
                    if is_full or (is_last and self._engine.shares_fate):
                        break
                sent.append(self._waiting.popleft())
                self._flying.add(i)
            settings = {name: value for name, value in os.environ.items() if name.startswith(_OURS)}
            works = [
                _Work(settings, self._calls[i].function, self._calls[i].arguments) for i in sent
            ]
            futures = self._engine.submit(works) if works else []
        for i, future in zip(sent, futures, strict=True):
            future.add_done_callback(partial(self._end, i))

    def _end(self, i: int, future: Future[Any]) -> None:
        """Note a call's end in a thread of the engine, and send the next at once, not when results
        are asked for.
        """
        if not future.cancelled() and future.exception() is None:
            with self._lock:
                self._flying.discard(i)
            self._send()
        self._ended.put((i, future))

    def _tell(self, name: str) -> None:
        if time.monotonic() - self._looked > _LOOKS:
            # Not at each end of a call: a look at a thousand of them is a thousand files.
            seen = {i: self._calls[i].done() * self._calls[i].seconds for i in tuple(self._flying)}
            self._parts = {i: part for i, part in seen.items() if part}
            self._looked = time.monotonic()
        done = self._done + sum(part for i, part in self._parts.items() if i not in self._found)
        self._tick(name, round(done), round(self._total))
