"""The example notebook is kept without outputs, and runs to its end, where each object has shown
itself.

It is kept without outputs because they are true of one version of the code alone: a run's id is a
hash of it.
"""

import ast
import json
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "examples" / "notebook.ipynb"
# Of a cell, in seconds.
LONGEST = 300


def cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_it_is_a_notebook_without_outputs():
    notebook = nbformat.read(NOTEBOOK, 4)
    nbformat.validate(notebook)
    assert len(cells(notebook)) > 10
    assert all(not cell.outputs and cell.execution_count is None for cell in cells(notebook))
    # No name of an environment, and no version of a Python.
    assert json.loads(NOTEBOOK.read_text(encoding="utf-8"))["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


def faces(cell):
    """How the outputs of a cell may be shown; a progress line that is gone is none."""
    return {
        face for output in cell.outputs for face, shown in output.get("data", {}).items() if shown
    }


def is_value(node):
    return isinstance(node, ast.Expr) and ast.unparse(node) != "plt.show()"


@pytest.mark.full
def test_it_runs_and_each_object_shows_itself(tmp_path):
    notebook = nbformat.read(NOTEBOOK, 4)
    NotebookClient(
        notebook, timeout=LONGEST, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    for cell in cells(notebook):
        last = ast.parse(cell.source).body[-1]
        assert not [
            output
            for output in cell.outputs
            if output.output_type not in ("execute_result", "display_data")
        ]
        if "plt.show()" in cell.source:
            assert "image/png" in faces(cell)
        elif is_value(last) and ".bound(" not in ast.unparse(last):
            assert "text/html" in faces(cell)
        for data in (output.get("data", {}) for output in cell.outputs):
            if "text/latex" in data:
                assert ElementTree.fromstring(data["text/html"]).tag == "div"
            assert not [
                text for text in data.values() if str(tmp_path) in text or str(ROOT) in text
            ]
    shown = {cell.source.splitlines()[-1]: cell for cell in cells(notebook)}
    assert ">refuted<" in shown['audit["jiang2024.lemma1"]'].outputs[-1]["data"]["text/html"]
    assert ">proved<" in shown["judge(square_of_a_sum)"].outputs[-1]["data"]["text/html"]
    assert ">refuted<" in shown["judge(wrong)"].outputs[-1]["data"]["text/html"]
    assert ">supported<" in shown["result"].outputs[-1]["data"]["text/html"]
