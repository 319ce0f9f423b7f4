"""How scripts are found, loaded and refused: by claim, id, prefix, paper and file; every refusal is
one line."""

import shutil
import sys
from pathlib import Path

import pytest

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.proof import Script, script
from boundcheck.proof.script import find, of_paper
from boundcheck.proofs import papers
from tests.experiment.small import refused

from .scripts import LEMMA, write

TEMPLATE = Path(__file__).parents[2] / "proofs" / "template.py"


def ids(*targets):
    return list(dict.fromkeys(each.id for each in find(targets)))


# By name.


def test_a_paper_is_all_of_its_scripts_in_the_order_of_its_files():
    assert list(papers()) == ["jiang2024", "bottou2018", "classics", "meft", "methods"]
    everything = of_paper("jiang2024")
    assert find(["jiang2024"]) == everything
    assert find([]) == [script for key in papers() for script in of_paper(key)]
    pairs = [(each.id, each.version) for each in everything]
    assert len(set(pairs)) == len(pairs)
    assert {"jiang2024.lemma1", "jiang2024.theorem2", "meft.lemma1_sharp"} <= {
        each.id for each in everything
    }
    with pytest.raises(
        InputError,
        match="paper = nobody2020: expected one of jiang2024, bottou2018, classics, meft, methods",
    ):
        of_paper("nobody2020")


def test_an_id_stands_for_those_below_it_and_for_no_other():
    assert ids("jiang2024.lemma1") == [
        "jiang2024.lemma1",
        "jiang2024.lemma1.any_points",
        "jiang2024.lemma1.sum_of_norms",
        "jiang2024.lemma1.euclidean_norm",
    ]
    assert ids("jiang2024.lemma1.any_points") == ["jiang2024.lemma1.any_points"]
    assert ids("meft.lemma1_sharp") == ["meft.lemma1_sharp"]
    assert all(id.startswith("meft.") for id in ids("meft"))
    step = "jiang2024.rate.step_size"
    names = [
        f"{step}.{name}_constant.{side}"
        for name in ("hidden", "least")
        for side in ("least", "most")
    ]
    assert ids(step) == [*names, f"{step}.with_own_constant"]


@pytest.mark.parametrize(
    "target, near",
    [
        ("jiang2024.lema1", "jiang2024.lemma1"),
        ("jiang2024.theorem_2", "jiang2024.theorem2"),
        ("meft.frozen_c", "meft.frozen_a"),
        ("jiang2024.lemma", "jiang2024.lemma1"),
        ("", "jiang2024."),
        ("nonsense", "jiang2024."),
        (bc.claims["jiang2024.assumption1"], "jiang2024.assumption"),
    ],
    ids=str,
)
def test_an_unknown_target_is_told_what_is_near(target, near):
    error = refused(find, [target])
    assert error.field == "target"
    assert error.expected.startswith(
        "a paper, a .py file, or the id of a claim with a proof, such as "
    )
    assert near in error.expected


# Files.


def test_a_file_is_found_by_path_and_by_text(tmp_path):
    path = write(tmp_path / "my_lemma.py")
    for target in (path, str(path)):
        (claim,) = bc.prove(target).claims
        assert claim.id == "my.lemma"
        assert claim.verdict == "proved"
    assert bc.prove(path).rows == ()
    assert ids("jiang2024.assumption2", path, str(path)) == [
        "jiang2024.assumption2.segment",
        "my.lemma",
    ]
    assert len(find([path, str(path)])) == 1


def test_scripts_of_a_file_come_in_its_order_and_not_what_it_imports(tmp_path):
    write(tmp_path / "first.py", "my.first")
    later = write(tmp_path / "second.py", "my.second", before="from first import go as other\n")
    later.write_text(later.read_text() + LEMMA.format(id="my.third", name="last", left="x**4"))
    assert ids(later) == ["my.second", "my.third"]


def test_two_files_with_the_same_name_do_not_meet(tmp_path):
    first = write(tmp_path / "a" / "lemma.py", "my.first", "x**2")
    second = write(tmp_path / "b" / "lemma.py", "my.second", "x**2 - 2*x")
    verdicts = {claim.id: claim.verdict for claim in bc.prove(first, second).claims}
    assert verdicts == {"my.first": "proved", "my.second": "refuted"}
    assert ids(second, first) == ["my.second", "my.first"]


def test_neighbours_of_two_files_may_have_the_same_name(tmp_path):
    paths = []
    for power in (3, 4):
        place = tmp_path / str(power)
        paths.append(
            write(
                place / "lemma.py",
                f"my.power{power}",
                "x**POWER",
                before="from same_name import POWER\n",
            )
        )
        (place / "same_name.py").write_text(f"POWER = {power}\n")
    assert [claim.verdict for claim in bc.prove(*paths).claims] == ["refuted", "proved"]
    assert not {str(path.parent) for path in paths} & set(sys.path)


def test_a_function_may_import_its_files_neighbour_and_a_file_may_have_dataclasses(tmp_path):
    (tmp_path / "late_neighbour.py").write_text("POWER = 4\n")
    before = "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    path = write(tmp_path / "lemma.py", left="x**4", before=before)
    text = path.read_text().replace(
        "    relation = ge(x**4", "    from late_neighbour import POWER\n    relation = ge(x**POWER"
    )
    path.write_text(text + "\n\n@dataclass\nclass Pair:\n    left: int\n    right: int\n")
    assert bc.prove(path).claims[0].verdict == "proved"


def test_a_claim_has_one_proof_in_a_version(tmp_path):
    path = write(tmp_path / "lemma.py")
    path.write_text(path.read_text() + LEMMA.format(id="my.lemma", name="other", left="x"))
    with pytest.raises(InputError):
        bc.prove(path)


BROKEN = {
    "no file": (None, "a file that exists"),
    "nothing in it": ("", "@script(claim, version)"),
    "no script in it": ("x = 1\n", "@script(claim, version)"),
    "bad syntax": ("def f(:\n", "SyntaxError"),
    "a null byte": ("\0", "SyntaxError"),
    "an import that fails": ("import there_is_no_such_module\n", "there_is_no_such_module"),
    "a division by zero": ("1 / 0\n", "division by zero"),
    "an assertion": ("assert False, 'first\\nsecond'\n", "first"),
    "an exit": ("raise SystemExit(3)\n", "SystemExit in line 1 of lemma.py: 3"),
    "bytes that are no text": (b"\xff\xfe", "SyntaxError"),
    "an unknown version": (
        "import boundcheck.proof as p\np.script('jiang2024.lemma1', 'final')(print)\n",
        "printed, repaired, sharp",
    ),
    "a lemma that is no claim": (
        "import boundcheck.proof as p\nmine = p.script('my.lemma', 'sharp')(lambda x: x)\n",
        "lemma(id, says=…, given=…)",
    ),
}


@pytest.mark.parametrize("text, words", BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_run_is_one_line(text, words, tmp_path):
    path = tmp_path / "lemma.py"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    error = refused(bc.prove, path)
    assert words in str(error)
    assert error.field in ("script", "version")


INSIDE = {
    "what has no translation": ("proof.step('line', le(sp.log(x), 0))", "expression = log(x)"),
    "a name that is none": (
        "proof.step('line', le(sp.Symbol('a b'), 0))",
        "symbol = a b: expected a letter with a role",
    ),
    "a rule that does not apply": (
        "proof.by.quotient(proof.assume(ge(x, 0)))",
        "divisor = ",
    ),
    "a division by zero": ("1 / 0", "my.lemma, printed: expected one that runs, and not Zero"),
    "a rule that is misspelt": (
        "proof.by.triangel('F', x, x)",
        "no attribute 'triangel'; did you mean triangle?",
    ),
    "a letter that is misspelt": (
        "prof.assume(ge(x, 0))",
        "'prof' is not defined; did you mean proof?",
    ),
    "an import that is misspelt": (
        "exec('from boundcheck.proof import skript')",
        "); did you mean script?",
    ),
    "an object that does not list its names": (
        "type('X', (), {'__dir__': 3})().y",
        "no attribute 'y'",
    ),
}


@pytest.mark.parametrize("code, words", INSIDE.values(), ids=INSIDE)
def test_what_a_function_asks_in_vain_is_one_line(code, words, tmp_path):
    path = write(tmp_path / "lemma.py")
    text = path.read_text().replace("import ge", "import ge, le")
    path.write_text(text.replace("    relation =", f"    {code}\n    relation ="))
    assert words in str(refused(bc.prove, path))


# What a script is.


def test_a_function_becomes_a_script_that_runs_once():
    runs = []
    made = script("my.lemma", "sharp")(runs.append)
    assert isinstance(made, Script)
    assert made.id == "my.lemma"
    assert made.version == "sharp"
    assert made.title == "my.lemma"
    assert made.claim is None
    assert made.is_statement is False
    assert made.proof is made.proof
    assert runs == [made.proof]
    claim = bc.claims["jiang2024.lemma1"]
    assert script(claim, "printed")(runs.append).title == claim.title
    with pytest.raises(
        InputError, match=r"title = Mine: expected none: jiang2024\.lemma1 has the title Lemma 1"
    ):
        script(claim, "printed", title="Mine")
    with pytest.raises(
        InputError, match="version = final: expected one of printed, repaired, sharp"
    ):
        script(claim, "final")(runs.append)


def test_the_template_is_proved(tmp_path):
    copy = Path(shutil.copy(TEMPLATE, tmp_path / "my_lemma.py"))
    audit = bc.prove(copy)
    assert audit.claims
    assert {claim.verdict for claim in audit.claims} == {"proved"}
    assert TEMPLATE.stem not in papers()
