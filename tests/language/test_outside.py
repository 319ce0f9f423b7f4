"""Words from outside of the package: a theorem that is a sentence of them is tried and falsified as any other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
import sympy as sp

from boundcheck.errors import InputError
from boundcheck.language.algorithms import ALGORITHMS, AdaGradNorm, Algorithm, LinearMethod
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantity
from boundcheck.language.exchange import claim_as_json, claim_from_json
from boundcheck.language.hypotheses import Hypothesis, Worst
from boundcheck.language.measures import MEASURES
from boundcheck.language.sentence import algorithm_of, measure_of, theorem, word_of
from boundcheck.language.symbols import D, Lhat, T, alpha, bound
from boundcheck.properties import ClaimViolatedError, check_claim
from boundcheck.properties.session import using
from boundcheck.worst_case import falsify
from boundcheck.worst_case.worst_case import WorstCase
from tests.outside.my_algorithm import HALVED
from tests.outside.my_measure import LAST_GRADIENT

SMOOTH, CONVEX, BELOW = (
    catalogue[id] for id in ("classic.smooth_everywhere", "classic.convex", "jiang2024.bounded_below")
)
QUIET = Hypothesis("quiet", "nothing more is asked", says=SMOOTH.word.says, worst=Worst())
LIPSCHITZ = catalogue["nesterov2004.gradient_descent"].quantities[0]


def sentence(factor: Any, algorithm: Algorithm = HALVED) -> Claim:
    """Of convex functions no step makes the gradient larger, so that the last is the least, which descent bounds."""
    return theorem(
        "my.theorem",
        "Halved descent",
        "test",
        "",
        (SMOOTH, CONVEX, BELOW),
        (
            LIPSCHITZ,
            Quantity(alpha, 1 / Lhat, "twice the step"),
            Quantity(bound, sp.Rational(factor) * Lhat * D / T, "bound on the last squared gradient"),
        ),
        algorithm=algorithm,
        measure=LAST_GRADIENT,
    )


TRUE, FALSE = sentence("8/3"), sentence("1/2")


def test_its_words_are_found() -> None:
    assert algorithm_of(TRUE) is HALVED
    assert measure_of(TRUE) is LAST_GRADIENT
    assert "halved" not in ALGORITHMS
    assert word_of(replace(SMOOTH, id="my.smooth", word=QUIET)) is QUIET


@pytest.mark.full
def test_it_is_tried_and_what_is_false_is_found_out(tmp_path) -> None:
    assert check_claim(TRUE, adapter="full", examples=20).ratio > 0.3
    with using(folder=tmp_path), pytest.raises(ClaimViolatedError):
        check_claim(FALSE, adapter="full", examples=60)


@pytest.mark.full
def test_it_has_a_worst_case() -> None:
    for case in falsify(TRUE, WorstCase((1, 2, 4))):
        assert not case.violated
        assert case.method == "halved descent"
    assert all(case.violated for case in falsify(FALSE, WorstCase((1, 2, 4))))


def test_files_name_words_that_are_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    written = claim_as_json(TRUE)
    with pytest.raises(InputError, match="halved"):
        claim_from_json(written)
    monkeypatch.setitem(ALGORITHMS, HALVED.id, HALVED)
    monkeypatch.setitem(MEASURES, LAST_GRADIENT.id, LAST_GRADIENT)
    assert claim_from_json(written) == TRUE


@dataclass(frozen=True)
class NoFaces(LinearMethod):
    """A method that says that it has no face."""

    no_exact: str = "its steps are not told"
    no_worst: str = "its steps are not told"


def test_a_face_that_is_missing_is_said_so() -> None:
    bare = sentence("8/3", NoFaces("bare", "bare", (alpha,), moves=HALVED.moves))
    with pytest.raises(InputError, match="its steps are not told"):
        falsify(bare, WorstCase([2]))
    with pytest.raises(InputError, match="bare"):
        check_claim(bare, adapter="full")


def test_a_theorem_without_its_algorithms_parameter_is_about_no_run() -> None:
    claim = replace(TRUE, quantities=(TRUE.quantities[0], TRUE.quantities[2]))
    assert algorithm_of(claim) is None


def test_a_theorem_of_ones_own_is_about_what_it_speaks_of() -> None:
    descent, stochastic = (
        replace(catalogue[id], id="my.own", algorithm=None, measure=None)
        for id in ("nesterov2004.gradient_descent", "ghadimi2013.corollary2_2")
    )
    for claim, name in ((descent, "gradient_descent"), (stochastic, "sgd")):
        assert algorithm_of(claim) is ALGORITHMS[name]
        assert measure_of(claim) is MEASURES["least_gradient"]
    twice = sp.Le(2 * descent.conclusion.lhs, bound)
    assert measure_of(replace(descent, conclusion=twice)) is None
    with pytest.raises(InputError, match=r"claim\.measure"):
        replace(TRUE, conclusion=twice)
    assert measure_of(catalogue["meft.lemma1_sharp"]) is MEASURES["smoothness"]


def test_an_algorithm_without_a_step_size_is_refused() -> None:
    with pytest.raises(InputError, match=r"algorithm\.none = no parameters: expected its step size"):
        AdaGradNorm("none", "no step", ())


def test_what_is_no_algorithm_is_refused() -> None:
    claim = replace(catalogue["nesterov2004.gradient_descent"], algorithm=HALVED.title)
    with pytest.raises(InputError, match=r"claim\.algorithm = str: expected an Algorithm"):
        algorithm_of(claim)
