"""A run of transformers' Trainer, audited for a theorem about SGD, and the samples that it is audited on.

Whether something that training computes is drawn at random is tested: made twice, it differs.

Nothing here imports transformers: arguments, optimizers and data loaders are looked at as they come.
"""

import inspect
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import joblib
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves
from torch.utils.data import BatchSampler, IterableDataset, RandomSampler

from boundcheck.errors import InputError
from boundcheck.functions.checks import MARGIN
from boundcheck.functions.networks.corpora import Encoded, Shape
from boundcheck.functions.networks.network import evaluating
from boundcheck.language.claim import Claim
from boundcheck.language.evidence import Audit, Status
from boundcheck.language.sentence import words_of

# What the names of model classes end in, and which of their labels belong to which logits.
_SHAPES: dict[str, Shape] = {
    "ForCausalLM": "next token",
    "LMHeadModel": "next token",
    "ForMaskedLM": "token",
    "ForTokenClassification": "token",
    "ForSequenceClassification": "class",
}


# Samples whose gradient, and rows, are made again; how far a factor that is 0 is moved.
_FEW, _ROWS, _NEAR = 4, 32, 0.02
_CROSS_ENTROPY = (None, "single_label_classification")
# How often something is made whose generators move while it stays the same.
_TIMES = 16
# Containers that are looked into for generators: larger ones are data.
_LARGEST = 1024
_PLAIN = (str, bytes, int, float, complex, type(None), type, ModuleType, Tensor, np.ndarray)


def shape_of(model: nn.Module) -> Shape:
    """The kind of a model's predictions, from the name of its class; raises InputError for one that is not known."""
    name = type(base_of(model)).__name__
    config = getattr(base_of(model), "config", None)
    other = getattr(config, "num_labels", 2) == 1 or getattr(config, "problem_type", None) not in _CROSS_ENTROPY
    for ending, shape in _SHAPES.items():
        if name.endswith(ending):
            if shape == "class" and other:
                raise InputError("model", name, "a classifier of single labels, whose loss is cross-entropy")
            return shape
    raise InputError("model", name, f"a model whose class ends in {', '.join(_SHAPES)}")


def base_of(model: Any) -> Any:
    """The model that peft wraps, or the model itself."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def audit_sample(loader: Any, count: int, seed: int, shape: Shape, device: torch.device) -> tuple[Encoded, int]:
    """Samples drawn uniformly from the training data, collated as for training, and how many there are in all.

    Raises InputError for data without a length, or that is only iterated over: its first rows are no uniform sample;
    and for a collator that packs samples.
    """
    data = loader.dataset
    # A stream may know its length, and still has no rows.
    if not hasattr(data, "__len__") or isinstance(data, IterableDataset):
        expected = "a dataset with a length and rows by index, to draw the samples of F; write a stream to one"
        raise InputError("train_dataset", type(data).__name__, expected)
    chosen = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))[:count].sort().values
    with undisturbed(data, loader.collate_fn):
        batch: Mapping[str, Any] = loader.collate_fn([data[int(i)] for i in chosen])
    tensors = {name: value.to(device) if isinstance(value, Tensor) else value for name, value in batch.items()}
    task = Encoded("audit sample", tensors, shape)
    if task.samples != len(chosen):
        given = f"{task.samples} rows of {len(chosen)} samples"
        raise InputError("data_collator", given, "one that makes a row of each sample, without packing them")
    return task, len(data)


def rules_of(args: Any, optimizer: Any, is_flat: bool, others: Sequence[str] = ()) -> Audit:
    """Audit whether each step is Algorithm 1's: minus a constant times the minibatch gradient, and nothing else.

    An optimizer knows of no manifold: where the domain is not flat, its steps do not follow that gradient.
    """
    inner = getattr(optimizer, "optimizer", optimizer)
    found = []
    # One that is made of it may do something else.
    if type(inner) is not torch.optim.SGD:
        found.append(f"the optimizer is {type(inner).__name__}")
    for name in ("momentum", "weight_decay", "maximize"):
        if any(group.get(name) for group in inner.param_groups):
            found.append(f"its {name} is not 0")
    kind = getattr(args.lr_scheduler_type, "value", args.lr_scheduler_type)
    if kind != "constant" or len({group["lr"] for group in inner.param_groups}) > 1:
        found.append(f"the learning rate is {kind}")
    if not is_flat:
        found.append("rows that stay orthonormal are not moved along the gradient on their manifold")
    found += others
    if args.max_grad_norm:
        found.append(f"gradients are clipped at {args.max_grad_norm}")
    seen = [_Seen("failed", how) for how in found] + list(_acting("on_optimizer_step", "after each step"))
    seen.append(_Seen("held", "SGD at a constant step, without momentum, weight decay and clipping"))
    return _worst("Algorithm 1", seen)


def sampling_of(
    claim: Claim,
    args: Any,
    loader: Any,
    model: nn.Module,
    task: Encoded,
    samples: int,
    steps: int,
    first: "First | None" = None,
) -> Audit:
    """Audit whether the minibatch gradient has the gradient of F as its mean, given the past, as the claim assumes.

    Where `first` says what was there when training began, the audit also checks whether that is there still.
    """
    first = First.of(model, task, loader, samples) if first is None else first
    id = next(each.id for each, word in words_of(claim) if word and word.blamed == "sampling")
    counts = counts_items(model, task)
    drawing = _drawing(args, loader, samples, steps, batches_of(args, loader, counts))
    found = [drawing, *_training(model, task, first)]
    trainer = _trainer()
    # Ways in which it may take other gradients than those of its model's own loss.
    own = [name for name in _STEPS if _is_foreign(getattr(trainer, name, None))]
    if own or getattr(trainer, "compute_loss_func", None) is not None:
        how = "the Trainer computes its loss in a way of its own, which was not held against F"
        found.append(_Seen("assumed", how))
    for name in ("on_pre_optimizer_step", "on_substep_end"):
        found += _acting(name, "between gradient and step")
    optimizer = getattr(trainer, "optimizer", None)
    things = [*model.parameters(), *model.modules(), getattr(optimizer, "optimizer", optimizer)]
    hooks = (hook for x in things for name in _HOOKS for hook in (getattr(x, name, None) or {}).values())
    if any(map(_is_foreign, hooks)):
        found.append(_Seen("assumed", "a hook is given gradients before they are used, and may change them"))
    found += _made_anew(loader, samples, first)
    low, high = int(task.counts.min()), int(task.counts.max())
    if low < high and not (drawing.is_whole and (counts or args.train_batch_size >= samples)):
        how = f"a minibatch's loss is a mean over its tokens, of which samples have from {low} to {high}: a ratio"
        found.append(_Seen("failed", how))
    if getattr(args, "label_smoothing_factor", 0):
        found.append(_Seen("failed", "labels are smoothed, and F is the loss without"))
    return _worst(id, found)


class _Seen(NamedTuple):
    """A finding about training, held against F, and whether each step takes all samples, once."""

    status: Status
    how: str
    is_whole: bool = False


WORST_FIRST: tuple[Status, ...] = ("failed", "assumed", "held")
"""The order of several rows of one hypothesis, of which the first counts."""


def _worst(id: str, found: Sequence[_Seen]) -> Audit:
    """The audit row of the worst of what was seen, and why."""
    status = next(each for each in WORST_FIRST if each in {seen.status for seen in found})
    how = "; ".join(seen.how for seen in found if seen.status == status)
    return Audit(id, "hypothesis", status, None, None, how)


class First(NamedTuple):
    """The state when training began: parameters, the gradient of F near them, and rows as they are collated."""

    values: list[Tensor]
    slope: list[Tensor]
    rows: list[Tensor]

    @classmethod
    def of(cls, model: nn.Module, task: Encoded, loader: Any, samples: int) -> "First":
        """The state as it is now."""
        values = [x.detach().clone() for x in model.parameters() if x.requires_grad]
        few, share = _few(task)
        with _near(model, values) as trained, evaluating(model):
            slope = _slope(share * task.losses(model, few).sum(), trained)
        with undisturbed(loader.dataset, loader.collate_fn):
            return cls(values, slope, _collated(loader, samples))


def _few(task: Encoded) -> tuple[Tensor, float]:
    """Some samples with labels, and what makes the sum of their losses a mean over tokens, as models take it."""
    few = task.counts.nonzero().flatten()[:_FEW]
    return few, task.counts.double().mean().item() / task.counts[few].sum().item()


def _slope(loss: Tensor, trained: Sequence[Tensor]) -> list[Tensor]:
    found = torch.autograd.grad(loss, trained, allow_unused=True)
    return [torch.zeros_like(x) if part is None else part for x, part in zip(trained, found, strict=True)]


def _drawing(args: Any, loader: Any, samples: int, steps: int, batches: Sequence[float]) -> _Seen:
    """Judge whether a minibatch, given the past, is as likely to have one sample as another."""
    sampler, batch = sampler_of(loader), batch_of(args)
    if sampler is None:
        return _Seen("assumed", "how samples are drawn is not known")
    # Of a class that draws in its own way nothing is known.
    is_known = type(sampler).__iter__.__module__.startswith(("torch.", "accelerate."))
    is_random = isinstance(sampler, RandomSampler) and is_known and len(sampler.data_source) == samples
    if is_random and sampler.replacement:
        if args.world_size > 1 and len(sampler) % (args.train_batch_size * args.world_size):
            how = "processes fill up the last minibatch of an epoch with samples that were drawn before"
            return _Seen("failed", how)
        return _Seen("held", "minibatches are drawn uniformly with replacement")
    with undisturbed(sampler):
        is_epoch = is_random or all(sorted(sampler) == list(range(samples)) for _ in range(2))
    if is_epoch and len(batches) == 1 and math.isclose(batches[0], samples):
        return _Seen("held", "each step takes all samples", is_whole=True)
    if is_random and batch >= len(sampler):
        return _Seen("held", "each step draws anew from all samples, uniformly")
    if is_random and steps * batch <= min(len(sampler), samples):
        how = "one pass over samples: unbiased for the mean over all there might be"
        return _Seen("assumed", f"{how}, if they are independent of each other")
    if is_epoch:
        return _Seen("failed", "samples are drawn without replacement, so that given the past the gradient is biased")
    if len({float(x) for x in getattr(sampler, "weights", ())}) > 1:
        return _Seen("failed", "samples are drawn with weights, of which F knows nothing")
    return _Seen("assumed", f"how {type(sampler).__name__} draws samples is not known")


def _training(model: nn.Module, task: Encoded, first: First) -> Iterator[_Seen]:
    """Check that a model trains with F, by the gradients of both losses on a few samples, and that F is what it was."""
    few, share = _few(task)
    # Both without TF32.
    with _near(model, first.values) as trained, evaluating(model):
        model.train()
        is_drawn = draws(lambda: _slope(task.own_loss(model, few), trained), model)
        if is_drawn:
            yield _Seen("failed", "the network trains with dropout, and F is its loss without")
            return
        with undisturbed(model):
            own = _slope(task.own_loss(model, few), trained)
        model.eval()
        plain, thrice = (_slope(scale * share * task.losses(model, few).sum(), trained) for scale in (1.0, 3.0))
    size, off = apart(plain), apart(own, plain)
    # Which the same gradient shows, as it is computed at another scale; models take their loss in single precision.
    rounding = max(apart([3 * x for x in plain], thrice) / 3, torch.finfo(torch.float32).eps * size)
    if not off <= MARGIN * rounding:
        how = f"the network's own loss, as it trains, is not F: its gradient is {off:.2g} off, where F's is {size:.2g}"
        yield _Seen("failed", how)
    elif is_drawn is None:
        how = f"the network draws random numbers while it trains, which changed nothing in {_TIMES} gradients"
        yield _Seen("assumed", how)
    if not apart(plain, first.slope) <= MARGIN * rounding:
        yield _Seen("failed", "F is not what it was: beside what is trained, something in the network was changed")


def _trainer() -> Any:
    """The Trainer that calls: it gives itself to no callback, and is looked for among those that wait for an answer."""
    frame, trainer = inspect.currentframe(), None
    while frame is not None and not hasattr(trainer, "compute_loss"):
        trainer, frame = frame.f_locals.get("self"), frame.f_back
    return trainer if hasattr(trainer, "compute_loss") else None


# What of a Trainer makes a gradient of samples.
_STEPS = ("compute_loss", "training_step", "_prepare_inputs", "_prepare_input", "get_batch_samples", "_clip_grad_norm")
# Where somebody's hooks are that are given gradients.
_HOOKS = ("_backward_hooks", "_backward_pre_hooks", "_post_accumulate_grad_hooks", "_optimizer_step_pre_hooks")
_OWN = ("boundcheck.", "transformers.", "accelerate.", "torch.", "peft.")


def _is_foreign(thing: Any) -> bool:
    """True if a method or hook is from outside the known packages, so that nobody knows what it does."""
    return thing is not None and not (getattr(thing, "__module__", None) or "").startswith(_OWN)


def _acting(event: str, when: str) -> Iterator[_Seen]:
    """Look for callbacks of the calling Trainer, other than those of the known packages, that act at an event."""
    for callback in getattr(getattr(_trainer(), "callback_handler", None), "callbacks", ()):
        if _is_foreign(getattr(callback, event, None)):
            yield _Seen("assumed", f"the callback {type(callback).__name__} acts {when}, and may change it")


def _made_anew(loader: Any, samples: int, first: First) -> Iterator[_Seen]:
    """Check whether samples differ each time that they are made and collated, or from those when training began."""
    is_drawn = draws(lambda: _collated(loader, samples), loader.dataset, loader.collate_fn)
    if is_drawn:
        how = "samples are made anew each time, at random, by the dataset or its collator, and F has them as made once"
        yield _Seen("failed", how)
        return
    if is_drawn is None:
        how = f"the dataset or its collator draws random numbers, which changed nothing in {_TIMES} looks"
        yield _Seen("assumed", how)
    with undisturbed(loader.dataset, loader.collate_fn):
        if apart(first.rows, _collated(loader, samples)):
            yield _Seen("failed", "samples are not what they were when training began")


def _collated(loader: Any, samples: int) -> list[Tensor]:
    """All tensors of some samples, as they come to training."""
    batch = loader.collate_fn([loader.dataset[i] for i in range(0, samples, -(-samples // _ROWS))])
    # One of transformers is a mapping, and no dictionary.
    return [x for x in tree_leaves(dict(batch) if isinstance(batch, Mapping) else batch) if isinstance(x, Tensor)]


@contextmanager
def _near(model: nn.Module, at: Sequence[Tensor]) -> Iterator[Sequence[Tensor]]:
    """Yield the trained parameters, moved near some values; the model is restored at the end, to the last bit.

    At a point where a factor is 0, the loss does not depend on anything drawn on the way to the other.
    """
    modules: list[Any] = list(model.modules())
    modes = [(module, module.training, getattr(module, "gradient_checkpointing", None)) for module in modules]
    buffers = [
        (module._buffers, name, x, x.clone())
        for module in modules
        for name, x in module._buffers.items()
        if x is not None
    ]
    trained: list[Tensor] = [x for x in model.parameters() if x.requires_grad]
    values, seeded = [x.detach().clone() for x in trained], torch.Generator().manual_seed(0)
    try:
        for module, _, checkpoints in modes:
            # What is computed again is the same, and some of it knows `backward` alone.
            if checkpoints:
                module.gradient_checkpointing = False
        with torch.no_grad():
            for x, value in zip(trained, at, strict=True):
                x.copy_(value)
                size = x.square().mean().sqrt().item() / 8 or _NEAR
                x.add_(size * torch.randn(x.shape, generator=seeded).to(x))
        with torch.enable_grad():
            yield trained
    finally:
        with torch.no_grad():
            for x, value in zip(trained, values, strict=True):
                x.copy_(value)
            for kept, name, x, value in buffers:
                kept[name] = x
                x.copy_(value)
        for module, mode, checkpoints in modes:
            module.training = mode
            if checkpoints:
                module.gradient_checkpointing = checkpoints


def sampler_of(loader: Any) -> Any:
    """The sampler of a loader's batches, for all processes together; None where it is not known."""
    # A loader that accelerate has made has another one, of no use, by its own name; and each process a share of it.
    batches: Any = getattr(loader, "batch_sampler", None)
    while hasattr(batches, "batch_sampler"):
        batches = batches.batch_sampler
    # Another may put them together in another way.
    return batches.sampler if type(batches) is BatchSampler else None


def batch_of(args: Any) -> int:
    """The number of samples that a step of the optimizer takes: all of its minibatches, in all processes."""
    return int(args.train_batch_size * args.gradient_accumulation_steps * args.world_size)


def batches_of(args: Any, loader: Any, counts: bool) -> list[float]:
    r"""The number of samples that each step of an epoch counts as: its gradient's variance is one sample's over that.

    The last minibatch may be smaller, and the last step have fewer of them; several processes fill up the last.

    Args:
        args: of the training.
        loader: of its data.
        counts: whether the mean is over all samples of a step. Else it is one of the means of k minibatches, whose
            variance is that over :math:`k^2 / \sum_j 1/m_j` samples.

    """
    drawn, size, accumulated = sampler_of(loader), int(args.train_batch_size), int(args.gradient_accumulation_steps)
    whole, rest = divmod(len(loader.dataset if drawn is None else drawn), size * args.world_size)
    sizes = [size] * (whole * args.world_size)
    if rest and not getattr(args, "dataloader_drop_last", False):
        sizes += [rest] if args.world_size == 1 else [size] * args.world_size
    at_once = accumulated * args.world_size
    steps = [sizes[begin : begin + at_once] for begin in range(0, len(sizes), at_once)]
    return [float(sum(step)) if counts else len(step) ** 2 / sum(1 / each for each in step) for step in steps]


def counts_items(model: Any, task: Encoded) -> bool:
    """True if a model's loss is told how many items a step has, as transformers does, and is a mean over so many.

    Some models are told, and take the mean over a minibatch all the same.
    """
    if not _is_told(model):
        return False
    few = torch.arange(min(task.samples, 2))
    with torch.no_grad(), evaluating(model):
        one, half = (task.own_loss(model, few, num_items_in_batch=count).item() for count in (1, 2))
    return abs(one - 2 * half) < abs(one - half)


def summed_of(args: Any, model: Any, counts: bool) -> list[str]:
    """The objection to a step of several minibatches whose gradients transformers adds up without a mean, if any."""
    base, number = base_of(model), int(args.gradient_accumulation_steps * args.world_size)
    if number == 1 or counts or not _is_told(model):
        return []
    return [
        f"the gradients of the {number} minibatches of a step are added up, of which no mean is taken: "
        f"the loss of {type(base).__name__} leaves out num_items_in_batch"
    ]


def _is_told(model: Any) -> bool:
    """True if transformers tells the loss how many items a step has, and then leaves the mean to it."""
    base = base_of(model)
    taken = inspect.signature(base.forward).parameters.values()
    return bool(getattr(base, "accepts_loss_kwargs", any(each.kind is each.VAR_KEYWORD for each in taken)))


def check_whole(args: Any) -> None:
    """Refuse training in which no process holds the whole model."""
    for name, title in (("deepspeed", "DeepSpeed"), ("fsdp", "FSDP")):
        if getattr(args, name, None):
            raise InputError("training", title, "a whole model in each process, without DeepSpeed and FSDP")


def settings_of(args: Any) -> dict[str, Any]:
    """The arguments of the training that name the run."""
    names = ("learning_rate", "max_steps", "num_train_epochs", "seed", "max_grad_norm", "weight_decay", "warmup_steps")
    found: dict[str, Any] = {name: getattr(args, name, None) for name in names}
    for name, value in (("optim", args.optim), ("schedule", args.lr_scheduler_type)):
        found[name] = str(getattr(value, "value", value))
    return found | {"batch": batch_of(args)}


def draws(make: Callable[[], Sequence[Tensor]], *things: Any) -> bool | None:
    """True if tensors that are made again differ by more than rounding; None where a generator moved all the same.

    They are made from the same state of all generators first, which shows what rounding does where sums have no order.
    Generators of its own may be in `things`.
    """
    with undisturbed(*things):
        again = make()
    with undisturbed(*things) as generators:
        state, first = _moved(generators), make()
        units = [torch.finfo(x.dtype).eps for x in first if x.is_floating_point()]
        allowed = MARGIN * min(apart(first, again), MARGIN * max(units, default=0.0) * apart(first))
        for _ in range(_TIMES):
            if not apart(first, make()) <= allowed:
                return True
            if _moved(generators) == state:
                return False
    return None


def apart(one: Sequence[Tensor], other: Sequence[Tensor] | None = None) -> float:
    """The norm of the difference of two lists of tensors, or of one list; infinity where their shapes differ."""
    if other is None:
        other = [torch.zeros_like(x) for x in one]
    if [x.shape for x in one] != [x.shape for x in other]:
        return math.inf
    pairs = ((x.double(), y.double()) for x, y in zip(one, other, strict=True))
    differences = (torch.where((x == y) | (x.isnan() & y.isnan()), 0.0, x - y) for x, y in pairs)
    return math.hypot(*(torch.linalg.vector_norm(x).item() for x in differences))


@contextmanager
def undisturbed(*things: Any) -> Iterator[list[Any]]:
    """Keep the generators of Python, NumPy and torch, on all devices, and those of some things as they were.

    The things themselves, and what they reach, keep their attributes. The context gives their generators.
    """
    generators, attributes = _reached(things)
    states = [_GENERATORS[type(each)][0](each) for each in generators]
    # NumPy's global generator, which others draw from.
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with torch.random.fork_rng():
            yield generators
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        for generator, state in zip(generators, states, strict=True):
            _GENERATORS[type(generator)][1](generator, state)
        for now, before in attributes:
            if now.keys() != before.keys() or any(now[name] is not value for name, value in before.items()):
                now.clear()
                now.update(before)


def _reached(things: Sequence[Any]) -> tuple[list[Any], list[tuple[dict[str, Any], dict[str, Any]]]]:
    """The generators that things, or the code of their classes, reach; and the attributes of what the things reach."""
    waiting, generators, attributes = list(things), [], []
    # Kept, so that no other object gets a place that was looked at.
    seen: dict[int, Any] = {}
    while waiting:
        x = waiting.pop()
        if isinstance(x, _PLAIN) or id(x) in seen:
            continue
        seen[id(x)] = x
        if type(x) in _GENERATORS:
            generators.append(x)
        elif isinstance(x, FunctionType):
            # Code may call other code, and draw from what stands beside it.
            named = (x.__globals__.get(name) for name in x.__code__.co_names)
            waiting += [each for each in named if isinstance(each, FunctionType) or type(each) in _GENERATORS]
            waiting += [x.__defaults__, x.__kwdefaults__]
            for cell in x.__closure__ or ():
                with suppress(ValueError):
                    waiting.append(cell.cell_contents)
        elif isinstance(x, MethodType):
            waiting += [x.__self__, x.__func__]
        elif isinstance(x, partial):
            waiting += [x.func, x.args, x.keywords]
        elif isinstance(x, Mapping | list | tuple | set):
            waiting += (x.values() if isinstance(x, Mapping) else x) if len(x) <= _LARGEST else ()
        if isinstance(kept := getattr(x, "__dict__", None), dict) and not isinstance(x, FunctionType):
            attributes.append((kept, dict(kept)))
            waiting += kept.values()
            for kind in type(x).__mro__:
                if id(kind) not in seen:
                    seen[id(kind)] = kind
                    waiting += [each for each in vars(kind).values() if isinstance(each, FunctionType)]
    return generators, attributes


# How a generator's state is read, and set.
_GENERATORS: dict[type, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {
    torch.Generator: (torch.Generator.get_state, torch.Generator.set_state),
    np.random.Generator: (lambda x: x.bit_generator.state, lambda x, state: setattr(x.bit_generator, "state", state)),
    np.random.RandomState: (np.random.RandomState.get_state, np.random.RandomState.set_state),
    random.Random: (random.Random.getstate, random.Random.setstate),
}


def _moved(generators: Sequence[Any]) -> str:
    """A hash that changes with the state of any of these generators, and of those of Python, NumPy and torch."""
    cuda, kept = torch.cuda.get_rng_state_all(), [_GENERATORS[type(each)][0](each) for each in generators]
    states = [random.getstate(), np.random.get_state(), torch.get_rng_state(), *cuda, *kept]  # noqa: NPY002
    return joblib.hash([x.numpy() if isinstance(x, Tensor) else x for x in states])
