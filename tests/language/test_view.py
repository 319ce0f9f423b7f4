"""Whatever is typed, what a notebook shows of it is well formed, and is text; and it can be read on
any background."""

import re
from unicodedata import category
from xml.etree import ElementTree

import hypothesis.strategies as st
import pytest
from hypothesis import given

from boundcheck.language.prose import mathml_of
from boundcheck.language.view import (
    Badge,
    Fold,
    Line,
    Math,
    Prose,
    Stack,
    Table,
    View,
    html,
    line,
)
from boundcheck.verdicts import Look, Verdict, look_of
from tests.layers import examples

HOSTILE = [
    "<script>alert(1)</script>",
    "a & b < c",
    "$x_1$ and $5",
    r"\input{secret}",
    "a_b^c~d#e%f{g}",
    "]]>",
    "&lt;",
]
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=20))
FORMULAS = st.sampled_from(
    [r"\frac{a}{b} \le \sqrt{r} \, \sigma", "x_{1}", r"\text{<b>}", r"\frac{"]
)
VERDICTS = [
    *map(str, Verdict),
    "proved",
    "refuted",
    "repaired",
    "unknown",
    "held",
    "failed",
    "editorial",
    "violated",
    "conditional",
    "remark",
]
PLAIN = st.one_of(TEXTS, FORMULAS.map(Math), TEXTS.map(Prose), st.sampled_from(VERDICTS).map(Badge))
CELLS = st.one_of(PLAIN, st.lists(PLAIN, max_size=2).map(lambda x: Stack(tuple(x))))
LINES = st.lists(CELLS, max_size=3).map(lambda cells: Line(tuple(cells)))
TABLES = st.integers(1, 3).flatmap(
    lambda n: st.builds(
        Table,
        st.lists(TEXTS, min_size=n, max_size=n).map(tuple),
        st.lists(st.lists(CELLS, min_size=n, max_size=n), max_size=20),
    )
)


def views(parts):
    return st.builds(
        View,
        TEXTS,
        TEXTS,
        st.sampled_from(["", *VERDICTS]),
        st.lists(LINES, max_size=2).map(tuple),
        st.lists(parts, max_size=3).map(tuple),
    )


FLAT = st.one_of(LINES, TABLES)
VIEWS = views(
    st.one_of(FLAT, views(FLAT), st.builds(Fold, LINES, st.lists(FLAT, max_size=2).map(tuple)))
)
# What the HTML may have: no script, no link, no image, and nothing with an event.
TAGS = {
    "div",
    "strong",
    "small",
    "code",
    "span",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "details",
    "summary",
}


def texts(view):
    """The plain texts of a view."""
    match view:
        case View():
            return [
                view.title,
                view.name,
                *(x for part in (*view.lines, *view.parts) for x in texts(part)),
            ]
        case Line() | Stack():
            return [x for cell in view.cells for x in texts(cell)]
        case Table():
            return [*view.head, *(x for row in view.rows for cell in row for x in texts(cell))]
        case Fold():
            return [*texts(view.line), *(x for part in view.parts for x in texts(part))]
        case str():
            return [view]
    return []


def printable(text):
    hides = (
        x not in "\n\t" and category(x) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp") for x in text
    )
    return "".join(
        x.encode("unicode_escape").decode() if h else x for x, h in zip(text, hides, strict=True)
    )


@given(VIEWS)
@examples(200)
def test_the_html_is_well_formed_and_each_text_is_text(view):
    root = ElementTree.fromstring(html(view))
    shown = "".join(root.itertext())
    for text in texts(view):
        assert printable(text) in shown
    for element in root.iter():
        space, _, tag = element.tag.rpartition("}")
        assert "MathML" in space or tag in TAGS
        assert not any(name.lower().startswith(("on", "href", "src")) for name in element.attrib)
        # No colour is set but with its background.
        style = element.get("style", "")
        assert ("color:#fff" in style) == ("background:" in style)
        assert "#000" not in style


def test_a_badge_tells_what_is_false_from_what_holds_and_what_is_open():
    looks = {
        word: re.findall("background:(#.{6})", html(View("", verdict=word)))[0] for word in VERDICTS
    }
    assert looks["refuted"] == looks["violated"] == looks["failed"]
    assert looks["proved"] == looks["supported"] == looks["held"]
    assert len({looks[x] for x in ("proved", "repaired", "conditional", "refuted", "unknown")}) == 5
    by_look = {look_of(word): colour for word, colour in looks.items()}
    assert looks == {word: by_look[look_of(word)] for word in VERDICTS}
    assert len(set(by_look.values())) == len(Look)


def test_a_formula_is_mathml_and_a_text_with_formulas_has_some():
    shown = html(View("t", lines=(line(Math("x_{1}"), Prose("as $√r·σ$ grows")),)))
    assert mathml_of("x_{1}") in shown
    assert "<msqrt>" in shown
    assert "$" not in shown


@pytest.mark.parametrize("rows, folds", [(12, 0), (13, 1)])
def test_a_long_table_folds_and_loses_no_row(rows, folds):
    root = ElementTree.fromstring(
        html(View("t", parts=(Table(("n",), [(f"row {i}",) for i in range(rows)]),)))
    )
    assert len(root.findall(".//details")) == folds
    assert [cell.text for cell in root.iter("td")] == [f"row {i}" for i in range(rows)]
    assert [x.text for x in root.iter("summary")] == ["and 1 more"] * folds
