"""`lapwing notify routes`: check the route tree, show it, and say what becomes of a warning."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from consumers.notify.routes import CUSTOMER, LABELS, Labels, Receiver, Route, RouteTree, ScheduledReport
from consumers.notify.schedule import next_digest, send_at
from consumers.notify.scheduled_reports import next_due
from consumers.notify.templates import Templates
from lapwing.routes import ReadRoutes, channels_of, doubtful, read_routes, wrong_templates
from lapwing.settings.settings import Settings
from lapwing.settings.values import TIERS, closest, meant
from lapwing.terminal.text import printable
from streams.contract.instants import EPOCH, MICROSECOND
from streams.errors import LapwingError, SettingsError
from streams.rulebook.load import load_rulebook
from streams.rulebook.reader import Mistake, RulebookRefused
from streams.rulebook.routes_file import MatchEntry


@dataclass(frozen=True, slots=True)
class Sending:
    """What a route sends to a receiver about a warning, and when."""

    route: Route
    receiver: Receiver
    what: str
    at: datetime | None
    """`None` where that cannot be foreseen."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "route": self.route.name,
            "receiver": self.receiver.name,
            "channels": list(self.receiver.channels),
            "language": self.route.language,
            "template": self.route.template,
            "what": self.what,
            "at": None if self.at is None else self.at.astimezone(UTC).isoformat(),
            "local": None if self.at is None else shown(self.at, self.receiver),
        }


def run(labels: tuple[str, ...], settings: Settings, test: bool, at: int | None, as_json: bool) -> None:
    """Check routes.yaml and show the tree, or, with `test`, what becomes of a warning with these labels."""
    if labels and not test:
        msg = f"to see which routes take a warning: --test {' '.join(labels)}"
        raise click.UsageError(msg)
    wanted = read_labels(labels)
    try:
        read = read_routes(settings, _channels(settings))
    except RulebookRefused as refused:
        _report(refused.mistakes, as_json=as_json)
        raise SystemExit(1) from None
    if read is None:
        msg = f"there is no routes.yaml beside {settings.rules}: every notice goes to every channel"
        raise SettingsError(msg)
    if test:
        now = datetime.now(UTC) if at is None else EPOCH + at * MICROSECOND
        found = list(sendings(read.tree, wanted, now, settings.acknowledge_within))
        if as_json:
            click.echo(json.dumps([each.as_dict() for each in found], indent=2, ensure_ascii=False))
        else:
            _print_sendings(found)
        return
    mistakes = _doubtful(read, settings)
    wrong = wrong_templates(read.tree, Templates(settings.notify_templates))
    if as_json:
        listed = [_as_dict(route) for route in read.tree.root.walk()]
        doubts = [each.as_dict() for each in mistakes] + [{"message": text} for text in wrong]
        reports = [_report_as_dict(each) for each in read.tree.reports]
        found_all = {"ok": not doubts, "mistakes": doubts, "routes": listed, "reports": reports}
        click.echo(json.dumps(found_all, indent=2))
    else:
        for text in [*map(str, mistakes), *wrong]:
            click.echo(printable(text))
        for line in drawn(read.tree.root):
            click.echo(printable(line))
        for each in read.tree.reports:
            click.echo(printable(_report_line(each, datetime.now(UTC))))
    if mistakes or wrong:
        raise SystemExit(1)


def _channels(settings: Settings) -> list[str] | None:
    """Return the names of the channels, `None` where this machine's settings have none."""
    return [each.name for each in channels_of(settings)] or None


def _doubtful(read: ReadRoutes, settings: Settings) -> list[Mistake]:
    """Return which rules and reasons are not there; nothing where the rule files are wrong themselves."""
    try:
        return doubtful(read, load_rulebook(settings.rules)) if Path(settings.rules).exists() else []
    except LapwingError:
        return []


def _report(mistakes: Sequence[Mistake], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"ok": False, "mistakes": [each.as_dict() for each in mistakes]}, indent=2))
        return
    for mistake in mistakes:
        click.echo(str(mistake))


def read_labels(given: Sequence[str]) -> Labels:
    """Return the labels of `tier=high reason=service`; what no warning can have is a usage error.

    >>> read_labels(["tier=high", "rule=a", "rule=b"])["rule"] == {"a", "b"}
    True
    """
    found: dict[str, list[str]] = {}
    for text in given:
        label, sign, word = text.partition("=")
        if not sign or not word:
            msg = f"{text!r} is no label with its value, such as tier=high"
            raise click.UsageError(msg)
        if label not in LABELS:
            msg = f"there is no label {label!r}: labels are {', '.join(LABELS)}{meant(label, LABELS)}"
            raise click.UsageError(msg)
        found.setdefault(label, []).append(word)
    for label, known in _known_words().items():
        for word in found.get(label, ()):
            if word not in known:
                hint = f"; did you mean {near}?" if (near := closest(word, known)) else ""
                msg = f"{label}={word}: must be {', '.join(known[:-1])} or {known[-1]}{hint}"
                raise click.UsageError(msg)
    found.setdefault("kind", [CUSTOMER])
    return {label: frozenset(words) for label, words in found.items()}


def _known_words() -> dict[str, list[str]]:
    """Return the words of the labels that have a closed list, as routes.yaml takes them."""
    schema = MatchEntry.model_json_schema()["properties"]
    listed = {label: field.get("anyOf", [{}])[0].get("enum") for label, field in schema.items()}
    return {label: list(words) for label, words in listed.items() if words}


def sendings(
    tree: RouteTree, labels: Labels, now: datetime, acknowledge_within: dict[Any, int]
) -> Iterator[Sending]:
    """Yield what the routes send about a warning that opens at `now` and that nobody acknowledges."""
    tiers = [tier for tier in TIERS if tier in labels.get("tier", ())] or list(TIERS)
    for route in tree.find(labels):
        for tier in tiers:
            named = f"{tier}: " if len(tiers) > 1 else ""
            receiver = route.receiver
            if labels["kind"] == {CUSTOMER} and route.gathers(tier):
                yield Sending(route, receiver, f"{named}digest", next_digest(route, now))
            else:
                yield Sending(route, receiver, f"{named}notice", send_at(route, receiver, now))
            within = acknowledge_within.get(tier)
            if within is not None and labels["kind"] == {CUSTOMER}:
                yield from _at_the_deadline(route, named, now + timedelta(microseconds=within))


def _at_the_deadline(route: Route, named: str, deadline: datetime) -> Iterator[Sending]:
    """Yield what is sent when nobody acknowledged the warning in time."""
    yield Sending(route, route.receiver, f"{named}deadline", send_at(route, route.receiver, deadline))
    for level, team in enumerate(route.escalate_to, start=1):
        if level == 1:
            yield Sending(route, team, f"{named}escalation", send_at(route, team, deadline))
        else:
            yield Sending(route, team, f"{named}escalation {level}, when another deadline passes", None)


def shown(at: datetime, receiver: Receiver) -> str:
    """Return an instant by the clock of a receiver."""
    local = at.astimezone(ZoneInfo(receiver.time_zone))
    return f"{local:%a %Y-%m-%d %H:%M} {receiver.time_zone}"


def _print_sendings(found: Sequence[Sending]) -> None:
    last: Route | None = None
    for each in found:
        if each.route is not last:
            click.echo(printable(f"route {each.route.name} ({_manner(each.route)})"))
            last = each.route
        when = "" if each.at is None else f" at {shown(each.at, each.receiver)}"
        channels = ", ".join(each.receiver.channels)
        click.echo(printable(f"  {each.what}{when}: to {each.receiver.name} ({channels})"))


def _manner(route: Route) -> str:
    return route.language if route.template is None else f"{route.language}, template {route.template}"


def drawn(route: Route, depth: int = 0) -> Iterator[str]:
    """Yield the lines of a tree of routes."""
    words = " ".join(f"{label}={'|'.join(words)}" for label, words in route.match.items()) or "everything"
    more = [_manner(route)]
    if route.digest is not None:
        more.append(f"digest {route.digest}")
    if route.quiet_hours is not None:
        days = "" if len(route.quiet_hours.days) in (0, 7) else f" {','.join(route.quiet_hours.days)}"
        more.append(f"quiet {route.quiet_hours.begins}-{route.quiet_hours.ends}{days}")
    if route.escalate_to:
        more.append(f"then {', '.join(each.name for each in route.escalate_to)}")
    if route.continues:
        more.append("continue")
    limit = route.receiver.rate_limit
    if limit is not None:
        more.append(f"at most {limit.messages} in {limit.per}")
    name = route.name.rpartition("/")[2]
    yield f"{'  ' * depth}{name}: {words} -> {route.receiver.name} ({'; '.join(more)})"
    for inner in route.routes:
        yield from drawn(inner, depth + 1)


def _report_line(each: ScheduledReport, now: datetime) -> str:
    what = f"report of each {each.every} ({each.language}, view {each.view})"
    return f"{what} -> {each.receiver.name}, next at {shown(next_due(each, now), each.receiver)}"


def _report_as_dict(each: ScheduledReport) -> dict[str, Any]:
    return {
        "receiver": each.receiver.name,
        "channels": list(each.receiver.channels),
        "every": each.every,
        "at": each.at,
        "time_zone": each.receiver.time_zone,
        "view": each.view,
        "language": each.language,
    }


def _as_dict(route: Route) -> dict[str, Any]:
    quiet = route.quiet_hours
    return {
        "route": route.name,
        "match": {label: list(words) for label, words in route.match.items()},
        "receiver": route.receiver.name,
        "channels": list(route.receiver.channels),
        "time_zone": route.receiver.time_zone,
        "language": route.language,
        "template": route.template,
        "digest": route.digest,
        "quiet_hours": None if quiet is None else quiet.model_dump(mode="json"),
        "escalate_to": [each.name for each in route.escalate_to],
        "continue": route.continues,
    }
