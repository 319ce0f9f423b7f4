"""Which examples Hypothesis draws, and which tests are of which layer; Torch leaves a core to each worker."""

import pytest
import torch
from hypothesis import HealthCheck, settings

from tests.layers import EXAMPLES, lay

torch.set_num_threads(1)

# The same examples on every machine, however slow that one is.
settings.register_profile(
    "boundcheck",
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    print_blob=True,
    # Examples that build a data set are slow on a busy machine, and no worse for it.
    suppress_health_check=[HealthCheck.too_slow],
)
# `make test`: the first of them alone.
settings.register_profile("quick", settings.get_profile("boundcheck"), max_examples=EXAMPLES // 10)
# `make nightly`: others each night, and what failed is printed so that it can be run again.
settings.register_profile("nightly", settings.get_profile("boundcheck"), derandomize=False)
settings.load_profile("boundcheck")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before -m chooses."""
    lay(items)
