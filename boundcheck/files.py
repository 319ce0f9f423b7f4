"""Files that are written whole or not at all."""

import os
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
