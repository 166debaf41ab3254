"""The inbound events as pydantic models: the authority on what is accepted and how it is read.

Choices where JSON leaves room:

- Unknown fields are ignored; of a field that stands twice, the last counts. `null` in an optional field is as
  if the field were not there; in a required one it is refused.
- Nothing is converted: a string is no number, `true` is no number, a number is no string. A whole number may
  be written `5` or `5.0`, as JSON Schema has it; amounts may be written `5` too. Not-a-number and infinity
  are refused.
- Strings do not hold U+0000, which neither databases nor C libraries take. Lengths count code points.
- A value that nests deeper than 200, or holds a whole number of more than 4,300 digits, is refused, wherever
  that stands in it; `NaN` in an unknown field is passed over.
- `satisfaction` is read with `resolved`; in other states it is accepted and not used.
- Instants: see `streams.contract.instants`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from streams.contract.instants import InstantOutOfRange, NotAnInstant, read_instant
from streams.core.events.action_words import WARNING_KINDS, ActionResult
from streams.core.events.topics import Topic

LONGEST_ID: Final = 128
LONGEST_TEXT: Final = 256
LONGEST_CODE: Final = 64
MOST_REASONS: Final = 32
MOST_COST_ITEMS: Final = 16
LARGEST_AMOUNT: Final = 1e12
CODE_LETTERS: Final = "[A-Za-z0-9][A-Za-z0-9_./:-]*"
"""A code is a name that a file declares, such as `price.too_high`: never free text."""

NUL_CHARACTER: Final = "nul_character"
INSTANT_TYPE: Final = "instant_type"
INSTANT_FORM: Final = "instant_form"
INSTANT_RANGE: Final = "instant_range"
SCORE_RANGE: Final = "score_range"
NO_WARNING: Final = "no_warning"
"""The kinds of our own validation errors, beside pydantic's."""


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError(NUL_CHARACTER, "Text should not contain U+0000")
    return text


def _whole(number: Any) -> Any:
    """Take `5.0` for 5."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _items(cost: Any) -> Any:
    """Take a number for the one item `other`."""
    return {"other": cost} if isinstance(cost, int | float) and not isinstance(cost, bool) else cost


def _given_items(cost: dict[str, float | None]) -> dict[str, float | None]:
    return {item: amount for item, amount in cost.items() if amount is not None}


def _instant(text: Any) -> datetime:
    if isinstance(text, str):
        try:
            return read_instant(text)
        except NotAnInstant as error:
            wrong = "Text should be an RFC 3339 time with an offset: {wrong}"
            raise PydanticCustomError(INSTANT_FORM, wrong, {"wrong": str(error)}) from None
        except InstantOutOfRange:
            raise PydanticCustomError(
                INSTANT_RANGE, "Time should lie between 1970-01-01 and 9999-12-31 in UTC"
            ) from None
    raise PydanticCustomError(INSTANT_TYPE, "Input should be an RFC 3339 time in a string")


_NO_NUL: Final[JsonDict] = {"pattern": "^[^\\u0000]*$"}
Id = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_ID, json_schema_extra=_NO_NUL),
    AfterValidator(_without_nul),
]
Text = Annotated[str, Field(max_length=LONGEST_TEXT, json_schema_extra=_NO_NUL), AfterValidator(_without_nul)]
Word = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_TEXT, json_schema_extra=_NO_NUL),
    AfterValidator(_without_nul),
]
Code = Annotated[str, Field(min_length=1, max_length=LONGEST_CODE, pattern=f"^{CODE_LETTERS}$")]
Amount = Annotated[float, Field(ge=0, le=LARGEST_AMOUNT)]
Instant = Annotated[
    datetime, PlainValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})
]

OrderWord = Literal["placed", "cancelled", "returned"]
ComplaintWord = Literal["opened", "answered", "resolved", "reopened"]
ComplaintCategory = Literal["product", "service", "price", "delivery", "channel", "other"]
_AMOUNT_SCHEMA: Final[JsonDict] = {"type": "number", "minimum": 0, "maximum": LARGEST_AMOUNT}
_COST_SCHEMA: Final[JsonDict] = {
    "anyOf": [
        _AMOUNT_SCHEMA,
        {
            "type": "object",
            "maxProperties": MOST_COST_ITEMS,
            "propertyNames": {"minLength": 1, "maxLength": LONGEST_CODE, "pattern": f"^{CODE_LETTERS}$"},
            "additionalProperties": {"anyOf": [_AMOUNT_SCHEMA, {"type": "null"}]},
        },
    ]
}
Cost = Annotated[
    dict[Code, Amount | None],
    Field(max_length=MOST_COST_ITEMS),
    BeforeValidator(_items),
    AfterValidator(_given_items),
    WithJsonSchema(_COST_SCHEMA),
]

CustomerClass = Literal["key", "ordinary", "small", "problem"]


class Event(BaseModel):
    """What every event has."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, allow_inf_nan=False)
    topic: ClassVar[Topic]
    type_word: ClassVar[str]

    event_id: Id = Field(
        description="The same id again for the same customer within `repeat_window` changes nothing."
    )
    customer_id: Id = Field(description="The customer; also the record's key.")
    occurred_at: Instant = Field(description="The event time: RFC 3339 with an offset.")


class Order(Event):
    """An order was placed, cancelled or returned."""

    topic = Topic.ORDERS
    type_word = "order"

    order_id: Id
    amount: Amount = Field(description="Of the order, or of what was cancelled or returned; never negative.")
    status: OrderWord | None = Field(default="placed", description="`placed` where it is not given.")
    currency: Text | None = None
    channel: Text | None = None
    category: Text | None = None

    @field_validator("status")
    @classmethod
    def _null_is_placed(cls, status: OrderWord | None) -> OrderWord:
        return status or "placed"


class Login(Event):
    """The customer signed in, or used the service otherwise."""

    topic = Topic.LOGINS
    type_word = "login"

    channel: Text | None = None


class Complaint(Event):
    """A complaint was opened, answered, resolved or opened again."""

    topic = Topic.COMPLAINTS
    type_word = "complaint"

    complaint_id: Id
    status: ComplaintWord | None = Field(default="opened", description="`opened` where it is not given.")
    category: ComplaintCategory | None = None
    satisfaction: Annotated[int, Field(ge=1, le=5), BeforeValidator(_whole)] | None = Field(
        default=None, description="Of the handling, 1 to 5, with `resolved`; not used in other states."
    )

    @field_validator("status")
    @classmethod
    def _null_is_opened(cls, status: ComplaintWord | None) -> ComplaintWord:
        return status or "opened"


class Feedback(Event):
    """The customer answered a survey."""

    topic = Topic.FEEDBACK
    type_word = "feedback"

    score: Annotated[float, Field(ge=0)] = Field(description="From 0 to `scale`.")
    scale: Annotated[float, Field(gt=0)] = Field(description="The best score the survey knows.")

    @model_validator(mode="after")
    def _score_within_scale(self) -> Self:
        if self.score > self.scale:
            raise PydanticCustomError(SCORE_RANGE, "score should not be greater than scale")
        return self


class Profile(Event):
    """What is known of the customer; the last by event time wins and replaces the one before it."""

    topic = Topic.PROFILES
    type_word = "profile"

    customer_class: CustomerClass | None = None
    segment: Text | None = None
    region: Text | None = None
    origin: Text | None = None
    account_owner: Text | None = Field(default=None, description="Who looks after the customer.")
    signed_up_at: Instant | None = None
    contract_ends_at: Instant | None = None
    do_not_contact: bool | None = Field(default=False, description="`false` where it is not given.")

    @field_validator("do_not_contact")
    @classmethod
    def _null_is_false(cls, do_not_contact: bool | None) -> bool:
        return bool(do_not_contact)


class Action(Event):
    """What the retention team did about a warning, or to win a customer back, and what came of it.

    There is no field for free text: it could hold personal data.
    """

    topic = Topic.ACTIONS
    type_word = "action"

    warning_id: Id | None = Field(
        default=None,
        description="The warning it is about; `acknowledge`, `snooze` and `expire` need it. Without: winning "
        "back a customer who has lapsed.",
    )
    kind: Word = Field(
        description="`acknowledge`, `snooze` and `expire` change the life of the customer's open warning; "
        "`contact` and `offer` treat the customer; `assign`, `unassign`, `confirm` and any other word are a "
        "record of what was done.",
    )
    play: Code | None = Field(default=None, description="The play that was followed.")
    result: ActionResult | None = None
    reasons: Annotated[tuple[Code, ...], Field(max_length=MOST_REASONS)] | None = Field(
        default=(), description="Why the customer leaves, as codes: none, one or several."
    )
    cost: Cost | None = Field(
        default=None, description="What it cost, by item; a number is the one item `other`."
    )
    actor: Text | None = Field(default=None, description="Who did it; also on the warning.")
    until: Instant | None = Field(
        default=None,
        description="When an `acknowledge` lapses or a `snooze` ends; by default as the settings say.",
    )
    corrects: Id | None = Field(
        default=None,
        description="The `event_id` of an earlier action of the same customer and actor: an acknowledgement "
        "or a snooze ends, and it counts neither as a treatment nor by its result from now on.",
    )
    assignee: Text | None = Field(
        default=None,
        description="To whom an `assign` gives the warning; without it whoever acts takes it.",
    )

    @field_validator("reasons")
    @classmethod
    def _null_is_none_given(cls, reasons: tuple[str, ...] | None) -> tuple[str, ...]:
        return reasons or ()

    @model_validator(mode="after")
    def _names_its_warning(self) -> Self:
        if self.warning_id is None and self.kind in WARNING_KINDS:
            raise PydanticCustomError(NO_WARNING, "warning_id is required with this kind")
        return self


class Closure(Event):
    """The customer left expressly."""

    topic = Topic.CLOSURES
    type_word = "closure"

    reason: Text | None = None
    churn_type: Text | None = None


EVENTS: Final[dict[Topic, type[Event]]] = {
    model.topic: model for model in (Action, Closure, Complaint, Feedback, Login, Order, Profile)
}
"""The model of each topic's events, in the order of the topics."""
