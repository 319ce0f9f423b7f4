"""Files that are written whole or not at all, under names that are names and no paths."""

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path


def replace_file(path: Path, content: bytes | Callable[[Path], None]) -> None:
    """Put `content`, or what it writes to the path that it is called with, in the place of a file, atomically."""
    temporary = path.with_name(path.name + ".part")
    try:
        if isinstance(content, bytes):
            temporary.write_bytes(content)
        else:
            content(temporary)
        os.replace(temporary, path)
    except OSError:
        # Such as of a path that is a folder: nothing half-written stays behind.
        temporary.unlink(missing_ok=True)
        raise


def file_name(text: str) -> str:
    """A name for a file about what is called `text`: of ASCII letters, digits, and . _ - inside, and never a path.

    A text that is no such name gets the hash of what it is, so that no two share a file.
    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", text).lstrip(".-")[:_LONGEST]
    return plain if plain == text else f"{plain or '_'}-{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:8]}"


# Characters of a name; systems take 255 bytes with what is added to it.
_LONGEST = 100
