"""No file of the package imports, however indirectly, a file that imports it: nor in a function, nor for a type."""

from graphlib import TopologicalSorter

import pytest

grimp = pytest.importorskip("grimp", reason="import-linter brings it")


@pytest.mark.full
def test_no_files_import_each_other() -> None:
    graph = grimp.build_graph("boundcheck", cache_dir=None)
    imported = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    assert any("boundcheck.errors" in each for each in imported.values())
    # A CycleError names the files.
    TopologicalSorter(imported).prepare()
