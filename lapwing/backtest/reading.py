"""The history that a command judges rules by: its arguments, and reading it."""

from __future__ import annotations

import functools
import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from lapwing.commands.replay import Instant
from lapwing.options import settings_options
from lapwing.progress import progress_bar
from lapwing.settings import Settings
from streams.backtest.history import History
from streams.backtest.load import WORKING, Team, weekdays
from streams.files import FileRefusal, read_events

SETTINGS = ("app", "time_zone", "sweep_every", "horizon", "model_enabled")
"""The settings that a backtest's figures depend on and that have a flag."""


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


@dataclass(frozen=True, slots=True)
class Judged:
    """What the arguments of all three commands say."""

    events: tuple[Path, ...]
    until: int | None
    team: Team


events_option = click.option(
    "--events",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="An event file of the history (.jsonl, .jsonl.gz, .jsonl.zst or .parquet); may be repeated.",
)


def judging_options(*, rules: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the settings, the end of the history and the team; it is called with `judged`."""
    options = [
        click.option(
            "--until",
            type=Instant(),
            help="The last instant of which everything is known, RFC 3339; by default the last event's.",
        ),
        click.option(
            "--capacity",
            type=click.FloatRange(0),
            help="Warnings that the team can take up on a working day.",
        ),
        click.option(
            "--working-days",
            type=WorkingDays(),
            default=",".join(WORKING),
            show_default=True,
            help="The days on which the team works.",
        ),
    ]

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(
            *args: Any,
            events: tuple[Path, ...],
            until: int | None,
            capacity: float | None,
            working_days: tuple[str, ...],
            **given: Any,
        ) -> Any:
            judged = Judged(events, until, Team(capacity, working_days))
            return function(*args, judged=judged, **given)

        decorated: Callable[..., Any] = call
        for option in reversed(options):
            decorated = option(decorated)
        return settings_options(*(("rules", *SETTINGS) if rules else SETTINGS))(decorated)

    return decorate


def read_history(judged: Judged, settings: Settings) -> tuple[History, dict[str, int]]:
    """Return the history of the event files, and how many lines were refused by reason."""
    refused: Counter[str] = Counter()

    def on_refused(refusal: FileRefusal) -> None:
        refused[refusal.reason] += 1
        click.echo(f"refused {refusal}", err=True)

    with progress_bar("reading") as bar:
        batch = read_events(
            judged.events,
            now_us=time.time_ns() // 1000,
            max_skew_us=settings.max_skew,
            on_refused=on_refused,
            progress=bar,
        )
    return History.of(batch, settings.repeat_window, judged.until), dict(sorted(refused.items()))


@contextmanager
def no_collector() -> Iterator[None]:
    """Keep Python's collector from looking through millions of events for cycles that are not there."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
