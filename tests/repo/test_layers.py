"""The layers of tests: what the quick layer keeps of a product and of a list, and how many examples
of a property."""

import pytest
from hypothesis import settings

from tests.layers import EXAMPLES, examples

pytest_plugins = ["pytester"]


@pytest.mark.xdist_group("a group")
def test_a_group_is_seen_by_xdist(request):
    """Pytest and xdist must fit together: under pytest 9.2 groups were dropped, and each worker ran
    all proofs."""
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

@pytest.mark.parametrize("x", range(8))
def test_few(x): ...

@pytest.mark.parametrize("x", range(2))
def test_all(x): ...

@pytest.mark.full
@pytest.mark.parametrize("x", range(16))
def test_slow(x): ...
"""
MARKERS = "\n".join(["[pytest]", "markers =", "  full", "  nightly", "  covering", "  sampled"])


@pytest.mark.parametrize(
    "layer, expected",
    [
        (
            "not full and not nightly",
            {"product": ["p-a", "p-c", "q-b", "q-d"], "list": [1, 4, 7], "few": [1, 3, 5, 7]},
        ),
        ("not nightly", {"slow": range(1, 16, 2)}),
        ("", {"slow": range(16)}),
    ],
    ids=["quick", "full", "nightly"],
)
def test_a_product_is_covered_and_a_list_sampled_or_cut(layer, expected, pytester):
    pytester.makeconftest(CONFTEST)
    pytester.makeini(MARKERS)
    pytester.makepyfile(PARAMETRISED)
    result = pytester.runpytest_inprocess("--collect-only", "-q", "--strict-markers", "-m", layer)
    whole = {
        "product": [f"{y}-{x}" for y in "pq" for x in "abcd"],
        "list": range(8),
        "few": range(8),
    }
    expected = (whole if "slow" in expected else {}) | {"all": range(2)} | expected
    names = sorted(line.split("::test_")[1] for line in result.outlines if "::" in line)
    assert names == sorted(f"{name}[{x}]" for name, kept in expected.items() for x in kept)


def test_a_number_of_examples_is_a_share_that_the_profile_takes():
    share = settings.default.max_examples / EXAMPLES
    assert examples(1000).max_examples == 1000 * share
    assert [examples(most).max_examples for most in (1, 5)] == [1, 5]
    assert (
        settings.get_profile("quick").max_examples
        < EXAMPLES
        == settings.get_profile("nightly").max_examples
    )
    assert not settings.get_profile("nightly").derandomize
