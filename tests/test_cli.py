"""The command line as its user meets it: JSON alone on stdout, one-line errors with exit code 2,
--strict."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import typer

import boundcheck
from boundcheck import cli
from boundcheck.language.claim import in_prose
from boundcheck.language.prose import plain
from boundcheck.verdicts import Verdict
from tests.program import run

SET = "--set L=1 --set C=1 --set sigma=1 --set G=3 --set r=4 --set zeta=0.1 --set D=1"
SPEC = """
claim = "jiang2024.theorem2"
[problem]
kind = "pseudo-huber"
d = 4
k = 4
samples = 8
delta = 0.25
noise = 0.5
[adapter]
rank = {rank}
gain = 1.5
[run]
replicas = 16
audits = 8
"""


def test_claims_lists_the_catalogue_or_one_paper_and_shows_a_claim(command):
    answer = json.loads(command("claims", "--json").out)
    assert [claim["id"] for claim in answer["claims"]] == list(boundcheck.claims)
    carried = Counter(claim["proof"] for claim in answer["claims"])
    shown = command("claims").out
    assert shown.splitlines()[-1] == ", ".join(
        f"{by}: {count}" for by, count in carried.most_common()
    )
    ids = [
        claim["id"] for claim in json.loads(command("claims", "jiang2024", "--json").out)["claims"]
    ]
    assert ids == [id for id in boundcheck.claims if id.startswith("jiang2024.")]
    assert [
        line.split("\t")[0] for line in command("claims", "jiang2024").out.splitlines()[1:-1]
    ] == ids
    claim = boundcheck.claims["meft.dora"]
    assert all(
        plain(said) in command("claims", claim.id).out for said in (claim.argument, claim.unproved)
    )


def test_bound_prints_the_values(command):
    answer = json.loads(
        command("bound", "jiang2024.theorem2", *SET.split(), "--set", "T=10_000", "--json").out
    )
    assert answer["values"].keys() == {"Lhat", "alpha", "T_min", "bound"}
    assert answer["values"]["Lhat"] == 7.0
    assert answer["values"]["T_min"] == pytest.approx(2800)
    assert "7.00000" in answer["enclosures"]["Lhat"]


@pytest.mark.parametrize(
    "arguments, words",
    [
        (f"bound jiang2024.theorem2 {SET} --set T=2799", ("T = 2799", "T_min = 2800")),
        (f"bound jiang2024.theorem2 {SET} --set T=1e9 --set L=2", ("--set = L=2", "twice")),
        (f"bound jiang2024.theorem2 {SET}", ("T = (not given)", "number of iterations")),
        (
            "bound jiang2024.lemma1 --set L=0 --set C=1 --set sigma=1 --set G=3 --set r=4",
            ("L = 0", "positive real"),
        ),
        ("bound jiang2024.lemma1 --set L", ("--set = L", "NAME=VALUE")),
        ("bound jiang2024.lemma2", ("claim = jiang2024.lemma2", "jiang2024.lemma1")),
        ("bound", ("ID",)),
        ("boun", ("boun",)),
        ("measure nowhere.toml", ("SPEC = nowhere.toml",)),
        ("report nowhere", ("RUN = nowhere",)),
        ("audit nobody2020", ("paper = nobody2020", "jiang2024")),
        ("prove jiang2024.lema1", ("target = jiang2024.lema1", "jiang2024.lemma1")),
        (
            "prove jiang2024.assumption2 nowhere.py --json",
            ("script = nowhere.py", "a file that exists"),
        ),
        ("prove meft.frozen_a --export", ("--export",)),
    ],
)
def test_bad_usage_and_input_end_in_one_line(arguments, words, command, tmp_path):
    result = command(*arguments.split())
    assert result.code == 2
    assert result.out == ""
    assert result.err.startswith("boundcheck: ")
    assert result.err.strip().count("\n") == 0
    assert all(word in result.err for word in words)
    assert list(tmp_path.iterdir()) == []


def test_measure_from_a_spec(command, tmp_path):
    (tmp_path / "spec.toml").write_text(SPEC.format(rank=2))
    answer = json.loads(command("measure", "spec.toml", "--json").out)
    (result,) = answer["runs"]
    assert result["run_id"] in (tmp_path / answer["report"]).read_text()


@pytest.mark.full
def test_measure_and_report_from_a_spec(command, tmp_path):
    (tmp_path / "spec.toml").write_text(SPEC.format(rank="[1, 2]"))
    first = command("measure", "spec.toml", "--json").out
    answer = json.loads(first)
    page = tmp_path / answer["report"]
    before = page.read_bytes()
    assert len(answer["runs"]) == 2
    for result in answer["runs"]:
        assert result.keys() >= {
            "run_id",
            "claim",
            "verdict",
            "reason",
            "measured",
            "bound",
            "interval",
            "audit",
        }
        assert (tmp_path / "runs" / result["run_id"] / "result.json").is_file()
        assert result["run_id"] in before.decode()
    assert command("measure", "spec.toml", "--json").out == first, "a finished run is read back"
    assert page.read_bytes() == before
    folders = [f"runs/{each['run_id']}" for each in answer["runs"]]
    made = json.loads(command("report", *folders, "--out", "again", "--data", "--json").out)
    assert all((tmp_path / name).is_file() for name in made["files"])


@pytest.mark.parametrize(
    "verdict, code",
    [*((each, int(not each.is_supported)) for each in Verdict), ("proved", 0), ("refuted", 1)],
)
def test_the_exit_code_follows_the_verdict_that_is_printed(verdict, code):
    found = 0
    try:
        cli._exit(strict=True, verdicts=[str(verdict)])
    except typer.Exit as ended:
        found = ended.exit_code
    assert found == code
    cli._exit(strict=False, verdicts=[str(verdict)])


@pytest.mark.full
def test_strict_exits_with_one_unless_all_is_supported(command, tmp_path):
    good = SPEC.format(rank=2)
    # Too few replicas for an interval, and a ball that the first iterate is already outside of.
    few = good.replace("replicas = 16", "replicas = 7")
    bad = good + "zeta = 1.0\n[domain]\na = 0.5\nb = 0.5\n"
    for text, code, verdict in (
        (good, 0, "supported (asymptotic)"),
        (few, 1, "inconclusive"),
        (bad, 1, "hypothesis-failed"),
    ):
        (tmp_path / "spec.toml").write_text(text)
        answer = command("measure", "spec.toml", "--strict", "--json")
        assert answer.code == code
        assert json.loads(answer.out)["runs"][0]["verdict"] == verdict


def test_a_bad_experiment_in_a_sweep_stops_it_before_the_first(command, tmp_path):
    (tmp_path / "spec.toml").write_text(SPEC.format(rank="[1, 5]"))
    result = command("measure", "spec.toml")
    assert result.code == 2
    assert "adapter.rank = 5: expected an integer from 1 to min(d, k) = 4" in result.err
    assert not (tmp_path / "runs").exists()


# Proofs.

LEMMA = """import sympy as sp
from boundcheck.proof import ge, lemma

x = sp.Symbol("x")
GO = lemma("my.lemma", says=ge({left}, 0))
"""


@pytest.mark.full
def test_prove_shows_lines_and_files(tmp_path):
    command = ("prove", "jiang2024.rate.own_constant.most", "-v", "--export", "out")
    plain = run(*command, cwd=tmp_path)
    assert plain.returncode == 0, plain.stderr
    for words in ("jiang2024.rate.own_constant.most", "proved", "kernel", "25Dζ²/4 ≥ 0"):
        assert words in plain.stdout
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".tex", ".smt2", ".jsonl"}
    found = run(*command, "--json", cwd=tmp_path).stdout
    # One object, and progress elsewhere.
    assert found.count("\n") == 1
    answer = json.loads(found)
    assert {tmp_path / name for name in answer["files"]} == set(files)


@pytest.mark.full
def test_prove_offers_numbers_that_make_a_false_lemma_true(tmp_path):
    (tmp_path / "lemma.py").write_text(LEMMA.format(left="x**2 - 4*x + 3"))
    answer = json.loads(run("prove", "lemma.py", "--repair", "--json", cwd=tmp_path).stdout)
    assert answer["claims"][0]["verdict"] == "refuted"
    first, *_ = answer["repairs"]["my.lemma"]
    assert first.startswith("true with 4 for 3")


def test_prove_prints_in_a_pipe_whatever_json_says_of_a_proof(command):
    id = "jiang2024.training_against_fine_tuning"
    strict = command("prove", id, "--strict", "-v")
    answer = json.loads(command("prove", id, "--json").out)
    text = strict.out
    assert strict.code == 1
    assert "refuted" in text
    ((proof,),) = (claim["proofs"] for claim in answer["claims"])
    for step in proof["steps"]:
        witness = step["witness"]
        said = [step["label"], step["statement"], step["meaning"], step["reason"], *step["given"]]
        said += [witness["about"], witness["left"], witness["right"]] if witness else []
        said += (
            [f"{plain(in_prose(name))} = {value}" for name, value in witness["numbers"].items()]
            if witness
            else []
        )
        assert all(part in text for part in said)


@pytest.mark.full
def test_prove_takes_a_script_of_ones_own(tmp_path):
    (tmp_path / "my_lemma.py").write_text(LEMMA.format(left="x**2"))
    (tmp_path / "open.py").write_text(LEMMA.format(left="x").replace("my.lemma", "my.open"))
    both = run(
        "prove", "my_lemma.py", str(tmp_path / "open.py"), "--strict", "--json", cwd=tmp_path
    )
    assert both.returncode == 1
    verdicts = {claim["id"]: claim["verdict"] for claim in json.loads(both.stdout)["claims"]}
    assert verdicts == {"my.lemma": "proved", "my.open": "refuted"}
    (tmp_path / "twice.py").write_text(LEMMA.format(left="x"))
    twice = run("prove", "my_lemma.py", "twice.py", cwd=tmp_path)
    assert twice.returncode == 2
    assert "one proof of each version" in twice.stderr
    assert run("prove", "open.py", cwd=tmp_path).returncode == 0, "whatever it found"


SINKS = {
    "a full disk": ("cite meft.full --json", "> /dev/full", 2),
    "a full disk under a table": ("claims jiang2024", "> /dev/full", 2),
    "a full disk under help": ("--help", "> /dev/full", 2),
    "stdout that is closed": ("cite meft.full --json", ">&-", 0),
    "errors onto a full disk": ("bound nothing", "2> /dev/full", 2),
    "both onto a full disk": ("cite meft.full --json", "> /dev/full 2>&1", 2),
    "a pipe that nobody reads": ("cite meft.full --json", "| true", 0),
}


@pytest.mark.full
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is full")
@pytest.mark.parametrize("sink", SINKS)
def test_a_sink_that_fails_ends_in_one_line(sink):
    command, where, code = SINKS[sink]
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m boundcheck {command} {where}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert len(done.stderr.splitlines()) == (1 if where == "> /dev/full" else 0), done.stderr
