"""Examples of a strategy, any and the smallest; spectral norms in exact rational arithmetic; units
of roundoff."""

from fractions import Fraction

import numpy as np
from flint import fmpz, fmpz_mat
from hypothesis import Phase, find, settings
from torch import Tensor

# A few units of roundoff for each row and column, with the numbers rounded to their dtype at the
# end.
ROUNDING = {"float32": 2.0**-19, "float64": 2.0**-42}


def as_array(X):
    """The numbers of an array or a tensor in float64, in which both dtypes are exact."""
    return (X.numpy() if isinstance(X, Tensor) else X).astype(np.float64)


def is_within(X, radius):
    """Whether r² I - X Xᵀ is positive semidefinite, by Descartes' rule for its characteristic
    polynomial."""
    array = as_array(X)
    numbers = [
        [Fraction(x) for x in row]
        for row in (array if len(array) <= len(array.T) else array.T).tolist()
    ]
    square = Fraction(radius)
    common = max(x.denominator for x in (square, *(x for row in numbers for x in row)))
    integers = fmpz_mat([[fmpz(int(x * common)) for x in row] for row in numbers])
    gap = -(integers * integers.transpose())
    for i in range(gap.nrows()):
        gap[i, i] += fmpz(int(square * common)) ** 2
    signed = gap.charpoly().coeffs()
    return all((-1) ** (gap.nrows() - i) * x >= 0 for i, x in enumerate(signed))


def singular_values(X):
    return np.linalg.svd(as_array(X), compute_uv=False)


SEARCH = settings(max_examples=3000, database=None, report_multiple_bugs=False)


def smallest(strategy, wanted=lambda X: True):
    """What an example shrinks to."""
    return find(strategy, lambda X: bool(wanted(X)), settings=SEARCH)


def some(strategy, wanted=lambda X: True):
    """Any example, if there is one among a few thousand."""
    return find(
        strategy, lambda X: bool(wanted(X)), settings=settings(SEARCH, phases=[Phase.generate])
    )
