"""The catalogue: its ids and lookup, that it is closed under hypotheses, and how claims show themselves."""

import pickle
import re
from collections.abc import Mapping
from functools import cache
from xml.etree import ElementTree

import latex2mathml.converter
import pytest
import sympy as sp

import boundcheck
from boundcheck.errors import InputError
from boundcheck.language.catalogue import catalogue
from boundcheck.language.prose import mathml_of
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

IDS = list(catalogue)
VOCABULARY = {EuclideanNorm, Expectation, FrobeniusNorm, Gradient, Iterate, MinimumOver, SpectralNorm}


def test_the_catalogue_is_a_mapping() -> None:
    assert isinstance(catalogue, Mapping)
    assert list(catalogue) == list(catalogue.keys()) == [claim.id for claim in catalogue.values()]
    assert len(catalogue) == len(set(catalogue)) > 10
    assert dict(catalogue.items())["jiang2024.lemma1"] is catalogue["jiang2024.lemma1"]
    assert boundcheck.claims["jiang2024.lemma1"] is catalogue["jiang2024.lemma1"]
    assert catalogue.get("jiang2024.lemma9") is None
    assert "jiang2024.lemma1" in catalogue
    assert "jiang2024.lemma9" not in catalogue
    assert 1 not in catalogue


@pytest.mark.parametrize(
    ("id", "near"),
    [("jiang2024.lema1", "jiang2024.lemma1"), ("lemma1_sharp", "meft.lemma1_sharp"), ("?", "jiang2024.theorem2")],
)
def test_an_unknown_id_is_refused_with_the_nearest(id: str, near: str) -> None:
    with pytest.raises(InputError) as caught:
        catalogue[id]
    assert str(caught.value).startswith(f"claim = {id}: expected an id of the catalogue")
    assert near in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("id", IDS)
def test_every_hypothesis_is_in_the_catalogue(id: str) -> None:
    for hypothesis in catalogue[id].hypotheses:
        assert catalogue[hypothesis.id] is hypothesis


@pytest.mark.parametrize("id", IDS)
def test_a_claim_can_be_sent_to_another_process(id: str) -> None:
    claim = catalogue[id]
    if claim.quantities:
        # What evaluation has cached must not stand in the way.
        claim.function(claim.names[-1])
    twin = pickle.loads(pickle.dumps(claim))
    assert (twin.id, twin.conclusion, twin.conditions) == (claim.id, claim.conclusion, claim.conditions)
    assert twin.names == claim.names
    # A root that is kept as printed may come back multiplied out.
    assert all(sp.simplify(twin.expression(name) - claim.expression(name)) == 0 for name in claim.names)


@pytest.mark.parametrize("id", IDS)
def test_parameters_are_the_free_symbols_of_the_formulas(id: str) -> None:
    claim = catalogue[id]
    free = set().union(*(claim.expression(name).free_symbols for name in claim.names))
    assert free <= {p.symbol for p in claim.parameters} <= {p.symbol for p in (*PARAMETERS.values(), *claim.declared)}
    assert all(p.meaning for p in claim.parameters)
    assert all(quantity.meaning for quantity in claim.quantities)


@pytest.mark.parametrize("id", IDS)
def test_the_statement_converts_to_mathml(id: str) -> None:
    claim = catalogue[id]
    for formula in (claim.statement_latex, *claim.definitions_latex):
        root = ElementTree.fromstring(latex2mathml.converter.convert(formula))
        assert root.tag.endswith("math")
        shown = "".join(root.itertext())
        # A command that the converter does not know would be shown as its name.
        assert "\\" not in shown
        # Letters of the code, and names of nodes that have no LaTeX of their own.
        assert not re.search("Lhat|T_min|sigma|zeta|alpha|kappa|Norm|Gradient|Expectation|Iterate|Minimum", shown)


@cache
def page_of_the_catalogue() -> str:
    return catalogue._repr_html_()


@pytest.mark.parametrize("id", IDS)
def test_a_notebook_shows_the_claim(id: str) -> None:
    claim = catalogue[id]
    assert claim._repr_latex_() == f"$\\displaystyle {claim.statement_latex}$"
    shown = ElementTree.fromstring(f"<div>{claim._repr_html_()}</div>")
    assert claim.id in "".join(shown.itertext())
    formulas = [mathml_of(each) for each in (claim.statement_latex, *claim.definitions_latex)]
    places = [claim._repr_html_().index(each) for each in formulas]
    assert places == sorted(places)
    assert claim._repr_html_() in page_of_the_catalogue()


def test_lemma_1_reads_as_printed() -> None:
    assert catalogue["jiang2024.lemma1"].statement_latex == (
        r"\left\| \nabla F(v_{1}) - \nabla F(v_{2}) \right\| \leq "
        r"\left(2 C L \sqrt{r} \sigma + G\right) \left\| v_{1} - v_{2} \right\| \quad \text{for any } v_1, v_2"
    )


def test_sympy_rebuilds_every_node_of_every_conclusion() -> None:
    """Every substitution rebuilds what it passes through: a node that is not invariant would change its meaning."""
    nodes = {node for claim in catalogue.values() for node in sp.preorder_traversal(claim.conclusion) if node.args}
    assert {type(node) for node in nodes} >= VOCABULARY
    for node in nodes:
        rebuilt = node.func(*node.args)
        assert rebuilt == node
        assert type(rebuilt) is type(node)
        assert hash(rebuilt) == hash(node)


def test_a_case_keeps_its_origin() -> None:
    case = catalogue["meft.lemma1_sharp_equal_radii"]
    assert case.note == "`meft.lemma1_sharp` at $s = 1$, $a = σ$, $b = σ$"
    # The ball with both radii sigma is the paper's own.
    replaced = {"meft.ball": catalogue["jiang2024.assumption2"]}
    assert case.hypotheses == tuple(replaced.get(h.id, h) for h in catalogue["meft.lemma1_sharp"].hypotheses)
