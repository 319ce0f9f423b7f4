"""Names that a display would take for something else: for tags, for TeX, for colours, for folders."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import sympy as sp
from rich.console import Console

from boundcheck.errors import InputError
from boundcheck.language.claim import Claim, latex_of
from boundcheck.language.prose import mathml_of
from boundcheck.language.screen import show
from boundcheck.present.screen import verdicts_table
from boundcheck.present.style import panels, svg
from boundcheck.system.files import file_name

from .case import Case

TAG = "<script>alert(1)</script>"


def without_tag(text: str) -> str:
    """The line with the tag, as text; "" where it is a tag still."""
    return "" if TAG in text else next((line for line in text.splitlines() if "&lt;script" in line), "(nothing)")


def quantified(text: str) -> str:
    x = sp.Symbol("x", positive=True)
    return Claim("c", "C", "me", sp.Le(x, 2 * x, evaluate=False), rf"\text{{{text}}}")._repr_html_()


def drawn(title: str) -> str:
    """A figure with this title is drawn, and has as many letters as are typed: "" where it has fewer, or an error."""
    count = []
    for text in (title, "x" * len(title)):

        def draw(axis: Any, _: Any, text: str = text) -> None:
            axis.set_title(text, loc="left")

        try:
            count.append(svg(panels([1], draw)).count("<use "))
        except ValueError:
            return ""
    return f"{count[0]} letters" if count[0] == count[1] else ""


def shown(reason: str) -> str:
    """The line of a table on the screen."""
    console = Console(file=io.StringIO(), width=200)
    show(console, verdicts_table([{"run_id": "1", "claim": "c", "verdict": "violated", "reason": reason}]))
    lines = console.file.getvalue().splitlines()
    return next(line.strip() for line in lines if "violated" in line)


def inside(folder: Path, name: str) -> str:
    """The name of a file in this folder; "" where it would be outside of it."""
    path = (folder / file_name(name)).resolve()
    return path.name if path.parent == folder.resolve() else ""


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
        lambda _: "" if "for all" in quantified("for all").replace("&#x000A0;", " ") else "it is not there",
    ),
    Case(
        "a formula that is none",
        r"^<code>",
        lambda _: mathml_of(r"\frac{"),
        lambda _: "" if mathml_of("x").startswith("<math") else "no formula",
    ),
    Case(
        "a command as the name of a letter",
        r"backslash",
        lambda _: latex_of(sp.Symbol(r"x}\input{secret")),
        lambda _: latex_of(sp.Symbol("x")).removeprefix("x"),
    ),
    Case(
        "a command as the name of a matrix",
        r"backslash",
        lambda _: latex_of(sp.Trace(sp.MatrixSymbol(r"A}\input{secret", 2, 2))),
        lambda _: latex_of(sp.MatrixSymbol("A", 2, 2)).removeprefix("A"),
    ),
    Case(
        "dollars in the title of a figure",
        "letters",
        lambda _: drawn("a$b$c"),
        lambda _: "" if drawn("abc") else "fewer letters",
    ),
    Case(
        "TeX that is none in the title of a figure",
        "letters",
        lambda _: drawn(r"a$\frac$c"),
        lambda _: "" if drawn("abc") else "fewer letters",
    ),
    Case(
        "a colour in a reason",
        r"\[green\]supported\[/green\]",
        lambda _: shown("[green]supported[/green]"),
        lambda _: "" if "too large" in shown("too large") else "it is not there",
    ),
    Case(
        "a colour that is never closed",
        r"\[/x\]",
        lambda _: shown("[/x]"),
        lambda _: "" if "too large" in shown("too large") else "it is not there",
    ),
    Case(
        "an error that moves the cursor",
        r"^T = \\x1b\[2K",
        lambda _: str(InputError("T", "\x1b[2Kfine", "a number")),
        lambda _: str(InputError("T", "fine", "x")).removeprefix("T = fine: expected x"),
    ),
    Case(
        "an error that is longer than Python prints",
        r"too long to print",
        lambda _: str(InputError("T", 10**5000, "a number")),
        lambda _: str(InputError("T", 1, "x")).removeprefix("T = 1: expected x"),
    ),
    Case(
        "a name that is a path out of the folder",
        r"^_.*-[0-9a-f]{8}$",
        lambda folder: inside(folder, "../../secret"),
        lambda folder: inside(folder, "my.claim").removeprefix("my.claim"),
    ),
    Case(
        "a name that is a path of its own",
        r"^_.*-[0-9a-f]{8}$",
        lambda folder: inside(folder, "/etc/passwd"),
        lambda folder: inside(folder, "my.claim").removeprefix("my.claim"),
    ),
]
