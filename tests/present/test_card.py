"""A badge and a card say what the proofs come to, in pictures that can be opened."""

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
