r"""A judged proof in LaTeX: its theorem, what that rests on, and its lines, all from the kernel's theorems.

A proof that is not proved is no theorem: its lines stand under a heading, each with its verdict. A display is broken
so that it fits a column. `PREAMBLE` is what a paper needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from boundcheck.claims.prose import tex
from boundcheck.errors import InputError
from boundcheck.kernel import Statement, Theorem
from boundcheck.prove.display import Shown, shown
from boundcheck.prove.identity import identity_latex
from boundcheck.prove.results import witness_as_json
from boundcheck.prove.verdict import JudgedProof, JudgedStep

PREAMBLE = r"""\usepackage{amsmath,amssymb,amsthm}
\usepackage{graphicx}
\makeatletter
\@ifundefined{theorem}{\newtheorem{theorem}{Theorem}}{}
% A formula, made smaller where it is wider than the line.
\newsavebox{\boundcheckbox}
\newcommand{\boundcheckfit}[1]{\begingroup
  \sbox{\boundcheckbox}{$\displaystyle #1$}%
  \ifdim\wd\boundcheckbox>.93\linewidth \resizebox{.93\linewidth}{!}{\usebox{\boundcheckbox}}%
  \else\usebox{\boundcheckbox}\fi\endgroup}
\makeatother
\allowdisplaybreaks
\setlength{\emergencystretch}{3em}
"""
# What fits into a column of 3.25 inches at 9 points, in widths of an M; and into the lines of a list there.
_COLUMN, _ITEM = 23.0, 21.0
# Lines that a certificate may take in a paper; a longer one is in `boundcheck prove --steps`.
_LONGEST = 24


def latex(proof: JudgedProof) -> str:
    """A proof in LaTeX: the theorem and its proof, or, of what is not proved, its lines with their verdicts."""
    return "".join(apart(proof))


def apart(proof: JudgedProof) -> tuple[str, str]:
    """The theorem, which is empty of what is not proved; and its proof, or the lines with their verdicts."""
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
        made += ["Suppose:", r"\begin{list}{}{\leftmargin=2.6em\labelwidth=2.2em\labelsep=.4em\itemsep=0pt\parsep=0pt}"]
        for place, (each, text) in enumerate(zip(proof.hypotheses, said.latex, strict=False), 1):
            name = f" {tex(each.name)}:" if each.name != str(each.statement) else ""
            made.append(rf"\item[\textup{{(H{place})}}]\textup{{ ({each.role}){name}}} {_set(text)}")
        made += [r"\end{list}", "Then"]
    made += [_display(said.latex[-1], _COLUMN)]
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


def _told(said: Shown) -> str:
    return "Here " + "; ".join(f"${', '.join(each)}$: {tex(role)}" for role, each in said.told_latex.items()) + "."


# The lines of a proof.


def _lines(proof: JudgedProof) -> list[str]:
    if not proof.steps:
        return []
    places = {each.statement: f"H{place}" for place, each in enumerate(proof.hypotheses, 1)}
    made = [r"\begin{list}{}{\leftmargin=2.6em\labelwidth=2.2em\labelsep=.4em\itemsep=2pt\parsep=0pt}"]
    lines: dict[tuple[Statement, frozenset[Statement]], str] = {}
    for place, judged in enumerate(proof.steps, 1):
        theorem = judged.step.theorem
        made += _line(proof, judged, roman(place), _sources(theorem, lines, places))
        lines.setdefault((theorem.conclusion, theorem.hypotheses), roman(place))
    return [*made, r"\end{list}"]


def _line(proof: JudgedProof, judged: JudgedStep, number: str, sources: str) -> Iterator[str]:
    step = judged.step
    said = f" {_sentence(step.meaning)}" if step.meaning else ""
    verdict = "" if judged.verdict == "proved" else rf" \textbf{{{judged.verdict}}}."
    yield rf"\item[({number})] {{{tex(step.label)}.}}{verdict}{said}"
    if step.printed:
        yield f"Printed:\n{display(step.printed, _ITEM)}"
    given = proof.own(judged)
    statement, *others = shown(step.theorem.conclusion, *given).latex
    yield _display(statement, _ITEM)
    if given:
        yield rf"Given {'; '.join(map(_set, others))}."
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
    """From which lines and hypotheses the kernel derived a theorem, and by which rules."""
    if theorem.rule == "assume":
        return f"Assumed{_among(theorem.conclusion, places)}."
    used, rules, queue, seen = set[str](), {theorem.rule: None}, list(theorem.premises), set[int]()
    own = (theorem.conclusion, theorem.hypotheses)
    if own in lines:
        return f"This is ({lines[own]})."
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
    told = ", ".join(f"({each})" for each in sorted(used, key=order.index))
    by = ", ".join(tex(rule.replace("_", " ")) for rule in rules)
    return f"{'From ' + told + ', by' if told else 'By'} {by}."


def _among(statement: Statement, places: dict[Statement, str]) -> str:
    return f", ({places[statement]})" if statement in places else ""


def _certificate(theorem: Theorem) -> list[str]:
    """The identity that closes a line, a summand a line."""
    rows = list(_rows(identity_latex(theorem)))
    if len(rows) > _LONGEST:
        return [f"Its certificate takes {len(rows)} lines, and is not shown."]
    if 0 < len(rows) <= 2:
        return [f"Certificate: {_inline(' '.join(row.removeprefix('& ') for row in rows))}."]
    return ["Certificate:", r"\begin{align*}", " \\\\\n".join(rows), r"\end{align*}"] if rows else []


def _rows(lines: Sequence[str]) -> Iterator[str]:
    """Lines of an identity, broken so that they fit; each but the first begins with a sign."""
    for place, line in enumerate(lines):
        first, *rest = broken(line, _ITEM - 2 * bool(place))
        yield f"& {'{} ' if place else ''}{_fitted(first)}"
        yield from (rf"& \quad {{}} {_fitted(each)}" for each in rest)


def _fitted(line: str, most: float = _ITEM) -> str:
    """A line of a display, made smaller where it has no place to break."""
    return rf"\boundcheckfit{{{line}}}" if width(line) > most else line


def _number(number: object) -> str:
    above, _, below = str(number).partition("/")
    return rf"\tfrac{{{above}}}{{{below}}}" if below else above


def _fraction(text: str) -> str:
    sign, rest = ("-", text[1:]) if text.startswith("-") else ("", text)
    return sign + _number(rest)


def _sentence(text: str) -> str:
    said = tex(text.strip())
    return said if said[-1:] in ".!?" else f"{said}."


# Displays that fit.


def _set(made: str) -> str:
    """A statement in the text, or in a display where it has no place to break."""
    if any(width(row) > _ITEM for row in broken(made, _ITEM)):
        return _display(made, _ITEM)
    return _inline(made)


def _inline(made: str) -> str:
    return r"\(" + made.replace(r" \, ", r" \,\allowbreak ") + r"\)"


def display(formula: str, most: float = _COLUMN) -> str:
    """Any formula in LaTeX as a display whose lines fit, made smaller where one has no place to break."""
    return _display(" ".join(_PIECE.findall(formula)), most)


def _display(made: str, most: float) -> str:
    rows = [_fitted(row, most) for row in broken(made, most)]
    if len(rows) == 1:
        return rf"\[ {rows[0]} \]"
    first, *rest = rows
    body = " \\\\\n".join([f"& {first}", *(rf"& \quad {{}} {line}" for line in rest)])
    return "\\begin{align*}\n" + body + "\n\\end{align*}"


# Words, scripts and groups with their brace, commands, signs.
_PIECE = re.compile(r"\\(?:text\w*|operatorname|math\w+)\{[^{}]*\}|[_^]\{|\\[A-Za-z]+\{?|\\.|[^\\\s]")
# How wide signs are, in widths of an M; relations and sums with the space around them.
_WIDTHS = {
    "+": 1.25, "-": 1.25, "=": 1.35, "<": 1.35, r"\le": 1.35, r"\mid": 0.85, r"\,": 0.2, r"\;": 0.3, r"\quad": 1.0,
    "(": 0.4, ")": 0.4, "[": 0.3, "]": 0.3, ",": 0.45, ";": 0.45, ":": 0.8, r"\|": 0.5, r"\nabla": 0.85, "E": 0.75,
    r"\mathbb": 0.0, r"\mathrm": 0.0, r"\mathtt": 0.0, r"\text": 0.0, r"\operatorname": 0.0, r"\sqrt": 0.9,
    r"\frac": 0.3, r"\tfrac": 0.2, r"\min": 1.8, r"\max": 1.9, r"\sum": 1.6, "_": 0.0, "^": 0.0, "&": 0.0,
    r"\hat": 0.0, r"\tilde": 0.0, r"\bar": 0.0,
}  # fmt: skip
_COMMAND = re.compile(r"\\[A-Za-z]+|\\.|[^\s{}]")
_BEFORE = frozenset(("+", "-", "=", "<", r"\le", r"\leq", r"\geq", r"\quad", r"\quad\text{with}\quad"))
_AFTER = frozenset((",", ";", ":", r"\,"))
_OPENING, _CLOSING = frozenset("(["), frozenset(")]")


def broken(made: str, most: float) -> list[str]:
    """A statement's LaTeX in lines of at most such a width, where it has places to break: in the fewest brackets.

    Args:
        made: as `typeset.latex` makes it, a sign a piece.
        most: the width of a line, in widths of an M.

    """
    pieces = made.split()
    widths, places = _measured(pieces)
    lines, begin = [], 0
    while begin < len(pieces):
        end = _end(begin, widths, places, most)
        lines.append(" ".join(pieces[begin:end]))
        begin = end
    return lines


def width(made: str) -> float:
    """About how wide a formula is, in widths of an M."""
    return sum(_measured(made.split())[0])


def _end(begin: int, widths: Sequence[float], places: dict[int, int], most: float) -> int:
    """Where the line that begins here ends."""
    total, fits = 0.0, [begin]
    for place in range(begin, len(widths)):
        total += widths[place]
        if total > most:
            break
        fits.append(place + 1)
    if fits[-1] == len(widths):
        return len(widths)
    reach = fits[-1]
    # The second half of a line has the best place; a line without one goes on to the next there is.
    for least in (begin + (reach - begin) // 2, begin + 1):
        if found := [place for place in places if max(least, begin + 1) <= place <= reach]:
            return min(found, key=lambda place: (places[place], -place))
    return next((place for place in sorted(places) if place > reach), len(widths))


def _measured(pieces: Sequence[str]) -> tuple[list[float], dict[int, int]]:
    """The width of each piece; and the places before which a line may begin, with the brackets around them."""
    widths, places, groups, brackets = [], {}, list[float](), 0
    for place, piece in enumerate(pieces):
        scale = groups[-1] if groups else 1.0
        inner = scale * 0.75 if piece.startswith(("_{", "^{")) else scale
        widths.append(inner * sum(_WIDTHS.get(sign, 0.58) for sign in _COMMAND.findall(piece)))
        opened = piece.replace(r"\{", "").count("{") - piece.replace(r"\}", "").count("}")
        opened += (piece == r"\left") - (piece == r"\right")
        groups = [*groups, *[inner] * opened] if opened > 0 else groups[: len(groups) + opened]
        if groups:
            continue
        brackets += _opens(piece, pieces[place - 1] if place else "", brackets)
        # A sign before which nothing stands belongs to what follows.
        if piece in _BEFORE and place and pieces[place - 1] not in _OPENING:
            places[place] = brackets - piece.startswith(r"\quad")
        if piece in _AFTER:
            places[place + 1] = brackets + (1 if piece == r"\," else 0)
    return widths, {place: depth for place, depth in places.items() if place < len(pieces)}


def _opens(piece: str, before: str, brackets: int) -> int:
    """How many brackets, norms among them, a sign opens; fewer than none where it closes one."""
    if piece == r"\|":
        # The Euclidean norm ends as it begins: it ends after what is a term.
        return -1 if brackets and not (before in _BEFORE or before in _AFTER or before in _OPENING) else 1
    return (piece in _OPENING) - (piece in _CLOSING or piece.startswith(r"\|_"))


def roman(number: int) -> str:
    """A positive number in small Roman numerals."""
    made = ""
    for value, sign in (
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ):
        made += sign * (number // value)
        number %= value
    return made
