"""A paper of one's own to begin with: a folder that audits as it is, and is there to be changed."""

from __future__ import annotations

import keyword
import tempfile
from pathlib import Path

from boundcheck.errors import InputError
from boundcheck.proofs import HOME

# Its Python files end in .txt, so that nothing takes it for a paper, and the name in them is replaced.
_TEMPLATE, _NAME = HOME / "new_paper", "my_paper"


def new(folder: Path) -> list[Path]:
    """Make the folder, with claims, a proof, a referee's table, and an experiment on a CSV file.

    Returns:
        Its files.

    Raises:
        InputError: for a name that no module can have, and for a folder that is there or cannot be made.

    """
    name = folder.name.replace("-", "_")
    if not name.isidentifier() or keyword.iskeyword(name) or not name.isascii():
        raise InputError("FOLDER", folder.name, "a name of letters, digits and _, such as my_paper")
    folder = folder.with_name(name)
    if folder.exists():
        raise InputError("FOLDER", folder, "a folder that is not there yet")
    # It is there whole or not at all, under a name that no other process takes.
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
            made = Path(beside) / folder.name
            names = _copied(made)
            made.rename(folder)
    except OSError as error:
        raise InputError("FOLDER", folder, f"a folder that can be made ({error.strerror})") from None
    return [folder / name for name in names]


def _copied(folder: Path) -> list[str]:
    made = []
    for source in sorted(path for path in _TEMPLATE.rglob("*") if path.suffix in {".txt", ".toml", ".csv"}):
        name = source.relative_to(_TEMPLATE).as_posix().removesuffix(".txt")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(source.read_text(encoding="utf-8").replace(_NAME, folder.name), encoding="utf-8")
        made.append(name)
    return made
