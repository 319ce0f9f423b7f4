"""Algorithm 1 on a network, one replica after the other, looked at as its schedule says; and its checkpoints."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr

from boundcheck.measure.schedule import Schedule
from boundcheck.measure.store import RunFolder
from boundcheck.models.network import Look, Network
from boundcheck.models.observe import (
    BLOCK_OBSERVABLES,
    LOOK_OBSERVABLES,
    OBSERVABLES,
    SITE_OBSERVABLES,
    Rounding,
    block_names,
    observe,
    rounding_of,
    top_curvatures,
)
from boundcheck.models.spec import ModelSpec
from boundcheck.models.streams import seed_of
from boundcheck.problems.norms import square_norm
from boundcheck.problems.sgd import Draw, Reshuffled, WithReplacement
from boundcheck.progress import Tick, prefixed

# Relative accuracy asked of Lanczos: of a constant that is a lower estimate anyway.
_TOLERANCE = 0.01
# Checkpoints in a replica.
_SAVES = 16

Build = Callable[[int], Network]
"""Makes the network of a replica, at its first iterate."""


@dataclass(frozen=True)
class Ends:
    """What is known of the two ends of a replica, over all samples.

    Attributes:
        loss: F at the first and the last iterate.
        accuracy: the mean share of hits there.
        square_norm: of the gradient of F at the first.
        variance: of one sample's gradient at the first.
        rounding: the estimates that errors are made of.

    """

    loss: tuple[float, float]
    accuracy: tuple[float, float]
    square_norm: float
    variance: float
    rounding: Rounding


def run_network(spec: ModelSpec, build: Build, folder: RunFolder, tick: Tick) -> tuple[xr.Dataset, list[Ends], Network]:
    """Run all replicas, from the checkpoint where there is one: the trace, the ends of each, and the last network.

    Everything measured is of the numbers that the model holds: a step is rounded to its type before it is looked at.
    """
    replicas = spec.run.replicas
    random = np.random.default_rng(seed_of(spec, "audits", 0))
    schedule = Schedule.draw(spec.run.steps, spec.audits, replicas, random)
    looks = _look_times(spec)
    saved = folder.checkpoint()
    ends = [_restored(row) for row in saved["ends"]] if saved else []
    network = build(len(ends))
    if saved is None:
        folder.start_trace(empty_trace(network, schedule.times, looks), {"replica": 1})
    for replica in range(len(ends), replicas):
        if saved is None and replica > 0:
            network = build(replica)

        def save(state: dict[str, Any]) -> None:
            folder.save_checkpoint({"ends": [asdict(each) for each in ends]} | state)

        part = empty_trace(network, schedule.times, looks).isel(replica=slice(replica, replica + 1)).copy(deep=True)
        told = prefixed(tick, f"replica {replica + 1}/{replicas}, " if replicas > 1 else "")
        ends.append(_run_replica(spec, network, part, replica, saved, save, told))
        saved = None
        folder.extend_trace(part, "replica", replica)
    return folder.trace(), ends, network


def _run_replica(
    spec: ModelSpec,
    network: Network,
    part: xr.Dataset,
    replica: int,
    saved: dict[str, Any] | None,
    save: Callable[[dict[str, Any]], None],
    tick: Tick,
) -> Ends:
    """The iterations of one replica, from the first or from a checkpoint; fills its part of the trace.

    It ends early where a loss or a gradient is no finite number, and the rest of the trace stays NaN.
    """
    steps, rows = spec.run.steps, part.isel(replica=0)
    due = {int(t): place for place, t in enumerate(rows["time"].values)}
    looks = {int(t): place for place, t in enumerate(rows["look_time"].values)} if replica == 0 else {}
    sampler = _sampler(spec, network, replica)
    if saved is None:
        look, accuracy, rounding, begin = network.look(), network.accuracy(), rounding_of(network), 1
        first = (look.loss, accuracy, look.square_norm, look.variance)
    else:
        network.write(tuple(x.to(network.device) for x in saved["v"]))
        sampler.restore(saved["sampler"])
        for name, values in saved["rows"].items():
            rows[name].values[...] = values.numpy()
        first, rounding, begin = tuple(saved["first"]), Rounding(*saved["rounding"]), saved["t"]
        look = network.look()
    for t in range(begin, steps + 1):
        if t in looks:
            told = prefixed(tick, f"t = {t}, ")
            found = top_curvatures(network, np.random.default_rng(seed_of(spec, "curvature", t)), _TOLERANCE, told)
            rows["curvature"].values[looks[t]], rows["weight_curvature"].values[looks[t]] = found
        v, law = network.point(), sampler.law() if t in due else None
        g = network.batch_gradient(sampler.draw()[0])
        if not all(torch.isfinite(part).all() for part in g):
            break
        noise = _noise(network, look, law) if law else {}
        network.write(network.retract(v, tuple(-spec.run.step_size * x for x in g)))
        after = network.look() if t + 1 in due else None
        if law is not None:
            loss_next = after.loss if after else network.losses().mean().item()
            seen = observe(network, v, network.point(), look, loss_next, rounding) | noise
            for name, value in seen.items():
                rows[name].values[due[t]] = value
            tick("run", t, steps)
            if not math.isfinite(loss_next):
                break
        look = after or look
        if law is not None and due[t] % max(len(due) // _SAVES, 1) == 0 and t < steps:
            kept = {name: torch.from_numpy(x.values.copy()) for name, x in rows.items()}
            state = {"v": network.point(), "sampler": sampler.state(), "rows": kept, "first": list(first), "t": t + 1}
            save(state | {"rounding": [rounding.loss, rounding.gradient]})
    last = network.losses().mean().item()
    return Ends((first[0], last), (first[1], network.accuracy()), first[2], first[3], rounding)


def _noise(network: Network, look: Look, law: Draw) -> dict[str, float]:
    r"""Mean squared error and bias of the minibatch gradient given the past, by enumerating the samples.

    As in `measure.observe`: for m of n_t candidates, whose gradients have mean μ and variance s², the bias is
    :math:`\|\mu - \nabla F\|`, and the mean squared error its square plus :math:`s^2/m`, times
    :math:`(n_t - m)/(n_t - 1)` where they are drawn without replacement.
    """
    if law.replaced:
        return {"noise_variance": look.variance / law.batch, "conditional_bias": 0.0}
    candidates = law.candidates[0]
    mean = network.batch_gradient(candidates)
    bias = square_norm(tuple(x - y for x, y in zip(mean, look.gradient, strict=True))).sqrt().item()
    squares = look.sample_squares[candidates.to(look.sample_squares.device)]
    variance = max(squares.mean().item() - square_norm(mean).item(), 0.0)
    left = (len(candidates) - law.batch) / max(len(candidates) - 1, 1)
    return {"noise_variance": left * variance / law.batch + bias * bias, "conditional_bias": bias}


def _sampler(spec: ModelSpec, network: Network, replica: int) -> WithReplacement | Reshuffled:
    generator = torch.Generator().manual_seed(seed_of(spec, "sampling", replica))
    made = WithReplacement if spec.run.sampling == "with replacement" else Reshuffled
    return made(1, spec.run.batch, network.task.samples, generator)


def _restored(row: dict[str, Any]) -> Ends:
    return Ends(**row | {"rounding": Rounding(**row["rounding"])})


def empty_trace(network: Network, times: np.ndarray, looks: np.ndarray) -> xr.Dataset:
    """A trace of NaN, with the times of its audits, shape (R, M), and of its looks at curvature, shape (R, looks)."""
    sites, blocks = [site.name for site in network.sites], block_names(network.sites)
    replicas, strata = times.shape
    sizes = {"replica": replicas, "stratum": strata, "site": len(sites), "block": len(blocks), "look": looks.shape[1]}
    tables = (
        (("replica", "stratum"), OBSERVABLES),
        (("replica", "stratum", "site"), SITE_OBSERVABLES),
        (("replica", "stratum", "block"), BLOCK_OBSERVABLES),
        (("replica", "look"), LOOK_OBSERVABLES),
    )
    variables: dict[str, Any] = {
        name: (dims, np.full([sizes[dim] for dim in dims], np.nan), {"meaning": meaning})
        for dims, table in tables
        for name, meaning in table.items()
    }
    variables["time"] = (("replica", "stratum"), times.copy(), {"meaning": "iteration t of the audit, from 1"})
    variables["look_time"] = (("replica", "look"), looks.copy(), {"meaning": "iteration of the look at curvature"})
    # Names are attributes, in one text: zarr has no settled format for arrays of text.
    return xr.Dataset(
        variables,
        coords={"replica": np.arange(replicas), "stratum": np.arange(strata)},
        attrs={"sites": "\n".join(sites), "blocks": "\n".join(blocks)},
    )


def _look_times(spec: ModelSpec) -> np.ndarray:
    """At equal ratios of time back from the last iterate, to the first if there are two; a row for each replica."""
    times = np.unique(np.geomspace(spec.run.steps, 1, spec.run.looks).round().astype(int))
    return np.tile(times, (spec.run.replicas, 1))
