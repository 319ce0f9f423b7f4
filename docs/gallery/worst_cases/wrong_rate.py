"""
A rate that is too good
=======================

Nesterov's method converges like 1/T². Say that a paper claims 1/T³.
"""

from dataclasses import replace

import boundcheck as bc
from boundcheck.language.symbols import T

theorem = bc.claims["su2016.nesterov"]
*others, bound = theorem.quantities
cubic = replace(bound, expression=bound.expression / T)
wrong = replace(theorem, id="my.cubic", title="Too fast", quantities=(*others, cubic))
bc.falsify(wrong, bc.WorstCase(horizons=[1, 2, 3, 4]))

# %%
# The bound survives few iterates, and breaks at more: an instance exceeds it in exact arithmetic.
