"""The steps of a training, each compared with Algorithm 1 as it was taken.

`Watched` sees them by torch's own hooks. So it does not matter which callback comes first, and what
an optimizer, a schedule or a Trainer is called. Nothing is said of a step that was not seen.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from boundcheck.functions.checks import MARGIN
from boundcheck.functions.networks.corpora import Encoded
from boundcheck.functions.networks.network import Network, uncut
from boundcheck.language.evidence import Audit, Status

# Samples on which F is compared with what it was when training began.
_FEW = 4
# Part of a step that may point elsewhere where the step is said to be a multiple of another.
_ALONG = 1e-3
# Where modules and parameters keep the hooks of others that are given gradients.
_BACKWARD = ("_backward_hooks", "_backward_pre_hooks")
_PLAIN = {bool, int, float}


class Finding(NamedTuple):
    """A finding about a hypothesis of a training."""

    status: Status
    how: str
    is_whole: bool = False  # whether each step takes all samples, once


def worst(id: str, findings: Sequence[Finding]) -> Audit:
    """The audit row of the worst of the findings."""
    order: tuple[Status, ...] = ("failed", "assumed", "held")
    status = next(each for each in order if each in {finding.status for finding in findings})
    reasons = [finding.how for finding in findings if finding.status == status]
    return Audit(id, "hypothesis", status, None, None, "; ".join(reasons))


def apart(one: Sequence[Tensor], other: Sequence[Tensor] | None = None) -> float:
    """The norm of the difference of two lists, or of one list; infinity if the shapes differ."""
    if other is None:
        other = [torch.zeros_like(x) for x in one]
    if [x.shape for x in one] != [x.shape for x in other]:
        return math.inf
    squares = []
    for x, y in zip(one, other, strict=True):
        is_same = (x == y) | (x.isnan() & y.isnan())
        squares.append(torch.where(is_same, 0.0, x.double() - y.double()))
    return math.hypot(*(torch.linalg.vector_norm(x).item() for x in squares))


@dataclass(eq=False)
class _Pass:
    """A forward pass that training went back through."""

    inputs: Mapping[str, Any]
    objection: str  # to the parameters that it was made with
    modes: list[Any]  # of the network's modules


class Watched:
    r"""The steps of a training, compared with :math:`v_{t+1} = v_t - \alpha g_t`, and g_t with F.

    The parameters of each forward pass have to be what the step before left, to the last bit. Each
    step has to be minus α times the gradient that back-propagation left, to rounding. So whatever
    changes parameters or gradients in between shows. Where it is due, and where a module's mode has
    changed, the gradient is compared with that of F on the samples that the network was given.

    Beside the training three copies of what is trained are kept: as it was at the start, as the
    last step left it, and its gradients.
    """

    def __init__(
        self, network: Network, optimizer: Any, args: Any, *, begun: int, is_whole: bool
    ) -> None:
        """Take a network as training begins.

        Args:
            network: F, whose sites have all that is trained.
            optimizer: of the training.
            args: of the training.
            begun: the number of steps that were taken before, as in a training that goes on.
            is_whole: whether the samples of F are all that are trained on.

        """
        self._network = network
        self._optimizer = optimizer
        self._is_whole = is_whole
        self._trained = network.parameters
        places = {id(x): name for name, x in network.model.named_parameters()}
        self._names = [places[id(x)] for x in self._trained]
        # Accelerate wraps it.
        inner = getattr(optimizer, "optimizer", optimizer)
        self.optimizer = type(inner).__name__
        group = optimizer.param_groups[0]
        # That of the arguments, unless the optimizer was made from others.
        self.step_size = float(group.get("initial_lr", group["lr"]))
        self._most = int(args.gradient_accumulation_steps)
        # The samples and gradients of other processes are not seen.
        self._is_alone = int(args.world_size) == 1
        self._begun = begun
        self._taken = 0
        self._compared = 0
        self._explained = 0
        self._broken = self._biased = ""
        self._is_looked_up = True
        self._start = [x.detach().clone() for x in self._trained]
        self._last = [x.clone() for x in self._start]
        self._first, again = self._slope_at_start(), self._slope_at_start()
        self._unsteadiness = apart(self._first, again)
        self._modes: list[Any] = []
        self._scale = 1.0
        # Passes that were gone back through, but have left no gradient yet.
        self._waiting: list[_Pass] = []
        self._passes: list[_Pass] = []
        self._gradients: dict[int, Tensor] = {}
        self._handles = [network.model.register_forward_hook(self, with_kwargs=True)]
        if self._is_alone:
            for place, x in enumerate(self._trained):
                hook = partial(self._accumulated, place)
                add: Any = x.register_post_accumulate_grad_hook
                self._handles.append(add(hook))
        else:
            self._handles.append(inner.register_step_pre_hook(self._gathered))

    @property
    def _t(self) -> int:
        """The number of the step that is being taken, or was taken last."""
        return self._begun + self._taken

    def close(self) -> None:
        """Take the hooks away."""
        for handle in self._handles:
            handle.remove()

    def __reduce__(self) -> Any:
        # Whoever copies or stores the model gets one that is not watched.
        return _Nobody, ()

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def __call__(self, model: nn.Module, given: Any, inputs: dict[str, Any], output: Any) -> None:
        """See a forward pass of the model, which training may go back through."""
        if not model.training or not torch.is_grad_enabled():
            return
        modes = [_mode(module) for module in self._network.model.modules()]
        seen = _Pass({} if given else inputs, self._objection(), modes)

        def went_back(_: Tensor) -> None:
            if seen not in self._waiting:
                self._waiting.append(seen)

        for x in tree_leaves(output):
            if isinstance(x, Tensor) and x.requires_grad:
                x.register_hook(went_back)  # type: ignore[no-untyped-call]

    def _objection(self) -> str:
        """What is wrong with the parameters of a forward pass, if anything is."""
        if self._broken:
            return ""
        if not all(map(_alike, self._trained, self._last)):
            return f"parameters were changed between steps {self._t} and {self._t + 1}"
        wanted = sum(x.requires_grad for x in self._network.model.parameters())
        if wanted != len(self._trained) or not all(x.requires_grad for x in self._trained):
            return f"what is trained in step {self._t + 1} is not what was trained at the start"
        return ""

    def _accumulated(self, place: int, x: Tensor) -> None:
        """Keep a parameter's gradient as back-propagation left it: nobody has clipped it yet."""
        if self._waiting:
            self._passes += [each for each in self._waiting if each not in self._passes]
            self._waiting.clear()
            scaler = getattr(self._optimizer, "scaler", None)
            self._scale = 1.0 if scaler is None else float(scaler.get_scale())
        if x.grad is not None:
            self._gradients[place] = x.grad.clone()

    def _gathered(self, *_: Any) -> None:
        """Keep the gradients of all processes, as the optimizer has them."""
        for place, x in enumerate(self._trained):
            if x.grad is not None:
                self._gradients[place] = x.grad.clone()

    @torch.no_grad()
    def step(self, *, is_due: bool) -> None:
        """Compare the step that was just taken, and its gradient where that is due."""
        self._taken += 1
        passes = self._passes
        self._passes = []
        gradients = self._gradients
        self._gradients = {}
        self._waiting.clear()
        # More passes than minibatches are not those of the step alone.
        is_seen = self._is_alone and 0 < len(passes) <= self._most and bool(gradients)
        if not self._broken:
            objections = [each.objection for each in passes if is_seen and each.objection]
            self._broken = objections[0] if objections else self._difference(gradients)
            self._compared += is_seen
        is_new = any(each.modes != self._modes for each in passes)
        if is_seen and not self._biased and (is_due or is_new):
            self._explain(passes, gradients)
            self._modes = passes[-1].modes
        for kept, x in zip(self._last, self._trained, strict=True):
            kept.copy_(x)

    def _difference(self, gradients: dict[int, Tensor]) -> str:
        """How a step differs from minus α times these gradients, in the matrix where it is most."""
        if not gradients:
            return ""
        if self._network.is_curved:
            return "rows that stay orthonormal are not moved along the gradient on their manifold"
        largest = -1.0
        found = ""
        for place, (x, y) in enumerate(zip(self._last, self._trained, strict=True)):
            gradient = self._gradient(gradients, place)
            expected = torch.add(x, gradient, alpha=-self.step_size)
            if torch.equal(expected, y):
                continue
            step = self.step_size * gradient.double()
            moved = y.double() - x.double()
            kind = torch.finfo(x.dtype)
            allowed = 4 * kind.eps * (x.double().abs() + step.abs()) + kind.tiny
            is_off = ~((moved + step).abs() <= allowed)
            # Where training diverges, both are no numbers.
            if not (is_off & (expected.isfinite() | y.isfinite())).any():
                continue
            size = torch.linalg.vector_norm(moved + step).nan_to_num(math.inf).item()
            if size > largest:
                largest = size
                found = self._told(self._names[place], moved, step)
        return found

    def _told(self, name: str, moved: Tensor, step: Tensor) -> str:
        where = f"step {self._t} of {name} is"
        alpha = -self.step_size
        size = torch.linalg.vector_norm(step)
        off = torch.linalg.vector_norm(moved + step)
        ratio = -(moved * step).sum() / size.square()
        if apart([moved], [-ratio * step]) <= _ALONG * torch.linalg.vector_norm(moved):
            return f"{where} {ratio * alpha:.4g} times its gradient, and not {alpha:.4g} times"
        wanted = f"{alpha:.4g} times its gradient"
        return f"{where} off {wanted} by {off:.2g}, where that is {size:.2g} long"

    def _gradient(self, gradients: dict[int, Tensor], place: int) -> Tensor:
        x = self._trained[place]
        found = gradients.get(place)
        return torch.zeros_like(x) if found is None else found.to(x.device) / self._scale

    def _explain(self, passes: Sequence[_Pass], gradients: dict[int, Tensor]) -> None:
        """Compare a step's gradient with that of F, on the samples that it was given."""
        samples = [self._samples(each.inputs) for each in passes]
        used = [self._gradient(gradients, place) for place in range(len(self._trained))]
        is_plain = all(x.requires_grad for x in self._trained) and not self._network.is_curved
        if self._biased or None in samples or not is_plain or not math.isfinite(apart(used)):
            return
        known = [each for each in samples if each is not None]
        unit = torch.finfo(torch.float32).eps
        with self._at(self._last):
            plain = self._slope(known)
            off = apart(plain, used)
            size = apart(plain)
            allowed = MARGIN * unit * size
            if off > allowed:
                # The same gradient at another scale shows what rounding does.
                thrice = [x / 3 for x in self._slope(known, 3.0)]
                allowed = max(allowed, MARGIN * apart(plain, thrice))
        if off > allowed:
            cuts = dict.fromkeys(site.cut for site in self._network.sites if site.cut)
            times = sum((x * y).sum().item() for x, y in zip(plain, used, strict=True)) / size**2
            how = f"off that of F on its samples by {off:.2g}, where that is {size:.2g} long: "
            how += "; ".join(cuts) or "dropout, noise or another loss do so"
            if apart([times * x for x in plain], used) <= _ALONG * size:
                how = f"{times:.4g} times that of F, the mean over its samples"
            self._biased = f"the gradient of step {self._t} is {how}"
            return
        self.look_at_function()
        self._explained += 1

    def look_at_function(self) -> None:
        """Compare F near where training began with what it was then."""
        now = self._slope_at_start()
        unit = torch.finfo(torch.float32).eps
        if apart(now, self._first) > MARGIN * max(unit * apart(now), self._unsteadiness):
            how = "beside what is trained, something in the network was changed"
            self._biased = self._biased or f"F is not what it was, seen at step {self._t}: {how}"

    def _samples(self, inputs: Mapping[str, Any]) -> tuple[Encoded, Tensor] | None:
        """The samples that a network was given, by their places; None where that is not known."""
        task: Any = self._network.task
        places = task.places(inputs) if self._is_whole else None
        if places is not None and (places < 0).any():
            self._biased = f"step {self._t} has a sample that is none of F's"
        if places is not None:
            return task, places
        self._is_looked_up = False
        if not isinstance(inputs.get("labels"), Tensor):
            return None
        given = Encoded("minibatch", inputs, task.shape)
        return given, torch.arange(given.samples, device=given.labels.device)

    def _slope(self, samples: Sequence[tuple[Encoded, Tensor]], scale: float = 1.0) -> list[Tensor]:
        """The gradient of the mean loss of all tokens, or samples, in what is trained."""
        tokens = sum(task.counts[places].sum().item() for task, places in samples)
        total = [torch.zeros_like(x) for x in self._trained]
        for task, places in samples:
            losses = task.losses(self._network.model, places)
            # Each loss is over the mean number of tokens.
            share = scale * task.counts.double().mean().item() / tokens
            found = torch.autograd.grad(share * losses.sum(), self._trained, allow_unused=True)
            total = [x if part is None else x + part for x, part in zip(total, found, strict=True)]
        return total

    def _slope_at_start(self) -> list[Tensor]:
        task: Any = self._network.task
        few = task.counts.nonzero().flatten()[:_FEW]
        if self._network.is_curved:
            return []
        with self._at(self._start):
            return self._slope([(task, few)])

    @contextmanager
    def _at(self, values: Sequence[Tensor]) -> Iterator[None]:
        """Look at the network at some parameters, in evaluation mode and as precise as training.

        Hooks that might change a gradient on its way are left out.
        """
        model = self._network.model
        training = [module for module in model.modules() if module.training]
        now = [x.detach().clone() for x in self._trained]
        hooks: list[dict[int, Any]] = []
        for each in (*model.parameters(), *model.modules()):
            hooks += filter(None, (getattr(each, name, None) for name in _BACKWARD))
        kept = [dict(table) for table in hooks]
        try:
            for table in hooks:
                table.clear()
            with torch.no_grad():
                for x, value in zip(self._trained, values, strict=True):
                    x.copy_(value)
            model.eval()
            with torch.enable_grad(), uncut(self._network.sites):
                yield
        finally:
            for table, hook in zip(hooks, kept, strict=True):
                table.update(hook)
            for module in training:
                module.training = True
            with torch.no_grad():
                for x, value in zip(self._trained, now, strict=True):
                    x.copy_(value)

    def rules(self) -> Audit:
        """Whether each step was Algorithm 1's."""
        if self._broken:
            return worst("Algorithm 1", [Finding("failed", self._broken)])
        step = f"a step was -{self.step_size:.4g} times its gradient"
        how = f"{step}, to rounding, at {self._compared} of {self._taken} steps"
        is_known = self._compared == self._taken
        return worst("Algorithm 1", [Finding("held" if is_known else "assumed", how)])

    def gradients(self) -> Finding:
        """Whether the gradient of each step was that of F on samples of its own."""
        if self._biased:
            return Finding("failed", self._biased)
        how = (
            f"at {self._explained} of {self._taken} steps the gradient was that of F on its samples"
        )
        if self._explained and not self._is_looked_up:
            how += ", with samples that were not looked up among those of F"
        is_known = self._explained == self._taken and self._is_looked_up
        return Finding("held" if is_known else "assumed", how)


class _Nobody:
    """A hook that sees nothing."""

    def __call__(self, *_: Any) -> None:
        """Do nothing."""


def _alike(x: Tensor, y: Tensor) -> bool:
    # Of training that diverged all may be no numbers.
    return torch.equal(x, y) or torch.allclose(x, y, rtol=0, atol=0, equal_nan=True)


def _mode(module: nn.Module) -> list[Any]:
    """What tells that a module computes in another way: its numbers, switches and hooks."""
    table = vars(module)
    switches = [x for x in table.values() if type(x) in _PLAIN]
    hooks = ("_forward_hooks", "_forward_pre_hooks", *_BACKWARD)
    return switches + [len(table[name]) for name in hooks]
