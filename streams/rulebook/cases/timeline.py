"""The timeline of a case: its entries as events, with what every record of their kind must have."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from streams.contract.instants import format_instant, to_us
from streams.contract.validate import RecordRefusal, judge_line
from streams.core.events.topics import Topic
from streams.rulebook.cases.case import CaseEvent
from streams.rulebook.cases.case_file import CONTRACT_ENDS, TOPICS, EventEntry
from streams.rulebook.reader import Place, WrongValueError, WrongWhole

AMOUNT: Final = 100
"""Of an order that names none."""
SCALE: Final = 10
"""Of an answer that names none."""

_WORDS: Final = {topic: word for word, topic in TOPICS.items()}


def begin_us(start: str, time_zone: str) -> int:
    """Return the instant of 0d: the local midnight at which the day begins, microseconds since the epoch."""
    midnight = datetime.combine(date.fromisoformat(start), datetime.min.time(), tzinfo=ZoneInfo(time_zone))
    return to_us(midnight)


def record(event: CaseEvent, number: int, begin: int) -> bytes:
    """Return an event as a line of an event file."""
    fields = {
        "type": _WORDS[event.topic],
        "event_id": f"e{number:05d}",
        "customer_id": event.customer,
        "occurred_at": format_instant(begin + event.at),
        **event.fields,
    }
    if event.topic is Topic.ORDERS:
        fields = {"order_id": f"o{number:05d}", "amount": AMOUNT} | fields
    return json.dumps(fields).encode()


class Timeline:
    """Makes the events of one case, entry by entry."""

    def __init__(self, begin: int) -> None:
        self._begin = begin
        self._complaints: dict[str, str] = {}
        """The complaint that each customer had last."""
        self._opened = 0

    def events(
        self, entry: EventEntry, line: int, refuse: Callable[[WrongValueError], None]
    ) -> Iterator[CaseEvent]:
        """Yield the events of an entry; what the contract would refuse is given to `refuse`, and ends it."""
        given = entry.given()
        if CONTRACT_ENDS in given:
            given["contract_ends_at"] = format_instant(self._begin + given.pop(CONTRACT_ENDS))
        for customer in entry.names:
            for at in entry.times:
                fields = self._completed(entry.word, customer, given)
                if fields is None:
                    message = f"{customer!r} has no complaint before this one: name its `complaint_id`"
                    refuse(WrongWhole(message, None, ("status",)))
                    return
                known = at if entry.arrives is None else entry.arrives
                event = CaseEvent(TOPICS[entry.word], at, known, customer, fields, line)
                if at in (entry.times[0], entry.times[-1]):
                    judged = judge_line(record(event, 0, self._begin))
                    if isinstance(judged, RecordRefusal):
                        place: Place = (judged.detail.partition(":")[0],)
                        refuse(WrongWhole(judged.detail, None, place))
                        return
                yield event

    def _completed(self, word: str, customer: str, given: dict[str, Any]) -> dict[str, Any] | None:
        """Return the record's fields with what every such record must have; `None` where that is unknown."""
        if word == "feedback":
            return {"scale": SCALE, **given}
        if word != "complaint":
            return dict(given)
        name = given.get("complaint_id") or self._complaints.get(customer)
        if "complaint_id" not in given and given.get("status", "opened") == "opened":
            self._opened += 1
            name = f"complaint-{self._opened}"
        if name is None:
            return None
        if isinstance(name, str):
            self._complaints[customer] = name
        return {"complaint_id": name, **given}
