"""What the commands share at a terminal: values typed as NAME=VALUE, one JSON object on stdout, a progress line."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from boundcheck.errors import InputError
from boundcheck.progress import Tick

STDERR = Console(stderr=True)


def assignments_of(texts: list[str]) -> dict[str, str]:
    """The values by name; raises InputError for what is no NAME=VALUE, and for a name that is set twice."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise InputError("--set", text, "NAME=VALUE, such as r=8")
        if name.strip() in found:
            raise InputError("--set", text, f"one value for {name.strip()}, which is set twice")
        found[name.strip()] = value.strip()
    return found


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON object, in which no number is NaN or infinite."""
    print(json.dumps(value, allow_nan=False))


@contextmanager
def progress() -> Iterator[Tick]:
    """A progress line on stderr: the stage, a bar, and the time left in it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=STDERR, transient=True) as bar:
        task: TaskID = bar.add_task("starting", total=None)
        stage = ""

        def tick(name: str, done: int, total: int) -> None:
            nonlocal stage, task
            if name != stage:
                bar.remove_task(task)
                stage, task = name, bar.add_task(name, total=total)
            bar.update(task, completed=done)

        yield tick
