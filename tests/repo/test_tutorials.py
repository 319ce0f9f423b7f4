"""Each tutorial is followed from an empty folder: its files are written, its commands run, what they print compared."""

from pathlib import Path

import pytest

from tests.functions.networks.small import of_peft

from .documents import ROOT, blocks, commands, follow, is_like, runs

TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))


@of_peft
@pytest.mark.full
@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_can_be_followed(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert follow(path, tmp_path) >= 3


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_says_only_what_a_test_runs_and_what_is_to_be_seen(path: Path) -> None:
    """After each command something is shown; no block is there to be looked at alone."""
    found = blocks(path)
    said = [
        (command, printed) for block in found if block.language == "console" for command, printed in commands(block)
    ]
    assert said
    assert [command for command, printed in said if not printed.strip()] == []
    assert [command for command, _ in said if not runs(command)] == []
    assert [block.line for block in found if block.language not in {"console", "python"} and not block.file] == []


def followed(text: str, folder: Path) -> int:
    (folder / "page.md").write_text(text, encoding="utf-8")
    return follow(folder / "page.md", folder)


FILE = "Save this as `x.py`:\n\n```python\nprint(1 + 1)\n```\n\n"


def test_a_page_is_followed_in_order(tmp_path: Path) -> None:
    change = "Change `x.py`:\n\n```diff\n-print(1 + 1)\n+print(1 + 2)\n```\n\n"
    typed = "```python\n>>> y = 4\n>>> y\n4\n```\n\n```python\n>>> y\n4\n```\n"
    shown = [f"```console\n$ python x.py\n{n}\n```\n\n" for n in (2, 3)]
    assert followed(FILE + shown[0] + change + shown[1] + typed, tmp_path) == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FILE + "```console\n$ python x.py\n3\n```\n", "prints\n2"),
        ("```console\n$ python missing.py\n...\n```\n", "exits with 2"),
        ("```console\n$ python missing.py\n```\n", "exits with 2"),
        ("```console\n$ rm x.py\n```\n", "which no test runs"),
        (FILE + "Change `x.py`:\n\n```diff\n-print(2)\n+print(3)\n```\n", "0 times"),
        ("```python\n>>> 1 + 1\n3\n```\n", "Expected"),
        ("```toml\nx = 1\n```\n", "a block that nobody runs"),
    ],
)
def test_a_page_that_is_wrong_is_not_followed(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=said):
        followed(text, tmp_path)


def test_what_is_printed_is_like_what_is_shown() -> None:
    same = ("a b c", "a  b\nc\n", "...", "a ... c", "a ... b ... c", "a ... b c ...")
    other = ("a b", "... b ... b ...", "a b ... b c", "... d ...", "b ...", "... b")
    assert [shown for shown in (*same, *other) if is_like(shown, "a b c\n")] == [*same]


def test_a_command_may_fail_where_the_end_of_what_it_prints_is_shown(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("raise SystemExit('no')", encoding="utf-8")
    assert followed("```console\n$ python x.py\nno\n```\n", tmp_path) == 1
