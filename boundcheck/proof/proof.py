"""A proof as a script writes it: hypotheses, definitions, and steps that are proved, refuted or
left open.

A step says what is claimed (sympy), how the paper prints it (LaTeX), and from what it follows.
`certificate` searches for a certificate, the kernel has the last word, and `verdict` gives the
verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Law, Statement, Theorem, builders, rules
from boundcheck.kernel.derive import free
from boundcheck.kernel.terms import NEXT, Matrix, Scalar, Symbol, Variable
from boundcheck.language.claim import Claim, Quantity, as_typed, letters
from boundcheck.language.judge import followed
from boundcheck.language.prose import plain
from boundcheck.language.symbols import D
from boundcheck.language.vocabulary import GAP, Iterate, Value
from boundcheck.proof import small
from boundcheck.proof.by import By, discharged
from boundcheck.proof.certificate import entailed, signs
from boundcheck.proof.definitions import GIVEN, check, circular, is_own_definition
from boundcheck.proof.laws import Laws
from boundcheck.proof.notation import check_math
from boundcheck.proof.reading import Reading
from boundcheck.proof.solver import SECONDS, Counterexample, counterexample
from boundcheck.proof.statement import Sequent
from boundcheck.proof.witness import Witness

# Small instances in which a line is false are tried for so many seconds before what takes long.
_SOON = 0.5

Role = Literal["hypothesis", "definition", "domain", "choice", "local"]


@dataclass(frozen=True)
class Assumption:
    """A statement from which a proof starts.

    Attributes:
        role: ``hypothesis`` of the claim, ``definition`` or ``domain`` of a symbol, ``choice`` of
            an object that exists (a matrix of norm 1), or ``local``: assumed about arbitrary
            points, which a law must name.

    """

    name: str
    role: Role
    statement: Statement
    claim: Claim | None
    relation: sp.Basic
    where: Mapping[sp.Basic, sp.Basic] = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        """Its name, with its dollars or without; a definition is also called by its letter."""
        return {self.name, plain(self.name)} | (
            {str(self.relation.args[0])} if self.role == "definition" else set()
        )


# What closes a line at t + 1, from the line at t.
Then = Callable[[Theorem], tuple[Theorem, ...]]


@dataclass(frozen=True)
class Step:
    """A line of a proof.

    Attributes:
        label: what the proof calls it, "(12)".
        relation: the claimed relation in sympy; for a law its conclusion; None for a cited line.
        printed: the paper's own LaTeX, if it prints the line.
        meaning: what it says and why it holds, in words.
        theorem: the kernel's theorem; the line's own assumption if no proof was found.
        premises: what closed it, or was to; of an induction at t = 1; None where it is a theorem
            already.
        then: of an induction, what closes it at t + 1, from the line at t.
        witness: an exact instance in which every hypothesis holds and the line is false.
        inference: the line, from the lines from which the paper derives it, or exact numbers at
            which it does not follow from them; None if neither was found, or this was not asked.
        open: of an induction that does not close, the half that is open.

    """

    label: str
    relation: sp.Basic | None
    printed: str
    meaning: str
    theorem: Theorem
    premises: tuple[Theorem, ...] | None = None
    then: Then | None = None
    witness: Witness | None = None
    inference: Theorem | Counterexample | None = None
    open: Half | None = None


@dataclass(frozen=True)
class Half:
    """A fact that does not close, and by its name a half of an induction: at t = 1, or from t to t
    + 1.
    """

    name: str
    goal: Fact
    premises: tuple[Theorem, ...]


@dataclass
class Proof:
    """The working state of one proof script.

    Attributes:
        claim: the claim to prove; None for the script's own lemma.
        reading: what the matrices stand for.
        goal: what it is to end in; a script of no claim says that itself.
        sequent: what the claim says to the kernel.

    """

    claim: Claim | None
    reading: Reading = field(default_factory=Reading)
    assumptions: list[Assumption] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    conclusion: Theorem | None = None
    goal: Statement | None = None
    sequent: Sequent | None = None

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
        role: Role = "hypothesis",
    ) -> Theorem | tuple[Theorem, ...]:
        """Start from a hypothesis: its relation with symbols replaced as in `where`, for all of
        `forall` with `given`.

        `define` and `positive` assume a definition and a domain.

        Returns:
            The theorem that assumes it; for a conjunction or maximum of several parts, one for
            each, in sympy's order.

        """
        claim, relation = (
            (hypothesis, hypothesis.conclusion)
            if isinstance(hypothesis, Claim)
            else (None, hypothesis)
        )
        where = dict(where or {})
        relation = relation.xreplace(where)
        title = name or (claim.title if claim else f"${as_typed(relation)}$")
        theorems = []
        for fact in self.reading.facts(relation):
            statement = self.law(forall, given, fact) if forall else fact
            self.assumptions.append(Assumption(title, role, statement, claim, relation, where))
            theorems.append(rules.assume(statement))
        return theorems[0] if len(theorems) == 1 else tuple(theorems)

    def all_given(self) -> None:
        """Start from all that the claim is given: its hypotheses, formulas and conditions, its
        algorithm, and the signs of its letters.

        Raises InputError for a proof of no claim.
        """
        sequent, claim = self.sequent, self.claim
        if sequent is None or claim is None:
            raise InputError("all_given", self.claim, "a claim of one's own")
        for each in sequent.given:
            if each.says:
                self.given(each.hypothesis)
        for quantity in claim.quantities:
            self.quantity(quantity)
        for condition in claim.conditions:
            self.assume(condition)
        if algorithm := followed(claim):
            for each in (*algorithm.beginning, *algorithm.recurrence):
                left, right = each.args
                self.define(left, right, algorithm.title)
        if D in letters(claim) and D not in {each.symbol for each in claim.quantities}:
            self.define(D, GAP)
        self.positive(*sequent.positive)

    def given(self, hypothesis: Claim) -> Theorem | tuple[Theorem, ...]:
        """Start from a hypothesis of the claim as it stands: from a law for all letters over which
        it ranges.

        Raises InputError for what the claim does not list, and for a hypothesis that says nothing
        to the kernel, with the reason.

        Returns:
            The theorem that assumes it; for a conjunction of several parts, one for each.

        """
        sequent = self.sequent
        given = sequent.given if sequent else ()
        says = next((x.says for x in given if x.hypothesis == hypothesis), ())
        if not says:
            why = dict(sequent.unstated if sequent else ()).get(hypothesis.id, "it is not listed")
            raise InputError("given", hypothesis.id, f"a hypothesis that says something: {why}")
        theorems = []
        for each in says:
            self.assumptions.append(
                Assumption(hypothesis.title, "hypothesis", each, hypothesis, hypothesis.conclusion)
            )
            theorems.append(rules.assume(each))
        return theorems[0] if len(theorems) == 1 else tuple(theorems)

    def local(self, relation: sp.Basic, name: str = "") -> Theorem | tuple[Theorem, ...]:
        """Start from a fact about arbitrary points that the proof itself assumes, and that its law
        names.
        """
        return self.assume(relation, name=name, role="local")

    def define(
        self, left: sp.Basic, right: sp.Basic, name: str = "", forall: Sequence[sp.Basic] = ()
    ) -> Theorem:
        """Define a symbol, an iterate or a function: left = right.

        Raises InputError if the left side is none of these, is given, is already defined, or is
        defined by itself.
        """
        relation = sp.Eq(left, right, evaluate=False)
        # A plain number is now sympy's.
        left, right = relation.args
        own = is_own_definition(left, right, self.claim)
        if circle := circular([*self.definitions, (left, right)], self.reading):
            raise InputError("definition", circle, "a letter that is defined once, not by itself")
        assumed = any(x.relation == left for x in self.assumptions)
        if assumed and not right.is_positive and left not in GIVEN:
            raise InputError(
                "definition", relation, f"a value that is positive, as {left} is assumed to be"
            )
        theorem = self.assume(
            relation, forall=forall, name=name or f"${as_typed(left)}$", role="definition"
        )
        if isinstance(theorem, tuple):
            raise InputError("definition", relation, "a single equation")
        check(relation, theorem.conclusion, self.reading, own=own)
        return theorem

    def quantity(self, quantity: Quantity) -> Theorem:
        """Define a quantity of the claim by the claim's own expression."""
        return self.define(quantity.symbol, quantity.expression)

    def recall(self, name: str) -> Theorem:
        """The assumption of this name; raises InputError unless there is exactly one."""
        found = [each.statement for each in self.assumptions if name in each.names]
        if len(found) != 1:
            raise InputError("name", name, f"the name of one assumption, not of {len(found)}")
        return rules.assume(found[0])

    def cite(self, other: Proof, label: str, meaning: str = "") -> Theorem:
        """Take over the conclusion of another proof, with its assumptions, as a step of this
        one.
        """
        theorem = other.conclusion
        if theorem is None:
            raise InputError(label, other.claim, "a proof that concludes")
        mine = {each.statement for each in self.assumptions}
        needed = [
            x
            for x in other.assumptions
            if x.statement in theorem.hypotheses and x.statement not in mine
        ]
        self.assumptions += needed
        self.steps.append(Step(label, None, "", meaning, theorem))
        return theorem

    @property
    def relations(self) -> list[sp.Basic]:
        """The relations of what is assumed."""
        return [each.relation for each in self.assumptions]

    @property
    def definitions(self) -> list[tuple[sp.Basic, sp.Basic]]:
        """The two sides of every definition."""
        return [
            x.relation.args
            for x in self.assumptions
            if x.role == "definition"
            and isinstance(x.relation, sp.Eq)
            and isinstance(x.relation.lhs, sp.Symbol | Iterate | Value)
        ]

    @property
    def unsigned(self) -> sp.Basic | None:
        """A letter that has to be positive for a domain to hold, and by its value may not be; None
        if there is none. D is one, as the proof that says what it is says no more of its sign.
        """
        claim, values = self.claim, dict(self.definitions)
        values |= {each.symbol: each.expression for each in (claim.quantities if claim else ())}
        wanted = [x.relation for x in self.assumptions if x.role == "domain"]
        while wanted:
            letter = wanted.pop()
            value = values.pop(letter, None)
            if value is not None:
                if not value.is_positive:
                    return letter
                # Sympy takes the letters of the value for what they are declared to be.
                wanted += [x for x in value.free_symbols if x.is_positive]
        return None

    def positive(self, *symbols: sp.Symbol) -> list[Theorem]:
        """Assume that these symbols are positive, which is their domain; dimensions and T are
        always at least 1.
        """
        found = []
        for symbol in symbols:
            if not symbol.is_positive:
                raise InputError("symbol", symbol, "a symbol that sympy knows to be positive")
            value = next((right for left, right in self.definitions if left == symbol), None)
            if value is not None and not value.is_positive and symbol not in GIVEN:
                raise InputError(
                    "symbol", symbol, f"a proof that it is positive: it is defined, as {value}"
                )
            statement, name = Fact(">", self.reading.scalar(symbol)), f"${as_typed(symbol)} > 0$"
            if known := signs([statement]):
                found += known
                continue
            if statement not in {
                each.statement for each in self.assumptions if each.role == "domain"
            }:
                self.assumptions.append(Assumption(name, "domain", statement, None, symbol))
            found.append(rules.assume(statement))
        return found

    def law(self, forall: Sequence[sp.Basic], given: Sequence[sp.Basic], fact: Fact) -> Law:
        """The law that the fact holds for all of these matrices, vectors and numbers with these
        relations.
        """
        return Law(
            self._letters(forall),
            [part for each in given for part in self.reading.facts(each)],
            fact,
        )

    def _letters(self, variables: Sequence[sp.Basic]) -> list[Symbol | Variable]:
        letters: list[Symbol | Variable] = []
        for variable in variables:
            is_matrix, reading = isinstance(variable, MatrixExpr), self.reading
            terms: Sequence[Matrix | Scalar] = (
                reading.point(variable) if is_matrix else [reading.scalar(variable)]
            )
            letters += [
                x for term in terms for x in term.inside if isinstance(x, Symbol | Variable)
            ]
        return letters

    # Steps.

    @property
    def known(self) -> tuple[Theorem, ...]:
        """What a line may rest on that names nothing: what is assumed, and the lines that are
        proved.
        """
        assumed = [rules.assume(x.statement) for x in self.assumptions]
        given = {x.conclusion for x in assumed}
        return (*assumed, *(x.theorem for x in self.steps if x.theorem.hypotheses <= given))

    def step(
        self,
        label: str,
        relation: sp.Basic,
        *because: Theorem | Sequence[Theorem],
        printed: str = "",
        meaning: str = "",
        witness: Witness | None = None,
        derived_from: Sequence[Theorem] = (),
    ) -> Theorem:
        """Claim a line, and close it by exact algebra from `because`.

        Args:
            label: its number.
            relation: what it says.
            because: theorems from which it follows; signs of norms and roots are added. Left out,
                all that is assumed, the lines above, and the laws at the points of all these.
            printed: the paper's LaTeX.
            meaning: in words.
            witness: an instance that is meant to refute it.
            derived_from: the lines from which the paper derives it, if they are not those of
                `because`.

        Returns:
            The theorem; if none was found, the line as its own assumption, which everything that
            follows inherits.

        """
        premises = tuple(_flat(because))
        goal = self.reading.fact(relation)
        found = None if witness else self._closed(goal, premises)
        if isinstance(found, Half) and not premises:
            known = self.known
            facts = [x for x in known if isinstance(x.conclusion, Fact)]
            general = [x for x in known if isinstance(x.conclusion, Law)]
            # The letters of a law are none of the line's points.
            above = [x.relation for x in self.assumptions if isinstance(x.statement, Fact)]
            above += [x.relation for x in self.steps if x.relation is not None]
            premises = tuple(facts)
            given = [x.fact for x in facts if x.conclusion != goal]

            def is_false() -> bool:
                # Small runs are not held against laws.
                if general:
                    return False

                def holds(witness: Witness) -> bool:
                    return all(map(witness.meets, given))

                return bool(small.found(goal, relation, self.relations, self.reading, holds, _SOON))

            laws = Laws(self.reading, [relation, *above], facts, general, is_false=is_false)
            found = laws.prove(goal) or found
        theorem = found if isinstance(found, Theorem) else rules.assume(goal)
        inference: Theorem | Counterexample | None = None
        if derived_from:
            # An existing counterexample is found at once; a failing search for a certificate takes
            # longer.
            inference = counterexample(goal, [x.fact for x in derived_from], SECONDS)
            inference = inference or self.close(relation, tuple(derived_from))
        printed = check_math(printed)
        self.steps.append(
            Step(label, relation, printed, meaning, theorem, premises, None, witness, inference)
        )
        return theorem

    def induct(
        self,
        label: str,
        relation: sp.Basic,
        *,
        first: Sequence[Theorem],
        then: Sequence[Theorem] | Callable[[Theorem], Sequence[Theorem]],
        meaning: str = "",
    ) -> Theorem:
        """Claim a line for all t, by induction: `first` closes it at t = 1, and `then`, with the
        line itself, at t + 1.

        `then` may be a function of the line at t, as a theorem that assumes it.

        Returns:
            The theorem; if none was found, the line as its own assumption, which everything that
            follows inherits.

        """
        goal = self.reading.fact(relation)

        def step(now: Theorem) -> tuple[Theorem, ...]:
            return (now, *_flat(then(now) if callable(then) else then))

        premises = tuple(_flat(first))
        found = self._closed(goal, premises, step)
        theorem, half = (rules.assume(goal), found) if isinstance(found, Half) else (found, None)
        self.steps.append(Step(label, relation, "", meaning, theorem, premises, step, open=half))
        return theorem

    def close(
        self, relation: sp.Basic, premises: tuple[Theorem, ...], then: Then | None = None
    ) -> Theorem | None:
        """A theorem of the kernel that says the relation, closed as a `Step` is; None if none is
        found.

        The proof gets no new line from it.
        """
        lines = len(self.steps)
        try:
            found = self._closed(self.reading.fact(relation), premises, then)
        finally:
            del self.steps[lines:]
        return None if isinstance(found, Half) else found

    def _closed(
        self, goal: Fact, premises: tuple[Theorem, ...], then: Then | None = None
    ) -> Theorem | Half:
        """The goal, or what is open: of an induction the first half that does not close."""
        if then is None:
            same = next((x for x in premises if x.conclusion == goal), None)
            return same or entailed(goal, premises) or Half("", goal, premises)
        begins = self._closed(
            Fact(goal.relation, builders.at(goal.polynomial, rules.FIRST)), premises
        )
        if isinstance(begins, Half):
            return replace(begins, name="at t = 1")
        after = Fact(goal.relation, builders.at(goal.polynomial, NEXT))
        goes_on = self._closed(after, then(rules.assume(goal)))
        if isinstance(goes_on, Half):
            return replace(goes_on, name="from t to t + 1")
        return rules.induction(begins, goes_on, goal)

    def state(
        self,
        label: str,
        relation: sp.Basic,
        theorem: Theorem,
        *,
        printed: str = "",
        meaning: str = "",
    ) -> Theorem:
        """Add a line that a rule of the kernel yields as is; raises InputError if the rule says
        something else.
        """
        fact = _saying(label, relation, self.reading.fact(relation))
        said = (
            theorem.conclusion.conclusion
            if isinstance(theorem.conclusion, Law)
            else theorem.conclusion
        )
        if said != fact:
            raise InputError(label, relation, f"what the rule says, {said}")
        self.steps.append(Step(label, relation, check_math(printed), meaning, theorem))
        return theorem

    def generalise(
        self, theorem: Theorem, forall: Sequence[sp.Basic], given: Sequence[sp.Basic] = ()
    ) -> Theorem:
        """The theorem as a law for all of `forall`, with the local facts `given` as its
        premises.
        """
        premises = tuple(part for relation in given for part in self.reading.facts(relation))
        return rules.generalise(theorem, tuple(sorted(set(self._letters(forall)))), premises)

    def conclude(
        self,
        theorem: Theorem,
        *given: Theorem,
        forall: Sequence[sp.Basic] = (),
        such_that: Sequence[sp.Basic] = (),
        relation: sp.Basic | None = None,
    ) -> Theorem:
        """End the proof in what its claim says, or where it is of none in `relation`, for all of
        `forall` with `such_that`; `given` proves the remaining hypotheses.
        """
        wanted = relation if self.claim is None else self.claim.conclusion
        if wanted is None:
            raise InputError(
                "conclusion", None, "a relation, for a proof of no claim of the catalogue"
            )
        for name, said in (("relation", relation), ("forall", forall), ("such_that", such_that)):
            if self.claim is not None and said not in (None, ()):
                raise InputError(name, said, f"none: the proof ends in what {self.claim.id} says")
        fact = _saying("conclusion", wanted, self.reading.fact(wanted))
        theorem = discharged(theorem, *given)
        law: Statement = self.law(forall, such_that, fact) if forall else fact
        self.goal = law = self.sequent.conclusion if self.sequent else law
        if isinstance(law, Law):
            premises = [x for x in law.premises if self.claim is None or x in theorem.hypotheses]
            # What rests on an open line, or on more of its points, cannot become a law; the verdict
            # names that.
            rests = theorem.hypotheses.difference(premises)
            if not any(free(x) & {*law.variables} for x in rests):
                theorem = rules.generalise(theorem, law.variables, tuple(premises))
        self.conclusion = theorem
        return theorem


def _saying(label: str, relation: sp.Basic, fact: Fact) -> Fact:
    """The fact; raises InputError if its two sides are the same, because it would then say
    nothing.
    """
    if not fact.polynomial.terms:
        raise InputError(
            label, relation, f"a statement that says something: in normal form it is {fact}"
        )
    return fact


def _flat(because: Sequence[Theorem | Sequence[Theorem]]) -> list[Theorem]:
    return [x for each in because for x in ([each] if isinstance(each, Theorem) else each)]
