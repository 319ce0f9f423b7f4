"""What comes from outside and would be believed: texts that run, grow or hide, names, stored files, weak verdicts.

Of each kind the way in; that files of runs, stored instances, formulas and specs are refused whatever is wrong in them
is tried by property where they are read: `tests/experiment/test_damage.py`, `tests/worst_case/test_stored.py`,
`tests/language/test_inputs.py` and others.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import sympy as sp
from rich.console import Console
from sympy import Identity, Le, MatAdd, MatMul, MatrixSymbol, Symbol

from boundcheck.checked.runs import Run
from boundcheck.errors import BoundcheckError, InputError
from boundcheck.experiment.experiment import prepare
from boundcheck.experiment.result import read
from boundcheck.experiment.spec import expand, specs_of
from boundcheck.experiment.spec import read as read_spec
from boundcheck.functions.networks.gpt import GPTSpec
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantity, latex_of
from boundcheck.language.exchange import claim_as_json, claim_from_json
from boundcheck.language.screen import show
from boundcheck.language.symbols import G, L, Lhat, Parameter, rho, s
from boundcheck.language.vocabulary import FrobeniusNorm
from boundcheck.present.page import Page
from boundcheck.present.screen import findings_parts, verdicts_table
from boundcheck.present.style import panels, svg
from boundcheck.system.files import file_name
from boundcheck.system.limits import check_memory, silent
from boundcheck.system.tables import validated
from boundcheck.verdicts import Verdict
from boundcheck.worst_case.relation import Assignment
from boundcheck.worst_case.stored import replayed
from tests.experiment.small import theorem_table
from tests.results import a_run
from tests.results import stored as stored_result
from tests.worst_case.small import instance_of

from .case import Case, of_acts, refusal

KAPPA = sp.Symbol("kappa", positive=True)


def same(name: str, why: str, act: Callable[..., str], wrong: Any, twin: Any) -> Case:
    """A case of one act, which returns the line of refusal, on what is wrong and on what is fine."""
    return Case(name, why, lambda folder: act(folder, wrong), lambda folder: act(folder, twin))


# Texts and tables that are read.


def spec(folder: Path, text: str) -> str:
    """A spec with this text in it."""
    path = folder / "spec.toml"
    path.write_text(
        f'claim = "jiang2024.theorem2"\n{text}\n[adapter]\nrank = 2\n[problem]\nkind = "pseudo-huber"\n', "utf-8"
    )
    return refusal(lambda: specs_of(path))


def planned(folder: Path, assumed: dict[str, str]) -> str:
    """A spec that assumes this, as far as its plan is drafted."""
    table = theorem_table(run__steps="informative") | {"assume": assumed}
    return refusal(lambda: [prepare(x, folder, "cpu", silent) for x in expand(table)])


def of_side(_: Path, d: int) -> str:
    """A spec with a matrix of this side."""
    return refusal(lambda: list(expand(theorem_table(problem__d=d))))


def attended(_: Path, shape: dict[str, int]) -> str:
    """A GPT of this shape, where a GiB is allowed."""
    return refusal(lambda: check_memory(validated(GPTSpec, {"kind": "gpt"} | shape).demands(), 1))


def marked(folder: Path, do: Callable[[str], Any]) -> str:
    """What is said of a text that makes a file; "" where the file is there: the text ran."""
    path = folder / "ran"
    try:
        do(f"__import__('pathlib').Path({str(path)!r}).touch()")
    except (BoundcheckError, TypeError, ValueError, sp.SympifyError) as error:
        return "" if path.exists() else " ".join(str(error).split())
    return ""


def titled(_: Path, title: str) -> str:
    """A claim in a file that has this title."""
    data = json.loads(json.dumps(claim_as_json(catalogue["jiang2024.theorem2"]))) | {"title": title}
    return refusal(lambda: claim_from_json(data))


def own(expression: Any, **more: Any) -> Claim:
    """A claim of one's own with this constant."""
    return Claim("my.claim", "Mine", "me", sp.Le(1, Lhat), quantities=(Quantity(Lhat, expression, "mine"),), **more)


def telling(*formulas: tuple[sp.Symbol, sp.Symbol]) -> Claim:
    """A claim with these quantities, in their order."""
    quantities = tuple(Quantity(symbol, formula, "") for symbol, formula in formulas)
    return Claim("c", "C", "me", sp.Le(1, formulas[0][0]), quantities=quantities)


def tie(_: Path, kappa: str) -> str:
    """A condition with exp at a point where both of its sides may be the same."""
    claim = own(KAPPA, declared=(Parameter(KAPPA, "positive real", ""),), conditions=(sp.Ge(sp.exp(KAPPA), sp.exp(L)),))
    return refusal(lambda: claim.values(L=1, kappa=kappa))


# Stored instances that take minutes, and files without an end.


def replay(folder: Path, data: Any) -> str:
    """What is said of a stored instance."""
    (folder / "stored.json").write_text(json.dumps(data))
    return refusal(lambda: replayed(folder / "stored.json"))


def product(sides: int, factors: int) -> Any:
    """A stored relation about a product of constant matrices, whose side is a letter."""
    n = Symbol("n", positive=True, integer=True)
    twice = MatAdd(Identity(n), Identity(n), evaluate=False)
    claim = Claim("mine", "Mine", "me", Le(FrobeniusNorm(MatMul(*[twice] * factors, evaluate=False)), n))
    return Assignment(claim, {}, {"n": float(sides)}).as_json()


def large(side: int) -> Any:
    """Lemma 1 on matrices of this side."""
    data = instance_of("lora").as_json()
    W, points = np.eye(side).tolist(), {"A": np.eye(2, side).tolist(), "B": np.eye(side, 2).tolist()}
    return data | {
        "adapter": data["adapter"] | {"W0": W},
        "objective": data["objective"] | {"direction": W, "tilt": W},
        "v": points,
        "other": points | {"A": (0.5 * np.eye(2, side)).tolist()},
        "radii": dict.fromkeys(data["radii"], 1.0),
    }


def nested(name: str) -> Any:
    """A stored relation of a relation, or of a number."""
    X = MatrixSymbol("X", 2, 2)
    data = Assignment(Claim("mine", "Mine", "me", Le(FrobeniusNorm(X), 1)), {"X": np.eye(2)}, {}).as_json()
    inner = [name, ["FrobeniusNorm", ["MatrixSymbol", "X", "2", "2"]], "1"]
    return data | {"claim": data["claim"] | {"conclusion": ["LessThan", inner, "1"]}}


def without_end(name: str, read: Callable[[Path], Any], why: str) -> Case:
    """A device in the place of a file, that is never read to its end."""

    def attempt(folder: Path) -> str:
        (folder / name).symlink_to("/dev/zero")
        return refusal(lambda: read(folder / name))

    return Case(f"{name} without an end", why, attempt, lambda folder: replay(folder, nested("Add")))


# Stored verdicts that say more than their statistics bear, and screens that hide it.


def badge(_: Path, result: tuple[Any, ...]) -> str:
    """How a page that shows the run's verdict ends."""
    return refusal(lambda: Page().badge(read(stored_result(*result)).verdict))


def trial(_: Path, true: bool) -> str:
    """What the survey of false runs says of one that is supported by Student's interval."""
    run = Run("x", "constant", "D by 1/2", true, "", {}, ("constant", "D"))
    found = run.recorded(run.judged(a_run(verdict=Verdict.SUPPORTED_ASYMPTOTIC)), 1.0)
    return f"{found.outcome} is a wrong verdict" if found.wrong else ""


def table_row(_: Path, verdict: str) -> str:
    """What the referee's table shows of a ground, in a terminal of 80 columns."""
    row = {"number": 8, "locator": "Lemma 1", "verdict": verdict, "evidence": "Seen.", "summary": ""}
    text = io.StringIO()
    show(Console(file=text, width=80), *findings_parts({"findings": [row], "summary": "", "adds": ""}))
    return "(asymptotic)" if "(asymptotic)" in text.getvalue() else ""


# Names that a display would take for something else.


def drawn(title: str) -> str:
    """A figure with this title is drawn, and has as many letters as are typed: "" where it has fewer, or an error."""
    count = []
    for text in (title, "x" * len(title)):

        def draw(axis: Any, _: Any, text: str = text) -> None:
            axis.set_title(text, loc="left")

        try:
            count.append(svg(panels([1], draw)).count("<use "))
        except ValueError:
            return ""
    return f"{count[0]} letters" if count[0] == count[1] else ""


def on_screen(reason: str) -> str:
    """The line of a table on the screen."""
    console = Console(file=io.StringIO(), width=200)
    show(console, verdicts_table([{"run_id": "1", "claim": "c", "verdict": "violated", "reason": reason}]))
    return next(line.strip() for line in console.file.getvalue().splitlines() if "violated" in line)


def error(value: Any) -> str:
    return str(InputError("T", value, "a number"))


def letter(name: str) -> str:
    return latex_of(sp.Symbol(name))


def matrix(name: str) -> str:
    return latex_of(sp.Trace(sp.MatrixSymbol(name, 2, 2)))


def file_in(folder: Path, name: str) -> str:
    """The name of a file in this folder, where it is not the one that was typed; "" where it is."""
    path = (folder / file_name(name)).resolve()
    return path.name if path.parent == folder.resolve() and path.name != name else ""


def seen(name: str, truth: str, act: Callable[[Any], str], wrong: Any, fine: Any, expected: str) -> Case:
    """A display tells the truth of what is wrong, and shows what is fine as it is expected; both are patterns."""

    def twin(_: Path) -> str:
        found = act(fine)
        return "" if re.search(expected, found) else f"another display: {found}"

    return Case(name, truth, lambda _: act(wrong), twin)


LORA = catalogue["meft.lora"]
NOT_A_PATH = r"^_.*-[0-9a-f]{8}$"
CASES = [
    *(
        same(name, why, spec, wrong, twin)
        for name, why, wrong, twin in (
            ("a tower of powers", r"^assume\.bound = .*exp", '[assume]\nbound = "9**9**9"', '[assume]\nbound = "9"'),
            ("a seed that no generator takes", r"^seed = .*less than", f"seed = {'9' * 20}", "seed = 9"),
        )
    ),
    same("a shortest horizon that is 0", r"^spec = T_min = 0", planned, {"T_min": "0*T_min"}, {"T_min": "2*T_min"}),
    same("a bound that overflows", r"^run\.steps = .*no inf", planned, {"bound": "bound*exp(T)"}, {"bound": "bound*2"}),
    same("a side that takes minutes", r"^problem\.d = 2896: .*512", of_side, 2896, 4),
    same(
        "attention that no memory holds",
        r"^model\.context = .*GiB",
        attended,
        {"heads": 64, "context": 8192},
        {"heads": 4, "context": 64},
    ),
    Case(
        "code in place of a matrix",
        r"^Sympify",
        lambda folder: marked(folder, FrobeniusNorm),
        lambda _: refusal(lambda: FrobeniusNorm(sp.MatrixSymbol("X", 2, 2))),
    ),
    Case(
        "code in place of a value in a special case",
        r"^s = .*a SymPy expression",
        lambda folder: marked(folder, lambda code: LORA.case("x", "x", "me", {s: code})),
        lambda _: refusal(lambda: LORA.case("x", "x", "me", {s: sp.Integer(2)})),
    ),
    same("a claim that moves the cursor", r"^claim\.title = .*control char", titled, "\x1b[2Kproved", "Mine"),
    of_acts(
        "a quantity that is told later",
        r"^claim\.quantities = rho: ",
        lambda: telling((Lhat, rho), (rho, G)),
        lambda: telling((rho, G), (Lhat, rho)),
    ),
    of_acts(
        "a quantity that is told twice",
        r"^claim\.quantities = Lhat: .*one quantity",
        lambda: telling((Lhat, L), (Lhat, G)),
        lambda: telling((Lhat, L)),
    ),
    same("a tie of exponentials", r"^sign = .*bits", tie, "1", "2"),
    of_acts(
        "a function that has no enclosure",
        r"^formula = sin",
        lambda: own(sp.sin(L)).enclosures(L=1),
        lambda: own(sp.exp(L)).enclosures(L=1),
    ),
    same("a product that takes minutes", r"^claim = mine, with \d+ steps", replay, product(2000, 6), product(2, 1)),
    same("matrices that take minutes", r"^adapter = 500 x 500 .*exact arithmetic", replay, large(500), large(3)),
    same(
        "a relation in the place of a number",
        r"^claim\.conclusion = .*vocabulary",
        replay,
        nested("LessThan"),
        nested("Add"),
    ),
    without_end("an instance.json", replayed, r"^--replay = .*no regular file"),
    without_end("a spec.toml", read_spec, r"^SPEC = .*no regular file"),
    *(
        same(name, why, badge, wrong, ("supported", "nonasymptotic"))
        for name, why, wrong in (
            ("stored support over four replicas", r"^verdict = .*8 replicas", ("supported", "asymptotic", 4)),
            ("a stored verdict of a proof", r"^verdict = proved: .*violated", ("proved", "nonasymptotic")),
            ("a stored interval of no kind", r"^interval.kind = certain: .*exact", ("supported", "certain")),
        )
    ),
    same("a false run that Student's interval supports", r"^supported .* is a wrong verdict", trial, False, True),
    same("a table too narrow for its ground", r"^\(asymptotic\)$", table_row, "supported (asymptotic)", "supported"),
    seen("a command as the name of a letter", "backslash", letter, r"x}\input{secret", "x", "^x$"),
    seen("a command as the name of a matrix", "backslash", matrix, r"A}\input{secret", "A", "A"),
    seen("dollars in the title of a figure", "letters", drawn, "a$b$c", "abc", "letters"),
    seen("TeX that is none in the title of a figure", "letters", drawn, r"a$\frac$c", "abc", "letters"),
    seen("a colour in a reason", r"\[green\]supported", on_screen, "[green]supported[/green]", "fine", "fine"),
    seen("a colour that is never closed", r"\[/x\]", on_screen, "[/x]", "fine", "fine"),
    seen("an error that moves the cursor", r"^T = \\x1b\[2K", error, "\x1b[2Kfine", "fine", "^T = fine: expected a n"),
    seen("an error that is longer than Python prints", "too long to print", error, 10**5000, 1, "^T = 1: expected a n"),
    same("a name that is a path out of the folder", NOT_A_PATH, file_in, "../../secret", "my.claim"),
    same("a name that is a path of its own", NOT_A_PATH, file_in, "/etc/passwd", "my.claim"),
]
