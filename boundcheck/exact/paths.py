"""All sample paths of a stochastic algorithm: every expectation is a finite sum, and nothing is left to statistics.

With n samples and T steps there are n^T paths, or n!/(n - T)! where no sample is drawn twice. Each is as likely as any
other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import permutations, product
from typing import Any, Generic, TypeVar

State = TypeVar("State")
Sample = TypeVar("Sample")
Draw = tuple[int, ...]


def all_draws(samples: int, steps: int, *, replacement: bool = True) -> list[Draw]:
    """The numbers of the samples that each path draws, step by step, in lexicographic order."""
    if replacement:
        return list(product(range(samples), repeat=steps))
    return list(permutations(range(samples), steps))


def descent(alpha: Any) -> Callable[[tuple[Any, ...], tuple[Any, ...], int], tuple[Any, ...]]:
    """The step of SGD, v - alpha g block by block; its state is v."""
    return lambda v, g, t: tuple(x - alpha * y for x, y in zip(v, g, strict=True))


@dataclass(frozen=True, eq=False)
class Paths(Generic[State, Sample]):
    """The paths of an algorithm that draws a sample at each step.

    Attributes:
        start: the state at t = 1, such as v_1, or (v_1, v_0) of an algorithm that remembers its last iterate.
        gradient: of a sample's loss, at the point that `query` gives.
        step: the state after t from the one at t, the gradient drawn there, and t.
        samples: the data from which a step draws.
        T: the number of steps.
        replacement: whether a step may draw a sample again.
        query: the point where the algorithm asks for a gradient, from its state and t; the state itself by default.

    """

    start: State
    gradient: Callable[[Any, Sample], Any]
    step: Callable[[State, Any, int], State]
    samples: Sequence[Sample]
    T: int
    replacement: bool = True
    query: Callable[[State, int], Any] = lambda state, t: state
    # The state and the last gradient after each sequence of draws. Paths share their beginnings.
    _reached: dict[Draw, tuple[State, Any]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def draws(self) -> list[Draw]:
        """The numbers of the samples that each path draws."""
        return all_draws(len(self.samples), self.T, replacement=self.replacement)

    @property
    def weights(self) -> tuple[Fraction, ...]:
        return (Fraction(1, len(self.draws)),) * len(self.draws)

    def state(self, t: int, path: int) -> State:
        """The state at t = 1, ..., T + 1 on a path; raises IndexError at another t."""
        return self._after(self._before(t, path, self.T + 1))[0]

    def drawn(self, t: int, path: int) -> Any:
        """The gradient drawn at t = 1, ..., T on a path; raises IndexError at another t."""
        return self._after((*self._before(t, path, self.T), self.draws[path][t - 1]))[1]

    def _before(self, t: int, path: int, last: int) -> Draw:
        if not 1 <= t <= last:
            raise IndexError(f"t = {t} of a run from 1 to {last}")
        return self.draws[path][: t - 1]

    def _after(self, draw: Draw) -> tuple[State, Any]:
        if not draw:
            return self.start, None
        if draw not in self._reached:
            state = self._after(draw[:-1])[0]
            g = self.gradient(self.query(state, len(draw)), self.samples[draw[-1]])
            self._reached[draw] = self.step(state, g, len(draw)), g
        return self._reached[draw]

    def past(self, t: int) -> tuple[int, ...]:
        """A label of what each path drew before t: paths with the same label look alike at t."""
        return self._labels[min(t, self.T + 1) - 1]

    @cached_property
    def _labels(self) -> list[tuple[int, ...]]:
        labels: dict[Draw, int] = {}
        return [tuple(labels.setdefault(draw[:t], len(labels)) for draw in self.draws) for t in range(self.T + 1)]

    @property
    def places(self) -> list[tuple[int, int]]:
        """A time t = 1, ..., T + 1 and a path for each state that occurs; paths that still look alike count once."""
        return [(t, labels.index(x)) for t, labels in enumerate(self._labels, 1) for x in dict.fromkeys(labels)]

    @cached_property
    def laws(self) -> tuple[dict[State, Fraction], ...]:
        """The distributions of the states at t = 1, ..., T + 1; a state that several paths reach occurs once."""
        laws: tuple[dict[State, Fraction], ...] = tuple({} for _ in range(self.T + 1))
        for t, law in enumerate(laws, 1):
            for path, weight in enumerate(self.weights):
                state = self.state(t, path)
                law[state] = law.get(state, Fraction(0)) + weight
        return laws


def mean(law: Mapping[State, Fraction], value: Callable[[State], Any]) -> Any:
    """The expectation of a number under a distribution."""
    return sum((weight * value(state) for state, weight in law.items()), Fraction(0))


STILL: Paths[Any, Any] = Paths(None, lambda state, sample: None, lambda state, g, t: state, (None,), 1)
"""One outcome at one time, for an instance without a run."""
