"""A whole file: the section with its letters, the steps of a derivation, the theorem."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from boundcheck.errors import InputError
from boundcheck.kernel import KernelError, Statement, Theorem
from boundcheck.kernel.facts import derivation, free
from boundcheck.proof.proof import Assumption
from boundcheck.proof.verdict import JudgedProof
from boundcheck.rocq import analysis, laws, norms, numbers, sums  # noqa: F401  (their rules register themselves)
from boundcheck.rocq.book import Book, Named, comment, law_variables
from boundcheck.rocq.step import Known, Step

HEAD = """From mathcomp Require Import all_ssreflect all_algebra ring.
From mathcomp Require Import reals.
From boundcheck Require Import Boundcheck.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.
"""


def rocq(proof: JudgedProof) -> str:
    """A proved proof as a file for Rocq.

    Raises:
        InputError: for a proof that the kernel has not proved, and for a rule or a term that has no form in Rocq.

    """
    name, theorem = _name(proof), concluded(proof)
    told = assumed(proof)
    steps = derivation([theorem])
    bound = law_variables(x for each in steps for x in (*each.hypotheses, each.conclusion)) | _generalised(steps)
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
                    "proof", f"{name}, step {place}, {each.rule}", f"a step that can be exported ({error})"
                ) from None
    end = _theorem(book, theorem, stated, told)
    lemmas = [f"Lemma {made} {text}" for text, made in book.algebra.items()]
    parts = [
        f"(** {name}. *)",
        HEAD,
        *lemmas,
        "",
        "Section Proof.",
        *declared(section(book)),
        "",
        *book.body,
        *end,
        "End Proof.",
        f"Print Assumptions {theorem_name(proof)}.",
    ]
    return "\n".join(parts).replace("_THEOREM_", theorem_name(proof)) + "\n"


def concluded(proof: JudgedProof) -> Theorem:
    """The theorem that a proved proof ends in; raises InputError for any other proof."""
    theorem = proof.script.proof.conclusion
    if proof.verdict != "proved" or theorem is None:
        raise InputError("proof", _name(proof), f"a proof that is proved, not {proof.verdict}")
    return theorem


def assumed(proof: JudgedProof) -> dict[Statement, Assumption]:
    """The hypotheses of the theorem that a proved proof ends in, in the order of the proof, each as the proof tells it.

    Raises:
        InputError: where the proof does not tell all of them.

    """
    theorem = concluded(proof)
    told = {each.statement: each for each in proof.hypotheses if each.statement in theorem.hypotheses}
    if theorem.hypotheses != told.keys():
        raise InputError("proof", _name(proof), "a proof by the kernel alone")
    return told


def _name(proof: JudgedProof) -> str:
    return f"{proof.script.id}, {proof.script.version}"


def theorem_name(proof: JudgedProof) -> str:
    """The name in Rocq of a proof's theorem."""
    return f"{proof.script.id}_{proof.script.version}".replace(".", "_")


def free_in(theorem: Theorem) -> set[Named]:
    """The letters of a theorem."""
    return {x for each in (*theorem.hypotheses, theorem.conclusion) for x in free(each)}


def _generalised(steps: tuple[Theorem, ...]) -> set[Named]:
    found: set[Named] = set()
    for each in steps:
        if each.rule == "generalise":
            found |= set(each.arguments[0])
        if each.rule == "descent_lemma":
            found.add(each.arguments[4])
    return found


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


def _theorem(
    book: Book,
    theorem: Theorem,
    stated: Known,
    told: dict[Statement, Assumption],
) -> list[str]:
    step = Step(book, theorem, stated)
    proof = step.use(theorem)
    book.whole = True
    lines, names = [], {}
    for place, each in enumerate(told, 1):
        names[each] = f"H{place}"
        assumption = told[each]
        lines.append(f"(* {comment(f'{assumption.role}: {assumption.name}. {each}')} *)")
        said = book.said(each)
        letters = [x for x in book.bound_in(said) if x in free(each)]
        lines.append(f"Definition {' '.join([names[each], *map(book.binder, letters)])} : Prop := {said}.")
        names[each] = " ".join([names[each], *map(book.name, letters)])
    said = book.said(theorem.conclusion)
    claim = " -> ".join([*(names[x] for x in told), f"({said})"])
    letters = sorted(free_in(theorem) & book.bound)
    lines.append(f"(* {comment(str(theorem.conclusion))} *)")
    lines.append(f"Theorem {' '.join(['_THEOREM_', *map(book.binder, letters)])} : {claim}.")
    lines.append(
        f"Proof. exact (fun {' '.join(step.hypothesis(x) for x in told)} => {proof}). Qed."
        if told
        else f"Proof. exact {proof}. Qed."
    )
    return lines
