"""The timeline of a case: each entry one event, or several at regular times, as the contract knows them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from streams.contract.events import EVENTS, Event
from streams.contract.instants import format_instant, to_us
from streams.contract.validate import RecordRefusal, judge_line
from streams.core.events.topics import FILE_TYPES, Topic
from streams.rulebook.cases import values
from streams.rulebook.cases.case import CUSTOMER, CaseEvent
from streams.rulebook.cases.times import MOST, parse_time
from streams.rulebook.reader import Fields, Node, StrictReader, text, written
from streams.rulebook.yaml import Entries

TOPICS: Final = {word: topic for word, topic in FILE_TYPES.items() if topic is not Topic.ACTIONS}
"""The word of each kind of event; an action answers a warning, whose id a case cannot know."""
AMOUNT: Final = 100
"""Of an order that names none."""
SCALE: Final = 10
"""Of an answer that names none."""
CONTRACT_ENDS: Final = "contract_ends"
"""The relative form of `contract_ends_at`."""

_OWN: Final = frozenset(Event.model_fields) | {"contract_ends_at", "signed_up_at"}


def fields_of(word: str) -> tuple[str, ...]:
    """Return the fields that an entry of a kind may have beside its time."""
    names = [name for name in EVENTS[TOPICS[word]].model_fields if name not in _OWN]
    return (*names, *([CONTRACT_ENDS] if word == "profile" else []))


def begin_us(start: str, time_zone: str) -> int:
    """Return the instant of 0d: the local midnight at which the day begins, microseconds since the epoch."""
    midnight = datetime.combine(date.fromisoformat(start), datetime.min.time(), tzinfo=ZoneInfo(time_zone))
    return to_us(midnight)


def record(event: CaseEvent, number: int, begin: int) -> bytes:
    """Return an event as a line of an event file."""
    said = {
        "type": next(word for word, topic in TOPICS.items() if topic is event.topic),
        "event_id": f"e{number:05d}",
        "customer_id": event.customer,
        "occurred_at": format_instant(begin + event.at),
        **event.fields,
    }
    if event.topic is Topic.ORDERS:
        said = {"order_id": f"o{number:05d}", "amount": AMOUNT} | said
    return json.dumps(said).encode()


class TimelineReader:
    """Reads the entries of one case's `events`."""

    def __init__(self, reader: StrictReader, case: str, start: str, time_zone: str) -> None:
        self._reader = reader
        self._case = case
        self._begin = begin_us(start, time_zone)
        self._complaints: dict[str, str] = {}
        """The complaint that each customer had last."""
        self._opened = self._count = 0

    def read(self, nodes: Sequence[Node]) -> tuple[CaseEvent, ...]:
        """Return the events of all entries, in the order of the entries."""
        return tuple(event for node in nodes for event in self._entry(node))

    def _entry(self, node: Node) -> list[CaseEvent]:
        keys = (
            {key.text for key in node.keys} if isinstance(node, Entries) and node.keys is not None else set()
        )
        words = [word for word in TOPICS if word in keys]
        known = [*TOPICS, "customer", "arrives", *(field for word in words for field in fields_of(word))]
        wanted = "an event is `order: 3d` or another kind with its time, and its fields"
        entries = self._reader.mapping(node, self._case, dict.fromkeys(known), wanted)
        if entries is None:
            return []
        if len(words) != 1:
            self._reader.refuse(node, self._case, f"{wanted}; kinds are {', '.join(TOPICS)}")
            return []
        return self._events(words[0], node, entries)

    def _events(self, word: str, node: Node, entries: Fields) -> list[CaseEvent]:
        customer = self._reader.read(entries, self._case, "customer", text(128)) or CUSTOMER
        arrives = self._reader.read(entries, self._case, "arrives", values.time)
        said = self._said(word, entries)
        events: list[CaseEvent] = []
        for at in self._times(entries[word], word):
            fields = self._completed(word, customer, said)
            known = at if arrives is None else arrives
            if known < at:
                self._reader.refuse(entries["arrives"], self._case, "`arrives` lies before the event itself")
                return []
            events.append(CaseEvent(TOPICS[word], at, known, customer, fields, node.line))
            judged = judge_line(record(events[-1], 0, self._begin))
            if isinstance(judged, RecordRefusal):
                field = judged.detail.partition(":")[0]
                self._reader.refuse(
                    entries.get(field, node), self._case, judged.detail, written(entries.get(field))
                )
                return []
        return events

    def _times(self, node: Node, word: str) -> list[int]:
        """Return the times of an entry: one text, or a list of them."""
        several = node.values if isinstance(node, Entries) and node.keys is None else (node,)
        times: list[int] = []
        for each in several:
            times += self._reader.value(each, self._case, word, values.times) or ()
        self._count += len(times)
        if self._count > MOST:
            self._reader.refuse(node, self._case, f"the timeline has more than {MOST} events")
            return []
        return times

    def _said(self, word: str, entries: Fields) -> dict[str, Any]:
        """Return the fields of the record that the entry gives, under the contract's names."""
        said: dict[str, Any] = {}
        for name in fields_of(word):
            if name not in entries:
                continue
            if name == CONTRACT_ENDS:
                ends = self._reader.read(entries, self._case, name, _signed_time)
                said |= {} if ends is None else {"contract_ends_at": format_instant(self._begin + ends)}
            else:
                said[name] = self._reader.value(entries[name], self._case, name, lambda each: each.value)
        return said

    def _completed(self, word: str, customer: str, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return the record's fields with what every such record must have."""
        if word == "feedback":
            return {"scale": SCALE, **said}
        if word != "complaint":
            return dict(said)
        name = said.get("complaint_id") or self._complaints.get(customer)
        if "complaint_id" not in said and said.get("status", "opened") == "opened":
            self._opened += 1
            name = f"complaint-{self._opened}"
        if isinstance(name, str):
            self._complaints[customer] = name
        return {"complaint_id": name, **said}


_signed_time: Final = values.reading(
    lambda text: -parse_time(text[1:]) if text.startswith("-") else parse_time(text)
)
