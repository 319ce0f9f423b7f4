"""Hypothesis draws the same examples on every machine, however slow that one is; Torch leaves a core to each worker."""

import torch
from hypothesis import HealthCheck, settings

torch.set_num_threads(1)

settings.register_profile(
    "boundcheck",
    deadline=None,
    derandomize=True,
    print_blob=True,
    # Examples that build a data set are slow on a busy machine, and no worse for it.
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("boundcheck")
