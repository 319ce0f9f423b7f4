"""What counts as a proof: terms, rules, replay. Standard library only; nothing of boundcheck's is imported here."""

from boundcheck.kernel import analysis as _analysis  # registers the standard facts
from boundcheck.kernel.errors import KernelError, ReplayError, RuleError, ShapeError, TermError
from boundcheck.kernel.facts import Fact, Law, Statement, Theorem
from boundcheck.kernel.rules import RULES, STANDARD_FACTS, replay, replay_all

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
    "replay",
    "replay_all",
]
