"""`lapwing lapsed`: customers who are gone, to be won back."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from consumers.lapsed.facts import LapsedFacts, facts_of
from consumers.lapsed.store import stored_facts
from consumers.lapsed.win_back import WinBackFilter, win_back_list
from consumers.scorecard.facts import OUTCOMES
from lapwing.cloud_events import cloud_events
from lapwing.commands.scorecard import actions_in, check_sources
from lapwing.database import opened_database
from lapwing.scorecard.win_back_text import print_win_back
from lapwing.settings.settings import Settings
from streams.contract.instants import EPOCH
from streams.contract.outcomes import parse_outcome
from streams.contract.warnings import WARNING_TYPES, parse_warning


def run(
    settings: Settings,
    outcomes: tuple[Path, ...],
    actions: tuple[Path, ...],
    warnings: tuple[Path, ...],
    min_value: float | None,
    since: int | None,
    until: int | None,
    as_of: int | None,
    holdout: bool,
    limit: int | None,
    as_json: bool,
    **words: Any,
) -> None:
    """List customers who are gone, those worth most first."""
    check_sources(outcomes, actions, warnings)
    if outcomes and as_of is not None:
        msg = "--as-of is for the database: a file does not say when it knew something"
        raise click.UsageError(msg)
    wanted = WinBackFilter(
        classes=words["class"],
        segments=words["segment"],
        regions=words["region"],
        owners=words["owner"],
        min_value=min_value,
        since=since,
        until=until,
        holdout=holdout,
        exempt=settings.holdout_exempt,
    )
    found = win_back_list(_facts(settings, outcomes, actions, warnings, as_of), wanted)
    if as_json:
        click.echo(json.dumps(found.as_dict(limit)))
    else:
        print_win_back(found, limit)


def _facts(
    settings: Settings,
    outcomes: tuple[Path, ...],
    actions: tuple[Path, ...],
    warnings: tuple[Path, ...],
    as_of: int | None,
) -> LapsedFacts:
    if outcomes:
        return facts_of(
            cloud_events(outcomes, OUTCOMES, parse_outcome),
            actions_in(actions, settings),
            cloud_events(warnings, WARNING_TYPES, parse_warning),
        )
    with closing(opened_database(settings)) as database:
        return stored_facts(database, None if as_of is None else EPOCH + timedelta(microseconds=as_of))
