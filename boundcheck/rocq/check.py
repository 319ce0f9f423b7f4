"""Rocq's word on exported proofs, and the committed list of those that it has checked, which `make rocq` makes.

Rocq compiles the library and each file, and says on which axioms each theorem rests. A derivation stands in the list
as a hash of all of its steps. So a proof that has changed since counts as unchecked, whatever its name. The library, in
which the norms and expectations are defined, stands there as a hash too: with another one nothing is checked.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any

from boundcheck.errors import InputError
from boundcheck.kernel import Theorem
from boundcheck.kernel.facts import derivation
from boundcheck.kernel.terms import Term
from boundcheck.rocq.file import LIBRARY, PARTS, Export, World, hash_of, rocq
from boundcheck.system.child import watched
from boundcheck.system.files import replace_file

LIST = LIBRARY / "checked.json"
"""By claim and version: the hashes of the derivation, of the library and of the exported file, the axioms on which Rocq
says that the theorem rests, and the hash of the world in which its hypotheses hold, where there is one."""
# Seconds that Rocq gets for a file.
_LONGEST = 1800


# The list.


def digest(theorem: Theorem) -> str:
    """A hash of a derivation: of the rule, the arguments, the premises and what follows, at each step."""

    def plain(argument: Any) -> Any:
        if isinstance(argument, tuple):
            return list(map(plain, argument))
        return argument.key if isinstance(argument, Term) else str(argument)

    made: dict[int, str] = {}
    for each in derivation([theorem]):
        before = [made[id(x)] for x in each.premises]
        said = [sorted(x.key for x in each.hypotheses), each.conclusion.key]
        made[id(each)] = sha256(json.dumps([each.rule, plain(each.arguments), before, said]).encode()).hexdigest()
    return made[id(theorem)]


@cache
def library_hash() -> str:
    """The hash of the library on which proofs rest."""
    return hash_of(*((LIBRARY / f"{part}.v").read_text("utf-8") for part in PARTS[:-1]))


@cache
def checked() -> Mapping[str, Mapping[str, Any]]:
    """The list; empty where nothing was checked."""
    found: dict[str, dict[str, Any]] = json.loads(LIST.read_text("utf-8")) if LIST.exists() else {}
    return found


@cache
def known(kind: str) -> frozenset[str]:
    """The hashes of one kind in the list, such as ``derivation`` or ``world``, as far as they are of this library."""
    return frozenset(x[kind] for x in checked().values() if kind in x and x.get("library") == library_hash())


def covers(conclusion: Theorem | None, line: Theorem | None = None) -> bool:
    """True if Rocq has checked what a proof concludes, and `line`, where one is given, is a step to that."""
    if conclusion is None or digest(conclusion) not in known("derivation"):
        return False
    return line is None or any(line is each for each in derivation([conclusion]))


def has_world(export: Export) -> bool:
    """True if Rocq has checked that all hypotheses of a theorem hold in a world.

    Raises InputError for a term that has no form in Rocq.
    """
    world = World(export)
    return world.script.exists() and world.hash in known("world")


# Rocq.


@dataclass(frozen=True)
class Word:
    """Rocq's answer about one proof.

    Attributes:
        name: the proof's name in the list.
        steps: of the derivation.
        seconds: that Rocq took; 0 for a proof that was not exported.
        reason: why the proof is not checked; empty where it is.
        entry: what the list has of it, see `LIST`.

    """

    name: str
    steps: int
    seconds: float
    reason: str
    entry: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        ok = "ok, and its hypotheses hold in a world" if "world" in self.entry else "ok"
        return f"{self.name}: {self.steps} steps, {self.seconds:.0f} s, {self.reason or ok}"


def build(folder: Path) -> Path:
    """Compile the library in a folder of its own; raises InputError where that fails."""
    home = folder / "library"
    home.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        source = (LIBRARY / f"{part}.v").read_text(encoding="utf-8")
        copy, made = home / f"{part}.v", home / f"{part}.vo"
        if made.exists() and copy.exists() and copy.read_text(encoding="utf-8") == source:
            continue
        copy.write_text(source, encoding="utf-8")
        for later in PARTS[PARTS.index(part) :]:
            (home / f"{later}.vo").unlink(missing_ok=True)
        failed, _ = compiled(copy, home)
        if failed:
            raise InputError("library", part, f"a file that Rocq accepts ({failed})")
    return home


def compiled(file: Path, library: Path, needs: Path | None = None) -> tuple[str, str]:
    """Compile a file, which may need those of a folder. Returns the error, empty if none, and what Rocq printed."""
    compiler = shutil.which("coqc")
    if compiler is None:
        expected = "Rocq with its libraries: Debian's coq, libcoq-mathcomp-analysis and libcoq-mathcomp-algebra-tactics"
        raise InputError("coqc", "none", expected)
    others = [] if needs is None else ["-Q", str(needs), ""]
    command = [compiler, "-w", "none", *others, "-Q", str(library), "boundcheck", str(file)]
    try:
        done = subprocess.run(watched(command), capture_output=True, text=True, timeout=_LONGEST, check=False)
    except subprocess.TimeoutExpired:
        return f"Rocq takes longer than {_LONGEST} seconds", ""
    if done.returncode == 0:
        return "", done.stdout
    told = re.search(r"line \d+[\s\S]*?Error:[\s\S]{0,300}", done.stderr)
    return " ".join((told[0] if told else done.stderr[-300:]).split()), done.stdout


def axioms(printed: str) -> set[str]:
    """The names that `Print Assumptions` printed; what it did not print is an axiom of its own, which nobody allows."""
    # A tactic that tried something else before may have told of it.
    told = re.sub(r"\ADebug:.*?(?=^Axioms:|^Closed under)", "", printed, flags=re.DOTALL | re.MULTILINE)
    before, heading, listed = told.partition("Axioms:")
    if before.strip() != ("" if heading else "Closed under the global context"):
        return {"what Rocq did not print"}
    found = set()
    for line in listed.splitlines():
        # What goes on is indented. A line without a name tells of what Rocq was told not to look at: an axiom, too.
        if line.strip() and not line[0].isspace():
            name = re.match(r"([A-Za-z_][\w.']*)\s*(?::|$)", line)
            found.add(name[1] if name else line.strip())
    return found


def allowed() -> set[str]:
    """The axioms on which a theorem may rest: those of the library of real numbers."""
    lines = (LIBRARY / "assumptions.txt").read_text(encoding="utf-8").splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def check(exports: Sequence[Export], folder: Path, jobs: int, say: Callable[[Word], None]) -> list[Word]:
    """Write these theorems into a folder and let Rocq check each, `jobs` at a time.

    Raises:
        InputError: where Rocq is missing, or its library does not compile.

    """
    library = build(folder)

    def one(export: Export) -> Word:
        steps, began = len(derivation([export.theorem])), perf_counter()
        try:
            text = rocq(export)
        except InputError as error:
            word = Word(export.name, steps, 0, str(error))
        else:
            file = folder / f"{export.name_in_rocq}.v"
            file.write_text(text, encoding="utf-8")
            began = perf_counter()
            reason, rests = _believed(file, library)
            entry = {"derivation": digest(export.theorem), "library": library_hash(), "file": hash_of(text)}
            world = World(export)
            if not reason and world.script.exists() and not (reason := in_world(world, folder, library)):
                entry["world"] = world.hash
            word = Word(export.name, steps, perf_counter() - began, reason, {**entry, "axioms": rests})
        say(word)
        return word

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, exports))


def _believed(file: Path, library: Path, needs: Path | None = None) -> tuple[str, list[str]]:
    """Compile a file. Returns why it is not believed, empty where it is, and the axioms on which it rests."""
    failed, printed = compiled(file, library, needs)
    rests = axioms(printed)
    more = sorted(rests - allowed())
    return failed or (f"it rests on {', '.join(more)}" if more else ""), sorted(rests)


def in_world(world: World, folder: Path, library: Path) -> str:
    """Let Rocq judge the world of a theorem that is compiled in the folder. Returns why it is none, empty where it is.

    The proof is compiled first. What it says does not count: the statement is made again in a file that knows nothing
    of the proof's definitions, and Rocq is asked there on what the proof of it rests.
    """
    proof, judge = folder / f"{world.name}_world.v", folder / f"{world.name}_judged.v"
    proof.write_text(world.file, encoding="utf-8")
    judge.write_text(world.judging, encoding="utf-8")
    failed, _ = compiled(proof, library, folder)
    reason = failed or _believed(judge, library, folder)[0]
    return f"its world: {reason}" if reason else ""


def listed(words: Sequence[Word]) -> dict[str, Mapping[str, Any]]:
    """The entries of the committed list for the proofs that Rocq has checked."""
    return {word.name: word.entry for word in words if not word.reason}


def differing(words: Sequence[Word]) -> list[str]:
    """The names of the proofs on which the committed list and Rocq differ."""
    found, kept = listed(words), checked()
    return [word.name for word in words if found.get(word.name) != kept.get(word.name)]


def accept(words: Sequence[Word]) -> None:
    """Write what Rocq says of these proofs into the list; what it says of others stays."""
    names = {word.name for word in words}
    kept = {name: entry for name, entry in checked().items() if name not in names}
    text = json.dumps(kept | listed(words), indent=1, sort_keys=True)
    replace_file(LIST, f"{text}\n".encode())
