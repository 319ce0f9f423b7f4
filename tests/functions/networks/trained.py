"""What tests of the callback train: small models and data, a Trainer as a stock script has it, and
its record."""

from types import SimpleNamespace

import numpy as np
import torch
from torch.utils.data import RandomSampler

import boundcheck as bc
from boundcheck.experiment.store import finished

from .small import seeded, transformer

SGD = {"optim": "sgd", "lr_scheduler_type": "constant", "max_grad_norm": 0.0, "learning_rate": 0.05}
# By family, what leaves out the dropout of a model; Llama has none.
DRY = {
    "Bert": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
    "GPT2": {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0},
}
TARGETS = {
    "Bert": ["query", "value"],
    "GPT2": ["c_attn"],
    "GPTNeoX": ["query_key_value"],
    "Llama": ["q_proj"],
    "OPT": ["q_proj", "v_proj"],
}
CLASSIFIER = "BertForSequenceClassification"


def data_of(count=10):
    """Texts of six tokens, of two classes."""
    random = np.random.default_rng(0)
    return [
        {
            "input_ids": random.integers(3, 30, 6).tolist(),
            "attention_mask": [1] * 6,
            "labels": i % 2,
        }
        for i in range(count)
    ]


def lora(name=CLASSIFIER, base=None, config=None, **options):
    """A small model with LoRA of peft, and its head where it has one; without dropout but where it
    is asked for."""
    from peft import LoraConfig, get_peft_model

    family = next(each for each in TARGETS if name.startswith(each))
    model = transformer(name, **DRY.get(family, {}) | (config or {})) if base is None else base
    made = {
        "r": 2,
        "lora_alpha": 4,
        "target_modules": TARGETS[family],
        "fan_in_fan_out": family == "GPT2",
    }
    made["modules_to_save"] = ["classifier"] if name == CLASSIFIER else None
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return get_peft_model(model, LoraConfig(**made | options))


def stock(name=CLASSIFIER, **config):
    """The same with dropout everywhere, as it is by default."""
    return lora(name, transformer(name, **config), lora_dropout=0.1)


def replaced(data):
    """A Trainer that draws each minibatch from all samples."""
    from transformers import Trainer

    class WithReplacement(Trainer):
        def _get_train_sampler(self, train_dataset=None):
            return RandomSampler(data, replacement=True, generator=seeded(0))

    return WithReplacement


def train(folder, callback, model, data, kind=None, **options):
    """Train as a stock script does; what is no argument of training is one of the Trainer."""
    from transformers import Trainer, TrainingArguments

    names = ("callbacks", "data_collator", "optimizers", "resume")
    given = {name: options.pop(name) for name in names if name in options}
    resume = given.pop("resume", None)
    defaults = {"max_steps": 6, "per_device_train_batch_size": 3, "seed": 3}
    defaults |= dict.fromkeys(("save_strategy", "logging_strategy"), "no")
    args = TrainingArguments(
        output_dir=str(folder / "out"),
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
        use_cpu=not options.pop("cuda", False),
        **defaults | options,
    )
    callbacks = [*given.pop("callbacks", ()), *([] if callback is None else [callback])]
    trainer = (kind or Trainer)(
        model=model, args=args, train_dataset=data, callbacks=callbacks, **given
    )
    trainer.train(resume_from_checkpoint=resume)
    return trainer


def recording(folder, **options):
    return bc.BoundcheckCallback(
        runs=folder / "runs", report=False, **{"every": 2, "samples": 8} | options
    )


def recorded(callback):
    result = callback.result
    assert result is not None
    stored, trace = finished(callback.runs / result.run_id)
    assert stored == result
    return result, trace


def audit_named(result, hypothesis):
    (found,) = (each for each in result.audit if each.hypothesis == hypothesis)
    return found


def args_of(**changes):
    defaults = {
        "train_batch_size": 3,
        "gradient_accumulation_steps": 1,
        "world_size": 1,
        "lr_scheduler_type": SimpleNamespace(value="constant"),
        "max_grad_norm": 0.0,
        "label_smoothing_factor": 0.0,
    }
    return SimpleNamespace(**defaults | changes)


def collated(rows):
    return {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}


def causal_rows(lengths):
    rows = []
    for place, length in enumerate(lengths):
        ids = torch.randint(3, 30, (length,), generator=seeded(place)).tolist() + [0] * (6 - length)
        mask = [1] * length + [0] * (6 - length)
        labels = [x if m else -100 for x, m in zip(ids, mask, strict=True)]
        rows.append({"input_ids": ids, "attention_mask": mask, "labels": labels})
    return rows


def begun(runs, model, **changes):
    """A callback that was told what a Trainer tells it when training begins."""
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    args = args_of(
        **{"world_size": 1, "deepspeed": None, "learning_rate": 0.1, "optim": "sgd", "seed": 0}
        | changes
    )
    callback = bc.BoundcheckCallback(runs=runs, report=False)
    callback.on_train_begin(
        args,
        SimpleNamespace(max_steps=4, global_step=0, is_world_process_zero=True),
        None,
        model=model,
        optimizer=optimizer,
        lr_scheduler=None,
        train_dataloader=SimpleNamespace(dataset=data_of(), collate_fn=collated, sampler=None),
    )
    return callback
