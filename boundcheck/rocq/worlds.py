"""Worlds: Rocq is asked to confirm that the hypotheses of a theorem can hold at once.

The statement of a world is made here, from the theorem's own hypotheses; a file of `proofs/rocq/worlds` has only the
tactics that prove it. Rocq's word on it comes from a file of its own, in which the statement is made again before the
proof is loaded: so it does not matter what the proof's file defines, assumes or states.
"""

from __future__ import annotations

from pathlib import Path

from boundcheck.errors import InputError
from boundcheck.proof.verdict import JudgedProof
from boundcheck.rocq.book import Book, comment, law_variables
from boundcheck.rocq.checked import LIBRARY, PARTS, hash_of, worlds
from boundcheck.rocq.file import HEAD, assumed, concluded, declared, free_in, section, theorem_name


class World:
    """The world of a proved proof, there or not: its statement, its file and what judges it.

    Raises:
        InputError: for a proof that is not proved, and for a term that has no form in Rocq.

    """

    def __init__(self, proof: JudgedProof) -> None:
        """Read the hypotheses of the proof's theorem."""
        theorem, self.name = concluded(proof), theorem_name(proof)
        free = free_in(theorem)
        book = Book(frozenset(law_variables((*theorem.hypotheses, theorem.conclusion)) - free), whole=True)
        for letter in sorted(free):
            book.name(letter)
        self._hypotheses = [
            (comment(f"{told.role}: {told.name}. {x}"), f"({book.said(x)})") for x, told in assumed(proof).items()
        ]
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


def has_world(proof: JudgedProof) -> bool:
    """True if Rocq has checked that all hypotheses of a proved proof hold in a world."""
    try:
        world = World(proof)
    except InputError:
        return False
    return world.script.exists() and world.hash in worlds()
