"""Sound inputs of each kind, to be spoilt: boundcheck reads each of them in no time."""

import json
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import sympy as sp
import torch

from boundcheck.experiment import measure
from boundcheck.functions.adapters import LoRA
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantity
from boundcheck.language.symbols import L, Lhat, Parameter
from boundcheck.language.vocabulary import FrobeniusNorm, SpectralNorm
from boundcheck.worst_case import falsify
from boundcheck.worst_case.relation import Assignment
from boundcheck.worst_case.search import Search
from boundcheck.worst_case.short_run import ShortRun

_HUBER = {"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 8, "noise": 0.5}
_LORA = {"kind": "lora", "rank": 2}
SPECS: tuple[dict[str, Any], ...] = (
    {
        "claim": "meft.theorem2_repaired",
        "seed": 1,
        "problem": _HUBER,
        "adapter": _LORA,
        "domain": {"a": 2.6, "b": 1.9},
        "run": {"zeta": 1.8, "batch": 2, "replicas": 6, "steps": 110, "audits": 22, "level": 0.9},
    },
    {
        "claim": "jiang2024.theorem2",
        "lipschitz": "sqrt(r) sigma",
        "problem": {"kind": "least-squares", "d": 3, "k": 3, "samples": 6},
        "adapter": {"kind": "lora", "rank": 2, "scale": "16/r", "gain": 0.5},
        "assume": {"L": 2.5, "bound": "bound/2.5", "T_min": "4*Lhat*D/zeta**2"},
        "run": {"steps": "informative", "batch": "balanced", "sampling": "without replacement"},
    },
    {
        "claim": "ghadimi2013.corollary2_2",
        "problem": {"kind": "extremal", "d": 3, "k": 3, "L": 2.0, "G": 1.5},
        "adapter": {"kind": "frozen-a", "rank": 1, "start": "lora"},
        "run": {"steps": "informative", "zeta": 0.5},
    },
    {
        "claim": "meft.theorem2_any_step",
        "problem": {"kind": "hard", "steps": 40, "ratio": 0.05},
        "adapter": {"kind": "lora", "rank": 2, "start": "diagonal", "gain": 128.0},
        "domain": {"a": 129.0, "b": 129.0},
        "run": {"step_size": 0.01, "steps": "informative", "batch": 1, "zeta": 1.0},
    },
    {
        "claim": "meft.lemma1_sharp",
        "problem": {"kind": "logistic", "data": "breast-cancer"},
        "adapter": {"kind": "lora", "rank": 1},
        "domain": {"a": 1.5, "b": 2.0},
        "bracket": {"pairs": 64, "iterates": 16, "points": 4, "ascents": 3, "rounds": 8, "looks": 2},
    },
    {
        "claim": "meft.dora",
        "problem": {"kind": "readout", "components": 4},
        "adapter": {"kind": "dora", "rank": 1},
        "domain": {"a": 0.5, "b": 0.5, "mu": 2.0},
    },
    {
        "claim": "meft.theorem2_best_step",
        "seed": [0, 1],
        "problem": {"kind": "two-layer", "hidden": 4, "seed": 1},
        "adapter": {"rank": [1, 2]},
    },
)
"""Experiments on matrices, as tables."""

_RUN = {"steps": 4, "batch": 2, "step_size": 0.1, "replicas": 2, "audits": 2, "looks": 1, "level": 0.9}
NETWORKS: tuple[dict[str, Any], ...] = (
    {
        "claim": "meft.theorem2_any_step",
        "seed": 1,
        "model": {"kind": "gpt", "width": 8, "heads": 2, "layers": 1, "context": 8, "pretraining": 3, "samples": 4}
        | {"held_out": 4, "text": "texts.txt", "seed": 1},
        "adapter": {"kind": "lora", "rank": 1, "targets": "qkv, up", "scale": "16/r", "gain": 0.5},
        "run": _RUN | {"sampling": "without replacement"},
    },
    {
        "model": {"kind": "gpt", "width": 16, "text": "english"},
        "adapter": {"kind": "full", "rank": [1, 2]},
        "run": {"steps": 4, "batch": 2, "step_size": 0.1},
    },
    {
        "model": {"kind": "pretrained", "path": "model", "task": "classification", "text": "texts.jsonl"}
        | {"length": 8, "samples": 4, "held_out": 2, "dtype": "float64", "seed": 1},
        "adapter": {"kind": "lora", "rank": 1, "targets": "query"},
        "run": _RUN,
    },
)
"""Experiments on networks, as tables. Their files lie in the same folder."""

SETTINGS: tuple[tuple[str, dict[str, str]], ...] = (
    (
        "jiang2024.theorem2",
        {"L": "1", "C": "0.5", "sigma": "1", "G": "3", "r": "8", "zeta": "1/10", "D": "1e0", "T": "10_000"},
    ),
    ("jiang2024.lemma1", {"L": "1", "C": "sqrt(2)", "sigma": "1", "G": "3", "r": "4"}),
    ("meft.lemma1_sharp", {"L": "2", "s": "Max(1, 2)", "a": "1.5", "b": "exp(1)", "G": "0.1"}),
    ("meft.theorem2_any_step", {}),
)
"""Claims and the values of their letters, as they are typed."""

WORDS = ("and", "he", "said", "unto", "them", "let", "there", "be", "light", "the", "<unk>", "<pad>", "<end>")
ROWS = tuple({"text": " ".join(WORDS[i : i + 4]), "label": ("law", "poetry")[i % 2]} for i in range(8))
"""Lines of a text to be classified."""


def settings() -> list[tuple[str, dict[str, str]]]:
    """`SETTINGS`, in which a claim without values has 1 for each letter."""
    return [(id, given or {p.name: "1" for p in catalogue[id].parameters}) for id, given in SETTINGS]


@cache
def instances() -> tuple[dict[str, Any], ...]:
    """Stored instances of every kind, as plain data."""
    quick = Search((1,), starts=1, rounds=1, examples=0)
    found = [falsify(id, quick).instance for id in ("meft.lemma1_sharp", "meft.loreft")]
    return (*(each.as_json() for each in found), _short_run().as_json(), _relation(_norms()).as_json())


def _short_run() -> ShortRun:
    """W = BA at d = k = r = 1 with f'(w) = clip(w - 1/4, ±1/8), within |A|, |B| <= 2."""
    knots = np.array([[0.125, -0.125], [0.375, 0.125]])
    v = tuple(torch.full((1, 1, 1), 0.75, dtype=torch.float64) for _ in "AB")
    adapter = LoRA(torch.zeros(1, 1, dtype=torch.float64), 1)
    claim = catalogue["meft.theorem2_repaired"]
    return ShortRun(claim, adapter, {"a": 2.0, "b": 2.0}, "sigma", knots, np.ones((1, 1)), 1.0, v, 3)


def _norms() -> Claim:
    """A relation with a hypothesis and a side that is a letter."""
    n = sp.Symbol("n", positive=True, integer=True)
    X, Y = sp.MatrixSymbol("X", 2, n), sp.MatrixSymbol("Y", n, 2)
    bounded = Claim("given", "Given", "me", sp.Le(SpectralNorm(X), L))
    return Claim("mine", "Mine", "me", sp.Le(FrobeniusNorm(X * Y), L * FrobeniusNorm(Y)), hypotheses=(bounded,))


def _relation(claim: Claim) -> Assignment:
    return Assignment(claim, {"X": np.eye(2), "Y": np.ones((2, 2))}, {"n": 2.0, "L": 1.0})


@cache
def claims() -> tuple[dict[str, Any], ...]:
    """Instances of claims of one's own. Only their claim is spoilt."""
    kappa = Parameter(sp.Symbol("kappa", positive=True), "positive real", "a factor")
    X = sp.MatrixSymbol("X", 2, 2)
    own = Claim(
        "mine",
        "Mine",
        "me",
        sp.Le(SpectralNorm(X), Lhat * FrobeniusNorm(X)),
        quantities=(Quantity(Lhat, sp.Max(L, kappa.symbol ** sp.Rational(3, 2)) + sp.exp(L), "mine"),),
        conditions=(sp.Ge(kappa.symbol, 1),),
        declared=(kappa,),
        note="mine",
    )
    made = Assignment(own, {"X": np.eye(2)}, {"L": 1.0, "kappa": 2.0})
    return _relation(_norms()).as_json(), made.as_json()


@cache
def finished_run(root: Path) -> Path:
    """The folder of a finished run."""
    table = SPECS[0] | {"run": SPECS[0]["run"] | {"steps": 16, "audits": 4}}
    (result,) = measure(table, root)
    return root / result.run_id


HAS_TRANSFORMERS = find_spec("transformers") is not None
"""Models' folders can only be read with transformers."""


@cache
def model_folder(root: Path) -> Path:
    """A folder with a BERT of two layers and the tokenizer of `WORDS`, as transformers saves them."""
    transformers: Any = import_module("transformers")
    tokenizers: Any = import_module("tokenizers")
    folder = root / "model"
    words: Mapping[str, int] = {word: i for i, word in enumerate(WORDS)}
    shape = {"vocab_size": len(words), "hidden_size": 4, "num_hidden_layers": 2, "num_attention_heads": 2}
    shape |= {"intermediate_size": 8, "max_position_embeddings": 16}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(dict(words), unk_token="<unk>"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    transformers.utils.logging.disable_progress_bar()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        transformers.BertForSequenceClassification(transformers.BertConfig(**shape)).save_pretrained(folder)
    saved = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>")
    saved.save_pretrained(folder)
    return folder


def jsonl(rows: tuple[Any, ...] = ROWS) -> str:
    """A line of JSON for each."""
    return "".join(json.dumps(row) + "\n" for row in rows)
