"""Samples of texts are those of one call of the tokenizer; losses and hits on them are those of a
loop."""

import json

import pytest
import torch
from torch import nn

from boundcheck.functions.arithmetic import seeded
from boundcheck.functions.networks import bridge, corpora
from boundcheck.functions.networks.bridge import PretrainedSpec
from boundcheck.functions.networks.corpora import IGNORED, Encoded
from boundcheck.functions.networks.gpt import Windows
from tests.experiment.small import refused
from tests.layers import full

from .small import gpt, of_peft, saved, transformer

pytestmark = of_peft


LINES = [
    {"text": " ".join(f"w{i * k % 20}" for k in range(i % 11)), "label": "bab"[i % 3]}
    for i in range(60)
]


@full
@pytest.mark.parametrize(
    "task, text",
    [
        ("causal", "rows.jsonl"),
        ("causal", "text.txt"),
        ("classification", "rows.jsonl"),
        ("classification", "bare.jsonl"),
    ],
)
def test_encoded_samples_are_those_of_one_call(task, text, tmp_path, monkeypatch):
    """Of a text that is encoded piece by piece too."""
    from transformers import AutoTokenizer

    path = tmp_path / text
    lines = (
        ["w1 w2 w3\nw4 w5"] * 5000 if text == "text.txt" else [json.dumps(line) for line in LINES]
    )
    path.write_text("\n".join(lines))
    folder = saved(
        tmp_path / "model",
        "GPT2LMHeadModel" if task == "causal" else "BertForSequenceClassification",
    )
    table = PretrainedSpec(
        kind="pretrained",
        path=str(folder),
        task=task,
        text=str(path),
        length=8,
        samples=40,
        held_out=9,
        seed=2,
    )
    if text == "bare.jsonl":
        # A tokenizer that gives no mask, as FNet's.
        config = folder / "tokenizer_config.json"
        config.write_text(
            json.dumps(json.loads(config.read_text()) | {"model_input_names": ["input_ids"]})
        )
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    if text == "text.txt":
        ids = torch.tensor(
            tokenizer(corpora.split(path.read_text())[0], add_special_tokens=False)["input_ids"]
        )
        pieces = ids[: len(ids) // 8 * 8].view(-1, 8)
        chosen = pieces[torch.randperm(len(pieces), generator=seeded(2))[:40]]
        expected = {
            "input_ids": chosen,
            "attention_mask": torch.ones_like(chosen),
            "labels": chosen,
        }
    else:
        order = torch.randperm(60, generator=seeded(2))[:40].tolist()
        texts = [LINES[i]["text"] for i in order]
        expected = dict(
            tokenizer(texts, padding=True, truncation=True, max_length=8, return_tensors="pt")
        )
        if task == "classification":
            expected["labels"] = torch.tensor(["ab".index(LINES[i]["label"]) for i in order])
        else:
            expected["labels"] = expected["input_ids"].masked_fill(
                expected["attention_mask"] == 0, -100
            )
    naive = Encoded("train", expected, "class" if task == "classification" else "next token")
    monkeypatch.setattr(bridge, "_PIECE", 10_000)
    found = table.load("cpu").task
    assert naive._inputs.keys() == found._inputs.keys()
    for one, other in (
        (naive.labels, found.labels),
        *((x, found._inputs[key]) for key, x in naive._inputs.items()),
    ):
        assert torch.equal(one, other)
    assert naive._mean == found._mean


LENGTHS = (6, 3, 5, 2)


def padded(n=4, seed=1):
    """Texts of several lengths, padded on the right."""
    ids = torch.zeros(n, 6, dtype=torch.int64)
    mask = torch.zeros(n, 6, dtype=torch.int64)
    for row, length in enumerate(LENGTHS[:n]):
        ids[row, :length] = torch.randint(3, 30, (length,), generator=seeded(seed + row))
        mask[row, :length] = 1
    return {"input_ids": ids, "attention_mask": mask}


def causal():
    batch = padded()
    return batch | {"labels": batch["input_ids"].masked_fill(batch["attention_mask"] == 0, IGNORED)}


def masked():
    """About half of the tokens are to be predicted; of the last text not one."""
    batch = causal()
    hidden = torch.rand(4, 6, generator=seeded(3)) < 0.5
    hidden[-1] = False
    return batch | {"labels": batch["labels"].masked_fill(~hidden, IGNORED)}


def tagged():
    batch = causal()
    return batch | {
        "labels": batch["labels"].where(batch["labels"] == IGNORED, batch["labels"] % 3)
    }


def classified():
    return padded() | {"labels": torch.tensor([0, 2, 1, 2])}


THREE = {"num_labels": 3}
# A model of transformers, its options, a minibatch, and where its labels are.
CASES = {
    "GPT-2": ("GPT2LMHeadModel", {}, causal(), "next token"),
    "Llama": ("LlamaForCausalLM", {}, causal(), "next token"),
    "masked BERT": ("BertForMaskedLM", {}, masked(), "token"),
    "tagging BERT": ("BertForTokenClassification", THREE, tagged(), "token"),
    "classifying BERT": ("BertForSequenceClassification", THREE, classified(), "class"),
    "classifying Llama": (
        "LlamaForSequenceClassification",
        THREE | {"pad_token_id": 0},
        classified(),
        "class",
    ),
}
each_case = pytest.mark.parametrize("case", CASES)


def model_of(case):
    name, options, *_ = CASES[case]
    return transformer(name, **options)


def task_of(case):
    return Encoded(case, CASES[case][2], CASES[case][3])


def everything(task):
    return torch.arange(task.samples)


def by_loop(case, logits):
    """Losses and hits of each sample, token by token."""
    labels = CASES[case][2]["labels"]
    shape = CASES[case][3]
    sums = []
    counts = []
    right = []
    for row in range(4):
        if shape == "class":
            pairs = [(logits[row], labels[row])]
        elif shape == "next token":
            pairs = [(logits[row, i], labels[row, i + 1]) for i in range(5)]
        else:
            pairs = [(logits[row, i], labels[row, i]) for i in range(6)]
        pairs = [(scores, label) for scores, label in pairs if label != IGNORED]
        sums.append(
            sum(-(scores[label] - scores.exp().sum().log()).item() for scores, label in pairs)
        )
        right.append(sum(int(scores.argmax() == label) for scores, label in pairs))
        counts.append(len(pairs))
    mean = sum(counts) / 4
    return [x / mean for x in sums], [x / max(n, 1) for x, n in zip(right, counts, strict=True)]


@full
@each_case
def test_losses_and_hits_are_those_of_a_loop_in_float64_whoever_goes_with_a_sample(case):
    model = model_of(case).double()
    task = task_of(case)
    inputs = {name: x for name, x in CASES[case][2].items() if name != "labels"}
    losses, hits = by_loop(case, model(**inputs).logits)
    found = task.losses(model, everything(task))
    assert found.dtype == torch.float64
    # The mean is the loss of the model itself, but for what that rounds to float32.
    assert found.mean().item() == pytest.approx(model(**CASES[case][2]).loss.item(), rel=2e-5)
    torch.testing.assert_close(
        found, torch.tensor(losses, dtype=torch.float64), rtol=1e-12, atol=1e-14
    )
    torch.testing.assert_close(
        task.hits(model, everything(task)), torch.tensor(hits, dtype=torch.float64)
    )
    for chosen in ([2], [3, 0], [1, 1, 3]):
        part = task.losses(model, torch.tensor(chosen))
        torch.testing.assert_close(part, found[chosen], rtol=1e-12, atol=1e-14)
    # A text alone has the loss that it has padded.
    for row, length in enumerate(LENGTHS):
        alone = {
            name: x[row : row + 1, :length] if x.ndim == 2 else x[row : row + 1]
            for name, x in CASES[case][2].items()
        }
        if not task.counts[row]:
            assert found[row] == 0
            continue
        share = task.counts[row] / task.counts.double().mean()
        single = Encoded("alone", alone, CASES[case][3]).losses(model, torch.tensor([0]))[0]
        torch.testing.assert_close(found[row], single * share, rtol=1e-9, atol=1e-12)


def test_counts_are_the_labels_that_are_to_be_predicted():
    assert task_of("GPT-2").counts.tolist() == [length - 1 for length in LENGTHS]
    assert task_of("tagging BERT").counts.tolist() == list(LENGTHS)
    assert task_of("masked BERT").counts.tolist() == (masked()["labels"] != IGNORED).sum(1).tolist()
    assert task_of("classifying BERT").counts.tolist() == [1] * 4


@full
def test_what_is_not_a_sample_each_is_no_input_of_the_model():
    model = model_of("classifying BERT").double()
    others = {
        "names": ["a", "b", "c", "d"],
        "weights": torch.ones(7),
        "num_items_in_batch": torch.tensor(4),
    }
    found = Encoded("more", classified() | others, "class").losses(model, torch.arange(4))
    task = task_of("classifying BERT")
    assert torch.equal(found, task.losses(model, everything(task)))


@pytest.mark.parametrize(
    "labels, shape",
    [
        (None, "class"),
        (torch.full((4, 6), IGNORED), "token"),
        # The first token is predicted from nothing.
        (torch.full((4, 6), IGNORED).index_fill(1, torch.tensor([0]), 3), "next token"),
    ],
)
def test_without_labels_there_is_no_task(labels, shape):
    batch = padded() | ({} if labels is None else {"labels": labels})
    assert refused(Encoded, "none", batch, shape).field == "labels"


def test_windows_of_the_gpt_are_predicted_but_for_their_first_token():
    model = gpt()
    ids = torch.randint(7, (3, 7), generator=seeded(1))
    task = Windows("windows", ids)
    logits = model(ids[:, :-1])
    expected = [
        sum(-logits[i, j].log_softmax(0)[ids[i, j + 1]].item() for j in range(6)) / 6
        for i in range(3)
    ]
    found = task.losses(model, torch.tensor([2, 0, 1]))
    torch.testing.assert_close(
        found, torch.tensor([expected[i] for i in (2, 0, 1)], dtype=torch.float64)
    )
    assert task.hits(model, torch.tensor([1])).item() == pytest.approx(
        sum(int(logits[1, j].argmax() == ids[1, j + 1]) for j in range(6)) / 6
    )
    assert isinstance(model, nn.Module)
