"""The independent random streams of an experiment on a network, all derived from its one seed."""

import numpy as np

from boundcheck.models.spec import ModelSpec

_PURPOSES = ("initial", "sampling", "audits", "curvature")


def seed_of(spec: ModelSpec, purpose: str, replica: int) -> int:
    """The seed of one of the streams of a replica: initial, sampling, audits or curvature."""
    sequence = np.random.SeedSequence([spec.seed, _PURPOSES.index(purpose), replica])
    return int(sequence.generate_state(1, np.uint64)[0] >> 1)
