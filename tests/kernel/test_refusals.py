"""What the kernel refuses, how it says so, and that none of it rests on an assert."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import boundcheck.kernel
from boundcheck.kernel import RULES, RuleError
from tests.kernel.refusals import CASES

ROOT = Path(__file__).parents[2]
SOURCES = sorted(Path(boundcheck.kernel.__file__).parent.glob("*.py"))
# These apply to whatever terms they are given: the builders refuse, and not they.
TOTAL = {
    "assume",
    "at_most_maximum",
    "cauchy_schwarz",
    "dimension_positive",
    "horizon_positive",
    "minimum_at_most",
    "norm_expansion",
    "norm_nonnegative",
    "root_nonnegative",
    "spectral_below_frobenius",
    "telescope",
    "time_at_least_one",
    "time_at_most_horizon",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_refused(case):
    assert case.failure() is None


def test_the_cases_have_names_of_their_own():
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_rule_that_can_fail_is_seen_to():
    refusing = {case.rule for case in CASES if case.error is RuleError} - {None, "substitution"}
    assert refusing | TOTAL == set(RULES)
    assert not refusing & TOTAL


@pytest.mark.parametrize("flags", [[], ["-O"], ["-OO"]], ids=str)
def test_refusals_need_no_assertions(flags):
    command = [sys.executable, *flags, "-m", "tests.kernel.refusals"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout == f"{len(CASES)} refused, asserts {'off' if flags else 'on'}\n"


@pytest.mark.full
def test_the_script_fails_where_the_kernel_accepts():
    code = (
        "from tests.kernel.refusals import *; CASES[:] = [Case('open', lambda: 0, KernelError),"
        " Case('odd', lambda: 1 // 0, KernelError)]; main()"
    )
    done = subprocess.run(
        [sys.executable, "-O", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "open: accepted, 0",
        "odd: untyped ZeroDivisionError, integer division or modulo by zero",
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_kernel_has_no_assert_and_needs_nothing(path):
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    assert not [node.lineno for node in nodes if isinstance(node, ast.Assert)]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    assert not [node for node in nodes if isinstance(node, ast.ImportFrom) and node.level]
    foreign = [name for name in names if name.split(".")[0] not in sys.stdlib_module_names]
    assert [name for name in foreign if not name.startswith("boundcheck.kernel")] == []


def test_the_rules_rest_on_no_meaning():
    for path in SOURCES:
        if path.name != "meaning.py":
            assert "kernel.meaning" not in path.read_text(encoding="utf-8")
