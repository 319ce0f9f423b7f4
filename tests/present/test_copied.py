"""Findings as Markdown say what the page says, whatever a text holds, and link to their rows
alone."""

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from boundcheck.language.prose import plain
from boundcheck.present.copied import copied
from boundcheck.present.material import Finding

# What Markdown and TeX give a meaning, and what opens a formula or a name of ours.
TEXTS = st.text("ab1 \n\t.-+!()[]<>#*_~|\\&;:/`$^", min_size=1, max_size=30)


def read(markdown):
    """What a reader of Markdown sees, and the links; an image would be neither."""
    inside = [x for each in MarkdownIt().parse(markdown) for x in each.children or ()]
    links = [x.attrs["href"] for x in inside if "href" in x.attrs]
    return "".join("".join(x.content for x in inside).replace("`", "").split()), links


@given(title=TEXTS, locator=TEXTS, evidence=TEXTS)
def test_a_finding_reads_as_it_was_written(title, locator, evidence):
    finding = Finding(7, locator, "refuted", evidence)
    made = copied(title, [finding])
    wanted = f"No. 7, {plain(locator)}: refuted. {plain(evidence)}"
    link = f"#{finding.anchor}"
    assert read(made[finding.anchor]) == ("".join(wanted.replace("`", "").split()), [link])
    assert read(made[""])[1] == ["#", link]
