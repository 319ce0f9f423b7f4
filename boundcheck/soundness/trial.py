"""The record of one trial of the checker: what was changed, whether it is true, and what the layer made of it."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Layer = Literal["proof", "reading", "input", "falsification", "measurement"]


@dataclass(frozen=True)
class Trial:
    """One mutant, tried by one layer.

    Attributes:
        layer: which kind of evidence was asked.
        subject: the id of the claim; of a proof script, with its version and line.
        kind: the kind of change: "constant", "hypothesis dropped", "sign", "norm", "exponent", "term lost",
            "off by one", "relation", "exchange", "factor lost", or "true variation: ..." with what varied; the kind of
            input.
        change: the change in words, such as "bound by 17/25".
        true: whether the mutated statement is true; of input, whether it was read, which nothing else decides.
        witness: of a false one, the exact instance on which it fails, in one line; of a true one, why it is true; of
            input, the line that refuses it or what went wrong.
        outcome: of a proof, "proved", "not proved" or "refuted"; of falsification, "violated" or "not violated"; of
            measurement, the verdict on the run; of the gallery, "refused", "believed" or "passed"; of input, "one
            line", "accepted", "traceback", "several lines", "too long" or "too much memory".
        wrong: the unforgivable: a false statement, or one that reads as another, called proved, a run called supported
            whose constants or hypotheses were false or whose claim was, or a true statement called refuted or violated;
            of input, any end but one line or a reading.
        caught: a false one that the layer showed to be false: refuted, violated, or the planted fault named by the
            blame; of a proof also "not proved"; of input "one line".
        seconds: how long the layer took.
        mebibytes: of input, the most memory that it took beyond what was there before.

    """

    layer: Layer
    subject: str
    kind: str
    change: str
    true: bool
    witness: str
    outcome: str
    wrong: bool
    caught: bool
    seconds: float
    mebibytes: float = 0.0


def as_json(trial: Trial) -> dict[str, Any]:
    """The fields of a trial, by name."""
    return asdict(trial)
