"""What a problem says of the parameters of a claim: its L and G, the adapter's scale, radii and rank."""

import sympy as sp

from boundcheck.claims import Claim
from boundcheck.claims.inputs import Number, exact
from boundcheck.problems.adapters import Radii
from boundcheck.problems.problem import Problem


def theory_inputs(
    claim: Claim, problem: Problem, radii: Radii, lipschitz: str, gradient_bound: float | None = None
) -> dict[str, Number]:
    """The constants of `claim` that the problem and the domain determine, exact.

    A claim without a scale is stated for W0 + B A. With scale s it is applied to X -> f(W0 + s X), which is
    s^2 L smooth and has gradients bounded by s G. Where a bound on the gradient of f is given, it is G; the problem's
    own is one on the Frobenius norm.
    """
    names = {parameter.name for parameter in claim.parameters}
    table: dict[str, Number] = {name: exact(name, value) for name, value in problem.adapter.constants(radii).items()}
    L = exact("L", problem.objective.smoothness.value)
    G = exact("G", problem.gradient_bound(radii).value if gradient_bound is None else gradient_bound)
    if "s" in table and "s" not in names:
        s = exact("s", table["s"])
        L, G = s**2 * L, s * G
    if "C" in names and "sigma" in table:
        table["C"] = table["sigma"] if lipschitz == "sigma" else sp.sqrt(table["r"]) * table["sigma"]
    return {name: value for name, value in (table | {"L": L, "G": G}).items() if name in names}
