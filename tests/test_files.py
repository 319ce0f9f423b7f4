"""Files that are written whole or not at all, whatever is in their place, and read without end by nobody."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.files import UNFINISHED, read_text, replace_file


@given(before=st.none() | st.binary(max_size=20), content=st.binary(max_size=20))
def test_a_file_is_replaced_whole(
    before: bytes | None, content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("files")
    path = folder / "a"
    if before is not None:
        path.write_bytes(before)
    replace_file(path, content)
    assert path.read_bytes() == content
    replace_file(path, lambda temporary: Path(temporary).write_bytes(content + b"!") and None)
    assert path.read_bytes() == content + b"!"
    assert [x.name for x in folder.iterdir()] == ["a"]


def test_a_link_that_was_planted_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "token_hex", lambda _: "guessed")
    victim = tmp_path / "victim"
    victim.write_bytes(b"kept")
    (tmp_path / f"a.guessed{UNFINISHED}").symlink_to(victim)
    with pytest.raises(FileExistsError):
        replace_file(tmp_path / "a", b"written")
    assert victim.read_bytes() == b"kept"
    # The file itself is replaced where it is a link, and what the link named is not written.
    (tmp_path / "b").symlink_to(victim)
    monkeypatch.undo()
    replace_file(tmp_path / "b", b"written")
    assert (victim.read_bytes(), (tmp_path / "b").read_bytes()) == (b"kept", b"written")


def test_what_is_interrupted_leaves_nothing_half_written(tmp_path: Path) -> None:
    def stopped(temporary: Path) -> None:
        temporary.write_bytes(b"half")
        raise KeyboardInterrupt

    (tmp_path / "a").write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt):
        replace_file(tmp_path / "a", stopped)
    assert [(x.name, x.read_bytes()) for x in tmp_path.iterdir()] == [("a", b"before")]


def test_a_pipe_that_nobody_writes_into_is_empty(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read_text(tmp_path / "pipe") == ""
