"""No engine names an id, a symbol or a class of a word: it asks the word. Held over the AST, where comments are not."""

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

import boundcheck
from boundcheck.claims import catalogue, symbols
from boundcheck.claims.symbols import LETTERS, T
from boundcheck.problems.adapters import ADAPTERS
from boundcheck.problems.adapters.base import Adapter
from boundcheck.problems.objective import Objective
from boundcheck.words.algorithms import ALGORITHMS, Algorithm
from boundcheck.words.hypotheses import Hypothesis
from boundcheck.words.measures import Measure, PerformanceMeasure

HOME = Path(boundcheck.__file__).parent
ENGINES = ("prove", "falsify", "measure", "testing", "report", "problems", "networks", "callback.py", "cli.py")
# An adapter is a word: it declares the letters of its own domain.
WORDS = ("problems/adapters",)
# What a file may name, and why.
ALLOWED = {
    "cli.py": {
        "jiang2024": "an example in a help text",
        "'sigma'": "the default of an option, which no import may make slow",
    },
    "measure/plan.py": {"'zeta'": "the field run.zeta of a spec"},
    "measure/spec.py": {"'zeta'": "the field run.zeta of a spec", "'lora'": "the start of that name"},
    "report/sections/theorems.py": {"'alpha'": "a column of a table"},
    "report/typst/formulas.py": {"'ell'": "a command of LaTeX"},
    "problems/pseudo_huber.py": {"'delta'": "a parameter of the loss itself"},
    "prove/readback.py": {"'T'": "a token of the kernel's own language"},
}
KEYS = {id.split(".")[0] for id in catalogue}
NAMES = {str(letter.name) for letter in LETTERS} - {"bound"}
KINDS = {*ADAPTERS, *ALGORITHMS}
BASES = {Adapter, Objective, Algorithm, Hypothesis, Measure, PerformanceMeasure}


def files() -> list[Path]:
    """The files of the engines."""
    found = [path for each in ENGINES for path in (sorted((HOME / each).rglob("*.py")) or [HOME / each])]
    # What numba compiles cannot be imported without it, and is arithmetic.
    found = [path for path in found if path.parent.name != "compiled"]
    if find_spec("transformers") is None:
        # The callback is for those who have it.
        found = [path for path in found if path.name != "callback.py"]
    return [path for path in found if not any(path.is_relative_to(HOME / each) for each in WORDS)]


def strings(tree: ast.AST) -> Iterator[ast.Constant]:
    """The string constants of the code, without its docstrings."""
    docstrings = {
        id(node.value)
        for body in (getattr(node, "body", []) for node in ast.walk(tree))
        if isinstance(body, list)
        for node in body
        if isinstance(node, ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node


def decisions(tree: ast.AST) -> Iterator[ast.AST]:
    """What is compared, looked for in a collection, or asked for its class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            yield node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in {"index", "isdisjoint", "issubset", "issuperset", "startswith", "endswith"}:
                yield node
        elif isinstance(node, ast.MatchValue):
            yield node


def ids(tree: ast.AST, of: dict[str, object]) -> Iterator[tuple[int, str]]:
    """Ids of the catalogue, and what they begin with."""
    for node in strings(tree):
        if any(node.value == key or f"{key}." in node.value for key in KEYS):
            yield node.lineno, f"the id {node.value!r}"


def letters(tree: ast.AST, of: dict[str, object]) -> Iterator[tuple[int, str]]:
    """Letters by name: those of several characters anywhere, and each where something is decided."""
    for node in strings(tree):
        if len(node.value) > 1 and node.value in NAMES:
            yield node.lineno, f"the letter {node.value!r}"
    for decision in decisions(tree):
        for node in strings(decision):
            if node.value in NAMES:
                yield node.lineno, f"a decision by the letter {node.value!r}"


def kinds(tree: ast.AST, of: dict[str, object]) -> Iterator[tuple[int, str]]:
    """Decisions by the kind of an adapter or the id of an algorithm."""
    for decision in decisions(tree):
        if isinstance(decision, ast.Compare) and re.search(r"\b(kind|adapter|algorithm|id)\b", ast.unparse(decision)):
            for node in strings(decision):
                if node.value in KINDS:
                    yield node.lineno, f"a decision by the kind {node.value!r}"


def classes(tree: ast.AST, of: dict[str, object]) -> Iterator[tuple[int, str]]:
    """Decisions by the class of a word, or by which word it is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in {"isinstance", "issubclass"}:
                for name in ast.walk(node.args[1]):
                    known = of.get(name.id) if isinstance(name, ast.Name) else None
                    if isinstance(known, type) and issubclass(known, tuple(BASES)) and known not in BASES:
                        yield node.lineno, f"the class {known.__name__}"
        elif isinstance(node, ast.Compare):
            for side in (node.left, *node.comparators):
                known = of.get(side.id) if isinstance(side, ast.Name) else None
                if isinstance(side, ast.Attribute) and isinstance(side.value, ast.Name):
                    # A letter asked for its name, or reached through its module.
                    above = of.get(side.value.id)
                    known = getattr(above, side.attr, None) if isinstance(above, ModuleType) else None
                    known = above if side.attr == "name" else known
                if isinstance(known, Algorithm | Hypothesis | Measure):
                    yield node.lineno, f"the word {known.id}"
                elif known in LETTERS and known != T:
                    yield node.lineno, f"a decision by the letter '{known}'"


def found(path: Path) -> list[str]:
    """What a file names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    name = ".".join(("boundcheck", *path.relative_to(HOME).with_suffix("").parts)).removesuffix(".__init__")
    of = vars(__import__(name, fromlist=["_"]))
    allowed = ALLOWED.get(path.relative_to(HOME).as_posix(), {})
    rows = sorted({row for rule in (ids, letters, kinds, classes) for row in rule(tree, of)})
    return [f"{path.relative_to(HOME)}:{line}: {what}" for line, what in rows if not any(x in what for x in allowed)]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.relative_to(HOME).as_posix())
def test_no_engine_names_an_id_a_letter_or_a_class_of_a_word(path: Path) -> None:
    """An engine that does is closed to the next word."""
    assert not found(path)


@pytest.mark.parametrize(
    "line",
    [
        'x = catalogue["meft.lora"]',
        'claim.id.startswith("meft")',
        '"eta" in claim.names',
        'names.isdisjoint({"a", "sigma"})',
        'p.name == "r"',
        'adapter.kind == "dora"',
        "isinstance(adapter, LoRA)",
        "algorithm is SGD",
        "p.symbol == sigma",
        "sigma.name in claim.names",
        "symbols.sigma in found",
    ],
)
def test_the_rules_find_what_they_are_about(line: str) -> None:
    """Each of these closed the house once."""
    from boundcheck.problems.adapters import LoRA
    from boundcheck.words.algorithms import SGD

    of: dict[str, object] = {"LoRA": LoRA, "SGD": SGD, "sigma": symbols.sigma, "symbols": symbols}
    assert [row for rule in (ids, letters, kinds, classes) for row in rule(ast.parse(line), of)]
