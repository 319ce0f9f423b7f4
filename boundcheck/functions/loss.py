"""A plain PyTorch loss over a person's own tensors, or a CSV file, as an objective, with
derivatives by autograd.
"""

import csv
from collections.abc import Callable, Sequence
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from boundcheck.errors import InputError, raised
from boundcheck.functions.arithmetic import EPSILON, Bounds, in_blocks, seeded
from boundcheck.functions.objective import Objective, is_shape
from boundcheck.language.function import Constant
from boundcheck.system.files import read_text
from boundcheck.system.limits import Demand, check_memory

Given = float | tuple[float, str] | None
"""A constant that a person gives: a number, which nothing vouches for, or one with a certificate,
which is printed."""

# Where the largest curvature is looked for: points, how far from W0 = 0 they are, and steps of a
# power iteration.
_POINTS = 8
_SIZES = (0.0, 0.1, 1.0, 3.0)
_STEPS = 40
_MARGIN = 1.1
# Bytes of a CSV file.
_LONGEST = 2**30
# Single precision has units of roundoff this much larger than double; and a share of what is seen
# in it, to be safe.
_COARSER = 2.0**29
_SAFETY = 2.0**8


class Loss(Objective):
    r"""The mean of a loss over samples, :math:`f(W) = \frac1n\sum_i \ell(W, x_i, y_i)`, W of shape
    (d, k).

    No constant is known of a loss that is only called. L is estimated, as a little more than the
    largest curvature that was found at some points, and the infimum is taken to be 0; a run then
    says `inconclusive` at best, and why. One that is given with a certificate, such as
    ``smoothness=(2.0, "largest eigenvalue of X^T X / n")``, counts as certified, and results print
    the certificate. Rounding errors are estimated from the loss in single precision.
    """

    units = "loss units"

    def __init__(
        self,
        loss: Callable[..., Tensor],
        X: Any,
        y: Any = None,
        *,
        shape: tuple[int, int],
        name: str = "",
        smoothness: Given = None,
        gradient_bound: Given = None,
        infimum: Given = None,
        device: str = "cpu",
        version: str = "",
    ) -> None:
        """Take a loss, samples, and the shape of W.

        Args:
            loss: called as ``loss(W, X, y)``, or ``loss(W, X)`` without y, with some of the
                samples; it returns the loss of each, shape (m,), or their mean. `torch.func.vmap`
                must be able to run it.
            X: tensor or array whose first dimension is the samples'.
            y: the same, of targets or labels.
            shape: (d, k).
            name: what figures call it; the name of the function if left out.
            smoothness: L; estimated if left out.
            gradient_bound: G; nothing is known of it if left out.
            infimum: a lower bound on f; taken to be 0 if left out.
            device: where the tensors are.
            version: a text that you change with the loss, where its code is in no file.

        Raises:
            InputError: for a shape or a constant that is none, samples that are not finite, a loss
                that is no mean over its samples, is not in float64 or cannot be batched, and one
                that is negative, of which no infimum is given.

        """
        if not is_shape(shape):
            raise InputError("shape", shape, "(d, k), two positive integers")
        self.name = name or getattr(loss, "__name__", "loss")
        self.shape = shape
        self._loss = loss
        self.version = version
        self._samples = tuple(
            _tensor(field, x, device) for field, x in (("X", X), ("y", y)) if x is not None
        )
        self.samples = len(self._samples[0])
        if any(len(x) != self.samples for x in self._samples):
            raise InputError(
                "y",
                f"of {len(self._samples[1])} samples",
                f"one for each of the {self.samples} of X",
            )
        # The gradients of all samples, at all points.
        check_memory(
            [Demand("shape", shape, 3 * 8 * _POINTS * self.samples * shape[0] * shape[1])],
            device=device,
        )
        random = seeded(0)
        drawn = torch.randn((_POINTS, *shape), generator=random, dtype=torch.float64).to(device)
        sizes = torch.tensor(_SIZES, dtype=torch.float64, device=device)
        points = drawn * sizes.repeat(_POINTS // len(_SIZES))[:, None, None]
        least = self._checked(points)
        self.smoothness = _stated(smoothness, "smoothness") or self._steepest(points)
        unbounded = Constant(
            float("inf"), "certified", "nothing is known of it; on a ball it follows from L"
        )
        self.gradient_bound = _stated(gradient_bound, "gradient_bound") or unbounded
        if infimum is None and least < 0:
            raise InputError(
                "infimum",
                "(not given)",
                f"a lower bound on the loss, which is {least:.6g} somewhere",
            )
        taken = Constant(
            0.0,
            "estimated",
            "the loss is taken to be nonnegative, as it was where it was looked at",
        )
        self.infimum = _stated(infimum, "infimum") or taken
        told = {"smoothness": smoothness, "gradient_bound": gradient_bound, "infimum": infimum}
        self._told = tuple(
            f"{name} of {self.name}" for name, each in told.items() if each is not None
        )

    @property
    def drawn(self) -> tuple[str, ...]:
        """Minibatches of a loss that may depend on how many samples it is given."""
        return (f"minibatches of {self.name}",)

    @classmethod
    def from_csv(
        cls,
        loss: Callable[..., Tensor],
        path: str | Path,
        target: str,
        *,
        shape: tuple[int, int],
        features: Sequence[str] = (),
        **options: Any,
    ) -> "Loss":
        """The loss over the rows of a CSV file: y is the column `target`, X the features, by
        default all other columns.

        Raises InputError for a file that cannot be read, a row that is longer or shorter than the
        header, two columns of one name, a column that it does not have, and one that has anything
        but finite numbers.
        """
        pd: Any = import_module("pandas")
        try:
            text = read_text(Path(path), _LONGEST).removeprefix("\ufeff")
            # Rows that do not fit the header: pandas would shift their columns without a word.
            rows = csv.reader(StringIO(text, newline=""))
            header = next((row for row in rows if row), None)
            if header is None:
                raise ValueError("it is empty")
            twice = [name for place, name in enumerate(header) if name in header[:place]]
            if twice:
                raise ValueError(f"the header has {twice[0]!r} twice")
            below = False
            for row in filter(None, rows):
                below = True
                if len(row) != len(header):
                    found = f"line {rows.line_num} has {len(row)} values"
                    raise ValueError(f"{found}, where the header has {len(header)} columns")
            if not below:
                raise ValueError("no row is below the header")
            table = pd.read_csv(StringIO(text))
        except (OSError, ValueError, csv.Error) as error:
            raise InputError("path", path, f"a CSV file ({' '.join(str(error).split())})") from None
        chosen = list(features) or [str(column) for column in table.columns if column != target]
        for column in (target, *chosen):
            if column not in table:
                raise InputError(
                    "column",
                    column,
                    f"a column of {path}, which has {', '.join(map(str, table.columns))}",
                )
            entries = table[column]
            if pd.api.types.is_bool_dtype(entries) or not pd.api.types.is_numeric_dtype(entries):
                # Of long integers pandas makes objects, and of True and False numbers.
                table[column] = pd.to_numeric(entries.astype(str), errors="coerce")
            lost = np.flatnonzero(~np.isfinite(table[column].to_numpy(np.float64)))
            if len(lost):
                told = f"row {lost[0] + 1} has {entries.iloc[lost[0]]}"
                raise InputError(
                    "column", column, f"finite numbers only in this column of {path}; {told}"
                )
        X = table[chosen].to_numpy(np.float64)
        return cls(loss, X, table[target].to_numpy(), shape=shape, **options)

    @classmethod
    def of_function(
        cls, function: Callable[[Tensor], Tensor], shape: tuple[int, int], **options: Any
    ) -> "Loss":
        """The loss of a function of W alone, which holds its tensors itself: one per sample, shape
        (n,), or one.
        """
        try:
            each = function(
                torch.zeros(shape, dtype=torch.float64, device=options.get("device", "cpu"))
            ).reshape(-1)
        except Exception as error:
            raise InputError(
                "problem",
                _name(function),
                f"a function of W alone ({raised(error)})",
            ) from error

        def loss(W: Tensor, chosen: Tensor) -> Tensor:
            return function(W).reshape(-1)[chosen]

        return cls(
            loss, torch.arange(len(each)), shape=shape, **{"name": _name(function)} | options
        )

    def loss(self, W: Tensor) -> Tensor:
        return self._over(self._mean, W, self._samples)

    def gradient(self, W: Tensor) -> Tensor:
        return self._over(grad(self._mean), W, self._samples)

    def batch_gradient(self, W: Tensor, indices: Tensor) -> Tensor:
        apart = vmap(grad(self._mean))
        return in_blocks(
            lambda part: apart(W[part], *(x[indices[part]] for x in self._samples)),
            W,
            indices.shape[1] * W[0].numel(),
        )

    def mean_of_samples(self, W: Tensor, indices: Tensor) -> Tensor:
        apart = vmap(vmap(grad(self._mean), (None, *(0 for _ in self._samples))))
        return in_blocks(
            lambda part: apart(
                W[part], *(x[indices[part]].unsqueeze(2) for x in self._samples)
            ).mean(1),
            W,
            indices.shape[1] * W[0].numel(),
        )

    def sample_gradients(self, W: Tensor) -> Tensor:
        return self._of_each(grad(self._mean), W)

    def rounding(self, W: Tensor, loss: Tensor) -> Bounds:
        """Estimates of the rounding errors of `loss` and `gradient`.

        Each is the change in single precision, over how much coarser that is, times 256; and the
        error of long sums.
        """
        terms = EPSILON * (self.samples + W[0].numel() + 64)
        share = _SAFETY / _COARSER
        gradient = self.gradient(W)
        with _InSinglePrecision():
            off = (self.loss(W) - loss).abs()
            coarse = self.gradient(W)
        size, moved = (torch.linalg.matrix_norm(x) for x in (gradient, coarse - gradient))
        return share * off + terms * loss.abs(), share * moved + terms * size

    def _mean(self, W: Tensor, *samples: Tensor) -> Tensor:
        return self._loss(W, *samples).mean()

    def _over(self, f: Callable[..., Tensor], W: Tensor, samples: tuple[Tensor, ...]) -> Tensor:
        """A function of one W and the samples, at each of the replicas."""
        of_each = vmap(f, (0, *(None for _ in samples)))
        return in_blocks(lambda part: of_each(W[part], *samples), W, self.samples * W[0].numel())

    def _of_each(self, f: Callable[..., Tensor], W: Tensor) -> Tensor:
        """A function of one W and one sample, at each of the replicas and of the samples."""
        alone = tuple(x.unsqueeze(1) for x in self._samples)
        return self._over(vmap(f, (None, *(0 for _ in alone))), W, alone)

    def _checked(self, points: Tensor) -> float:
        """The least loss of a sample at some points, after a check that the loss is the mean over
        samples.
        """
        try:
            whole, slopes = self.loss(points), self.sample_gradients(points)
            each = self._of_each(self._mean, points)
        except Exception as error:
            shapes = [f"W of shape {self.shape}"]
            shapes += [
                f"{field} of shape {tuple(x.shape)}"
                for field, x in zip("Xy", self._samples, strict=False)
            ]
            how = f"torch.func.vmap can run with {' and '.join(shapes)}"
            raise InputError(
                "loss",
                self.name,
                f"one that {how} ({raised(error)})",
            ) from error
        if (
            whole.dtype != torch.float64
            or not torch.isfinite(whole).all()
            or not torch.isfinite(slopes).all()
        ):
            raise InputError("loss", self.name, "finite numbers in float64, with finite gradients")
        if not torch.allclose(whole, each.mean(1), rtol=1e-8, atol=1e-10 * float(each.abs().max())):
            raise InputError(
                "loss",
                self.name,
                "the loss of each sample, or the mean over the samples that it is given",
            )
        return each.min().item()

    def _steepest(self, points: Tensor) -> Constant:
        """A little more than the largest curvature at some points, by power iterations."""

        def product(W: Tensor, U: Tensor) -> Tensor:
            return grad(lambda V: (grad(self._mean)(V, *self._samples) * U).sum())(W)

        U = torch.ones_like(points)
        size = torch.zeros(len(points), dtype=torch.float64, device=points.device)
        U = U + 0.1 * points.flip(0)
        for _ in range(_STEPS):
            U = U / torch.linalg.matrix_norm(U)[:, None, None]
            U = vmap(product)(points, U)
            size = torch.linalg.matrix_norm(U)
            U = U.where(size[:, None, None] > 0, 1.0)
        if not 0 < (most := size.max().item()) < float("inf"):
            raise InputError("smoothness", most, "to be given, where no curvature was found")
        how = f"{_MARGIN} times the largest curvature that was found at {_POINTS} points"
        return Constant(_MARGIN * most, "estimated", how)


class _InSinglePrecision(TorchFunctionMode):
    """A mode in which the result of each operation is rounded to single precision, and so are its
    gradients.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Round the result of the function."""

        def rounded(x: Any) -> Any:
            return x.float().double() if isinstance(x, Tensor) and x.dtype == torch.float64 else x

        return tree_map(rounded, func(*args, **(kwargs or {})))


def _stated(given: Given, field: str) -> Constant | None:
    """A constant that a person gives, with its certificate or without."""
    if given is None:
        return None
    value, how = given if isinstance(given, tuple) and len(given) == 2 else (given, "")
    number = isinstance(value, int | float) and not isinstance(value, bool) and isinstance(how, str)
    if not number or not abs(value) < float("inf") or (field != "infimum" and value <= 0):
        expected = "a finite number" + ("" if field == "infimum" else " above 0")
        raise InputError(
            field, given, f"{expected}, or such a number and its certificate, a sentence"
        )
    # A certificate is what results print: nothing that can be read is none.
    if not how.strip():
        return Constant(float(value), "estimated", "given without a certificate")
    return Constant(float(value), "certified", f"as its user says: {how}")


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _tensor(field: str, x: Any, device: str) -> Tensor:
    """Samples on the device, floating ones in float64: a copy, so that F stays what it is when
    theirs are changed.
    """
    try:
        tensor = torch.as_tensor(np.array(x) if isinstance(x, np.ndarray) else x)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            field, type(x).__name__, f"a tensor or an array of numbers ({error})"
        ) from None
    if tensor.ndim == 0 or tensor.numel() == 0 or not torch.isfinite(tensor).all():
        raise InputError(
            field,
            f"of shape {tuple(tensor.shape)}",
            "finite numbers, the first dimension the samples'",
        )
    dtype = torch.float64 if tensor.is_floating_point() else tensor.dtype
    return tensor.detach().to(device, dtype, copy=True)
