"""The content of `example.tex`: a paper of two pages that uses each piece of the folder once, for an author to copy.

A theorem has its proof beside it, if there is a proof that leaves room for the rest.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boundcheck.language.catalogue import catalogue, sources
from boundcheck.language.prose import tex
from boundcheck.present.latex.runs import Printed
from boundcheck.present.words import titled
from boundcheck.proof.export import id_tex
from boundcheck.proof.verdict import JudgedProof
from boundcheck.verdicts import Verdict

# Lines of a column for a theorem with its proof and for what is cited, letters in a line, and inches of a figure.
_LINES, _LETTERS, _TALL = 75, 58, 3.4
# Lines that an entry of the bibliography takes.
_ENTRY = 5
# What prints nothing, and commands that print about one sign; the lines around a display are the space there.
_MARKUP = re.compile(r"\\(?:allowbreak|ensuremath|text\w+|math\w+|operatorname)|\\[,;]|[{}$^_&\\]|\s(?=\s)")
_SIGN = re.compile(r"\\(?!allowbreak|ensuremath|text|math|operatorname)[A-Za-z]+")


@dataclass(frozen=True)
class Placed:
    """A figure at a width: its name, file, caption in LaTeX, height in inches, and whether it takes two columns."""

    name: str
    path: str
    caption: str
    tall: float
    wide: bool


@dataclass(frozen=True)
class Written:
    """A proof in LaTeX: the name of its files, the theorem, empty if not proved, and the argument that shows it."""

    name: str
    proof: JudgedProof
    theorem: str
    argument: str

    @property
    def files(self) -> dict[str, str]:
        """The files, in the order in which they are read."""
        found = {f"theorems/{self.name}.tex": self.theorem, f"proofs/{self.name}.tex": self.argument}
        return {path: text for path, text in found.items() if text}


def lines(text: str) -> int:
    """The number of lines of a column that some LaTeX takes, roughly."""
    shown = (_MARKUP.sub("", _SIGN.sub("x", line)) for line in text.splitlines())
    return sum(max(1, math.ceil(len(line) / _LETTERS)) for line in shown)


def chosen(
    runs: Sequence[Printed], tables: Mapping[str, str], figures: Iterable[Placed], proofs: Sequence[Written]
) -> dict[str, Any]:
    """A run in a sentence, tables in brief, at most two figures, the files of a theorem, and the keys to cite.

    A piece that does not exist is left out. Tables are named by their file.
    """
    brief, shown = [path for path, text in tables.items() if text], _shown(list(figures))
    # The best verdict is the last.
    run = max(runs, key=lambda each: list(Verdict).index(each.run.verdict.plain), default=None)
    of_run = _keys(run.run.result.claim) if run else {}
    theorem, files = _longest(proofs, of_run)
    return {
        "run": _said(run) if run else "",
        "theorem": files,
        "brief": brief,
        "shown": shown,
        "floats": _listed(
            [*(_ref("table", Path(path).stem) for path in brief), *(_ref("figure", x.name) for x in shown)]
        ),
        "cited": ",".join(of_run | (_keys(theorem.proof.script.id) if theorem else {})),
    }


def _keys(id: str) -> dict[str, None]:
    """The keys to cite for a claim, in order; none for a claim that is not in the catalogue."""
    return dict.fromkeys(entry.key for entry in sources(catalogue[id])) if id in catalogue else {}


def _ref(kind: str, name: str) -> str:
    return rf"{kind.title()}~\ref{{boundcheck:{kind}:{name}}}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _longest(proofs: Sequence[Written], cited: dict[str, None]) -> tuple[Written | None, list[str]]:
    """The theorem with the longest proof that fits with its sources, and its files.

    One with hypotheses comes before others. If no proof fits, it is the theorem of the longest proof, alone.
    """

    def fits(each: Written, text: str) -> bool:
        return lines(text) <= _LINES - _ENTRY * len(cited | _keys(each.proof.script.id))

    def most(each: Written) -> tuple[bool, int]:
        return bool(each.proof.hypotheses), len(each.proof.steps)

    theorems = [each for each in proofs if each.theorem]
    if whole := [each for each in theorems if fits(each, each.theorem + each.argument)]:
        found = max(whole, key=most)
        return found, list(found.files)
    alone = max((each for each in theorems if fits(each, each.theorem)), key=most, default=None)
    return alone, list(alone.files)[:1] if alone else []


def _shown(figures: Sequence[Placed]) -> list[Placed]:
    """The first figure that fits in one column, and before it the first other figure that fits over two."""
    narrow = [each for each in figures if not each.wide and each.tall <= _TALL][:1]
    others = [
        each for each in figures if each.wide and each.tall <= _TALL and each.name not in {x.name for x in narrow}
    ]
    return others[:1] + narrow


def _said(each: Printed) -> str:
    """A run in a sentence, each number by its command."""
    result, numbers = each.run.result, each.commands
    about = f"{tex(titled(result))} ({id_tex(result.claim)})"
    if each.run.is_theorem:
        said = rf"the {tex(each.run.shown)} is {each['measured']} over {each['steps']} steps"
        if "lower" in numbers:
            ends = f"[{each['lower']}, {each['upper']}]"
            said += f", with the {each['kind']} confidence interval {ends} from {each['replicas']} replicas"
        said += f". The bound of {about} is {each['bound']}" if "bound" in numbers else f". The claim: {about}"
    else:
        said = f"the constant of {about} is at least {each['measured']}"
        said += f", and at most {each['bound']}" if "bound" in numbers else ""
    seed = f", seed {result.settings.seed}" if result.settings.seed else ""
    return f"On {tex(each.run.title + seed)}, {said}. The verdict: {each['verdict']}."
