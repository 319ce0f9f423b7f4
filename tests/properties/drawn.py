"""Short runs of SGD along all of their paths, and inputs of claims, for tests to draw."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product

import hypothesis.strategies as st
import sympy as sp
import torch
from hypothesis import assume

from boundcheck.exact.balls import enclose, sign
from boundcheck.exact.evaluate import fraction
from boundcheck.functions.arithmetic import Point, apart, replicate, square_norm
from boundcheck.functions.problem import Problem
from boundcheck.functions.sgd import sgd_step
from boundcheck.language.claim import checked
from boundcheck.language.sentence import limit_of
from boundcheck.language.symbols import T
from boundcheck.properties import adapters, clipped_problems, domain_points, shapes
from boundcheck.properties.matrix_strategies import choice
from tests.strategies import POSITIVE_REALS, least_squares_problems

KINDS = ("full", "frozen-a", "lora", "direft")
_DOMAINS = {
    "positive real": POSITIVE_REALS,
    "positive integer": st.integers(1, 10_000),
    "real": st.one_of(POSITIVE_REALS, st.integers(-100, 0)),
}


@dataclass(frozen=True, eq=False)
class Run:
    """SGD with one sample a step, drawn with replacement, at a constant step size, along all paths
    there are.

    With n samples and T iterations there are n^T paths, each equally likely; so what a theorem says
    of E is a sum of n^T terms, and no statistics enter.
    """

    problem: Problem  # F, with n samples
    start: Point  # v_1, with R = 1
    step: float  # alpha > 0
    T: int  # the number of iterations; n^T is at most 81

    @cached_property
    def draws(self):
        """The sample that each path draws in each iteration, shape (n^T, T): all there are, in
        lexicographic order.
        """
        return torch.tensor(list(product(range(self.problem.samples), repeat=self.T)))

    @cached_property
    def paths(self):
        """The iterates v_1, ..., v_{T+1} of all paths, each a point with R = n^T. Each path has
        probability n^-T.
        """
        iterates = [replicate(self.start, len(self.draws))]
        for t in range(self.T):
            iterates.append(
                sgd_step(self.problem, iterates[-1], self.step, self.draws[:, t : t + 1])[0]
            )
        return tuple(iterates)

    @cached_property
    def mean_square_gradients(self):
        r""":math:`N_t = \mathbb E\|\nabla F(v_t)\|^2` for t = 1, ..., T."""
        return tuple(square_norm(self.problem.gradient(v)).mean().item() for v in self.paths[:-1])

    @property
    def gap(self):
        """D = F(v_1) - f*, with the infimum that the objective knows."""
        return self.problem.loss(self.start).item() - self.problem.infimum.value

    @property
    def noise(self):
        r"""The largest :math:`\frac1n\sum_i\|g_i - \nabla F\|^2` at an iterate from which a step is
        taken: zeta^2.

        No difference of squares, which would lose digits.
        """
        largest = 0.0
        for v in self.paths[:-1]:
            mean = self.problem.gradient(v)
            replicas = len(v[0])
            each = [
                self.problem.batch_gradient(v, torch.full((replicas, 1), i))
                for i in range(self.problem.samples)
            ]
            variance = torch.stack([square_norm(apart(g, mean)) for g in each]).mean(0)
            largest = max(largest, variance.max().item())
        return largest

    @property
    def largest_norms(self):
        """The largest norm of each block of v over v_1, ..., v_{T+1} and all paths, by the name of
        the block.
        """
        largest = torch.stack([self.problem.adapter.norms(v).amax(1) for v in self.paths]).amax(0)
        return {
            block.name: norm
            for block, norm in zip(self.problem.adapter.blocks, largest.tolist(), strict=True)
        }


@st.composite
def runs(draw, kind=None, *, horizon=4):
    """Short runs of SGD on least squares or a clipped loss of one to three samples, with W of up to
    3 x 3.

    `boundcheck.functions.sgd` computes their exact expectations. The adapter is of one kind, one of
    ``full``, ``frozen-a``, ``lora`` and ``direft``, or of any of them. The start has norms up to 1,
    the step is 1, 1/2, 1/4 or 1/16, and T up to `horizon`, which is at most 4. Shrinks to one step
    of size 1 on a loss of a 1 x 1 matrix with one sample.
    """
    shape = draw(shapes(3))
    losses = [
        clipped_problems(shape),
        least_squares_problems(shape, samples=3),
    ]
    objective = draw(st.one_of(losses))
    adapter = draw(adapters(kind or draw(choice(KINDS)), shape))
    start = draw(domain_points(adapter, dict.fromkeys(adapter.radius_names, 1.0)))
    steps = draw(st.integers(1, horizon))
    return Run(Problem(objective, adapter), start, draw(choice((1.0, 0.5, 0.25, 0.0625))), steps)


# Inputs of claims.


def shortest_horizon(claim, inputs):
    """The least T that a claim allows. The T in `inputs` is ignored.

    Raises InputError for an input that is missing or out of its domain.
    """
    values = checked(claim.parameters, inputs)
    limit = limit_of(claim, T)
    if limit is None:
        return 1
    least = claim.expression(limit)
    lower_end = enclose(least, values, bits=256).lower()
    floor = int(lower_end.ceil().unique_fmpz())
    return floor if sign(sp.Integer(floor) - least, values) >= 0 else floor + 1


@st.composite
def claim_inputs(draw, claim):
    """A value for each symbol of a claim by its name: of every type, in its domain, T often the
    shortest horizon.
    """
    exponents = {
        x
        for q in claim.quantities
        for power in q.expression.atoms(sp.Pow)
        for x in power.exp.free_symbols
    }
    # A high power leaves the range of floats.
    inputs = {
        p.name: draw(st.integers(1, 10) if p.symbol in exponents else _DOMAINS[p.domain])
        for p in claim.parameters
    }
    others = []
    for condition in claim.conditions:
        name = str(condition.lhs)
        value = _within(draw, claim, condition, inputs) if name in inputs else None
        if value is None:
            others.append(condition)
        else:
            inputs[name] = value
    # A condition that does not simply limit one parameter is met by chance, or the example is
    # discarded.
    if others:
        assume(not {*others} & {*claim.failing(checked(claim.parameters, inputs))})
    return inputs


def _within(draw, claim, condition, inputs):
    """A value of the left side that meets a condition, some barely; None if the right side is not a
    plain number.
    """
    left = condition.lhs
    is_lower = condition.rel_op in (">", ">=")
    if is_lower and left == T and str(condition.rhs) == limit_of(claim, T):
        return shortest_horizon(claim, inputs) + draw(st.one_of(st.just(0), st.integers(0, 10**6)))
    # A limit may be a quantity that the claim derives.
    rhs = (
        claim.expression(str(condition.rhs)) if str(condition.rhs) in claim.names else condition.rhs
    )
    limit = rhs.subs(checked(claim.parameters, inputs))
    if is_lower and limit.is_nonpositive:
        # Every value of its domain is beyond it.
        return inputs[str(left)]
    if not (isinstance(limit, sp.Rational) and limit > 0):
        return None
    away = st.floats(-6, 2).map(lambda exponent: 10**exponent)
    share = 1 + Fraction(draw(away if condition.rel_op in "<>" else st.just(0.0) | away))
    value = fraction(limit) * (share if is_lower else 1 / share)
    if left.is_integer:
        return math.ceil(value) if is_lower else max(math.floor(value), 1)
    return value
