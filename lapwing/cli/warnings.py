"""`lapwing warnings`: list open warnings, show one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import click

from lapwing.settings.options import InstantParam, class_option, settings_options
from streams.duration import closest_duration, parse_duration


class SinceParam(InstantParam):
    """An RFC 3339 time, or a duration before now, as microseconds since the epoch."""

    name = "time"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the instant, or refuse the text."""
        if isinstance(value, str):
            try:
                return time.time_ns() // 1_000 - parse_duration(value)
            except ValueError:
                if close := closest_duration(value):
                    self.fail(f"{value!r} is not a duration; did you mean {close}?", param, ctx)
        return super().convert(value, param, ctx)


def _words(flag: str, text: str, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(flag, multiple=True, help=f"{text}; may be given several times.", **more)


@click.group("warnings")
def command() -> None:
    """List open warnings, show one: from the database that `lapwing sink` fills."""


@command.command("list")
@settings_options("database")
@_words("--tier", "Only of this tier", type=click.Choice(["high", "medium", "low"]))
@_words("--rule", "Only with a cause of this rule", metavar="WORD")
@_words("--group", "Only with a cause of this group, the rules' `reason`", metavar="WORD")
@_words("--segment", "Only of customers of this segment", metavar="WORD")
@class_option("Only of customers of this class")
@_words("--region", "Only of customers of this region", metavar="WORD")
@_words("--owner", "Only of customers whom this account owner looks after", metavar="WORD")
@_words("--customer", "Only of this customer", metavar="WORD")
@click.option("--since", type=SinceParam(), help="Only opened since: RFC 3339, or a duration such as 7d.")
@click.option(
    "--state",
    type=click.Choice(["open", "resolved", "withdrawn", "expired", "all"]),
    default="open",
    show_default=True,
    help="Only in this state.",
)
@click.option("--holdout", is_flag=True, help="Also those that are held out for measuring.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print as JSON: each warning as its newest step left it."
)
def list_(**given: Any) -> None:
    """List warnings, the most urgent first, then by opening."""
    from lapwing.commands.warnings import list_warnings

    list_warnings(**given)


@command.command()
@settings_options("database")
@click.argument("warning_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def show(**given: Any) -> None:
    """Show a warning with its causes, its steps, and which notices were sent or muted, and why.

    The beginning of an ID will do where no other begins with it.
    """
    from lapwing.commands.warnings import show

    show(**given)
