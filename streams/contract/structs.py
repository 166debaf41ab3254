"""The inbound events as msgspec structs: what the fast decoder reads before anything becomes a column.

They say again what `streams.contract.events` says, for speed; what a struct refuses is judged by the model
there. A test holds the two together, field by field and record by record.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta

from streams.contract.events import (
    CODE_LETTERS,
    LARGEST_AMOUNT,
    LONGEST_CODE,
    LONGEST_ID,
    LONGEST_TEXT,
    MOST_COST_ITEMS,
    MOST_REASONS,
    ComplaintCategory,
    ComplaintWord,
    CustomerClass,
    OrderWord,
)
from streams.core.events.action_words import ActionResult
from streams.core.events.topics import Topic

Id = Annotated[str, Meta(min_length=1, max_length=LONGEST_ID)]
Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]
Word = Annotated[str, Meta(min_length=1, max_length=LONGEST_TEXT)]
Code = Annotated[str, Meta(min_length=1, max_length=LONGEST_CODE, pattern=rf"^{CODE_LETTERS}\Z")]
Amount = Annotated[float, Meta(ge=0, le=LARGEST_AMOUNT)]


class EventRow(msgspec.Struct, gc=False):
    """What every event has; instants stay text until they are read as a column."""

    topic: ClassVar[Topic]
    type_word: ClassVar[str]

    event_id: Id
    customer_id: Id
    occurred_at: str


class OrderRow(EventRow, gc=False):
    """An order."""

    topic: ClassVar[Topic] = Topic.ORDERS
    type_word: ClassVar[str] = "order"

    order_id: Id
    amount: Amount
    status: OrderWord | None = "placed"
    currency: Text | None = None
    channel: Text | None = None
    category: Text | None = None


class LoginRow(EventRow, gc=False):
    """A login."""

    topic: ClassVar[Topic] = Topic.LOGINS
    type_word: ClassVar[str] = "login"

    channel: Text | None = None


class ComplaintRow(EventRow, gc=False):
    """A complaint."""

    topic: ClassVar[Topic] = Topic.COMPLAINTS
    type_word: ClassVar[str] = "complaint"

    complaint_id: Id
    status: ComplaintWord | None = "opened"
    category: ComplaintCategory | None = None
    satisfaction: Annotated[int, Meta(ge=1, le=5)] | None = None


class FeedbackRow(EventRow, gc=False):
    """A survey answer."""

    topic: ClassVar[Topic] = Topic.FEEDBACK
    type_word: ClassVar[str] = "feedback"

    score: Annotated[float, Meta(ge=0)]
    scale: Annotated[float, Meta(gt=0)]


class ProfileRow(EventRow, gc=False):
    """What is known of a customer."""

    topic: ClassVar[Topic] = Topic.PROFILES
    type_word: ClassVar[str] = "profile"

    customer_class: CustomerClass | None = None
    segment: Text | None = None
    region: Text | None = None
    origin: Text | None = None
    account_owner: Text | None = None
    signed_up_at: str | None = None
    contract_ends_at: str | None = None
    do_not_contact: bool | None = False


class ActionRow(EventRow, gc=False):
    """What the retention team did."""

    topic: ClassVar[Topic] = Topic.ACTIONS
    type_word: ClassVar[str] = "action"

    kind: Word
    warning_id: Id | None = None
    play: Code | None = None
    result: ActionResult | None = None
    reasons: Annotated[tuple[Code, ...], Meta(max_length=MOST_REASONS)] | None = ()
    cost: Amount | Annotated[dict[Code, Amount | None], Meta(max_length=MOST_COST_ITEMS)] | None = None
    actor: Text | None = None
    until: str | None = None
    corrects: Id | None = None
    assignee: Text | None = None


class ClosureRow(EventRow, gc=False):
    """The customer left expressly."""

    topic: ClassVar[Topic] = Topic.CLOSURES
    type_word: ClassVar[str] = "closure"

    reason: Text | None = None
    churn_type: Text | None = None


ROWS: Final[dict[Topic, type[EventRow]]] = {
    row.topic: row
    for row in (ActionRow, ClosureRow, ComplaintRow, FeedbackRow, LoginRow, OrderRow, ProfileRow)
}
"""The struct of each topic's events, in the order of the topics."""

POLL_DECODERS: Final[dict[Topic, msgspec.json.Decoder[EventRow]]] = {
    topic: msgspec.json.Decoder(row) for topic, row in ROWS.items()
}
"""The decoder of the values of each topic."""


def _line_decoder() -> msgspec.json.Decoder[EventRow]:
    """Return a decoder that chooses the struct by a line's `type`."""
    tagged: list[Any] = [
        msgspec.defstruct(
            f"{row.__name__}Line", [], bases=(row,), tag_field="type", tag=row.type_word, gc=False
        )
        for row in ROWS.values()
    ]
    return msgspec.json.Decoder(reduce(or_, tagged))


LINE_DECODER: Final = _line_decoder()
"""The decoder of a line of an event file."""
