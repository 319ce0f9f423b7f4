"""Ways in that a hostile reviewer found, who read the code: between the kernel and the verdict, one each."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import sympy as sp
from boundcheck.proofs.jiang2024.claims import LEMMA_1

from boundcheck.exact.evaluate import t
from boundcheck.kernel.meaning import Model
from boundcheck.language import vocabulary as words
from boundcheck.language.claim import Claim
from boundcheck.language.vocabulary import (
    W1,
    W2,
    EuclideanNorm,
    Expectation,
    F,
    FrobeniusNorm,
    Iterate,
    SpectralNorm,
    Value,
    d,
    k,
)
from boundcheck.proof import Process, Proof, Reading, Script, Witness, ge, judge, le, script
from boundcheck.proof.audit import step_as_json
from boundcheck.proof.notation import shown
from boundcheck.proof.script import checked

from .case import NUMBERS, Case, claim, ending, given, lemma, of_scripts, of_witnesses, refusal, x, y, z

X, Y, Z = (sp.MatrixSymbol(name, d, k) for name in "XYZ")
MATRICES = Reading(constants={x, y, z}, arbitrary={X, Y, Z})
v_t, w_t, g_t = (Iterate(name, t, words.n, 1) for name in "vwg")
v, w, g = (sp.MatrixSymbol(name, words.n, 1) for name in "vwg")
ONE_RUN = Reading(processes={v_t: Process((v,)), g_t: Process((g,), drawn=True)}, constants={x, y}, arbitrary={z})
TWO_RUNS = Reading(processes={v_t: Process((v,)), w_t: Process((w,)), g_t: Process((g,), drawn=True)}, constants={x, y})
SMALL = le(FrobeniusNorm(X), 1)
positive = sp.Symbol("u", positive=True)


ROOM = r"\text{for all } X \in \mathbb{R}^{d \times k}"
NEXT, NOW = le(EuclideanNorm(v_t.xreplace({t: t + 1})), x), le(EuclideanNorm(v_t), x)
GIVEN_V = ge(Expectation(EuclideanNorm(g_t), v_t), x)


def by_law(hypothesis: Claim, **options: Any) -> Any:
    """‖Y‖ <= 1 from a law for all X."""

    def build(proof: Proof) -> None:
        law = proof.assume(hypothesis, forall=[X], **options)
        proof.conclude(proof.step("line", le(FrobeniusNorm(Y), 1), proof.by.instance(law, {X: Y})))

    return build


def by_definition(left: Any, right: Any, hypothesis: Claim, line: Any, **options: Any) -> Any:
    def build(proof: Proof) -> None:
        law = proof.define(left, right, **options)
        known = proof.by.instance(law, {X: X}) if options else law
        proof.conclude(proof.step("line", line, known, proof.assume(hypothesis)))

    return build


def without_conclude(proof: Proof) -> None:
    proof.conclusion = proof.step("line", ge(x**2, 0))
    proof.goal = proof.conclusion.conclusion


def another_goal(proof: Proof) -> None:
    proof.conclude(proof.step("line", ge(x**2, 0)))
    proof.goal = proof.conclusion.conclusion if proof.conclusion else None
    proof.stated = lambda *_: proof.goal


def forged_key(proof: Proof) -> None:
    false, fine = proof.reading.fact(le(1, 0)), proof.assume(ge(x, 1))
    proof.conclude(proof.step("line", ge(x, 0), fine), relation=ge(x, 0))
    vars(proof.assumptions[0].statement).update(key=false.key)


def circle(proof: Proof) -> None:
    """A line that solvers vouch for, drawn from itself."""
    first = proof.step("1", ge(x, 6), proof.assume(ge(x**3, 216)))
    proof.conclude(proof.step("again", ge(x, 6), first), relation=ge(x, 6))


def rests(build: Any) -> str:
    return "; ".join(str(each.statement) for each in judge(script("my.lemma", "sharp", NUMBERS)(build)).hypotheses)


def hidden(proof: Proof) -> None:
    """A line from a falsehood beside a conclusion that does not need it."""
    proof.step("big", ge(0, 1), proof.assume(le(1, 0)))
    proof.conclude(proof.step("line", ge(x**2, 0)), relation=ge(x**2, 0))


def first_line(build: Any, reading: Reading = NUMBERS) -> dict[str, Any]:
    judged = judge(script("my.lemma", "sharp", reading)(build))
    return step_as_json(judged, judged.steps[0])


def inferred(proof: Proof) -> None:
    """A line that says of itself that it follows, by another theorem."""
    theorem = proof.step("line", ge(x**2, 0))
    other = proof.assume(ge(0, 1))
    proof.steps[0] = replace(proof.steps[0], inference=other)
    proof.conclude(theorem, relation=ge(x**2, 0))


def model(**change: Any) -> Model:
    values: dict[str, Any] = {"x": Fraction(-1), "X": ((Fraction(1),),)}
    plain = Model({"one": 1, "d": 1, "k": 1}, 1, (Fraction(1),), lambda _: (0,), lambda each, *_: values[each.name])
    return replace(plain, **change)


def by_hand(**change: Any) -> Witness:
    return Witness("Numbers", {}, model(**change))


class GE(sp.GreaterThan):
    """A relation that reads as 0 <= 1."""

    gts, lts = sp.Integer(1), sp.Integer(0)


AT = Witness("Numbers", {}, model())
LINE = ge(x, 0)
CASES = [
    Case("a line that solvers vouch for, drawn from itself", r"216 <= x\^3", lambda _: rests(circle), lambda _: ""),
    of_scripts(
        "a theorem that was not concluded",
        "does not end by `conclude`|it ends in",
        without_conclude,
        ending(ge(x, 5), (given(ge(x, 5)), {})),
        claim=claim(ge(x, 5)),
        twin_claim=claim(ge(x, 5), given(ge(x, 5))),
    ),
    of_scripts(
        "a goal of one's own",
        "its goal is",
        another_goal,
        ending(ge(x, 5), (given(ge(x, 5)), {})),
        claim=claim(ge(x, 5)),
        twin_claim=claim(ge(x, 5), given(ge(x, 5))),
    ),
    Case(
        "a hypothesis under another's key",
        r"^1 <= x$",
        lambda _: rests(forged_key),
        lambda _: rests(lemma(ge(x**2, 0))),
    ),
    Case(
        "a line from a falsehood that the conclusion does not need",
        "1 <= 0",
        lambda _: "; ".join(first_line(hidden)["given"]),
        lambda _: "; ".join(first_line(lemma(ge(x**2, 0)))["given"]),
    ),
    Case(
        "an assumption that passes as a proved line",
        "assumed",
        lambda _: first_line(lambda proof: proof.step("line", ge(x, 5), proof.local(ge(x, 5))))["trust"],
        lambda _: first_line(lemma(ge(x**2, 0)))["trust"].replace("kernel", ""),
    ),
    Case(
        "a line that says itself that it follows", "None", lambda _: str(first_line(inferred)["follows"]), lambda _: ""
    ),
    of_scripts(
        "a letter of a hypothesis, defined",
        "which is not a hypothesis of the claim",
        by_definition(x, sp.Integer(0), given(ge(x, y)), le(y, 0)),
        ending(le(y, x), (given(ge(x, y)), {})),
        claim=claim(le(y, 0), given(ge(x, y))),
        twin_claim=claim(le(y, x), given(ge(x, y))),
    ),
    of_scripts(
        "a function of a hypothesis, defined",
        "which is not a hypothesis of the claim",
        by_definition(Value(F, X), sp.Integer(0), given(ge(Value(F, X), x)), le(x, 0), forall=[X]),
        ending(le(x, Value(F, X)), (given(ge(Value(F, X), x)), {})),
        reading=MATRICES,
        claim=claim(le(x, 0), given(ge(Value(F, X), x))),
        twin_claim=claim(le(x, Value(F, X)), given(ge(Value(F, X), x))),
    ),
    of_scripts(
        "a quantifier that says less than all",
        "which is not a hypothesis of the claim",
        by_law(given(SMALL, r"\text{for some } X")),
        by_law(given(SMALL, ROOM)),
        reading=MATRICES,
        claim=claim(le(FrobeniusNorm(Y), 1), given(SMALL, r"\text{for some } X")),
        twin_claim=claim(le(FrobeniusNorm(Y), 1), given(SMALL, ROOM)),
    ),
    of_scripts(
        "a replacement of a matrix by itself",
        "which is not a hypothesis of the claim",
        by_law(given(SMALL), where={X: X}),
        by_law(given(SMALL, "for all X")),
        reading=MATRICES,
        claim=claim(le(FrobeniusNorm(Y), 1), given(SMALL)),
        twin_claim=claim(le(FrobeniusNorm(Y), 1), given(SMALL, "for all X")),
    ),
    of_scripts(
        "a claim for all, proved of one",
        "it is for one X",
        ending(SMALL, (given(SMALL), {})),
        ending(SMALL, (given(SMALL), {})),
        claim=claim(SMALL, given(SMALL), quantifier="for all X"),
        twin_claim=claim(SMALL, given(SMALL)),
        reading=Reading(constants={X}),
    ),
    of_scripts(
        "a conclusion at zero",
        "it replaces X",
        lambda proof: proof.conclude(proof.step("line", ge(1, 0)), where={X: sp.ZeroMatrix(d, k)}),
        ending(SMALL, (given(SMALL), {})),
        claim=claim(SMALL),
        twin_claim=claim(SMALL, given(SMALL)),
        reading=MATRICES,
    ),
    of_scripts(
        "a hypothesis at a time that it does not speak of",
        "which is not a hypothesis of the claim",
        ending(NOW, (given(NEXT), {"where": {t: t - 1}})),
        ending(NOW, (given(NOW), {})),
        reading=ONE_RUN,
        claim=claim(NOW, given(NEXT)),
        twin_claim=claim(NOW, given(NOW)),
    ),
    of_scripts(
        "a condition on other points than its hypothesis",
        "not an instance of a hypothesis",
        ending(
            le(FrobeniusNorm(Y), 1),
            (le(FrobeniusNorm(Y), 1), {"role": "local"}),
            forall=[Y],
            such_that=[le(FrobeniusNorm(Y), 1)],
        ),
        ending(SMALL, (SMALL, {"role": "local"}), forall=[X], such_that=[SMALL]),
        reading=MATRICES,
        claim=claim(le(FrobeniusNorm(Y), 1), given(SMALL)),
        twin_claim=claim(SMALL, given(SMALL)),
    ),
    of_scripts(
        "another hypothesis instead of none",
        "instead = nope: expected the ids of hypotheses",
        ending(ge(x, 5), (given(ge(x, 6)), {})),
        ending(ge(x, 5), (given(ge(x, 6)), {})),
        claim=claim(ge(x, 5)),
        instead={"nope": given(ge(x, 6))},
        twin_claim=claim(ge(x, 5), given(ge(x, 6))),
        twin_instead={},
    ),
    of_scripts(
        "two pasts",
        "is known as well",
        lemma(ge(Expectation(EuclideanNorm(g_t), v_t), 0)),
        lambda proof: lemma(GIVEN_V, GIVEN_V)(proof),
        reading=TWO_RUNS,
        twin_reading=ONE_RUN,
    ),
    of_scripts(
        "the conditional expectation of anything",
        "an expectation of processes and constants",
        lemma(ge(Expectation(z, v_t), y), ge(Expectation(z, v_t), y)),
        lemma(ge(Expectation(z), y), ge(Expectation(z), y)),
        reading=ONE_RUN,
    ),
    of_scripts(
        "a dimension that is called by a number",
        "expected a letter with a role|expected a number",
        lemma(le(FrobeniusNorm(Z) ** 2, sp.Symbol("size3", positive=True, integer=True) * SpectralNorm(Z) ** 2)),
        lambda proof: proof.conclude(
            proof.step("line", le(FrobeniusNorm(Z) ** 2, k * SpectralNorm(Z) ** 2), proof.by.rank(Z, k)),
            relation=le(FrobeniusNorm(Z) ** 2, k * SpectralNorm(Z) ** 2),
        ),
        reading=MATRICES,
    ),
    Case(
        "two processes that are one",
        "expected its own blocks",
        lambda _: refusal(lambda: Reading(processes={v_t: Process((g,)), w_t: Process((g,))})),
        lambda _: refusal(lambda: Reading(processes={v_t: Process((g, w)), g_t: Process((g,))})),
    ),
    Case(
        "an imaginary number",
        "expected a number that is assumed to be real",
        lambda _: refusal(lambda: Reading(constants={sp.Symbol("x", imaginary=True)})),
        lambda _: refusal(lambda: Reading(constants={sp.Symbol("x", real=True)})),
    ),
    Case(
        "numbers that do not commute",
        "expected a number that is assumed to be real",
        lambda _: refusal(lambda: Reading(constants={sp.Symbol("x", commutative=False)})),
        lambda _: refusal(lambda: Reading(constants={sp.Symbol("x", positive=True)})),
    ),
    of_scripts(
        "a relation of a class of one's own", "not your own GE", lemma(GE(x, 5, evaluate=False)), lemma(ge(x**2, 0))
    ),
    Case(
        "a claim of one's own under a paper's name",
        "an id that does not begin with jiang2024",
        lambda folder: refusal(lambda: checked(_of(replace(claim(ge(x, 5)), id="jiang2024.theorem9"), folder))),
        lambda folder: refusal(lambda: checked(_of(claim(ge(x, 5)), folder))),
    ),
    of_witnesses(
        "weights that are no probabilities",
        "positive probabilities",
        LINE,
        [],
        by_hand(weights=(Fraction(2), Fraction(-1))),
        AT,
    ),
    of_witnesses(
        "a dimension of zero",
        "d = 0: expected a positive integer",
        LINE,
        [],
        by_hand(dimensions={"one": 1, "d": 0}),
        AT,
    ),
    of_witnesses("a horizon of zero", "horizon = 0: expected a positive integer", LINE, [], by_hand(horizon=0), AT),
    of_witnesses(
        "a number that is a float", "expected an exact number", LINE, [], by_hand(symbols=lambda *_: -0.5), AT
    ),
    of_witnesses(
        "a matrix of another shape",
        "1 rows of 1 numbers",
        le(FrobeniusNorm(X), 0),
        [],
        by_hand(symbols=lambda *_: ((Fraction(1),) * 2,) * 2),
        AT,
        reading=Reading(constants={X}),
    ),
    Case(
        "a catalogue's claim, refuted from nothing",
        "the witness is a candidate only",
        lambda _: _refuting(LEMMA_1),
        lambda _: _refuting(claim(ge(x, 0))),
    ),
    Case(
        "a name that is set as a formula",
        r"\\mathtt\{x\\_\\_2\}",
        lambda _: shown(Reading(constants={sp.Symbol("x__2")}).fact(ge(sp.Symbol("x__2"), 0))).latex[0],
        lambda _: "" if r"\mathtt" not in shown(NUMBERS.fact(ge(x, 0))).latex[0] else "spelled out",
    ),
    of_scripts(
        "a divisor that a law lets be zero",
        r"inverse\(u\) has no meaning for a reader",
        lambda proof: _inverse_square(proof, forall=[positive]),
        lambda proof: _inverse_square(proof),
        reading=Reading(constants={positive}),
    ),
]


def _of(mine: Claim, folder: Path) -> Script:
    return Script(mine.id, "sharp", mine.title, mine, NUMBERS, print, home=folder)


def _refuting(mine: Claim) -> str:
    """Why a line is not refuted in a printed proof of a claim by numbers alone."""

    def build(proof: Proof) -> None:
        proof.step("line", ge(x, 0), witness=AT)

    reading = NUMBERS if mine.id == "my.claim" else Reading(constants={x}, arbitrary={W1, W2})
    (step,) = judge(script(mine, "printed", reading)(build)).steps
    return step.reason


def _inverse_square(proof: Proof, **conclude: Any) -> None:
    proof.positive(positive)
    proof.conclude(proof.step("line", ge(positive**-2, 0)), relation=ge(positive**-2, 0), **conclude)
