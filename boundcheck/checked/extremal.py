"""Where each adapter's smoothness is largest or nearly so: exact points at the edge of the domain, for given constants.

They are candidates and no more: how large the curvature of F is at one of them is then computed, whatever it is.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cache
from itertools import product
from math import isqrt

from boundcheck.checked.rational import World
from boundcheck.exact.rationals import Rows, plus, rows, scaled, times, transposed

# A rational unit vector that is along no axis, and one at right angles to it.
UNIT, ACROSS = rows((Fraction(3, 5), Fraction(4, 5))), rows((Fraction(-4, 5), Fraction(3, 5)))
TURN = (*UNIT, *ACROSS)
_ONE = rows((1,))
_FINE = 10**6


@cache
def steepest(kind: str, items: tuple[tuple[str, Fraction], ...], frobenius: bool, rank: int) -> World:
    """The candidate of the largest curvature at these constants, checked to be inside of every hypothesis.

    Args:
        kind: the adapter's.
        items: L, G, s, radii and norms of frozen matrices, by name.
        frobenius: whether G bounds the Frobenius norm of the gradient of f, and not only its spectral norm.
        rank: the adapter's.

    Raises:
        ValueError: where there is no candidate of that rank.

    """
    found = [world for world in _candidates(kind, dict(items), rank) if not frobenius or world.frobenius]
    if not found:
        raise ValueError(f"no exact point of {kind} at rank {rank} with a gradient of Frobenius norm G")
    for world in found:
        world.check()
    return max(found, key=lambda world: world.curvature(world.direction))


def _candidates(kind: str, c: Mapping[str, Fraction], rank: int) -> Iterator[World]:
    if rank == 2 and kind == "loreft":
        # At R = Q and V = νI the gradient -Qᵀ makes the most of δRᵀδV.
        yield World(kind, c, (TURN, scaled(c["nu"], rows((1, 0), (0, 1)))), scaled(-1, transposed(TURN)), {})
        return
    if rank <= 2 and kind == "loreft-trained":
        yield from _loreft_trained(c, TURN if rank == 2 else UNIT)
        return
    if rank == 2 and kind == "lora":
        square = rows((1, 0), (0, 1))
        yield World(kind, c, (scaled(c["a"], TURN), scaled(c["b"], square)), TURN, {})
        return
    if rank != 1:
        raise ValueError(f"no exact point of {kind} at rank {rank}")
    match kind:
        case "full":
            yield World(kind, c, (scaled(c["rho"], _ONE),), _ONE, {}, True)
        case "lora":
            yield World(kind, c, (scaled(c["a"], _ONE), scaled(c["b"], _ONE)), _ONE, {}, True)
        case "direft":
            # k = d + 1: the last column is the bias.
            yield World(kind, c, (scaled(c["a"], UNIT), scaled(c["b"], _ONE)), UNIT, {}, True)
        case "frozen-a":
            yield World(kind, c, (scaled(c["b"], _ONE),), _ONE, {"A": scaled(c["a"], _ONE)}, True)
        case "frozen-b":
            yield World(kind, c, (scaled(c["a"], _ONE),), _ONE, {"B": scaled(c["b"], _ONE)}, True)
        case "vera":
            frozen = {"A": scaled(c["a_0"], _ONE), "B": scaled(c["b_0"], _ONE)}
            yield World(kind, c, (scaled(c["a"], _ONE), scaled(c["b"], _ONE)), _ONE, frozen, True)
        case "loha":
            yield World(kind, c, (scaled(c["a"], _ONE), scaled(c["b"], _ONE)) * 2, _ONE, {}, True)
        case "loreft":
            # V along one axis, δV along the other.
            along, across = rows((1, 0)), rows((0, 1))
            tilt = tuple(
                tuple(-r * x + p * y for x, y in zip(along[0], across[0], strict=True))
                for r, p in zip(UNIT[0], ACROSS[0], strict=True)
            )
            yield World(kind, c, (UNIT, scaled(c["nu"], along)), tilt, {})
        case "dora":
            yield from _dora(c)


def _loreft_trained(c: Mapping[str, Fraction], R: Rows) -> Iterator[World]:
    """V = U - R along R or across, and gradients of either sign along R and across it."""
    along, square = times(transposed(R), R), rows((1, 0), (0, 1))
    across = plus(square, along, Fraction(-1))
    directions = (R,) if len(R) == 2 else (R, ACROSS)
    for V, nu in product(directions, (c["nu"], -c["nu"])):
        v = R, plus(R, scaled(nu, V))
        for tilt in (plus(along, across, Fraction(-1)), plus(across, along, Fraction(-1)), square, scaled(-1, square)):
            yield World("loreft-trained", c, v, tilt, {})


def _dora(c: Mapping[str, Fraction]) -> Iterator[World]:
    """A column that BA makes shorter, or turns, or both, with a gradient of f along or across it."""
    reach = c["s"] * c["a"] * c["b"]
    for x, y in ((-1, 0), (0, 1), (Fraction(-3, 5), Fraction(4, 5)), (Fraction(-4, 5), Fraction(3, 5))):
        # The column is (q, 0) after BA, and W0 is what was there before, at least w_0 long.
        rest = c["w_0"] ** 2 - (reach * y) ** 2
        q = reach * x + (Fraction(isqrt(int(rest * _FINE**2)) + 1, _FINE) if rest > 0 else 0)
        if q <= 0:
            continue
        W0 = transposed(rows((q - reach * x, -reach * y)))
        v = (scaled(c["a"], _ONE), scaled(c["b"], transposed(rows((x, y)))), scaled(c["mu"], _ONE))
        for tilt in (rows((1, 0)), rows((-1, 0)), rows((0, 1)), rows((0, -1)), UNIT, ACROSS):
            yield World("dora", c, v, transposed(tilt), {"W0": W0, "s": scaled(c["s"], _ONE)}, True)
