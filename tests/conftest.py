"""Which examples Hypothesis draws, which tests are of which layer, and the command line as a
fixture.

Torch leaves a core to each worker.
"""

import gc

import pytest
import torch
from hypothesis import HealthCheck, settings

from boundcheck import cli
from boundcheck.experiment import run
from tests.layers import EXAMPLES, lay
from tests.opened import forgetting

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
def pytest_collection_modifyitems(items):
    """Before -m chooses."""
    lay(items)


def pytest_collection_finish():
    """What has been imported and collected stays to the end: looking for garbage in it takes a
    tenth of the time."""
    gc.freeze()


@pytest.fixture(autouse=True)
def is_due(monkeypatch):
    """However short a run is, it has a checkpoint wherever there can be one; when a run of a
    person's has one."""
    own = run.is_due
    monkeypatch.setattr(run, "is_due", lambda worked, took: True)
    return own


@pytest.fixture(autouse=True, scope="module")
def opened_by_a_module():
    """What the fixtures of a module open, other modules do not know."""
    with forgetting():
        yield


@pytest.fixture(autouse=True)
def opened_by_a_test():
    """What a test opens, a paper, a claim or a part, is unknown again after it."""
    with forgetting():
        yield


class Answer:
    """What the command printed and exited with."""

    def __init__(self, code, out, err):
        self.code = code
        self.out = out
        self.err = err


@pytest.fixture
def command(capsys, monkeypatch, tmp_path):
    """Call `boundcheck` with arguments in an empty folder, in this process: importing torch anew
    takes seconds."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr("sys.argv", ["boundcheck", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        printed = capsys.readouterr()
        return Answer(int(caught.value.code or 0), printed.out, printed.err)

    return call
