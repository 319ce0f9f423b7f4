"""What a theorem says to performance estimation, read off its words alone: it takes neither torch
nor a solver.
"""

from boundcheck.errors import InputError
from boundcheck.language.algorithms import Algorithm
from boundcheck.language.claim import Claim
from boundcheck.language.hypotheses import HYPOTHESES, Worst
from boundcheck.language.measures import SMOOTHNESS, PerformanceMeasure
from boundcheck.language.sentence import algorithm_of, is_ours, measure_of, words_of
from boundcheck.language.symbols import T, eta


def has_worst_case(claim: Claim) -> bool:
    """True if performance estimation can state a claim: then `WorstCase` takes it."""
    try:
        stated(claim)
    except InputError:
        return False
    return True


def stated(claim: Claim) -> tuple[Algorithm, PerformanceMeasure, Worst]:
    """The algorithm, the measure, and what the hypotheses say together; raises InputError for a
    word without one.
    """
    algorithm, measure = algorithm_of(claim), measure_of(claim)
    letters = {parameter.symbol for parameter in claim.parameters}
    # Letters whose meaning performance estimation knows.
    known = {T, eta, *(p.symbol for p in claim.own)}
    known |= {symbol for word in HYPOTHESES.values() if word.worst for symbol in word.symbols}
    if (
        algorithm is None
        or not isinstance(measure, PerformanceMeasure)
        or SMOOTHNESS.symbol not in {quantity.symbol for quantity in claim.quantities}
        or not letters <= known.union(algorithm.parameters)
    ):
        expected = "a theorem about every smooth F with a constant step size"
        raise InputError("claim", claim.id, expected)
    if algorithm.no_worst:
        expected = (
            f"a linear method: no performance estimation of {algorithm.title}, for"
            f" {algorithm.no_worst}"
        )
        raise InputError("claim", claim.id, expected)
    says = Worst()
    for hypothesis, word in words_of(claim):
        if word is None or word.worst is None:
            raise InputError(
                "claim.hypotheses",
                hypothesis.id,
                "hypotheses that performance estimation can state",
            )
        # What another's word says of the functions is not asked of them; the judge is asked of the
        # instance.
        says |= word.worst if is_ours(word) else Worst()
    if algorithm.is_stochastic and says.noise is None:
        raise InputError(
            "claim.hypotheses",
            claim.id,
            "a bound on the noise that performance estimation can state",
        )
    if T not in letters or letters.isdisjoint({says.gap, says.distance}):
        expected = "a theorem with T and with a distance of v_1 from the minimum, such as D"
        raise InputError("claim", claim.id, expected)
    return algorithm, measure, says
