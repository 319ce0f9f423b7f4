"""Room for work is judged from what its parts say, before anything of it is made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.errors import InputError
from boundcheck.system import limits
from boundcheck.system.limits import GIB, Demand, available, check_memory

PARTS = st.lists(st.builds(Demand, st.sampled_from(["a", "b", "c"]), st.integers(), st.integers(0, 2**40)), min_size=1)


@given(PARTS, st.floats(1e-6, 2**11))
def test_what_is_larger_than_its_limit_is_refused_by_its_largest_part(parts: list[Demand], memory: float) -> None:
    taken = sum(part.bytes for part in parts)
    if taken <= memory * GIB:
        assert check_memory(parts, memory) == taken
        return
    with pytest.raises(InputError, match="--memory allows") as caught:
        check_memory(parts, memory)
    largest = max(part.bytes for part in parts)
    assert (caught.value.field, caught.value.value) in {(p.field, p.value) for p in parts if p.bytes == largest}


@pytest.mark.parametrize("memory", [0, -1, float("nan")])
def test_no_memory_at_all_is_refused(memory: float) -> None:
    with pytest.raises(InputError, match=r"^memory = .*: expected a positive number of GiB$"):
        check_memory([], memory)


def test_memory_of_the_host_is_not_that_of_an_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"cpu": 100, "cuda": 10}
    monkeypatch.setattr(limits, "available", there.__getitem__)
    parts = [Demand("points", 1, 9), Demand("trace", 2, 99, on_host=True)]
    assert check_memory(parts, device="cuda") == 108
    with pytest.raises(InputError, match=r"^points = 1: expected less, .* are available$"):
        check_memory([*parts, Demand("points", 1, 2)], device="cuda")
    with pytest.raises(InputError, match=r"^trace = 2"):
        check_memory(parts, device="cpu")


def test_a_container_has_what_its_group_has_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit, taken = tmp_path / "max", tmp_path / "current"
    monkeypatch.setattr(limits, "_CGROUPS", [(str(limit), str(taken))])
    outside = available()
    assert outside > 2**20
    limit.write_text("1048576\n")
    taken.write_text("1000000\n")
    assert available() == 48576
    limit.write_text("max\n")
    assert available() > 2**20


def test_what_ulimit_leaves_is_all_there_is() -> None:
    """In a process of its own, whose limit can only sink: addresses that it has are not available again."""
    code = (
        "import resource, psutil; from boundcheck.system.limits import available;"
        "now = psutil.Process().memory_info().vms;"
        "resource.setrlimit(resource.RLIMIT_AS, (now + 2**28, resource.RLIM_INFINITY)); print(available())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 2**26 < int(done.stdout) <= 2**28 * 3 // 4
