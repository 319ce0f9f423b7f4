"""
A theorem that is true by another proof
=======================================

A line of the printed proof of Theorem 2 is false. The theorem itself is not.
"""

import boundcheck as bc

bc.prove("jiang2024.theorem2")["jiang2024.theorem2"]

# %%
# A repaired proof carries the printed statement, and says what it rests on.
