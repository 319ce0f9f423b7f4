"""The identity behind a theorem by certificate: as data, as a text in the kernel's own signs, and read back from it.

factor · goal = Σ weight · premises · square. Each factor is in brackets unless it is a single letter, norm or the
like; a squared factor is the last of its summand. So only the identity that the kernel checked has this text.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, KernelError, Theorem
from boundcheck.kernel.terms import Power, Scalar
from boundcheck.proof.letters import Letters, letters
from boundcheck.proof.readback import Reader, tokens_of
from boundcheck.proof.typeset import from_latex, latex


@dataclass(frozen=True)
class Summand:
    """weight · product of the factors · root², without the square where there is no root."""

    weight: Fraction
    factors: tuple[Scalar, ...]
    root: Scalar | None = None


@dataclass(frozen=True)
class Identity:
    """An identity: the product on the left is the sum on the right."""

    left: tuple[Scalar, ...]
    right: tuple[Summand, ...]

    @property
    def letters(self) -> Letters:
        """The role of each name in the identity; raises InputError if one name stands for two things."""
        inside = [each for summand in self.right for each in (*summand.factors, summand.root) if each is not None]
        return letters([Fact(">=", each) for each in (*self.left, *inside) if each.terms])

    @property
    def lines(self) -> list[str]:
        """The text of the identity: the left side, and a line for each summand, which begins with its sign."""
        made = ["*".join(map(_factor, self.left))]
        for place, each in enumerate(self.right):
            sign = "-" if each.weight < 0 else "+" if place else ""
            made.append(" ".join(filter(None, ("" if place else "=", sign, _summand(each)))))
        return made if self.right else [*made, "= 0"]


def identity_of(theorem: Theorem) -> Identity:
    """The identity behind a theorem by certificate, to check by hand: factor · goal = Σ weight · premises · square."""
    goal, terms, multipliers, factor = theorem.arguments
    premises = [premise.fact.polynomial for premise in theorem.premises]
    pieces = []
    for squares, places in terms:
        factors = tuple(premises[place] for place in places)
        for weight, root in squares:
            number = root.number
            pieces.append(Summand(weight, factors, root) if number is None else Summand(weight * number**2, factors))
    for multiplier, place in multipliers:
        number = multiplier.number
        factors = (premises[place],) if number is not None else (multiplier, premises[place])
        pieces.append(Summand(Fraction(1) if number is None else number, factors))
    return Identity((*(premises[place] for place in factor), goal.polynomial), tuple(pieces))


def identity(theorem: Theorem) -> str:
    """The identity behind a theorem by certificate as text."""
    return " ".join(identity_of(theorem).lines)


def identity_latex(theorem: Theorem) -> list[str]:
    """The lines of the identity in LaTeX; empty where they could be read as another identity."""
    found = identity_of(theorem)
    try:
        table = found.letters
        made = [latex(line, table) for line in found.lines]
        return made if read_identity(" ".join(from_latex(line, table) for line in made), table) == found else []
    except InputError:
        return []


def read_identity(text: str, table: Letters) -> Identity:
    """The identity that a text says, with these letters as its names; raises InputError for any other text."""
    reader = Reader(tokens_of(text), table)
    try:
        left = _read_product(reader)
        reader.take("=")
        right = list[Summand]()
        while reader.next() or not right:
            sign = -1 if reader.skip("-") else 1
            if right and sign == 1:
                reader.take("+")
            right.append(_read_summand(reader, sign))
    except (KernelError, RecursionError, ValueError, ZeroDivisionError) as error:
        raise InputError("text", text, f"the identity of a certificate, and not {error}") from error
    return Identity(tuple(each for each, _ in left), () if right == [Summand(Fraction(0), ())] else tuple(right))


def _read_product(reader: Reader) -> list[tuple[Scalar, bool]]:
    """The factors of a product, each with True if it is squared."""
    return reader.several(lambda: _read_factor(reader), "*")


def _read_factor(reader: Reader) -> tuple[Scalar, bool]:
    found = reader.unit()
    if not isinstance(found, Scalar):
        raise reader.unexpected("a number")
    return found, reader.skip("^") and bool(reader.take("2"))


def _read_summand(reader: Reader, sign: int) -> Summand:
    weight = Fraction(sign)
    if reader.next().isdigit():
        weight *= Fraction(int(reader.take()))
        weight /= int(reader.take()) if reader.skip("/") else 1
        if not reader.skip("*"):
            return Summand(weight, ())
    factors = _read_product(reader)
    root = factors.pop()[0] if factors[-1][1] else None
    if any(squared for _, squared in factors):
        raise reader.unexpected("one square, as the last factor")
    return Summand(weight, tuple(each for each, _ in factors), root)


def _summand(each: Summand) -> str:
    factors = [*map(_factor, each.factors), *([f"{_factor(each.root)}^2"] if each.root is not None else [])]
    size = abs(each.weight)
    return "*".join(factors if factors and size == 1 else [str(size), *factors])


def _factor(scalar: Scalar) -> str:
    """A factor in brackets, but for one that is a single atom."""
    is_atom = any(scalar == Scalar.of(atom) for atom in scalar.atoms() if not isinstance(atom, Power))
    return str(scalar) if is_atom else f"({scalar})"
