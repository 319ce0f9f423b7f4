"""A proof as a script writes it: hypotheses, definitions, and steps that are proved, refuted or left open.

A step says what is claimed (sympy), how the paper prints it (LaTeX), and from what it follows. `certificate` searches
for a certificate, the kernel has the last word, and `verdict` gives the verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Law, Statement, Theorem, builders, rules
from boundcheck.kernel import terms as k
from boundcheck.kernel.terms import NEXT, Matrix, Scalar, Symbol
from boundcheck.language.claim import Claim, Quantity, as_typed
from boundcheck.language.prose import plain
from boundcheck.proof.by import By, by_signs, discharged
from boundcheck.proof.certificate import certify
from boundcheck.proof.counterexamples import Counterexample, counterexample
from boundcheck.proof.definitions import check_constant, check_definition, check_statement, circular, is_given
from boundcheck.proof.translate import Reading
from boundcheck.proof.typeset import check_math
from boundcheck.proof.witness import Witness

# The seconds that z3 and cvc5 get for one question.
SECONDS = 5.0

Role = Literal["hypothesis", "definition", "domain", "choice", "local"]


@dataclass(frozen=True)
class Assumption:
    """A statement from which a proof starts.

    Attributes:
        role: ``hypothesis`` of the claim, ``definition`` or ``domain`` of a symbol, ``choice`` of an object that exists
            (a matrix of norm 1), or ``local``: assumed about arbitrary points, which a law must name.

    """

    name: str
    role: Role
    statement: Statement
    claim: Claim | None
    relation: sp.Basic
    where: Mapping[sp.Basic, sp.Basic] = field(default_factory=dict)

    def is_called(self, name: str) -> bool:
        """True if this is its name, with its dollars or without; a definition is also called by its letter."""
        letter = str(self.relation.args[0]) if self.role == "definition" else self.name
        return name in (self.name, plain(self.name), letter)


@dataclass(frozen=True)
class Closing:
    """The form of a proof's conclusion: the claim's with matrices replaced, or the proof's own, for all of `forall`."""

    where: Mapping[sp.Basic, sp.Basic]
    forall: tuple[sp.Basic, ...]
    such_that: tuple[sp.Basic, ...]
    relation: sp.Basic | None


@dataclass(frozen=True)
class Step:
    """A line of a proof.

    Attributes:
        label: what the proof calls it, "(12)".
        relation: the claimed relation in sympy; for a law its conclusion; None for a cited line.
        printed: the paper's own LaTeX, if it prints the line.
        meaning: what it says and why it holds, in words.
        theorem: the kernel's theorem; the line's own assumption if no proof was found.
        because: what closed it, and how.
        witness: an exact instance in which every hypothesis holds and the line is false.
        inference: whether the line follows from the lines from which the paper derives it, if this was asked.
        open: of an induction that does not close, the half that is open.

    """

    label: str
    relation: sp.Basic | None
    printed: str
    meaning: str
    theorem: Theorem
    because: Because | Induction | None = None
    witness: Witness | None = None
    inference: Inference | None = None
    open: Half | None = None


@dataclass(frozen=True)
class Because:
    """The premises from which a line is closed, and hints."""

    premises: tuple[Theorem, ...]
    hints: tuple[sp.Expr, ...] = ()
    factor: tuple[int, ...] | None = None
    degree: int = 2


@dataclass(frozen=True)
class Induction:
    """An induction: what closes a line at t = 1, and what closes it at t + 1 where it holds at t."""

    first: Because
    then: Callable[[Theorem], Because]

    @property
    def premises(self) -> tuple[Theorem, ...]:
        """The premises that do not depend on the line."""
        return self.first.premises


@dataclass(frozen=True)
class Half:
    """A half of an induction: at t = 1, or from t to t + 1."""

    name: str
    goal: Fact
    because: Because


@dataclass(frozen=True)
class Inference:
    """An inference of a line from the lines that the paper names: certified, refuted by exact numbers, or neither."""

    theorem: Theorem | None
    numbers: Counterexample | None


@dataclass
class Proof:
    """The working state of one proof script.

    Attributes:
        claim: the claim to prove; None for the script's own lemma.
        reading: what the matrices stand for.

    """

    claim: Claim | None
    reading: Reading = field(default_factory=Reading)
    assumptions: list[Assumption] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    conclusion: Theorem | None = None
    goal: Statement | None = None
    closing: Closing | None = None

    @property
    def by(self) -> By:
        """The rules, in the words of sympy."""
        return By(self.reading)

    # The assumptions of a proof.

    def assume(
        self,
        hypothesis: Claim | sp.Basic,
        *,
        where: Mapping[sp.Basic, sp.Basic] | None = None,
        forall: Sequence[sp.Basic] = (),
        given: Sequence[sp.Basic] = (),
        name: str = "",
        role: Literal["hypothesis", "choice", "local"] = "hypothesis",
    ) -> Theorem | tuple[Theorem, ...]:
        """Start from a hypothesis: its relation with symbols replaced as in `where`, for all of `forall` with `given`.

        Returns:
            The theorem that assumes it; for a conjunction or maximum of several parts, one for each, in sympy's order.

        """
        if role not in ("hypothesis", "choice", "local"):
            raise InputError("role", role, "hypothesis, choice or local; `define` and `positive` give the others")
        if isinstance(hypothesis, Claim) and not name:
            name = hypothesis.title
        return self._lay_down(hypothesis, dict(where or {}), forall, given, name, role)

    def _lay_down(
        self,
        hypothesis: Claim | sp.Basic,
        where: Mapping[sp.Basic, sp.Basic],
        forall: Sequence[sp.Basic],
        given: Sequence[sp.Basic],
        name: str,
        role: Role,
    ) -> Theorem | tuple[Theorem, ...]:
        claim, relation = (hypothesis, hypothesis.conclusion) if isinstance(hypothesis, Claim) else (None, hypothesis)
        relation = relation.xreplace(where)
        title = name or f"${as_typed(relation)}$"
        theorems = []
        for fact in self.reading.facts(relation):
            statement = self.law(forall, given, fact) if forall else fact
            self.assumptions.append(Assumption(title, role, statement, claim, relation, where))
            theorems.append(rules.assume(statement))
        return theorems[0] if len(theorems) == 1 else tuple(theorems)

    def local(self, relation: sp.Basic, name: str = "") -> Theorem | tuple[Theorem, ...]:
        """Start from a fact about arbitrary points that the proof itself assumes, and that its law names."""
        return self.assume(relation, name=name, role="local")

    def define(self, left: sp.Basic, right: sp.Basic, name: str = "", forall: Sequence[sp.Basic] = ()) -> Theorem:
        """Define a symbol, an iterate or a function: left = right.

        Raises:
            InputError: if the left side is none of these, is given, is already defined, or is defined by itself.

        """
        relation = sp.Eq(left, right, evaluate=False)
        # A plain number is now sympy's.
        left, right = relation.args
        own = check_definition(left, right, self.claim)
        circle = circular([*self.definitions, (left, right)], self.reading)
        if circle:
            raise InputError("definition", circle, "a letter that is defined once, not by itself")
        assumed = any(x.relation == left for x in self.assumptions)
        if assumed and not right.is_positive and not is_given(left):
            raise InputError("definition", relation, f"a value that is positive, as {left} is assumed to be")
        theorem = self._lay_down(relation, {}, forall, (), name or f"${as_typed(left)}$", "definition")
        if isinstance(theorem, tuple):
            raise InputError("definition", relation, "a single equation")
        if own and forall:
            raise InputError("definition", relation, "the claim's own formula, which has no `forall`")
        if own:
            check_constant(left, right, self.reading)
        else:
            check_statement(left, right, theorem.conclusion, self.reading)
        return theorem

    def quantity(self, quantity: Quantity) -> Theorem:
        """Define a quantity of the claim by the claim's own expression."""
        return self.define(quantity.symbol, quantity.expression)

    def recall(self, name: str) -> Theorem:
        """The assumption of this name; raises InputError unless there is exactly one."""
        found = [each.statement for each in self.assumptions if each.is_called(name)]
        if len(found) != 1:
            raise InputError("name", name, f"the name of one assumption, not of {len(found)}")
        return rules.assume(found[0])

    def cite(self, other: Proof, label: str, meaning: str = "") -> Theorem:
        """Take over the conclusion of another proof, with its assumptions, as a step of this one."""
        theorem = other.conclusion
        if theorem is None:
            raise InputError(label, other.claim, "a proof that concludes")
        mine = {each.statement for each in self.assumptions}
        needed = [x for x in other.assumptions if x.statement in theorem.hypotheses and x.statement not in mine]
        self.assumptions += needed
        self.steps.append(Step(label, None, "", meaning, theorem))
        return theorem

    @property
    def definitions(self) -> list[tuple[sp.Basic, sp.Basic]]:
        """The two sides of every definition."""
        return [x.relation.args for x in self.assumptions if x.role == "definition"]

    def positive(self, *symbols: sp.Symbol) -> list[Theorem]:
        """Assume that these symbols are positive, which is their domain; dimensions and T are always at least 1."""
        found = []
        for symbol in symbols:
            if not symbol.is_positive:
                raise InputError("symbol", symbol, "a symbol that sympy knows to be positive")
            value = next((right for left, right in self.definitions if left == symbol), None)
            if value is not None and not value.is_positive and not is_given(symbol):
                raise InputError("symbol", symbol, f"a proof that it is positive: it is defined, as {value}")
            (atom,) = self.reading.scalar(symbol).atoms()
            if isinstance(atom, k.Dimension):
                found.append(rules.dimension_positive(atom.name))
                continue
            if isinstance(atom, k.Horizon):
                found.append(rules.horizon_positive())
                continue
            statement = Fact(">", Scalar.of(atom))
            if statement not in {each.statement for each in self.assumptions if each.role == "domain"}:
                self.assumptions.append(Assumption(f"${as_typed(symbol)} > 0$", "domain", statement, None, symbol))
            found.append(rules.assume(statement))
        return found

    def law(self, forall: Sequence[sp.Basic], given: Sequence[sp.Basic], fact: Fact) -> Law:
        """The law that the fact holds for all of these matrices, vectors and numbers with these relations."""
        premises = [part for relation in given for part in self.reading.facts(relation)]
        return Law(self._letters(forall), premises, fact)

    def _letters(self, variables: Sequence[sp.Basic]) -> list[Symbol | k.Variable]:
        letters: list[Symbol | k.Variable] = []
        for variable in variables:
            terms: list[Matrix] | list[Scalar]
            terms = (
                list(self.reading.point(variable))
                if isinstance(variable, MatrixExpr)
                else [self.reading.scalar(variable)]
            )
            letters += [x for term in terms for x in term.inside if isinstance(x, Symbol | k.Variable)]
        return letters

    # Steps.

    def step(
        self,
        label: str,
        relation: sp.Basic,
        *because: Theorem | Sequence[Theorem],
        printed: str = "",
        meaning: str = "",
        witness: Witness | None = None,
        derived_from: Sequence[Theorem] = (),
        hints: Sequence[sp.Expr] = (),
        factor: Sequence[int] | None = None,
        degree: int = 2,
    ) -> Theorem:
        """Claim a line, and close it by exact algebra from `because`.

        Args:
            label: its number.
            relation: what it says.
            because: theorems from which it follows; signs of norms and roots are added.
            printed: the paper's LaTeX.
            meaning: in words.
            witness: an instance that is meant to refute it.
            derived_from: the lines from which the paper derives it, if they are not those of `because`.
            hints: expressions whose squares the certificate may use.
            factor: places in `because` of strict facts whose product multiplies the goal.
            degree: of products of facts.

        Returns:
            The theorem; if none was found, the line as its own assumption, which everything that follows inherits.

        """
        reason = Because(tuple(_flat(because)), tuple(hints), None if factor is None else tuple(factor), degree)
        goal = self.reading.fact(relation)
        theorem = None if witness else self._closed(goal, reason)
        inference = self._infer(relation, replace(reason, premises=tuple(derived_from))) if derived_from else None
        theorem = theorem or rules.assume(goal)
        self.steps.append(Step(label, relation, check_math(printed), meaning, theorem, reason, witness, inference))
        return theorem

    def induct(
        self,
        label: str,
        relation: sp.Basic,
        *,
        first: Sequence[Theorem],
        then: Sequence[Theorem] | Callable[[Theorem], Sequence[Theorem]],
        meaning: str = "",
        hints: Sequence[sp.Expr] = (),
        factor: Sequence[int] | None = None,
        degree: int = 2,
    ) -> Theorem:
        """Claim a line for all t, by induction: `first` closes it at t = 1, and `then`, with the line itself, at t + 1.

        `then` may be a function of the line at t, as a theorem that assumes it. `hints`, `factor` and `degree` are for
        the step from t to t + 1, for which the line at t is the first premise.

        Returns:
            The theorem; if none was found, the line as its own assumption, which everything that follows inherits.

        """
        goal = self.reading.fact(relation)

        def step(now: Theorem) -> Because:
            premises = (now, *_flat(then(now) if callable(then) else then))
            return Because(premises, tuple(hints), None if factor is None else tuple(factor), degree)

        reason = Induction(Because(tuple(_flat(first))), step)
        found = self._inducted(goal, reason)
        theorem, half = (rules.assume(goal), found) if isinstance(found, Half) else (found, None)
        self.steps.append(Step(label, relation, "", meaning, theorem, reason, open=half))
        return theorem

    def _inducted(self, goal: Fact, because: Induction) -> Theorem | Half:
        """The goal for all t, or the first half that does not close."""
        at_first = Fact(goal.relation, builders.at(goal.polynomial, rules.FIRST))
        half = Half("at t = 1", at_first, because.first)
        if (begins := self._closed(half.goal, half.because)) is None:
            return half
        after = Fact(goal.relation, builders.at(goal.polynomial, NEXT))
        half = Half("from t to t + 1", after, because.then(rules.assume(goal)))
        goes_on = self._closed(half.goal, half.because)
        return half if goes_on is None else rules.induction(begins, goes_on, goal)

    def _infer(self, relation: sp.Basic, because: Because) -> Inference:
        # An existing counterexample is found at once; a failing search for a certificate takes longer.
        found = counterexample(self.reading.fact(relation), [x.fact for x in because.premises], SECONDS)
        if isinstance(found, Counterexample):
            return Inference(None, found)
        return Inference(self.close(relation, because), None)

    def close(self, relation: sp.Basic, because: Because | Induction) -> Theorem | None:
        """A theorem of the kernel that says the relation, for this reason; None if none is found.

        The proof gets no new line from it.
        """
        lines = len(self.steps)
        try:
            return self._closed(self.reading.fact(relation), because)
        finally:
            del self.steps[lines:]

    def _closed(self, goal: Fact, because: Because | Induction) -> Theorem | None:
        if isinstance(because, Induction):
            found = self._inducted(goal, because)
            return None if isinstance(found, Half) else found
        same = next((x for x in because.premises if x.conclusion == goal), None)
        if same is not None:
            return same
        premises = [*because.premises, *signs([goal, *(x.fact for x in because.premises)])]
        squares = [self.reading.scalar(x) for x in because.hints]
        return by_signs(goal, premises) or certify(
            goal, premises, hints=squares, factor=because.factor, degree=because.degree
        )

    def state(
        self, label: str, relation: sp.Basic, theorem: Theorem, *, printed: str = "", meaning: str = ""
    ) -> Theorem:
        """Add a line that a rule of the kernel yields as is; raises InputError if the rule says something else."""
        fact = _saying(label, relation, self.reading.fact(relation))
        said = theorem.conclusion.conclusion if isinstance(theorem.conclusion, Law) else theorem.conclusion
        if said != fact:
            raise InputError(label, relation, f"what the rule says, {said}")
        self.steps.append(Step(label, relation, check_math(printed), meaning, theorem))
        return theorem

    def generalise(self, theorem: Theorem, forall: Sequence[sp.Basic], given: Sequence[sp.Basic] = ()) -> Theorem:
        """The theorem as a law for all of `forall`, with the local facts `given` as its premises."""
        premises = tuple(part for relation in given for part in self.reading.facts(relation))
        return rules.generalise(theorem, tuple(sorted(set(self._letters(forall)))), premises)

    def conclude(
        self,
        theorem: Theorem,
        *given: Theorem,
        where: Mapping[sp.Basic, sp.Basic] | None = None,
        forall: Sequence[sp.Basic] = (),
        such_that: Sequence[sp.Basic] = (),
        relation: sp.Basic | None = None,
    ) -> Theorem:
        """End the proof with the claim's own conclusion, or with `relation` where the script states its own.

        `given` proves the remaining hypotheses; `forall` and `such_that` close the statement.
        """
        wanted = relation if relation is not None else (self.claim.conclusion if self.claim else None)
        if wanted is None:
            raise InputError("conclusion", None, "a relation, for a proof of no claim of the catalogue")
        if relation is not None and self.claim is not None:
            raise InputError("conclusion", relation, f"none: the proof ends in {self.claim.id}'s own")
        self.closing = Closing(dict(where or {}), tuple(forall), tuple(such_that), relation)
        fact = _saying("conclusion", wanted, self.reading.fact(wanted.xreplace(dict(where or {}))))
        self.goal = self.stated(fact, self.closing)
        theorem = discharged(theorem, *given)
        # A proof that rests on an open line cannot become a law; the verdict names the line.
        closed = theorem.hypotheses <= {each.statement for each in self.assumptions}
        self.conclusion = self.generalise(theorem, forall, such_that) if forall and closed else theorem
        return self.conclusion

    def stated(self, fact: Fact, closing: Closing) -> Statement:
        """The fact as the closing states it: a law, if the closing has `forall`."""
        return self.law(closing.forall, closing.such_that, fact) if closing.forall else fact


def _saying(label: str, relation: sp.Basic, fact: Fact) -> Fact:
    """The fact; raises InputError if its two sides are the same, because it would then say nothing."""
    if not fact.polynomial.terms:
        raise InputError(label, relation, f"a statement that says something: in normal form it is {fact}")
    return fact


def signs(facts: Sequence[Fact]) -> list[Theorem]:
    """The theorems that norms and roots in these facts are not negative, and dimensions, T and t are at least 1."""
    found: dict[str, Theorem] = {}
    for atom in (atom for fact in facts for atom in fact.polynomial.atoms()):
        match atom:
            case k.Norm():
                found[atom.key] = rules.norm_nonnegative(atom.kind, atom.blocks)
            case k.Root():
                found[atom.key] = rules.root_nonnegative(atom.body)
            case k.Dimension():
                found[atom.key] = rules.dimension_positive(atom.name)
            case k.Horizon():
                found[atom.key] = rules.horizon_positive()
            case k.Clock():
                found[atom.key] = rules.time_at_least_one()
    return list(found.values())


def _flat(because: Sequence[Theorem | Sequence[Theorem]]) -> list[Theorem]:
    return [x for each in because for x in ([each] if isinstance(each, Theorem) else each)]
