"""The parts of Markdown that the other modules write."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; a bar in a cell would end it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(str(x)) for x in line)} |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


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
    """What a docstring says first, to its first period or to the end of its paragraph."""
    return " ".join((docstring or "").partition("\n\n")[0].split())
