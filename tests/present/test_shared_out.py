"""A report that is too large: nothing of it is lost, no page is heavy, and each link leads to what
it names."""

import re

from hypothesis import given
from hypothesis import strategies as st

from boundcheck.present.shared_out import Section, as_fold, linked, shared_out

ROOM = 20_000
SIZES = st.lists(
    st.tuples(st.integers(0, 30_000), st.lists(st.integers(0, 30_000), max_size=3)), max_size=8
)


@given(sizes=SIZES)
def test_everything_stands_on_one_page_and_links_lead_to_it(sizes):
    sections, names = [], []
    for place, (size, folds) in enumerate(sizes):
        html = f"<p>text-{place};{'x' * size}</p>"
        names.append(f"text-{place};")
        for number, inside in enumerate(folds):
            names.append(f"fold-{place}-{number};")
            html += as_fold(f"<details><summary>more</summary>{names[-1]}{'y' * inside}</details>")
        sections.append(Section(f"Part {place}", "", html))
    parts, pages = shared_out(sections, ROOM, {"index.html"})
    front = "".join(each.html for each in parts)
    texts = [front, *(html for _, html in pages.values())]
    for name in names:
        assert sum(text.count(name) for text in texts) == 1, name
    assert "<!--" not in "".join(texts)
    assert [each.title for each in parts] == [each.title for each in sections]
    for name, place in re.findall(r'href="([^"#]+)#([^"]+)"', "".join(texts)):
        assert f'id="{place}"' in pages[name][1]
    if sections:
        assert names[0] in front


def test_a_link_to_an_anchor_of_another_page_names_that_page():
    texts = {"a.html": '<i id="x"></i><a href="#y">', "b.html": '<i id="y"></i><a href="#x">'}
    made = linked(texts)
    assert 'href="b.html#y"' in made["a.html"]
    assert 'href="a.html#x"' in made["b.html"]
