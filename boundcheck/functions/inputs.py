"""The parameters of a claim for an adapter on a domain and an f with some L and G, and what follows for F."""

from typing import Any

import sympy as sp

from boundcheck.exact.balls import upper
from boundcheck.functions.adapters import Adapter, Radii
from boundcheck.functions.constant import End
from boundcheck.language import symbols
from boundcheck.language.catalogue import about, catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.hypotheses import LEAST, READINGS
from boundcheck.language.inputs import Number, exact
from boundcheck.language.measures import SMOOTHNESS
from boundcheck.language.sentence import takes


def adapter_inputs(
    claim: Claim, adapter: Adapter, radii: Radii, lipschitz: str, smoothness: float, gradient_bound: float
) -> dict[str, Number]:
    """The constants of `claim` for an adapter on a domain, and an f with this L and this G, exact.

    A claim without a scale is stated for W0 + B A. With scale s it is applied to X -> f(W0 + s X), which is
    s^2 L smooth and has gradients bounded by s G.
    """
    names = {parameter.name for parameter in claim.parameters}
    table: dict[str, Any] = {name: exact(name, value) for name, value in adapter.constants(radii).items()}
    L = exact(symbols.L.name, smoothness)
    G = exact(symbols.G.name, gradient_bound) if takes(claim, symbols.G) else sp.Integer(0)
    if (scale := table.get(symbols.s.name)) is not None and not takes(claim, symbols.s):
        L, G = scale**2 * L, scale * G
    table |= {symbols.L.name: L, symbols.G.name: G}
    if takes(claim, symbols.C):
        # What C stands for is said of the adapter's own constants.
        reading, said = READINGS[lipschitz], {letter.name: letter for letter in READINGS[lipschitz].free_symbols}
        if said.keys() <= table.keys():
            table[symbols.C.name] = reading.xreplace({letter: table[name] for name, letter in said.items()})
    return {name: value for name, value in table.items() if name in names}


def adapter_ends(adapter: Adapter, radii: Radii, smoothness: float, gradient_bound: float) -> list[End]:
    """The bounds that the claims about an adapter give on F's smoothness on a domain, for an f with this L and G.

    A claim whose conditions fail there is left out.
    """
    ends = []
    for id in adapter.claims:
        claim = catalogue[id]
        for lipschitz in READINGS if takes(claim, symbols.C) else (LEAST,):
            inputs = adapter_inputs(claim, adapter, radii, lipschitz, smoothness, gradient_bound)
            if _applies(claim, inputs, radii):
                trust = "by hand" if claim.argument else "given" if claim.id in adapter.given else "kernel"
                ends.append(End(id, lipschitz, upper(claim.enclosures(**inputs)[SMOOTHNESS.letter]), trust))
    return ends


def _applies(claim: Claim, inputs: dict[str, Number], radii: Radii) -> bool:
    # A ball of two radii is inside a paper's with the larger one; a special case is said of equal ones alone.
    said = about(claim.id)
    if said is not None and said.at_equal_radii and len({*radii.values()}) > 1:
        return False
    return not claim.failing({p.symbol: exact(p.name, inputs[p.name]) for p in claim.parameters})
