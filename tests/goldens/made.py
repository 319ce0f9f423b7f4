"""How each golden is made, and how it is held against the committed one."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boundcheck.experiment.store import NUMERICS
from tests.experiment.small import BRACKET_TABLE, THEOREM_TABLE, changed

FOLDER = Path(__file__).with_name("kept")
Command = Callable[..., Any]
"""Calls `boundcheck` with arguments in an empty folder; has `code` and `out`."""

PAPERS = ("jiang2024", "meft", "classics", "bottou2018", "methods")
_FULL = {
    "adapter": {"kind": "full"},
    "domain": None,
    "run.batch": None,
    "run.zeta": None,
    "run.replicas": None,
}
RUNS = {
    "too few replicas": THEOREM_TABLE,
    "supported": changed(THEOREM_TABLE, {"run.replicas": 64}),
    "a ball that is left": changed(THEOREM_TABLE, {"domain.a": 2.0}),
    "a bound on the noise that is too small": changed(THEOREM_TABLE, {"run.zeta": 1.0}),
    "a horizon that is too short": changed(THEOREM_TABLE, {"run.steps": 20, "run.audits": 10}),
    "as printed": changed(THEOREM_TABLE, {"claim": "jiang2024.theorem2", "run.steps": 240}),
    "violated": changed(
        THEOREM_TABLE, {"run.replicas": 64, "run.audits": 110, "assume": {"bound": "bound/20"}}
    ),
    "a minibatch without replacement": changed(
        THEOREM_TABLE, {"run.sampling": "without replacement"}
    ),
    "the average": changed(
        THEOREM_TABLE,
        {
            "claim": "meft.theorem2_everywhere",
            "adapter.kind": "frozen-a",
            "domain": None,
            "run.replicas": 64,
        },
    ),
    "one step": changed(
        THEOREM_TABLE, {"claim": "meft.theorem2_any_step", "run.step_size": 0.03, "run.steps": 60}
    ),
    # So few steps that what is measured is no rounding yet.
    "gradient descent": changed(
        THEOREM_TABLE,
        _FULL | {"claim": "nesterov2004.gradient_descent", "run.steps": 6, "run.audits": 6},
    ),
    "momentum": changed(
        THEOREM_TABLE, _FULL | {"claim": "su2016.nesterov", "assume": {"R_1": 9.0}}
    ),
    "smoothness": BRACKET_TABLE,
    "smoothness as printed": changed(BRACKET_TABLE, {"claim": "jiang2024.lemma1"}),
}
SEARCHES = ("jiang2024.lemma1", "meft.lemma1_sharp", "meft.frozen_b", "meft.loreft_sharp")
WORST_CASES = (
    "nesterov2004.gradient_descent",
    "su2016.nesterov",
    "meft.theorem2_repaired",
    "drori2014.gradient_descent",
)
# Sentences, what is rendered from others, and what is of this machine.
_SAID = frozenset(
    {
        "how",
        "reason",
        "title",
        "meaning",
        "printed",
        "evidence",
        "method",
        "letters",
        "letters_told",
        "units",
        "environment",
        "run_id",
        "said",
        "seconds",
        "file",
        "page",
        "folder",
        "certificate",
        "objection",
        "sample",
        "error",
        "rounding",
        "duality_gap",
        "says",
        "why",
        "intervals",
    }
)


@dataclass(frozen=True)
class Golden:
    """A committed file, and how it is made.

    Attributes:
        name: of the file.
        make: makes it, given the command.
        relative: by how much a number may be off where processors round otherwise.

    """

    name: str
    make: Callable[[Command], Any]
    relative: float = 0.0

    @property
    def path(self):
        """The file."""
        return FOLDER / f"{re.sub('[^A-Za-z0-9_.]+', '-', self.name)}.json"

    @property
    def kept(self):
        """What is committed."""
        return json.loads(self.path.read_text("utf-8"))

    def write(self, command):
        """Commit what is made now."""
        text = json.dumps(self.make(command), indent=1, sort_keys=True, ensure_ascii=False)
        self.path.write_text(text + "\n", "utf-8")


def plain(x):
    """JSON without its sentences."""
    if isinstance(x, dict):
        return {
            key: plain(y) for key, y in x.items() if key not in _SAID and not key.endswith("_latex")
        }
    return [plain(y) for y in x] if isinstance(x, list) else x


def schema(x):
    """The keys of JSON, and the types of its values; of a list, those of all its entries."""
    if isinstance(x, dict):
        return {key: schema(y) for key, y in x.items()}
    if isinstance(x, list):
        found = sorted({json.dumps(schema(y), sort_keys=True) for y in x})
        return [json.loads(each) for each in found]
    return type(x).__name__


def differences(new, kept, relative, at=""):
    """Where two are not the same; numbers may be off."""
    if isinstance(new, dict) and isinstance(kept, dict):
        for key in sorted(new.keys() | kept.keys()):
            yield from differences(
                new.get(key, "(nothing)"), kept.get(key, "(nothing)"), relative, f"{at}/{key}"
            )
    elif isinstance(new, list) and isinstance(kept, list) and len(new) == len(kept):
        for i, (x, y) in enumerate(zip(new, kept, strict=True)):
            yield from differences(x, y, relative, f"{at}/{i}")
    elif isinstance(new, float) and isinstance(kept, float):
        if not math.isclose(new, kept, rel_tol=relative, abs_tol=1e-9 if relative else 0.0):
            yield f"{at}: {new!r} in place of {kept!r}"
    elif new != kept or isinstance(new, bool) != isinstance(kept, bool):
        yield f"{at}: {new!r} in place of {kept!r}"


def _proofs(paper):
    def make(command):
        found = {}
        for claim in json.loads(command("prove", paper, "--json").out)["claims"]:
            for proof in claim["proofs"]:
                # Each line by its verdict and a hash of what it says: the whole would be a book.
                lines = {
                    step["label"]: f"{step['verdict']}, {step['trust']}, {_hash(step)}"
                    for step in proof["steps"]
                }
                rest = {
                    key: proof[key]
                    for key in ("verdict", "trust", "standard_facts", "instance", "conclusion")
                }
                ledger = plain({key: proof[key] for key in proof if key.startswith("hypotheses")})
                found[f"{claim['id']}, {proof['version']}"] = rest | ledger | {"lines": lines}
        return found

    return make


def _hash(step):
    said = {
        key: step[key] for key in ("statement", "given", "witness", "follows", "does_not_follow_at")
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]


def _run(name):
    def make(command):
        spec = Path("golden.toml")
        spec.write_text(_toml(RUNS[name]), "utf-8")
        answer = command("measure", str(spec), "--json")
        return {"exit": answer.code, "numerics": NUMERICS} | plain(json.loads(answer.out))

    return make


def _toml(table):
    """A spec of tables of plain values."""
    top = {key: value for key, value in table.items() if not isinstance(value, dict)}
    lines = [f"{key} = {json.dumps(value)}" for key, value in top.items()]
    for name, inner in table.items():
        if isinstance(inner, dict):
            lines += [
                "",
                f"[{name}]",
                *(f"{key} = {json.dumps(value)}" for key, value in inner.items()),
            ]
    return "\n".join(lines) + "\n"


def _search(id):
    def make(command):
        found = plain(
            json.loads(
                command(
                    "falsify", id, "--rank", "1", "--starts", "4", "--examples", "8", "--json"
                ).out
            )
        )
        # Where a climb ends depends on how sums are rounded; how high it is does not.
        return {key: found[key] for key in ("id", "ratio", "violated", "open")}

    return make


def _worst_case(id):
    def make(command):
        found = plain(
            json.loads(command("falsify", id, "--horizon", "1", "--horizon", "2", "--json").out)
        )
        for case in [found, *found["cases"]]:
            # Of the optimal instances of a semidefinite program a solver finds one.
            case.pop("instance")
        for case in found["cases"]:
            case["theorem"] = case["theorem"] and len(case["theorem"]["hypotheses"])
        return found

    return make


def _schemas(command):
    spec = Path("golden.toml")
    spec.write_text(_toml(changed(THEOREM_TABLE, {"run.steps": 8, "run.audits": 4})), "utf-8")
    calls = {
        "claims": ("claims", "meft.theorem2_repaired", "--json"),
        "prove": ("prove", "classics", "--json"),
        "falsify": (
            "falsify",
            "meft.frozen_b",
            "--rank",
            "1",
            "--starts",
            "2",
            "--examples",
            "4",
            "--json",
        ),
        "worst case": ("falsify", "nesterov2004.gradient_descent", "--horizon", "2", "--json"),
        "measure": ("measure", str(spec), "--json"),
    }
    return {name: schema(json.loads(command(*words).out)) for name, words in calls.items()}


EXITS = {
    "help": "--help",
    "no command": "",
    "an unknown command": "prove-it",
    "an unknown option": "prove --loud",
    "an unknown claim": "claims nobody.theorem",
    "an unknown paper": "prove nobody2024",
    "a false line": "prove jiang2024.lemma1",
    "a false line, strictly": "prove jiang2024.lemma1 --strict",
    "a true one, strictly": "prove nesterov2004.gradient_descent --strict",
    "no spec": "measure nowhere.toml",
    "a number that is none": "falsify meft.frozen_b --set L=x",
    "a letter that is not its own": "falsify meft.frozen_b --set Q=1",
    "a bound": "bound meft.lemma1_sharp --set L=1 --set G=1 --set a=1 --set b=1 --set s=1",
}


def _exits(command):
    return {name: command(*words.split()).code for name, words in EXITS.items()}


GOLDENS = {
    golden.name: golden
    for golden in (
        *(Golden(f"proofs of {paper}", _proofs(paper)) for paper in PAPERS),
        *(Golden(f"run, {name}", _run(name), 1e-7) for name in RUNS),
        *(Golden(f"search, {id}", _search(id), 1e-2) for id in SEARCHES),
        *(Golden(f"worst case, {id}", _worst_case(id), 1e-4) for id in WORST_CASES),
        Golden("schemas", _schemas),
        Golden("exit codes", _exits),
    )
}
