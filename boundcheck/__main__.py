"""The `boundcheck` command, which is `python -m boundcheck` too."""

import os
import signal
import sys
from pathlib import Path


def main() -> None:
    """Run the command; until its modules are there, an interrupt ends the process at once."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Processes of a pool, and helpers of Python's, would import what lies in the current folder before all else.
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    from boundcheck.cli import main as run

    signal.signal(signal.SIGINT, before)
    run()


if __name__ == "__main__":
    if not sys.flags.safe_path and Path(sys.path[0]) not in Path(__file__).parents:
        # The current folder, whose files would be taken for libraries.
        del sys.path[0]
    main()
