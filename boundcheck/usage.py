"""What `--help` says of a command beside its options: examples that work, what is written where, and the exit codes."""

from dataclasses import dataclass

_CODES = "Exit code 0: it did its work, whatever it found. "
_STRICT = "1, with --strict alone: something was refuted, violated or unknown. "
_INPUT = "2: bad usage or bad input, in one line on stderr."


@dataclass(frozen=True)
class Usage:
    """How a command is used.

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
"""By the name of the command."""
