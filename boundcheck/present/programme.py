"""The programme of an audit: experiments as spec files would hold them, planted faults, searches;
and its tasks.

A paper's `programme.py` may set it, in `SHORT` and `REFERENCE`. For a paper without one, all
`experiments/*.toml` are run, and every claim that can be attacked is attacked. Each task runs in a
process, and imports what it needs.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from boundcheck.errors import InputError
from boundcheck.experiment.spec import beside, parse
from boundcheck.language.catalogue import catalogue
from boundcheck.language.hypotheses import LEAST
from boundcheck.language.sentence import algorithm_of
from boundcheck.proofs import Paper
from boundcheck.shown import command
from boundcheck.system.files import read_text
from boundcheck.system.plugins import allowing
from boundcheck.system.tables import combinations


@dataclass(frozen=True)
class Sweep:
    """Experiments as a spec file would hold them, and about how many seconds each takes on one
    core.
    """

    table: dict[str, Any]
    seconds: tuple[float, ...]

    def experiments(self) -> list[tuple[dict[str, Any], float]]:
        """One table for each experiment, with its seconds; a single number of seconds holds for
        each of them.
        """
        tables = list(combinations(self.table))
        seconds = self.seconds if len(self.seconds) > 1 else self.seconds * len(tables)
        return list(zip(tables, seconds, strict=True))


@dataclass(frozen=True)
class Attack:
    """An attack that the adversary is asked to make.

    Attributes:
        claim: its id.
        lipschitz: what C stands for.
        ranks: those to report.
        examples: how many other structures to try.
        seconds: about how long it takes.
        curve: what the ratio can be at most at a rank, by the claims' own formulas.
        is_drawn: whether a figure shows it.

    """

    claim: str
    lipschitz: str
    ranks: tuple[int, ...]
    examples: int
    seconds: float
    curve: Callable[[int], float] | None = None
    is_drawn: bool = False


@dataclass(frozen=True)
class Programme:
    """The programme of an audit: all that it runs.

    Attributes:
        command: what starts it.
        sweeps: experiments.
        attacks: what the adversary is asked.
        waterfall: the lemma whose chains are drawn at the adversary's tightest instance, and the
            rank of that.
        faults: experiments in which something was made wrong on purpose: what, and the table.
        worst_cases: the theorems whose worst case is bracketed.
        statistics: whether the coverage of the intervals of the verdicts is measured as well.
        reads_study: whether statistics and worst cases are read from the study that the repository
            keeps.
        adds: in words, what another command runs on top; nothing of the whole report.

    """

    command: str
    sweeps: tuple[Sweep, ...] = ()
    attacks: tuple[Attack, ...] = ()
    waterfall: tuple[str, int] | None = None
    faults: tuple[tuple[str, dict[str, Any]], ...] = ()
    worst_cases: tuple[str, ...] = ()
    statistics: bool = False
    reads_study: bool = False
    adds: str = ""


def programme_of(paper: Paper, full: bool) -> Programme:
    """The programme of an audit of the paper; raises InputError for an experiment that cannot be
    read.
    """
    own = paper.part("programme")
    if own is not None:
        return own.REFERENCE if full else own.SHORT
    # Through the catalogue first: what the claims import may have proofs, which ask it for claims
    # meanwhile.
    known = set(catalogue)
    claims = [claim for claim in paper.claims() if claim.quantities and claim.id in known]
    lemmas = [claim.id for claim in claims if not algorithm_of(claim)]
    tables = []
    for path in sorted((paper.folder / "experiments").glob("*.toml")):
        try:
            table = beside(tomllib.loads(read_text(path)), path.parent)
        except (OSError, ValueError) as error:
            raise InputError("experiment", path, f"a TOML file ({error})") from None
        ids = table.get("claim", [])
        for id in ids if isinstance(ids, list) else [ids]:
            catalogue[id]
        tables.append(table)
    programme = Programme(
        command=command("audit", paper.typed),
        sweeps=tuple(Sweep(table, (2.0,)) for table in tables),
        attacks=tuple(Attack(id, LEAST, (1, 2), 0, 3.0) for id in lemmas),
        worst_cases=tuple(claim.id for claim in claims if algorithm_of(claim)),
        adds="higher ranks and other structures for the adversary" if lemmas else "",
    )
    if not full:
        return programme
    attacks = tuple(Attack(id, LEAST, (1, 2, 4), 8, 6.0) for id in lemmas)
    return replace(programme, command=f"{programme.command} --full", attacks=attacks, adds="")


# Steps of each climb of the adversary, and its starts.
ROUNDS = 96
STARTS = 8


def experiment(table: dict[str, Any], runs: Path, device: str, allowed: tuple[Path, ...]) -> Any:
    """The result of one experiment, from its folder if it was run before; its code is opened where
    that is allowed.
    """
    from boundcheck.experiment.experiment import alone

    with allowing(*allowed):
        return alone(parse(table), runs, device, 1)


def search(id: str, lipschitz: str, ranks: tuple[int, ...], examples: int) -> dict[str, Any]:
    """The adversary's findings on a claim, as `boundcheck falsify --json` gives them; or that it is
    `refused`.
    """
    from boundcheck.worst_case import falsify
    from boundcheck.worst_case.search import Search

    _use_one_thread()
    method = Search(ranks, lipschitz=lipschitz, starts=STARTS, rounds=ROUNDS, examples=examples)
    try:
        return falsify(id, method).as_json()
    except InputError as error:
        return refused(id, error)


def waterfall(id: str, rank: int) -> list[Any]:
    """The chains of Lemma 1 at an instance on which λ* is tight, also where G bounds the Frobenius
    norm of ∇f.
    """
    from boundcheck.experiment.waterfall import slack
    from boundcheck.language.sentence import gradient_norm
    from boundcheck.worst_case.search import Climber, Structure, adapter_of, constants_of

    _use_one_thread()
    claim = catalogue[id]
    kind = adapter_of(claim, None)
    constants = constants_of(kind, claim, {})
    spectral = gradient_norm(claim) == "spectral"
    structure = Structure(kind, rank + 1, rank + 1, rank, constants, spectral)
    instance = Climber(structure, STARTS, 0).run(ROUNDS).best(claim, LEAST)
    return slack(instance.problem, instance.v, instance.other, instance.radii)


def worst_cases(id: str) -> Any:
    """The worst cases of a theorem at short horizons; or `refused`, if it has none."""
    from boundcheck.worst_case import falsify
    from boundcheck.worst_case.worst_case import WorstCase

    try:
        return falsify(id, WorstCase())
    except InputError as error:
        return refused(id, error)


def refused(id: str, error: InputError) -> dict[str, str]:
    """The answer to an attack on a claim that cannot be attacked: its id, and the reason as
    ``refused``.
    """
    return {"id": id, "refused": str(error)}


def _use_one_thread() -> None:
    """Give torch one thread: as many processes as cores share the machine. No number depends on how
    many it has.
    """
    import torch

    torch.set_num_threads(1)
