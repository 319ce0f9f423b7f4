"""Proof scripts: how they are declared, found and loaded.

A script is a Python file with functions marked ``@script(claim, version)``. Scripts of the
catalogue's claims are in `proofs/`, one folder per paper; a user's script is any file. No script
says what its claim means: `statement` computes it.
"""

import importlib.util
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Literal

import sympy as sp

from boundcheck.errors import InputError, near, one_of
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, as_typed, expressions, whole
from boundcheck.language.symbols import T
from boundcheck.proof.proof import Proof
from boundcheck.proof.reading import Reading, is_plain
from boundcheck.proof.statement import Sequent, reading_of, statement
from boundcheck.proofs import HOME, paper_at, paper_of, papers, running
from boundcheck.system.files import likely_file

Version = Literal["printed", "repaired", "sharp"]
VERSIONS: tuple[Version, ...] = ("printed", "repaired", "sharp")

# Before the names of modules that are files of scripts.
_PACKAGE = "boundcheck_script"


@dataclass(frozen=True, eq=False)
class Script:
    """A proof of a claim, in one version.

    Attributes:
        id: the claim's, or the script's own for a lemma outside the catalogue.
        version: ``printed`` (the paper's lines), ``repaired`` (the paper's statement, another
            proof) or ``sharp``.
        fresh: the proof's own letters, which may be anything.
        is_statement: whether its lines are the claim itself, so that a false line refutes the claim
            and not a proof.
        home: the folder for the script's own imports; None for the scripts of a paper.
        sequent: what its claim says to the kernel; no line of the proof says it again.
        is_lemma: whether it is a lemma, which is its own proof where it is given no lines.

    """

    id: str
    version: Version
    title: str
    claim: Claim | None
    reading: Reading
    build: Callable[[Proof], None]
    is_statement: bool = False
    home: Path | None = None
    sequent: Sequent | None = None
    is_lemma: bool = False
    fresh: tuple[sp.Basic, ...] = ()

    def __call__(self, build: Callable[[Proof], None]) -> "Script":
        """The lemma with the lines of a function as its proof."""
        return checked(replace(self, build=build))

    @property
    def is_ours(self) -> bool:
        """True for a lemma of `proofs/` that is no claim, which people have read."""
        paper = papers().get(self.id.split(".")[0])
        return self.home is None and paper is not None and paper.is_ours

    @property
    def called(self) -> str:
        """The version in words for readers; a lemma, and a sentence that is tried by itself, have
        no printed proof.
        """
        if self.is_lemma:
            return "lemma"
        return "tried as a statement" if self.is_statement else self.version

    @cached_property
    def proof(self) -> Proof:
        """The proof that the function fills, run once.

        Raises InputError if an expression cannot be translated, a rule of the kernel refuses a
        step, or the script's own code raises.
        """
        proof = Proof(self.claim, self.reading, sequent=self.sequent)
        if self.is_lemma and self.sequent is not None:
            for each in self.sequent.given:
                proof.given(each.hypothesis)
            proof.positive(*self.sequent.positive)
        with _running(f"{self.id}, {self.version}", self.home):
            self.build(proof)
        if self.claim is not None and self.is_lemma and proof.conclusion is None:
            proof.conclude(proof.step("lemma", self.claim.conclusion))
        return proof


def script(
    claim: Claim | str,
    version: Version,
    reading: Reading | None = None,
    *,
    fresh: Iterable[sp.Basic] = (),
    title: str = "",
    is_statement: bool = False,
) -> Callable[[Callable[[Proof], None]], Script]:
    """Mark a function as the proof of a claim; it receives the `Proof` to fill.

    `fresh` are letters of the proof's own, numbers and matrices, which may be anything. With
    `is_statement` the lines of a printed script are the claim, so that a false line refutes it. A
    claim says itself what its letters are; `reading` is for a lemma of `proofs/` that is no claim.

    Raises InputError for a version other than printed, repaired and sharp, and as
    `statement.statement`.
    """
    # An id of the catalogue always means the catalogue's claim.
    known = claim if isinstance(claim, Claim) else catalogue.get(claim)
    id = known.id if known else str(claim)
    if known and title:
        raise InputError("title", title, f"none: {id} has the title {known.title}")
    if not isinstance(fresh, Iterable):
        raise InputError("fresh", fresh, "letters in a list, such as [z]")
    sequent, letters = None, tuple(fresh)
    if known is None:
        if letters:
            raise InputError("fresh", letters[0], f"none: a reading says what is a letter of {id}")
        mine = _checked_reading(reading or Reading())
    else:
        if reading:
            raise InputError("reading", "Reading", f"none: {id} says itself what it means")
        _check_meanings(known)
        sequent, mine = statement(known), reading_of(known, letters)

    def mark(build: Callable[[Proof], None]) -> Script:
        name = known.title if known else title or id
        made = Script(id, version, name, known, mine, build, is_statement)
        return checked(replace(made, sequent=sequent, fresh=letters))

    return mark


def lemma(id: str, *, says: sp.Basic, given: Sequence[sp.Basic] = (), title: str = "") -> Script:
    """A lemma of one's own: the relation `says` holds for all letters for which all of `given` do.

    It is a claim, which `bc.prove` and `check_claim` take. Its line is decided both ways: proved
    from what it is given and the laws at its points, or refuted by small numbers. Where that needs
    steps between, mark a function that writes them: ``@lemma("my.lemma", says=…)``.

    Raises InputError as `statement.statement`, for an id that is no id, and for what is no
    relation.
    """
    for name, each, kind, expected in (
        ("id", id, str, "names joined by dots, such as my.lemma"),
        ("given", given, Sequence, "relations in a list, such as [le(x, y)]"),
    ):
        if not isinstance(each, kind):
            raise InputError(name, each, expected)
    for name, each in (("says", says), *(("given", each) for each in given)):
        if not isinstance(each, sp.core.relational.Relational | sp.And):
            expected = "a relation that SymPy does not decide by itself, such as le(x, y) makes"
            raise InputError(name, each, expected)
    hypotheses = tuple(
        Claim(f"{id}.given{place}", f"${as_typed(each)}$", "given", each)
        for place, each in enumerate(given, 1)
    )
    claim = Claim(id, title or id, "a lemma", says, hypotheses=hypotheses)
    sequent = statement(claim)
    for _, why in sequent.unstated:
        raise InputError("given", id, why)

    def itself(proof: Proof) -> None:
        """The lemma is its only line."""

    # As for classes that are made by a call: the module is that of who called.
    itself.__module__ = sys._getframe(1).f_globals["__name__"]
    made = Script(id, "printed", claim.title, claim, sequent.reading, itself, True, None)
    return checked(replace(made, sequent=sequent, is_lemma=True))


def checked(script: Script) -> Script:
    """The script; raises InputError if its id, version, claim or reading are not what they seem to
    be.
    """
    if type(script) is not Script:
        raise InputError(
            "script", type(script).__name__, "a function marked @script(claim, version)"
        )
    id, claim = script.id, script.claim
    if script.version not in VERSIONS:
        raise InputError("version", script.version, one_of(script.version, VERSIONS))
    if not re.fullmatch(r"[A-Za-z]\w*(\.\w+)*", id, re.ASCII):
        raise InputError("id", id, "names joined by dots, such as my.lemma")
    if claim is not None and (
        type(claim) is not Claim or claim.id != id or claim != catalogue.get(id, claim)
    ):
        raise InputError("claim", id, f"the catalogue's own {id}, or a claim with an id of its own")
    key = id.split(".")[0]
    if (
        id not in catalogue
        and script.home is not None
        and key in {x.split(".")[0] for x in catalogue}
    ):
        raise InputError(
            "id", id, f"an id that does not begin with {key}, whose claims are the catalogue's"
        )
    if not isinstance(script.fresh, tuple):
        raise InputError("fresh", script.fresh, f"what script({id}, …) makes of it")
    for part in whole(claim) if claim is not None else ():
        quantities = (x for each in part.quantities for x in (each.symbol, each.expression))
        if type(part) is not Claim or not is_plain(*part.conditions, *quantities):
            raise InputError(
                "claim", part.id, "a Claim whose conditions and formulas are expressions of sympy"
            )
    _checked_reading(script.reading)
    return script


def _check_meanings(claim: Claim) -> None:
    """Check that each letter means one thing in a claim and all that it rests on.

    Raises InputError for a formula of a letter that counts, for one letter with two formulas or
    meanings, and for a formula in a hypothesis of a letter that another part has without it.
    """
    parts = list(whole(claim))
    formulas, meanings = dict[sp.Basic, sp.Basic](), dict[sp.Basic, str]()
    for part in parts:
        for each in part.quantities:
            if each.symbol.is_integer or each.symbol == T:
                raise InputError("quantity", each.symbol, "a number, which may be no integer")
            if formulas.setdefault(each.symbol, each.expression) != each.expression:
                raise InputError("quantity", each.symbol, f"one formula in {claim.id}")
        for parameter in part.declared:
            if meanings.setdefault(parameter.symbol, parameter.meaning) != parameter.meaning:
                raise InputError("letter", parameter.symbol, f"one meaning in {claim.id}")
    given = {each.symbol for each in claim.quantities}
    for part in parts[1:]:
        for each in part.quantities:
            others = (x for x in parts if each not in x.quantities and x is not part)
            used = (y for x in others for y in expressions(x) if each.symbol in y.free_symbols)
            if each.symbol not in given and next(used, None) is not None:
                expected = f"a letter of {part.id} alone, or a quantity of {claim.id} too"
                raise InputError("quantity", each.symbol, expected)


def _checked_reading(reading: Reading) -> Reading:
    if type(reading) is not Reading:
        raise InputError(
            "reading",
            type(reading).__name__,
            "a Reading, which says what letters are, and nothing else",
        )
    return reading


def of_paper(key: str) -> list[Script]:
    """All scripts of a paper, in the order of its modules.

    Raises InputError for an unknown paper, a module that cannot be run, and outside `proofs/` an id
    of another paper.
    """
    paper = paper_of(key)
    found: list[Script] = []
    for name in paper.modules():
        module = paper.part(name)
        if module is None:
            raise InputError("SCRIPTS", name, f"a module in {paper.folder}")
        found += _scripts(module)
    foreign = [
        x.id
        for x in found
        if not paper.is_ours and x.id not in catalogue and not x.id.startswith(f"{key}.")
    ]
    if foreign:
        raise InputError("id", foreign[0], f"the id of a claim, or one of its paper's, {key}.…")
    return found if paper.is_ours else [checked(each) for each in found]


def find(targets: Sequence[Claim | Script | str | Path]) -> list[Script]:
    """The scripts of claims, ids, papers and files, each once; without a target those of all
    papers.

    An id includes the claims below it: jiang2024.lemma1 includes jiang2024.lemma1.any_points.
    Raises InputError for a target without a script, and for a script outside `proofs/` that is no
    proof of a claim: what it proves would be said by itself alone.
    """
    found: dict[int, Script] = {}
    files: set[Path] = set()
    for target in targets or papers():
        if isinstance(target, Script):
            chosen = [target]
        elif isinstance(target, Path) or (isinstance(target, str) and target.endswith(".py")):
            path = Path(target)
            chosen = [] if path.resolve() in files else of_file(path)
            files.add(path.resolve())
        else:
            name = target.id if isinstance(target, Claim) else target
            everything = [each for paper in papers() for each in of_paper(paper)]
            own = of_paper(name) if name in papers() else []
            chosen = own + [
                each
                for each in everything
                if f"{each.id}.".startswith(f"{name}.") and each not in own
            ]
            if not chosen and name not in papers():
                ids = list(dict.fromkeys(each.id for each in everything))
                likely = near(name, [*papers(), *ids], 3, 0.5) or ids[:3]
                expected = "a paper, a .py file, or the id of a claim with a proof, such as "
                raise InputError("target", name, expected + ", ".join(likely))
        found |= {id(each): each for each in chosen}
    scripts = list(found.values())
    for each in scripts:
        if each.claim is None and not each.is_ours:
            expected = "the proof of a claim; a lemma is one: lemma(id, says=…, given=…)"
            raise InputError("script", each.id, expected)
        if any(
            other is not each and (other.id, other.version) == (each.id, each.version)
            for other in scripts
        ):
            raise InputError(
                "script", f"{each.id}, {each.version}", "one proof of each version, and not two"
            )
    return scripts


def named(target: Claim | Script | str | Path) -> Claim | Script | str | Path:
    """The key of the paper in a folder, which is then registered; any other target unchanged."""
    if isinstance(target, Claim | Script) or target in papers() or not Path(target).is_dir():
        return target
    return paper_at(Path(target)).key


def of_file(path: Path) -> list[Script]:
    """All scripts of a file; raises InputError if there is none, or the file cannot be run."""
    if not path.is_file():
        expected = "a file that exists, the id of a claim, or a paper"
        raise InputError("script", path, expected + likely_file(path))
    home = path.resolve().parent
    # Two files with one name are two modules.
    name = f"{_PACKAGE}_{path.stem}_{zlib.crc32(str(path.resolve()).encode()):08x}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError("script", path, "a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with _running(str(path), home):
        spec.loader.exec_module(module)
    found = _scripts(module)
    if not found:
        raise InputError("script", path, "a file with a function marked @script(claim, version)")
    return [checked(replace(each, home=home)) for each in found]


@contextmanager
def _running(what: str, home: Path | None) -> Iterator[None]:
    """Run a script's code: its neighbours can be imported, and a failure becomes one clear line."""
    if home is not None:
        sys.path.insert(0, str(home))
    before = set(sys.modules)
    try:
        with running(what, home or HOME):
            yield
    finally:
        if home is not None:
            sys.path.remove(str(home))
            # Another folder may have a neighbour with the same name.
            for name in set(sys.modules) - before:
                file = getattr(sys.modules[name], "__file__", None)
                if file and Path(file).resolve().parent == home and not name.startswith(_PACKAGE):
                    del sys.modules[name]


def _scripts(module: ModuleType) -> list[Script]:
    # In the order of the file, without those that it imports from another.
    return [
        x
        for x in vars(module).values()
        if isinstance(x, Script) and x.build.__module__ == module.__name__
    ]
