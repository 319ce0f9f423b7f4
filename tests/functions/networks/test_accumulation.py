"""A step of several minibatches, in one process or two, is one of the optimizer: the same as that
of one large one."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from boundcheck.experiment.training import batches_of, counts_items
from boundcheck.functions.networks.corpora import Encoded

from .small import flat, of_peft
from .trained import (
    SGD,
    audit_named,
    causal_rows,
    collated,
    data_of,
    lora,
    recorded,
    recording,
    stock,
    train,
)

pytestmark = [of_peft, pytest.mark.full]

# Of one epoch the sizes of minibatches, and how many each step takes.
EPOCHS = st.tuples(st.integers(1, 40), st.integers(1, 7), st.integers(1, 4))


@given(EPOCHS, st.booleans())
def test_a_step_counts_as_many_samples_as_its_variance_says(epoch, counts):
    """By the weights of its samples: with w_i the variance of their mean is that of one times the
    sum of w_i²."""
    samples, size, accumulated = epoch
    args = SimpleNamespace(
        train_batch_size=size, gradient_accumulation_steps=accumulated, world_size=1
    )
    loader = DataLoader(range(samples), batch_size=size)
    sizes = [len(batch) for batch in loader]
    expected = []
    while sizes:
        step = sizes[:accumulated]
        sizes = sizes[accumulated:]
        each = [1 / sum(step) if counts else 1 / (len(step) * m) for m in step for _ in range(m)]
        expected.append(1 / sum(w * w for w in each))
    assert batches_of(args, loader, counts) == pytest.approx(expected, rel=1e-12)
    # Several processes fill up their last minibatches.
    args = SimpleNamespace(train_batch_size=2, gradient_accumulation_steps=2, world_size=2)
    assert batches_of(args, DataLoader(range(11), batch_size=2), counts=True) == [8.0, 4.0]


def test_who_takes_the_mean_over_a_step_is_found_by_what_the_loss_does():
    told = stock("GPT2LMHeadModel")
    alone = stock()
    causal, classes = (
        Encoded("task", collated(rows), shape)
        for rows, shape in ((causal_rows([6] * 4), "next token"), (data_of(4), "class"))
    )
    assert counts_items(told, causal)
    assert not counts_items(alone, classes)


@pytest.mark.parametrize(
    "lengths", [[6] * 8, [6, 3, 5, 4, 6, 2, 6, 6]], ids=["equal", "of several lengths"]
)
def test_accumulated_minibatches_are_one_large_one(lengths, tmp_path):
    data = causal_rows(lengths)
    found = []
    for size, accumulated in ((4, 1), (2, 2), (1, 4)):
        callback = recording(tmp_path / str(size), every=1, samples=100)
        options = SGD | {
            "per_device_train_batch_size": size,
            "gradient_accumulation_steps": accumulated,
        }
        trainer = train(tmp_path, callback, lora("GPT2LMHeadModel"), data, max_steps=3, **options)
        result, trace = recorded(callback)
        assert result.plan.batch == 4
        assert audit_named(result, "Algorithm 1").status == "held"
        found.append((flat(trainer.model.parameters()), trace))
    for parameters, trace in found[1:]:
        torch.testing.assert_close(parameters, found[0][0], rtol=1e-4, atol=1e-6)
        for name in ("loss", "gradient_square_norm", "noise_variance", "step_length"):
            np.testing.assert_allclose(trace[name].values, found[0][1][name].values, rtol=1e-3)


def test_a_step_that_adds_up_is_not_one_of_algorithm_1(tmp_path):
    """The loss of BERT's classifier leaves out how many there are, and transformers then takes no
    mean.

    So the gradient is that of no mean of samples.
    """
    data = data_of(8)
    lengths = []
    for size, accumulated in ((4, 1), (2, 2)):
        callback = recording(tmp_path / str(size), every=1, samples=100)
        options = SGD | {
            "per_device_train_batch_size": size,
            "gradient_accumulation_steps": accumulated,
        }
        train(tmp_path, callback, lora(), data, max_steps=1, **options)
        result, trace = recorded(callback)
        sampling = audit_named(result, "meft.unbiased")
        lengths.append(trace["step_length"].values[0, 0])
        summed = "2 times that of F" in sampling.how
        # What is said is what was done.
        assert summed == (accumulated > 1 and lengths[1] / lengths[0] > 1.5)


def test_a_smaller_last_minibatch_has_more_noise(tmp_path):
    callback = recording(tmp_path, every=1, samples=100)
    train(tmp_path, callback, lora(), data_of(), max_steps=4, **SGD)
    _, trace = recorded(callback)
    noise = trace["noise_variance"].values[0]
    # Of ten samples, three at a time, the fourth step has one: three times the variance of the
    # third.
    assert noise[3] / noise[2] == pytest.approx(3, rel=0.2)


ALIKE = SGD | {"gradient_accumulation_steps": 2, "max_steps": 4}
NAMES = ("time", "loss", "noise_variance", "step_length")


def trained(folder, size):
    """What this process knows after a training with minibatches of this size in each."""
    callback = recording(folder, every=2, samples=100)
    rows = causal_rows([6] * 8)
    options = ALIKE | {"per_device_train_batch_size": size}
    trainer = train(folder, callback, lora("GPT2LMHeadModel"), rows, **options)
    found = {
        "rank": trainer.args.process_index,
        "parameters": flat(trainer.model.parameters()).tolist(),
    }
    if callback.result is not None:
        result, trace = recorded(callback)
        found |= {"rules": audit_named(result, "Algorithm 1").status, "batch": result.plan.batch}
        found |= {"trace": {name: trace[name].values.tolist() for name in NAMES}}
    return found


_OF_TWO = """
import json, sys
from pathlib import Path
from tests.functions.networks.test_accumulation import trained

found = trained(Path(sys.argv[1]), 1)
(Path(sys.argv[1]) / f"{found['rank']}.json").write_text(json.dumps(found))
"""


def test_two_processes_are_one_with_the_same_minibatches(tmp_path):
    """Under gloo on loopback: the first records, neither waits for the other in vain, and all is as
    in one process."""
    script = tmp_path / "train.py"
    script.write_text(_OF_TWO, encoding="utf-8")
    port = f"--master-port={29500 + os.getpid() % 1000}"
    launch = ["torch.distributed.run", "--nproc-per-node=2", "--master-addr=127.0.0.1", port]
    command = [sys.executable, "-m", *launch, str(script), str(tmp_path)]
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=500)
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = (
        json.loads((tmp_path / f"{rank}.json").read_text(encoding="utf-8")) for rank in range(2)
    )
    one = trained(tmp_path / "one", 2)
    assert "trace" in first
    assert "trace" not in second
    assert one["batch"] == 4
    assert first["batch"] == 4
    # The gradients of the other process are not seen before they are averaged.
    assert one["rules"] == "held"
    assert first["rules"] == "assumed"
    assert first["parameters"] == second["parameters"]
    np.testing.assert_allclose(first["parameters"], one["parameters"], rtol=1e-4, atol=1e-6)
    for name, values in one["trace"].items():
        np.testing.assert_allclose(first["trace"][name], values, rtol=1e-3)
