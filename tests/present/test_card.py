"""A badge and a card say what the proofs come to, in pictures that can be opened."""

import json
from xml.etree import ElementTree

import pytest

from boundcheck.present.card import badge, judged, words


@pytest.mark.full
def test_a_badge_and_a_card_say_the_verdict(command, tmp_path):
    (row,) = judged("meft.lora")
    assert words([row]) == "proved · kernel · Rocq: checked"
    drawn = ElementTree.fromstring(badge("<a & b>\x00", [row]))
    assert [each.text for each in drawn][3:] == ["<a & b>\\x00", words([row])]
    done = command("card", "meft.lora", "--out", "a.png")
    assert done.out.splitlines() == [words([row]), "a.png"]
    assert (tmp_path / "a.png").read_bytes()[16:24] == bytes((0, 0, 4, 176, 0, 0, 2, 118))
    assert command("badge", "meft.lora", "--out", "a.png").code == 2


def test_an_index_leads_to_each_report_with_its_words(command, tmp_path):
    report = tmp_path / "runs" / "<mine>"
    report.mkdir(parents=True)
    head = '<meta property="og:title" content="A &lt;title&gt;">'
    (report / "index.html").write_text(head, encoding="utf-8")
    found = {"findings": [{"verdict": "proved"}, {"verdict": "refuted"}, {"verdict": "proved"}]}
    (report / "findings.json").write_text(json.dumps(found), encoding="utf-8")
    done = command("index", str(report), "--out", "site/index.html")
    assert done.out.splitlines() == ["site/index.html"]
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert '<a href="../runs/&lt;mine&gt;/index.html">A &lt;title&gt;</a>' in page
    assert page.index(">refuted</span>") < page.index("2 <span")
    assert command("index", str(tmp_path)).code == 2
