"""Small finished runs that the report's tests draw on: one theorem, one bracket at two ranks, one
of each adapter."""

import pytest

import boundcheck as bc
from boundcheck.language.catalogue import catalogue
from boundcheck.present.material import load_runs
from boundcheck.present.words import label
from tests.judged import of_the_paper

PROBLEM = {"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 8, "delta": 0.25, "noise": 0.5}
THEOREM = {
    "claim": "jiang2024.theorem2",
    "problem": PROBLEM,
    "adapter": {"rank": 2, "gain": 1.5},
    "run": {"replicas": 16, "audits": 8},
}
BRACKET = {
    "claim": "jiang2024.lemma1",
    "problem": PROBLEM,
    "adapter": {"rank": [1, 2]},
    "domain": {"a": 1.0, "b": 1.0},
    "bracket": {"pairs": 32, "iterates": 8, "points": 2, "ascents": 2, "rounds": 2},
}
# What an adapter's bracket is held against, and its domain.
ADAPTED = {
    "full": ("meft.full", {"rho": 1.0}),
    "lora": ("meft.lemma1_sharp", {"a": 1.0, "b": 0.5}),
    "dora": ("meft.dora_blocks", {"a": 0.5, "b": 0.5, "mu": 1.0}),
    "loreft": ("meft.loreft_sharp", {"nu": 1.0}),
}


def pytest_collection_modifyitems(items):
    """One worker makes the runs for all tests that look at them; some of these look at the paper's
    proofs too."""
    made = {"run_folders", "stored", "adapters", "searches", "waterfalls", "written"}
    for item in items:
        if isinstance(item, pytest.Function) and made & set(item.fixturenames):
            item.add_marker(of_the_paper)


def adapted(kind):
    """The bracket of an adapter at two ranks, where it has ranks."""
    claim, domain = ADAPTED[kind]
    adapter = {"kind": kind} | ({} if kind == "full" else {"rank": [1, 2]})
    return BRACKET | {"claim": claim, "adapter": adapter, "domain": domain}


@pytest.fixture(scope="session")
def run_folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    results = bc.measure(THEOREM, root) + bc.measure(BRACKET, root)
    return [root / result.run_id for result in results]


@pytest.fixture(scope="session")
def stored(run_folders):
    return load_runs(run_folders)


@pytest.fixture(scope="session")
def adapters(tmp_path_factory):
    root = tmp_path_factory.mktemp("adapters")
    results = [result for kind in ADAPTED for result in bc.measure(adapted(kind), root)]
    return load_runs([root / result.run_id for result in results])


@pytest.fixture(scope="session")
def searches():
    asked = (
        ("meft.lemma1_sharp", "sigma"),
        ("jiang2024.lemma1", "sqrt(r) sigma"),
        ("meft.full", "sigma"),
    )
    found = []
    for number, (id, lipschitz) in enumerate(asked):
        search = bc.falsify(
            id, bc.Search((1, 2), lipschitz=lipschitz, starts=4, rounds=32, examples=2)
        ).as_json()
        said = {"argument": catalogue[id].argument, "unproved": catalogue[id].unproved}
        words = said | {"label": label(id, lipschitz), "lipschitz": lipschitz}
        curve = {"1": 1.0, "2": 0.6} if id == "jiang2024.lemma1" else {}
        file = f"instances/{number}.json"
        found.append(
            search
            | words
            | {
                "file": file,
                "drawn": id != "meft.full",
                "curve": curve,
                "proof": "proved",
            }
        )
    return found


@pytest.fixture(scope="session")
def waterfalls(adapters):
    return [("a pair of points", run.slack) for run in adapters if run.adapter == "lora"]
