"""The words of theorems, each with the faces that it has and those that it lacks."""

from collections.abc import Iterable

from boundcheck.language.algorithms import ALGORITHMS, Algorithm
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import latex_of
from boundcheck.language.hypotheses import HYPOTHESES, PLACES, Hypothesis, Worst
from boundcheck.language.measures import MEASURES, Measure, PerformanceMeasure
from from_code.markdown import code, definition, formula, prose, table


def faces_of_algorithms() -> str:
    """A row for each algorithm: the faces that it has."""
    rows = [
        (prose(each.title), "yes", "yes", _has(not each.no_exact), _has(not each.no_worst))
        for each in ALGORITHMS.values()
    ]
    return table(("algorithm", "statement", "run", "exact", "worst"), rows)


def algorithms() -> str:
    """Each algorithm: its equations, and its faces."""
    return "\n\n".join(map(_algorithm, ALGORITHMS.values()))


def _algorithm(word: Algorithm) -> str:
    noise = "given a stochastic gradient" if word.is_stochastic else "given the gradient of F"
    faces = definition(
        (
            (
                "Run",
                f"steps on tensors, {noise}"
                + (f"; asks the function for {_list(word.asks)}" if word.asks else ""),
            ),
            ("Exact", prose(word.no_exact) or "rationals and Arb balls, over all sample paths"),
            ("Worst", prose(word.no_worst) or "performance estimation states it"),
            ("Numbers", _list(str(each.name) for each in word.parameters)),
            ("Theorems", _claims(each.id for each in catalogue.values() if each.algorithm == word)),
        )
    )
    # SymPy adds what is negative.
    equations = "".join(formula(latex_of(each).replace("+ -", "-")) for each in word.recurrence)
    return f"### {prose(word.title)}\n\n{code(word.id)}\n\n{equations}\n\n{faces}"


def measures() -> str:
    """Each measure that a theorem bounds, and whether a run shows it."""
    return "\n\n".join(map(_measure, MEASURES.values()))


def _measure(word: Measure) -> str:
    theorems = _claims(each.id for each in catalogue.values() if each.measure == word)
    if not isinstance(word, PerformanceMeasure):
        told = definition((("Run", "bracketed by `boundcheck measure`"), ("Theorems", theorems)))
        return f"### {prose(word.title)}\n\n{code(word.id)}\n\n{told}"
    told = definition(
        (("Run", _shown(word) if word.is_seen else "no run shows it"), ("Theorems", theorems))
    )
    return (
        "### "
        f"{prose(word.title)}\n\n{code(word.id)}\n\n{formula(latex_of(word.statement))}\n\n{told}"
    )


def _shown(word: PerformanceMeasure) -> str:
    noisy, plain = word.shown(True), word.shown(False)
    if word.pathwise:
        return f"the {plain}, of an algorithm without noise"
    return (
        f"the {plain}"
        if noisy == plain
        else f"the {noisy} under noise, which is no less; the {plain} without"
    )


def hypotheses() -> str:
    """Each hypothesis: which theorems assume it, and its faces."""
    return "\n\n".join(map(_hypothesis, HYPOTHESES.values()))


def faces() -> str:
    """A row for each hypothesis: the faces that it has."""
    rows = [
        (
            prose(each.title),
            _has(_is_audited(each)),
            _has(each.worst is not None),
            _has(not each.no_instance),
        )
        for each in HYPOTHESES.values()
    ]
    return table(
        ("hypothesis", "audited on runs", "performance estimation", "met by instances"), rows
    )


def _has(face: bool) -> str:
    return "yes" if face else "no"


def _is_audited(word: Hypothesis) -> bool:
    """Whether a run is held against it, by its function or by a class of its own."""
    return word.held is not None or type(word).rows is not Hypothesis.rows


def _hypothesis(word: Hypothesis) -> str:
    run = (
        "a run is held against it"
        if _is_audited(word)
        else "no run can show it: it is assumed, and the verdict says so"
    )
    worst = _worst(word.worst)
    smooth = f"F is smooth {PLACES[word.smooth_on]}" if word.smooth_on else ""
    told = definition(
        (
            ("Constants", _list(str(each.name) for each in word.symbols)),
            ("Gives", smooth),
            ("Run", run),
            ("Worst", worst),
            (
                "Exact",
                (
                    f"no instance that is tried is known to meet it: {prose(word.no_instance)}"
                    if word.no_instance
                    else ""
                ),
            ),
        )
    )
    stating = [each for each in catalogue.values() if each.word is word]
    stated = "".join(
        f"{_claims([each.id])} states:\n\n{formula(each.statement_latex)}\n" for each in stating
    )
    return f"### {prose(word.title)}\n\n{code(word.id)}\n\n{stated}\n\n{told}"


def _worst(worst: Worst | None) -> str:
    if worst is None:
        return "performance estimation cannot state it"
    return (
        "performance estimation states it"
        if worst != Worst()
        else "it asks nothing of the functions"
    )


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(code, names))


def _claims(ids: Iterable[str]) -> str:
    return ", ".join(f"[{id}](#{id})" for id in ids)
