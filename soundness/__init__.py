"""The checker checked: how often a verdict of boundcheck is wrong, and whether work is ever lost.

A `trial` tries something of which it is known what must come out. Each layer has a file that says
what is tried and why that is known:

- proof: `proofs`, lines and claims with one place changed, by the changes of `edits`; exact models
  show which are false
- reading: `readings`, letters renamed or in another role, and the gallery of ways to be misled
- input: `inputs`, specs, instances, runs and folders, each spoilt by a seed and tried
  within limits
- falsification: `smoothness` changes constants; `exact_model` shows which are too small
- measurement: `runs` plants faults in specs, of runs whose exact course is known
- engines: `theorems` and `statements`, claims whose truth is known, put to every engine by
  `engines`
- and `attacks` on commands that are killed, short of disk, given damaged files, or run twice at a
  time

Inputs and commands are tried in `processes` of their own, within limits. `survey` makes all trials
by one runner and counts them. A false mutant that is called proved or supported, or a true one that
is called refuted or violated, is a wrong verdict; there must be none, and none is hidden.
`coverage` measures the intervals of verdicts.

What decides a truth, in `exact_model`, `exact_models` and the experiments of `runs`, is written
from the definitions in exact arithmetic. Of what is tested it takes statements and data alone: what
claims, algorithms and specs say. A mutant of a proof is false only where two evaluations agree, the
kernel's own reading of a term and one that knows neither kernel nor translation.
"""
