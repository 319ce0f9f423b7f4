"""Answers to the judge for each kind of instance here: the numbers of its claim, relations, an
adapter's sizes.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cached_property, reduce
from itertools import product
from typing import Any, NamedTuple

import sympy as sp
from flint import arb, arb_mat, ctx
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.errors import InputError
from boundcheck.exact.balls import Balls, Number, enclose, sign
from boundcheck.exact.evaluate import Model, fraction
from boundcheck.functions.adapters import Adapter
from boundcheck.functions.problem import Problem
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantifier, Quantity
from boundcheck.language.evidence import HOLDS, UNKNOWN, Answer, Extent, Instance, MatrixNorm
from boundcheck.language.hypotheses import BALL
from boundcheck.language.sentence import gradient_norm, takes, words_of
from boundcheck.language.symbols import PARAMETERS, C, G, L, exact, s, sigma
from boundcheck.system.plugins import is_ours

BITS = 192


class AtMost(NamedTuple):
    """One inequality: left is at most right, or less than it if `strict`."""

    left: Any
    right: Any
    strict: bool = False


def parts(relation: Any) -> Iterator[AtMost]:
    """The inequalities of which a relation consists.

    Raises InputError for anything but a relation.
    """
    match relation:
        case sp.And():
            for each in relation.args:
                yield from parts(each)
        case sp.LessThan() | sp.StrictLessThan():
            yield AtMost(relation.lhs, relation.rhs, isinstance(relation, sp.StrictLessThan))
        case sp.GreaterThan() | sp.StrictGreaterThan():
            yield AtMost(relation.rhs, relation.lhs, isinstance(relation, sp.StrictGreaterThan))
        case sp.Equality():
            yield AtMost(relation.lhs, relation.rhs)
            yield AtMost(relation.rhs, relation.lhs)
        case _:
            raise InputError(
                "claim",
                relation,
                "an inequality, an equation, or several of them joined by And, which SymPy does not"
                " decide itself",
            )


def check_words(claim: Claim) -> None:
    """Refuse a hypothesis that no instance is known to meet."""
    for each, word in words_of(claim):
        if word and word.no_instance:
            raise InputError(
                "claim.hypotheses", each.id, f"hypotheses that instances meet: {word.no_instance}"
            )


class OfClaim(Instance, ABC):
    """An instance of a claim at exact values of its parameters; formulas make its other letters of
    them.
    """

    claim: Claim

    @property
    @abstractmethod
    def inputs(self) -> Mapping[str, Any]:
        """The value of each parameter."""

    @property
    def chosen(self) -> Mapping[str, Any]:
        """Values for letters of the hypotheses that no formula of the claim has, by their names:
        any will do.
        """
        return {}

    @cached_property
    def letters(self) -> dict[sp.Symbol, sp.Expr]:
        """The exact value of each parameter, quantity, and letter that is chosen."""
        chosen = {
            PARAMETERS[name].symbol: exact(name, x)
            for name, x in self.chosen.items()
            if name in PARAMETERS
        }
        given = {
            p.symbol: exact(p.name, self.inputs[p.name])
            for p in self.claim.parameters
            if p.name in self.inputs
        }
        derived = {
            q.symbol: self.claim.expression(q.name).xreplace(given) for q in self.claim.quantities
        }
        return chosen | given | derived

    def value(self, symbol: sp.Symbol) -> Extent:
        """The value that the claim gives a letter; unknown if it gives none."""
        return Extent.of(number(self.letters[symbol])) if symbol in self.letters else UNKNOWN

    def defines(self, quantity: Quantity) -> Answer:
        """The answer `HOLDS` for a quantity of the claim, which is known by its formula alone."""
        return HOLDS if quantity in self.claim.quantities else super().defines(quantity)

    def decide(self, relation: sp.Basic) -> Answer:
        """Decide a relation of numbers without rounding, any other in balls, at each time 1 to T
        and each outcome.
        """
        try:
            said = [*parts(relation)]
        except InputError:
            return super().decide(relation)
        return reduce(Answer.__and__, map(self._decided, said), HOLDS)

    def _decided(self, part: AtMost) -> Answer:
        try:
            # An inequality of the claim's letters alone is decided without rounding.
            difference = None
            if not isinstance(part.left, MatrixExpr):
                difference = sp.sympify(part.left - part.right, strict=True)
            if difference is not None and difference.free_symbols <= self.letters.keys():
                found = sign(difference.xreplace(self.letters), {})
                if found < 0 or (found == 0 and not part.strict):
                    return HOLDS
                return Answer(
                    "fails",
                    f"{part.left} is {'not below' if part.strict else 'above'} {part.right}",
                )
            answer = HOLDS
            with ctx.workprec(BITS):
                model = self.model()
                # Without iterates there is one time.
                for time, outcome in product(
                    range(1, max(model.horizon, 1) + 1), range(len(model.weights))
                ):
                    x, y = (model.number(each, time, outcome) for each in (part.left, part.right))
                    answer &= compared(part, x, y)
                    if answer.verdict == "fails":
                        break
            return answer
        except (InputError, LookupError, TypeError, ValueError):
            # Such as a letter that it does not know, or a function that it knows at some points
            # alone.
            return Answer("open", f"nothing says whether {part.left} is at most {part.right}")

    def model(self) -> Model[arb, arb_mat]:
        """A model with the values of the letters, and without iterates."""
        return Model(Balls(), values=self.letters, horizon=0)


def number(x: sp.Expr) -> Number:
    """An exact number as a fraction if it is rational, else in a ball."""
    return fraction(x) if isinstance(x, sp.Rational) else enclose(x, {}, BITS)


def compared(part: AtMost, x: arb, y: arb) -> Answer:
    """The answer to whether an inequality holds whose sides lie in these balls."""
    if (x < y) if part.strict else (x <= y):
        return HOLDS
    if (x >= y) if part.strict else (x > y):
        return Answer("fails", f"{part.left} is {float(x):.9g}, and {part.right} is {float(y):.9g}")
    return Answer("open", f"{part.left} and {part.right} are too near to each other to tell")


class OfAdapter(OfClaim):
    """An instance whose F is f(W(v)) with an adapter's W, on a domain."""

    adapter: Adapter  # W(v)
    radii: Mapping[str, float]  # of the domain

    @property
    @abstractmethod
    def problem(self) -> Problem:
        """F."""

    @property
    def constants(self) -> Mapping[str, float]:
        """The values that the adapter gives its letters on the domain."""
        return self.adapter.constants(self.radii)

    @property
    def chosen(self) -> Mapping[str, Any]:
        """The constants that the objective and the adapter give; for a claim without s, s is 1."""
        found = {L.name: self.weight_smoothness(), C.name: self.adapter_lipschitz()}
        found[G.name] = self.weight_gradient(gradient_norm(self.claim) or "frobenius")
        known = {name: x.most for name, x in found.items() if x.most is not None}
        return dict(self.constants) | known | {s.name: self.scales[0]}

    @cached_property
    def scales(self) -> tuple[Fraction, Fraction]:
        """The scale of what the claim calls W, and that of its argument in f.

        In a claim without a scale, W is the product of the factors, and f is X -> f(W0 + sX).
        """
        scale = Fraction(self.constants.get(s.name, 1.0))
        return (scale, Fraction(1)) if takes(self.claim, s) else (Fraction(1), scale)

    def weight_smoothness(self) -> Extent:
        """The smoothness of f that the objective certifies."""
        return Extent(most=self.scales[1] ** 2 * Fraction(self.problem.objective.smoothness.value))

    def weight_gradient(self, norm: MatrixNorm) -> Extent:
        """The bound on the gradient that the objective certifies in the Frobenius norm, and so in
        the smaller one.
        """
        return Extent(most=self.scales[1] * Fraction(self.problem.gradient_bound(self.radii).value))

    def adapter_lipschitz(self) -> Extent:
        """The scale of W times the larger radius, by ‖XY‖_F <= ‖X‖_op‖Y‖_F, where v = (A, B)."""
        radius = self.constants.get(sigma.name)
        return UNKNOWN if radius is None else Extent(most=self.scales[0] * Fraction(radius))

    def reach(self, radius: sp.Symbol) -> Extent:
        """The size of A, B, or both: the norm of a frozen factor, the largest norm over all points
        of a trained one.
        """
        found = []
        for letter in ("A", "B") if radius == BALL.common else (radius.name.upper(),):
            name = next((block.radius for block in self.adapter.blocks if block.name == letter), "")
            if letter in self.adapter.frozen:
                found.append(self.frozen(sp.Symbol(letter)))
            else:
                found.append(self.reached(name) if name in self.radii else UNKNOWN)
        return reduce(Extent.__or__, found)

    def frozen(self, radius: sp.Symbol) -> Extent:
        """The norm of A or B if the adapter does not train it; else unknown."""
        letter = radius.name.upper()
        known = letter in self.adapter.frozen
        return (
            Extent(most=Fraction(self.constants[self.adapter.frozen[letter]])) if known else UNKNOWN
        )

    @abstractmethod
    def reached(self, radius: str) -> Extent:
        """The largest norm, over all points, of the block with this radius."""

    def ranges(self, hypothesis: Claim) -> Answer:
        """The answer `on_domain` to a hypothesis that claims about an adapter of ours rest on.

        An adapter from outside gives only its own word for its claims.
        """
        own = (
            each
            for id in self.adapter.claims
            if is_ours(self.adapter)
            for each in catalogue[id].hypotheses
        )
        return self.on_domain() if hypothesis in own else super().ranges(hypothesis)

    def within(self, quantifier: Quantifier) -> Answer:
        """`on_domain` for a quantifier of the adapter's claims, which range over its domain in
        whatever words.
        """
        own = {catalogue[id].quantifier for id in self.adapter.claims}
        return self.on_domain() if quantifier in own else super().within(quantifier)

    @abstractmethod
    def on_domain(self) -> Answer:
        """The answer to whether all points are in the domain."""
