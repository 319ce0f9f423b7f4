"""Worlds in which one hypothesis fails: for lines and claims from which it was dropped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache

from boundcheck.checked.worlds.world import World
from boundcheck.exact.evaluate import Function
from boundcheck.exact.rationals import scaled

# What no hypothesis says anything about is left as it is.
_LETTERS = (
    *("L", "C", "G", "sigma", "a", "b", "s", "zeta", "D", "Lhat", "alpha", "bound", "kappa", "q", "T_min", "f_star"),
    *("theta", "P", "K", "Q", "l", "x", "y", "c", "z", "G_2", "a_2", "b_2", "s_2", "mu"),
    *("ell", "eta", "eta_max", "mu_F", "R_1", "beta", "omega", "gamma"),
)
_FACTORS = (Fraction(1, 9), Fraction(7))
# Laws are for all points of a ball, and so for those of a smaller one.
_RADII = ("sigma", "a", "b", "a_2", "b_2")


@cache
def broken(world: World) -> tuple[World, ...]:
    """The world with one number changed, or with another F than f(W_0 + sBA)."""
    return tuple(_changes(world))


def _changes(world: World) -> Iterator[World]:
    setting = world.setting
    for name in _LETTERS:
        value = setting.numbers.get(name, Fraction(0))
        for factor in _FACTORS if value else ():
            numbers = {**setting.numbers, name: factor * value}
            about = f"{world.about}, {name} = {numbers[name]}"
            changed = frozenset({name} if factor > 1 or name not in _RADII else ())
            yield World(about, replace(setting, numbers=numbers), world.laws, changed)
    if "F" in setting.functions:
        loss = setting.functions["F"]
        other = Function(
            lambda v: 3 * loss.value(v) + 1, lambda v: tuple(scaled(Fraction(3), x) for x in loss.gradient(v))
        )
        laws = frozenset(x for x in world.laws if not x.startswith("F("))
        functions = {**setting.functions, "F": other}
        yield World(f"{world.about}, 3F + 1 for F", replace(setting, functions=functions), laws, frozenset({"F"}))
