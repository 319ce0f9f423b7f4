"""`python -m boundcheck` is the `boundcheck` command."""

from boundcheck.cli import main

main()
