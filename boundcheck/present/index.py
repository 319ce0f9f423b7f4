"""`write_index`, a page that lists reports: each with its verdicts, its words, and a link."""

import os
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

from markupsafe import Markup

from boundcheck.errors import InputError, raised
from boundcheck.present.opening import Opening
from boundcheck.present.page import Page
from boundcheck.present.shared_out import Section
from boundcheck.system.files import parse_json, read_text
from boundcheck.verdicts import counts

_ENTRY = Markup('<h2><a href="{}">{}</a></h2><p>{}</p><p>{}</p>\n')


class _Head(HTMLParser):
    """What a page tells other sites of itself, by the name of each property."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.told: dict[str, str] = {}
        self.feed(read_text(path))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "meta" and (name := found.get("property")):
            self.told[name] = found.get("content") or ""


def write_index(reports: Iterable[Path], out: Path) -> list[Path]:
    """Write the page; raises InputError for a folder that holds no report of a paper."""
    made, entries = Page(), Markup()
    for each in reports:
        page = each / "index.html"
        try:
            told = _Head(page).told
            found = parse_json(read_text(each / "findings.json"))
            words = [str(x["verdict"]) for x in found["findings"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            expected = f"the folder of a report that audit has written ({raised(error)})"
            raise InputError("REPORT", each, expected) from None
        badges = (Markup("{} {}").format(n, Markup(made.badge(word))) for word, n in counts(words))
        entries += _ENTRY.format(
            os.path.relpath(page, out.parent),
            told.get("og:title", each.name),
            Markup(" · ").join(badges),
            told.get("og:description", ""),
        )
    made.sections.append(Section("", "", entries))
    lead = "Papers whose proofs were checked line by line, with the verdicts of their findings."
    return made.write(out, "Audited papers", lead, Opening(""), {})
