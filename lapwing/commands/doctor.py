"""`lapwing doctor`: print the settings in force and check what can be checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import click
from sqlalchemy import select, text

from consumers.broker import topics
from consumers.broker.client import Admin, Cluster, Subscription
from consumers.database.database import Database
from consumers.notify.channels import read_channels
from consumers.silences import read_silences
from lapwing.lag import Offsets, checkpoint_ages, lag_told, offsets
from lapwing.settings.page import written
from lapwing.settings.settings import Settings
from lapwing.settings.values import NO_CHECKPOINTS
from lapwing.topic_plan import planned
from streams.errors import LapwingError, StateError


class CheckOutcome(StrEnum):
    """What came of a check."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check and what came of it."""

    check: str
    outcome: CheckOutcome
    detail: str


def run(settings: Settings, as_json: bool) -> None:
    """Print each setting with its value and source, then check what they name, from rules to channels."""
    values = {name: written(name, getattr(settings, name)) for name in Settings.model_fields}
    findings = examine(settings)
    if as_json:
        shown = [{"name": n, "value": v, "source": settings.source(n)} for n, v in values.items()]
        click.echo(json.dumps({"settings": shown, "checks": [asdict(finding) for finding in findings]}))
    else:
        wide = max(len(value) for value in values.values())
        for name, value in values.items():
            click.echo(f"{name:<22} {value:<{wide}}  {settings.source(name)}")
        click.echo()
        for finding in findings:
            click.echo(f"{finding.check:<22} {finding.outcome:<8} {finding.detail}")
    if any(finding.outcome is CheckOutcome.FAILED for finding in findings):
        raise SystemExit(1)


def examine(
    settings: Settings,
    ask: Callable[[Settings], dict[str, int]] | None = None,
    ask_offsets: Callable[[Settings, dict[str, int]], Offsets] = offsets,
) -> list[CheckResult]:
    """Return what came of every check, in the order in which one depends on another."""
    broker, found = _broker(settings, ask or partitions)
    return [
        _checked("rules", lambda: _rules(settings)),
        broker,
        _checked("topics", lambda: _topics(settings, found)),
        _checked("checkpoints", lambda: _checkpoints(settings)),
        _checked("lag", lambda: _lag(settings, found, ask_offsets)),
        _checked("database", lambda: _database(settings)),
        _checked("channels", lambda: _channels(settings)),
        _checked("silences", lambda: _silences(settings, found)),
    ]


class _Skipped(Exception):
    """A check that cannot be made now; the text says why."""


def _checked(name: str, check: Callable[[], str]) -> CheckResult:
    try:
        return CheckResult(name, CheckOutcome.OK, check())
    except _Skipped as reason:
        return CheckResult(name, CheckOutcome.SKIPPED, str(reason))
    except LapwingError as error:
        return CheckResult(name, CheckOutcome.FAILED, str(error))


def _rules(settings: Settings) -> str:
    from streams.rulebook.load import load_rulebook

    rules = load_rulebook(settings.rules).rules
    return f"{len(rules.rules)} in force from {settings.rules}, rule set {rules.hash}"


def partitions(settings: Settings) -> dict[str, int]:
    """Return the number of partitions of each of the broker's topics."""
    admin = Admin(Cluster(settings.broker, settings.kafka_security))
    try:
        return admin.partitions()
    finally:
        admin.close()


def _broker(
    settings: Settings, ask: Callable[[Settings], dict[str, int]]
) -> tuple[CheckResult, dict[str, int] | None]:
    try:
        found = ask(settings)
    except LapwingError as error:
        return CheckResult("broker", CheckOutcome.FAILED, str(error)), None
    return CheckResult(
        "broker", CheckOutcome.OK, f"{settings.broker} answers and has {len(found)} topics"
    ), found


def _topics(settings: Settings, found: dict[str, int] | None) -> str:
    if found is None:
        msg = "the broker does not answer"
        raise _Skipped(msg)
    findings = topics.check(planned(settings), found)
    bad = [f"{finding.topic}: {finding.mend}" for finding in findings if finding.mend]
    if bad:
        raise LapwingError("; ".join(bad))
    return "all that are needed are there and fit together"


def _checkpoints(settings: Settings) -> str:
    from streams.checkpoints.store import CheckpointStore  # as above

    if settings.checkpoints == NO_CHECKPOINTS:
        msg = "none are kept"
        raise _Skipped(msg)
    store = CheckpointStore(settings.checkpoints, settings.app)
    numbers = store.partitions()
    if not numbers:
        msg = f"{store.place} has none of {settings.app} yet; `lapwing worker` makes them"
        raise _Skipped(msg)
    without = [str(number) for number in numbers if not store.whole(number)]
    if without:
        msg = f"{store.place} has no whole one of partition {', '.join(without)}"
        raise StateError(msg)
    return f"{store.place} has whole ones of all its partitions ({len(numbers)})"


def _lag(
    settings: Settings,
    found: dict[str, int] | None,
    ask_offsets: Callable[[Settings, dict[str, int]], Offsets],
) -> str:
    if found is None:
        msg = "the broker does not answer"
        raise _Skipped(msg)
    seen = ask_offsets(settings, found)
    if not seen.committed:
        msg = f"no worker of {settings.app} has committed anything yet"
        raise _Skipped(msg)
    return lag_told(settings, seen, checkpoint_ages(settings))


def _database(settings: Settings) -> str:
    if settings.database.startswith("sqlite:///"):
        file = Path(settings.database.removeprefix("sqlite:///").partition("?")[0])
        if not file.exists():
            msg = f"{file} is not there yet; `lapwing sink` makes it"
            raise _Skipped(msg)
    database = Database(settings.database)
    try:
        with database.reading() as connection:
            connection.execute(select(text("1")))
        return f"{database.place} answers"
    finally:
        database.close()


def _silences(settings: Settings, found: dict[str, int] | None) -> str:
    if found is None:
        msg = "the broker does not answer"
        raise _Skipped(msg)
    if settings.silences_topic not in found:
        msg = f"there is no topic {settings.silences_topic}; `lapwing topics` makes it"
        raise _Skipped(msg)
    with closing(
        Subscription(Cluster(settings.broker, settings.kafka_security), settings.silences_topic, group=None)
    ) as subscription:
        states = [silence.state(datetime.now(UTC)) for silence in read_silences(subscription).values()]
    if not states:
        return "there are none"
    return f"{states.count('active')} active, {states.count('pending')} pending, {len(states)} in all"


def _channels(settings: Settings) -> str:
    channels = read_channels(url.get_secret_value() for url in settings.notify_urls)
    if not channels:
        msg = "none are set"
        raise _Skipped(msg)
    return ", ".join(channel.name for channel in channels)
