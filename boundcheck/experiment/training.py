"""A run of transformers' Trainer, audited for a theorem about SGD, and the samples that it is
audited on.

Whether something that training computes is drawn at random is tested: made twice, it differs.

Nothing here imports transformers: arguments, optimizers and data loaders are looked at as they
come.
"""

import inspect
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

import joblib
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves
from torch.utils.data import BatchSampler, IterableDataset, RandomSampler

from boundcheck.errors import InputError
from boundcheck.experiment.steps import Finding, apart, worst
from boundcheck.functions.arithmetic import seeded
from boundcheck.functions.checks import MARGIN
from boundcheck.functions.networks.corpora import Encoded, Shape
from boundcheck.functions.networks.network import evaluating
from boundcheck.language.claim import Claim
from boundcheck.language.evidence import Audit
from boundcheck.language.sentence import words_of

# What the names of model classes end in, and which of their labels belong to which logits.
_SHAPES: dict[str, Shape] = {
    "ForCausalLM": "next token",
    "LMHeadModel": "next token",
    "ForMaskedLM": "token",
    "ForTokenClassification": "token",
    "ForSequenceClassification": "class",
}


# Samples that are made again.
_ROWS = 32
_CROSS_ENTROPY = (None, "single_label_classification")
# How often something is made whose generators move while it stays the same.
_TIMES = 16
# Containers that are looked into for generators: larger ones are data.
_LARGEST = 1024
_PLAIN = (str, bytes, int, float, complex, type(None), type, ModuleType, Tensor, np.ndarray)


def shape_of(model: nn.Module) -> Shape:
    """The kind of a model's predictions, from the name of its class; raises InputError for one that
    is not known.
    """
    name = type(base_of(model)).__name__
    config = getattr(base_of(model), "config", None)
    other = (
        getattr(config, "num_labels", 2) == 1
        or getattr(config, "problem_type", None) not in _CROSS_ENTROPY
    )
    for ending, shape in _SHAPES.items():
        if name.endswith(ending):
            if shape == "class" and other:
                raise InputError(
                    "model", name, "a classifier of single labels, whose loss is cross-entropy"
                )
            return shape
    raise InputError("model", name, f"a model whose class ends in {', '.join(_SHAPES)}")


def base_of(model: Any) -> Any:
    """The model that peft wraps, or the model itself."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def audit_sample(
    loader: Any, count: int, seed: int, shape: Shape, device: torch.device
) -> tuple[Encoded, int]:
    """Samples drawn uniformly from the training data, collated as for training, and how many there
    are in all.

    Raises InputError for data without a length, or that is only iterated over: its first rows are
    no uniform sample; and for a collator that packs samples.
    """
    data = loader.dataset
    # A stream may know its length, and still has no rows.
    if not hasattr(data, "__len__") or isinstance(data, IterableDataset):
        raise InputError(
            "train_dataset",
            type(data).__name__,
            "a dataset with a length and rows by index, to draw the samples of F; write a stream"
            " to one",
        )
    chosen = torch.randperm(len(data), generator=seeded(seed))[:count].sort().values
    with undisturbed(data, loader.collate_fn):
        batch: Mapping[str, Any] = loader.collate_fn([data[int(i)] for i in chosen])
    tensors = {
        name: value.to(device) if isinstance(value, Tensor) else value
        for name, value in batch.items()
    }
    task = Encoded("audit sample", tensors, shape)
    if task.samples != len(chosen):
        given = f"{task.samples} rows of {len(chosen)} samples"
        raise InputError(
            "data_collator", given, "one that makes a row of each sample, without packing them"
        )
    return task, len(data)


def sampling_of(
    claim: Claim,
    args: Any,
    loader: Any,
    task: Encoded,
    samples: int,
    steps: int,
    *,
    counts: bool,
    rows: Sequence[Tensor],
    gradients: Finding,
) -> Audit:
    """Audit whether the minibatch gradient has the gradient of F as its mean, given the past.

    Args:
        claim: assumes it.
        args: of the training.
        loader: of its data.
        task: the samples that are looked at.
        samples: how many the training data has.
        steps: of the training.
        counts: whether the loss is a mean over all items of a step.
        rows: samples as they were collated when training began.
        gradients: whether the gradient of each step was that of F on its samples.

    """
    id = next(each.id for each, word in words_of(claim) if word and word.blamed == "sampling")
    drawing = _drawing(args, loader, samples, steps, batches_of(args, loader, counts))
    found = [drawing, gradients, *_made_anew(loader, samples, rows)]
    low = int(task.counts.min())
    high = int(task.counts.max())
    is_one_mean = drawing.is_whole and (counts or args.train_batch_size >= samples)
    if low < high and not is_one_mean:
        how = (
            f"a minibatch's loss is a mean over its tokens, of which samples have from {low} to"
            f" {high}: a ratio"
        )
        found.append(Finding("failed", how))
    return worst(id, found)


def _drawing(args: Any, loader: Any, samples: int, steps: int, batches: Sequence[float]) -> Finding:
    """Judge whether a minibatch, given the past, is as likely to have one sample as another."""
    sampler = sampler_of(loader)
    batch = batch_of(args)
    if sampler is None:
        return Finding("assumed", "how samples are drawn is not known")
    # Of a class that draws in its own way nothing is known.
    is_known = type(sampler).__iter__.__module__.startswith(("torch.", "accelerate."))
    is_random = (
        isinstance(sampler, RandomSampler) and is_known and len(sampler.data_source) == samples
    )
    if is_random and sampler.replacement:
        if args.world_size > 1 and len(sampler) % (args.train_batch_size * args.world_size):
            how = (
                "processes fill up the last minibatch of an epoch with samples that were drawn"
                " before"
            )
            return Finding("failed", how)
        return Finding("held", "minibatches are drawn uniformly with replacement")
    with undisturbed(sampler):
        is_epoch = is_random or all(sorted(sampler) == list(range(samples)) for _ in range(2))
    if is_epoch and len(batches) == 1 and math.isclose(batches[0], samples):
        return Finding("held", "each step takes all samples", is_whole=True)
    if is_random and batch >= len(sampler):
        return Finding("held", "each step draws anew from all samples, uniformly")
    if is_random and steps * batch <= min(len(sampler), samples):
        how = "one pass over samples: unbiased for the mean over all there might be"
        return Finding("assumed", f"{how}, if they are independent of each other")
    if is_epoch:
        return Finding(
            "failed",
            "samples are drawn without replacement, so that given the past the gradient is biased",
        )
    if len({float(x) for x in getattr(sampler, "weights", ())}) > 1:
        return Finding("failed", "samples are drawn with weights, of which F knows nothing")
    return Finding("assumed", f"how {type(sampler).__name__} draws samples is not known")


def _made_anew(loader: Any, samples: int, first: Sequence[Tensor]) -> Iterator[Finding]:
    """Check whether samples differ each time that they are made and collated, or from those when
    training began.
    """
    is_drawn = draws(lambda: collated(loader, samples), loader.dataset, loader.collate_fn)
    if is_drawn:
        how = (
            "samples are made anew each time, at random, by the dataset or its collator, and F has"
            " them as made once"
        )
        yield Finding("failed", how)
        return
    if is_drawn is None:
        how = (
            f"the dataset or its collator draws random numbers, which changed nothing in {_TIMES}"
            " looks"
        )
        yield Finding("assumed", how)
    with undisturbed(loader.dataset, loader.collate_fn):
        if apart(first, collated(loader, samples)):
            yield Finding("failed", "samples are not what they were when training began")


def collated(loader: Any, samples: int) -> list[Tensor]:
    """All tensors of some samples, as they come to training."""
    batch = loader.collate_fn([loader.dataset[i] for i in range(0, samples, -(-samples // _ROWS))])
    # One of transformers is a mapping, and no dictionary.
    return [
        x
        for x in tree_leaves(dict(batch) if isinstance(batch, Mapping) else batch)
        if isinstance(x, Tensor)
    ]


def sampler_of(loader: Any) -> Any:
    """The sampler of a loader's batches, for all processes together; None where it is not known."""
    # A loader that accelerate has made has another one, of no use, by its own name; and each
    # process a share of it.
    batches: Any = getattr(loader, "batch_sampler", None)
    while hasattr(batches, "batch_sampler"):
        batches = batches.batch_sampler
    # Another may put them together in another way.
    return batches.sampler if type(batches) is BatchSampler else None


def batch_of(args: Any) -> int:
    """The number of samples that a step of the optimizer takes: all of its minibatches, in all
    processes.
    """
    return int(args.train_batch_size * args.gradient_accumulation_steps * args.world_size)


def batches_of(args: Any, loader: Any, counts: bool) -> list[float]:
    r"""The number of samples that each step of an epoch counts as: its gradient's variance is one
    sample's over that.

    The last minibatch may be smaller, and the last step have fewer of them; several processes fill
    up the last.

    Args:
        args: of the training.
        loader: of its data.
        counts: whether the mean is over all samples of a step. Else it is one of the means of k
            minibatches, whose variance is that over :math:`k^2 / \sum_j 1/m_j` samples.

    """
    drawn = sampler_of(loader)
    size = int(args.train_batch_size)
    accumulated = int(args.gradient_accumulation_steps)
    whole, rest = divmod(len(loader.dataset if drawn is None else drawn), size * args.world_size)
    sizes = [size] * (whole * args.world_size)
    if rest and not getattr(args, "dataloader_drop_last", False):
        sizes += [rest] if args.world_size == 1 else [size] * args.world_size
    at_once = accumulated * args.world_size
    steps = [sizes[begin : begin + at_once] for begin in range(0, len(sizes), at_once)]
    return [
        float(sum(step)) if counts else len(step) ** 2 / sum(1 / each for each in step)
        for step in steps
    ]


def counts_items(model: Any, task: Encoded) -> bool:
    """True if a model's loss is told how many items a step has, as transformers does, and is a mean
    over so many.

    Some models are told, and take the mean over a minibatch all the same.
    """
    if not _is_told(model):
        return False
    few = torch.arange(min(task.samples, 2))
    with torch.no_grad(), evaluating(model):
        one, half = (task.own_loss(model, few, num_items_in_batch=count).item() for count in (1, 2))
    return abs(one - 2 * half) < abs(one - half)


def _is_told(model: Any) -> bool:
    """True if transformers tells the loss how many items a step has, and then leaves the mean to
    it.
    """
    base = base_of(model)
    taken = inspect.signature(base.forward).parameters.values()
    return bool(
        getattr(base, "accepts_loss_kwargs", any(each.kind is each.VAR_KEYWORD for each in taken))
    )


def check_whole(args: Any) -> None:
    """Refuse training in which no process holds the whole model."""
    for name, title in (("deepspeed", "DeepSpeed"), ("fsdp", "FSDP")):
        if getattr(args, name, None):
            raise InputError(
                "training", title, "a whole model in each process, without DeepSpeed and FSDP"
            )


def settings_of(args: Any) -> dict[str, Any]:
    """The arguments of the training that name the run."""
    names = (
        "learning_rate",
        "max_steps",
        "num_train_epochs",
        "seed",
        "max_grad_norm",
        "weight_decay",
        "warmup_steps",
    )
    found: dict[str, Any] = {name: getattr(args, name, None) for name in names}
    for name, value in (("optim", args.optim), ("schedule", args.lr_scheduler_type)):
        found[name] = str(getattr(value, "value", value))
    return found | {"batch": batch_of(args)}


def draws(make: Callable[[], Sequence[Tensor]], *things: Any) -> bool | None:
    """True if tensors that are made again differ by more than rounding; None where a generator
    moved all the same.

    They are made from the same state of all generators first, which shows what rounding does where
    sums have no order. Generators of its own may be in `things`.
    """
    with undisturbed(*things):
        again = make()
    with undisturbed(*things) as generators:
        state = _moved(generators)
        first = make()
        units = [torch.finfo(x.dtype).eps for x in first if x.is_floating_point()]
        allowed = MARGIN * min(apart(first, again), MARGIN * max(units, default=0.0) * apart(first))
        for _ in range(_TIMES):
            if not apart(first, make()) <= allowed:
                return True
            if _moved(generators) == state:
                return False
    return None


@contextmanager
def undisturbed(*things: Any) -> Iterator[list[Any]]:
    """Keep the generators of Python, NumPy and torch, on all devices, and those of some things as
    they were.

    The things themselves, and what they reach, keep their attributes. The context gives their
    generators.
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
            if now.keys() != before.keys() or any(
                now[name] is not value for name, value in before.items()
            ):
                now.clear()
                now.update(before)


def _reached(
    things: Sequence[Any],
) -> tuple[list[Any], list[tuple[dict[str, Any], dict[str, Any]]]]:
    """The generators that things, or the code of their classes, reach; and the attributes of what
    the things reach.
    """
    waiting = list(things)
    generators = []
    attributes = []
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
            waiting += [
                each
                for each in named
                if isinstance(each, FunctionType) or type(each) in _GENERATORS
            ]
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
        if isinstance(kept := getattr(x, "__dict__", None), dict) and not isinstance(
            x, FunctionType
        ):
            attributes.append((kept, dict(kept)))
            waiting += kept.values()
            for kind in type(x).__mro__:
                if id(kind) not in seen:
                    seen[id(kind)] = kind
                    waiting += [
                        each for each in vars(kind).values() if isinstance(each, FunctionType)
                    ]
    return generators, attributes


# How a generator's state is read, and set.
_GENERATORS: dict[type, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {
    torch.Generator: (torch.Generator.get_state, torch.Generator.set_state),
    np.random.Generator: (
        lambda x: x.bit_generator.state,
        lambda x, state: setattr(x.bit_generator, "state", state),
    ),
    np.random.RandomState: (np.random.RandomState.get_state, np.random.RandomState.set_state),
    random.Random: (random.Random.getstate, random.Random.setstate),
}


def _moved(generators: Sequence[Any]) -> str:
    """A hash that changes with the state of any of these generators, and of those of Python, NumPy
    and torch.
    """
    cuda = torch.cuda.get_rng_state_all()
    kept = [_GENERATORS[type(each)][0](each) for each in generators]
    states = [
        random.getstate(),
        np.random.get_state(),  # noqa: NPY002
        torch.get_rng_state(),
        *cuda,
        *kept,
    ]
    return joblib.hash([x.numpy() if isinstance(x, Tensor) else x for x in states])
