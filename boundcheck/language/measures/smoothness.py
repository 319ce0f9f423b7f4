"""The smoothness constant of a function, which the lemmas about adapters bound."""

from dataclasses import dataclass
from itertools import permutations

import sympy as sp

from boundcheck.language.cost import Cost
from boundcheck.language.measures.base import Measure
from boundcheck.language.symbols import Lhat
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    F,
    FrobeniusNorm,
    Gradient,
    Hessian,
    InnerProduct,
    PartialGradient,
    SpectralNorm,
    Value,
    ell_t,
)


@dataclass(frozen=True)
class SmoothnessConstant(Measure):
    """The Lipschitz constant of the gradient of F, or what takes its place on a manifold."""

    symbol: sp.Symbol
    """The symbol by which lemmas name the bound on it."""

    @property
    def cost(self) -> Cost:
        """The cost in a theorem that bounds it: one constant in place of the smoothness along each step."""
        why = "the theorem's constant, for whatever step might be taken, stands for what these steps needed"
        return Cost("the theorem's L̂", ((ell_t, self.symbol),), why)

    @property
    def letter(self) -> str:
        """The name of the quantity by which a claim bounds it."""
        return str(self.symbol.name)

    def is_bounded_by(self, conclusion: sp.Basic, bound: sp.Symbol) -> bool:
        """True if the conclusion bounds it: by gradients, by the Hessian, or by a parabola above F at each point."""
        points = [each.args[1] for each in conclusion.atoms(Gradient)]
        said = [
            sp.Le(norm(Gradient(F, x) - Gradient(F, y)), bound * norm(x - y))
            for norm in (EuclideanNorm, FrobeniusNorm)
            for x in points
            for y in points
            if x.shape == y.shape and x != y
        ]
        said += [sp.Le(SpectralNorm(each), bound) for each in conclusion.atoms(Hessian) if each.args[0] == F]
        return conclusion in said or _is_descent(conclusion, bound)


def _is_descent(conclusion: sp.Basic, bound: sp.Symbol) -> bool:
    """True if it says that F(y) - F(x), less inner products with gradients at x, is at most bound/2 ‖y - x‖²."""
    if not isinstance(conclusion, sp.LessThan):
        return False
    points = [each.args[1] for each in conclusion.atoms(Value) if each.args[0] == F]
    slopes = conclusion.atoms(Gradient, PartialGradient)
    return any(
        conclusion.rhs == bound / 2 * EuclideanNorm(y - x) ** 2
        and all(isinstance(z, InnerProduct) for z in sp.Add.make_args(Value(F, y) - Value(F, x) - conclusion.lhs))
        and {z.args[:2] for z in slopes} == {(F, x)}
        for x, y in permutations(points, 2)
    )


SMOOTHNESS = SmoothnessConstant("smoothness", "smoothness constant", Lhat)
