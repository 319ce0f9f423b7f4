"""Rocq's word on exported proofs: the library and each file compiled, and the axioms on which each theorem rests."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from boundcheck.errors import InputError
from boundcheck.kernel.facts import derivation
from boundcheck.proof.script import find
from boundcheck.proof.verdict import JudgedProof, judge
from boundcheck.rocq.checked import LIBRARY, LIST, PARTS, checked, digest, hash_of, library_hash
from boundcheck.rocq.file import World, concluded, rocq, theorem_name
from boundcheck.system.child import watched
from boundcheck.system.files import replace_file


@dataclass(frozen=True)
class Word:
    """Rocq's answer about one proof.

    Attributes:
        steps: of the derivation.
        seconds: that Rocq took; 0 for a proof that was not exported.
        reason: why the proof is not checked; empty where it is.
        derivation: its hash, see `checked.digest`.
        axioms: on which Rocq says that its theorem rests.
        file: the hash of what was exported.
        world: the hash of the world in which Rocq has found the theorem's hypotheses to hold; empty without one.

    """

    id: str
    version: str
    steps: int
    seconds: float
    reason: str
    derivation: str = ""
    axioms: tuple[str, ...] = ()
    file: str = ""
    world: str = ""

    @property
    def name(self) -> str:
        """The proof's name in the list."""
        return f"{self.id}, {self.version}"

    def __str__(self) -> str:
        ok = "ok, and its hypotheses hold in a world" if self.world else "ok"
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


def compiled(file: Path, library: Path, seconds: float = 1800, needs: Path | None = None) -> tuple[str, str]:
    """Compile a file, which may need those of a folder. Returns the error, empty if none, and what Rocq printed."""
    compiler = shutil.which("coqc")
    if compiler is None:
        expected = "Rocq with its libraries: Debian's coq, libcoq-mathcomp-analysis and libcoq-mathcomp-algebra-tactics"
        raise InputError("coqc", "none", expected)
    others = [] if needs is None else ["-Q", str(needs), ""]
    command = [compiler, "-w", "none", *others, "-Q", str(library), "boundcheck", str(file)]
    try:
        done = subprocess.run(watched(command), capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return f"Rocq takes longer than {seconds:.0f} seconds", ""
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


def check(
    targets: Sequence[str], folder: Path, jobs: int = 2, say: Callable[[Word], None] = lambda _: None
) -> list[Word]:
    """Export the proved proofs of these targets and let Rocq check each.

    Raises:
        InputError: where Rocq is missing, its library does not compile, or a target has no proof.

    """
    library = build(folder)
    proofs = [judged for judged in map(judge, find(tuple(targets))) if judged.verdict == "proved"]

    def one(proof: JudgedProof) -> Word:
        word = _word(proof, folder, library)
        say(word)
        return word

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, proofs))


def _word(proof: JudgedProof, folder: Path, library: Path) -> Word:
    end = concluded(proof)
    steps = len(derivation([end]))
    try:
        text = rocq(proof)
    except InputError as error:
        return Word(proof.script.id, proof.script.version, steps, 0, str(error))
    name = theorem_name(proof)
    file = folder / f"{name}.v"
    file.write_text(text, encoding="utf-8")
    began = perf_counter()
    reason, rests = _believed(file, library)
    world, there = "", World(proof)
    if not reason and there.script.exists():
        reason = in_world(there, folder, library)
        world = "" if reason else there.hash
    took = perf_counter() - began
    return Word(proof.script.id, proof.script.version, steps, took, reason, digest(end), rests, hash_of(text), world)


def _believed(file: Path, library: Path, needs: Path | None = None) -> tuple[str, tuple[str, ...]]:
    """Compile a file. Returns why it is not believed, empty where it is, and the axioms on which it rests."""
    failed, printed = compiled(file, library, needs=needs)
    rests = axioms(printed)
    more = sorted(rests - allowed())
    return failed or (f"it rests on {', '.join(more)}" if more else ""), tuple(sorted(rests))


def in_world(world: World, folder: Path, library: Path) -> str:
    """Let Rocq judge the world of a theorem that is compiled in the folder. Returns why it is none, empty where it is.

    The proof is compiled first. What it says does not count: the statement is made again in a file that knows nothing
    of the proof's definitions, and Rocq is asked there on what the proof of it rests.
    """
    proof, judge = folder / f"{world.name}_world.v", folder / f"{world.name}_judged.v"
    proof.write_text(world.file, encoding="utf-8")
    judge.write_text(world.judging, encoding="utf-8")
    failed, _ = compiled(proof, library, needs=folder)
    reason = failed or _believed(judge, library, needs=folder)[0]
    return f"its world: {reason}" if reason else ""


def listed(words: Sequence[Word]) -> dict[str, dict[str, object]]:
    """The entries of the committed list for the proofs that Rocq has checked."""
    found: dict[str, dict[str, object]] = {}
    for word in words:
        if not word.reason:
            found[word.name] = {"derivation": word.derivation, "library": library_hash(), "file": word.file}
            found[word.name] |= {"axioms": list(word.axioms)} | ({"world": word.world} if word.world else {})
    return found


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
