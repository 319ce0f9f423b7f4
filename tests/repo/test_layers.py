"""The layers of tests: each mark is used, what the quick layer keeps of a product, and that it leaves no folder out."""

import ast
from pathlib import Path

import pytest
from hypothesis import settings

from tests.layers import EXAMPLES, examples

pytest_plugins = ["pytester"]

TESTS = Path(__file__).parents[1]
PACKAGE = TESTS.parent / "boundcheck"
FILES = sorted(path for path in TESTS.rglob("test_*.py") if path != Path(__file__))
MARKS = {"full", "nightly", "covering", "sampled"}
# Left out of the quick layer as a whole: they train networks, need a browser or other processes, or are long.
FULL = {
    "measure/test_cluster.py",
    "measure/test_machines.py",
    "measure/test_resume.py",
    "networks/test_accumulation.py",
    "networks/test_bfloat16.py",
    "networks/test_callback.py",
    "networks/test_callback_chance.py",
    "networks/test_callback_refused.py",
    "networks/test_callback_rules.py",
    "networks/test_dora.py",
    "networks/test_gradient_ratio.py",
    "problems/test_fused.py",
    "report/test_browser.py",
    "report/test_numbers.py",
    "testing/test_own_parameters.py",
}


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def marks(tree: ast.Module) -> set[str]:
    """The layers that decorate tests of a file or the whole of it."""
    marked = [mark for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for mark in node.decorator_list]
    marked = [mark.func if isinstance(mark, ast.Call) else mark for mark in marked]
    for node in tree.body:
        if isinstance(node, ast.Assign) and is_pytestmark(node):
            marked += node.value.elts if isinstance(node.value, ast.List) else [node.value]
    return MARKS & {ast.unparse(mark).rpartition(".")[2] for mark in marked}


def is_pytestmark(node: ast.Assign) -> bool:
    return ast.unparse(node.targets[0]) == "pytestmark"


def is_whole(mark: ast.expr) -> bool:
    """Whether a decorator leaves a test out of the quick layer with all of its parametrisations."""
    return isinstance(mark, ast.Attribute) and mark.attr in {"full", "nightly"}


def is_left_out(tree: ast.Module) -> bool:
    """Whether a file has no test in the quick layer."""
    assigned = [node for node in tree.body if isinstance(node, ast.Assign) and is_pytestmark(node)]
    everything = any("mark.full" in ast.unparse(node.value) for node in assigned)
    tests = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return everything or all(any(is_whole(mark) for mark in test.decorator_list) for test in tests)


@pytest.mark.full
def test_each_mark_is_used() -> None:
    assert set().union(*map(marks, map(parsed, FILES))) == MARKS


@pytest.mark.full
def test_the_quick_layer_leaves_out_no_file_but_those_named() -> None:
    found = {path for path in FILES if is_left_out(parsed(path))}
    assert {str(path.relative_to(TESTS)) for path in found} == FULL


def test_each_folder_of_the_package_has_a_folder_of_tests() -> None:
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert {name for name in folders if not list((TESTS / name).glob("test_*.py"))} == set()


@pytest.mark.xdist_group("a group")
def test_a_group_is_seen_by_xdist(request: pytest.FixtureRequest) -> None:
    """Pytest and xdist must fit together: under pytest 9.2 groups were dropped, and each worker ran all proofs."""
    grouped = request.config.getoption("loadgroup", False)
    assert request.node.nodeid.endswith("@a group") == grouped


CONFTEST = """
import pytest
from tests.layers import lay

@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    lay(items)
"""
PARAMETRISED = """
import pytest
from tests.layers import covering, sampled

@covering
@pytest.mark.parametrize("x", "abcd")
@pytest.mark.parametrize("y", "pq")
def test_product(x, y): ...

@sampled(3, 1)
@pytest.mark.parametrize("x", range(8))
def test_list(x): ...

@pytest.mark.parametrize("x", range(2))
def test_all(x): ...

@pytest.mark.full
def test_none(): ...
"""
MARKERS = "\n".join(["[pytest]", "markers =", "  full", "  covering", "  sampled"])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["-m", "not full"], [f"product[{y}-{x}]" for y, x in ("pa", "qb", "pc", "qd")]),
        ([], [f"product[{y}-{x}]" for y in "pq" for x in "abcd"]),
    ],
    ids=["quick", "full"],
)
def test_a_product_is_covered_and_a_list_sampled(
    options: list[str], expected: list[str], pytester: pytest.Pytester
) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makeini(MARKERS)
    pytester.makepyfile(PARAMETRISED)
    result = pytester.runpytest_inprocess("--collect-only", "-q", "--strict-markers", *options)
    rest = [*(f"list[{x}]" for x in ((1, 4, 7) if options else range(8))), "all[0]", "all[1]"]
    names = [line.split("::test_")[1] for line in result.outlines if "::" in line]
    assert sorted(names) == sorted([*expected, *rest, *([] if options else ["none"])])


def test_a_number_of_examples_is_a_share_that_the_profile_takes() -> None:
    share = settings.default.max_examples / EXAMPLES
    assert examples(1000).max_examples == 1000 * share
    assert [examples(most).max_examples for most in (1, 5)] == [1, 5]
    assert settings.get_profile("quick").max_examples < EXAMPLES == settings.get_profile("nightly").max_examples
    assert not settings.get_profile("nightly").derandomize
