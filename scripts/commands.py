"""The commands of a script, such as `fetch` and `run`: how they are called and how they end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass

from scripts.debian import Missing


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a script; `do` returns its exit code."""

    name: str
    help: str
    do: Callable[[argparse.Namespace], int]
    declare: Callable[[argparse.ArgumentParser], object] = lambda _parser: None
    """Adds its arguments."""


def fetching(help_text: str, fetch: Callable[[], object]) -> Command:
    """Return the command `fetch`, which prints where the thing is, if `fetch()` says so."""

    def do(_arguments: argparse.Namespace) -> int:
        if (found := fetch()) is not None:
            print(found, file=sys.stderr)
        return 0

    return Command("fetch", help_text, do)


def run_script(script: str, about: str | None, *commands: Command) -> int:
    """Run the command that is asked for; return 3, and print why, where what it needs cannot be had here."""
    parser = argparse.ArgumentParser(prog=f"python -m scripts.{script}", description=about)
    named = parser.add_subparsers(dest="command", required=True)
    for each in commands:
        each.declare(named.add_parser(each.name, help=each.help))
    arguments = parser.parse_args()
    (command,) = (each for each in commands if each.name == arguments.command)
    try:
        return command.do(arguments)
    except Missing as reason:
        print(reason, file=sys.stderr)
        return 3
