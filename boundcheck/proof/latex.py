r"""A judged proof in LaTeX: its theorem, what that rests on, and its lines, all from the kernel's theorems.

A proof that is not proved is no theorem: its lines stand under a heading, each with its verdict. TeX itself numbers the
lines, and breaks a formula that is wider than its column; what that takes is in `PREAMBLE`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from boundcheck.errors import InputError
from boundcheck.kernel import Statement, Theorem
from boundcheck.language.prose import tex
from boundcheck.proof.display import Display, shown
from boundcheck.proof.identity import identity_latex
from boundcheck.proof.results import witness_as_json
from boundcheck.proof.verdict import JudgedProof, JudgedStep

PREAMBLE = r"""\usepackage{amsmath,amssymb,amsthm}
\usepackage{graphicx}
\makeatletter
\@ifundefined{theorem}{\newtheorem{theorem}{Theorem}}{}
% The lines of a proof and the hypotheses of a theorem, which others name.
\newcounter{boundcheckline}\renewcommand{\theboundcheckline}{\roman{boundcheckline}}
\newcounter{boundcheckgiven}\renewcommand{\theboundcheckgiven}{H\arabic{boundcheckgiven}}
\newenvironment{boundchecklist}[1]{\begin{list}{\textup{(\csname the#1\endcsname)}}{\usecounter{#1}%
  \leftmargin=2.6em\labelwidth=2.2em\labelsep=.4em\itemsep=2pt\parsep=0pt}}{\end{list}}
% A formula on lines of its own: broken where it is too wide, and made smaller where it has no place to break.
\newsavebox{\boundcheckbox}
\newif\ifboundcheckwide
\newcommand{\boundchecklook}{\setbox\tw@\lastbox \ifvoid\tw@\else \setbox\tw@\hbox{\unhbox\tw@\unskip\unskip}%
  \ifdim\wd\tw@>.93\linewidth \global\boundcheckwidetrue\fi \unskip\unpenalty\boundchecklook\fi}
\newcommand{\boundcheckdisplay}[1]{\sbox{\boundcheckbox}{$\displaystyle #1$}%
  \ifdim\wd\boundcheckbox>.97\linewidth
    \global\boundcheckwidefalse
    \setbox\z@\vbox{\hsize=.93\linewidth\raggedright\hbadness\@M\hfuzz\maxdimen\noindent$\displaystyle #1$\par
      \boundchecklook}%
    \ifboundcheckwide \[\resizebox{.93\linewidth}{!}{\usebox{\boundcheckbox}}\]%
    \else \begin{list}{}{\leftmargin=2em\itemindent=-1em\listparindent=-1em\topsep=3pt\parsep=0pt}%
      \item[]\raggedright$\displaystyle #1$\end{list}\fi
  \else \[\usebox{\boundcheckbox}\]\fi}
% A formula in a line, and on lines of its own where it is wider than that.
\newcommand{\boundcheckinline}[1]{\sbox{\boundcheckbox}{$#1$}%
  \ifdim\wd\boundcheckbox>.93\linewidth \boundcheckdisplay{#1}\else\(#1\)\fi}
\makeatother
\allowdisplaybreaks
\setlength{\emergencystretch}{3em}
"""
# Lines that a certificate may take in a paper; a longer one is in `boundcheck prove --steps`.
_LONGEST = 24


def latex(proof: JudgedProof) -> str:
    """A proof in LaTeX: the theorem and its proof, or, if it is not proved, its lines with their verdicts."""
    return "".join(apart(proof))


def apart(proof: JudgedProof) -> tuple[str, str]:
    """The theorem, which is empty if it is not proved; and its proof, or the lines with their verdicts."""
    name = " ".join(f"{proof.script.id}, {proof.script.version}: {proof.verdict}".split())
    comment = f"% {name}".encode("ascii", "replace").decode()
    if proof.verdict != "proved":
        return "", "\n".join([comment, *_examined(proof), ""])
    return "\n".join([comment, *_theorem(proof), ""]), "\n".join([comment, *_argument(proof), ""])


def label(proof: JudgedProof) -> str:
    r"""The key of the theorem for \ref."""
    return re.sub(r"[^A-Za-z0-9.:-]", "-", f"boundcheck:{proof.script.id}:{proof.script.version}")


def _theorem(proof: JudgedProof) -> list[str]:
    rests = [each.statement for each in proof.hypotheses]
    if proof.conclusion is None:
        raise InputError("proof", proof.script.id, "a proof that concludes")
    said = shown(*rests, proof.conclusion)
    made = [rf"\begin{{theorem}}[{{{_name(proof)}}}]\label{{{label(proof)}}}"]
    if rests:
        made += ["Suppose:", r"\begin{boundchecklist}{boundcheckgiven}"]
        for place, (each, text) in enumerate(zip(proof.hypotheses, said.latex, strict=False), 1):
            name = f" {tex(each.name)}:" if each.name != str(each.statement) else ""
            made.append(rf"\item\label{{{label(proof)}:H{place}}}\textup{{ ({each.role}){name}}} {_inline(text)}")
        made += [r"\end{boundchecklist}", "Then"]
    made += [display(said.latex[-1])]
    made += [rf"\textup{{{_told(said)}}}"] if said.roles else []
    return [*made, r"\end{theorem}"]


def _argument(proof: JudgedProof) -> list[str]:
    begin = rf"\begin{{proof}}[Proof of Theorem~\ref{{{label(proof)}}}]"
    return [begin, _trust(proof), *_lines(proof), r"\end{proof}"]


def _examined(proof: JudgedProof) -> list[str]:
    reason = f" {_sentence(proof.reason)}" if proof.reason else ""
    return [rf"\paragraph{{{_name(proof)}: {proof.verdict}.}}\label{{{label(proof)}}}{reason}", *_lines(proof)]


def _name(proof: JudgedProof) -> str:
    return rf"{tex(proof.script.title)}, {proof.script.called}, {id_tex(proof.script.id)}"


def id_tex(id: str) -> str:
    """An id, which may be broken after its dots and underscores."""
    return tex(f"`{id}`")


def _trust(proof: JudgedProof) -> str:
    facts = ", ".join(tex(name.replace("_", " ")) for name in proof.ledger)
    stands = f" It rests on the standard facts: {facts}." if facts else " It rests on no standard fact of analysis."
    return f"Trust: {proof.trust}.{stands}"


def _told(said: Display) -> str:
    return "Here " + "; ".join(f"${', '.join(each)}$: {tex(role)}" for role, each in said.told_latex.items()) + "."


# The lines of a proof.


def _lines(proof: JudgedProof) -> list[str]:
    if not proof.steps:
        return []
    # Of what is not proved the hypotheses stand nowhere.
    given = enumerate(proof.hypotheses if proof.verdict == "proved" else (), 1)
    places = {each.statement: f"{label(proof)}:H{place}" for place, each in given}
    made = [r"\begin{boundchecklist}{boundcheckline}"]
    lines: dict[tuple[Statement, frozenset[Statement]], str] = {}
    for place, judged in enumerate(proof.steps, 1):
        theorem, key = judged.step.theorem, f"{label(proof)}:{place}"
        made += _line(proof, judged, key, _sources(theorem, lines, places))
        lines.setdefault((theorem.conclusion, theorem.hypotheses), key)
    return [*made, r"\end{boundchecklist}"]


def _line(proof: JudgedProof, judged: JudgedStep, key: str, sources: str) -> Iterator[str]:
    step = judged.step
    said = f" {_sentence(step.meaning)}" if step.meaning else ""
    verdict = "" if judged.verdict == "proved" else rf" \textbf{{{judged.verdict}}}."
    yield rf"\item\label{{{key}}} {{{tex(step.label)}.}}{verdict}{said}"
    if step.printed:
        yield f"Printed:\n{display(step.printed)}"
    given = proof.own(judged)
    statement, *others = shown(step.theorem.conclusion, *given).latex
    yield display(statement)
    if given:
        yield rf"Given {'; '.join(map(_inline, others))}."
    if witness := witness_as_json(proof, judged):
        yield f"{_sentence(witness['about'])} There ${_fraction(witness['left'])}$ stands against " + (
            f"${_fraction(witness['right'])}$."
        )
    if judged.reason:
        yield _sentence(judged.reason)
    if judged.follows is False:
        yield "It does not follow from the lines before it either."
    if judged.verdict == "proved":
        yield sources
        if step.theorem.rule == "certificate":
            yield from _certificate(step.theorem)


def _sources(
    theorem: Theorem, lines: dict[tuple[Statement, frozenset[Statement]], str], places: dict[Statement, str]
) -> str:
    """A sentence that names the lines and hypotheses from which the kernel derived a theorem, and the rules."""
    if theorem.rule == "assume":
        return f"Assumed{_among(theorem.conclusion, places)}."
    used, rules, queue, seen = set[str](), {theorem.rule: None}, list(theorem.premises), set[int]()
    own = (theorem.conclusion, theorem.hypotheses)
    if own in lines:
        return f"This is {_ref(lines[own])}."
    while queue:
        premise = queue.pop(0)
        if id(premise) in seen:
            continue
        seen.add(id(premise))
        if (line := lines.get((premise.conclusion, premise.hypotheses))) is not None:
            used.add(line)
        elif premise.rule == "assume":
            used |= {places[premise.conclusion]} if premise.conclusion in places else set()
        else:
            rules[premise.rule] = None
            queue += premise.premises
    order = [*lines.values(), *places.values()]
    told = ", ".join(map(_ref, sorted(used, key=order.index)))
    by = ", ".join(tex(rule.replace("_", " ")) for rule in rules)
    return f"{'From ' + told + ', by' if told else 'By'} {by}."


def _among(statement: Statement, places: dict[Statement, str]) -> str:
    return f", {_ref(places[statement])}" if statement in places else ""


def _ref(key: str) -> str:
    return rf"(\ref{{{key}}})"


def _certificate(theorem: Theorem) -> list[str]:
    """The identity that closes a line, each summand on a line of its own."""
    rows = identity_latex(theorem)
    if len(rows) > _LONGEST:
        return [f"Its certificate takes {len(rows)} lines, and is not shown."]
    around = r"\begin{list}{}{\leftmargin=1em\topsep=2pt\parsep=0pt}\item[]\raggedright", r"\end{list}"
    return [f"Certificate:{around[0]}", "\n\n".join(map(_inline, rows)), around[1]] if rows else []


def _number(number: object) -> str:
    above, _, below = str(number).partition("/")
    return rf"\tfrac{{{above}}}{{{below}}}" if below else above


def _fraction(text: str) -> str:
    sign, rest = ("-", text[1:]) if text.startswith("-") else ("", text)
    return sign + _number(rest)


def _sentence(text: str) -> str:
    said = tex(text.strip())
    return said if said[-1:] in ".!?" else f"{said}."


def display(formula: str) -> str:
    """A formula on lines of its own; a product may be broken too."""
    return rf"\boundcheckdisplay{{{_breakable(formula)}}}"


def _inline(formula: str) -> str:
    return rf"\boundcheckinline{{{_breakable(formula)}}}"


def _breakable(formula: str) -> str:
    return formula.replace(r" \, ", r" \,\penalty900 ")
