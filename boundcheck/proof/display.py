"""Kernel statements as a person sees them: text, LaTeX and letters, made from the statements alone and read back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from boundcheck.errors import InputError
from boundcheck.kernel import Statement
from boundcheck.proof.domain import Known, undefined
from boundcheck.proof.letters import Letters, letters
from boundcheck.proof.readback import read, tokens_of
from boundcheck.proof.script import Script
from boundcheck.proof.symbol_roles import size_of
from boundcheck.proof.typeset import check_math, from_latex, latex

UNCLEAR = r"\text{(two letters of one name)}"
"""In place of LaTeX where one name stands for two things."""


@dataclass(frozen=True)
class Display:
    """Statements as printed: the text and LaTeX of each, in one table of letters.

    If one name stands for two things, there is no table, and only the text is printed.
    """

    texts: tuple[str, ...]
    latex: tuple[str, ...]
    letters: Letters

    @property
    def told(self) -> str:
        """The letters in a sentence, grouped by what they are."""
        return "; ".join(f"{', '.join(names)}: {role}" for role, names in self._by_role(lambda name: name).items())

    @property
    def told_latex(self) -> dict[str, list[str]]:
        """The letters grouped by what they are, each in LaTeX as the statements have it."""
        return self._by_role(lambda name: latex(name, self.letters))

    def _by_role(self, written: Callable[[str], str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, role in self.roles.items():
            found.setdefault(role, []).append(written(name))
        return found

    @property
    def roles(self) -> dict[str, str]:
        """The role of each letter, in words; the 3 of a 3×4 matrix is no letter."""
        return {name: str(role) for name, role in self.letters.items() if size_of(name) is None}


def shown(*statements: Statement) -> Display:
    """The statements as they are printed."""
    texts = tuple(map(str, statements))
    try:
        table = letters(statements)
    except InputError:
        return Display(texts, tuple(UNCLEAR for _ in texts), {})
    return Display(texts, tuple(latex(text, table) for text in texts), table)


def unclear(statements: Sequence[Statement], known: Known) -> str:
    """The reason why a printed statement does not say what was proved; empty if all read back and have a meaning."""
    try:
        table = letters(statements)
        for statement in statements:
            text = str(statement)
            signs = tokens_of(text)
            if tokens_of(from_latex(latex(text, table), table)) != signs or read(text, table) != statement:
                return f"its text reads as another statement: {text}"
    except InputError as error:
        return f"its text does not read back: {error}"
    return next(filter(None, (undefined(statement, known) for statement in statements)), "")


def check_words(script: Script) -> None:
    """Check that an author's words show only words: no control characters or LaTeX commands.

    Raises:
        InputError: for a title, label, name or formula that has them.

    """
    proof = script.proof
    words = [("title", script.title), *(("name", each.name) for each in proof.assumptions)]
    for step in proof.steps:
        words += [("label", step.label), ("meaning", step.meaning)]
        words += [("about", step.witness.about)] if step.witness is not None else []
        check_math(step.printed)
    for field, text in words:
        if not isinstance(text, str) or not text.isprintable():
            raise InputError(field, text, "words in one line, of letters that can be printed")
