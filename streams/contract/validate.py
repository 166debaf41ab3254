"""The pydantic models' word on one record: accepted and how it reads, or refused and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pydantic_core
from pydantic import ValidationError

from streams.contract.events import (
    EVENTS,
    INSTANT_FORM,
    INSTANT_RANGE,
    INSTANT_TYPE,
    NO_WARNING,
    NUL_CHARACTER,
    SCORE_RANGE,
)
from streams.contract.mistakes import mistake_line
from streams.contract.rejected import RefusalReason
from streams.contract.structs import ROWS, EventRow
from streams.core.events.topics import FILE_TYPES, Topic


@dataclass(frozen=True, slots=True)
class RecordRefusal:
    """Why one record is refused; `detail` names the field, never what it holds."""

    reason: RefusalReason
    detail: str


def judge(topic: Topic, value: bytes | None) -> EventRow | RecordRefusal:
    """Return what a record of `topic` says, or why it is refused."""
    if value is None:
        return RecordRefusal(RefusalReason.NO_VALUE, "the record has no value")
    try:
        event = EVENTS[topic].model_validate_json(value)
    except ValidationError as error:
        return _refusal(error)
    fields = {name: getattr(event, name) for name in type(event).model_fields}
    # Instants go back to text, since rows hold them so, in the one form that the columns read for certain.
    return ROWS[topic](**{k: v.isoformat() if isinstance(v, datetime) else v for k, v in fields.items()})


def judge_line(line: bytes) -> EventRow | RecordRefusal:
    """Return what a line of an event file says, or why it is refused."""
    try:
        entry = pydantic_core.from_json(line)
    except ValueError as error:
        return RecordRefusal(RefusalReason.NOT_JSON, f"Invalid JSON: {error}")
    if not isinstance(entry, dict):
        return RecordRefusal(RefusalReason.NOT_OBJECT, "Input should be an object")
    if "type" not in entry:
        return RecordRefusal(RefusalReason.MISSING_FIELD, "type: Field required")
    word = entry["type"]
    if not isinstance(word, str) or word not in FILE_TYPES:
        return RecordRefusal(
            RefusalReason.UNKNOWN_TYPE, f"type: Input should be one of {', '.join(FILE_TYPES)}"
        )
    return judge(FILE_TYPES[word], line)


_REASONS: Final[dict[str, RefusalReason]] = {
    "json_invalid": RefusalReason.NOT_JSON,
    "model_type": RefusalReason.NOT_OBJECT,
    "missing": RefusalReason.MISSING_FIELD,
    NO_WARNING: RefusalReason.MISSING_FIELD,
    "string_type": RefusalReason.WRONG_TYPE,
    "float_type": RefusalReason.WRONG_TYPE,
    "int_type": RefusalReason.WRONG_TYPE,
    "bool_type": RefusalReason.WRONG_TYPE,
    "tuple_type": RefusalReason.WRONG_TYPE,
    "dict_type": RefusalReason.WRONG_TYPE,
    INSTANT_TYPE: RefusalReason.WRONG_TYPE,
    "literal_error": RefusalReason.WRONG_VALUE,
    INSTANT_FORM: RefusalReason.WRONG_VALUE,
    NUL_CHARACTER: RefusalReason.WRONG_VALUE,
    "string_pattern_mismatch": RefusalReason.WRONG_VALUE,
    "finite_number": RefusalReason.OUT_OF_RANGE,
    "greater_than": RefusalReason.OUT_OF_RANGE,
    "greater_than_equal": RefusalReason.OUT_OF_RANGE,
    "less_than_equal": RefusalReason.OUT_OF_RANGE,
    "string_too_short": RefusalReason.OUT_OF_RANGE,
    "string_too_long": RefusalReason.OUT_OF_RANGE,
    "too_long": RefusalReason.OUT_OF_RANGE,
    INSTANT_RANGE: RefusalReason.OUT_OF_RANGE,
    SCORE_RANGE: RefusalReason.OUT_OF_RANGE,
}
"""Pydantic's kinds of error that the models can give; a test finds each of them."""


def _refusal(error: ValidationError) -> RecordRefusal:
    """Return the first of the errors that pydantic found, and how many more there were."""
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    # Of a mapping's item the name is what the field holds, too.
    place = tuple(part for i, part in enumerate(errors[0]["loc"]) if i == 0 or isinstance(part, int))
    first = errors[0] | {"loc": place}
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    reason = _REASONS.get(first["type"], RefusalReason.WRONG_VALUE)
    return RecordRefusal(reason, mistake_line(first) + more)
