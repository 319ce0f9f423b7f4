"""The checker checked: how often a verdict of boundcheck is wrong, and whether work is ever lost.

A `trial` tries something of which it is known what must come out. A generator says what is tried and why that is known;
each layer has one file or folder of them:

- proof: `proofs` changes lines and `claim_mutants` claims, by the changes of `edits`; `worlds` shows which are false
- reading: `readings`, letters renamed or in another role, and the gallery of ways to be misled
- input: `malformed`, specs, claims, instances, runs and folders, each spoilt by a seed
- falsification: `smoothness` changes constants; `points` shows which are too small
- measurement: `runs` plants faults in specs; `trajectories` knows the exact course of each
- engines: `engines`, claims whose truth is known, put to every engine
- and `attacks`: commands that are killed, short of disk, given damaged files, or run twice at a time

`survey` makes all trials by one runner and counts them. A false mutant that is called proved or supported, or a true
one that is called refuted or violated, is a wrong verdict; there must be none, and none is hidden. `coverage` measures
the intervals of verdicts.

What decides a truth, in `worlds`, `points` and `trajectories`, is written from the definitions in exact arithmetic. Of
what is tested it takes statements and data alone: what claims, algorithms and specs say. A mutant of a proof is false
only where two evaluations agree, the kernel's own reading of a term and one that knows neither kernel nor translation.
"""
