"""How a report that is too large for one page is shared out: the first page keeps what a reader
comes for, and the rest is a click away, on pages where the same anchors stand.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from html import escape
from itertools import count
from typing import NamedTuple

from boundcheck.present.words import slug

FIRST = 290_000
"""Letters of a first page, which opens at once."""
# Letters and elements of any other page, and letters of what is not worth a page.
_LETTERS, _ELEMENTS, _SMALL = 900_000, 19_000, 3_000
_BEGINS, _ENDS = "<!--fold-->", "<!--/fold-->"
_MARK = re.compile(f"({_BEGINS}|{_ENDS})")
_ID = re.compile(r'\sid="([^"]+)"')
_LINK = re.compile('<a class="here".*?</a>')
HERE = re.compile('class="here" id="([^"]+)"')
"""What an anchor looks like, at which people link to a page."""


class Section(NamedTuple):
    """A part of a page: its heading, and as HTML the sentence on what to see and what is below."""

    title: str
    see: str
    html: str


def as_fold(html: str) -> str:
    """A fold, marked as what may go to another page."""
    return f"{_BEGINS}{html}{_ENDS}"


def whole(html: str) -> str:
    """The HTML with all its folds in it, and without their marks."""
    return _MARK.sub("", html)


def shared_out(
    sections: Iterable[Section], room: int, taken: Collection[str]
) -> tuple[list[Section], dict[str, tuple[str, str]]]:
    """The sections as they stand on a first page with this room, in letters; and the other pages,
    each with its heading, by their names, which are none of those that are taken.

    The sections stay in their order as long as there is room, the first that has a heading always;
    what is folded in them goes first. A section that goes leaves its heading and a link.
    """
    given, pages = list(sections), _Pages(taken)
    if sum(len(each.html) for each in given) <= room:
        return [each._replace(html=whole(each.html)) for each in given], {}
    first = next((each for each in given if each.title), None)
    room -= sum(min(len(each.html), _SMALL) for each in given)
    parts = []
    for each in given:
        bare = sum(
            min(len(piece), _SMALL // 3) if place % 2 else len(piece)
            for place, piece in enumerate(_pieces(each.html))
        )
        if len(each.html) <= max(room, 0) + _SMALL or not each.title:
            html = each.html
        elif bare <= max(room, 0) + _SMALL or each is first:
            html = pages.lighter(each.title, each.html)
        else:
            address = pages.put(each.title, each.see + each.html)
            html = f'<p><a class="apart" href="{address}">{escape(each.title)}</a></p>'
        room -= max(len(html) - _SMALL, 0)
        parts.append(each._replace(html=whole(html)))
    return parts, {
        name: (title, whole("".join(pieces))) for name, (title, pieces) in pages.made.items()
    }


def linked(texts: Mapping[str, str]) -> dict[str, str]:
    """Pages by their names, where each link to an anchor of another of them leads to that page; the
    first page comes first.
    """
    own = {name: set(_ID.findall(text)) for name, text in texts.items()}
    home = {id: name for name in reversed(list(texts)) for id in own[name]}

    def led(name: str, text: str) -> str:
        return re.sub(
            r'href="#([^"]+)"',
            lambda x: x[0] if x[1] in own[name] else f'href="{home.get(x[1], "")}#{x[1]}"',
            text,
        )

    return {name: led(name, text) for name, text in texts.items()}


class _Pages:
    """The other pages, filled one after the other: of each its heading and its pieces."""

    def __init__(self, taken: Collection[str]) -> None:
        self.made: dict[str, tuple[str, list[str]]] = {}
        self._taken, self._last = taken, dict[str, str]()

    def put(self, title: str, html: str) -> str:
        """Put it on a page with this heading, what is folded in it on others if it is too large;
        return its address.
        """
        html = self.lighter(title, html) if _is_large(html) else html
        name = self._last.get(title, "")
        if not name or _is_large("".join(self.made[name][1]) + html):
            base = slug(title)[:60] or "part"
            names = (f"{base}{f'_{i}' if i > 1 else ''}.html" for i in count(1))
            name = next(x for x in names if x not in self.made and x not in self._taken)
            self._last[title], self.made[name] = name, (title, [])
        pieces = self.made[name][1]
        pieces.append(f'<div id="part-{len(pieces) + 1}">{html}</div>\n')
        return f"{name}#part-{len(pieces)}"

    def lighter(self, title: str, html: str) -> str:
        """The HTML with a link in the place of each large fold, which is put on a page with this
        heading.
        """
        pieces = _pieces(html)
        for place, fold in list(enumerate(pieces))[1::2]:
            if len(fold) > _SMALL:
                head = fold[fold.index("<summary") : fold.index("</summary>")]
                address = self.put(title, fold.replace("<details", "<details open", 1))
                said = _LINK.sub("", head.partition(">")[2])
                pieces[place] = f'<p><a class="apart" href="{address}">{said}</a></p>'
        return "".join(pieces)


def _pieces(html: str) -> list[str]:
    """What is between the outermost folds, and in every other place these."""
    pieces, depth = [""], 0
    for each in _MARK.split(html):
        depth += (each == _BEGINS) - (each == _ENDS)
        if (each, depth) in ((_BEGINS, 1), (_ENDS, 0)):
            pieces.append("")
        else:
            pieces[-1] += each
    return pieces


def _is_large(html: str) -> bool:
    return len(html) > _LETTERS or len(re.findall("<[a-z]", html)) > _ELEMENTS
