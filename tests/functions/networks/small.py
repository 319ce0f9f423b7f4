"""A small GPT with each kind of adapter, small models of transformers, and naive twins of what is
computed of them."""

import copy

import pytest
import torch
from torch import nn
from torch.func import functional_call

from boundcheck.functions.arithmetic import seeded
from boundcheck.functions.networks.adapt import adapt, sites_of
from boundcheck.functions.networks.gpt import GPT, GPTShape, Windows
from boundcheck.functions.networks.network import Network
from tests.experiment.small import altered

SHAPE = GPTShape(vocabulary=7, width=8, heads=2, layers=2, context=6)
WEIGHTS = ("attention.out", "blocks.1.mlp.up")
EDITED = ("edit",)
# For each kind of adapter its targets and its rank.
KINDS = {
    "lora": (WEIGHTS, 2),
    "frozen-a": (WEIGHTS, 2),
    "frozen-b": (WEIGHTS, 2),
    "full": (WEIGHTS, None),
    "direft": (EDITED, 2),
    "loreft": (EDITED, 2),
    "loreft-trained": (EDITED, 2),
    "dora": (WEIGHTS, 2),
}
FLAT = [kind for kind in KINDS if not kind.startswith("loreft")]
RADII = dict.fromkeys(("a", "b", "mu", "nu", "rho"), 0.8)

# peft asks transformers for a name that is to go.
of_peft = pytest.mark.filterwarnings(
    "ignore:.is_gradient_checkpointing. is deprecated:FutureWarning"
)


def on_cuda(test):
    """A test that needs a CUDA device."""
    return pytest.mark.cuda(
        pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")(test)
    )


def equal(one, other):
    """True if both have the same tensors, bit by bit."""
    return all(torch.equal(x, y) for x, y in zip(one, other, strict=True))


def gpt(seed=0):
    """In float64, its matrices large enough to matter; frozen."""
    return GPT(SHAPE, seeded(seed)).double().requires_grad_(False)


def windows(count=5, seed=1):
    return Windows(
        "windows",
        torch.randint(SHAPE.vocabulary, (count, SHAPE.context + 1), generator=seeded(seed)),
    )


def adapted(kind, scale=1.5, model=None):
    """The GPT, or another model, with adapters at their start."""
    model = gpt() if model is None else model
    targets, rank = KINDS[kind]
    adapt(model, kind, targets, rank, scale, 1.0, seeded(2))
    return model


def random_point(network, seed=3):
    """A point of the domain, of a random spectrum."""
    generator = seeded(seed)
    drawn = [site.adapter.draw(RADII, 2, generator) for site in network.sites]
    # The first of two has all singular values at the radius.
    return tuple(part[1:] for parts in drawn for part in parts)


def network_of(kind, samples=5, chunk=2, scale=1.5):
    """F of the GPT at a random point."""
    model = adapted(kind, scale)
    network = Network(model, sites_of(model), windows(samples), chunk)
    network.write(random_point(network))
    return network


def random_direction(network, seed=4):
    generator = seeded(seed)
    return tuple(
        torch.randn(part.shape, generator=generator, dtype=torch.float64)
        for part in network.point()
    )


def flat(parts):
    return torch.cat([part.detach().reshape(-1) for part in parts])


def mean_loss(network, model=None):
    """F, all samples at once."""
    everything = torch.arange(network.task.samples)
    return network.task.losses(network.model if model is None else model, everything).mean()


def dense_hessian(network):
    """That of F in all parameters in one vector, by torch."""
    names = {id(parameter): name for name, parameter in network.model.named_parameters()}
    return hessian_in(
        network, network.model, [names[id(parameter)] for parameter in network.parameters]
    )


def hessian_in(network, model, names):
    """That of the mean loss of a model in parameters that are named, by torch."""
    table = dict(model.named_parameters())
    sizes = [table[name].numel() for name in names]

    class Loss(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self):
            return mean_loss(network, self.model)

    loss = Loss()

    def at(vector):
        parts = zip(names, vector.split(sizes), strict=True)
        return functional_call(
            loss, {f"model.{name}": part.view_as(table[name]) for name, part in parts}, ()
        )

    return torch.autograd.functional.hessian(
        at, flat(table[name] for name in names), vectorize=True
    )


class Merged(nn.Module):
    """The layer W x + bias, or W [x; 1], whose W is one matrix."""

    def __init__(self, layer):
        super().__init__()
        self.W = nn.Parameter(
            layer.adapter.weight(tuple(block.detach().unsqueeze(0) for block in layer.v))[0]
        )
        self.bias = layer.bias
        self.affine = layer.affine

    def forward(self, x):
        if self.affine:
            return torch.cat([x, torch.ones_like(x[..., :1])], -1) @ self.W.T
        return x @ self.W.T + (0 if self.bias is None else self.bias)


def merged(network):
    """A copy with one matrix at each site, and the names of the matrices."""
    model = copy.deepcopy(network.model)
    for site in network.sites:
        parent, _, name = site.name.rpartition(".")
        setattr(model.get_submodule(parent), name, Merged(model.get_submodule(site.name)))
    return model, [f"{site.name}.W" for site in network.sites]


def gpt_table(**changes):
    """A spec about a small GPT, with changes, whose dots are written as double underscores; None
    removes a field."""
    table = {
        "seed": 1,
        "model": {
            "kind": "gpt",
            "width": 16,
            "heads": 2,
            "layers": 1,
            "context": 16,
            "pretraining": 3,
            "samples": 12,
            "held_out": 8,
        },
        "adapter": {"kind": "lora", "rank": 2, "scale": 2.0},
        "run": {"steps": 8, "batch": 3, "step_size": 0.4, "looks": 0},
    }
    return altered(table, **changes)


def pretrained_table(path, text, task="classification", **changes):
    """A spec about a model in a folder and a text, with changes as `gpt_table`."""
    model = {
        "kind": "pretrained",
        "path": str(path),
        "task": task,
        "text": str(text),
        "samples": 6,
        "held_out": 4,
    }
    return gpt_table(model=model | {"length": 8}, **changes)


WORDS = ("<pad>", "<unk>", "<end>", *(f"w{i}" for i in range(27)))
_SIZES = {
    "vocab_size": len(WORDS),
    "max_position_embeddings": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}


def transformer(name, seed=0, **options):
    """A small model of transformers with random weights, by the name of its class; dropout as it is
    by default."""
    import transformers

    family = next(
        each for each in ("Bert", "GPT2", "GPTNeoX", "Llama", "OPT") if name.startswith(each)
    )
    inner = {"GPT2": {}, "OPT": {"ffn_dim": 24, "word_embed_proj_dim": 16}}.get(
        family, {"intermediate_size": 24}
    )
    sizes = _SIZES | {"hidden_size": 16} | inner
    special = {"bos_token_id": 2, "eos_token_id": 2} if family != "Bert" else {}
    config = getattr(transformers, f"{family}Config")(
        **sizes | special | options, attn_implementation="eager"
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = getattr(transformers, name)(config).eval()
        # Larger than they are drawn: at a loss that is nearly constant there is nothing to see.
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim == 2:
                    parameter.mul_(5)
    return model


def tokenizer(**special):
    """Of words, each a token."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>", **special)


def saved(folder, name="BertForSequenceClassification", **options):
    """A folder with a small model and its tokenizer, which pads unless it is one of GPT-2 or
    Llama."""
    from transformers.utils import logging

    special = {"pad_token": "<pad>"} if name.startswith("Bert") else {"eos_token": "<end>"}
    logging.disable_progress_bar()
    try:
        transformer(name, **options).save_pretrained(folder)
    finally:
        logging.enable_progress_bar()
    tokenizer(**special).save_pretrained(folder)
    return folder
