"""Trials of the checker: a mutant is put to its layer, and the record says whether the answer is right.

The truth of a mutant is decided before the layer sees it: by an exact witness where it is false, by how it
is made where it is true.
"""

import traceback
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, replace
from time import perf_counter
from typing import Any, ClassVar, Literal

Layer = Literal["proof", "reading", "input", "falsification", "measurement", "engines"]


@dataclass(frozen=True)
class Answer:
    """What a layer says of a mutant.

    Attributes:
        outcome: as in a `Trial`.
        accepts: whether it vouches for the mutant, which is wrong of a false one.
        rejects: whether it says that the mutant is false, which is wrong of a true one.
        seconds: what work that mutants share has taken, which counts in the time of each.

    """

    outcome: str
    accepts: bool
    rejects: bool
    seconds: float = 0.0


@dataclass(frozen=True)
class Mutant(ABC):
    """Something with one place changed, whose truth is decided. The fields are those of a `Trial`."""

    layer: ClassVar[Layer]
    subject: str
    kind: str
    change: str
    true: bool
    witness: str

    @abstractmethod
    def ask(self) -> Answer:
        """What the layer says of it."""

    def __str__(self) -> str:
        return f"{self.subject}: {self.kind}, {self.change}; {self.witness}"


@dataclass(frozen=True)
class Trial:
    """One mutant, tried by one layer.

    Attributes:
        layer: which kind of evidence was asked.
        subject: the id of the claim; of a proof script, with its version and line.
        kind: the kind of change: "constant", "hypothesis dropped", "sign", "norm", "exponent", "term lost",
            "off by one", "relation", "exchange", "factor lost", or "true variation: ..." with what varied; the kind of
            input; of a claim that engines are examined on with ", not known" where neither is known.
        change: the change in words, such as "bound by 17/25".
        true: whether the mutated statement is true, or the claim that engines are examined on; there also where neither
            is known; of input, whether it was read, which nothing else decides.
        witness: of a false one, the exact instance on which it fails, in one line; of a true one, why it is true; of
            input, the line that refuses it or what went wrong; then the traceback of a layer that died.
        outcome: of a proof, "proved", "not proved" or "refuted"; of falsification, "violated" or "not violated"; of
            measurement, the verdict on the run; of the gallery, "refused", "believed" or "passed"; of input, "one
            line", "accepted", "several lines", "too long" or "too much memory"; of engines each one that was asked and
            what it said; of any, "traceback" where the layer
            died.
        wrong: the unforgivable: a false statement, or one that reads as another, called proved, a run called supported
            whose constants or hypotheses were false or whose claim was, or a true statement called refuted or violated;
            of input, any end but one line or a reading; of engines also two answers that contradict each other; of
            any, a traceback.
        caught: a false one that the layer showed to be false: refuted, violated, or the planted fault named by the
            blame; of a proof also "not proved"; of input "one line"; of engines by one of them.
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


def tried(mutant: Mutant) -> Trial:
    """Put a mutant to its layer. A layer that dies of it is wrong, and the next mutant is tried."""
    began = perf_counter()
    try:
        answer = mutant.ask()
    except Exception:
        died = recorded(mutant, Answer("traceback", accepts=False, rejects=False), perf_counter() - began)
        return replace(died, wrong=True, witness=f"{died.witness}; {traceback.format_exc(limit=-3)}")
    return recorded(mutant, answer, perf_counter() - began + answer.seconds)


def recorded(mutant: Mutant, answer: Answer, seconds: float, mebibytes: float = 0.0) -> Trial:
    """The record of an answer: to vouch for a false mutant or to reject a true one is wrong."""
    return Trial(
        mutant.layer,
        mutant.subject,
        mutant.kind,
        mutant.change,
        mutant.true,
        mutant.witness,
        answer.outcome,
        wrong=answer.rejects if mutant.true else answer.accepts,
        caught=answer.rejects and not mutant.true,
        seconds=seconds,
        mebibytes=mebibytes,
    )


def as_json(trial: Trial) -> dict[str, Any]:
    """The fields of a trial, by name."""
    return asdict(trial)
