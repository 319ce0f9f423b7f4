"""A small GPT in plain torch, its pretraining on English, and the table [model] of a spec that asks
for it.

Every step is written out, so that it can be differentiated twice.
"""

import hashlib
import io
import math
import platform
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from boundcheck.errors import InputError
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.functions.arithmetic import at_most, seeded
from boundcheck.functions.networks import corpora
from boundcheck.functions.networks.corpora import ALPHABET, Loaded, text_of, typed
from boundcheck.system.files import asking, cache_folder, replace_file
from boundcheck.system.limits import Demand, Tick, silent
from boundcheck.system.tables import Count, Seed, Table

STEPS = 4000
"""How many steps of pretraining the default takes: one or two minutes on one core."""

# GPT-2 draws its matrices in the same way, but a narrow network trains faster from larger ones.
_EMBEDDING_STD = 0.02


@dataclass(frozen=True, kw_only=True)
class GPTShape:
    """The sizes of a GPT; raises InputError for heads that do not divide the width."""

    vocabulary: int  # V, how many tokens there are
    width: int = 64  # D, the dimension of the hidden states
    heads: int = 4  # of attention, a divisor of the width
    layers: int = 2  # how many blocks
    context: int = 64  # the most tokens at once

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise InputError("heads", self.heads, f"a divisor of the width, {self.width}")


class Attention(nn.Module):
    r"""Causal self-attention: per head, softmax of :math:`QK^\top/\sqrt d` over the past, times V.

    Written out, because torch's fused attention has no second derivatives on the CPU.
    """

    def __init__(self, shape: GPTShape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.qkv = nn.Linear(shape.width, 3 * shape.width)
        self.out = nn.Linear(shape.width, shape.width)

    def forward(self, x: Tensor) -> Tensor:
        """The mixed values, shape (m, t, D), from hidden states of this shape."""
        m, t, width = x.shape
        q, k, v = self.qkv(x).view(m, t, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        later = torch.ones(t, t, dtype=torch.bool, device=x.device).triu(1)
        scores = (q @ k.mT / math.sqrt(width // self.heads)).masked_fill(later, -math.inf)
        mixed = scores.softmax(-1) @ v
        return self.out(mixed.transpose(1, 2).reshape(m, t, width))


class MLP(nn.Module):
    """Two linear maps with GELU between them, four times as wide inside."""

    def __init__(self, shape: GPTShape) -> None:
        super().__init__()
        self.up = nn.Linear(shape.width, 4 * shape.width)
        self.down = nn.Linear(4 * shape.width, shape.width)

    def forward(self, x: Tensor) -> Tensor:
        """From shape (m, t, D) to shape (m, t, D)."""
        return self.down(functional.gelu(self.up(x)))


class Block(nn.Module):
    """Attention and MLP, each normalised before and added after; then `edit`, which acts on the
    hidden state h.

    The edit is the identity. A module that edits representations may take its place.
    """

    def __init__(self, shape: GPTShape) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(shape.width)
        self.attention = Attention(shape)
        self.mlp_norm = nn.LayerNorm(shape.width)
        self.mlp = MLP(shape)
        self.edit: nn.Module = nn.Identity()

    def forward(self, h: Tensor) -> Tensor:
        """The next hidden states, shape (m, t, D), from the last."""
        h = h + self.attention(self.attention_norm(h))
        h = h + self.mlp(self.mlp_norm(h))
        return self.edit(h)


class GPT(nn.Module):
    """Embeddings of tokens and positions, blocks, a last LayerNorm, and a linear head without bias.

    The head and the embedding do not share weights, so every parameter is used in one place, and
    its derivative is that of one map. For an alphabet, sharing would save little.

    A fine-tuning method may change the matrices ``blocks.N.attention.qkv``,
    ``blocks.N.attention.out``, ``blocks.N.mlp.up`` and ``blocks.N.mlp.down``. There is no dropout,
    so the loss is a function of the weights.
    """

    def __init__(self, shape: GPTShape, generator: torch.Generator) -> None:
        """Draw the initial weights from `generator`, on its device; torch's own generator is left
        as it was.
        """
        super().__init__()
        self.shape = shape
        # On the meta device a constructor draws nothing.
        with torch.device("meta"):
            self.tokens = nn.Embedding(shape.vocabulary, shape.width)
            self.positions = nn.Embedding(shape.context, shape.width)
            self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
            self.norm = nn.LayerNorm(shape.width)
            self.head = nn.Linear(shape.width, shape.vocabulary, bias=False)
        self.to_empty(device=generator.device)
        # Embeddings N(0, 0.02²) and matrices N(0, 1/inputs), over √(2 layers) where a block adds
        # them to h.
        for name, module in self.named_modules():
            if isinstance(module, nn.LayerNorm):
                module.reset_parameters()
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=_EMBEDDING_STD, generator=generator)
            elif isinstance(module, nn.Linear):
                std = 1 / math.sqrt(module.in_features)
                if name.endswith(("attention.out", "mlp.down")):
                    std /= math.sqrt(2 * shape.layers)
                nn.init.normal_(module.weight, std=std, generator=generator)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, ids: Tensor) -> Tensor:
        """The logits of each next token, shape (m, t, V), from tokens 0..V-1 in int64, shape (m, t)
        within context.
        """
        h = self.tokens(ids) + self.positions.weight[: ids.shape[1]]
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h))


def token_losses(logits: Tensor, ids: Tensor) -> Tensor:
    """The cross-entropy, in nats, of each token but the first given those before it, shape (m, t -
    1).

    Args:
        logits: of the tokens `ids`, shape (m, t, V); or of all but the last, whose next token is
            not known.
        ids: shape (m, t).

    """
    return functional.cross_entropy(logits[:, : ids.shape[1] - 1].mT, ids[:, 1:], reduction="none")


class Windows:
    """Windows of text for the built-in GPT: a sample's loss is the mean cross-entropy of its next
    tokens.
    """

    units = "nats"

    def __init__(self, name: str, ids: Tensor) -> None:
        """Take windows of encoded text, int64, shape (n, t + 1), of which the last token is
        predicted and not read.
        """
        self.name = name
        self.ids = ids.clone()
        self.samples = len(ids)

    def losses(self, model: nn.Module, indices: Tensor) -> Tensor:
        """The mean over the window of the cross-entropy of each token given those before it, shape
        (m,).
        """
        ids = self.ids[indices]
        return token_losses(model(ids[:, :-1]), ids).mean(1)

    def hits(self, model: nn.Module, indices: Tensor) -> Tensor:
        """The share of next tokens that were the likeliest, shape (m,)."""
        ids = self.ids[indices]
        return (model(ids[:, :-1]).argmax(-1) == ids[:, 1:]).double().mean(1)


_WRITABLE = "a path that can be written"
_BATCH = 16
_PEAK = 5e-3
_FLOOR = 0.1
_WARMUP = 0.05
_LARGEST_GRADIENT = 1.0


def pretrained(shape: GPTShape, steps: int, seed: int = 0, tick: Tick = silent) -> GPT:
    """A GPT in float32 on the CPU, pretrained on the American Standard Version; from the cache if
    possible.

    The cache is the folder in the environment variable BOUNDCHECK_CACHE, or else
    ``~/.cache/boundcheck``. The same arguments give the same weights to the last bit whatever
    threads there are. Another torch, and a processor with
    other vector instructions, round sums differently: then the weights are made anew, and are
    others. MKL's choice of instructions, which torch does not tell, is the one thing that can still
    differ.

    Args:
        shape: with the vocabulary of `ALPHABET`.
        steps: of AdamW, each on 16 random windows.
        seed: of the initial weights and the windows.
        tick: is called with the progress of the training, unless the result is cached.

    Raises:
        InputError: for a cache that cannot be written, and if the text is not installed.

    """
    ids = ALPHABET.encode(corpora.split(corpora.english())[0])
    # What is known to determine the result: arguments, text, code, torch and the processor's kind.
    made_by = str(torch.__version__), platform.machine(), torch.backends.cpu.get_cpu_capability()
    sha = hashlib.sha256(repr((shape, steps, seed, *made_by)).encode())
    sha.update(ids.numpy().tobytes())
    sha.update(Path(__file__).read_bytes())
    path = cache_folder() / f"gpt-{sha.hexdigest()[:32]}.pt"
    cached = _load(path, shape)
    if cached is not None:
        return cached
    with asking("BOUNDCHECK_CACHE", path.parent, _WRITABLE):
        # Before the time is spent: the folder may exist and not be writable.
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    # Bits of a sum depend on how many threads share it, and training makes them differences that
    # are seen. Matrices as small as these gain nothing from a second thread.
    with at_most(1):
        model = _train(shape, steps, seed, ids, tick)
    written = io.BytesIO()
    # A file that was given another's name is not this one.
    torch.save({"key": path.stem, "weights": model.state_dict()}, written)
    with asking("BOUNDCHECK_CACHE", path, _WRITABLE):
        replace_file(path, written.getvalue())
    return model


def _train(shape: GPTShape, steps: int, seed: int, ids: Tensor, tick: Tick) -> GPT:
    """Train from scratch on random windows of the text `ids`."""
    generator = seeded(seed)
    model = GPT(shape, generator)
    optimizer = torch.optim.AdamW(model.parameters(), lr=_PEAK, betas=(0.9, 0.99))
    offsets = torch.arange(shape.context + 1)
    for step in range(steps):
        # Linear from 0 in the first twentieth, then half a cosine down to a tenth of the peak.
        warmup = _WARMUP * steps
        progress = (step - warmup) / (steps - warmup)
        rate = _FLOOR + (1 - _FLOOR) * (1 + math.cos(math.pi * progress)) / 2
        for group in optimizer.param_groups:
            group["lr"] = _PEAK * ((step + 1) / (warmup + 1) if step < warmup else rate)
        starts = torch.randint(len(ids) - shape.context, (_BATCH, 1), generator=generator)
        batch = ids[starts + offsets]
        optimizer.zero_grad()
        torch.autograd.backward(token_losses(model(batch[:, :-1]), batch).mean())
        nn.utils.clip_grad_norm_(model.parameters(), _LARGEST_GRADIENT)
        optimizer.step()
        tick("pretraining", step + 1, steps)
    optimizer.zero_grad()
    return model


def _load(path: Path, shape: GPTShape) -> GPT | None:
    """The model that `pretrained` kept, or None if there is none that can be used."""
    if not path.is_file():
        return None
    # Filled below. Its own generator keeps all other draws independent of the cache.
    model = GPT(shape, torch.Generator())
    try:
        with zipfile.ZipFile(path) as archive:
            # Torch writes checksums, but does not check them.
            if archive.testzip() is not None:
                return None
        content = torch.load(path, weights_only=True)
        if content["key"] != path.stem:
            return None
        model.load_state_dict(content["weights"])
        return model
    except Exception:
        # The errors for a broken file are documented nowhere. The file is made again and replaced.
        return None


Width = Annotated[int, Field(gt=0, le=2**12)]
# Heads and layers.
Few = Annotated[int, Field(gt=0, le=2**7)]


class GPTSpec(Table):
    """The built-in GPT in float64, pretrained on the American Standard Version and tuned to another
    text.

    Samples are windows of ``context`` characters and the one after them; those that are held out
    have none in common with the others.
    """

    kind: Literal["gpt"]
    width: Width = 64
    """numbers in a hidden state"""
    heads: Few = 4
    """heads of attention in each layer"""
    layers: Few = 2
    """layers"""
    context: int = Field(default=64, ge=2, le=2**14)
    """characters that it sees"""
    pretraining: Count = STEPS
    """steps that it is pretrained for, once"""
    text: str = "python-library"
    """`python-library`, `english`, or the path of a text file"""
    samples: Count = 128
    """n, the finite sample that F is a mean over"""
    held_out: Count = 128
    """samples that are held out"""
    seed: Seed = 0
    """of the draw of the samples"""

    def check_targets(self, kind: str, paths: list[str]) -> None:
        """Refuse targets of edits elsewhere than where hidden states are edited."""
        if ADAPTERS[kind].edits_hidden and paths not in ([], ["edit"]):
            raise InputError(
                "adapter.targets",
                ", ".join(paths),
                "edit, where the built-in GPT's hidden states are edited",
            )

    def demands(self) -> tuple[Demand, ...]:
        """The memory for weights, what pretraining keeps of each, windows of text, and computing
        one window.
        """
        weights = 3 * 4 * self.layers * self.width**2
        attention = self.layers * self.context * (4 * self.heads * self.context + 16 * self.width)
        # In float64, and in single precision with a gradient and two averages; of pretraining 16
        # windows at a time.
        return (
            Demand("model.width", self.width, (8 + 4 * 4) * weights),
            Demand("model.context", self.context, 16 * 4 * attention),
            Demand("model.samples", self.samples, 8 * self.samples * (self.context + 2)),
            Demand("model.held_out", self.held_out, 8 * self.held_out * (self.context + 2)),
        )

    def default_targets(self, kind: str, model: nn.Module) -> list[str]:
        """The places of adapters of this kind where a spec names none."""
        return ["edit"] if ADAPTERS[kind].edits_hidden else ["qkv", "up"]

    def load(self, device: str, tick: Tick = silent) -> Loaded:
        """The GPT, pretrained, and its samples; raises InputError for a text or a number of heads
        that does not fit.
        """
        with typed(heads="model.heads", text="model.text"):
            sizes = {
                "width": self.width,
                "heads": self.heads,
                "layers": self.layers,
                "context": self.context,
            }
            shape = GPTShape(vocabulary=len(ALPHABET), **sizes)
            train, held_out = corpora.split(text_of(self.text))
        tasks = []
        for name, part, field in (("train", train, "samples"), ("held out", held_out, "held_out")):
            with typed(count=f"model.{field}"):
                ids = corpora.windows(part, self.context + 1, getattr(self, field), self.seed)
            tasks.append(Windows(name, ids.to(device)))
        base = (
            pretrained(shape, self.pretraining, self.seed, tick)
            .double()
            .to(device)
            .requires_grad_(False)
        )
        return Loaded(f"GPT on {self.text}", base, *tasks)
