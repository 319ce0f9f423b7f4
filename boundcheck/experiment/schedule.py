"""The audit times of a run: random, drawn before the run, so that they estimate a time average without bias."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Schedule:
    r"""Stratified audit times: the iterations 1..T are cut into M strata, and each replica gets one time in each.

    The first strata are short, 1, 1, 2, 4, ... iterations, because gradients may be large for a short time at first.
    They are at most half of all, and the others are as equal as integers can be.

    With :math:`n_j` the size of stratum j, :math:`\sum_j (n_j/T) h(t_{ij})` has expectation
    :math:`\frac1T \sum_t h(t)` for every replica i and any function h of time.

    Attributes:
        edges: shape (M + 1,); stratum j holds the iterations edges[j] + 1 to edges[j + 1].
        times: shape (R, M), the audit time of each replica in each stratum.
        at_random: whether they were drawn so, as those of a run are; those of a training run come at equal distances.

    """

    edges: np.ndarray
    times: np.ndarray
    at_random: bool = True

    @classmethod
    def draw(
        cls, steps: int, strata: int, replicas: int, random: np.random.Generator, last: bool = False
    ) -> "Schedule":
        """Independent uniform times for each replica and stratum; with strata = steps, every iteration.

        The last iteration is a stratum of its own where it must be seen.
        """
        alone = last and 1 < strata < steps
        edges = np.append(cls.edges_of(steps - 1, strata - 1), steps) if alone else cls.edges_of(steps, strata)
        return cls(edges, random.integers(edges[:-1] + 1, edges[1:] + 1, size=(replicas, strata)))

    @staticmethod
    def edges_of(steps: int, strata: int) -> np.ndarray:
        """The ends of the strata, from 0 to `steps`."""
        ends = [0]
        # Short ones while they are shorter than an equal share of what is left.
        while len(ends) <= strata // 2 and max(ends[-1], 1) * (strata - len(ends) + 1) < steps - ends[-1]:
            ends.append(max(2 * ends[-1], 1))
        left = strata - len(ends) + 1
        return np.array([*ends[:-1], *(ends[-1] + np.arange(left + 1) * (steps - ends[-1]) // left)])

    @property
    def weights(self) -> np.ndarray:
        """The shares of the strata in the run, shape (M,), with sum 1."""
        return np.diff(self.edges) / self.edges[-1]

    @property
    def is_every_step(self) -> bool:
        """True if every replica is audited at every iteration."""
        return len(self.edges) == self.edges[-1] + 1

    def due(self, stratum: int) -> dict[int, np.ndarray]:
        """The replicas to audit in a stratum, by iteration."""
        column = self.times[:, stratum]
        return {int(time): np.flatnonzero(column == time) for time in np.unique(column)}
