"""Answers of engines about a claim, held against what is known of it and against each other."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from boundcheck.checked.claim_mutants import verdict_on
from boundcheck.checked.engines.walks import Asked, Walk
from boundcheck.checked.scripts import scripts
from boundcheck.checked.trajectories import Table
from boundcheck.checked.trial import Answer, Mutant, varied
from boundcheck.errors import InputError
from boundcheck.experiment import measure
from boundcheck.kernel import KernelError
from boundcheck.language.claim import Claim
from boundcheck.language.judge import meets
from boundcheck.language.sentence import algorithm_of, is_about_smoothness
from boundcheck.proof import Script, judge
from boundcheck.properties import ClaimViolatedError, check_claim
from boundcheck.properties.session import using
from boundcheck.verdicts import Verdict
from boundcheck.worst_case import falsify
from boundcheck.worst_case.program import NotSolvedError
from boundcheck.worst_case.search import Search
from boundcheck.worst_case.worst_case import Case, WorstCase

# How many instances are drawn of a claim.
_EXAMPLES = 3
# How long is looked for an instance of a claim about smoothness.
_STARTS, _ROUNDS = 4, 20
# Of the floats in which a bound is written.
_ROUNDED = 1e-9


@dataclass(frozen=True)
class Said:
    """The answer of one engine about a claim.

    Attributes:
        engine, word: which, and what it says.
        vouches: whether it says that the claim is true.
        rejects: whether it says that the claim is false.
        wrong: a contradiction of something that is known besides; empty where there is none.

    """

    engine: str
    word: str
    vouches: bool = False
    rejects: bool = False
    wrong: str = ""


@dataclass(frozen=True)
class Subject:
    """A claim, and all that engines are given with it.

    Attributes:
        claim: the claim.
        steps: the T at which its worst case is looked for.
        worst: between which shares of the bound the worst case is known to be.
        adapter: by which instances are drawn and searched for; by any where it is empty.
        script: makes a proof script of it, where there is one.
        run: a run that breaks the bound, and meets the claim or not.
        original: the same claim under the id of the catalogue's, whose own script is tried on it.
        table: a spec that runs it; the other engines are asked where there is none.
        meets: of a run, or a spec, whether it meets what the claim states; None where that is not known.

    """

    claim: Claim
    steps: int = 1
    worst: tuple[Fraction | None, Fraction | None] = (None, None)
    adapter: str = ""
    script: Callable[[], Script] | None = None
    run: Walk | None = None
    original: Claim | None = None
    table: Table | None = None
    meets: bool | None = None


Engine = Callable[[Subject], Said | None]


def proved(subject: Subject) -> Said | None:
    """The verdict on the script that comes with the claim, and on the catalogue's own with the claim in its place."""
    words: list[str] = []
    try:
        if subject.script is not None:
            words.append(judge(subject.script()).verdict)
        if subject.original is not None:
            theirs = [x for x in scripts() if x.id == subject.original.id and x.version != "printed"]
            words += [verdict_on(each, subject.original) for each in theirs]
    except (InputError, KernelError):
        words.append("refuses")
    if not words:
        return None
    word = next((x for x in ("proved", "refuted", "unknown") if x in words), "refuses")
    both = "proved and refuted" if {"proved", "refuted"} <= set(words) else ""
    return Said("prove", word, "proved" in words, "refuted" in words, both)


def falsified(subject: Subject) -> Said | None:
    """The worst case beside the bound at one T, and its bracket beside the constant that is known."""
    if algorithm_of(subject.claim) is None or subject.table is not None:
        return None
    try:
        (case,) = falsify(subject.claim, WorstCase([subject.steps]))
    except InputError:
        return Said("falsify", "refuses")
    except NotSolvedError:
        return Said("falsify", "does not solve")
    word = "violated" if case.violated else "not violated"
    return Said("falsify", word, rejects=case.violated, wrong=_off(case, subject.worst))


def searched(subject: Subject) -> Said | None:
    """A short search for the instance of a claim about smoothness that breaks it."""
    if not is_about_smoothness(subject.claim):
        return None
    try:
        found = falsify(
            subject.claim, Search([1], adapter=subject.adapter or None, starts=_STARTS, rounds=_ROUNDS, examples=0)
        )
    except InputError:
        return Said("falsify", "refuses")
    return Said("falsify", "violated" if found.violated else "not violated", rejects=found.violated)


def _off(case: Case, known: tuple[Fraction | None, Fraction | None]) -> str:
    """A contradiction of a bracket and the shares of the bound that are known; empty if there is none."""
    least, most = known
    low, high = case.lower, case.upper
    if low is not None and high is not None and low > high:
        return f"a bracket from {low} to {high}"
    if most is not None and low is not None and low > float(most) * case.bound * (1 + _ROUNDED):
        return f"a worst case of at least {low}, where {float(most) * case.bound} is the most"
    if least is not None and high is not None and high < float(least) * case.bound * (1 - _ROUNDED):
        return f"a worst case of at most {high}, where {float(least) * case.bound} is attained"
    return ""


def checked(subject: Subject) -> Said | None:
    """A few instances that are drawn, each with all of its paths."""
    if subject.table is not None:
        return None
    with tempfile.TemporaryDirectory() as folder, using(folder=Path(folder)):
        try:
            check_claim(subject.claim, adapter=subject.adapter or None, examples=_EXAMPLES)
        except ClaimViolatedError:
            return Said("check_claim", "violated", rejects=True)
        except InputError:
            return Said("check_claim", "refuses")
    return Said("check_claim", "not violated")


def met(subject: Subject) -> Said | None:
    """The judge of instances, asked about the run that breaks the bound; that may refute the claim if it is false."""
    if subject.run is None:
        return None
    try:
        found = meets(Asked(subject.run, subject.claim), subject.claim)
    except InputError:
        return Said("judge", "refuses")
    word = "holds" if found.holds else "fails" if found.failures else "open"
    wrong = {"holds": "of a run that breaks the claim's hypotheses", "fails": "of a run that meets the claim"}
    off = wrong.get(word, "") if subject.meets is not None and (word == "holds") != subject.meets else ""
    return Said("judge", word, wrong=off)


def measured(subject: Subject) -> Said | None:
    """A short run, where there is a spec of one."""
    if subject.table is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        try:
            (result,) = measure({**subject.table, "claim": subject.claim}, folder)
        except InputError:
            return Said("measure", "refuses")
    verdict = result.verdict
    said = verdict.is_supported or verdict is Verdict.VIOLATED
    wrong = "of a run that breaks a hypothesis as it is stated" if said and subject.meets is False else ""
    return Said("measure", str(verdict), verdict.is_supported, verdict is Verdict.VIOLATED, wrong)


ENGINES: tuple[Engine, ...] = (proved, falsified, searched, checked, met, measured)


@dataclass(frozen=True)
class Examined(Mutant):
    """A claim, and what is known of it.

    Attributes:
        asked: what engines get; None where the claim refuses to be made.
        is_known: whether it is known to be true or false; where it is not, `true` says nothing.

    """

    layer = "engines"
    asked: Subject | None
    is_known: bool = True

    def ask(self, engines: Sequence[Engine] = ENGINES) -> Answer:
        """Ask each engine in turn; a claim that refuses to be made is not asked about."""
        if self.asked is None:
            return Answer("refused when it is made", accepts=False, rejects=not self.true)
        said = [engine(self.asked) for engine in engines]
        return self.judged([each for each in said if each is not None])

    def judged(self, said: Sequence[Said]) -> Answer:
        """Hold the answers against what is known, and against each other.

        Wrong is a true claim that is rejected, a false one that is vouched for, both of one that is not known, and an
        answer that contradicts something else that is known.
        """
        vouches, rejects = any(x.vouches for x in said), any(x.rejects for x in said)
        wrong = any(x.wrong for x in said) or (vouches and rejects)
        if self.is_known:
            wrong = wrong or (rejects if self.true else vouches)
        outcome = "; ".join(f"{x.engine}: {x.word}{f', {x.wrong}' if x.wrong else ''}" for x in said)
        if self.true:
            return Answer(outcome, accepts=vouches, rejects=wrong)
        return Answer(outcome, accepts=wrong, rejects=rejects)


def examined(
    kind: str,
    change: str,
    subject: str,
    true: bool,
    why: str,
    make: Callable[[], Claim],
    about: Callable[[Claim], Subject],
    is_known: bool = True,
) -> Examined:
    """A claim with what is known of it; a claim may refuse to be made, and what engines get is told of one that is."""
    try:
        claim = make()
    except InputError:
        asked = None
    else:
        asked = about(claim)
    named = f"{kind}, not known" if not is_known else varied(kind) if true else kind
    return Examined(subject, named, change, true, why, asked, is_known)
