"""What is doubtful about a mapping that loads: each finding with a code that stays, its place and a way out.

An error is a mapping that cannot do what it is for; a warning is one that most likely was meant otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Final

from streams.core.events.topics import Topic
from streams.inputs.event_entry import EventEntry
from streams.inputs.field_entry import FieldEntry
from streams.inputs.filter_entry import FilterEntry
from streams.inputs.load import Inputs
from streams.inputs.numbers import number_of
from streams.inputs.paths import Path, show_path
from streams.inputs.source_entry import SourceEntry
from streams.rulebook.findings import Finding, Severity
from streams.rulebook.reader import Place

CODES: Final[dict[str, tuple[Severity, str]]] = {
    "I101": (Severity.ERROR, "a filter never holds"),
    "I102": (Severity.ERROR, "two events of one record have the same `event_id`"),
    "I103": (Severity.ERROR, "a word that the filter takes and `map` does not name"),
    "I104": (Severity.ERROR, "a record's key cannot be its customer"),
    "I111": (Severity.WARNING, "orders without a currency"),
    "I112": (Severity.WARNING, "a time without a zone"),
    "I113": (Severity.WARNING, "an `event_id` that stays the same when the status changes"),
    "I114": (Severity.WARNING, "a word that `map` names and no filter takes"),
    "I115": (Severity.WARNING, "a constant `event_id`, `customer_id` or `occurred_at`"),
}
"""Every code, how much it weighs, and what it stands for."""


def lint(inputs: Inputs, currency: str | None = None) -> list[Finding]:
    """Return what is doubtful, by lines; `currency` is that of all amounts where the settings name one."""
    found: list[Finding] = []

    def doubt(source: str, place: Place, code: str, message: str, hint: str) -> None:
        line = inputs.places.node(("sources", source, "events", *place)).line
        found.append(Finding(inputs.path, line, CODES[code][0], code, "source", source, message, hint))

    for name, entry in inputs.file.sources.items():
        for number, event in enumerate(entry.events):
            for code, place, message, hint in _of_event(entry, event, currency):
                doubt(name, (number, *place), code, message, hint)
        for (_, one), (second, other) in combinations(enumerate(entry.events), 2):
            if _same_id(one, other):
                message = f"a record that becomes {_an(one)} and {_an(other)} gives both the same event_id"
                hint = "the second is dropped as a repeat: give one a prefix"
                doubt(name, (second, "fields", "event_id"), "I102", message, hint)
    return sorted(found, key=lambda each: (each.line, each.code))


_Found = tuple[str, Place, str, str]
"""Code, place in the event, message, hint."""


def _of_event(entry: SourceEntry, event: EventEntry, currency: str | None) -> Iterator[_Found]:
    """Yield what is doubtful about one event."""
    for written, each in (event.where or {}).items():
        if why := _never(each):
            yield (
                "I101",
                ("where", written),
                f"the filter of {written} never holds: {why}",
                "no record passes it",
            )
    yield from _words(event)
    yield from _ids(entry, event)
    if event.topic is Topic.ORDERS and "currency" not in event.fields and currency is None:
        hint = "name it: `currency: {constant: EUR}`, or set the setting `currency`"
        yield "I111", ("fields",), "the orders have no currency, so amounts of two might be added", hint
    for name, field in event.fields.items():
        if field.zone is None and any(each.is_local for each in field.time):
            hint = "write `zone: Europe/Berlin`, or `zone: UTC` if that is what they are"
            yield (
                "I112",
                ("fields", name, "time"),
                f"the times of {name} name no zone and are taken for UTC",
                hint,
            )


def _never(entry: FilterEntry) -> str | None:
    """Return why a filter holds for nothing, `None` where something may pass it."""
    words = set(entry.is_)
    if entry.present is False and (
        words or entry.starts_with or entry.above is not None or entry.below is not None
    ):
        return "it wants nothing to be there, and a value too"
    if entry.above is not None and entry.below is not None and entry.above >= entry.below:
        return f"no number is above {entry.above:g} and below {entry.below:g}"
    if not words:
        return None
    if words <= set(entry.not_):
        return "`not` excludes all that `is` names"
    if entry.starts_with and not any(word.startswith(entry.starts_with) for word in words):
        return "nothing that `is` names begins so"
    if not any(_is_between(word, entry) for word in words):
        return "no number that `is` names lies there"
    return None


def _is_between(word: str, entry: FilterEntry) -> bool:
    if entry.above is None and entry.below is None:
        return True
    number = number_of(word, entry.decimal)
    return number is not None and (
        (entry.above is None or number > entry.above) and (entry.below is None or number < entry.below)
    )


def _words(event: EventEntry) -> Iterator[_Found]:
    """Yield words that either a filter or a map of the same value does not know."""
    for name, field in event.fields.items():
        condition = event.filters.get(field.path) if field.path is not None else None
        if (
            field.map is None
            or condition is None
            or not condition.is_
            or field.trim
            or field.lower
            or field.upper
            or field.whole
        ):
            continue
        taken = [word for word in condition.is_ if word not in condition.not_]
        place = ("fields", name, "map")
        if field.otherwise is None:
            for word in taken:
                if word not in field.map:
                    hint = "such records are refused: name it, or give `otherwise`"
                    yield (
                        "I103",
                        place,
                        f"the filter takes {word!r}, and `map` of {name} does not name it",
                        hint,
                    )
        for word in field.map:
            if word not in taken:
                hint = "add it to the filter, or take it out of `map`"
                yield "I114", place, f"`map` of {name} names {word!r}, which the filter does not take", hint


def _ids(entry: SourceEntry, event: EventEntry) -> Iterator[_Found]:
    """Yield what is doubtful about the fields that say which event it is and whose."""
    customer = event.fields["customer_id"]
    if (
        entry.topic is not None
        and entry.key != "trusted"
        and (customer.hash or customer.constant is not None)
    ):
        what = "a hash" if customer.hash else "a constant"
        hint = "write `key: trusted` if all topics are partitioned alike, or use `lapwing import --follow`"
        yield (
            "I104",
            ("fields", "customer_id"),
            f"the customer is {what}, which no record has as its key",
            hint,
        )
    for name in ("event_id", "customer_id", "occurred_at"):
        if event.fields[name].constant is not None:
            hint = "take it from the record"
            yield "I115", ("fields", name), f"{name} is the same for every record", hint
    status = event.fields.get("status")
    if status is not None and status.path is not None and not _one_word(event, status):
        read = _paths(event.fields["event_id"])
        if status.path not in read and not _changes_with_time(event, read):
            place = show_path(status.path)
            hint = f"a later status of the same record is refused as id_reused: `hash: [..., {place}]`"
            yield "I113", ("fields", "event_id"), f"event_id does not depend on {place}", hint


def _one_word(event: EventEntry, status: FieldEntry) -> bool:
    """Return whether only one word of a status comes of the records that are taken."""
    condition = event.filters.get(status.path) if status.path is not None else None
    return condition is not None and len(condition.is_) == 1


def _changes_with_time(event: EventEntry, read: tuple[Path, ...]) -> bool:
    return bool(set(read) & set(_paths(event.fields["occurred_at"])))


def _paths(field: FieldEntry) -> tuple[Path, ...]:
    return (field.path,) if field.path is not None else field.first_of or field.hash


def _same_id(one: EventEntry, other: EventEntry) -> bool:
    """Return whether two events of one record have the same id and customer, as far as can be seen."""
    same = all(one.fields[name] == other.fields[name] for name in ("event_id", "customer_id"))
    return same and not _apart(one, other)


def _apart(one: EventEntry, other: EventEntry) -> bool:
    """Return whether the filters show that no record becomes both."""
    for path, condition in one.filters.items():
        against = other.filters.get(path)
        if against is None:
            continue
        for this, that in ((condition, against), (against, condition)):
            words = set(this.is_) - set(this.not_)
            if this.is_ and (
                (that.is_ and not words & set(that.is_))
                or words <= set(that.not_)
                or that.present is False
                or (that.starts_with and not any(word.startswith(that.starts_with) for word in words))
                or not any(_is_between(word, that) for word in words)
            ):
                return True
        if (
            condition.present is not None
            and against.present is not None
            and condition.present != against.present
        ):
            return True
        low = max((each.above for each in (condition, against) if each.above is not None), default=None)
        high = min((each.below for each in (condition, against) if each.below is not None), default=None)
        if low is not None and high is not None and low >= high:
            return True
    return False


def _an(event: EventEntry) -> str:
    noun = {"orders": "order", "logins": "login", "complaints": "complaint", "profiles": "profile"}
    word = noun.get(event.to, event.to)
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"
