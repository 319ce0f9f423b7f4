"""Code of a person's own that does not run: one line says which and where, and what else was done
is kept."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import sympy as sp

import boundcheck as bc
from boundcheck.errors import CodeError, InputError
from boundcheck.language.function import Constant
from boundcheck.language.hypotheses import BOUNDED_BELOW, Hypothesis
from boundcheck.language.symbols import D
from boundcheck.language.view import File, paragraph
from boundcheck.present import section
from boundcheck.present.material import Material
from boundcheck.present.page import write_page
from boundcheck.present.programme import programme_of
from boundcheck.proofs import paper_at
from boundcheck.system.plugins import theirs
from tests.outside.my_objective import LogCosh
from tests.outside.my_theorem import BELOW, HALVED_DESCENT
from tests.outside.test_paper import HEAD, LINE
from tests.program import run

DESCENT = {
    "claim": "nesterov2004.gradient_descent",
    "adapter": {"kind": "full"},
    "run": {"steps": 4, "audits": 4},
}


class Raises(LogCosh):
    def gradient(self, W):
        raise RuntimeError("boom")


class Flat(LogCosh):
    def gradient(self, W):
        return super().gradient(W)[0]


def without(name):
    made = LogCosh()
    delattr(made, name)
    return made


def plain():
    made = LogCosh()
    made.smoothness = 1.0
    return made


@pytest.mark.parametrize(
    "make, said",
    [
        (
            Raises,
            (
                r"^Raises\.gradient = line \d+ of test_failures\.py: expected .* not RuntimeError:"
                r" boom$"
            ),
        ),
        (
            Flat,
            r"^Flat\.gradient = torch\.float64 of shape \(3, 3\): expected .* shape \(2, 3, 3\)",
        ),
        (
            lambda: without("name"),
            r"^problem = LogCosh: expected an objective with the attribute name",
        ),
        (
            lambda: without("smoothness"),
            r"with the attribute smoothness: a boundcheck\.language\.function\.Constant",
        ),
        (
            plain,
            r"^LogCosh\.smoothness = 1\.0: expected a boundcheck\.language\.function\.Constant",
        ),
        (lambda: LogCosh(samples=0), r"^LogCosh\.samples = 0: expected a positive integer"),
    ],
)
def test_an_objective_that_is_none_is_refused_in_one_line(make, said, tmp_path):
    with pytest.raises(InputError, match=said):
        bc.measure(DESCENT, tmp_path, problem=make())


@pytest.mark.full
def test_a_hypothesis_that_raises_is_named_in_other_processes_too(tmp_path):
    claim = "tests.outside.test_failures:RAISING"
    for jobs in (1, 2):
        with pytest.raises(
            CodeError, match=r"^_raising = line \d+ of test_failures\.py: .* not ZeroDivisionError"
        ):
            bc.measure(
                DESCENT | {"claim": claim, "seed": [0, 1]},
                tmp_path,
                problem=LogCosh(),
                executor=jobs,
            )


def _raising(evidence, id):
    return [1 / 0]


WORD = Hypothesis("raising", "it raises", says=BOUNDED_BELOW.says, held=_raising)
FAILS = replace(BELOW, id="outer.below", word=WORD)
RAISING = replace(
    HALVED_DESCENT, id="outer.raising", hypotheses=(*HALVED_DESCENT.hypotheses, FAILS)
)


def test_an_error_of_ours_keeps_its_traceback_and_so_does_what_stops_a_run(tmp_path):
    # Hypothesis makes modules at run time; an error that passes through one is not a person's.
    made = {"__name__": "made_at_run_time"}
    exec("def call(f):\n    return f()", made)
    ours = {"__name__": "boundcheck.ours", "theirs": theirs, "call": made["call"]}
    for body in ("1 / 0", "call(lambda: 1 / 0)"):
        with pytest.raises(ZeroDivisionError):
            exec(f"with theirs():\n    {body}", ours)

    def stop(stage, done, total):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        bc.measure(DESCENT, tmp_path, problem=LogCosh(), tick=stop)


def _raises(material):
    yield File("half.txt", b"half of it")
    raise KeyError("boo")


@pytest.mark.parametrize(
    "build, said",
    [
        (_raises, "not KeyError: &#x27;boo&#x27;"),
        (lambda material: None, "expected parts of a view"),
    ],
)
def test_a_section_that_fails_says_so_in_its_place(build, said, tmp_path, monkeypatch, capsys):
    good = SimpleNamespace(title="Good", place=1, build=lambda material: [paragraph("all is well")])
    bad = SimpleNamespace(title="Bad", place=2, build=build)
    monkeypatch.setattr(section, "own_sections", lambda: [good, bad])
    page, *others = write_page(Material(), tmp_path / "index.html", "A", "B")
    text = page.read_text()
    assert "all is well" in text
    assert ">Bad</h2>" in text
    assert said in text
    assert [path.name for path in others] == ["results.json"]
    assert "the section Bad failed" in capsys.readouterr().err


def test_no_section_keeps_a_file_in_the_place_of_the_results(tmp_path, monkeypatch):
    kept = [File(name, b"mine") for name in ("mine.txt", "results.json")]
    mine = SimpleNamespace(title="Mine", place=1, build=lambda material: kept)
    monkeypatch.setattr(section, "own_sections", lambda: [mine])
    write_page(Material(), tmp_path / "index.html", "A", "B")
    assert [(tmp_path / each.name).read_bytes() == b"mine" for each in kept] == [True, False]


def test_what_is_no_section_is_refused(tmp_path):
    for number, text in enumerate(
        ("title, place, build = 'x', '7', print\n", "1 / 0\n", "import nowhere\n")
    ):
        file = tmp_path / f"part{number}.py"
        file.write_text(text)
        with pytest.raises(InputError, match=r"^section = "):
            section.sections([str(file)])


def test_an_audit_survives_its_papers_own_section_and_findings(tmp_path, capsys):
    folder = tmp_path / "failing"
    (folder / "sections").mkdir(parents=True)
    (folder / "claims.py").write_text(HEAD + LINE.format("failing.lemma"))
    (folder / "sections" / "broken.py").write_text("1 / 0\n")
    (folder / "report.py").write_text(
        "def measured(runs, searches, numbers):\n    return runs[0]\n"
    )
    outcome = bc.audit(folder, runs=tmp_path / "runs")
    assert "This section failed" in Path(outcome["report"]).read_text()
    said = capsys.readouterr().err
    assert "the section broken.py failed" in said
    assert "measured of the paper's report.py failed" in said


ASKING = """from boundcheck.present.programme import Attack, Programme
LEMMA = "asking.lemma"
ATTACKED = (Attack(LEMMA, "sigma", (1,), 0, 1.0),)
SHORT = Programme("boundcheck audit asking", attacks=ATTACKED, worst_cases=(LEMMA,))
"""


def test_an_attack_that_a_paper_asks_for_and_does_not_get_is_open(tmp_path):
    folder = tmp_path / "asking"
    folder.mkdir()
    (folder / "claims.py").write_text(
        "import sympy as sp\nfrom boundcheck.language.claim import Claim\nfrom"
        " boundcheck.language.symbols import L\nCLAIMS = (Claim('asking.lemma', 'Lemma 1', 'me',"
        " sp.Ge(L, 0)),)\n"
    )
    (folder / "programme.py").write_text(ASKING)
    done = run("audit", folder, "--strict", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.count("asking.lemma, attacked\tunknown\tThe attack was refused: claim") == 2
    assert "Nothing attacks asking.lemma." in done.stdout
    page = (tmp_path / "runs" / "report-asking" / "index.html").read_text().split("<script>")[0]
    assert page.count("The attack was refused: claim = asking.lemma") == 2


@pytest.mark.parametrize(
    "changes, said",
    [
        (
            {"infimum": Constant(10.0, "certified", "wishful")},
            r"^infimum = 10\.0: expected a lower bound on the loss",
        ),
        (
            {"loss": lambda W: W.sum((1, 2)) * float("nan")},
            r"^problem = log-cosh: expected a loss that is a finite",
        ),
    ],
)
def test_what_a_problem_says_wrongly_of_itself_is_named(changes, said, tmp_path):
    problem = LogCosh()
    vars(problem).update(changes)
    with pytest.raises(InputError, match=said):
        bc.measure(DESCENT, tmp_path, problem=problem)


def test_a_bound_on_gradients_that_the_run_exceeds_is_blamed(tmp_path):
    problem = LogCosh()
    problem.gradient_bound = Constant(0.01, "certified", "wishful")
    (result,) = bc.measure(DESCENT, tmp_path, problem=problem)
    # It is rounded up, with the rounding of its own square.
    said = (
        "a squared gradient norm of 0.6708 was seen, and 0.0001001 is J²G² by the problem's own G"
    )
    assert result.verdict == "hypothesis-failed"
    assert result.reason == said
    assert result.blame.kind == "constant"
    assert result.blame.name == "G"


def test_a_theorem_that_no_run_can_be_about_says_what_it_lacks(tmp_path):
    alpha, bound = HALVED_DESCENT.quantities[-2:]
    timeless = replace(
        HALVED_DESCENT, quantities=(*HALVED_DESCENT.quantities[:-1], replace(bound, expression=D))
    )
    for claim, expected in (
        (
            replace(
                timeless,
                id="outer.timeless",
                measure=None,
                conclusion=sp.Le(alpha.symbol, bound.symbol),
            ),
            "horizon T",
        ),
        (
            replace(HALVED_DESCENT, id="outer.bare", hypotheses=(BELOW,)),
            "says that F is smooth elsewhere",
        ),
    ):
        with pytest.raises(InputError, match=expected):
            bc.measure(DESCENT | {"claim": claim}, tmp_path, problem=LogCosh())


def test_claims_may_import_what_has_proofs(tmp_path):
    for name in ("circular", "circled"):
        (tmp_path / name).mkdir()
        claims = HEAD + "from .lemmas import ONE\n" + LINE.format(f"{name}.lemma")
        (tmp_path / name / "claims.py").write_text(claims)
        (tmp_path / name / "lemmas.py").write_text(
            "from boundcheck.proof import Reading, script\nONE = 1\n"
            f"@script('{name}.lemma', 'printed', Reading())\ndef lemma(proof): ...\n"
        )
    assert programme_of(paper_at(tmp_path / "circular"), full=False).sweeps == ()
    # Where the catalogue comes second, the error says what it met.
    with pytest.raises(
        InputError, match=r"claims\.py: expected imports of no module with an @script"
    ):
        paper_at(tmp_path / "circled").claims()
