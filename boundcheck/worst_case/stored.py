"""Instances as files: a search's or property test's result can be judged again without the program
that found it.
"""

import json
import math
from pathlib import Path

from boundcheck.errors import InputError, one_of
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.view import Shown
from boundcheck.system.files import Json, asking, parse_json, read_text, replace_file
from boundcheck.system.plugins import theirs
from boundcheck.worst_case.instance import (
    AdapterInstance,
    Certificate,
    Fields,
    certify,
    check_id,
    check_whole,
)
from boundcheck.worst_case.relation import Assignment
from boundcheck.worst_case.short_run import ShortRun

Tried = AdapterInstance | Assignment | ShortRun
"""An instance of any kind that a claim is tried on."""

KINDS: dict[str, type[Tried]] = {
    "smoothness": AdapterInstance,
    "relation": Assignment,
    "run": ShortRun,
}


def save(instance: Tried, path: Path) -> None:
    """Write an instance completely or not at all; raises InputError for a path that cannot be
    written.
    """
    with asking("out", path, "a file that can be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(
            path, (json.dumps(instance.as_json(), indent=1, allow_nan=False) + "\n").encode()
        )


def load(path: Path, claim: Claim | None = None) -> Tried:
    """Read what `save` wrote.

    Args:
        path: the file.
        claim: the claim that it is about, where that is none of the catalogue's: a file has the
            id and the digest of a claim alone.

    Raises:
        InputError: for a file that is not an instance, that says more than one, or that is about
            another claim.

    """
    try:
        data = parse_json(read_text(path))
    except (OSError, ValueError) as error:
        raise InputError("--replay", path, f"a readable JSON file ({error})") from None
    found = Fields(data, "instance")
    if (kind := found.get("kind", str)) not in KINDS:
        raise InputError("instance.kind", kind, one_of(kind, KINDS))
    id = found.get("claim", str)
    digest = found.get("digest", str)
    if claim is None and id not in catalogue:
        raise InputError(
            "instance.claim",
            id,
            "a claim of the catalogue; your own is given too, as in falsify FILE.py:NAME",
        )
    about = claim or catalogue[id]
    if id != about.id:
        raise InputError("instance.claim", id, f"{about.id}, which was given")
    if digest != about.digest:
        raise InputError("instance.digest", digest, f"that of {id} as it is now, {about.digest}")
    check_id(about)
    made = KINDS[kind].from_json(data, about)
    check_whole(data, made.as_json(), "instance")
    return made


class Replay(tuple[Tried, Certificate], Shown):
    """A stored instance, and what is certain about it."""

    @property
    def violated(self) -> bool:
        """True if the instance certainly breaks its claim."""
        return self[1].violated

    def as_json(self) -> Json:
        """The facts that are certain about the instance, as plain data; no ratio if it is
        infinite.
        """
        instance, found = self
        ratio = found.lower if math.isfinite(found.lower) else None
        said = {
            "id": instance.claim.id,
            "ratio": ratio,
            "violated": found.violated,
            "open": list(found.open),
        }
        return said | {"instance": instance.as_json()}


def replayed(path: Path, claim: Claim | None = None) -> Replay:
    """A stored instance with what is certain about it; raises InputError as `load` does, and if a
    hypothesis fails.
    """
    with theirs():
        instance = load(path, claim)
        found = certify(instance)
    if not found.inside:
        raise InputError(
            "instance",
            f"off the domain ({found.met.objection})",
            "an instance on which everything given holds; exact arithmetic says that it does not",
        )
    return Replay((instance, found))
