"""`ExactModel`: an instance in exact rational arithmetic, in which a false line shows; and `Point`,
a steep one.

A model has W = W_0 + sBA with d, k, r from 1 to 4, an f that is a sum over entries of piecewise
quadratic functions, and two points of the ball, or all paths of a run. `says` evaluates a sympy
relation by `boundcheck.exact.evaluate`, and
never asks the translation to the kernel or the kernel: what it calls false is false by another way
of reading.

A point is a witness of smoothness, with W(v) of each adapter written plainly. Let f have the
Hessian L E ∘ E and the gradient nearly G N at W(v), as a function with one kink has just beside it.
Then the second derivative of F along u is L <E, DW[u]>² + G <N, D²W[u, u]>, and with E along DW[u]
the first term is L‖DW[u]‖². Over ‖u‖² that is a lower bound on the smoothness constant of F on any
convex domain that v is in. Nothing of it is taken from the code that searches or
certifies: derivatives are those of power series in t along v + t u.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache, cached_property
from itertools import combinations, pairwise, product
from math import isqrt
from operator import eq, ge, gt, le, lt, ne
from random import Random
from typing import Any, TypeAlias, cast

import flint
import numpy as np
import sympy as sp
from flint import arb, fmpq, fmpq_series
from numpy.typing import NDArray
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.errors import InputError
from boundcheck.exact import evaluate
from boundcheck.exact.balls import (
    Matrix,
    Rationals,
    Rows,
    inner,
    plus,
    root,
    rows,
    scaled,
    times,
    transposed,
)
from boundcheck.exact.evaluate import STILL, Paths, VectorFunction
from boundcheck.kernel import Fact, KernelError, Law, Statement
from boundcheck.kernel.meaning import holds as is_true
from boundcheck.kernel.terms import Symbol, Variable
from boundcheck.language.prose import plain
from boundcheck.language.symbols import T
from boundcheck.language.vocabulary import Iterate, MinimumOver, t
from boundcheck.proof import Proof
from boundcheck.proof.witness import Witness, rational_model

Number = Fraction | int
Pair = tuple[Rows, Rows]
_ZERO = Fraction(0)


def fractions(text: str) -> tuple[Fraction, ...]:
    """The numbers in a text, such as "1 2/3"."""
    return tuple(map(Fraction, text.split()))


def table(text: str) -> Rows:
    """The rows of numbers in a text, with a comma after each but the last."""
    return tuple(map(fractions, text.split(",")))


def named(text: str) -> dict[str, Fraction]:
    """The numbers by name in a text, such as "x=1 y=2/3"."""
    return {name: Fraction(x) for name, _, x in (each.partition("=") for each in text.split())}


# Functions whose values and gradients are exact, written from the definitions: nothing here is
# taken from what is tried


@dataclass(frozen=True)
class Curve:
    """F of one number, by F': linear between knots (x, F'(x)), and beyond them as next to its ends.

    F is 0 at the origin.
    """

    knots: tuple[tuple[Fraction, Fraction], ...]
    origin: Fraction = _ZERO

    @classmethod
    def through(cls, *knots: tuple[Number, Number]) -> Curve:
        """The curve through knots whose numbers are of either kind, the positions in order."""
        return cls(tuple((Fraction(x), Fraction(slope)) for x, slope in knots))

    @classmethod
    def flat_beyond(cls, knots: Sequence[tuple[Fraction, Fraction]]) -> Curve:
        """The curve whose F' is constant beyond the outer knots, and whose F is 0 at the first."""
        first, low = knots[0]
        last, high = knots[-1]
        return cls(((first - 1, low), *knots, (last + 1, high)), first)

    @classmethod
    def clipped(cls, curvature: Number, steepest: Number | str, zero: Number | str = 0) -> Curve:
        """The curve with F' = L (x - zero), clipped to [-G, G]: a parabola that goes on as
        lines.
        """
        G = Fraction(steepest)
        middle = Fraction(zero)
        width = G / curvature
        return cls.flat_beyond(((middle - width, -G), (middle + width, G)))

    @cached_property
    def curvatures(self) -> tuple[Fraction, ...]:
        """F'' on each piece."""
        return tuple((after - slope) / (y - x) for (x, slope), (y, after) in pairwise(self.knots))

    @cached_property
    def smoothness(self) -> Fraction:
        """The largest |F''|."""
        return max(map(abs, self.curvatures))

    def smoothness_between(self, low: Fraction, high: Fraction) -> Fraction:
        """The largest |F''| on a segment that is no point."""
        ends = [x for x, _ in self.knots[1:-1]]
        places = zip(self.curvatures, [low, *ends], [*ends, high], strict=True)
        return max(abs(c) for c, start, end in places if start < high and end > low)

    @cached_property
    def steepest(self) -> Fraction:
        """The largest |F'| at a knot; of all, where F' is constant beyond its ends."""
        return max(abs(slope) for _, slope in self.knots)

    def slope(self, x: Fraction) -> Fraction:
        """F'(x)."""
        place = max(sum(knot <= x for knot, _ in self.knots) - 1, 0)
        place = min(place, len(self.curvatures) - 1)
        start, slope = self.knots[place]
        return slope + self.curvatures[place] * (x - start)

    def value(self, x: Fraction) -> Fraction:
        """F(x), the integral of F' from the origin."""
        low, high = sorted((self.origin, x))
        stops = [low, *(knot for knot, _ in self.knots if low < knot < high), high]
        total = sum(
            ((self.slope(p) + self.slope(q)) / 2 * (q - p) for p, q in pairwise(stops)), _ZERO
        )
        return total if x >= self.origin else -total

    @cached_property
    def least(self) -> Fraction | None:
        """The least value of F; None where it falls without end."""
        _, first = self.knots[0]
        _, last = self.knots[-1]
        left = self.curvatures[0]
        right = self.curvatures[-1]
        if left < 0 or right < 0 or (left == 0 and first > 0) or (right == 0 and last < 0):
            return None
        # Where a piece's line is 0 beyond the piece F still has a value, which is no less than the
        # least.
        pieces = zip(self.knots, self.curvatures, strict=False)
        zeros = (x - slope / curvature for (x, slope), curvature in pieces if curvature)
        return min(map(self.value, (*zeros, *(x for x, _ in self.knots))))

    @property
    def is_least_at_0(self) -> bool:
        """True if F is nowhere below F(0)."""
        return self.least == self.value(_ZERO)


def parabola(curvature: Number) -> Curve:
    """F(x) = L x²/2."""
    return Curve.through((-1, -curvature), (1, curvature))


def huber(curvature: Number, slope: Fraction) -> Curve:
    """F' = L x clipped to [-G, G]."""
    return Curve(Curve.clipped(curvature, slope).knots)


def teeth(curvature: Fraction, step: Fraction, steps: int) -> Curve:
    """F' is 1 at each iterate of so many steps α, and between two of them falls at the rate L to 1
    - Lα/2 halfway.

    Left of the last iterate F is L x²/2. Of all functions whose gradient is 1 at the iterates it
    falls least.
    """
    last = 1 / curvature
    knots: list[tuple[Fraction, Fraction]] = [(last - 1, 1 - curvature), (last, Fraction(1))]
    for place in range(steps):
        start = last + place * step
        knots += [(start + step / 2, 1 - curvature * step / 2), (start + step, Fraction(1))]
    return Curve((*knots, (knots[-1][0] + 1, Fraction(1))))


def kink(slope: Fraction) -> Curve:
    """F(x) = G|x|, but for a parabola of little width at 0."""
    return Curve.clipped(1000 * slope, slope)


def hill(curvature: Number, start: Fraction) -> Curve:
    """F' rises at the rate L from the minimiser 0 half of the way to the start, and falls to 0
    there.
    """
    top = curvature * start / 2
    return Curve.through((-1, -curvature), (0, 0), (start / 2, top), (start, 0), (start + 1, 0))


FLAT = Curve.through((0, 0), (1, 0))


def root_above(x: Fraction, bits: int = 40) -> Fraction:
    """The root of x if it is rational, else a rational number above it."""
    exact = root(x)
    return Fraction(math.isqrt(int(x * 4**bits)) + 1, 2**bits) if exact is None else exact


def root_below(x: Fraction, bits: int = 40) -> Fraction:
    """A rational number that is at most the root of x."""
    return Fraction(math.isqrt(int(x * 4**bits)), 2**bits)


def blocks_of(point: Sequence[Rows], count: int) -> Sequence[Rows]:
    """The blocks of a point; raises InputError unless there are so many."""
    if len(point) != count:
        raise InputError("point", f"{len(point)} blocks", f"{count}")
    return point


def single(point: Sequence[Rows]) -> Rows:
    """The only block of a point; raises InputError if there are more."""
    return blocks_of(point, 1)[0]


@dataclass(frozen=True)
class Factored:
    """F(A, B) = f(W_0 + sBA) with f(W) = Σ_ij f_ij(W_ij).

    Attributes:
        curves: f_ij, d x k.
        scale: s.
        rank: r; A is r x k, B is d x r.
        origin: W_0, d x k; zero where it is None.

    """

    curves: tuple[tuple[Curve, ...], ...]
    scale: Fraction = Fraction(1)
    rank: int = 1
    origin: Rows | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(d, k)."""
        return len(self.curves), len(self.curves[0])

    @property
    def start(self) -> Rows:
        """W_0."""
        return self.origin or ((_ZERO,) * self.shape[1],) * self.shape[0]

    def weight(self, v: Sequence[Rows]) -> Rows:
        """W_0 + sBA at v = (A, B)."""
        return plus(self.start, times(v[1], v[0]), self.scale)

    def f(self, W: Rows) -> Fraction:
        """The value of f at W."""
        rows = zip(self.curves, W, strict=True)
        return sum((each.value(x) for row in rows for each, x in zip(*row, strict=True)), _ZERO)

    def slope(self, W: Rows) -> Rows:
        """∇f(W)."""
        rows = zip(self.curves, W, strict=True)
        return tuple(tuple(each.slope(x) for each, x in zip(*row, strict=True)) for row in rows)

    def pull(self, v: Sequence[Rows], M: Rows) -> Pair:
        """Both blocks of the gradient of <M, W(v)>."""
        return scaled(self.scale, times(transposed(v[1]), M)), scaled(
            self.scale, times(M, transposed(v[0]))
        )

    def gradient(self, v: Sequence[Rows], noise: Rows | None = None) -> Pair:
        """Both blocks of ∇F, or of the gradient of a sample's loss, whose ∇f has the noise
        added.
        """
        M = self.slope(self.weight(v))
        return self.pull(v, M if noise is None else plus(M, noise))

    @cached_property
    def least(self) -> Fraction:
        """The least value of f; raises ValueError where it falls without end."""
        found = [each.least for row in self.curves for each in row]
        if None in found:
            raise ValueError("f falls without end")
        return sum(filter(None, found), _ZERO)

    @cached_property
    def smoothness(self) -> Fraction:
        """The smoothness constant of f."""
        return max(each.smoothness for row in self.curves for each in row)

    @cached_property
    def steepest(self) -> Fraction:
        """A bound on ‖∇f‖_F that is attained where it is rational."""
        return root_above(sum((each.steepest**2 for row in self.curves for each in row), _ZERO))

    @cached_property
    def functions(self) -> dict[str, VectorFunction]:
        """F and f, by name."""
        f, slope, gradient = cache(self.f), cache(self.slope), cache(self.gradient)
        return {
            "f": VectorFunction(lambda W: f(single(W)), lambda W: (slope(single(W)),)),
            "F": VectorFunction(
                lambda v: f(self.weight(blocks_of(v, 2))), lambda v: gradient(blocks_of(v, 2))
            ),
        }


# The model

_BITS = 160
_ARITHMETIC = Rationals()
_DECIDED = {sp.Eq: (eq, ne), sp.Le: (le, gt), sp.Lt: (lt, ge), sp.Ge: (ge, lt), sp.Gt: (gt, le)}
# v, v_1 and v_2 have the blocks of the model's vectors; w_1, w_2, W_1 and W_2 are the weights of
# all layers.
_VECTOR = re.compile(r"v(_[12])?|[wW](_[12])")
# The laws that hold in nearly every model, by the ids of claims and the names of definitions.
LAWS = frozenset(
    {
        "jiang2024.assumption1",
        "jiang2024.assumption3.1",
        "jiang2024.assumption3.2",
        "meft.gradient_bound",
        "meft.gradient_bound_at_scale_1",
        "jiang2024.bounded_below",
        "F(v) = f(W)",
    }
)
_ATTEMPTS = 8


@dataclass(frozen=True, eq=False)
class ExactModel:
    """An instance in rational numbers, and what is true in it.

    Attributes:
        about: what it is, in words.
        sides: d, k, r, n and one, by name.
        numbers: of scalar letters.
        matrices: of matrix letters.
        functions: f and F.
        blocks: the blocks that v = (A, B) consists of; of a run, those that are trained.
        layers: the blocks of a weight of several layers.
        paths: the times and outcomes of a run.
        process: the value of a block of an iterate, by name, at a time and in an outcome.
        laws: what holds by construction for all points, by the ids of claims and the names of
            definitions.
        changed: the scalar letters that were changed after construction, so that no law about them
            is sure to hold.

    """

    about: str
    sides: Mapping[str, int]
    numbers: Mapping[str, Fraction]
    matrices: Mapping[str, Rows]
    functions: Mapping[str, VectorFunction]
    blocks: tuple[str, ...] = ("A", "B")
    layers: tuple[str, ...] = ()
    paths: Paths[Any, Any] = STILL
    process: Callable[[str, int, int], Rows] | None = None
    laws: frozenset[str] = LAWS
    changed: frozenset[str] = frozenset()
    _truths: dict[tuple[Statement, str], bool | None] = field(default_factory=dict, init=False)
    _verdicts: dict[tuple[sp.Basic, frozenset[str]], bool | None] = field(
        default_factory=dict, init=False
    )

    # The second evaluation

    def says(self, relation: sp.Basic, composite: frozenset[str] = frozenset()) -> bool | None:
        """True if a relation holds at all times and in all outcomes; None where balls cannot tell,
        or have no value.

        Neither the translation nor the kernel has a part in it.

        Args:
            relation: over the vocabulary; Le, Lt, Ge, Gt, Eq, or And of these.
            composite: names of matrix letters that stand for something else than the model's matrix
                of that name.

        """
        key = (relation, composite)
        if key not in self._verdicts:
            parts = [self._verdict(each, composite) for each in sp.And.make_args(relation)]
            self._verdicts[key] = False if False in parts else (None if None in parts else True)
        return self._verdicts[key]

    def _verdict(self, relation: sp.Basic, composite: frozenset[str]) -> bool | None:
        times = range(1, self.paths.T + 1) if is_timed(relation) else (1,)
        outcomes = range(len(self.paths.draws)) if relation.has(Iterate) else (0,)
        is_open = False
        with flint.ctx.workprec(_BITS):
            try:
                values = self._values(relation, composite)
                for time, outcome in product(times, outcomes):
                    if isinstance(relation.lhs, MatrixExpr):
                        sides = zip(
                            *(values.vector(x, time, outcome) for x in relation.args), strict=True
                        )
                        apart = tuple(
                            _ARITHMETIC.plus(x, _ARITHMETIC.scaled(Fraction(-1), y))
                            for x, y in sides
                        )
                        holds, fails = _DECIDED[sp.Eq]
                        difference = _ARITHMETIC.inner(apart, apart)
                    else:
                        left, right = (values.number(x, time, outcome) for x in relation.args)
                        difference = _ARITHMETIC.add(left, _ARITHMETIC.times(Fraction(-1), right))
                        holds, fails = _DECIDED[relation.func]
                    # A comparison with a ball is true where it is certain.
                    if not holds(difference, 0):
                        if fails(difference, 0):
                            return False
                        is_open = True
            except (TypeError, KeyError, IndexError, ValueError, ZeroDivisionError):
                return None
        return None if is_open else True

    def _values(self, relation: sp.Basic, composite: frozenset[str]) -> evaluate.Model[Any, Matrix]:
        def matrix(name: str) -> tuple[Rows, ...] | None:
            if name not in composite:
                return (self.matrices[name],) if name in self.matrices else None
            if _VECTOR.fullmatch(name) is None:
                return None
            names = [part + name[1:] for part in (self.blocks if name[0] == "v" else self.layers)]
            return (
                tuple(self.matrices[x] for x in names)
                if names and set(names) <= set(self.matrices)
                else None
            )

        def iterate(name: str, time: int, outcome: int) -> tuple[Rows, ...]:
            if self.process is None:
                raise KeyError(name)
            names = {"v": self.blocks, "g": tuple(f"g_{block}" for block in self.blocks)}.get(
                name, (name,)
            )
            return tuple(self.process(block, time, outcome) for block in names)

        def exact(point: tuple[Matrix, ...]) -> tuple[Rows, ...]:
            if any(isinstance(x, arb) for block in point for row in block for x in row):
                raise InputError("point", "irrational", "rational numbers")
            return cast(tuple[Rows, ...], point)

        def function(each: VectorFunction) -> VectorFunction:
            return VectorFunction(lambda v: each.value(exact(v)), lambda v: each.gradient(exact(v)))

        known = {**{name: Fraction(x) for name, x in self.sides.items()}, **self.numbers}
        letters = {x for x in sp.preorder_traversal(relation) if isinstance(x, sp.MatrixSymbol)}
        symbols = relation.free_symbols - letters - {T}
        matrices = {x: matrix(x.name) for x in letters}
        places = {
            x: (self.layers or self.blocks).index(x.name) for x in letters if x.name in self.layers
        }
        places |= {x: self.blocks.index(x.name) for x in letters if x.name in self.blocks}
        return evaluate.Model(
            _ARITHMETIC,
            numbers={x: known[x.name] for x in symbols if x.name in known},
            matrices={x: blocks for x, blocks in matrices.items() if blocks is not None},
            iterates=iterate,
            functions={sp.Symbol(name): function(each) for name, each in self.functions.items()},
            blocks=places,
            sides={x: self.sides[x.name] for x in relation.free_symbols if x.name in self.sides},
            horizon=self.paths.T,
            weights=self.paths.weights,
            past=self.paths.past,
        )

    # The kernel's own reading

    @cached_property
    def witness(self) -> Witness:
        """The model as a witness against a step of a proof, in the kernel's terms."""
        terms = (self.sides, self.numbers, self.matrices, self.functions, self.process, self.paths)
        return Witness(self.about, {}, rational_model(*terms))

    def meets(self, fact: Fact) -> bool:
        """True if the fact certainly holds; False as well where the model has no value for
        something in it.
        """
        return self._said(fact, "meets") is True

    def refutes(self, fact: Fact) -> bool:
        """True if the fact is certainly false."""
        return self._said(fact, "refutes") is True

    def values(self, fact: Fact) -> bool:
        """True if the model has a value for all that the fact speaks of."""
        return self._said(fact, "meets") is not None

    def _said(self, fact: Fact, what: str) -> bool | None:
        """The answer of the witness; None where the model has no value for something in the
        fact.
        """
        key = (fact, what)
        if key not in self._truths:
            try:
                self._truths[key] = getattr(self.witness, what)(fact)
            except (KeyError, ValueError, KernelError):
                self._truths[key] = None
        return self._truths[key]

    def obeys(self, law: Law, name: str) -> bool:
        """True if a law holds by construction, and at points that are tried besides."""
        facts = [x for x in (*law.premises, law.conclusion) if isinstance(x, Fact)]
        letters = (x for fact in facts for x in fact.polynomial.inside)
        if name not in self.laws or any(
            isinstance(x, Variable) and x.name in self.changed for x in letters
        ):
            return False
        key = (law, "obeyed")
        if key not in self._truths:
            self._truths[key] = not any(
                self._breaks(law, facts, attempt) for attempt in range(_ATTEMPTS)
            )
        return bool(self._truths[key])

    def _breaks(self, law: Law, facts: list[Fact], attempt: int) -> bool:
        """True if a law fails at numbers for its variables within the ball, or far outside at odd
        attempts.
        """
        draw = Random(f"{attempt}")
        model = self.witness.model
        radii = [self.numbers[name] for name in ("sigma", "a", "b") if name in self.numbers]
        size = min(radii, default=Fraction(1)) * (64 if attempt % 2 else 1)
        chosen: dict[Symbol | Variable, Rows | Fraction] = {}
        try:
            for x in law.variables:
                if isinstance(x, Variable):
                    chosen[x] = Fraction(draw.randint(0, 4), 4)
                    continue
                height, width = (model.dimensions[name] for name in x.shape)
                entries = [
                    [Fraction(draw.randint(-4, 4), 8) * size for _ in range(width)]
                    for _ in range(height)
                ]
                chosen[x] = rows(*entries)
            there = replace(
                model, symbols=lambda x, t, i: chosen[x] if x in chosen else model.symbols(x, t, i)
            )
            *premises, conclusion = (is_true(x, there, (1,), (0,)) for x in facts)
        except (KeyError, ValueError, KernelError):
            return True
        return all(premises) and conclusion is False

    def allows(self, hypotheses: Iterable[Statement], proof: Proof) -> bool:
        """True if each of these hypotheses of a proof holds, and a second evaluation calls none of
        them false.
        """
        laid = {each.statement: each for each in proof.assumptions}
        given = list(hypotheses)
        facts = [x for x in given if isinstance(x, Fact)]
        if not all(self.meets(x) for x in facts):
            return False
        for law in (x for x in given if isinstance(x, Law)):
            assumed = laid.get(law)
            # A law is known by the claim's id, or by what the proof calls it.
            name = (
                ""
                if assumed is None
                else assumed.claim.id
                if assumed.claim
                else plain(assumed.name)
            )
            if not self.obeys(law, name):
                return False
        hidden = composites(proof)
        for relation in (laid[x].relation for x in facts if x in laid):
            is_relation = isinstance(relation, sp.core.relational.Relational | sp.And)
            if (
                self.says(relation if is_relation else sp.Gt(relation, 0, evaluate=False), hidden)
                is False
            ):
                return False
        return True


def composites(proof: Proof) -> frozenset[str]:
    """The matrix letters that a proof reads as more than a matrix of their own."""
    return frozenset(x.name for x in proof.reading.points)


def is_timed(node: sp.Basic) -> bool:
    """True if an expression depends on t, other than as the index of its sums and minima."""
    if node == t:
        return True
    if isinstance(node, MinimumOver | sp.Sum):
        inside, index, *ends = (
            node.args if isinstance(node, MinimumOver) else (node.function, *node.limits[0])
        )
        return any(map(is_timed, ends)) or (index != t and is_timed(inside))
    return any(is_timed(x) for x in node.args)


# Models in which one hypothesis fails: for lines and claims from which it was dropped

# What no hypothesis says anything about is left as it is.
_LETTERS = (
    "L C G sigma a b s zeta D Lhat alpha bound kappa q T_min f_star theta P K Q l x y c z G_2 a_2"
    " b_2 s_2 mu ell eta eta_max mu_F R_1 beta omega gamma"
)
_FACTORS = fractions("1/9 7")
# Laws are for all points of a ball, and so for those of a smaller one.
_RADII = ("sigma", "a", "b", "a_2", "b_2")


@cache
def broken(world: ExactModel) -> tuple[ExactModel, ...]:
    """The model with one number changed, or with another F than f(W_0 + sBA)."""
    found = []
    for name, factor in product(_LETTERS.split(), _FACTORS):
        if value := world.numbers.get(name):
            about = f"{world.about}, {name} = {factor * value}"
            numbers = {**world.numbers, name: factor * value}
            changed = frozenset({name} if factor > 1 or name not in _RADII else ())
            found.append(replace(world, about=about, numbers=numbers, changed=changed))
    if "F" in world.functions:
        loss = world.functions["F"]
        other = VectorFunction(
            lambda v: 3 * loss.value(v) + 1,
            lambda v: tuple(scaled(Fraction(3), x) for x in loss.gradient(v)),
        )
        about = f"{world.about}, 3F + 1 for F"
        functions = {**world.functions, "F": other}
        laws = frozenset(x for x in world.laws if not x.startswith("F("))
        found.append(
            replace(world, about=about, functions=functions, laws=laws, changed=frozenset({"F"}))
        )
    return tuple(found)


# The share of G that is kept for the height of the kink, without which f would have none.
_HEIGHT = Fraction(1, 10**9)
_DIGITS = 1000


# A matrix of power series in t, exact up to t²: NumPy adds and multiplies them by their own
# operators.
Jets: TypeAlias = NDArray[Any]
Blocks: TypeAlias = tuple[Rows, ...]


def jet(*coefficients: Fraction) -> fmpq_series:
    """c₀ + c₁t + c₂t², with what is beyond t² dropped."""
    return fmpq_series([fmpq(*x.as_integer_ratio()) for x in coefficients], prec=3)


def order(W: Jets, n: int) -> Rows:
    """The coefficients of tⁿ."""
    return tuple(tuple(Fraction(int(x[n].p), int(x[n].q)) for x in row) for row in W)


def spectral_at_most(X: Rows, limit: Fraction) -> bool:
    """True if the spectral norm of a matrix with at most two rows or columns is at most the limit,
    exactly.
    """
    short = X if len(X) <= len(X[0]) else transposed(X)
    gram = times(short, transposed(short))
    gap = [[limit**2 * (i == j) - x for j, x in enumerate(row)] for i, row in enumerate(gram)]
    if len(gap) == 1:
        return gap[0][0] >= 0
    (p, q), (q_, w) = gap
    return p >= 0 and w >= 0 and p * w - q * q_ >= 0


@dataclass(frozen=True)
class Point:
    """One adapter at one point v, with the gradient that f has there.

    Attributes:
        kind: the adapter's.
        constants: L, G, the scale s where there is one, the radii, and the norms of frozen
            matrices.
        v: the blocks of the point.
        tilt: N, of norm at most 1.
        frozen: the frozen matrices by name, W0 among them only where it matters to the derivatives.
        frobenius: whether the Frobenius norm of N is at most 1, and not only its spectral norm.

    """

    kind: str
    constants: Mapping[str, Fraction]
    v: Blocks
    tilt: Rows
    frozen: Mapping[str, Rows]
    frobenius: bool = False

    def along(self, u: Blocks) -> tuple[Rows, Rows]:
        """DW[u] and D²W[u, u] along the geodesic of u, which is a straight line but for LoReFT's
        R.
        """
        bends = [scaled(0, part) for part in u]
        if self.kind in _CURVED:
            # The geodesic of the Stiefel manifold has the second derivative -δδᵀR.
            bends[0] = scaled(-1, times(times(u[0], transposed(u[0])), self.v[0]))
        W = moved(self.kind, self.v, u, tuple(bends), self.frozen)
        scale = self.constants.get("s", Fraction(1)) if self.kind != "dora" else Fraction(1)
        return scaled(scale, order(W, 1)), scaled(2 * scale, order(W, 2))

    def bend(self, u: Blocks) -> Fraction:
        """The second derivative of F along u, L‖DW[u]‖² + G(1 - 10⁻⁹)<N, D²W[u, u]>."""
        first, second = self.along(u)
        L = self.constants["L"]
        height = self.constants["G"] * (1 - _HEIGHT)
        return L * inner(first, first) + height * inner(self.tilt, second)

    def curvature(self, u: Blocks) -> Fraction:
        """The second derivative of F along u over ‖u‖²."""
        return self.bend(u) / sum((inner(part, part) for part in u), Fraction(0))

    def tangent(self, u: Blocks) -> Blocks:
        """The part of u along which v can move: all of it, but for LoReFT's R."""
        if self.kind not in _CURVED:
            return u
        product = times(u[0], transposed(self.v[0]))
        symmetric = scaled(Fraction(-1, 2), plus(product, transposed(product)))
        return plus(u[0], times(symmetric, self.v[0])), *u[1:]

    @cached_property
    def direction(self) -> Blocks:
        """A rational u close to that of the largest curvature, found in floats; which it is matters
        to no proof.
        """
        directions = [self.tangent(u) for *_, u in units(self.v)]
        own = [self.bend(u) for u in directions]
        form = np.diag([float(x) for x in own])
        for i, j in combinations(range(len(own)), 2):
            both = self.bend(_added(directions[i], directions[j]))
            form[i, j] = form[j, i] = float(both - own[i] - own[j]) / 2
        # On a curved domain the units overlap; their Gram matrix makes the quotient one of vectors.
        gram = np.array(
            [
                [float(sum(inner(x, y) for x, y in zip(p, q, strict=True))) for q in directions]
                for p in directions
            ]
        )
        values, vectors = np.linalg.eigh(gram)
        kept = vectors[:, values > 1e-9] / np.sqrt(values[values > 1e-9])
        best = kept @ np.linalg.eigh(kept.T @ form @ kept)[1][:, -1]
        weights = [Fraction(float(x)).limit_denominator(_DIGITS) for x in best / np.abs(best).max()]
        u = tuple(scaled(0, part) for part in self.v)
        for weight, unit in zip(weights, directions, strict=True):
            u = _added(u, tuple(scaled(weight, part) for part in unit))
        return u

    def check(self) -> None:
        """Raise ValueError unless v is in the domain and f is as the hypotheses have it, all
        exactly.
        """
        c = self.constants
        bounded = self.v
        if self.kind == "loreft-trained":
            bounded = (self.v[0], tuple(map(tuple, _edit(self.v[0], self.v[1]))))
        for name, part in zip(_DOMAINS[self.kind], bounded, strict=True):
            if not name:
                size = range(len(part))
                good = times(part, transposed(part)) == rows(
                    *([int(i == j) for j in size] for i in size)
                )
            elif name == "mu":
                good = all(abs(x) <= c[name] for row in part for x in row)
            else:
                good = name not in c or spectral_at_most(part, c[name])
            if not good:
                raise ValueError(f"{self.kind}: a block of v is outside of its domain")
        for name, limit in _FROZEN.get(self.kind, {}).items():
            if name == "W0":
                if any(
                    inner((column,), (column,)) < c[limit] ** 2
                    for column in transposed(self.frozen[name])
                ):
                    raise ValueError("dora: a column of W0 is too short")
            elif not spectral_at_most(self.frozen[name], c[limit]):
                raise ValueError(f"{self.kind}: the frozen {name} is too large")
        if not (
            inner(self.tilt, self.tilt) <= 1
            if self.frobenius
            else spectral_at_most(self.tilt, Fraction(1))
        ):
            raise ValueError(f"{self.kind}: the gradient of f is larger than G")

    def __str__(self) -> str:
        """The point, the direction and the gradient, in one line of exact numbers."""

        def shown(X: Rows) -> str:
            return "[" + "; ".join(" ".join(map(str, row)) for row in X) + "]"

        constants = ", ".join(f"{name} = {x}" for name, x in self.constants.items())
        frozen = "".join(f", {name} = {shown(X)}" for name, X in self.frozen.items())
        point, u = (", ".join(map(shown, blocks)) for blocks in (self.v, self.direction))
        return (
            f"{self.kind} at v = ({point}){frozen} with {constants}, ∇f = G {shown(self.tilt)}, u ="
            f" ({u})"
        )


def _added(u: Blocks, w: Blocks) -> Blocks:
    return tuple(plus(x, y) for x, y in zip(u, w, strict=True))


def _dora(v: list[Jets], frozen: Mapping[str, Jets]) -> Jets:
    A, B, m = v
    # The frozen "s" is a matrix of one entry.
    V = frozen["W0"] + (B @ A) * frozen["s"]
    return m * V / np.fromiter(map(_length, V.T), dtype=object)


def _length(column: Jets) -> fmpq_series:
    """The norm, where at t = 0 it is rational and not 0; raises ValueError where it is not."""
    square = column @ column
    size = root(Fraction(int(square[0].p), int(square[0].q)))
    if not size:
        raise ValueError(f"{square[0]} is not the square of a positive rational")
    u = square * jet(size**-2) - jet(Fraction(1))
    # √(1 + u) where u is 0 at t = 0.
    return jet(size) * (jet(Fraction(1)) + u * jet(Fraction(1, 2)) - u * u * jet(Fraction(1, 8)))


def _edit(R: Any, U: Any) -> Any:
    """U - R [I 0], of jets or of fractions: what LoReFT in (R, U) has as V."""
    R = np.array(R, dtype=object)
    V = np.array(U, dtype=object)
    shared = min(R.shape[1], V.shape[1])
    V[:, :shared] -= R[:, :shared]
    return V


# Their first block has orthonormal rows.
_CURVED = ("loreft", "loreft-trained")
# W(v) - W0 over s; of DoRA W(v) itself.
_WEIGHTS: dict[str, Callable[[list[Jets], Mapping[str, Jets]], Jets]] = {
    "full": lambda v, frozen: v[0],
    "lora": lambda v, frozen: v[1] @ v[0],
    "direft": lambda v, frozen: v[1] @ v[0],
    "frozen-a": lambda v, frozen: v[0] @ frozen["A"],
    "frozen-b": lambda v, frozen: frozen["B"] @ v[0],
    "loreft": lambda v, frozen: v[0].T @ v[1],
    "loreft-trained": lambda v, frozen: v[0].T @ _edit(v[0], v[1]),
    "dora": _dora,
}
# The radii of the blocks; "" where rows are orthonormal, and mu is that of the largest entry.
_DOMAINS: dict[str, tuple[str, ...]] = {
    "full": ("rho",),
    **dict.fromkeys(("lora", "direft"), ("a", "b")),
    "frozen-a": ("b",),
    "frozen-b": ("a",),
    **dict.fromkeys(_CURVED, ("", "nu")),
    "dora": ("a", "b", "mu"),
}
_FROZEN: dict[str, dict[str, str]] = {
    "frozen-a": {"A": "a"},
    "frozen-b": {"B": "b"},
    "dora": {"W0": "w_0"},
}


def moved(kind: str, v: Blocks, u: Blocks, bends: Blocks, frozen: Mapping[str, Rows]) -> Jets:
    """W(v + ut + bends t²/2) - W0 over s as a power series in t; of DoRA W itself."""
    at = np.frompyfunc(lambda x, y, z: jet(x, y, z / 2), 3, 1)
    moving = [
        at(*(np.array(x, dtype=object) for x in parts)) for parts in zip(v, u, bends, strict=True)
    ]
    still = {
        name: np.frompyfunc(jet, 1, 1)(np.array(X, dtype=object)) for name, X in frozen.items()
    }
    return _WEIGHTS[kind](moving, still)


def units(v: Blocks) -> Iterator[tuple[int, int, int, Blocks]]:
    """Every entry of every block by its place, with the direction along which it alone moves."""
    for which, part in enumerate(v):
        for i, j in product(range(len(part)), range(len(part[0]))):
            one = tuple(
                tuple(Fraction(int((k, m) == (i, j))) for m in range(len(part[0])))
                for k in range(len(part))
            )
            yield which, i, j, tuple(one if w == which else scaled(0, X) for w, X in enumerate(v))


# Candidates of the largest curvature: points at the edge of the domain. How large it is there is
# then computed.

# A rational unit vector that is along no axis, and one at right angles to it.
UNIT = table("3/5 4/5")
ACROSS = table("-4/5 3/5")
TURN = (*UNIT, *ACROSS)
_ONE = rows((1,))
_FINE = 10**6


@cache
def steepest(
    kind: str, items: tuple[tuple[str, Fraction], ...], frobenius: bool, rank: int
) -> Point:
    """The candidate of the largest curvature at these constants, checked to be inside of every
    hypothesis.

    Args:
        kind: the adapter's.
        items: L, G, s, radii and norms of frozen matrices, by name.
        frobenius: whether G bounds the Frobenius norm of the gradient of f, and not only its
            spectral norm.
        rank: the adapter's.

    Raises:
        ValueError: where there is no candidate of that rank.

    """
    found = [
        point for point in _candidates(kind, dict(items), rank) if not frobenius or point.frobenius
    ]
    if not found:
        raise ValueError(
            f"no exact point of {kind} at rank {rank} with a gradient of Frobenius norm G"
        )
    for point in found:
        point.check()
    return max(found, key=lambda point: point.curvature(point.direction))


def _candidates(kind: str, c: Mapping[str, Fraction], rank: int) -> Iterator[Point]:
    square = table("1 0, 0 1")
    match kind, rank:
        case "lora", 2:
            yield Point(kind, c, (scaled(c["a"], TURN), scaled(c["b"], square)), TURN, {})
        case "loreft", 2:
            # At R = Q and V = νI the gradient -Qᵀ makes the most of δRᵀδV.
            yield Point(kind, c, (TURN, scaled(c["nu"], square)), scaled(-1, transposed(TURN)), {})
        case "loreft", 1:
            # V along one axis, δV along the other.
            tilt = plus(
                times(transposed(UNIT), table("-1 0")), times(transposed(ACROSS), table("0 1"))
            )
            yield Point(kind, c, (UNIT, scaled(c["nu"], table("1 0"))), tilt, {})
        case "loreft-trained", 1 | 2:
            # V = U - R along R or across, and gradients of either sign along R and across it.
            R = TURN if rank == 2 else UNIT
            along = times(transposed(R), R)
            across = plus(square, along, Fraction(-1))
            mirror = plus(along, across, Fraction(-1))
            for V, nu in product((R,) if rank == 2 else (R, ACROSS), (c["nu"], -c["nu"])):
                for tilt in (mirror, scaled(-1, mirror), square, scaled(-1, square)):
                    yield Point(kind, c, (R, plus(R, scaled(nu, V))), tilt, {})
        case "dora", 1:
            yield from _dora_candidates(c)
        case "direft", 1:
            # k = d + 1: the last column is the bias.
            yield Point(kind, c, (scaled(c["a"], UNIT), scaled(c["b"], _ONE)), UNIT, {}, True)
        case _, 1:
            # All matrices of one entry, as large as they may be.
            v = tuple(scaled(c[name], _ONE) for name in _DOMAINS[kind])
            frozen = {name: scaled(c[limit], _ONE) for name, limit in _FROZEN.get(kind, {}).items()}
            yield Point(kind, c, v, _ONE, frozen, True)
        case _:
            raise ValueError(f"no exact point of {kind} at rank {rank}")


def _dora_candidates(c: Mapping[str, Fraction]) -> Iterator[Point]:
    """A column that BA makes shorter, or turns, or both, with a gradient of f along or across
    it.
    """
    reach = c["s"] * c["a"] * c["b"]
    for x, y in table("-1 0, 0 1, -3/5 4/5, -4/5 3/5"):
        # The column is (q, 0) after BA, and W0 is what was there before, at least w_0 long.
        rest = c["w_0"] ** 2 - (reach * y) ** 2
        q = reach * x + (Fraction(isqrt(int(rest * _FINE**2)) + 1, _FINE) if rest > 0 else 0)
        if q <= 0:
            continue
        W0 = transposed(rows((q - reach * x, -reach * y)))
        v = (scaled(c["a"], _ONE), scaled(c["b"], transposed(rows((x, y)))), scaled(c["mu"], _ONE))
        for tilt in (*map(table, ("1 0", "-1 0", "0 1", "0 -1")), UNIT, ACROSS):
            yield Point("dora", c, v, transposed(tilt), {"W0": W0, "s": scaled(c["s"], _ONE)}, True)
