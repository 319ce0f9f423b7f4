"""A small GPT in plain torch, with every step written out, so that it can be differentiated twice."""

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from torch.nn import functional

from boundcheck.errors import InputError

# GPT-2 draws its matrices in the same way, but a narrow network trains faster from larger ones.
_EMBEDDING_STD = 0.02


@dataclass(frozen=True, kw_only=True)
class GPTShape:
    """The sizes of a GPT, all positive; raises InputError for others.

    Attributes:
        vocabulary: V, how many tokens there are.
        width: D, the dimension of the hidden states.
        heads: of attention, a divisor of the width.
        layers: how many blocks.
        context: the most tokens at once.

    """

    vocabulary: int
    width: int = 64
    heads: int = 4
    layers: int = 2
    context: int = 64

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or value < 1:
                raise InputError(field.name, value, "a positive integer")
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
    """Attention and MLP, each normalised before and added after; then `edit`, which acts on the hidden state h.

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

    The head and the embedding do not share weights, so every parameter is used in one place, and its derivative is that
    of one map. For an alphabet, sharing would save little.

    A fine-tuning method may change the matrices ``blocks.N.attention.qkv``, ``blocks.N.attention.out``,
    ``blocks.N.mlp.up`` and ``blocks.N.mlp.down``. There is no dropout, so the loss is a function of the weights.
    """

    def __init__(self, shape: GPTShape, generator: torch.Generator) -> None:
        """Draw the initial weights from `generator`, on its device; torch's own generator is left as it was."""
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
        self._initialise(generator)

    def _initialise(self, generator: torch.Generator) -> None:
        """Embeddings N(0, 0.02²) and matrices N(0, 1/inputs), over √(2 layers) where a block adds them to h."""
        for name, module in self.named_modules():
            if isinstance(module, nn.LayerNorm):
                module.reset_parameters()
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=_EMBEDDING_STD, generator=generator)
            elif isinstance(module, nn.Linear):
                std = 1 / math.sqrt(module.in_features)
                if name.endswith(("attention.out", "mlp.down")):
                    std /= math.sqrt(2 * self.shape.layers)
                nn.init.normal_(module.weight, std=std, generator=generator)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, ids: Tensor) -> Tensor:
        """The logits of each next token, shape (m, t, V), from tokens 0..V-1 in int64, shape (m, t).

        Raises:
            InputError: for more tokens than the context.

        """
        t = ids.shape[1]
        if t > self.shape.context:
            raise InputError("ids", f"{t} tokens", f"at most {self.shape.context}, the context")
        h = self.tokens(ids) + self.positions.weight[:t]
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h))


def token_losses(logits: Tensor, ids: Tensor) -> Tensor:
    """The cross-entropy, in nats, of each token but the first given those before it, shape (m, t - 1).

    Args:
        logits: of the tokens `ids`, shape (m, t, V); or of all but the last, whose next token is not known.
        ids: shape (m, t).

    """
    return functional.cross_entropy(logits[:, : ids.shape[1] - 1].mT, ids[:, 1:], reduction="none")
