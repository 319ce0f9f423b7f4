"""What is written of a result is read back as it was, and what is none is refused by the name of
the field."""

import json
import math
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import hypothesis.strategies as st
import pytest
from hypothesis import given

from boundcheck.experiment.result import VERSION, BracketResult, Chain, Result, RunResult, read
from boundcheck.experiment.statistics import FEWEST_REPLICAS, Interval
from boundcheck.functions.problem import End
from boundcheck.verdicts import Verdict
from tests.experiment.small import refused
from tests.layers import examples
from tests.results import ESTIMATES, SPEC, a_run

FINITE = st.floats(allow_nan=False, allow_infinity=False)
PLAIN = {
    float: FINITE,
    int: st.integers(-(2**60), 2**60),
    str: st.text(max_size=5),
    bool: st.booleans(),
    NoneType: st.none(),
    Any: st.none() | FINITE | st.text(max_size=5),
}
# Places where a number beyond floats is infinite when it is read again.
ENDLESS = {(Interval, "upper"), (End, "value"), (Chain, "measured")}


def of(kind):
    """Values of an annotation; a number is NaN or infinite only where it may be None."""
    origin = get_origin(kind)
    parts = get_args(kind)
    if origin is UnionType:
        return st.one_of(
            *(st.floats() if part is float and NoneType in parts else of(part) for part in parts)
        )
    if origin is Literal:
        return st.sampled_from(parts)
    if origin is dict:
        return st.dictionaries(of(parts[0]), of(parts[1]), max_size=2)
    if origin is tuple and parts[-1] is Ellipsis:
        return st.lists(of(parts[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(of, parts))
    if is_dataclass(kind):
        return st.builds(
            kind,
            **{name: field_of(kind, name, each) for name, each in get_type_hints(kind).items()},
        )
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    return PLAIN[kind]


def field_of(kind, name, annotation):
    known = {"version": st.just(VERSION), "spec": st.just(SPEC)}
    if (kind, name) in ENDLESS:
        return FINITE | st.just(math.inf)
    return known[name] if name in known and issubclass(kind, Result) else of(annotation)


@st.composite
def results(draw):
    """A result whose verdict is one that its interval bears."""
    found = draw(of(RunResult) | of(BracketResult))
    if isinstance(found, RunResult) and found.verdict.is_decided:
        # By constants that were measured no verdict is given.
        found = replace(found, estimates=None)
    if not found.verdict.is_supported:
        return found
    kind = draw(st.sampled_from(["exact", "nonasymptotic", "asymptotic"]))
    if isinstance(found, BracketResult) or kind != "asymptotic":
        verdict = Verdict.SUPPORTED
        replicas = draw(st.integers(1, 100))
    else:
        verdict = Verdict.SUPPORTED_ASYMPTOTIC
        replicas = draw(st.integers(FEWEST_REPLICAS, 100))
    interval = replace(draw(of(Interval)), kind=kind)
    return replace(
        found, verdict=verdict, interval=interval, spec=SPEC | {"run": {"replicas": replicas}}
    )


def kept(value):
    """The same with None for NaN and infinities, but where these are read again."""
    if is_dataclass(value) and not isinstance(value, type):
        found = {each.name: getattr(value, each.name) for each in fields(value)}
        same = {name: x if (type(value), name) in ENDLESS else kept(x) for name, x in found.items()}
        return replace(value, **same)
    if isinstance(value, dict):
        return {name: kept(x) for name, x in value.items()}
    if isinstance(value, tuple):
        return tuple(map(kept, value))
    return None if isinstance(value, float) and not math.isfinite(value) else value


@examples(200)
@given(results())
def test_what_is_written_is_read_back(result):
    text = json.dumps(result.as_json(), allow_nan=False)
    again = read(json.loads(text))
    assert again == kept(result)
    assert again.as_json() == json.loads(text)


@pytest.mark.parametrize("limit", ["lower", "upper"])
def test_a_limit_that_is_no_number_is_read_as_one_that_says_nothing(limit):
    found = replace(Interval(0.25, 0.5, 0.95, "asymptotic", ""), **{limit: math.nan})
    assert read(a_run(interval=found).as_json()).interval == replace(
        found, **{limit: {"lower": 0.0, "upper": math.inf}[limit]}
    )


WHOLE = a_run(estimates=ESTIMATES, interval=Interval(0.25, 0.75, 0.95, "exact", "")).as_json()


@pytest.mark.parametrize("name", sorted(WHOLE.keys() - {"plan", "estimates"}))
def test_a_result_without_one_of_its_fields_is_refused_by_its_name(name):
    """Without a plan it is a bracket."""
    error = refused(read, {each: x for each, x in WHOLE.items() if each != name})
    assert error.field == name
    assert error.value == "(not given)"


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"version": VERSION + 1}, "version"),
        ({"version": 0}, "version"),
        ({"version": True}, "version"),
        ({"version": None}, "version"),
        ({"more": 1}, "more"),
        ({"slack": []}, "slack"),
        ({"estimates": WHOLE["estimates"] | {"more": 1}}, "estimates.more"),
        ({"estimates": {x: y for x, y in WHOLE["estimates"].items() if x != "L"}}, "estimates.L"),
        ({"plan": WHOLE["plan"] | {"steps": None}}, "plan.steps"),
        ({"plan": None}, "plan"),
        ({"measured": "much"}, "measured"),
        ({"blame": {"kind": "weather", "name": "", "evidence": ""}}, "blame.kind"),
        ({"spec": {}}, "spec.seed"),
        ({"spec": SPEC | {"run": {"replicas": "many"}}}, "spec.run.replicas"),
    ],
    ids=str,
)
def test_what_is_no_result_is_refused_by_the_name_of_the_field(changes, field):
    assert read(WHOLE)
    assert refused(read, WHOLE | changes).field == field


@pytest.mark.parametrize("value", [None, [], "result", 1], ids=str)
def test_what_is_no_table_is_no_result(value):
    assert refused(read, value).field == "result"
