"""What the callback says of a training beside Algorithm 1: its steps, its minibatches, and what is
drawn at random."""

import random
from copy import deepcopy
from functools import partial
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    WeightedRandomSampler,
)

from boundcheck.experiment.spec import about_any_step
from boundcheck.experiment.steps import Finding
from boundcheck.experiment.training import collated, draws, sampling_of, undisturbed
from boundcheck.functions.arithmetic import seeded
from boundcheck.functions.networks.corpora import Encoded
from tests.experiment.small import refused
from tests.layers import full, sampled

from . import trained
from .small import of_peft, tokenizer, transformer
from .trained import (
    DRY,
    SGD,
    audit_named,
    causal_rows,
    data_of,
    lora,
    recorded,
    recording,
    replaced,
    train,
)

pytestmark = [of_peft, full]


def sgd(model, alike=True, **options):
    """An optimizer for a Trainer; if not alike, half of what is trained has twice the step."""
    weights = trained_of(model)
    half = len(weights) // 2
    groups = [{"params": weights[:half]}, {"params": weights[half:], "lr": 0.05 if alike else 0.1}]
    made = torch.optim.SGD(groups, lr=0.05, **options)
    return made, torch.optim.lr_scheduler.LambdaLR(made, lambda t: 1.0)


# By what a run is given, whether its steps are those of Algorithm 1: by what they are, whatever was
# set.
STEPS_OF = {
    "plain": ({}, "held"),
    "a bound on gradients that none reaches": ({"max_grad_norm": 1e9}, "held"),
    "a schedule that changes nothing": (
        {"lr_scheduler_type": "constant_with_warmup", "warmup_steps": 0},
        "held",
    ),
    "clipped": ({"max_grad_norm": 1e-2}, "failed"),
    "linear": ({"lr_scheduler_type": "linear"}, "failed"),
    "AdamW": ({"optim": "adamw_torch"}, "failed"),
}
OPTIMIZERS = {
    "fused": ({"fused": True}, "held"),
    "momentum": ({"momentum": 0.9}, "failed"),
    "weight decay": ({"weight_decay": 0.1}, "failed"),
    "upward": ({"maximize": True}, "failed"),
    "two step sizes": ({"alike": False}, "failed"),
}


@pytest.mark.parametrize("name", [*STEPS_OF, *OPTIMIZERS])
def test_a_step_is_judged_by_what_it_is(name, tmp_path):
    data = data_of()
    model = lora()
    callback = recording(tmp_path, every=50)
    options, status = (STEPS_OF | OPTIMIZERS)[name]
    if name in OPTIMIZERS:
        options = {"optimizers": sgd(model, **options)}
    train(tmp_path, callback, model, data, replaced(data), **SGD | {"max_steps": 3} | options)
    found = audit_named(recorded(callback)[0], "Algorithm 1")
    assert (found.status, found.hypothesis) == (status, "Algorithm 1"), found.how
    # A failure names the step where it shows.
    assert ("3 of 3 steps" if status == "held" else "step ") in found.how


class Lopsided(RandomSampler):
    """Calls itself uniform, and draws the first samples alone."""

    def __iter__(self):
        return (index % 3 for index in super().__iter__())


def said_of(loader, task, **changes):
    args = trained.args_of(**changes)
    rows = collated(loader, 8)
    seen = Finding("held", "")
    return sampling_of(
        about_any_step(), args, loader, task, 8, 9, counts=False, rows=rows, gradients=seen
    )


def test_a_sampler_that_is_not_known_is_not_held():
    """Which the loader has not, or calls itself uniform; a Trainer would put another in its
    place."""
    task = Encoded("", trained.collated(data_of(8)), "class")
    for sampler, size in (
        (Lopsided(range(8), replacement=True), 3),
        (Lopsided(range(8)), 8),
        (None, 3),
    ):
        loader = DataLoader(range(8), batch_size=3, sampler=sampler)
        if sampler is None:
            loader = SimpleNamespace(dataset=range(8), collate_fn=loader.collate_fn)
        found = said_of(loader, task, train_batch_size=size)
        assert found.status == "assumed"
        assert found.hypothesis == "meft.unbiased"
        assert "not known" in found.how


def test_samples_without_labels_are_passed_over():
    task = Encoded("task", trained.collated(causal_rows([1, 1, 1, 1, 1, 6, 6, 6])), "next token")
    loader = DataLoader(range(8), batch_size=3, sampler=RandomSampler(range(8), replacement=True))
    found = said_of(loader, task)
    assert found.status == "failed"
    assert "from 0 to 5: a ratio" in found.how


@pytest.mark.parametrize(
    "share, status", [(1.0, "held"), (0.5, "failed")], ids=["constant", "falling"]
)
def test_step_and_schedule_are_those_of_the_optimizer(share, status, tmp_path):
    """Which need not be made from the arguments."""
    data = data_of()
    model = lora()
    callback = recording(tmp_path, every=1)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.2)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: share**t)
    train(
        tmp_path,
        callback,
        model,
        data,
        replaced(data),
        optimizers=(optimizer, schedule),
        **SGD,
        max_steps=3,
    )
    result, _ = recorded(callback)
    assert audit_named(result, "Algorithm 1").status == status
    assert share < 1 or result.plan.values["alpha"] == 0.2


def trained_of(model):
    return [x for x in model.parameters() if x.requires_grad]


def shrink(model, optimizer):
    for x in trained_of(model):
        x.data.mul_(0.9)


def freeze(model, optimizer):
    for name, x in model.named_parameters():
        x.requires_grad_(x.requires_grad and "lora_A" not in name)


def scale(model, optimizer):
    for module in model.modules():
        if hasattr(module, "set_scale"):
            module.set_scale("default", 7.0)


def add_noise(model, optimizer):
    for x in trained_of(model):
        x.grad.add_(torch.randn_like(x))


def thaw(model, optimizer):
    for name, x in model.named_parameters():
        x.requires_grad_(x.requires_grad or "pooler" in name)


def drop(model, optimizer):
    for x in model.modules():
        if isinstance(x, nn.Dropout):
            x.p = 0.5


def move_frozen(model, optimizer):
    for x in model.parameters():
        x.data.mul_(1.0 if x.requires_grad else 1.1)


def longer(model, optimizer):
    optimizer.param_groups[-1].update(lr=0.1)


def perturb(model, optimizer):
    model.kept = [x.data.clone() for x in trained_of(model)]
    for x in trained_of(model):
        x.data.add_(0.1)


def restore(model, optimizer):
    for x, value in zip(trained_of(model), model.kept, strict=True):
        x.data.copy_(value)


def patch(model, optimizer):
    step = optimizer.optimizer.step

    def patched(*given, **options):
        found = step(*given, **options)
        shrink(model, optimizer)
        return found

    optimizer.step = patched


def shrink_after(model, optimizer):
    optimizer.optimizer.register_step_post_hook(lambda *_: shrink(model, optimizer))


def copy(model, optimizer):
    deepcopy(model)
    torch.save(model, BytesIO())


def double(model, optimizer):
    for x in trained_of(model):
        x.register_hook(lambda gradient: 2 * gradient)


def probe(model, optimizer):
    """Losses somewhere else, of which one is gone back through."""
    given = trained.collated(data_of(2))
    model(**given)
    torch.autograd.grad(model(**given).loss, trained_of(model), allow_unused=True)


STEPS = "Algorithm 1"
DRAWS = "meft.unbiased"
# What somebody's callback does at events, of which hypothesis it is against, and what is said of
# that.
ACTS = {
    "nothing at all": ({"on_substep_end": lambda *_: None}, STEPS, "held"),
    "a look without a gradient, and copies": ({"on_step_begin": copy}, STEPS, "held"),
    "a gradient of its own": ({"on_step_begin": probe}, STEPS, "assumed"),
    "noise on gradients": ({"on_pre_optimizer_step": add_noise}, STEPS, "failed"),
    "less after the optimizer": ({"on_optimizer_step": shrink}, STEPS, "failed"),
    "less after the step": ({"on_step_end": shrink}, STEPS, "failed"),
    "less before the step": ({"on_step_begin": shrink}, STEPS, "failed"),
    "a hook after the optimizer": ({"on_step_begin": shrink_after}, STEPS, "failed"),
    "another step of the optimizer": ({"on_step_begin": patch}, STEPS, "failed"),
    "moved for the gradient alone": (
        {"on_step_begin": perturb, "on_pre_optimizer_step": restore},
        STEPS,
        "failed",
    ),
    "another step size of some": ({"on_step_begin": longer}, STEPS, "failed"),
    "frozen": ({"on_step_begin": freeze}, STEPS, "failed"),
    "thawed": ({"on_step_begin": thaw}, STEPS, "failed"),
    "dropout": ({"on_step_begin": drop}, DRAWS, "failed"),
    "another scale": ({"on_step_end": scale}, DRAWS, "failed"),
    "other frozen weights": ({"on_step_end": move_frozen}, DRAWS, "failed"),
    "a hook that doubles gradients": ({"on_step_begin": double}, DRAWS, "failed"),
}


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "last"])
@pytest.mark.parametrize("name", ACTS)
def test_what_others_do_while_a_network_trains_is_seen(name, is_first, tmp_path):
    """It begins at the second step; and training comes out as without a record, to the last bit."""
    from transformers import TrainerCallback

    events, hypothesis, status = ACTS[name]

    def made(act):
        def acts(self, args, state, control, **given):
            if state.global_step == 1:
                act(given["model"], given["optimizer"])

        return acts

    kind = type("Acts", (TrainerCallback,), {event: made(act) for event, act in events.items()})
    data = data_of()
    ends = []
    callback = recording(tmp_path, every=1, samples=100)
    for each in ([], [callback]):
        callbacks = [*each, kind()] if is_first else [kind(), *each]
        options = {"callbacks": callbacks, "max_steps": 3, **SGD}
        ends.append(train(tmp_path, None, lora(), data, replaced(data), **options))
    one, other = (each.model.state_dict() for each in ends)
    assert all(torch.equal(one[name], other[name]) for name in one)
    flags = [[x.requires_grad for x in each.model.parameters()] for each in ends]
    assert flags[0] == flags[1]
    found = audit_named(recorded(callback)[0], hypothesis)
    assert found.status == status, found.how


def test_dropout_between_looks_is_seen(tmp_path):
    """A network in another mode is looked at in that step, and what was not seen is assumed."""
    from transformers import TrainerCallback

    class Dropping(TrainerCallback):
        def on_step_begin(self, args, state, control, **given):
            for x in given["model"].modules():
                if isinstance(x, nn.Dropout):
                    x.p = 0.5 * (state.global_step == 2)

    data = data_of()
    for others, status in (([], "assumed"), ([Dropping()], "failed")):
        callback = recording(tmp_path, every=50, samples=100)
        train(tmp_path, callback, lora(), data, replaced(data), callbacks=others, **SGD)
        found = audit_named(recorded(callback)[0], "meft.unbiased")
        assert found.status == status
        assert ("1 of 6 steps" if not others else "step 3") in found.how


@pytest.mark.parametrize(
    "options",
    [
        {"gradient_accumulation_steps": 2, "per_device_train_batch_size": 2},
        {"bf16": True},
        {"weights": torch.bfloat16},
        {"save_strategy": "steps", "eval_strategy": "steps", "save_steps": 2, "eval_steps": 2}
        | {"load_best_model_at_end": True, "logging_strategy": "steps", "logging_steps": 1},
    ],
    ids=["accumulated", "mixed", "bfloat16", "evaluated"],
)
def test_plain_training_is_algorithm_1_however_it_is_computed(options, tmp_path):
    """Llama's loss is told how many items a step has, so that accumulated gradients are a mean."""
    from transformers import EarlyStoppingCallback

    options = dict(options)
    base = transformer("LlamaForCausalLM").to(options.pop("weights", torch.float32))
    model = lora("LlamaForCausalLM", base)
    data = causal_rows([6] * 8)
    kind = replaced(causal_rows([6] * 8))
    if "eval_strategy" in options:
        kind, options["callbacks"] = partial(kind, eval_dataset=data), [EarlyStoppingCallback(5)]
    callback = recording(tmp_path, every=1, samples=100)
    train(tmp_path, callback, model, data, kind, **SGD | options)
    result, _ = recorded(callback)
    assert [audit_named(result, name).status for name in ("Algorithm 1", "meft.unbiased")] == [
        "held",
        "held",
    ]


GENERATOR = torch.Generator()
NUMPY = np.random.default_rng(0)


def sampling(folder, make, data=data_of, kind=replaced, **options):
    """What the callback says of the sampling, after a look at whether training came out as without
    it."""
    ends = []
    collator = options.pop("data_collator", None)
    options = SGD | {"max_steps": 4} | options
    for callback in (None, recording(folder, every=1, samples=100)):
        GENERATOR.manual_seed(0)
        NUMPY.bit_generator.state = np.random.default_rng(0).bit_generator.state
        rows = data()
        own = {} if collator is None else {"data_collator": collator()}
        ends.append(
            train(folder, callback, make(), rows, kind(rows), **options | own).model.state_dict()
        )
    one, other = ends
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert any(not torch.equal(x, one[name]) for name, x in make().state_dict().items())
    return audit_named(recorded(callback)[0], "meft.unbiased")


class Normed(nn.Module):
    """A part that couples a minibatch while it trains, and draws nothing."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner
        self.register_buffer("seen", torch.zeros(16))

    def forward(self, x):
        found = self.inner(x)
        if self.training:
            self.seen = 0.9 * self.seen + 0.1 * found.detach().mean(0)
        return found - (found.mean(0) if self.training else self.seen)


class Random(nn.Module):
    """A part that draws in some way while it trains."""

    def __init__(self, inner, draw):
        super().__init__()
        self.inner = inner
        self.draw = draw

    def forward(self, x):
        found = self.inner(x)
        return found * (1 + 0.1 * self.draw()) if self.training else found


def with_pooler(change):
    model = transformer(trained.CLASSIFIER, **DRY["Bert"])
    model.bert.pooler.activation = change(model.bert.pooler.activation)
    return lora(base=model)


def with_own_loss(change):
    """A model whose own loss has something more."""
    model = transformer(trained.CLASSIFIER, **DRY["Bert"])

    class OwnForSequenceClassification(type(model)):
        def forward(self, input_ids=None, attention_mask=None, labels=None, **options):
            found = super().forward(input_ids, attention_mask, labels=labels, **options)
            if found.loss is not None:
                found.loss = change(found)
            return found

    model.__class__ = OwnForSequenceClassification
    return lora(base=model)


NETWORKS = {
    # At the start B is 0, and no loss changes.
    "lora_dropout": lambda: lora(lora_dropout=0.1),
    "lora_dropout of DoRA": lambda: lora(lora_dropout=0.1, use_dora=True),
    "lora_dropout with rsLoRA": lambda: lora(lora_dropout=0.1, use_rslora=True),
    "dropout of embeddings": lambda: lora(config={"hidden_dropout_prob": 0.1}),
    "dropout of attention": lambda: lora(config={"attention_probs_dropout_prob": 0.2}),
    "dropout of a classifier": lambda: lora(config={"classifier_dropout": 0.2}),
    "a generator of NumPy": lambda: with_pooler(lambda inner: Random(inner, NUMPY.random)),
    "a generator of torch": lambda: with_pooler(
        lambda inner: Random(inner, lambda: float(torch.rand((), generator=GENERATOR)))
    ),
    "Python's generator": lambda: with_pooler(lambda inner: Random(inner, random.random)),
    "seldom": lambda: with_pooler(
        lambda inner: Random(inner, lambda: float(torch.rand(()) < 1e-9))
    ),
    "batch norm": lambda: with_pooler(Normed),
    "a term beside cross-entropy": lambda: with_own_loss(
        lambda x: x.loss + 0.01 * x.logits.square().mean()
    ),
    "a sum": lambda: with_own_loss(lambda x: 3 * x.loss),
}


# By what trains, is trained on, or draws: the arguments of `sampling`, and the status and the words
# that it has.
SAID = {
    # Each step was compared, and drawing changed none.
    name: ({"make": make}, "held" if name == "seldom" else "failed", "")
    for name, make in NETWORKS.items()
}


# GPT-2's loss is told of one token too many in each text, and DoRA of peft leaves out a part.
@pytest.mark.parametrize(
    "name, options, status",
    [
        ("BertForSequenceClassification", {}, "held"),
        ("LlamaForCausalLM", {}, "held"),
        ("LlamaForCausalLM", {"use_dora": True}, "failed"),
        ("GPT2LMHeadModel", {}, "failed"),
    ],
)
def test_the_gradient_of_a_network_that_draws_nothing_is_that_of_f(name, options, status, tmp_path):
    data = data_of if name.startswith("Bert") else lambda: causal_rows([6] * 10)
    found = sampling(tmp_path, lambda: lora(name, **options), data)
    assert found.status == status, found.how
    assert name != "GPT2LMHeadModel" or "0.8333 times that of F" in found.how


@pytest.mark.parametrize(
    "checkpointing", [{"use_reentrant": True}, {"use_reentrant": False}], ids=str
)
def test_what_is_computed_again_on_the_way_back_is_looked_at(checkpointing, tmp_path):
    def computed_again(**options):
        model = lora(**options)
        model.activation_checkpointing_enable(checkpointing)
        return model

    assert sampling(tmp_path, lambda: computed_again(lora_dropout=0.1)).status == "failed"
    assert sampling(tmp_path / "without", computed_again).status == "held"


def llama():
    return lora("LlamaForCausalLM")


EMBEDDED = {"make": llama, "data": lambda: causal_rows([6] * 10), "neftune_noise_alpha": 5}
SAID["noise on embeddings"] = (EMBEDDED, "failed", "")


class Drawn(Dataset[Any]):
    """Rows of which one token is another each time."""

    def __init__(self, draw=None):
        self.rows, self.draw, self.count = data_of(), draw or self.token, 0

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        self.count += 1
        row = self.rows[index]
        return row | {"input_ids": [self.draw(), *row["input_ids"][1:]]}

    def token(self):
        """By how many were asked for before."""
        return 3 + self.count % 20


class Late(Drawn):
    """With a generator that is made with the first of the rows."""

    own: np.random.Generator | None = None

    def token(self):
        self.own = self.own or np.random.default_rng(1)
        return int(self.own.integers(3, 30))


def defaulting(generator):
    def token(own=generator):
        return own.randint(3, 29)

    return token


ROWS = {
    "torch": lambda: Drawn(lambda: int(torch.randint(3, 30, ()))),
    "torch's own": lambda: Drawn(lambda: int(torch.randint(3, 30, (), generator=GENERATOR))),
    "Python": lambda: Drawn(lambda: random.randint(3, 29)),
    "Python's own": lambda: Drawn(partial(random.Random(3).randint, 3, 29)),
    "one in a default": lambda: Drawn(defaulting(random.Random(3))),
    "NumPy": lambda: Drawn(lambda: int(np.random.randint(3, 30))),  # noqa: NPY002
    "NumPy's own": lambda: Drawn(lambda: int(NUMPY.integers(3, 30))),
    "a count": Drawn,
    "made late": Late,
}


SAID |= {
    f"rows by {name}": ({"make": lora, "data": data}, "failed", "") for name, data in ROWS.items()
}


def unlabelled():
    return [{name: row[name] for name in ("input_ids", "attention_mask")} for row in data_of()]


def masking(**options):
    from transformers import DataCollatorForLanguageModeling

    made = tokenizer(pad_token="<pad>", mask_token="w1", cls_token="w2", sep_token="w3")
    return DataCollatorForLanguageModeling(made, mlm_probability=0.4, **options)


class Cutting:
    """A collator that cuts its rows somewhere."""

    def __call__(self, rows):
        cut = int(torch.randint(2, 6, ()))
        return {
            name: torch.tensor([row[name][:cut] if name != "labels" else row[name] for row in rows])
            for name in rows[0]
        }


class Later:
    """A collator that has other labels after some minibatches, and draws nothing."""

    def __init__(self):
        self.count = 0

    def __call__(self, rows):
        self.count += 1
        batch = trained.collated(rows)
        return batch | {"labels": 1 - batch["labels"] if self.count > 3 else batch["labels"]}


COLLATORS = {
    "masked": (lambda: lora("BertForMaskedLM"), unlabelled, masking, "made anew"),
    "masked from a seed": (
        lambda: lora("BertForMaskedLM"),
        unlabelled,
        lambda: masking(seed=3),
        "made anew",
    ),
    "cut": (lora, data_of, Cutting, "made anew"),
    # A look puts back how many there were, and has at most three in between.
    "later": (lora, data_of, Later, ""),
}


for name, (make, data, collator, words) in COLLATORS.items():
    SAID[f"a collator, {name}"] = (
        {"make": make, "data": data, "data_collator": collator},
        "failed",
        words,
    )


def test_a_collator_that_packs_samples_is_refused(tmp_path):
    from transformers import DataCollatorWithFlattening

    packing = {"data_collator": DataCollatorWithFlattening()}
    rows, model = causal_rows([6] * 10), lora("LlamaForCausalLM")
    assert (
        refused(lambda: train(tmp_path, recording(tmp_path), model, rows, **packing)).field
        == "data_collator"
    )


def drawing(make):
    """Trainers with a sampler of their own."""

    def kind(data):
        from transformers import Trainer

        class Own(Trainer):
            def _get_train_sampler(self, train_dataset=None):
                return make(data)

        return Own

    return kind


class Stubborn(Sampler[int]):
    """One sample, again and again."""

    def __iter__(self):
        return iter([0] * 10)

    def __len__(self):
        return 10


def grouped(data):
    from transformers.trainer_pt_utils import LengthGroupedSampler

    return LengthGroupedSampler(3, dataset=data, generator=seeded(0))


def uniform(data):
    return RandomSampler(data, replacement=True)


def weighted(data):
    return WeightedRandomSampler(torch.arange(1.0, 11), 10)


WHOLE = {"per_device_train_batch_size": 10}
ONCE = {"max_steps": 3}
HALVES = {"per_device_train_batch_size": 5, "gradient_accumulation_steps": 2}
BY_4 = {
    "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 3,
    "dataloader_drop_last": True,
}
SAMPLERS = {
    "uniform": (uniform, {}, "held"),
    "uniform, rests dropped": (uniform, {"dataloader_drop_last": True}, "held"),
    "whole": (RandomSampler, WHOLE, "held"),
    "once": (RandomSampler, ONCE, "assumed"),
    "of the first": (lambda data: uniform(data[:5]), {}, "assumed"),
    "one": (lambda data: Stubborn(), WHOLE, "assumed"),
    "smoothed labels": (uniform, {"label_smoothing_factor": 0.1}, "failed"),
    "weighted": (weighted, {}, "failed"),
    "weighted, in whole batches": (weighted, WHOLE, "failed"),
    "by length": (grouped, {}, "failed"),
    "by length, once": (grouped, ONCE, "failed"),
    "in order": (SequentialSampler, ONCE, "failed"),
    "in order and whole": (SequentialSampler, WHOLE, "held"),
    # BERT takes any keyword, so the Trainer leaves it to BERT to take the mean of two minibatches,
    # and BERT does not.
    "in order and in halves": (SequentialSampler, HALVES, "failed"),
    "in order, the rest dropped": (SequentialSampler, BY_4, "failed"),
}


for name, (make, options, status) in SAMPLERS.items():
    # More steps than an epoch has.
    SAID[f"drawn {name}"] = (
        {"make": lora, "kind": drawing(make), "max_steps": 6} | options,
        status,
        "",
    )
# Also in minibatches as large as all.
LENGTHS = {"data": lambda: causal_rows([6, 3, 5, 4, 6, 2, 6, 6]), "per_device_train_batch_size": 8}
SAID["tokens of several lengths"] = (
    {"make": llama, "kind": drawing(uniform)} | LENGTHS,
    "failed",
    "a ratio",
)


class Pairs(BatchSampler):
    """Draws uniformly, and then takes the first of them alone."""

    def __iter__(self):
        for batch in super().__iter__():
            yield batch[:1] * 3


def in_pairs(data):
    from transformers import Trainer

    class Own(Trainer):
        def get_train_dataloader(self):
            batches = Pairs(RandomSampler(data, replacement=True), 3, False)
            return self.accelerator.prepare(
                DataLoader(data, batch_sampler=batches, collate_fn=self.data_collator)
            )

    return Own


def focal(outputs, labels, num_items_in_batch=None):
    found = nn.functional.cross_entropy(outputs.logits, labels, reduction="none")
    return ((1 - (-found).exp()) * found).mean()


def focused(data):
    # Mypy knows no class that a function makes.
    class Own(replaced(data)):
        def compute_loss(self, model, inputs, *arguments, **options):
            labels = inputs.pop("labels")
            return focal(model(**inputs), labels)

    return Own


def relabelled(data):
    # As above.
    class Own(replaced(data)):
        def _prepare_inputs(self, inputs):
            found = super()._prepare_inputs(inputs)
            return {**found, "labels": 0 * found["labels"]}

    return Own


KINDS = {
    "batches of pairs": in_pairs,
    "a loss of the Trainer's class": focused,
    "a loss as its option": lambda data: partial(replaced(data), compute_loss_func=focal),
    "inputs of its own": relabelled,
}
SAID |= {
    name: ({"make": lora, "kind": kind}, "assumed" if kind is in_pairs else "failed", "")
    for name, kind in KINDS.items()
}


@sampled(3)
@pytest.mark.parametrize("name", SAID)
def test_sampling_is_held_where_a_step_has_the_gradient_of_f_as_its_mean_alone(name, tmp_path):
    arguments, status, words = SAID[name]
    found = sampling(tmp_path, **arguments)
    assert found.status == status, found.how
    assert words in found.how


@pytest.mark.parametrize(
    "make, found",
    [
        (lambda: [torch.ones(3)], False),
        (lambda: [torch.full((3,), float("nan"))], False),
        (lambda: [torch.full((3,), float("inf"))], False),
        (lambda: [torch.tensor([True, False])], False),
        (list, False),
        (lambda: [torch.rand(3)], True),
        (lambda: [torch.randint(0, 9, (64,))], True),
        (lambda: [torch.zeros(int(torch.randint(0, 1000, ())))], True),
        # Drawn, and of no effect.
        (lambda: [0 * torch.rand(3)], None),
        (lambda: [torch.zeros(3) * random.random() * NUMPY.random()], None),
    ],
)
def test_whether_tensors_are_drawn(make, found):
    assert draws(make, make) is found


def test_everything_that_draws_is_left_as_it_was():
    class Owner:
        def __init__(self):
            self.inner = {
                "torch": torch.Generator(),
                "list": [random.Random(1), np.random.RandomState(2)],
            }
            self.count = 0

        def draw(self):
            self.count += 1
            one, two = self.inner["list"]
            drawn = torch.rand((), generator=self.inner["torch"])
            return [
                float(drawn),
                one.random(),
                two.rand(),
                NUMPY.random(),
                float(torch.rand(())),
                random.random(),
            ]

    owner = Owner()
    with undisturbed(owner):
        first = owner.draw()
    with undisturbed(owner.draw):
        assert owner.draw() == first
    assert owner.count == 0
    assert owner.draw() == first
    assert owner.draw() != first
