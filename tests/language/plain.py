"""Each adapter's W(v), and its first two derivatives along a curve, transcribed from the papers in
plain NumPy.

Numbers may be floats or of mpmath: matrices are arrays of either. One point at a time, as a tuple
of matrices.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from mpmath import mp
from torch import Tensor

from boundcheck.functions.adapters import Adapter

Matrix = np.ndarray


def floats(X):
    """The entries of a tensor, as they are."""
    return X.detach().numpy().copy()


def exactly(X):
    """The same as numbers of mpmath, at whatever precision it works in."""
    return np.vectorize(mp.mpf, otypes=[object])(floats(X))


def single(v, replica=0, read=floats):
    """One replica of a point."""
    return tuple(read(part[replica]) for part in v)


def dot(X, Y):
    """The Frobenius inner product of two matrices."""
    return (X * Y).sum()


@dataclass(frozen=True)
class Plain:
    """The formulas of one adapter, its constants read as floats or as numbers of mpmath."""

    adapter: Adapter
    read: Callable[[Tensor], Matrix] = floats

    def _constant(self, name):
        value = getattr(self.adapter, name)
        if isinstance(value, Tensor):
            return self.read(value)
        return value if self.read is floats else mp.mpf(value)

    def _reads(self):
        """[I 0], by which h is read off [h; 1]."""
        return np.eye(*self.adapter.W0.shape, dtype=int)

    def bounded(self, v):
        """What the domain bounds: the blocks, but the edit U - R [I 0] in the place of U."""
        return (v[0], v[1] - v[0] @ self._reads()) if self.adapter.kind == "loreft-trained" else v

    def at(self, bounded):
        """The point of which that is so."""
        kind = self.adapter.kind
        x = bounded
        return (x[0], x[1] + x[0] @ self._reads()) if kind == "loreft-trained" else x

    def weight(self, v):
        """W(v)."""
        W0 = self._constant("W0")
        match self.adapter.kind, v:
            case "full", (W,):
                return W0 + W
            case (("lora" | "direft"), (A, B)):
                return W0 + self._constant("scale") * (B @ A)
            case "frozen-a", (B,):
                return W0 + self._constant("scale") * (B @ self._constant("A"))
            case "frozen-b", (A,):
                return W0 + self._constant("scale") * (self._constant("B") @ A)
            case "loreft", (R, V):
                return W0 + R.T @ V
            case "loreft-trained", (R, U):
                return W0 + R.T @ (U - R @ self._reads())
            case "dora", (A, B, m):
                directions = [x / length(x) for x in (W0 + self._constant("scale") * (B @ A)).T]
                return np.stack([mj * n for mj, n in zip(m[0], directions, strict=True)], axis=1)
        raise ValueError(self.adapter.kind)

    def first(self, v, u):
        """DW(v)[u], by the product rule."""
        match self.adapter.kind, v, u:
            case "full", _, (dW,):
                return dW
            case (("lora" | "direft"), (A, B), (dA, dB)):
                return self._constant("scale") * (dB @ A + B @ dA)
            case "frozen-a", _, (dB,):
                return self._constant("scale") * (dB @ self._constant("A"))
            case "frozen-b", _, (dA,):
                return self._constant("scale") * (self._constant("B") @ dA)
            case "loreft", (R, V), (dR, dV):
                return dR.T @ V + R.T @ dV
            case "loreft-trained", (R, U), (dR, dU):
                return dR.T @ U + R.T @ dU - (dR.T @ R + R.T @ dR) @ self._reads()
            case "dora", (A, B, m), (dA, dB, dm):
                V = self._constant("W0") + self._constant("scale") * (B @ A)
                dV = self._constant("scale") * (dB @ A + B @ dA)
                columns = zip(V.T, dV.T, m[0], dm[0], strict=True)
                return np.stack(
                    [dmj * x / length(x) + mj * turn(x, h) for x, h, mj, dmj in columns], axis=1
                )
        raise ValueError(self.adapter.kind)

    def second(self, v, u):
        """The second derivative of W along the line, or on a curved domain the geodesic, that
        leaves v along u."""
        match self.adapter.kind, v, u:
            case (("full" | "frozen-a" | "frozen-b"), _, _):
                return 0 * self._constant("W0")
            case (("lora" | "direft"), _, (dA, dB)):
                return 2 * self._constant("scale") * (dB @ dA)
            case "loreft", (R, V), (dR, dV):
                # A geodesic of the Stiefel manifold has R'' = -R' R'^T R: all of it at right angles
                # to the manifold.
                return 2 * (dR.T @ dV) - (dR @ dR.T @ R).T @ V
            case "loreft-trained", (R, U), (dR, dU):
                ddR = -(dR @ dR.T @ R)
                turned = ddR.T @ R + 2 * (dR.T @ dR) + R.T @ ddR
                return ddR.T @ U + 2 * (dR.T @ dU) - turned @ self._reads()
            case "dora", (A, B, m), (dA, dB, dm):
                s = self._constant("scale")
                V = self._constant("W0") + s * (B @ A)
                dV = s * (dB @ A + B @ dA)
                ddV = 2 * s * (dB @ dA)
                columns = zip(V.T, dV.T, ddV.T, m[0], dm[0], strict=True)
                bent = [
                    2 * dmj * turn(x, h) + mj * (bend(x, h) + turn(x, q))
                    for x, h, q, mj, dmj in columns
                ]
                return np.stack(bent, axis=1)
        raise ValueError(self.adapter.kind)

    def pull_back(self, v, M):
        """The gradient in v of <M, W(v)>, entry by entry: how fast it grows along each axis."""
        return self.tangent(v, tuple(np.stack(part) for part in self._along_axes(v, M)))

    def slopes(self, g):
        """How fast <g, v> grows along each axis of what the domain bounds."""
        nothing = tuple(0 * block for block in g)
        found = tuple(0 * block for block in g)
        for number, block in enumerate(g):
            for index in np.ndindex(block.shape):
                axis = tuple(0 * part for part in g)
                axis[number][index] = 1
                found[number][index] = sum(
                    dot(x, y - z)
                    for x, y, z in zip(g, self.at(axis), self.at(nothing), strict=True)
                )
        return found

    def _along_axes(self, v, M):
        found = []
        for number, block in enumerate(v):
            slopes = 0 * block
            for index in np.ndindex(block.shape):
                axis = tuple(0 * part for part in v)
                axis[number][index] += 1
                slopes[index] = dot(M, self.first(v, axis))
            found.append(list(slopes))
        return found

    def tangent(self, v, u):
        """u itself, but for R with orthonormal rows: without the part with which R R^T would
        change."""
        if not self.adapter.kind.startswith("loreft"):
            return u
        R = v[0]
        Z = u[0]
        change = Z @ R.T + R @ Z.T
        return Z - change @ R / 2, u[1]


def length(x):
    """The Euclidean norm, of whatever numbers."""
    return (x * x).sum() ** 0.5


def turn(x, h):
    """The derivative of x / |x| along h."""
    return h / length(x) - x * (x * h).sum() / length(x) ** 3


def bend(x, h):
    """The second derivative of x / |x| along h, twice."""
    r = length(x)
    slope = (x * h).sum()
    return -2 * h * slope / r**3 + x * (3 * slope**2 / r**5 - (h * h).sum() / r**3)
