"""Mutants of readings: true scripts with a letter renamed, in another role, or under other
assumptions; the gallery.

A script stands for its letters by name. A change is carried through the line and the roles alike,
and then what was true stays true and must be proved; or through one of them alone, and then the
line has a letter that a reader cannot know, and must be refused.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import sympy as sp

from boundcheck.errors import BoundcheckError
from boundcheck.exact.evaluate import t
from boundcheck.kernel import KernelError, Theorem
from boundcheck.language.symbols import T, r, zeta
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    Expectation,
    F,
    FrobeniusNorm,
    Gradient,
    InnerProduct,
    Iterate,
    MatrixExpectation,
    MinimumOver,
    SpectralNorm,
    d,
    k,
    n,
)
from boundcheck.proof import Process, Proof, Reading, ge, judge, le, script
from soundness.proofs import answer
from soundness.trial import Answer, Mutant, varied

Letters = Mapping[str, Any]
Declared = tuple[Any, str]
Line = tuple[sp.Basic, Sequence[Theorem]]

LETTERS: Letters = {
    **{name: sp.Symbol(name) for name in "xy"},
    "p": sp.Symbol("p", positive=True),
    "X": sp.MatrixSymbol("X", d, r),
    **{name: sp.MatrixSymbol(name, r, k) for name in "YZ"},
    **{f"{name}_t": Iterate(name, t, n, 1) for name in "vg"},
}
"""Letters by the names that scripts have for them."""


class Example(NamedTuple):
    """A true script: its letters by name with their roles, and what builds its line and what that
    follows from.
    """

    name: str
    roles: Mapping[str, str]
    build: Callable[..., Line]

    @property
    def letters(self) -> Letters:
        """Its letters by name."""
        return {name: LETTERS[name] for name in self.roles}

    @property
    def declared(self) -> list[Declared]:
        """Its letters with their roles."""
        return [(LETTERS[name], role) for name, role in self.roles.items()]


def _assumed(proof: Proof, relation: sp.Basic) -> Theorem:
    found = proof.assume(relation)
    return found if isinstance(found, Theorem) else found[0]


def _noise(proof: Proof, v_t: Any, g_t: Any) -> Line:
    square = ge(EuclideanNorm(g_t - v_t) ** 2, 0)
    return ge(Expectation(square.lhs), 0), [proof.by.expectation(proof.step("square", square))]


def _conditional(proof: Proof, v_t: Any, g_t: Any, x: Any) -> Line:
    known = _assumed(proof, le(InnerProduct(v_t, MatrixExpectation(g_t, v_t)), x))
    return le(Expectation(InnerProduct(v_t, g_t), v_t), x), [known]


def _least(proof: Proof, v_t: Any) -> Line:
    square = Expectation(EuclideanNorm(Gradient(F, v_t)) ** 2)
    return le(T * MinimumOver(square, t, 1, T), sp.Sum(square, (t, 1, T))), [
        proof.by.minimum(square)
    ]


_CONSTANT = "constants"
_ANY = "arbitrary"
EXAMPLES = (
    Example("a square", {"x": _CONSTANT}, lambda proof, x: (ge(x**2, 0), ())),
    Example(
        "a sum",
        {"x": _CONSTANT, "y": _CONSTANT},
        lambda proof, x, y: (ge(x + y, 3), [_assumed(proof, ge(x, 1)), _assumed(proof, ge(y, 2))]),
    ),
    Example(
        "a quotient",
        {"x": _CONSTANT, "p": _CONSTANT},
        lambda proof, x, p: (ge(x / p, 1), [*proof.positive(p), _assumed(proof, ge(x / p, 2))]),
    ),
    Example("a root", {"p": _CONSTANT}, lambda proof, p: (ge(sp.sqrt(p), 0), proof.positive(p))),
    Example(
        "the triangle inequality",
        {"Y": _ANY, "Z": _ANY},
        lambda proof, Y, Z: (
            le(FrobeniusNorm(Y + Z), FrobeniusNorm(Y) + FrobeniusNorm(Z)),
            [proof.by.triangle("F", Y, Z)],
        ),
    ),
    Example(
        "a product of norms",
        {"X": _CONSTANT, "Y": _ANY, "x": _CONSTANT},
        lambda proof, X, Y, x: (
            le(FrobeniusNorm(X * Y), x * FrobeniusNorm(Y)),
            [proof.by.submultiplicative("op", "F", X, Y), _assumed(proof, le(SpectralNorm(X), x))],
        ),
    ),
    Example(
        "a rank",
        {"X": _ANY},
        lambda proof, X: (
            le(FrobeniusNorm(X) ** 2, r * SpectralNorm(X) ** 2),
            [proof.by.rank(X, r)],
        ),
    ),
    Example("noise", {"v_t": "known", "g_t": "drawn"}, _noise),
    Example("a conditional mean", {"v_t": "known", "g_t": "drawn", "x": _CONSTANT}, _conditional),
    Example("the least of T numbers", {"v_t": "known"}, _least),
    Example(
        "bounded noise",
        {"g_t": "drawn"},
        lambda proof, g_t: (
            le(Expectation(EuclideanNorm(g_t) ** 2), 2 * zeta**2),
            [_assumed(proof, le(Expectation(EuclideanNorm(g_t) ** 2), zeta**2))],
        ),
    ),
)


@dataclass(frozen=True)
class Reread(Mutant):
    """An example with its letters changed: those of the lines, and those of the reading with their
    roles.

    It is true where the change is carried through lines and roles alike, and gives each letter a
    name of its own.
    """

    layer = "reading"
    example: Example
    letters: Letters
    declared: Sequence[Declared]

    @classmethod
    def of(
        cls,
        example: Example,
        kind: str,
        change: str,
        letters: Letters,
        declared: Sequence[Declared],
        true: bool,
    ) -> Reread:
        """The example with these letters and roles."""
        why = (
            "the change is in lines and roles alike"
            if true
            else "the line has a letter without a role"
        )
        return cls(
            example.name,
            varied(kind) if true else kind,
            change,
            true,
            why,
            example,
            letters,
            declared,
        )

    def ask(self) -> Answer:
        """Have the script proved."""
        return answer(self.true, self.verdict() == "proved")

    def verdict(self) -> str:
        """`proved`, or why it is not."""
        processes: dict[Any, Process] = {}
        roles: dict[str, list[Any]] = {_CONSTANT: [], _ANY: []}

        def prove(proof: Proof) -> None:
            relation, because = self.example.build(proof, **self.letters)
            proof.conclude(proof.step("line", relation, because), relation=relation)

        try:
            # The drawn ones come last: they are drawn given those that are known.
            for letter, role in sorted(self.declared, key=lambda each: each[1] == "drawn"):
                if role in roles:
                    roles[role].append(letter)
                else:
                    name = str(letter.args[0])
                    shape = letter.shape
                    processes[letter] = Process(
                        (sp.MatrixSymbol(name, *shape),), drawn=role == "drawn"
                    )
            reading = Reading(
                processes=processes, constants=roles[_CONSTANT], arbitrary=roles[_ANY]
            )
            judged = judge(script("my.lemma", "sharp", reading)(prove))
        except (BoundcheckError, KernelError) as error:
            return str(error)
        return judged.reason or judged.verdict


def renamed(letter: Any, name: str) -> Any:
    """The letter under another name."""
    if isinstance(letter, Iterate):
        return Iterate(name, *letter.args[1:])
    if isinstance(letter, sp.MatrixSymbol):
        return sp.MatrixSymbol(name, *letter.shape)
    return sp.Symbol(name, **letter._assumptions_orig)


def _others(letter: Any) -> Iterator[tuple[str, Any]]:
    """Letters of the same name that are not this one."""
    if isinstance(letter, Iterate):
        yield "of another shape", Iterate(letter.args[0], t, d, k)
    elif isinstance(letter, sp.MatrixSymbol):
        yield "of the transposed shape", sp.MatrixSymbol(letter.name, *letter.shape[::-1])
        yield "of a plain dimension", sp.MatrixSymbol(letter.name, sp.Symbol("d"), letter.shape[1])
    else:
        assumed = {"positive": True} if not letter.is_positive else {"real": True}
        yield "under other assumptions", sp.Symbol(letter.name, **assumed)
        yield "as an even number", sp.Symbol(letter.name, positive=True, integer=True, even=True)
        if letter != (dimension := sp.Symbol(letter.name, positive=True, integer=True)):
            yield "as a dimension", dimension
        yield "as a dummy", sp.Dummy(letter.name, **letter._assumptions_orig)


def rereadings(every: int = 1) -> list[Reread]:
    """Every example with every change of each of its letters; or every n-th of all these."""
    found = []
    for example in EXAMPLES:
        found.append(
            Reread.of(example, "as it is", "nothing", example.letters, example.declared, True)
        )
        found += [
            change for place in range(len(example.roles)) for change in _changes(example, place)
        ]
    return found[::every]


def _changes(example: Example, place: int) -> Iterator[Reread]:
    letters = example.letters
    declared = example.declared
    name = list(letters)[place]
    mine, role = declared[place]

    def of(kind: str, change: str, line: Any, *told: Declared, true: bool = False) -> Reread:
        roles = [*declared[:place], *told, *declared[place + 1 :]]
        return Reread.of(example, kind, f"{name} {change}", {**letters, name: line}, roles, true)

    for fresh in ("q_1", "longer_name", "U'"):
        other = renamed(mine, fresh)
        yield of("renamed", f"to {fresh}", other, (other, role), true=True)
        yield of("renamed", f"to {fresh} in the line alone", other, (mine, role))
        yield of("renamed", f"to {fresh} in the reading alone", mine, (other, role))
    for taken in ("zeta", "T", "t", "E", "\u0445", "a b", "a+1"):
        other = renamed(mine, taken)
        # A constant may have the name of one of the catalogue's, and so may a matrix, where that
        # does not occur.
        if taken == "zeta" and (role == "constants" or not isinstance(mine, sp.Symbol)):
            continue
        yield of("renamed", f"to {taken!r}, which is taken or no name", other, (other, role))
    yield of("role changed", "without a role", mine)
    for change, other in _others(mine):
        yield of("assumed", f"{change} in the line alone", other, (mine, role))
        yield of("assumed", f"{change} beside it", other, (mine, role), (other, role))
    if role in ("constants", "arbitrary"):
        swapped = "arbitrary" if role == "constants" else "constants"
        yield of("role changed", "in two roles", mine, (mine, role), (mine, swapped))
    for other_name, other in letters.items():
        if other_name != name and type(other) is type(mine):
            twin = renamed(mine, str(other.args[0]) if isinstance(other, Iterate) else other.name)
            if twin != other:
                yield of("merged", f"under the name of {other_name}", twin, (twin, role))


# The gallery of ways to be misled. It lies beside the tests, in a checkout: an installed package
# has none.
_ROOT = Path(__file__).parents[1]
_FOLDER = _ROOT / "tests" / "proof" / "wrong"


@dataclass(frozen=True)
class Entry(Mutant):
    """An entry, which must be refused for its reason, or its true twin, which must pass."""

    layer = "reading"
    case: Any

    def ask(self) -> Answer:
        """Try the act, which must be refused for the right reason."""
        with tempfile.TemporaryDirectory() as folder:
            said = (self.case.twin if self.true else self.case.wrong)(Path(folder))
        if self.true:
            return Answer("refused" if said else "passed", accepts=True, rejects=False)
        refused = bool(re.search(self.case.why, said))
        return Answer("refused" if refused else "believed", accepts=not refused, rejects=refused)


def gallery() -> Iterator[Entry]:
    """Each entry and its twin; none where there is no checkout."""
    if not (_FOLDER / "case.py").is_file():
        return
    if str(_ROOT) not in sys.path:
        sys.path.insert(0, str(_ROOT))
    package = ".".join(_FOLDER.relative_to(_ROOT).parts)
    for module in sorted(
        {path.stem for path in _FOLDER.glob("*.py")} - {"__init__", "case", "test_gallery"}
    ):
        for case in import_module(f"{package}.{module}").CASES:
            yield Entry("the gallery", f"gallery, {module}", case.name, False, case.why, case)
            yield Entry(
                "the gallery",
                varied(module),
                f"without {case.name}",
                True,
                "the fault is mended",
                case,
            )
