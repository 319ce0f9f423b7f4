"""The second reader of certificates accepts those of every paper, refuses what the kernel refuses,
and stands alone."""

import ast
import json
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import chain
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.kernel import Fact
from boundcheck.kernel import terms as nodes
from boundcheck.kernel.builders import norm
from boundcheck.kernel.derive import RELATIONS, derivation
from boundcheck.kernel.terms import (
    ANY,
    NEXT,
    NOW,
    ONE,
    SPECTRAL,
    ZERO,
    Dimension,
    Scalar,
    Time,
    Variable,
)
from boundcheck.language.prose import plain
from boundcheck.proof import ge, judge
from boundcheck.proof.export import certificate_as_json, certificates, export
from boundcheck.proof.script import of_paper
from boundcheck.proofs import papers
from tests.judged import SCRIPTS, judged, of_the_paper
from tests.kernel import refusals
from tests.kernel.strategies import scalars
from tests.layers import examples, full
from tests.proof.entailments import POSITIVE, X, polynomials
from tests.proof.scripts import judged as judged_script
from tests.proof.scripts import x, y

from .certificate_mutants import FALSE, TRUE, mutant
from .reader import (
    CHECKER,
    NAMED,
    checker,
    edited,
    kernel_accepts,
    objection,
    reader_accepts,
    unproved,
)

pytestmark = of_the_paper
SMALL = {
    "goal": "x <= y",
    "premises": ["x <= y"],
    "factor": [],
    "multipliers": [],
    "letters": "x, y: a number",
}
SMALL |= {"terms": [{"weight": "1", "square_of": "1", "premises": [1]}]}
EXAMPLE = json.loads(checker.EXAMPLE)


# Every certificate of the project.


@full
@pytest.mark.parametrize("paper", sorted(papers()))
def test_it_accepts_every_certificate(paper):
    """And their lines are named."""
    count = 0
    for proof in map(judged if paper == "jiang2024" else judge, of_paper(paper)):
        found = list(certificates(proof))
        assert [each for each in found if objection(each)] == []
        said = {(each["goal"], bool(each["line"])) for each in found}
        closed = [
            step.step.theorem for step in proof.steps if step.step.theorem.rule == "certificate"
        ]
        assert {(str(theorem.conclusion), True) for theorem in closed} <= said
        assert {each["line"] for each in found} <= {
            "",
            *(plain(step.step.label) for step in proof.steps),
        }
        count += len(found)
    assert count > 100


@cache
def pool():
    """The certificates of the paper."""
    steps = [step.step.theorem for script in SCRIPTS for step in judged(script).steps]
    return tuple(theorem for theorem in derivation(steps) if theorem.rule == "certificate")


TWO_OF_ONE_NAME = {
    "a number and a dimension": (Scalar.of(Variable("m")), Scalar.of(Dimension("m"))),
    "a constant and what varies": (Scalar.of(Variable("a")), Scalar.of(Variable("a", ANY))),
    "known at t, and later": (
        Scalar.of(Variable("a", Time(NOW))),
        Scalar.of(Variable("a", Time(NEXT, 1))),
    ),
    "two shapes": tuple(
        norm(SPECTRAL, nodes.Matrix.of(nodes.Symbol("A", shape)))
        for shape in (("m", "n"), ("n", "m"))
    ),
}


@pytest.mark.parametrize("pair", TWO_OF_ONE_NAME.values(), ids=list(TWO_OF_ONE_NAME))
def test_a_certificate_in_which_a_name_stands_for_two_things_is_not_written(pair):
    first, second = pair
    theorem = unproved([Fact(">=", first)], Fact(">=", second), ((((1, ONE),), (0,)),), (), ())
    assert not kernel_accepts(theorem)
    with pytest.raises(InputError, match="one thing of this name"):
        certificate_as_json(theorem)


def test_the_line_that_follows_as_the_paper_says_is_exported_too():
    def build(proof):
        low = proof.assume(ge(x, 1), name="low")
        higher = proof.assume(ge(x, y + 1), name="higher")
        proof.step(
            "(1)", ge(2 * x, 2), low, derived_from=[higher, proof.assume(ge(y, 0), name="sign")]
        )

    found = [each["premises"] for each in certificates(judged_script(build))]
    assert ["1 <= x"] in found
    assert any(len(premises) == 2 for premises in found)


# What it makes of a text.


def by_texts(polynomial):
    found = Counter()
    for monomial, coefficient in polynomial.terms.items():
        found[tuple(sorted(str(atom) for atom, exponent in monomial for _ in range(exponent)))] += (
            coefficient
        )
    return found


@examples(200)
@given(scalars(2), scalars(1))
def test_it_reads_a_polynomial_as_the_kernel_writes_it(p, q):
    assert checker.polynomial(str(p)) == by_texts(p)
    assert checker.polynomial(f"({p})*({q})^2 - ({q})") == by_texts(p * q**2 - q)
    for fact in (Fact(relation, p) for relation in RELATIONS):
        relation, read = checker.statement(str(fact))
        assert {"<=": ">=", "<": ">", "=": "="}[relation] == fact.relation
        assert read == by_texts(p)


TEXTS = {
    "x*(y - 2)": "x*y - 2*x",
    " 1/2 *x^2-y": "-y + 1/2*x^2",
    "(x + y)^2": "x^2 + 2*x*y + y^2",
    "x^0": "1",
}


def test_it_reads_what_a_person_writes():
    assert {
        text for text, same in TEXTS.items() if checker.polynomial(text) != checker.polynomial(same)
    } == set()


# In the first row, what people read in two ways.
UNREADABLE = [
    "x/2",
    "2/3^2",
    "(x)^[t-1]^2",
    "f(x)/g(x)^2",
    "2x",
    "x y",
    "x^y",
    "x^100",
    "1.5*x",
    "2^-1",
    "1/0",
    "x(y",
    "",
    "x +",
    "+x",
    "--x",
    "x*",
    "*x",
    "(x",
    "x)",
    "(x]",
    "‖x‖",
    "‖x_F",
    "x‖_F",
    "[x]",
    "()",
    "x <= y",
    "é",
]


@pytest.mark.parametrize("text", UNREADABLE)
def test_it_does_not_guess_what_a_text_means(text):
    with pytest.raises(ValueError, match=r"polynomial|brackets"):
        checker.polynomial(text)


# It refuses what the kernel refuses, and accepts what the kernel accepts.


@pytest.mark.parametrize("kind", [*FALSE, *TRUE])
def test_they_agree_on_mutants_of_the_paper(kind):
    random = Random(kind)
    mutants = [mutant(theorem, kind, random) for theorem in random.sample(pool(), 60)]
    answers = Counter(
        (kernel_accepts(each), reader_accepts(each)) for each in mutants if each is not None
    )
    assert not {(True, False), (False, True)} & answers.keys()
    if kind in TRUE:
        assert answers.keys() == {(True, True)}
    else:
        assert answers[False, False] > 5


@st.composite
def made(draw):
    """A certificate whose goal is computed from the other side; with a strict factor, or the goal's
    own square."""
    count = draw(st.integers(1, 3))
    facts = [Fact(draw(st.sampled_from(RELATIONS)), draw(polynomials())) for _ in range(count)]
    facts[0] = Fact(draw(st.sampled_from((">", ">="))), facts[0].polynomial * norm(SPECTRAL, X) + 1)
    usable = [i for i, fact in enumerate(facts) if fact.relation != "="]
    terms = [
        (
            ((draw(POSITIVE), draw(st.sampled_from((ONE, draw(polynomials()))))),),
            tuple(draw(places)),
        )
        for places in draw(
            st.lists(st.just(st.lists(st.sampled_from(usable), max_size=2)), max_size=2)
        )
    ]
    multipliers = [(draw(polynomials()), i) for i in range(count) if i not in usable]
    right = sum((multiplier * facts[i].polynomial for multiplier, i in multipliers), ZERO)
    for ((weight, root),), places in terms:
        product = root * root * weight
        for i in places:
            product = product * facts[i].polynomial
        right = right + product
    relation = draw(st.sampled_from((">=", ">") if terms else RELATIONS))
    if draw(st.booleans()):
        return unproved(facts, Fact(relation, right), tuple(terms), tuple(multipliers), ())
    # m·p = p² + (m·p - p²), with a premise that says that the bracket is not negative.
    p = draw(polynomials())
    facts.append(Fact(">=", facts[0].polynomial * p - p * p))
    own = ((((Fraction(1), p),), ()), (((Fraction(1), ONE),), (count,)))
    return unproved(facts, Fact(relation, p), own, (), (0,))


@examples(300)
@given(made(), st.sampled_from(["", *FALSE, *TRUE]), st.integers(0, 2**32))
def test_they_agree_on_certificates_of_any_shape(theorem, kind, seed):
    changed = mutant(theorem, kind, Random(seed)) if kind else theorem
    if changed is not None:
        assert kernel_accepts(changed) == reader_accepts(changed)


@cache
def refused_by_the_kernel():
    """The certificates that the tests of the kernel hold to be wrong, as far as a file has a place
    for them."""
    asked = []

    def ask(premises, goal, terms, *rest):
        facts = [goal, *(getattr(each, "conclusion", None) for each in premises)]
        # A file has no place for laws, and none for a term without a square.
        if all(type(each) is Fact for each in facts) and all(squares for squares, _ in terms):
            asked.append(unproved(facts[1:], goal, terms, *rest))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refusals, "RULES", {"certificate": ask})
        for case in (*refusals.certificates(), *refusals.certificates_with_factors()):
            case.call()
    return tuple(asked)


def test_it_refuses_what_the_kernel_is_known_to_refuse():
    assert len(refused_by_the_kernel()) > 20
    assert not any(map(kernel_accepts, refused_by_the_kernel()))
    assert not any(map(reader_accepts, refused_by_the_kernel()))


WRONG_READERS = {
    "a weight of 0": ("weight <= 0", "weight < 0"),
    "any weight": ("weight <= 0", "False"),
    "any factor": ('weak if relation == "<" or own_square else ["<"]', "weak"),
    "the goal's square times facts": ("root == goal and not places", "root == goal"),
    "equations in terms": ('own_square = ["<", "<="]', 'own_square = ["<", "<=", "="]'),
    "multiples of inequalities": ('(place, ["="])', '(place, ["=", "<="])'),
    "equations from inequalities": ('if relation == "=" and terms', "if False"),
    "strict from any square": (" if root[()] and root == Counter({(): root[()]})", ""),
    "strict from weak facts": ('all(premises[place][0] == "<" for', "all(True for"),
    "strict from nothing": ('positive or relation != "<"', "True"),
    "no identity but that of numbers": ("in rest.items() if c", "in rest.items() if c and not m"),
    "no squares": ("times(root, root)", "root"),
    "no powers": ("int(factor[3] or 1)", "1"),
    "no signs": ('f"{term[1]}1"', "1"),
}


@pytest.mark.parametrize("edit", WRONG_READERS.values(), ids=list(WRONG_READERS))
def test_a_reader_that_is_wrong_disagrees_with_the_kernel(edit):
    random = Random(0)
    reader = edited(*edit)
    mutants = (
        mutant(random.choice(pool()), random.choice([*FALSE, *TRUE]), random) for _ in range(1000)
    )
    candidates = chain(refused_by_the_kernel(), filter(None, mutants))
    assert any(kernel_accepts(each) != reader_accepts(each, reader) for each in candidates)


# It stands alone, and says in one line what it finds.


def alone(*paths, cwd):
    """The file run by Python without any package, and without the folder of this project."""
    command = [sys.executable, "-I", "-S", str(CHECKER), *map(str, paths)]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", cwd=cwd, check=False
    )


def test_it_is_short_and_imports_the_standard_library_alone():
    text = CHECKER.read_text(encoding="utf-8")
    nodes = list(ast.walk(ast.parse(text)))
    # Somebody is to read it in one sitting: its statements are counted, however its lines break.
    assert sum(isinstance(node, ast.stmt) for node in nodes) <= 109
    imported = {
        alias.name.partition(".")[0]
        for node in nodes
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    imported |= {
        (node.module or "").partition(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)
    }
    assert imported <= sys.stdlib_module_names
    assert not {node.id for node in nodes if isinstance(node, ast.Name)} & {
        "eval",
        "exec",
        "__import__",
    }
    # `python -O` would leave assertions out.
    assert not any(isinstance(node, ast.Assert) for node in nodes)


def test_its_example_is_right_and_is_needed_in_each_part():
    assert objection(EXAMPLE) == ""
    assert objection(EXAMPLE | {"goal": "2*x + 1 <= y"}) == "left side - right side = -1 * z"
    strict = [each.replace("<=", "<") for each in EXAMPLE["premises"]]
    assert objection(EXAMPLE | {"goal": "2*x < y", "premises": strict}) == ""
    assert (
        objection(EXAMPLE | {"goal": "2*x < y"})
        == "no term is a positive number times strict premises"
    )
    assert objection(EXAMPLE | {"factor": []}).startswith("left side - right side = ")
    assert (
        objection(EXAMPLE | {"premises": ["0 <= z", *EXAMPLE["premises"][1:]]})
        == "it needs a premise 1 with <"
    )


def test_it_reads_what_prove_exports(tmp_path):
    files = export(bc.prove("meft.frozen_a"), tmp_path)
    path = tmp_path / "certificates.jsonl"
    assert path in files
    lines = path.read_text(encoding="utf-8").splitlines()
    done = alone(path, path, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith(f"{2 * len(lines)} certificates checked, 0 wrong, in ")
    first = json.loads(lines[0])
    path.write_text(
        "\n".join([json.dumps(first | {"goal": f"1 + {first['goal']}"}), *lines[1:]]),
        encoding="utf-8",
    )
    done = alone(path, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == ""
    wrong, counted = done.stdout.splitlines()
    assert (
        wrong
        == f"{path}, line 1, ['meft.frozen_a', 'sharp', 1, '{first['line']}']: left side - right"
        " side = -1"
    )
    assert counted.startswith(f"{len(lines)} certificates checked, 1 wrong, in ")


def line_of(**changes):
    return json.dumps(NAMED | SMALL | changes)


TERM = SMALL["terms"][0]
MALFORMED = {
    "no JSON": "x <= y",
    "an empty line": "",
    "a list": "[]",
    "a number": "1",
    "a key too few": json.dumps(SMALL),
    "a key too many": line_of(more=1),
    "a key twice": line_of()[:-1] + ', "goal": "0 <= 1"}',
    "a decimal": line_of(number=1.0),
    "a truth value": line_of(factor=[True]),
    "no list": line_of(premises="x <= y"),
    "no statement": line_of(goal="x"),
    "two relations": line_of(goal="x <= y <= z"),
    "an unused premise": line_of(premises=["x <= y", "for all x: 0 <= x"]),
    "a weight of no number": line_of(terms=[TERM | {"weight": "x"}]),
    "a weight over 0": line_of(terms=[TERM | {"weight": "1/0"}]),
    "a sign that hides": line_of(claim="x\n1 certificates checked, 0 wrong"),
    "a sign that turns": line_of(goal="x <= y\u202e"),
    "deep brackets": line_of(goal=f"{'(' * 5000}x{')' * 5000} <= y"),
    "a long number": line_of(goal=f"x <= {'9' * 5000}"),
}


@pytest.mark.parametrize("line", MALFORMED.values(), ids=list(MALFORMED))
def test_what_is_no_certificate_ends_in_one_line(line, tmp_path, capsys):
    path = tmp_path / "certificates.jsonl"
    path.write_text(f"{line_of()}\n{line}\n", encoding="utf-8")
    assert checker.main([str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"{path}, line 2: ")
    assert said.err.count("\n") == 1


def test_a_file_that_is_not_there_or_has_nothing_is_no_success(tmp_path, capsys):
    (tmp_path / "empty").write_text("")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\n")
    assert [checker.main([str(tmp_path / name)]) for name in ("missing", "bytes", "empty")] == [
        2,
        2,
        1,
    ]
    said = capsys.readouterr()
    assert said.err.count("\n") == 2
    assert "No such file" in said.err
    assert said.out.startswith("0 certificates checked")
