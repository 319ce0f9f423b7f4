"""
How loose is the textbook bound?
================================

Of gradient descent at the step 1/L the smallest squared gradient is at most 2LD/T. That is
true. Is it tight?
"""

import matplotlib.pyplot as plt

import boundcheck as bc

horizons = [2, 3, 4, 6, 8]
for name in ("nesterov2004.gradient_descent", "abbaszadehpeivasti2022.best_step"):
    cases = bc.falsify(name, bc.WorstCase(horizons=horizons))
    title = bc.claims[name].title
    plt.plot(horizons, [each.bound for each in cases], label=f"bound: {title}")
    plt.plot(horizons, [each.numerical for each in cases], "o", label=f"worst: {title}")
plt.gca().set(xlabel="iterates T", ylabel="smallest ‖∇F‖²", ylim=(0, None))
plt.legend()

# %%
# The textbook's is not: its worst function stays well below. The exact rate, at a longer step, is
# attained.
