"""Reads a topic for the terminal, as `lapwing tail` prints it; other services use `WarningStream`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import TypeVar

from consumers.broker.records import Record, RecordSource
from consumers.decision import decision_words
from consumers.loop import Waiter
from streams.contract.segments import SegmentEvent
from streams.contract.warnings import WarningEvent
from streams.errors import ContractError

POLL_S = 0.5
SHOWN = 400
"""Characters of the causes that a line shows."""
Event = TypeVar("Event")


def tail_of(
    parse: Callable[[bytes], Event],
    subscription: RecordSource,
    stop: Waiter,
    *,
    follow: bool,
    on_event: Callable[[Event, bytes], None],
    on_unreadable: Callable[[Record, str], None],
    passes: Callable[[Event], bool] = lambda event: True,
) -> int:
    """Hand on what `parse` reads, until the topic's end or a stop; return how much there was.

    What `parse` refuses with a `ContractError` goes to `on_unreadable`; what `passes` refuses is left out.
    """
    count = 0
    while not stop.asked:
        records = subscription.poll(POLL_S)
        for record in records:
            try:
                event = parse(record.value or b"")
            except ContractError as error:
                on_unreadable(record, str(error))
            else:
                if passes(event):
                    on_event(event, record.value or b"")
                    count += 1
        if not follow and not records and subscription.at_end():
            break
    return count


def shortened(text: str, longest: int = SHOWN) -> str:
    """Return a text as it is, or cut to so many characters.

    >>> shortened("No order for three weeks", 9)
    'No order…'
    """
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def one_line(event: WarningEvent | SegmentEvent) -> str:
    """Return time, tier, what happened, the customer or segment, the causes' messages, play and decision."""
    data = event.data
    what = event.type.rpartition(".")[2]
    causes = shortened("; ".join(cause.message or cause.title or cause.rule for cause in data.causes))
    at = f"{event.time.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    line = f"{at}  {data.tier:<6}  {what:<9}  {event.subject}  {causes}"
    if not isinstance(event, WarningEvent):
        return line
    if event.data.play:
        line += f"  play: {event.data.play}"
    decision = decision_words(event.data.decision.model_dump() if event.data.decision else None)
    line += f"  {decision}" if decision else ""
    return f"{line}  [held out]" if event.data.holdout else line
