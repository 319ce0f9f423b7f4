"""`Objective`: what a loss f(W) must say of itself; and the table [problem] of a spec, by which one
is made.

Every method is batched over a leading replica dimension R; W has shape (R, d, k). All tensors are
float64.

An objective from outside is named by its import path, ``my_module:MyObjective``, or by an entry
point of the group ``boundcheck.objectives``. What is there is a class of objectives, or a function
that says that it returns one, such as ``-> Objective``; what it takes are then the fields of the
table. Nothing else is called.
"""

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, NamedTuple, get_args

import numpy as np
import torch
from pydantic import PydanticUserError, create_model
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.functions.arithmetic import Bounds, Point, in_blocks
from boundcheck.language.function import Constant, Descent
from boundcheck.system.limits import Demand
from boundcheck.system.plugins import Registry, is_ours, listed
from boundcheck.system.tables import NOT_GIVEN, Table, validated

Side = tuple[Tensor | None, Tensor | None]
r"""A map :math:`M \mapsto PMQ` of gradients in W: P and Q, batched over replicas or not; None is
the identity."""


class Moments(NamedTuple):
    r"""The loss at a W, its gradient, and the mean squares of the samples' gradients.

    Attributes:
        loss: f(W), shape (R,).
        gradient: of f at W, shape (R, d, k).
        in_v: the mean over samples of :math:`\sum \|P G_i Q\|_F^2`, summed over the sides that were
            given, shape (R,).
        in_w: the mean of :math:`\|G_i\|_F^2`, shape (R,).
        mean: of the samples' gradients, which has to be `gradient`, shape (R, d, k).

    """

    loss: Tensor
    gradient: Tensor
    in_v: Tensor
    in_w: Tensor
    mean: Tensor


class Objective(ABC):
    r"""A finite sum :math:`f(W) = \frac1n \sum_i f_i(W)` over matrices, with the constants of its
    theory.

    Attributes:
        name: what figures and tables call it.
        units: the unit of the loss, for axis labels.
        shape: (d, k), the shape of W.
        samples: n.
        smoothness: L with :math:`\|\nabla f(W_1) - \nabla f(W_2)\|_F \le L \|W_1 - W_2\|_F`.
        gradient_bound: G with :math:`\|\nabla f(W)\|_F \le G` for all W.
        infimum: a lower bound on f.
        is_convex: whether f is known to be convex.
        is_shared: whether threads may ask it at once, as they do where they share the looks at an
            ensemble.
        strong_convexity: the constant with which f is strongly convex; None if none above 0 is
            known.
        version: a text that its author changes with its code, where that is in no file; runs with
            another one are other runs.

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
    version: str = ""
    _told: tuple[str, ...] = ()

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; a constant set after the class has set them all is a user's word, which
        nothing proves.
        """
        needed = {"smoothness", "gradient_bound", "infimum"}
        if name in needed | {"strong_convexity", "is_convex"} and needed <= vars(self).keys():
            super().__setattr__("_told", (*self._told, f"{name} of {self.name}"))
        super().__setattr__(name, value)

    @property
    def given(self) -> tuple[str, ...]:
        """The claims by its author or user that nothing proves or certifies; of one from outside,
        all constants.
        """
        return self._told if is_ours(self) else (f"constants of {self.name}",)

    @property
    def drawn(self) -> tuple[str, ...]:
        """What a run that draws minibatches rests on besides: it looks at those of some steps."""
        return () if is_ours(self) else (f"minibatches of {self.name}",)

    @property
    def widest(self) -> int:
        """The size of one replica's largest temporary, in numbers, in a look at all samples: their
        gradients.
        """
        return self.samples * math.prod(self.shape)

    @abstractmethod
    def loss(self, W: Tensor) -> Tensor:
        """f(W), shape (R,)."""

    @abstractmethod
    def gradient(self, W: Tensor) -> Tensor:
        """The gradient of f at W, shape (R, d, k)."""

    def first_order(self, W: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and gradient together: a class that computes one on the way to the other can do
        better.
        """
        return self.loss(W), self.gradient(W)

    @abstractmethod
    def batch_gradient(self, W: Tensor, indices: Tensor) -> Tensor:
        """The mean gradient, shape (R, d, k), of the samples at `indices`, shape (R, m), each
        replica's own.
        """

    @abstractmethod
    def sample_gradients(self, W: Tensor) -> Tensor:
        """The gradient of every f_i at W, shape (R, n, d, k)."""

    def mean_of_samples(self, W: Tensor, indices: Tensor) -> Tensor:
        """The mean of `sample_gradients` at `indices`, shape (R, m): what `batch_gradient` has to
        be.
        """

        def mean(part: slice) -> Tensor:
            G = self.sample_gradients(W[part])
            return G[torch.arange(len(G), device=G.device)[:, None], indices[part]].mean(1)

        return in_blocks(mean, W, (self.samples + indices.shape[1]) * W[0].numel())

    @abstractmethod
    def rounding(self, W: Tensor, loss: Tensor) -> Bounds:
        """Bounds on the rounding errors of `loss`, given as computed, and of `gradient` in
        Frobenius norm: two of (R,).

        For W itself, as the floats that it holds; the errors that it was computed with are not this
        method's concern.
        """

    def descend(
        self,
        W0: Tensor,
        scale: float,
        v: Point,
        batches: Sequence[Tensor],
        sizes: Sequence[float],
    ) -> Descent | None:
        """`Function.descend` for f(W0 + sBA) at v = (A, B), in a class that has compiled loops;
        None in any other.
        """
        return None

    def survey(self, W: Tensor, sides: tuple[Side, ...], among: Tensor | None = None) -> Moments:
        """Loss, gradient, and mean squares of the samples' gradients: a class whose loss shares
        them can do better.

        Args:
            W: shape (R, d, k).
            sides: what `Moments.in_v` is about.
            among: indices of the samples whose squares count, shape (R, m); all of them if left
                out.

        """

        def survey(part: slice) -> Moments:
            G = self.sample_gradients(W[part]).transpose(1, 2).contiguous()
            squares = mean_squares(G, sides, among, part)
            return Moments(self.loss(W[part]), self.gradient(W[part]), *squares, G.mean(2))

        return in_blocks(survey, W, self.samples * W[0].numel())


def mean_squares(
    G: Tensor, sides: tuple[Side, ...], among: Tensor | None, part: slice
) -> tuple[Tensor, Tensor]:
    """`Moments.in_v` and `Moments.in_w` from the gradients of the samples of some replicas, shape
    (R, d, n, k).

    Each side is one product.
    """
    replicas, _, samples, k = G.shape

    def mean_square(X: Tensor, sample: int) -> Tensor:
        """The mean over samples, which are this dimension of X, of their sums of squares."""
        if among is None:
            return X.square().flatten(1).sum(1) / X.shape[sample]
        return mean_of(X.square().sum([dim for dim in (1, 2, 3) if dim != sample]), among, part)

    in_v = []
    for left, right in sides_of(sides, part):
        X = G
        sample = 2
        if left is not None:
            X = (left @ X.flatten(2)).view(replicas, -1, samples, k)
        if right is not None:
            # The factor that is wide comes second: MKL is half as fast the other way round.
            X = (right.mT @ X.flatten(1, 2).mT).view(replicas, -1, X.shape[1], samples)
            sample = 3
        in_v.append(mean_square(X, sample))
    return torch.stack(in_v).sum(0), mean_square(G, 2)


def mean_of(each: Tensor, among: Tensor | None, part: slice) -> Tensor:
    """The mean over samples, or over those at the indices of some of the replicas, of numbers of
    shape (R, n).
    """
    return (each if among is None else each.gather(1, among[part])).mean(1)


def sides_of(sides: tuple[Side, ...], part: slice) -> tuple[Side, ...]:
    """The sides of some of the replicas."""

    def of(X: Tensor | None) -> Tensor | None:
        return X if X is None or X.ndim == 2 else X[part]

    return tuple((of(left), of(right)) for left, right in sides)


def device_of(objective: Objective) -> torch.device | None:
    """The device of its tensors, or of those of objectives that it is made of; None if none are
    found.
    """
    for kept in vars(objective).values():
        for x in kept if isinstance(kept, tuple | list) else (kept,):
            found = (
                x.device
                if isinstance(x, Tensor)
                else device_of(x)
                if isinstance(x, Objective)
                else None
            )
            if found is not None:
                return found
    return None


def is_shape(shape: object) -> bool:
    """True if the shape is (d, k), two positive integers."""
    return isinstance(shape, tuple | list) and len(shape) == 2 and all(map(_is_count, shape))


def _is_count(number: object) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool) and int(number) > 0


def _is_constant(said: object) -> bool:
    if not (
        isinstance(said, Constant)
        and said.kind in ("certified", "estimated")
        and isinstance(said.how, str)
    ):
        return False
    return isinstance(said.value, int | float) and not math.isnan(said.value)


def checked(objective: Objective, field: str) -> Objective:
    """Return an objective from outside if it has what an `Objective` needs, and a loss and gradient
    of their shapes.

    Raises InputError naming what is missing, or not as it has to be.
    """
    constant = (
        "a boundcheck.language.function.Constant(value, kind, how), kind certified or estimated"
    )
    needed: Mapping[str, tuple[Callable[[Any], bool], str]] = {
        "name": (lambda said: isinstance(said, str), "what figures call it"),
        "units": (lambda said: isinstance(said, str), "the unit of the loss"),
        "shape": (is_shape, "(d, k), two positive integers"),
        "samples": (_is_count, "a positive integer"),
        **dict.fromkeys(("smoothness", "gradient_bound", "infimum"), (_is_constant, constant)),
        "strong_convexity": (
            lambda said: said is None or _is_constant(said),
            f"None, or {constant}",
        ),
    }
    kind = type(objective).__name__
    for name, (is_right, expected) in needed.items():
        if not hasattr(objective, name):
            raise InputError(field, kind, f"an objective with the attribute {name}: {expected}")
        if not is_right(said := getattr(objective, name)):
            raise InputError(f"{kind}.{name}", said, expected)
    W = torch.zeros(
        (2, *objective.shape), dtype=torch.float64, device=device_of(objective) or "cpu"
    )
    for name, shape in (("loss", (2,)), ("gradient", tuple(W.shape))):
        found = getattr(objective, name)(W)
        if (
            not isinstance(found, Tensor)
            or found.dtype != torch.float64
            or tuple(found.shape) != shape
        ):
            said = (
                f"{found.dtype} of shape {tuple(found.shape)}"
                if isinstance(found, Tensor)
                else type(found).__name__
            )
            raise InputError(
                f"{kind}.{name}",
                said,
                f"a float64 tensor of shape {shape}, for W of shape {tuple(W.shape)}",
            )
    return objective


@dataclass(frozen=True)
class Setting:
    """The parts of a spec that a problem may be made for, beside its own table."""

    device: str = "cpu"  # where its tensors are
    bias: bool = False  # whether W has one more column than the table says, since it acts on [h; 1]
    claim: str = ""  # the id of the theorem
    scale: float = 1.0  # of the adapter, and so is gain
    gain: float = 1.0
    radii: Mapping[str, float] = field(default_factory=dict)  # of the domain that the spec gives


class ProblemTable(Table):
    """The table of an objective in a spec: its kind, and the fields of a subclass."""

    kind: str
    starts_at_identity: ClassVar[bool] = False
    """Whether W0 is the identity, and not 0."""

    def build(self, setting: Setting) -> Objective:
        """The objective that the table describes."""
        raise NotImplementedError

    def demands(self) -> tuple[Demand, ...]:
        """The memory that its data take while they are drawn; nothing where they are small, or
        there already.
        """
        return ()


def table_of(raw: Any) -> ProblemTable:
    """A table [problem] of the kind that it names; raises InputError naming the first field that is
    wrong.
    """
    if isinstance(raw, ProblemTable):
        return raw
    if not isinstance(raw, dict):
        raise InputError("problem", raw, "a table [problem]")
    if "kind" not in raw:
        raise InputError(
            PROBLEMS.field, NOT_GIVEN, "the kind of problem, such as 'digits' or 'pseudo-huber'"
        )
    return validated(PROBLEMS.open(raw["kind"]), raw, "problem.")


def _own() -> dict[str, type[ProblemTable]]:
    tables = listed("boundcheck.functions.objectives", ProblemTable)
    return {
        kind: table for table in tables for kind in get_args(table.model_fields["kind"].annotation)
    }


def _from_outside(name: str, found: Any) -> type[ProblemTable]:
    """The table whose fields are what a class or function takes, except what the setting gives."""
    made_by = found
    if inspect.isfunction(found):
        # What it says that it returns: the only other way to know would be to call it.
        try:
            made_by = inspect.signature(found, eval_str=True).return_annotation
        except (TypeError, ValueError, NameError):
            made_by = None
    elif isinstance(found, type) and issubclass(found, ProblemTable):
        return found
    if not (isinstance(made_by, type) and issubclass(made_by, Objective)):
        raise InputError(
            PROBLEMS.field,
            name,
            "a class of objectives, or a function that says that it returns one, such as ->"
            " Objective",
        )
    given = {each.name for each in fields(Setting)}
    try:
        parameters = inspect.signature(found, eval_str=True).parameters.values()
        taken = {
            p.name: (
                Any if p.annotation is p.empty else p.annotation,
                ... if p.default is p.empty else p.default,
            )
            for p in parameters
            if p.name not in given and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        }
        # Pydantic declares no call with fields whose names are known only here.
        made: type[ProblemTable] = create_model(
            name.rpartition(":")[2], __base__=ProblemTable, **taken
        )  # type: ignore[call-overload]
    except (TypeError, ValueError, NameError, PydanticUserError) as error:
        raise InputError(
            PROBLEMS.field,
            name,
            f"parameters that a table can have as its fields ({' '.join(str(error).split())})",
        ) from None
    of_setting = [p.name for p in parameters if p.name in given]

    def build(self: ProblemTable, setting: Setting) -> Objective:
        options = {each: getattr(self, each) for each in taken}
        built = found(**options, **{each: getattr(setting, each) for each in of_setting})
        if not isinstance(built, Objective):
            raise InputError(
                PROBLEMS.field, name, f"what makes an Objective, and not a {type(built).__name__}"
            )
        return checked(built, PROBLEMS.field)

    # The class is made here, and so is its method: no class statement could hold both.
    made.build = build  # type: ignore[method-assign]
    return made


PROBLEMS: Registry[type[ProblemTable]] = Registry(
    "problem.kind", "boundcheck.objectives", _own, _from_outside
)
"""The tables of problems by their kind."""
