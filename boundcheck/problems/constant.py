"""`Constant` and `End`: numbers of the theory, each with how it is known."""

from dataclasses import dataclass
from typing import Literal

# Twice the unit roundoff of float64: what bounds on rounding errors are counted in, with that factor to spare.
EPSILON = 2.0**-52


@dataclass(frozen=True)
class Constant:
    """A constant, and how it is known.

    Attributes:
        value: the float; of a certified upper bound it is rounded up, of a lower bound down.
        kind: ``certified`` when a proof stands behind it, ``estimated`` when only samples do.
        how: the argument or the experiment, in one line.

    """

    value: float
    kind: Literal["certified", "estimated"]
    how: str


@dataclass(frozen=True)
class End:
    """What a claim about an adapter says of the smoothness of F on a domain, rounded up.

    Attributes:
        claim: its id.
        lipschitz: what Assumption 3's C stands for, in a claim that takes it.
        value: L̂.
        trust: ``kernel`` where a script has the kernel replay the claim, ``by hand`` where it has an argument.

    """

    claim: str
    lipschitz: str
    value: float
    trust: str
