"""What the processes of an audit are asked to do: each call imports what it needs, so that a process begins at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from boundcheck.errors import InputError

# Steps of each climb of the adversary, and its starts.
ROUNDS, STARTS = 96, 8


def experiment(table: dict[str, Any], runs: Path, device: str, allowed: tuple[Path, ...]) -> Any:
    """The result of one experiment, from its folder where it has been run before; its code is opened where allowed."""
    from boundcheck.experiment.pool import alone
    from boundcheck.experiment.spec import parse
    from boundcheck.system.plugins import allowing

    with allowing(*allowed):
        return alone(parse(table), runs, device, 1)


def search(id: str, lipschitz: str, ranks: tuple[int, ...], examples: int) -> dict[str, Any]:
    """What the adversary finds of a claim, as `boundcheck falsify --json` says it."""
    from boundcheck.worst_case import falsify

    _use_one_thread()
    return falsify(id, ranks, lipschitz=lipschitz, starts=STARTS, rounds=ROUNDS, examples=examples).as_json()


def waterfall(id: str, rank: int) -> list[Any]:
    """The chains of Lemma 1 at an instance on which λ* is tight, also where G bounds the Frobenius norm of ∇f."""
    from boundcheck.experiment.slack import slack
    from boundcheck.language.catalogue import catalogue
    from boundcheck.language.hypotheses.lipschitz_adapter import LEAST
    from boundcheck.worst_case.climb import Climber
    from boundcheck.worst_case.structure import Structure, adapter_of, constants_of

    _use_one_thread()
    claim = catalogue[id]
    kind = adapter_of(claim, None)
    structure = Structure.of(claim, kind, (rank + 1, rank + 1, rank), constants_of(kind, claim, {}))
    instance = Climber(structure, STARTS, 0).run(ROUNDS).best(claim, LEAST)
    return [each.described() for each in slack(instance.problem, instance.v, instance.other, instance.radii)]


def statistics(part: str) -> list[Any]:
    """How often intervals miss a mean that is known (``coverage``), or how many replicas a limit needs (``power``)."""
    from boundcheck.checked import coverage

    found: list[Any] = getattr(coverage, part)()
    return found


def worst_cases(id: str) -> list[Any]:
    """The worst cases of a theorem at short horizons."""
    from boundcheck.language.catalogue import catalogue
    from boundcheck.worst_case import worst_case

    return worst_case.worst_cases(catalogue[id])


def if_possible(function: Callable[..., Any], id: str, *arguments: Any) -> Any:
    """What the function finds of a claim; of one that it cannot be asked about, its id and why, as ``refused``."""
    try:
        return function(id, *arguments)
    except InputError as error:
        return {"id": id, "refused": str(error)}


def _use_one_thread() -> None:
    """As many processes as cores share the machine; no number depends on how many threads one has."""
    import torch

    torch.set_num_threads(1)
