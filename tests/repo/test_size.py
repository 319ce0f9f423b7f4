"""The house has a budget: `[tool.boundcheck.size]` of pyproject.toml has the most tokens for each
folder.

Tokens are counted, and not lines, so that code does not get denser to become smaller. Who makes a
folder smaller lowers its figure to where it ended.
"""

import subprocess
import tokenize
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COUNTED = {tokenize.NAME, tokenize.OP, tokenize.NUMBER, tokenize.STRING}
# From Python 3.12 on an f-string is several tokens: what is between its quotes counts as before by
# its start alone.
COUNTED.add(getattr(tokenize, "FSTRING_START", tokenize.STRING))
BUDGET = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["boundcheck"][
    "size"
]


def sources(folder):
    """The Python files of a folder that git knows; all of them where this is no checkout."""
    listed = subprocess.run(
        ["git", "ls-files", folder], capture_output=True, text=True, check=False, cwd=ROOT
    )
    paths = [ROOT / name for name in listed.stdout.split()] or list((ROOT / folder).rglob("*"))
    return [path for path in paths if path.suffix == ".py" and path.is_file()]


@pytest.mark.parametrize("folder", BUDGET)
def test_a_folder_has_no_more_tokens_than_its_budget(folder):
    tokens = 0
    for path in sources(folder):
        with path.open("rb") as source:
            tokens += sum(token.type in COUNTED for token in tokenize.tokenize(source.readline))
    assert 0 < tokens <= BUDGET[folder]
