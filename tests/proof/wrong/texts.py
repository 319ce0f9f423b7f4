"""Texts that would run code, ask for more memory than there is, or drop a letter: specs, numbers,
claims, folders."""

import json

import sympy as sp

from boundcheck.errors import BoundcheckError
from boundcheck.experiment.experiment import prepare
from boundcheck.experiment.spec import expand, specs_of
from boundcheck.functions.networks.bridge import held
from boundcheck.functions.networks.gpt import GPTSpec
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantity
from boundcheck.language.symbols import G, L, Lhat, Parameter, rho, s
from boundcheck.language.vocabulary import FrobeniusNorm
from boundcheck.system.limits import check_memory, silent
from boundcheck.system.tables import validated
from tests.experiment.small import theorem_table

from .case import Case, of_acts, refusal

THEOREM = catalogue["jiang2024.theorem2"]
NUMBERS = {"L": 1, "C": 1, "sigma": 1, "G": 3, "r": 4, "D": 1, "zeta": 1, "T": 10_000}
KAPPA = sp.Symbol("kappa", positive=True)
DECLARED = Parameter(KAPPA, "positive real", "a factor")


def attended(heads, context):
    """The bytes of a GPT with so many heads and tokens, where a GiB is allowed."""
    return check_memory(
        validated(GPTSpec, {"kind": "gpt", "heads": heads, "context": context}).demands(), 1
    )


def spec(text):
    """A spec with this text in it."""

    def read(folder):
        path = folder / "spec.toml"
        path.write_text(
            f'claim = "jiang2024.theorem2"\n{text}\n[adapter]\nrank = 2\n[problem]\nkind ='
            ' "pseudo-huber"\n',
            "utf-8",
        )
        return refusal(lambda: specs_of(path))

    return read


def fitting(folder, **run):
    """A run of so many replicas and audits in 1 GiB, before it starts."""
    (made,) = expand(
        theorem_table(run__steps=1000, **{f"run__{name}": count for name, count in run.items()})
    )
    return refusal(lambda: prepare(made, folder, "cpu", silent, 1.0))


def assumed(formula):
    """A spec that assumes this of the bound."""
    return spec(f'[assume]\nbound = "{formula}"')


def number(value, name="T"):
    """This value of a symbol, as `--set` has it."""
    return lambda _: refusal(lambda: THEOREM.values(**NUMBERS | {name: value}))


def claimed(expression, **more):
    """A claim of one's own with this constant."""
    return lambda _: refusal(lambda: own(expression, **more))


def own(expression, **more):
    """A claim of one's own with this constant."""
    return Claim(
        "my.claim",
        "Mine",
        "me",
        sp.Le(1, Lhat),
        quantities=(Quantity(Lhat, expression, "mine"),),
        **more,
    )


def telling(*formulas):
    """A claim with these quantities, in their order."""
    quantities = tuple(Quantity(symbol, formula, "") for symbol, formula in formulas)
    return Claim("c", "C", "me", sp.Le(1, formulas[0][0]), quantities=quantities)


def marked(folder, do):
    """What is said of a text that makes a file; "" where the file is there: the text ran."""
    path = folder / "ran"
    try:
        do(f"__import__('pathlib').Path({str(path)!r}).touch()")
    except (BoundcheckError, TypeError, ValueError, sp.SympifyError) as error:
        return "" if path.exists() else " ".join(str(error).split())
    return ""


def model(config):
    """A model's folder with this in its tokenizer's configuration."""

    def read(folder):
        (folder / "config.json").write_text('{"model_type": "gpt2"}')
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
        return refusal(lambda: held(folder))

    return read


def tie(kappa):
    """A condition with exp at a point where both of its sides may be the same."""
    claim = own(KAPPA, declared=(DECLARED,), conditions=(sp.Ge(sp.exp(KAPPA), sp.exp(L)),))
    return lambda _: refusal(lambda: claim.values(L=1, kappa=kappa))


def planned(formula):
    """A spec that assumes this, as far as its plan is drafted."""

    def attempt(folder):
        table = theorem_table(run__steps="informative")
        name, _, value = formula.partition(" = ")
        return refusal(
            lambda: [
                prepare(x, folder, "cpu", silent)
                for x in expand(table | {"assume": {name: value[1:-1]}})
            ]
        )

    return attempt


def sides(d):
    """A spec with a matrix of this side."""
    return lambda _: refusal(lambda: list(expand(theorem_table(problem__d=d))))


HALF = assumed("bound/2.5")
CASES = [
    Case(
        "a method in letters that Python normalises",
        r"^assume\.bound = .*ASCII",
        assumed("bound.ｄｏｉｔ()"),
        HALF,
    ),
    Case(
        "a name in letters that Python normalises",
        r"^assume\.bound = .*ASCII",
        assumed("ｂound/2.5"),
        HALF,
    ),
    Case("a tower of powers", r"^assume\.bound = .*exponents", assumed("bound + 9**9**9**9"), HALF),
    Case("a power of a power", r"^assume\.bound = .*bits", assumed("bound + (9**999)**999"), HALF),
    Case(
        "five thousand signs",
        r"^assume\.bound = .*characters",
        assumed("-" * 5000 + "bound"),
        assumed("--bound"),
    ),
    Case(
        "nine hundred signs",
        r"^assume\.bound = .*inside of one",
        assumed("-" * 900 + "bound"),
        assumed("--bound"),
    ),
    Case(
        "a number of a hundred million digits",
        r"^T = .*exponents of size",
        number("1e100000000"),
        number("1e10"),
    ),
    Case("digits of another alphabet", r"^T = .*ASCII", number("٣٠٠٠٠"), number("30000")),
    Case(
        "an integer that is longer than Python prints",
        r"^T = .*range of floats",
        number(10**5000),
        number(10**50),
    ),
    Case(
        "an integer that TOML's reader refuses",
        r"^SPEC = .*digits",
        spec("seed = " + "9" * 5000),
        spec("seed = 99"),
    ),
    Case(
        "lists inside of lists",
        r"^SPEC = .*not as deep",
        spec(f"seed = {'[' * 5000}"),
        spec("seed = [1, 2]"),
    ),
    Case(
        "a sweep over more than anyone runs",
        r"^seed = .*at most 10000 experiments",
        spec(f"seed = {list(range(200))}\n[run]\naudits = {list(range(1, 201))}"),
        spec("seed = [1, 2]\n[run]\naudits = [1, 2]"),
    ),
    Case(
        "replicas that no memory holds",
        r"^run\.replicas = ",
        spec("[run]\nreplicas = 10_000_000_000"),
        spec(""),
    ),
    Case(
        "audits of replicas that no memory holds",
        r"^run\.audits = .*GiB",
        lambda folder: fitting(folder, replicas=100_000, audits=1000),
        lambda folder: fitting(folder, replicas=100, audits=1000),
    ),
    Case(
        "a seed that no generator takes",
        r"^seed = .*less than",
        spec("seed = 99999999999999999999"),
        spec(""),
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
        lambda folder: marked(
            folder, lambda code: catalogue["meft.lora"].case("x", "x", "me", {s: code})
        ),
        lambda _: refusal(lambda: catalogue["meft.lora"].case("x", "x", "me", {s: sp.Integer(2)})),
    ),
    Case(
        "a model that brings Python",
        r"^model\.path = .*auto_map",
        model({"auto_map": {"A": "b.C"}}),
        model({}),
    ),
    Case(
        "a shortest horizon that is assumed to be 0",
        r"^spec = T_min = 0",
        planned('T_min = "0*T_min"'),
        planned('T_min = "2*T_min"'),
    ),
    Case(
        "a bound that overflows at long horizons",
        r"^run\.steps = informative: .*no informative horizon",
        planned('bound = "bound*exp(T)"'),
        planned('bound = "bound*2"'),
    ),
    Case("a side that takes minutes", r"^problem\.d = 2896: .*512", sides(2896), sides(4)),
    of_acts(
        "attention that no memory holds",
        r"^model\.context = .*GiB",
        lambda: attended(64, 8192),
        lambda: attended(4, 64),
    ),
    Case(
        "a field that moves the cursor",
        r"^\\x1b\[2Kproved = ",
        lambda _: refusal(lambda: THEOREM.values(**NUMBERS | {"\x1b[2Kproved": 1})),
        number("30000"),
    ),
    Case(
        "a letter that nobody declares",
        r"^claim\.quantities = kappa",
        claimed(L * KAPPA),
        claimed(L),
    ),
    Case(
        "a letter of a condition that nobody declares",
        r"^claim\.conditions = kappa",
        claimed(L, conditions=(sp.Ge(KAPPA, 1),)),
        claimed(L, conditions=(sp.Ge(KAPPA, 1),), declared=(DECLARED,)),
    ),
    Case(
        "the catalogue's letter with other assumptions",
        r"^claim\.quantities = L: .*something else",
        claimed(sp.Symbol("L", real=True)),
        claimed(L),
    ),
    of_acts(
        "the catalogue's letter with another meaning",
        r"^parameter\.symbol = s: .*LoRA scale",
        lambda: Parameter(s, "positive real", "strong convexity"),
        lambda: Parameter(KAPPA, "positive real", "strong convexity"),
    ),
    Case(
        "two letters of one name",
        r"^claim = kappa: .*one letter",
        claimed(
            L * KAPPA,
            declared=(DECLARED,),
            hypotheses=(Claim("h", "H", "me", sp.Le(sp.Symbol("kappa"), 1)),),
        ),
        claimed(
            L * KAPPA, declared=(DECLARED,), hypotheses=(Claim("h", "H", "me", sp.Le(KAPPA, 1)),)
        ),
    ),
    Case(
        "two letters that look the same",
        r"^claim\.declared = L: .*another look",
        claimed(L * KAPPA, declared=(Parameter(KAPPA, "positive real", "a factor", "L"),)),
        claimed(L * KAPPA, declared=(DECLARED,)),
    ),
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
    Case("a tie of exponentials", r"^sign = .*bits", tie("1"), tie("2")),
    of_acts(
        "a function that has no enclosure",
        r"^formula = sin\(1\)|^formula = sin",
        lambda: own(sp.sin(L)).enclosures(L=1),
        lambda: own(sp.exp(L)).enclosures(L=1),
    ),
]
