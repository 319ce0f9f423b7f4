"""The report as one PDF: formulas keep every sign, what is not known is refused, and no extra is one line."""

from __future__ import annotations

import re
from importlib.util import find_spec

import hypothesis.strategies as st
import pytest
from hypothesis import given

from boundcheck import present
from boundcheck.errors import InputError
from boundcheck.language import prose
from boundcheck.language.catalogue import catalogue
from boundcheck.present.material import Finding, Material, StoredRun
from boundcheck.present.typst import UnknownError, formula
from boundcheck.proof.notation import shown
from tests.judged import SCRIPTS, judged, of_the_paper

from .made import need

CATALOGUE = [line for claim in catalogue.values() for line in (claim.statement_latex, *claim.definitions_latex)]


# Commands whose name is what they print, and what typst prints nothing of.
SPOKEN = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda", "mu", "pi", "rho"}
SPOKEN |= {"sigma", "tau", "phi", "chi", "psi", "omega", "Delta", "Theta", "Lambda", "Sigma", "Omega", "nu", "xi"}
SPOKEN |= {"Phi", "Psi", "Gamma", "iota", "min", "max", "log", "exp", "sup", "inf", "lim", "sin", "cos", "dim"}
WORDS = "frac sqrt root hat tilde macron bold bb cal italic lr parallels thin med quad wide space alt"
MARKUP = rf"(?<![A-Za-z])({WORDS.replace(' ', '|')})(?![A-Za-z])"


def letters_of_latex(text: str) -> str:
    """The letters and digits that LaTeX prints, in their order; the degree of a root stands before what it is of."""

    def command(match: re.Match[str]) -> str:
        name = match[1].removeprefix("var")
        return f" {name} " if name in SPOKEN else " "

    return re.sub(r"[^A-Za-z0-9]", "", re.sub(r"\\([A-Za-z]+)", command, text))


def letters_of_typst(text: str) -> str:
    """The letters and digits that typst prints, in their order."""
    return re.sub(r"[^A-Za-z0-9]", "", re.sub(MARKUP, " ", text))


@pytest.mark.parametrize(
    ("latex", "made"),
    [
        (r"\|W_1 - W_2\|_{F} \le L", "#parallels;W_(1) - W_(2) #parallels;_(F) ≤ L"),
        (r"\frac{a, b}{\sqrt[4]{r}}", r"frac(a \, b, root(4, r))"),
        (r"\left(\frac{1}{2}\right)^{2}", r"lr(\( frac(1, 2) \))^(2)"),
        (r"\hat{L}\zeta^{2} \text{ for all } v", 'hat(L) zeta^(2) " for all " v'),
        (r"\frac{1}{ {\zeta} } ^{ 2 }", r"lr(\( frac(1, zeta) \))^(2)"),
        (r"T_{\min}, x'", r"T_(min) \, x^(′)"),
        (r"{A_{1}} ^{\top}", "A_(1)^(⊤)"),
        (r"(a b)^2", r"\( a b \)^(2)"),
        (r"{a b}^2", "lr(a b)^(2)"),
        (r"\mathtt{a\_b}", '"a_b"'),
        ("12.5 x", "12.5 x"),
        (r"\operatorname{rank}", '"rank"'),
        ("", ""),
    ],
)
def test_a_formula_in_the_markup_of_typst(latex: str, made: str) -> None:
    assert formula(latex) == made


@pytest.mark.parametrize(
    "latex", [r"\begin{cases} a", r"\input{x}", "{a", "a}", r"\left( a", r"\frac{a}", r"\text{\x}", "a_"]
)
def test_what_is_not_known_is_refused(latex: str) -> None:
    with pytest.raises(UnknownError):
        formula(latex)


def test_every_formula_of_the_catalogue_is_known_and_keeps_its_letters() -> None:
    for line in CATALOGUE:
        # A superscript that LaTeX has before a subscript stands after it.
        assert sorted(letters_of_typst(formula(line))) == sorted(letters_of_latex(line)), line


@of_the_paper
def test_every_statement_of_the_proofs_is_known_and_keeps_its_letters() -> None:
    for script in SCRIPTS[:6]:
        proof = judged(script)
        for step in proof.steps:
            for line in (*shown(step.step.theorem.conclusion).latex, step.step.printed):
                assert letters_of_typst(formula(line)) == letters_of_latex(line), line


TYPED = [*"aLr2σζ", "√r", "‖W‖_F", " ≤ ", " + ", "(x)", "x_(t+1)", "r^(1/4)", "λ*", "L̂"]


@given(st.lists(st.sampled_from(TYPED), max_size=12).map("".join))
def test_what_people_type_is_known(typed: str) -> None:
    latex = prose.latex(typed)
    assert letters_of_typst(formula(latex)) == letters_of_latex(latex)


def test_without_the_extra_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(present, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"--pdf = .*pip install \"boundcheck\[pdf\]\""):
        present.forms(pdf=True)
    assert present.forms() == ()


@pytest.mark.full
@of_the_paper
def test_the_report_is_a_pdf_and_the_same_twice(stored: list[StoredRun]) -> None:
    need(find_spec("typst") is not None, 'typst: pip install "boundcheck[pdf]"')
    import typst

    from boundcheck.present.typst import files_of

    hostile = Finding(1, 'a "quote" #let x = 1 \\', "supported", "$x_1$")
    material = Material(stored, [hostile])
    one, two = (files_of(material, 'A #title with "signs" \\ $x$', "‖W‖ ≤ $σ_1$ #[x] *y*") for _ in range(2))
    assert list(one) == ["report.pdf"]
    assert one["report.pdf"].startswith(b"%PDF")
    assert one == two
    every = "\n\n".join(f"${formula(line)}$" for line in CATALOGUE)
    assert typst.compile((files_of.__globals__["PREAMBLE"] + "\n" + every).encode())
