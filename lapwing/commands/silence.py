"""`lapwing silence`: say of which warnings the team is not to be told, see it, end it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from consumers.broker.client import Cluster, Producer, Subscription
from consumers.database.database import Database
from consumers.muting.counts import muted_by_reason, muted_by_silence
from consumers.muting.windows import last_end
from consumers.silences import named, read_silences, write_silence
from lapwing.settings.options import settings_options
from lapwing.settings.settings import Settings
from streams.contract.instants import InstantOutOfRange, NotAnInstant, format_instant, read_instant, to_us
from streams.contract.silences import WEEKDAYS, Recurring, Silence, make_recurring, make_silence
from streams.duration import parse_duration
from streams.errors import ContractError, SettingsError, StoreError

Words = tuple[str, ...]


@click.group("silence")
def command() -> None:
    """Mute notices of warnings.

    The warnings themselves go on and are stored; what is muted is recorded with its reason.
    """


def _words(flag: str, text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(flag, multiple=True, metavar="WORD", help=f"{text}; may be given several times.")


@command.command()
@settings_options("broker", "silences_topic", "time_zone")
@click.option("--everything", is_flag=True, help="All warnings: the kill switch of notices.")
@_words("--customer", "Only warnings of this customer")
@_words("--class", "Only of this customer class")
@_words("--segment", "Only of this segment")
@_words("--region", "Only of this region")
@_words("--tier", "Only of this tier")
@_words("--rule", "Only causes of this rule: a warning with another cause is told")
@_words("--group", "Only causes of this group, the rules' `reason`")
@click.option("--from", "begins", metavar="TIME", help="When it begins, RFC 3339; default: now.")
@click.option("--until", metavar="TIME", help="When it ends, RFC 3339.")
@click.option("--for", "lasting", metavar="DURATION", help="How long it lasts, instead of --until: 2h, 3d.")
@click.option("--no-end", is_flag=True, help="A recurring silence goes on until it is expired.")
@click.option("--every", metavar="DAYS", help="Recurring: weekdays with commas (mon,tue), or `day`.")
@_words("--on", "Recurring: a date, YYYY-MM-DD, such as a holiday")
@click.option("--between", metavar="HH:MM-HH:MM", help="Recurring: the local hours; default: whole days.")
@click.option("--author", required=True, help="Who asks for it.")
@click.option("--reason", required=True, help="Why.")
@click.option("--json", "as_json", is_flag=True, help="Print the silence as JSON.")
def add(settings: Settings, author: str, reason: str, as_json: bool, **given: Any) -> None:
    """Add a silence.

    `lapwing silence add --rule login-drop --for 3d --author me --reason "app outage"` mutes a rule. With
    `--everything`, `--every day --between 20:00-08:00 --no-end` sets quiet hours and `--on 2026-12-25` a
    holiday, in the setting `time_zone`. What is still open when a silence ends is told then.
    """
    now = datetime.now(UTC)
    hours = _recurring(settings.time_zone, given)
    silence = make_silence(
        id=secrets.token_hex(4),
        revision=1,
        author=author,
        reason=reason,
        created_at=now,
        matchers={
            "everything": given["everything"],
            "customers": given["customer"],
            "customer_classes": given["class"],
            "segments": given["segment"],
            "regions": given["region"],
            "tiers": given["tier"],
            "rules": given["rule"],
            "reasons": given["group"],
        },
        **_span(now, given, hours),
        recurring=hours,
    )
    with _topic(settings) as (_, producer):
        write_silence(producer, settings.silences_topic, silence)
    click.echo(
        silence.model_dump_json() if as_json else f"{silence.id} added: {_which(silence)}, {_when(silence)}"
    )


@command.command("list")
@settings_options("broker", "silences_topic", "database")
@click.option(
    "--state", type=click.Choice(["active", "pending", "expired"]), help="Only those; default: all there are."
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_(settings: Settings, state: str | None, as_json: bool) -> None:
    """List silences, those that are over too, with how many warnings' steps each has muted so far."""
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
        click.echo(f"{'':<10}{_line(silence.author)}: {_line(silence.reason)}")
    if not shown:
        click.echo("no silences")
    for why, counts in sorted((by_reason or {}).items()):
        click.echo(f"muted by {why}: {counts['held']} held, {counts['muted']} for good")


@command.command()
@settings_options("broker", "silences_topic")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("--author", help="Who ends it.")
@click.option("--json", "as_json", is_flag=True, help="Print the silences as JSON.")
def expire(settings: Settings, ids: Words, author: str | None, as_json: bool) -> None:
    """End silences now; their records stay. What they hold back and is still open is told."""
    now = datetime.now(UTC)
    ended = []
    with _topic(settings) as (found, producer):
        silences = [named(found, wanted) for wanted in dict.fromkeys(ids)]
        over = [silence.id for silence in silences if silence.state(now) == "expired"]
        if over:
            msg = f"already expired: {', '.join(over)}"
            raise ContractError(msg)
        for silence in silences:
            change = {"revision": silence.revision + 1, "expired_at": now, "expired_by": author}
            ended.append(silence.model_copy(update=change))
            write_silence(producer, settings.silences_topic, ended[-1])
    if as_json:
        click.echo(json.dumps([json.loads(silence.model_dump_json()) for silence in ended]))
    else:
        for silence in ended:
            click.echo(f"{silence.id} expired: {_which(silence)}")


@contextmanager
def _topic(settings: Settings) -> Iterator[tuple[dict[str, Silence], Producer]]:
    """Yield the silences there are and a producer for more."""
    cluster = Cluster(settings.broker, settings.kafka_security)
    with closing(Subscription(cluster, settings.silences_topic, group=None)) as subscription:
        found = read_silences(subscription)
    with closing(Producer(cluster)) as producer:
        yield found, producer


def _muted(settings: Settings) -> tuple[dict[str, int] | None, dict[str, dict[str, int]] | None]:
    """Return what was muted by each silence and for each reason, `None` where there is no database yet."""
    if settings.database.startswith("sqlite:///"):
        file = Path(settings.database.removeprefix("sqlite:///").partition("?")[0])
        if not file.exists():
            return None, None
    with closing(Database(settings.database)) as database:
        try:
            return muted_by_silence(database), muted_by_reason(database)
        except StoreError as error:
            click.echo(f"what was muted cannot be counted: {error}", err=True)
            return None, None


def _span(now: datetime, given: Mapping[str, Any], hours: Recurring | None) -> dict[str, datetime | None]:
    """Return begin and end as the flags say; one of the ways to say the end must be chosen."""
    starts_at = _instant("--from", given["begins"]) if given["begins"] else now
    ends_at = last_end(hours) if hours else None
    if (given["until"] is not None) + (given["lasting"] is not None) + given["no_end"] > 1:
        msg = "give one of --until, --for and --no-end"
        raise SettingsError(msg)
    if given["until"]:
        ends_at = _instant("--until", given["until"])
    elif given["lasting"]:
        try:
            ends_at = starts_at + timedelta(microseconds=parse_duration(given["lasting"]))
        except (ValueError, OverflowError) as error:
            msg = f"--for: {error}"
            raise SettingsError(msg) from error
    elif ends_at is None and not (given["no_end"] and hours):
        msg = "say when it ends: --until or --for" + (", or --no-end" if hours else "")
        raise SettingsError(msg)
    return {"starts_at": starts_at, "ends_at": ends_at}


def _recurring(zone: str, given: Mapping[str, Any]) -> Recurring | None:
    if not (given["every"] or given["on"] or given["between"]):
        return None
    every = [word.strip().lower() for word in (given["every"] or "").split(",") if word.strip()]
    if wrong := [word for word in every if word not in (*WEEKDAYS, "day")]:
        msg = f"--every: {wrong[0]!r} is none of {', '.join(WEEKDAYS)}, day"
        raise SettingsError(msg)
    begins, sign, ends = (given["between"] or "00:00-00:00").partition("-")
    if not sign:
        msg = f"--between: {begins!r} is not HH:MM-HH:MM"
        raise SettingsError(msg)
    days = WEEKDAYS if "day" in every else tuple(every)
    return make_recurring(
        days=days, dates=given["on"], begins=begins.strip(), ends=ends.strip(), time_zone=zone
    )


def _instant(flag: str, text: str) -> datetime:
    try:
        return read_instant(text)
    except (NotAnInstant, InstantOutOfRange) as error:
        msg = f"{flag}: {text!r} is no time with an offset, such as 2026-03-01T08:00:00+01:00 or ...Z"
        raise SettingsError(msg) from error


def _which(silence: Silence) -> str:
    lists = silence.matchers.lists
    told = [f"{name.replace('_', ' ')} {', '.join(map(_line, words))}" for name, words in lists.items()]
    return " and ".join(told) or "everything"


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


def _line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
