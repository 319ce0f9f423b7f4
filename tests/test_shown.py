"""A text from outside is safe wherever it is shown: terminal, page, LaTeX, figure, notebook."""

import io
import re
import shlex
import sys
import warnings
from unicodedata import category
from xml.etree import ElementTree

import pytest
from hypothesis import given
from IPython.lib.pretty import pretty
from rich.text import Text

from boundcheck.language import prose
from boundcheck.language.prose import mathml_of
from boundcheck.language.view import Prose, Shown, Table, View
from boundcheck.language.view import line as line_of
from boundcheck.present.style import panels, pdf, svg
from boundcheck.present.words import said
from boundcheck.shown import command, visible
from boundcheck.system.ending import say
from boundcheck.system.terminal import ProgressLine, bar, screen
from boundcheck.system.terminal import Table as TerminalTable
from tests.hostile import NASTY, anything
from tests.layers import examples, full


def assert_harmless(text):
    """No sign of it commands a terminal or hides, and a file can hold it."""
    assert not {x for x in text if category(x) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")} - {
        "\n",
        "\t",
    }
    text.encode()


@given(anything)
@examples(300)
def test_what_is_visible_says_the_same(text):
    assert_harmless(visible(text))
    assert visible(visible(text)) == visible(text)
    if "\\" not in text:
        # Each escape is Python's own for that sign.
        assert re.sub(r"\\(x..|u....|U.{8}|r)", lambda x: eval(f"'{x[0]}'"), visible(text)) == text


def printed(text, monkeypatch):
    """What a terminal gets of a text, by each way in which one is printed."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", out)
    console = screen()
    console.print(text, markup=False, soft_wrap=True)
    console.print(Text(text, style="red"))
    table = TerminalTable("head")
    table.add(text)
    table.add(Text(text))
    console.print(table)
    say(text)
    drawn = bar()
    ProgressLine(drawn, in_seconds=True)(text, 1, 2)
    console.print(*drawn.columns[0].render(drawn.tasks[0]).split())
    return out.getvalue()


@given(anything)
@examples(100)
def test_no_text_commands_the_terminal(text):
    with pytest.MonkeyPatch.context() as patch:
        found = printed(text, patch)
    assert_harmless(found)


@given(anything)
@examples(100)
def test_a_shell_reads_a_command_word_by_word(text):
    assert shlex.split(command("prove", text, "-v")) == [
        "boundcheck",
        "prove",
        text,
        "-v",
    ]


class Object(Shown):
    def __init__(self, text):
        self.text = text

    def view(self):
        t = self.text
        return View(t, t, t, (line_of(Prose(t), t),), (Table((t,), [(t,), (Prose(t),)]),))


@given(anything)
@examples(200)
def test_pages_and_notebooks_are_well_formed(text):
    shown = Object(text)
    for made in (
        shown._repr_html_(),
        *(f"<p>{x(text)}</p>" for x in (prose.html, said)),
        mathml_of(text),
    ):
        ElementTree.fromstring(visible(str(made)))
    assert_harmless(prose.plain(text))
    assert_harmless(prose.html(text))
    assert_harmless(shown._repr_html_())
    assert_harmless(pretty(shown))


def balanced(tex):
    """Whether braces close, and dollars come in pairs outside of them or within."""
    bare = re.sub(r"\\.", "", tex, flags=re.DOTALL)
    depth = 0
    for sign in bare:
        depth += (sign == "{") - (sign == "}")
        if depth < 0:
            return False
    return depth == 0 and bare.count("$") % 2 == 0


@given(anything)
@examples(300)
def test_latex_ends_what_it_begins_and_has_no_sign_that_a_text_typed(text):
    made = prose.tex(text)
    assert_harmless(made)
    assert balanced(made)
    # Commands are those that we write.
    assert not re.search(r"\\(input|end|write|def|catcode)(?![A-Za-z])", made)
    assert "%" not in re.sub(r"\\%", "", made)


@given(anything)
@examples(200)
def test_a_formula_however_deep_has_a_line_and_markup(text):
    for typed in (text, f"${text}$"):
        prose.typed(typed)
        prose.latex(typed)
        for latex in (typed, prose.latex(typed)):
            mathml_of(latex)


@pytest.mark.parametrize(
    "name", [name for name in NASTY if name in ("brackets", "braces", "roots", "scripts")]
)
def test_no_sign_of_a_formula_that_is_too_deep_is_lost(name):
    signs = NASTY[name].strip("$")
    made = prose.latex(signs)
    assert [made.split().count(x) for x in "(x"] == [signs.count(x) for x in "(x"]
    assert made.count(r"\surd") + made.count(r"\sqrt") == signs.count("√")


def figure_of(text):
    def draw(axis, _):
        axis.plot([0, 1], [0, 1], label=text or "x")
        axis.set(xlabel=text, ylabel=text, title=text)
        axis.set_xticks([0, 1], [text, text])
        axis.annotate(text, (0, 0))

    figure = panels([1], draw)
    figure.suptitle(text[:200])
    figure.text(0.5, 0.5, text[:200])
    return figure


def assert_drawn(text):
    with warnings.catch_warnings():
        # A label may be wider than the figure.
        warnings.filterwarnings("ignore", "constrained_layout not applied")
        drawn = svg(figure_of(text))
        assert pdf(figure_of(text)).startswith(b"%PDF")
    assert_harmless(re.sub("<!--.*?-->", "", drawn, flags=re.DOTALL))
    ElementTree.fromstring(drawn)


@full
@pytest.mark.parametrize("name", NASTY)
def test_a_figure_is_drawn_whatever_it_says(name):
    assert_drawn(NASTY[name][:300])


def test_a_formula_of_a_figure_is_still_one():
    def draw(axis, _):
        axis.text(0.1, 0.5, "$x^2$ and $y_1$")

    figure = panels([1], draw)
    (text,) = (each for each in figure.axes[0].texts)
    text.set_parse_math(True)
    svg(figure)
    assert text.get_parse_math()
