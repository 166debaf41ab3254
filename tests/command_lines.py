"""Command lines parsed by the real `lapwing`, without running them."""

from __future__ import annotations

import click

from lapwing.cli import lapwing


def parse(words: list[str]) -> None:
    """Parse `lapwing WORDS...` as a shell would hand it over; raise `click.UsageError` where it is wrong."""
    command: click.Command | None = lapwing
    name: str | None = "lapwing"
    parent: click.Context | None = None
    while command is not None:
        context = command.make_context(name, list(words), parent=parent)
        if not isinstance(command, click.Group):
            return
        name, command, words = command.resolve_command(context, [*context._protected_args, *context.args])
        parent = context
