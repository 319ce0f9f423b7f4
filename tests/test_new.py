"""`boundcheck new` makes a paper that audits as it is, and that all engines know."""

from pathlib import Path

import pytest

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.proof import prove
from boundcheck.proofs import new
from boundcheck.properties import check_claim
from tests.layers import full
from tests.program import forked, said


@full
def test_its_theorem_is_proved_measured_and_attacked(tmp_path):
    assert said("new", "my-paper", cwd=tmp_path)["files"][0] == "my_paper/average.py"
    found = said("audit", "my_paper", cwd=tmp_path)["findings"]
    given = "given smoothness of squares, infimum of squares, minibatches of squares"
    assert [each["verdict"] for each in found][:2] == ["proved", f"supported (asymptotic), {given}"]
    assert {each["locator"] for each in found} <= {"Theorem 1", "Theorem 1, attacked"}
    # What the audit ran is measured by itself, and read again.
    command = "measure", "my_paper/experiments/data.toml", "--allow-code"
    (run,) = said(*command, "my_paper", cwd=tmp_path)["runs"]
    assert run["verdict"] == found[1]["verdict"]
    refused = forked(*command, "my_paper/problem.py", cwd=tmp_path)
    assert "--allow-code my_paper" in refused.stderr


@full
def test_its_theorem_is_proved_by_the_kernel_and_tried(tmp_path, monkeypatch):
    new(tmp_path / "tried_paper")
    monkeypatch.setenv("BOUNDCHECK_PAPERS", str(tmp_path / "tried_paper"))
    (audit,) = prove("tried_paper.average").claims
    assert audit.verdict == "proved"
    assert [each.trust for each in audit.proofs] == ["kernel"]
    assert 0.1 < check_claim("tried_paper.average", adapter="full", examples=10).ratio <= 1
    paper = tmp_path / "tried_paper"
    (result,) = bc.measure(
        paper / "experiments" / "data.toml", tmp_path / "runs", allow_code=[paper]
    )
    assert {row.status for row in result.audit} == {"held"}


@full
@pytest.mark.parametrize(
    "old, changed",
    [
        ("2 * D / (h * T)", "D / (h * T)"),
        ("Lhat * h * zeta**2", "Lhat * h * zeta**2 / 2"),
        ("1 / Lhat", "2 / Lhat"),
    ],
)
def test_an_error_in_its_claim_is_not_proved(old, changed, tmp_path):
    """Each of these is false at some T, or is more than the proof gives."""
    folder = tmp_path / "wrong"
    new(folder)
    claims = folder / "claims.py"
    text = claims.read_text()
    assert text.count(old) == 1
    claims.write_text(text.replace(old, changed))
    found = said("prove", "wrong", cwd=tmp_path)
    assert [each["verdict"] for each in found["claims"]] == ["unknown"]
    # What its author found is told of nothing that is not established.
    (row,) = found["rows"]
    assert row["verdict"] == "unknown"
    assert row["finding"].startswith("Not established: ")
    assert "True" not in row["finding"]


@pytest.mark.parametrize(
    "name, expected",
    [
        *(
            (name, "a name of letters, digits and _")
            for name in ("1st", "class", "my paper", "naïve", "..", "a.b")
        ),
        ("mine", "a folder that is not there yet"),
        ("file/mine", "a folder that can be made"),
    ],
)
def test_a_folder_that_cannot_be_made_is_refused_and_nothing_is_written(name, expected, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=f"FOLDER = .*{expected}"):
        new(tmp_path / name if name != ".." else Path(".."))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "mine"]


@pytest.mark.parametrize("name", ["jiang2024", "meft"])
def test_a_folder_with_the_name_of_a_paper_that_is_there_is_not_made(name, tmp_path):
    with pytest.raises(InputError, match=name):
        new(tmp_path / name)
    assert not list(tmp_path.iterdir())
