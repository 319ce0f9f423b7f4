"""The gradient ratio of a stock Trainer, with AdamW at 5e-5, against the same weights and rows in
double precision."""

import copy
from itertools import pairwise

import pytest
import torch

from .small import of_peft, transformer
from .trained import CLASSIFIER, TARGETS, causal_rows, data_of, lora, recorded, recording, train

pytestmark = [of_peft, pytest.mark.full]

STEPS = 6


def keeping(models):
    """A callback that copies the model before the first step and after each, in double
    precision."""
    from transformers import TrainerCallback

    class Keeping(TrainerCallback):
        def on_train_begin(self, args, state, control, **given):
            models.append(copy.deepcopy(given["model"]).double().eval())

        on_step_end = on_train_begin

    return Keeping()


def in_double(model, rows):
    """The trained parameters, and the gradient in them of the mean over rows of each row's mean
    cross-entropy."""
    losses = []
    for row in rows:
        given = {name: torch.tensor([value]) for name, value in row.items() if name != "labels"}
        logits = model(**given).logits[0]
        labels = torch.tensor(row["labels"])
        if labels.ndim:
            logits = logits[:-1]
            labels = labels[1:]
        losses.append(
            torch.nn.functional.cross_entropy(
                logits.reshape(-1, logits.shape[-1]), labels.reshape(-1)
            )
        )
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    found = torch.autograd.grad(torch.stack(losses).mean(), trained)
    v, g = (torch.cat([x.detach().flatten() for x in parts]) for parts in (trained, found))
    return v, g


# Of their stock settings dropout is left on.
@pytest.mark.parametrize("family", TARGETS)
def test_it_is_that_of_double_precision_within_its_rounding(family, tmp_path):
    name = {"Bert": CLASSIFIER, "GPT2": "GPT2LMHeadModel"}.get(family, f"{family}ForCausalLM")
    rows = data_of(8) if family == "Bert" else causal_rows([6] * 8)
    models = []
    callback = recording(tmp_path, every=1, samples=100)
    model = lora(name, transformer(name), modules_to_save=None, r=4, lora_alpha=8)
    train(
        tmp_path,
        callback,
        model,
        rows,
        max_steps=STEPS,
        callbacks=[keeping(models)],
        learning_rate=5e-5,
    )
    _, trace = recorded(callback)
    seen, error = (trace[each].values[0] for each in ("gradient_ratio", "gradient_ratio_error"))
    ends = [in_double(each, rows) for each in models]
    true = [((h - g).norm() / (w - v).norm()).item() for (v, g), (w, h) in pairwise(ends)]
    for ratio, off, exact in zip(seen, error, true, strict=True):
        assert abs(ratio - exact) <= off
    # It says something at each step, where the descent curvature says nothing.
    assert (error < 0.1 * seen).all()
    assert (trace["path_smoothness"].values < trace["path_smoothness_error"].values).all()
