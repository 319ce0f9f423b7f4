"""The catalogue: its ids, that it is closed under hypotheses, how claims show themselves, and what
to cite for them."""

import json
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import hypothesis.strategies as st
import latex2mathml.converter
import pytest
import sympy as sp
from hypothesis import given
from typer.testing import CliRunner

import boundcheck
from boundcheck.cli import app
from boundcheck.errors import InputError
from boundcheck.language.algorithms import LinearMethod
from boundcheck.language.catalogue import boundcheck_entry, catalogue, cited, entries_of, sources
from boundcheck.language.symbols import PARAMETERS
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    Expectation,
    FrobeniusNorm,
    Gradient,
    Iterate,
    MinimumOver,
    SpectralNorm,
)
from boundcheck.proofs import Paper, papers
from boundcheck.version import AUTHORS, RELEASED, TITLE, __version__

IDS = list(catalogue)
VOCABULARY = {
    EuclideanNorm,
    Expectation,
    FrobeniusNorm,
    Gradient,
    Iterate,
    MinimumOver,
    SpectralNorm,
}


def test_the_catalogue_is_a_mapping():
    assert isinstance(catalogue, Mapping)
    assert list(catalogue) == [claim.id for claim in catalogue.values()]
    assert len(catalogue) == len(set(catalogue)) > 10
    assert boundcheck.claims["jiang2024.lemma1"] is catalogue["jiang2024.lemma1"]
    assert catalogue.get("jiang2024.lemma9") is None
    assert "jiang2024.lemma1" in catalogue
    assert "jiang2024.lemma9" not in catalogue
    assert 1 not in catalogue


@pytest.mark.parametrize(
    "id, near",
    [
        ("jiang2024.lema1", "jiang2024.lemma1"),
        ("lemma1_sharp", "meft.lemma1_sharp"),
        ("?", "jiang2024.theorem2"),
    ],
)
def test_an_unknown_id_is_refused_with_the_nearest(id, near):
    with pytest.raises(InputError) as caught:
        catalogue[id]
    assert str(caught.value).startswith(f"claim = {id}: expected an id of the catalogue")
    assert near in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("id", IDS)
def test_every_hypothesis_is_in_the_catalogue(id):
    for hypothesis in catalogue[id].hypotheses:
        assert catalogue[hypothesis.id] is hypothesis


@pytest.mark.parametrize("id", IDS)
def test_a_claim_can_be_sent_to_another_process(id):
    claim = catalogue[id]
    if claim.quantities:
        # What evaluation has cached must not stand in the way.
        claim.function(claim.names[-1])
    if isinstance(claim.algorithm, LinearMethod):
        claim.algorithm.coefficients(1, {symbol.name: 1.0 for symbol in claim.algorithm.parameters})
    twin = pickle.loads(pickle.dumps(claim))
    assert twin.id == claim.id
    assert twin.conclusion == claim.conclusion
    assert twin.conditions == claim.conditions
    assert twin.word == claim.word
    assert twin.measure == claim.measure
    assert twin.algorithm == claim.algorithm
    assert hash(twin.algorithm) == hash(claim.algorithm)
    assert twin.names == claim.names
    # A root that is kept as printed may come back multiplied out.
    assert all(
        sp.simplify(twin.expression(name) - claim.expression(name)) == 0 for name in claim.names
    )


@pytest.mark.parametrize("id", IDS)
def test_parameters_are_the_free_symbols_of_the_formulas(id):
    claim = catalogue[id]
    free = set().union(*(claim.expression(name).free_symbols for name in claim.names))
    assert (
        free
        <= {p.symbol for p in claim.parameters}
        <= {p.symbol for p in (*PARAMETERS.values(), *claim.declared)}
    )
    assert all(p.meaning for p in claim.parameters)
    assert all(quantity.meaning for quantity in claim.quantities)


@pytest.mark.parametrize("id", IDS)
def test_the_statement_converts_to_mathml(id):
    claim = catalogue[id]
    for formula in (claim.statement_latex, *claim.definitions_latex):
        root = ElementTree.fromstring(latex2mathml.converter.convert(formula))
        assert root.tag.endswith("math")
        shown = "".join(root.itertext())
        # A command that the converter does not know would be shown as its name.
        assert "\\" not in shown
        # Letters of the code, and names of nodes that have no LaTeX of their own.
        assert not re.search(
            "Lhat|T_min|sigma|zeta|alpha|kappa|Norm|Gradient|Expectation|Iterate|Minimum", shown
        )


def test_sympy_rebuilds_every_node_of_every_conclusion():
    """Every substitution rebuilds what it passes through: a node that is not invariant would change
    its meaning."""
    nodes = {
        node
        for claim in catalogue.values()
        for node in sp.preorder_traversal(claim.conclusion)
        if node.args
    }
    assert {type(node) for node in nodes} >= VOCABULARY
    for node in nodes:
        rebuilt = node.func(*node.args)
        assert rebuilt == node
        assert type(rebuilt) is type(node)
        assert hash(rebuilt) == hash(node)


ROOT = Path(__file__).parents[2]
ENTRIES = [entry for paper in papers().values() for entry in entries_of(paper)]
# Our own: nobody else has them.
OWN = {"meft.lipschitz", "meft.composition", "meft.start", "meft.goes_on", "meft.loreft_unturned"}
OWN |= {"meft.frozen_factor", "meft.frozen_factor_b", "meft.parabola"}


def test_every_claim_has_its_papers():
    assert {id for id, claim in catalogue.items() if not sources(claim)} == OWN
    for id, claim in catalogue.items():
        *papers_, own = cited(claim)
        assert own.key == "boundcheck"
        assert id.replace("_", r"\_") in own.text
        assert __version__ in own.text
        keys = [each.key for each in papers_]
        # A claim of a paper's cites that paper.
        assert id.split(".")[0] in keys or id.startswith(("meft.", "classic."))


def test_every_entry_is_of_a_claim_and_whole():
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
def test_a_file_that_is_no_bibtex_is_named(text, tmp_path):
    (tmp_path / "sources.bib").write_text(text)
    with pytest.raises(InputError, match=r"sources\.bib = .*expected BibTeX: "):
        entries_of(Paper("mine", "mine", tmp_path))


@given(st.sampled_from(sorted(catalogue)))
def test_the_command_has_bibtex_for_every_claim(id):
    printed = CliRunner().invoke(app, ["cite", id])
    assert printed.exit_code == 0, printed.output
    answer = json.loads(CliRunner().invoke(app, ["cite", id, "--json"]).output)
    assert printed.output == "\n\n".join(answer["bibtex"]) + "\n"
    keys = re.findall(r"^@[a-z]+\{(\w+),$", printed.output, re.MULTILINE)
    assert keys == answer["keys"]
    assert len(keys) == len(set(keys)) == len(answer["bibtex"])
    assert keys[-1] == "boundcheck"
    assert answer["claim"] == id


def test_the_citation_file_says_the_same():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    top = dict(re.findall(r"^([a-z-]+): \"?(.+?)\"?$", text, re.MULTILINE))
    assert top["version"] == __version__
    assert top.get("date-released", "") == RELEASED
    assert top["title"] == TITLE
    newest = re.search(
        r"^## (.+), (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
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
