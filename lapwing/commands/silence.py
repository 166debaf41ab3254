"""`lapwing silence`: mute the notices of warnings, list silences, end them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from consumers.broker.client import Cluster, Producer, Subscription
from consumers.database.database import Database
from consumers.muting.counts import muted_by_reason, muted_by_silence
from consumers.muting.windows import last_end
from consumers.silences import (
    NamedRule,
    ended,
    name_problems,
    named,
    new_silence,
    read_silences,
    write_silence,
)
from lapwing.settings.settings import Settings
from lapwing.terminal.text import printable
from streams.contract.instants import EPOCH, format_instant, to_us
from streams.contract.silences import WEEKDAYS, Recurring, Silence, make_recurring
from streams.errors import ContractError, LapwingError, StoreError


def add(settings: Settings, author: str, reason: str, as_json: bool, **given: Any) -> None:
    """Add a silence."""
    now = datetime.now(UTC)
    hours = _recurring(settings.time_zone, given)
    starts_at, ends_at = _span(now, given, hours)
    silence = new_silence(
        now,
        author,
        reason,
        {
            "everything": given["everything"],
            "customers": given["customer"],
            "customer_classes": given["class"],
            "segments": given["segment"],
            "regions": given["region"],
            "account_owners": given["owner"],
            "tiers": given["tier"],
            "rules": given["rule"],
            "reasons": given["group"],
        },
        starts_at,
        ends_at,
        hours,
    )
    _check_names(settings.rules, given["rule"], given["group"])
    with _topic(settings) as (_, producer):
        write_silence(producer, settings.silences_topic, silence)
    click.echo(
        silence.model_dump_json() if as_json else f"{silence.id} added: {_which(silence)}, {_when(silence)}"
    )


def _check_names(path: Path, rules: Sequence[str], groups: Sequence[str]) -> None:
    """Refuse rules and groups that the rule files do not have; such a silence would mute nothing."""
    if not rules and not groups:
        return
    from streams.rulebook.load import load_rulebook  # slow to import, and seldom needed

    try:
        placed = load_rulebook(path).placed
    except LapwingError as error:
        first = str(error).splitlines()[0]
        click.echo(f"the names of rules and groups are not checked: {first}", err=True)
        return
    known = [
        NamedRule(
            each.rule.id,
            each.rule.reason,
            "paused" if each.rule.paused else each.rule.status.value,
            each.by is not None,
        )
        for each in placed
    ]
    for problem in name_problems(rules, groups, known):
        flag = f"--{problem.kind}: "
        if problem.near is not None:
            hint = f"; did you mean {problem.near!r}?" if problem.near else ""
            msg = f"{flag}there is no {problem.kind} {problem.name!r} in {path}{hint}"
            raise ContractError(msg)
        if problem.of_segments:
            msg = f"{flag}{problem.name!r} is a rule of segments, of which no notice is sent"
            raise ContractError(msg)
        click.echo(f"rule {problem.name!r} is {problem.status} and warns nobody", err=True)


def list_silences(settings: Settings, state: str | None, as_json: bool) -> None:
    """List silences, expired ones too, with how many steps each has muted so far."""
    now = datetime.now(UTC)
    with _topic(settings) as (found, _):
        shown = [silence for silence in found.values() if state in (None, silence.state(now))]
    by_silence, by_reason = _muted(settings)
    order = {"active": 0, "pending": 1, "expired": 2}
    shown.sort(key=lambda silence: (order[silence.state(now)], silence.starts_at, silence.id))
    if as_json:
        rows = [
            json.loads(silence.model_dump_json())
            | {
                "state": silence.state(now),
                "muted": None if by_silence is None else by_silence.get(silence.id, 0),
            }
            for silence in shown
        ]
        click.echo(json.dumps({"silences": rows, "muted": by_reason}))
        return
    for silence in shown:
        muted = "" if by_silence is None else f"  {by_silence.get(silence.id, 0)} muted"
        click.echo(f"{silence.id}  {silence.state(now):<8}{muted}  {_which(silence)}, {_when(silence)}")
        click.echo(f"{'':<10}{printable(silence.author)}: {printable(silence.reason)}")
    if not shown:
        click.echo("no silences")
    for why, counts in sorted((by_reason or {}).items()):
        click.echo(f"muted by {why}: {counts['held']} deferred, {counts['muted']} for good")


def expire(settings: Settings, ids: tuple[str, ...], author: str | None, as_json: bool) -> None:
    """End silences now; their records stay. What they deferred and is still open is sent."""
    now = datetime.now(UTC)
    over_now = []
    with _topic(settings) as (found, producer):
        silences = [named(found, wanted) for wanted in dict.fromkeys(ids)]
        over = [silence.id for silence in silences if silence.state(now) == "expired"]
        if over:
            msg = f"already expired: {', '.join(over)}"
            raise ContractError(msg)
        for silence in silences:
            over_now.append(ended(silence, now, author))
            write_silence(producer, settings.silences_topic, over_now[-1])
    if as_json:
        click.echo(json.dumps([json.loads(silence.model_dump_json()) for silence in over_now]))
    else:
        for silence in over_now:
            click.echo(f"{silence.id} expired: {_which(silence)}")


@contextmanager
def _topic(settings: Settings) -> Iterator[tuple[dict[str, Silence], Producer]]:
    """Yield all silences and a producer for more."""
    cluster = Cluster(settings.broker, settings.kafka_security)
    with closing(Subscription(cluster, settings.silences_topic, group=None)) as subscription:
        found = read_silences(subscription)
    with closing(Producer(cluster)) as producer:
        yield found, producer


def _muted(settings: Settings) -> tuple[dict[str, int] | None, dict[str, dict[str, int]] | None]:
    """Return what was muted by each silence and for each reason, `None` where there is no database yet."""
    with closing(Database(settings.database)) as database:
        if not database.is_there:
            return None, None
        try:
            database.refuse_newer()
            return muted_by_silence(database), muted_by_reason(database)
        except StoreError as error:
            click.echo(f"what was muted cannot be counted: {error}", err=True)
            return None, None


def _span(
    now: datetime, given: Mapping[str, Any], hours: Recurring | None
) -> tuple[datetime, datetime | None]:
    """Return begin and end as the flags say; exactly one of them must give the end."""
    starts_at = _datetime(given["begins"]) if given["begins"] is not None else now
    ends_at = last_end(hours) if hours else None
    if (given["until"] is not None) + (given["lasting"] is not None) + given["no_end"] > 1:
        msg = "give one of --until, --for and --no-end"
        raise click.UsageError(msg)
    if given["until"] is not None:
        ends_at = _datetime(given["until"])
    elif given["lasting"] is not None:
        try:
            ends_at = starts_at + timedelta(microseconds=given["lasting"])
        except OverflowError as error:
            msg = "--for: it would end after the year 9999"
            raise click.UsageError(msg) from error
    elif ends_at is None and not (given["no_end"] and hours):
        msg = "an end is needed: --until or --for" + (", or --no-end" if hours else "")
        raise click.UsageError(msg)
    return starts_at, ends_at


def _recurring(zone: str, given: Mapping[str, Any]) -> Recurring | None:
    if not (given["every"] or given["on"] or given["between"]):
        return None
    every = [word.strip().lower() for word in (given["every"] or "").split(",") if word.strip()]
    if wrong := [word for word in every if word not in (*WEEKDAYS, "day")]:
        msg = f"--every: {wrong[0]!r} is none of {', '.join(WEEKDAYS)}, day"
        raise click.UsageError(msg)
    begins, sign, ends = (given["between"] or "00:00-00:00").partition("-")
    if not sign:
        msg = f"--between: {begins!r} is not HH:MM-HH:MM"
        raise click.UsageError(msg)
    days = WEEKDAYS if "day" in every else tuple(every)
    return make_recurring(
        days=days, dates=given["on"], begins=begins.strip(), ends=ends.strip(), time_zone=zone
    )


def _datetime(us: int) -> datetime:
    return EPOCH + timedelta(microseconds=us)


def _which(silence: Silence) -> str:
    lists = silence.matchers.lists
    matched = [
        f"{name.replace('_', ' ')} {', '.join(map(printable, words))}" for name, words in lists.items()
    ]
    return " and ".join(matched) or "everything"


def _when(silence: Silence) -> str:
    end = f"until {_utc(silence.ends_at)}" if silence.ends_at else "without end"
    span = f"from {_utc(silence.starts_at)} {end}"
    hours = silence.recurring
    if hours is None:
        return span
    days = ", ".join([*hours.days, *(day.isoformat() for day in hours.dates)]) or "every day"
    clock = "all day" if hours.begins == hours.ends else f"{hours.begins}-{hours.ends}"
    return f"{days} {clock} {hours.time_zone}, {span}"


def _utc(instant: datetime) -> str:
    return format_instant(to_us(instant.replace(microsecond=0)))
