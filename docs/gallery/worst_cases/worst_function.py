"""
A worst-case function, drawn
============================

Drori and Teboulle's bound for gradient descent on convex functions is attained. The worst case
comes as a run in rational numbers, with its points, values and gradients. A function is drawn
through them.
"""

from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np
from scipy.interpolate import CubicHermiteSpline

import boundcheck as bc

[case] = bc.falsify("drori2014.gradient_descent", bc.WorstCase(horizons=[5]))
start, values, slopes = (
    np.vectorize(lambda number: float(Fraction(number)))(case.instance[name])
    for name in ("start", "values", "gradients")
)
slopes = slopes @ start / np.linalg.norm(start)
x = np.linalg.norm(start) - case.step * np.concatenate([[0], np.cumsum(slopes)[:-1]])
worst = CubicHermiteSpline([0, *x[::-1]], [0, *values[::-1]], [0, *slopes[::-1]])
at = np.linspace(0, 1, 200)
plt.plot(at, worst(at), label="the worst function")
plt.plot(at, at**2 / 2, ":", label="the parabola of the same smoothness")
plt.plot(x, values, "o", label="iterates of gradient descent")
plt.axhline(case.bound, lw=0.8, color="grey", label="the bound, at the last of them")
plt.gca().set(xlabel="distance from the minimiser", ylabel="F − f*")
plt.legend()
print(f"at least {case.lower:.7f}, at most {case.upper:.7f}, the bound is {case.bound:.7f}")

# %%
# The function is Huber's: steep just as far as the iterates reach, so that they never arrive.
