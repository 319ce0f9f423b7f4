"""The benchmarks, without their measuring: limits, exponents, lines that fail, results as JSON and
back, the page."""

import math
import subprocess
import sys
from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from benchmarks.alone import measured
from benchmarks.growth import FITTED, Sizes, fit, operations, traffic
from benchmarks.line import QUICK, Benchmark, Curve, Found, Limit, Times
from benchmarks.machine import LOAD
from benchmarks.page import write
from benchmarks.results import Results
from boundcheck.errors import InputError
from tests.layers import examples

numbers = st.floats(1e-6, 1e6)
SIZES = st.integers(1, 40)


def benchmark(name="file.line", limit=None, **more):
    given = {"measure": lambda effort: Found(2.0), "limit": limit} | more
    return Benchmark(name, "ours", "theirs", "times as fast", "s", "A line.", **given)


# Exponents.


@given(st.lists(st.floats(0.5, 2), min_size=FITTED, max_size=FITTED))
@examples(50)
def test_the_line_is_that_of_least_squares_through_the_largest_points(wobble):
    x = 2.0 ** np.arange(FITTED + 4)
    y = np.concatenate([np.full(4, 77.0), np.array(wobble) * x[4:]])
    law = fit(x, y)
    design = np.stack([np.log(x[4:]), np.ones(FITTED)], 1)
    (slope, intercept), *_ = np.linalg.lstsq(design, np.log(y[4:]), rcond=None)
    rest = np.log(y[4:]) - design @ [slope, intercept]
    variance = rest @ rest / (FITTED - 2) * np.linalg.inv(design.T @ design)[0, 0]
    assert law.first == x[4]
    assert law.slope == pytest.approx(slope, abs=1e-9)
    assert law.intercept == pytest.approx(intercept, abs=1e-9)
    assert law.error == pytest.approx(math.sqrt(variance), abs=1e-9)


@given(SIZES, SIZES, SIZES, SIZES, SIZES)
@examples(20)
def test_the_model_counts_the_operations_and_bytes_of_a_plain_iteration(R, d, k, r, m):
    """Each product of p x q by q x s has 2pqs operations."""
    sizes = Sizes(R, d, k, r, 5, m)
    products = 2 * d * r * k + 2 * r * d * k + 2 * d * k * r
    step = 2 * (r * k + d * r)
    assert operations(sizes) == R * (products + 6 * m * d * k + 2 * step)
    A, B, targets, indices = (
        np.zeros(shape) for shape in ((R, r, k), (R, d, r), (R, m, d, k), (R, m))
    )
    assert traffic(sizes) == 2 * (A.nbytes + B.nbytes) + targets.nbytes + 2 * indices.nbytes


# Limits, turns, lines.


@given(numbers, numbers, st.booleans())
@examples(50)
def test_a_limit_holds_just_where_nothing_is_missing(limit, value, is_least):
    held = Limit(limit, is_least)
    assert held.holds(value) == (value >= limit if is_least else value <= limit)
    assert held.holds(value) == (held.missed_by(value) <= 1)


def test_a_line_has_a_verdict():
    for limit, verdict in ((Limit(1.0), "missed"), (Limit(1.0, True), "held"), (None, "measured")):
        assert measured(benchmark(limit=limit), QUICK).verdict == verdict


def fails(effort):
    raise RuntimeError("no compiler\nand more")


def breaks(effort):
    subprocess.run(
        [sys.executable, "-c", "raise SystemExit('bad input')"], check=True, capture_output=True
    )
    raise AssertionError


@pytest.mark.parametrize(
    "spoilt, words",
    [
        (benchmark(needs=("no_such_peer",)), "no_such_peer is not installed here"),
        (benchmark(measure=fails), "It failed here: RuntimeError: no compiler"),
        (benchmark(measure=breaks), "The command ended with exit code 1: bad input"),
    ],
    ids=["not installed", "raises", "command"],
)
def test_a_line_that_cannot_be_measured_says_why(spoilt, words):
    line = measured(spoilt, QUICK)
    assert line.verdict == "not measured"
    assert line.failed.startswith(words)
    assert "\n" not in line.failed


# Results and page.


def results():
    x = tuple(2.0**e for e in range(10))
    curve = Curve(
        "r", "the rank", x, tuple(1e-5 * each for each in x), "d = 16", "Beyond, memory ends."
    )
    lines = [
        benchmark("a.held", Limit(3.0)).line(
            Found(2.0, 2.0, 1.0, {"ours": Times((2.0, 2.5))}, ("A note.",))
        ),
        benchmark("a.missed", Limit(4.0, True), why="Because <so>.").line(Found(2.0, 1.0, 2.0)),
        benchmark("a.absent", Limit(4.0, True)).line(None, "jax is not installed here."),
        benchmark("growth.r").line(Found(1.0, curve=curve)),
        benchmark("growth.roof").line(Found(0.05, 100.0, 5.0, notes=("1 of 20 Gflop/s.",))),
    ]
    machine = {"processor": "some", "load when it began": "0.01"}
    return Results("2026-01-01", 12.3, QUICK, machine, {"numpy": "2.0"}, tuple(lines))


def test_results_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "results.json"
    path.write_bytes(results().as_json())
    assert Results.read(path) == results()


def test_a_later_run_replaces_its_own_lines_alone():
    """And none from another machine, of other versions, or measured with another effort, stands
    beside them."""
    before = results()
    again = replace(before.lines[-1], failed="It was stopped.", found=None)
    new = replace(again, name="file.new")
    later = replace(
        before, made="2027-01-01", machine=before.machine | {LOAD: "9"}, lines=(again, new)
    )
    renewed = before.renewed(later)
    assert renewed.lines == (*before.lines[:-1], again, new)
    assert renewed.made == "2027-01-01"
    assert renewed.minutes == before.minutes + later.minutes
    for changed in (
        replace(later, machine=later.machine | {"processor": "another"}),
        replace(later, versions=later.versions | {"torch": "0"}),
        replace(later, effort=replace(later.effort, turns=later.effort.turns + 1)),
    ):
        with pytest.raises(InputError, match="without names all are measured again"):
            before.renewed(changed)


def test_another_file_is_refused_in_one_line(tmp_path):
    path = tmp_path / "results.json"
    path.write_text('{"lines": 3}', encoding="utf-8")
    with pytest.raises(
        InputError, match=r"results = results.json: expected a file of results"
    ) as raised:
        Results.read(path)
    assert "\n" not in str(raised.value)


def test_a_page_has_each_verdict_and_why_a_line_was_not_measured(tmp_path):
    page = write(results(), tmp_path)[0].read_text(encoding="utf-8")
    # Below what the words mean.
    assert (
        page.partition('id="words"')[2]
        .partition("</dl>")[2]
        .count('class="badge well">held</span>')
        == 1
    )
    assert "a factor of 2.00 is missing. Because &lt;so&gt;." in page
    assert "jax is not installed here." in page
    failed = replace(results(), lines=(benchmark("a.b", Limit(1.0)).line(None, "It was stopped."),))
    assert "It was stopped." in write(failed, tmp_path)[0].read_text(encoding="utf-8")
