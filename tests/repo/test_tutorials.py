"""Each tutorial is followed from an empty folder: its files are written, its commands run, what they print compared."""

from pathlib import Path

import pytest

from .documents import Block, ROOT, change, commands, follow, is_like

TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))


@pytest.mark.full
@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_can_be_followed(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert follow(path, tmp_path) >= 3
