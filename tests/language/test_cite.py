"""What to cite: for every claim its papers, and boundcheck; CITATION.cff says the same of boundcheck."""

from __future__ import annotations

import json
import re
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given
from typer.testing import CliRunner

from boundcheck.cli import app
from boundcheck.errors import InputError
from boundcheck.language.catalogue import boundcheck_entry, catalogue, cited, entries_of, sources
from boundcheck.proofs import Paper, papers
from boundcheck.version import AUTHORS, RELEASED, TITLE, __version__

ROOT = Path(__file__).parents[2]
ENTRIES = [entry for paper in papers().values() for entry in entries_of(paper)]
# Our own: nobody else has them.
OWN = {"meft.lipschitz", "meft.composition", "meft.start", "meft.goes_on", "meft.loreft_unturned"}
OWN |= {"meft.frozen_factor", "meft.frozen_factor_b", "meft.parabola"}


def test_every_claim_has_its_papers() -> None:
    assert {id for id, claim in catalogue.items() if not sources(claim)} == OWN
    for id, claim in catalogue.items():
        *papers_, own = cited(claim)
        assert own.key == "boundcheck"
        assert id.replace("_", r"\_") in own.text
        assert __version__ in own.text
        keys = [each.key for each in papers_]
        # A claim of a paper's cites that paper.
        assert id.split(".")[0] in keys or id.startswith(("meft.", "classic."))


def test_every_entry_is_of_a_claim_and_whole() -> None:
    keys = [entry.key for entry in ENTRIES]
    assert len(keys) == len(set(keys))
    for entry in ENTRIES:
        assert any(entry.is_of(claim) for claim in catalogue.values()), entry.key
        assert set(entry.claims) <= set(catalogue)
        fields = dict(re.findall(r"^  (\w+) *= \{(.+)\},$", entry.text, re.MULTILINE))
        assert {"author", "title", "year"} <= set(fields)
        assert "claims" not in fields
        assert entry.text.count("{") == entry.text.count("}")
        assert entry.text.isascii()
        assert {"article": "journal", "inproceedings": "booktitle", "book": "publisher"}[
            re.findall(r"^@(\w+)", entry.text)[0]
        ] in fields


@pytest.mark.parametrize("text", ["@article{a, title = {x}", "@article{no comma}", "@article{}"])
def test_a_file_that_is_no_bibtex_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "sources.bib").write_text(text)
    with pytest.raises(InputError, match=r"sources\.bib = .*expected BibTeX: "):
        entries_of(Paper("mine", "mine", tmp_path))


@given(st.sampled_from(sorted(catalogue)))
def test_the_command_has_bibtex_for_every_claim(id: str) -> None:
    printed = CliRunner().invoke(app, ["cite", id])
    assert printed.exit_code == 0, printed.output
    answer = json.loads(CliRunner().invoke(app, ["cite", id, "--json"]).output)
    assert printed.output == "\n\n".join(answer["bibtex"]) + "\n"
    keys = re.findall(r"^@[a-z]+\{(\w+),$", printed.output, re.MULTILINE)
    assert keys == answer["keys"]
    assert len(keys) == len(set(keys)) == len(answer["bibtex"])
    assert keys[-1] == "boundcheck"
    assert answer["claim"] == id


def test_the_citation_file_says_the_same() -> None:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    top = dict(re.findall(r"^([a-z-]+): \"?(.+?)\"?$", text, re.MULTILINE))
    assert (top["version"], top.get("date-released", ""), top["title"]) == (__version__, RELEASED, TITLE)
    newest = re.search(r"^## (.+), (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest.groups() == (__version__, RELEASED or "unreleased")
    assert f'- name: "{AUTHORS}"' in text
    assert RELEASED[:4] in boundcheck_entry().text
    # Its reference is the first paper, with the authors that BibTeX has.
    (entry,) = (each for each in ENTRIES if each.key == "jiang2024")
    authors = re.findall(r"family-names: (\w+), given-names: (.+?)\}", text)
    assert " and ".join(f"{family}, {first}" for family, first in authors) in entry.text
    said = dict(re.findall(r"^    ([a-z]+): \"?(.+?)\"?$", text, re.MULTILINE))
    assert f"title     = {{{said['title']}}}" in entry.text
    assert f"year      = {{{said['year']}}}" in entry.text
