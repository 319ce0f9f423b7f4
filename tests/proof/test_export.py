"""Proofs in LaTeX: the theorem is the kernel's, each line says from what it follows, and displays
fit a column."""

import re
import unicodedata

import pytest

from boundcheck.proof import ge
from boundcheck.proof.export import label, latex
from boundcheck.proof.notation import shown
from tests.judged import of_the_paper

from .scripts import judged, x

pytestmark = of_the_paper


def check_latex(text):
    """Braces and delimiters are balanced, nothing but Latin letters is left, and no label ends
    early."""
    bare = re.sub(r"\\[\\{}%&#_$]", "", text)
    depth = 0
    for character in bare:
        depth += (character == "{") - (character == "}")
        assert depth >= 0
    assert depth == 0
    for left, right in (
        (r"\(", r"\)"),
        (r"\[", r"\]"),
        (r"\left", r"\right"),
        (r"\begin{", r"\end{"),
    ):
        plain = text.replace("\\\\", "")
        count = [len(re.findall(re.escape(each) + r"(?![a-z])", plain)) for each in (left, right)]
        assert count[0] == count[1], left
    # Letters such as é are known to LaTeX.
    assert [x for x in text if ord(x) > 126 and not unicodedata.name(x).startswith("LATIN")] == []


ODD = {
    "percent and such": "100% of A_1 & #2 ^ 3",
    "letters of mathematics": "‖∇F‖² ≤ σ·ζ, ½λ*",
    "a bracket": "E[g | past]",
    "dollars": "5$",
    "braces": "{a",
    "a backslash": "a\\b",
    "a tilde": "a~b",
    "other letters": "ε ∂ é “quoted” …",
    "a sign without a command": "a ⊗ b",
    "a Greek letter without a command": "β",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_words_of_a_script_are_escaped_in_latex(text):
    def build(proof):
        proof.step(text, ge(x**2, 0), meaning=text)

    made = latex(judged(build))
    check_latex(made)
    # A tilde, backslash or dollar has a command.
    assert not re.search(r"(?<!\\)[$~](?!\\|\{)|\\b\b", made)


def formulas(text):
    """The signs of each formula of ours, on lines of its own or within one, in their order."""
    found = []
    for begin in re.finditer(r"\\boundcheck(display|inline)\{", text):
        end = begin.end()
        depth = 1
        while depth:
            depth += (text[end] == "{") - (text[end] == "}") if text[end - 1] != "\\" else 0
            end += 1
        found.append(text[begin.end() : end - 1].replace(r"\penalty900", " ").split())
    return found


@pytest.mark.full
def test_the_theorem_says_what_the_kernel_proved(paper):
    """What stands in the environment are the statements of the kernel, sign by sign."""
    for claim in paper.claims:
        for proof in claim.proofs:
            text = latex(proof)
            check_latex(text)
            assert (r"\begin{theorem}" in text) == (proof.verdict == "proved")
            if proof.verdict != "proved":
                assert proof.verdict in text.splitlines()[1]
                continue
            said = shown(*(each.statement for each in proof.hypotheses), proof.conclusion)
            theorem = text[: text.index(r"\end{theorem}")]
            assert theorem.count(r"\item") == len(proof.hypotheses)
            assert formulas(theorem) == [made.split() for made in said.latex]


def test_a_letter_and_a_process_of_its_name_are_told_apart(paper):
    """Theorem 2 speaks of any A and of the iterates A_t: a reader sees which of them is random."""
    for proof in paper["jiang2024.theorem2"].proofs:
        if proof.verdict == "proved":
            said = shown(*(each.statement for each in proof.hypotheses), proof.conclusion)
            told = [name for names in said.told_latex.values() for name in names]
            assert len(set(told)) == len(told) == len(said.roles)
            assert {"{A}", "{A} _{ t }"} <= set(told)
            assert f"${', '.join(said.told_latex[said.roles['A[t]']])}$: a random" in latex(proof)


def test_a_line_names_the_lines_and_hypotheses_that_it_follows_from(paper):
    proof = paper["jiang2024.lemma1"].proof("repaired")
    text = latex(proof)
    lines = text[text.index(r"\begin{proof}") :].split(r"\item\label{")[1:]
    assert [line.split("}")[0] for line in lines] == [
        f"{label(proof)}:{i}" for i in range(1, len(proof.steps) + 1)
    ]
    # A line follows from earlier lines alone.
    for place, line in enumerate(lines):
        earlier = {str(i) for i in range(1, place + 1)} | {
            f"H{i}" for i in range(1, len(proof.hypotheses) + 1)
        }
        for told in re.findall(r"^From (.+), by ", line, re.MULTILINE):
            assert {
                each.rpartition(":")[2] for each in re.findall(r"\\ref\{(.+?)\}", told)
            } <= earlier
