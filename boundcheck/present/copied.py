"""Findings as Markdown, to be pasted into a review or an issue."""

import re
from collections.abc import Iterable

from boundcheck.language import prose
from boundcheck.present.material import Finding
from boundcheck.present.opening import in_all
from boundcheck.verdicts import spoken

# Signs that Markdown, or TeX in it, reads as more than themselves.
_SIGNS = re.compile(r"([\\`*_{}\[\]<>#|~$&])")


def copied(title: str, findings: Iterable[Finding]) -> dict[str, str]:
    """What a page copies for each finding, by the id of its row; and under "" of the whole.

    A link to ``#id`` is one to the page. Nothing in a text is a link, an image or a formula.
    """
    made = {}
    lines = []
    found = list(findings)
    for each in found:
        row = f"[No. {each.number}, {_escaped(each.locator)}](#{each.anchor})"
        verdict = _escaped(spoken(each.verdict))
        lines.append(f"- {row}: {verdict}")
        made[each.anchor] = f"**{row}: {verdict}.** {_escaped(each.summary or each.evidence)}"
    if found:
        counts = in_all("finding", "findings", [each.verdict for each in found])
        made[""] = "\n".join((f"**[{_escaped(title)}](#)** {counts}", "", *lines))
    return made


def _escaped(text: str) -> str:
    def words(part: str) -> str:
        return _SIGNS.sub(r"\\\1", part)

    # On one line: at the head of another, more signs would be read.
    return " ".join(prose.joined(text, words, words, "`{}`".format).split())
