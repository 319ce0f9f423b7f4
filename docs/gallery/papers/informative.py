"""
When does the bound say anything?
=================================

Of every function with smoothness L̂ it is known without any theorem that its squared gradient is at
most 2L̂D. So a bound says something from the T on at which it falls below that.
"""

import matplotlib.pyplot as plt
import numpy as np

import boundcheck as bc

numbers = {"L": 1, "G": 1, "a": 1, "b": 1, "s": 1, "D": 1, "zeta": 0.5}
theorem = bc.claims["meft.theorem2_repaired"]
known = theorem.values(**numbers, T=10**4)
T = np.geomspace(known["T_min"], 2e4, 12)
plt.loglog(T, [theorem.bound(**numbers, T=int(t + 1)) for t in T], "o-", label=theorem.title)
plt.axhline(2 * known["Lhat"], ls=":", color="grey", label="known without it, 2L̂D")
plt.axvline(known["T_min"], ls="--", color="grey", label="the theorem speaks of T from here on")
plt.gca().set(xlabel="T", ylabel="bound on the smallest E‖∇F‖²")
plt.legend()

# %%
# At these constants that is soon.
