"""Experiments small enough to run in a test: pseudo-Huber on 4 x 4 matrices, and the pieces of a
run by hand."""

import copy
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from boundcheck.errors import InputError
from boundcheck.experiment.audit import Evidence, audit
from boundcheck.experiment.bracket import measure_bracket
from boundcheck.experiment.plan import Experiment, build
from boundcheck.experiment.result import Subject
from boundcheck.experiment.run import run_ensemble
from boundcheck.experiment.spec import Spec, parse
from boundcheck.experiment.store import RunFolder
from boundcheck.experiment.verdict import judge
from boundcheck.functions.adapters import ADAPTERS, LoRA
from boundcheck.functions.arithmetic import seeded
from boundcheck.functions.objectives.linear import SoftmaxRegression
from boundcheck.functions.objectives.pseudo_huber import synthetic
from boundcheck.functions.problem import Problem
from boundcheck.functions.sgd import Draw
from boundcheck.language.catalogue import catalogue
from boundcheck.language.evidence import Audit
from boundcheck.language.measures import PerformanceMeasure
from boundcheck.language.sentence import measure_of
from boundcheck.system.limits import silent

# Every theorem that a run can be held against; those about the ball of LoRA; and those with a
# shortest horizon. ReLoRA, whose runs are given a period, is in test_relora.
MEASURABLE = tuple(
    id
    for id, claim in catalogue.items()
    if "alpha" in claim.names
    and isinstance(measure_of(claim), PerformanceMeasure)
    and not any(p.name.startswith("period") for p in claim.parameters)
)
THEOREMS = tuple(
    id for id in MEASURABLE if any(p.name in ("sigma", "b") for p in catalogue[id].parameters)
)
WITH_SHORTEST = tuple(id for id in THEOREMS if "T_min" in catalogue[id].names)
FLAT = [kind for kind in ADAPTERS if not kind.startswith("loreft")]

each_theorem = pytest.mark.parametrize("id", THEOREMS)
each_kind = pytest.mark.parametrize("kind", ADAPTERS)
each_flat_kind = pytest.mark.parametrize("kind", FLAT)

# Radii and zeta hold on every run of this file's seed, with little to spare; T = 110 is above T_min
# and informative.
THEOREM_TABLE = {
    "claim": "meft.theorem2_repaired",
    "problem": {"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 8, "noise": 0.5},
    "adapter": {"rank": 2},
    "domain": {"a": 2.6, "b": 1.9},
    "run": {"zeta": 1.8, "batch": 2, "replicas": 6, "steps": 110, "audits": 22},
}
BRACKET_TABLE = {
    "claim": "meft.lemma1_sharp",
    "problem": {"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 6},
    "adapter": {"rank": 2},
    "domain": {"a": 1.5, "b": 2.0},
    "bracket": {"pairs": 64, "iterates": 16, "points": 4, "ascents": 3, "rounds": 8, "looks": 2},
}


def changed(table, changes):
    """A copy of a spec's table with dotted fields set; None removes one."""
    new = copy.deepcopy(table)
    for dotted, value in changes.items():
        *path, last = dotted.split(".")
        inner = new
        for step in path:
            inner = inner.setdefault(step, {})
        if value is None:
            inner.pop(last, None)
        else:
            inner[last] = value
    return new


def altered(table, **changes):
    """The same, of dots that are written as double underscores: run__steps=8."""
    return changed(table, {name.replace("__", "."): value for name, value in changes.items()})


def theorem_table(**changes):
    return altered(THEOREM_TABLE, **changes)


def bracket_table(**changes):
    return altered(BRACKET_TABLE, **changes)


# LoReFT's first claim is of rank 1; where this says nothing, the rank is 2.
RANK = {"full": {}, "loreft": {"rank": 1}}
# For each kind of adapter its tables, with every radius of its domain.
DOMAINS = {kind: dict.fromkeys(adapter.radius_names, 0.5) for kind, adapter in ADAPTERS.items()}
OF_KIND = {
    kind: changed(
        BRACKET_TABLE,
        {
            "claim": adapter.claims[0],
            "adapter": {"kind": kind, **RANK.get(kind, {"rank": 2})},
            "domain": DOMAINS[kind],
        },
    )
    for kind, adapter in ADAPTERS.items()
}


def refused(call, *arguments, **options):
    """The error of a call, which is the user's and one line."""
    with pytest.raises(InputError) as caught:
        call(*arguments, **options)
    assert len(str(caught.value).splitlines()) == 1, str(caught.value)
    return caught.value


def blame_of(found):
    return found.blame and (found.blame.kind, found.blame.name)


def judged(evidence, audits=None):
    """What the verdict on a run says, by the fields of its result."""
    return SimpleNamespace(**judge(evidence, audit(evidence) if audits is None else audits))


@dataclass(frozen=True)
class Measured:
    """The pieces from which an experiment's result is made."""

    evidence: Evidence
    audits: list[Audit]

    def judged(self, claim=None, plan=None, **trace):
        """The verdict, with another claim, plan or values in the trace where they are given."""
        record = self.evidence.record
        for name, values in trace.items():
            changed_trace = record.trace.copy(deep=True)
            changed_trace[name].values[:] = values
            record = replace(record, trace=changed_trace)
        doctored = replace(
            self.evidence,
            claim=claim or self.evidence.claim,
            plan=plan or self.evidence.plan,
            record=record,
        )
        return judged(doctored)


def experiment_of(table, problem=None):
    """The experiment of a spec, on another problem than the spec's where one is given."""
    spec = table if isinstance(table, Spec) else parse(table)
    return Experiment(spec, problem or build(spec, "cpu"), "cpu")


def run_by_hand(table, folder, problem=None):
    """What `measure` does for one theorem, its pieces kept."""
    experiment = experiment_of(table, problem)
    spec = experiment.spec
    plan = experiment.make_plan(silent)
    record = run_ensemble(experiment, plan, RunFolder.create(folder, spec.as_json(), "cpu"), silent)
    evidence = Evidence(spec.theorem, spec, experiment.function, experiment.start, plan, record)
    return Measured(evidence, audit(evidence))


def bracketed(table, problem=None):
    """The bracket of a spec and its trace, of another problem than the spec's where one is
    given."""
    experiment = experiment_of(table, problem)
    spec = experiment.spec
    function = experiment.function
    common = {"run_id": "", "claim": spec.claim, "spec": spec.as_json(), "environment": {}}
    return measure_bracket(
        experiment, silent, **common, problem=Subject(function.name, function.units)
    )


def with_quantity_scaled(claim, factor):
    """The claim with its last quantity, what it is measured against, multiplied by a factor: a
    planted falsehood."""
    *others, last = claim.quantities
    return replace(claim, quantities=(*others, replace(last, expression=last.expression * factor)))


def with_values(plan, **values):
    """The plan with some of the claim's quantities replaced, and with them the algorithm's
    numbers."""
    numbers = plan.numbers | {name: x for name, x in values.items() if name in plan.numbers}
    return replace(plan, values=plan.values | values, numbers=numbers)


def pseudo_huber(rank=2, d=4, k=4, scale=1.0, samples=6, seed=0):
    """Pseudo-Huber regression through LoRA."""
    objective = synthetic(d=d, k=k, samples=samples, delta=1.0, signal=1.0, noise=0.5, seed=seed)
    return Problem(objective, LoRA(torch.zeros(d, k, dtype=torch.float64), rank, scale))


def softmax(rank=2, d=4, k=4, scale=1.0, samples=12, seed=0):
    """Softmax regression on random data through LoRA, every class present."""
    random = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(d), random.integers(0, d, samples - d)])
    objective = SoftmaxRegression("random", random.standard_normal((samples, k)), labels)
    return Problem(objective, LoRA(torch.zeros(d, k, dtype=torch.float64), rank, scale))


def with_replacement(problem, batch, replicas=1):
    """The law of a minibatch drawn with replacement."""
    return Draw(batch, torch.arange(problem.objective.samples).expand(replicas, -1), replaced=True)


def random_point(problem, replicas=1, size=1.0, seed=0):
    """Gaussian factors."""
    random = seeded(seed)
    d, k = problem.objective.shape
    rank = problem.adapter.rank
    A = size * torch.randn((replicas, rank, k), generator=random, dtype=torch.float64)
    B = size * torch.randn((replicas, d, rank), generator=random, dtype=torch.float64)
    return A, B
