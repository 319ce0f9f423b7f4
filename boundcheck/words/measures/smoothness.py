"""The smoothness constant of a function, which the lemmas about adapters bound."""

from dataclasses import dataclass

import sympy as sp

from boundcheck.claims.symbols import Lhat
from boundcheck.claims.vocabulary import EuclideanNorm, F, FrobeniusNorm, Gradient, Hessian, SpectralNorm, ell_t
from boundcheck.words.cost import Cost
from boundcheck.words.measures.base import Measure


@dataclass(frozen=True)
class SmoothnessConstant(Measure):
    """The Lipschitz constant of the gradient of F, or on a manifold the largest norm of its Hessian."""

    symbol: sp.Symbol
    """What lemmas call the bound on it."""

    @property
    def cost(self) -> Cost:
        """Of a theorem that bounds it: one constant in place of the smoothness along each step."""
        why = "the theorem's constant, for whatever step might be taken, stands for what these steps needed"
        return Cost("the theorem's L̂", ((ell_t, self.symbol),), why)

    @property
    def letter(self) -> str:
        """The name of the quantity by which a claim bounds it."""
        return str(self.symbol.name)

    def is_bounded_by(self, conclusion: sp.Basic, bound: sp.Symbol) -> bool:
        """Whether the conclusion says so of the gradient at any two points, or of the Hessian at any one."""
        points = [each.args[1] for each in conclusion.atoms(Gradient)]
        said = [
            sp.Le(norm(Gradient(F, x) - Gradient(F, y)), bound * norm(x - y))
            for norm in (EuclideanNorm, FrobeniusNorm)
            for x in points
            for y in points
            if x.shape == y.shape and x != y
        ]
        said += [sp.Le(SpectralNorm(each), bound) for each in conclusion.atoms(Hessian) if each.args[0] == F]
        return conclusion in said


SMOOTHNESS = SmoothnessConstant("smoothness", "smoothness constant", Lhat)
