"""A trial of boundcheck: something is tried of which it is known what must come out, and the record
says what did.

A `Mutant` is put to one layer. Its truth is decided before the layer sees it: by an exact witness
where it is false, by how it is made where it is true. An input or a command under attack must end
in one line or as if nothing had happened.
"""

from __future__ import annotations

import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, ClassVar, Literal, Protocol

import torch

Layer = Literal[
    "proof",
    "statement",
    "reading",
    "input",
    "falsification",
    "measurement",
    "engines",
    "attack",
]


@dataclass(frozen=True)
class Answer:
    """The answer of a layer, or of one engine, about a mutant.

    Attributes:
        outcome: as in a `Trial`.
        accepts: whether it vouches for the mutant, which is wrong of a false one.
        rejects: whether it says that the mutant is false, which is wrong of a true one.
        seconds: what work that mutants share has taken, which counts in the time of each.
        wrong: of an engine, how it contradicts something that is known besides.

    """

    outcome: str
    accepts: bool = False
    rejects: bool = False
    seconds: float = 0.0
    wrong: str = ""


@dataclass(frozen=True)
class Trial:
    """The record of something that was tried: what is known of it, and what came out.

    Attributes:
        layer: which kind of evidence was asked.
        subject: the id of the claim, the line of a proof script, the input, or the command that was
            attacked.
        kind: the kind of change, input or attack; "true variation: ..." of what stays true; of a
            claim that engines are examined on with ", not known" where neither is known.
        change: the change in words, such as "bound by 17/25".
        true: whether the mutant is true; also of a claim of which nothing is known, of an input
            that was read, and of a command under attack.
        witness: of a false one, the exact instance on which it fails, in one line; of a true one,
            why it is true; of an input or a command, what it said; then the traceback of a layer
            that died.
        outcome: what the layer said, or how the input or the command ended; "traceback" where the
            layer died.
        wrong: the unforgivable: a false statement, or one that reads as another, called proved, a
            run called supported whose constants, hypotheses or claim were false, or a true
            statement called refuted or violated; two engines that contradict each other; an input
            that ends in anything but one line or a reading; work that is lost.
        caught: a false one that the layer showed to be false; of a proof also "not proved"; of an
            input "one line".
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


@dataclass(frozen=True)
class Mutant(ABC):
    """Something with one place changed, whose truth is decided. The fields are those of a
    `Trial`.
    """

    layer: ClassVar[Layer]
    subject: str
    kind: str
    change: str
    true: bool
    witness: str

    @abstractmethod
    def ask(self) -> Answer:
        """Ask the layer about it."""

    def __str__(self) -> str:
        return f"{self.subject}: {self.kind}, {self.change}; {self.witness}"

    def tried(self) -> Trial:
        """Put it to its layer. A layer that dies of it is wrong, and the next mutant is tried."""
        began = perf_counter()
        try:
            answer = self.ask()
        except Exception:
            said = f"{self.witness}; {traceback.format_exc(limit=-3)}"
            died = self.recorded(Answer("traceback"), perf_counter() - began)
            return replace(died, witness=said, wrong=True)
        return self.recorded(answer, perf_counter() - began + answer.seconds)

    def recorded(self, answer: Answer, seconds: float) -> Trial:
        """The record of an answer: to vouch for a false mutant or to reject a true one is wrong."""
        wrong = answer.rejects if self.true else answer.accepts
        known = (self.layer, self.subject, self.kind, self.change, self.true, self.witness)
        return Trial(
            *known, answer.outcome, wrong, caught=answer.rejects and not self.true, seconds=seconds
        )


class Tryable(Protocol):
    """A mutant, a malformed input, or an attack on a command."""

    def tried(self) -> Trial:
        """Try it; whatever goes wrong is in the record."""


def tried(make: Callable[..., Iterable[Tryable]], *arguments: Any) -> list[Trial]:
    """The trials of what is made, one after the other in one thread: a pool has as many processes
    as cores.
    """
    torch.set_num_threads(1)
    return [each.tried() for each in make(*arguments)]


def varied(kind: str) -> str:
    """The kind of a change that keeps a true statement true."""
    return f"true variation: {kind}"
