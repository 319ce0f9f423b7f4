"""What a change of structure must not change: verdicts, theorems, numbers, instances, schemas and
exit codes.

Each golden is what a command prints with ``--json``, without its sentences. `python -m
tests.goldens` writes them anew, which is right only where a number or a verdict was meant to
change.
"""
