"""Results that no run came to, for tests of what is read, judged and shown of them."""

from boundcheck.experiment.result import Estimates, Planned, RunResult, Subject
from boundcheck.verdicts import Verdict

SPEC = {"seed": 1, "adapter": {"kind": "lora", "rank": 1}}
ESTIMATES = Estimates(
    path=2.0,
    path_sure=2.0,
    L=3.0,
    curvature=None,
    zeta_square=0.25,
    D=1.0,
    radii={},
    G={},
    G_frobenius={},
)


def a_run(**changes):
    """An inconclusive run of a theorem, with changes."""
    given = {
        "run_id": "0" * 12,
        "claim": "meft.theorem2_any_step",
        "verdict": Verdict.INCONCLUSIVE,
        "reason": "a reason",
        "measured": 0.5,
        "bound": 1.0,
        "spec": SPEC,
        "environment": {},
        "problem": Subject("Model", "loss"),
        "plan": Planned(steps=10, batch=1, radii={}, inputs={}, values={}),
        "smallest": 0.5,
        "first": 2.0,
        "gap": 1.0,
        "decrease": 0.5,
    }
    return RunResult(**given | changes)


def stored(verdict, kind, replicas=32):
    """A result as a run of a theorem leaves it, whose verdict stands on an interval of this
    kind."""
    interval = kind and {
        "lower": 0.0,
        "upper": 0.5,
        "level": 0.95,
        "kind": kind,
        "method": "a method",
    }
    spec = SPEC | {"run": {"replicas": replicas}}
    return a_run().as_json() | {"verdict": verdict, "interval": interval, "spec": spec}
