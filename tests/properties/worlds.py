"""Worlds: exact instances in which all that a proved claim assumes holds, so that it is not proved
of nothing.

``python -m tests.properties.worlds PAPER...`` looks for one for each proved claim of a paper in
`proofs/`, the simplest that Hypothesis finds, and writes those that the judge accepts into the
paper's ``worlds.json``. What `prove` shows of a proof says whether one is known.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import sympy as sp
from flint import arb, arb_mat
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import NoSuchExample, Unsatisfiable

from boundcheck.errors import InputError
from boundcheck.exact.balls import Vector, ball_of
from boundcheck.exact.evaluate import VectorFunction
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.evidence import Extent
from boundcheck.language.hypotheses import LEAST
from boundcheck.language.judge import meets
from boundcheck.language.sentence import algorithm_of
from boundcheck.language.symbols import R_1, D, T, ell, mu_F, zeta
from boundcheck.proof.record import WORLDS, records
from boundcheck.proofs import paper_of
from boundcheck.properties.check import strategy_of
from boundcheck.system.files import replace_file
from boundcheck.worst_case.instance import OfRun
from boundcheck.worst_case.stored import KINDS

# Of the simplest instances; where none of so many is a world, the claim has none among them.
TRIED = settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
LARGEST = 2
# What the letters stand for on a parabola, which leaves room: a step is half of what it may be.
LETTERS = {T: 2, ell: 2, mu_F: Fraction(1, 2), R_1: 1, D: 1, zeta: 1}


@dataclass(frozen=True)
class Parabola(OfRun):
    """An algorithm on F(v) = v²/2, a function of one number, from v_1 = 1, with samples F(v) ± c v.

    F is as strongly convex as it is smooth, everywhere, which no function of the other instances
    is.
    """

    claim: Claim
    given: Mapping[str, Fraction]  # the value of each of its parameters
    noise: Fraction  # c

    @classmethod
    def of(cls, claim):
        """Make one with two steps; raises InputError for a claim that is no theorem about exact
        steps.
        """
        algorithm = algorithm_of(claim)
        if algorithm is None or algorithm.no_exact:
            raise InputError("claim", claim.id, "a theorem about an algorithm with exact steps")
        given = {p.name: Fraction(LETTERS.get(p.symbol, Fraction(1, 4))) for p in claim.parameters}
        # What must be at least a number, such as an offset of time, is large; the next may depend
        # on it.
        place = 0
        for x in claim.conditions:
            if x.rel_op in (">", ">=") and str(x.lhs) in given:
                place += 1
                given[str(x.lhs)] = Fraction(8) ** place
        return cls(claim, given, Fraction(int(algorithm.is_stochastic), 2))

    @property
    def inputs(self):
        return {name: sp.Rational(x.numerator, x.denominator) for name, x in self.given.items()}

    def model(self):
        def point(x):
            return Vector([np.array([[x]], dtype=object)])

        samples = (self.noise, -self.noise) if self.noise else (Fraction(0),)

        def slope(v, c):
            return point(v[0][0, 0] + ball_of(c))

        paths = self.walk(point(arb(1)), slope, samples, int(self.given[T.name]))
        square = VectorFunction(lambda v: v[0][0, 0] ** 2 / 2, lambda v: v)
        return self.on_paths(paths, square, (arb_mat([[0]]),), {})

    def smoothness(self, where):
        return Extent.of(Fraction(1))

    convexity = smoothness

    def infimum(self):
        return Extent.of(Fraction(0))

    def gap(self):
        return Extent.of(Fraction(1, 2))

    def distance(self):
        return Extent.of(Fraction(1))

    def variance(self):
        return Extent.of(self.noise**2)

    def as_json(self):
        given = {name: str(x) for name, x in self.given.items()}
        about = {"kind": "parabola", "claim": self.claim.id, "digest": self.claim.digest}
        return about | {"given": given, "noise": str(self.noise)}

    @classmethod
    def from_json(cls, data, claim):
        given = {name: Fraction(x) for name, x in data["given"].items()}
        return cls(claim, given, Fraction(data["noise"]))


def world_of(claim):
    """The simplest instance found that the judge accepts, the same at each call; None where none is
    found.
    """
    try:
        tried = strategy_of(claim, None, LEAST, LARGEST)
        return find(tried, lambda x: meets(x, claim).holds, settings=TRIED)
    except (NoSuchExample, Unsatisfiable, InputError):
        pass
    try:
        parabola = Parabola.of(claim)
    except InputError:
        return None
    return parabola if meets(parabola, claim).holds else None


def read(data):
    """The instance that a ``worlds.json`` has for a claim."""
    kind = (KINDS | {"parabola": Parabola})[data["kind"]]
    return kind.from_json(data, catalogue[data["claim"]])


if __name__ == "__main__":
    for key in sys.argv[1:]:
        claims = {claim.id: claim for claim in paper_of(key).claims()}
        found = {}
        for id in records():
            if id in claims and (world := world_of(claims[id])) is not None:
                found[id] = world.as_json()
        written = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
        replace_file(paper_of(key).folder / WORLDS, written.encode())
