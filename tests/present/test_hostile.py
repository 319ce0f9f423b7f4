"""A report is made whatever its runs, findings and titles say, and each of its files is what it is
meant to be."""

import pytest

from boundcheck.present.material import Finding, Material
from boundcheck.present.page import write_page
from boundcheck.shown import command, visible
from tests.hostile import NASTY
from tests.layers import sampled

from .made import changed


def material_of(stored, text):
    """Runs, findings and faults whose every text is this one."""
    blame = {"kind": "constant", "name": text, "evidence": text}
    runs = [changed(run, reason=text, problem__name=text) for run in stored[:2]]
    theorem = next(each for each in runs if each.is_theorem)
    findings = [Finding(1, text, "supported", text)]
    broken = changed(theorem, verdict="violated", blame=blame)
    return Material(
        [*runs, broken], findings, faults=[(text, theorem)], command=command("report", text or "x")
    )


@pytest.mark.full
@sampled(6)
@pytest.mark.parametrize("name", NASTY)
def test_every_file_of_a_report_is_whole(name, stored, tmp_path):
    text = NASTY[name][:2000]
    material = material_of(stored, text)
    files = write_page(material, tmp_path / "index.html", text, text, latex=True)
    for path in files:
        content = path.read_bytes()
        if path.suffix != ".pdf":
            assert visible(content.decode()) == content.decode(), path
    assert "<script>alert" not in (tmp_path / "index.html").read_text()
