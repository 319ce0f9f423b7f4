"""`World`: a setting as a model of the kernel's terms, which hypotheses of a proof hold in it, and what it refutes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from random import Random

import sympy as sp

from boundcheck.checked.worlds.setting import Setting
from boundcheck.claims.prose import plain
from boundcheck.exact.rationals import Rows, rows
from boundcheck.kernel import Fact, KernelError, Law, Statement
from boundcheck.kernel.atoms import Variable
from boundcheck.kernel.meaning import Model, holds
from boundcheck.kernel.terms import Symbol
from boundcheck.prove import Proof
from boundcheck.prove.proof import Assumption
from boundcheck.prove.witness import Witness, rational_model

# The laws that hold in every world, by the ids of claims and the names of definitions.
LAWS = frozenset(
    {
        "jiang2024.assumption1",
        "jiang2024.assumption3.1",
        "jiang2024.assumption3.2",
        "meft.gradient_bound",
        "jiang2024.bounded_below",
        "F(v) = f(W)",
    }
)


@dataclass(frozen=True, eq=False)
class World:
    """A concrete instance in exact rational arithmetic, and what is true in it.

    Attributes:
        about: what it is, in words.
        setting: its numbers, matrices, functions and paths.
        laws: what holds by construction for all points, by the ids of claims and the names of definitions.
        changed: the scalar letters that were changed after construction, so that no law about them is sure to hold.

    """

    about: str
    setting: Setting
    laws: frozenset[str] = LAWS
    changed: frozenset[str] = frozenset()
    _truths: dict[tuple[Statement, str], bool | None] = field(default_factory=dict)
    _verdicts: dict[tuple[sp.Basic, frozenset[str]], bool | None] = field(default_factory=dict)

    @cached_property
    def model(self) -> Model:
        """The setting as a model of the kernel's terms."""
        given = self.setting
        return rational_model(given.sides, given.numbers, given.matrices, given.functions, given.process, given.paths)

    @cached_property
    def witness(self) -> Witness:
        """The world as a witness against a step of a proof."""
        return Witness(self.about, {}, self.model)

    def says(self, relation: sp.Basic, composite: frozenset[str] = frozenset()) -> bool | None:
        """What `Setting.verdict` makes of a relation, which neither the translation nor the kernel has a part in."""
        key = (relation, composite)
        if key not in self._verdicts:
            self._verdicts[key] = self.setting.verdict(relation, composite)
        return self._verdicts[key]

    def meets(self, fact: Fact) -> bool:
        """Whether the fact certainly holds; False as well where the world has no value for something in it."""
        return self._known(fact, lambda: True if self.witness.meets(fact) else None) is True

    def refutes(self, fact: Fact) -> bool:
        """Whether the fact is certainly false."""
        return self._known(fact, lambda: False if self.witness.refutes(fact) else None, "refuted") is False

    def values(self, fact: Fact) -> bool:
        """Whether the world has a value for all that the fact speaks of."""
        return self._known(fact, lambda: [True, self.witness.meets(fact)][0], "valued") is True

    def _known(self, fact: Fact, find: Callable[[], bool | None], what: str = "met") -> bool | None:
        key = (fact, what)
        if key not in self._truths:
            try:
                self._truths[key] = find()
            except (KeyError, ValueError, KernelError):
                self._truths[key] = None
        return self._truths[key]

    def obeys(self, law: Law, name: str) -> bool:
        """Whether a law holds: by construction, and at points that are tried besides."""
        if name not in self.laws or any(isinstance(x, Variable) and x.name in self.changed for x in _letters(law)):
            return False
        key = (law, "obeyed")
        if key not in self._truths:
            self._truths[key] = not any(self._breaks(law, attempt) for attempt in range(8))
        return bool(self._truths[key])

    def _breaks(self, law: Law, attempt: int) -> bool:
        facts = [*law.premises, law.conclusion]
        try:
            model = self.at(law, attempt)
            *premises, conclusion = (holds(x, model, (1,), (0,)) for x in facts if isinstance(x, Fact))
        except (KeyError, ValueError, KernelError):
            return True
        return all(premises) and conclusion is False

    def at(self, law: Law, attempt: int) -> Model:
        """The model with the variables of a law set to numbers within the ball, or far outside at odd attempts."""
        draw = Random(f"{attempt}")
        radii = [self.setting.numbers[name] for name in ("sigma", "a", "b") if name in self.setting.numbers]
        size = min(radii, default=Fraction(1)) * (64 if attempt % 2 else 1)
        chosen: dict[Symbol | Variable, Rows | Fraction] = {}
        for x in law.variables:
            if isinstance(x, Variable):
                chosen[x] = Fraction(draw.randint(0, 4), 4)
                continue
            height, width = (self.model.dimensions[name] for name in x.shape)
            entries = [[Fraction(draw.randint(-4, 4), 8) * size for _ in range(width)] for _ in range(height)]
            chosen[x] = rows(*entries)
        base = self.model.symbols
        return replace(self.model, symbols=lambda x, t, i: chosen[x] if x in chosen else base(x, t, i))

    def allows(self, hypotheses: Iterable[Statement], proof: Proof) -> bool:
        """Whether each of these hypotheses of a proof holds, and a second evaluation calls none of them false."""
        laid = {each.statement: each for each in proof.assumptions}
        given = list(hypotheses)
        facts = [x for x in given if isinstance(x, Fact)]
        laws = [x for x in given if isinstance(x, Law)]
        return (
            all(self.meets(x) for x in facts)
            and all(self.obeys(x, law_name(laid[x]) if x in laid else "") for x in laws)
            and not any(x in laid and self._doubts(laid[x], proof) for x in facts)
        )

    def _doubts(self, assumption: Assumption, proof: Proof) -> bool:
        relation = assumption.relation
        if not isinstance(relation, sp.core.relational.Relational | sp.And):
            relation = sp.Gt(relation, 0, evaluate=False)
        return self.says(relation, composites(proof)) is False


def law_name(assumption: Assumption) -> str:
    """The name by which a world knows a law: the claim's id, or what the proof calls it."""
    return assumption.claim.id if assumption.claim else plain(assumption.name)


def composites(proof: Proof) -> frozenset[str]:
    """The matrix letters that a proof reads as more than a matrix of their own."""
    return frozenset(x.name for x in proof.reading.points)


def _letters(law: Law) -> Iterable[object]:
    return (x for fact in (*law.premises, law.conclusion) if isinstance(fact, Fact) for x in fact.polynomial.inside)
