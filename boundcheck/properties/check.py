"""`check_claim`: try an inequality on many instances, climb toward the ones that break it, and keep
the one that does.

An instance counts against a claim only when Arb says so. Floats decide the clear cases: each side
has a bound on its rounding error, which follows from the dimensions. What floats cannot tell apart
is a near-tie, and Arb decides it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sympy as sp
from hypothesis import HealthCheck, Phase, given, reject, settings, target
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from sympy.core.relational import Relational

from boundcheck.errors import BoundcheckError, InputError, check_count
from boundcheck.exact.evaluate import NoValueError
from boundcheck.exact.floats import Comparison
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.hypotheses import LEAST
from boundcheck.language.judge import meets
from boundcheck.language.prose import typed
from boundcheck.language.sentence import (
    algorithm_of,
    is_about_smoothness,
)
from boundcheck.properties.problem_strategies import assignments, instances, short_runs
from boundcheck.properties.session import current
from boundcheck.system.limits import DAY, limited, silent
from boundcheck.system.plugins import theirs
from boundcheck.worst_case.instance import AdapterInstance, certify, check_id, check_rank
from boundcheck.worst_case.relation import Assignment, climbed, is_relation, simplified
from boundcheck.worst_case.search import shrunk
from boundcheck.worst_case.stored import Tried, save
from boundcheck.worst_case.view import rounded_down

if TYPE_CHECKING:
    from boundcheck.proof import Script


@dataclass(frozen=True)
class Checked:
    """The record of a check in which no instance broke the claim.

    Attributes:
        id: the claim's.
        examples: how many instances were drawn.
        ratio: the largest measured over bound among them and where ascents from them ended, in
            floats; 0 where nothing was measured.
        near_ties: how many of these rounding could not tell from a tie, and Arb decided.
        profile: how hard the search was.
        open: what is not known to hold in instances on which the conclusion fails: these are
            candidates, and break the claim only where it does.

    """

    id: str
    examples: int
    ratio: float
    near_ties: int
    profile: str
    open: tuple[str, ...] = ()


class ClaimViolatedError(BoundcheckError, AssertionError):
    """An instance on which a claim is false, certified with Arb.

    Attributes:
        instance: the instance, shrunk.
        ratio: a certified lower bound on measured over bound.
        path: the file that ``boundcheck falsify --replay`` reads; None where it could not be
            written.

    """

    def __init__(self, instance: Tried, ratio: float, path: Path | None, typed: str) -> None:
        self.instance = instance
        self.ratio = ratio
        self.path = path
        size = (
            "has no finite limit" if ratio == math.inf else f"is at least {rounded_down(ratio, 6)}"
        )
        # Only what is strict is broken by a tie.
        size = "is not below 1" if ratio <= 1 else size
        said = (
            f"{instance.claim.id} is violated, certified with Arb: measured over bound {size}, on"
        )
        stored = (
            f"replay: boundcheck falsify {typed} --replay {path}"
            if path
            else "not stored: its folder cannot be written"
        )
        lines = [said, *str(instance).splitlines(), stored]
        super().__init__("\n    ".join(lines))


class RoundingError(BoundcheckError, AssertionError):
    """An error beyond its bound: the computed sides of a claim are farther from the exact ones than
    the bounds say.

    The claim is not to blame: Arb finds it true of the instance. The arithmetic, or the bound on
    its error, is wrong.
    """

    def __init__(self, instance: Tried, compared: Comparison) -> None:
        self.instance = instance
        measured, bound, _ = compared
        super().__init__(
            f"{instance.claim.id}: measured {measured.value:.9g} ±"
            f" {measured.error:.2g} exceeds bound {bound.value:.9g} ± {bound.error:.2g}, and"
            " exactly it does not, on\n    " + "\n    ".join(str(instance).splitlines())
        )


def check_claim(
    claim: str | Claim | Script | Relational,
    *,
    given: Sequence[Relational] = (),
    adapter: str | None = None,
    lipschitz: str = LEAST,
    largest: int = 8,
    examples: int | None = None,
) -> Checked:
    """Try a claim on instances that Hypothesis draws, steered toward a large measured over bound,
    and climb from them.

    What may be checked: an inequality between norms of matrices and numbers; a claim about the
    smoothness of an adapter (its last quantity is ``Lhat``); a theorem (``bound``). Not inside of a
    test that Hypothesis runs itself.

    >>> from sympy import Le, MatrixSymbol
    >>> from boundcheck.language.vocabulary import FrobeniusNorm, SpectralNorm
    >>> X, Y = MatrixSymbol("X", 2, 3), MatrixSymbol("Y", 3, 2)
    >>> check_claim(Le(FrobeniusNorm(X * Y), SpectralNorm(X) * FrobeniusNorm(Y))).near_ties > 0
    True

    Args:
        claim: an id of the catalogue, a claim or lemma of your own, or an inequality over matrix
            symbols.
        given: of an inequality, what it is said to hold under, such as ``SpectralNorm(X) <= a``.
        adapter: the kind of adapter, where it does not follow from the claim.
        lipschitz: what C stands for in a claim that takes one: ``sigma`` or ``sqrt(r) sigma``.
        largest: the largest rank and about the largest side; short runs have W of up to 3 x 3
            whatever it is.
        examples: how many instances; left out, as many as the profile of the run of pytest says.

    Returns:
        How many instances were tried, and the largest ratio among them.

    Raises:
        ClaimViolatedError: with the smallest instance found that breaks the claim, which is also
            written to a file.
        RoundingError: where the arithmetic is off by more than its error bound.
        InputError: for a claim that cannot be checked, or whose words' code fails, and where
            nothing satisfies `given`.

    """
    # Pytest shows the test that called, and not this.
    __tracebackhide__ = True
    typed = claim
    claim = _as_claim(claim, given)
    if not isinstance(typed, str):
        # An object does not say where it is.
        typed = claim.id if catalogue.get(claim.id) == claim else "FILE.py:CLAIM"
    check_count("largest", largest)
    check_rank("largest", largest)
    if examples is not None:
        check_count("examples", examples)
    try:
        with theirs():
            search = _Search(claim, strategy_of(claim, adapter, lipschitz, largest))
            search.run(examples)
    except Unsatisfiable:
        raise InputError(
            "given", claim.id, "hypotheses that instances satisfy, of which none was found"
        ) from None
    except NoValueError as error:
        raise InputError("claim", claim.id, f"a relation of numbers and norms ({error})") from None
    except _BrokenError as error:
        # Shrunk, and written to a file.
        instance = error.instance
        found = certify(error.instance)
        if isinstance(instance, AdapterInstance):
            instance = shrunk(instance, found)
        elif isinstance(instance, Assignment):
            instance = simplified(instance)
        found = certify(instance)
        text = json.dumps(instance.as_json(), sort_keys=True)
        name = "".join(c if c.isalnum() or c in "._-" else "_" for c in claim.id)[:60]
        path = current().folder / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}.json"
        try:
            save(instance, path)
            stored: Path | None = path
        except InputError:
            # The instance matters more than its file.
            stored = None
        ratio = found.lower if math.isfinite(found.lower) else None
        current().tell({"id": claim.id, "ratio": ratio, "file": str(stored or "not stored")})
        raise ClaimViolatedError(instance, found.lower, stored, typed) from None
    tried = search.examples, search.ratio, search.near_ties
    checked = Checked(claim.id, *tried, current().profile.name, tuple(search.open))
    current().tell(asdict(checked) | {"open": list(checked.open)})
    return checked


def _as_claim(claim: Any, given: Sequence[Any]) -> Claim:
    # The proof of a lemma has its claim.
    claim = getattr(claim, "claim", claim)
    if isinstance(claim, str | Claim):
        if given:
            raise InputError(
                "given",
                ", ".join(map(str, given)),
                "nothing beside a claim, which has hypotheses of its own",
            )
        if isinstance(claim, str):
            return catalogue.opened(claim)
        check_id(claim)
        return claim
    for each in (claim, *given):
        if not isinstance(each, Relational | sp.And):
            raise InputError(
                "claim" if each is claim else "given",
                each,
                "an id of the catalogue, a Claim, or an inequality that SymPy does not decide by"
                " itself",
            )
    hypotheses = tuple(
        Claim(f"given {i + 1}", "given", "given", each) for i, each in enumerate(given)
    )
    return Claim(str(claim), str(claim), "given", claim, hypotheses=hypotheses)


def strategy_of(
    claim: Claim, adapter: str | None, lipschitz: str, largest: int
) -> SearchStrategy[Any]:
    """The strategy for instances on which a claim is tried; raises InputError for a claim that no
    instance is about.
    """
    if algorithm_of(claim) is not None:
        return short_runs(claim, adapter=adapter, lipschitz=lipschitz)
    if is_about_smoothness(claim):
        return instances(claim, adapter=adapter, lipschitz=lipschitz, largest=largest)
    if is_relation(claim):
        if claim.quantifier.within:
            # An instance that breaks the claim would only be a candidate, and the check would pass.
            expected = "all values of letters, such as for_all(X), and no words that restrict them"
            raise InputError("claim.quantifier", typed(claim.quantifier.latex), expected)
        return assignments(claim, largest=largest)
    raise InputError(
        "claim",
        claim.id,
        "an inequality between norms, a claim about smoothness (with Lhat), or a theorem (with"
        " alpha and bound)",
    )


class _Search:
    """The search of one claim, and what it has seen."""

    def __init__(self, claim: Claim, strategy: SearchStrategy[Any]) -> None:
        self.strategy = strategy
        # The adversary makes instances of a lemma smaller: it knows more about them than Hypothesis
        # does.
        self.phases = [Phase.generate, Phase.target]
        self.phases += [] if is_about_smoothness(claim) else [Phase.shrink]
        self.examples = self.near_ties = 0
        self.ratio = 0.0
        self.steered = False
        # Whether an instance broke what is given.
        self.strict = False
        # What nothing says of instances on which the conclusion fails; in order.
        self.open: dict[str, None] = {}
        self.tick = limited(silent, DAY)
        self.most = 0
        # What was drawn for an inequality: ascents start from the best of it.
        self.tried: list[Assignment] = []

    def run(self, examples: int | None) -> None:
        """Draw instances without a target, then half as many again, steered toward a larger ratio.

        For an inequality between matrices, a few ascents from the best instances follow.
        """
        profile = current().profile
        limits = settings(
            max_examples=examples or profile.examples,
            derandomize=profile.repeatable,
            phases=self.phases,
            deadline=None,
            report_multiple_bugs=False,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        )
        # Half as many again are steered.
        self.most = limits.max_examples + max(limits.max_examples // 2, 1)
        limits(given(self.strategy)(self._attempt))()
        self.steered = True
        settings(limits, max_examples=max(limits.max_examples // 2, 1))(
            given(self.strategy)(self._attempt)
        )()
        # What breaks the claim here is made simpler by greedy steps alone.
        for instance in climbed(tuple(self.tried)):
            self._judge(instance)

    def _attempt(self, instance: Any) -> None:
        self.tick("examples", self.examples, self.most)
        self.examples += 1
        if isinstance(instance, Assignment):
            self.tried.append(instance)
        ratio = self._judge(instance)
        if ratio is None:
            reject()
        if math.isfinite(ratio) and self.steered:
            target(ratio, label="measured / bound")

    def _judge(self, instance: Any) -> float | None:
        """The instance's measured over bound, 0 for a candidate; None if the instance breaks what
        is given.

        It says how near the instance comes to breaking the claim. What is given is asked of an
        instance that comes near, and of every instance after the first that breaks what is given.

        Raises:
            _BrokenError: for one that breaks the claim.

        """
        compared: Comparison = instance.compare()
        if compared.holds:
            if self.strict and meets(instance, instance.claim).failures:
                return None
            self.ratio = max(self.ratio, compared.ratio)
            return compared.ratio
        found = certify(instance)
        if not found.inside:
            self.strict = True
            return None
        self.near_ties += not compared.fails
        if compared.fails and not found.exceeds:
            raise RoundingError(instance, compared)
        if found.open:
            self.open |= dict.fromkeys(found.open)
            return 0.0
        if not found.violated:
            # What exceeds 1 here is rounding.
            self.ratio = max(self.ratio, min(compared.ratio, 1.0))
            return compared.ratio
        raise _BrokenError(instance)


class _BrokenError(Exception):
    """A signal to Hypothesis that an instance breaks the claim."""

    def __init__(self, instance: Any) -> None:
        self.instance = instance
