"""`Structure`: the frame of an instance, and the free constants of a claim about an adapter."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.functions.adapters import ADAPTERS, Adapter, make_adapter
from boundcheck.functions.judged import check_words
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.hypotheses import BALL, BOUNDED_GRADIENT, SMOOTH_IN_W
from boundcheck.language.sentence import gradient_norm, has_common_radius
from boundcheck.system.plugins import is_path, typed

# Constants in this range have products of up to nine, and squares of these, that are floats.
_LEAST, _MOST = 1e-15, 1e15


@dataclass(frozen=True)
class Structure:
    """The frame of an instance: shapes, rank, and the constants of the claim.

    Attributes:
        kind: the adapter's.
        d, k, rank: rows and columns of W, and the adapter's rank; full fine-tuning has none and ignores it.
        L, G: smoothness of f and bound on its gradient.
        scale: s, of an adapter that has one.
        radii: of the adapter's domain.
        frozen: the norm of each frozen matrix, by the claims' parameter; for DoRA's W0 the norm of its columns.
        spectral: whether G bounds the spectral norm of the gradient, and not its Frobenius norm.
        given: the claim's own parameters.

    """

    kind: str
    d: int
    k: int
    rank: int
    L: float
    G: float
    scale: float
    radii: Mapping[str, float]
    frozen: Mapping[str, float]
    spectral: bool
    given: Mapping[str, float]

    def adapter(self, matrices: Mapping[str, Tensor]) -> Adapter:
        """The adapter with these frozen matrices, by the name of their field."""
        zero = torch.zeros(self.d, self.k, dtype=torch.float64)
        factors = {name: X for name, X in matrices.items() if name != "W0"}
        return make_adapter(self.kind, matrices.get("W0", zero), self.rank, self.scale, factors)

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """The shapes of the frozen matrices, by the name of their field."""
        return frozen_shapes(self.kind, self.d, self.k, self.rank)

    @classmethod
    def of(cls, claim: Claim, kind: str, sizes: tuple[int, int, int], constants: Mapping[str, float]) -> "Structure":
        """The structure for a claim with d, k and rank, and constants named as in `constants_of`."""
        adapter = ADAPTERS[kind]
        return cls(
            kind,
            *sizes,
            constants[SMOOTH_IN_W.letter],
            constants[BOUNDED_GRADIENT.letter],
            constants.get("s", 1.0),
            {name: constants[name] for name in adapter.radius_names},
            {name: constants[name] for name in adapter.frozen.values()},
            gradient_norm(claim) == "spectral",
            {parameter.name: constants[parameter.name] for parameter in claim.own},
        )


def frozen_shapes(kind: str, d: int, k: int, rank: int) -> dict[str, tuple[int, int]]:
    """The shapes of the frozen matrices of a kind of adapter, by the name of their field."""
    every = {"A": (rank, k), "B": (d, rank), "W0": (d, k)}
    return {name: every[name] for name in ADAPTERS[kind].frozen}


def adapter_of(claim: Claim, asked: str | None) -> str:
    """The kind of adapter on which to try a claim: the requested one, or the first that the claim is about.

    Your own claim is about the adapter that you request, if it has a conclusion of the catalogue's claims about
    smoothness.

    Raises:
        InputError: for a claim that is not about an adapter's smoothness, and for an unknown adapter or one that a
            claim of the catalogue is not about.

    """
    if asked is not None and is_path(asked):
        with typed("adapter", asked):
            ADAPTERS.open(asked)
    _check_lemma(claim)
    about = [kind for kind, adapter in ADAPTERS.items() if adapter.is_subject_of(claim)]
    if not about and (asked is None or claim.id in catalogue):
        known = dict.fromkeys(id for adapter in ADAPTERS.values() for id in adapter.claims)
        raise InputError("claim", claim.id, f"a claim about the smoothness of an adapter: one of {', '.join(known)}")
    possible = about or list(ADAPTERS)
    if asked is not None and asked not in possible:
        raise InputError("adapter", asked, f"one of {', '.join(possible)}")
    return asked or about[0]


def _check_lemma(claim: Claim) -> None:
    """Refuse a user's claim that does not say that F is smooth, or has words that instances do not have."""
    lemmas = [catalogue[id] for adapter in ADAPTERS.values() for id in adapter.claims]
    if claim.quantities and claim.conclusion not in {lemma.conclusion for lemma in lemmas}:
        expected = "the conclusion of one of the catalogue's claims about smoothness"
        raise InputError("claim.conclusion", claim.conclusion, expected)
    check_words(claim)


def constants_of(kind: str, claim: Claim, given: Mapping[str, float]) -> dict[str, float]:
    """L, G, the scale, radii, norms of frozen matrices and the claim's own constants: as given, else 1.

    An adapter may have other default radii.
    """
    adapter = ADAPTERS[kind]
    f = SMOOTH_IN_W.letter, BOUNDED_GRADIENT.letter
    known = dict.fromkeys((*f, "s", *adapter.radius_names, *adapter.frozen.values()), 1.0)
    known |= adapter.starting
    if not adapter.has_scale:
        del known["s"]
    known |= {parameter.name: 1.0 for parameter in claim.own}
    common = has_common_radius(claim)
    for name, value in given.items():
        named = adapter.radius_names if name == BALL.common.name and common else (name,)
        if not set(named) <= set(known):
            raise InputError(name, value, f"one of {', '.join(known)}, the constants of {kind}")
        if not _LEAST <= value <= _MOST:
            raise InputError(name, value, f"a positive number from {_LEAST:g} to {_MOST:g}")
        known |= dict.fromkeys(named, float(value))
    if common and len({known[name] for name in adapter.radius_names}) > 1:
        raise InputError("a, b", [known[name] for name in adapter.radius_names], f"equal radii, for {claim.id}")
    return known
