"""`Hypothesis`: a word that theorems assume, with its faces; a `Claim` states it and names it as its word."""

import copyreg
import importlib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Literal, cast, get_args

import sympy as sp

from boundcheck.errors import InputError
from boundcheck.language.claim import Claim, Statement
from boundcheck.language.cost import Cost
from boundcheck.language.hypotheses.evidence import Audit, Evidence, Guilt, Status
from boundcheck.language.instance import Answer, Instance
from boundcheck.language.symbols import Parameter, check_symbols

Blamed = Literal["sampling", "constant", "ball"]


@dataclass(frozen=True)
class Worst:
    """The demands of a hypothesis on the functions and noise among which performance estimation looks for the worst.

    Attributes:
        is_smooth: F has a Lipschitz gradient.
        is_convex: F is convex.
        strong: the symbol of its strong convexity constant.
        gap: the symbol of the bound on F(v_1) - f*.
        distance: the symbol of the bound on the distance from v_1 to a minimiser.
        noise: the symbol of zeta, where zeta^2 bounds the variance of the stochastic gradient.

    """

    is_smooth: bool = False
    is_convex: bool = False
    strong: sp.Symbol | None = None
    gap: sp.Symbol | None = None
    distance: sp.Symbol | None = None
    noise: sp.Symbol | None = None

    def __or__(self, other: "Worst") -> "Worst":
        """The demands of both hypotheses together."""
        return Worst(**{each.name: getattr(self, each.name) or getattr(other, each.name) for each in fields(self)})


@dataclass(frozen=True)
class Hypothesis:
    """A word that theorems assume, with what a `Claim` that states it means to each engine.

    ``held(evidence, id)`` holds a run against it. It is given what the run recorded, a
    `boundcheck.language.hypotheses.evidence.Evidence`, and the id of the hypothesis, and returns one row or more, each
    an `Audit` with that id: ``Audit(id, guilt, status, observed, limit, how, symbol)``. The status is ``failed`` on a
    single counterexample that rounding cannot explain, ``held`` where nothing that was looked at contradicts it and
    nothing in the limit is an estimate, else ``assumed``; `status_of` decides so. A number in ``observed`` is the
    largest that was seen, and at most ``limit`` where it held. Of a run that broke a hypothesis its theorem says
    nothing; of one with an assumed row nothing is supported or violated.

    Attributes:
        id: its name.
        title: what a reader calls it.
        symbols: the symbols of the constants that it gives a meaning to, such as L or zeta.
        says: the statements that it has, in these symbols: a claim with this word makes one of them, the first unless
            it names another. Engines ask the word, so that what is printed may be nothing else.
        worst: how performance estimation states it, ``Worst()`` where it asks nothing of the functions; None where it
            cannot.
        is_about_noise: whether it is about the stochastic gradient, and not about the function.
        held: how a run is held against it, by what id: the rows of the audit, each with this id, and ``held`` only
            where what was observed, less its error, is within the limit. No row at all means that the run says nothing
            of it, and it is assumed; None that no run can show it.
        blamed: its turn among all that failed: how minibatches were drawn explains everything else and is blamed first;
            a ball may be left because of anything else and is blamed last.
        smooth_on: where it makes F smooth: along the ``path`` of the iterates, on all of ``space``, in a ``ball`` of
            factors that are all trained, with one factor ``frozen``; empty where it does not.
        cost: what it puts in place of what the steps did, in the sum over them; None where it enters in no such way.
        decided: whether it holds in an exact instance, from the instance, this word and the claim that states it; None
            where the statement itself decides, at each time of the instance.
        no_instance: why no instance that is tried is known to meet it; empty where each one does.

    """

    id: str
    title: str
    symbols: tuple[sp.Symbol, ...] = ()
    says: tuple[Statement, ...] = field(default=(), kw_only=True)
    worst: Worst | None = None
    is_about_noise: bool = False
    smooth_on: Literal["", "path", "space", "ball", "frozen"] = ""
    held: Callable[[Evidence, str], list[Audit]] | None = None
    blamed: Blamed = "constant"
    cost: Cost | None = None
    decided: "Callable[[Instance, Hypothesis, Claim], Answer] | None" = None
    no_instance: str = ""

    def __post_init__(self) -> None:
        """Check that each of its constants has a name."""
        check_symbols(f"hypothesis.{self.id}.symbols", *self.symbols)

    @property
    def letter(self) -> str:
        """The name of the constant that it is about, the first of its symbols."""
        return str(self.symbols[0].name)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle it by its id, if this package has it: in another process it is the same word, whatever it holds."""
        if _of_this_package(self.id) is self:
            return _of_this_package, (self.id,)
        return copyreg.__newobj__, (type(self),), self.__dict__  # type: ignore[attr-defined]

    def claim(
        self,
        id: str,
        title: str,
        source: str,
        statement: Statement | None = None,
        *,
        note: str = "",
        declared: tuple[Parameter, ...] = (),
    ) -> Claim:
        """The claim that states it: as `statement` of those that it has, or as the first.

        Raises:
            InputError: for a statement that is none of them, as `Claim` does.

        """
        conclusion, quantifier = statement or self.says[0]
        return Claim(id, title, source, conclusion, quantifier, note=note, declared=declared, word=self)

    def denies(self, claim: Claim) -> str:
        """A text of what it says, if the claim says something else, or more or less; empty if it does not.

        A claim with hypotheses, formulas, conditions, an algorithm or a measure says more, too.
        """
        beside = (claim.hypotheses, claim.quantities, claim.conditions, claim.algorithm, claim.measure)
        if Statement(claim.conclusion, claim.quantifier) in self.says and not any(beside):
            return ""
        listed = " or ".join(each.line for each in self.says) or "nothing yet, a Hypothesis(…, says=(Statement(…),))"
        return f"{listed}, and no more; another statement has a word of its own, or none"

    def rows(self, evidence: Evidence, id: str) -> list[tuple[Blamed, Audit]]:
        """Hold a run against it, and return the rows of the audit under this id, each with its turn to be blamed.

        A hypothesis that no run can show, or that this run says nothing of, is assumed, and a row says so.

        Raises:
            InputError: for what is no row, or one under another id, or whose numbers are not what its status says.

        """
        if self.held is None:
            return [(self.blamed, assumed(id, f"cannot be audited: {self.title}"))]
        rows = [_checked(row, id) for row in self.held(evidence, id)]
        return [(self.blamed, row) for row in rows or [assumed(id, f"nothing was looked at: {self.title}")]]


def _of_this_package(id: str) -> Hypothesis | None:
    return cast(Hypothesis | None, importlib.import_module(__package__).HYPOTHESES.get(id))


def assumed(id: str, how: str) -> Audit:
    """The row of a hypothesis that is assumed, since no run was held against it."""
    return Audit(id, "hypothesis", "assumed", None, None, how)


def _checked(row: Any, id: str) -> Audit:
    """Check a row that a hypothesis gave, and return it.

    A status that its own numbers contradict would be evidence of nothing.
    """
    if not isinstance(row, Audit):
        raise InputError(f"hypothesis.{id}", row, "rows of an audit")
    if row.hypothesis != id:
        raise InputError(f"hypothesis.{id}", f"a row under the id {row.hypothesis}", f"rows under its own id, {id}")
    for name, value, known in (("status", row.status, Status), ("guilt", row.guilt, Guilt)):
        if value not in get_args(known):
            raise InputError(f"hypothesis.{id}.{name}", value, f"one of {', '.join(get_args(known))}")
    if row.status != "failed" and not row.is_kept:
        given = f"{row.status}, where {row.observed:.6g} was observed and {row.limit:.6g} is the limit"
        raise InputError(f"hypothesis.{id}.status", given, "failed where what was observed is beyond the limit")
    return row
