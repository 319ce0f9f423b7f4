"""A report for a paper: numbers that claim no more than was found, tables in which no failure
hides, and real TeX."""

import json
import math
import re
import shutil
import subprocess

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

import boundcheck as bc
from boundcheck.experiment.statistics import Interval
from boundcheck.language.catalogue import entries_of
from boundcheck.present.latex import (
    Latex,
    Numbers,
    Toward,
    files_of,
    letters,
    place_of,
    printed,
    rounded,
    significant,
    tag,
    typeset,
)
from boundcheck.present.material import Material
from boundcheck.present.sections.runs import verdict_table
from boundcheck.proof.audit import JudgedRow, Row
from boundcheck.proof.export import latex
from boundcheck.proof.view import referee_table
from boundcheck.proofs import paper_of, papers
from boundcheck.verdicts import Verdict
from tests.exact.test_digits import read_back

from .made import changed, need
from .test_networks import run as network

POSITIVE = st.floats(1e-6, 1e6)


@given(POSITIVE, POSITIVE, POSITIVE)
def test_what_was_measured_lies_within_the_limits_that_are_printed(low, middle, high):
    low, middle, high = sorted((low, middle, high))
    interval = Interval(low, high, 0.95, "asymptotic", "a method")
    place = place_of(interval, middle)
    printed_low, printed_high = (
        read_back(typeset(end, place, toward))
        for end, toward in ((low, Toward.DOWN), (high, Toward.UP))
    )
    # Read back as the floats that they are of.
    assert float(printed_low) <= low
    assert high <= float(printed_high)
    assert printed_low <= read_back(significant(middle, interval=interval)) <= printed_high


@given(POSITIVE, POSITIVE)
def test_no_more_digits_are_printed_than_the_interval_supports(middle, half):
    place = place_of(Interval(middle - half, middle + half, 0.95, "exact", ""), middle)
    # The last digit is the second of half the width, or the first of the number.
    assert 10.0**place >= half / 100 * (1 - 1e-9) or place == math.floor(math.log10(middle))
    assert rounded(middle, place) != 0 or middle < 10.0**place


@given(
    st.lists(st.text(max_size=8), min_size=1, max_size=3),
    st.lists(st.text(max_size=8), min_size=1, max_size=3),
)
# A digit of these is no decimal one.
@example(["²"], ["①"])
def test_each_number_has_a_name_of_its_own_of_letters_alone(one, other):
    numbers = Numbers()
    commands = [numbers.add(tuple(words), "1") for words in (one, other, one)]
    assert len(set(commands)) == 3
    assert all(re.fullmatch(r"\\[A-Za-z]+\{\}", each) for each in commands)
    assert all(line.isascii() for line in numbers.lines)


def test_a_name_says_what_the_number_is_and_stays():
    assert (
        letters("jiang2024.lemma1", "pseudo-Huber", 4, "λ*")
        == "JiangTwoZeroTwoFourLemmaOnePseudoHuberFourLambda"
    )
    assert tag({"b": 1, "a": 2}) == tag({"a": 2, "b": 1}) != tag({"a": 2, "b": 2})


@pytest.fixture(scope="module")
def made(stored):
    # One bracket has few figures, which take long to draw.
    return files_of(Material(stored[-1:]), "Stored runs", "A bracket.")


@pytest.mark.full
def test_every_command_is_defined_and_every_file_is_named_in_the_example(made):
    texts = {name: content.decode() for name, content in made.items() if not name.endswith(".pdf")}
    defined = re.findall(r"\\newcommand\{\\(\w+)\}", texts["latex/numbers.tex"])
    assert len(defined) == len(set(defined)) >= 15
    used = {name for text in texts.values() for name in re.findall(r"\\(bc\w+)", text)}
    assert {name for name in used if name not in defined} == set()
    example = texts["latex/example.tex"]
    inputs = {f"latex/{each}.tex" for each in re.findall(r"\\input\{(.+?)\}", example)}
    assert inputs | {"latex/example.tex", "latex/references.bib"} == set(texts)
    figures = {f"latex/{each}.pdf" for each in re.findall(r"\\includegraphics\{(.+?)\}", example)}
    assert figures == {name for name in made if name.endswith(".pdf")} != set()


def test_what_a_number_is_is_said_beside_it(stored):
    numbers = Numbers()
    printed(Material(stored), numbers)
    kinds = dict(re.findall(r"\\newcommand\{\\(\w+)Kind\}\{(.+?)\}", "\n".join(numbers.lines)))
    assert {"certified", "kernel"} <= set(kinds.values())
    for run in stored:
        if run.is_theorem and run.result.interval:
            name = f"{tag(run.result.spec)}Measured"
            (said,) = (kind for each, kind in kinds.items() if each.lower().endswith(name.lower()))
            assert said == run.result.interval.kind


def typeset_(table, *runs):
    """A table in LaTeX, the numbers of these runs by their commands."""
    return Latex(printed(Material(list(runs)), Numbers())).floats(table)


@pytest.mark.parametrize("verdict", [each for each in Verdict if not each.is_supported])
def test_a_verdict_that_is_no_support_is_seen_in_every_table(stored, verdict):
    (run,) = (each for each in stored if each.is_theorem)
    broken = changed(run, verdict=str(verdict), reason="it was made so")
    table = typeset_(verdict_table([broken]), broken)
    assert table.count(rf"\textbf{{{verdict}}}") == 1
    assert "It was made so." in table


def test_a_bound_at_constants_that_were_only_sampled_says_so(stored):
    (run,) = (each for each in stored if each.is_theorem)
    sampled = changed(
        run, constants__smoothness={"value": 1.0, "kind": "estimated", "how": "samples"}
    )
    for each, kind in ((run, None), (sampled, "estimated"), (network(), "estimated")):
        numbers = Numbers()
        printed(Material([each]), numbers)
        # The ends of the bracket have names with the claim's in them.
        (name,) = (
            x
            for x in numbers.commands
            if re.search(rf"{tag(each.result.spec)}Bound$", x, re.IGNORECASE)
        )
        assert numbers.commands.get(f"{name}Kind") == kind
        if not each.is_network:
            table = typeset_(verdict_table([each]), each)
            assert ("$^{*}$" in table) == ("A star: " in table) == (kind is not None)


def test_a_run_that_diverged_has_no_number(stored):
    (run,) = (each for each in stored if each.is_theorem)
    lost = changed(run, measured=None, interval=None, verdict="inconclusive")
    numbers = Numbers()
    printed(Material([lost]), numbers)
    table = typeset_(verdict_table([lost]), lost)
    assert [
        name for name in numbers.commands if name.endswith(("Measured", "Lower", "Upper", "Ratio"))
    ] == []
    assert "& -- & --" in table


def test_a_finding_that_a_witness_refutes_has_evidence_and_an_editorial_one_has_none():
    row = Row(7, "Eq. (1)", "printed", "A finding.")
    by_witness, editorial = (
        JudgedRow(row, verdict, "", "evidence") for verdict in ("refuted", "editorial")
    )
    for each, has in ((by_witness, True), (editorial, False)):
        (table,) = map(Latex(()).floats, referee_table([each]))
        assert (r"\newline witness" in table) == has
        assert ("No machine evidence" in table) == (not has)


@pytest.mark.full
def test_the_command_writes_the_folder_beside_the_page(run_folders, command, tmp_path):
    found = command("report", str(run_folders[0]), "--latex", "--json")
    files = json.loads(found.out)["files"]
    assert {f"report/{name}" for name in ("index.html", "latex/example.tex")} <= set(files)
    assert all((tmp_path / each).is_file() for each in files)


# A real TeX.


def compiled(files, name, folder):
    """Run TeX on a file as an author does; no reference may be undefined, and no line wider than
    its column by what one sees.
    """
    need(all(map(shutil.which, ("pdflatex", "pdffonts"))), TEX)
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    for command in ("pdflatex", "bibtex", "pdflatex", "pdflatex"):
        options = ["-halt-on-error", "-interaction=nonstopmode"] if command == "pdflatex" else []
        said = output(folder, command, *options, name)
    assert "undefined" not in said.lower()
    log = (folder / "latex" / f"{name}.log").read_text(errors="replace")
    assert "undefined" not in log.lower().replace("@ifundefined", "")
    too_wide = [float(each) for each in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", log)]
    assert max(too_wide, default=0.0) <= 6.0
    assert "Float too large" not in log


def output(folder, *command):
    """What a program says of a file in the folder `latex`; fails where it fails."""
    done = subprocess.run(
        command, cwd=folder / "latex", capture_output=True, timeout=120, check=False
    )
    said = done.stdout.decode(errors="replace")
    assert done.returncode == 0, f"{command}: {said[-3000:]}"
    return said


@pytest.fixture(scope="module")
def everything(stored, searches, paper_proofs):
    (run,) = (each for each in stored if each.is_theorem)
    silent = [
        changed(run, verdict=x, reason=f"A reason for {x}")
        for x in ("hypothesis-failed", "uninformative")
    ]
    paper = paper_of("jiang2024").folder
    return Material([*stored, *silent], proofs=paper_proofs, searches=searches, paper=paper)


@pytest.fixture(scope="module")
def whole_report(everything):
    return files_of(everything, "jiang2024, audited", "Everything, as --full has it.")


@pytest.mark.full
def test_the_example_compiles_and_has_a_piece_of_each_kind(whole_report, tmp_path):
    compiled(whole_report, "example", tmp_path)
    fonts = output(tmp_path, "pdffonts", "example.pdf").splitlines()[2:]
    assert {line.split()[-5] for line in fonts} == {"yes"}
    text = (tmp_path / "latex" / "example.tex").read_text(encoding="utf-8")
    assert re.findall(r"^\\input\{tables/.+?\}", text, re.MULTILINE)
    assert r"\begin{figure}" in text
    # What a reader sees: no number of nine digits, and every mark of a citation and a reference is
    # there.
    printed_ = output(tmp_path, "pdftotext", "example.pdf", "-")
    assert re.findall(r"\d{9}|\d\.\d{8}|\?\?|\[\?\]", printed_) == []


@pytest.mark.full
def test_every_table_figure_and_theorem_compiles(whole_report, paper_proofs, tmp_path):
    """The example with all that it only names, and the proofs that `prove --export` writes."""
    text = whole_report["latex/example.tex"].decode()
    named = re.sub(
        r"^% (?=\\input|\\includegraphics)", r"\\par\\noindent ", text, flags=re.MULTILINE
    )
    more = "".join(latex(proof) for claim in paper_proofs.claims for proof in claim.proofs)
    for part in (r"\begin{theorem}", "Suppose:", r"\begin{proof}", "From (", "Certificate:"):
        assert part in more
    named = named.replace("\\bibliographystyle", more + "\\clearpage\\bibliographystyle")
    compiled(whole_report | {"latex/all.tex": named.encode()}, "all", tmp_path)


@pytest.mark.full
def test_bibtex_takes_every_source_of_every_paper_without_a_warning(tmp_path):
    need(shutil.which("bibtex") is not None, TEX)
    entries = [entry.text for paper in papers().values() for entry in entries_of(paper)]
    (tmp_path / "latex").mkdir()
    (tmp_path / "latex" / "all.bib").write_text("\n\n".join(entries))
    (tmp_path / "latex" / "all.aux").write_text(
        "\\citation{*}\n\\bibstyle{plain}\n\\bibdata{all}\n"
    )
    assert "arning" not in output(tmp_path, "bibtex", "all")
    made = (tmp_path / "latex" / "all.bbl").read_text()
    assert made.count(r"\bibitem") == len(entries) > 0


TEX = "TeX: apt-get install texlive-latex-recommended texlive-fonts-recommended poppler-utils"


@pytest.fixture(scope="module")
def paper_proofs():
    return bc.prove("jiang2024")
