"""What a run of transformers' Trainer is to a theorem about SGD, and the samples that it is audited on.

Nothing here imports transformers: arguments, optimizers and data loaders are looked at as they come.
"""

import copy
import inspect
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import IterableDataset, RandomSampler, SequentialSampler

from boundcheck.claims import Claim
from boundcheck.errors import InputError
from boundcheck.networks.network import evaluating
from boundcheck.networks.tasks import Encoded, Shape
from boundcheck.words import words_of
from boundcheck.words.hypotheses.evidence import Audit

# What the names of model classes end in, and which of their labels belong to which logits.
_SHAPES: dict[str, Shape] = {
    "ForCausalLM": "next token",
    "LMHeadModel": "next token",
    "ForMaskedLM": "token",
    "ForTokenClassification": "token",
    "ForSequenceClassification": "class",
}


_CROSS_ENTROPY = (None, "single_label_classification")


def shape_of(model: nn.Module) -> Shape:
    """What a model predicts, from the name of its class; raises InputError for one that is not known."""
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

    Raises:
        InputError: for data without a length, or that is only iterated over: its first rows are no uniform sample.

    """
    data = loader.dataset
    # A stream may know its length, and still has no rows.
    if not hasattr(data, "__len__") or isinstance(data, IterableDataset):
        expected = "a dataset with a length and rows by index, to draw the samples of F; write a stream to one"
        raise InputError("train_dataset", type(data).__name__, expected)
    chosen = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))[:count].sort().values
    # A copy, whose own generator, if it has one, may move.
    batch: Mapping[str, Any] = copy.deepcopy(loader.collate_fn)([data[int(i)] for i in chosen])
    tensors = {name: value.to(device) if isinstance(value, Tensor) else value for name, value in batch.items()}
    return Encoded("audit sample", tensors, shape), len(data)


def rules_of(args: Any, optimizer: Any, is_flat: bool, others: Sequence[str] = ()) -> Audit:
    """Whether each step is Algorithm 1's: minus a constant times the minibatch gradient, and nothing else.

    An optimizer knows of no manifold: where the domain is not flat, its steps are none of that gradient.
    """
    inner = getattr(optimizer, "optimizer", optimizer)
    found = []
    if not isinstance(inner, torch.optim.SGD):
        found.append(f"the optimizer is {type(inner).__name__}")
    for name in ("momentum", "weight_decay"):
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
    how = "; ".join(found) or "SGD at a constant step, without momentum, weight decay and clipping"
    return Audit("Algorithm 1", "hypothesis", "failed" if found else "held", None, None, how)


def sampling_of(
    claim: Claim, args: Any, loader: Any, model: nn.Module, task: Encoded, samples: int, steps: int
) -> Audit:
    """Whether the minibatch gradient has the gradient of F as its mean, given the past, as the claim assumes."""
    id = next(each.id for each, word in words_of(claim) if word and word.blamed == "sampling")
    batch = batch_of(args)
    found = []
    sampler = sampler_of(loader)
    replaced = isinstance(sampler, RandomSampler) and sampler.replacement
    one_pass = steps * batch <= samples and not isinstance(sampler, SequentialSampler)
    if not replaced and not one_pass and batch < samples:
        found.append("samples are drawn without replacement, so that given the past the gradient is biased")
    if _draws(model, task):
        found.append("the network trains with dropout, and F is its loss without")
    if task.counts.min() != task.counts.max() and batch < samples:
        low, high = int(task.counts.min()), int(task.counts.max())
        found.append(
            f"a minibatch's loss is a mean over its tokens, of which samples have from {low} to {high}: a ratio"
        )
    if getattr(args, "label_smoothing_factor", 0):
        found.append("labels are smoothed, and F is the loss without")
    if found:
        return Audit(id, "hypothesis", "failed", None, None, "; ".join(found))
    if replaced or batch >= samples:
        return Audit(id, "hypothesis", "held", None, None, "minibatches are drawn uniformly with replacement")
    how = "one pass over samples: unbiased for the mean over all there might be, if they are independent of each other"
    return Audit(id, "hypothesis", "assumed", None, None, how)


def _draws(model: nn.Module, task: Encoded) -> bool:
    """Whether the network draws numbers while it trains: dropout by a module or a function, or layers left out."""
    modes, few = [(module, module.training) for module in model.modules()], torch.arange(min(task.samples, 4))
    kept = [(buffer, buffer.clone()) for buffer in model.buffers()]
    model.train()
    try:
        with torch.no_grad():
            return not torch.equal(*(task.losses(model, few) for _ in range(2)))
    finally:
        for buffer, value in kept:
            buffer.copy_(value)
        for module, mode in modes:
            module.training = mode


def sampler_of(loader: Any) -> Any:
    """What draws the samples of a loader's batches, in all processes together; None where that is not known."""
    # A loader that accelerate has made has another one, of no use, by its own name; and each process a share of it.
    batches: Any = getattr(loader, "batch_sampler", None)
    while hasattr(batches, "batch_sampler"):
        batches = batches.batch_sampler
    return getattr(batches, "sampler", None)


def batch_of(args: Any) -> int:
    """How many samples a step of the optimizer takes: all of its minibatches, in all processes."""
    return int(args.train_batch_size * args.gradient_accumulation_steps * args.world_size)


def batches_of(args: Any, loader: Any, counts: bool) -> list[float]:
    r"""How many samples each step of an epoch counts as: its gradient has the variance of one sample's over so many.

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
    """Whether a model's loss is told of how many items a step has, as transformers does, and is a mean over so many.

    There are models that are told, and take the mean of a minibatch all the same.
    """
    if not _is_told(model):
        return False
    few = torch.arange(min(task.samples, 2))
    with torch.no_grad(), evaluating(model):
        one, half = (task.own_loss(model, few, num_items_in_batch=count).item() for count in (1, 2))
    return abs(one - 2 * half) < abs(one - half)


def summed_of(args: Any, model: Any, counts: bool) -> list[str]:
    """What is wrong with a step of several minibatches whose gradients transformers adds up, and takes no mean of."""
    base, number = base_of(model), int(args.gradient_accumulation_steps * args.world_size)
    if number == 1 or counts or not _is_told(model):
        return []
    return [
        f"the gradients of the {number} minibatches of a step are added up, of which no mean is taken: "
        f"the loss of {type(base).__name__} leaves out num_items_in_batch"
    ]


def _is_told(model: Any) -> bool:
    """Whether transformers tells the loss of how many items a step has, and then leaves the mean to it."""
    base = base_of(model)
    taken = inspect.signature(base.forward).parameters.values()
    return bool(getattr(base, "accepts_loss_kwargs", any(each.kind is each.VAR_KEYWORD for each in taken)))


def check_whole(args: Any) -> None:
    """Refuse training of which no process holds all of the model."""
    for name, title in (("deepspeed", "DeepSpeed"), ("fsdp", "FSDP")):
        if getattr(args, name, None):
            raise InputError("training", title, "a whole model in each process, without DeepSpeed and FSDP")


def unwrapped(model: Any) -> Any:
    """The model itself, and not what spreads its gradients over processes: to look at it waits for no other process."""
    return model.module if isinstance(model, nn.parallel.DistributedDataParallel) else model


def settings_of(args: Any) -> dict[str, Any]:
    """What of the arguments names the run."""
    names = ("learning_rate", "max_steps", "num_train_epochs", "seed", "max_grad_norm", "weight_decay", "warmup_steps")
    found: dict[str, Any] = {name: getattr(args, name, None) for name in names}
    for name, value in (("optim", args.optim), ("schedule", args.lr_scheduler_type)):
        found[name] = str(getattr(value, "value", value))
    return found | {"batch": batch_of(args)}


@contextmanager
def undisturbed() -> Iterator[None]:
    """Leave the random generators of Python, NumPy and torch as they were, on all devices."""
    # NumPy's global generator, which others draw from.
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
