"""Proofs as files for Rocq: the statement is the kernel's, and Rocq accepts the files and no
altered ones."""

import os
import re
import shutil
from dataclasses import replace
from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.errors import InputError
from boundcheck.exact.evaluate import t
from boundcheck.kernel.meaning import Interval, Model, denote
from boundcheck.kernel.terms import Index, Variable
from boundcheck.language.symbols import T
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    Expectation,
    MatrixExpectation,
    MinimumOver,
    g_t,
    i,
    n,
    v_t,
)
from boundcheck.proof import ClaimAudit, Process, Reading, Ref, Row, Under, eq, ge, gt, le
from boundcheck.proof.audit import for_rocq, judge_row, known_instance, proof_as_json, rows_of
from boundcheck.proof.by import put_in
from boundcheck.rocq import check as checking
from boundcheck.rocq import rules
from boundcheck.rocq.book import Book, Place
from boundcheck.rocq.check import (
    LIBRARY,
    World,
    allowed,
    axioms,
    checked,
    covers,
    differing,
    digest,
    hash_of,
    rocq,
)
from tests.judged import of_the_paper, proof_of
from tests.layers import sampled

from .scripts import judged, lemma, x, y, z

pytestmark = of_the_paper

SMALL = ("jiang2024.rate.own_constant.most", "sharp")
# A product of signs; norms, a law and its instance; triangle, a scaled norm and a law as
# conclusion.
CHECKED = (
    SMALL,
    ("jiang2024.assumption3.1.optimal", "sharp"),
    ("jiang2024.assumption2.segment", "repaired"),
)


def export_of(id, version):
    return for_rocq(proof_of(id, version))


numbers = st.fractions(Fraction(1, 9), 9, max_denominator=9)


def concluded(text):
    """The polynomial that the theorem of a file says is at least 0."""
    said = re.search(r"^Theorem .* -> 0 <= (.*) :> R\)\.$", text, re.MULTILINE)
    assert said, "the theorem is an inequality"
    return said[1]


def value(text, names):
    """The value of a polynomial of Rocq, read as Python reads it."""
    python = re.sub(
        r"(\d+) / (\d+)", r"Fraction(\1, \2)", text.replace("^+", "**").replace(")^-1", ")**-1")
    )
    return eval(re.sub(r"\b([Tr])%:R", r"\1", python), {"Fraction": Fraction} | names)


LETTERS = ("D", "G", "L", "bound", "sigma", "zeta")


@given(st.fixed_dictionaries(dict.fromkeys(LETTERS, numbers)), st.integers(1, 9), st.integers(1, 9))
def test_the_theorem_has_the_value_of_the_kernel_s(values, horizon, rank):
    proof = proof_of(*SMALL)
    model = Model(
        {"r": rank}, horizon, (Fraction(1),), lambda _: (0,), lambda atom, *_: values[atom.name]
    )
    exact = value(
        concluded(rocq(for_rocq(proof))), values | {"T": Fraction(horizon), "r": Fraction(rank)}
    )
    assert denote(proof.conclusion.polynomial, model, 1, 0) == Interval(exact, exact)


def test_letters_that_rocq_has_for_itself_get_other_names():
    book = Book(frozenset())
    assert [book.fresh(name) for name in ("w", "forall", "x", "x", "h_1")] == [
        "w_",
        "forall_",
        "x",
        "x_",
        "h_1_",
    ]
    # The outcomes of expectations, which would otherwise bind a letter of that name.
    assert [book.fresh(name) for name in ("w'", "w''", "A'")] == ["w'_", "w''_", "A'"]


@pytest.mark.parametrize("base, offset", [("t", -2), ("T", -2), ("", -1)])
def test_a_time_before_0_is_refused(base, offset):
    """In Rocq 1 - 2 is 0: what holds at time 0 would be said of earlier times, too."""
    assert Place("t", -1).time == "t.-1"
    with pytest.raises(InputError, match="at least 0"):
        _ = Place("t").at(Index(base, offset)).time


def test_what_is_not_proved_or_has_no_form_is_not_exported(monkeypatch):
    with pytest.raises(InputError, match=r"my\.lemma, sharp.*proved"):
        rocq(for_rocq(judged(lemma(ge(x, 1), gt(x, 0)))))
    with pytest.raises(InputError, match="5000"):
        # A number to which Rocq would count.
        rocq(for_rocq(judged(lemma(ge(x + 123456, 0), gt(x, 0)))))
    monkeypatch.delitem(rules._RULES, "certificate")
    with pytest.raises(
        InputError, match=r"my\.lemma, sharp, step \d+, certificate.*can be exported"
    ):
        rocq(for_rocq(judged(lemma(ge(x * y + z, 0), gt(x, 0), gt(y, 0), ge(z, 0)))))


def test_axioms_are_read_as_rocq_prints_them():
    printed = (
        "Axioms:\nboolp.funext : forall x,\n  x = x\nlong_name\n  : forall y, y\nopnZ :\n  forall"
        " c, c"
    )
    assert axioms(printed) == {"boolp.funext", "long_name", "opnZ"}
    assert axioms("Closed under the global context") == set()
    # A tactic that tried something else tells of it before.
    noise = "Debug:\nIn environment\nR : realType\nUnable to unify.\nDebug: In environment\n"
    assert axioms(f"{noise}Closed under the global context") == set()
    assert axioms(f"{noise}{printed}") == axioms(printed)
    assert (
        not axioms("Closed under the global context\nClosed under the global context") <= allowed()
    )
    assert not axioms(f"told\n{printed}") <= allowed()
    # As Rocq says it of a recursion that it was told not to look at.
    assert axioms("Axioms:\nloop is assumed to be guarded.\nx : nat") == {
        "loop is assumed to be guarded.",
        "x",
    }
    assert not axioms("") <= allowed()
    assert len(allowed()) == 3


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The library, compiled."""
    if shutil.which("coqc") is None:
        message = (
            "coqc is missing: Debian's coq, libcoq-mathcomp-analysis and"
            " libcoq-mathcomp-algebra-tactics"
        )
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return checking.build(tmp_path_factory.mktemp("rocq"))


def check(text, library, name="proof"):
    """The error that Rocq finds in a file, empty if it finds none."""
    file = library.parent / f"{name}.v"
    file.write_text(text)
    return checking.compiled(file, library)[0]


@pytest.mark.full
def test_the_library_passes_its_own_tests(library):
    assert check((LIBRARY / "tests.v").read_text(), library) == ""


@pytest.mark.full
def test_rocq_accepts_a_proof(library):
    """`make rocq` compiles all of them, and the worlds below need the smallest."""
    assert check(rocq(export_of(*CHECKED[-1])), library) == ""


X = sp.MatrixSymbol("X", n, 1)
RUN = Reading(
    processes={
        v_t: Process((sp.MatrixSymbol("v", n, 1),)),
        g_t: Process((sp.MatrixSymbol("g", n, 1),), drawn=True),
    },
    constants={x, y, z},
    arbitrary={X},
)


def least(body):
    return MinimumOver(body, t, 1, T)


def earlier(iterate):
    return sp.Sum(EuclideanNorm(iterate.xreplace({t: i})), (i, 1, t - 1))


def steps_of_no_paper(proof):
    """Steps that a user may write and no proof of a paper has."""
    by = proof.by
    size = EuclideanNorm(g_t)
    mean = MatrixExpectation(g_t, v_t)
    # The expectation of a sum, and a variance, in which the mean is known.
    summed = by.expectation(by.sum(proof.assume(le(size**2, x))))
    squares = [by.expectation(by.expansion(each), t) for each in (g_t - mean, g_t)]
    spread = [EuclideanNorm(g_t - mean), size - Expectation(size, v_t)]
    variances = [by.expectation(proof.step(str(each), ge(each**2, 0)), t) for each in spread]
    # A least value by a law, and a sum over earlier times by an equation.
    law = proof.assume(le(least(EuclideanNorm(v_t) * EuclideanNorm(X)), x), forall=[X])
    same = (proof.assume(eq(g_t, v_t)), g_t, v_t)
    before = by.rewrite(proof.assume(le(earlier(g_t), x)), le(earlier(v_t), x), same)
    # And a number by one, in a norm.
    number = (proof.assume(eq(y, T * x)), Variable("y"), by.reading.scalar(T * x))
    scaled = put_in(proof.assume(le(EuclideanNorm(y * v_t), z)), [number])
    bounds = {
        sp.Sum(Expectation(size**2), (t, 1, T)): T * x,
        EuclideanNorm(mean) ** 2: Expectation(size**2, v_t),
        Expectation(size, v_t) ** 2: Expectation(size**2, v_t),
        least(EuclideanNorm(v_t) ** 2): x,
        earlier(v_t): x,
        EuclideanNorm(T * x * v_t): z,
    }
    at_v, equal = by.instance(law, {X: v_t}), by.expansion(mean)
    premises = (scaled, summed, squares, variances, equal, at_v, before)
    relation = le(sum(bounds), sum(bounds.values()))
    proof.conclude(proof.step("all of these", relation, *premises), relation=relation)


def test_steps_of_no_paper_are_exported():
    text = rocq(for_rocq(judged(steps_of_no_paper, reading=RUN)))
    assert all(
        name in text for name in ("ex_total", "ex_knows", "mean_knows_", "least_same", "pre_last")
    )


@pytest.mark.full
def test_rocq_accepts_steps_of_no_paper(library):
    assert check(rocq(for_rocq(judged(steps_of_no_paper, reading=RUN))), library) == ""


@pytest.mark.parametrize("id, version", [*CHECKED, ("meft.theorem2_frozen_a", "sharp")])
def test_a_world_states_the_hypotheses_of_the_theorem(id, version):
    """All that the section of the theorem's file assumes, and all of its hypotheses, in its order
    and its words."""
    proof = proof_of(id, version)
    text = rocq(for_rocq(proof))
    statement = World(for_rocq(proof)).statement
    section = text[text.index("Section Proof.") : text.index("(* Step ")]
    assumed = re.findall(r"^Hypothesis \w+ : (.*)\.$", section, re.MULTILINE)
    assert all(f"({said}) /\\" in f"{statement} /\\" for said in assumed)
    hypotheses = re.findall(r"^Definition H\d+.* : Prop := (.*)\.$", text, re.MULTILINE)
    assert re.findall(r"^  \(\*.*\n  \((.*)\)(?: /\\)?$", statement, re.MULTILINE) == hypotheses


def test_there_is_no_world_of_a_proof_that_does_not_tell_what_it_assumes():
    proof = proof_of(*SMALL)
    with pytest.raises(InputError, match="by the kernel alone"):
        for_rocq(replace(proof, hypotheses=proof.hypotheses[1:]))


OTHER = "forall R : realType, exists (S : space R) (T : nat), (0 < T)%N"
ATTACKS = {
    "nothing": "Abort. Lemma world : True. Proof. exact I.",
    "other hypotheses": f"Abort. Lemma world : {OTHER}. Proof. by move=> R; exists (still R), 1%N.",
    "an axiom": "Abort. Axiom anything : False. Lemma world : STATEMENT. Proof. by case: anything.",
    "an axiom with an allowed name": (
        "Abort. Module boolp. Axiom propositional_extensionality : False. End boolp. "
        "Lemma world : STATEMENT. Proof. by case: boolp.propositional_extensionality."
    ),
    "no proof": "Admitted. Lemma more : True. Proof. exact I.",
    "another conjunction": (
        'Abort. Notation "A /\\ B" := True (only parsing) : type_scope. '
        "Lemma world : STATEMENT. Proof. by move=> R; exists (still R), 1%N; do !exists 0."
    ),
    "another space": (
        "Abort. Definition R0 := 0%N. Module Num. Definition lt := 0%N. End Num. Definition says :="
        " True. Lemma world : says. Proof. exact I."
    ),
    "a wrong number": "move=> R; dull R. by exists 0.",
}


@pytest.fixture(scope="module")
def small(library):
    """A small theorem, compiled."""
    proof = proof_of(*SMALL)
    assert check(rocq(for_rocq(proof)), library, for_rocq(proof).name_in_rocq) == ""
    return World(for_rocq(proof))


@pytest.mark.full
def test_rocq_accepts_a_world_for_all_that_its_theorem_assumes(small, library):
    assert checking.in_world(small, library.parent, library) == ""
    less = World(export_of(*SMALL))
    less._hypotheses.pop()
    assert checking.in_world(less, library.parent, library).startswith("its world: ")


@pytest.mark.full
@sampled(4, 1)
@pytest.mark.parametrize("attack", ATTACKS)
def test_rocq_refuses_what_is_no_world(attack, small, library, monkeypatch, tmp_path):
    """The proof may define, assume and state what it wants: Rocq judges the statement that the
    theorem makes."""
    script = tmp_path / "script.v"
    script.write_text(ATTACKS[attack].replace("STATEMENT", small.statement))
    monkeypatch.setattr(World, "script", script)
    assert checking.in_world(small, library.parent, library).startswith("its world: ")


# On purpose: that a gradient is bounded everywhere contradicts what else is assumed there.
CONTRADICTORY = {
    f"jiang2024.{name}, sharp"
    for name in (
        "assumption3.1.anywhere",
        "assumption3.2.anywhere",
        "rate.any_constant",
        "rate.with_own_constant",
        "rate.step_size.with_own_constant",
        "remarks.gaussian_start",
    )
}


def test_all_checked_proofs_have_worlds_but_those_whose_hypotheses_contradict_each_other():
    files = {file.stem for file in (LIBRARY / "worlds").glob("*.v")}
    with_world = {name for name, entry in checked().items() if "world" in entry}
    assert {name.replace(", ", "_").replace(".", "_") for name in with_world} == files
    assert checked().keys() - with_world == CONTRADICTORY


@pytest.mark.parametrize("id, version", CHECKED[:2])
def test_a_world_is_known_as_long_as_nothing_of_it_changes(id, version, monkeypatch, tmp_path):
    proof = proof_of(id, version)
    assert checked()[f"{id}, {version}"]["world"] == World(for_rocq(proof)).hash
    assert known_instance(proof) == "Rocq"
    assert "hold in an instance" in proof_as_json(proof)["instance"]
    other = tmp_path / "other.v"
    other.write_text(World(for_rocq(proof)).script.read_text() + "(* *)")
    for script in (other, tmp_path / "none.v"):
        monkeypatch.setattr(World, "script", script)
        assert known_instance(proof) == ""
        assert proof_as_json(proof)["instance"] == "no instance of its hypotheses is known"


def test_of_a_proof_that_is_not_in_the_list_no_instance_is_known():
    assert proof_as_json(judged(lemma(ge(x * z, 0), gt(x, 0), ge(z, 0))))["instance"].startswith(
        "no instance"
    )
    assert proof_as_json(judged(lemma(ge(x, 1), gt(x, 0))))["instance"] == ""


@pytest.mark.full
@sampled(3, 1)
@pytest.mark.parametrize(
    "old, new",
    [
        (r"(have e : .*?) = \((\d+|- \(\d+\)|\d+ / \d+)\) \*", r"\1 = (7) *"),
        (r"(Theorem .* -> )0 <= ", r"\g<1>0 < "),
        (r"(Definition H1 .*)0 < ", r"\g<1>0 <= "),
    ],
    ids=["certificate", "conclusion", "hypothesis"],
)
def test_rocq_refuses_an_altered_file(old, new, library):
    text, count = re.subn(old, new, rocq(export_of(*SMALL)), count=1)
    assert count == 1
    assert check(text, library) != ""


def theorem(*given):
    """What a small proof concludes."""
    return judged(lemma(ge(x * z, 0), *given)).script.proof.conclusion


def known_to_rocq(monkeypatch, *theorems):
    """Let these be all that Rocq has checked."""
    monkeypatch.setattr(checking, "known", lambda _: set(map(digest, theorems)))


def test_what_rocq_has_checked_is_known_by_its_derivation(monkeypatch):
    proof = proof_of(*SMALL)
    end = proof.script.proof.conclusion
    line = proof.steps[0].step.theorem
    seconds = (ge(z, 0), ge(z, 0), gt(z, 0), ge(z - y, y - z))
    one, again, *others = (theorem(gt(x, 0), second) for second in seconds)
    assert digest(one) == digest(again)
    assert len({digest(each) for each in (one, *others)}) == 3
    assert not covers(None)
    for known in ((), (one,)):
        known_to_rocq(monkeypatch, *known)
        assert not covers(end)
        assert not covers(end, line)
    known_to_rocq(monkeypatch, end)
    assert covers(end)
    assert covers(end, line)
    assert not covers(end, one)


@pytest.mark.parametrize(
    "found, known", [(checking.library_hash(), True), ("of another library", False)]
)
def test_with_another_library_nothing_is_checked(found, known, monkeypatch):
    """A spectral norm that is the Frobenius norm obeys the same laws: the derivations would be the
    same."""
    end = proof_of(*SMALL).script.proof.conclusion
    entry = {"derivation": digest(end), "library": found, "axioms": []}
    monkeypatch.setattr(checking, "checked", lambda: {"a proof": entry})
    checking.known.cache_clear()
    try:
        assert covers(end) is known
    finally:
        checking.known.cache_clear()


def test_the_list_has_the_files_that_are_exported_now():
    """A letter that the exporter writes otherwise may make a statement another one."""
    for id, version in CHECKED:
        assert checked()[f"{id}, {version}"]["file"] == hash_of(rocq(export_of(id, version)))


def test_a_table_says_checked_where_all_that_is_proved_is_and_never_of_a_witness(monkeypatch):
    """Of a line that a witness refutes, what Rocq checks is the repair; and of an unknown row
    nothing is said."""
    id = "jiang2024.lemma1"
    printed, repaired, small = (
        proof_of(*each) for each in ((id, "printed"), (id, "repaired"), SMALL)
    )
    line, *_ = (x.step.label for x in printed.steps if x.verdict == "refuted")
    false = Ref(id, "printed", line)
    fine = Ref(id, "repaired")
    holds = Ref(*SMALL)
    claims = {
        id: ClaimAudit(id, "", "repaired", (printed, repaired)),
        SMALL[0]: ClaimAudit(SMALL[0], "", "", (small,)),
    }
    fails = (Under("as it says", fails=(false,)),)
    rows = (
        ({"holds": (holds,)}, "checked"),
        ({"under": fails, "repair": (fine,)}, "repair checked"),
        ({"under": fails}, ""),
        ({"under": (Under("as it says", holds=(fine,)),)}, "checked"),
        ({"holds": (fine, Ref(id, "printed"))}, ""),
    )
    for known in (True, False):
        known_to_rocq(
            monkeypatch, *(each.script.proof.conclusion for each in (repaired, small) if known)
        )
        for refs, said in rows:
            row = Row(1, "", "so", "", mend="no", **refs)
            assert judge_row(row, claims).rocq == (said if known else "")
        # A claim without a table.
        for verdict, said in (
            ("proved", "checked"),
            ("repaired", "repair checked"),
            ("refuted", ""),
            ("unknown", ""),
        ):
            (row,) = rows_of([ClaimAudit(SMALL[0], "", verdict, (small,))])
            assert row.rocq == (said if known else "")


def words(*reasons):
    """What Rocq might say of proofs of my.0, my.1, ..."""
    told = [{"derivation": f"hash {i}"} for i in range(len(reasons))]
    return [
        checking.Word(f"my.{i}, sharp", 1, 0.0, reason, told[i]) for i, reason in enumerate(reasons)
    ]


def test_the_list_has_what_is_checked_and_keeps_what_was_not_asked_about(tmp_path, monkeypatch):
    monkeypatch.setattr(checking, "LIST", tmp_path / "checked.json")
    checking.checked.cache_clear()
    try:
        assert differing(words("", "an error")) == ["my.0, sharp"]
        checking.accept(words("", "", ""))
        checking.checked.cache_clear()
        assert differing(words("", "")) == []
        assert differing(words("", "an error")) == ["my.1, sharp"]
        checking.accept(words("an error"))
        checking.checked.cache_clear()
        assert list(checking.checked()) == ["my.1, sharp", "my.2, sharp"]
    finally:
        checking.checked.cache_clear()
