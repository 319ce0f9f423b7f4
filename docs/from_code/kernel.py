"""The kernel: its rules as their docstrings draw them, its standard facts, and the files that are
trusted.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import boundcheck.kernel
from boundcheck.kernel import RULES, STANDARD_FACTS
from from_code.markdown import block, first_line, prose, table

FOLDER = Path(boundcheck.kernel.__file__).parent


def rules() -> str:
    """Each rule with its inference line."""
    return "\n\n".join(
        f"### `{name}`\n\n{_drawn(inspect.getdoc(rule) or '')}" for name, rule in RULES.items()
    )


def _drawn(docstring: str) -> str:
    """A docstring as Markdown: the paragraph after ``::`` is the inference line, as is one that
    begins with it.
    """
    found, is_drawn = [], False
    for part in docstring.split("\n\n"):
        if is_drawn:
            found.append(block(dedent(part)))
        elif part.startswith("⊢"):
            found += _of_one_line(" ".join(part.split()))
        elif part != "::":
            found.append(prose(" ".join(part.split())))
        is_drawn = part == "::"
    return "\n\n".join(found)


def _of_one_line(text: str) -> list[str]:
    """What is inferred, and what is said of it: the first comma, semicolon or "for" outside of
    brackets is between.
    """
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign in "(⟨{[") - (sign in ")⟩}]")
        if not depth and re.match(r"[,;] | for ", text[at:]):
            return [block(text[:at]), prose(text[at:].lstrip(",; "))]
    return [block(text.rstrip("."))]


def facts() -> str:
    """The facts of analysis that it believes."""
    return "".join(
        f"- [`{name}`](#{name.replace('_', '-')}): {prose(said)}\n"
        for name, said in STANDARD_FACTS.items()
    )


def files() -> str:
    """Each file that counts for a proof, with its lines; and what lies beside them."""
    rows = [(f"`{name}`", _lines(name), first_line(_docstring(name))) for name in trusted()]
    total = ("all", sum(_lines(name) for name in trusted()), "")
    return table(("file", "lines", "what lives there"), [*rows, total])


def beside() -> str:
    """The files of the kernel's folder that no rule uses."""
    others = sorted({path.name for path in FOLDER.glob("*.py")} - set(trusted()))
    return table(
        ("file", "lines", "what lives there"),
        [(f"`{x}`", _lines(x), first_line(_docstring(x))) for x in others],
    )


def between() -> str:
    """The files of `boundcheck/proof` that say a claim to the kernel, compare, and print."""
    names = ("statement.py", "definitions.py", "reading.py", "verdict.py", "notation.py")
    rows = [
        (f"`{x}`", _lines(f"../proof/{x}"), first_line(_docstring(f"../proof/{x}"))) for x in names
    ]
    return table(("file", "lines", "what lives there"), rows)


def trusted() -> list[str]:
    """The files that `boundcheck.kernel` imports, and those that they import; what is counted is
    what is read.
    """
    found, waiting = [], ["__init__.py"]
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found.append(name)
            waiting += _imported(name)
    return found


def _imported(name: str) -> Iterator[str]:
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("boundcheck.kernel"):
            modules = (
                [node.module]
                if node.module != "boundcheck.kernel"
                else [f".{each.name}" for each in node.names]
            )
            yield from (f"{module.rpartition('.')[2]}.py" for module in modules if module)


def _tree(name: str) -> ast.Module:
    return ast.parse((FOLDER / name).read_text(encoding="utf-8"))


def _docstring(name: str) -> str:
    return ast.get_docstring(_tree(name)) or ""


def _lines(name: str) -> int:
    return len((FOLDER / name).read_text(encoding="utf-8").splitlines())
