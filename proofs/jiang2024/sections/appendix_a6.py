"""What a sweep of a network over ranks says of the paper's appendix A.6, and what it cannot."""

from collections.abc import Iterator

from boundcheck.language.view import Part, paragraph
from boundcheck.present.material import Material
from boundcheck.present.sections.networks import repeated
from boundcheck.present.sections.rates import Found, rank_exponents
from boundcheck.present.words import signed

title = "What this says of the paper's appendix A.6, and what it cannot"
place = 281

# The printed exponent of r, all else fixed and C free of r.
_PRINTED = 0.25
_BOUND = """The printed bound on $min_t E‖∇F(v_t)‖²$ grows as $r^(1/4)$, all else fixed and C free
of r. With the paper's own $C = √r·σ$ it grows as $r^(1/2)$. Beside it stands what was measured
here: {}. A bound may grow with r while what it bounds does not, so that no exponent here
contradicts the theorem, and none confirms it. Nor is all else fixed: the noise changes with the
rank, and so does how far F can fall, of which the other exponents are. And all ranks here took one
step size, while the printed bound is that of a step that falls as $r^(-1/4)$."""
_SCORES = """Appendix A.6 reports scores of Llama-2-7b on MT-Bench and AdvBench, at ranks 8 to 64
and batch 32, and no gradient norm. Neither score measures the left side of the theorem. MT-Bench is
multi-turn chat, not machine translation. That a lower rank scores better on a benchmark says
nothing of $min_t E‖∇F(v_t)‖²$, just as little as the held-out numbers above do. And this page
cannot say what those runs would have shown: the models here are small, and none of them is
Llama."""


def build(material: Material) -> Iterator[Part]:
    """Two paragraphs on the page of a sweep over ranks."""
    rows = rank_exponents(repeated(material.networks))
    measured = [
        _said(row)
        for row in rows
        if row["exponent"] is not None and row["quantity"].startswith("min")
    ]
    if rows:
        yield paragraph(_BOUND.format("; ".join(measured) or "no exponent"))
        yield paragraph(_SCORES)


def _said(row: Found) -> str:
    """An exponent, its interval, and whether 1/4 lies in it."""
    interval = row["interval"]
    if interval:
        lower, upper = interval["lower"], interval["upper"]
        lies = "lies" if lower <= _PRINTED <= upper else "does not lie"
        about = f"interval {signed(lower)} to {signed(upper)}, which 1/4 {lies} in"
    else:
        about = "without an interval"
    scale = "" if row["scale"] == "1" else f", s = {row['scale']}"
    ranks = ", ".join(map(str, row["ranks"]))
    return (
        f"p = {signed(row['exponent'])}, {about} ({row['problem']}{scale}, ranks {ranks},"
        f" {row['seeds']} seeds)"
    )
