"""Whether the texts of a figure can all be read, none on another and none cut off; and what a page
says in words."""

import re
from html import unescape
from itertools import combinations
from xml.etree import ElementTree

from matplotlib.backends.backend_agg import FigureCanvasAgg


def assert_no_text_overlaps(figure):
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    texts = [text for axis in figure.axes for text in _texts(axis)]
    shown = [(t.get_text(), t.get_window_extent(renderer).padded(-0.5)) for t in texts]
    shown += [
        (t.get_text(), t.get_window_extent(renderer))
        for legend in figure.legends
        for t in legend.get_texts()
    ]
    for (one, box), (other, second) in combinations(shown, 2):
        assert not box.overlaps(second), f"{one!r} lies on {other!r}"
    for words, box in shown:
        assert box.x0 >= 0, f"{words!r} is cut off at the left"
        assert box.x1 <= figure.bbox.x1, f"{words!r} is cut off at the right"
        assert box.y0 >= 0, f"{words!r} is cut off below"
        assert box.y1 <= figure.bbox.y1, f"{words!r} is cut off above"


def text_of(html):
    """What a view says, whose HTML is well-formed, with single spaces."""
    return " ".join("".join(ElementTree.fromstring(html).itertext()).split())


def _texts(axis):
    ticks = []
    # Ticks beyond the limits of an axis are there and not drawn.
    for side, (low, high) in (
        (axis.xaxis, sorted(axis.get_xlim())),
        (axis.yaxis, sorted(axis.get_ylim())),
    ):
        ticks += [tick.label1 for tick in side.get_major_ticks() if low <= tick.get_loc() <= high]
    found = [axis.xaxis.label, axis.yaxis.label, axis._left_title, *ticks, *axis.texts]
    return [text for text in found if text.get_text() and text.get_visible()]


def spoken(page):
    """What a page says in words: its visible texts but for formulas, drawings and code."""
    for tag in ("style", "script", "math", "svg", "code"):
        page = re.sub(rf"<{tag}[\s>].*?</{tag}>", "", page, flags=re.DOTALL)
    return [
        text for text in map(str.strip, unescape(re.sub("<[^>]+>", "\n", page)).split("\n")) if text
    ]
