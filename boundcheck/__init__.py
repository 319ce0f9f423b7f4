"""boundcheck takes a convergence theorem out of a paper and answers with evidence that anyone can re-run.

>>> import boundcheck as bc
>>> bc.claims["jiang2024.lemma1"].bound(L=1, C=1, sigma=1, G=3, r=4)
7.0

`bc.prove("jiang2024.lemma1")` audits proofs, `bc.falsify("meft.lemma1_sharp")` looks for an instance that breaks a
claim, `bc.measure(spec)` runs an experiment, and `bc.audit("jiang2024")` makes the report on a paper.
`bc.BoundcheckCallback()` is for a Trainer of transformers. In a notebook each result shows itself, and so does the
progress of what takes longer than two seconds.
"""

import functools
import importlib
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from boundcheck.errors import BoundcheckError, InputError
from boundcheck.version import __version__

if TYPE_CHECKING:
    import inspect

    from boundcheck.callback import BoundcheckCallback
    from boundcheck.claims import Claim
    from boundcheck.claims import catalogue as claims
    from boundcheck.falsify import falsify
    from boundcheck.measure import measure
    from boundcheck.problems.loss import Loss
    from boundcheck.prove import prove
    from boundcheck.report import audit

__all__ = [
    "BoundcheckCallback",
    "BoundcheckError",
    "Claim",
    "InputError",
    "Loss",
    "__version__",
    "audit",
    "claims",
    "falsify",
    "measure",
    "prove",
]


class _Home(NamedTuple):
    """Where a public name comes from, and what it is called there. It is imported when it is first asked for.

    A function that may take long tells of its progress, in seconds or in other units.
    """

    module: str
    name: str
    tells: Literal["", "units", "seconds"] = ""


_HOMES = {
    "BoundcheckCallback": _Home("boundcheck.callback", "BoundcheckCallback"),
    "Claim": _Home("boundcheck.claims", "Claim"),
    "Loss": _Home("boundcheck.problems.loss", "Loss"),
    "audit": _Home("boundcheck.report", "audit", "seconds"),
    "claims": _Home("boundcheck.claims", "catalogue"),
    "falsify": _Home("boundcheck.falsify", "falsify", "units"),
    "measure": _Home("boundcheck.measure", "measure", "units"),
    "prove": _Home("boundcheck.prove", "prove", "units"),
}


class _Package(ModuleType):
    """A package some of whose subpackages are public names too: see `_Named`."""

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; a subpackage that is imported gets what its name means here beside what is in it."""
        if name in _HOMES and isinstance(value, ModuleType):
            value.__class__ = _Catalogue if name == "claims" else _Command
        super().__setattr__(name, value)


class _Named(ModuleType):
    """A subpackage whose name is that of a public object too: it is the package, and does what the object does.

    So `bc.measure(spec)` runs an experiment, and `import boundcheck.measure.build` finds what is in the package.
    """

    @property
    def _object(self) -> Any:
        return _found(self.__name__.rpartition(".")[2])


class _Command(_Named):
    """A subpackage that is called."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Do what the function does."""
        return self._object(*args, **options)

    @property
    def __signature__(self) -> "inspect.Signature":
        import inspect

        return inspect.signature(self._object)


class _Catalogue(_Named):
    """The subpackage of claims, which is read as the mapping that its catalogue is."""

    def __getitem__(self, id: str) -> "Claim":
        """See `boundcheck.claims.Catalogue`."""
        return self._object[id]

    def __contains__(self, id: object) -> bool:
        return id in self._object

    def __iter__(self) -> Iterator[str]:
        return iter(self._object)

    def __len__(self) -> int:
        return len(self._object)

    def __getattr__(self, name: str) -> Any:
        """What the package does not have, the mapping may: keys, values, items, get."""
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(self._object, name)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'boundcheck' has no attribute {name!r}")
    if find_spec(f"boundcheck.{name}") is not None:
        return importlib.import_module(f"boundcheck.{name}")
    found = _found(name)
    globals()[name] = found
    return found


def _found(name: str) -> Any:
    """The object that a public name stands for, imported when it is first asked for."""
    home = _HOMES[name]
    try:
        found = vars(importlib.import_module(home.module))[home.name]
    except ModuleNotFoundError as error:
        # Transformers, which the callback is for, is an extra.
        if name != "BoundcheckCallback":
            raise
        expected = f'{error.name}, from pip install "boundcheck[hf]"'
        raise InputError(name, "(not installed)", expected) from None
    return _watched(found, home.tells == "seconds") if home.tells else found


def _watched(function: Any, in_seconds: bool) -> Any:
    """The same function; where no `tick` is given, whoever waits at a terminal or in a notebook sees how far it is."""
    import inspect

    signature = inspect.signature(function)

    @functools.wraps(function)
    def called(*args: Any, **options: Any) -> Any:
        try:
            given = signature.bind(*args, **options).arguments
        except TypeError:
            # The function says itself what is wrong.
            return function(*args, **options)
        if "tick" in given:
            return function(*args, **options)
        from boundcheck.live import watched

        with watched(in_seconds) as tick:
            return function(*args, **options, tick=tick)

    return called


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


sys.modules[__name__].__class__ = _Package
