"""The counts of `reports/soundness` in the documents that name them: ``python -m
tests.repo.counts`` writes them."""

import json
import re
import textwrap
from pathlib import Path

from soundness.page import by_layer, sentence

from .documents import ROOT

REPORT = ROOT / "reports" / "soundness" / "results.json"
DOCUMENTS = {
    "README.md": (sentence,),
    "paper.md": (sentence,),
    "docs/how_to/found.md": (sentence, by_layer),
}
"""What each says of the survey, between two comments."""
_BETWEEN = re.compile(r"(<!-- soundness -->\n).*?(<!-- /soundness -->)", re.DOTALL)
# Letters of a line of a document.
_WIDTH = 123


def counted(name):
    """The text of a document with the counts of the report."""
    count = json.loads(REPORT.read_text(encoding="utf-8"))
    said = textwrap.fill(
        " ".join(say(count) for say in DOCUMENTS[name]), _WIDTH, break_on_hyphens=False
    )
    text, found = _BETWEEN.subn(lambda match: f"{match[1]}{said}\n{match[2]}", read(name))
    if found != 1:
        raise ValueError(f"expected one place for the counts in {name}")
    return text


def read(name):
    """The text of a document."""
    return (ROOT / name).read_text(encoding="utf-8")


if __name__ == "__main__":
    for each in DOCUMENTS:
        Path(ROOT / each).write_text(counted(each), encoding="utf-8")
