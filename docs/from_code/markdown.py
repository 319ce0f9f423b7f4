"""The parts of Markdown that the other modules write."""

import re
from collections.abc import Iterable, Sequence

from boundcheck.language.prose import joined, latex


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; a bar in a cell would end it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(str(x)) for x in line)} |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def prose(text: str) -> str:
    """Text that is no Markdown, which has signs of it; formulas between dollars, and names in
    backquotes, are kept.
    """
    return joined(text, _words, lambda formula: f"${latex(formula)}$", code)


def _words(text: str) -> str:
    return re.sub(r"([\\`*_<\[\]$~])", r"\\\1", text)


def code(text: object) -> str:
    """Text in backquotes; nothing of nothing."""
    return f"`{text}`" if str(text) else ""


def block(text: str, language: str = "text") -> str:
    """Lines as they are."""
    return f"```{language}\n{text}\n```\n"


def formula(latex: str) -> str:
    """A formula of its own line."""
    return f"$$\n{latex}\n$$\n"


def definition(items: Iterable[tuple[str, str]]) -> str:
    """Terms, each with what is said of it."""
    return "".join(f"- **{name}.** {text}\n" for name, text in items if text)


def first_line(docstring: str | None) -> str:
    """The first paragraph of a docstring."""
    return prose(" ".join((docstring or "").partition("\n\n")[0].split()))
