"""The pytest plugin in projects of their own: what a stranger sees who installed boundcheck and
wrote ten lines."""

import json
import re

import pytest

from boundcheck.properties.session import PROFILES
from tests.layers import full

pytest_plugins = ["pytester"]

HEAD = """
import pytest
from sympy import Le, MatrixSymbol, symbols
from boundcheck.language.vocabulary import FrobeniusNorm, SpectralNorm
from boundcheck.properties import check_claim

m, n, k = symbols("m n k", positive=True, integer=True)
X, Y = MatrixSymbol("X", m, n), MatrixSymbol("Y", n, k)
"""
MINE = """
@pytest.fixture
def checked():
    return check_claim(Le(SpectralNorm(X), FrobeniusNorm(X)))

@pytest.mark.boundcheck(examples=4)
def test_few(checked):
    assert checked.examples == 6

def test_true():
    check_claim(Le(FrobeniusNorm(X * Y), SpectralNorm(X) * FrobeniusNorm(Y)))

def test_wrong():
    check_claim(Le(FrobeniusNorm(X * Y), SpectralNorm(X) * SpectralNorm(Y)))

@pytest.mark.xfail
def test_without_a_ratio():
    check_claim(Le(FrobeniusNorm(X), 0))
"""


@full
@pytest.mark.parametrize("options", [["-p", "boundcheck"], ["-n", "2"]], ids=["alone", "xdist"])
def test_a_project_of_ten_lines(pytester, options):
    """Checks in fixtures and in tests that are expected to fail count too; reports cross processes
    as JSON."""
    pytester.makepyfile(HEAD + MINE)
    result = pytester.runpytest_subprocess(
        "-W", "error", "--boundcheck-instances", "broken", *options
    )
    result.assert_outcomes(passed=2, failed=1, xfailed=1)
    text = result.stdout.str()
    if "-n" not in options:
        assert f"boundcheck: profile quick, {PROFILES['quick'].meaning}" in text
    # The failure is the test's own line and the instance, not the machinery.
    assert re.search(
        r">\s+check_claim\(Le\(FrobeniusNorm\(X \* Y\), SpectralNorm\(X\) \* SpectralNorm\(Y\)\)\)",
        text,
    )
    assert "measured over bound is at least 1.414213" in text
    assert "_Search" not in text
    summary = text[text.index("= boundcheck =") :]
    assert len(re.findall(r"‖X‖_op <= ‖X‖_F +6 instances", summary)) == 1
    assert re.search(r"‖Y‖_F\*‖X‖_op +90 instances, +\d+ near-ties", summary)
    assert re.search(r"‖X‖_F <= 0 +VIOLATED, inf", summary)
    found = [*(pytester.path / "broken").iterdir()]
    assert {json.loads(path.read_text())["kind"] for path in found} == {"relation"}
    assert len(found) == 2
    assert any(f"VIOLATED, 1.41421: {path}" in summary for path in found)
    assert not (pytester.path / "instances").exists()


@full
def test_a_profile_is_chosen_on_the_command_line(pytester):
    pytester.makepyfile(
        HEAD + "def test_number():\n    assert check_claim(Le(m, m**2)).profile == 'ci'\n"
    )
    result = pytester.runpytest_inprocess("-p", "no:randomly", "--boundcheck-profile", "ci")
    result.assert_outcomes(passed=1)
    assert "boundcheck: profile ci" in result.stdout.str()


@pytest.mark.parametrize(
    "text, said",
    [
        (
            '@pytest.mark.boundcheck(profile="slow")',
            "profile = slow: expected one of quick, ci, nightly",
        ),
        ("@pytest.mark.boundcheck(examples=0)", "examples = 0: expected a positive integer"),
        ("@pytest.mark.boundcheck(3)", "expected boundcheck(profile=..., examples=...)"),
        ("@pytest.mark.boundcheck(example=3)", "expected boundcheck(profile=..., examples=...)"),
    ],
)
def test_a_marker_that_says_nothing_is_refused(pytester, text, said):
    pytester.makepyfile(f"import pytest\n\n{text}\ndef test_mine():\n    pass\n")
    result = pytester.runpytest_inprocess("-p", "no:randomly")
    result.assert_outcomes(errors=1)
    assert said in result.stdout.str()


@full
def test_a_project_that_checks_nothing_pays_nothing(pytester):
    slow = ("torch", "matplotlib", "scipy.optimize", "hypothesis.core", "xarray", "z3")
    pytester.makepyfile(
        f"import sys\n\ndef test_mine():\n    assert [x for x in {slow} if x in sys.modules] =="
        " []\n"
    )
    result = pytester.runpytest_subprocess(
        "-p", "no:hypothesispytest", "-p", "no:cov", "-p", "no:xdist", "-p", "no:zarr"
    )
    result.assert_outcomes(passed=1)
    assert "= boundcheck =" not in result.stdout.str()
