"""The commands that reports print run as they are printed, from the root of a clone."""

from __future__ import annotations

import re
import shlex
import sys
from html import unescape
from pathlib import Path

import pytest
from typer.main import get_command

from boundcheck import cli

from .documents import ROOT

PAGES = sorted((ROOT / "reports").glob("*/index.html"))
LOGBOOKS = sorted((ROOT / "reports").glob("*/logbook.md"))
SPEC = """claim = "jiang2024.lemma1"
problem = {kind = "pseudo-huber", d = 3, k = 3, samples = 4, delta = 0.25, noise = 0.5}
adapter = {rank = 1}
domain = {a = 1.0, b = 1.0}
bracket = {pairs = 4, iterates = 2, points = 1, ascents = 1, rounds = 1}
"""


def commands(file: Path) -> set[str]:
    """What a page prints under its last heading, and a logbook beside each entry."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".md":
        return set(re.findall(r"`(boundcheck [^`]*)`", text))
    return set(map(unescape, re.findall(r"<code>(boundcheck [^<]*)</code>", text[text.rfind("<h2") :])))


def check(command: str, root: Path) -> None:
    """Whether the command line takes it, and each file that it names is there."""
    _, name, *words = shlex.split(command)
    made = get_command(cli.app)
    made.commands[name].make_context(name, [*words])
    paths = [word for word in words if "/" in word or word.endswith((".toml", ".py"))]
    assert [word for word in paths if not (root / word).exists()] == [], command


@pytest.mark.parametrize("file", [*PAGES, *LOGBOOKS], ids=lambda file: f"{file.parent.name}/{file.name}")
def test_each_printed_command_is_one_that_runs_from_the_root(file: Path) -> None:
    for command in commands(file):
        check(command, ROOT)


@pytest.mark.full
def test_a_page_names_its_spec_as_it_is_typed_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is measured, the printed command is run, and what it prints is the same run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some specs").mkdir()
    (tmp_path / "some specs" / "one.toml").write_text(SPEC)
    command, said = "boundcheck measure 'some specs/one.toml'", []
    for _ in range(2):
        monkeypatch.setattr(sys, "argv", shlex.split(command))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert not ended.value.code
        said.append(capsys.readouterr().out)
        (command,) = commands(tmp_path / "runs" / "report-one" / "index.html")
        check(command, tmp_path)
    assert said[0] == said[1]
