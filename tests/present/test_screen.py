"""A claim on the command line: whole, in letters that can be typed, and with commands that work."""

import io

import pytest
from rich.console import Console

from boundcheck.errors import InputError
from boundcheck.language.catalogue import catalogue
from boundcheck.language.screen import show
from boundcheck.language.sentence import algorithm_of
from boundcheck.language.stated import has_worst_case
from boundcheck.present.screen import catalogue_parts, claim_parts, commands, row, sample
from boundcheck.proof.script import of_paper
from boundcheck.proofs import papers
from boundcheck.system.terminal import _ENDLESS
from boundcheck.worst_case.search import adapter_of

PROVED = {script.id for key in papers() for script in of_paper(key)}


def printed(claim, **console):
    out = io.StringIO()
    screen = Console(file=out, color_system=None, **console)
    show(screen, *claim_parts(claim, on_screen=screen.is_interactive))
    return out.getvalue()


@pytest.mark.parametrize("id", catalogue)
def test_what_json_says_of_a_claim_stands_whole_in_a_pipe(id):
    claim = catalogue[id]
    lines = printed(claim, width=_ENDLESS, force_interactive=False).splitlines()
    said = row(claim)
    cells = {cell for line in lines for cell in line.split("\t")}
    for key in ("id", "title", "source", "statement", "measure", "note", "argument", "unproved"):
        assert said[key] in cells | {""}, key
    assert set(said["try"]) <= cells
    text = "\n".join(lines)
    assert all(f"where\t{each}: " in text for each in said["definitions"])
    assert all(f"under\t{each}, " in text for each in said["hypotheses"])
    assert all(f"parameter\t{each}" in text for each in said["parameters"])
    assert f"proof\t{said['proof']}" in text or not said["proof"]
    assert f"algorithm\t{said['algorithm']}" in text or not said["algorithm"]


@pytest.mark.parametrize("id", catalogue)
def test_each_command_that_is_offered_works_and_others_would_not(id):
    claim = catalogue[id]
    offered = {command.split()[1] for command in commands(claim)}
    assert ("bound" in offered) is bool(claim.quantities)
    if claim.quantities:
        numbers = sample(claim)
        assert numbers.keys() == {p.name for p in claim.parameters}
        assert all(value > 0 for value in claim.values(**numbers).values())
    assert "prove" not in offered or id in PROVED
    if claim.quantities and algorithm_of(claim) is None:
        assert ("falsify" in offered) is is_attacked(claim)
    elif claim.quantities:
        assert ("falsify" in offered) is has_worst_case(claim)


def is_attacked(claim):
    try:
        return bool(adapter_of(claim, None))
    except InputError:
        return False


def test_a_claim_of_ones_own_is_called_by_its_path():
    first, *_ = commands(catalogue["meft.lora"], "mine.py:CLAIM")
    assert first.startswith("boundcheck bound mine.py:CLAIM --set ")


@pytest.mark.full
def test_the_catalogue_has_a_row_for_each_claim_and_the_counts():
    out = io.StringIO()
    show(
        Console(file=out, width=_ENDLESS, force_interactive=False),
        *catalogue_parts(list(catalogue.values())),
    )
    heads, *rows, counts = out.getvalue().splitlines()
    names = heads.split("\t")
    assert {"id", "proof", "title"} <= set(names)
    said = [[each[x] for x in names] for each in map(row, catalogue.values())]
    assert sorted(line.split("\t") for line in rows) == sorted(said)
    assert sum(int(part.split(": ")[1]) for part in counts.split(", ")) == len(catalogue)
