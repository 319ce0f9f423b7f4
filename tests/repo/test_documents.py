"""Documents say what is so: links lead somewhere, names are known, what is typed is printed."""

import re
import shutil
from pathlib import Path

import pytest

from boundcheck.language.catalogue import catalogue
from boundcheck.proof.script import of_paper
from tests.functions.networks.small import of_peft
from tests.layers import full

from . import counts
from .documents import ROOT, blocks, commands, follow, is_like, run, typed

PAGES = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]
DOCUMENTS = [ROOT / "README.md", ROOT / "paper.md", ROOT / "SECURITY.md", *PAGES]
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


def name(value):
    return value.relative_to(ROOT).as_posix() if isinstance(value, Path) else str(value)


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_its_links_lead_to_files(path):
    """And to headings, where they name one."""
    for link in re.findall(r"\]\((?!https?:|#)([^)]+)\)", path.read_text(encoding="utf-8")):
        target, _, heading = link.partition("#")
        assert (path.parent / target).is_file(), link
        if heading:
            said = re.findall(
                r"^#+ (.+)$", (path.parent / target).read_text(encoding="utf-8"), flags=re.MULTILINE
            )
            assert heading in {
                re.sub(r"[^\w\- ]", "", each).lower().replace(" ", "-") for each in said
            }, link


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_it_names_only_what_exists(path):
    text = path.read_text(encoding="utf-8")
    proved = {each.id for each in of_paper("jiang2024")}
    for id in re.findall(r"`((?:jiang2024|meft)\.[a-z0-9_.]+)`", text):
        assert id in catalogue or id in proved, id
    for file in re.findall(r"(?:examples|proofs|reports|tests)/[\w/]+\.\w+", text):
        assert (ROOT / file).is_file(), file


@full
@pytest.mark.parametrize("path", [path for path, found in TYPED.items() if found], ids=name)
def test_its_python_prints_what_it_says(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session = {"__name__": "__main__"}
    for block in TYPED[path]:
        typed(block.text, session, f"{path.name}:{block.line}")


@full
@pytest.mark.parametrize(
    "path, command",
    [x for x in SAID if x[1].startswith(QUICK) and x[1] != "boundcheck prove jiang2024"],
    ids=name,
)
def test_its_quick_commands_work(path, command, tmp_path):
    # What the pages call a lemma of one's own.
    shutil.copy(ROOT / "proofs" / "template.py", tmp_path / "my_lemma.py")
    run(command, "", tmp_path, path.name)


@full
def test_the_test_file_of_the_page_on_tests_passes_in_an_empty_project(tmp_path):
    (block,) = (
        each for each in blocks(ROOT / "docs" / "how_to" / "testing.md") if "def test_" in each.text
    )
    (tmp_path / "test_mine.py").write_text(block.text, encoding="utf-8")
    run(
        "pytest -q -W error --boundcheck-profile quick",
        "...\n3 passed in ...\n",
        tmp_path,
        "testing.md",
    )
    assert [*tmp_path.glob("instances/*")] == []


TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))


@of_peft
@full
@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_can_be_followed(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert follow(path, tmp_path) >= 3


def followed(text, folder):
    (folder / "page.md").write_text(text, encoding="utf-8")
    return follow(folder / "page.md", folder)


FILE = "Save this as `x.py`:\n\n```python\nprint(1 + 1)\n```\n\n"


@pytest.mark.parametrize(
    "text, said",
    [
        (FILE + "```console\n$ python x.py\n3\n```\n", "prints\n2"),
        ("```console\n$ python missing.py\n...\n```\n", "exits with 2"),
        ("```console\n$ python missing.py\n```\n", "exits with 2"),
        ("```console\n$ rm x.py\n```\n", "which no test runs"),
        (FILE + "Change `x.py`:\n\n```diff\n-print(2)\n+print(3)\n```\n", "0 times"),
        ("```python\n>>> 1 + 1\n3\n```\n", "Expected"),
        ("```toml\nx = 1\n```\n", "a block that nobody runs"),
    ],
)
def test_a_page_that_is_wrong_is_not_followed(text, said, tmp_path):
    with pytest.raises(AssertionError, match=said):
        followed(text, tmp_path)


def test_what_is_printed_is_like_what_is_shown():
    same = ("a b c", "a  b\nc\n", "...", "a ... c", "a ... b ... c", "a ... b c ...")
    other = ("a b", "... b ... b ...", "a b ... b c", "... d ...", "b ...", "... b")
    assert [shown for shown in (*same, *other) if is_like(shown, "a b c\n")] == [*same]


README = ROOT / "README.md"


def trained(folder):
    """What its example for a Trainer takes for granted: a model of peft, arguments, data."""
    from transformers import TrainingArguments

    from tests.functions.networks.trained import data_of, stock

    few = {"max_steps": 3, "per_device_train_batch_size": 3, "save_strategy": "no"}
    quiet = {
        "report_to": "none",
        "disable_tqdm": True,
        "logging_strategy": "no",
        "dataloader_pin_memory": False,
    }
    args = TrainingArguments(output_dir=str(folder / "out"), use_cpu=True, **few, **quiet)
    return {"peft_model": stock(), "args": args, "data": data_of()}


@of_peft
@full
def test_the_readme_can_be_followed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert follow(README, tmp_path, **trained(tmp_path)) == 5
    assert [path.name for path in (tmp_path / "runs").glob("report-*/index.html")] == ["index.html"]


def test_its_two_commands_do_what_it_says(tmp_path):
    """Make is asked what it would run: it would install."""
    found = {
        command
        for block in blocks(README)
        if block.language == "console"
        for command, _ in commands(block)
    }
    assert {"make report", "make test"} <= found
    run("make report", "...boundcheck audit jiang2024\n", tmp_path, README.name)
    run(
        "make test",
        '... -m "not full and not nightly" --hypothesis-profile=quick\n',
        tmp_path,
        README.name,
    )


@pytest.mark.parametrize("name", counts.DOCUMENTS)
def test_how_often_it_is_wrong_is_what_was_counted(name):
    """`python -m tests.repo.counts` writes it after `boundcheck soundness`."""
    assert counts.counted(name) == counts.read(name)
