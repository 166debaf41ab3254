"""The fields of the contract as a mapping fills them: what kind of value each takes, and which it needs."""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import Annotated, Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError

from streams.contract.events import EVENTS
from streams.contract.mistakes import mistake_text
from streams.core.events.topics import Topic


class Kind(Enum):
    """What kind of value a field takes."""

    TEXT = "text"
    NUMBER = "a number"
    WHOLE = "a whole number"
    BOOLEAN = "true or false"
    INSTANT = "a time"
    WORDS = "a list of words"
    """A mapping fills it with one word."""


_OTHERS: Final[dict[str, Kind]] = {
    "amount": Kind.NUMBER,
    "score": Kind.NUMBER,
    "scale": Kind.NUMBER,
    "cost": Kind.NUMBER,
    "satisfaction": Kind.WHOLE,
    "do_not_contact": Kind.BOOLEAN,
    "occurred_at": Kind.INSTANT,
    "signed_up_at": Kind.INSTANT,
    "contract_ends_at": Kind.INSTANT,
    "until": Kind.INSTANT,
    "reasons": Kind.WORDS,
}
"""The fields that take something else than a text."""

TOPICS: Final[dict[str, Topic]] = {topic.label: topic for topic in Topic}
MONEY: Final = ("amount", "cost")
"""The fields that hold an amount of money."""


def kind_of(field: str) -> Kind:
    """Return what kind of value a field of the contract takes."""
    return _OTHERS.get(field, Kind.TEXT)


def field_names(topic: Topic) -> tuple[str, ...]:
    """Return the fields of a topic's events."""
    return tuple(EVENTS[topic].model_fields)


def required(topic: Topic) -> tuple[str, ...]:
    """Return the fields that every event of a topic has."""
    return tuple(name for name, field in EVENTS[topic].model_fields.items() if field.is_required())


@cache
def _adapter(topic: Topic, field: str) -> TypeAdapter[Any]:
    info = EVENTS[topic].model_fields[field]
    kind: Any = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
    return TypeAdapter(kind, config=ConfigDict(strict=True, allow_inf_nan=False))


def refusal_of(topic: Topic, field: str, value: str | float | bool) -> str | None:
    """Return what the contract has against a value in a field, `None` where it takes it."""
    given: Any = (value,) if kind_of(field) is Kind.WORDS else value
    try:
        _adapter(topic, field).validate_python(given)
    except ValidationError as error:
        return mistake_text(error.errors(include_url=False, include_input=False)[0])
    return None
