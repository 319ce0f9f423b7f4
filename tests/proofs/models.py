"""Concrete instances in exact rational arithmetic, in which a false line of a proof shows.

A `World` is a model of the kernel's terms: W = W_0 + sBA with d, k, r from 1 to 4, an f that is a sum over entries of
piecewise quadratic functions, two points of the ball, or all paths of a run of Algorithm 1. Its constants are what the
claims make of them; which of a proof's laws hold is by construction, and tried at points besides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache, cached_property
from itertools import product
from math import isqrt
from random import Random

from boundcheck.kernel import Fact, KernelError, Law, Statement
from boundcheck.kernel.atoms import Variable
from boundcheck.kernel.meaning import Function, Grid, Interval, Model, exact, holds
from boundcheck.kernel.terms import Symbol
from boundcheck.problems.piecewise import PiecewiseLinear
from boundcheck.prove import Proof
from boundcheck.prove.witness import Witness

Rows = tuple[tuple[Fraction, ...], ...]
Pair = tuple[Rows, Rows]
Slopes = tuple[PiecewiseLinear, PiecewiseLinear]
Numbers = Mapping[str, Fraction]

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
FLAT = PiecewiseLinear(((Fraction(0), Fraction(0)),))


def rows(*entries: Sequence[Fraction | int | str]) -> Rows:
    """A matrix from its rows."""
    return tuple(tuple(Fraction(x) for x in row) for row in entries)


def number(x: Fraction | int | str) -> Rows:
    """A matrix with one entry."""
    return rows((x,))


def transposed(x: Rows) -> Rows:
    return tuple(zip(*x, strict=True))


def times(x: Rows, y: Rows) -> Rows:
    columns = transposed(y)
    return tuple(tuple(sum((p * q for p, q in zip(row, c, strict=True)), Fraction(0)) for c in columns) for row in x)


def plus(x: Rows, y: Rows, scale: Fraction | int = 1) -> Rows:
    """x + scale · y."""
    return tuple(tuple(p + scale * q for p, q in zip(r, s, strict=True)) for r, s in zip(x, y, strict=True))


def scaled(scale: Fraction | int, x: Rows) -> Rows:
    return tuple(tuple(scale * p for p in row) for row in x)


def squared(x: Rows) -> Fraction:
    """The squared Frobenius norm."""
    return sum((p * p for row in x for p in row), Fraction(0))


def root_above(x: Fraction, bits: int = 40) -> Fraction:
    """A rational number that is at least the root of x, and the root where that is rational."""
    whole = isqrt(x.numerator * x.denominator)
    if whole**2 == x.numerator * x.denominator:
        return Fraction(whole, x.denominator)
    return Fraction(isqrt(int(x * 4**bits)) + 1, 2**bits)


def root_below(x: Fraction, bits: int = 40) -> Fraction:
    """A rational number that is at most the root of x."""
    return Fraction(isqrt(int(x * 4**bits)), 2**bits)


@dataclass(frozen=True)
class Meft:
    """F(A, B) = f(W_0 + sBA), f(W) = Σ_ij f_ij(W_ij), with each derivative f_ij' piecewise linear."""

    slopes: tuple[tuple[PiecewiseLinear, ...], ...]
    scale: Fraction = Fraction(1)
    rank: int = 1
    origin: Rows | None = None

    @cached_property
    def shape(self) -> tuple[int, int]:
        return len(self.slopes), len(self.slopes[0])

    @cached_property
    def start(self) -> Rows:
        """W_0."""
        return self.origin or ((Fraction(0),) * self.shape[1],) * self.shape[0]

    def weight(self, v: Pair) -> Rows:
        return plus(self.start, times(v[1], v[0]), self.scale)

    def f(self, w: Rows) -> Fraction:
        return sum((s.integral(x) for s, x in self._entries(w)), Fraction(0))

    def slope(self, w: Rows) -> Rows:
        values = iter([s.value(x) for s, x in self._entries(w)])
        return tuple(tuple(next(values) for _ in row) for row in w)

    def _entries(self, w: Rows) -> list[tuple[PiecewiseLinear, Fraction]]:
        return [pair for ss, xs in zip(self.slopes, w, strict=True) for pair in zip(ss, xs, strict=True)]

    def gradient(self, v: Pair, noise: Rows | None = None) -> Pair:
        """Both blocks of the gradient of F, or of a sample's loss."""
        m = self.slope(self.weight(v))
        m = m if noise is None else plus(m, noise)
        return scaled(self.scale, times(transposed(v[1]), m)), scaled(self.scale, times(m, transposed(v[0])))

    @cached_property
    def minimum(self) -> Fraction:
        return sum((s.minimum for row in self.slopes for s in row), Fraction(0))

    @cached_property
    def smoothness(self) -> Fraction:
        return max(s.lipschitz for row in self.slopes for s in row)

    @cached_property
    def steepest(self) -> Fraction:
        """A bound on ‖∇f‖_F that is attained where it is rational."""
        return root_above(sum((s.bound**2 for row in self.slopes for s in row), Fraction(0)))

    @cached_property
    def functions(self) -> dict[str, Function]:
        """f and F for a model."""
        f, slope = cache(self.f), cache(self.slope)
        loss, gradient = cache(lambda v: self.f(self.weight(v))), cache(self.gradient)
        return {
            "f": Function(lambda w: exact(f(_single(w))), lambda w: (_grid(slope(_single(w))),)),
            "F": Function(
                lambda v: exact(loss(_pair(v))),
                lambda v: tuple(_grid(x) for x in gradient(_pair(v))),
            ),
        }


def _grid(x: Rows) -> Grid:
    return tuple(tuple(exact(p) for p in row) for row in x)


class NoValueError(Exception):
    """A point that is none of the function's, or where it has no exact value because entries are irrational."""


def _pair(point: tuple[Grid, ...]) -> Pair:
    if len(point) != 2:
        raise NoValueError(f"F takes two blocks, and not {len(point)}")
    return _rows(point[0]), _rows(point[1])


def _single(point: tuple[Grid, ...]) -> Rows:
    if len(point) != 1:
        raise NoValueError(f"f takes one matrix, and not {len(point)}")
    return _rows(point[0])


def _rows(grid: Grid) -> Rows:
    if any(_wide(x) for row in grid for x in row):
        raise NoValueError(str(grid))
    return tuple(tuple(x.low for x in row) for row in grid)


def _wide(x: Interval) -> bool:
    return x.low != x.high


@dataclass(frozen=True, eq=False)
class World:
    """A model, and what is true in it."""

    about: str
    model: Model
    laws: frozenset[str] = LAWS
    _truths: dict[Statement, bool | None] = field(default_factory=dict)

    @cached_property
    def witness(self) -> Witness:
        return Witness(self.about, {}, self.model)

    def meets(self, fact: Fact) -> bool:
        """Whether the fact certainly holds; False as well where the world has no value for something in it."""
        return self._known(fact, lambda: True if self.witness.meets(fact) else None) is True

    def refutes(self, fact: Fact) -> bool:
        """Whether the fact is certainly false."""
        return self._known(fact, lambda: False if self.witness.refutes(fact) else None, "refuted") is False

    def values(self, fact: Fact) -> bool:
        """Whether the world has a value for all that the fact speaks of."""
        return self._known(fact, lambda: [True, self.witness.meets(fact)][0], "valued") is True

    def _known(self, fact: Fact, find: Callable[[], bool | None], what: str = "met") -> bool | None:
        key = (fact, what)
        if key not in self._truths:
            try:
                self._truths[key] = find()
            except (KeyError, NoValueError, KernelError):
                self._truths[key] = None
        return self._truths[key]

    def obeys(self, law: Law, name: str) -> bool:
        """Whether a law holds: by construction, and at points that are tried besides."""
        if name not in self.laws:
            return False
        if law not in self._truths:
            self._truths[law] = not any(self._breaks(law, attempt) for attempt in range(8))
        return bool(self._truths[law])

    def _breaks(self, law: Law, attempt: int) -> bool:
        facts = [*law.premises, law.conclusion]
        try:
            model = self.at(law, attempt)
            *premises, conclusion = (holds(x, model, (1,), (0,)) for x in facts if isinstance(x, Fact))
        except (KeyError, NoValueError, KernelError):
            return True
        return all(premises) and conclusion is False

    def at(self, law: Law, attempt: int) -> Model:
        """The model with the variables of a law set to numbers within the ball, or far outside at odd attempts."""
        draw = Random(f"{attempt}")
        size = min((x for x in (self._number(n) for n in ("sigma", "a", "b")) if x is not None), default=Fraction(1))
        size = 64 * size if attempt % 2 else size
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

    def _number(self, name: str) -> Fraction | None:
        try:
            return self.model.symbols(Variable(name), 1, 0)  # type: ignore[return-value]
        except KeyError:
            return None

    def allows(self, hypotheses: Iterable[Statement], proof: Proof) -> bool:
        """Whether each of these hypotheses of a proof holds."""
        names = {each.statement: each.claim.id if each.claim else each.name for each in proof.assumptions}
        given = list(hypotheses)
        facts = [x for x in given if isinstance(x, Fact)]
        laws = [x for x in given if isinstance(x, Law)]
        return all(self.meets(x) for x in facts) and all(self.obeys(x, names.get(x, "")) for x in laws)


# The stretch of a symmetric 2 x 2 matrix: (P, K, R), its top eigenvalue l, a vector (p, u) and bounds (x, y).
def _stretches() -> list[Numbers]:
    found = []
    for P, K, R, top in ((4, 2, 1, 5), (1, 2, 1, 3), (1, 6, 6, 10), (2, 0, 1, 2), (0, 2, 3, 4), (6, 2, 3, 7)):
        for p, u in ((K, top - P), (1, 1), (3, 1), (0, 1)):
            names = {"P": P, "K": K, "R": R, "l": top, "p": p, "u": u, "x": P * p + K * u, "y": K * p + R * u}
            found.append({name: Fraction(value) for name, value in names.items()})
    return found


STRETCHES = _stretches()


def _dimensions(meft: Meft) -> dict[str, int]:
    d, k = meft.shape
    return {"d": d, "k": k, "r": meft.rank, "n": meft.rank * (d + k), "one": 1}


def _corner(height: int, width: int) -> Rows:
    return tuple(tuple(Fraction(int(i == j == 0)) for j in range(width)) for i in range(height))


def _world(
    about: str,
    meft: Meft,
    numbers: Numbers,
    matrices: Mapping[str, Rows],
    horizon: int = 1,
    outcomes: int = 1,
    past: Callable[[int], tuple[int, ...]] = lambda _: (0,),
    process: Callable[[str, int, int], Rows] | None = None,
) -> World:
    d, k = meft.shape
    known = {"P": _corner(meft.rank, k), "Q": _corner(d, meft.rank), "V": _corner(d, k), "W_0": meft.start, **matrices}
    values = {"s": meft.scale, "z": 2 * numbers.get("C", Fraction(1)) + 1, **numbers}

    def symbols(x: Symbol | Variable, time: int, outcome: int) -> Rows | Fraction:
        if isinstance(x, Variable):
            return values[x.name]
        if isinstance(x.when, str):
            return known[x.name]
        if process is None:
            raise KeyError(x.name)
        return process(x.name, time, outcome)

    weights = (Fraction(1, outcomes),) * outcomes
    return World(about, Model(_dimensions(meft), horizon, weights, past, symbols, meft.functions))


def holding(world: World, meft: Meft, held: str, fixed: Rows) -> World:
    """The world in which one factor, A or B, is a constant: F has the other one as its only block."""
    trained = "B" if held == "A" else "A"

    def pair(point: tuple[Grid, ...]) -> Pair:
        return (fixed, _single(point)) if held == "A" else (_single(point), fixed)

    def slope(point: tuple[Grid, ...]) -> tuple[Grid, ...]:
        return (_grid(meft.gradient(pair(point))["AB".index(trained)]),)

    function = Function(lambda point: exact(meft.f(meft.weight(pair(point)))), slope)
    functions = {**meft.functions, "F": function}
    laws = frozenset({"jiang2024.assumption1", "jiang2024.bounded_below", f"F({trained}) = f(W)"})
    return World(world.about, replace(world.model, functions=functions), laws)


def frozen(about: str, meft: Meft, held: str, fixed: Rows, first: Rows, second: Rows, numbers: Numbers) -> World:
    """Two values of one factor, with the other one, A or B, constant."""
    trained = "B" if held == "A" else "A"
    matrices = {held: fixed, trained: first, f"{trained}_1": first, f"{trained}_2": second}
    return holding(_world(about, meft, _of_one(meft, held, numbers), matrices), meft, held, fixed)


def _of_one(meft: Meft, held: str, numbers: Numbers) -> Numbers:
    """The constants, with the L̂ of one factor: s²La² where A is held, s²Lb² where B is."""
    return {**numbers, "Lhat": meft.scale**2 * numbers["L"] * numbers[held.lower()] ** 2}


def layers(v1: Sequence[Fraction], v2: Sequence[Fraction], slopes: Slopes, numbers: Numbers) -> World:
    """Two layers with d = k = r = 1: f(U, U') = φ(U) + φ'(U'), at two points (A, B, A', B')."""
    scales = numbers["s"], numbers["s_2"]

    def weights(v: Sequence[Fraction]) -> list[Fraction]:
        return [scale * v[2 * i] * v[2 * i + 1] for i, scale in enumerate(scales)]

    def f(w: Sequence[Fraction]) -> Interval:
        return exact(sum((slope.integral(x) for slope, x in zip(slopes, w, strict=True)), Fraction(0)))

    def entries(point: tuple[Grid, ...], count: int) -> list[Fraction]:
        if len(point) != count:
            raise NoValueError(f"a point with {len(point)} blocks, and not {count}")
        return [_rows(x)[0][0] for x in point]

    def slope_f(w: Sequence[Fraction]) -> list[Fraction]:
        return [slope.value(x) for slope, x in zip(slopes, w, strict=True)]

    def slope_loss(v: Sequence[Fraction]) -> list[Fraction]:
        ends = zip(scales, slope_f(weights(v)), v[::2], v[1::2], strict=True)
        return [x for scale, m, A, B in ends for x in (scale * B * m, scale * m * A)]

    def grids(values: list[Fraction]) -> tuple[Grid, ...]:
        return tuple(_grid(number(x)) for x in values)

    functions = {
        "f": Function(lambda w: f(entries(w, 2)), lambda w: grids(slope_f(entries(w, 2)))),
        "F": Function(lambda v: f(weights(entries(v, 4))), lambda v: grids(slope_loss(entries(v, 4)))),
    }
    matrices = {"U_0": number(0), "U'_0": number(0)}
    for suffix, v in (("_1", v1), ("_2", v2), ("", v1)):
        matrices |= {name + suffix: number(x) for name, x in zip(("A", "B", "A'", "B'"), v, strict=True)}
        matrices |= {name + suffix: number(x) for name, x in zip(("U", "U'"), weights(v), strict=True)}
    world = _world("two layers", single(slopes[0], scales[0]), numbers, matrices)
    laws = frozenset({"jiang2024.assumption1", "meft.layer_gradients", "F(v) = f(U, U')"})
    return World("two layers, d = k = r = 1", replace(world.model, functions=functions), laws)


def direft(h: Rows, first: Rows, second: Rows, bias: Rows) -> World:
    """DiReFT: h̃ = [h; 1], W_0 = [I 0] and A = [U_1 b]."""
    d = len(h)
    start = tuple(tuple(Fraction(int(i == j)) for j in range(d + 1)) for i in range(d))
    left = tuple((*row, *entry) for row, entry in zip(first, bias, strict=True))
    matrices = {"h": h, "h^": (*h, (Fraction(1),)), "b": bias, "U_1": first, "U_2": second, "A": left, "W_0": start}
    meft = Meft(((FLAT,) * (d + 1),) * d, rank=len(bias))
    numbers = {name: Fraction(x) for name, x in (("U_3", "2/5"), ("b", 1), ("mu", 2), ("s_h", 1))}
    return _world(f"h of {d} entries, rank {len(bias)}", meft, numbers, matrices)


def lemma(about: str, meft: Meft, v1: Pair, v2: Pair, numbers: Numbers, stretch: int = 0) -> World:
    """Two points of the ball."""
    w1, w2 = meft.weight(v1), meft.weight(v2)
    matrices = dict(zip(("A_1", "B_1", "A_2", "B_2", "A", "B"), (*v1, *v2, *v1), strict=True))
    matrices |= {"W_1": w1, "W_2": w2, "W": w1}
    return _world(about, meft, STRETCHES[stretch % len(STRETCHES)] | dict(numbers), matrices)


@dataclass(frozen=True)
class Paths:
    """All paths of Algorithm 1, which draws one of the `offsets` (noise of the gradient in W) at each step.

    `held` is the factor that is not trained, A or B, if there is one.
    """

    meft: Meft
    start: Pair
    offsets: tuple[Rows, ...]
    alpha: Fraction
    T: int
    held: str = ""

    @cached_property
    def draws(self) -> list[tuple[int, ...]]:
        return list(product(range(len(self.offsets)), repeat=self.T))

    @cached_property
    def reached(self) -> dict[tuple[int, ...], Pair]:
        points = {(): self.start}
        for t in range(self.T):
            for prefix in product(range(len(self.offsets)), repeat=t):
                for drawn, noise in enumerate(self.offsets):
                    v = points[prefix]
                    moved = [
                        x if block == self.held else plus(x, slope, -self.alpha)
                        for block, x, slope in zip("AB", v, self.meft.gradient(v, noise), strict=True)
                    ]
                    points[*prefix, drawn] = moved[0], moved[1]
        return points

    @cache  # noqa: B019
    def past(self, time: int) -> tuple[int, ...]:
        prefixes = [draw[: time - 1] for draw in self.draws]
        return tuple(prefixes.index(prefix) for prefix in prefixes)

    def __call__(self, name: str, time: int, outcome: int) -> Rows:
        draw = self.draws[outcome]
        v = self.reached[draw[: time - 1]]
        block = "AB".index(name[-1])
        if name.startswith("g"):
            return self.meft.gradient(v, self.offsets[draw[time - 1]])[block]
        return v[block]


def run(about: str, paths: Paths, numbers: Numbers, stretch: int = 0) -> World:
    """A run of Algorithm 1; its first two points are those of Lemma 1."""
    near = paths.start
    after = paths.reached[(0,)]
    matrices = dict(zip(("A_1", "B_1", "A_2", "B_2", "A", "B"), (*near, *after, *near), strict=True))
    matrices |= {"W_1": paths.meft.weight(near), "W_2": paths.meft.weight(after), "W": paths.meft.weight(near)}
    # A held factor has one value, and F none at another.
    matrices = {name: x for name, x in matrices.items() if name not in (f"{paths.held}_1", f"{paths.held}_2")}
    values = STRETCHES[stretch % len(STRETCHES)] | dict(numbers) | {"alpha": paths.alpha}
    count = len(paths.draws)
    world = _world(about, paths.meft, values, matrices, paths.T, count, paths.past, paths)
    return holding(world, paths.meft, paths.held, paths.start["AB".index(paths.held)]) if paths.held else world


def top_eigenvalue(L: Fraction, G: Fraction, a: Fraction, b: Fraction, s: Fraction) -> Fraction | None:
    """λ*, where it is rational."""
    half, cross = s**2 * L * (a**2 - b**2) / 2, s**2 * L * a * b + s * G
    root = root_above(half**2 + cross**2)
    return s**2 * L * (a**2 + b**2) / 2 + root if root**2 == half**2 + cross**2 else None


def constants(meft: Meft, a: Fraction, b: Fraction, sharp: bool, G: Fraction | None = None) -> dict[str, Fraction]:
    """L, G, C, the radii, and L̂ as printed or sharp."""
    L, G = meft.smoothness, meft.steepest if G is None else G
    sigma = max(a, b)
    found = {"L": L, "G": G, "C": sigma, "sigma": sigma, "a": a, "b": b, "theta": Fraction(1, 2), "c": Fraction(1)}
    if sharp:
        top = top_eigenvalue(L, G, a, b, meft.scale)
        return found | ({"Lhat": top} if top is not None else {})
    rank = root_above(Fraction(meft.rank))
    return found | ({"Lhat": 2 * L * sigma * rank * sigma + G} if rank**2 == meft.rank else {})


def of_run(
    meft: Meft,
    start: Pair,
    base: Numbers,
    T: int,
    ratio: Fraction,
    step: str,
    noise: Fraction,
    slack: Fraction = Fraction(1),
    held: str = "",
) -> Callable[..., World | None]:
    """The constants of Theorem 2 such that every root is rational, by the choice of f* and ζ.

    Args:
        ratio: q = sqrt(L̂D/(ζ²T)), which is L̂α for the printed step size.
        step: printed, or best.
        noise: the part of the noise that Assumption 4 allows.
        slack: D is the least possible times the square of this.
        held: the factor that is not trained, if there is one.

    """
    Lhat = base["Lhat"]
    loss = meft.f(meft.weight(start))
    w = root_above((loss - meft.minimum) / (Lhat * T), 20) * slack
    D, zeta = Lhat * T * w**2, Lhat * w / ratio
    growth = ratio + root_above(ratio**2 + 2) if step == "best" else Fraction(3, 2) / (1 - ratio / 2)
    alpha = 2 * ratio / (growth * Lhat) if step == "best" else ratio / Lhat
    # sqrt(DL̂ζ²/T)
    term = Lhat**2 * w**2 / ratio
    factor = growth if base.get("sharp") or step == "best" else Fraction(5, 2)
    # The square of the distance from 0 is where the noise of the gradient in (A, B) comes from.
    if held:
        size = squared(start["AB".index(held)])
    else:
        size = squared(start[0]) + squared(start[1]) if T == 1 else base["a"] ** 2 + base["b"] ** 2
    c = noise * root_below(zeta**2 / (meft.scale**2 * size), 20)
    unit = _corner(*meft.shape)
    offsets = (scaled(c, unit), scaled(-c, unit)) if noise else (scaled(0, unit),)
    numbers = {
        **base,
        "D": D,
        "zeta": zeta,
        "q": ratio,
        "kappa": growth,
        "bound": factor * term,
        "T_min": 4 * Lhat * D / zeta**2,
        "f_star": loss - D,
    }
    paths = Paths(meft, start, offsets, alpha, T, held)

    def build(about: str, stretch: int = 0, step: Callable[[Numbers], Fraction | None] | None = None) -> World | None:
        """The run; with another step size, where `step` finds one in the constants."""
        whole = {"s": meft.scale, "r": Fraction(meft.rank), "T": Fraction(T)}
        size = step({**numbers, **whole}) if step else alpha
        return None if size is None else run(about, replace(paths, alpha=size), numbers, stretch)

    return build


def clipped(
    slope: Fraction | int | str, bound: Fraction | int | str, zero: Fraction | int | str = 0
) -> PiecewiseLinear:
    return PiecewiseLinear.clipped(Fraction(slope), Fraction(bound), Fraction(zero))


def single(slope: PiecewiseLinear, scale: Fraction | int | str = 1) -> Meft:
    """d = k = r = 1."""
    return Meft(((slope,),), Fraction(scale))


def steep(L: Fraction, G: Fraction, a: Fraction, b: Fraction, s: Fraction) -> Meft:
    """f'(w) = clip(G + L(w - sab), ±G): as steep as it may be at A = a, B = b, where λ* is attained."""
    return single(clipped(L, G, s * a * b - G / L), s)


F = Fraction


Add = Callable[..., None]


def _lemmas() -> list[World]:
    found: list[World] = []

    def add(about: str, meft: Meft, v1: Pair, v2: Pair, base: Numbers, theta: Fraction | int = Fraction(1, 2)) -> None:
        found.append(lemma(about, meft, v1, v2, {**base, "theta": F(theta)}, len(found)))

    _attained(add)
    _printed(add)
    _larger(add)
    return found


def _attained(add: Add) -> None:
    # Where λ* is attained, unequal radii and scales: K = (P - R)/2 · 12/5 or 4/3 makes λ* rational.
    for s, a, b, ratio in (
        (F(1), F(2), F(1), F(12, 5)),
        (F(1, 2), F(1), F(2), F(12, 5)),
        (F(2), F(3), F(1), F(4, 3)),
        (F(2), F(1), F(3), F(12, 5)),
        (F(1), F(1), F(1), None),
        (F(3), F(1, 2), F(1, 2), None),
    ):
        L = F(1)
        G = F(1, 3) if ratio is None else (s**2 * L * abs(a**2 - b**2) / 2 * ratio - s**2 * L * a * b) / s
        meft = steep(L, G, a, b, s)
        base = constants(meft, a, b, True)
        top = base["Lhat"]
        for away in (F(1, 1000), F(1, 7)):
            # The top eigenvector of [[P, K], [K, R]] is (K, λ* - P), P the entry of A.
            step_a, step_b = s**2 * L * a * b + s * G, top - s**2 * L * b**2
            size = away * min(a, b) / max(step_a, step_b)
            v2 = number(a - size * step_a), number(b - size * step_b)
            add(f"λ* nearly attained at scale {s}, radii {a} and {b}", meft, (number(a), number(b)), v2, base, 0)
        for moved in ((a, b / 2), (a / 2, b), (-a / 2, b), (a, -b)):
            v2 = tuple(number(x) for x in moved)
            add("the corner of the ball and another point", meft, (number(a), number(b)), v2, base, 1)
            add("another point and the corner", meft, v2, (number(a), number(b)), base)


def _printed(add: Add) -> None:
    # The printed constants, scale 1.
    for L, G, sigma in ((F(1), F(1), F(2)), (F(2), F(1, 5), F(1)), (F(1, 2), F(3), F(1, 2))):
        for zero in (F(0), F(-1), sigma**2):
            meft = single(clipped(L, G, zero))
            base = constants(meft, sigma, sigma, False)
            for v1, v2 in (((1, 1), (1, 0)), ((1, 1), (F(1, 2), 1)), ((1, 0), (F(1, 2), F(-1, 2))), ((1, 1), (-1, -1))):
                points = [tuple(number(sigma * x) for x in v) for v in (v1, v2)]
                add("printed constants, d = k = r = 1", meft, *points, base)


def _larger(add: Add) -> None:
    # More than one dimension.
    slope = clipped(1, 1)
    two = ((slope, slope), (slope, clipped(1, 1, "1/2")))
    shrunk = F(99, 100)
    unit = rows((shrunk, 0), (0, shrunk))
    for scale in (F(1), F(1, 2)):
        full = Meft(two, scale, rank=2, origin=rows((0, "1/5"), (0, 0)))
        for v1, v2 in (
            ((unit, unit), (rows((0, 0), (0, 0)), unit)),
            ((unit, unit), (unit, rows((0, shrunk), (-shrunk, 0)))),
            ((rows((shrunk, 0), (0, 0)), unit), (unit, rows((0, 0), (0, shrunk)))),
            (
                (rows(("1/2", "1/3"), (0, "-1/4")), unit),
                (rows(("1/2", 0), ("1/7", "-1/4")), rows((0, "1/2"), ("1/2", 0))),
            ),
        ):
            base = constants(full, F(1), F(1), True)
            add("d = k = r = 2", full, v1, v2, base)
            add("d = k = r = 2, loose constants", full, v1, v2, base | {"L": F(2), "G": F(5), "C": F(3)})
        line = Meft(((slope, FLAT), (FLAT, slope)), scale, rank=1)
        v1, v2 = (rows(("3/5", "4/5")), rows(("4/5",), ("3/5",))), (rows((0, 1)), rows((1,), (0,)))
        for first, second in ((v1, v2), (v2, v1)):
            add("d = k = 2, r = 1", line, first, second, constants(line, F(1), F(1), scale != 1))
        column = Meft(((slope,),), scale, rank=4)
        v1 = transposed(rows(("1/2", "1/2", "1/2", "1/2"))), rows(("1/2", "1/2", "1/2", "1/2"))
        v2 = transposed(rows((1, 0, 0, 0))), rows(("1/2", "-1/2", "1/2", "-1/2"))
        for first, second in ((v1, v2), (v2, v1)):
            add("d = k = 1, r = 4", column, first, second, constants(column, F(1), F(1), False))


def _frozen() -> list[World]:
    found: list[World] = []
    for scale, a in ((F(1), F(2)), (F(1, 2), F(1)), (F(3), F(1, 2))):
        meft = single(clipped(2, 1), scale)
        base = constants(meft, a, F(1), False)
        for first, second in ((F(1, 8), F(0)), (F(1), F(-1)), (F(-1, 9), F(1, 9))):
            points = number(a), number(first), number(second)
            found.append(frozen("A frozen, d = k = r = 1", meft, "A", *points, base))
            found.append(frozen("B frozen, d = k = r = 1", meft, "B", *points, constants(meft, F(1), a, False)))
    slope = clipped(1, 1)
    line = Meft(((slope, slope), (slope, slope)), F(1), rank=1)
    base = constants(line, F(1), F(1), False)
    for first, second in ((("1/5", "2/5"), (0, 0)), ((1, -1), ("1/2", 0))):
        b1, b2 = (transposed(rows(x)) for x in (first, second))
        fixed = rows(("3/5", "4/5"))
        found.append(frozen("A frozen, d = k = 2, r = 1", line, "A", fixed, b1, b2, base))
        rows_of_a = transposed(b1), transposed(b2)
        found.append(frozen("B frozen, d = k = 2, r = 1", line, "B", transposed(fixed), *rows_of_a, base))
    return found


def _runs() -> list[World]:
    found: list[World] = []
    draw = Random(13)

    def add(about: str, meft: Meft, start: Pair, base: Numbers, T: int, ratio: Fraction, **how: object) -> None:
        theta = draw.choice((F(0), F(1), F(1, 2)))
        build = of_run(meft, start, {**base, "theta": theta}, T, ratio, **how)  # type: ignore[arg-type]
        found.extend(filter(None, [build(about, len(found))]))

    tight = [(F(1), F(1, 64), F(1), F(1), F(1)), (F(2), F(1, 8), F(1), F(1), F(1)), (F(1), F(1, 4), F(1), F(1), F(2))]
    unequal = [(F(1), F(8, 5), F(2), F(1), F(1)), (F(1), F(8, 5), F(1), F(2), F(1)), (F(1), F(8, 10), F(1), F(2), F(2))]
    for sharp in (False, True):
        steps = (("printed", F(1, 2)), ("printed", F(1, 5)))
        steps += (("best", F(1, 2)), ("best", F(17, 20)), ("best", F(7, 4))) if sharp else ()
        for L, G, a, b, s in (*tight, *(unequal if sharp else ())):
            if s != 1 and not sharp:
                continue
            meft = steep(L, G, a, b, s)
            if s == 2 and a != b:
                meft = steep(L, (s**2 * L * F(3, 2) * F(12, 5) - s**2 * L * a * b) / s, a, b, s)
            base: dict[str, Fraction] = constants(meft, a, b, sharp)
            base |= {"sharp": F(1)} if sharp else {}
            if "Lhat" not in base:
                continue
            for step, ratio in steps:
                for T, noise, inside in ((1, F(0), F(1)), (1, F(1), F(1)), (2, F(1), F(7, 8)), (3, F(1, 2), F(7, 8))):
                    start = number(a * inside), number(b * inside)
                    add(f"{step} step, T = {T}, q = {ratio}", meft, start, base, T, ratio, step=step, noise=noise)
    return found


def _frozen_runs() -> list[World]:
    """Runs with A frozen: within the parabola of f, where f is clipped, and in more than one dimension."""
    found: list[World] = []
    wide, narrow = clipped(1, 8, "1/3"), clipped(2, "1/4")
    line = Meft(((wide, narrow), (narrow, wide)), origin=rows((0, "1/5"), (0, 0)))
    for meft, fixed, first, a in (
        (single(wide), number(1), number(1), F(1)),
        (single(wide, "1/2"), number(2), number(-1), F(2)),
        (single(narrow, 3), number("1/2"), number(1), F(2, 3)),
        (line, rows(("3/5", "4/5")), transposed(rows((1, "-1/2"))), F(1)),
    ):
        base = _of_one(meft, "A", constants(meft, a, F(1), False))
        for i, (ratio, T, noise) in enumerate(product((F(1, 2), F(7, 4)), (1, 2, 3), (F(0), F(1)))):
            build = of_run(meft, (fixed, first), {**base, "theta": F(i % 3, 2)}, T, ratio, "best", noise, held="A")
            found.extend(filter(None, [build(f"A frozen, best step, T = {T}, q = {ratio}", len(found))]))
    return found


def _others() -> list[World]:
    found = [
        direft(number(2), number(3), number("-1/3"), number("1/2")),
        direft(rows((1,), (-2,)), rows((3, 1)), rows(("1/2", 1)), number(2)),
    ]
    names = ("G", "a", "b", "s", "G_2", "a_2", "b_2", "s_2")
    for values in (
        (F(1, 3), F(1), F(1), F(1), F(1, 4), F(1), F(1), F(2)),
        (F(8, 5), F(2), F(1), F(1), F(1, 3), F(1, 2), F(1, 2), F(1)),
        (F(1, 5), F(1), F(1), F(1, 2), F(8, 5), F(1), F(2), F(1)),
    ):
        numbers = dict(zip(names, values, strict=True)) | {"L": F(1)}
        halves = values[:4], values[4:]
        tops = [top_eigenvalue(F(1), *half) or F(0) for half in halves]
        slopes = tuple(clipped(1, G, s * a * b - G) for G, a, b, s in halves)
        for theta, move in ((F(1), F(1, 100)), (F(0), F(-1, 100)), (F(1, 2), F(1)), (F(1, 2), F(2))):
            v1 = [x for _, a, b, _ in halves for x in (a, b)]
            v2 = [x * (1 - abs(move)) for x in v1]
            if move < 0:
                v1, v2 = v2, v1
            more = {"Lhat": max(tops), "theta": theta}
            found.append(layers(v1, v2, slopes, STRETCHES[len(found) % len(STRETCHES)] | numbers | more))
    return found


@cache
def descents() -> tuple[Callable[..., World | None], ...]:
    """Runs that are hard on a bound: nearly all curvature is L̂, and each takes its step size as an argument."""
    found: list[Callable[..., World | None]] = []
    small = F(1, 256)
    ratios = (F(1, 2), F(1, 5), F(3, 2), F(7, 4), F(199, 20))
    for sharp, noise, T, ratio in product((False, True), (F(0), F(1)), (1, 2, 6), ratios):
        if noise and T > 1:
            continue
        meft = steep(F(1), small, F(1), F(1), F(1))
        base = constants(meft, F(1), F(1), sharp) | ({"sharp": F(1)} if sharp else {})
        step = "best" if ratio > 2 else "printed"
        start = number(1), number(1)
        name = f"{step} step, T = {T}, q = {ratio}, {'sharp' if sharp else 'printed'} constant"
        found.append(_restepped(name, of_run(meft, start, base, T, ratio, step, noise)))
    parabola = single(clipped(1, 4))
    base = _of_one(parabola, "A", constants(parabola, F(1), F(1), False))
    for noise, T, ratio in ((F(0), 1, F(199, 20)), (F(0), 2, F(7, 4)), (F(0), 6, F(199, 20)), (F(1), 1, F(1, 2))):
        name = f"A frozen, best step, T = {T}, q = {ratio}"
        build = of_run(parabola, (number(1), number(1)), base, T, ratio, "best", noise, held="A")
        found.append(_restepped(name, build))
    return tuple(found)


def _restepped(name: str, build: Callable[..., World | None]) -> Callable[..., World | None]:
    def with_step(step: Callable[[Numbers], Fraction | None]) -> World | None:
        return build(name, step=step)

    return with_step


@cache
def worlds() -> tuple[World, ...]:
    """All of them, the same ones every time."""
    return (*_lemmas(), *_frozen(), *_runs(), *_others(), *_frozen_runs())
