"""A witness against a line of a proof: an exact instance in which every hypothesis holds and the
line is false.

`proof.instance` has those of MeFT, at d = k = r = 1; others are made by hand. Here they become
models of the kernel's terms, in which the line's own statement is evaluated, so no line is written
twice; and `Told` tells the judge whether hypotheses hold in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, final

import sympy as sp

from boundcheck.errors import InputError
from boundcheck.exact.balls import Rows, number
from boundcheck.exact.evaluate import STILL, Paths, VectorFunction
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.kernel import Fact
from boundcheck.kernel.builders import known, size_of, timed
from boundcheck.kernel.meaning import Grid, MatrixFunction, Model, denote, exact, holds
from boundcheck.kernel.terms import (
    CONSTANT,
    NEXT,
    NOW,
    Inverse,
    Root,
    Symbol,
    TermError,
    Time,
    Variable,
)
from boundcheck.language import evidence as judged
from boundcheck.language import symbols
from boundcheck.language.catalogue import is_of_one_number
from boundcheck.language.claim import Claim
from boundcheck.language.evidence import HOLDS, UNKNOWN, Answer, Extent, at_most
from boundcheck.language.hypotheses import BALL
from boundcheck.proof.instance import MeftRun, Point, Points, Setting
from boundcheck.proof.reading import Reading, shape_names

if TYPE_CHECKING:
    from boundcheck.language.algorithms import Algorithm


@final
@dataclass(frozen=True)
class Witness:
    """An instance in exact rationals: numbers and matrices made by hand, or a setting of MeFT, its
    `source`.

    Attributes:
        about: what the instance is, in words.
        numbers: its numbers, for a person who recomputes it.
        model: the same as a model of the kernel's terms.
        source: the setting of the model, which knows its function at all points; None if made by
            hand.

    """

    about: str
    numbers: Mapping[str, Fraction]
    model: Model = field(repr=False)
    source: Points | MeftRun | None = None
    _met: dict[Fact, bool] = field(default_factory=dict, init=False, repr=False)

    def told(self, reading: Reading) -> Told:
        """The witness as an instance that the judge asks, its letters read as a script reads
        them.
        """
        return ToldOfSetting(self, reading, self.source) if self.source else Told(self, reading)

    def refutes(self, fact: Fact) -> bool:
        """True if the fact is certainly false in the instance."""
        return self._means(fact) and any(
            holds(fact, self.model, (t,), (i,)) is False for t, i in self._places(fact)
        )

    def meets(self, fact: Fact) -> bool:
        """True if the fact certainly holds in the instance."""
        if fact not in self._met:
            places = self._places(fact)
            self._met[fact] = self._means(fact) and all(
                holds(fact, self.model, (t,), (i,)) is True for t, i in places
            )
        return self._met[fact]

    def breaks_at_the_end(self, fact: Fact) -> bool:
        """True if what is said of each v_t is certainly false of v_{T+1}, of which a proof may say
        it too.
        """
        letters = [
            x
            for x in fact.polynomial.inside
            if isinstance(x, Symbol | Variable) and isinstance(x.when, Time)
        ]
        if not letters or any(x.when != Time(NOW) for x in letters):
            return False
        outcomes = tuple(range(len(self.model.weights)))
        return holds(fact, self.model, (self.model.horizon + 1,), outcomes) is False

    def _means(self, fact: Fact) -> bool:
        """True if no divisor of the fact is 0 and no radicand is negative: to the kernel 1/0 and
        √-1 are 0.
        """
        parts = (x for x in fact.polynomial.inside if isinstance(x, Inverse | Root))
        signs = (
            Fact(">", x.body**2) if isinstance(x, Inverse) else Fact(">=", x.body) for x in parts
        )
        return all(
            holds(sign, self.model, (t,), (i,)) is True
            for sign in signs
            for t, i in self._places(sign)
        )

    def _places(self, fact: Fact) -> Iterator[tuple[int, int]]:
        """A time and an outcome for each value that the fact can have: outcomes that look alike
        count once.
        """
        for t in range(1, self.model.horizon + 1) if timed(fact.polynomial) else (1,):
            if known(fact.polynomial, None):
                yield t, 0
                continue
            alike = known(fact.polynomial, NEXT)
            labels = self.model.past(t + 1) if alike else tuple(range(len(self.model.weights)))
            for label in sorted(set(labels)):
                yield t, labels.index(label)

    def place(self, fact: Fact) -> tuple[int, int]:
        """The first time and outcome at which the fact fails; raises InputError if there is
        none.
        """
        for t, i in self._places(fact):
            if holds(fact, self.model, (t,), (i,)) is False:
                return t, i
        raise InputError("witness", self.about, f"an instance in which {fact} fails")


class Told(judged.Instance):
    """A witness, its letters read as a script reads them: it knows what its model evaluates, and no
    other point.

    A relation holds in it at each time and in each outcome, or it is open.
    """

    claim: Claim | None = None
    """The claim whose laws are about its function; None where it knows no function everywhere."""

    def __init__(self, witness: Witness, reading: Reading) -> None:
        self.witness, self.reading = witness, reading

    def value(self, symbol: sp.Symbol) -> Extent:
        """The number that a constant stands for."""
        try:
            scalar = self.reading.scalar(symbol)
            value = denote(scalar, self.witness.model, 1, 0)
        except (InputError, TermError):
            return UNKNOWN
        is_constant = known(scalar, None) and not timed(scalar)
        return Extent.of(value.low) if is_constant and value.low == value.high else UNKNOWN

    def decide(self, relation: sp.Basic) -> Answer:
        """The answer to whether a relation holds, at each time from 1 to T, and in each outcome."""
        try:
            facts = self.reading.facts(relation)
            if all(map(self.witness.meets, facts)):
                after = next((x for x in facts if self.witness.breaks_at_the_end(x)), None)
                return (
                    HOLDS
                    if after is None
                    else Answer("open", f"{after} is false of the last iterate")
                )
            broken = next(filter(self.witness.refutes, facts), None)
        except (InputError, TermError) as error:
            return Answer("open", str(error))
        return (
            Answer("fails", f"{broken} is false")
            if broken
            else Answer("open", f"nothing says whether {relation}")
        )

    def at_no_point(self) -> Told:
        """The instance without the points that it visits, of which a law that ranges over all
        points says nothing.
        """
        return self

    def follows(self, algorithm: Algorithm) -> Answer:
        """The answer to whether the state begins as the algorithm says, and its equations hold at
        each time.
        """
        if algorithm.no_exact:
            return Answer("open", algorithm.no_exact)
        answer = HOLDS
        for equation in (*algorithm.beginning, *algorithm.recurrence):
            answer &= self.decide(equation)
        return answer


class ToldOfSetting(Told):
    """A witness that is made of a setting of MeFT: it knows its function at all points, and its
    domain is a ball.
    """

    def __init__(self, witness: Witness, reading: Reading, source: Points | MeftRun) -> None:
        super().__init__(witness, reading)
        self.setting, self.visited, self.claim = source, source.visited, source.claim

    def at_no_point(self) -> Told:
        """The setting without the points that are visited.

        It answers for its ball, and for all points where it knows its function there.
        """
        bare = copy(self)
        bare.visited = ()
        return bare

    def on_domain(self) -> Answer:
        """The answer to whether all points are in the ball.

        Only there is it known how W moves and how large the noise is.
        """
        return at_most(
            "the largest norm", self.reach(BALL.common), BALL.common, Extent.of(self.setting.sigma)
        )

    def weight_smoothness(self) -> Extent:
        """The largest slope of f'."""
        return Extent.of(self.setting.slope.lipschitz)

    def weight_gradient(self, norm: Literal["frobenius", "spectral"]) -> Extent:
        """The largest |f'|: at d = k = 1 all norms are one."""
        return Extent.of(self.setting.slope.bound)

    def adapter_lipschitz(self) -> Extent:
        """σ: |B_1 A_1 - B_2 A_2| <= σ (|A_1 - A_2| + |B_1 - B_2|) on the ball, attained at B = σ,
        A_1 ≠ A_2.
        """
        return Extent.of(self.setting.sigma) if self.on_domain() == HOLDS else UNKNOWN

    def reach(self, radius: sp.Symbol) -> Extent:
        """The largest |A| and |B| of the points, for the radius of all blocks."""
        if radius != BALL.common:
            return UNKNOWN
        return Extent.of(max((abs(x) for v in self.visited for x in v), default=Fraction(0)))

    def infimum(self) -> Extent:
        """The least value of f, which F(1, w) = f(w) has too."""
        return Extent.of(self.setting.slope.minimum)

    # What only a run knows, all of whose paths are known.

    def gap(self) -> Extent:
        """F(v_1) - f*."""
        return Extent.of(self.setting.gap) if isinstance(self.setting, MeftRun) else UNKNOWN

    def bias(self) -> Extent:
        """The extent from the largest entry of |E[g_t | past] - ∇F(v_t)| to the largest sum of its
        two entries.
        """
        if not isinstance(self.setting, MeftRun):
            return UNKNOWN
        paths, errors = self.setting.paths, []
        for t, path in paths.places:
            if t <= paths.T:
                past = paths.past(t)
                alike = [paths.drawn(t, i) for i, label in enumerate(past) if label == past[path]]
                true = self.setting.gradient(paths.state(t, path))
                means = (sum(each) / len(alike) for each in zip(*alike, strict=True))
                errors.append([abs(mean - x) for mean, x in zip(means, true, strict=True)])
        return Extent(max(map(max, errors)), max(sum(each, Fraction(0)) for each in errors))

    def variance(self) -> Extent:
        """The largest variance on the ball, at |A| = |B| = σ, of what a step may still draw after
        any others.
        """
        run = self.setting
        if not isinstance(run, MeftRun) or self.on_domain() != HOLDS:
            return UNKNOWN
        left = sorted(c * c for c in run.offsets)[0 if run.replacement else run.T - 1 :]
        return Extent.of(sum(left, Fraction(0)) / len(left) * 2 * run.sigma**2)


def at_points(about: str, setting: Setting, v1: Point, v2: Point) -> Witness:
    """Two points at which a line of a lemma fails."""
    s = setting
    return _of(about, Points(s.claim, s.slope, s.L, s.G, s.C, s.sigma, v1, v2))


def on_run(about: str, run: MeftRun) -> Witness:
    """A run of Algorithm 1, all of its paths, on which a line of a theorem's proof fails."""
    return _of(about, run)


def at_numbers(about: str, values: Mapping[sp.Symbol | sp.MatrixSymbol, Any]) -> Witness:
    """An instance made by hand: a number for each letter, rows of numbers for each matrix; nothing
    varies in it.

    >>> numbers = {MatrixSymbol("X", 1, 2): [[1, 2]], Symbol("x"): Fraction(1, 2)}
    >>> at_numbers("A row of length √5", numbers)

    Raises:
        InputError: for matrices that give a dimension two sizes. Numbers that are not exact, or are
            missing, refute nothing: the line is unknown, and its reason names them.

    """
    sizes, table = {"one": 1}, dict[str, Any]()
    for letter, value in values.items():
        table[letter.name] = value
        if isinstance(letter, sp.MatrixSymbol):
            try:
                table[letter.name] = rows = tuple(map(tuple, value))
            except TypeError:
                raise InputError(
                    letter.name, value, "rows of numbers, such as [[1, 0], [0, 1]]"
                ) from None
            shape = (len(rows), len(rows[0]) if rows else 0)
            for name, size in zip(shape_names(letter), shape, strict=True):
                if sizes.setdefault(name, size) != size:
                    raise InputError(
                        letter.name, value, f"{name} = {sizes[name]}, as before, and not {size}"
                    )

    def look_up(letter: Symbol | Variable, time: int, outcome: int) -> Any:
        if letter.name not in table:
            raise InputError("witness", about, f"a value of {letter.name} too")
        return table[letter.name]

    return Witness(about, {}, _asked(Model(sizes, 1, (Fraction(1),), lambda _: (0,), look_up)))


def _of(about: str, source: Points | MeftRun) -> Witness:
    """The witness of a setting: its numbers, for a person, and its model."""
    known = source.constants | {symbols.Lhat.name: source.smoothness}
    # f' is linear between these, and constant beyond.
    known |= {f"f'({w})": slope for w, slope in source.slope.knots}
    if isinstance(source, Points):
        known |= {
            "A_1": source.v1[0],
            "B_1": source.v1[1],
            "A_2": source.v2[0],
            "B_2": source.v2[1],
        }
        return Witness(about, known, _model(source, known), source)
    run, paths = source, source.paths
    told = {
        symbols.alpha: run.alpha,
        symbols.zeta: run.zeta,
        symbols.D: run.gap,
        symbols.T_min: run.shortest_horizon,
    }
    more = {str(x.name): value for x, value in told.items()}
    start = {"A_1": run.start[0], "B_1": run.start[1], "T": Fraction(run.T)}
    noise = {f"c_{i + 1}": offset for i, offset in enumerate(run.offsets)}

    def process(name: str, time: int, outcome: int) -> Rows:
        # A_t, B_t or a block of g_t.
        at = paths.drawn if name.startswith("g") else paths.state
        return number(at(time, outcome)["AB".index(name[-1])])

    return Witness(
        about, known | start | noise | more, _model(run, known | more, process, paths), run
    )


def _model(setting: Setting, values: Mapping[str, Fraction], *run: Any) -> Model:
    # The segment's parameter, of which a run says nothing, is its end at v_t.
    known = {
        "W_0": Fraction(0),
        symbols.f_star.name: setting.slope.minimum,
        "theta": Fraction(0),
    } | dict(values)
    letters = {name: number(x) for name, x in known.items()}
    sides = dict.fromkeys(("d", "k", "r", "n", "one"), 1)
    return _asked(rational_model(sides, known, letters, setting.functions, *run))


def examined(witness: Witness) -> Witness:
    """The witness, with model and numbers made again from its source, or with its handmade model
    checked.

    Raises InputError for a witness, setting or function of the user's own class, which would have
    to be believed.
    """
    source = witness.source
    believed = source is not None and (
        type(source) not in (Points, MeftRun)
        or type(source.slope) is not PiecewiseLinear
        or not is_of_one_number(source.claim)
    )
    if type(witness) is not Witness or type(witness.model) is not Model or believed:
        about = getattr(witness, "about", witness)
        raise InputError("witness", about, "a Witness by `at_points`, `on_run`, or of numbers")
    if source is not None:
        return _made_again(
            witness.about,
            type(source)(
                **{each.name: _plain(getattr(source, each.name)) for each in fields(source)}
            ),
        )
    model = _tabulated(witness.model)
    functions = {name: _checked(name, each) for name, each in model.functions.items()}
    return replace(witness, model=_asked(replace(model, functions=functions)))


def _asked(model: Model) -> Model:
    """The model, which says so when it is asked for a dimension or function that it lacks."""
    return replace(model, dimensions=_Asked(model.dimensions), functions=_Asked(model.functions))


class _Asked(dict[str, Any]):
    """The dimensions or functions of a model, by name; raises InputError for one that it lacks."""

    def __missing__(self, name: str) -> Any:
        raise InputError(
            "witness", name, "an instance that has a value of this dimension or function"
        )


def _plain(x: Any) -> Any:
    """A field made again, of Python's own numbers: a number of a script's class may be another one
    each time.

    A slope is made again from its knots alone: what a script wrote into a cached property does not
    count.
    """
    if isinstance(x, Claim):
        return x
    if isinstance(x, PiecewiseLinear):
        return PiecewiseLinear(_plain(x.knots))
    if isinstance(x, tuple):
        return tuple(map(_plain, x))
    if isinstance(x, int):
        return int(x)
    if not isinstance(x, Fraction):
        raise InputError("witness", x, "exact numbers, integers and fractions")
    return Fraction(int(x.numerator), int(x.denominator))


# Of plain sources alone: a cache goes by what is equal, and a number of a script's class may be
# equal to an honest one.
@cache
def _made_again(about: str, source: Points | MeftRun) -> Witness:
    """One witness for all lines that it is checked against; results are kept where no script can
    reach them.
    """
    return _of(about, source)


def _tabulated(model: Model) -> Model:
    """A copy of a handmade model whose letters and pasts are looked up once, so that each has one
    value.

    Raises InputError unless weights are probabilities, dimensions and horizon are positive
    integers, and the past forgets nothing; and once a letter is looked up, unless its values are
    exact numbers of its shape.
    """
    weights = tuple(_exact_number("weights", x) for x in model.weights)
    if not weights or min(weights) <= 0 or sum(weights) != 1:
        raise InputError("weights", model.weights, "positive probabilities, which add up to 1")
    for name, size in {**model.dimensions, "horizon": model.horizon}.items():
        fixed = size_of(name)
        if type(size) is not int or size < 1 or (fixed is not None and size != fixed):
            raise InputError(
                name, size, "a positive integer, which its name gives where it is a number"
            )

    @cache
    def past(time: int) -> tuple[int, ...]:
        labels = tuple(model.past(time))
        if len(labels) != len(weights) or any(type(x) is not int for x in labels):
            raise InputError("past", labels, f"a number for each of {len(weights)} outcomes")
        return labels

    for time in range(1, model.horizon + 2):
        earlier, later = past(time), past(time + 1)
        alike = ((i, j) for i in range(len(later)) for j in range(i) if later[i] == later[j])
        if any(earlier[i] != earlier[j] for i, j in alike):
            raise InputError(
                "past",
                time,
                "a past that still tells apart, at later times, what it told apart before",
            )
    values = dict[Any, Any]()

    def value(letter: Symbol | Variable, time: int, outcome: int) -> Any:
        when: str | int
        if isinstance(letter.when, Time):
            # A process is a function of what is known.
            labels, when = past(time + letter.when.lag), letter.when.lag
            outcome = labels.index(labels[outcome])
        else:
            when = letter.when
            time, outcome = (1, 0) if when == CONSTANT else (time, outcome)
        name = (letter.name, when, time, outcome)
        if name in values:
            return values[name]
        try:
            found = model.symbols(letter, time, outcome)
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                "witness", letter, "an instance that has a value of this letter"
            ) from error
        if isinstance(letter, Variable):
            values[name] = _exact_number(letter.name, found)
        else:
            height, width = (model.dimensions[size] for size in letter.shape)
            if (
                not isinstance(found, tuple)
                or len(found) != height
                or any(len(row) != width for row in found)
            ):
                raise InputError(letter.name, found, f"{height} rows of {width} numbers")
            values[name] = tuple(tuple(_exact_number(letter.name, x) for x in row) for row in found)
        return values[name]

    return replace(model, weights=weights, symbols=value, past=past)


def _exact_number(name: str, value: Any) -> Fraction:
    if type(value) not in (int, Fraction):
        raise InputError(name, value, "an exact number, an integer or a fraction")
    return Fraction(value)


# The width of a difference quotient, and how far it may be from the derivative, relative to 1 + its
# size.
_STEP, _ROOM = Fraction(1, 1 << 20), Fraction(1, 1 << 8)


def _checked(name: str, function: MatrixFunction) -> MatrixFunction:
    """The function, with gradients that are checked against its values at every lookup."""

    def moved(point: tuple[Grid, ...], block: int, i: int, j: int, h: Fraction) -> tuple[Grid, ...]:
        rows = [list(row) for row in point[block]]
        rows[i][j] = rows[i][j] + exact(h)
        return (*point[:block], tuple(map(tuple, rows)), *point[block + 1 :])

    def gradient(point: tuple[Grid, ...]) -> tuple[Grid, ...]:
        found = function.gradient(point)
        for block, grid in enumerate(point):
            for i, j in ((i, j) for i, row in enumerate(grid) for j in range(len(row))):
                above, below = (
                    function.value(moved(point, block, i, j, h)) for h in (_STEP, -_STEP)
                )
                slope, said = (above - below) * exact(1 / (2 * _STEP)), found[block][i][j]
                if max(abs(slope.low - said.high), abs(slope.high - said.low)) > _ROOM * (
                    1 + abs(said.high)
                ):
                    expected = f"the derivative of {name}, which is near {float(slope.low):.6g}"
                    raise InputError("witness", f"∇{name}", expected)
        return found

    return MatrixFunction(function.value, gradient)


def numbers_at(fact: Fact, witness: Witness) -> dict[str, str]:
    """The values of a fact's letters where it first fails; the witness's own numbers if it has a
    source.
    """
    if witness.source is not None:
        return {name: str(value) for name, value in witness.numbers.items()}
    t, outcome = witness.place(fact)
    model, found = witness.model, dict[str, str]()
    for letter in sorted(x for x in fact.polynomial.inside if isinstance(x, Symbol | Variable)):
        value = model.symbols(
            letter,
            model.time(letter.when.index, t) if isinstance(letter.when, Time) else t,
            outcome,
        )
        found[str(letter)] = str(value)
        if isinstance(value, tuple):
            rows = "; ".join(" ".join(map(str, row)) for row in value)
            found[str(letter)] = rows if len(value) == len(value[0]) == 1 else f"[{rows}]"
    return found


def rational_model(
    sides: Mapping[str, int],
    numbers: Mapping[str, Fraction],
    matrices: Mapping[str, Rows],
    functions: Mapping[str, VectorFunction],
    process: Callable[[str, int, int], Rows] | None = None,
    paths: Paths[Any, Any] = STILL,
) -> Model:
    """A model of the kernel's terms: numbers, matrices, functions and blocks of iterates by their
    names, all rational.

    Raises InputError for an irrational point of a function, a letter without a value, and an
    iterate without a process.
    """

    def symbols(x: Symbol | Variable, time: int, outcome: int) -> Rows | Fraction:
        if isinstance(x, Variable) or isinstance(x.when, str):
            values: Mapping[str, Rows | Fraction] = numbers if isinstance(x, Variable) else matrices
            if x.name not in values:
                raise InputError("witness", x, "an instance that has a value of this letter")
            return values[x.name]
        if process is None:
            raise InputError("witness", x, "an instance with a run")
        return process(x.name, time, outcome)

    def rational(point: tuple[Grid, ...]) -> tuple[Rows, ...]:
        if any(x.low != x.high for grid in point for row in grid for x in row):
            raise InputError("point", "irrational", "rational numbers")
        return tuple(tuple(tuple(x.low for x in row) for row in grid) for grid in point)

    def on_grids(each: VectorFunction) -> MatrixFunction:
        def gradient(point: tuple[Grid, ...]) -> tuple[Grid, ...]:
            return tuple(
                tuple(tuple(map(exact, row)) for row in block)
                for block in each.gradient(rational(point))
            )

        return MatrixFunction(lambda point: exact(each.value(rational(point))), gradient)

    known = {name: on_grids(each) for name, each in functions.items()}
    return Model(sides, paths.T, paths.weights, paths.past, symbols, known)
