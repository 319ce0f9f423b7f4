"""Verdicts that say more than their statistics bear, screens that hide it, and inequalities that
are nearly true."""

import io
from contextlib import redirect_stderr
from dataclasses import replace

import numpy as np
import sympy as sp
import xarray as xr
from rich.console import Console
from sympy import Le, MatrixSymbol, Rational

from boundcheck.errors import InputError
from boundcheck.experiment import measure
from boundcheck.experiment.result import AtSmoothness, Subject, read
from boundcheck.experiment.view import show_course
from boundcheck.language.screen import show
from boundcheck.language.vocabulary import FrobeniusNorm, SpectralNorm
from boundcheck.present.page import Page
from boundcheck.present.screen import findings_parts
from boundcheck.properties import ClaimViolatedError, check_claim
from boundcheck.properties.session import using
from boundcheck.verdicts import Verdict
from soundness.runs import Run
from tests.experiment.small import theorem_table
from tests.experiment.test_outcome import SEEN
from tests.results import ESTIMATES, a_run, stored

from .case import Case

n = sp.Symbol("n", positive=True, integer=True)
a, b = sp.symbols("a b", positive=True)
Q = MatrixSymbol("Q", n, n)
R = MatrixSymbol("R", n, n)
COMMUTATOR = FrobeniusNorm(Q * R - R * Q)
PRODUCT = FrobeniusNorm(Q) * FrobeniusNorm(R)
BALLS = (FrobeniusNorm(Q) <= a, FrobeniusNorm(R) <= b)


def refused(result):
    """How a page that shows the run's verdict ends."""
    try:
        Page().badge(read(result).verdict)
    except InputError as error:
        return str(error)
    return ""


def ground(result):
    """What is shown of the verdict beside that it is support."""
    return str(read(result).verdict).removeprefix("supported").strip()


def ran(replicas):
    def run(folder):
        (result,) = measure(theorem_table(run__replicas=replicas), folder)
        return "" if result.verdict.is_supported else result.reason

    return run


def trial(true):
    """What the survey of false runs says of one that is supported by Student's interval."""
    run = Run("x", "constant", "D by 1/2", true, "", {}, ("constant", "D"))
    found = run.recorded(run.judged(a_run(verdict=Verdict.SUPPORTED_ASYMPTOTIC)), 1.0)
    return f"{found.outcome} is a wrong verdict" if found.wrong else ""


def table_row(verdict):
    """What the referee's table shows of a ground, in a terminal of 80 columns."""
    row = {
        "number": 8,
        "locator": "Lemma 1",
        "verdict": verdict,
        "evidence": "Seen.",
        "summary": "",
    }
    text = io.StringIO()
    show(
        Console(file=text, width=80),
        *findings_parts({"findings": [row], "summary": "", "adds": ""}),
    )
    return "(asymptotic)" if "(asymptotic)" in text.getvalue() else ""


def screen(square, path_sure):
    """What the terminal of a training run prints of one record, and of L̂ by the path: 9.96."""
    seen = {"loss": 1.0, "gradient_square_norm": square, "noise_variance": 0.5, "time": 1}
    seen |= {
        "path_smoothness": 9.96,
        "path_smoothness_error": 9.6,
        "gradient_ratio": 0.5,
        "gradient_ratio_error": 0.1,
    }
    columns = {name: (("replica", "stratum"), [[value]]) for name, value in seen.items()}
    whole = {
        name: (("replica", "stratum", "of"), np.ones((1, 1, 1)))
        for name in ("norm", "weight_gradient_spectral")
    }
    result = a_run(
        problem=Subject("Model", "loss", sample="8 of 10 samples"),
        estimates=replace(
            ESTIMATES, path=(path := 9.96 if path_sure > 1 else None), path_sure=path_sure
        ),
        theorems=(AtSmoothness("path", "", path, "", 0.2, None, None, None, None, None),),
    )
    text = io.StringIO()
    with redirect_stderr(text):
        show_course(xr.Dataset(columns | whole), result, [0.25])
    doubts = [line for line in text.getvalue().splitlines() if "no L̂" in line or "≈ 0" in line]
    return doubts[0].strip() if doubts else ""


def step(too_long):
    """Why a step of 0.3 breaks no hypothesis, where 2/L̂ is 0.2 with the rounding error of L̂
    added."""
    # The smoothness that is sure is 2/too_long, and 10 with its error.
    sure = 2 / too_long
    found = replace(SEEN, step=0.3, path=(10 + sure) / 2, path_error=(10 - sure) / 2).judged()
    return "" if found.verdict == "hypothesis-failed" else found.reason


def checked(claim, *given):
    def check(folder):
        try:
            with using(folder=folder):
                check_claim(claim, given=given, examples=16, largest=6)
        except ClaimViolatedError as error:
            return str(error).splitlines()[0]
        return ""

    return check


def nearly(name, claim, *given):
    """An inequality whose constant is 1.40, where √2 is sharp (Böttcher and Wenzel 2008)."""
    wrong = claim(Rational(14, 10))
    twin = claim(sp.sqrt(2))
    return Case(
        name, r"violated, certified with Arb", checked(wrong, *given), checked(twin, *given)
    )


CASES = [
    Case(
        "support by Student's interval that is stored as if it held at any number of replicas",
        r"^\(asymptotic\)$",
        lambda _: ground(stored("supported", "asymptotic")),
        lambda _: ground(stored("supported", "nonasymptotic")),
    ),
    Case(
        "stored support by Student's interval over four replicas",
        r"^verdict = supported: expected 8 replicas or more",
        lambda _: refused(stored("supported", "asymptotic", 4)),
        lambda _: refused(stored("supported", "nonasymptotic", 4)),
    ),
    Case(
        "a stored verdict that only a proof can have",
        r"^verdict = proved: expected one of violated, ",
        lambda _: refused(stored("proved", "nonasymptotic")),
        lambda _: refused(stored("supported", "nonasymptotic")),
    ),
    Case(
        "a stored interval of a kind that is none",
        r"^interval.kind = certain: expected one of exact",
        lambda _: refused(stored("supported", "certain")),
        lambda _: refused(stored("supported", "exact")),
    ),
    Case(
        "a run of seven replicas",
        r"7 replicas are too few to rest on that: take 8 or more",
        ran(7),
        ran(8),
    ),
    Case(
        "a false run that is supported by Student's interval",
        r"^supported \(asymptotic\) is a wrong verdict$",
        lambda _: trial(true=False),
        lambda _: trial(true=True),
    ),
    Case(
        "a table too narrow for the ground of a verdict",
        r"^\(asymptotic\)$",
        lambda _: table_row("supported (asymptotic)"),
        lambda _: table_row("supported"),
    ),
    Case(
        "a smoothness of 9.96, of which 9.60 is rounding",
        r"^no L̂ \(path\)",
        lambda _: screen(0.5, 0.36),
        lambda _: screen(0.5, 9.9),
    ),
    Case(
        "a square that is a negative number",
        r"≈ 0, below its noise of 0.25",
        lambda _: screen(-0.125, 9.9),
        lambda _: screen(0.125, 9.9),
    ),
    Case(
        "a step that only rounding makes too long",
        r"^the rounding error of the descent curvature along the path hides whether",
        lambda _: step(too_long=0.35),
        lambda _: step(too_long=0.21),
    ),
    nearly("a commutator's constant that no draw reaches", lambda c: Le(COMMUTATOR, c * PRODUCT)),
    nearly("the same with all on one side", lambda c: Le(COMMUTATOR - c * PRODUCT, 0)),
    nearly(
        "the same squared and turned around", lambda c: sp.Ge(c**2 * PRODUCT**2 - COMMUTATOR**2, 0)
    ),
    nearly("the same within balls", lambda c: Le(COMMUTATOR, c * a * b), *BALLS),
    nearly(
        "the same behind a part that is tight everywhere",
        lambda c: sp.And(Le(SpectralNorm(Q), FrobeniusNorm(Q)), Le(COMMUTATOR, c * PRODUCT)),
    ),
    nearly(
        "the same of a matrix and its transpose",
        lambda c: Le(FrobeniusNorm(Q * Q.T - Q.T * Q), c * FrobeniusNorm(Q) ** 2),
    ),
]
