"""Files of a run that were edited, damaged, swapped or removed: refused by name, or said, and never
believed."""

import hashlib
import io
import json
import os
import random
import shutil
from contextlib import contextmanager, redirect_stderr, suppress
from dataclasses import replace
from io import StringIO
from pathlib import Path

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

from boundcheck.errors import InputError
from boundcheck.experiment import measure, run
from boundcheck.experiment.experiment import read_run
from boundcheck.experiment.result import READ, text
from boundcheck.experiment.spec import parse
from boundcheck.experiment.store import RunFolder, environment, finished
from tests.layers import examples, full

from .small import refused, theorem_table
from .test_resume import Killed, assert_identical, writes_of

TABLE = theorem_table(run__steps=48, run__audits=12)
# What differs from it in the level of its interval alone has the same trace, but another spec.
OTHER = theorem_table(run__steps=48, run__audits=12, run__level=0.9)
# Chunks of the trace, of which the run has four; the kill comes after two, and a checkpoint in the
# third.
STRATA = 3
KILL_AT = 14


class Files(dict):
    """Files by name. Hypothesis prints what an example was given, and fails at a text as long as
    theirs, so that a failure looked like an inconsistent strategy."""

    def __repr__(self):
        return f"{len(self)} files"


def files_of(folder):
    # The lock is hidden, and empty.
    kept = (path for path in folder.rglob("*") if path.is_file() and path.name[0] != ".")
    return Files((path.relative_to(folder).as_posix(), path.read_bytes()) for path in kept)


def write(folder, files):
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module", autouse=True)
def small_chunks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "_CHUNK_BYTES", 8 * TABLE["run"]["replicas"] * STRATA)
        patch.setattr(run, "is_due", lambda worked, took: True)
        yield patch


@pytest.fixture(scope="module")
def runs(small_chunks, tmp_path_factory):
    """The files of a finished run, of it when it was killed, and of another one, both finished and
    killed."""
    root = tmp_path_factory.mktemp("runs")
    found = []
    for table in (TABLE, OTHER):
        (result,) = measure(table, root / "whole")
        with pytest.raises(Killed):
            writes_of(table, root / "killed", small_chunks, KILL_AT)
        found += [files_of(root / kind / result.run_id) for kind in ("whole", "killed")]
    return result_of(found[0])["run_id"], *found


def result_of(files):
    return json.loads(files["result.json"])


KINDS = ["removed", "emptied", "cut", "flipped", "overwritten"]


@st.composite
def damages(draw, names):
    """A file and what becomes of it: removed, emptied, cut short, a bit flipped, or bytes in the
    place of others."""
    name = draw(st.sampled_from(names))
    kind = draw(st.sampled_from(KINDS))
    return (
        name,
        kind,
        draw(st.integers(0, 2**40)),
        draw(st.integers(0, 7)),
        draw(st.binary(min_size=1, max_size=20)),
    )


def damaged(files, damage):
    name, kind, place, bit, other = damage
    content = files[name]
    place %= len(content)
    changed = {
        "removed": None,
        "emptied": b"",
        "cut": content[:place],
        "flipped": content[:place] + bytes([content[place] ^ (1 << bit)]) + content[place + 1 :],
        "overwritten": content[:place] + other + content[place + len(other) :],
    }[kind]
    rest = {other: content for other, content in files.items() if other != name}
    return rest if changed is None else rest | {name: changed}


# A finished run.


@pytest.fixture(scope="module")
def whole_folder(runs, tmp_path_factory):
    """The finished run on disk, as every test leaves it."""
    id, whole, *_ = runs
    return write(tmp_path_factory.mktemp("store") / id, whole)


@contextmanager
def with_file(folder, name, content):
    """The folder with another content of one file, or without it."""
    path = folder / name
    before = path.read_bytes()
    path.unlink() if content is None else path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)


@examples(100)
@given(data=st.data())
def test_a_damaged_finished_run_is_refused_or_the_same(data, runs, whole_folder):
    _, whole, *_ = runs
    damage = data.draw(damages(sorted(whole)))
    result, trace = finished(whole_folder)
    files = damaged(whole, damage)
    with with_file(whole_folder, damage[0], files.get(damage[0])):
        try:
            again, same = finished(whole_folder)
        except InputError:
            assert refused(finished, whole_folder).value == whole_folder
            assert files != whole
        else:
            # Such as an exponent with a capital E.
            assert again == result
            assert same.identical(trace)


def edits(value, path=()):
    """The paths to everything in plain data."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, each in inner:
        yield (*path, key)
        yield from edits(each, (*path, key))


def at(place, each):
    """One of these, whose number is no number of a strategy: a run's result is made only once
    arguments are drawn."""
    return (every := list(each))[place % len(every)]


PLACES = st.integers(0, 2**20)
VALUES = (
    None,
    True,
    False,
    0,
    1,
    -1,
    0.5,
    1e300,
    10**30,
    "",
    "supported",
    "violated",
    [],
    {},
    [0],
    {"a": 1},
    "\ud800",
)


@examples(200)
@given(PLACES, st.sampled_from(["changed", "removed", "added"]), st.sampled_from(VALUES))
def test_any_edit_of_a_result_is_refused(runs, whole_folder, place, kind, value):
    _, whole, *_ = runs
    before = result_of(whole)
    after = result_of(whole)
    *path, last = at(place, edits(before))
    table = after
    for key in path:
        table = table[key]
    if kind == "removed":
        del table[last]
    elif kind == "added" and isinstance(table, dict):
        table[f"{last} too"] = value
    else:
        table[last] = value
    with with_file(whole_folder, "result.json", json.dumps(after).encode()):
        if json.dumps(after, sort_keys=True) == json.dumps(before, sort_keys=True):
            assert finished(whole_folder)
        else:
            error = refused(finished, whole_folder)
            assert error.field == "RUN"
            assert error.value == whole_folder


def hashed_again(files, result):
    """The files with another result, which anybody can hash, and the spec in it."""
    plain = {name: value for name, value in result.items() if name != "digests"}
    digests = result_of(files)["digests"] | {
        "result": hashlib.sha256(text(plain).encode()).hexdigest()
    }
    return files | {
        "result.json": json.dumps(plain | {"digests": digests}).encode(),
        "spec.json": json.dumps(plain.get("spec")).encode(),
    }


def read_or_refused(folder, before):
    """Assert that each reader refuses a folder, or says that it was read, or says what its run
    said. What claims said then does not follow from a trace: a page holds it against the claims,
    and refuses another."""
    for read in (lambda: measure(TABLE, folder.parent)[0], lambda: read_run(folder)[0]):
        with suppress(InputError):
            found = replace(read(), said=before.said)
            assert found == before or "read, not run" in found.reason
            assert (
                found == before or not found.verdict.is_decided or found.verdict.given[-1] == READ
            )


@full
@examples(60)
@given(PLACES, st.sampled_from([*VALUES, "hypothesis-failed", "held"]))
def test_no_edit_of_a_result_passes_as_the_run_whoever_hashed_it(
    runs, tmp_path_factory, place, value
):
    id, whole, *_ = runs
    folder = tmp_path_factory.getbasetemp() / "edited" / id
    before, _ = read_run(write(folder, whole))
    after = result_of(whole)
    del after["digests"]
    *path, last = at(place, edits(after))
    table = after
    for key in path:
        table = table[key]
    table[last] = value
    write(folder, hashed_again(whole, after))
    read_or_refused(folder, before)


@full
@examples(30)
@given(PLACES, PLACES, st.booleans())
def test_no_edit_of_a_trace_passes_as_the_run_whoever_hashed_it(
    runs, tmp_path_factory, place, from_place, is_sealed_again
):
    """A chunk that another array of the run has, so that every file is as zarr writes it. Who
    hashes the result alone is refused. Who seals the checkpoint again too is refused as well, or
    gets the result of the run, which does not rest on that chunk."""
    id, whole, *_ = runs
    folder = tmp_path_factory.getbasetemp() / "edited trace" / id
    before, _ = read_run(write(folder, whole))
    chunks = sorted(name for name in whole if "/c/0/" in name)
    one = at(place, chunks)
    other = at(from_place, chunks)
    files = rehashed(whole | {one: whole[other]})
    if is_sealed_again:
        saved = torch.load(io.BytesIO(whole["checkpoint.pt"][32:]), weights_only=True)
        saved["trace"][one.partition("/")[2]] = hashlib.sha256(files[one]).hexdigest()
        torch.save(saved, content := io.BytesIO())
        files["checkpoint.pt"] = sealed(content.getvalue())
    write(folder, files)
    for read in (lambda: measure(TABLE, folder.parent)[0], lambda: read_run(folder)[0]):
        if whole[one] == whole[other]:
            assert read() == before
        elif is_sealed_again:
            with suppress(InputError):
                assert read() == before
        else:
            assert refused(read).value == folder


@pytest.mark.parametrize("kind", ["no checkpoint", "another environment"])
def test_a_run_that_cannot_be_judged_again_says_so(kind, runs, tmp_path):
    id, whole, *_ = runs
    files = {name: content for name, content in whole.items() if name != "checkpoint.pt"}
    if kind == "another environment":
        saved = torch.load(io.BytesIO(whole["checkpoint.pt"][32:]), weights_only=True)
        saved["environment"]["torch"] = "0.1"
        torch.save(saved, content := io.BytesIO())
        files["checkpoint.pt"] = sealed(content.getvalue())
    forged = result_of(files) | {"verdict": "violated"}
    folder = write(tmp_path / id, hashed_again(files, forged))
    for found in (measure(TABLE, tmp_path)[0], read_run(folder)[0]):
        assert found.verdict.given == (READ,)
    # With its last state it is judged again, and refused.
    assert refused(read_run, write(folder, hashed_again(whole, forged))).value == folder


@full
@pytest.mark.parametrize("jobs", [1, 2])
def test_an_edited_result_is_refused_before_anything_is_run(jobs, runs, whole_folder):
    _, whole, *_ = runs
    edited = result_of(whole) | {"verdict": "violated"}
    with with_file(whole_folder, "result.json", json.dumps(edited).encode()):
        error = refused(measure, [parse(OTHER), parse(TABLE)], whole_folder.parent, executor=jobs)
    assert error.value == whole_folder
    assert list(whole_folder.parent.iterdir()) == [whole_folder]


@pytest.mark.parametrize(
    "text", ["{}", "[]", "null", "1", '""', "{", "", "[" * 10**5, '{"digests": {}}', "\ud800"]
)
def test_what_is_no_result_is_no_finished_run(text, runs, tmp_path):
    id, whole, *_ = runs
    folder = write(tmp_path / id, whole | {"result.json": text.encode(errors="surrogatepass")})
    assert refused(finished, folder).value == folder
    assert refused(measure, TABLE, tmp_path).value == folder


def test_a_finished_run_may_be_called_otherwise_and_laid_out_otherwise(runs, tmp_path):
    id, whole, *_ = runs
    text = json.dumps(result_of(whole)).encode()
    # Systems leave hidden files wherever one looks.
    folder = write(
        tmp_path / "figure 1", whole | {"result.json": text, "trace.zarr/.DS_Store": b"1"}
    )
    assert finished(folder)[0].run_id == id


# A run that is resumed.


def resumed(files, folder):
    """How many strata a run ran that goes on from these files, and what it said."""
    ticks = []
    with redirect_stderr(StringIO()) as said:
        measure(TABLE, write(folder, files).parent, tick=lambda *each: ticks.append(each))
    return len(ticks), said.getvalue()


@pytest.mark.parametrize("seed", range(24))
def test_a_run_resumed_over_damage_ends_the_same_and_says_that_it_starts_afresh(
    seed, runs, tmp_path
):
    id, whole, killed, *_ = runs
    names = sorted(name for name in killed if name != "spec.json")
    drawn = random.Random(seed)
    name = drawn.choice(names)
    kind = drawn.choice(KINDS)
    damage = (
        name,
        kind,
        drawn.randrange(2**40),
        drawn.randrange(8),
        drawn.randbytes(drawn.randint(1, 20)),
    )
    files = damaged(killed, damage)
    ran, said = resumed(files, tmp_path / id)
    assert_identical(tmp_path / id, write(tmp_path / "whole" / id, whole))
    if files == killed or damage[:2] == ("checkpoint.pt", "removed"):
        assert said == ""
    elif said:
        assert said.count("\n") == 1
        assert said.startswith(f"boundcheck: {tmp_path / id}: {damage[0]} is ")
        assert said.endswith("; the run starts afresh\n")
        assert ran == 12
    else:
        # What the run wrote after its checkpoint is written again.
        assert not damage[0].startswith("checkpoint")
        assert damage[0].endswith("c/0/2")
        assert 0 < ran < 12


def test_an_undamaged_run_goes_on_in_silence(runs, tmp_path):
    id, whole, killed, *_ = runs
    ran, said = resumed(killed, tmp_path / id)
    assert 0 < ran < 12
    assert said == ""
    assert files_of(tmp_path / id) == whole


def test_an_added_chunk_is_not_read(runs, tmp_path):
    """Zarr leaves out chunks of nothing but NaN, so that one may be added where there is none."""
    id, whole, killed, *_ = runs
    chunk = killed["trace.zarr/loss/c/0/0"]
    resumed(
        killed | {"trace.zarr/loss/c/0/9": chunk, "trace.zarr/mine/c/0/0": chunk}, tmp_path / id
    )
    assert files_of(tmp_path / id) == whole
    folder = write(tmp_path / "added", whole | {"trace.zarr/loss/c/0/9": chunk})
    assert "trace.zarr was changed" in str(refused(finished, folder))


@full
def test_a_trace_that_is_changed_while_it_is_written_is_refused(tmp_path):
    folders = []

    def tick(stage, done, total):
        (folder,) = tmp_path.iterdir()
        if done == total:
            folders.append(folder)
            (folder / "trace.zarr" / "loss" / "c" / "0" / "1").unlink()

    error = refused(lambda: measure(TABLE, tmp_path, tick=tick))
    assert "trace.zarr/loss/c/0/1 was changed" in str(error)
    (folder,) = folders
    assert not (folder / "result.json").exists()
    # Asked for again, it starts afresh.
    assert measure(TABLE, tmp_path)


@pytest.mark.parametrize("name", ["spec.json", "checkpoint.pt", "result.json", "trace.zarr"])
def test_a_folder_in_the_place_of_a_file_ends_in_one_line(name, runs, tmp_path):
    id, _, killed, *_ = runs
    kept = {other: content for other, content in killed.items() if not other.startswith(name)}
    # Of the trace, which is a folder, a file.
    inner = name if name == "trace.zarr" else f"{name}/inner"
    write(tmp_path / id, kept | {inner: b""})
    assert refused(measure, TABLE, tmp_path).field in ("RUN", "runs")


# A stranger's folder.


@pytest.mark.parametrize("kind", ["link", "folder's link", "pipe", "/dev/zero"])
@pytest.mark.parametrize(
    "name",
    [
        "",
        "spec.json",
        "checkpoint.pt",
        ".lock",
        "trace.zarr",
        "trace.zarr/loss",
        "trace.zarr/loss/c/0/1",
        "my",
    ],
)
def test_nothing_is_opened_written_or_removed_that_a_run_does_not_hold_itself(
    name, kind, runs, tmp_path
):
    id, _, killed, *_ = runs
    victim = write(tmp_path / "victim", {"a.part": b"mine", "c/a.txt": b"mine"})
    folder = write(tmp_path / "runs" / id, killed | {"my": b"", "my.part": b"mine", ".lock": b""})
    path = folder / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to({"link": victim / "c" / "a.txt", "folder's link": victim}.get(kind, kind))
    error = refused(measure, TABLE, tmp_path / "runs")
    assert error.field in ("RUN", "runs")
    assert files_of(victim) == {"a.part": b"mine", "c/a.txt": b"mine"}


@pytest.mark.parametrize("name", ["my", "trace.zarr/loss", "trace.zarr/loss/c/0/1"])
@pytest.mark.parametrize("kind", ["link", "pipe", "/dev/zero"])
def test_a_finished_run_is_read_from_its_own_files_alone(name, kind, runs, tmp_path):
    _, whole, *_ = runs
    elsewhere = write(tmp_path / "elsewhere", whole | {"my": b""})
    path = write(tmp_path / "run", whole | {"my": b""}) / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    (
        os.mkfifo(path)
        if kind == "pipe"
        else path.symlink_to(elsewhere / name if kind == "link" else kind)
    )
    assert refused(finished, tmp_path / "run").value == tmp_path / "run"


@pytest.mark.parametrize("name", ["notes.txt", "loss/notes", "c/0/notes", "thesis/chapter/1"])
@pytest.mark.parametrize("begun", [True, False])
def test_what_is_no_trace_is_not_removed_with_one(name, begun, runs, tmp_path):
    id, _, killed, *_ = runs
    files = killed if begun else {"spec.json": killed["spec.json"]}
    folder = write(tmp_path / id, files | {f"trace.zarr/{name}": b"mine", "my.part": b"mine"})
    assert name in str(refused(measure, TABLE, tmp_path))
    assert files_of(folder)[f"trace.zarr/{name}"] == files_of(folder)["my.part"] == b"mine"


def rehashed(files):
    """The files of a finished run, of which anybody can hash the trace again."""
    trace = {
        name.partition("/")[2]: content
        for name, content in files.items()
        if name.startswith("trace.zarr/")
    }
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in trace.items()}
    result = result_of(files)
    result["digests"]["trace"] = hashlib.sha256(text(digests).encode()).hexdigest()
    return files | {"result.json": json.dumps(result).encode()}


FORGED = {
    "a date": lambda table: table["attributes"].update(units="days since 2000-01-01"),
    "no date": lambda table: table["attributes"].update(units="days since garbage"),
    "a factor": lambda table: table["attributes"].update(scale_factor=2.0),
    "no factor": lambda table: table["attributes"].update(scale_factor="x"),
    "no fill": lambda table: table["attributes"].update(_FillValue="x"),
    "coordinates": lambda table: table["attributes"].update(coordinates={"a": 1}),
    "no text": lambda table: table["attributes"].update(meaning=1),
    "larger than memory": lambda table: table.update(shape=[10**12, 10**12]),
    "larger": lambda table: table.update(shape=[2 * size for size in table["shape"]]),
    "smaller": lambda table: table.update(shape=[1 for _ in table["shape"]]),
    "a chunk": (
        lambda table: table["chunk_grid"]["configuration"].update(chunk_shape=[10**6, 10**6])
    ),
    "dimensions": lambda table: table.update(dimension_names=["stratum", "replica"]),
    "one dimension": lambda table: table.update(dimension_names=["replica", "replica"]),
    "no dimensions": lambda table: table.pop("dimension_names"),
    "more codecs": (
        lambda table: table["codecs"].extend(3 * [{"name": "gzip", "configuration": {"level": 1}}])
    ),
    "other codecs": lambda table: table.update(codecs=table["codecs"][:1]),
    "other bytes": lambda table: table["codecs"][0]["configuration"].update(endian="big"),
    "another fill": lambda table: table.update(fill_value=1),
    "keys of chunks": lambda table: table["chunk_key_encoding"].update(name="v2"),
    "a transformer": lambda table: table.update(storage_transformers=[{"name": "x"}]),
    "a field": lambda table: table.update(mine=1),
    "many strata": lambda table: table.update(shape=[table["shape"][0], 10**7]),
    "a codec": lambda table: table.update(codecs=[{"name": "nope", "configuration": {}}]),
    "texts": lambda table: table.update(data_type="string", fill_value=""),
    "single precision": lambda table: table.update(data_type="float32"),
    "truths": lambda table: table.update(data_type="bool", fill_value=False),
    "nothing": dict.clear,
}


@pytest.mark.parametrize("kind", FORGED)
@pytest.mark.parametrize("name", ["loss", "time"])
def test_a_trace_that_no_run_writes_is_refused_whoever_hashed_it(name, kind, runs, tmp_path):
    _, whole, *_ = runs
    table = json.loads(whole[path := f"trace.zarr/{name}/zarr.json"])
    FORGED[kind](table)
    folder = write(tmp_path / "run", rehashed(whole | {path: json.dumps(table).encode()}))
    assert refused(finished, folder).value == folder


@pytest.mark.parametrize("size", [0, 1, 2**20, 2**40])
def test_a_chunk_that_unpacks_to_another_size_is_refused_whoever_hashed_it(size, runs, tmp_path):
    """A header of Zstandard with the size of its content in eight bytes, before the run's own."""
    _, whole, *_ = runs
    name = "trace.zarr/loss/c/0/0"
    head = bytes([0x28, 0xB5, 0x2F, 0xFD, 0b11100000]) + size.to_bytes(8, "little")
    folder = write(tmp_path / "run", rehashed(whole | {name: head + whole[name]}))
    assert "unpacked" in str(refused(finished, folder))


def test_strata_that_all_arrays_have_and_the_spec_does_not_are_refused(runs, tmp_path):
    _, whole, *_ = runs
    files = dict(whole)
    for path in (name for name in whole if name.startswith("trace.zarr/") and name.count("/") == 2):
        table = json.loads(whole[path])
        if "stratum" in table.get("dimension_names", ()):
            table["shape"][-1] = 10**7
            files[path] = json.dumps(table).encode()
    folder = write(tmp_path / "run", rehashed(files))
    assert "by the spec" in str(refused(finished, folder))


@examples(40)
@given(data=st.data())
def test_a_damaged_trace_is_refused_or_read_whoever_hashed_it(data, runs, tmp_path_factory):
    _, whole, *_ = runs
    files = damaged(
        whole, data.draw(damages(sorted(name for name in whole if name.startswith("trace.zarr"))))
    )
    folder = write(tmp_path_factory.getbasetemp() / "rehashed", rehashed(files))
    try:
        assert finished(folder)[1]["loss"].dims == ("replica", "stratum")
    except InputError:
        assert refused(finished, folder).value == folder


def test_a_store_may_lie_behind_links(runs, tmp_path):
    id, whole, killed, *_ = runs
    (tmp_path / "link").symlink_to(tmp_path / "home")
    write(tmp_path / "home" / "runs" / id, killed)
    (tmp_path / "home" / "to runs").symlink_to(tmp_path / "link" / "runs")
    measure(TABLE, tmp_path / "link" / "to runs")
    assert files_of(tmp_path / "home" / "runs" / id) == whole
    # Who types a link to a finished run means that run.
    (tmp_path / "last").symlink_to(tmp_path / "home" / "runs" / id)
    assert finished(tmp_path / "last")[0].run_id == id


def sealed(content):
    """A checkpoint, as anybody can hash it."""
    return hashlib.sha256(content).digest() + content


def saved(value):
    torch.save(value, content := io.BytesIO())
    return content.getvalue()


@examples(40)
@given(data=st.data())
def test_a_forged_checkpoint_is_not_gone_on_from(data, runs, tmp_path_factory):
    id, whole, killed, *_ = runs
    folder = write(tmp_path_factory.getbasetemp() / "forged" / id, killed)
    state = RunFolder(folder, environment("cpu")).checkpoint(bool)
    bound = {"run_id": id, "environment": environment("cpu"), "trace": {}, "state": state}
    places = [*edits(bound), *edits(state, ("state",))]
    *path, last = data.draw(st.sampled_from(places))
    table = bound
    for key in path:
        table = table[key]
    # None of them has the kind or the shape of anything that a run keeps.
    table[last] = data.draw(
        st.sampled_from(["no run's", {"no run's": 0}, [[]] * 9, torch.zeros(9, 9, 9)])
    )
    content = data.draw(st.sampled_from([saved(bound), saved([table[last]]), b"", b"no archive"]))
    ran, said = resumed(killed | {"checkpoint.pt": sealed(content)}, folder)
    assert ran == 12
    assert said.count("\n") == 1
    assert said.endswith("; the run starts afresh\n")
    assert files_of(folder) == whole


def test_a_trace_that_starts_anew_has_no_result(runs, tmp_path):
    """As of the callback, which trains again in the folder of the same training."""
    id, whole, *_ = runs
    result, trace = finished(write(tmp_path / id, whole))
    folder = RunFolder(tmp_path / id, {})
    folder.start_trace(trace, {})
    assert not (folder.path / "result.json").exists()
    folder.finish(result)
    assert finished(Path(folder.path))[1].identical(trace)
