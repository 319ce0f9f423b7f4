"""What a problem says of the parameters of a claim, its L and G, the adapter's scale, radii and rank; and so of F."""

from typing import TYPE_CHECKING

import sympy as sp

from boundcheck.claims import Claim, catalogue
from boundcheck.claims.inputs import Number, exact
from boundcheck.exact.balls import upper
from boundcheck.problems.adapters import Adapter, Radii
from boundcheck.problems.constant import End

if TYPE_CHECKING:
    from boundcheck.problems.problem import Problem


def theory_inputs(
    claim: Claim, problem: "Problem", radii: Radii, lipschitz: str, gradient_bound: float | None = None
) -> dict[str, Number]:
    """The constants of `claim` that the problem and the domain determine, exact; see `adapter_inputs`.

    Where a bound on the gradient of f is given, it is G; the problem's own is one on the Frobenius norm.
    """
    # A claim without G may be of an f whose gradient has no bound.
    G = 0.0
    if any(parameter.name == "G" for parameter in claim.parameters):
        G = problem.gradient_bound(radii).value if gradient_bound is None else gradient_bound
    return adapter_inputs(claim, problem.adapter, radii, lipschitz, problem.objective.smoothness.value, G)


def adapter_inputs(
    claim: Claim, adapter: Adapter, radii: Radii, lipschitz: str, smoothness: float, gradient_bound: float
) -> dict[str, Number]:
    """The constants of `claim` for an adapter on a domain, and an f with this L and this G, exact.

    A claim without a scale is stated for W0 + B A. With scale s it is applied to X -> f(W0 + s X), which is
    s^2 L smooth and has gradients bounded by s G.
    """
    names = {parameter.name for parameter in claim.parameters}
    table: dict[str, Number] = {name: exact(name, value) for name, value in adapter.constants(radii).items()}
    L = exact("L", smoothness)
    G = exact("G", gradient_bound) if "G" in names else sp.Integer(0)
    if "s" in table and "s" not in names:
        s = exact("s", table["s"])
        L, G = s**2 * L, s * G
    if "C" in names and "sigma" in table:
        table["C"] = table["sigma"] if lipschitz == "sigma" else sp.sqrt(table["r"]) * table["sigma"]
    return {name: value for name, value in (table | {"L": L, "G": G}).items() if name in names}


def upper_ends(problem: "Problem", radii: Radii, gradient_bound: float | None = None) -> list[End]:
    """What each claim about the adapter says on this domain; see `adapter_ends`.

    A bound on the gradient of f takes the place of G.
    """
    G = problem.gradient_bound(radii).value if gradient_bound is None else gradient_bound
    return adapter_ends(problem.adapter, radii, problem.objective.smoothness.value, G)


def adapter_ends(adapter: Adapter, radii: Radii, smoothness: float, gradient_bound: float) -> list[End]:
    """What each claim about an adapter says on a domain, for an f with this L and G.

    A claim whose conditions fail there is left out.
    """
    ends = []
    for id in adapter.claims:
        claim = catalogue[id]
        takes_c = any(parameter.name == "C" for parameter in claim.parameters)
        for lipschitz in ("sigma", "sqrt(r) sigma") if takes_c else ("sigma",):
            inputs = adapter_inputs(claim, adapter, radii, lipschitz, smoothness, gradient_bound)
            if _applies(claim, inputs, radii):
                trust = "by hand" if claim.argument else "kernel"
                ends.append(End(id, lipschitz, upper(claim.enclosures(**inputs)["Lhat"]), trust))
    return ends


def _applies(claim: Claim, inputs: dict[str, Number], radii: Radii) -> bool:
    # A ball of two radii is inside the paper's with the larger one; its special case is said of equal ones alone.
    if any(p.name == "sigma" for p in claim.parameters) and claim.id.startswith("meft") and len({*radii.values()}) > 1:
        return False
    return not claim.failing({p.symbol: exact(p.name, inputs[p.name]) for p in claim.parameters})


def sharpest(problem: "Problem", radii: Radii, gradient_bound: float | None = None) -> float:
    """The least that a claim says of the smoothness of F on this domain, rounded up."""
    return min(end.value for end in upper_ends(problem, radii, gradient_bound))
