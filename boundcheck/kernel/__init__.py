"""What counts as a proof: terms, rules, replay. It imports the standard library only."""

from boundcheck.kernel.derive import (
    RULES,
    STANDARD_FACTS,
    Fact,
    Law,
    Statement,
    Theorem,
    replay,
    replay_all,
    seal,
)
from boundcheck.kernel.rules import chain_rule, descent_lemma
from boundcheck.kernel.terms import KernelError, ReplayError, RuleError, ShapeError, TermError

seal()

__all__ = [
    "RULES",
    "STANDARD_FACTS",
    "Fact",
    "KernelError",
    "Law",
    "ReplayError",
    "RuleError",
    "ShapeError",
    "Statement",
    "TermError",
    "Theorem",
    "chain_rule",
    "descent_lemma",
    "replay",
    "replay_all",
]
