"""Stored runs that differ from others in parts of their results, as data would have them; and pages
of them."""

import copy
import os

import pytest

from boundcheck.experiment.result import read
from boundcheck.language.view import Picture
from boundcheck.present import paper as written_by
from boundcheck.present.material import Material, StoredRun
from boundcheck.present.programme import Attack, Programme
from boundcheck.proofs import paper_of
from tests.results import a_run

EMPTY = a_run(run_id="0123456789ab", reason="it was made up", first=1.0, decrease=None).as_json()
"""What a made-up run has that no test of figures looks at."""


def changed(run, **parts):
    """The run with other parts of its result, each by its name, that of a table's entry as
    ``plan__values__Lhat``."""
    data = run.result.as_json()
    for path, value in parts.items():
        *tables, name = path.split("__")
        table = data
        for each in tables:
            table = table[each]
        table[name] = copy.deepcopy(value)
    return StoredRun(read(data), run.trace)


def figure_of(section, *given, **parts):
    """The first figure of a section on the page of this material; None where it draws none."""
    pictures = [
        each for each in section.build(Material(*given, **parts)) if isinstance(each, Picture)
    ]
    return pictures[0].draw() if pictures else None


def small(searches):
    """A programme that asked for these searches."""
    attacks = []
    for each in searches:
        curve = (lambda rank, of=each["curve"]: of[str(rank)]) if each["curve"] else None
        attacks.append(Attack(each["id"], each["lipschitz"], (1, 2), 2, 1.0, curve, each["drawn"]))
    waterfall = ("jiang2024.lemma1", 2)
    return Programme(
        "boundcheck audit x",
        (),
        tuple(attacks),
        waterfall,
        reads_study=True,
        adds="more of everything",
    )


def written_report(stored, proofs, searches, waterfalls, folder):
    """What the audit of jiang2024 would be, had it come to these runs, as if on digits, proofs and
    searches."""
    digits = [changed(run, problem__name="digits") for run in stored]
    found = {"experiments": [run.result for run in digits], "faults": [], "attacks": searches}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(written_by, "load_runs", lambda folders: digits[: len(list(folders))])
        return written_by.write(
            paper_of("jiang2024"),
            small(searches),
            proofs,
            found | {"waterfall": [waterfalls[0][1]]},
            folder / "out",
            folder / "runs",
        )


def need(is_there, what):
    """Skip where a program is missing; in CI, which installs it, that is a failure."""
    if not is_there:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"missing: {what}")
