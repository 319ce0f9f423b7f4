"""What all kinds of instances share: the certificate of both sides of a claim, runs in balls, and JSON tables.

A claim in a file is the catalogue's, by its id, or the file's own, which may not pass for one of the catalogue. An
error names the field that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, cast

import numpy as np
import sympy as sp
from flint import arb, arb_mat

from boundcheck.errors import InputError
from boundcheck.exact.balls import Balls, Vector, ball_of, enclose, square_norm_of
from boundcheck.exact.evaluate import Model, Paths, VectorFunction
from boundcheck.functions.judged import OfClaim
from boundcheck.language.algorithms import Algorithm, Space
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.evidence import HOLDS, Answer, Extent
from boundcheck.language.exchange import claim_as_json, claim_from_json, expression_from_json
from boundcheck.language.judge import Met, meets
from boundcheck.language.sentence import algorithm_of
from boundcheck.language.symbols import f_star
from boundcheck.language.vocabulary import A, B, F, v_star

# Larger numbers are not read from files: their products would overflow.
MOST = 1e25
# An id of a claim outside the catalogue, in letters that do not look like others.
_ID = re.compile(r"[A-Za-z0-9_.,:() -]*")


@dataclass(frozen=True)
class Certificate:
    """The facts that are certain about an instance.

    Attributes:
        met: what the judge says of everything given.
        lower: a proved lower bound on measured over bound.
        exceeds: whether the conclusion certainly fails.

    """

    met: Met
    lower: float
    exceeds: bool

    @property
    def inside(self) -> bool:
        """True if the instance breaks nothing that is given, as far as it can be decided."""
        return not self.met.failures

    @property
    def violated(self) -> bool:
        """True if the claim is false: everything given holds, and the conclusion fails."""
        return self.exceeds and self.met.holds

    @property
    def open(self) -> tuple[str, ...]:
        """The titles of what would have to hold for the claim to be false.

        Empty where nothing is open, where the conclusion does not certainly fail, and where something given fails.
        """
        return tuple(part.title for part in self.met.open) if self.exceeds and self.inside else ()


def certify(instance: Any) -> Certificate:
    """Ask the judge whether everything given holds in an instance, and enclose both sides of the claim."""
    return Certificate(meets(instance, instance.claim), *instance.sides())


# Runs.


class OfRun(OfClaim):
    """An instance whose points are those of a run of the claim's algorithm, with noise on both sides of F."""

    @cached_property
    def algorithm(self) -> Algorithm:
        """The algorithm of the claim, which is a theorem about one."""
        return cast(Algorithm, algorithm_of(self.claim))

    @property
    def least(self) -> Fraction:
        """The number that f* stands for."""
        return Fraction(0)

    def value(self, symbol: sp.Symbol) -> Extent:
        return Extent.of(self.least) if symbol == f_star else super().value(symbol)

    def follows(self, algorithm: Algorithm) -> Answer:
        return HOLDS if algorithm == self.algorithm else super().follows(algorithm)

    def bias(self) -> Extent:
        # The samples are equally likely, and equally far from the gradient.
        return Extent.of(Fraction(0))

    def walk(
        self, start: Vector, gradient: Callable[[Vector, Any], Vector], samples: Sequence[Any], steps: int
    ) -> Paths[Any, Any]:
        """All paths of the algorithm in balls, at the exact values of its parameters.

        Args:
            start: v_1.
            gradient: of a sample's loss, at a point.
            samples: from which each step draws.
            steps: T.

        """
        algorithm, space = self.algorithm, Space(square_norm_of, arb.sqrt)
        numbers = {x.name: enclose(self.letters[x], {}) for x in algorithm.parameters}
        return Paths(
            algorithm.exact_start(start, numbers),
            gradient,
            lambda state, g, t: algorithm.exact_step(state, g, t, numbers, space),
            samples,
            steps,
            query=lambda state, t: algorithm.exact_query(state, t, numbers),
        )

    def at(self, paths: Paths[Any, Any], t: int, path: int) -> tuple[arb_mat, ...]:
        """The iterate at a time of a path."""
        return as_matrices(self.algorithm.iterate(paths.state(t, path)))

    def on_paths(
        self,
        paths: Paths[Any, Any],
        function: VectorFunction,
        minimiser: tuple[arb_mat, ...] | None,
        blocks: Mapping[str, int],
    ) -> Model[arb, arb_mat]:
        """The model of a run: its iterates v, the gradients g that were drawn, and F.

        Args:
            paths: of the run.
            function: F.
            minimiser: of F, where the claim speaks of one.
            blocks: the places of A and B in v, as far as they are trained.

        """

        def iterate(name: str, t: int, path: int) -> tuple[arb_mat, ...]:
            if name == "g":
                return as_matrices(paths.drawn(t, path))
            v = self.at(paths, t, path)
            return v if name == "v" else (v[blocks[name]],)

        return Model(
            Balls(),
            numbers={f_star: ball_of(self.least)},
            matrices={} if minimiser is None else {v_star: minimiser},
            iterates=iterate,
            functions={F: function},
            blocks={X: blocks[X.name] for X in (A, B) if X.name in blocks},
            horizon=paths.T,
            weights=paths.weights,
            past=paths.past,
            values=self.letters,
        )


def as_matrices(v: Any) -> tuple[arb_mat, ...]:
    """The blocks of a vector of balls as matrices."""
    return tuple(arb_mat(part.tolist()) for part in v)


# Files.


def matrix_text(X: np.ndarray) -> str:
    """A matrix in one line, as Python writes lists, its numbers at six digits."""
    return "[" + ", ".join("[" + ", ".join(f"{x:.6g}" for x in row) + "]" for row in X.tolist()) + "]"


def named(claim: Claim) -> Any:
    """The claim's id where the catalogue has that very claim; otherwise all that it says, under an id of its own."""
    if catalogue.get(claim.id) == claim:
        return claim.id
    own = claim if claim.id not in catalogue else replace(claim, id=f"not {claim.id}")
    written = claim_as_json(own)
    if own.id == str(own.conclusion):
        # Floats in it are written as the rationals that they are.
        written["id"] = str(expression_from_json(written["conclusion"]))
    return written


def check_id(claim: Claim) -> None:
    """Refuse an id by which a claim, or one of its hypotheses, would be taken for another claim.

    Only the catalogue's claim may have its id. Any other id is a name that does not begin with the key of a paper, or
    the conclusion itself, as SymPy prints it.

    Raises:
        InputError: that says which of these it is not.

    """
    for hypothesis in claim.hypotheses:
        check_id(hypothesis)
    if claim.id in catalogue:
        if claim != catalogue[claim.id]:
            expected = "another id, because this one is the catalogue's and the claim is not"
            raise InputError("claim.id", claim.id, expected)
    elif claim.id != str(claim.conclusion):
        if not _ID.fullmatch(claim.id):
            expected = "a name of letters and digits without accents, or the conclusion itself, as SymPy prints it"
            raise InputError("claim.id", ascii(claim.id), expected)
        papers = {id.partition(".")[0] for id in catalogue}
        if (words := re.findall(r"\w+", claim.id.casefold())) and words[0] in papers:
            raise InputError("claim.id", claim.id, f"an id of the catalogue, or one that {words[0]} does not begin")


def check_whole(data: Any, written: Any, name: str) -> None:
    """Refuse fields of a file that nobody read, and values that would be written differently.

    Args:
        data: what is in the file.
        written: what would be in it, had boundcheck written it.
        name: of the table in the file.

    Raises:
        InputError: that names the field.

    """
    if isinstance(data, dict) and isinstance(written, dict):
        for key, value in data.items():
            if key not in written:
                raise InputError(f"{name}.{key}", value, f"no other fields than {', '.join(written)}")
            check_whole(value, written[key], f"{name}.{key}".removeprefix("instance."))
    elif isinstance(data, list) and isinstance(written, list) and len(data) == len(written):
        for each, other in zip(data, written, strict=True):
            check_whole(each, other, name)
    elif data != written:
        raise InputError(name, data, f"what boundcheck would write: {written}")


@dataclass(frozen=True)
class Fields:
    """A JSON table with the name that errors call it by."""

    data: Any
    name: str

    def __post_init__(self) -> None:
        if not isinstance(self.data, dict):
            raise InputError(self.name, self.data, "a table")

    def get(self, name: str, kind: type | None = None, expected: str = "a value") -> Any:
        """The value of a field, of this type where one is given."""
        if name not in self.data:
            raise InputError(f"{self.name}.{name}", "(not given)", "a value")
        value = self.data[name]
        # To Python True is an integer.
        if kind is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            raise InputError(f"{self.name}.{name}", value, expected)
        return value

    def table(self, name: str) -> Fields:
        return Fields(self.get(name), name)

    def text(self, name: str) -> str:
        return str(self.get(name, str, "text"))

    def integer(self, name: str) -> int:
        return int(self.get(name, int, "an integer"))

    def claim(self) -> Claim:
        """The claim that `named` wrote."""
        data = self.get("claim")
        if not isinstance(data, dict):
            return catalogue[self.text("claim")]
        claim = claim_from_json(data)
        check_whole(data, claim_as_json(claim), "claim")
        check_id(claim)
        return claim

    def number(self, name: str, most: float = MOST) -> float:
        value = self.get(name)
        if not _is_number(value, most):
            raise InputError(f"{self.name}.{name}", value, f"a finite number of size at most {most:g}")
        return float(value)

    def positive(self, name: str) -> float:
        if not (value := self.number(name)) >= 1 / MOST:
            raise InputError(f"{self.name}.{name}", value, f"a positive number from {1 / MOST:g} on")
        return value

    def matrix(self, name: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
        """A matrix of finite numbers, of this shape where one is given."""
        field, rows = f"{self.name}.{name}", self.get(name)
        wanted = f"a matrix of finite numbers of size at most {MOST:g}" + (f", of shape {shape}" if shape else "")
        if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
            raise InputError(field, type(rows).__name__, wanted)
        if len({len(row) for row in rows}) > 1 or not all(_is_number(x, MOST) for row in rows for x in row):
            raise InputError(field, "with an entry that is missing or not such a number", wanted)
        if shape is not None and (len(rows), len(rows[0])) != shape:
            raise InputError(field, f"of shape ({len(rows)}, {len(rows[0])})", wanted)
        return np.array(rows, dtype=np.float64)


def _is_number(value: Any, most: float) -> bool:
    # Comparison is exact, also for integers that are not floats, and false for NaN.
    return isinstance(value, int | float) and not isinstance(value, bool) and -most <= value <= most
