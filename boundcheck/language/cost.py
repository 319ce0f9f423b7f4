"""`Cost`: an expression that a theorem puts in place of what a run did, in the sum over the steps that proves it."""

from dataclasses import dataclass

import sympy as sp


@dataclass(frozen=True)
class Cost:
    """An inequality of a proof, as a replacement in the sum over the steps of v - alpha g; see `experiment.waterfall`.

    Attributes:
        label: what a bar of a figure calls it.
        instead: what the run did, over `language.vocabulary`, and what stands for it, no less in expectation.
        why: what is given away, in one sentence.

    """

    label: str
    instead: tuple[tuple[sp.Expr, sp.Expr], ...]
    why: str
