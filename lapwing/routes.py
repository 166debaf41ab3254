"""From routes.yaml and the settings to the route tree of the notifier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from consumers.notify.channels import Channel, read_channels, read_webhooks
from consumers.notify.routes import LANGUAGES, RateLimit, Receiver, Route, RouteTree, ScheduledReport
from consumers.notify.template_samples import SAMPLES
from consumers.notify.templates import Templates
from lapwing.settings.settings import Settings
from lapwing.settings.values import closest
from streams.contract.silences import Recurring, make_recurring
from streams.errors import SettingsError
from streams.rulebook.files import ROUTES, read_files
from streams.rulebook.load import Rulebook
from streams.rulebook.reader import Mistake, Place, Places, RulebookRefused, read_document
from streams.rulebook.routes_file import (
    ALL_CHANNELS,
    NONE,
    QuietHoursEntry,
    ReceiverEntry,
    RouteEntry,
    RoutesFile,
    walk,
)

ROOT: Final = "all"
"""The name of a root that has none."""


@dataclass(frozen=True, slots=True)
class ReadRoutes:
    """A routes.yaml that was read."""

    path: str
    file: RoutesFile
    places: Places
    tree: RouteTree


def channels_of(settings: Settings) -> list[Channel]:
    """Return the channels of the settings: services that Apprise knows, and webhooks."""
    services = read_channels(url.get_secret_value() for url in settings.notify_urls)
    webhooks = read_webhooks(
        (url.get_secret_value() for url in settings.webhook_urls),
        (secret.get_secret_value() for secret in settings.webhook_secrets),
    )
    names = {each.name for each in services}
    if twice := next((each.name for each in webhooks if each.name in names), None):
        msg = f"webhook_urls: there is a channel {twice!r} in notify_urls too"
        raise SettingsError(msg)
    return services + webhooks


def routes_path(settings: Settings) -> Path | None:
    """Return where the routes are: what the settings say, or the file beside the rules where there is one."""
    if settings.routes is not None:
        return settings.routes
    folder = settings.rules.parent if settings.rules.is_file() else settings.rules
    return next(
        (path for suffix in (".yaml", ".yml") if (path := folder / f"{ROUTES}{suffix}").is_file()), None
    )


def read_routes(settings: Settings, channels: Sequence[str] | None = None) -> ReadRoutes | None:
    """Return the routes, or `None` where there is no file; raise `RulebookRefused` with all mistakes.

    `channels` are the names that receivers may use; where it is `None` they are not checked.
    """
    path = routes_path(settings)
    if path is None:
        return None
    if not path.is_file():
        msg = f"{path}: there is no such file; see the setting `routes`"
        raise SettingsError(msg)
    read = read_files([path])
    if read.mistakes:
        raise RulebookRefused(read.mistakes)
    found = read_document(str(path), read.contents[str(path)], RoutesFile)
    if found.content is None or found.places is None:
        raise RulebookRefused(found.mistakes)
    if mistakes := list(_unknown_channels(found.content, found.places, channels)):
        raise RulebookRefused(mistakes)
    return ReadRoutes(str(path), found.content, found.places, tree_of(found.content, settings, channels))


def tree_of(file: RoutesFile, settings: Settings, channels: Sequence[str] | None = None) -> RouteTree:
    """Return the tree that a file describes."""
    receivers = {each.name: _receiver(each, settings, channels) for each in file.receivers}
    root = file.route
    assert root.receiver is not None
    above = Route("", receivers[root.receiver], language=LANGUAGES[0])
    reports = tuple(
        ScheduledReport(
            f"reports/{number}",
            receivers[each.receiver],
            *(each.every, each.at, each.view, each.language, settings.time_zone),
        )
        for number, each in enumerate(file.reports, start=1)
    )
    return RouteTree(_route(root, root.name or ROOT, above, receivers), receivers, reports)


def wrong_templates(tree: RouteTree, templates: Templates) -> list[str]:
    """Return every mistake in the templates that routes use, each with file and line."""
    used = dict.fromkeys((route.template, route.language) for route in tree.root.walk())
    found = [str(each) for name, language in used for each in templates.check(name, language, SAMPLES)]
    return list(dict.fromkeys(found))


def _receiver(entry: ReceiverEntry, settings: Settings, channels: Sequence[str] | None) -> Receiver:
    names = entry.channels
    if ALL_CHANNELS in names and channels is not None:
        names = tuple(channels)
    limit = entry.rate_limit
    return Receiver(
        entry.name,
        tuple(dict.fromkeys(names)),
        entry.time_zone or settings.time_zone,
        RateLimit(limit.messages, limit.per) if limit is not None else None,
    )


def _route(entry: RouteEntry, name: str, above: Route, receivers: Mapping[str, Receiver]) -> Route:
    receiver = receivers[entry.receiver] if entry.receiver is not None else above.receiver
    quiet = above.quiet_hours if entry.quiet_hours is None else _hours(entry.quiet_hours)
    if quiet is not None:
        quiet = quiet.model_copy(update={"time_zone": receiver.time_zone})
    next_teams = above.escalate_to
    if entry.escalate_to is not None:
        next_teams = tuple(receivers[each] for each in entry.escalate_to)
    own = Route(
        name,
        receiver,
        entry.match.words,
        entry.continues,
        entry.language or above.language,
        _given(entry.template, above.template),
        _given(entry.digest, above.digest),
        quiet,
        next_teams,
    )
    inner = tuple(
        _route(each, f"{name}/{each.name or number}", own, receivers)
        for number, each in enumerate(entry.routes, start=1)
    )
    return Route(
        *(own.name, own.receiver, own.match, own.continues, own.language, own.template, own.digest),
        *(own.quiet_hours, own.escalate_to, inner),
    )


def _given(own: str | None, above: str | None) -> str | None:
    return above if own is None else None if own == NONE else own


def _hours(entry: QuietHoursEntry | str) -> Recurring | None:
    if not isinstance(entry, QuietHoursEntry):
        return None
    return make_recurring(days=entry.days, begins=entry.begins, ends=entry.ends)


def _unknown_channels(file: RoutesFile, places: Places, known: Sequence[str] | None) -> Iterator[Mistake]:
    for i, each in enumerate(file.receivers):
        for name in each.channels:
            if known is not None and name != ALL_CHANNELS and name not in known:
                place: Place = ("receivers", i, "channels")
                message = f"`channels`: the settings name no channel {name!r}"
                yield places.mistake(places.node(place), place, message, closest(name, known), name)


def doubtful(read: ReadRoutes, rulebook: Rulebook) -> list[Mistake]:
    """Return what no rule file has: rules and reasons that a route matches on in vain."""
    rules = {each.rule.id for each in rulebook.placed}
    reasons = {each.rule.reason for each in rulebook.placed} | set(rulebook.reasons.by_code)
    found: list[Mistake] = []
    for place, entry in walk(read.file.route, ("route",)):
        for label, words, known in (
            ("rule", entry.match.rule, rules),
            ("reason", entry.match.reason, reasons),
        ):
            for word in words:
                if word not in known:
                    where: Place = (*place, "match", label)
                    message = f"`{label}`: there is no {label} {word!r}"
                    near = closest(word, sorted(known))
                    found.append(read.places.mistake(read.places.node(where), where, message, near, word))
    return found
