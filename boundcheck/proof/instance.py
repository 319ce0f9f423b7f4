"""MeFT at d = k = r = 1 in exact rational arithmetic: counterexamples that anyone can recompute by hand.

W = BA is a number, f' a `PiecewiseLinear`, and a sample's loss is f_i(w) = f(w) + c_i w. A run of Algorithm 1 has
finitely many paths, so every expectation is a finite sum of fractions. The numeric layer replays the same runs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from boundcheck.errors import InputError
from boundcheck.exact.evaluate import rational_value
from boundcheck.exact.paths import Paths, descent, mean
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.language import symbols
from boundcheck.language.catalogue import scalar_claims
from boundcheck.language.claim import Claim

LEMMA_1, THEOREM_2 = scalar_claims()
CONSTANTS = tuple(str(x.name) for x in (symbols.L, symbols.G, symbols.C, symbols.sigma))

if TYPE_CHECKING:
    from boundcheck.functions.problem import Problem

Point: TypeAlias = tuple[Fraction, Fraction]

ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True)
class Setting:
    """The function F(A, B) = f(BA), and the constants that Lemma 1 is told. Whole numbers become fractions.

    Attributes:
        slope: f'.
        L: the claimed smoothness constant of f.
        G: the claimed bound on |f'|.
        C: the claimed Lipschitz constant of (A, B) -> BA.
        sigma: the claimed bound on |A| and |B|.

    """

    slope: PiecewiseLinear
    L: Fraction
    G: Fraction
    C: Fraction
    sigma: Fraction

    def __post_init__(self) -> None:
        """Make whole numbers fractions; refuse constants that no hypothesis allows."""
        self._positive(*CONSTANTS)

    def _positive(self, *names: str) -> None:
        for name in names:
            object.__setattr__(self, name, Fraction(getattr(self, name)))
            if getattr(self, name) <= 0:
                raise InputError(name, getattr(self, name), "a positive number")

    def loss(self, v: Point) -> Fraction:
        """F(v)."""
        A, B = v
        return self.slope.integral(B * A)

    def gradient(self, v: Point, offset: Fraction = ZERO) -> Point:
        """The gradient at v of F, or of a sample's loss: (B m, m A) with m = f'(BA) + c_i."""
        A, B = v
        m = self.slope.value(B * A) + offset
        return B * m, m * A

    @property
    def smoothness(self) -> Fraction:
        """Lhat, the smoothness constant of F that Lemma 1 prints."""
        return _evaluated(LEMMA_1, symbols.Lhat.name, self._constants)

    @property
    def _constants(self) -> dict[str, Fraction]:
        return {name: getattr(self, name) for name in CONSTANTS} | {symbols.r.name: ONE}

    def numeric(self, offsets: tuple[Fraction, ...] = (ZERO,)) -> "Problem":
        """The setting's F in float64, as the code that runs experiments computes it."""
        # Torch takes seconds to import. A check of a proof should not wait for it.
        import torch

        from boundcheck.functions.adapters import LoRA
        from boundcheck.functions.objectives.clipped import Clipped
        from boundcheck.functions.problem import Problem

        return Problem(Clipped(self.slope, offsets), LoRA(torch.zeros(1, 1, dtype=torch.float64), 1))


@dataclass(frozen=True)
class MeftRun(Setting):
    """A setting with a run of Algorithm 1, and the constants that Theorem 2 is told.

    Attributes:
        offsets: c_i, one for each sample; each step draws a fresh one, uniformly.
        start: v_1 = (A, B).
        zeta: the claimed bound on the noise.
        alpha: the step size.
        T: the number of iterations.

    """

    offsets: tuple[Fraction, ...]
    start: Point
    zeta: Fraction
    alpha: Fraction
    T: int

    def __post_init__(self) -> None:
        """Check that T and the offsets describe a run."""
        super().__post_init__()
        self._positive(symbols.zeta.name, symbols.alpha.name)
        for name in ("offsets", "start"):
            object.__setattr__(self, name, tuple(Fraction(x) for x in getattr(self, name)))
        if self.T < 1:
            raise InputError("T", self.T, "an integer from 1")
        if not self.offsets:
            raise InputError("offsets", self.offsets, "an offset for each sample, one sample or more")

    def paths(self, *, replacement: bool = True) -> Paths[Point, Fraction]:
        """All paths of Algorithm 1; each step draws a sample, or without `replacement` a new one."""
        return Paths(self.start, self.gradient, descent(self.alpha), self.offsets, self.T, replacement)

    @cached_property
    def laws(self) -> tuple[dict[Point, Fraction], ...]:
        """The distributions of v_1, ..., v_{T+1}: the points that an iterate can reach, with their probabilities."""
        return self.paths().laws

    @cached_property
    def mean_square_norms(self) -> tuple[Fraction, ...]:
        """N_t, the expectation of the squared gradient norm of F at v_t, for t = 1, ..., T."""
        return tuple(mean(law, lambda v: square_norm(self.gradient(v))) for law in self.laws[:-1])

    @cached_property
    def mean_losses(self) -> tuple[Fraction, ...]:
        """The expectation of F(v_t) for t = 1, ..., T + 1."""
        return tuple(mean(law, self.loss) for law in self.laws)

    @property
    def gap(self) -> Fraction:
        """D = F(v_1) - f*."""
        return self.loss(self.start) - self.slope.minimum

    @property
    def shortest_horizon(self) -> Fraction:
        """T_min, the fewest iterations that Theorem 2 speaks of."""
        return self._printed(symbols.T_min.name)

    @property
    def printed_bound_square(self) -> Fraction:
        """The square of the bound that Theorem 2 prints."""
        return self._printed("bound", power=2)

    def _printed(self, name: str, power: int = 1) -> Fraction:
        given = self._constants | {
            symbols.D.name: self.gap,
            symbols.T.name: Fraction(self.T),
            symbols.zeta.name: self.zeta,
        }
        return _evaluated(THEOREM_2, name, given, power)

    def replay(self) -> "Replay":
        """The values of this run in float64, over all paths, by the code that runs experiments."""
        import torch

        from boundcheck.functions.sgd import Run

        start = tuple(torch.full((1, 1, 1), float(x), dtype=torch.float64) for x in self.start)
        run = Run(self.numeric(self.offsets), start, float(self.alpha), self.T)
        return Replay(run.mean_square_gradients, tuple(run.problem.loss(v).mean().item() for v in run.paths))


class Replay(NamedTuple):
    """The numeric layer's values of an instance, under the names of `MeftRun`."""

    mean_square_norms: tuple[float, ...]
    mean_losses: tuple[float, ...]


def square_norm(v: Point) -> Fraction:
    """The squared Euclidean norm of a point or gradient."""
    return _sum(x * x for x in v)


def _evaluated(claim: Claim, name: str, given: dict[str, Fraction], power: int = 1) -> Fraction:
    """A power of a claim's quantity, from its formula; raises ArithmeticError if it is irrational."""
    result = rational_value(claim.expression(name) ** power, given)
    if result is None:
        raise ArithmeticError(f"{name} to the power {power} of {claim.id} is irrational")
    return result


def _sum(terms: Iterable[Fraction]) -> Fraction:
    return sum(terms, ZERO)
