"""Texts by name, and from files that a person brings."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from boundcheck.errors import InputError
from boundcheck.models import corpora

TEXTS: dict[str, Callable[[], str]] = {"python-library": corpora.python_library, "english": corpora.english}
"""The texts that come with installed packages."""


def text_of(name: str) -> str:
    """A text by its name, or the content of a file; raises InputError for one that cannot be read."""
    if name in TEXTS:
        return TEXTS[name]()
    try:
        return Path(name).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
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
