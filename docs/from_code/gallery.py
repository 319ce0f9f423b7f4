"""The gallery: what sphinx-gallery asks for beside the examples in docs/gallery, and the figures of
a report.

Each example runs when the site is built, which fails where one does not.
"""

import re
import shutil
import warnings
from html import unescape
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from boundcheck.language.claim import latex_of
from boundcheck.language.view import Html, Shown, View
from boundcheck.present.style import wrapped
from boundcheck.proof import Script
from boundcheck.verdicts import spoken

ROOT = Path(__file__).parents[2]
# What an example leaves beside itself.
_LEFT = ("runs", "instances", "out", ".hypothesis")
# What an example ends in, where that is not a proof.
_VERDICTS = {
    "descent_wrong": "refuted",
    "line_22": "refuted",
    "measured": "supported",
    "norm_of_a_product_swapped": "refuted",
    "norm_of_a_product_wrong": "refuted",
    "open": "unknown",
    "square_of_a_sum_wrong": "refuted",
    "theorem_2": "repaired",
    "trainer": "hypothesis-failed",
    "wrong_constant": "violated",
    "wrong_rate": "violated",
    "young_wrong": "refuted",
}
# LaTeX that is set in two lines of a card.
_LONG = 60
_FIGURE = re.compile(r'<figure id="figure_(\w+)">.*?<figcaption>(.*?)</figcaption>', re.DOTALL)
_HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)


def prepare(config: dict[str, Any], example: str | None) -> None:
    """Give the figures of all examples one look, and take away what examples left: no run is read
    that an older version has made.
    """
    for name in _LEFT:
        for folder in ROOT.glob(f"docs/gallery/*/{name}"):
            shutil.rmtree(folder)
    # What libraries deprecate of each other is not what an example shows.
    warnings.simplefilter("ignore", FutureWarning)
    mpl.rcParams |= {
        "figure.figsize": (5.6, 3.2),
        "figure.constrained_layout.use": True,
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
    }


def card(block: Any, known: dict[str, Any], config: dict[str, Any]) -> str:
    """Draw the lemma and the verdict of an example without a figure, as its thumbnail alone.

    Raises:
        ValueError: where the verdict is not the one that the page speaks of.

    """
    names, name = known["example_globals"], Path(known["src_file"]).stem
    shown, lemmas = names.get("___"), [x for x in names.values() if isinstance(x, Script)]
    view = shown.view() if isinstance(shown, Shown) else View(name)
    if view.verdict and view.verdict != _VERDICTS.get(name, "proved"):
        raise ValueError(f"{name} is {view.verdict}, and its page says something else")
    if len(known["image_path_iterator"]) or not (lemmas or isinstance(shown, Shown)):
        return ""
    claims = [each.claim for each in lemmas if each.claim is not None]
    said = f"${latex_of(claims[-1].conclusion)}$" if claims else wrapped(view.title, 24)
    if len(said) > _LONG:
        said = re.sub(r" (\\leq|\\geq|=) ", r"$\n$\1 ", said, count=1)
    figure = Figure(figsize=(4, 2.8), dpi=200)

    def write(y: float, text: str, size: float, **looks: Any) -> None:
        made = figure.text(0.5, y, text, size=size, ha="center", va="center", **looks)
        # What is wider than the card is written smaller.
        width = made.get_window_extent().width / figure.bbox.width
        made.set_fontsize(size * min(1.0, 0.92 / width))

    with mpl.rc_context({"mathtext.fontset": "stix"}):
        if view.verdict:
            colour = re.findall("background:(#[0-9a-f]+)", Html().badge(view.verdict))[0]
            box = {"boxstyle": "round,pad=0.4", "fc": colour, "ec": "none"}
            write(0.2, spoken(view.verdict), 15, color="white", bbox=box)
        write(0.62, said, 24)
        figure.savefig(next(known["image_path_iterator"]))
    return ""


def figures(report: str) -> str:
    """Each figure of a committed report, with its caption, as it stands there."""
    told = []
    for page in sorted((ROOT / "reports" / report).glob("*.html")):
        text = page.read_text(encoding="utf-8")
        title = unescape(re.sub("<.*?>", "", _HEADING.findall(text)[0]))
        drawn = _FIGURE.findall(text)
        told += [f"## {title}\n"] if drawn else []
        for name, caption in drawn:
            picture = f"![{title}](../reports/{report}/{name}.svg)"
            told.append(f"{picture}\n\n<p>{' '.join(caption.split())}</p>\n")
    return "\n".join(told)
