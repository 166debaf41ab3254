"""`lapwing scorecard`: how good alarms are, by rule and tier, and who left without one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import click

from consumers.actions import Action
from consumers.scorecard.facts import OUTCOMES, Facts, facts_of
from consumers.scorecard.scorecard import scorecard
from consumers.scorecard.store import stored_facts
from lapwing.cloud_events import actions_of, cloud_events
from lapwing.database import opened_database
from lapwing.event_files import read_files
from lapwing.scorecard.page import scorecard_page
from lapwing.scorecard.text import print_scorecard
from lapwing.settings.settings import Settings
from lapwing.terminal.output import check_outputs, whole_file
from streams.contract.instants import EPOCH, MICROSECOND
from streams.contract.outcomes import parse_outcome
from streams.contract.warnings import WARNING_TYPES, parse_warning


def run(
    settings: Settings,
    outcomes: tuple[Path, ...],
    actions: tuple[Path, ...],
    warnings: tuple[Path, ...],
    since: int | None,
    until: int | None,
    as_of: int | None,
    missed_most: int,
    page: Path | None,
    as_json: bool,
) -> None:
    """Print a scorecard."""
    check_outputs([page], (*outcomes, *actions, *warnings))
    check_sources(outcomes, actions, warnings)
    if outcomes and as_of is not None:
        msg = "--as-of is for the database: a file does not say when it knew something"
        raise click.UsageError(msg)
    facts = _from_files(outcomes, actions, warnings, settings) if outcomes else _stored(settings, as_of)
    card = scorecard(facts, settings.horizon, since=since, until=until, as_of=as_of)
    if page is not None:
        with whole_file(page) as part:
            part.write_text(scorecard_page(card, missed_most), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(card.as_dict(missed_most)))
    else:
        print_scorecard(card, missed_most)


def check_sources(outcomes: Sequence[Path], actions: Sequence[Path], warnings: Sequence[Path]) -> None:
    """Refuse files of actions and warnings without those of outcomes."""
    if (actions or warnings) and not outcomes:
        msg = "--actions and --warnings go with --outcomes; without these the database is read"
        raise click.UsageError(msg)


def actions_in(paths: Sequence[Path], settings: Settings) -> list[Action]:
    """Return the actions of event files."""
    if not paths:
        return []
    batch, refusals = read_files(paths, settings)
    refusals.report()
    return list(actions_of(batch))


def _from_files(
    outcomes: Sequence[Path], actions: Sequence[Path], warnings: Sequence[Path], settings: Settings
) -> Facts:
    return facts_of(
        cloud_events(outcomes, OUTCOMES, parse_outcome),
        actions_in(actions, settings),
        cloud_events(warnings, WARNING_TYPES, parse_warning) if warnings else None,
    )


def _stored(settings: Settings, as_of: int | None) -> Facts:
    with closing(opened_database(settings)) as database:
        at = None if as_of is None else EPOCH + as_of * MICROSECOND
        return stored_facts(database, timedelta(microseconds=settings.horizon), at)
