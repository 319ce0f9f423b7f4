"""What a shell offers on the tabulator key: ids of claims, keys of papers, specs, run folders, instances.

It answers at once and runs no code of a paper: ids are read off the text of a paper's files, where each stands in
quotes at the head of its claim or script. Where there is nothing to offer the shell completes names of files itself.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from boundcheck.errors import InputError
from boundcheck.files import read_text

# Claim("jiang2024.lemma1", …), @script("meft.lora", …), _sharper(DORA, "meft.dora_blocks", …), replace(…, id="…").
_ID = re.compile(r'(?:\(\s*(?:[A-Z]\w*,\s*)?|\bid=)"([A-Za-z]\w*(?:\.\w+)+)"')
_CLAIMS = re.compile(r"^CLAIMS\b", re.MULTILINE)
_NOT_IDS = re.compile(r".*\.(?:py|toml|csv|json)|boundcheck\..*")


def claims(incomplete: str) -> list[str]:
    """The ids that begin so."""
    return _beginning(incomplete, _ids(scripts=False))


def claims_and_papers(incomplete: str) -> list[str]:
    """The ids of claims and the keys of papers that begin so."""
    return _beginning(incomplete, [*_keys(), *_ids(scripts=False)])


def targets(incomplete: str) -> list[str]:
    """What `boundcheck prove` takes: ids, keys and scripts."""
    return _beginning(incomplete, [*_keys(), *_ids(scripts=True)]) + _files(incomplete, lambda x: x.suffix == ".py")


def papers(incomplete: str) -> list[str]:
    """The keys of papers, and their folders."""
    return _beginning(incomplete, _keys()) + _files(incomplete, lambda path: (path / "claims.py").is_file())


def specs(incomplete: str) -> list[str]:
    """Files of experiments."""
    return _files(incomplete, lambda path: path.suffix == ".toml")


def runs(incomplete: str) -> list[str]:
    """Folders of finished runs."""
    return _files(incomplete, lambda path: (path / "result.json").is_file())


def instances(incomplete: str) -> list[str]:
    """Files of stored instances."""
    return _files(incomplete, lambda path: path.suffix == ".json")


def _beginning(incomplete: str, names: list[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _keys() -> list[str]:
    # Deferred, as below: help, which asks for no name, is there sooner without.
    from boundcheck.proofs import papers

    try:
        return list(papers())
    except InputError:
        return []


def _ids(scripts: bool) -> list[str]:
    """The ids of claims, which are in files that name `CLAIMS`; and of the lemmas that scripts prove."""
    from boundcheck.proofs import papers

    try:
        files = [path for paper in papers().values() for path in sorted(paper.folder.glob("*.py"))]
        texts = [read_text(path) for path in files]
    except (InputError, OSError, ValueError):
        # What is wrong is said by the command that is being typed.
        return []
    found = [id for text in texts if scripts or _CLAIMS.search(text) for id in _ID.findall(text)]
    return list(dict.fromkeys(id for id in found if not _NOT_IDS.fullmatch(id)))


def _files(incomplete: str, fits: Callable[[Path], bool]) -> list[str]:
    """What fits among the paths that begin so, or lies in a folder that does; nothing that is hidden."""
    folder, slash, name = incomplete.rpartition("/")

    def within(place: Path, depth: int) -> Iterator[Path]:
        try:
            found = sorted(place.iterdir())
        except OSError:
            return
        for path in found:
            if path.name.startswith(".") or (depth == 0 and not path.name.startswith(name)):
                continue
            if fits(path):
                yield path
            elif depth == 0 and path.is_dir():
                yield from within(path, 1)

    start = Path(folder + slash) if slash else Path()
    return [f"{folder}{slash}{path.relative_to(start)}" for path in within(start, 0)]
