"""Displays that would lie: labels, titles and formulas of the author beside what the kernel proved.

Here `wrong` returns the line that tells the truth beside the author's words, or the refusal.
"""

import io
import json
import re

import sympy as sp
from rich.console import Console

import boundcheck as bc
from boundcheck.kernel import rules
from boundcheck.language import screen
from boundcheck.language.symbols import abc_a
from boundcheck.language.vocabulary import FrobeniusNorm, d, k
from boundcheck.proof import ClaimAudit, ProofAudit, Reading, ge, judge, le, script
from boundcheck.proof.export import export
from boundcheck.proof.proof import Step
from boundcheck.proof.verdict import claim_verdict
from boundcheck.proof.view import show

from .case import NUMBERS, Case, lemma, of_scripts, refusal, x


def audit(build, title="", reading=NUMBERS):
    judged = judge(script("my.lemma", "sharp", reading, title=title)(build))
    return ProofAudit(
        (ClaimAudit("my.lemma", judged.script.title, claim_verdict([judged]), (judged,)),), (), 0.0
    )


def shown(build, **options):
    """What the terminal shows of a script."""
    out = io.StringIO()
    screen.show(Console(file=out, width=400), *show(audit(build, **options)))
    return out.getvalue()


def line(text, pattern):
    """The first line that matches; "" where none does."""
    lines = (" ".join(x.split()) for x in text.splitlines())
    return next((x for x in lines if re.search(pattern, x)), "")


def tells(name, truth, build, twin, **options):
    """The terminal shows the truth of the one script, and not of its twin, of which it is not
    true."""
    return Case(
        name,
        truth,
        lambda _: line(shown(build, **options), truth),
        lambda _: line(shown(twin, **options), truth),
    )


def assumed(name):
    def build(proof):
        known = proof.assume(le(1, 0), name=name)
        proof.conclude(
            proof.step("line", le(x, 5), known, proof.step("zero", le(0, x**2))), relation=le(x, 5)
        )

    return build


def cited(relation):
    """A proof that cites another one, which goes on after its conclusion."""

    def other(proof):
        proof.conclude(proof.step("small", ge(x**2, 0)), relation=ge(x**2, 0))
        proof.step("large", relation)

    first = script("my.other", "sharp", NUMBERS)(other)

    def build(proof):
        theorem = proof.cite(first.proof, "cited")
        proof.conclude(theorem, relation=ge(x**2, 0))

    return build


def relabelled(relation):
    """The reason of a line whose relation was exchanged after it was proved; "" where it is
    proved."""

    def build(proof):
        theorem = proof.step("line", ge(x**2, 0))
        proof.steps[:] = [Step("line", relation, "", "", theorem)]
        proof.conclude(theorem, relation=ge(x**2, 0))

    judged = judge(script("my.lemma", "sharp", NUMBERS)(build))
    return "; ".join(each.reason for each in judged.steps if each.verdict != "proved")


def told(label, **options):
    """A line with words of its author's."""
    return lambda proof: proof.conclude(
        proof.step(label, ge(x**2, 0), **options), relation=ge(x**2, 0)
    )


def spoken(text):
    return told(text, meaning=text)


def exported(text):
    """The line of the exported LaTeX that has the author's words."""

    def say(folder):
        (path,) = (
            each for each in export(audit(spoken(text)), folder) if each.match("my.lemma*.tex")
        )
        return line(path.read_text(), r"\\textbackslash") if "\\" in text else ""

    return say


def of_file(folder, body):
    path = folder / "mine.py"
    path.write_text(
        "from boundcheck.proof import lemma, ge\nimport sympy as sp\n" + "\n" * 20 + body
    )
    return refusal(lambda: bc.prove(path))


def as_json(build, **options):
    (claim,) = json.loads(json.dumps(audit(build, **options).as_json()))["claims"]
    (proof,) = claim["proofs"]
    return proof


def open_line(proof):
    proof.conclude(proof.step("wish", ge(x, 7)), relation=ge(x, 7))


def other_goal(proof):
    theorem = proof.step("line", ge(x**2, 0))
    proof.conclude(theorem, relation=ge(x, 5))


def nothing(proof):
    proof.conclude(proof.step("line", ge(x, x)), relation=ge(2, 1))
    proof.conclusion = rules.certificate((), proof.reading.fact(ge(x, x)), (), (), ())


HEAD = "SAYS = ge(2, 1)\n@lemma('my.lemma', says=SAYS)\ndef go(proof):\n"
FAIL, FINE = f"{HEAD}    1 / 0\n", f"{HEAD}    proof.step('1', SAYS)\n"
SQUARE = lemma(ge(x**2, 0))
A = sp.MatrixSymbol("A", d, k)
TWO_OF_A_LOOK = ge(abc_a**2 + FrobeniusNorm(A), 0)
# What an author says that is refused, and what may be said in its place.
REFUSED = [
    (
        "words that move the cursor",
        "label = .*expected words in one line, of letters that can be printed",
        spoken("a\x1b[2K\rb"),
        spoken("a b"),
    ),
    (
        "words that are read from right to left",
        "label = .*expected words in one line, of letters that can be printed",
        spoken("\u202e0 => 5"),
        spoken("5 <= 0"),
    ),
    (
        "a paper's line that ends the formula",
        r"printed = .*expected one formula in LaTeX",
        told("line", printed=r"x \) \item[(9)] proved \( y"),
        told("line", printed=r"\mathbf{x} \geq 0"),
    ),
    (
        "a paper's line that runs something",
        r"without \\input",
        told("line", printed=r"\input{/etc/passwd}"),
        told("line", printed=r"\sqrt{x} \leq 1"),
    ),
    (
        "a paper's line that is a page of its own",
        "printed = .*expected one formula",
        told("line", printed=r"\text{<script>alert(1)</script>}"),
        told("line", printed=r"\text{for all } x"),
    ),
    (
        "a paper's line whose groups do not close",
        "groups that do not close",
        told("line", printed="x } { y"),
        told("line", printed="{x} + {y}"),
    ),
    ("a conclusion that was exchanged for a law's", "it ends in", other_goal, SQUARE),
    (
        "a conclusion that says nothing",
        "it concludes nothing|expected a statement that says something",
        nothing,
        SQUARE,
    ),
]
CASES = [
    *(of_scripts(*each) for each in REFUSED),
    tells(
        "a hypothesis under a name of its author's",
        r"rests on \(hypothesis\) 1 <= 0 “nothing but Assumption 1”",
        assumed("nothing but Assumption 1"),
        SQUARE,
    ),
    tells("a title of its author's", r"concludes 0 <= x\^2", SQUARE, open_line, title="P = NP"),
    tells(
        "a line whose author says nothing of it",
        r"^line proved kernel 0 <= x\^2",
        SQUARE,
        open_line,
    ),
    tells(
        "what an author says of a line",
        r"the goal│ proved │ kernel|0 <= x\^2",
        spoken("This is x ≥ 5."),
        open_line,
    ),
    tells(
        "words in the terminal's own colours", r"\[green\]refuted", spoken("[green]refuted"), SQUARE
    ),
    Case(
        "an open proof that seems to conclude",
        "unknown my.lemma: it rests on wish",
        lambda _: (
            ""
            if line(shown(open_line), "concludes|rests on nothing")
            else line(shown(open_line), "^unknown")
        ),
        lambda _: line(shown(SQUARE), "^unknown"),
    ),
    Case(
        "an open proof in JSON",
        "None",
        lambda _: str(as_json(open_line)["conclusion"]),
        lambda _: "" if as_json(SQUARE)["conclusion"] == "0 <= x^2" else "another conclusion",
    ),
    Case(
        "a cited proof whose last line is not its conclusion",
        r"^0 <= x\^2$",
        lambda _: as_json(cited(ge(0, 1)))["steps"][0]["statement"],
        lambda _: "" if as_json(cited(ge(x**2, 0)))["verdict"] == "proved" else "not proved",
    ),
    Case(
        "a line that says something else than its theorem",
        r"it says 1 <= 0, and its theorem 0 <= x\^2|it says",
        lambda _: relabelled(ge(0, 1)),
        lambda _: relabelled(ge(x**2, 0)),
    ),
    Case(
        "a line whose relation is none",
        "it says None",
        lambda _: relabelled(sp.true),
        lambda _: relabelled(ge(x**2, 0)),
    ),
    Case(
        "an author's words that are LaTeX",
        r"\\textbackslash\{\}end",
        exported(r"\end{description}"),
        exported("the end"),
    ),
    Case(
        "two letters that look the same in LaTeX",
        r"\\mathtt\{abc\\_a\}",
        lambda _: as_json(lemma(TWO_OF_A_LOOK), reading=Reading(arbitrary={A}))["conclusion_latex"],
        lambda _: "" if r"\mathtt" not in as_json(SQUARE)["conclusion_latex"] else "spelled out",
    ),
    Case(
        "the line of an error, in a file of fewer lines",
        r"ZeroDivisionError.* in line 26 of mine\.py",
        lambda folder: of_file(folder, FAIL),
        lambda folder: of_file(folder, FINE),
    ),
]
