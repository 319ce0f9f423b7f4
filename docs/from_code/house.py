"""The house in one picture: the layers of the import contract, which the linter holds, and the
kernel beside them.

It has no colour of its own: text and lines are the page's, so that it can be read in light and in
dark.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path
from textwrap import wrap

from from_code.markdown import code, first_line, table

ROOT = Path(__file__).parents[2]
# In the units of the picture, which is as wide as a phone.
_WIDTH, _STACK, _HEIGHT, _GAP, _LINE, _LETTERS = 380, 264, 30, 10, 17, 32


def layers() -> list[list[str]]:
    """The layers from the top to the bottom, each with the names of what is in it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "importlinter"
    ]
    (found,) = (each["layers"] for each in contracts["contracts"] if each["type"] == "layers")
    return [
        [name.strip().removeprefix("boundcheck.") for name in re.split("[|:]", layer)]
        for layer in found
    ]


def importers() -> list[str]:
    """What imports the kernel, but for the kernel itself."""
    folders = [*(ROOT / "boundcheck").glob("*/"), ROOT / "soundness"]
    return sorted(
        each.name
        for each in folders
        if each.name != "kernel" and any(map(_asks_kernel, each.rglob("*.py")))
    )


def _asks_kernel(path: Path) -> bool:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return any(
        isinstance(x, ast.ImportFrom) and (x.module or "").startswith("boundcheck.kernel")
        for x in nodes
    )


def picture() -> str:
    """The layers as boxes, from the top down; the kernel beside those that ask it."""
    boxes: list[str] = []
    places: dict[str, tuple[float, float]] = {}
    top = 4.0
    for names in layers():
        height = _height(names)
        for place, name in _parts(names):
            width = (_STACK - _GAP * (place[1] - 1)) / place[1]
            left = 24 + place[0] * (width + _GAP)
            boxes.append(_box(left, top, width, height, name))
            places |= dict.fromkeys(name.split(", "), (left + width, top + height / 2))
        top += height + _GAP
    asked = [places[name] for name in importers()]
    middle = sum(y for _, y in asked) / len(asked)
    left = 24 + _STACK + 22
    boxes.append(_box(left, middle - 26, _WIDTH - left - 2, 52, "kernel", "kernel"))
    arrows = [
        f'<path d="M{x:g} {y:g} L{left - 4:g} {middle + (y - middle) / 4:g}"'
        ' marker-end="url(#tip)"/>'
        for x, y in asked
    ]
    down = f'<path d="M10 6 V{top - 14:g}" marker-end="url(#tip)"/>'
    label = (
        f"Layers of boundcheck; each imports those below it. {' and '.join(importers())} import the"
        " kernel."
    )
    tip = (
        '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto">'
    )
    return (
        f'```{{raw}} html\n<svg class="house" viewBox="0 0 {_WIDTH} {top:g}" role="img"'
        f' aria-label="{escape(label)}"><defs>{tip}<path d="M0 0 L8 4 L0 8'
        f' z"/></marker></defs>{"".join(boxes + arrows)}{down}</svg>\n```\n'
    )


def _parts(names: list[str]) -> Iterator[tuple[tuple[int, int], str]]:
    """Two are beside each other, the engine that asks the kernel next to it; more are one box."""
    if len(names) > 2:
        yield (0, 1), ", ".join(names)
        return
    ordered = sorted(names, key=lambda name: name in importers())
    yield from (((place, len(names)), name) for place, name in enumerate(ordered))


def _height(names: list[str]) -> float:
    lines = len(wrap(", ".join(names), _LETTERS)) if len(names) > 2 else 1
    return _HEIGHT + (lines - 1) * _LINE


def _box(left: float, top: float, width: float, height: float, name: str, kind: str = "") -> str:
    lines = wrap(name, _LETTERS)
    first = top + height / 2 - (len(lines) - 1) * _LINE / 2 + 5
    texts = (
        f'<text x="{left + width / 2:g}" y="{first + i * _LINE:g}">{escape(line)}</text>'
        for i, line in enumerate(lines)
    )
    rectangle = f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="5"/>'
    return f'<g class="{kind}">{rectangle}{"".join(texts)}</g>'


def parts() -> str:
    """What lives in each part, in the words of its own first line."""
    names = [name for layer in layers() for name in layer]
    return table(
        ("part", "what lives there"), [(code(name), _purpose(name)) for name in (*names, "kernel")]
    )


def _purpose(name: str) -> str:
    # What checks the package lies beside it.
    inside = ROOT / "boundcheck" / name
    path = inside if inside.is_dir() or inside.with_suffix(".py").is_file() else ROOT / name
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return first_line(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))))
