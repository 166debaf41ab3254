"""Options shared by the commands that judge rules by a history: `backtest`, `rules diff`, `rules tune`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from lapwing.backtest.inputs import BacktestInputs, Start
from lapwing.cli.erasures import erasures_option
from lapwing.settings.options import ENGINE_SETTINGS, FILE, PATH, InstantParam, NumberParam, settings_options
from lapwing.settings.settings import DEFAULT, Settings
from streams.backtest.load import WORKING, Team, weekdays

SETTINGS = ("broker", *ENGINE_SETTINGS)
"""The settings with a flag: where the broker is, and what a backtest's figures depend on."""


class WorkingDays(click.ParamType):
    """Weekdays with commas between them."""

    name = "days"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the weekdays, or refuse the text."""
        if isinstance(value, tuple):
            return value
        try:
            return weekdays([day.strip().lower() for day in str(value).split(",")])
        except ValueError as error:
            self.fail(str(error), param, ctx)


class From(click.ParamType):
    """An offset, or an RFC 3339 time."""

    name = "offset|time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Start:
        """Return the start, or refuse the text."""
        text = str(value)
        if text.isdecimal():
            return Start(offset=int(text))
        return Start(time_us=InstantParam().convert(text, param, ctx))


def history_events(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command of `judging_options` the argument EVENTS; `--events FILE`, as before, works too."""
    events = click.argument("events", nargs=-1, type=PATH)
    flagged = click.option("--events", "flagged", multiple=True, hidden=True, type=PATH)
    return events(flagged(function))


def judging_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the settings, the history and the team; it is called with `settings` and `judged`."""
    options = [
        click.option(
            "--from",
            "start",
            type=From(),
            help="Read the topics of --broker from this offset of every partition on, or from records of "
            "this time on, RFC 3339; by default from their beginning.",
        ),
        click.option(
            "--until",
            type=InstantParam(),
            help="The last instant of which everything is known, RFC 3339; by default the last event's.",
        ),
        click.option(
            "--capacity",
            type=NumberParam(0),
            help="Warnings that the team can take up on a working day.",
        ),
        click.option(
            "--working-days",
            type=WorkingDays(),
            default=",".join(WORKING),
            show_default=True,
            help="The days on which the team works.",
        ),
        erasures_option,
    ]

    @functools.wraps(function)
    def call(
        *args: Any,
        events: tuple[Path, ...],
        flagged: tuple[Path, ...] | None = None,
        start: Start | None,
        until: int | None,
        capacity: float | None,
        working_days: tuple[str, ...],
        erasures_path: Path | None,
        settings: Settings,
        **given: Any,
    ) -> Any:
        events += flagged or ()
        if events and start is not None:
            msg = "--from is for the topics of a broker; give either it or event files"
            raise click.UsageError(msg)
        if not events and start is None and settings.source("broker") == DEFAULT:
            msg = "give event files, or --broker HOST:PORT to read its topics"
            raise click.UsageError(msg)
        judged = BacktestInputs(events, start, until, Team(capacity, working_days), erasures_path)
        return function(*args, settings=settings, judged=judged, **given)

    decorated: Callable[..., Any] = call
    for option in reversed(options):
        decorated = option(decorated)
    return settings_options("rules", "inputs", *SETTINGS)(decorated)


def page_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--json` and `--html`; it is called with `as_json` and `page`."""
    page = click.option(
        "--html",
        "page",
        type=FILE,
        help="Write a page with plots here.",
    )
    as_json = click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
    return as_json(page(function))
