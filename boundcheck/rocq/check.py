"""A proof as a file for Rocq, Rocq's word on it, and the committed list of those that it has
checked.

A file has the section with its letters, the steps of a derivation, and the theorem. Rocq compiles
the library and each file, and says on which axioms each theorem rests. A derivation stands in the
list, which `make rocq` makes, as a hash of all of its steps. So a proof that has changed since
counts as unchecked, whatever its name. The library, in which the norms and expectations are
defined, stands there as a hash too: with another one nothing is checked.

Rocq is asked to confirm that the hypotheses of a theorem can hold at once, in a world. The
statement of a world is made here, from the theorem's own hypotheses; a file of `proofs/rocq/worlds`
has only the tactics that prove it. Rocq's word on it comes from a file of its own, in which the
statement is made again before the proof is loaded: so it does not matter what the proof's file
defines, assumes or states.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any

from boundcheck.errors import InputError
from boundcheck.kernel import KernelError, Statement, Theorem
from boundcheck.kernel.derive import derivation, free
from boundcheck.kernel.terms import Term
from boundcheck.proofs import HOME
from boundcheck.rocq.book import Book, Named, comment, law_variables
from boundcheck.rocq.rules import Known, Step
from boundcheck.system.child import watched
from boundcheck.system.files import replace_file

LIBRARY = HOME / "rocq"
# In the order in which they need each other; proofs need all but the last.
PARTS = ("Norms", "Chance", "Calculus", "Boundcheck", "Worlds")
HEAD = """From mathcomp Require Import all_ssreflect all_algebra ring.
From mathcomp Require Import reals.
From boundcheck Require Import Boundcheck.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.
"""


@dataclass(frozen=True)
class Export:
    """A theorem for Rocq.

    Attributes:
        name: of its proof: the claim and the version.
        theorem: the kernel's.
        told: all of its hypotheses in their order, each with what it is called.

    """

    name: str
    theorem: Theorem
    told: Mapping[Statement, str]

    @property
    def name_in_rocq(self) -> str:
        """The name of the theorem in its file, and of the file."""
        return self.name.replace(", ", "_").replace(".", "_")


def rocq(export: Export) -> str:
    """The file for Rocq; raises InputError for a rule or a term that has no form there."""
    theorem = export.theorem
    steps = derivation([export.theorem])
    bound = law_variables(x for each in steps for x in (*each.hypotheses, each.conclusion))
    for each in steps:
        if each.rule == "generalise":
            bound |= set(each.arguments[0])
        if each.rule == "descent_lemma":
            bound.add(each.arguments[4])
    book = Book(frozenset(bound))
    for letter in sorted(free_in(theorem) - bound):
        book.name(letter)
    stated: Known = {}
    for place, each in enumerate(steps, 1):
        if each.rule != "assume":
            try:
                book.body.append(f"(* Step {place}: {each.rule}. *)")
                Step(book, each, stated).state()
            except (InputError, KernelError) as error:
                raise InputError(
                    "proof",
                    f"{export.name}, step {place}, {each.rule}",
                    f"a step that can be exported ({error})",
                ) from None
    # The theorem, whose statement uses no definition but those of its own hypotheses.
    step = Step(book, theorem, stated)
    exact = step.use(theorem)
    book.whole = True
    end = []
    names = {}
    for place, (statement, called) in enumerate(export.told.items(), 1):
        said = book.said(statement)
        letters = [x for x in book.bound_in(said) if x in free(statement)]
        end.append(f"(* {comment(f'{called}. {statement}')} *)")
        end.append(
            f"Definition {' '.join([f'H{place}', *map(book.binder, letters)])} : Prop := {said}."
        )
        names[statement] = " ".join([f"H{place}", *map(book.name, letters)])
    claim = " -> ".join([*names.values(), f"({book.said(theorem.conclusion)})"])
    binders = map(book.binder, sorted(free_in(theorem) & book.bound))
    if names:
        exact = f"(fun {' '.join(map(step.hypothesis, names))} => {exact})"
    end.append(f"(* {comment(str(theorem.conclusion))} *)")
    end.append(f"Theorem {' '.join([export.name_in_rocq, *binders])} : {claim}.")
    end.append(f"Proof. exact {exact}. Qed.")
    parts = [
        f"(** {export.name}. *)",
        HEAD,
        *(f"Lemma {made} {text}" for text, made in book.algebra.items()),
        "",
        "Section Proof.",
        *declared(section(book)),
        "",
        *book.body,
        *end,
        "End Proof.",
        f"Print Assumptions {export.name_in_rocq}.",
    ]
    return "\n".join(parts) + "\n"


def free_in(theorem: Theorem) -> set[Named]:
    """The letters of a theorem."""
    return {x for each in (*theorem.hypotheses, theorem.conclusion) for x in free(each)}


@dataclass(frozen=True)
class Letters:
    """Letters of a section, as its text declares them, and what it assumes of them, each by its
    name.
    """

    word: str
    binders: str
    assumed: dict[str, str] = field(default_factory=dict)


def section(book: Book) -> list[Letters]:
    """The letters of what a book has so far, sizes first, because types name them."""
    found = []
    for name, gradient, shapes in book.functions.values():
        kind = book.points(shapes)
        binders = f"({name} : {kind} -> R) ({gradient} : {kind} -> {kind})"
        found.append(
            Letters("Variables", binders, {f"{gradient}_is": f"is_gradient {name} {gradient}"})
        )
    for letter, name in book.letters.items():
        if letter not in book.bound:
            found.append(Letters("Variable", f"{name} : {book.type_of(letter)}"))
    for name, letter, lag in book.processes.values():
        known = f"forall t, knows (@past R S (t{'.+1' * lag})) ({name} t)"
        found.append(
            Letters("Variable", f"{name} : {book.type_of(letter)}", {f"{name}_known": known})
        )
    # Last, because the types above name sizes.
    sizes = list(book.dimensions.values())
    first = [Letters("Variables", "(R : realType) (S : space R) (T : nat)", {"T_gt0": "(0 < T)%N"})]
    if sizes:
        first.append(
            Letters(
                "Variables", f"{' '.join(sizes)} : nat", {f"{x}_gt0": f"(0 < {x})%N" for x in sizes}
            )
        )
    return [*first, *found]


def declared(letters: list[Letters]) -> Iterator[str]:
    """The lines of a section that declare these letters."""
    for each in letters:
        yield f"{each.word} {each.binders}."
        yield from (f"Hypothesis {name} : {said}." for name, said in each.assumed.items())


class World:
    """The world of a theorem, there or not: its statement, its file and what judges it.

    Raises:
        InputError: for a term that has no form in Rocq.

    """

    def __init__(self, export: Export) -> None:
        """Read the hypotheses of the theorem."""
        theorem = export.theorem
        self.name = export.name_in_rocq
        free = free_in(theorem)
        book = Book(
            frozenset(law_variables((*theorem.hypotheses, theorem.conclusion)) - free), whole=True
        )
        for letter in sorted(free):
            book.name(letter)
        self._hypotheses = [
            (comment(f"{called}. {x}"), f"({book.said(x)})") for x, called in export.told.items()
        ]
        self._claim = f"({book.said(theorem.conclusion)})"
        self._letters = section(book)

    @property
    def script(self) -> Path:
        """The file of tactics."""
        return LIBRARY / "worlds" / f"{self.name}.v"

    @property
    def statement(self) -> str:
        """The statement that, over any real numbers, there are letters of which all holds that the
        theorem assumes.
        """
        binders = [
            x.binders if x.binders.startswith("(") else f"({x.binders})" for x in self._letters
        ]
        assumed = [f"({said})" for each in self._letters for said in each.assumed.values()]
        exist = " ".join(binders).replace("(R : realType) ", "", 1)
        held = [*assumed, *(f"(* {told} *)\n  {said}" for told, said in self._hypotheses)]
        return f"forall R : realType, exists {exist},\n  " + " /\\\n  ".join(held)

    @property
    def file(self) -> str:
        """The file in which Rocq reads the proof."""
        head = f"{HEAD}From mathcomp Require Import lra.\nFrom boundcheck Require Import Worlds."
        return (
            f"{head}\nLemma world :"
            f" {self.statement}.\nProof.\n{self.script.read_text('utf-8')}\nQed.\n"
        )

    @property
    def hash(self) -> str:
        """A hash of the statement and of all that is particular to its proof."""
        return hash_of((LIBRARY / f"{PARTS[-1]}.v").read_text("utf-8"), self.file)

    @property
    def judging(self) -> str:
        """The file for Rocq's word that the theorem asks for no more, and that the proof proves the
        statement.
        """
        wanted = " -> ".join([*(said for _, said in self._hypotheses), self._claim])
        return "\n".join(
            [
                HEAD,
                f"Require {self.name}.",
                "Section Applies.",
                *declared(self._letters),
                f"Goal {wanted}.",
                f"Proof. eapply {self.name}.{self.name}; eassumption. Qed.",
                "End Applies.",
                f"Definition says : Prop := {self.statement}.",
                f"Require {self.name}_world.",
                f"Definition holds : says := {self.name}_world.world.",
                "Print Assumptions holds.",
            ]
        )


def hash_of(*texts: str) -> str:
    """A hash of texts."""
    return sha256("\0".join(texts).encode()).hexdigest()


LIST = LIBRARY / "checked.json"
"""By claim and version: the hashes of the derivation, of the library and of the exported file, the
axioms on which Rocq says that the theorem rests, and the hash of the world in which its hypotheses
hold, where there is one."""
# Seconds that Rocq gets for a file.
_LONGEST = 1800


# The list.


def digest(theorem: Theorem) -> str:
    """A hash of a derivation: of the rule, the arguments, the premises and what follows, at each
    step.
    """

    def plain(argument: Any) -> Any:
        if isinstance(argument, tuple):
            return list(map(plain, argument))
        return argument.key if isinstance(argument, Term) else str(argument)

    made: dict[int, str] = {}
    for each in derivation([theorem]):
        before = [made[id(x)] for x in each.premises]
        said = [sorted(x.key for x in each.hypotheses), each.conclusion.key]
        made[id(each)] = sha256(
            json.dumps([each.rule, plain(each.arguments), before, said]).encode()
        ).hexdigest()
    return made[id(theorem)]


@cache
def library_hash() -> str:
    """The hash of the library on which proofs rest."""
    return hash_of(*((LIBRARY / f"{part}.v").read_text("utf-8") for part in PARTS[:-1]))


@cache
def checked() -> Mapping[str, Mapping[str, Any]]:
    """The list; empty where nothing was checked."""
    return json.loads(LIST.read_text("utf-8")) if LIST.exists() else {}


@cache
def known(kind: str) -> frozenset[str]:
    """The hashes of one kind in the list, such as ``derivation`` or ``world``, as far as they are
    of this library.
    """
    return frozenset(
        x[kind] for x in checked().values() if kind in x and x.get("library") == library_hash()
    )


def covers(conclusion: Theorem | None, line: Theorem | None = None) -> bool:
    """True if Rocq has checked what a proof concludes, and `line`, where one is given, is a step to
    that.
    """
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
        copy = home / f"{part}.v"
        made = home / f"{part}.vo"
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
    """Compile a file, which may need those of a folder. Returns the error, empty if none, and what
    Rocq printed.
    """
    compiler = shutil.which("coqc")
    if compiler is None:
        raise InputError(
            "coqc",
            "none",
            "Rocq with its libraries: Debian's coq, libcoq-mathcomp-analysis and"
            " libcoq-mathcomp-algebra-tactics",
        )
    others = [] if needs is None else ["-Q", str(needs), ""]
    command = [compiler, "-w", "none", *others, "-Q", str(library), "boundcheck", str(file)]
    try:
        done = subprocess.run(
            watched(command), capture_output=True, text=True, timeout=_LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        return f"Rocq takes longer than {_LONGEST} seconds", ""
    if done.returncode == 0:
        return "", done.stdout
    told = re.search(r"line \d+[\s\S]*?Error:[\s\S]{0,300}", done.stderr)
    return " ".join((told[0] if told else done.stderr[-300:]).split()), done.stdout


def axioms(printed: str) -> set[str]:
    """The names that `Print Assumptions` printed; what it did not print is an axiom of its own,
    which nobody allows.
    """
    # A tactic that tried something else before may have told of it.
    told = re.sub(
        r"\ADebug:.*?(?=^Axioms:|^Closed under)", "", printed, flags=re.DOTALL | re.MULTILINE
    )
    before, heading, listed = told.partition("Axioms:")
    if before.strip() != ("" if heading else "Closed under the global context"):
        return {"what Rocq did not print"}
    found = set()
    for line in listed.splitlines():
        # What goes on is indented. A line without a name tells of what Rocq was told not to look
        # at: an axiom, too.
        if line.strip() and not line[0].isspace():
            name = re.match(r"([A-Za-z_][\w.']*)\s*(?::|$)", line)
            found.add(name[1] if name else line.strip())
    return found


def allowed() -> set[str]:
    """The axioms on which a theorem may rest: those of the library of real numbers."""
    lines = (LIBRARY / "assumptions.txt").read_text(encoding="utf-8").splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def entry_of(export: Export, text: str) -> dict[str, Any]:
    """The hashes that the list has of a proof that is checked, whose file has this text."""
    world = World(export)
    entry = {"derivation": digest(export.theorem), "library": library_hash(), "file": hash_of(text)}
    return entry | ({"world": world.hash} if world.script.exists() else {})


def is_listed(export: Export) -> bool:
    """True if the list has this very proof; raises InputError for one that has no form in Rocq."""
    kept = {
        name: value for name, value in checked().get(export.name, {}).items() if name != "axioms"
    }
    return entry_of(export, rocq(export)) == kept


def check(
    exports: Sequence[Export], folder: Path, jobs: int, say: Callable[[Word], None]
) -> list[Word]:
    """Write these theorems into a folder and let Rocq check each, `jobs` at a time.

    Raises:
        InputError: where Rocq is missing, or its library does not compile.

    """
    library = build(folder)

    def one(export: Export) -> Word:
        steps = len(derivation([export.theorem]))
        began = perf_counter()
        try:
            text = rocq(export)
            entry = entry_of(export, text)
        except InputError as error:
            word = Word(export.name, steps, 0, str(error))
        else:
            file = folder / f"{export.name_in_rocq}.v"
            file.write_text(text, encoding="utf-8")
            began = perf_counter()
            reason, rests = _believed(file, library)
            if not reason and "world" in entry:
                reason = in_world(World(export), folder, library)
            word = Word(
                export.name, steps, perf_counter() - began, reason, {**entry, "axioms": rests}
            )
        say(word)
        return word

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, exports))


def _believed(file: Path, library: Path, needs: Path | None = None) -> tuple[str, list[str]]:
    """Compile a file. Returns why it is not believed, empty where it is, and the axioms on which it
    rests.
    """
    failed, printed = compiled(file, library, needs)
    rests = axioms(printed)
    more = sorted(rests - allowed())
    return failed or (f"it rests on {', '.join(more)}" if more else ""), sorted(rests)


def in_world(world: World, folder: Path, library: Path) -> str:
    """Let Rocq judge the world of a theorem that is compiled in the folder. Returns why it is none,
    empty where it is.

    The proof is compiled first. What it says does not count: the statement is made again in a file
    that knows nothing of the proof's definitions, and Rocq is asked there on what the proof of it
    rests.
    """
    proof = folder / f"{world.name}_world.v"
    judge = folder / f"{world.name}_judged.v"
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
    found = listed(words)
    kept = checked()
    return [word.name for word in words if found.get(word.name) != kept.get(word.name)]


def accept(words: Sequence[Word]) -> None:
    """Write what Rocq says of these proofs into the list; what it says of others stays."""
    names = {word.name for word in words}
    kept = {name: entry for name, entry in checked().items() if name not in names}
    text = json.dumps(kept | listed(words), indent=1, sort_keys=True)
    replace_file(LIST, f"{text}\n".encode())
