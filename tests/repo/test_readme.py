"""The README is followed, as a reader would: its file is written, its commands run, its Python typed."""

from pathlib import Path
from typing import Any

import pytest

from tests.functions.networks.small import of_peft

from .counts import DOCUMENTS, counted, read
from .documents import ROOT, blocks, commands, follow, run

README = ROOT / "README.md"


def trained(folder: Path) -> dict[str, Any]:
    """What its example for a Trainer takes for granted: a model of peft, arguments, data."""
    from transformers import TrainingArguments

    from tests.functions.networks.trained import data_of, with_lora

    few = {"max_steps": 3, "per_device_train_batch_size": 3, "save_strategy": "no"}
    quiet = {"report_to": "none", "disable_tqdm": True, "logging_strategy": "no", "dataloader_pin_memory": False}
    args = TrainingArguments(output_dir=str(folder / "out"), use_cpu=True, **few, **quiet)
    return {"peft_model": with_lora(), "args": args, "data": data_of()}


@of_peft
@pytest.mark.full
def test_the_readme_can_be_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert follow(README, tmp_path, **trained(tmp_path)) == 5
    assert [path.name for path in (tmp_path / "runs").glob("report-*/index.html")] == ["index.html"]


def test_its_two_commands_do_what_it_says(tmp_path: Path) -> None:
    """Make is asked what it would run: it would install."""
    found = {command for block in blocks(README) if block.language == "console" for command, _ in commands(block)}
    assert {"make report", "make test"} <= found
    run("make report", "...boundcheck audit jiang2024\n", tmp_path, README.name)
    run("make test", '... -m "not full and not nightly" --hypothesis-profile=quick\n', tmp_path, README.name)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_how_often_it_is_wrong_is_what_was_counted(name: str) -> None:
    """`python -m tests.repo.counts` writes it after `boundcheck soundness`."""
    assert counted(name) == read(name)
