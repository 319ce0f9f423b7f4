"""The house is in order: sizes are kept, nothing names the machine it was made on. `make lint` has the linters."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SOURCES = sorted(path for folder in ("boundcheck", "proofs") for path in (ROOT / folder).rglob("*.py"))
PYTHON = [sys.executable, "-c"]


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


SLOW = ("torch", "cvxpy", "matplotlib", "xarray", "sklearn", "z3", "cvc5")
IMPORTED = f"import sys, boundcheck as bc; {{}}; print([name for name in {SLOW} if name in sys.modules])"


@pytest.mark.full
@pytest.mark.parametrize("use", ["list(bc.claims)", "bc.prove('jiang2024.assumption2')"])
def test_what_is_slow_to_import_is_left_alone(use: str) -> None:
    assert run(*PYTHON, IMPORTED.format(use)) == "[]\n"


CLAIMS_AT_WORK = """
import boundcheck as bc
claim = bc.claims["jiang2024.theorem2"]
inputs = dict(L=1, C=1, sigma=1, G=3, r=4, D=1, zeta=1)
print(claim.bound(**inputs, T=28), claim.enclosures(**inputs, T=28)["Lhat"] == 7)
for bad in (dict(T=27), dict(T=28, L=0), dict(T=28.5), dict(), dict(T=28, x=1)):
    try:
        claim.bound(**inputs | bad)
    except bc.InputError as error:
        print(error.field)
"""


@pytest.mark.full
@pytest.mark.parametrize("flags", [[], ["-O"]], ids=str)
def test_claims_check_their_input_without_assertions(flags: list[str]) -> None:
    assert run(sys.executable, *flags, "-c", CLAIMS_AT_WORK).split() == ["1.25", "True", "T", "L", "T", "T", "x"]


@pytest.mark.full
def test_every_module_opens_with_its_purpose() -> None:
    silent = [path for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert silent == []


@pytest.mark.full
def test_nothing_committed_names_this_machine() -> None:
    # Not after a letter or a dot: those are addresses on the web.
    machine = re.compile(r"(?<![\w.])/(work|root|home)/")
    found = []
    for name in run("git", "ls-files", "-z").split("\0"):
        path = ROOT / name
        if not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{name}: {match.group()}" for match in machine.finditer(text)]
    assert found == []


def test_nothing_committed_is_made_by_a_program() -> None:
    assert run("git", "ls-files", "--cached", "--ignored", "--exclude-standard").splitlines() == []
