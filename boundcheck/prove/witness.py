"""A witness against a step: an exact instance in which every hypothesis holds and the step is false."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from boundcheck.kernel import Fact
from boundcheck.kernel.meaning import Model, holds


@dataclass(frozen=True)
class Witness:
    """An instance in exact rationals.

    Attributes:
        about: what the instance is, in words.
        numbers: the numbers that make it up, and the two sides of what it refutes, for a person.
        model: the same as a model of the kernel's terms, in which statements are evaluated.
        failures: which laws among the hypotheses the instance breaks, by exact check; none in a witness.

    """

    about: str
    numbers: Mapping[str, Fraction]
    model: Model = field(repr=False)
    failures: tuple[str, ...] = ()

    def refutes(self, fact: Fact) -> bool:
        """Whether the fact is certainly false in the instance."""
        return holds(fact, self.model) is False

    def meets(self, fact: Fact) -> bool:
        """Whether the fact certainly holds in the instance."""
        return holds(fact, self.model) is True
