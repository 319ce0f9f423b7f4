"""The commands, from the application that runs them."""

import inspect
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
    examples = block(inspect.cleandoc(command.epilog)) if command.epilog else ""
    return f"## `{command.name}`\n\n{prose(told)}\n\n{table(('takes', 'which is'), rows)}\n\n{examples}"
