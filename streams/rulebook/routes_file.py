"""routes.yaml: who gets notices of which warnings, when, and in which language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from streams.core.conditions.parser import closest
from streams.core.decision.decision import Verdict
from streams.core.features.catalogue import CLASSES
from streams.core.segments.counts import DIMENSIONS
from streams.core.steps import Tier
from streams.rulebook.fields import (
    Read,
    choice,
    duration,
    language_field,
    several,
    slug,
    slugs,
    text,
    version,
    whole_number,
    written,
    zone_field,
)
from streams.rulebook.reader import Document, FileModel, Place, WrongValueError, WrongWhole

ALL_CHANNELS: Final = "all"
NONE: Final = "none"
"""Switches off what the route above has set."""
MOST_ROUTES: Final = 1_000
REPORT_PERIODS: Final = ("day", "week", "month")
REPORT_VIEWS: Final = ("all", "marketing", "product", "sales", "finance", "success")
"""Which part of a report somebody gets, as `lapwing report --view` has it."""
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_CLOCK_SCHEMA: Final = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}


def _clock(value: Any) -> str:
    given = written(value).strip()
    if _CLOCK.fullmatch(given) is None:
        msg = f"must be a local time such as '08:00', not {given!r}"
        near = f"0{given}" if _CLOCK.fullmatch(f"0{given}") else None
        raise WrongValueError(msg, near)
    return given


def _clock_or_none(value: Any) -> str:
    return NONE if value == NONE else _clock(value)


def _period(value: Any) -> timedelta:
    us = duration.how(value)
    if not us:
        msg = "must be longer than 0"
        raise WrongValueError(msg)
    return timedelta(microseconds=us)


def _words(known: tuple[str, ...], what: str) -> Read:
    return several(choice({word: word for word in known}), what)


_text: Final = several(text(128), "words")
_tiers: Final = _words(tuple(tier.label for tier in Tier), "tiers")
_time: Final = Read(_clock, _CLOCK_SCHEMA)
_time_or_none: Final = Read(_clock_or_none, {"anyOf": [_CLOCK_SCHEMA, {"const": NONE}]})
_period_field: Final = Read(_period, duration.schema)
_channels: Final = several(text(64), "channels")


class CustomerLabels(FileModel):
    """Which customers' warnings: every label that is given must hold, and holds if one of its words does."""

    tier: Annotated[tuple[str, ...], _tiers] = ()
    """The warning's tier."""
    customer_class: Annotated[tuple[str, ...], _words(CLASSES, "customer classes")] = Field((), alias="class")
    """The customer's class."""
    segment: Annotated[tuple[str, ...], _text] = ()
    """The customer's segment."""
    region: Annotated[tuple[str, ...], _text] = ()
    """The customer's region."""
    owner: Annotated[tuple[str, ...], _text] = ()
    """Who looks after the customer, or answers for one of the warning's rules."""
    rule: Annotated[tuple[str, ...], slugs("rules")] = ()
    """One of the warning's rules."""
    reason: Annotated[tuple[str, ...], slugs("reasons")] = ()
    """The reason of one of the warning's rules."""

    @property
    def words(self) -> dict[str, tuple[str, ...]]:
        """Return the words of the labels that are given, by label."""
        fields = type(self).model_fields
        found = {fields[name].alias or name: getattr(self, name) for name in fields}
        return {label: words for label, words in found.items() if words}


class MatchEntry(CustomerLabels):
    """Which warnings: every label that is given must hold, and holds if one of its words does."""

    shape: ClassVar[str] = "`match` holds labels, each `label: word` or `label: [word, word]`"

    decision: Annotated[tuple[str, ...], _words(tuple(Verdict), "verdicts")] = ()
    """Whether the customer is to be rescued."""
    kind: Annotated[tuple[str, ...], _words(("customer", "segment"), "kinds")] = ()
    """Whose warning it is: a customer's or a segment's."""
    dimension: Annotated[tuple[str, ...], _words(DIMENSIONS, "dimensions")] = ()
    """Of a segment's warning: what its rule is `by`."""
    value: Annotated[tuple[str, ...], _text] = ()
    """Of a segment's warning: which segment."""


class QuietHoursEntry(FileModel):
    """Hours in which nothing is sent, in the time zone of the receiver."""

    shape: ClassVar[str] = "`quiet_hours` holds `begins:` and `ends:`, or is none"

    begins: Annotated[str, _time]
    """The local time at which they begin."""
    ends: Annotated[str, _time]
    """The local time at which they end; at or before `begins` means on the next day."""
    days: Annotated[tuple[str, ...], _words(WEEKDAYS, "weekdays")] = WEEKDAYS
    """The days on which they begin; by default all."""


class RateLimitEntry(FileModel):
    """How many messages a receiver gets in a period; those beyond are gathered into one."""

    shape: ClassVar[str] = "`rate_limit` holds `messages:` and `per:`"

    messages: Annotated[int, whole_number(1, 100_000)]
    """The most messages in any such period."""
    per: Annotated[timedelta, _period_field]
    """The period."""


class ReceiverEntry(FileModel):
    """A team that gets notices."""

    shape: ClassVar[str] = "a receiver is a list of fields, each `name: value`"

    name: Annotated[str, slug]
    """The name by which routes call it."""
    channels: Annotated[tuple[str, ...], _channels]
    """Names of channels of the settings `notify_urls` and `webhook_urls`; `all` for all of them."""
    time_zone: Annotated[str | None, zone_field] = None
    """Where its people live; by default the setting `time_zone`."""
    rate_limit: RateLimitEntry | None = None
    """How much it may get; by default there is no limit."""


def _off(value: Any) -> Any:
    """Return `none` as it is, else what the field's model reads."""
    return NONE if value == NONE else QuietHoursEntry.model_validate(value)


def _quiet_schema() -> dict[str, Any]:
    hours = dict.fromkeys(("begins", "ends"), _time.schema)
    days = {"days": _words(WEEKDAYS, "weekdays").schema}
    inside = {"type": "object", "properties": hours | days, "required": ["begins", "ends"]}
    return {"anyOf": [{"const": NONE}, {**inside, "additionalProperties": False}]}


class RouteEntry(FileModel):
    """A route; what it does not set it has from the one above."""

    shape: ClassVar[str] = "a route is a list of fields, each `name: value`"

    name: Annotated[str | None, slug] = None
    """The name by which `lapwing notify routes` shows it; by default its place among its neighbours."""
    match: MatchEntry = Field(default_factory=lambda: MatchEntry.model_validate({}))
    """Which warnings it takes; by default all that the route above takes."""
    receiver: Annotated[str | None, slug] = None
    """Who gets the notices."""
    continues: bool = Field(False, alias="continue")
    """Whether the routes after it are tried too where this one matches."""
    language: Annotated[str | None, language_field] = None
    """The language of the messages; by default English."""
    template: Annotated[str | None, slug] = None
    """The name of your own templates, see docs/notify.md; `none` for those that come with Lapwing."""
    digest: Annotated[str | None, _time_or_none] = None
    """The local time of a daily digest of medium and low; by default, or with `none`, all is sent at once."""
    quiet_hours: Annotated[Any, Read(_off, _quiet_schema())] = None
    """Hours in which nothing is sent; by default, or with `none`, there are none."""
    escalate_to: Annotated[tuple[str, ...] | None, slugs("receivers", may_be_empty=True)] = None
    """Receivers of the notice of a passed deadline: the first at the first, then the next; `[]` for none."""
    routes: list[RouteEntry] = Field(default_factory=list)
    """Tried in their order; the first that matches takes the warning."""


class ReportEntry(FileModel):
    """A report that a receiver gets after each day, week or month."""

    shape: ClassVar[str] = "a report is a list of fields, each `name: value`"

    receiver: Annotated[str, slug]
    """Who gets it."""
    every: Annotated[str, choice({word: word for word in REPORT_PERIODS})]
    """Which periods it is about; it is sent once a period has ended."""
    at: Annotated[str, _time]
    """The receiver's local time on the day after the period."""
    view: Annotated[str, choice({word: word for word in REPORT_VIEWS})] = "all"
    """For whom it is; by default it has everything."""
    language: Annotated[str, language_field] = "en"
    """In which it is written; by default English."""


class RoutesFile(Document):
    """Who gets notices of which warnings."""

    title: ClassVar[str] = "Lapwing routes"
    shape: ClassVar[str] = "a file of routes holds `version: 1`, `receivers:` and `route:`"
    named: ClassVar[Mapping[str, tuple[str, str]]] = {"receivers": ("receiver", "name")}

    version: Annotated[int, version]
    """Of the format."""
    receivers: Annotated[list[ReceiverEntry], Field(min_length=1, max_length=500)]
    """The teams."""
    route: RouteEntry
    """The root, which takes every warning."""
    reports: Annotated[list[ReportEntry], Field(max_length=100)] = Field(default_factory=list)
    """Reports that receivers get by a schedule; by default none."""

    @classmethod
    def among_fields(cls, given: Mapping[str, Any]) -> Iterator[WrongValueError]:
        """Refuse names that are given twice or that no receiver has, and routes that nothing reaches.

        This looks at what is written, so that a mistake elsewhere in the file hides none of these.
        """
        known: list[str] = []
        for i, each in enumerate(_dicts(given.get("receivers"))):
            name, channels = each.get("name"), each.get("channels")
            if isinstance(name, str):
                if name in known:
                    yield WrongValueError(f": {name!r} is given twice", None, ("receivers", i, "name"))
                known.append(name)
            if isinstance(channels, list) and len(channels) > 1 and ALL_CHANNELS in channels:
                msg = f"names {ALL_CHANNELS!r} beside others: write `channels: {ALL_CHANNELS}`"
                yield WrongValueError(msg, None, ("receivers", i, "channels"))
        yield from _wrong_reports(_dicts(given.get("reports")), known)
        if isinstance(root := given.get("route"), dict):
            yield from _wrong_root(root)
            for number, (place, route) in enumerate(_walk(root, ("route",))):
                if number == MOST_ROUTES:
                    yield WrongWhole(f"there are more than {MOST_ROUTES} routes", None, place)
                    break
                yield from _wrong_names(place, route, known)
                yield from _unreachable(place, route)


def _dicts(given: Any) -> list[dict[str, Any]]:
    """Return a list of mappings, an empty one in place of what is none."""
    return [each if isinstance(each, dict) else {} for each in given] if isinstance(given, list) else []


def _wrong_reports(reports: list[dict[str, Any]], known: list[str]) -> Iterator[WrongValueError]:
    """Refuse a receiver that is not there, and a report that would be sent twice."""
    seen: set[tuple[Any, ...]] = set()
    for i, each in enumerate(reports):
        name = each.get("receiver")
        if isinstance(name, str) and name not in known:
            msg = f": there is no receiver {name!r}"
            yield WrongValueError(msg, closest(name, known), ("reports", i, "receiver"))
        fields = tuple(
            str(each.get(field, usual))
            for field, usual in (("receiver", ""), ("every", ""), ("view", "all"), ("language", "en"))
        )
        if fields in seen:
            yield WrongWhole("this report is given twice", None, ("reports", i))
        seen.add(fields)


def _wrong_root(root: Mapping[str, Any]) -> Iterator[WrongValueError]:
    if root.get("receiver") is None:
        yield WrongWhole("`receiver` is missing: the root needs one", None, ("route",))
    if root.get("match"):
        yield WrongWhole("`match` is not for the root, which takes every warning", None, ("route", "match"))
    if root.get("continue"):
        yield WrongWhole(
            "`continue` is not for the root: nothing comes after it", None, ("route", "continue")
        )


def _wrong_names(place: Place, route: Mapping[str, Any], known: list[str]) -> Iterator[WrongValueError]:
    next_teams = route.get("escalate_to")
    for field, given in (("receiver", route.get("receiver")), ("escalate_to", next_teams)):
        for name in given if isinstance(given, list) else [given]:
            if isinstance(name, str) and name not in known:
                msg = f": there is no receiver {name!r}"
                yield WrongValueError(msg, closest(name, known), (*place, field))


def _unreachable(place: Place, route: Mapping[str, Any]) -> Iterator[WrongValueError]:
    """Refuse routes after one that takes everything, and names that two neighbours share."""
    inner = _dicts(route.get("routes"))
    names: list[str] = []
    for i, each in enumerate(inner):
        if isinstance(name := each.get("name"), str):
            if name in names:
                yield WrongValueError(f": {name!r} is given twice", None, (*place, "routes", i, "name"))
            names.append(name)
        if not each.get("match") and not each.get("continue") and i < len(inner) - 1:
            msg = "this route takes everything, so those after it are never tried: give it a `match`"
            yield WrongWhole(msg, None, (*place, "routes", i))


def _walk(route: dict[str, Any], place: Place) -> Iterator[tuple[Place, dict[str, Any]]]:
    yield place, route
    for i, inner in enumerate(_dicts(route.get("routes"))):
        yield from _walk(inner, (*place, "routes", i))


def walk(route: RouteEntry, place: Place = ()) -> Iterator[tuple[Place, RouteEntry]]:
    """Yield a route and all within it with their places, in the order in which they are tried."""
    yield place, route
    for i, inner in enumerate(route.routes):
        yield from walk(inner, (*place, "routes", i))
