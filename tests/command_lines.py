"""Command lines given to the real `lapwing`: parsed without running them, or refused."""

from __future__ import annotations

import click
from click.testing import CliRunner

from lapwing.cli import lapwing
from streams.errors import LapwingError


def parse(words: list[str]) -> None:
    """Parse `lapwing WORDS...` as a shell would hand it over; raise `click.UsageError` where it is wrong."""
    command: click.Command | None = lapwing
    name: str | None = "lapwing"
    parent: click.Context | None = None
    while command is not None:
        context = command.make_context(name, list(words), parent=parent)
        if not isinstance(command, click.Group):
            return
        rest = [*context._protected_args, *context.args]
        if not rest and command.invoke_without_command:
            return
        name, command, words = command.resolve_command(context, rest)
        parent = context


def refusal(command: click.Command, words: list[str]) -> tuple[int, str]:
    """Call a command that is to refuse; return the exit code and the one line that says why."""
    result = CliRunner().invoke(command, words)
    if isinstance(result.exception, LapwingError):
        text = str(result.exception)
        assert "\n" not in text
        return 1, text
    assert isinstance(result.exception, SystemExit), result.output
    return result.exit_code, result.stderr.splitlines()[-1].removeprefix("Error: ")
