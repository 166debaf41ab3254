"""`lapwing effects` and `lapwing plays estimate`: what plays do, against customers who were held out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import click

from consumers.effects.report import EffectsInput, EffectsReport, report
from consumers.effects.store import stored_input
from lapwing.database import opened_database
from lapwing.effects.page import effects_page
from lapwing.effects.proposal import proposals, proposed_yaml
from lapwing.effects.reading import read_input
from lapwing.effects.text import print_effects
from lapwing.settings.settings import DEFAULT, Settings
from lapwing.terminal.output import check_outputs, whole_file
from streams.core.decision.holdout import HoldoutTerms
from streams.rulebook.load import load_rulebook
from streams.rulebook.reasons_file import shipped_reasons


def run(
    settings: Settings,
    outcomes: tuple[Path, ...],
    actions: tuple[Path, ...],
    warnings: tuple[Path, ...],
    since: int | None,
    until: int | None,
    as_of: int | None,
    page: Path | None,
    as_json: bool,
) -> None:
    """Report what plays do."""
    check_outputs([page], (*outcomes, *actions, *warnings))
    made = _measured(settings, outcomes, actions, warnings, since, until, as_of)
    if page is not None:
        with whole_file(page) as part:
            part.write_text(effects_page(made), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(made.as_dict()))
    else:
        print_effects(made)


def estimate(
    settings: Settings,
    outcomes: tuple[Path, ...],
    actions: tuple[Path, ...],
    warnings: tuple[Path, ...],
    since: int | None,
    until: int | None,
    as_of: int | None,
    as_json: bool,
) -> None:
    """Print the measured success of plays, to be pasted into plays.yaml."""
    made = _measured(settings, outcomes, actions, warnings, since, until, as_of)
    plays = load_rulebook(settings.rules).rules.plays
    found = proposals(made, plays, HoldoutTerms(salt=settings.holdout_salt))
    if as_json:
        click.echo(json.dumps({"plays": [each.as_dict() for each in found]}))
    else:
        click.echo(proposed_yaml(found, made), nl=False)


def _measured(
    settings: Settings,
    outcomes: tuple[Path, ...],
    actions: tuple[Path, ...],
    warnings: tuple[Path, ...],
    since: int | None,
    until: int | None,
    as_of: int | None,
) -> EffectsReport:
    given = _given(settings, outcomes, actions, warnings, as_of)
    return report(
        given,
        min_holdout=settings.min_holdout,
        group_of=_group_of(settings),
        since=since,
        until=until,
        as_of=as_of,
    )


def _given(
    settings: Settings,
    outcomes: tuple[Path, ...],
    actions: tuple[Path, ...],
    warnings: tuple[Path, ...],
    as_of: int | None,
) -> EffectsInput:
    if outcomes:
        if as_of is not None:
            msg = "--as-of is for the database: a file does not say when it knew something"
            raise click.UsageError(msg)
        return read_input(outcomes, actions, warnings, settings)
    if actions or warnings:
        msg = "--actions and --warnings go with --outcomes; without these the database is read"
        raise click.UsageError(msg)
    with closing(opened_database(settings, "; or give --outcomes")) as database:
        return stored_input(database, as_of)


def _group_of(settings: Settings) -> Mapping[str, str]:
    """Return the group of each reason, by the rules' reasons.yaml where there is one."""
    is_there = settings.rules.exists() or settings.source("rules") != DEFAULT
    reasons = load_rulebook(settings.rules).reasons if is_there else shipped_reasons()
    return {code: reason.group for code, reason in reasons.by_code.items()}
