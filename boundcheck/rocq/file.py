"""A whole file: the section with its letters, the steps of a derivation, the theorem; and the world of a theorem.

Rocq is asked to confirm that the hypotheses of a theorem can hold at once. The statement of such a world is made here,
from the theorem's own hypotheses; a file of `proofs/rocq/worlds` has only the tactics that prove it. Rocq's word on it
comes from a file of its own, in which the statement is made again before the proof is loaded: so it does not matter
what the proof's file defines, assumes or states.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from boundcheck.errors import InputError
from boundcheck.kernel import KernelError, Statement, Theorem
from boundcheck.kernel.facts import derivation, free
from boundcheck.proofs import HOME
from boundcheck.rocq.book import Book, Named, comment, law_variables
from boundcheck.rocq.rules import Known, Step

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
    theorem, steps = export.theorem, derivation([export.theorem])
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
                expected = f"a step that can be exported ({error})"
                raise InputError("proof", f"{export.name}, step {place}, {each.rule}", expected) from None
    # The theorem, whose statement uses no definition but those of its own hypotheses.
    step = Step(book, theorem, stated)
    exact = step.use(theorem)
    book.whole = True
    end, names = [], {}
    for place, (statement, called) in enumerate(export.told.items(), 1):
        said = book.said(statement)
        letters = [x for x in book.bound_in(said) if x in free(statement)]
        end.append(f"(* {comment(f'{called}. {statement}')} *)")
        end.append(f"Definition {' '.join([f'H{place}', *map(book.binder, letters)])} : Prop := {said}.")
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
    """Letters of a section, as its text declares them, and what it assumes of them, each by its name."""

    word: str
    binders: str
    assumed: dict[str, str] = field(default_factory=dict)


def section(book: Book) -> list[Letters]:
    """The letters of what a book has so far, sizes first, because types name them."""
    found = []
    for name, gradient, shapes in book.functions.values():
        kind = book.points(shapes)
        binders = f"({name} : {kind} -> R) ({gradient} : {kind} -> {kind})"
        found.append(Letters("Variables", binders, {f"{gradient}_is": f"is_gradient {name} {gradient}"}))
    for letter, name in book.letters.items():
        if letter not in book.bound:
            found.append(Letters("Variable", f"{name} : {book.type_of(letter)}"))
    for name, letter, lag in book.processes.values():
        known = f"forall t, knows (@past R S (t{'.+1' * lag})) ({name} t)"
        found.append(Letters("Variable", f"{name} : {book.type_of(letter)}", {f"{name}_known": known}))
    # Last, because the types above name sizes.
    sizes = list(book.dimensions.values())
    first = [Letters("Variables", "(R : realType) (S : space R) (T : nat)", {"T_gt0": "(0 < T)%N"})]
    if sizes:
        first.append(Letters("Variables", f"{' '.join(sizes)} : nat", {f"{x}_gt0": f"(0 < {x})%N" for x in sizes}))
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
        theorem, self.name = export.theorem, export.name_in_rocq
        free = free_in(theorem)
        book = Book(frozenset(law_variables((*theorem.hypotheses, theorem.conclusion)) - free), whole=True)
        for letter in sorted(free):
            book.name(letter)
        self._hypotheses = [(comment(f"{called}. {x}"), f"({book.said(x)})") for x, called in export.told.items()]
        self._claim = f"({book.said(theorem.conclusion)})"
        self._letters = section(book)

    @property
    def script(self) -> Path:
        """The file of tactics."""
        return LIBRARY / "worlds" / f"{self.name}.v"

    @property
    def statement(self) -> str:
        """The statement that, over any real numbers, there are letters of which all holds that the theorem assumes."""
        binders = [x.binders if x.binders.startswith("(") else f"({x.binders})" for x in self._letters]
        assumed = [f"({said})" for each in self._letters for said in each.assumed.values()]
        exist = " ".join(binders).replace("(R : realType) ", "", 1)
        held = [*assumed, *(f"(* {told} *)\n  {said}" for told, said in self._hypotheses)]
        return f"forall R : realType, exists {exist},\n  " + " /\\\n  ".join(held)

    @property
    def file(self) -> str:
        """The file in which Rocq reads the proof."""
        head = f"{HEAD}From mathcomp Require Import lra.\nFrom boundcheck Require Import Worlds."
        return f"{head}\nLemma world : {self.statement}.\nProof.\n{self.script.read_text('utf-8')}\nQed.\n"

    @property
    def hash(self) -> str:
        """A hash of the statement and of all that is particular to its proof."""
        return hash_of((LIBRARY / f"{PARTS[-1]}.v").read_text("utf-8"), self.file)

    @property
    def judging(self) -> str:
        """The file for Rocq's word that the theorem asks for no more, and that the proof proves the statement."""
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
