"""Ways in that a hostile reviewer found, who read the code: between the kernel and the verdict, one
each."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import ClassVar

import sympy as sp
from boundcheck.proofs.jiang2024.claims import LEMMA_1

from boundcheck.exact.evaluate import t
from boundcheck.kernel import Theorem, rules
from boundcheck.kernel.meaning import Model
from boundcheck.language import vocabulary as words
from boundcheck.language.claim import Claim, Quantifier, for_all
from boundcheck.language.symbols import L, T
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    Expectation,
    F,
    FrobeniusNorm,
    SpectralNorm,
    Value,
)
from boundcheck.proof import Process, Reading, Script, Witness, ge, judge, le, script
from boundcheck.proof.audit import step_as_json
from boundcheck.proof.notation import shown
from boundcheck.proof.proof import Assumption, Step
from boundcheck.proof.script import checked

from .case import (
    NUMBERS,
    Case,
    claim,
    ending,
    given,
    lemma,
    of_acts,
    of_scripts,
    of_witnesses,
    refusal,
    x,
    y,
    z,
)

d = words.d
k = words.k
X, Y, Z = (sp.MatrixSymbol(name, d, k) for name in "XYZ")
MATRICES = Reading(constants={x, y, z}, arbitrary={X, Y, Z})
v_t, w_t, g_t = (words.Iterate(name, t, words.n, 1) for name in "vwg")
v, w, g = (Process((sp.MatrixSymbol(name, words.n, 1),), drawn=name == "g") for name in "vwg")
ONE_RUN = Reading(processes={v_t: v, g_t: g}, constants={x, y}, arbitrary={z})
TWO_RUNS = Reading(processes={v_t: v, w_t: w, g_t: g}, constants={x, y})
SMALL = le(FrobeniusNorm(X), 1)
Y_SMALL = le(FrobeniusNorm(Y), 1)
NEXT = le(EuclideanNorm(v_t.xreplace({t: t + 1})), x)
NOW = le(EuclideanNorm(v_t), x)
GIVEN_V = ge(Expectation(EuclideanNorm(g_t), v_t), x)
STRANGE = "which is not a hypothesis of the claim"
positive = sp.Symbol("u", positive=True)


def by_law(hypothesis, **options):
    """‖Y‖ <= 1 from a law for all X."""

    def build(proof):
        law = proof.assume(hypothesis, forall=[X], **options)
        proof.conclude(proof.step("line", Y_SMALL, proof.by.instance(law, {X: Y})))

    return build


def by_definition(left, hypothesis, line, **options):
    """A line from a hypothesis about what is defined to be 0."""

    def build(proof):
        law = proof.define(left, sp.Integer(0), **options)
        known = proof.by.instance(law, {X: X}) if options else law
        proof.conclude(proof.step("line", line, known, proof.assume(hypothesis)))

    return build


def without_conclude(proof):
    proof.conclusion = proof.step("line", ge(x**2, 0))


def another_goal(proof):
    proof.conclude(proof.step("line", ge(x**2, 0)))
    proof.goal = proof.reading.fact(ge(x**2, 0))


def blind(proof):
    """A reading that is changed by hand, so that it takes what the claim is about for 0."""
    mine, zero = proof.reading, sp.Integer(0)
    object.__setattr__(
        mine,
        "scalar",
        lambda each: Reading.scalar(mine, zero if each == FrobeniusNorm(X) else each),
    )
    proof.conclude(proof.step("line", SMALL))


class Changing(Step):
    """A line whose theorem is another one from the second look on."""

    looks: ClassVar[list[str]] = []

    def __getattribute__(self, name):
        if name == "theorem":
            self.looks.append(name)
            if len(self.looks) > 1:
                fact = NUMBERS.fact(self.relation)
                return Theorem(
                    frozenset(), fact, frozenset(), "certificate", (), (fact, (), (), ())
                )
        return super().__getattribute__(name)


def changing(proof):
    theorem = proof.step("line", ge(x**2, 0))
    Changing.looks.clear()
    proof.steps[0] = Changing("line", ge(x, 5), "", "", theorem)


class Shown(str):
    """A label that shows as another."""

    def isprintable(self):
        return True


def forged_key(proof):
    false = proof.reading.fact(le(1, 0))
    fine = proof.assume(ge(x, 1))
    proof.conclude(proof.step("line", ge(x, 0), fine), relation=ge(x, 0))
    vars(proof.assumptions[0].statement).update(key=false.key)


def circle(proof):
    """A line that the solver vouches for, drawn from itself."""
    first = proof.step("1", ge(x, 6), proof.assume(ge(x**3, 216)))
    proof.conclude(proof.step("again", ge(x, 6), first), relation=ge(x, 6))


def hidden(proof):
    """A line from a falsehood beside a conclusion that does not need it."""
    proof.step("big", ge(0, 1), proof.assume(le(1, 0)))
    proof.conclude(proof.step("line", ge(x**2, 0)), relation=ge(x**2, 0))


def inferred(proof):
    """A line that says of itself that it follows, by another theorem."""
    theorem = proof.step("line", ge(x**2, 0))
    proof.steps[0] = replace(proof.steps[0], inference=proof.assume(ge(0, 1)))
    proof.conclude(theorem, relation=ge(x**2, 0))


def inverse_square(**conclude):
    def build(proof):
        proof.positive(positive)
        proof.conclude(
            proof.step("line", ge(positive**-2, 0)), relation=ge(positive**-2, 0), **conclude
        )

    return build


def rests(build):
    return "; ".join(
        str(each.statement)
        for each in judge(script("my.lemma", "sharp", NUMBERS)(build)).hypotheses
    )


def first_line(build):
    judged = judge(script("my.lemma", "sharp", NUMBERS)(build))
    return step_as_json(judged, judged.steps[0])


def by_hand(**change):
    values = {"x": Fraction(-1), "X": ((Fraction(1),),)}
    plain = Model(
        {"one": 1, "d": 1, "k": 1},
        1,
        (Fraction(1),),
        lambda _: (0,),
        lambda each, *_: values[each.name],
    )
    return Witness("Numbers", {}, replace(plain, **change))


def refuting(mine):
    """Why a line is not refuted in a printed proof of a claim by numbers alone."""
    fresh = [] if mine.id == "my.claim" else [x]
    made = script(mine, "printed", fresh=fresh)(
        lambda proof: proof.step("line", ge(x, 0), witness=by_hand())
    )
    (step,) = judge(made).steps
    return step.reason


def homeless(mine, folder):
    """Why a claim is not one of a script in this folder."""
    return refusal(
        lambda: checked(Script(mine.id, "sharp", mine.title, mine, NUMBERS, print, home=folder))
    )


class GE(sp.GreaterThan):
    """A relation that reads as 0 <= 1."""

    gts = sp.Integer(1)
    lts = sp.Integer(0)


class Anything(sp.LessThan):
    """A relation that is equal to any other."""

    __hash__ = sp.LessThan.__hash__

    def __eq__(self, other):
        return True


class AnyTime(sp.Add):
    """A time that is equal to any other, and t at the same time."""

    __hash__ = sp.Add.__hash__

    def __eq__(self, other):
        return True

    def __sub__(self, other):
        return sp.Integer(0)


def at_time(time):
    """What a hypothesis says of v_t, of v_{T+3}: t is replaced by this time."""

    def build(proof):
        assert proof.claim is not None
        relation = proof.claim.conclusion
        (hypothesis,) = proof.claim.hypotheses
        fact = proof.reading.fact(relation)
        proof.assumptions.append(
            Assumption("given", "hypothesis", fact, hypothesis, relation, {t: time})
        )
        proof.conclude(proof.step("line", relation, rules.assume(fact)))

    return build


LATER = le(EuclideanNorm(v_t.xreplace({t: T + 3})), x)
SQUARE = lemma(ge(x**2, 0))
AT_LEAST_5 = claim(ge(x, 5), given(ge(x, 5)))
SMALL_X = claim(SMALL, given(SMALL))
SOME = given(SMALL, Quantifier(within=r"\text{for some } X"))
ALL = given(SMALL, Quantifier((X,), is_typed=True))
LINE = ge(x, 0)
AT = by_hand()
CASES = [
    Case(
        "a line that the solver vouches for, drawn from itself",
        r"216 <= x\^3",
        lambda _: rests(circle),
        lambda _: "",
    ),
    of_scripts(
        "a theorem that was not concluded",
        "no proof.conclude says what the proof shows",
        without_conclude,
        AT_LEAST_5,
        claim=claim(ge(x, 5)),
    ),
    of_scripts(
        "a goal of one's own", "it ends in", another_goal, AT_LEAST_5, claim=claim(ge(x, 5))
    ),
    of_scripts(
        "a reading that is changed by hand",
        "it ends in",
        blind,
        ending(SMALL, given(SMALL)),
        claim=claim(SMALL),
        twin_claim=claim(SMALL, given(SMALL)),
    ),
    Case(
        "a line with another theorem at each look",
        "unknown",
        lambda _: first_line(changing)["verdict"],
        lambda _: first_line(SQUARE)["verdict"].replace("proved", ""),
    ),
    of_scripts(
        "a label of a class of one's own",
        "label = ",
        lambda proof: proof.conclude(
            proof.step(Shown("\x1b[2J"), ge(x**2, 0)), relation=ge(x**2, 0)
        ),
        SQUARE,
    ),
    of_acts(
        "a script of a class of one's own",
        "script = Mine: expected a function marked",
        lambda: judge(
            type("Mine", (Script,), {})("my.lemma", "sharp", "Mine", None, NUMBERS, SQUARE)
        ),
        lambda: judge(Script("my.lemma", "sharp", "Mine", None, NUMBERS, SQUARE)),
    ),
    of_scripts(
        "a time of a class of one's own",
        STRANGE,
        at_time(sp.Basic.__new__(AnyTime, T, sp.Integer(3))),
        at_time(t + 1),
        claim=claim(LATER, given(NOW, for_all(t))),
        twin_claim=claim(NEXT, given(NOW, for_all(t))),
    ),
    of_scripts(
        "a condition of a class of one's own",
        "expected a Claim of expressions of sympy",
        ending(ge(L, 5), ge(L, 5)),
        claim=claim(ge(L, 5), conditions=(Anything(L, L**2 + 1, evaluate=False),)),
        twin_claim=claim(ge(L, 5), conditions=(ge(L, 5),)),
    ),
    of_scripts(
        "a hypothesis of a class of one's own",
        "claim = my.given: expected a Claim",
        ending(ge(x**2, 0)),
        claim=claim(ge(x**2, 0), type("Mine", (Claim,), {})("my.given", "Given", "me", ge(x, 1))),
        twin_claim=claim(ge(x**2, 0), given(ge(x, 1))),
    ),
    Case(
        "a hypothesis under another's key",
        r"^1 <= x$",
        lambda _: rests(forged_key),
        lambda _: rests(SQUARE),
    ),
    Case(
        "a line from a falsehood that the conclusion does not need",
        "1 <= 0",
        lambda _: "; ".join(first_line(hidden)["given"]),
        lambda _: "; ".join(first_line(SQUARE)["given"]),
    ),
    Case(
        "an assumption that passes as a proved line",
        "assumed",
        lambda _: first_line(lambda proof: proof.step("line", ge(x, 5), proof.local(ge(x, 5))))[
            "trust"
        ],
        lambda _: first_line(SQUARE)["trust"].replace("kernel", ""),
    ),
    Case(
        "a line that says itself that it follows",
        "None",
        lambda _: str(first_line(inferred)["follows"]),
        lambda _: "",
    ),
    of_scripts(
        "a letter of a hypothesis, defined",
        STRANGE,
        by_definition(x, given(ge(x, y)), le(y, 0)),
        claim(le(y, x), given(ge(x, y))),
        claim=claim(le(y, 0), given(ge(x, y))),
    ),
    of_scripts(
        "a function of a hypothesis, defined",
        STRANGE,
        by_definition(Value(F, X), given(ge(Value(F, X), x)), le(x, 0), forall=[X]),
        claim(le(x, Value(F, X)), given(ge(Value(F, X), x))),
        claim=claim(le(x, 0), given(ge(Value(F, X), x))),
    ),
    of_scripts(
        "a quantifier that says less than all",
        "says nothing: what it ranges over is not known",
        by_law(SOME),
        by_law(ALL),
        claim=claim(Y_SMALL, SOME),
        twin_claim=claim(Y_SMALL, ALL),
    ),
    of_scripts(
        "a replacement of a matrix by itself",
        STRANGE,
        by_law(given(SMALL), where={X: X}),
        by_law(given(SMALL, for_all(X))),
        claim=claim(Y_SMALL, given(SMALL)),
        twin_claim=claim(Y_SMALL, given(SMALL, for_all(X))),
    ),
    of_scripts(
        "a claim for all, proved of one",
        "it is said of one X",
        replace(SMALL_X, quantifier=for_all(X)),
        SMALL_X,
    ),
    of_scripts(
        "a conclusion at zero",
        "it ends in",
        ending(ge(1, 0)),
        SMALL_X,
        claim=claim(SMALL),
    ),
    of_scripts(
        "a hypothesis at a time that it does not speak of",
        STRANGE,
        ending(NOW, (given(NEXT), {"where": {t: t - 1}})),
        claim(NOW, given(NOW)),
        claim=claim(NOW, given(NEXT)),
    ),
    of_scripts(
        "two pasts",
        "is known as well",
        lemma(ge(Expectation(EuclideanNorm(g_t), v_t), 0)),
        lemma(GIVEN_V, GIVEN_V),
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
        lemma(
            le(
                FrobeniusNorm(Z) ** 2,
                sp.Symbol("size3", positive=True, integer=True) * SpectralNorm(Z) ** 2,
            )
        ),
        lambda proof: proof.conclude(
            proof.step(
                "line", le(FrobeniusNorm(Z) ** 2, k * SpectralNorm(Z) ** 2), proof.by.rank(Z, k)
            ),
            relation=le(FrobeniusNorm(Z) ** 2, k * SpectralNorm(Z) ** 2),
        ),
        reading=MATRICES,
    ),
    of_acts(
        "two processes that are one",
        "expected its own blocks",
        lambda: Reading(processes={v_t: Process(g.blocks), w_t: Process(g.blocks)}),
        lambda: Reading(processes={v_t: Process(g.blocks + w.blocks), g_t: Process(g.blocks)}),
    ),
    *(
        of_acts(
            name,
            "expected a number that is assumed to be real",
            lambda wrong=wrong: Reading(constants={sp.Symbol("x", **wrong)}),
            lambda twin=twin: Reading(constants={sp.Symbol("x", **twin)}),
        )
        for name, wrong, twin in (
            ("an imaginary number", {"imaginary": True}, {"real": True}),
            ("numbers that do not commute", {"commutative": False}, {"positive": True}),
        )
    ),
    of_scripts(
        "a relation of a class of one's own",
        "not your own GE",
        lemma(GE(x, 5, evaluate=False)),
        SQUARE,
    ),
    Case(
        "a claim of one's own under a paper's name",
        "an id that does not begin with jiang2024",
        lambda folder: homeless(replace(claim(ge(x, 5)), id="jiang2024.theorem9"), folder),
        lambda folder: homeless(claim(ge(x, 5)), folder),
    ),
    *(
        of_witnesses(name, why, LINE, by_hand(**change), AT)
        for name, why, change in (
            (
                "weights that are no probabilities",
                "positive probabilities",
                {"weights": (Fraction(2), Fraction(-1))},
            ),
            (
                "a dimension of zero",
                "d = 0: expected a positive integer",
                {"dimensions": {"one": 1, "d": 0}},
            ),
            ("a horizon of zero", "horizon = 0: expected a positive integer", {"horizon": 0}),
            ("a number that is a float", "expected an exact number", {"symbols": lambda *_: -0.5}),
        )
    ),
    of_witnesses(
        "a matrix of another shape",
        "1 rows of 1 numbers",
        le(FrobeniusNorm(X), 0),
        by_hand(symbols=lambda *_: ((Fraction(1),) * 2,) * 2),
        AT,
        reading=Reading(constants={X}),
    ),
    Case(
        "a catalogue's claim, refuted from nothing",
        "the witness is a candidate only",
        lambda _: refuting(LEMMA_1),
        lambda _: refuting(claim(ge(x, 0))),
    ),
    Case(
        "a name that is set as a formula",
        r"\\mathtt\{x\\_\\_2\}",
        lambda _: shown(
            Reading(constants={sp.Symbol("x__2")}).fact(ge(sp.Symbol("x__2"), 0))
        ).latex[0],
        lambda _: "" if r"\mathtt" not in shown(NUMBERS.fact(ge(x, 0))).latex[0] else "spelled out",
    ),
    of_scripts(
        "a divisor that a law lets be zero",
        r"inverse\(u\) has no meaning for a reader",
        inverse_square(forall=[positive]),
        inverse_square(),
        reading=Reading(constants={positive}),
    ),
]
