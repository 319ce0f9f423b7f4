"""From the tables of a spec to the problem that they describe: objective, W0 and adapter."""

import math

import numpy as np
import torch
from torch import Tensor

from boundcheck.measure import tables
from boundcheck.measure.spec import Spec
from boundcheck.measure.streams import generator
from boundcheck.models.build import Adaptation, network_function
from boundcheck.problems.adapters import Adapter, Full, make_adapter
from boundcheck.problems.adapters.base import check_rank, gaussian
from boundcheck.problems.clipped import Clipped
from boundcheck.problems.datasets import breast_cancer_data, digits_data
from boundcheck.problems.hard import MADE_FOR, hard_instance
from boundcheck.problems.least_squares import synthetic_regression
from boundcheck.problems.logistic import LogisticRegression
from boundcheck.problems.network import digits_network, digits_readout
from boundcheck.problems.norms import Point
from boundcheck.problems.objective import Objective
from boundcheck.problems.piecewise import PiecewiseLinear
from boundcheck.problems.problem import Problem
from boundcheck.problems.pseudo_huber import synthetic
from boundcheck.problems.softmax import SoftmaxRegression
from boundcheck.progress import Tick, silent
from boundcheck.words.function import Function

_DATA = {"digits": digits_data, "breast-cancer": breast_cancer_data}


def build(spec: Spec, device: str, tick: Tick = silent) -> Function:
    """The function that a spec describes, in one matrix or in a network.

    Raises:
        InputError: for what is not there, or does not fit: a text, a folder, a target, a rank.

    """
    if spec.model is None:
        return build_problem(spec, device)
    a = spec.adapter
    adaptation = Adaptation(a.kind, a.rank, a.factor, a.gain, a.paths)
    return network_function(spec.model, adaptation, generator(spec, "initial", "cpu"), device, tick)


def build_problem(spec: Spec, device: str) -> Problem:
    """The problem in one matrix that a spec describes.

    DiReFT and LoReFT act on [h; 1], so that W has one more column than the problem says. They, DoRA, and every adapter
    on a readout start from the identity, W0 = [I 0]; elsewhere W0 = 0.

    Raises:
        InputError: for a rank or a scale that the shape forbids, and for DoRA where W0 has a column of zeros.

    """
    edits_hidden = spec.adapter.kind in ("direft", "loreft")
    objective = _objective(spec, edits_hidden, device)
    identity = edits_hidden or spec.adapter.kind == "dora" or isinstance(spec.problem, tables.ReadoutSpec)
    make = torch.eye if identity else torch.zeros
    W0 = make(*objective.shape, dtype=torch.float64, device=device)
    return Problem(objective, _adapter(spec, W0, device))


def starting_point(spec: Spec, function: Function, device: str) -> Point:
    """The first iterate, with R = 1, drawn from the spec's seed."""
    return function.initial(spec.adapter.start, spec.adapter.gain, generator(spec, "initial", device))


def _objective(spec: Spec, bias: bool, device: str) -> Objective:
    if spec.problem is None:
        raise ValueError("expected a problem in one matrix")
    match spec.problem:
        case tables.DataSpec(kind=kind):
            X, labels = _DATA[kind]()
            return SoftmaxRegression(kind, _with_ones(X) if bias else X, labels, device)
        case tables.LogisticSpec(data=data):
            X, labels = _DATA[data]()
            return LogisticRegression(f"logistic, {data}", _with_ones(X) if bias else X, labels, device)
        case tables.TwoLayerSpec(hidden=hidden, seed=seed):
            return digits_network(hidden, seed, device, bias)
        case tables.ReadoutSpec(components=components):
            return digits_readout(components, bias, device)
        case tables.LeastSquaresSpec() as p:
            return synthetic_regression(p.d, p.k + bias, p.samples, p.noise, p.seed, device)
        case tables.ExtremalSpec() as p:
            return _extremal(p, spec, p.k + bias, device)
        case tables.HardSpec(steps=steps, ratio=ratio):
            made_for = spec.claim if spec.claim in MADE_FOR else MADE_FOR[0]
            return hard_instance(steps, ratio, spec.adapter.gain, made_for, device)
        case tables.PseudoHuberSpec() as p:
            return synthetic(p.d, p.k + bias, p.samples, p.delta, p.signal, p.noise, p.seed, device)


def _with_ones(X: np.ndarray) -> np.ndarray:
    return np.hstack([X, np.ones((len(X), 1))])


def _extremal(problem: tables.ExtremalSpec, spec: Spec, k: int, device: str) -> Clipped:
    """f(W) = h(W_1k) with h'(w) = clip(G + L(w - c), -G, G), c the scale times the radii of the domain.

    For LoRA c is the largest s B A that the ball allows in one entry, and F has the smoothness λ* at the corner of the
    ball where W_1k is c (theory of Lemma 1, sharp): the last entry of the first row, because [I 0] is 0 there.
    """
    corner = spec.adapter.factor * math.prod(spec.domain.given.values())
    slope = PiecewiseLinear.clipped(problem.L, problem.G, corner - problem.G / problem.L)
    direction = np.zeros((problem.d, k))
    direction[0, -1] = 1
    return Clipped(slope, [0.0], device, direction=direction)


def _adapter(spec: Spec, W0: Tensor, device: str) -> Adapter:
    kind, rank, gain = spec.adapter.kind, spec.adapter.rank, spec.adapter.gain
    if rank is None:
        return Full(W0)
    # First of all: factors of a rank that W0 has not may be larger than the memory.
    check_rank(rank, W0)
    d, k = W0.shape
    # A frozen A is the one at which LoRA would start.
    A = gaussian((rank, k), gain / math.sqrt(k), generator(spec, "initial", device))[0]
    B = gaussian((d, rank), gain / math.sqrt(rank), generator(spec, "frozen", device))[0]
    return make_adapter(kind, W0, rank, spec.adapter.factor, {"A": A, "B": B})
