"""Attacks on commands: each ends as if nothing had happened or in one line; and what is wrong is
seen."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from soundness.attacks import KINDS, LINE, SAME, SUBJECTS, Attack, Trouble, attacks
from soundness.survey import Reliability
from soundness.trial import Trial

if sys.platform != "linux":
    pytest.skip("processes are forked and limited as on Linux", allow_module_level=True)


RIGHT = Trial(
    "attack",
    "run of a theorem",
    KINDS["kill"],
    "at write 3 of 9",
    True,
    "",
    SAME,
    False,
    False,
    0.5,
)
REFUSED = replace(RIGHT, kind=KINDS["damage"], witness="boundcheck: RUN", outcome=LINE)
WRONG = replace(
    RIGHT,
    kind=KINDS["torn"],
    change="<script>",
    outcome="a traceback",
    witness="OSError",
    wrong=True,
)


def right(attack):
    made = attack.tried()
    assert not made.wrong, made


@pytest.mark.full
@pytest.mark.parametrize(
    "kind", ["kill", "full disk", "torn", "read-only", "failing disk", "no permission"]
)
def test_a_small_command_survives_every_trouble(kind):
    for seed in range(3):
        right(Attack("folder of a new paper", kind, seed))


@pytest.mark.full
def test_every_subject_survives_a_sample():
    for attack in attacks(60):
        right(attack)


@pytest.mark.nightly
@pytest.mark.parametrize("attack", attacks(), ids=str)
def test_every_attack_is_survived(attack):
    right(attack)


def test_every_kind_of_attack_is_made_on_somebody_and_each_follows_from_its_fields():
    made = attacks()
    assert {attack.kind for attack in made} == set(KINDS)
    assert {attack.subject for attack in made} == set(SUBJECTS)
    assert len(set(made)) == len(made)
    # Kills of each of the long runs.
    for name in (name for name, subject in SUBJECTS.items() if subject.is_long):
        assert sum(attack.kind == "SIGKILL" and attack.subject == name for attack in made) == 50


@pytest.mark.parametrize("share", [30, 10**6])
def test_a_share_has_a_few_of_each_kind_and_is_spread_over_the_subjects(share):
    chosen = attacks(share)
    whole = attacks()
    assert chosen == attacks(share)
    assert set(chosen) < set(whole)
    for kind in KINDS:
        some = [attack.subject for attack in chosen if attack.kind == kind]
        able = {attack.subject for attack in whole if attack.kind == kind}
        assert len(some) >= 3
        assert len(set(some)) >= min(len(some), len(able), 3)
    if share == 30:
        assert {attack.subject for attack in chosen} == set(SUBJECTS)


# What a trouble does, in a process that goes on.


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


WRITES = (
    lambda: Path("folder").mkdir(),
    lambda: Path("folder/a").write_text("a"),
    lambda: os.replace("folder/a", "b"),
    lambda: Path("b").unlink(),
)


@pytest.mark.parametrize("at", range(1, len(WRITES) + 1))
@pytest.mark.parametrize("kind", ["full disk", "read-only", "failing disk"])
def test_a_disk_fails_at_the_write_that_was_asked_for(kind, at, here):
    failed = []
    with Trouble(kind, at).armed(writes := []):
        for number, write in enumerate(WRITES, start=1):
            try:
                write()
            except OSError:
                failed.append(number)
    # A full disk still removes.
    assert at in failed or (kind, at) == ("full disk", 4)
    assert min(failed, default=at) == at
    assert len(writes) == len(WRITES) or failed
    # Reading is no write, nor is what lies elsewhere.
    with Trouble("full disk", 1).armed(writes := []):
        os.listdir(here)
        Path(__file__).read_bytes()
    assert not writes


def test_what_went_wrong_is_counted():
    found = Reliability((RIGHT, REFUSED, WRONG))
    count = found.as_json()
    assert found.as_csv().splitlines()[0] == b"subject,kind,change,outcome,said,wrong,seconds"
    assert count["all"] == {"tried": 3, "wrong": 1, "same": 1, "line": 1, "read": 0}
    assert [row["kind"] for row in count["kinds"]] == [
        KINDS[kind] for kind in ("kill", "torn", "damage")
    ]
    assert [row["said"] for row in count["wrong"]] == ["OSError"]
