r"""Judged proofs for others to read and check: in LaTeX, as certificates, SMT-LIB and Rocq files.

In LaTeX a proof is its theorem, what that rests on, and its lines, all from the kernel's theorems.
A proof that is not
proved is no theorem: its lines stand under a heading, each with its verdict. TeX itself numbers the
lines, and breaks a formula that is wider than its column; what that takes is in `PREAMBLE`.

`python -m boundcheck.proof.export jiang2024 meft` lets Rocq check the proofs of papers.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Statement, Theorem
from boundcheck.kernel.derive import derivation
from boundcheck.language.prose import plain, tex
from boundcheck.proof.audit import ProofAudit, for_rocq, witness_as_json
from boundcheck.proof.notation import Display, identity_latex, letters, shown
from boundcheck.proof.script import find
from boundcheck.proof.solver import smt_lib
from boundcheck.proof.verdict import JudgedProof, judge
from boundcheck.rocq.check import LIST, Export, Word, accept, check, differing, is_listed, rocq
from boundcheck.system.ending import in_one_line
from boundcheck.system.files import file_name, replace_file

PREAMBLE = r"""\usepackage{amsmath,amssymb,amsthm}
\usepackage{graphicx}
\makeatletter
\@ifundefined{theorem}{\newtheorem{theorem}{Theorem}}{}
% The lines of a proof and the hypotheses of a theorem, which others name.
\newcounter{boundcheckline}\renewcommand{\theboundcheckline}{\roman{boundcheckline}}
\newcounter{boundcheckgiven}\renewcommand{\theboundcheckgiven}{H\arabic{boundcheckgiven}}
\newenvironment{boundchecklist}[1]{\begin{list}{\textup{(\csname the#1\endcsname)}}{\usecounter{#1}%
  \leftmargin=2.6em\labelwidth=2.2em\labelsep=.4em\itemsep=2pt\parsep=0pt}}{\end{list}}
% A formula on lines of its own: broken where it is too wide, and made smaller where it has no place
% to break.
\newsavebox{\boundcheckbox}
\newif\ifboundcheckwide
\newcommand{\boundchecklook}{\setbox\tw@\lastbox \ifvoid\tw@\else
  \setbox\tw@\hbox{\unhbox\tw@\unskip\unskip}%
  \ifdim\wd\tw@>.93\linewidth \global\boundcheckwidetrue\fi \unskip\unpenalty\boundchecklook\fi}
\newcommand{\boundcheckdisplay}[1]{\sbox{\boundcheckbox}{$\displaystyle #1$}%
  \ifdim\wd\boundcheckbox>.97\linewidth
    \global\boundcheckwidefalse
    \setbox\z@\vbox{\hsize=.93\linewidth\raggedright\hbadness\@M\hfuzz\maxdimen
      \noindent$\displaystyle #1$\par
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
# Of the proofs that Rocq has read as they are, one in so many is read again where only the others
# are asked about.
_SPOT = 10
# Lines that a certificate may take in a paper; a longer one is in `boundcheck prove -v`.
_LONGEST = 24


def latex(proof: JudgedProof) -> str:
    """A proof in LaTeX: the theorem and its proof, or, if it is not proved, its lines with their
    verdicts.
    """
    return "".join(apart(proof))


def apart(proof: JudgedProof) -> tuple[str, str]:
    """The theorem, which is empty if it is not proved; and its proof, or the lines with their
    verdicts.
    """
    script, key = proof.script, label(proof)
    name = " ".join(f"{script.id}, {script.version}: {proof.verdict}".split())
    comment = f"% {name}".encode("ascii", "replace").decode()
    title = rf"{tex(script.title)}, {script.called}, {id_tex(script.id)}"
    if proof.verdict != "proved" or proof.conclusion is None:
        reason = f" {_sentence(proof.reason)}" if proof.reason else ""
        heading = rf"\paragraph{{{title}: {proof.verdict}.}}\label{{{key}}}{reason}"
        return "", "\n".join([comment, heading, *_lines(proof), ""])

    said = shown(*(each.statement for each in proof.hypotheses), proof.conclusion)
    theorem = [comment, rf"\begin{{theorem}}[{{{title}}}]\label{{{key}}}"]
    if proof.hypotheses:
        theorem += ["Suppose:", r"\begin{boundchecklist}{boundcheckgiven}"]
        for place, (each, text) in enumerate(zip(proof.hypotheses, said.latex, strict=False), 1):
            called = f" {tex(each.name)}:" if each.name != str(each.statement) else ""
            theorem.append(
                rf"\item\label{{{key}:H{place}}}\textup{{ ({each.role}){called}}} {_inline(text)}"
            )
        theorem += [r"\end{boundchecklist}", "Then"]
    theorem.append(display(said.latex[-1]))
    if said.roles:
        told = "; ".join(
            f"${', '.join(names)}$: {tex(role)}" for role, names in said.told_latex.items()
        )
        theorem.append(rf"\textup{{Here {told}.}}")

    facts = ", ".join(tex(name.replace("_", " ")) for name in proof.ledger)
    rests = (
        f"It rests on the standard facts: {facts}."
        if facts
        else "It rests on no standard fact of analysis."
    )
    begin = rf"\begin{{proof}}[Proof of Theorem~\ref{{{key}}}]"
    argument = [
        comment,
        begin,
        f"Trust: {proof.trust}. {rests}",
        *_lines(proof),
        r"\end{proof}",
        "",
    ]
    return "\n".join([*theorem, r"\end{theorem}", ""]), "\n".join(argument)


def label(proof: JudgedProof) -> str:
    r"""The key of the theorem for \ref."""
    return re.sub(r"[^A-Za-z0-9.:-]", "-", f"boundcheck:{proof.script.id}:{proof.script.version}")


def id_tex(id: str) -> str:
    """An id, which may be broken after its dots and underscores."""
    return tex(f"`{id}`")


# The lines of a proof.


def _lines(proof: JudgedProof) -> Iterator[str]:
    if not proof.steps:
        return
    # Of what is not proved the hypotheses stand nowhere.
    given = enumerate(proof.hypotheses if proof.verdict == "proved" else (), 1)
    places = {each.statement: f"{label(proof)}:H{place}" for place, each in given}
    lines: dict[tuple[Statement, frozenset[Statement]], str] = {}
    yield r"\begin{boundchecklist}{boundcheckline}"
    for place, judged in enumerate(proof.steps, 1):
        step, key = judged.step, f"{label(proof)}:{place}"
        theorem = step.theorem
        said = f" {_sentence(step.meaning)}" if step.meaning else ""
        verdict = "" if judged.verdict == "proved" else rf" \textbf{{{judged.verdict}}}."
        yield rf"\item\label{{{key}}} {{{tex(step.label)}.}}{verdict}{said}"
        if step.printed:
            yield f"Printed:\n{display(step.printed)}"
        statement, *own = shown(theorem.conclusion, *proof.own(judged)).latex
        yield display(statement)
        if own:
            yield rf"Given {'; '.join(map(_inline, own))}."
        if witness := witness_as_json(proof, judged):
            left, right = (_fraction(witness[side]) for side in ("left", "right"))
            yield f"{_sentence(witness['about'])} There ${left}$ stands against ${right}$."
        if judged.reason:
            yield _sentence(judged.reason)
        if judged.follows is False:
            yield "It does not follow from the lines before it either."
        if judged.verdict == "proved":
            yield _sources(theorem, lines, places)
            rows = identity_latex(theorem) if theorem.rule == "certificate" else []
            if len(rows) > _LONGEST:
                yield f"Its certificate takes {len(rows)} lines, and is not shown."
            elif rows:
                # Each summand of the identity on a line of its own.
                yield r"Certificate:\begin{list}{}{\leftmargin=1em\topsep=2pt\parsep=0pt}"
                yield r"\item[]\raggedright"
                yield "\n\n".join(map(_inline, rows))
                yield r"\end{list}"
        lines.setdefault((theorem.conclusion, theorem.hypotheses), key)
    yield r"\end{boundchecklist}"


def _sources(
    theorem: Theorem,
    lines: dict[tuple[Statement, frozenset[Statement]], str],
    places: dict[Statement, str],
) -> str:
    """A sentence that names the lines and hypotheses from which the kernel derived a theorem, and
    the rules.
    """

    def ref(key: str) -> str:
        return rf"(\ref{{{key}}})"

    if theorem.rule == "assume":
        return (
            f"Assumed, {ref(places[theorem.conclusion])}."
            if theorem.conclusion in places
            else "Assumed."
        )
    own = (theorem.conclusion, theorem.hypotheses)
    if own in lines:
        return f"This is {ref(lines[own])}."
    used, rules, queue, seen = set[str](), {theorem.rule: None}, list(theorem.premises), set[int]()
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
    told = ", ".join(map(ref, sorted(used, key=order.index)))
    by = ", ".join(tex(rule.replace("_", " ")) for rule in rules)
    return f"{'From ' + told + ', by' if told else 'By'} {by}."


def _fraction(text: str) -> str:
    sign, rest = ("-", text[1:]) if text.startswith("-") else ("", text)
    above, _, below = rest.partition("/")
    return rf"{sign}\tfrac{{{above}}}{{{below}}}" if below else sign + above


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


# Files.


def export(audit: ProofAudit, folder: Path) -> list[Path]:
    """Write proofs for others to check.

    Each proof is written as LaTeX, with its preamble; all certificates as one file, for
    `proofs/check_certificates.py`; and each line that a certificate proves as SMT-LIB, for solvers.
    Raises InputError where the folder cannot be written, and where a name stands for two things in
    a certificate.
    """
    proofs = [proof for claim in audit.claims for proof in claim.proofs]
    lines = (
        json.dumps(each, ensure_ascii=False) for proof in proofs for each in certificates(proof)
    )
    written: dict[Path, str] = {
        folder / "preamble.tex": PREAMBLE,
        folder / "certificates.jsonl": "".join(f"{line}\n" for line in lines),
    }
    for proof in proofs:
        name = file_name(f"{proof.script.id}-{proof.script.version}")
        written[folder / f"{name}.tex"] = latex(proof)
        for i, judged in enumerate(proof.steps, start=1):
            theorem = judged.step.theorem
            if theorem.rule == "certificate":
                premises = [x.fact for x in theorem.premises]
                stem = re.sub(r"[^A-Za-z0-9]+", "_", judged.step.label).strip("_") or "line"
                written[folder / name / f"{i:02d}_{stem}.smt2"] = smt_lib(theorem.fact, premises)
    return _write("export", folder, written)


def export_rocq(audit: ProofAudit, folder: Path) -> list[Path]:
    """Write each proved proof as a file for Rocq, which needs `proofs/rocq` to check it.

    Raises InputError for a step that has no form in Rocq, and where the folder cannot be written.
    """
    proved = [
        for_rocq(proof)
        for claim in audit.claims
        for proof in claim.proofs
        if proof.verdict == "proved"
    ]
    return _write(
        "rocq", folder, {folder / f"{each.name_in_rocq}.v": rocq(each) for each in proved}
    )


def _write(option: str, folder: Path, texts: dict[Path, str]) -> list[Path]:
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, text.encode())
    except OSError as error:
        raise InputError(
            option, folder, f"a folder that can be written ({error.strerror})"
        ) from None
    return list(texts)


# Certificates, for a reader that knows nothing of the kernel. `proofs/check_certificates.py` is
# such a reader, and says what each field means. To it two atoms with one text are one atom, so a
# certificate in which a name stands for two things is not written.


def certificates(proof: JudgedProof) -> Iterator[dict[str, Any]]:
    """Every certificate in the derivations of a proof's lines and of its conclusion, premises
    first, as plain data.

    Raises InputError if a name stands for two things in a certificate.
    """
    steps = [judged.step for judged in proof.steps]
    ends = [
        *(step.theorem for step in steps),
        *(step.inference for step in steps),
        proof.script.proof.conclusion,
    ]
    labels: dict[Statement, str] = {}
    for step in steps:
        labels.setdefault(step.theorem.conclusion, plain(step.label))
    found = [
        x for x in derivation(x for x in ends if isinstance(x, Theorem)) if x.rule == "certificate"
    ]
    for number, theorem in enumerate(found, start=1):
        where = {"claim": proof.script.id, "version": proof.script.version, "number": number}
        yield where | {"line": labels.get(theorem.conclusion, "")} | certificate_as_json(theorem)


def certificate_as_json(theorem: Theorem) -> dict[str, Any]:
    """A theorem by certificate as plain data; raises InputError if a name stands for two things in
    it.
    """
    goal, terms, multipliers, factor = theorem.arguments
    premises = [premise.conclusion for premise in theorem.premises]
    polynomials = [
        *(root for squares, _ in terms for _, root in squares),
        *(each for each, _ in multipliers),
    ]
    table = letters([goal, *premises, *(Fact("=", polynomial) for polynomial in polynomials)])

    def from_one(places: tuple[int, ...]) -> list[int]:
        return [place + 1 for place in places]

    return {
        "letters": Display((), (), table).told,
        "goal": str(goal),
        "premises": list(map(str, premises)),
        "factor": from_one(factor),
        "terms": [
            {"weight": str(weight), "square_of": str(root), "premises": from_one(places)}
            for squares, places in terms
            for weight, root in squares
        ],
        "multipliers": [
            {"polynomial": str(each), "premise": place + 1} for each, place in multipliers
        ],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m boundcheck.proof.export", description="Check proofs with Rocq."
    )
    parser.add_argument("targets", nargs="+", help="papers or ids of claims")
    parser.add_argument(
        "--out", type=Path, default=Path("build/rocq"), help="the folder for the files"
    )
    parser.add_argument("--jobs", type=int, default=2, help="how many files are compiled at once")
    parser.add_argument(
        "--accept", action="store_true", help=f"write what is checked into {LIST.name}"
    )
    told = f"check what {LIST.name} does not have as it is now, and of the rest one in {_SPOT}"
    parser.add_argument("--changed", action="store_true", help=told)
    given = parser.parse_args()
    with in_one_line():
        words, exports, known = list[Word](), list[Export](), list[Export]()
        for proof in map(judge, find(given.targets)):
            if proof.verdict == "proved":
                try:
                    whole = for_rocq(proof)
                    (known if given.changed and is_listed(whole) else exports).append(whole)
                except InputError as error:
                    words.append(
                        Word(f"{proof.script.id}, {proof.script.version}", 0, 0.0, str(error))
                    )
        for word in words:
            print(word, flush=True)
        if known:
            print(
                f"{LIST.name} has {len(known)} proofs as they are; one in {_SPOT} is checked again",
                flush=True,
            )
        words += check(
            [*exports, *known[::_SPOT]], given.out, given.jobs, lambda word: print(word, flush=True)
        )
    print(f"{sum(not word.reason for word in words)} of {len(words)} proofs are checked by Rocq")
    axioms = {name for word in words for name in word.entry.get("axioms", ())}
    print(f"Axioms: {', '.join(sorted(axioms)) or 'none'}")
    if given.accept:
        accept(words)
    elif other := differing(words):
        sys.exit(
            f"{LIST.name} says something else of {'; '.join(other)}. Write it anew with --accept"
        )
