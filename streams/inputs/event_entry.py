"""An event in inputs.yaml: which records become it, and the values of its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from streams.core.conditions.parser import closest
from streams.core.events.topics import Topic
from streams.inputs.contract_fields import MONEY, TOPICS, Kind, field_names, kind_of, refusal_of, required
from streams.inputs.field_entry import Field_, FieldEntry
from streams.inputs.filter_entry import Filter, FilterEntry
from streams.inputs.numbers import typed_value
from streams.inputs.paths import Path, parse_path
from streams.rulebook.fields import choice
from streams.rulebook.reader import FileModel, Place, WrongValueError, WrongWhole


class EventEntry(FileModel):
    """One event of the contract that a record becomes."""

    shape: ClassVar[str] = "an event holds `to:`, `fields:` and, where not all records become one, `where:`"

    to: Annotated[str, choice({label: label for label in TOPICS})]
    """The contract's topic."""
    where: Annotated[dict[str, Filter], Field(min_length=1, max_length=50)] | None = None
    """Which records: by path what must hold there, all of it; by default every record."""
    fields: Annotated[dict[str, Field_], Field(min_length=1)]
    """The fields of the event."""

    @classmethod
    def among_fields(cls, given: Mapping[str, Any]) -> Iterator[WrongValueError]:
        """Refuse fields that the contract does not know or that are missing, and wrong paths of filters."""
        where, fields = given.get("where"), given.get("fields")
        for name in where if isinstance(where, dict) else ():
            try:
                parse_path(name)
            except ValueError as error:
                yield WrongWhole(f"{name!r} {error}", None, ("where", name))
        topic = TOPICS.get(given.get("to")) if isinstance(given.get("to"), str) else None  # type: ignore[arg-type]
        if topic is None or not isinstance(fields, dict):
            return
        known = field_names(topic)
        for name in fields:
            if name not in known:
                yield WrongWhole(
                    f"{topic.label} have no field {name!r}", closest(name, known), ("fields", name)
                )
        for name in required(topic):
            if name not in fields:
                yield WrongWhole(f"`{name}` is missing: {topic.label} need it", None, ("fields",))

    def as_whole(self) -> Iterator[WrongValueError]:
        """Refuse conversions that a field cannot have, and values that the contract does not take."""
        amount = self.fields.get("amount")
        if amount is not None and amount.rates and "currency" not in self.fields:
            msg = "`rates` needs the field `currency`: it says what the amount is in"
            yield WrongWhole(msg, None, ("fields", "amount", "rates"))
        for name, entry in self.fields.items():
            for wrong in _wrong_conversions(name, entry):
                yield WrongWhole(wrong.message, None, ("fields", name, *wrong.at))
            for at, value in _written_values(entry):
                if wrong_value := _not_taken(self.topic, name, value):
                    yield WrongWhole(
                        f"{name}: {value!r} is not taken: {wrong_value}", None, ("fields", name, *at)
                    )

    @property
    def topic(self) -> Topic:
        """The contract's topic."""
        return TOPICS[self.to]

    @property
    def filters(self) -> dict[Path, FilterEntry]:
        """What must hold, by path."""
        return {parse_path(name): each for name, each in (self.where or {}).items()}


def _wrong_conversions(name: str, entry: FieldEntry) -> Iterator[WrongValueError]:
    """Yield each conversion that makes something else than the field takes."""
    kind = kind_of(name)
    numeric = kind in (Kind.NUMBER, Kind.WHOLE)
    allowed = {
        "time": kind is Kind.INSTANT,
        "product": numeric,
        "decimal": numeric,
        "absolute": numeric,
        "minor_units": name in MONEY,
        "rates": name == "amount",
        "hash": kind is Kind.TEXT,
        "whole": kind is Kind.TEXT,
        "prefix": kind is Kind.TEXT,
    }
    for conversion, fits in allowed.items():
        if getattr(entry, conversion) and not fits:
            yield WrongValueError(
                f"`{conversion}` is not for {name}, which takes {kind.value}", None, (conversion,)
            )
    for conversion in ("lower", "upper", "map") if entry.product else ():
        if getattr(entry, conversion):
            yield WrongWhole(f"`{conversion}` is for words, and a product is a number", None, (conversion,))


def _written_values(entry: FieldEntry) -> Iterator[tuple[Place, str]]:
    """Yield the values that stand in the file itself and come out as they are."""
    if entry.default is not None:
        yield ("default",), entry.default
    if (
        entry.minor_units is not None
        or entry.rates
        or entry.prefix is not None
        or entry.time
        or entry.decimal
    ):
        # Such a value is converted first; what comes of it is judged with each record.
        return
    if entry.constant is not None:
        yield ("constant",), entry.constant
    if entry.otherwise is not None:
        yield ("otherwise",), entry.otherwise
    for word, value in (entry.map or {}).items():
        yield ("map", word), value


def _not_taken(topic: Topic, name: str, value: str) -> str | None:
    """Return what the contract has against a value that is written in the file."""
    if name not in field_names(topic):
        return None
    typed = typed_value(kind_of(name), value)
    if typed is None:
        return f"it takes {kind_of(name).value}"
    return refusal_of(topic, name, typed)
