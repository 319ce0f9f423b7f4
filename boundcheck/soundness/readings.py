"""Trials of the reading: true scripts whose letters are renamed, have another role, or are assumed to be another thing.

A script stands for its letters by name. A change is carried through the line and the roles alike, and then what was
true stays true and must be proved; or through one of them alone, and then the line has a letter that a reader cannot
know, and must be refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import sympy as sp

from boundcheck.claims.symbols import T, r, zeta
from boundcheck.claims.vocabulary import (
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
    t,
)
from boundcheck.errors import BoundcheckError
from boundcheck.kernel import KernelError, Theorem
from boundcheck.prove import Process, Proof, Reading, ge, judge, le, script
from boundcheck.soundness.trial import Trial

Letters = Mapping[str, Any]
Build = Callable[[Proof, Letters], tuple[sp.Basic, Sequence[Theorem]]]

# Letters by the names that scripts have for them.
NUMBERS = {"x": sp.Symbol("x"), "y": sp.Symbol("y")}
POSITIVE = {"p": sp.Symbol("p", positive=True)}
MATRICES = {"X": sp.MatrixSymbol("X", d, r), "Y": sp.MatrixSymbol("Y", r, k), "Z": sp.MatrixSymbol("Z", r, k)}
ITERATES = {"v_t": Iterate("v", t, n, 1), "g_t": Iterate("g", t, n, 1)}


@dataclass(frozen=True)
class Example:
    """A true script: its letters with their roles, and the line that it concludes, with what that follows from."""

    name: str
    roles: Mapping[str, str]
    build: Build


def _square(proof: Proof, a: Letters) -> tuple[sp.Basic, Sequence[Theorem]]:
    return ge(a["x"] ** 2, 0), ()


def _sum(proof: Proof, a: Letters) -> tuple[sp.Basic, Sequence[Theorem]]:
    return ge(a["x"] + a["y"], 3), [_one(proof.assume(ge(a["x"], 1))), _one(proof.assume(ge(a["y"], 2)))]


def _quotient(proof: Proof, a: Letters) -> tuple[sp.Basic, Sequence[Theorem]]:
    return ge(a["x"] / a["p"], 1), [*proof.positive(a["p"]), _one(proof.assume(ge(a["x"] / a["p"], 2)))]


def _root(proof: Proof, a: Letters) -> tuple[sp.Basic, Sequence[Theorem]]:
    return ge(sp.sqrt(a["p"]), 0), proof.positive(a["p"])


def _triangle(proof: Proof, a: Letters) -> tuple[sp.Basic, Sequence[Theorem]]:
    Y, Z = a["Y"], a["Z"]
    return le(FrobeniusNorm(Y + Z), FrobeniusNorm(Y) + FrobeniusNorm(Z)), [proof.by.triangle("F", Y, Z)]


def _product(proof: Proof, a: Letters) -> tuple[sp.Basic, Sequence[Theorem]]:
    X, Y, x = a["X"], a["Y"], a["x"]
    split = proof.by.submultiplicative("op", "F", X, Y)
    return le(FrobeniusNorm(X * Y), x * FrobeniusNorm(Y)), [split, _one(proof.assume(le(SpectralNorm(X), x)))]


def _rank(proof: Proof, a: Letters) -> tuple[sp.Basic, Sequence[Theorem]]:
    return le(FrobeniusNorm(a["X"]) ** 2, r * SpectralNorm(a["X"]) ** 2), [proof.by.rank(a["X"], r)]


def _noise(proof: Proof, a: Letters) -> tuple[sp.Basic, Sequence[Theorem]]:
    square = ge(EuclideanNorm(a["g_t"] - a["v_t"]) ** 2, 0)
    return ge(Expectation(square.lhs), 0), [proof.by.expectation(proof.step("square", square))]


def _unbiased(proof: Proof, a: Letters) -> tuple[sp.Basic, Sequence[Theorem]]:
    v_t, g_t = a["v_t"], a["g_t"]
    mean = InnerProduct(v_t, MatrixExpectation(g_t, v_t))
    known = proof.assume(le(mean, a["x"]))
    return le(Expectation(InnerProduct(v_t, g_t), v_t), a["x"]), [_one(known)]


def _least(proof: Proof, a: Letters) -> tuple[sp.Basic, Sequence[Theorem]]:
    square = Expectation(EuclideanNorm(Gradient(F, a["v_t"])) ** 2)
    return le(T * MinimumOver(square, t, 1, T), sp.Sum(square, (t, 1, T))), [proof.by.minimum(square)]


def _bounded(proof: Proof, a: Letters) -> tuple[sp.Basic, Sequence[Theorem]]:
    known = proof.assume(le(Expectation(EuclideanNorm(a["g_t"]) ** 2), zeta**2))
    return le(Expectation(EuclideanNorm(a["g_t"]) ** 2), 2 * zeta**2), [_one(known)]


def _one(theorems: Theorem | tuple[Theorem, ...]) -> Theorem:
    return theorems if isinstance(theorems, Theorem) else theorems[0]


EXAMPLES = (
    Example("a square", {"x": "constants"}, _square),
    Example("a sum", {"x": "constants", "y": "constants"}, _sum),
    Example("a quotient", {"x": "constants", "p": "constants"}, _quotient),
    Example("a root", {"p": "constants"}, _root),
    Example("the triangle inequality", {"Y": "arbitrary", "Z": "arbitrary"}, _triangle),
    Example("a product of norms", {"X": "constants", "Y": "arbitrary", "x": "constants"}, _product),
    Example("a rank", {"X": "arbitrary"}, _rank),
    Example("noise", {"v_t": "known", "g_t": "drawn"}, _noise),
    Example("a conditional mean", {"v_t": "known", "g_t": "drawn", "x": "constants"}, _unbiased),
    Example("the least of T numbers", {"v_t": "known"}, _least),
    Example("bounded noise", {"g_t": "drawn"}, _bounded),
)
LETTERS: Letters = {**NUMBERS, **POSITIVE, **MATRICES, **ITERATES}


@dataclass(frozen=True)
class Reread:
    """An example with its letters changed: those of the lines, and those of the reading with their roles.

    Attributes:
        true: whether the change is carried through lines and roles alike, and gives each letter a name of its own.

    """

    example: Example
    kind: str
    change: str
    letters: Letters
    declared: Sequence[tuple[Any, str]]
    true: bool

    def verdict(self) -> str:
        """`proved`, or why it is not."""
        try:
            reading = reading_of(self.declared)
            judged = judge(script("my.lemma", "sharp", reading)(self._prove))
        except (BoundcheckError, KernelError) as error:
            return str(error)
        return judged.reason or judged.verdict

    def _prove(self, proof: Proof) -> None:
        relation, because = self.example.build(proof, self.letters)
        proof.conclude(proof.step("line", relation, because), relation=relation)


def reading_of(declared: Sequence[tuple[Any, str]]) -> Reading:
    """The reading in which these letters have these roles."""
    roles: dict[str, list[Any]] = {"constants": [], "arbitrary": [], "known": [], "drawn": []}
    for letter, role in declared:
        roles[role].append(letter)
    processes = {
        each: Process((sp.MatrixSymbol(str(each.args[0]), *each.shape),), drawn=role == "drawn")
        for role in ("known", "drawn")
        for each in roles[role]
    }
    return Reading(processes=processes, constants=roles["constants"], arbitrary=roles["arbitrary"])


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
        yield "as a positive integer", sp.Symbol(letter.name, positive=True, integer=True, even=True)
        yield "as a dummy", sp.Dummy(letter.name, **letter._assumptions_orig)


def rereadings() -> Iterator[Reread]:
    """Every example with every change of each of its letters."""
    for example in EXAMPLES:
        letters = {name: LETTERS[name] for name in example.roles}
        declared = [(LETTERS[name], role) for name, role in example.roles.items()]
        yield Reread(example, "as it is", "nothing", letters, declared, True)
        for place, name in enumerate(letters):
            yield from _changes(example, letters, declared, place, name)


def _changes(
    example: Example, letters: Letters, declared: Sequence[tuple[Any, str]], place: int, name: str
) -> Iterator[Reread]:
    mine, role = declared[place]

    def of(kind: str, change: str, line: Any, *told: tuple[Any, str], true: bool = False) -> Reread:
        roles = [*declared[:place], *told, *declared[place + 1 :]]
        return Reread(example, kind, f"{name} {change}", {**letters, name: line}, roles, true)

    for fresh in ("q_1", "longer_name", "U'"):
        other = renamed(mine, fresh)
        yield of("renamed", f"to {fresh}", other, (other, role), true=True)
        yield of("renamed", f"to {fresh} in the line alone", other, (mine, role))
        yield of("renamed", f"to {fresh} in the reading alone", mine, (other, role))
    for taken in ("zeta", "T", "t", "E", "\u0445", "a b", "a+1"):
        other = renamed(mine, taken)
        # The catalogue's letter itself is nobody else's, nor is a matrix of that name where it is not spoken of.
        if other == zeta or (taken == "zeta" and not isinstance(mine, sp.Symbol)):
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


def try_reading(mutant: Reread) -> Trial:
    """What the verdict makes of an example whose letters were changed."""
    began = perf_counter()
    said = mutant.verdict()
    proved = said == "proved"
    return Trial(
        layer="reading",
        subject=mutant.example.name,
        kind=f"true variation: {mutant.kind}" if mutant.true else mutant.kind,
        change=mutant.change,
        true=mutant.true,
        witness="the change is in lines and roles alike" if mutant.true else "the line has a letter without a role",
        outcome="proved" if proved else "not proved",
        wrong=proved and not mutant.true,
        caught=not mutant.true and not proved,
        seconds=perf_counter() - began,
    )
