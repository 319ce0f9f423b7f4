"""Messages: each names field and value, and what to write instead, for values, keys, files, options
and arguments."""

import inspect

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

import boundcheck
from boundcheck.experiment.spec import (
    AdapterSpec,
    BracketSpec,
    DomainSpec,
    RunSpec,
    parse,
    specs_of,
)
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.functions.objective import PROBLEMS
from boundcheck.language import vocabulary
from boundcheck.language.catalogue import catalogue
from boundcheck.language.symbols import LETTERS, T
from boundcheck.proof import Proof, Reading, gt
from boundcheck.proof.reading import is_dimension
from boundcheck.proofs import papers
from tests.experiment.small import THEOREM_TABLE, changed, refused
from tests.test_cli import SPEC

LEMMA = catalogue["jiang2024.lemma1"]
AT = {"L": 1, "C": 1, "sigma": 1, "G": 3, "r": 4}


@st.composite
def misspelt(draw, known):
    """A known name, and the same with two letters swapped, one lost or doubled, or other
    capitals."""
    name = draw(st.sampled_from([each for each in known if len(each) > 3]))
    at = draw(st.integers(1, len(name) - 2))
    head = name[:at]
    one = name[at]
    two = name[at + 1]
    tail = name[at + 2 :]
    edits = [
        head + two + one + tail,
        head + one + tail,
        head + one + one + two + tail,
        name.upper(),
        name.title(),
    ]
    return name, draw(
        st.sampled_from([each for each in edits if each not in known] or [name.upper()])
    )


def of_spec(field):
    return lambda text: parse(changed(THEOREM_TABLE, {field: text}))


VALUES = {
    "problem.kind": (tuple(PROBLEMS), of_spec("problem.kind")),
    "adapter.kind": (tuple(ADAPTERS), of_spec("adapter.kind")),
    "run.steps": (("informative",), of_spec("run.steps")),
    "run.batch": (("balanced",), of_spec("run.batch")),
    "adapter.start": (("diagonal", "lora"), of_spec("adapter.start")),
    "lipschitz": (("sqrt(r) sigma", "sigma"), of_spec("lipschitz")),
    "claim": (tuple(catalogue), of_spec("claim")),
    "paper": (tuple(papers()), boundcheck.audit),
    "letter": (("sigma",), lambda text: LEMMA.bound(**AT, **{text: 1})),
}


@pytest.mark.parametrize("field", VALUES)
@given(data=st.data())
def test_a_misspelt_value_of_a_list_is_answered_by_the_nearest(field, data):
    known, call = VALUES[field]
    name, text = data.draw(misspelt(known))
    error = refused(call, text)
    assert " ".join(text.split()) in str(error)
    near = [each for each in known if each in error.expected.rpartition("did you mean ")[2]]
    # Of names that are alike the other may be nearer.
    assert near, (name, str(error))


TABLES = {"adapter": AdapterSpec, "run": RunSpec, "bracket": BracketSpec, "domain": DomainSpec}
ELSEWHERE = [
    (table, there, field)
    for there, spec in TABLES.items()
    for field in spec.model_fields
    for table in ("", "problem", *TABLES)
    if table != there
    and field not in getattr(TABLES.get(table), "model_fields", THEOREM_TABLE.get(table, ()))
]


@pytest.mark.parametrize("table, there, field", ELSEWHERE)
def test_a_key_of_another_table_is_named_with_it(table, there, field):
    path = f"{table}.{field}".lstrip(".")
    # At the top, and in a problem, some of these are fields of their own.
    if path in ("seed", "problem.delta", "problem.kind", "problem.noise", "problem.k", "problem.d"):
        return
    error = refused(parse, changed(THEOREM_TABLE, {path: 1}))
    assert error.field == path
    assert error.value == 1
    assert f"{there}.{field}" in error.expected


@pytest.mark.parametrize(
    "field", ["run.steps", "run.replicas", "adapter.rank", "adapter.gain", "problem.d", "seed"]
)
@given(text=st.text(st.characters(categories=["L", "N"]), max_size=8))
def test_text_is_told_from_a_number_by_its_quotes(field, text):
    assert str(refused(parse, changed(THEOREM_TABLE, {field: text}))).startswith(f'{field} = "')


def test_a_file_with_a_byte_order_mark_is_read_and_what_is_no_toml_has_its_line(tmp_path):
    text = 'claim = "meft.lora"\nadapter = { rank = 2 }\nproblem = { kind = "pseudo-huber" }\n'
    (tmp_path / "marked.toml").write_bytes(
        b"\xef\xbb\xbf" + (text + "domain = { a = 1.0, b = 1.0 }\n").encode()
    )
    assert specs_of(tmp_path / "marked.toml")[0].claim == "meft.lora"
    (tmp_path / "bad.toml").write_text(text + "x = gpu\n")
    assert "line 4" in refused(specs_of, tmp_path / "bad.toml").expected
    assert "marked.toml" in refused(specs_of, tmp_path / "marked").expected


NODES = [
    name
    for name, each in vars(vocabulary).items()
    if isinstance(each, type) and issubclass(each, sp.Basic)
]


@pytest.mark.parametrize("id", list(catalogue))
def test_no_message_shows_the_names_of_our_classes(id):
    claim = catalogue[id]
    texts = [str(each) for each in (claim.conclusion, *claim.conditions)]
    texts += [str(each.expression) for each in claim.quantities]
    assert not [(name, text) for text in texts for name in NODES if f"{name}(" in text]
    assert "\n" not in repr(claim)
    assert len(repr(claim)) < 200


@pytest.mark.parametrize(
    "letter", [x for x in LETTERS if isinstance(x, sp.Symbol) and not is_dimension(x)], ids=str
)
def test_a_dimension_whose_name_is_taken_needs_another(letter):
    mine = sp.MatrixSymbol("X", sp.Symbol(letter.name, integer=True, positive=True), 1)
    error = refused(Reading(constants={mine}).scalar, vocabulary.FrobeniusNorm(mine))
    assert error.field == "dimension"
    assert str(error.value) == letter.name
    assert f"another name: {letter.name} " in error.expected


def test_a_divisor_that_is_not_known_to_be_positive_says_what_to_prove():
    proof = Proof(None, Reading())
    error = refused(proof.by.quotient, *proof.positive(T))
    assert error.field == "divisor"
    assert str(error.value) == "1 <= T"
    proof.by.quotient(proof.step("positive", gt(T, 0), *proof.positive(T)))


@pytest.mark.parametrize(
    "arguments, words",
    [
        ("bound jiang2024.lemma1 L=1 r=8", ["arguments = L=1 r=8", "--set"]),
        ("bound jiang2024.lemma1 --set L=1 C=2", ["arguments = C=2", "--set"]),
        ("bound jiang2024.lemma1 --set L 1", ["arguments = 1", "--set"]),
        ("bound jiang2024.lemma1 --L=1", ["option = --L", "--set L=VALUE"]),
        ("bound jiang2024.lemma1 --sett L=1", ["option = --sett", "did you mean --set?"]),
        ("bound jiang2024.lemma1 --set L=1,C=1", ["--set = L=1,C=1"]),
        ("falsify meft.lora --rank 1 2", ["arguments = 2", "--rank"]),
        ("falsify meft.lora --rank=1,2", ["--rank = 1,2", "an integer"]),
        ("measure my_spec.toml --jobs two", ["--jobs = two", "an integer"]),
        ("measure my_spec.toml --device gpu", ["device = gpu", "did you mean cuda?"]),
        ("measure my_spec", ["SPEC = my_spec", "did you mean my_spec.toml?"]),
        ("mesure my_spec.toml", ["COMMAND = mesure", "did you mean measure?"]),
        ("audit", ["PAPER = (not given)"]),
        ("new jiang2024", ["FOLDER = jiang2024"]),
        ("cite my_paper.py", ["ID = my_paper.py", "my_paper.py:NAME"]),
    ],
)
def test_a_slip_of_the_pen_is_answered_by_what_to_type(arguments, words, command, tmp_path):
    (tmp_path / "my_spec.toml").write_text(SPEC.format(rank=2))
    answer = command(*arguments.split())
    assert answer.code == 2
    assert answer.err.count("\n") == 1
    assert all(word in answer.err for word in words), answer.err


def test_the_public_names_are_all_that_is_offered():
    assert dir(boundcheck) == sorted(boundcheck.__all__)
    for name in ("audit", "falsify", "measure", "prove"):
        assert " at 0x" not in str(inspect.signature(getattr(boundcheck, name)))
    with pytest.raises(AttributeError, match="prove"):
        _ = boundcheck.proove


@pytest.mark.parametrize(
    "call, field",
    [
        (lambda: boundcheck.prove(3), "targets"),
        (lambda: boundcheck.falsify("meft.lora", 3), "method"),
        (lambda: boundcheck.falsify(3), "claim"),
        (lambda: boundcheck.measure({}, limits=3), "limits"),
        (lambda: boundcheck.measure({}, device=None), "device"),
        (lambda: boundcheck.measure({}, allow_code="here.py"), "allow_code"),
        (lambda: boundcheck.audit(None), "paper"),
        (lambda: catalogue[3], "claim"),
    ],
)
def test_an_argument_of_another_type_is_named(call, field):
    assert refused(call).field == field


@pytest.mark.parametrize("name", ["X1", "X_1", "alpha", "Xhat"])
def test_a_letter_in_a_message_is_as_it_is_typed(name):
    assert str(vocabulary.FrobeniusNorm(sp.MatrixSymbol(name, 2, 2))) == f"‖{name}‖_F"


@pytest.mark.parametrize(
    "value", [10**5000, "x" * 10**4, [[]], float("nan"), b"\xff", object()], ids=type
)
def test_whatever_stands_for_a_value_ends_in_one_line(value, tmp_path):
    for field in ("run.steps", "adapter.kind", "problem.kind", "lipschitz", "run.no", "claim"):
        refused(parse, changed(THEOREM_TABLE, {field: value}))
    refused(specs_of, tmp_path / "x" / str(type(value)))
    refused(specs_of, tmp_path / ("x" * 300))
    refused(specs_of, "\0")
