"""The proofs that Rocq has checked: a committed list of their derivations, which `make rocq` makes.

A derivation stands in the list as a hash of all of its steps. So a proof that has changed since counts as unchecked,
whatever its name. The library, in which the norms and expectations are defined, stands there as a hash too: with
another one nothing is checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Any

from boundcheck.kernel import Theorem
from boundcheck.kernel.facts import derivation
from boundcheck.kernel.terms import Term
from boundcheck.proofs import HOME

LIST = HOME / "rocq" / "checked.json"
"""By claim and version: the hashes of the derivation, of the library and of the exported file, the axioms on which Rocq
says that the theorem rests, and the hash of the world in which its hypotheses hold, where there is one."""
LIBRARY = HOME / "rocq"
# In the order in which they need each other; proofs need all but the last.
PARTS = ("Norms", "Chance", "Calculus", "Boundcheck", "Worlds")


def digest(theorem: Theorem) -> str:
    """A hash of a derivation: of the rule, the arguments, the premises and what follows, at each step."""
    made: dict[int, str] = {}
    for each in derivation([theorem]):
        before = [made[id(x)] for x in each.premises]
        said = [sorted(x.key for x in each.hypotheses), each.conclusion.key]
        text = json.dumps([each.rule, _plain(each.arguments), before, said])
        made[id(each)] = sha256(text.encode()).hexdigest()
    return made[id(theorem)]


def hash_of(*texts: str) -> str:
    """A hash of texts."""
    return sha256("\0".join(texts).encode()).hexdigest()


@cache
def library_hash() -> str:
    """The hash of the library on which proofs rest."""
    return hash_of(*((LIBRARY / f"{part}.v").read_text("utf-8") for part in PARTS[:-1]))


def _plain(argument: Any) -> Any:
    if isinstance(argument, tuple):
        return list(map(_plain, argument))
    return argument.key if isinstance(argument, Term) else str(argument)


@cache
def checked() -> Mapping[str, Mapping[str, Any]]:
    """The list; empty where nothing was checked."""
    found: dict[str, dict[str, Any]] = json.loads(LIST.read_text("utf-8")) if LIST.exists() else {}
    return found


@cache
def _hashes() -> frozenset[str]:
    return frozenset(x["derivation"] for x in checked().values() if x.get("library") == library_hash())


@cache
def worlds() -> frozenset[str]:
    """The hashes of the worlds in which Rocq has found all hypotheses of a theorem to hold."""
    return frozenset(x["world"] for x in checked().values() if "world" in x and x.get("library") == library_hash())


def covers(conclusion: Theorem | None, line: Theorem | None = None) -> bool:
    """True if Rocq has checked what a proof concludes, and `line`, where one is given, is a step to that."""
    if conclusion is None or digest(conclusion) not in _hashes():
        return False
    return line is None or any(line is each for each in derivation([conclusion]))
