"""
A refuted line
==============

Line (22) of jiang2024 has a quarter of the noise term that it needs.
"""

import boundcheck as bc

audit = bc.prove("jiang2024.theorem2")["jiang2024.theorem2"]
next(line for line in audit.proof("printed").steps if line.verdict == "refuted")

# %%
# The witness has a function, a point and two samples in exact numbers. All before the line holds
# there, and the line fails.
