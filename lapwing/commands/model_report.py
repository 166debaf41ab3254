"""`lapwing model report`: how good the model's probabilities were."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import click
import polars as pl

from lapwing.event_files import read_files
from lapwing.quality.page import report_page
from lapwing.quality.text import print_report
from lapwing.settings.settings import Settings
from lapwing.terminal.output import whole_file
from lapwing.terminal.progress import progress_bar
from lapwing.wiring import engine_settings, learner
from streams.core.engine import Engine
from streams.core.features.customers import ATTRIBUTES
from streams.errors import LapwingError
from streams.offline.replay import replay
from streams.quality.decisions import DecisionLog
from streams.quality.report import ReportInput, report
from streams.rulebook.load import load_rulebook

CUSTOMER: Final = "customer_id"


class GroupsError(LapwingError):
    """A file of groups cannot be read."""


def run(
    events: tuple[Path, ...],
    settings: Settings,
    until: int | None,
    partitions: int,
    groups_path: Path | None,
    least_customers: int,
    as_json: bool,
    page: Path | None,
) -> None:
    """Run the engine over events and report on its model."""
    if not settings.model_enabled:
        msg = "the setting model_enabled is false: there is no model to report on"
        raise click.UsageError(msg)
    more = read_groups(groups_path) if groups_path is not None else {}
    rules = load_rulebook(settings.rules).rules
    batch, refusals = read_files(events, settings)
    own = replace(engine_settings(settings), samples=True, forget_after_us=None)  # it names customers by row
    engines = [Engine(own, rules, learner(settings), number) for number in range(partitions)]
    for engine in engines:
        engine.keep_no_outcomes()
    log = DecisionLog(engines)
    with progress_bar("replaying") as bar:
        done = replay(
            batch, engines, until=until, on_steps=lambda steps: None, on_output=log.take, progress=bar
        )
    refusals.add_events(done.refused)
    refusals.report()
    made = report(
        log.decisions(more),
        ReportInput(
            horizon_us=settings.horizon,
            time_zone=settings.time_zone,
            events=done.counts.events,
            customers=done.customers,
            rule_set=rules.hash,
            waiting=log.waiting,
            thinned=log.thinned,
            models=tuple(engine.scorer.model for engine in engines if engine.scorer.model is not None),
            least_customers=least_customers,
        ),
    )
    if page is not None:
        with whole_file(page) as part:
            part.write_text(report_page(made), encoding="utf-8")
    if as_json:
        click.echo(json.dumps({**made.as_dict(), "refused": dict(sorted(refusals.counts.items()))}))
    else:
        print_report(made)


def read_groups(path: Path) -> dict[str, Mapping[str, str]]:
    """Return by each column of a file the group of each customer; an empty cell is none."""
    try:
        frame = (
            pl.read_parquet(path)
            if path.suffix == ".parquet"
            else pl.read_csv(path, infer_schema=False)  # "007" is not 7
        )
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).splitlines()[0]
        msg = f"{path}: cannot be read: {reason}"
        raise GroupsError(msg) from error
    names = [name for name in frame.columns if name != CUSTOMER]
    if CUSTOMER not in frame.columns or not names:
        msg = f"{path}: it needs the column `{CUSTOMER}` and at least one to group by"
        raise GroupsError(msg)
    if taken := sorted(set(names) & set(ATTRIBUTES)):
        msg = f"{path}: `{taken[0]}` comes from profiles; give the column another name"
        raise GroupsError(msg)
    if (twice := frame.filter(pl.col(CUSTOMER).is_duplicated())).height:
        msg = f"{path}: customer {twice[CUSTOMER][0]!r} is in it twice"
        raise GroupsError(msg)
    ids = frame[CUSTOMER].cast(pl.String).to_list()
    return {
        name: {
            customer: group
            for customer, group in zip(ids, frame[name].cast(pl.String).to_list(), strict=True)
            if customer is not None and group is not None
        }
        for name in names
    }
