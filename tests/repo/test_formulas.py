"""Each formula of a claim is typed once, in its paper's claims: everything else derives its numbers from there."""

import re
from functools import cache
from pathlib import Path

import pytest
import sympy as sp
from boundcheck.proofs.jiang2024.claims import ROOT_TERM

from boundcheck.claims import catalogue
from tests.repo.formulas import FEWEST_OPERATIONS, Formula, arithmetic, lines_with

# One worker reads the package.
pytestmark = pytest.mark.xdist_group("formulas")

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "boundcheck"
# The modules of papers that hold claims, and what claims are made of.
PAPERS = [path for path in (ROOT / "proofs").glob("*/*.py") if "\nCLAIMS = (" in path.read_text(encoding="utf-8")]
CLAIMS = sorted([*(PACKAGE / "claims").glob("*.py"), *PAPERS])


def pieces(expression: sp.Expr) -> list[sp.Expr]:
    """What a maximum in the formula compares, for a source's Max is not read; the formula itself without one."""
    return [argument for most in expression.atoms(sp.Max) for argument in most.args] or [expression]


def as_typed() -> dict[sp.Expr, str]:
    """Formulas over earlier quantities, each under the first of its names. Claims share quantities."""
    names: dict[sp.Expr, str] = {}
    for claim in catalogue.values():
        for quantity in claim.quantities:
            for piece in pieces(quantity.expression):
                names.setdefault(piece, f"{claim.id}.{quantity.name}")
    return names


WRITTEN = as_typed()
# Over parameters alone.
RESOLVED = {claim.expression(name): f"{claim.id}.{name}" for claim in catalogue.values() for name in claim.names}
EQUAL_RADII = catalogue["meft.lemma1_sharp_equal_radii"].expression("Lhat")
# Special cases are substituted, not typed, and so is the larger lambda* of two layers.
SUBSTITUTED = {
    *("khaled2020.bounded_variance.bound", "ghadimi2013.corollary2_2.alpha"),
    *(f"meft.{id}.Lhat" for id in ("lemma1_sharp_equal_radii", "layers", "direft", "frozen_b", "vera_sharp")),
    "meft.vera.J",
    # Made of numbers that have names there.
    *(f"meft.adaptive_gd.{name}" for name in ("stretch", "first", "growth", "bound")),
    "meft.unconditional_gd.Lhat",
}
# Of a form's top eigenvalue the form alone is typed.
EIGENVALUES = {
    *(f"meft.{id}.H" for id in ("loha", "dora", "loreft")),
    *(f"meft.{id}.Lhat" for id in ("loha_sharp", "dora_blocks", "loreft_sharp", "loreft_rank1")),
}
X, Y, Z = sp.symbols("x y z", positive=True)
# What stands in sources by chance: 2xy/z is 2LD/T for one, x²yz² is Ls²a² for one, xy²/z is αζ²/μ_F, and so on.
CHANCE = [Formula(x) for x in (2 * X * Y / Z, X**2 * Y * Z**2, X * Y**2 / Z, 2 * X / (Y * Z), sp.sqrt(2 * X * Y))]


def long_enough(table: dict[sp.Expr, str]) -> dict[Formula, str]:
    """Formulas that cannot stand in a source by chance."""
    formulas = {Formula(x): name for x, name in table.items() if sp.count_ops(x) >= FEWEST_OPERATIONS}
    return {x: name for x, name in formulas.items() if not any(x.same_as(other) for other in CHANCE)}


def parameters(table: dict[sp.Expr, str]) -> list:
    """The same as parameters of a test."""
    return [pytest.param(x, id=name) for x, name in long_enough(table).items()]


def substituted() -> dict[Formula, str]:
    """Formulas over parameters alone that are no written one with a symbol renamed, as Lhat is where it is given."""
    formulas = [Formula(x) for x in WRITTEN]
    return {x: name for x, name in long_enough(RESOLVED).items() if not any(x.same_as(other) for other in formulas)}


@cache
def read(path: Path) -> list[tuple[int, Formula]]:
    return list(arithmetic(path.read_text(encoding="utf-8")))


def occurrences(formula: Formula, paths: list[Path]) -> set[str]:
    return {
        f"{path.relative_to(ROOT)}:{line}" for path in paths for line, found in read(path) if found.same_as(formula)
    }


def outside() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path not in CLAIMS)


@pytest.mark.parametrize("formula", parameters(RESOLVED | WRITTEN))
def test_no_formula_is_typed_outside_of_claims(formula: Formula) -> None:
    assert occurrences(formula, outside()) == set()


@pytest.mark.parametrize("formula", parameters(WRITTEN))
def test_each_formula_is_typed_once_inside_of_claims(formula: Formula) -> None:
    found = occurrences(formula, CLAIMS)
    # A bound around the shared root, and what has another's formula as a factor, need be typed nowhere as a whole.
    name = WRITTEN[formula.expression]
    derived = name in SUBSTITUTED | EIGENVALUES | {"meft.dora.J"} or formula.expression.has(ROOT_TERM)
    assert len(found) <= 1, found
    assert found or derived


def test_the_top_eigenvalue_of_a_form_is_typed_once() -> None:
    x, y, z = sp.symbols("x y z", positive=True)
    top = (x + y) / 2 + sp.sqrt(((x - y) / 2) ** 2 + z**2)
    assert len(occurrences(Formula(top), CLAIMS)) == 1


def test_the_root_that_bounds_share_is_typed_once() -> None:
    assert len(occurrences(Formula(ROOT_TERM), CLAIMS)) == 1


def test_what_follows_by_substitution_is_typed_nowhere() -> None:
    sources, formulas = CLAIMS, substituted()
    assert len(formulas) >= 20
    assert {name: found for x, name in formulas.items() if (found := occurrences(x, sources))} == {}


def written(id: str, name: str) -> sp.Expr:
    """The formula of a quantity as it is typed."""
    return next(x.expression for x in catalogue[id].quantities if x.name == name)


LEMMA_1 = written("jiang2024.lemma1", "Lhat")
SHARP = written("meft.lemma1_sharp", "Lhat")
COPIES = [
    (LEMMA_1, "2 * smooth * lip * math.sqrt(rank) * radius + grad"),
    (LEMMA_1, "self.grad + radius * rank**0.5 * (smooth + smooth) * self.lip"),
    (LEMMA_1, "float(np.sqrt(rank) * 2 * x[0] * x[1] * x[2]) + y.bound"),
    (
        SHARP,
        "t**2 * m * (p**2 + q**2) / 2 + math.sqrt((t**2 * m * (p**2 - q**2) / 2)**2 + (t**2 * m * p * q + t * h)**2)",
    ),
    (SHARP, "t * (m * t * (p * p + q * q) + math.hypot(m * t * (q * q - p * p), 2 * (m * t * p * q + h))) / 2"),
    (EQUAL_RADII, "g + 2 * m * r ** 2"),
    (EQUAL_RADII, "2 * (m * r.square() + g / 2)"),
    (written("jiang2024.theorem2", "alpha"), "math.sqrt(gap / n / smooth) / noise"),
    (written("jiang2024.theorem2", "bound"), "2.5 * (gap * smooth * noise**2 / n) ** 0.5"),
    (written("jiang2024.theorem2", "T_min"), "4 * smooth * gap / noise / noise"),
    (written("meft.theorem2_best_step", "kappa"), "x + torch.sqrt(2 + x * x)"),
    (written("jiang2024.rate", "bound"), "c * r**0.25 * (s / n).sqrt()"),
    (written("khaled2020.theorem2", "bound"), "m * c * step + 2 * gap / step / n + 4 * m * h * step * gap"),
    (written("abbaszadehpeivasti2022.best_step", "bound"), "4 * gap / (2 / m + (4 * t - m**2 * t**3) * (n - 1))"),
    (catalogue["jiang2024.theorem2"].expression("T_min"), "4 * (2 * m * c * r**0.5 * s + g) * gap / noise**2"),
]


@pytest.mark.parametrize(("formula", "copy"), COPIES)
def test_a_copy_under_other_names_is_found(formula: sp.Expr, copy: str) -> None:
    assert lines_with(Formula(formula), f"import math\n\nx = {copy}") == [3]
    assert lines_with(Formula(formula), f"def f(x):\n    return [7, 3 * g(x, 1 - ({copy}))]") == [2]


def test_a_copy_in_pieces_is_found() -> None:
    source = "def f(r, c, k, s, g):\n    root = r.sqrt()\n    front = 2 * c * k\n    return front * root * s + g"
    assert lines_with(Formula(LEMMA_1), source) == [4]


@pytest.mark.parametrize(
    "other",
    [
        "2 * smooth * lip * rank * radius + grad",
        "3 * smooth * lip * math.sqrt(rank) * radius + grad",
        "2 * smooth * smooth * math.sqrt(rank) * radius + grad",
        "2 * smooth * lip * math.sqrt(rank) * radius - grad",
        "2 * smooth * lip * math.sqrt(rank) * radius + smooth",
        "np.ones(3) @ y + '2 * L'",
        "[1, 2][y] // 3 % z",
    ],
)
def test_another_formula_is_not_taken_for_a_copy(other: str) -> None:
    assert lines_with(Formula(LEMMA_1), f"x = {other}") == []


SPELLED = re.compile(r"2\s*(\\[,;: ]\s*)?L\s*(\\[,;: ]\s*)?C\b")


def test_no_text_spells_the_formula() -> None:
    assert all(SPELLED.search(text) for text in ("2LC√r·σ + G", r"2LC\sqrt{r}\sigma", r"2 L C \sqrt{r}", r"2\,L\,C"))
    texts = [path for path in PACKAGE.rglob("*") if path.suffix in {".py", ".j2"} and CLAIMS not in path.parents]
    assert [str(path) for path in texts if SPELLED.search(path.read_text(encoding="utf-8"))] == []
