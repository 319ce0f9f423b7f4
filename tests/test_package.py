"""The package's own names: imported when they are asked for; a subpackage of that name is there as
well."""

import subprocess
import sys

import pytest

import boundcheck
from tests.layers import full

HEAVY = ("sympy", "numpy", "flint", "torch", "typer", "rich", "scipy", "hypothesis")
SLOW = ("torch", "cvxpy", "matplotlib", "xarray", "sklearn", "z3")


def said(program, *flags):
    done = subprocess.run(
        [sys.executable, *flags, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_package_imports_nothing_by_itself():
    assert said(f"import sys, boundcheck; print([x for x in {HEAVY} if x in sys.modules])") == "[]"


def test_help_imports_neither_algebra_nor_boxes():
    program = f"""
import sys
from boundcheck import cli
sys.argv = ["boundcheck", "--help"]
try:
    cli.main()
except SystemExit as end:
    print(end.code, [x for x in {HEAVY} if x in sys.modules and x != "typer"])
"""
    assert said(program).endswith("0 []")


@full
@pytest.mark.parametrize("use", ["list(bc.claims)", "bc.prove('jiang2024.assumption2')"])
def test_what_is_slow_to_import_is_left_alone(use):
    program = (
        f"import sys, boundcheck as bc; {use}; print([name for name in {SLOW} if name in"
        " sys.modules])"
    )
    assert said(program) == "[]"


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


@full
def test_claims_check_their_input_without_assertions():
    assert said(CLAIMS_AT_WORK, "-O").split() == ["1.25", "True", "T", "L", "T", "T", "x"]


@full
@pytest.mark.parametrize(
    "before",
    [
        "import boundcheck.proofs.meft.claims; import boundcheck.experiment.spec; bc.measure",
        (
            "from boundcheck.proof import script; import boundcheck.worst_case.view; bc.claims;"
            " import boundcheck.language"
        ),
    ],
)
def test_what_is_imported_before_takes_the_place_of_no_name(before):
    program = (
        f"import boundcheck as bc; {before}; print(len(bc.claims) > 20, *map(callable, (bc.prove,"
        " bc.measure)))"
    )
    assert said(program) == "True True True"


@full
def test_a_paper_is_read_when_a_claim_of_it_is_asked_for_and_a_public_name_is_one_object():
    program = """
import sys
from boundcheck.language.catalogue import catalogue
catalogue["jiang2024.theorem2"]
print([x for x in ("meft", "classics") if f"boundcheck.proofs.{x}.claims" in sys.modules])
whole = len(catalogue) == len(list(catalogue.values()))
print("meft.full" in catalogue, "jiang2024.assumption1" in catalogue, whole)
import boundcheck as bc
from boundcheck import Claim, claims, measure
from boundcheck.language.claim import Claim as Same
print(claims is bc.claims is catalogue, Claim is bc.Claim is Same, measure is bc.measure)
print("meft.full" in claims, claims.get("no"), hasattr(claims, "no"))
"""
    assert said(program).splitlines() == [
        "[]",
        "True True True",
        "True True True",
        "True None False",
    ]


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"'proof_of'$"):
        _ = boundcheck.proof_of
