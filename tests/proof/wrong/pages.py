"""Names that a display would take for something else: for tags, for TeX, for colours, for
folders."""

import io
import re

import sympy as sp
from rich.console import Console

from boundcheck.errors import InputError
from boundcheck.experiment.view import verdicts_table
from boundcheck.language.claim import Claim, Quantifier, latex_of
from boundcheck.language.prose import mathml_of
from boundcheck.language.screen import show
from boundcheck.present.style import panels, svg
from boundcheck.system.files import file_name

from .case import Case

TAG = "<script>alert(1)</script>"


def without_tag(text):
    """The line with the tag, as text; "" where it is a tag still."""
    return (
        ""
        if TAG in text
        else next((line for line in text.splitlines() if "&lt;script" in line), "(nothing)")
    )


def quantified(text):
    x = sp.Symbol("x", positive=True)
    range_ = Quantifier(within=rf"\text{{{text}}}")
    return Claim("c", "C", "me", sp.Le(x, 2 * x, evaluate=False), range_)._repr_html_()


def drawn(title):
    """A figure with this title is drawn, and has as many letters as are typed: "" where it has
    fewer, or an error."""
    count = []
    for text in (title, "x" * len(title)):

        def draw(axis, _, text=text):
            axis.set_title(text, loc="left")

        try:
            count.append(svg(panels([1], draw)).count("<use "))
        except ValueError:
            return ""
    return f"{count[0]} letters" if count[0] == count[1] else ""


def letter(name):
    return latex_of(sp.Symbol(name))


def matrix(name):
    return latex_of(sp.Trace(sp.MatrixSymbol(name, 2, 2)))


def error(value):
    return str(InputError("T", value, "a number"))


def shown(reason):
    """The line of a table on the screen."""
    console = Console(file=io.StringIO(), width=200)
    show(
        console,
        verdicts_table([{"run_id": "1", "claim": "c", "verdict": "violated", "reason": reason}]),
    )
    lines = console.file.getvalue().splitlines()
    return next(line.strip() for line in lines if "violated" in line)


def inside(folder, name):
    """The name of a file in this folder; "" where it would be outside of it."""
    path = (folder / file_name(name)).resolve()
    return path.name if path.parent == folder.resolve() else ""


def seen(name, truth, act, wrong, fine, expected):
    """A display tells the truth of what is wrong, and shows what is fine as it is expected; both
    are patterns."""

    def twin(_):
        found = act(fine)
        return "" if re.search(expected, found) else f"another display: {found}"

    return Case(name, truth, lambda _: act(wrong), twin)


def named(name, wrong):
    return Case(
        name,
        r"^_.*-[0-9a-f]{8}$",
        lambda folder: inside(folder, wrong),
        lambda folder: inside(folder, "my.claim").removeprefix("my.claim"),
    )


CASES = [
    Case(
        "a tag in a formula",
        "&lt;script",
        lambda _: without_tag(mathml_of(rf"\text{{{TAG}}}")),
        lambda _: "" if "<mi>x</mi>" in mathml_of("x") else "no formula",
    ),
    Case(
        "a tag in a formula of a notebook",
        "&lt;script",
        lambda _: without_tag(quantified(TAG)),
        lambda _: (
            ""
            if "for all" in quantified("for all").replace("&#x000A0;", " ")
            else "it is not there"
        ),
    ),
    seen("a formula that is none", "^<code>", mathml_of, r"\frac{", "x", "^<math"),
    seen("a command as the name of a letter", "backslash", letter, r"x}\input{secret", "x", "^x$"),
    seen("a command as the name of a matrix", "backslash", matrix, r"A}\input{secret", "A", "A"),
    seen("dollars in the title of a figure", "letters", drawn, "a$b$c", "abc", "letters"),
    seen(
        "TeX that is none in the title of a figure",
        "letters",
        drawn,
        r"a$\frac$c",
        "abc",
        "letters",
    ),
    seen(
        "a colour in a reason",
        r"\[green\]supported\[/green\]",
        shown,
        "[green]supported[/green]",
        "fine",
        "fine",
    ),
    seen("a colour that is never closed", r"\[/x\]", shown, "[/x]", "fine", "fine"),
    seen(
        "an error that moves the cursor",
        r"^T = \\x1b\[2K",
        error,
        "\x1b[2Kfine",
        "fine",
        "^T = fine: expected a n",
    ),
    seen(
        "an error that is longer than Python prints",
        "too long to print",
        error,
        10**5000,
        1,
        "^T = 1: expected a n",
    ),
    named("a name that is a path out of the folder", "../../secret"),
    named("a name that is a path of its own", "/etc/passwd"),
]
