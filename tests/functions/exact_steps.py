"""F and its path smoothness in 50 digits, from the formulas: the twin that says what rounding did in float64."""

import mpmath
from mpmath import mp

from boundcheck.functions.arithmetic import Point
from boundcheck.functions.objectives.linear import SoftmaxRegression
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber
from boundcheck.functions.problem import Problem

mp.dps = 50
Matrix = mpmath.matrix


def factors(v: Point) -> tuple[Matrix, Matrix]:
    """The floats of a single point, exactly."""
    A, B = (Matrix(part[0].tolist()) for part in v)
    return A, B


def loss_and_gradient(problem: Problem, v: tuple[Matrix, Matrix]) -> tuple[mpmath.mpf, tuple[Matrix, Matrix]]:
    """F(v) and its gradient (s B^T M, s M A^T), with M the gradient of f in W."""
    A, B = v
    s = mp.mpf(problem.adapter.scale)
    W = Matrix(problem.adapter.W0.tolist()) + s * B * A
    objective = problem.objective
    loss, M = mp.mpf(0), mpmath.zeros(*objective.shape)
    if isinstance(objective, PseudoHuber):
        delta = mp.mpf(objective.delta)
        for target in objective._targets.tolist():
            for i, row in enumerate(target):
                for j, entry in enumerate(row):
                    x = W[i, j] - entry
                    root = mp.sqrt(1 + (x / delta) ** 2)
                    loss += delta**2 * (root - 1)
                    M[i, j] += x / root
    elif isinstance(objective, SoftmaxRegression):
        for x, label in zip(objective._X.tolist(), objective._targets.argmax(1).tolist(), strict=True):
            column = Matrix(x)
            logits = W * column
            exponentials = [mp.exp(z) for z in logits]
            total = mp.fsum(exponentials)
            loss += mp.log(total) - logits[label]
            residual = Matrix([e / total - (i == label) for i, e in enumerate(exponentials)])
            M += residual * column.T
    else:
        raise TypeError(objective)
    n = objective.samples
    return loss / n, (s * B.T * M / n, s * M * A.T / n)


def dot(u: tuple[Matrix, Matrix], v: tuple[Matrix, Matrix]) -> mpmath.mpf:
    """The Euclidean inner product of two points."""
    return mp.fsum(x * y for p, q in zip(u, v, strict=True) for x, y in zip(p, q, strict=True))


def path_smoothness(problem: Problem, v: Point, v_next: Point) -> float:
    """2 (F(v') - F(v) - <grad F(v), v' - v>) / |v' - v|^2 of single points, in 50 digits."""
    here, there = factors(v), factors(v_next)
    step = tuple(y - x for x, y in zip(here, there, strict=True))
    (loss, gradient), (loss_next, _) = loss_and_gradient(problem, here), loss_and_gradient(problem, there)
    return float(2 * (loss_next - loss - dot(gradient, step)) / dot(step, step))


def gradient_square_norm(problem: Problem, v: Point) -> float:
    """|grad F(v)|^2 of a single point, in 50 digits."""
    _, gradient = loss_and_gradient(problem, factors(v))
    return float(dot(gradient, gradient))


def gradient_ratio(problem: Problem, v: Point, v_next: Point) -> float:
    """|grad F(v') - grad F(v)| / |v' - v| of single points, in 50 digits."""
    here, there = factors(v), factors(v_next)
    gradients = [loss_and_gradient(problem, point)[1] for point in (here, there)]
    turn, step = (tuple(y - x for x, y in zip(*pair, strict=True)) for pair in (gradients, (here, there)))
    return float(mp.sqrt(dot(turn, turn) / dot(step, step)))
