"""The site builds without a warning, fetches nothing, and has all that the code has; commands and
examples run."""

import re
import shlex
import subprocess
import sys
from html import unescape
from typing import get_args

import pytest
from typer.main import get_command

from boundcheck.cli import app
from boundcheck.experiment.spec import Spec, specs_of
from boundcheck.experiment.statistics import Kind
from boundcheck.functions.objective import PROBLEMS
from boundcheck.kernel import RULES, STANDARD_FACTS
from boundcheck.language.catalogue import catalogue
from boundcheck.language.evidence import Guilt, Status
from boundcheck.proof.audit import RowVerdict
from boundcheck.proof.verdict import ClaimVerdict, StepVerdict, Trust
from boundcheck.system.tables import Table
from boundcheck.verdicts import Verdict
from tests.layers import full

from .documents import ROOT

DOCS = ROOT / "docs"
PAGES = {
    str(path.relative_to(DOCS)): path.read_text(encoding="utf-8")
    for path in sorted(DOCS.rglob("*.md"))
}
COMMANDS = sorted(
    {
        line
        for text in PAGES.values()
        for line in re.findall(r"^\$ boundcheck (.+)$", text, re.MULTILINE)
    }
)


def tables_in(annotation):
    """The tables that a field may hold, whatever unions and optional ones they stand in."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        yield annotation
    for each in get_args(annotation):
        yield from tables_in(each)


def test_each_field_of_a_spec_says_what_it_means():
    tables = {Spec, *(PROBLEMS[kind] for kind in PROBLEMS if ":" not in kind)}
    for field in Spec.model_fields.values():
        tables |= {*tables_in(field.annotation)}
    assert len(tables) >= 14
    fields = [(table, name, x) for table in tables for name, x in table.model_fields.items()]
    # The kind of a table of one kind names the table.
    missing = {
        (table.__name__, name) for table, name, x in fields if not x.description and name != "kind"
    }
    assert missing == set()


def test_each_word_of_a_verdict_has_its_meaning_its_limit_and_an_example():
    parts = re.split(r"^###? (.+)$", PAGES["verdicts.md"], flags=re.MULTILINE)
    told = dict(zip(parts[1::2], parts[2::2], strict=True))
    words = {
        *Verdict,
        *(
            word
            for kind in (StepVerdict, ClaimVerdict, RowVerdict, Trust, Kind)
            for word in get_args(kind)
        ),
    }
    for word in words - {""}:
        assert "**It means:**" in told[word], word
        assert "**It does not mean:**" in told[word], word
        # Whether one solver is too late is for the machine to say.
        assert ">>> " in told[word] or word == "solver", word
    for word in (*get_args(Guilt), *get_args(Status)):
        assert f"`{word}` |" in PAGES["verdicts.md"], word


@pytest.mark.parametrize(
    "path", sorted((ROOT / "examples").glob("*.toml")), ids=lambda path: path.stem
)
def test_examples_are_valid_specs(path):
    assert specs_of(path)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_a_page_exists_with_its_options(command):
    name, *words = shlex.split(command, comments=True)
    whole = get_command(app)
    known = whole if name.startswith("-") else whole.commands[name]
    options = {option for parameter in known.params for option in parameter.opts}
    assert {word for word in (name, *words) if word.startswith("--")} <= options
    assert {word for word in words if re.fullmatch(r"(jiang2024|meft)\.\w+", word)} <= {*catalogue}
    for word in words:
        assert not word.startswith("examples/") or (ROOT / word).is_file()


@full
@pytest.mark.xdist_group("the site")
def test_the_site_builds_without_a_warning_fetches_nothing_and_has_all_that_the_code_has(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-E", "-W", "-q", str(DOCS), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == ""
    pages = {
        path.relative_to(tmp_path).as_posix(): path.read_text(encoding="utf-8")
        for path in tmp_path.rglob("*.html")
    }
    assert len(pages) >= len(PAGES)
    for path, text in pages.items():
        loaded = re.findall(r'<(?:script|img|iframe|link)[^>]*?(?:src|href)="([^"]+)"', text)
        assert [each for each in loaded if re.match(r"(https?:)?//", each)] == [], path
    for path in tmp_path.rglob("*.css"):
        assert not re.search(
            r"(@import|url\()\s*[\"']?(https?:)?//", path.read_text(encoding="utf-8")
        ), path
    # A page from disk may load a script, and nothing else.
    assert (tmp_path / "searchindex.js").is_file()

    for rule in RULES:
        assert f'<span class="pre">{rule}</span>' in pages["kernel.html"], rule
    assert all(re.search(r"\(.*\d", said) for said in STANDARD_FACTS.values())
    for file in (ROOT / "boundcheck" / "kernel").glob("*.py"):
        assert f">{file.name}<" in pages["kernel.html"], file
    for id in catalogue:
        assert f'id="{id.replace(".", "-").replace("_", "-")}"' in pages["reference/claims.html"], (
            id
        )
    assert pages["reference/claims.html"].count("<math") > len(catalogue)
    whole = get_command(app)
    for name in whole.commands:
        assert f'id="{name}"' in pages["reference/commands.html"], name


REPORTS = sorted((ROOT / "reports").glob("*/index.html"))
SPEC = """claim = "jiang2024.lemma1"
problem = {kind = "pseudo-huber", d = 3, k = 3, samples = 4, delta = 0.25, noise = 0.5}
adapter = {rank = 1}
domain = {a = 1.0, b = 1.0}
bracket = {pairs = 4, iterates = 2, points = 1, ascents = 1, rounds = 1}
"""


def commands(file):
    """What a page prints under its last heading."""
    text = file.read_text(encoding="utf-8")
    return set(
        map(unescape, re.findall(r"<code>(boundcheck [^<]*)</code>", text[text.rfind("<h2") :]))
    )


def check(command, root):
    """Whether the command line takes it, and each file that it names is there."""
    _, name, *words = shlex.split(command)
    made = get_command(app)
    made.commands[name].make_context(name, [*words])
    paths = [word for word in words if "/" in word or word.endswith((".toml", ".py"))]
    assert [word for word in paths if not (root / word).exists()] == [], command


@pytest.mark.parametrize("file", REPORTS, ids=lambda file: file.parent.name)
def test_each_printed_command_is_one_that_runs_from_the_root(file):
    for command in commands(file):
        check(command, ROOT)


@full
def test_a_page_names_its_spec_as_it_is_typed_from_here(command, tmp_path):
    """It is measured, the printed command is run, and what it prints is the same run."""
    (tmp_path / "some specs").mkdir()
    (tmp_path / "some specs" / "one.toml").write_text(SPEC)
    typed = "boundcheck measure 'some specs/one.toml'"
    said = []
    for _ in range(2):
        answer = command(*shlex.split(typed)[1:])
        assert answer.code == 0
        said.append(answer.out)
        (typed,) = commands(tmp_path / "runs" / "report-one" / "index.html")
        check(typed, tmp_path)
    # A bracket that is read is not judged again, and says so.
    assert [each.split("\t")[5] for each in said] == [said[0].split("\t")[5]] * 2
