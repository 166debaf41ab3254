"""A filter of an event in inputs.yaml: what must hold of a value, for a record to become the event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from streams.inputs.field_entry import value_field
from streams.rulebook.fields import choice, several
from streams.rulebook.reader import FileModel, WrongValueError, WrongWhole


class FilterEntry(FileModel):
    """What must hold of a value."""

    shape: ClassVar[str] = "a filter is a value, a list of values or a mapping"

    is_: Annotated[tuple[str, ...], several(value_field, "values")] = Field((), alias="is")
    """One of these values."""
    not_: Annotated[tuple[str, ...], several(value_field, "values")] = Field((), alias="not")
    """None of these values; a value that is not there is none of them."""
    starts_with: Annotated[tuple[str, ...], several(value_field, "beginnings")] = ()
    """Begins with one of these texts."""
    present: bool | None = None
    """Whether something is there."""
    above: float | None = None
    """A number greater than this."""
    below: float | None = None
    """A number less than this."""
    decimal: Annotated[str | None, choice({"comma": "comma", "point": "point"})] = None
    """How the number is written: see the fields."""

    @classmethod
    def among_fields(cls, given: Mapping[str, Any]) -> Iterator[WrongValueError]:
        """Refuse a filter that says nothing."""
        if not set(given) - {"decimal"}:
            yield WrongWhole("a filter needs one of is, not, starts_with, present, above, below")


def _as_filter(value: Any) -> Any:
    """Take a value, or a list of them, for those that it may be."""
    return value if isinstance(value, dict) or value is None else {"is": value}


Filter = Annotated[
    FilterEntry,
    BeforeValidator(
        _as_filter, json_schema_input_type=str | float | bool | list[str | float | bool] | FilterEntry
    ),
]
