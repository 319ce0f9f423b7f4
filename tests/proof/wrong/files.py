"""Files that were believed: edited results, runs resumed over damage, stored instances that say
something else."""

import atexit
import errno
import json
import os
import shutil
from contextlib import contextmanager, redirect_stderr, suppress
from dataclasses import replace
from functools import cache
from io import StringIO
from pathlib import Path
from tempfile import mkdtemp
from unittest.mock import patch

import numpy as np
import torch
from sympy import Identity, Le, MatAdd, MatMul, MatrixSymbol, Symbol

from boundcheck.experiment import measure, run, store
from boundcheck.experiment.spec import read
from boundcheck.functions.adapters import LoRA
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.vocabulary import FrobeniusNorm, SpectralNorm
from boundcheck.present.material import load_runs
from boundcheck.system.files import replace_file
from boundcheck.worst_case import falsify
from boundcheck.worst_case.relation import Assignment
from boundcheck.worst_case.search import Search
from boundcheck.worst_case.stored import replayed
from tests.experiment.small import theorem_table
from tests.worst_case.small import instance_of

from .case import Case, refusal

# A short run, and the same with another level of its interval, which has the same trace; chunks of
# three strata.
TABLE = theorem_table(run__steps=48, run__audits=12)
OTHER = theorem_table(run__steps=48, run__audits=12, run__level=0.9)
CHUNK_BYTES = 3 * 8 * TABLE["run"]["replicas"]


@contextmanager
def saving_often():
    """A run is saved after each chunk, however little time that saves."""
    with (
        patch.object(run, "_CHUNK_BYTES", CHUNK_BYTES),
        patch.object(run, "is_due", lambda worked, took: True),
    ):
        yield


class _KilledError(Exception):
    """Stands for a kill."""


@cache
def _made(other=False, kill=False):
    """The folder of a run, finished or killed after half of it."""

    def tick(stage, done, total):
        if kill and done > 0.7 * total:
            raise _KilledError

    runs = Path(mkdtemp())
    atexit.register(shutil.rmtree, runs, ignore_errors=True)
    with saving_often(), suppress(_KilledError):
        measure(OTHER if other else TABLE, runs, tick=tick)
    (folder,) = runs.iterdir()
    return folder


def copied(folder, **given):
    """A run of its own, in a folder."""
    made = _made(**given)
    return shutil.copytree(made, folder / made.name)


def damaged(change, read=lambda stored: load_runs([stored])):
    """What a report says of a run whose folder was changed."""

    def attempt(folder):
        change(stored := copied(folder))
        return refusal(lambda: read(stored))

    return attempt


def asked_again(change):
    """What is said where the finished run is asked for again."""
    return damaged(change, lambda stored: measure(TABLE, stored.parent))


def edited(change):
    """What a report says of a run whose result was edited."""

    def rewrite(stored):
        path = stored / "result.json"
        path.write_text(json.dumps(change(json.loads(path.read_text()))))

    return damaged(rewrite)


def goes_on(folder):
    """True if the run in a folder, measured to its end, is as the one that was never stopped."""
    (result,) = measure(TABLE, folder)
    whole, found = load_runs([_made(), folder / result.run_id])
    return result == whole.result and bool(found.trace.identical(whole.trace))


def resumed(change):
    """The line that is said where a killed run goes on, if the run then ends as the one that was
    not killed."""

    def attempt(folder):
        change(copied(folder, kill=True))
        with redirect_stderr(StringIO()) as lines, saving_often():
            return lines.getvalue().strip() if goes_on(folder) else ""

    return attempt


def flipped(path):
    """One bit in the middle of the numbers that a file holds."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


def nothing(stored):
    """Leave it as it is."""


def from_other(name, kill=False):
    """Put a file of another run into a folder."""
    return lambda stored: shutil.copy(_made(other=True, kill=kill) / name, stored / name)


def as_other(stored):
    """Put the whole of another run into a folder."""
    shutil.rmtree(stored)
    shutil.copytree(_made(other=True), stored)


def chunk(stored, place=0):
    """A file of the trace."""
    return stored / "trace.zarr" / "gradient_square_norm" / "c" / "0" / str(place)


def doubled(stored):
    """Give the verdict twice."""
    path = stored / "result.json"
    path.write_text(path.read_text().replace("{", '{"verdict": "violated",', 1))


def swapped_chunks(stored):
    """Exchange the times of two parts of a trace."""
    first, second = (chunk(stored, place).read_bytes() for place in (0, 1))
    chunk(stored, 0).write_bytes(second)
    chunk(stored, 1).write_bytes(first)


def written(text):
    """Put a text into the place of the result."""
    return lambda stored: (stored / "result.json").write_text(text)


def level(stored):
    """Say that the interval is of another level."""
    written((stored / "result.json").read_text().replace("0.95", "0.99"))(stored)


def too_long(stored):
    """A link to a name that is too long, in the place of a chunk."""
    chunk(stored).unlink()
    chunk(stored).symlink_to("x" * 300)


CHANGED = r"RUN = .*result\.json was changed"
AFRESH = r"; the run starts afresh$"
GONE = r"trace\.zarr was changed"
# Which is done to the finished run, or to the one that was killed; the twin is the run that nobody
# touched.
WAYS = {
    damaged: [
        ("a verdict that stands twice", "stands twice", doubled),
        ("an empty table as a result", "no digests", written("{}")),
        ("another experiment's result over the same trace", "specs in", from_other("result.json")),
        ("another experiment's spec beside a result", "specs in", from_other("spec.json")),
        ("a trace without one of its chunks", GONE, lambda x: chunk(x).unlink()),
        ("a trace with a flipped bit", GONE, lambda x: flipped(chunk(x))),
        ("a link to too long a name in a trace", r"^RUN = .*files and folders alone", too_long),
    ],
    asked_again: [
        ("an empty list as a result", "no digests", written("[]")),
        ("an edited result, where the run is asked for again", CHANGED, level),
        ("a trace with two chunks exchanged", GONE, swapped_chunks),
    ],
    resumed: [
        (
            "a run resumed over a chunk that is missing",
            r"c/0/0 is missing" + AFRESH,
            lambda x: chunk(x).unlink(),
        ),
        (
            "a run resumed over chunks that were exchanged",
            r"c/0/\d is damaged" + AFRESH,
            swapped_chunks,
        ),
        (
            "a run resumed from a checkpoint with a flipped bit",
            r"checkpoint\.pt is damaged" + AFRESH,
            lambda x: flipped(x / "checkpoint.pt"),
        ),
        (
            "a run resumed from another run's checkpoint",
            r"checkpoint\.pt is that of \w+" + AFRESH,
            from_other("checkpoint.pt", kill=True),
        ),
    ],
}
RUNS = [
    Case(name, why, way(change), way(nothing))
    for way, each in WAYS.items()
    for name, why, change in each
]
RUNS += [
    Case(
        "a verdict that was edited",
        CHANGED,
        edited(lambda x: x | {"verdict": "violated"}),
        edited(lambda x: x),
    ),
    Case(
        "an audit that failed, taken out of its result",
        CHANGED,
        edited(lambda x: x | {"audit": x["audit"][1:]}),
        edited(lambda x: dict(reversed(x.items()))),
    ),
    Case(
        "a result without its interval",
        CHANGED,
        edited(lambda x: x | {"interval": None}),
        damaged(nothing),
    ),
    Case(
        "another run in a run's folder", "its own result", asked_again(as_other), damaged(as_other)
    ),
]

X = MatrixSymbol("X", 2, 2)
ONES = tuple(torch.ones((1, 1, 1), dtype=torch.float64) for _ in "AB")
TRUE = Le(SpectralNorm(X), FrobeniusNorm(X))
FALSE = Le(FrobeniusNorm(X), SpectralNorm(X))
LEMMA = catalogue["meft.lemma1_sharp"]


def replay(change, of=None):
    """What is said of a stored instance that was edited: of Lemma 1, or of a claim of one's own."""
    stored = Assignment(of, {"X": np.eye(2)}, {}) if of else instance_of("lora")

    def attempt(folder):
        text = change(stored.as_json())
        (folder / "stored.json").write_text(text if isinstance(text, str) else json.dumps(text))
        return refusal(lambda: replayed(folder / "stored.json", of).view())

    return attempt


def own(id="mine", conclusion=FALSE, *given):
    """A claim that no catalogue has."""
    return Claim(id, "Mine", "test", conclusion, hypotheses=given)


def claiming(**fields):
    """Another id, or digest, of its claim."""
    return lambda data: data | fields


def as_it_is(data):
    """Leave it as it is."""
    return data


ID = r"^claim\.id = "
ITS = replay(as_it_is)
ANOTHER = r"^instance\.(claim|digest) = "
OWN = replay(as_it_is, own())
INSTANCES = [
    Case(
        "a false relation by the name of a true one",
        ANOTHER,
        replay(claiming(claim=str(TRUE)), own()),
        OWN,
    ),
    Case(
        "a claim of another formula under its id",
        ANOTHER,
        replay(claiming(digest=own(conclusion=TRUE).digest), own()),
        OWN,
    ),
    *(
        Case(name, ANOTHER, replay(claiming(claim=id), own()), OWN)
        for name, id in {
            "an id of the catalogue with a space behind": "jiang2024.lemma1 ",
            "an id of the catalogue in a letter of another script": "ji\u0430ng2024.lemma1",
            "a lemma that a paper does not have": "jiang2024.lemma9",
            "a lemma's printed name in the place of an id": "Jiang2024, Lemma 1",
            "an id that is written backwards on the screen": "\u202emine",
        }.items()
    ),
    Case(
        "a search of a doctored claim under the id of the true one",
        ID,
        lambda folder: refusal(
            lambda: falsify(
                replace(LEMMA, quantities=catalogue["meft.full"].quantities), Search((1,))
            )
        ),
        lambda folder: refusal(
            lambda: falsify(LEMMA, Search((1,), starts=1, rounds=1, examples=0))
        ),
    ),
    Case(
        "a field that nobody reads",
        r"^instance\.proved = ",
        replay(lambda x: x | {"proved": True}),
        ITS,
    ),
    Case(
        "a radius that the domain does not have",
        r"^radii\.rho = ",
        replay(lambda x: x | {"radii": x["radii"] | {"rho": 0.1}}),
        ITS,
    ),
    Case(
        "two values for one constant",
        "stands twice",
        replay(lambda x: json.dumps(x).replace('"slope":', '"slope": 100.0, "slope":')),
        ITS,
    ),
]


def relation(sides, *factors):
    """What is said of a relation about a product of constant matrices, whose side is a letter."""
    n = Symbol("n", positive=True, integer=True)
    twice = MatAdd(Identity(n), Identity(n), evaluate=False)
    product = MatMul(*[twice] * len(factors), evaluate=False)
    claim = Claim("mine", "Mine", "me", Le(FrobeniusNorm(product), n))

    def attempt(folder):
        stored = Assignment(claim, {}, {"n": float(sides)})
        (folder / "stored.json").write_text(json.dumps(stored.as_json()))
        return refusal(lambda: replayed(folder / "stored.json", claim))

    return attempt


def large(side):
    """Lemma 1 on matrices so large that exact arithmetic on them takes minutes."""

    def change(data):
        W = np.eye(side).tolist()
        rows = np.eye(2, side).tolist()
        points = {"A": rows, "B": np.eye(side, 2).tolist()}
        other = {"A": (0.5 * np.eye(2, side)).tolist(), "B": points["B"]}
        objective = data["objective"] | {"direction": W, "tilt": W}
        radii = dict.fromkeys(data["radii"], 1.0)
        adapter = data["adapter"] | {"W0": W}
        return data | {
            "adapter": adapter,
            "objective": objective,
            "v": points,
            "other": other,
            "radii": radii,
        }

    return replay(change)


def without_end(name, read):
    """What is said of a device in the place of a file, that is never read to its end."""

    def attempt(folder):
        (folder / name).symlink_to("/dev/zero")
        return refusal(lambda: read(folder / name))

    return attempt


def full(kept):
    """What is said where the disk is full after so many checkpoints, if the run then goes on and
    ends as it would."""

    def attempt(folder):
        left = [kept]

        def some(path, content):
            if path.name == "checkpoint.pt" and (left.append(left.pop() - 1) or left[0] < 0):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            replace_file(path, content)

        with saving_often():
            with patch.object(store, "replace_file", some):
                line = refusal(lambda: measure(TABLE, folder))
            return line if goes_on(folder) else "it ends otherwise"

    return attempt


ENDLESS = [
    Case(
        "a product that takes minutes",
        r"^claim = mine, with \d+ steps",
        relation(2000, *"abcdef"),
        relation(2, "a"),
    ),
    Case(
        "matrices that take minutes",
        r"^adapter = 500 x 500 .*exact arithmetic",
        large(500),
        large(3),
    ),
    Case(
        "an instance without an end",
        r"^--replay = .*no regular file",
        without_end("x.json", replayed),
        OWN,
    ),
    Case("a spec without an end", r"^SPEC = .*no regular file", without_end("x.toml", read), OWN),
    Case(
        "a disk that is full",
        r"^RUN = .*No space.*goes on from the last checkpoint",
        full(5),
        full(10**6),
    ),
    Case(
        "a radius that is left out",
        r"^radii\.b = \(not given\)",
        lambda folder: refusal(lambda: LoRA(torch.zeros(1, 1).double(), 1).check(ONES, {"a": 2.0})),
        lambda folder: refusal(
            lambda: LoRA(torch.zeros(1, 1).double(), 1).check(ONES, {"a": 2.0, "b": 2.0})
        ),
    ),
]
CASES = RUNS + INSTANCES + ENDLESS
