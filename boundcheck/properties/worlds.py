"""Worlds: exact instances in which all that a proved claim assumes holds, so that it is not proved
of nothing.

``python -m boundcheck.properties.worlds PAPER...`` looks for one for each proved claim of a paper
in `proofs/`, the simplest that Hypothesis finds, and writes those that the judge accepts into the
paper's ``worlds.json``. What `prove` shows of a proof says whether one is known. The judge judges
them again in the tests.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, cast

import numpy as np
import sympy as sp
from flint import arb, arb_mat
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import NoSuchExample, Unsatisfiable

from boundcheck.errors import InputError
from boundcheck.exact.balls import Vector, ball_of
from boundcheck.exact.evaluate import Model, VectorFunction
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.evidence import Extent
from boundcheck.language.hypotheses import LEAST
from boundcheck.language.judge import meets
from boundcheck.language.sentence import algorithm_of
from boundcheck.language.symbols import R_1, D, Number, T, ell, mu_F, zeta
from boundcheck.proof.fixed import WORLDS, fixed_statements
from boundcheck.proofs import paper_of
from boundcheck.properties.check import strategy_of
from boundcheck.system.files import replace_file
from boundcheck.worst_case.instance import Fields, OfRun
from boundcheck.worst_case.stored import KINDS, Tried

# Of the simplest instances; where none of so many is a world, the claim has none among them.
_TRIED = settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
_LARGEST = 2


@dataclass(frozen=True)
class Parabola(OfRun):
    """An algorithm on F(v) = v²/2, a function of one number, from v_1 = 1, with samples F(v) ± c v.

    F is as strongly convex as it is smooth, everywhere, which no function of the other instances
    is.

    Attributes:
        claim: a theorem.
        given: the value of each of its parameters.
        noise: c.

    """

    claim: Claim
    given: Mapping[str, Fraction]
    noise: Fraction

    @classmethod
    def of(cls, claim: Claim) -> Parabola:
        """Make one with two steps and letters that leave room: ℓ = 2, μ = 1/2, R_1 = D = 1, half of
        what a step may be.

        Raises:
            InputError: for a claim that is not a theorem.

        """
        algorithm = algorithm_of(claim)
        if algorithm is None or algorithm.no_exact:
            raise InputError("claim", claim.id, "a theorem about an algorithm with exact steps")
        known: dict[sp.Basic, Fraction | int] = {
            T: 2,
            ell: 2,
            mu_F: Fraction(1, 2),
            R_1: 1,
            D: 1,
            zeta: 1,
        }
        given = {p.name: Fraction(known.get(p.symbol, Fraction(1, 4))) for p in claim.parameters}
        # What must be at least a number, such as an offset of time, is large; the next may depend
        # on it.
        least = [
            str(x.lhs) for x in claim.conditions if x.rel_op in (">", ">=") and str(x.lhs) in given
        ]
        given |= {name: Fraction(8) ** place for place, name in enumerate(least, 1)}
        return cls(claim, given, Fraction(int(algorithm.is_stochastic), 2))

    @property
    def inputs(self) -> Mapping[str, Number]:
        """The given values, as rational numbers of SymPy."""
        return {name: sp.Rational(x.numerator, x.denominator) for name, x in self.given.items()}

    def model(self) -> Model[arb, arb_mat]:
        """The model of the run: all iterates, gradients and values."""

        def point(x: arb) -> Vector:
            return Vector([np.array([[x]], dtype=object)])

        samples = (self.noise, -self.noise) if self.noise else (Fraction(0),)
        paths = self.walk(
            point(arb(1)),
            lambda v, c: point(v[0][0, 0] + ball_of(c)),
            samples,
            int(self.given[T.name]),
        )
        square = VectorFunction(lambda v: v[0][0, 0] ** 2 / 2, lambda v: v)
        return self.on_paths(paths, square, (arb_mat([[0]]),), {})

    def smoothness(self, where: str) -> Extent:
        return Extent.of(Fraction(1))

    def convexity(self, where: Literal["near", "space"]) -> Extent:
        return Extent.of(Fraction(1))

    def infimum(self) -> Extent:
        return Extent.of(Fraction(0))

    def gap(self) -> Extent:
        return Extent.of(Fraction(1, 2))

    def distance(self) -> Extent:
        return Extent.of(Fraction(1))

    def variance(self) -> Extent:
        return Extent.of(self.noise**2)

    @property
    def title(self) -> str:
        return f"a parabola, {self.given[T.name]} iterations"

    def as_json(self) -> dict[str, Any]:
        """Plain data, from which `from_json` makes the same instance."""
        given = {name: str(x) for name, x in self.given.items()}
        return {
            "kind": "parabola",
            "claim": self.claim.id,
            "digest": self.claim.digest,
            "given": given,
            "noise": str(self.noise),
        }

    @classmethod
    def from_json(cls, data: Any, claim: Claim) -> Parabola:
        """The instance that `as_json` wrote; raises an InputError that names the wrong field."""
        found = Fields(data, "instance")
        given = found.table("given")
        numbers = {name: Fraction(given.text(name)) for name in given.data}
        return cls(claim, numbers, Fraction(found.text("noise")))


def world_of(claim: Claim) -> Tried | Parabola | None:
    """The simplest instance found that the judge accepts, the same at each call; None where none is
    found.
    """
    try:
        tried = strategy_of(claim, None, LEAST, _LARGEST, "float64")
        return cast(Tried, find(tried, lambda x: meets(x, claim).holds, settings=_TRIED))
    except (NoSuchExample, Unsatisfiable, InputError):
        pass
    try:
        parabola = Parabola.of(claim)
        return parabola if meets(parabola, claim).holds else None
    except InputError:
        return None


def read(data: Mapping[str, Any]) -> Any:
    """Read the instance that a ``worlds.json`` has for a claim; raises InputError as the instance's
    `from_json`.
    """
    kind = (KINDS | {"parabola": Parabola})[data["kind"]]
    return kind.from_json(data, catalogue[data["claim"]])


if __name__ == "__main__":
    for key in sys.argv[1:]:
        claims = {claim.id: claim for claim in paper_of(key).claims()}
        found = {}
        for id in fixed_statements():
            if id in claims and (world := world_of(claims[id])) is not None:
                found[id] = world.as_json()
        written = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
        replace_file(paper_of(key).folder / WORLDS, written.encode())
