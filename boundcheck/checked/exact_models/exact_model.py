"""`ExactModel`: an exact instance in which terms of the kernel have values: what holds in it, and what it refutes.

`Setting.verdict` evaluates a sympy relation by `boundcheck.exact.evaluate`, and never asks the translation to the
kernel or the kernel: what it calls false is false by another way of reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache, cached_property
from operator import eq, ge, gt, le, lt, ne
from random import Random
from typing import Any, cast

import flint
import sympy as sp
from flint import arb
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.errors import InputError
from boundcheck.exact import evaluate
from boundcheck.exact.paths import STILL, Paths
from boundcheck.exact.rationals import Matrix, Number, Rationals, Rows, rows, scaled
from boundcheck.kernel import Fact, KernelError, Law, Statement
from boundcheck.kernel.meaning import Model, holds
from boundcheck.kernel.terms import Symbol, Variable
from boundcheck.language.prose import plain
from boundcheck.language.symbols import T
from boundcheck.language.vocabulary import Iterate, MinimumOver, t
from boundcheck.proof import Proof
from boundcheck.proof.proof import Assumption
from boundcheck.proof.witness import Witness, rational_model

_BITS = 160
_ARITHMETIC = Rationals()
_DECIDED = {sp.Eq: (eq, ne), sp.Le: (le, gt), sp.Lt: (lt, ge), sp.Ge: (ge, lt), sp.Gt: (gt, le)}
# v, v_1 and v_2 have the blocks of the world's vectors; w_1, w_2, W_1 and W_2 are the weights of all layers.
_VECTOR = re.compile(r"v(_[12])?|[wW](_[12])")


@dataclass(frozen=True, eq=False)
class Setting:
    """The data of a world, in rational numbers.

    Attributes:
        sides: d, k, r, n and one, by name.
        numbers: of scalar letters.
        matrices: of matrix letters.
        functions: f and F.
        blocks: the blocks that v = (A, B) consists of; of a run, those that are trained.
        layers: the blocks of a weight of several layers.
        paths: the times and outcomes of a run.
        process: the value of a block of an iterate, by name, at a time and in an outcome.

    """

    sides: Mapping[str, int]
    numbers: Mapping[str, Fraction]
    matrices: Mapping[str, Rows]
    functions: Mapping[str, evaluate.VectorFunction]
    blocks: tuple[str, ...] = ("A", "B")
    layers: tuple[str, ...] = ()
    paths: Paths[Any, Any] = STILL
    process: Callable[[str, int, int], Rows] | None = None

    def verdict(self, relation: sp.Basic, composite: Collection[str] = ()) -> bool | None:
        """True if a relation holds at all times and in all outcomes; None where balls cannot tell, or have no value.

        Args:
            relation: over the vocabulary; Le, Lt, Ge, Gt, Eq, or And of these.
            composite: names of matrix letters that stand for something else than the world's matrix of that name.

        """
        if isinstance(relation, sp.And):
            parts = [self.verdict(each, composite) for each in relation.args]
            return False if False in parts else (None if None in parts else True)
        found: set[bool | None] = set()
        with flint.ctx.workprec(_BITS):
            try:
                model = self._model(relation, frozenset(composite))
                for time, outcome in self._places(relation):
                    found.add(_holds(relation, model, time, outcome))
                    if False in found:
                        return False
            except (TypeError, KeyError, IndexError, ValueError, ZeroDivisionError):
                return None
        return None if None in found else True

    def _places(self, relation: sp.Basic) -> Iterator[tuple[int, int]]:
        for time in range(1, self.paths.T + 1) if is_timed(relation) else (1,):
            for outcome in range(len(self.paths.draws) if relation.has(Iterate) else 1):
                yield time, outcome

    def _model(self, relation: sp.Basic, composite: frozenset[str]) -> evaluate.Model[Number, Matrix]:
        known = {**{name: Fraction(x) for name, x in self.sides.items()}, **self.numbers}
        letters = {x for x in sp.preorder_traversal(relation) if isinstance(x, sp.MatrixSymbol)}
        symbols = relation.free_symbols - letters - {T}
        matrices = {x: self._matrix(x.name, composite) for x in letters}
        places = {x: (self.layers or self.blocks).index(x.name) for x in letters if x.name in self.layers}
        places |= {x: self.blocks.index(x.name) for x in letters if x.name in self.blocks}
        return evaluate.Model(
            _ARITHMETIC,
            numbers={x: known[x.name] for x in symbols if x.name in known},
            matrices={x: blocks for x, blocks in matrices.items() if blocks is not None},
            iterates=self._iterate,
            functions={sp.Symbol(name): _function(each) for name, each in self.functions.items()},
            blocks=places,
            sides={x: self.sides[x.name] for x in relation.free_symbols if x.name in self.sides},
            horizon=self.paths.T,
            weights=self.paths.weights,
            past=self.paths.past,
        )

    def _matrix(self, name: str, composite: frozenset[str]) -> tuple[Rows, ...] | None:
        if name not in composite:
            return (self.matrices[name],) if name in self.matrices else None
        match = _VECTOR.fullmatch(name)
        if match is None:
            return None
        names = [part + name[1:] for part in (self.blocks if name[0] == "v" else self.layers)]
        return tuple(self.matrices[x] for x in names) if names and set(names) <= set(self.matrices) else None

    def _iterate(self, name: str, time: int, outcome: int) -> tuple[Rows, ...]:
        if self.process is None:
            raise KeyError(name)
        names = {"v": self.blocks, "g": tuple(f"g_{block}" for block in self.blocks)}.get(name, (name,))
        return tuple(self.process(block, time, outcome) for block in names)


def is_timed(node: sp.Basic) -> bool:
    """True if an expression depends on t, other than as the index of its sums and minima."""
    if node == t:
        return True
    if isinstance(node, MinimumOver | sp.Sum):
        inside, index, *ends = node.args if isinstance(node, MinimumOver) else (node.function, *node.limits[0])
        return any(map(is_timed, ends)) or (index != t and is_timed(inside))
    return any(is_timed(x) for x in node.args)


def _holds(relation: sp.Basic, model: evaluate.Model[Number, Matrix], time: int, outcome: int) -> bool | None:
    if isinstance(relation.lhs, MatrixExpr):
        sides = zip(*(model.vector(x, time, outcome) for x in (relation.lhs, relation.rhs)), strict=True)
        blocks = tuple(_ARITHMETIC.plus(x, _ARITHMETIC.scaled(Fraction(-1), y)) for x, y in sides)
        return _compare(sp.Eq, _ARITHMETIC.inner(blocks, blocks))
    left, right = (model.number(x, time, outcome) for x in (relation.lhs, relation.rhs))
    return _compare(relation.func, _ARITHMETIC.add(left, _ARITHMETIC.times(Fraction(-1), right)))


def _compare(relation: type[sp.Basic], difference: Number) -> bool | None:
    # A comparison with a ball is true where it is certain.
    holds, fails = _DECIDED[relation]
    return True if holds(difference, 0) else (False if fails(difference, 0) else None)


def _function(each: evaluate.VectorFunction) -> evaluate.VectorFunction:
    return evaluate.VectorFunction(lambda v: each.value(_exact(v)), lambda v: each.gradient(_exact(v)))


def _exact(point: tuple[Matrix, ...]) -> tuple[Rows, ...]:
    if any(isinstance(x, arb) for block in point for row in block for x in row):
        raise InputError("point", "irrational", "rational numbers")
    return cast(tuple[Rows, ...], point)


# The laws that hold in every world, by the ids of claims and the names of definitions.
LAWS = frozenset(
    {
        "jiang2024.assumption1",
        "jiang2024.assumption3.1",
        "jiang2024.assumption3.2",
        "meft.gradient_bound",
        "jiang2024.bounded_below",
        "F(v) = f(W)",
    }
)


@dataclass(frozen=True, eq=False)
class ExactModel:
    """A concrete instance in exact rational arithmetic, and what is true in it.

    Attributes:
        about: what it is, in words.
        setting: its numbers, matrices, functions and paths.
        laws: what holds by construction for all points, by the ids of claims and the names of definitions.
        changed: the scalar letters that were changed after construction, so that no law about them is sure to hold.

    """

    about: str
    setting: Setting
    laws: frozenset[str] = LAWS
    changed: frozenset[str] = frozenset()
    _truths: dict[tuple[Statement, str], bool | None] = field(default_factory=dict)
    _verdicts: dict[tuple[sp.Basic, frozenset[str]], bool | None] = field(default_factory=dict)

    @cached_property
    def model(self) -> Model:
        """The setting as a model of the kernel's terms."""
        given = self.setting
        return rational_model(given.sides, given.numbers, given.matrices, given.functions, given.process, given.paths)

    @cached_property
    def witness(self) -> Witness:
        """The world as a witness against a step of a proof."""
        return Witness(self.about, {}, self.model)

    def says(self, relation: sp.Basic, composite: frozenset[str] = frozenset()) -> bool | None:
        """The verdict of the setting on a relation, in which neither the translation nor the kernel has a part."""
        key = (relation, composite)
        if key not in self._verdicts:
            self._verdicts[key] = self.setting.verdict(relation, composite)
        return self._verdicts[key]

    def meets(self, fact: Fact) -> bool:
        """True if the fact certainly holds; False as well where the world has no value for something in it."""
        return self._said(fact, "met", self.witness.meets) is True

    def refutes(self, fact: Fact) -> bool:
        """True if the fact is certainly false."""
        return self._said(fact, "refuted", self.witness.refutes) is True

    def values(self, fact: Fact) -> bool:
        """True if the world has a value for all that the fact speaks of."""
        return self._said(fact, "met", self.witness.meets) is not None

    def _said(self, fact: Fact, what: str, ask: Callable[[Fact], bool]) -> bool | None:
        """The answer of the witness; None where the world has no value for something in the fact."""
        key = (fact, what)
        if key not in self._truths:
            try:
                self._truths[key] = ask(fact)
            except (KeyError, ValueError, KernelError):
                self._truths[key] = None
        return self._truths[key]

    def obeys(self, law: Law, name: str) -> bool:
        """True if a law holds by construction, and at points that are tried besides."""
        if name not in self.laws or any(isinstance(x, Variable) and x.name in self.changed for x in _letters(law)):
            return False
        key = (law, "obeyed")
        if key not in self._truths:
            self._truths[key] = not any(self._breaks(law, attempt) for attempt in range(8))
        return bool(self._truths[key])

    def _breaks(self, law: Law, attempt: int) -> bool:
        facts = [*law.premises, law.conclusion]
        try:
            model = self.at(law, attempt)
            *premises, conclusion = (holds(x, model, (1,), (0,)) for x in facts if isinstance(x, Fact))
        except (KeyError, ValueError, KernelError):
            return True
        return all(premises) and conclusion is False

    def at(self, law: Law, attempt: int) -> Model:
        """The model with the variables of a law set to numbers within the ball, or far outside at odd attempts."""
        draw = Random(f"{attempt}")
        radii = [self.setting.numbers[name] for name in ("sigma", "a", "b") if name in self.setting.numbers]
        size = min(radii, default=Fraction(1)) * (64 if attempt % 2 else 1)
        chosen: dict[Symbol | Variable, Rows | Fraction] = {}
        for x in law.variables:
            if isinstance(x, Variable):
                chosen[x] = Fraction(draw.randint(0, 4), 4)
                continue
            height, width = (self.model.dimensions[name] for name in x.shape)
            entries = [[Fraction(draw.randint(-4, 4), 8) * size for _ in range(width)] for _ in range(height)]
            chosen[x] = rows(*entries)
        base = self.model.symbols
        return replace(self.model, symbols=lambda x, t, i: chosen[x] if x in chosen else base(x, t, i))

    def allows(self, hypotheses: Iterable[Statement], proof: Proof) -> bool:
        """True if each of these hypotheses of a proof holds, and a second evaluation calls none of them false."""
        laid = {each.statement: each for each in proof.assumptions}
        given = list(hypotheses)
        facts = [x for x in given if isinstance(x, Fact)]
        laws = [x for x in given if isinstance(x, Law)]
        return (
            all(self.meets(x) for x in facts)
            and all(self.obeys(x, law_name(laid[x]) if x in laid else "") for x in laws)
            and not any(x in laid and self._doubts(laid[x], proof) for x in facts)
        )

    def _doubts(self, assumption: Assumption, proof: Proof) -> bool:
        relation = assumption.relation
        if not isinstance(relation, sp.core.relational.Relational | sp.And):
            relation = sp.Gt(relation, 0, evaluate=False)
        return self.says(relation, composites(proof)) is False


def law_name(assumption: Assumption) -> str:
    """The name by which a world knows a law: the claim's id, or what the proof calls it."""
    return assumption.claim.id if assumption.claim else plain(assumption.name)


def composites(proof: Proof) -> frozenset[str]:
    """The matrix letters that a proof reads as more than a matrix of their own."""
    return frozenset(x.name for x in proof.reading.points)


def _letters(law: Law) -> Iterable[object]:
    return (x for fact in (*law.premises, law.conclusion) if isinstance(fact, Fact) for x in fact.polynomial.inside)


# Worlds in which one hypothesis fails: for lines and claims from which it was dropped


# What no hypothesis says anything about is left as it is.
_LETTERS = (
    *("L", "C", "G", "sigma", "a", "b", "s", "zeta", "D", "Lhat", "alpha", "bound", "kappa", "q", "T_min", "f_star"),
    *("theta", "P", "K", "Q", "l", "x", "y", "c", "z", "G_2", "a_2", "b_2", "s_2", "mu"),
    *("ell", "eta", "eta_max", "mu_F", "R_1", "beta", "omega", "gamma"),
)
_FACTORS = (Fraction(1, 9), Fraction(7))
# Laws are for all points of a ball, and so for those of a smaller one.
_RADII = ("sigma", "a", "b", "a_2", "b_2")


@cache
def broken(world: ExactModel) -> tuple[ExactModel, ...]:
    """The world with one number changed, or with another F than f(W_0 + sBA)."""
    return tuple(_changes(world))


def _changes(world: ExactModel) -> Iterator[ExactModel]:
    setting = world.setting
    for name in _LETTERS:
        value = setting.numbers.get(name, Fraction(0))
        for factor in _FACTORS if value else ():
            numbers = {**setting.numbers, name: factor * value}
            about = f"{world.about}, {name} = {numbers[name]}"
            changed = frozenset({name} if factor > 1 or name not in _RADII else ())
            yield ExactModel(about, replace(setting, numbers=numbers), world.laws, changed)
    if "F" in setting.functions:
        loss = setting.functions["F"]
        other = evaluate.VectorFunction(
            lambda v: 3 * loss.value(v) + 1, lambda v: tuple(scaled(Fraction(3), x) for x in loss.gradient(v))
        )
        laws = frozenset(x for x in world.laws if not x.startswith("F("))
        functions = {**setting.functions, "F": other}
        yield ExactModel(f"{world.about}, 3F + 1 for F", replace(setting, functions=functions), laws, frozenset({"F"}))
