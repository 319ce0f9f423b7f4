"""Documents say what is so: links lead somewhere, names are known, what is typed is printed. No tutorial, no README."""

import re
import shutil
from pathlib import Path

import pytest

from boundcheck.language.catalogue import catalogue
from boundcheck.proof.script import of_paper

from .documents import ROOT, blocks, commands, run, typed

PAGES = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]
DOCUMENTS = [ROOT / "README.md", *PAGES]
# These are followed whole.
OTHERS = [path for path in PAGES if path.parent.name != "tutorials"]
# What takes a second or two; `prove jiang2024` is the whole paper, which tests/proof audits.
QUICK = ("boundcheck claims", "boundcheck bound", "boundcheck prove ")
TYPED = {path: [block for block in blocks(path) if ">>>" in block.text] for path in OTHERS}
SAID = [
    (path, command)
    for path in OTHERS
    for block in blocks(path)
    if block.language == "console"
    for command, _ in commands(block)
]


def name(value: object) -> str:
    return value.relative_to(ROOT).as_posix() if isinstance(value, Path) else str(value)


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_its_links_lead_to_files(path: Path) -> None:
    """And to headings, where they name one."""
    for link in re.findall(r"\]\((?!https?:|#)([^)]+)\)", path.read_text(encoding="utf-8")):
        target, _, heading = link.partition("#")
        assert (path.parent / target).is_file(), link
        if heading:
            said = re.findall(r"^#+ (.+)$", (path.parent / target).read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert heading in {re.sub(r"[^\w\- ]", "", each).lower().replace(" ", "-") for each in said}, link


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_it_names_only_what_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    proved = {each.id for each in of_paper("jiang2024")}
    for id in re.findall(r"`((?:jiang2024|meft)\.[a-z0-9_.]+)`", text):
        assert id in catalogue or id in proved, id
    for file in re.findall(r"(?:examples|proofs|reports|tests)/[\w/]+\.\w+", text):
        assert (ROOT / file).is_file(), file


@pytest.mark.full
@pytest.mark.parametrize("path", [path for path, found in TYPED.items() if found], ids=name)
def test_its_python_prints_what_it_says(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    session: dict[str, object] = {"__name__": "__main__"}
    for block in TYPED[path]:
        typed(block.text, session, f"{path.name}:{block.line}")


@pytest.mark.full
@pytest.mark.parametrize(
    ("path", "command"), [x for x in SAID if x[1].startswith(QUICK) and x[1] != "boundcheck prove jiang2024"], ids=name
)
def test_its_quick_commands_work(path: Path, command: str, tmp_path: Path) -> None:
    # What the pages call a lemma of one's own.
    shutil.copy(ROOT / "proofs" / "template.py", tmp_path / "my_lemma.py")
    run(command, "", tmp_path, path.name)


@pytest.mark.full
def test_the_test_file_of_the_page_on_tests_passes_in_an_empty_project(tmp_path: Path) -> None:
    (block,) = (each for each in blocks(ROOT / "docs" / "how_to" / "testing.md") if "def test_" in each.text)
    (tmp_path / "test_mine.py").write_text(block.text, encoding="utf-8")
    run("pytest -q -W error --boundcheck-profile quick", "...\n3 passed in ...\n", tmp_path, "testing.md")
    assert [*tmp_path.glob("instances/*")] == []
