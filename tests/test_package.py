"""The package's own names: imported when they are asked for; a subpackage of that name is there as well."""

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
        "import boundcheck.proofs.meft.claims",
        "import boundcheck.measure.spec, boundcheck.measure",
        "from boundcheck.prove import script; import boundcheck.falsify.show",
        "bc.claims; bc.measure; import boundcheck.claims, boundcheck.measure.tables",
    ],
)
def test_a_subpackage_does_not_take_the_place_of_a_name(before: str) -> None:
    program = f"import boundcheck as bc; {before}; print(len(bc.claims), *map(callable, (bc.prove, bc.measure)))"
    count, *called = said(program).split()
    assert int(count) > 20
    assert called == ["True", "True"]


@pytest.mark.full
def test_a_name_does_not_take_the_place_of_a_subpackage() -> None:
    program = """
import boundcheck as bc
bc.claims, bc.measure, bc.prove, bc.falsify
import boundcheck.claims as c, boundcheck.exact.sign as sign, boundcheck.measure.build as build
import boundcheck.prove.rows as rows, boundcheck.falsify.climb as climb
from boundcheck import claims, measure
import inspect
print(c is claims is bc.claims, c.Claim is bc.Claim, measure is bc.measure, build.__name__, rows.__name__)
print(list(claims) == list(c.catalogue), claims["meft.full"] is c.catalogue["meft.full"], "meft.full" in claims)
print(len(claims.values()) == len(c.catalogue), claims.get("no"), hasattr(claims, "no"))
print([*inspect.signature(bc.prove).parameters])
"""
    assert said(program).splitlines() == [
        "True True True boundcheck.measure.build boundcheck.prove.rows",
        "True True True",
        "True None False",
        "['targets', 'tick']",
    ]


@pytest.mark.full
def test_a_paper_is_read_when_a_claim_of_it_is_asked_for() -> None:
    program = """
import sys
from boundcheck.claims import catalogue
catalogue["jiang2024.theorem2"]
print([x for x in ("meft", "classics") if f"boundcheck.proofs.{x}.claims" in sys.modules])
print("meft.full" in catalogue, "jiang2024.assumption1" in catalogue, len(catalogue) == len(list(catalogue.values())))
"""
    assert said(program).splitlines() == ["[]", "True True True"]


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert said("import boundcheck as bc\ntry: bc.proof\nexcept AttributeError as e: print(e)").endswith("'proof'")
