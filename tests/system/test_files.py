"""Files that are written whole or not at all, whatever is in their place, and read without end by
nobody."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.system.files import read_text, replace_file


@given(before=st.none() | st.binary(max_size=20), content=st.binary(max_size=20))
def test_a_file_is_replaced_whole(before, content, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    path = folder / "a"
    if before is not None:
        path.write_bytes(before)
    replace_file(path, content)
    assert path.read_bytes() == content
    assert [x.name for x in folder.iterdir()] == ["a"]


def test_a_link_that_was_planted_is_not_followed(tmp_path, monkeypatch):
    victim = tmp_path / "victim"
    victim.write_bytes(b"kept")
    # The name of a half-written file is guessed.
    monkeypatch.setattr(Path, "with_name", lambda path, name: path.parent / "guessed")
    (tmp_path / "guessed").symlink_to(victim)
    with pytest.raises(FileExistsError):
        replace_file(tmp_path / "a", b"written")
    assert victim.read_bytes() == b"kept"
    # The file itself is replaced where it is a link, and what the link named is not written.
    (tmp_path / "b").symlink_to(victim)
    monkeypatch.undo()
    replace_file(tmp_path / "b", b"written")
    assert victim.read_bytes() == b"kept"
    assert (tmp_path / "b").read_bytes() == b"written"


def test_what_is_interrupted_leaves_nothing_half_written(tmp_path, monkeypatch):
    def stopped(*paths):
        raise KeyboardInterrupt

    (tmp_path / "a").write_bytes(b"before")
    monkeypatch.setattr(os, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        replace_file(tmp_path / "a", b"half")
    assert [(x.name, x.read_bytes()) for x in tmp_path.iterdir()] == [("a", b"before")]


def test_what_a_killed_process_left_half_written_is_removed(tmp_path):
    program = """
import os, signal, sys
from pathlib import Path
from boundcheck.system.files import replace_file
os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
replace_file(Path(sys.argv[1]), b"half")
"""
    assert (
        subprocess.run([sys.executable, "-c", program, str(tmp_path / "a")]).returncode
        == -signal.SIGKILL
    )
    (left,) = tmp_path.iterdir()
    # That of a process that lives, and that of another machine's, are theirs.
    _, dead, _ = left.name.split("-")
    alive = left.name.replace(dead, str(os.getpid()))
    foreign = left.name.replace("a.", "a.0", 1)
    for name in (alive, foreign):
        (tmp_path / name).write_bytes(b"half")
    replace_file(tmp_path / "a", b"whole")
    assert {x.name for x in tmp_path.iterdir()} == {"a", alive, foreign}


@pytest.mark.parametrize("process", ["foo", "", "9" * 20, "-1", "²", " 1", "1_0"])
def test_what_is_called_much_like_it_is_somebody_elses(process, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        made = []
        patch.setattr(os, "replace", lambda old, new: made.append(old.name))
        replace_file(tmp_path / "a", b"")
    machine, _, chance = made[0].split("-")
    (tmp_path / made[0]).unlink()
    for name in (
        f"{machine}-{process}-{chance}",
        f"{machine}-{process}-bar.part",
        f"{machine}-1-bar.part",
    ):
        (tmp_path / name).write_bytes(b"mine")
    before = {path.name for path in tmp_path.iterdir()}
    replace_file(tmp_path / "a", b"whole")
    assert {path.name for path in tmp_path.iterdir()} == before | {"a"}


@pytest.mark.parametrize("kind", ["pipe", "/dev/zero", "/dev/full", "socket"])
def test_what_is_no_regular_file_is_refused_at_once(kind, tmp_path):
    """Nobody writes into the pipe, and the devices never end."""
    path = tmp_path / "a"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind.startswith("/dev"):
        path.symlink_to(kind)
    else:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))
    with pytest.raises((OSError, ValueError)) as refused:
        read_text(path)
    assert kind == "socket" or "no regular file" in str(refused.value)


@given(
    content=st.lists(
        st.sampled_from(
            [b"a", b"\r", b"\n", "é".encode(), "\N{PILE OF POO}".encode(), b"\xff", b"\xe2"]
        )
    ),
)
def test_a_text_is_read_as_python_reads_it(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "a"
    path.write_bytes(whole := b"".join(content))
    try:
        whole.decode()
    except UnicodeDecodeError as error:
        with pytest.raises(ValueError, match=f"{error.reason} at byte {error.start}$"):
            read_text(path)
        return
    assert read_text(path, len(whole)) == path.read_text("utf-8")
    if whole:
        with pytest.raises(ValueError, match=f"more than {len(whole) - 1} bytes"):
            read_text(path, len(whole) - 1)
