"""What is committed: no text of a user is run, and nothing names the machine it was made on or is
made by a program."""

import ast
import re
import subprocess
from contextlib import suppress
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.layers import full

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path
    for folder in ("boundcheck", "soundness", "proofs")
    for path in (ROOT / folder).rglob("*.py")
)

# These take text for code. What SymPy's `lambdify` makes is code as well: of expressions that were
# parsed or written.
NEVER = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "literal_eval",
    "parse_expr",
    "S",
    "nsimplify",
    "parse_latex",
    "Decimal",
}
LAMBDIFY = {
    "boundcheck/language/claim.py",
    "boundcheck/experiment/waterfall.py",
    "boundcheck/properties/problem_strategies.py",
    "boundcheck/language/algorithms.py",
}
# These round numbers for print.
DECIMAL = {
    "boundcheck/exact/digits.py",
    "soundness/smoothness.py",
}
# It runs files that a person allowed: tests/test_hostile.py.
OPENS = {"boundcheck/system/plugins.py"}
# These load what was pickled.
PICKLES = {"pickle", "dill", "cloudpickle", "shelve", "marshal"}


def called(node):
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def keyword(node, name):
    return next(
        (
            k.value.value
            for k in node.keywords
            if k.arg == name and isinstance(k.value, ast.Constant)
        ),
        None,
    )


def wrong(tree, where):
    """What reads a text, or weights, in a way that can run it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
            )
            yield from (f"import of {name}" for name in names if name.split(".")[0] in PICKLES)
        if not isinstance(node, ast.Call):
            continue
        name = called(node)
        method = isinstance(node.func, ast.Attribute)
        # A model is put into its mode by `eval`, a solver's expression has its value by it: neither
        # takes anything.
        taken = not (name == "eval" and method and not node.args)
        if (
            name in NEVER
            and taken
            and not (name == "Decimal" and where in DECIMAL)
            and not (name == "compile" and method)
            and not (name in ("exec", "compile") and where in OPENS)
        ):
            yield name
        if name == "sympify" and keyword(node, "strict") is not True:
            yield "sympify that is not strict"
        if name == "lambdify" and where not in LAMBDIFY:
            yield name
        owner = getattr(node.func.value, "id", "") if isinstance(node.func, ast.Attribute) else ""
        if (
            name == "load"
            and owner in ("torch", "np", "joblib")
            and keyword(node, "weights_only") is not True
        ):
            yield "load of what may be pickled"
        if name == "from_pretrained" and keyword(node, "trust_remote_code") is not False:
            yield name


def test_no_text_of_a_user_is_run():
    found = {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in SOURCES
    }
    assert [(where, what) for where, tree in found.items() for what in wrong(tree, where)] == []


RUN = """
eval(text)
exec(text)
sp.sympify(text)
sympify(text, strict=False)
sp.S(text)
parse_expr(text)
sp.lambdify([x], e)
import pickle
from pickle import loads
torch.load(path)
torch.load(path, weights_only=False)
np.load(path, allow_pickle=True)
AutoModel.from_pretrained(folder)
Decimal(text)
"""
HARMLESS = """
model.eval()
re.compile(text)
sp.sympify(x, strict=True)
torch.load(p, weights_only=True)
"""


def test_what_would_run_it_is_seen_and_nothing_else():
    for line in RUN.split("\n")[1:-1]:
        assert len([*wrong(ast.parse(line), "boundcheck/new.py")]) == 1, line
    assert [*wrong(ast.parse(HARMLESS), "boundcheck/new.py")] == []


@full
def test_no_files_import_each_other():
    """However indirectly, in a function or for a type."""
    grimp = pytest.importorskip("grimp", reason="import-linter brings it")
    graph = grimp.build_graph("boundcheck", cache_dir=None)
    imported = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    assert any("boundcheck.errors" in each for each in imported.values())
    # A CycleError names the files.
    TopologicalSorter(imported).prepare()


def listed(*options):
    command = ["git", "ls-files", "-z", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split("\0") if name]


@full
def test_nothing_committed_names_this_machine():
    # Not after a letter or a dot: those are addresses on the web.
    machine = re.compile(r"(?<![\w.])/(work|root|home)/")
    found = []
    for path in (ROOT / name for name in listed()):
        # What is no text names nothing.
        with suppress(UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            found += [
                f"{path}: {match.group()}"
                for match in machine.finditer(path.read_text(encoding="utf-8"))
            ]
    assert found == []


def test_nothing_committed_is_made_by_a_program():
    assert listed("--cached", "--ignored", "--exclude-standard") == []
