"""The `boundcheck` command, which is `python -m boundcheck` too."""

import signal


def main() -> None:
    """Run the command; until its modules are there, an interrupt ends the process at once."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from boundcheck.cli import main as run

    signal.signal(signal.SIGINT, before)
    run()


if __name__ == "__main__":
    main()
