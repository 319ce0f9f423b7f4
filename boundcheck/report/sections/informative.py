"""What tells apart the rows of the table of horizons, which has no column for the claim of a run."""

from boundcheck.report.stored import StoredRun
from boundcheck.report.sweeps import settings


def named_by_run(runs: list[StoredRun]) -> dict[str, str]:
    """What to call each run, by its id; the rank has a column."""
    names = settings(runs, ("claim", "lipschitz", "adapter.rank"))
    return {run.result.run_id: name for run, name in zip(runs, names, strict=True)}
