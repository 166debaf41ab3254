"""`lapwing explain`: why a customer is warned of, or not."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import click
from click.core import ParameterSource
from rich.console import Console

from lapwing.event_files import read_files
from lapwing.explain.as_json import as_json_value
from lapwing.explain.as_text import written
from lapwing.settings.options import settings_options
from lapwing.settings.settings import Settings
from lapwing.settings.values import NO_CHECKPOINTS
from lapwing.terminal.progress import progress_bar
from lapwing.wiring import engine
from streams.checkpoints.store import Checkpoint, CheckpointStore
from streams.contract.instants import format_instant, read_instant, to_us
from streams.core.engine import Engine
from streams.core.events.calendar import LAST_DAY, Calendar
from streams.core.explain.explain import Explanation
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule_set import RuleSet
from streams.errors import SettingsError
from streams.offline.explain import explain_checkpoint, explain_events, kept_rules
from streams.rulebook.files import load_rules

WIDTH = 120
"""Columns of what is not written to a terminal."""


class Moment(click.ParamType):
    """An RFC 3339 time as microseconds since the epoch, or a date."""

    name = "time"

    def convert(
        self, value: str | int | date, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | date:
        """Return the instant or the date, or refuse the text."""
        if not isinstance(value, str):
            return value
        try:
            if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
                return date.fromisoformat(value)
            return to_us(read_instant(value))
        except ValueError:
            self.fail(f"{value!r} is no RFC 3339 time such as 2011-12-09T00:00:00Z and no date", param, ctx)


@click.command()
@click.argument("customer")
@click.argument("events", nargs=-1, type=click.Path(path_type=Path))
@settings_options("rules", "app", "time_zone", "sweep_every", "model_enabled")
@click.option(
    "--at",
    type=Moment(),
    help="The instant, RFC 3339, or a date: the end of that day. By default that of the last event.",
)
@click.option(
    "--checkpoint",
    help="Explain from a worker's checkpoints in this directory or at this URL, not from EVENTS.",
)
@click.option(
    "--partitions",
    type=click.IntRange(1, 10_000),
    help="Partitions of the topics: 1 by default with EVENTS, with --checkpoint as many as it shows.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    customer: str,
    events: tuple[Path, ...],
    settings: Settings,
    at: int | date | None,
    checkpoint: str | None,
    partitions: int | None,
    as_json: bool,
) -> None:
    """Explain why CUSTOMER is warned of at an instant, or why not, and what would end it.

    Either from EVENTS (.jsonl, .jsonl.gz, .jsonl.zst or .parquet) or, with --checkpoint, from what a worker
    has saved; then by the worker's rules, unless --rules gives others.
    """
    if bool(events) == bool(checkpoint):
        msg = "explain reads event files or a checkpoint: give EVENTS, or --checkpoint, and not both"
        raise SettingsError(msg)
    instant = None if at is None else _instant(at, settings.time_zone)
    if checkpoint:
        explanation = _of_checkpoint(settings, checkpoint, customer, instant, partitions)
    else:
        explanation = _of_events(settings, events, customer, instant, partitions or 1)
    if as_json:
        click.echo(json.dumps(as_json_value(explanation)))
        return
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(written(explanation, settings.time_zone))
        return
    console.width = WIDTH
    with console.capture() as capture:
        console.print(written(explanation, settings.time_zone))
    click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))


def _of_events(
    settings: Settings, paths: tuple[Path, ...], customer: str, at: int | None, partitions: int
) -> Explanation:
    rules = load_rules([settings.rules], DTYPES)
    batch, _ = read_files(paths, settings)
    with progress_bar("replaying") as bar:
        return explain_events(
            batch,
            lambda number: engine(settings, rules, number),
            partitions,
            customer,
            at=at,
            progress=bar,
        )


def _of_checkpoint(
    settings: Settings, url: str, customer: str, at: int | None, partitions: int | None
) -> Explanation:
    if url == NO_CHECKPOINTS:
        msg = f"--checkpoint {url}: no checkpoints are kept"
        raise SettingsError(msg)

    def rules_of(found: Checkpoint) -> RuleSet:
        kept = None if _given("rules") else kept_rules(found, DTYPES)
        return kept or load_rules([settings.rules], DTYPES)

    def engine_of(number: int, rules: RuleSet) -> Engine:
        return engine(settings, rules, number)

    topics = {name: topic for topic, name in settings.topics.items()}
    store = CheckpointStore(url, settings.app)
    return explain_checkpoint(store, engine_of, rules_of, customer, topics, at=at, count=partitions)


def _given(name: str) -> bool:
    """Tell whether an option was given on the command line."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


def _instant(at: int | date, zone: str) -> int:
    """Return an instant that was asked for; of a date, the local midnight that ends it."""
    calendar = Calendar(zone)
    last = calendar.start(LAST_DAY)
    day = (at - date(1970, 1, 1)).days + 1 if isinstance(at, date) else 0
    instant = at if isinstance(at, int) else calendar.start(min(day, LAST_DAY)) if day > 0 else -1
    if not 0 <= instant < last:
        msg = f"--at lies outside the years 1970 to {format_instant(last)[:4]}"
        raise SettingsError(msg)
    return instant
