"""Scripts whose letters were changed: what is carried through stays proved, all else is refused, in
any mixture."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.language.symbols import LETTERS as CATALOGUE
from soundness.readings import EXAMPLES, Reread, renamed, rereadings
from tests.layers import examples

ALL = rereadings()


def test_each_example_and_each_kind_of_change_is_there():
    assert len(ALL) > 400
    assert {x.example.name for x in ALL} == {x.name for x in EXAMPLES}
    assert {x.kind for x in ALL if not x.true} >= {"renamed", "role changed", "assumed"}
    assert sum(x.true for x in ALL) >= 5 * len(EXAMPLES)


@pytest.mark.parametrize("mutant", ALL, ids=lambda x: f"{x.example.name}, {x.kind}, {x.change}")
def test_what_is_true_is_proved_and_all_else_is_refused(mutant):
    trial = mutant.tried()
    assert not trial.wrong
    assert trial.outcome == ("proved" if mutant.true else "not proved"), mutant.verdict()


def test_a_wrong_verdict_would_be_seen():
    honest = next(x for x in ALL if x.true)
    trial = Reread.of(
        honest.example, "planted", "nothing", honest.letters, honest.declared, False
    ).tried()
    assert trial.wrong
    assert not trial.caught


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,3}'?", fullmatch=True)
TAKEN = {
    "E",
    "T",
    "all",
    "always",
    "for",
    "inverse",
    "max",
    "min_t",
    "of",
    "past",
    "root",
    "sum_t",
    "t",
    "tr",
    "with",
}
# What the examples speak of beside their own letters.
TAKEN |= {"F", "f", "r", "k", "n", "one", "d", *(str(x.name) for x in CATALOGUE)}


@examples(120)
@given(st.sampled_from(EXAMPLES), st.data())
def test_fresh_names_are_proved_and_names_that_meet_are_not(example, data):
    """Every letter under a name of its own: proved. Two under one name, or one that is taken: not
    proved."""
    letters = example.letters
    names = data.draw(st.lists(NAMES, min_size=len(letters), max_size=len(letters)))
    line = {
        name: renamed(letter, new)
        for (name, letter), new in zip(letters.items(), names, strict=True)
    }
    declared = [(line[name], role) for name, role in example.roles.items()]
    mutant = Reread.of(example, "renamed", str(names), line, declared, True)
    if len(set(names)) == len(names) and not TAKEN & set(names):
        assert mutant.verdict() == "proved"
    elif len(set(names)) < len(set(line.values())):
        # Two that are the same letter are one.
        assert mutant.verdict() != "proved"
