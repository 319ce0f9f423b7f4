"""What counts as a proof: terms, rules, replay. It imports the standard library only."""

from boundcheck.kernel import induction as _induction  # noqa: F401  (its rules register themselves)
from boundcheck.kernel import rules as _rules  # noqa: F401
from boundcheck.kernel.analysis import chain_rule, descent_lemma
from boundcheck.kernel.derive import RULES, STANDARD_FACTS, replay, replay_all, seal
from boundcheck.kernel.errors import KernelError, ReplayError, RuleError, ShapeError, TermError
from boundcheck.kernel.facts import Fact, Law, Statement, Theorem

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
