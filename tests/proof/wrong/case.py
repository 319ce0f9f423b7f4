"""What an entry of the gallery is: something wrong, the line by which it is refused, and a true
twin that passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sympy as sp

from boundcheck.errors import BoundcheckError
from boundcheck.kernel import KernelError
from boundcheck.language.claim import Claim
from boundcheck.proof import Reading, judge, script

x, y, z = sp.symbols("x y z")
NUMBERS = Reading(constants={x, y, z})


@dataclass(frozen=True)
class Case:
    """One way to be misled.

    Attributes:
        name: the way in, in a few words.
        why: a regular expression that the line of refusal matches.
        wrong: tries it in a folder of its own, and returns the line of refusal; "" where it was
            believed.
        twin: the same without the fault: returns "" where it passes, and else the line of refusal.

    """

    name: str
    why: str
    wrong: Callable[[Path], str]
    twin: Callable[[Path], str]


def refusal(act, *more):
    """The line by which an act is refused, also by these errors of Python's own; "" where it is
    not."""
    try:
        act()
    except (BoundcheckError, KernelError, *more) as error:
        return str(error)
    return ""


def doubt(build, claim="my.lemma", reading=None, version="sharp", **options):
    """Why a script does not prove, or of a printed one why it refutes no line; "" where it does.

    A script without a claim of its own reads three numbers, unless it is told what it reads."""
    if isinstance(claim, str) and reading is None:
        reading = NUMBERS
    try:
        proof = judge(script(claim, version, reading, **options)(build))
    except (BoundcheckError, KernelError) as error:
        return " ".join(str(error).split())
    if version == "printed":
        return "" if proof.verdict == "refuted" else "; ".join(each.reason for each in proof.steps)
    return "" if proof.verdict == "proved" else proof.reason


def lemma(relation, *given, **conclude):
    """A script that concludes a line from hypotheses of its own."""
    return ending(relation, *given, relation=relation, **conclude)


def claim(conclusion, *hypotheses, **options):
    """A claim of one's own."""
    return Claim("my.claim", "Mine", "me", conclusion, hypotheses=hypotheses, **options)


def given(relation, *quantifier, id="my.given"):
    """A hypothesis of one's own."""
    return Claim(id, "Given", "me", relation, *quantifier)


def assumed(proof, each):
    """What is assumed: a claim or a relation, or a pair of it and of how it is assumed."""
    what, options = each if isinstance(each, tuple) else (each, {})
    return proof.assume(what, **options)


def ending(line, *assume, **conclude):
    """A script that shows a line from what it assumes, and ends with its claim's conclusion, or as
    it is told."""

    def build(proof):
        known = [assumed(proof, each) for each in assume]
        proof.conclude(proof.step("line", line, known), **conclude)

    return build


def of_acts(name, why, wrong, twin, *more):
    """A case of two acts of Python, which these errors may refuse too."""
    return Case(name, why, lambda _: refusal(wrong, *more), lambda _: refusal(twin, *more))


def of_scripts(name, why, wrong, twin=None, **options):
    """A case of two scripts, whose claim and reading are `options`; a twin's own begin with
    `twin_`.

    A claim in the place of a script is shown from all of its hypotheses. A twin that is left out is
    the same script.
    """
    mine = {key: value for key, value in options.items() if not key.startswith("twin_")}
    other = mine | {
        key.removeprefix("twin_"): value
        for key, value in options.items()
        if key.startswith("twin_")
    }
    if isinstance(wrong, Claim):
        wrong, mine["claim"] = ending(wrong.conclusion, *wrong.hypotheses), wrong
    if isinstance(twin, Claim):
        twin, other["claim"] = ending(twin.conclusion, *twin.hypotheses), twin
    fine = wrong if twin is None else twin
    return Case(name, why, lambda _: doubt(wrong, **mine), lambda _: doubt(fine, **other))


def of_witnesses(name, why, relation, wrong, twin, *given, **options):
    """A case of two witnesses against the same line of a printed proof, with the same
    hypotheses."""

    def tried(witness):
        def build(proof):
            for each in given:
                assumed(proof, each)
            proof.step("line", relation, witness=witness)

        return doubt(build, version="printed", is_statement=True, **options)

    return Case(name, why, lambda _: tried(wrong), lambda _: tried(twin))
