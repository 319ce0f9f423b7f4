"""Runs of Algorithm 1 on all of their paths, with constants of Theorem 2 whose roots are all rational."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from boundcheck.checked.exact_models.builders import STRETCHES, Numbers, holding, process_of, stated, world_of
from boundcheck.checked.exact_models.exact_model import ExactModel
from boundcheck.checked.exact_models.functions import Factored, Pair
from boundcheck.errors import InputError
from boundcheck.exact.evaluate import VectorFunction
from boundcheck.exact.paths import Paths
from boundcheck.exact.rationals import (
    Rows,
    corner,
    plus,
    root_above,
    root_below,
    scaled,
    squared,
    times,
    transposed,
)
from boundcheck.language.catalogue import catalogue

THEOREM_2, BEST_STEP = catalogue["jiang2024.theorem2"], catalogue["meft.theorem2_best_step"]
ANY_STEP, EVERYWHERE = catalogue["meft.theorem2_any_step"], catalogue["meft.theorem2_everywhere"]


_LETTERS: dict[str, Callable[[Pair], Rows]] = {"A": lambda v: v[0], "B": lambda v: v[1]}
_DRAWN = {f"g_{name}": block for name, block in _LETTERS.items()}


def run(
    about: str, meft: Factored, start: Pair, offsets: Sequence[Rows], T: int, numbers: Numbers, held: str, stretch: int
) -> ExactModel:
    """All paths of Algorithm 1, which draws one of the `offsets` (noise of the gradient in W) at each step.

    The first two points are those of Lemma 1. `held` is the factor that is not trained, A or B, if there is one.
    """
    alpha = numbers["alpha"]

    def step(v: Pair, g: Pair, t: int) -> Pair:
        A, B = (x if name == held else plus(x, slope, -alpha) for name, x, slope in zip("AB", v, g, strict=True))
        return A, B

    paths = Paths(start, meft.gradient, step, offsets, T)
    near, after = paths.start, paths.state(2, 0)
    matrices = dict(zip(("A_1", "B_1", "A_2", "B_2", "A", "B"), (*near, *after, *near), strict=True))
    matrices |= {"W_1": meft.weight(near), "W_2": meft.weight(after), "W": meft.weight(near)}
    # A held factor has one value, and F none at another.
    matrices = {name: x for name, x in matrices.items() if name not in (f"{held}_1", f"{held}_2")}
    values = {**STRETCHES[stretch % len(STRETCHES)], **numbers}
    world = world_of(about, meft, values, matrices, paths, process_of(paths, _LETTERS, _DRAWN))
    return holding(world, meft, held, near["AB".index(held)]) if held else world


def of_run(
    meft: Factored,
    start: Pair,
    base: Numbers,
    T: int,
    ratio: Fraction,
    step: str,
    noise: Fraction,
    slack: Fraction = Fraction(1),
    held: str = "",
) -> Callable[..., ExactModel | None]:
    """The constants of Theorem 2 such that every root is rational, by the choice of f* and ζ.

    Args:
        meft: F.
        start: v_1 = (A_1, B_1).
        base: L, G, the radii and L̂.
        T: the horizon.
        ratio: q = sqrt(L̂D/(ζ²T)), which is L̂α for the printed step size.
        step: printed, or best.
        noise: the part of the noise that Assumption 4 allows.
        slack: D is the least possible times the square of this.
        held: the factor that is not trained, if there is one.

    """
    Lhat = base["Lhat"]
    loss = meft.f(meft.weight(start))
    w = root_above((loss - meft.least) / (Lhat * T), 20) * slack
    D, zeta = Lhat * T * w**2, Lhat * w / ratio
    growth = ratio + root_above(ratio**2 + 2) if step == "best" else Fraction(3, 2) / (1 - ratio / 2)
    best = stated(BEST_STEP, "alpha", q=ratio, kappa=growth, Lhat=Lhat)
    alpha = best if step == "best" else ratio / Lhat
    # sqrt(DL̂ζ²/T)
    term = Lhat**2 * w**2 / ratio
    factor = growth if base.get("sharp") or step == "best" else Fraction(5, 2)
    c = noise * root_below(zeta**2 / (meft.scale**2 * _size(start, base, T, held)), 20)
    unit = corner(*meft.shape)
    offsets = (scaled(c, unit), scaled(-c, unit)) if noise else (scaled(0, unit),)
    numbers = {
        **base,
        "D": D,
        "zeta": zeta,
        "q": ratio,
        "kappa": growth,
        "bound": factor * term,
        "T_min": stated(THEOREM_2, "T_min", Lhat=Lhat, D=D, zeta=zeta),
        "f_star": loss - D,
    }

    def build(
        about: str, stretch: int = 0, step: Callable[[Numbers], Fraction | None] | None = None
    ) -> ExactModel | None:
        """The run; with another step size, where `step` finds one in the constants."""
        whole = {"s": meft.scale, "r": Fraction(meft.rank), "T": Fraction(T)}
        size = step({**numbers, **whole}) if step else alpha
        return None if size is None else run(about, meft, start, offsets, T, {**numbers, "alpha": size}, held, stretch)

    return build


def _size(start: Pair, base: Numbers, T: int, held: str) -> Fraction:
    """The square of the distance from 0, which is what makes noise in W noise in (A, B)."""
    if held:
        return squared(start["AB".index(held)])
    return squared(start[0]) + squared(start[1]) if T == 1 else base["a"] ** 2 + base["b"] ** 2


def alone(world: ExactModel) -> ExactModel:
    """A run with A held at 1, s = 1 and W_0 = 0, told as one of a function of a vector: v is B, and F is f.

    Its step size is the one that was given, unless the constants say what was.
    """
    given, process = world.setting, world.setting.process
    if process is None:
        raise ValueError(f"{world.about}: expected a run")
    named = {"v": "B", "g": "g_B", "g_v": "g_B"}

    def told(name: str, time: int, outcome: int) -> Rows:
        if name not in named:
            raise InputError("name", name, "v or g")
        return process(named[name], time, outcome)

    Lhat, alpha, v = given.numbers["Lhat"], given.numbers["alpha"], given.matrices["B"]
    numbers = {
        "ell": Lhat,
        "eta": given.numbers.get("eta", alpha),
        "eta_max": stated(ANY_STEP, "eta_max", Lhat=Lhat),
    }
    setting = replace(
        given,
        sides={**given.sides, "n": len(v)},
        numbers={**given.numbers, **numbers},
        matrices={"v": v},
        blocks=("v",),
        process=told,
    )
    laws = frozenset({"classic.smooth", "classic.smooth_everywhere", "jiang2024.bounded_below", "F(v) = f(v)"})
    return ExactModel(world.about.replace("A frozen", "a vector"), setting, laws)


def merged(world: ExactModel) -> ExactModel:
    """A run on both factors, told as a segment of ReLoRA: v is (A, B, Z), where Z, what was merged before, is 0."""
    given, process = world.setting, world.setting.process
    if process is None:
        raise ValueError(f"{world.about}: expected a run")
    f, start, scale = given.functions["f"], given.matrices["W_0"], given.numbers["s"]
    nothing = scaled(0, start)

    def weight(v: tuple[Rows, ...]) -> Rows:
        A, B, Z = v
        return plus(plus(start, Z), times(B, A), scale)

    def gradient(v: tuple[Rows, ...]) -> tuple[Rows, ...]:
        (slope,) = f.gradient((weight(v),))
        return scaled(scale, times(transposed(v[1]), slope)), scaled(scale, times(slope, transposed(v[0]))), slope

    functions = {**given.functions, "F": VectorFunction(lambda v: f.value((weight(v),)), gradient)}
    setting = replace(
        given,
        matrices={**given.matrices, "Z": nothing},
        functions=functions,
        blocks=("A", "B", "Z"),
        process=lambda name, time, outcome: nothing if name == "Z" else process(name, time, outcome),
    )
    return ExactModel(f"{world.about}, a segment of ReLoRA", setting, world.laws)


def sharper(world: ExactModel) -> ExactModel:
    """A run of a function of a vector, told with the κ of functions that are smooth on all of space."""
    numbers = world.setting.numbers
    kappa = stated(EVERYWHERE, "kappa", q=numbers["q"])
    bound = numbers["bound"] * kappa / numbers["kappa"]
    setting = replace(world.setting, numbers={**numbers, "kappa": kappa, "bound": bound})
    return ExactModel(f"{world.about}, sharper", setting, world.laws)
