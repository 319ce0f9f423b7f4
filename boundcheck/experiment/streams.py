"""The independent random streams of an experiment, all derived from its one seed."""

import numpy as np
import torch

from boundcheck.experiment.spec import Spec

_ORDER = ("initial", "pilot", "sampling", "audits", "bracket", "frozen", "curvature", "restarts", "pilot restarts")


def stream(spec: Spec, purpose: str) -> int:
    """The seed of one of the streams that `_ORDER` names."""
    return int(np.random.SeedSequence([spec.seed, _ORDER.index(purpose)]).generate_state(1, np.uint64)[0] >> 1)


def generator(spec: Spec, purpose: str, device: str, t: int | None = None) -> torch.Generator:
    """A generator on `device` for one of the streams, or for what it is to give at step t, whatever came before."""
    seed = stream(spec, purpose)
    if t is not None:
        seed = int(np.random.SeedSequence([seed, t]).generate_state(1, np.uint64)[0] >> 1)
    return torch.Generator(device).manual_seed(seed)
