"""The `boundcheck` command, which is `python -m boundcheck` too."""

import os
import signal


def main() -> None:
    """Run the command; until its modules are there, an interrupt ends the process at once."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Processes of a pool, and helpers of Python's, would import what lies in the current folder
    # before all else.
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    from boundcheck.cli import main as run

    signal.signal(signal.SIGINT, before)
    run()


if __name__ == "__main__":
    main()
