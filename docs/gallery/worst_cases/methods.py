"""
Bounds of several methods
=========================

A claim is data: its bound is a function of its letters. Here are three bounds for convex functions
of the same smoothness and distance, each at its own step.
"""

import matplotlib.pyplot as plt
import numpy as np

import boundcheck as bc

T = np.unique(np.geomspace(1, 300, 60).astype(int))
for name in ("drori2014.gradient_descent", "su2016.nesterov"):
    claim = bc.claims[name]
    plt.loglog(T, [claim.bound(ell=1, R_1=1, T=int(t)) for t in T], label=claim.title)
plt.gca().set(xlabel="iterates T", ylabel="bound on F − f*")
plt.legend()

# %%
# The bound with the better rate is the worse one for the first few iterates.
