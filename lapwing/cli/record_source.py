"""The options of what reports read: the database, or files of a replay."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from lapwing.settings.options import PATH, InstantParam

as_of_option = click.option(
    "--as-of", type=InstantParam(), help="As the database stood at this time: an old report made again."
)


def period_options(since: str, until: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command `--since` and `--until` with these help texts; a period that ends first is refused."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, since: int | None, until: int | None, **given: Any) -> Any:
            if since is not None and until is not None and until <= since:
                msg = "--until has to lie after --since"
                raise click.UsageError(msg)
            return function(*args, since=since, until=until, **given)

        last = click.option("--until", type=InstantParam(), help=until)(call)
        return click.option("--since", type=InstantParam(), help=since)(last)

    return decorate


def source_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--outcomes`, `--actions` and `--warnings`, which stand for the database."""
    options = [
        click.option(
            "--outcomes",
            multiple=True,
            type=PATH,
            help="Read this file of `lapwing replay --outcomes` instead of the database; may be given "
            "several times.",
        ),
        click.option(
            "--actions",
            multiple=True,
            type=PATH,
            help="With --outcomes: event files with the team's actions, for costs and reasons.",
        ),
        click.option(
            "--warnings",
            multiple=True,
            type=PATH,
            help="With --outcomes: files of `lapwing replay --out`, for the reasons that warnings suggest.",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function
