"""The package's own names: imported when they are asked for, and never taken for the subpackages that they hide."""

import subprocess
import sys

import pytest

HEAVY = ("sympy", "numpy", "flint", "torch", "typer", "rich", "scipy", "hypothesis")


def said(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_package_imports_nothing_by_itself() -> None:
    assert said(f"import sys, boundcheck; print([x for x in {HEAVY} if x in sys.modules])") == "[]"


def test_help_imports_neither_algebra_nor_boxes() -> None:
    program = f"""
import sys
from boundcheck import cli
sys.argv = ["boundcheck", "--help"]
try:
    cli.main()
except SystemExit as end:
    print(end.code, [x for x in {HEAVY} if x in sys.modules and x != "typer"])
"""
    text = said(program)
    assert text.endswith("0 []")
    for command in ("claims", "bound", "prove", "falsify", "measure", "audit", "report", "soundness"):
        assert f"\n  {command} " in text


@pytest.mark.full
@pytest.mark.parametrize(
    "before",
    [
        "import boundcheck.claims.meft",
        "import boundcheck.measure.spec, boundcheck.measure",
        "from boundcheck.prove import script; import boundcheck.falsify.show",
        "bc.claims; bc.measure; import boundcheck.claims, boundcheck.measure.tables",
    ],
)
def test_a_subpackage_does_not_take_the_place_of_a_name(before: str) -> None:
    program = f"import boundcheck as bc; {before}; print(len(bc.claims), bc.prove.__name__, bc.measure.__name__)"
    count, *names = said(program).split()
    assert int(count) > 20
    assert names == ["prove", "measure"]


def test_a_paper_is_read_when_a_claim_is_not_in_those_before_it() -> None:
    program = """
import sys
from boundcheck.claims import catalogue
catalogue["jiang2024.theorem2"]
print([x for x in ("meft", "classics") if f"boundcheck.claims.{x}" in sys.modules])
print("meft.full" in catalogue, list(catalogue)[0], len(catalogue) == len(list(catalogue.values())))
"""
    assert said(program).splitlines() == ["[]", "True jiang2024.assumption1 True"]


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert said("import boundcheck as bc\ntry: bc.proof\nexcept AttributeError as e: print(e)").endswith("'proof'")
