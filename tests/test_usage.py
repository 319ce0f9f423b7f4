"""What help and the tabulator key tell: examples that work, and commands, at once, in 3 shells."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from boundcheck import cli
from boundcheck.language.catalogue import catalogue
from boundcheck.proofs import papers
from boundcheck.worst_case import search
from tests.test_cli import SPEC

ROOT = Path(__file__).parents[1]
COMMANDS = typer.main.get_command(cli.app)
EXAMPLES = [
    line.strip()
    for each in COMMANDS.commands.values()
    for line in each.epilog.splitlines()
    if line.startswith("  ")
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_understood(example):
    program, name, *arguments = example.split()
    assert program == "boundcheck"
    found = COMMANDS.commands[name].make_context(name, arguments).params
    assert {each.split()[1] for each in EXAMPLES} == {*COMMANDS.commands}
    for key in ("claim_id", "name", "paper"):
        assert found.get(key) in {*catalogue, *papers(), None, "my_paper"}


QUICK = [x for x in EXAMPLES if x.split()[1] in ("claims", "bound", "new")] + [
    "boundcheck prove meft.lora -v"
]


@pytest.mark.parametrize("example", QUICK)
def test_a_quick_example_works(example, command):
    answer = command(*example.split()[1:])
    assert answer.code == 0
    assert answer.err == ""
    assert answer.out


@pytest.mark.full
def test_the_other_examples_work_in_turn(command, tmp_path, monkeypatch):
    """All but those that take minutes, which have commands of their own in the tests' layers."""
    monkeypatch.setattr(search, "SHRINKING", (16, 8))
    shutil.copy(ROOT / "proofs" / "template.py", tmp_path / "my_lemma.py")
    (tmp_path / "my_spec.toml").write_text(SPEC.format(rank=2))
    (tmp_path / "my_loss.py").touch()
    command("new", "my_paper")
    for name in ("jiang2024", "meft"):
        (tmp_path / "reports" / name).mkdir(parents=True)
        for file in ("index.html", "findings.json"):
            shutil.copy(ROOT / "reports" / name / file, tmp_path / "reports" / name)
    for example in EXAMPLES:
        if example in QUICK or example.endswith(" jiang2024"):
            continue
        runs = [path.parent.name for path in (tmp_path / "runs").glob("*/result.json")]
        arguments = example.replace("RUN", runs[0] if runs else "RUN").split()[1:]
        answer = command(*arguments)
        # What one finds may be a reason to exit with 1.
        may_fail = "--strict" in example or " diff " in example
        assert answer.code in (0, may_fail), (example, answer.err)


SHELLS = {
    "bash": lambda words: {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)},
    "zsh": lambda words: {"_TYPER_COMPLETE_ARGS": " ".join(words)},
    "fish": lambda words: {
        "_TYPER_COMPLETE_ARGS": " ".join(words),
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    },
}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_is_answered_without_what_is_slow_to_import(shell):
    code = (
        "import sys, atexit\natexit.register(lambda: print(*{'torch', 'sympy', 'numpy'} &"
        " sys.modules.keys(), file=sys.stderr))\nfrom boundcheck.__main__ import main; main()"
    )
    asked = SHELLS[shell](["boundcheck", "cl"]) | {"_BOUNDCHECK_COMPLETE": f"complete_{shell}"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "claims" in done.stdout
    assert "prove" not in done.stdout
    assert done.stderr.strip() == ""


@pytest.mark.parametrize("home, code", [("home", 0), ("file/home", 2)])
def test_completion_is_installed_in_the_home_folder_or_refused_in_one_line(
    home, code, command, tmp_path, monkeypatch
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / home))
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    answer = command("--install-completion", "bash")
    assert answer.code == code
    assert answer.err.count("\n") == code // 2
    assert code == 0 or answer.err.startswith("boundcheck: --install-completion = ")
    assert (
        code
        or "_boundcheck_completion"
        in (tmp_path / home / ".bash_completions" / "boundcheck.sh").read_text()
    )
