"""The number of the numerics, which stands in the id and the environment of every run.

Raise it in a change after which a run of the same spec comes to other numbers, or to another verdict: stored runs are
then not read back, and half-finished ones start afresh. `tests/goldens` fails where they change and it does not. What
changes neither, a comment or another page, leaves runs as they are.
"""

NUMERICS = 1
