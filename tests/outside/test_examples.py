"""The adapters in `examples/adapters` work from outside, each as one file: in measure, falsify and
check_claim."""

import pytest

import boundcheck as bc
from boundcheck.properties import check_claim
from tests.layers import full
from tests.outside.specs import BRACKET

ADAPTERS = {"loha": "LoHa", "vera": "VeRA"}
each_example = pytest.mark.parametrize("name", ADAPTERS)


def spec_of(name):
    file = f"examples/adapters/{name}.py"
    return {
        "claim": f"{file}:SHARP",
        "adapter": {"kind": f"{file}:{ADAPTERS[name]}", "rank": 2, "scale": 0.5},
        "domain": {"a": 0.75, "b": 1.25},
    }


@full
@each_example
def test_its_constant_is_measured(name, tmp_path):
    (result,) = bc.measure(BRACKET | spec_of(name), tmp_path)
    assert result.verdict.plain == "supported", result.reason
    assert 0 < result.measured <= result.upper[0].value


@full
@each_example
def test_no_instance_breaks_its_claim_and_some_break_a_smaller_one(name):
    spec = spec_of(name)
    few = {
        "ranks": (1,),
        "starts": 2,
        "rounds": 16,
        "examples": 2,
        "adapter": spec["adapter"]["kind"],
    }
    claim = bc.claims.opened(spec["claim"])
    assert not bc.falsify(claim, bc.Search(**few)).violated
    smaller = claim.assuming({"Lhat": claim.expression("Lhat") / 2})
    assert bc.falsify(smaller, bc.Search(**few)).violated


@full
@each_example
def test_its_claim_is_tried_on_random_instances(name):
    spec = spec_of(name)
    assert 0 < check_claim(spec["claim"], adapter=spec["adapter"]["kind"], examples=10).ratio <= 1
