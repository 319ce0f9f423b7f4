"""The tasks of an audit's processes: each call imports what it needs, so that a process begins at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from boundcheck.errors import InputError

# Steps of each climb of the adversary, and its starts.
ROUNDS, STARTS = 96, 8


def experiment(table: dict[str, Any], runs: Path, device: str, allowed: tuple[Path, ...]) -> Any:
    """The result of one experiment, from its folder if it was run before; its code is opened where that is allowed."""
    from boundcheck.experiment.pool import alone
    from boundcheck.experiment.spec import parse
    from boundcheck.system.plugins import allowing

    with allowing(*allowed):
        return alone(parse(table), runs, device, 1)


def search(id: str, lipschitz: str, ranks: tuple[int, ...], examples: int) -> dict[str, Any]:
    """The adversary's findings on a claim, as `boundcheck falsify --json` gives them."""
    from boundcheck.worst_case import falsify
    from boundcheck.worst_case.search import Search

    _use_one_thread()
    return falsify(id, Search(ranks, lipschitz=lipschitz, starts=STARTS, rounds=ROUNDS, examples=examples)).as_json()


def waterfall(id: str, rank: int) -> list[Any]:
    """The chains of Lemma 1 at an instance on which λ* is tight, also where G bounds the Frobenius norm of ∇f."""
    from boundcheck.experiment.slack import slack
    from boundcheck.language.catalogue import catalogue
    from boundcheck.language.hypotheses import LEAST
    from boundcheck.worst_case.search import Climber, Structure, adapter_of, constants_of

    _use_one_thread()
    claim = catalogue[id]
    kind = adapter_of(claim, None)
    structure = Structure.of(claim, kind, (rank + 1, rank + 1, rank), constants_of(kind, claim, {}))
    instance = Climber(structure, STARTS, 0).run(ROUNDS).best(claim, LEAST)
    return [each.described() for each in slack(instance.problem, instance.v, instance.other, instance.radii)]


def statistics(part: str) -> list[Any]:
    """The rates at which intervals miss a known mean (``coverage``), or the replicas that a limit needs (``power``)."""
    from boundcheck.checked import coverage

    found: list[Any] = getattr(coverage, part)()
    return found


def worst_cases(id: str) -> list[Any]:
    """The worst cases of a theorem at short horizons."""
    from boundcheck.worst_case import falsify
    from boundcheck.worst_case.worst_case import WorstCase

    return falsify(id, WorstCase())


def if_possible(function: Callable[..., Any], id: str, *arguments: Any) -> Any:
    """The function's findings on a claim; if it refuses the claim, the claim's id, and the reason as ``refused``."""
    try:
        return function(id, *arguments)
    except InputError as error:
        return {"id": id, "refused": str(error)}


def _use_one_thread() -> None:
    """Give torch one thread: as many processes as cores share the machine. No number depends on how many it has."""
    import torch

    torch.set_num_threads(1)
