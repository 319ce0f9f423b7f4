"""`Objective`: what a loss f(W) must say of itself, and the noise model that Algorithm 1 samples from.

Every method is batched over a leading replica dimension R; W has shape (R, d, k). All tensors are float64.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.functions.blocks import in_blocks
from boundcheck.functions.constant import Constant
from boundcheck.language.function import Descent
from boundcheck.system.plugins import is_ours

Side: TypeAlias = tuple[Tensor | None, Tensor | None]
r"""A map :math:`M \mapsto PMQ` of gradients in W: P and Q, batched over replicas or not; None is the identity."""


class FirstOrder(NamedTuple):
    """f(W), shape (R,), and its gradient there, shape (R, d, k)."""

    loss: Tensor
    gradient: Tensor


class Moments(NamedTuple):
    r"""The loss at a W, its gradient, and the mean squares of the samples' gradients.

    Attributes:
        loss: f(W), shape (R,).
        gradient: of f at W, shape (R, d, k).
        in_v: the mean over samples of :math:`\sum \|P G_i Q\|_F^2`, summed over the sides that were given, shape (R,).
        in_w: the mean of :math:`\|G_i\|_F^2`, shape (R,).

    """

    loss: Tensor
    gradient: Tensor
    in_v: Tensor
    in_w: Tensor


_CONSTANTS = ("smoothness", "gradient_bound", "infimum", "strong_convexity", "is_convex")


class Objective(ABC):
    r"""A finite sum :math:`f(W) = \frac1n \sum_i f_i(W)` over matrices, with the constants of its theory.

    Attributes:
        name: what figures and tables call it.
        units: the unit of the loss, for axis labels.
        shape: (d, k), the shape of W.
        samples: n.
        smoothness: L with :math:`\|\nabla f(W_1) - \nabla f(W_2)\|_F \le L \|W_1 - W_2\|_F`.
        gradient_bound: G with :math:`\|\nabla f(W)\|_F \le G` for all W.
        infimum: a lower bound on f.
        is_convex: whether f is known to be convex.
        is_shared: whether threads may ask it at once, as they do where they share the looks at an ensemble.
        strong_convexity: the constant with which f is strongly convex; None if none above 0 is known.

    """

    name: str
    units: str
    shape: tuple[int, int]
    samples: int
    smoothness: Constant
    gradient_bound: Constant
    infimum: Constant
    is_convex: ClassVar[bool] = False
    is_shared: ClassVar[bool] = False
    strong_convexity: Constant | None = None
    _told: tuple[str, ...] = ()

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; a constant set after the class has set them all is a user's word, which nothing proves."""
        if name in _CONSTANTS and {"smoothness", "gradient_bound", "infimum"} <= vars(self).keys():
            vars(self)["_told"] = (*self._told, f"{name} of {self.name}")
        super().__setattr__(name, value)

    @property
    def given(self) -> tuple[str, ...]:
        """The claims by its author or user that nothing proves or certifies; of one from outside, all constants."""
        return self._told if is_ours(self) else (f"constants of {self.name}",)

    @property
    def widest(self) -> int:
        """The size of one replica's largest temporary, in numbers, in a look at all samples: their gradients."""
        return self.samples * math.prod(self.shape)

    @abstractmethod
    def loss(self, W: Tensor) -> Tensor:
        """f(W), shape (R,)."""

    @abstractmethod
    def gradient(self, W: Tensor) -> Tensor:
        """The gradient of f at W, shape (R, d, k)."""

    def first_order(self, W: Tensor) -> FirstOrder:
        """Loss and gradient together: a class that computes one on the way to the other can do better."""
        return FirstOrder(self.loss(W), self.gradient(W))

    @abstractmethod
    def batch_gradient(self, W: Tensor, indices: Tensor) -> Tensor:
        """The mean gradient, shape (R, d, k), of the samples at `indices`, shape (R, m), each replica's own."""

    @abstractmethod
    def sample_gradients(self, W: Tensor) -> Tensor:
        """The gradient of every f_i at W, shape (R, n, d, k)."""

    @abstractmethod
    def rounding(self, W: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
        """Bounds on the rounding errors of `loss`, given as computed, and of `gradient` in Frobenius norm: two of (R,).

        For W itself, as the floats that it holds; the errors that it was computed with are not this method's concern.
        """

    def descend(
        self, W0: Tensor, scale: float, v: tuple[Tensor, ...], batches: Sequence[Tensor], sizes: Sequence[float]
    ) -> Descent | None:
        """`Function.descend` for f(W0 + sBA) at v = (A, B), in a class that has compiled loops; None in any other."""
        return None

    def survey(self, W: Tensor, sides: tuple[Side, ...], among: Tensor | None = None) -> Moments:
        """Loss, gradient, and mean squares of the samples' gradients: a class whose loss shares them can do better.

        Args:
            W: shape (R, d, k).
            sides: what `Moments.in_v` is about.
            among: indices of the samples whose squares count, shape (R, m); all of them if left out.

        """

        def survey(part: slice) -> Moments:
            G = self.sample_gradients(W[part]).transpose(1, 2).contiguous()
            squares = mean_squares(G, sides_of(sides, part), some(among, part))
            return Moments(self.loss(W[part]), self.gradient(W[part]), *squares)

        return in_blocks(survey, W, self.samples * W[0].numel())


def checked(objective: Objective, field: str) -> Objective:
    """Return an objective from outside if it has what an `Objective` needs, and a loss and gradient of their shapes.

    Raises:
        InputError: naming what is missing, or not as it has to be.

    """
    kind = type(objective).__name__
    for name, (is_right, expected) in _SAID.items():
        if not hasattr(objective, name):
            raise InputError(field, kind, f"an objective with the attribute {name}: {expected}")
        if not is_right(said := getattr(objective, name)):
            raise InputError(f"{kind}.{name}", said, expected)
    W = torch.zeros((2, *objective.shape), dtype=torch.float64, device=device_of(objective) or "cpu")
    for name, shape in (("loss", (2,)), ("gradient", tuple(W.shape))):
        found = getattr(objective, name)(W)
        if not isinstance(found, Tensor) or found.dtype != torch.float64 or tuple(found.shape) != shape:
            said = f"{found.dtype} of shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
            expected = f"a float64 tensor of shape {shape}, for W of shape {tuple(W.shape)}"
            raise InputError(f"{kind}.{name}", said, expected)
    return objective


def device_of(objective: Objective) -> torch.device | None:
    """The device of its tensors, or of those of objectives that it is made of; None if none are found."""
    for kept in vars(objective).values():
        for x in kept if isinstance(kept, tuple | list) else (kept,):
            found = x.device if isinstance(x, Tensor) else device_of(x) if isinstance(x, Objective) else None
            if found is not None:
                return found
    return None


def is_shape(shape: object) -> bool:
    """True if the shape is (d, k), two positive integers."""
    return isinstance(shape, tuple | list) and len(shape) == 2 and all(map(_is_count, shape))


def _is_count(number: object) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool) and int(number) > 0


def _is_text(said: object) -> bool:
    return isinstance(said, str)


def _is_constant(said: object) -> bool:
    if not isinstance(said, Constant) or said.kind not in ("certified", "estimated") or not isinstance(said.how, str):
        return False
    return isinstance(said.value, int | float) and not math.isnan(said.value)


_CONSTANT = "a boundcheck.functions.constant.Constant(value, kind, how), kind certified or estimated"
_SAID: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "name": (_is_text, "what figures call it"),
    "units": (_is_text, "the unit of the loss"),
    "shape": (is_shape, "(d, k), two positive integers"),
    "samples": (_is_count, "a positive integer"),
    **dict.fromkeys(("smoothness", "gradient_bound", "infimum"), (_is_constant, _CONSTANT)),
    "strong_convexity": (lambda said: said is None or _is_constant(said), f"None, or {_CONSTANT}"),
}


def mean_squares(G: Tensor, sides: tuple[Side, ...], among: Tensor | None) -> tuple[Tensor, Tensor]:
    """`Moments.in_v` and `Moments.in_w` from the samples' gradients, shape (R, d, n, k)."""
    return squares_in_v(G, sides, among), mean_square(G, 2, among)


def squares_in_v(G: Tensor, sides: tuple[Side, ...], among: Tensor | None) -> Tensor:
    """`Moments.in_v` from the samples' gradients, shape (R, d, n, k): each side is one product."""
    replicas, _, samples, k = G.shape
    in_v = []
    for left, right in sides:
        X, sample = G, 2
        if left is not None:
            X = (left @ X.flatten(2)).view(replicas, -1, samples, k)
        if right is not None:
            # The factor that is wide comes second: MKL is half as fast the other way round.
            X, sample = (right.mT @ X.flatten(1, 2).mT).view(replicas, -1, X.shape[1], samples), 3
        in_v.append(mean_square(X, sample, among))
    return torch.stack(in_v).sum(0)


def mean_square(X: Tensor, sample: int, among: Tensor | None) -> Tensor:
    """The mean over samples, or over those at indices, of their sums of squares; `sample` is their dimension of X."""
    if among is None:
        return X.square().flatten(1).sum(1) / X.shape[sample]
    others = [dim for dim in (1, 2, 3) if dim != sample]
    return mean_of(X.square().sum(others), among)


def mean_of(each: Tensor, among: Tensor | None) -> Tensor:
    """The mean over samples, or over those at indices, of numbers of shape (R, n)."""
    return (each if among is None else each.gather(1, among)).mean(1)


def sides_of(sides: tuple[Side, ...], part: slice) -> tuple[Side, ...]:
    """The sides of some of the replicas."""

    def of(X: Tensor | None) -> Tensor | None:
        return X if X is None or X.ndim == 2 else X[part]

    return tuple((of(left), of(right)) for left, right in sides)


def some(among: Tensor | None, part: slice) -> Tensor | None:
    """The indices of some of the replicas; None if there are no indices."""
    return None if among is None else among[part]
