"""`Constant` and `End`: numbers of the theory, each with how it is known."""

from dataclasses import dataclass

from boundcheck.language.function import Constant

__all__ = ["EPSILON", "Constant", "End"]

# Twice the unit roundoff of float64: what bounds on rounding errors are counted in, with that factor to spare.
EPSILON = 2.0**-52


@dataclass(frozen=True)
class End:
    """The bound that a claim about an adapter gives on the smoothness of F on a domain, rounded up.

    Attributes:
        claim: its id.
        lipschitz: what Assumption 3's C stands for, in a claim that takes it.
        value: L̂.
        trust: ``kernel`` where a script has the kernel replay the claim, ``by hand`` where it has an argument, and
            ``given`` where an adapter from outside says that it holds.

    """

    claim: str
    lipschitz: str
    value: float
    trust: str
