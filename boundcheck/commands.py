"""The text of `--help` beside a command's options, and what a shell offers on the tabulator key.

A completion answers at once and runs no code of a paper: ids are read off the text of a paper's files, where each
stands in quotes at the head of its claim or script. Where there is nothing to offer the shell completes names of files
itself.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from boundcheck.errors import InputError
from boundcheck.system.files import read_text

_CODES = "Exit code 0: it did its work, whatever it found. "
_STRICT = "1, with --strict alone: something was refuted, violated or unknown. "
_INPUT = "2: bad usage or bad input, in one line on stderr."


@dataclass(frozen=True)
class Usage:
    """The help for a command, beside its options.

    Attributes:
        short: a line in the list of commands.
        examples: command lines. RUN in one stands for the id of a run.
        writes: what it writes beside its answer, and where.
        one: when it exits with 1.

    """

    short: str
    examples: tuple[str, ...]
    writes: str = "Writes no file."
    one: str = ""

    @property
    def ending(self) -> str:
        """The text below the options. A paragraph that begins with a backspace keeps its lines."""
        examples = "\n".join(f"  {each}" for each in self.examples)
        where = f"{self.writes} The answer goes to stdout, the time left and errors to stderr."
        return f"\b\nExamples:\n{examples}\n\n{where}\n\n{_CODES}{self.one}{_INPUT}"


_CONSTANTS = "--set L=1 --set C=1 --set sigma=1 --set G=3 --set r=8"

USAGES = {
    "claims": Usage(
        "List the claims, or show one whole.",
        ("boundcheck claims", "boundcheck claims jiang2024", "boundcheck claims jiang2024.theorem2"),
    ),
    "cite": Usage("Print what to cite for a claim.", ("boundcheck cite jiang2024.theorem2",)),
    "bound": Usage(
        "Evaluate a claim at given constants.",
        (
            f"boundcheck bound jiang2024.lemma1 {_CONSTANTS}",
            f"boundcheck bound jiang2024.theorem2 {_CONSTANTS} --set zeta=0.1 --set D=1 --set T=10_000 --json",
        ),
    ),
    "prove": Usage(
        "Audit proofs line by line.",
        (
            "boundcheck prove jiang2024",
            "boundcheck prove meft.lora --steps",
            "boundcheck prove my_lemma.py --strict",
        ),
        "Writes no file, but what --export asks for.",
        _STRICT,
    ),
    "falsify": Usage(
        "Search for an instance that breaks a claim.",
        (
            "boundcheck falsify meft.lemma1_sharp --rank 1 --rank 2",
            "boundcheck falsify nesterov2004.gradient_descent --horizon 3",
            "boundcheck falsify --replay instances/meft.lemma1_sharp.json",
        ),
        "A search writes its best instance to --out.",
        _STRICT,
    ),
    "measure": Usage(
        "Run experiments, audit them, write a page.",
        (
            "boundcheck measure my_spec.toml",
            "boundcheck measure my_spec.toml --jobs 2 --store runs --out my-report --strict",
            "boundcheck measure my_spec.toml --allow-code my_loss.py",
        ),
        "Runs are kept in --store, and the page is written to --out.",
        _STRICT,
    ),
    "new": Usage(
        "Make the folder of a paper of your own.",
        ("boundcheck new my_paper",),
        "Writes the folder, which must not be there yet.",
    ),
    "audit": Usage(
        "The main job: all of a paper in one report.",
        (
            "boundcheck audit jiang2024",
            "boundcheck audit my_paper --out my-report",
        ),
        "Runs are kept in --store, and the report is written to --out.",
        _STRICT,
    ),
    "report": Usage(
        "Figures and tables from stored runs.",
        ("boundcheck report runs/RUN --out my-report --data",),
        "The page and its files are written to --out.",
    ),
    "soundness": Usage(
        "Check the checker: is a verdict ever wrong?",
        ("boundcheck soundness --share 20 --jobs 2",),
        "The page is written to --out.",
        "1: a verdict was wrong. ",
    ),
    "reliability": Usage(
        "Attack boundcheck: is work ever lost?",
        ("boundcheck reliability --share 30",),
        "The page is written to --out.",
        "1: something went wrong. ",
    ),
}
"""The usage of each command, by its name."""


# Claim("jiang2024.lemma1", …), @script("meft.lora", …), _sharper(DORA, "meft.dora_blocks", …), replace(…, id="…").
_ID = re.compile(r'(?:\(\s*(?:[A-Z]\w*,\s*)?|\bid=)"([A-Za-z]\w*(?:\.\w+)+)"')
_CLAIMS = re.compile(r"^CLAIMS\b", re.MULTILINE)
_NOT_IDS = re.compile(r".*\.(?:py|toml|csv|json)|boundcheck\..*")


def claims(incomplete: str) -> list[str]:
    """The ids that begin with `incomplete`."""
    return _beginning(incomplete, _ids(scripts=False))


def claims_and_papers(incomplete: str) -> list[str]:
    """The ids of claims and the keys of papers that begin with `incomplete`."""
    return _beginning(incomplete, [*_keys(), *_ids(scripts=False)])


def targets(incomplete: str) -> list[str]:
    """The arguments of `boundcheck prove` that begin with `incomplete`: ids, keys and scripts."""
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
    """The fitting paths that begin with `incomplete`, or lie in a folder that does; none that is hidden."""
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
