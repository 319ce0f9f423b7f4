"""The page is a list of sections: ours are all found and whole, and one of somebody else is one
file."""

import shutil
import subprocess
import sys
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from boundcheck.errors import InputError
from boundcheck.present import section
from boundcheck.present.material import Material
from boundcheck.present.page import Page, write_page

from . import my_figure
from .test_rates import synthetic

MINE = "tests.present.my_figure"


@pytest.fixture
def material(monkeypatch):
    """One run of which others know nothing: of our sections the opening alone is asked."""
    opening = [each for each in section.sections() if each.place == 0]
    monkeypatch.setattr(section, "own_sections", lambda: opening)
    return Material([synthetic(measured=2.5)])


def test_each_section_stands_in_its_place_and_under_one_name():
    found = section.sections()
    assert len(found) > 20
    assert [each.place for each in found] == sorted(each.place for each in found)
    assert len({each.build for each in found}) == len(found)


def test_python_without_docstrings_says_what_to_see_all_the_same():
    code = (
        "from boundcheck.present.section import own_sections; print([each.see for each in"
        " own_sections()])"
    )
    done = subprocess.run(
        [sys.executable, "-OO", "-c", code], capture_output=True, text=True, check=True
    )
    seen = [each.see for each in section.own_sections()]
    assert done.stdout.strip() == repr(seen)
    assert seen.count("") == 1


def test_of_nothing_a_page_says_nothing_but_what_it_is():
    page = Page()
    shown = [
        each.title for each in section.sections() if page.parts(each.build(Material())).strip()
    ]
    assert shown == ["", "To run it again"]
    assert page.files == {}


def _is_shown(files):
    text = files[0].read_text()
    assert ("What each run measured." in text) == (f">{my_figure.title}</h2>" in text)
    return {"my_numbers.svg", "my_numbers.pdf"} <= {
        path.name for path in files
    } and my_figure.title in text


@pytest.mark.full
def test_a_section_is_found_by_path_by_entry_point_and_in_the_folder_of_its_paper(
    material, tmp_path, monkeypatch
):
    page = tmp_path / "index.html"
    paper = tmp_path / "my-paper"
    assert not _is_shown(write_page(material, page, "A", "B"))
    assert _is_shown(write_page(material, page, "A", "B", [MINE]))
    (paper / "sections").mkdir(parents=True)
    shutil.copy(my_figure.__file__, paper / "sections" / "numbers.py")
    assert _is_shown(write_page(Material(material.runs, paper=paper), page, "A", "B"))
    point = EntryPoint("mine", MINE, section.GROUP)
    monkeypatch.setattr(
        section, "entry_points", lambda group: [point] if group == "boundcheck.sections" else []
    )
    assert _is_shown(write_page(material, page, "A", "B"))


@pytest.mark.parametrize("path", ["no_such_module", f"{MINE}:nothing", "json", "", "a..b"])
def test_what_is_no_section_is_refused(path):
    with pytest.raises(InputError, match=f"^section = {path}: expected"):
        section.sections([path])


def test_an_object_is_a_section_too(monkeypatch):
    mine = SimpleNamespace(title="Mine", place=1, build=my_figure.build)
    monkeypatch.setattr(my_figure, "mine", mine, raising=False)
    assert section.sections([f"{MINE}:mine"])[-1:] != [mine]
    assert mine in section.sections([f"{MINE}:mine"])
