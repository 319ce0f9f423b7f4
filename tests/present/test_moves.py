"""What moved between two reports: each planted change is found and named, and nothing else is."""

import pytest

from boundcheck.present.moves import moves

# Each number from 10 on stands once; by those below it an entry is known.
RUN = """{"spec": {"seed": 1}, "claim": "a", "verdict": 10, "bound": 11.0, "run_id": "here",
"audit": [{"symbol": "L", "x": 12}, {"symbol": "L", "x": 13}], "plan": {"x.y": [ 14, {"x": 15}]}}"""
OTHER = """{"spec": {"seed": 2}, "claim": "a", "verdict": 16, "said": {"a": 17}}"""
FOUND = """"findings": [{"locator": 3, "verdict": 18}, {"locator": 3, "verdict": 19}],
"proofs": [{"id": "a", "proof": 4, "lines": {"(1)": 20}}, {"id": "a", "proof": 5, "trust": 21}]"""
OLD = f'{{"runs": [{RUN}, {OTHER}], {FOUND}}}'
SAME = f'{{{FOUND}, "runs": [{OTHER}, {RUN.replace("here", "there")}]}}'


@pytest.fixture
def report(tmp_path):
    def write(name, text):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


@pytest.mark.parametrize("value", range(10, 22))
def test_a_planted_change_is_found_and_named(value, report):
    """In a report that is in another order, from another machine."""
    old, new = report("old", OLD), report("new", SAME.replace(f" {value}", f" 9{value}"))
    assert [(x.old, x.new) for x in moves(old, new).moves] == [(value, int(f"9{value}"))]
    assert moves(old, report("new", SAME)).moves == ()


@pytest.mark.parametrize("name", ['"seed": 1', '"locator": 3', '"proof": 4'])
def test_an_entry_about_something_else_is_another(name, report):
    new = report("new", SAME.replace(name, f"{name}9", 1))
    assert {"went", "came"} <= {x.field for x in moves(report("old", OLD), new).moves}


def test_it_ends_with_1_where_something_moved_and_the_gravest_comes_first(report, command):
    old = str(report("old", OLD))
    new = OLD.replace(f", {OTHER}", "").replace(" 12", " 8").replace("10", "9").replace("11.0", "7")
    done = command("diff", old, str(report("new", new)))
    _, *rows, _ = done.out.splitlines()
    assert done.code == 1
    fields = [row.split("\t")[1] for row in rows]
    assert fields == ["verdict", "went", "bound", "audit.L.x"]
    assert command("diff", old, old, "--json").code == 0
    near = report("near", OLD.replace("11.0", "11.1"))
    assert [len(moves(report("old", OLD), near, within).moves) for within in (0, 0.01)] == [1, 0]


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"runs": [NaN]}', "[" * 10**5])
def test_what_is_no_report_is_refused_in_a_line(text, report, command):
    done = command("diff", str(report("old", OLD)), str(report("bad", text)))
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
