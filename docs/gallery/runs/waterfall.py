"""
Where a bound is lost
=====================

The way from what was measured to the bound splits into exact factors, one for each place where the
proof gives something away.
"""

import matplotlib.pyplot as plt

import boundcheck as bc

problem = {"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 16}
spec = {"claim": "meft.theorem2_repaired", "problem": problem, "adapter": {"rank": 2}}
[run] = bc.measure(spec | {"run": {"replicas": 64, "audits": 32}})
bars = run.waterfall.links
plt.barh([bar.label for bar in bars][::-1], [bar.factor for bar in bars][::-1])
plt.axvline(1, color="black", lw=0.8)
plt.gca().set(xlabel="factor between measured and bound")
print(run.waterfall.says)

# %%
# The longest bar is where to look for a better theorem.
