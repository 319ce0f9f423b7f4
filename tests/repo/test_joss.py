"""`paper.md`, the paper about boundcheck: short enough for a journal, each source cited."""

import re

from .documents import ROOT


def test_it_is_short_and_cites_each_of_its_sources():
    text, sources = ((ROOT / f"paper.{x}").read_text(encoding="utf-8") for x in ("md", "bib"))
    assert len(text.split()) <= 1000
    cited = set(re.findall(r"@([a-z]+\w*)", text))
    assert cited == set(re.findall(r"^@\w+\{(\w+),", sources, flags=re.MULTILINE))
