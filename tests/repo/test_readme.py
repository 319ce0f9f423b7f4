"""The README is run: its Python as doctests, its quick commands as a user would type them; its examples are valid."""

import doctest
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from boundcheck.claims import catalogue
from boundcheck.measure.spec import Spec, specs_of
from boundcheck.problems.tables import PROBLEMS
from boundcheck.prove.script import of_paper

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ boundcheck (.+)$", README, flags=re.MULTILINE)


@pytest.mark.full
def test_python_of_the_readme():
    failures, tries = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert tries >= 5
    assert failures == 0


@pytest.mark.full
def test_the_test_file_of_the_readme_passes_in_an_empty_project(tmp_path):
    (block,) = (each for each in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "def test_" in each)
    assert block.count("\n") <= 30
    (tmp_path / "test_mine.py").write_text(block)
    arguments = [sys.executable, "-m", "pytest", "-q", "-W", "error", "--boundcheck-profile", "quick"]
    result = subprocess.run(arguments, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "3 passed" in result.stdout
    assert [path.name for path in tmp_path.glob("instances/*")] == []


# All but the whole paper, which tests/prove audits.
QUICK = [c for c in COMMANDS if c.startswith(("claims", "bound", "prove ")) and c != "prove jiang2024"]


@pytest.mark.full
@pytest.mark.parametrize("command", QUICK)
def test_quick_commands_of_the_readme(command, tmp_path):
    # What the README calls a lemma of one's own.
    shutil.copy(ROOT / "proofs" / "template.py", tmp_path / "my_lemma.py")
    arguments = [sys.executable, "-m", "boundcheck", *shlex.split(command, comments=True)]
    result = subprocess.run(arguments, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert result.returncode == 0, result.stderr


def test_readme_names_only_what_exists():
    assert len(COMMANDS) >= 6
    proved = {each.id for each in of_paper("jiang2024")}
    for name in re.findall(r"`((?:jiang2024|meft)\.[a-z0-9_.]+)`", README):
        assert name in catalogue or name in proved, name
    for path in re.findall(r"examples/\w+\.toml", README):
        assert (ROOT / path).is_file()


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.toml")), ids=lambda path: path.stem)
def test_examples_are_valid_specs(path):
    assert specs_of(path)


def tables_in(annotation):
    """The tables that a field may hold, whatever unions and optional ones they stand in."""
    if hasattr(annotation, "model_fields"):
        return {annotation}
    return {table for each in get_args(annotation) for table in tables_in(each)}


def test_readme_lists_every_field_of_a_spec():
    problems = {PROBLEMS[kind] for kind in PROBLEMS if ":" not in kind}
    assert (len(problems), len(tables_in(Spec.model_fields["model"].annotation))) == (8, 2)
    for name, field in Spec.model_fields.items():
        tables = problems if name == "problem" else tables_in(field.annotation)
        for key in {key for table in tables for key in table.model_fields} or {name}:
            if key != "kind" or name in ("problem", "model"):
                assert re.search(rf"`(?:{name}\.)?{key}`", README), f"{name}.{key}"
