"""A stranger's folder, opened by every command: nothing in it is run, and nothing is written but
where it is told."""

import hashlib
import importlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
import typer

import boundcheck as bc
from boundcheck.cli import app
from boundcheck.errors import InputError
from boundcheck.experiment.result import text
from boundcheck.experiment.spec import parse
from boundcheck.proofs import paper_at
from boundcheck.system.plugins import allowing
from boundcheck.worst_case.stored import KINDS
from soundness import inputs
from tests.experiment.small import THEOREM_TABLE, changed, refused
from tests.layers import full

# What runs leaves a file there, whoever runs it and however.
PAYLOAD = """
import pathlib
def run(*args, **options):
    pathlib.Path({canary!r}).write_text("run")
run()
title, place, build, CLAIMS, MINE = "A part", 1, run, (), run
"""
# Names that Python, a library or boundcheck itself would import, if the folder were where it looks.
SHADOWS = (
    "numpy",
    "torch",
    "yaml",
    "typing",
    "joblib",
    "cupy",
    "multiprocessing",
    "sitecustomize",
    "usercustomize",
    "conftest",
    "boundcheck",
    "tests",
    "payload",
)
# Every kind of place that an import path can name. HOME stands for the hostile folder.
PLACES = {
    "of Python": "os:system",
    "a tree of Python": "shutil:rmtree",
    "built in": "builtins:exec",
    "a process": "subprocess:Popen",
    "installed": "joblib:load",
    "installed, below a package": "matplotlib.texmanager:TexManager",
    "ours": "soundness.processes:Running",
    "the program": "__main__:main",
    "a file beside": "payload.py:run",
    "a module beside": "payload:run",
    "below a package beside": "package.deep:run",
    "a file of Python": f"{os.__file__}:system",
    "a file elsewhere": "HOME/../elsewhere/payload.py:run",
    "a way up": "../elsewhere/payload.py:run",
    "a link": "link.py:run",
    "a module that is a link": "link:run",
    "no file": "folder.py:run",
    "no name": "payload.py:",
    "no place": ":run",
    "no path": "a b/../payload:run",
    "no text": "payload.py:run\u0000",
}
FIELDS = ("claim", "problem.kind", "adapter.kind")
# Code in place of a number or a formula.
TEXTS = ("assume.bound", "adapter.scale", "lipschitz", "run.steps", "problem.d")
EVIL = "__import__('os').system('touch pwned')"
COMMAND = {"problem.command": "touch pwned", "problem.path": "."}
# What is compiled is kept beside its source.
COMPILED = Path(bc.__file__).parent / "functions" / "__pycache__"


@dataclass(frozen=True)
class World:
    """A hostile folder, and what lies around it."""

    root: Path

    @cached_property
    def hostile(self):
        """The folder, full of what would like to be run."""
        home = self.root / "hostile"
        for folder in (
            "canaries",
            "home",
            "temporary",
            "elsewhere",
            "hostile/package",
            "hostile/folder.py",
            "out",
        ):
            (self.root / folder).mkdir(parents=True)
        for name in (*SHADOWS, "../elsewhere/payload", "package/__init__", "package/deep"):
            canary = self.root / "canaries" / name.replace("/", "_")
            (home / f"{name}.py").write_text(PAYLOAD.format(canary=str(canary)))
        (home / "link.py").symlink_to(self.root / "elsewhere" / "payload.py")
        (home / "matplotlibrc").write_text("text.usetex: True\nbackend: module://payload\n")
        (home / ".numba_config.yaml").write_text("cache_dir: cache\ndisable_jit: 1\n")
        (home / "rows.csv").write_text("x,y\n=cmd|' /C calc'!A0,1\n")
        return home

    def run(self, *commands, told=()):
        """What the commands did, in the hostile folder; nothing of it or around it has changed."""
        before = self.state()
        asked = {
            "hostile": str(self.hostile),
            "writable": [
                str(each)
                for each in (
                    COMPILED,
                    self.root / "temporary",
                    self.root / "home" / ".cache",
                    *told,
                )
            ],
            "commands": [[str(each) for each in command] for command in commands],
        }
        # Libraries keep fonts and the like in the home of who runs them.
        mine = {
            "HOME": "home",
            "TMPDIR": "temporary",
            "XDG_CACHE_HOME": "home/.cache",
            "MPLCONFIGDIR": "home/.cache",
        }
        mine["TORCHINDUCTOR_CACHE_DIR"] = "home/.cache/torch"
        env = {
            name: x
            for name, x in os.environ.items()
            if not name.startswith(("PYTHON", "BOUNDCHECK", "NUMBA"))
        }
        env |= {name: str(self.root / x) for name, x in mine.items()} | {
            "PYTHONDONTWRITEBYTECODE": "1"
        }
        script = [sys.executable, "-P", str(Path(__file__).with_name("watched.py"))]
        done = subprocess.run(
            script,
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            cwd=self.hostile,
            env=env,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(found) == len(commands), done.stderr
        assert self.state() == before
        assert not list((self.root / "canaries").iterdir())
        assert not list((self.root / "temporary").iterdir())
        return found

    def state(self):
        """What there is but for caches and what is told to be written."""
        kept = (self.root / "hostile", self.root / "elsewhere", self.root / "home")
        files = [path for folder in kept for path in sorted(folder.rglob("*"))]
        return {
            str(path): path.read_bytes() if path.is_file() else ""
            for path in files
            if ".cache" not in path.relative_to(self.root).parts
        }

    def spec(self, name, changes):
        """A spec in the folder."""
        (path := self.hostile / f"{name}.toml").write_text(
            inputs.toml(changed(THEOREM_TABLE, changes))
        )
        return path

    def placed(self, place):
        """The import path, as it stands in a file of the folder."""
        return PLACES[place].replace("HOME", str(self.hostile))

    def stored(self, field, value):
        """A finished run of the folder, whose spec was edited, and whose hashes were made again."""
        folder = inputs.finished_run(self.root / "sound")
        made = self.hostile / f"run-{len(list(self.hostile.glob('run-*')))}"
        made.mkdir()
        for path in sorted(folder.rglob("*")):
            if path.is_file() and ".lock" not in path.name:
                (made / path.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
                (made / path.relative_to(folder)).write_bytes(path.read_bytes())
        result = json.loads((made / "result.json").read_text())
        digests = result.pop("digests")
        result["spec"] = changed(result["spec"], {field: value})
        result["claim"] = result["spec"]["claim"]
        digests["result"] = hashlib.sha256(text(result).encode()).hexdigest()
        (made / "spec.json").write_text(text(result["spec"]))
        (made / "result.json").write_text(text(result | {"digests": digests}))
        return made


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("world"))
    assert made.hostile.is_dir()
    return made


def check_refused(found, field=""):
    """That a command did nothing, and said why in one line."""
    assert found["did"] == []
    assert found["code"] == 2, found
    assert found["err"].startswith(f"boundcheck: {field}"), found["err"]
    assert found["err"].count("\n") == 1, found["err"]


@full
def test_a_spec_runs_nothing_that_nobody_allowed(world):
    asked = [(field, place) for field in FIELDS for place in PLACES]
    specs = [
        world.spec(
            f"path-{i}", {field: world.placed(place)} | (COMMAND if field == FIELDS[1] else {})
        )
        for i, (field, place) in enumerate(asked)
    ]
    # What is allowed is no folder of any of them, so that it changes nothing.
    (harmless := world.root / "harmless").mkdir()
    # A folder that is allowed allows what lies under it, and nothing that a link or a way leads out
    # to.
    outside = [i for i, (_, place) in enumerate(asked) if "beside" not in place]
    allowed = [(i, harmless) for i in range(len(asked))] + [(i, world.hostile) for i in outside]
    commands = [
        ["measure", specs[i], "--store", world.root / "out", "--allow-code", folder]
        for i, folder in allowed
    ]
    # A sweep, and code in place of numbers.
    odd = [(field, ["pseudo-huber", "payload.py:run"]) for field in FIELDS] + [
        (field, EVIL) for field in TEXTS
    ]
    others = [world.spec(f"odd-{i}", dict([each])) for i, each in enumerate(odd)]
    commands += [["measure", spec, "--store", world.root / "out"] for spec in others]
    fields = [*(asked[i][0] for i, _ in allowed), *[""] * len(others)]
    for field, found in zip(fields, world.run(*commands), strict=True):
        check_refused(found, field)


@full
def test_a_stored_run_and_an_instance_run_nothing(world):
    places = ("a file beside", "of Python", "a link", "below a package beside")
    asked = [(field, world.placed(place)) for field in FIELDS for place in places]
    page = ["--out", world.root / "out" / "page"]
    claims = [
        ["report", world.stored(field, value), *page] for field, value in asked if field == "claim"
    ]
    others = [world.stored(field, value) for field, value in asked if field != "claim"]
    for i, (_, value) in enumerate(asked):
        instance = {"kind": "smoothness", "claim": "meft.full", "adapter": {"kind": value}}
        (world.hostile / f"instance-{i}.json").write_text(
            json.dumps(instance | ({"claim": value} if i % 2 else {}))
        )
    kinds = {"kind": "payload.py:run", "claim": {"id": EVIL, "algorithm": "payload.py:run"}}
    for kind in KINDS:
        (world.hostile / f"instance-{kind}.json").write_text(json.dumps(kinds | {"kind": kind}))
    replays = [
        ["falsify", "--replay", each] for each in sorted(world.hostile.glob("instance-*.json"))
    ]
    told = (world.root / "out",)
    *refusals, shown = world.run(*claims, *replays, ["report", *others, *page, "--data"], told=told)
    for i, found in enumerate(refusals):
        check_refused(found, "claim = " if i < len(claims) else "")
    # A page names them as the spec does, and needs none of their code.
    assert (shown["did"], shown["code"]) == ([], None), shown


# What each command is given of the folder, where it takes nothing but names that are typed. A new
# command needs a row.
GIVEN = {
    "claims": [["path-0.toml"], ["payload"], []],
    "cite": [["path-0.toml"], ["payload.run"]],
    "bound": [["run-0", "--set", f"L={EVIL}"], ["jiang2024.lemma1", "--set", f"r={EVIL}"]],
    "prove": [["path-0.toml"], ["rows.csv"], ["."]],
    "falsify": [["path-0.toml"], ["--replay", "rows.csv"], ["--replay", "run-0/result.json"]],
    "measure": [["rows.csv"], ["."], ["payload.py"], ["network.toml", "--store", "../out"]],
    "new": [["package"], ["payload.py"]],
    "audit": [["path-0.toml"], ["."], ["package"]],
    "report": [["."], ["package"]],
    "diff": [["run-0", "run-0"], [".", "package"], ["rows.csv", "run-0/result.json"]],
    "index": [["."], ["package"]],
    "badge": [["package"], ["payload.run"], [EVIL]],
    "card": [["package"], ["payload.run"], [EVIL]],
}


@full
def test_every_command_in_the_folder_runs_nothing_of_it(world):
    known = typer.main.get_command(app).commands
    assert set(GIVEN) == set(known)
    world.spec("network", {"problem": None, "adapter.kind": "payload.py:run"})
    (world.hostile / "model").mkdir(exist_ok=True)
    (world.hostile / "network.toml").write_text(
        '[model]\nkind = "pretrained"\npath = "model"\ntext = "rows.csv"\n[adapter]\nrank ='
        " 1\n[run]\nstep_size = 0.1\n"
    )
    configuration = {
        "model_type": "bert",
        "auto_map": {"AutoModel": "payload.run", "AutoConfig": "payload.run"},
    }
    (world.hostile / "model" / "config.json").write_text(json.dumps(configuration))
    (world.hostile / "model" / "payload.py").write_bytes(
        (world.hostile / "payload.py").read_bytes()
    )
    world.spec("path-0", {"problem.kind": "payload.py:run"})
    asked = [[name, *rest] for name, each in GIVEN.items() for rest in each]
    for command, found in zip(asked, world.run(*asked), strict=True):
        assert found["did"] == [], command
        assert found["code"] in (None, 0, 2), (command, found)


@full
def test_a_run_made_in_the_folder_is_the_one_made_elsewhere(world):
    """Settings of libraries that lie in the folder change nothing, and what lies there is imported
    by none of them."""
    small = {"run.steps": 8, "run.audits": 4}
    spec = world.spec("good", small)
    out = world.root / "out"
    command = ["measure", spec, "--store", out / "there", "--out", out / "page"]
    (found,) = world.run(command, told=(out,))
    assert (found["code"], found["did"]) == (None, []), found
    (there,) = (json.loads(path.read_text()) for path in (out / "there").glob("*/result.json"))
    (here,) = bc.measure(changed(THEOREM_TABLE, small), world.root / "here")
    assert here.run_id == there["run_id"]
    assert here.measured == there["measured"]


@full
def test_processes_of_a_command_run_nothing_of_the_folder_either(world):
    small = {"run.steps": 8, "run.audits": 4, "seed": [1, 2]}
    out = world.root / "out"
    asked = [
        [
            "measure",
            world.spec("two", small),
            "--store",
            out / "two",
            "--out",
            out / "two-page",
            "--jobs",
            2,
        ],
        ["prove", "meft.full", "--export", out / "export"],
        [
            "falsify",
            "meft.full",
            "--rank",
            1,
            "--starts",
            1,
            "--rounds",
            2,
            "--examples",
            4,
            "--out",
            out / "i.json",
        ],
        ["falsify", "--replay", out / "i.json"],
        ["new", out / "mine"],
    ]
    for command, found in zip(asked, world.run(*asked, told=(out,)), strict=True):
        assert found["code"] is None, (command, found)
        # Python itself is what is started, in processes of our own; and there is the cache.
        fine = (sys.executable, "os.fork", str(Path(".cache") / "boundcheck"))
        others = [each for each in found["did"] if not any(word in each for word in fine)]
        assert others == [], command


@full
@pytest.mark.skipif(not inputs.HAS_TRANSFORMERS, reason="models' folders are read by transformers")
def test_pickled_weights_of_a_model_run_nothing(world):
    folder = inputs.model_folder(world.root / "models")
    (folder / "model.safetensors").unlink()
    run = f"cposix\nsystem\n(S'touch {world.root / 'canaries' / 'pickled'}'\ntR."
    (folder / "pytorch_model.bin").write_bytes(run.encode())
    (rows := world.hostile / "rows.jsonl").write_text(inputs.TEXT)
    (spec := world.hostile / "pickled.toml").write_text(
        f'[model]\nkind = "pretrained"\npath = "{folder}"\ntext = "{rows}"\ntask ='
        ' "classification"\nsamples = 4\nheld_out = 2\n[adapter]\nrank = 1\n[run]\nstep_size ='
        " 0.1\nsteps = 2\n"
    )
    (found,) = world.run(["measure", spec, "--store", world.root / "out"])
    check_refused(found, "model.path")


# In a file that is allowed: what would be run only by calling it.
OF_ANOTHER_KIND = """
import pathlib
from os import system
from boundcheck.functions.objective import Objective
def run(*args, **options):
    pathlib.Path({canary!r}).write_text("called")
def said_in_vain() -> "Nothing":
    run()
def of_another_kind() -> int:
    run()
class Kind:
    def __init__(self, *args, **options):
        run()
class Asked:
    __call__ = run
    def __getattr__(self, name):
        run()
made, asked, number = Kind.__new__(Kind), Asked(), 1
"""


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "name",
    [
        "run",
        "system",
        "said_in_vain",
        "of_another_kind",
        "Kind",
        "made",
        "asked",
        "number",
        "Objective",
    ],
)
def test_what_is_opened_is_known_by_its_kind_before_it_is_called(field, name, tmp_path):
    canary = tmp_path / "canary"
    file = tmp_path / "mine.py"
    file.write_text(OF_ANOTHER_KIND.format(canary=str(canary)))
    with allowing(file):
        error = refused(parse, changed(THEOREM_TABLE, {field: f"{file}:{name}"}))
    # An abstract class is one of objectives, and has no fields that the table says.
    assert error.field.startswith(field.partition(".")[0])
    assert not canary.exists()


def test_what_is_allowed_is_allowed_here_and_now_alone(tmp_path):
    (tmp_path / "beside.py").write_text("NUMBER = 1\n")
    file = tmp_path / "mine.py"
    file.write_text("import boundcheck as bc\nMINE = bc.claims['nesterov2004.gradient_descent']\n")
    spec = {
        "claim": f"{file}:MINE",
        "problem": {"kind": "digits"},
        "adapter": {"kind": "full"},
        "run": {"steps": 4, "audits": 4, "step_size": None},
    }
    # The file is enough.
    with pytest.raises(InputError, match=f"--allow-code {re.escape(str(file))},"):
        bc.measure(spec, tmp_path / "runs")
    for allowed in (file, tmp_path, str(tmp_path / "." / "mine.py")):
        with allowing(allowed):
            assert parse(spec).claim == spec["claim"]
        # Not because it was opened before, nor because it was typed elsewhere.
        assert bc.claims.opened(spec["claim"]).id == "nesterov2004.gradient_descent"
        with pytest.raises(InputError, match="--allow-code"):
            parse(spec)
    with pytest.raises(InputError, match="that is there"), allowing(tmp_path / "nothing"):
        pass


def test_neighbours_are_found_by_what_was_opened_alone(tmp_path, monkeypatch):
    (tmp_path / "a_library_that_is_not_there.py").write_text("HERE = True\n")
    file = tmp_path / "mine.py"
    file.write_text(
        "def claim():\n    import a_library_that_is_not_there as found\n    return found\nclaim()\n"
        "from boundcheck.language.catalogue import catalogue\nMINE = catalogue['meft.full']\n"
    )
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    bc.claims.opened("mine.py:MINE")
    assert sys.path == before
    del sys.modules["a_library_that_is_not_there"]
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("a_library_that_is_not_there")


def test_a_paper_is_its_folder_and_no_link_out_of_it(tmp_path):
    canary = tmp_path / "canary"
    paper = tmp_path / "linked_paper"
    paper.mkdir()
    (tmp_path / "claims.py").write_text(PAYLOAD.format(canary=str(canary)))
    (paper / "claims.py").symlink_to(tmp_path / "claims.py")
    error = refused(paper_at, paper)
    assert error.value == paper / "claims.py"
    assert not canary.exists()
