"""The commands, from the application that runs them."""

import inspect
from textwrap import dedent
from typing import Any

import typer
import typer.main

from boundcheck.cli import app
from from_code.markdown import block, code, prose, table


def whole() -> str:
    """Each command: what it does, and what it takes."""
    commands: Any = typer.main.get_command(app)
    return "\n\n".join(map(_command, commands.commands.values()))


def _command(command: Any) -> str:
    told = inspect.cleandoc(command.help or "").replace("\f", "")
    records = [each.get_help_record(typer.Context(command)) for each in command.params]
    rows = [(code(typed), prose(told)) for typed, told in filter(None, records)]
    ending = "\n\n".join(map(_ending, inspect.cleandoc(command.epilog or "").split("\n\n")))
    return (
        f"## `{command.name}`\n\n{prose(told)}\n\n{table(('takes', 'which is'), rows)}\n\n{ending}"
    )


def _ending(part: str) -> str:
    """What --help ends with: lines that are indented are typed."""
    first, _, typed = part.replace("\b", "").strip("\n").partition("\n")
    return (
        f"{prose(first)}\n\n{block(dedent(typed), 'console')}"
        if typed.startswith("  ")
        else prose(part)
    )
