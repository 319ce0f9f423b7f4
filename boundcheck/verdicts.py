"""The verdicts that a run may get, each with its ground. Whatever shows, counts or compares a
verdict asks it.

violated                what the theorem bounds lies above the bound at the stated level: for one
                        about a smallest, at every iterate
hypothesis-failed       a hypothesis of the theorem did not hold on the run: the theorem says
                        nothing about it
inconclusive            none of the others
uninformative           all held, but the bound is no smaller than what is known without it
supported (asymptotic)  as supported, but by an interval that holds only in the limit of many
                        replicas
supported               what the theorem bounds lies below the bound, or what is no less: for
                        certain, or at the stated level with these replicas

A verdict that speaks for a claim or against it may rest on what nobody proves: constants that a
person gives, what an adapter from outside says of its own, and how a word from outside holds a run
against itself. It then says so in its own text, `supported, given …`, wherever it is shown.

`boundcheck.experiment.statistics` says which support an interval earns.
"""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from boundcheck.shown import visible

_GIVEN = ", given "
_BETWEEN = ", "


class Verdict(StrEnum):
    """A verdict, the gravest first; its text is what is printed and stored.

    One that rests on what is given is no member, but has the name of one: ``Verdict("supported,
    given my.lemma")``.
    """

    VIOLATED = "violated"
    HYPOTHESIS_FAILED = "hypothesis-failed"
    INCONCLUSIVE = "inconclusive"
    UNINFORMATIVE = "uninformative"
    SUPPORTED_ASYMPTOTIC = "supported (asymptotic)"
    SUPPORTED = "supported"

    def __repr__(self) -> str:
        """The verdict's text, in quotes."""
        return repr(self.value)

    @classmethod
    def _missing_(cls, value: object) -> "Verdict | None":
        plain, _, named = value.partition(_GIVEN) if isinstance(value, str) else ("", "", "")
        known = next((each for each in cls if each == plain and each.is_decided), None)
        if known is None or not named.isprintable() or not all(named.split(_BETWEEN)):
            return None
        made = str.__new__(cls, value)
        made._name_ = known.name
        made._value_ = str(value)
        return made

    def resting_on(self, given: Iterable[str]) -> "Verdict":
        """The verdict with these added to what it rests on, where it is decided; else the verdict
        as it is.
        """
        named = _BETWEEN.join(
            dict.fromkeys(visible(" ".join(each.split())) for each in (*self.given, *given))
        )
        return Verdict(f"{self.plain}{_GIVEN}{named}") if named and self.is_decided else self

    @property
    def plain(self) -> "Verdict":
        """The member that the verdict is, on whatever it rests."""
        return Verdict[self.name]

    @property
    def given(self) -> tuple[str, ...]:
        """The grounds on which the verdict rests that are neither proved nor certified."""
        return tuple(filter(None, self.partition(_GIVEN)[2].split(_BETWEEN)))

    @property
    def is_supported(self) -> bool:
        """True if the run supports its claim, on whatever ground."""
        return self.plain in (Verdict.SUPPORTED, Verdict.SUPPORTED_ASYMPTOTIC)

    @property
    def is_decided(self) -> bool:
        """True if the verdict speaks for the claim or against it."""
        return self.is_supported or self.plain is Verdict.VIOLATED

    @property
    def is_silent(self) -> bool:
        """True if the theorem says nothing of the run."""
        return self in (Verdict.UNINFORMATIVE, Verdict.HYPOTHESIS_FAILED)

    @classmethod
    def gravest(cls, verdicts: Iterable["Verdict"]) -> "Verdict":
        """The gravest of several verdicts, shown for all of them; it rests on all that those like
        it rest on.
        """
        several = list(verdicts)
        worst = min((each.plain for each in several), key=list(cls).index)
        return worst.resting_on(
            name for each in several if each.plain is worst for name in each.given
        )


class Look(StrEnum):
    """A verdict at a glance: whoever shows verdicts has a colour for each of these."""

    BAD = "bad"
    """Something is false."""
    OPEN = "open"
    IF = "if"
    """Well under a condition that is not printed."""
    OTHERWISE = "otherwise"
    """Well by another proof than the printed one."""
    WELL = "well"
    LIMIT = "limit"
    """Well, but true in the limit of many replicas alone, or if what it rests on is."""
    ASIDE = "aside"
    """Well, and nothing printed is true or false by it."""


_WORDS: dict[str, tuple[Look, str]] = {
    "refuted": (Look.BAD, "False: an exact instance meets every hypothesis, and breaks it."),
    Verdict.VIOLATED: (
        Look.BAD,
        "An instance or a run breaks the bound: for certain, or at the stated level.",
    ),
    "failed": (Look.BAD, "The hypothesis did not hold on the run."),
    "unknown": (Look.OPEN, "Neither proved nor refuted."),
    Verdict.HYPOTHESIS_FAILED: (
        Look.OPEN,
        "A hypothesis of the theorem did not hold on the run, of which it says nothing.",
    ),
    Verdict.INCONCLUSIVE: (Look.OPEN, "The run speaks neither for the claim nor against it."),
    Verdict.UNINFORMATIVE: (
        Look.OPEN,
        "All hypotheses held, but the bound says no more than is known without the theorem.",
    ),
    "assumed": (Look.OPEN, "Nobody can see whether it holds, and it was taken to hold."),
    "conditional": (
        Look.IF,
        "True under a condition that is not printed with it, or under some readings of the paper"
        " and not under others.",
    ),
    "repaired": (Look.OTHERWISE, "True, by another proof than the printed one."),
    "proved": (Look.WELL, "True: a small kernel has replayed the proof."),
    "not violated": (Look.WELL, "No counterexample was found, which proves nothing."),
    "held": (Look.WELL, "The hypothesis held wherever it was looked at on the run."),
    Verdict.SUPPORTED: (
        Look.WELL,
        "Every hypothesis held, and what was measured lies below a bound that says something: for"
        " certain, or at the stated level. It is no proof.",
    ),
    Verdict.SUPPORTED_ASYMPTOTIC: (
        Look.LIMIT,
        "As supported, but by an interval that is right only in the limit of many replicas.",
    ),
    "remark": (Look.ASIDE, "Worth knowing; nothing printed is false."),
    "editorial": (Look.ASIDE, "A matter of wording, without evidence from a machine."),
}
_SPOKEN = {str(Verdict.HYPOTHESIS_FAILED): "outside the theorem's assumptions"}


def spoken(word: str) -> str:
    """A verdict in the words that a page says to people; what is stored and typed stays."""
    return _SPOKEN.get(word, word)


def meanings() -> dict[str, str]:
    """The meaning of each verdict, by the words that people read, the gravest first."""
    return {spoken(word): meaning for word, (_, meaning) in _WORDS.items()}


def look_of(word: str) -> Look:
    """The look of a verdict on a run, a proof, an attack or a hypothesis; what is not decided is
    open.
    """
    plain, given, _ = word.partition(_GIVEN)
    look, _ = _WORDS.get(plain, (Look.OPEN, ""))
    return Look.LIMIT if given and look is Look.WELL else look


def amount(count: int, noun: str) -> str:
    """A number of things, `1 run` or `2 runs`."""
    return f"{count} {noun}{'s' if count != 1 else ''}"


def gravity(word: str) -> int:
    """The place of a verdict where what is gravest comes first."""
    return list(Look).index(look_of(word))


def counts(words: Iterable[str]) -> list[tuple[str, int]]:
    """Each verdict with how many there are of it, what is gravest first."""
    return sorted(Counter(words).items(), key=lambda each: gravity(each[0]))


def tally(words: Iterable[str]) -> str:
    """How many there are of each verdict, what is gravest first."""
    return ", ".join(f"{count} {spoken(word)}" for word, count in counts(words))


def is_well(word: str) -> bool:
    """True if a verdict says that nothing is refuted, violated or open."""
    return look_of(word) not in (Look.BAD, Look.OPEN)
