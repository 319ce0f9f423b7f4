"""`Problem`: F(v) = f(W(v)), an objective seen through an adapter, batched over replicas; and what
claims ask of it.

Second derivatives of F at a point are products with a direction, made by reverse mode: forward mode
asks Torch's compiler for the shape of each product with a constant, which costs a hundred times the
arithmetic of a small matrix. On
a curved domain the Hessian is the Riemannian one: the tangent part of the derivative of the
Riemannian gradient (Absil, Mahony and Sepulchre, "Optimization Algorithms on Matrix Manifolds",
2008, Eq. (5.15)).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.exact.balls import upper
from boundcheck.functions.adapters import Adapter, Radii
from boundcheck.functions.arithmetic import (
    EPSILON,
    ROUND_UP,
    Bounds,
    Point,
    apart,
    at_once,
    euclidean_norm,
    gradient_ratio,
    in_blocks,
    in_parts,
    inner,
    on_cores,
    seeded,
    spectral_norm,
    square_norm,
)
from boundcheck.functions.checks import MARGIN
from boundcheck.functions.objective import Moments, Objective, mean_of
from boundcheck.functions.sgd import Draw
from boundcheck.language import symbols
from boundcheck.language.catalogue import about, catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.function import Constant, Descent, Function, Observable
from boundcheck.language.hypotheses import LEAST, READINGS
from boundcheck.language.measures import SMOOTHNESS
from boundcheck.language.sentence import speaks_of_a_ball, takes
from boundcheck.language.symbols import Number, exact
from boundcheck.system.limits import Demand
from boundcheck.system.plugins import keeps

# Replicas that are observed together: of fewer the calls would cost more than the arithmetic.
_LOOKS = 128
# Numbers in a W from which a second thread saves more time than it takes to wake it: measured, up
# to 128 x 128 one thread was faster than two.
_LARGE = 2**16
# Bytes of a number; and how many copies of each replica's points and weights, and of the widest
# temporaries, there are at once: a little more than was measured.
_NUMBER = 8
_POINTS = 6
_WEIGHTS = 4
_TEMPORARIES = 4

# A segment along which the loss is held against its gradient changes it by so many times its
# rounding error.
_FAR = 2.0**12

OBSERVED = {
    "loss": "F(v_t)",
    "loss_error": "bound on the rounding error of loss",
    "gradient_square_norm": "squared Euclidean norm of the gradient of F at v_t",
    "gradient_square_norm_error": "bound on the rounding error of gradient_square_norm",
    "weight_gradient_frobenius": "Frobenius norm of the gradient of f at W(v_t)",
    "weight_gradient_spectral": "spectral norm of the gradient of f at W(v_t)",
    "noise_variance": "exact E[||g_t - grad F(v_t)||^2 | past], by enumerating the samples",
    "noise_variance_error": "bound on the rounding error of noise_variance",
    "conditional_bias": (
        "exact ||E[g_t | past] - grad F(v_t)||; 0 with replacement, else by enumerating the samples"
    ),
    "conditional_bias_error": "bound on the rounding error of conditional_bias",
    "step_length": "||v_{t+1} - v_t||",
    "slope": "<grad F(v_t), v_{t+1} - v_t>",
    "path_smoothness": "2 (F(v_{t+1}) - F(v_t) - <grad F(v_t), step>) / |step|^2",
    "path_smoothness_error": "bound on the rounding error of path_smoothness",
    "gradient_ratio": "||grad F(v_{t+1}) - grad F(v_t)|| / ||v_{t+1} - v_t||",
    "gradient_ratio_error": "bound on the rounding error of gradient_ratio",
}
"""The meaning of what is observed of a step, beside the norms of an adapter's blocks."""


@dataclass(frozen=True)
class End:
    """The bound that a claim about an adapter gives on the smoothness of F on a domain, rounded
    up.
    """

    claim: str  # its id
    lipschitz: str  # what Assumption 3's C stands for, in a claim that takes it
    value: float  # L̂
    # "kernel" where a script has the kernel replay the claim, "by hand" where it has an argument,
    # and "given" where an adapter from outside says that it holds.
    trust: str


def adapter_inputs(
    claim: Claim,
    adapter: Adapter,
    radii: Radii,
    lipschitz: str,
    smoothness: float,
    gradient_bound: float,
) -> dict[str, Number]:
    """The constants of `claim` for an adapter on a domain, and an f with this L and this G, exact.

    A claim without a scale is stated for W0 + B A. With scale s it is applied to X -> f(W0 + s X),
    which is s^2 L smooth and has gradients bounded by s G.
    """
    names = {parameter.name for parameter in claim.parameters}
    table: dict[str, Any] = {
        name: exact(name, value) for name, value in adapter.constants(radii).items()
    }
    L = exact(symbols.L.name, smoothness)
    G = exact(symbols.G.name, gradient_bound) if takes(claim, symbols.G) else sp.Integer(0)
    if (scale := table.get(symbols.s.name)) is not None and not takes(claim, symbols.s):
        L = scale**2 * L
        G = scale * G
    table |= {symbols.L.name: L, symbols.G.name: G}
    if takes(claim, symbols.C):
        # What C stands for is said of the adapter's own constants.
        reading = READINGS[lipschitz]
        said = {letter.name: letter for letter in READINGS[lipschitz].free_symbols}
        if said.keys() <= table.keys():
            table[symbols.C.name] = reading.xreplace(
                {letter: table[name] for name, letter in said.items()}
            )
    return {name: value for name, value in table.items() if name in names}


def adapter_ends(
    adapter: Adapter, radii: Radii, smoothness: float, gradient_bound: float
) -> list[End]:
    """The bounds that the claims about an adapter give on F's smoothness on a domain, for an f with
    this L and G.

    A claim whose conditions fail there is left out.
    """
    ends = []
    for id in adapter.claims:
        claim = catalogue[id]
        said = about(id)
        # A ball of two radii is inside a paper's with the larger one; a special case is said of
        # equal ones alone.
        if said is not None and said.at_equal_radii and len({*radii.values()}) > 1:
            continue
        for lipschitz in READINGS if takes(claim, symbols.C) else (LEAST,):
            inputs = adapter_inputs(claim, adapter, radii, lipschitz, smoothness, gradient_bound)
            if not claim.failing(
                {p.symbol: exact(p.name, inputs[p.name]) for p in claim.parameters}
            ):
                trust = (
                    "by hand"
                    if claim.argument
                    else "given"
                    if claim.id in adapter.given
                    else "kernel"
                )
                ends.append(
                    End(id, lipschitz, upper(claim.enclosures(**inputs)[SMOOTHNESS.letter]), trust)
                )
    return ends


@dataclass(frozen=True)
class Problem(Function):
    """The function F(v) = f(W(v)) that Algorithm 1 minimises, and that its hypotheses speak of."""

    objective: Objective
    adapter: Adapter
    is_known = True

    def __post_init__(self) -> None:
        """Refuse an adapter whose W0 has another shape than the objective's W, which would
        broadcast.
        """
        if tuple(self.adapter.W0.shape) != tuple(self.objective.shape):
            raise InputError(
                "adapter.W0",
                f"of shape {tuple(self.adapter.W0.shape)}",
                f"shape {self.objective.shape}",
            )
        f = self.objective
        adapter = self.adapter
        norms = {
            f"norm_{x.name}": f"largest spectral norm of {x.name} at v_t and v_(t+1)"
            for x in adapter.blocks
        }
        # What `Function` asks for; a frozen object has no other way to keep it.
        vars(self).update(
            name=f.name,
            units=f.units,
            samples=f.samples,
            infimum=f.infimum,
            is_flat=adapter.is_flat,
            observables={name: Observable(meaning) for name, meaning in (OBSERVED | norms).items()},
            constants={
                "smoothness": f.smoothness,
                "gradient_bound": f.gradient_bound,
                "infimum": f.infimum,
            },
            norm_names={block.radius: f"norm_{block.name}" for block in adapter.blocks},
            facts={"shape": f.shape},
            given=(*adapter.given, *f.given),
            threads=1 if math.prod(f.shape) < _LARGE else None,
        )

    @property
    def drawn(self) -> tuple[str, ...]:  # type: ignore[override]
        """What the objective says of its minibatches. Ids of runs are made of attributes, and not
        of this.
        """
        return self.objective.drawn

    def initial(self, start: str, gain: float, random: torch.Generator) -> Point:
        """The adapter's own start, drawn at random, or a diagonal one."""
        return (
            self.adapter.diagonal(gain)
            if start == "diagonal"
            else self.adapter.initial(gain, random)
        )

    def restart(self, v: Point, gain: float, random: torch.Generator) -> Point:
        return self.adapter.restart(v, gain, random)

    def retract(self, v: Point, step: Point) -> Point:
        return self.adapter.retract(v, step)

    def norms(self, v: Point) -> dict[str, Tensor]:
        parts = zip(self.adapter.blocks, self.adapter.bounded(v), strict=True)
        return {block.radius: spectral_norm(part) for block, part in parts}

    def loss(self, v: Point) -> Tensor:
        return self.objective.loss(self.adapter.weight(v))

    def weight_gradient(self, v: Point) -> Tensor:
        """The gradient of f at W(v), shape (R, d, k)."""
        return self.objective.gradient(self.adapter.weight(v))

    def gradient(self, v: Point) -> Point:
        return self.adapter.pull_back(v, self.weight_gradient(v))

    def batch_gradient(self, v: Point, indices: Tensor) -> Point:
        return self.adapter.pull_back(
            v, self.objective.batch_gradient(self.adapter.weight(v), indices)
        )

    def mean_of_samples(self, v: Point, indices: Tensor) -> Point:
        return self.adapter.pull_back(
            v, self.objective.mean_of_samples(self.adapter.weight(v), indices)
        )

    def descend(
        self, v: Point, batches: Sequence[Tensor], sizes: Sequence[float]
    ) -> Descent | None:
        scale = self.adapter.scale_of_factors
        if scale is None or not keeps(self, Problem, "batch_gradient"):
            return None
        return self.objective.descend(self.adapter.W0, scale, v, batches, sizes)

    def factor_sizes(self, v: Point) -> tuple[Tensor, Tensor]:
        return self.adapter.factor_sizes(v, self.weight_gradient(v))

    def survey(self, v: Point, among: Tensor | None = None) -> Moments:
        """The loss, the gradient in W, and the mean squared norms of the samples' gradients, in v
        and in W.

        The means are over all samples, or over those at the indices `among`, shape (R, m).
        """
        W, sides = self.adapter.weight(v), self.adapter.sides(v)
        if sides is not None:
            return self.objective.survey(W, sides, among)
        samples = self.samples

        def survey(part: slice) -> Moments:
            gradients = self.objective.sample_gradients(W[part]).flatten(0, 1)
            pulled = self.adapter.pull_back(
                tuple(x[part].repeat_interleave(samples, 0) for x in v), gradients
            )
            in_v, in_w = (square_norm(x).view(-1, samples) for x in (pulled, (gradients,)))
            loss = self.objective.loss(W[part])
            gradient = self.objective.gradient(W[part])
            in_v, in_w = (mean_of(each, among, part) for each in (in_v, in_w))
            return Moments(
                loss, gradient, in_v, in_w, gradients.view(-1, samples, *W.shape[1:]).mean(1)
            )

        return in_blocks(survey, W, samples * W[0].numel())

    def sample_variance(self, v: Point) -> Tensor:
        r"""The exact variance of one sample's gradient, :math:`\frac1n\sum_i\|g_i\|^2 - \|\nabla
        F(v)\|^2`, (R,).

        A minibatch of m samples drawn with replacement has this variance over m.
        """
        survey = self.survey(v)
        return survey.in_v - square_norm(self.adapter.pull_back(v, survey.gradient))

    def rounding(self, v: Point, loss: Tensor) -> Bounds:
        r"""Bounds on the rounding errors of `loss`, given as computed, and `gradient` at v: two of
        shape (R,).

        W is computed to within some units of roundoff of its size, :math:`e_W`, which moves the
        loss by at most :math:`G e_W` and its gradient by :math:`L e_W`; the objective's own errors
        come on top.
        """
        sizes = self.adapter.sizes(v)
        L = self.objective.smoothness.value
        weight_error = sizes.terms * EPSILON * sizes.weight
        W = self.adapter.weight(v)
        loss_error, gradient_error = self.objective.rounding(W, loss)
        G: Tensor | float = self.objective.gradient_bound.value
        if math.inf == G:
            # As large as it is here, with its error, and as it can be on the way to the exact W.
            G = (
                torch.linalg.matrix_norm(self.objective.gradient(W))
                + gradient_error
                + L * weight_error
            )
        products = EPSILON * (sum(self.objective.shape) + 4) * sizes.products * G
        return loss_error + G * weight_error, sizes.jacobian * (
            gradient_error + L * weight_error + products
        )

    def observe(self, v: Point, v_next: Point, law: Draw | None) -> dict[str, Tensor]:
        r"""The observables at v, shape (R, ...), for the step that led to v_next.

        The descent curvature :math:`\ell_t`, by the name ``path_smoothness``, is what the descent
        inequality uses of
        smoothness: :math:`F(v_{t+1}) \le F(v_t) + \langle\nabla F(v_t), \Delta\rangle + (\hat
        L/2)\|\Delta\|^2` holds exactly when :math:`\ell_t \le \hat L` (jiang2024, Eq. (15)). The
        gradient ratio is what Lemma 1 bounds: where F is :math:`\hat L`-smooth on the segment, it
        is at most :math:`\hat L`. Either may be the larger. A step of length zero has smoothness 0
        of both kinds; on a curved domain, where two gradients cannot be subtracted, the gradient
        ratio is NaN.
        """

        def look(part: slice) -> dict[str, Tensor]:
            who = torch.arange(part.start, part.stop, device=v[0].device)
            here, there = (tuple(block[part] for block in point) for point in (v, v_next))
            return self._look(here, there, law and law.of(who))

        # Threads share the looks where the objective lets them.
        replicas = len(v[0])
        found = on_cores(
            look, in_parts(replicas, -(-replicas // _LOOKS) if self.objective.is_shared else 1)
        )
        return {name: torch.cat([each[name] for each in found]) for name in found[0]}

    def _look(self, v: Point, v_next: Point, law: Draw | None) -> dict[str, Tensor]:
        survey, loss, weight_gradient = self._known_at(v, law)
        gradient = self.adapter.pull_back(v, weight_gradient)
        gradient_square_norm = square_norm(gradient)
        step = apart(v_next, v)
        length_square = square_norm(step)
        loss_next, weight_gradient_next = self.objective.first_order(self.adapter.weight(v_next))
        slope = inner(gradient, step)
        half = torch.where(length_square > 0, length_square / 2, torch.inf)
        path_smoothness = (loss_next - loss - slope) / half
        terms = self.samples + sum(part[0].numel() for part in v) + 64
        size = loss.abs() + loss_next.abs() + (gradient_square_norm * length_square).sqrt()
        errors = self.rounding(v, loss), self.rounding(v_next, loss_next)
        (loss_error, gradient_error), (loss_next_error, gradient_next_error) = errors
        rounding = (
            loss_error
            + loss_next_error
            + gradient_error * length_square.sqrt()
            + EPSILON * terms * size
        )
        length = gradient_square_norm.sqrt()
        ratio = gradient_ratio(
            v, v_next, gradient, self.adapter.pull_back(v_next, weight_gradient_next)
        )
        ratio_error = (gradient_error + gradient_next_error) / length_square.sqrt().where(
            length_square > 0, torch.inf
        )
        ratio_error += EPSILON * terms * ratio
        if self.adapter.is_curved:
            ratio, ratio_error = (torch.full_like(ratio, torch.nan) for _ in range(2))

        bias = bias_error = noise = noise_error = torch.zeros_like(gradient_error)
        if law is not None and survey is not None:
            if law.replaced:
                variance = survey.in_v - gradient_square_norm
                if survey.mean is not weight_gradient:
                    off = self.adapter.pull_back(v, survey.mean - weight_gradient)
                    bias = euclidean_norm(off)
                    # Rounding is no bias, where each sample may be drawn.
                    bias_error = 4 * gradient_error * (bias > 4 * gradient_error)
                    bias = bias * (bias_error > 0)
            else:
                mean = self.mean_of_samples(v, law.candidates)
                bias = euclidean_norm(apart(mean, gradient))
                # Each of the two means is off by its own rounding error at most; the second one
                # sums in another order.
                bias_error = 4 * gradient_error
                variance = survey.in_v - square_norm(mean)
            noise = law.noise(variance.clamp(min=0), bias)
            # The second moment is a sum over terms as large as this square, which may cancel; the
            # gradient is off by less.
            spread = self.adapter.sizes(v).jacobian * survey.in_w.sqrt()
            noise_error = (
                4 * (EPSILON * terms * spread * spread + gradient_error * spread) / law.batch
            )
            noise_error = noise_error + bias_error * (2 * bias + bias_error)
        norms = {
            f"norm_{block.name}": torch.maximum(spectral_norm(x), spectral_norm(y))
            for block, x, y in zip(
                self.adapter.blocks, *map(self.adapter.bounded, (v, v_next)), strict=True
            )
        }
        return norms | {
            "loss": loss,
            "loss_error": loss_error,
            "gradient_square_norm": gradient_square_norm,
            "gradient_square_norm_error": (
                gradient_error * (2 * length + gradient_error) + EPSILON * terms * length**2
            ),
            "weight_gradient_frobenius": torch.linalg.matrix_norm(weight_gradient),
            "weight_gradient_spectral": spectral_norm(weight_gradient),
            "noise_variance": noise,
            "noise_variance_error": noise_error,
            "conditional_bias": bias,
            "conditional_bias_error": bias_error,
            "step_length": length_square.sqrt(),
            "slope": slope,
            "path_smoothness": path_smoothness,
            "path_smoothness_error": rounding / half + EPSILON * terms * path_smoothness.abs(),
            "gradient_ratio": ratio,
            "gradient_ratio_error": ratio_error,
        }

    def _known_at(self, v: Point, law: Draw | None) -> tuple[Moments | None, Tensor, Tensor]:
        """What is known of the samples at v where some are drawn, the loss, and the gradient of f
        at W(v).
        """
        if law is not None:
            survey = self.survey(v, None if law.replaced else law.candidates)
            return survey, survey.loss, survey.gradient
        W = self.adapter.weight(v)
        return None, self.objective.loss(W), self.objective.gradient(W)

    def slope_excess(self, v: Point, law: Draw | None) -> Tensor:
        r"""How far the gradient is off that of the loss, less what rounding and the segment's
        length explain.

        The loss changes along a short segment with v in its middle. Its direction is half along the
        gradient, each block of length 1, and half at random, so that a gradient that is too short,
        or 0, differs too. By the smoothness of f, :math:`f(W_\pm) - f(W)` is :math:`\langle\nabla
        f, W_\pm - W\rangle` to within :math:`(L/2)\|W_\pm - W\|^2`, and W(v) is linear but for
        :math:`W_+ + W_- - 2W`.
        """
        adapter = self.adapter
        random = seeded(0)
        _, loss, weight_gradient = self._known_at(v, law)
        loss_error, gradient_error = self.rounding(v, loss)
        gradient = adapter.pull_back(v, weight_gradient)
        steep = euclidean_norm(gradient)
        size = euclidean_norm(v)
        size = size.where(size > 0, 1.0)
        far = _FAR * loss_error / steep.where(steep > 0, EPSILON)
        far = far.clamp(size * 2.0**-40, size * 2.0**-20)[:, None, None]
        aside = (
            torch.randn(part.shape[1:], generator=random, dtype=torch.float64).to(part)
            for part in v
        )
        towards = tuple(far * (_unit(x) + _unit(g)) for x, g in zip(aside, gradient, strict=True))
        step = adapter.tangent(v, towards)
        ends = [adapter.retract(v, tuple(sign * part for part in step)) for sign in (1, -1)]
        W, *weights = (adapter.weight(point) for point in (v, *ends))
        losses = [self.objective.loss(X) for X in weights]
        chord = apart(*ends)
        length = euclidean_norm(chord)
        moved = sum(square_norm((X - W,)) for X in weights)
        bent = torch.linalg.matrix_norm(weights[0] + weights[1] - 2 * W)
        allowed = (
            self.objective.smoothness.value * moved
            + torch.linalg.matrix_norm(weight_gradient) * bent
        )
        terms = (
            EPSILON * (sum(part[0].numel() for part in v) + 64) * (2 * loss.abs() + steep * length)
        )
        allowed = MARGIN * (allowed + 2 * loss_error + gradient_error * length + terms)
        change = (losses[0] - losses[1] - inner(gradient, chord)).abs()
        return (change - allowed) / length.where(length > 0, torch.inf)

    def demands(self, replicas: int, batch: int, waiting: int) -> tuple[Demand, ...]:
        f, d, k = self.objective, *self.objective.shape
        point, weight = (_NUMBER * size for size in (self.adapter.size, d * k))
        looks = replicas + waiting // (2 * point)
        block = at_once(self.adapter.W0.device)
        drawn = batch * (d + k)
        # Each of a block's temporaries is as wide as one replica needs it, or as wide as several
        # have room.
        widest, batches = (
            min(n * each, max(block, each)) for n, each in ((looks, f.widest), (replicas, drawn))
        )
        held = replicas * (_POINTS * point + _WEIGHTS * weight) + looks * (
            2 * point + _WEIGHTS * weight
        )
        return (
            Demand("run.replicas", replicas, held),
            Demand("run.batch", batch, _NUMBER * (2 * replicas * batch + _TEMPORARIES * batches)),
            Demand("problem.samples", f.samples, _TEMPORARIES * _NUMBER * widest),
        )

    def gradient_bound(self, radii: Radii) -> Constant:
        r"""G on the domain: the objective's own, or :math:`\|\nabla f(W_0)\|_F + L \cdot` reach
        where that is less.

        Without radii the domain is all of space.
        Source: jiang2024, Assumption 3(2), which on the ball is no assumption.
        """
        everywhere = self.objective.gradient_bound
        L = self.objective.smoothness
        if not radii:
            return everywhere
        W0 = self.adapter.W0.unsqueeze(0)
        _, error = self.objective.rounding(W0, self.objective.loss(W0))
        d, k = self.objective.shape
        start = torch.linalg.matrix_norm(self.objective.gradient(W0)).item() * (
            1 + (d * k + 64) * EPSILON
        )
        value = (start + error.item() + L.value * self.adapter.reach(radii)) * ROUND_UP
        if not value < everywhere.value:
            return everywhere
        return Constant(value, L.kind, "the gradient at W0, plus L times the reach of the ball")

    def radius_names(self, claim: Claim) -> tuple[str, ...]:
        """The radii of the ball that a claim needs: none where it speaks of none, or W has bounded
        derivatives.
        """
        return (
            self.adapter.radius_names if self.adapter.needs_ball and speaks_of_a_ball(claim) else ()
        )

    def theory_inputs(
        self, claim: Claim, radii: Radii, lipschitz: str, gradient_bound: float | None = None
    ) -> dict[str, Number]:
        """The constants of `claim` that objective, adapter and ball determine, exact; see
        `adapter_inputs`.

        Where a bound on the gradient of f is given, it is G; the objective's own is one on the
        Frobenius norm.
        """
        # A claim without G may be of an f whose gradient has no bound.
        g = 0.0
        if takes(claim, symbols.G):
            g = self.gradient_bound(radii).value if gradient_bound is None else gradient_bound
        return adapter_inputs(
            claim, self.adapter, radii, lipschitz, self.objective.smoothness.value, g
        )

    def upper_ends(self, radii: Radii, gradient_bound: float | None = None) -> list[End]:
        """The bound that each claim about the adapter gives on the smoothness of F on this domain;
        see `adapter_ends`.

        A bound on the gradient of f takes the place of G.
        """
        g = self.gradient_bound(radii).value if gradient_bound is None else gradient_bound
        return adapter_ends(self.adapter, radii, self.objective.smoothness.value, g)

    def sharpest(self, radii: Radii, gradient_bound: float | None = None) -> float:
        """The least bound that a claim gives on the smoothness of F on this domain, rounded up."""
        return min(end.value for end in self.upper_ends(radii, gradient_bound))

    @property
    def is_convex(self) -> bool:
        """True if F is known to be convex."""
        return self.objective.is_convex and self.adapter.is_linear

    @property
    def strong_convexity(self) -> Constant | None:
        """The constant with which F is strongly convex; None where none is known."""
        return self.objective.strong_convexity if self.adapter.is_isometry else None

    def inputs(self, claim: Claim, radii: Radii, lipschitz: str) -> dict[str, Number]:
        """The parameters of a claim that problem and ball determine, exact."""
        found = self.theory_inputs(claim, radii, lipschitz)
        if takes(claim, symbols.ell):
            found[symbols.ell.name] = self.sharpest(radii)
        if (strong := self.strong_convexity) is not None and takes(claim, symbols.mu_F):
            found[symbols.mu_F.name] = strong.value
        return found

    def inputs_at(self, claim: Claim, v: Point) -> dict[str, Number]:
        """The parameters of a claim that v_1 determines, but for D: norms of its blocks, rounded
        up, and distances.
        """
        norms = {name: norm.item() for name, norm in self.norms(v).items()}
        # A bound on what may be 0, as B is at LoRA's start, and is known to rounding.
        least = 1e-9 * max(norms.values())
        found = {f"{radius}_1": max(norm, least) * (1 + 1e-9) for radius, norm in norms.items()}
        if (distance := self.distance_bound(v)) is not None:
            found[symbols.R_1.name] = distance.value
        return {p.name: found[p.name] for p in claim.parameters if p.name in found}

    def distance_bound(self, v: Point) -> Constant | None:
        r"""A bound on the distance from v, with R = 1, to the minimiser, :math:`\|\nabla F(v)\|/m`;
        None without m.
        """
        known = self.strong_convexity
        if known is None:
            return None
        error = self.rounding(v, self.loss(v))[1].item()
        slope = euclidean_norm(self.gradient(v)).item() * (1 + 64 * EPSILON) + error
        return Constant(
            slope / known.value * ROUND_UP,
            known.kind,
            "the gradient at v_1 over the strong convexity",
        )

    def inputs_anywhere(
        self, claim: Claim, radii: Radii, lipschitz: str
    ) -> dict[str, Number] | None:
        """The parameters of `inputs`, with the G that f has everywhere; None if it has none."""
        everywhere = self.objective.gradient_bound.value
        if not math.isfinite(everywhere):
            return None
        if takes(claim, symbols.ell):
            return {symbols.ell.name: self.sharpest(radii, everywhere)}
        return self.theory_inputs(claim, radii, lipschitz, everywhere)

    def trivial_bound(self, radii: Radii) -> float:
        r"""A bound on :math:`\|\nabla F\|^2` on the ball without any theorem: :math:`J^2 G^2`.

        Infinity where G is only estimated, and without a ball where W has no bounded derivative
        elsewhere.
        """
        if self.gradient_bound(radii).kind != "certified" or (
            self.adapter.needs_ball and not radii
        ):
            return math.inf
        largest = self.adapter.jacobian_bound(radii) * self.gradient_bound(radii).value
        # Not a power, which raises where a product overflows to infinity.
        return largest * largest


def _unit(X: Tensor) -> Tensor:
    """Each matrix over its Frobenius norm; 0 stays 0."""
    size = torch.linalg.matrix_norm(X)[..., None, None]
    return X / size.where(size > 0, 1.0)


Product = Callable[[Problem, Point, Point], Point]


def leaves(v: Point) -> Point:
    """The numbers of v as leaves of a new graph."""
    return tuple(part.detach().requires_grad_() for part in v)


def adjoint(outputs: Point, v: Point, u: Point) -> Point:
    r""":math:`Dg(v)^*[u]` of outputs g(v), in the shapes of v; it can be differentiated again."""
    used = [(x, y) for x, y in zip(outputs, u, strict=True) if x.requires_grad]
    if not used:
        return tuple(torch.zeros_like(part) for part in v)
    functions, vectors = zip(*used, strict=True)
    return torch.autograd.grad(functions, v, vectors, create_graph=True, materialize_grads=True)


def derivative(outputs: Point, v: Point, u: Point) -> Point:
    r""":math:`Dg(v)[u]` of outputs g(v), in their shapes.

    The adjoint derivative is linear in what it pulls back, and its own adjoint is the derivative.
    """
    pulled_back = tuple(torch.zeros_like(part).requires_grad_() for part in outputs)
    return adjoint(adjoint(outputs, v, pulled_back), pulled_back, u)


def hessian_vector_product(problem: Problem, v: Point, direction: Point) -> Point:
    r""":math:`\nabla^2 F(v)[\delta]`, in the shapes of v: the adjoint derivative of the gradient,
    which is symmetric.

    Replicas do not mix, so every replica gets the product with its own direction.
    """
    with torch.enable_grad():
        return tuple(part.detach() for part in curved(problem, leaves(v), direction))


def curved(problem: Problem, v: Point, direction: Point) -> Point:
    """The product of `hessian_vector_product` for v of a graph: it can be differentiated again."""
    u = problem.adapter.tangent(v, direction)
    return problem.adapter.tangent(v, adjoint(problem.gradient(v), v, u))


def gauss_newton_product(problem: Problem, v: Point, direction: Point) -> Point:
    r""":math:`DW(v)^* \nabla^2 f(W)[DW(v)[\delta]]`: what the curvature of f alone makes of the
    Hessian of F.
    """
    u = problem.adapter.tangent(v, direction)
    with torch.enable_grad():
        at = leaves(v)
        W = problem.adapter.weight(at)
        (change,) = derivative((W,), at, u)
        weight = leaves((W,))
        (turn,) = adjoint((problem.objective.gradient(weight[0]),), weight, (change,))
    return tuple(part.detach() for part in problem.adapter.pull_back(v, turn))


def bilinear_product(problem: Problem, v: Point, direction: Point) -> Point:
    r"""The rest of :math:`\nabla^2 F(v)[\delta]`, which is :math:`\langle\nabla f, D^2W(v)[\delta,
    \cdot]\rangle`.

    It is the pull-back's derivative at a fixed ∇f. For LoRA it is :math:`s(\delta_B^\top M,
    M\delta_A^\top)` with M the gradient of f, and couples A with B alone.
    """
    M = problem.weight_gradient(v)
    u = problem.adapter.tangent(v, direction)
    with torch.enable_grad():
        at = leaves(v)
        product = adjoint(problem.adapter.pull_back(at, M), at, u)
    return tuple(part.detach() for part in problem.adapter.tangent(v, product))


def difference_ratio(problem: Problem, v: Point, w: Point) -> Tensor:
    """`gradient_ratio` of each pair, shape (R,)."""
    return gradient_ratio(v, w, problem.gradient(v), problem.gradient(w))


def sure_difference_ratio(problem: Problem, v: Point, w: Point) -> Tensor:
    """`difference_ratio` less the rounding errors of both gradients: a lower estimate however close
    v and w are.
    """
    distance = euclidean_norm(apart(v, w))
    errors = [problem.rounding(point, problem.loss(point))[1] for point in (v, w)]
    error = sum(errors) / distance.where(distance > 0, torch.inf)
    return (difference_ratio(problem, v, w) - error).clamp(min=0)


def top_curvature(
    problem: Problem, v: Point, random: np.random.Generator, tolerance: float = 1e-6
) -> float:
    r"""A lower estimate of :math:`\|\nabla^2 F(v)\|_{op}` at a single point; see
    `largest_eigenvalue`.
    """
    return largest_eigenvalue(
        lambda u: hessian_vector_product(problem, v, u),
        v,
        random,
        tolerance,
        lambda u: problem.adapter.tangent(v, u),
    )


def largest_eigenvalue(
    product: Callable[[Point], Point],
    like: Point,
    random: np.random.Generator,
    tolerance: float = 1e-6,
    tangent: Callable[[Point], Point] = lambda u: u,
    subspace: int | None = None,
) -> float:
    r"""A lower estimate of :math:`\max|\lambda|` of a symmetric map, tight when Lanczos has
    converged.

    The value is the Rayleigh quotient of Lanczos' vector, computed afresh: at any accuracy of the
    vector it is no larger than the true norm, but for rounding.

    Args:
        product: the map, on tuples of matrices.
        like: matrices of its shapes and on its device.
        random: draws the first vector.
        tolerance: relative accuracy asked of SciPy's eigsh.
        tangent: the projection onto the space that the map acts on.
        subspace: vectors that Lanczos keeps, at least 2; by default SciPy's 20. Where one
            eigenvalue stands out, or little accuracy is asked, fewer take fewer products.

    """
    sizes = [part.numel() for part in like]

    def shaped(x: np.ndarray) -> Point:
        flat = torch.as_tensor(x.reshape(-1), dtype=torch.float64, device=like[0].device)
        return tuple(
            part.reshape(block.shape)
            for part, block in zip(torch.split(flat, sizes), like, strict=True)
        )

    def matvec(x: np.ndarray) -> np.ndarray:
        return torch.cat([part.reshape(-1) for part in product(shaped(x))]).cpu().numpy()

    first = random.standard_normal(sum(sizes))
    if sum(sizes) == 1:
        return abs(matvec(np.ones(1)).item())
    operator = LinearOperator((sum(sizes), sum(sizes)), matvec=matvec, dtype=np.float64)
    image = matvec(first)
    if not image.any():
        # ARPACK refuses a matrix that it sees nothing of.
        return 0.0
    _, vectors = eigsh(
        operator,
        k=1,
        which="LM",
        v0=first,
        tol=tolerance,
        ncv=subspace and min(subspace, sum(sizes)),
    )
    direction = tangent(shaped(vectors[:, 0]))
    quotient = inner(direction, product(direction)) / square_norm(direction)
    return abs(quotient.item())


def block_norms(problem: Problem, v: Point, product: Product) -> np.ndarray:
    """The spectral norm of every block of a part of the Hessian at one point, from the whole
    matrix: shape (m, m).

    It takes as many products as v has numbers, all at once; it is for the small problems of a
    report.
    """
    sizes = [part.numel() for part in v]
    total = sum(sizes)
    units = torch.eye(total, dtype=torch.float64, device=v[0].device)
    directions = tuple(
        part.reshape(total, *block.shape[1:])
        for part, block in zip(torch.split(units, sizes, 1), v, strict=True)
    )
    many = tuple(part.expand(total, -1, -1).clone() for part in v)
    rows = torch.cat([part.reshape(total, -1) for part in product(problem, many, directions)], 1)
    blocks = [torch.split(row, sizes, 1) for row in torch.split(rows, sizes, 0)]
    return np.array(
        [[torch.linalg.matrix_norm(block, 2).item() for block in row] for row in blocks]
    )
