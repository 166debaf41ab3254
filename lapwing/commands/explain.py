"""`lapwing explain`: why a customer is warned of, or not."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click
from click.core import ParameterSource
from rich.console import Console

from lapwing.event_files import read_files
from lapwing.explain.as_json import as_json_value
from lapwing.explain.as_text import written
from lapwing.settings.settings import Settings
from lapwing.settings.values import NO_CHECKPOINTS
from lapwing.terminal.progress import progress_bar
from lapwing.wiring import engine
from streams.checkpoints.store import Checkpoint, CheckpointStore
from streams.contract.instants import format_instant
from streams.core.engine import Engine
from streams.core.events.calendar import LAST_DAY, Calendar
from streams.core.explain.explain import Explanation
from streams.core.rules.rule_set import RuleSet
from streams.offline.explain import explain_checkpoint, explain_events, kept_rules
from streams.rulebook.load import load_rulebook

WIDTH = 120
"""Columns of what is not written to a terminal."""


def run(
    customer: str,
    events: tuple[Path, ...],
    settings: Settings,
    at: int | date | None,
    checkpoint: str | None,
    partitions: int | None,
    as_json: bool,
) -> None:
    """Explain why CUSTOMER is warned of at an instant, or why not, and what would end it."""
    if bool(events) == bool(checkpoint):
        msg = "explain reads event files or a checkpoint: give EVENTS, or --checkpoint, and not both"
        raise click.UsageError(msg)
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
    rules = load_rulebook(settings.rules).rules
    batch, refusals = read_files(paths, settings)
    refusals.report()
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
        raise click.UsageError(msg)

    def rules_of(found: Checkpoint) -> RuleSet:
        kept = None if _given("rules") else kept_rules(found)
        return kept or load_rulebook(settings.rules).rules

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
        raise click.UsageError(msg)
    return instant
