"""The page of all commands, made from their declarations; `python -m lapwing.commands_page` prints it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Final

import click

from lapwing.cli import lapwing

PAGE: Final = """\
# Commands

<!-- Made from the commands in lapwing/cli/. -->

What `--help` prints, of every command. Options that are [settings](settings.md) take their default from the
settings file and from variables. Exit code 0 is success, 1 a failure, 2 a mistake on the command line, 130
Ctrl-C; where a command has others, its text says so.

{commands}
"""


def page() -> str:
    """Return the whole page."""
    return PAGE.format(commands="\n\n".join(_sections(lapwing, ("lapwing",)))).rstrip() + "\n"


def _sections(command: click.Command, path: tuple[str, ...]) -> Iterator[str]:
    """Yield the section of a command, then those of the commands in it."""
    context = click.Context(command, info_name=" ".join(path))
    if len(path) > 1:
        yield _section(command, context, path)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from _sections(inner, (*path, name))


def _section(command: click.Command, context: click.Context, path: tuple[str, ...]) -> str:
    usage = " ".join((*path, *command.collect_usage_pieces(context)))
    parts = [f"{'#' * len(path)} {' '.join(path)}", f"    {usage}", _prose(command.help or "")]
    records = [param.get_help_record(context) for param in command.params]
    rows = [f"| {_code(names)} | {_cell(text)} |" for names, text in filter(None, records)]
    if rows:
        parts.append("\n".join(["| option | meaning |", "|---|---|", *rows]))
    return "\n\n".join(part for part in parts if part)


def _prose(text: str) -> str:
    """Return help as Markdown: paragraphs, and what click is told not to wrap as it stands."""
    parts = inspect.cleandoc(text).partition("\f")[0].strip().split("\n\n")
    return "\n\n".join(_kept(part) if part.startswith("\b") else _escaped(part) for part in parts)


def _kept(part: str) -> str:
    lines = part.removeprefix("\b").strip("\n").splitlines()
    return "\n".join(f"    {line}" for line in lines)


def _escaped(text: str) -> str:
    """Return text in which what looks like HTML or emphasis is neither; code in backticks stays."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(
        piece if piece.startswith("`") else re.sub(r"([<>*_\[\]])", r"\\\1", piece) for piece in pieces
    )


def _cell(text: str) -> str:
    return _escaped(" ".join(text.split())).replace("|", r"\|")


def _code(names: str) -> str:
    return "`" + names.replace("|", r"\|") + "`"


if __name__ == "__main__":
    click.echo(page(), nl=False)
