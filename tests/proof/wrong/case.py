"""What an entry of the gallery is: something wrong, the line by which it is refused, and a true twin that passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sympy as sp

from boundcheck.errors import BoundcheckError
from boundcheck.kernel import KernelError
from boundcheck.language.claim import Claim
from boundcheck.proof import Proof, Reading, Witness, judge, script

x, y, z = sp.symbols("x y z")
NUMBERS = Reading(constants={x, y, z})


@dataclass(frozen=True)
class Case:
    """One way to be misled.

    Attributes:
        name: the way in, in a few words.
        why: a regular expression that the line of refusal matches.
        wrong: tries it in a folder of its own, and returns the line of refusal; "" where it was believed.
        twin: the same without the fault: returns "" where it passes, and else the line of refusal.

    """

    name: str
    why: str
    wrong: Callable[[Path], str]
    twin: Callable[[Path], str]


def refusal(act: Callable[[], object]) -> str:
    """The line by which an act is refused; "" where it is not."""
    try:
        act()
    except (BoundcheckError, KernelError) as error:
        return " ".join(str(error).split())
    return ""


def doubt(
    build: Callable[[Proof], Any],
    claim: Claim | str = "my.lemma",
    reading: Reading = NUMBERS,
    version: Any = "sharp",
    **options: Any,
) -> str:
    """Why the verdict on a script is not proved; "" where it is."""
    try:
        proof = judge(script(claim, version, reading, **options)(build))
    except (BoundcheckError, KernelError) as error:
        return " ".join(str(error).split())
    return "" if proof.verdict == "proved" else proof.reason


def unrefuted(build: Callable[[Proof], Any], reading: Reading = NUMBERS) -> str:
    """Why no line of a printed proof is refuted; "" where one is."""
    try:
        proof = judge(script("my.lemma", "printed", reading, is_statement=True)(build))
    except (BoundcheckError, KernelError) as error:
        return " ".join(str(error).split())
    return "" if proof.verdict == "refuted" else "; ".join(each.reason for each in proof.steps)


def lemma(relation: sp.Basic, *given: sp.Basic, **conclude: Any) -> Callable[[Proof], Any]:
    """A script that concludes a line from hypotheses of its own."""

    def build(proof: Proof) -> None:
        known = [proof.assume(each) for each in given]
        proof.conclude(proof.step("line", relation, known), relation=relation, **conclude)

    return build


def claim(conclusion: Any, *hypotheses: Claim, **options: Any) -> Claim:
    """A claim of one's own."""
    return Claim("my.claim", "Mine", "me", conclusion, hypotheses=hypotheses, **options)


def given(relation: Any, quantifier: str = "", id: str = "my.given") -> Claim:
    """A hypothesis of one's own."""
    return Claim(id, "Given", "me", relation, quantifier)


def ending(line: Any, *assume: Any, **conclude: Any) -> Callable[[Proof], Any]:
    """A script of a claim that shows a line, from what it assumes, and ends with the claim's own conclusion."""

    def build(proof: Proof) -> None:
        known = [proof.assume(each, **options) for each, options in assume]
        proof.conclude(proof.step("line", line, known), **conclude)

    return build


def of_scripts(
    name: str, why: str, wrong: Callable[[Proof], Any], twin: Callable[[Proof], Any], **options: Any
) -> Case:
    """A case of two scripts, whose claim and reading are `options`; a twin's own begin with `twin_`."""
    mine = {key: value for key, value in options.items() if not key.startswith("twin_")}
    other = mine | {key.removeprefix("twin_"): value for key, value in options.items() if key.startswith("twin_")}
    return Case(name, why, lambda _: doubt(wrong, **mine), lambda _: doubt(twin, **other))


def of_witnesses(
    name: str, why: str, relation: sp.Basic, given: list[Any], wrong: Witness, twin: Witness, **options: Any
) -> Case:
    """A case of two witnesses against the same line, with the same hypotheses."""

    def build(witness: Witness) -> Callable[[Proof], Any]:
        def script_(proof: Proof) -> None:
            for hypothesis, settings in given:
                proof.assume(hypothesis, **settings)
            proof.step("line", relation, witness=witness)

        return script_

    return Case(name, why, lambda _: unrefuted(build(wrong), **options), lambda _: unrefuted(build(twin), **options))
