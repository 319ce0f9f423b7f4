"""`Constant`: a number of the theory that says how it was had."""

from dataclasses import dataclass
from typing import Literal

# Twice the unit roundoff of float64: what bounds on rounding errors are counted in, with that factor to spare.
EPSILON = 2.0**-52


@dataclass(frozen=True)
class Constant:
    """A constant with its pedigree.

    Attributes:
        value: the float; of a certified upper bound it is rounded up, of a lower bound down.
        kind: ``certified`` when a proof stands behind it, ``estimated`` when only samples do.
        how: the argument or the experiment, in one line.

    """

    value: float
    kind: Literal["certified", "estimated"]
    how: str
