"""What the proofs of a paper or of a claim come to, as pictures to be passed on: a badge and a
card.
"""

from collections.abc import Sequence
from html import escape
from textwrap import fill, shorten
from typing import Any

from matplotlib.figure import Figure

from boundcheck.language.prose import plain
from boundcheck.proof import prove
from boundcheck.proof.audit import JudgedRow, rows_of
from boundcheck.shown import visible
from boundcheck.system.limits import Tick, silent
from boundcheck.verdicts import Look, gravity, look_of, tally
from boundcheck.version import __version__

# Those of a page's badges, on which white is read.
_COLOURS = {
    Look.BAD: "#a03c00",
    Look.OPEN: "#7d5200",
    Look.IF: "#7a3e8f",
    Look.OTHERWISE: "#1f5fa8",
    Look.WELL: "#00664b",
    Look.LIMIT: "#0b6b7a",
    Look.ASIDE: "#595959",
}


def judged(target: str, tick: Tick = silent) -> list[JudgedRow]:
    """The rows of a paper, or the one of a claim; raises InputError as `prove` does."""
    audit = prove(target, tick=tick)
    one = [each for each in audit.claims if each.id == target]
    return list(rows_of(one) if one else audit.rows or rows_of(audit.claims))


def _by_gravity(rows: Sequence[JudgedRow]) -> list[JudgedRow]:
    return sorted(rows, key=lambda row: gravity(row.verdict))


def words(rows: Sequence[JudgedRow]) -> str:
    """How many rows have each verdict; of one row its verdict, its trust, and what Rocq says."""
    if len(rows) != 1:
        found = (row.verdict for row in rows if look_of(row.verdict) is not Look.ASIDE)
        return tally(found) or "remarks alone"
    row = rows[0]
    by = filter(None, (row.trust, row.rocq and f"Rocq: {row.rocq}"))
    return " · ".join((row.verdict, *by))


def badge(name: str, rows: Sequence[JudgedRow]) -> str:
    """A badge as SVG: the name, and the words in the colour of the gravest row."""
    texts = visible(name), words(rows)
    left, right = map(escape, texts)
    # About as wide as the letters are; where a reader's are not, they are set so wide.
    room, more = (6 * len(text) for text in texts)
    colour = _COLOURS[look_of(_by_gravity(rows)[0].verdict)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{room + more + 24}" height="20" role="img"'
        ' font-family="Verdana, DejaVu Sans, sans-serif" font-size="11" fill="#fff">'
        f'<title>{left}: {right}</title><rect width="{room + 12}" height="20" fill="#444"/>'
        f'<rect x="{room + 12}" width="{more + 12}" height="20" fill="{colour}"/>'
        f'<text x="6" y="14" textLength="{room}">{left}</text>'
        f'<text x="{room + 18}" y="14" textLength="{more}">{right}</text></svg>\n'
    )


def card(name: str, rows: Sequence[JudgedRow]) -> Figure:
    """A card of 1200 × 630 points: the words, and the gravest rows with their verdicts."""
    figure = Figure(figsize=(12, 6.3), dpi=100)

    def write(x: float, y: float, text: str, size: float, **looks: Any) -> None:
        figure.text(x, y, text, size=size, va="center", parse_math=False, **looks)

    title = fill(shorten(visible(name), 100, placeholder="…"), 50)
    write(0.05, 0.88, title, 26, weight="bold")
    write(0.05, 0.77, words(rows), 20)
    # So many rows find room.
    for place, row in enumerate(_by_gravity(rows)[:6]):
        y = 0.64 - 0.085 * place
        box = {"boxstyle": "round,pad=0.35", "fc": _COLOURS[look_of(row.verdict)], "ec": "none"}
        write(0.06, y, row.verdict, 15, color="white", bbox=box)
        write(0.21, y, shorten(plain(row.row.locator), 68, placeholder="…"), 18)
    told = f"Findings: {len(rows)}. Judged by boundcheck {__version__}"
    write(0.05, 0.07, told, 14, color="#555")
    return figure
