"""The page on networks: every run with its verdict, a dash where there is no number, exponents of a
sweep."""

import copy
import json
import re

import numpy as np
import pytest
import xarray as xr

from boundcheck.experiment.result import read
from boundcheck.experiment.store import RunFolder
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.language.view import Picture
from boundcheck.present import page as pages
from boundcheck.present.material import Material, StoredRun, named_runs
from boundcheck.present.page import write_runs
from boundcheck.present.sections.networks import MOST, course, seen

from .made import EMPTY, changed
from .texts import assert_no_text_overlaps, spoken

STEPS = 12
DEFAULTS = {"title": "Title", "lead": "Lead.", "command": "boundcheck report 0123456789ab"}
SITES = ("blocks.0.qkv", "blocks.0.up")


def row(hypothesis, guilt, status, seen, how):
    """A row of an audit, whose observed number is its limit."""
    return {
        "hypothesis": hypothesis,
        "guilt": guilt,
        "status": status,
        "observed": seen,
        "limit": seen,
        "how": how,
    }


RESULT = EMPTY | {
    "claim": "meft.theorem2_any_step",
    "spec": {
        "claim": "meft.theorem2_any_step",
        "seed": 0,
        "model": {"kind": "gpt", "width": 16, "text": "python-library", "samples": 16},
        "adapter": {
            "kind": "lora",
            "rank": 2,
            "scale": 1.0,
            "gain": 1.0,
            "start": "lora",
            "targets": "",
        },
        "run": {
            "steps": STEPS,
            "batch": 8,
            "step_size": 0.3,
            "sampling": "with replacement",
            "replicas": 1,
            "audits": None,
            "looks": 2,
            "level": 0.95,
        },
    },
    "environment": {"boundcheck": "0.1.0", "torch": "2.9.0", "threads": 2, "device": "cpu"},
    "problem": {
        "name": "GPT on python-library",
        "units": "nats",
        "sites": 2,
        "trained": 576,
        "parameters": 6720,
    },
    "first_variance": 0.5,
    "rounding": {"loss": 1e-15, "gradient": 2e-16},
    "ends": {
        "loss": [[4.0, 3.0]],
        "accuracy": [[0.125, 0.375]],
        "held_out": {"loss": 3.5, "accuracy": 0.25},
    },
    "verdict": "inconclusive",
    "reason": (
        "the average 0.1 is at most 0.7, the bound at the smoothness that was seen, but that is no"
        " bound on L̂"
    ),
    "blame": {"kind": "constant", "name": "Lhat", "evidence": "measured, not proved"},
    "audit": [
        row("meft.unbiased", "hypothesis", "held", 0.0, "with replacement"),
        row("classic.smooth", "constant", "assumed", 2.5, "measured"),
    ],
    "plan": {
        "steps": STEPS,
        "batch": 8,
        "radii": {},
        "inputs": {"ell": 2.5, "D": 4.0, "zeta": 0.5, "T": STEPS, "eta": 0.3},
        "values": {"Lhat": 2.5, "alpha": 0.3, "bound": 0.7},
        "numbers": {"alpha": 0.3},
    },
    "estimates": {
        "path": 2.5,
        "path_sure": 2.4,
        "L": 1.5,
        "curvature": 4.25,
        "zeta_square": 0.25,
        "D": 4.0,
        "radii": {site: {"a": 1.75, "b": 0.625} for site in SITES},
        "G": dict.fromkeys(SITES, 0.875),
        "G_frobenius": dict.fromkeys(SITES, 0.9),
    },
    "constants": {
        "infimum": {"value": 0.0, "kind": "certified", "how": "cross-entropy is nonnegative"}
    },
    "theorems": [
        {
            "way": way,
            "lipschitz": c,
            "value": value,
            "how": "",
            "longest": 2 / value,
            "bound": bound,
            "needed": needed,
        }
        | {"alpha": 0.1, "T_min": 78.3, "printed_bound": 1.76}
        for way, c, value, bound, needed in (
            ("path", "", 2.5, 0.7, 123),
            ("layers", "", 5.0, 0.9, None),
            ("printed", "sigma", 8.0, None, None),
            ("printed", "sqrt(r) sigma", 11.0, None, None),
        )
    ],
    "measured": 0.1,
    "smallest": 0.02,
    "first": 1.0,
    "bound": 0.7,
    "interval": None,
    "gap": 4.0,
    "decrease": 1.0,
}


def trace(replicas=1, squares=0.1):
    """A trace of curves that fall, with one segment along which F bends down."""
    shape = replicas, STEPS
    fall = (
        np.tile(np.exp(-0.2 * np.arange(STEPS)), (replicas, 1))
        * (1 + 0.1 * np.arange(replicas))[:, None]
    )
    path = 2.5 * fall
    path[:, 1] = -0.5
    blocks = [f"{site} {block}" for site in SITES for block in "AB"]
    along = {
        "loss": 3 + fall,
        "gradient_square_norm": squares * fall,
        "noise_variance": 0.25 * fall,
        "step_length": 0.1 * fall,
        "path_smoothness": path,
        "path_smoothness_error": np.full(shape, 0.2),
    }
    return xr.Dataset(
        {name: (("replica", "stratum"), values) for name, values in along.items()}
        | {
            "time": (("replica", "stratum"), np.tile(np.arange(1, STEPS + 1), (replicas, 1))),
            "norm": (("replica", "stratum", "block"), np.ones((*shape, len(blocks)))),
            "weight_gradient_spectral": (
                ("replica", "stratum", "site"),
                np.ones((*shape, len(SITES))),
            ),
            "curvature": (("replica", "look"), np.full((replicas, 2), 4.25)),
            "look_time": (("replica", "look"), np.tile([1, STEPS], (replicas, 1))),
        },
        attrs={"sites": "\n".join(SITES), "blocks": "\n".join(blocks)},
    )


def run(changes=None, of_spec=None, **given):
    """`RESULT` with changes, those of its spec by path."""
    result = copy.deepcopy(RESULT) | copy.deepcopy(changes or {})
    for path, value in (of_spec or {}).items():
        table, name = path.split(".") if "." in path else ("", path)
        (result["spec"][table] if table else result["spec"])[name] = value
    return StoredRun(read(result), trace(**given))


def figures(runs):
    """What draws each figure along runs, by its name."""
    return {
        each.name: each.draw for each in course.build(Material(runs)) if isinstance(each, Picture)
    }


FAILED = {
    "run_id": "f00000000000",
    "verdict": "hypothesis-failed",
    "reason": "the run broke <eta_max>",
    "blame": {"kind": "constant", "name": "eta", "evidence": "0.5 was seen where 0.3 is the limit"},
    "bound": None,
    "theorems": [RESULT["theorems"][0] | {"bound": None, "longest": 0.25, "needed": None}],
}
TRAINER = {
    "problem": (
        RESULT["problem"] | {"name": "BertForSequenceClassification", "sample": "8 of 120 samples"}
    ),
    "ends": {"loss": [[1.8, 1.7]], "accuracy": [[0.1, 0.2]], "held_out": None},
    "estimates": RESULT["estimates"] | {"curvature": 0.0, "path": None, "path_sure": 0.1},
    "theorems": [
        RESULT["theorems"][0] | {"value": None, "longest": None, "bound": None, "needed": None}
    ],
    "measured": -0.1,
    "first": 0.0,
}
# What an overflow leaves: numbers that are none are null.
DIVERGED = {
    "verdict": "hypothesis-failed",
    "reason": "a loss or a gradient is no finite number, so the theorem says nothing about the run",
    "ends": {
        "loss": [[4.0, None]],
        "accuracy": [[0.125, None]],
        "held_out": {"loss": None, "accuracy": 0.0},
    },
    "theorems": [
        row | {"value": None, "longest": None, "bound": None} for row in RESULT["theorems"]
    ],
    "estimates": RESULT["estimates"] | {"curvature": None, "path": 0.0, "path_sure": 0.0},
    **dict.fromkeys(("measured", "smallest", "bound", "decrease", "first_variance", "blame")),
}


def diverged():
    found = run(DIVERGED)
    for name in ("loss", "gradient_square_norm", "path_smoothness", "norm"):
        found.trace[name].values[:, 3:] = np.nan
    return found


@pytest.fixture
def page(monkeypatch, tmp_path):
    """Makes the page of runs that are on no disk; figures, which take longest, are drawn and not
    rendered."""

    def made(runs, **words):
        monkeypatch.setattr(pages, "load_runs", lambda _: runs)
        monkeypatch.setattr(pages, "svg", lambda _: "<svg></svg>")
        monkeypatch.setattr(pages, "pdf", lambda _: b"")
        folders = [tmp_path / each.result.run_id for each in runs]
        return write_runs(folders, tmp_path / "page" / "index.html", **DEFAULTS | words)[
            0
        ].read_text()

    return made


def on_disk(found, folder):
    folder.mkdir()
    (folder / "spec.json").write_text(json.dumps(found.result.spec))
    made = RunFolder(folder, {})
    made.start_trace(found.trace, {})
    made.finish(found.result)
    return folder


def test_page_names_every_run_with_its_verdict_and_why(page):
    text = page(
        [run(), run(FAILED, {"run.step_size": 0.5})],
        title="A title",
        lead="A lead.",
        command="a command",
    )
    for words in (
        "A title",
        "A lead.",
        "a command",
        "0123456789ab",
        "f00000000000",
        "The average 0.1 is at most 0.7",
        "1.75",
        '"badge open"',
        "outside the theorem&#39;s assumptions",
        "<code>eta</code>",
        "0.5 was seen where 0.3 is the limit",
        # Of the theorems: each way, and what Lanczos found beside the path.
        "step too long",
        "by the path",
        "by layers",
        "C\u00a0=\u00a0σ",
        "√r\u202fσ",
        "at no T",
        ">123<",
        "above T",
        *("4.25, which is more than any ℓₜ", *SITES),
    ):
        assert words in text
    assert re.search("The run broke &lt;<math.*?</math>&gt;[.]", text)
    assert [x for x in spoken(text) if re.search(r"[\^_$]", x)] == [], "formulas are typeset"
    # No word of ranks where none was swept.
    for words in ("A.6", 'badge supported"', 'badge violated"'):
        assert words not in text


def test_numbers_that_are_none_print_as_a_dash(page):
    text = page([diverged()])
    assert "–" in text
    assert "The curvature of F was not looked at." in text
    for words in ("nan", "None", "inf<", "step too long"):
        assert words not in re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL)


def test_run_of_a_trainer(page):
    spec = {"model": {"kind": "trainer", "name": "Bert", "start": "abc"}, "adapter.scale": 2.0}
    found = run(TRAINER, spec, squares=-0.1)
    settings = {name: x for name, x in found.result.spec["run"].items() if name != "step_size"}
    found = changed(found, spec__run=settings, environment__memory_mib=1234)
    found = StoredRun(found.result, found.trace.isel(look=slice(0, 0)))
    text = page([found])
    for words in ("8 of 120 samples", "training script", "mostly rounding error", "1\u202f234 MiB"):
        assert words in text
    assert "The average is below 0" in text
    (axis,) = figures([found])["gradient_norm"]().axes
    assert "≤ 0 at 100%" in axis.get_xlabel()


def test_no_bound_is_shown_of_steps_that_are_not_those_of_sgd(page):
    broken = row("Algorithm 1", "hypothesis", "failed", None, "AdamW")
    theorems = [RESULT["theorems"][0] | {"bound": 0.7654}]
    adam = run({"audit": [broken], "run_id": "ada000000000", "bound": 0.7654, "theorems": theorems})
    text = page([adam])
    assert "0.765" not in text
    assert ">123<" not in text
    found = figures([adam])
    labels = [
        line.get_label()
        for name in ("gradient_norm", "smoothness")
        for line in found[name]().axes[0].lines
    ]
    assert not [label for label in labels if "bound" in label or "2/η" in label]


def by_rank(ranks, seeds, replicas=1):
    """A sweep in which min ‖∇F‖² goes as r^(1/2), and the variance of a sample as r."""
    found = []
    for seed in range(seeds):
        for rank in ranks:
            changes = {"smallest": rank**0.5 * (1 + seed), "first_variance": float(rank)}
            changes["ends"] = RESULT["ends"] | {
                "held_out": {"loss": 3.5 + 0.01 * rank, "accuracy": 0.25}
            }
            spec = {"seed": seed, "adapter.rank": rank, "run.replicas": replicas}
            found.append(run(changes, spec, replicas=replicas, squares=0.1 * rank**0.5))
    return found


@pytest.mark.parametrize("seeds, replicas", [(3, 1), (1, 3)], ids=["seeds", "replicas"])
def test_sweep_over_ranks_shows_exponents(page, seeds, replicas):
    text = page(by_rank((1, 2, 4), seeds, replicas))
    rows = re.findall(
        r"<td>([^<]*)</td><td>1, 2, 4</td><td class=\"n\">3</td>\s*<td class=\"n\">([^<]*)</td>",
        text,
    )
    assert dict(rows)["minₜ E[‖∇F(vₜ)‖²]"] == "0.50"
    assert "p = 0.50, interval 0.50 to 0.50, which 1/4 does not lie in" in text
    assert "Held-out accuracy" in text
    assert "3.52" in text


@pytest.mark.full
def test_both_smoothnesses_are_drawn_and_told_apart():
    """A gradient ratio that rounding hides is not drawn; runs of before it was measured have
    none."""
    found = run({"gradient_ratio": {"value": 3.5, "rounding": 0.25}})
    ratio = np.full((1, STEPS), 3.5)
    error = np.full((1, STEPS), 0.25)
    ratio[0, 2], error[0, 2] = 0.1, 0.2
    for name, values in (("gradient_ratio", ratio), ("gradient_ratio_error", error)):
        found.trace[name] = (("replica", "stratum"), values)
    (axis,) = figures([found])["smoothness"]().axes
    (drawn,) = (
        np.asarray(x.get_ydata(), float)
        for x in axis.lines
        if x.get_label().startswith("gradient ratio")
    )
    assert np.isnan(drawn).tolist() == [place == 2 for place in range(STEPS)]
    assert "Largest gradient ratio: 3.5 ± 0.25, a lower estimate" in seen(found)
    assert "F is not L̂-smooth at the L̂ by the path" in seen(found)
    assert "gradient ratio" not in seen(run())
    assert not any(
        x.get_label().startswith("gradient ratio")
        for x in figures([run()])["smoothness"]().axes[0].lines
    )


@pytest.mark.full
def test_figures_can_be_read():
    kinds = [
        run({}, {"adapter.kind": kind, "adapter.rank": None if kind == "full" else 2})
        for kind in ADAPTERS
    ]
    several = [
        run({}, {"run.replicas": 3, "run.step_size": step}, replicas=3) for step in (0.1, 0.2)
    ]
    for runs in (kinds, [*several, diverged()]):
        found = figures(runs)
        assert list(found) == ["gradient_norm", "smoothness", "constants"]
        for draw in found.values():
            figure = draw()
            assert_no_text_overlaps(figure)
            for line in (line for axis in figure.axes for line in axis.lines):
                y = np.asarray(line.get_ydata(), float)
                low, high = line.axes.get_ylim()
                assert ((y >= low) & (y <= high) | np.isnan(y)).all(), line.get_label()
    assert len(figures(kinds)["smoothness"]().axes) == MOST
    assert figures([]) == {}


def test_runs_are_called_by_what_tells_them_apart():
    other = run(
        {"problem": RESULT["problem"] | {"name": "MiniLM on verses"}}, {"model.text": "verses"}
    )
    full = run({}, {"adapter.kind": "full", "adapter.rank": None})
    assert [each.name for each in named_runs([run(), full])] == ["LoRA, rank 2", "full fine-tuning"]
    assert [each.name for each in named_runs([run(), other])] == [
        "GPT on python-library, LoRA, rank 2",
        "MiniLM on verses, LoRA, rank 2",
    ]
    steps = [run(), run({}, {"run.step_size": 0.5}), run({}, {"run.step_size": 0.5, "seed": 1})]
    assert [each.name for each in named_runs(steps)] == [
        "LoRA, rank 2, η\u00a0=\u00a00.3",
        "LoRA, rank 2, η\u00a0=\u00a00.5, seed 0",
        "LoRA, rank 2, η\u00a0=\u00a00.5, seed 1",
    ]


def test_an_adapter_without_spectral_norms_has_no_curve_of_them():
    other = run({}, {"adapter.kind": "dora"})
    other.trace.attrs["blocks"] = "\n".join(f"{site} m" for site in SITES)
    for runs, panels in (([run(), other], 4), ([other], 3)):
        axes = figures(runs)["constants"]().axes
        assert len([axis for axis in axes if axis.get_ylabel()]) == panels
        assert [len(axis.lines) for axis in axes if axis.get_ylabel() == "σₜ"] == [1] * (panels - 3)
