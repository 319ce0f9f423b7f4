"""The committed report, made again here and as an older processor would: its numbers to the tolerance, its verdicts."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from boundcheck.experiment.result import TOLERANCE

COMMITTED = Path(__file__).parents[2] / "reports" / "jiang2024" / "results.json"
# Squares of gradients that are nothing but rounding, of runs that have converged.
ROUNDED = 1e-24
# Narrower vector instructions, so that PyTorch, MKL and OpenBLAS sum in another order.
OLDER = {"ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2", "OPENBLAS_CORETYPE": "Nehalem"}
PROGRAM = """
import json, sys
import boundcheck as bc
specs, runs = json.load(sys.stdin), sys.argv[1]
print(json.dumps([result.as_json() for spec in specs for result in bc.measure(spec, runs)]))
"""


def cheap() -> list[dict[str, Any]]:
    """Runs of few steps, each of its claim and verdict once, and a bracket of each claim."""
    runs = json.loads(COMMITTED.read_text(encoding="utf-8"))
    short = [each for each in runs if "plan" not in each or each["plan"]["steps"] <= 500]
    first = {(each["claim"], each["spec"]["problem"]["kind"], each["verdict"]): each for each in reversed(short)}
    return list(first.values())[::3]


def numbers(result: dict[str, Any]) -> dict[str, float]:
    """What a result says, by name."""
    found = {name: result[name] for name in ("measured", "bound") if result.get(name) is not None}
    found |= {f"plan.{name}": x for name, x in result.get("plan", {}).get("values", {}).items()}
    found |= {name: x for name, x in (result["interval"] or {}).items() if isinstance(x, float)}
    # Along the path of a run that has converged they are quotients of roundings.
    ends = result["lower"] if "plan" not in result else {}
    return found | {f"lower.{name}": x for name, x in ends.items()}


@pytest.mark.full
@pytest.mark.parametrize("machine", [{}, OLDER], ids=["this machine", "an older processor"])
def test_a_committed_run_is_found_again_to_the_tolerance(machine: dict[str, str], tmp_path: Path) -> None:
    runs = cheap()
    assert len(runs) >= 10
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    given = json.dumps([each["spec"] for each in runs])
    made = subprocess.run(command, input=given, env=os.environ | machine, text=True, capture_output=True, check=True)
    for before, now in zip(runs, json.loads(made.stdout), strict=True):
        assert now["spec"] == before["spec"]
        assert (now["verdict"], now.get("blame")) == (before["verdict"], before.get("blame")), now["spec"]
        assert numbers(now) == pytest.approx(numbers(before), rel=TOLERANCE, abs=ROUNDED), now["spec"]
