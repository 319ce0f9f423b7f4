"""What a run is made on has one hash: any number, and any code from outside, that it can reach
changes it."""

import linecache
import subprocess
import sys
from functools import cache, cached_property, partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

import boundcheck as bc
from boundcheck.system.fingerprint import content_of
from tests.experiment.small import refused
from tests.layers import full

WITH = (
    "import numpy as np, torch, helper_of_mine, package_of_mine.part\n{}\ndef made(): return {}\n"
)
# What code reads from around it, in a module of its own: text of the module, and of what is hashed.
# X is the number.
REACHED = {
    "a global": ("Z = torch.tensor([X])\ndef f(W): return W * Z", "f"),
    "a global of a nested lambda": ("Z = np.array([X])\ndef f(W): return (lambda: W * Z)()", "f"),
    "a global in a generator": ("Z = X\ndef f(W): return sum(W * Z for _ in range(2))", "f"),
    "a global of a called function": ("Z = X\ndef g(): return Z\ndef f(W): return W * g()", "f"),
    "an imported module": ("def f(W): return W * helper_of_mine.Z", "f"),
    "a function of an imported module": ("def f(W): return W * helper_of_mine.z()", "f"),
    "an import in a function": (
        "def f(W):\n    from helper_of_mine import Z\n    return W * Z",
        "f",
    ),
    "a module imported in a function": (
        "def f(W):\n    import helper_of_mine as h\n    return W * h.Z",
        "f",
    ),
    "a package imported in a function": (
        "def f(W):\n    import package_of_mine.part\n    return package_of_mine.Z",
        "f",
    ),
    "a part of a package": (
        "def f(W):\n    from package_of_mine import part\n    return part.Z",
        "f",
    ),
    "a default": ("def f(W, z=X): return W * z", "f"),
    "a default of a keyword": ("def f(W, *, z=X): return W * z", "f"),
    "an attribute of a function": ("def f(W): return W * f.z\nf.z = X", "f"),
    "a class attribute": ("class C: z = X\ndef f(W): return W * C.z", "f"),
    "a global of a method": ("Z = X\nclass C:\n    def __call__(self, W): return W * Z", "C()"),
    "a base of a class": ("class B: z = X\nclass C(B): pass", "C()"),
    "a property": ("Z = X\nclass C:\n    @property\n    def z(self): return Z", "C()"),
    "a class method": ("Z = X\nclass C:\n    @classmethod\n    def z(cls): return Z", "C()"),
    "a private slot": (
        (
            "class C:\n    __slots__ = ('__z',)\n    def __init__(self): self.__z = X\n    def"
            " z(self): return self.__z"
        ),
        "C()",
    ),
    "a bound method": ("class C:\n    def f(self, W): return W * self.z\nc = C()\nc.z = X", "c.f"),
    "a list with attributes": ("class C(list): pass\nc = C([1])\nc.z = X", "c"),
    "a number with attributes": ("class C(float): pass\nc = C(1)\nc.z = X", "c"),
    "a plain attribute of a module": (
        "m = torch.nn.Linear(1, 1)\ntorch.nn.init.ones_(m.weight); m.bias = None\nm.z = X",
        "m",
    ),
    "what is cached": ("import functools\nZ = X\n@functools.cache\ndef f(): return Z", "f"),
    "a named tuple": (
        "from collections import namedtuple\nT = namedtuple('T', 'z')\nt = T(X)\n"
        "def f(W): return W * t.z",
        "f",
    ),
    "what is batched": ("Z = X\nf = torch.func.vmap(lambda W: W * Z)", "f"),
    "what is vectorized": ("Z = X\nf = np.vectorize(lambda W: W * Z)", "f"),
    "an object array": ("f = np.array([1, [X]], dtype=object)", "f"),
    "a bfloat16": ("f = torch.tensor(1 + X / 8, dtype=torch.bfloat16)", "f"),
    "a sparse tensor": ("f = (X * torch.eye(2)).to_sparse()", "f"),
    "a generator": ("f = np.random.default_rng(X)", "f"),
    "where a list ends": ("f = [[1], 2] if X == 1 else [[1, 2]]", "f"),
}


READ = "from pathlib import Path\nX = int((Path(__file__).parent / 'x.txt').read_text())\n"
# Beside the module itself; the package reads its number from the folder above.
BESIDE = {
    "helper_of_mine.py": READ + "Z = X\ndef z(): return Z\n",
    "package_of_mine/__init__.py": READ.replace(".parent", ".parents[1]") + "Z = X\n",
    "package_of_mine/part.py": READ.replace(".parent", ".parents[1]") + "Z = X\n",
}
NAMES = ("code_of_mine", "helper_of_mine", "package_of_mine", "package_of_mine.part")


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module of this text, whose source says nothing of the number X: that is in a file beside
    it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def made(text, number):
        for name, content in (
            BESIDE | {"x.txt": str(number), "code_of_mine.py": READ + text}
        ).items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(content)
        for name in NAMES:
            sys.modules.pop(name, None)
        return import_module("code_of_mine")

    yield made
    for name in NAMES:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("reached", REACHED)
def test_all_that_code_reaches_changes_it(reached, module):
    text, hashed = REACHED[reached]
    once, again, other = (
        content_of(module(WITH.format(text, hashed), x).made()) for x in (1, 1, 2)
    )
    assert once == again
    assert once != other


def test_what_nothing_reads_changes_nothing_and_the_source_is_a_part_of_it(module):
    text = WITH.format("Z = 3\ndef f(W): return W * Z", "f")
    assert content_of(module(text, 1).made()) == content_of(module(text, 2).made())
    text = WITH.format("def f(W): return getattr(helper_of_mine, 'Z')", "f")
    assert content_of(module(text, 1).made()) != content_of(
        module(f"{text}# A remark.\n", 1).made()
    )


def typed(text):
    """A function that no file has."""
    made = {"__name__": "__main__"}
    exec(text, made)
    return made["f"]


def test_what_cannot_be_looked_into_needs_a_version(tmp_path):
    class Raising:
        def __reduce__(self):
            raise ValueError

    with (tmp_path / "open").open("w") as file:
        code = typed("def f(W): return W")
        for hidden in (
            file,
            (x for x in [1]),
            np.frompyfunc(lambda x: x, 1, 1),
            Raising(),
            code,
        ):
            assert refused(partial(content_of, [hidden])).field == "version"
            first, again, second = (content_of([hidden], version) for version in ("1", "1", "2"))
            assert first == again != second


def test_a_cell_of_a_notebook_is_a_text_and_data_tell_typed_functions_apart():
    text = "def f(W, z=2): return W * z\n"
    linecache.cache["a cell"] = (len(text), None, [text], "a cell")
    try:
        made = {"__name__": "__main__"}
        exec(compile(text, "a cell", "exec"), made)
        assert content_of(made["f"]) == content_of(made["f"]) != content_of(torch.tanh)
    finally:
        del linecache.cache["a cell"]
    once, other, *_ = (typed(f"def f(W, z={x}): return W * z") for x in (2, 3))
    assert content_of(once, "1") != content_of(other, "1")


def test_functions_of_one_name_and_file_differ():
    two = [
        lambda W: W * 2,
        lambda W: W * 3,
        lambda W: W + 2,
        lambda W: W * torch.tensor((2, 3)),
        lambda W: W * torch.tensor((2, 4)),
        lambda W: sum(W * each for each in (1, 2)),
    ]
    assert len({content_of(each) for each in two}) == len(two)


def test_what_is_computed_from_the_rest_and_kept_is_no_part_of_it():
    class Kept:
        @cached_property
        def half(self):
            return 0.5

    thing = Kept()
    before = content_of(thing)
    assert thing.half == 0.5
    assert content_of(thing) == before


def test_installed_code_is_known_by_its_name_and_what_it_holds_is_not():
    @cache
    def times(factor):
        return lambda W: W * factor

    assert content_of(torch.tanh) == content_of(torch.tanh) != content_of(torch.sin)
    assert content_of(bc.claims) == content_of(bc.claims)
    parts = (times(1.0), partial(torch.mul, 2), torch.ones(2).mul)
    others = (times(2.0), partial(torch.mul, 3), torch.zeros(2).mul)
    for part, other in zip(parts, others, strict=True):
        assert content_of(part) == content_of(part) != content_of(other)


@full
def test_other_processes_find_the_same():
    code = (
        "from boundcheck.system.fingerprint import content_of\n"
        "from tests.outside import my_theorem, my_adapter, my_objective\n"
        "print(content_of([my_theorem, my_adapter, my_objective, {'a', 'b', 'c'}]))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[1],
        ).stdout
        for _ in range(2)
    }
    assert len(found) == 1


@full
def test_two_functions_of_one_name_have_results_of_their_own(tmp_path):
    X = torch.linspace(-1, 1, 24, dtype=torch.float64).reshape(8, 3)
    table = {
        "claim": "nesterov2004.gradient_descent",
        "adapter": {"kind": "full"},
        "run": {"steps": 5, "audits": 5},
    }

    def made(scale):
        return lambda W: (X @ W.mT - scale * X.sum(1)[:, None]).square().sum(1) / 2

    found = [
        bc.measure(table | {"problem": {"d": 1, "k": 3}}, tmp_path, problem=made(scale))[0]
        for scale in (1.0, 2.0, 1.0)
    ]
    assert found[0].run_id == found[2].run_id != found[1].run_id
    assert found[0].measured != found[1].measured
