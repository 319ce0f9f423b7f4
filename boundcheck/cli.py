"""The command line, `boundcheck COMMAND`: claims, cite, bound, prove, falsify, measure, audit,
report, diff, and others.

Tables for a person go to stdout and progress to stderr; with `--json` one JSON object is all that
stdout gets. Exit
code 0: it did its work, whatever it found; 1 with `--strict`: something was refuted, violated or is
unknown, and of `diff`: something moved; 2: bad usage or bad input, in one line. Each command
imports what it uses, and nothing else: `--help` is there at once.
"""

import gc
import os
import re
import sys
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer

# Before torch is imported: threads that wait by spinning slow a busy machine down tenfold, and gain
# nothing here.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import boundcheck
from boundcheck.errors import BoundcheckError, InputError, one_of
from boundcheck.shown import command as typed
from boundcheck.shown import visible
from boundcheck.system.ending import in_one_line
from boundcheck.system.files import cache_folder, path_from_here
from boundcheck.system.limits import DAY
from boundcheck.system.plugins import allowing, as_options
from boundcheck.verdicts import amount, is_well, tally

app = typer.Typer(
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    # Plain help: to draw boxes takes longer than everything else that `--help` does.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout, and nothing else there.")
]
# Of "supported (asymptotic)" too the exit code says what is printed: it is support, and no failure.
_STRICT = (
    "Exit with 1 if anything is refuted, violated or unknown. A run must be supported; (asymptotic)"
    " is enough."
)
Strict = Annotated[bool, typer.Option("--strict", help=_STRICT)]
Device = Annotated[str, typer.Option(help="Torch device: cpu, cuda or cuda:N.")]
_LATEX = (
    "Write latex/ for a paper: tables, figures of one column, a command for every number, BibTeX;"
    " example.tex uses a piece of each kind."
)
Latex = Annotated[bool, typer.Option("--latex", help=_LATEX)]
Store = Annotated[
    Path,
    typer.Option(
        "--store", help="Folder of the run folders; a finished run is read and not repeated."
    ),
]

_ALLOW = (
    "A file, or a folder, in which import paths that files name (a spec, a stored run, an instance)"
    " may open code; repeatable. Without it they open none. A path of code that you type as an"
    " argument needs no permission."
)
AllowCode = Annotated[list[Path], typer.Option("--allow-code", metavar="PATH", help=_ALLOW)]

_ATTACKED = (
    "A claim about an adapter's smoothness, or a theorem: its id, or FILE.py:NAME, such as"
    " my_paper/claims.py:AVERAGE."
)
Report = Annotated[Path, typer.Argument(help="The folder of a report, or its results.json.")]
Attacked = Annotated[str | None, typer.Argument(metavar="[ID]", help=_ATTACKED, show_default=False)]
_REPLAY = "Judge the instance in this file; a claim of your own is given as ID."
Replay = Annotated[Path | None, typer.Option(help=_REPLAY)]

_JOBS = (
    "Experiments to run at a time, each in a process. It changes no bit of a result: a small"
    " problem has one thread, large ones and networks have OMP_NUM_THREADS threads in each process;"
    " set it to cores / jobs."
)
_CLUSTER = (
    "Run the experiments on a cluster: dask://HOST:PORT (a scheduler), or"
    " slurm?partition=gpu&timeout_min=60 (options of submitit and sbatch). Every machine has the"
    " same versions, and sees the folder --store at the same path. Locks of some network file"
    " systems do nothing: run one sweep at a time."
)

# Options of `falsify` that only a search has.
_SEARCH = ("rank", "adapter", "lipschitz", "starts", "rounds", "examples", "seed", "out")

# The base of all usage errors. Typer has click's own or a copy of it, by version, and exports only
# this leaf.
_ClickError: type[Any] = typer.BadParameter.__mro__[2]


def main() -> None:
    """Entry point; bad usage, errors of boundcheck's, signals and sinks that close end in one
    line.
    """
    with in_one_line():
        try:
            os.getcwd()
        except FileNotFoundError:
            raise InputError(
                "the current folder", "(removed)", "a folder that is there: go to another one"
            ) from None
        # To look for circles among objects after every 700 new ones took a fifth of the time of
        # `prove`.
        gc.set_threshold(100_000, 50, 50)
        # Before Hypothesis is imported, which keeps its tables in the current folder.
        os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(cache_folder() / "hypothesis"))
        try:
            # Under one name however it was called, so that a shell's question reaches it.
            code = app(standalone_mode=False, prog_name="boundcheck")
        except _ClickError as error:
            raise _refused(error) from None
        except OSError as error:
            # Typer writes what a shell is to know into the home folder.
            if "--install-completion" not in sys.argv:
                raise
            raise InputError(
                "--install-completion",
                error.filename,
                f"a home folder that can be written ({error.strerror})",
            ) from None
    raise SystemExit(code)


def _refused(error: Any) -> BoundcheckError:
    """Bad usage in the words of bad input: field, value, and what was expected or meant."""
    message = error.format_message()
    if found := re.match("Option '(.*?)' requires an argument", message):
        return InputError(found[1], "(not given)", "a value after it")
    if error.ctx is None:
        return BoundcheckError(message)
    command = error.ctx.command
    words = sys.argv[1:]
    options = {name: each for each in command.params for name in each.opts if name.startswith("-")}
    if found := re.match("No such command '(.*?)'", message):
        return InputError("COMMAND", found[1], one_of(found[1], command.commands))
    if found := re.search(r"unexpected extra arguments?\S* \((.*)\)", message):
        taken = [each for each in command.params if each.param_type_name == "argument"]
        wanted = " ".join(each.metavar or each.name.upper() for each in taken)
        several = [each.opts[0] for each in command.params if each.multiple]
        if several:
            wanted += f"; each of several values stands behind its option: {', '.join(several)}"
        return InputError("arguments", found[1], f"no more than {wanted}")
    if (name := getattr(error, "option_name", None)) is not None:
        expected = one_of(name, sorted(each for each in options if each.startswith("--")))
        if "--set" in options and "did you mean" not in expected:
            expected += f"; did you mean --set {name.lstrip('-')}=VALUE?"
        return InputError("option", name, expected)
    if (parameter := getattr(error, "param", None)) is None:
        return BoundcheckError(message)
    title = parameter.metavar or parameter.name.upper()
    title = parameter.opts[0] if parameter.opts[0] in options else title
    values = []
    for word, after in pairwise([*words, ""]):
        name, equals, value = word.partition("=")
        if name in parameter.opts:
            values.append(value if equals else after)
    kind = re.search("valid (integer|number|float)", message)
    if kind is None:
        expected = parameter.help[:1].lower() + parameter.help[1:].rstrip(".")
    else:
        expected = "an integer" if kind[1] == "integer" else "a number"
    if values and parameter.multiple:
        expected += f"; {title} stands before each of several"
    return InputError(title, ", ".join(values) or "(not given)", expected)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"boundcheck {boundcheck.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Check convergence theorems: evaluate their bounds, audit their proofs, measure runs against
    them, and report.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


# What examples and exit codes say in several commands.
_CONSTANTS = "--set L=1 --set C=1 --set sigma=1 --set G=3 --set r=8"
_STRICT_CODE = "1, with --strict alone: something was refuted, violated or unknown."


def _command(
    short: str,
    *examples: str,
    writes: str = "Writes no file.",
    zero: str = "it did its work, whatever it found.",
    one: str = "",
) -> Callable[[Callable[..., None]], Any]:
    """Make a function a command of its name, with help beside its options.

    Args:
        short: a line in the list of commands.
        examples: command lines. RUN in one stands for the id of a run.
        writes: what it writes beside its answer, and where.
        zero: when it exits with 0.
        one: when it exits with 1.

    """
    # A paragraph that begins with a backspace keeps its lines.
    typed = "\n".join(f"  {each}" for each in examples)
    codes = " ".join(filter(None, (f"Exit code 0: {zero}", one)))
    ending = (
        f"\b\nExamples:\n{typed}\n\n{writes} The answer goes to stdout, the time left and errors to"
        f" stderr.\n\n{codes} 2: bad usage or bad input, in one line on stderr."
    )
    return app.command(short_help=short, epilog=ending)


@_command(
    "List the claims, or show one whole.",
    "boundcheck claims",
    "boundcheck claims jiang2024",
    "boundcheck claims jiang2024.theorem2",
)
def claims(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID or PAPER]", help="One claim, to be shown whole; or a paper's alone."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the catalogue, each claim with what carries it, the kernel or an argument; or show one
    claim whole.
    """
    from boundcheck.system.terminal import STDOUT, progress

    with progress() as tick:
        tick("reading the catalogue", 0, 1)
        from boundcheck.language.catalogue import catalogue
        from boundcheck.present.screen import catalogue_parts, claim_parts, row
        from boundcheck.proofs import papers

        one = catalogue.opened(name, "ID") if name and name not in papers() else None
        shown = [one] if one else list(papers()[name].claims() if name else catalogue.values())
        answer = (
            {"claims": [row(claim, name or "" if one else "") for claim in shown]}
            if as_json
            else {}
        )
    parts = claim_parts(one, name or "", STDOUT.is_interactive) if one else catalogue_parts(shown)
    _tell(as_json, answer, parts)


@_command("Print what to cite for a claim.", "boundcheck cite jiang2024.theorem2")
def cite(
    claim_id: Annotated[
        str, typer.Argument(metavar="ID", help="A claim, such as jiang2024.theorem2.")
    ],
    as_json: Json = False,
) -> None:
    """Print what to cite for a claim, as BibTeX: the papers that it comes from, and boundcheck with
    the claim's id.
    """
    from boundcheck.language.catalogue import catalogue, cited
    from boundcheck.system.terminal import print_json

    claim = catalogue.opened(claim_id, "ID")
    entries = cited(claim)
    if as_json:
        said = {"keys": [each.key for each in entries], "bibtex": [each.text for each in entries]}
        print_json({"claim": claim.id, "source": claim.source} | said)
    else:
        typer.echo(visible("\n\n".join(each.text for each in entries)))


@_command(
    "Evaluate a claim at given constants.",
    f"boundcheck bound jiang2024.lemma1 {_CONSTANTS}",
    f"boundcheck bound jiang2024.theorem2 {_CONSTANTS} --set zeta=0.1 --set D=1 --set T=10_000"
    " --json",
)
def bound(
    claim_id: Annotated[
        str, typer.Argument(metavar="ID", help="A claim with a number, such as jiang2024.theorem2.")
    ],
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="A symbol's value: r=8, zeta=0.1, T=10_000, G=1/3."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Evaluate the quantities of a claim at given constants, each with a rigorous enclosure."""
    from boundcheck.exact.digits import shown
    from boundcheck.language.catalogue import catalogue
    from boundcheck.language.symbols import toward
    from boundcheck.language.view import Prose, Table
    from boundcheck.system.terminal import assignments_of

    claim = catalogue.opened(claim_id, "ID")
    inputs = assignments_of(assignments or [])
    values = claim.values(**inputs)
    enclosures = {name: ball.str(15) for name, ball in claim.enclosures(**inputs).items()}
    rows = [
        (
            each.name,
            shown(values[each.name], 6, toward(each.name)),
            enclosures[each.name],
            Prose(each.meaning),
        )
        for each in claim.quantities
    ]
    head = ("quantity", "value", "enclosure (Arb)", "meaning")
    answer = {"claim": claim.id, "values": values, "enclosures": enclosures}
    _tell(as_json, answer, [Table(head, rows, f"{claim.id}: {claim.title}")])


@_command(
    "Audit proofs line by line.",
    "boundcheck prove jiang2024",
    "boundcheck prove meft.lora -v",
    "boundcheck prove my_lemma.py --strict",
    writes="Writes no file, but what --export asks for.",
    one=_STRICT_CODE,
)
def prove(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID or script.py ...]",
            help="Claims, papers, folders of papers, scripts; default: all papers.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--export",
            help="Write proofs as LaTeX, certificates, and lines as SMT-LIB into this folder.",
        ),
    ] = None,
    rocq: Annotated[
        Path | None,
        typer.Option("--rocq", help="Write each proved proof as a file for Rocq into this folder."),
    ] = None,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", help="Look for numbers that make a false lemma true, 20 s for each lemma."
        ),
    ] = False,
    whole: Annotated[
        bool,
        typer.Option("-v", "--verbose", help="Show all that is found, of few claims each line."),
    ] = False,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Audit proofs line by line: proved by the kernel, refuted by a witness, or unknown."""
    from boundcheck.system.terminal import STDOUT, print_json, progress

    with progress() as tick:
        from boundcheck.language import screen, view
        from boundcheck.proof.export import export, export_rocq
        from boundcheck.proof.repair import repairs
        from boundcheck.proof.view import show

        outcome = boundcheck.prove(*(targets or ()), tick=tick)
        proofs = [proof for claim in outcome.claims for proof in claim.proofs]
        false = [x for x in proofs if x.script.is_lemma and x.verdict == "refuted" and repair]
        mended = dict[str, list[str]]()
        for i, proof in enumerate(false):
            tick(f"repairing {proof.script.id}", i, len(false))
            mended[proof.script.id] = list(map(str, repairs(proof.script)))
        tick("writing", 0, 1)
        files = [
            *(export(outcome, out) if out else []),
            *(export_rocq(outcome, rocq) if rocq else []),
        ]
        answer = outcome.as_json() if as_json else {}
        if files:
            answer["files"] = list(map(str, files))
        if repair:
            answer["repairs"] = mended
    if as_json:
        print_json(answer)
    else:
        screen.show(STDOUT, *show(outcome, whole))
        if repair and not mended:
            screen.show(STDOUT, view.line("No lemma is false"))
        for id, found in mended.items():
            for said in found or ["no other number in it was found that makes it true"]:
                screen.show(STDOUT, view.line(f"{id}: {said}"))
        if files:
            folders = " and ".join(str(each) for each in (out, rocq) if each)
            screen.show(STDOUT, view.line(f"Exported: {len(files)} files in {folders}"))
    if strict and any(proof.verdict != "proved" for proof in proofs):
        raise typer.Exit(1)


@_command(
    "Search for an instance that breaks a claim.",
    "boundcheck falsify meft.lemma1_sharp --rank 1 --rank 2",
    "boundcheck falsify nesterov2004.gradient_descent --horizon 3",
    "boundcheck falsify --replay instances/meft.lemma1_sharp.json",
    writes="A search writes its best instance to --out.",
    one=_STRICT_CODE,
)
def falsify(
    context: typer.Context,
    claim_id: Attacked = None,
    replay: Replay = None,
    rank: Annotated[
        list[int] | None, typer.Option(help="Ranks to report; default: 1 to 8.")
    ] = None,
    horizon: Annotated[
        list[int] | None, typer.Option(help="T, of a theorem; default: 2, 3 and 4.")
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Value of a letter, such as L=2 or h=0.5; default: 1.",
        ),
    ] = None,
    adapter: Annotated[
        str | None, typer.Option(help="Adapter, where the claim is about several.")
    ] = None,
    lipschitz: Annotated[
        str, typer.Option(help="What C stands for: sigma, or sqrt(r) sigma.")
    ] = "sigma",
    starts: Annotated[int, typer.Option(help="Random starts of each climb.")] = 16,
    rounds: Annotated[int, typer.Option(help="Steps of each climb.")] = 96,
    examples: Annotated[
        int, typer.Option(help="Structures that Hypothesis tries beyond the ranks.")
    ] = 64,
    seed: Annotated[int, typer.Option(help="Of all random choices.")] = 0,
    hours: Annotated[
        float, typer.Option(help="The most that a stage may take, at its first pace.")
    ] = DAY,
    out: Annotated[
        Path | None, typer.Option(help="File of the best instance; default: instances/<ID>.json.")
    ] = None,
    allow_code: AllowCode = [],  # noqa: B006
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Search for an instance that violates a claim, or on which it is tightest; solve for a
    theorem's worst case.
    """
    from boundcheck.language.symbols import exact
    from boundcheck.system.terminal import assignments_of, progress

    constants = {
        name: float(exact(name, value)) for name, value in assignments_of(assignments or []).items()
    }
    with progress() as tick, allowing(*allow_code):
        from boundcheck.language.sentence import algorithm_of
        from boundcheck.language.view import Fold
        from boundcheck.worst_case.stored import replayed, save

        claim = boundcheck.claims.opened(claim_id, "ID") if claim_id else None
        if replay is not None:
            _refuse(context, (*_SEARCH, "horizon", "assignments", "hours"), "with --replay")
            found: Any = replayed(replay, claim)
            answer = found.as_json()
            noun = "instance"
        elif claim is None:
            raise InputError("ID", "(not given)", "a claim to attack, or --replay FILE")
        elif algorithm_of(claim):
            _refuse(context, _SEARCH, f"for a theorem, which {claim.id} is")
            found = boundcheck.falsify(
                claim, boundcheck.WorstCase(horizon or (2, 3, 4), constants), tick=tick, hours=hours
            )
            answer = found.as_json()
            noun = "case"
        else:
            _refuse(context, ("horizon",), f"but for a theorem, which {claim.id} is not")
            method = boundcheck.Search(
                rank or range(1, 9), constants, adapter, lipschitz, starts, rounds, examples, seed
            )
            found = boundcheck.falsify(claim, method, tick=tick, hours=hours)
            save(found.instance, path := out or Path("instances") / f"{claim.id}.json")
            answer = found.as_json() | {"file": str(path)}
            noun = "claim"
        view = found.view()
    # An instance has a file.
    parts = [view.head, *view.lines, *(x for x in view.parts if not isinstance(x, Fold))]
    parts += [f"Instance: {answer['file']}"] if "file" in answer else []
    attacked = found if noun == "case" else [found]
    verdicts = ["violated" if each.violated else "not violated" for each in attacked]
    _tell(as_json, answer, [*parts, f"{amount(len(verdicts), noun)}: {tally(verdicts)}"])
    if strict and found.violated:
        raise typer.Exit(1)


@_command(
    "Run experiments, audit them, write a page.",
    "boundcheck measure my_spec.toml",
    "boundcheck measure my_spec.toml --jobs 2 --store runs --out my-report --strict",
    "boundcheck measure my_spec.toml --allow-code my_loss.py",
    writes="Runs are kept in --store, and the page is written to --out.",
    one=_STRICT_CODE,
)
def measure(
    spec: Annotated[
        Path,
        typer.Argument(
            metavar="SPEC.toml", help="An experiment, or a sweep: any list in the spec."
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the report page; default: <store>/report-<spec>.")
    ] = None,
    store: Store = Path("runs"),
    device: Device = "cpu",
    jobs: Annotated[int, typer.Option(help=_JOBS)] = 1,
    cluster: Annotated[str | None, typer.Option(metavar="ADDRESS", help=_CLUSTER)] = None,
    hours: Annotated[
        float, typer.Option(help="The most that an experiment may take, at its first pace.")
    ] = DAY,
    memory: Annotated[
        float | None,
        typer.Option(
            metavar="GIB", help="The memory that all of a time may take; default: what there is."
        ),
    ] = None,
    allow_code: AllowCode = [],  # noqa: B006
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Run the experiments of a spec, audit them, and write a report page."""
    from boundcheck.proofs import home_of, paper_at
    from boundcheck.system.terminal import progress

    home = home_of(spec)
    is_allowed = home and any(home.is_relative_to(each.resolve()) for each in allow_code)
    if home and is_allowed:
        # Its specs are about its own claims.
        paper_at(home)
    page = (out or store / f"report-{spec.stem}") / "index.html"
    command = typed("measure", path_from_here(spec), *as_options(allow_code))
    with progress() as tick:
        try:
            results = boundcheck.measure(
                spec,
                store,
                device=device,
                tick=tick,
                executor=cluster or jobs,
                limits=boundcheck.Limits(hours, memory),
                allow_code=allow_code,
            )
        except InputError as error:
            if error.field != "claim" or home is None or is_allowed:
                raise
            own = typed("measure", path_from_here(spec), *as_options([home]))
            expected = f"{error.expected}; the claims of the spec's own paper are known to {own}"
            raise InputError("claim", error.value, expected) from None
        tick("page", 0, 1)
        from boundcheck.experiment.view import verdicts_table
        from boundcheck.present.page import write_runs
        from boundcheck.present.screen import ending

        lead = f"The experiments of {spec.name}."
        files = write_runs(results, page, f"{spec.stem}, measured", lead, command)
    told = [each.as_json() for each in results]
    _tell(
        as_json,
        {"runs": told, "report": str(files[0])},
        [
            verdicts_table(told),
            f"Report: {files[0]}",
            *ending(((x["verdict"], f"{x['run_id']}: {x['reason']}") for x in told), "run"),
        ],
    )
    _exit(strict, [result.verdict for result in results])


@_command(
    "Make the folder of a paper of your own.",
    "boundcheck new my_paper",
    writes="Writes the folder, which must not be there yet.",
)
def new(
    folder: Annotated[
        Path, typer.Argument(help="The folder, whose name the ids of its claims begin with.")
    ],
    as_json: Json = False,
) -> None:
    """Make the folder of a paper of your own: claims, a proof, a referee's table and an experiment,
    to be changed.
    """
    from boundcheck.proofs import new

    files = new(folder)
    names = [str(path) for path in files]
    _tell(as_json, {"files": names}, [*names, f"To audit it: {typed('audit', files[0].parent)}"])


@_command(
    "The main job: all of a paper in one report.",
    "boundcheck audit jiang2024",
    "boundcheck audit my_paper --out my-report",
    writes="Runs are kept in --store, and the report is written to --out.",
    one=_STRICT_CODE,
)
def audit(
    paper: Annotated[
        str, typer.Argument(help="The paper's key, such as jiang2024, or its folder.")
    ],
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="Make the whole report that papers cite: minutes instead of one."
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help=(
                "Folder of the report; default: <store>/report-<paper>, with --full"
                " reports/<paper>."
            )
        ),
    ] = None,
    store: Store = Path("runs"),
    device: Device = "cpu",
    runs: Annotated[
        bool, typer.Option("--runs", help="Print the verdict on every run as well.")
    ] = False,
    latex: Latex = False,
    allow_code: AllowCode = [],  # noqa: B006
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """The main job: a paper's proofs, runs and bounds, into one report. The referee's table comes
    first.
    """
    from boundcheck.system.terminal import STDOUT, progress

    with progress(in_seconds=True) as tick:
        from boundcheck.language.screen import show
        from boundcheck.present.screen import ending, findings_parts
        from boundcheck.proof.view import rows_table

        def proved(proofs: Any) -> None:
            if not as_json:
                with tick.aside():
                    show(STDOUT, rows_table(proofs.rows))

        outcome = boundcheck.audit(
            paper,
            out,
            runs=store,
            device=device,
            tick=tick,
            full=full,
            proved=proved,
            latex=latex,
            allow_code=allow_code,
        )
        # Deferred: it imports torch, and the proofs are on the screen before.
        from boundcheck.experiment.view import verdicts_table
    each_run = [verdicts_table(outcome["runs"] + outcome["faults"])] if runs else []
    told = [
        (x["verdict"], f"{x['locator']}: {(x['summary'] or x['evidence']).partition('. ')[0]}")
        for x in outcome["findings"]
    ]
    shown = *each_run, *findings_parts(outcome), f"Report: {outcome['report']}"
    _tell(as_json, outcome, (*shown, *ending(told, "finding")))
    _exit(strict, [each["verdict"] for each in outcome["findings"] + outcome["runs"]])


@_command(
    "Figures and tables from stored runs.",
    "boundcheck report runs/RUN --out my-report --data",
    writes="The page and its files are written to --out.",
)
def report(
    run: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of finished runs.")],
    out: Annotated[Path, typer.Option(help="Folder to write into.")] = Path("report"),
    data: Annotated[
        bool, typer.Option("--data", help="Export each trace as netCDF and CSV too.")
    ] = False,
    section: Annotated[
        list[str],
        typer.Option(
            metavar="MODULE[:NAME]",
            help="A section of your own: a module or my_file.py; repeatable.",
        ),
    ] = [],  # noqa: B006
    claim: Annotated[
        list[str],
        typer.Option(
            metavar="MODULE:NAME", help="A claim of your own that runs are about; repeatable."
        ),
    ] = [],  # noqa: B006
    allow_code: AllowCode = [],  # noqa: B006
    latex: Latex = False,
    as_json: Json = False,
) -> None:
    """Figures and tables from stored runs."""
    from boundcheck.system.terminal import progress

    command = typed("report", *map(path_from_here, run), *as_options(allow_code))
    lead = f"{len(run)} stored run{'s' if len(run) > 1 else ''}."
    with progress() as tick, allowing(*allow_code):
        tick("page", 0, 1)
        from boundcheck.language.catalogue import catalogue
        from boundcheck.present.material import load_runs
        from boundcheck.present.page import export_data, write_runs

        for each in claim:
            # Runs name it by its path, and those of a claim that was given as an object by its id.
            catalogue.opened(catalogue.opened(each, "claim"))
        files = write_runs(run, out / "index.html", "Stored runs", lead, command, section, latex)
        if data:
            tick("data", 0, 1)
            files += export_data(load_runs(run), out / "data")
    names = [str(path) for path in files]
    _tell(as_json, {"files": names}, names)


@_command(
    "List reports of papers on one page.",
    "boundcheck index reports/jiang2024 reports/meft --out index.html",
    writes="Writes the page to --out.",
)
def index(
    reports: Annotated[
        list[Path], typer.Argument(metavar="REPORT...", help="Folders that audit has written.")
    ],
    out: Annotated[Path, typer.Option(help="File of the page.")] = Path("index.html"),
    as_json: Json = False,
) -> None:
    """List reports of papers on one page, each with its verdicts and a link."""
    from boundcheck.present.index import write_index

    names = [str(path) for path in write_index(reports, out)]
    _tell(as_json, {"files": names}, names)


@_command(
    "Compare two reports.",
    "boundcheck diff runs/report-my_spec my-report",
    zero="nothing moved.",
    one="1: something moved.",
)
def diff(
    old: Report,
    new: Report,
    within: Annotated[
        float, typer.Option(help="Relative difference up to which two numbers are the same.")
    ] = 1e-6,
    as_json: Json = False,
) -> None:
    """Compare two reports: verdicts, bounds and all other results, and what came or went. By what
    machine, day and version a run was made is not compared.
    """
    from boundcheck.present.moves import moves

    found = moves(old, new, within)
    _tell(as_json, found.as_json(), found.parts())
    if found.moves:
        raise typer.Exit(1)


Target = Annotated[str, typer.Argument(metavar="ID", help="A paper or a claim with proofs.")]


@_command(
    "Draw a badge of what the proofs come to.",
    "boundcheck badge jiang2024.theorem2",
    writes="Writes the badge to --out.",
)
def badge(
    target: Target,
    out: Annotated[Path | None, typer.Option(help="File; default: <ID>-badge.svg.")] = None,
    as_json: Json = False,
) -> None:
    """Draw a badge of what the proofs of a paper or of a claim come to, for a README: SVG."""
    _draw(target, out or Path(f"{target}-badge.svg"), as_json, (".svg",))


@_command(
    "Draw a card of what the proofs come to.",
    "boundcheck card jiang2024.theorem2",
    "boundcheck card bottou2018 --out bottou2018.png",
    writes="Writes the card to --out.",
)
def card(
    target: Target,
    out: Annotated[
        Path | None, typer.Option(help="File, .svg or .png; default: <ID>-card.svg.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw a card of what the proofs of a paper or of a claim come to, 1200 × 630: SVG or PNG."""
    _draw(target, out or Path(f"{target}-card.svg"), as_json, (".svg", ".png"))


def _draw(target: str, out: Path, as_json: bool, kinds: tuple[str, ...]) -> None:
    """Draw a badge, or a card, which may be of pixels too."""
    from boundcheck.system.terminal import progress

    if out.suffix not in kinds:
        raise InputError("--out", out, f"a file whose name ends in {' or '.join(kinds)}")
    with progress() as tick:
        from boundcheck.present import card
        from boundcheck.present.page import write_files
        from boundcheck.present.style import png, svg

        rows = card.judged(target, tick)
        if len(kinds) == 1:
            content = card.badge(target, rows).encode()
        else:
            drawn = card.card(target, rows)
            content = png(drawn) if out.suffix == ".png" else svg(drawn).encode()
        write_files({out: content})
    said = card.words(rows)
    _tell(as_json, {"words": said, "file": str(out)}, (said, str(out)))


def _tell(as_json: bool, answer: dict[str, Any], parts: Iterable[Any]) -> None:
    """Print one JSON object, or for a person the parts of a view; a text is a line."""
    from boundcheck.language.screen import show
    from boundcheck.language.view import line
    from boundcheck.system.terminal import STDOUT, print_json

    if as_json:
        print_json(answer)
    else:
        show(STDOUT, *(line(part) if isinstance(part, str) else part for part in parts))


def _refuse(context: typer.Context, names: tuple[str, ...], why: str) -> None:
    """Raise InputError for the first of these options that was typed."""
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if option.name in names and source is not None and source.name == "COMMANDLINE":
            value = context.params[option.name]
            said = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
            raise InputError(option.opts[0], said, f"no {option.opts[0]} {why}")


def _exit(strict: bool, verdicts: Iterable[str]) -> None:
    if strict and not all(map(is_well, verdicts)):
        raise typer.Exit(1)
