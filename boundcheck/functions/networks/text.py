"""Texts by name, and from files that a person brings."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from boundcheck.errors import InputError
from boundcheck.functions.networks import corpora
from boundcheck.system.files import read_pieces

TEXTS: dict[str, Callable[[], str]] = {"python-library": corpora.python_library, "english": corpora.english}
"""The texts that come with installed packages."""
# Bytes of a text.
_LONGEST = 2**28


def pieces_of(name: str) -> Iterator[str]:
    """A text by its name, or the content of a file, piece by piece; raises InputError for one that cannot be read."""
    if name in TEXTS:
        yield TEXTS[name]()
        return
    try:
        yield from read_pieces(Path(os.path.expanduser(name)), _LONGEST)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(
            "model.text", name, f"{', '.join(TEXTS)}, or a text file that can be read ({reason})"
        ) from None


@contextmanager
def typed(**fields: str) -> Iterator[None]:
    """Name what is wrong as it was typed in a spec, and not as the argument that it became."""
    try:
        yield
    except InputError as error:
        raise InputError(fields.get(error.field, error.field), error.value, error.expected) from None
