"""Silences: which warnings send no notice, until when, who asked for it and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from streams.contract.instants import InstantOutOfRange, format_instant, read_instant, to_us
from streams.contract.mistakes import make, read_json
from streams.contract.warnings import Count, Outbound, TierWord


def read_time(given: object) -> datetime:
    """Return the instant of an RFC 3339 text, or of a datetime with an offset, in UTC."""
    if isinstance(given, datetime) and given.tzinfo is not None:
        return given.astimezone(UTC)
    if not isinstance(given, str):
        msg = "it should be an RFC 3339 time in a string"
        raise ValueError(msg)
    try:
        return read_instant(given)
    except InstantOutOfRange:
        msg = "it should lie between 1970 and 9999"
        raise ValueError(msg) from None
    except ValueError:
        msg = "it should be an RFC 3339 time with an offset"
        raise ValueError(msg) from None


Time = Annotated[
    datetime,
    BeforeValidator(read_time),
    PlainSerializer(lambda instant: format_instant(to_us(instant)), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""Any instant until 9999, by which people write that a silence does not end."""
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        msg = f"{name!r} is no time zone"
        raise ValueError(msg) from None
    return name


def _not_blank(text: str) -> str:
    if not text.strip():
        msg = "it is empty"
        raise ValueError(msg)
    return text.strip()


def _without_nul(text: str) -> str:
    if "\0" in text:
        msg = "it holds U+0000, which no database takes"
        raise ValueError(msg)
    return text


Name = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_without_nul)]
Names = Annotated[tuple[Name, ...], Field(max_length=1_000)]
Text = Annotated[
    str, Field(min_length=1, max_length=500), AfterValidator(_without_nul), AfterValidator(_not_blank)
]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="Local time, `HH:MM`.")]


class Matchers(Outbound):
    """Which warnings: every list that is not empty must hold, and holds if one of its words does."""

    everything: bool = Field(False, description="All warnings; then no list may be given.")
    customers: Names = ()
    customer_classes: Names = ()
    segments: Names = ()
    regions: Names = ()
    account_owners: Names = Field((), description="Who looks after the customer.")
    tiers: tuple[TierWord, ...] = Field((), description="Of the warning.")
    rules: Names = Field((), description="A warning is silenced if all its causes are.")
    reasons: Names = Field((), description="Groups of causes, as `reason` in rule files; as with `rules`.")

    @property
    def lists(self) -> dict[str, Sequence[str]]:
        """Return the lists that are not empty, by name."""
        named = {name: getattr(self, name) for name in type(self).model_fields if name != "everything"}
        return {name: words for name, words in named.items() if words}

    @model_validator(mode="after")
    def _says_which(self) -> Matchers:
        if self.everything and self.lists:
            msg = f"everything cannot be silenced together with {next(iter(self.lists))} alone"
            raise ValueError(msg)
        if not self.everything and not self.lists:
            msg = "it names no warnings: give something to match, or everything"
            raise ValueError(msg)
        return self


class Recurring(Outbound):
    """Hours that come again, by people's clocks: quiet hours and holidays."""

    days: tuple[Weekday, ...] = Field((), description="Weekdays on which the hours begin.")
    dates: tuple[date, ...] = Field((), max_length=1_000, description="Days on which the hours begin.")
    begins: Clock = "00:00"
    ends: Clock = Field("00:00", description="At or before `begins` means on the next day.")
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"


class Silence(Outbound):
    """One silence, as in its newest record; the record's key is its id."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    revision: Count = Field(description="One more with every change; the highest holds.")
    author: Text = Field(description="Who asked for it.")
    reason: Text = Field(description="Why.")
    created_at: Time
    matchers: Matchers
    starts_at: Time
    ends_at: Time | None = Field(description="Only a recurring silence may have no end: `null`.")
    recurring: Recurring | None = Field(
        None, description="In force only in these hours between start and end; at all times where `null`."
    )
    expired_at: Time | None = Field(None, description="When somebody ended it before its time.")
    expired_by: Name | None = Field(None, description="Who ended it.")

    @model_validator(mode="after")
    def _ends(self) -> Silence:
        if self.ends_at is None and self.recurring is None:
            msg = "it has no end: only recurring silences may have none"
            raise ValueError(msg)
        if self.ends_at is not None and self.ends_at <= self.starts_at:
            msg = "it ends before it begins"
            raise ValueError(msg)
        return self

    def state(self, now: datetime) -> Literal["pending", "active", "expired"]:
        """Return where its time stands; an active recurring one need not be in its hours."""
        if self.expired_at is not None or (self.ends_at is not None and self.ends_at <= now):
            return "expired"
        return "pending" if now < self.starts_at else "active"


def parse_silence(value: bytes) -> Silence:
    """Return the silence that the bytes of a record hold."""
    return read_json(Silence, value, "a silence")


def make_recurring(**fields: Any) -> Recurring:
    """Return recurring hours, or raise `ContractError` with what is wrong with them."""
    return make(Recurring, fields, "recurring hours")


def make_silence(**fields: Any) -> Silence:
    """Return a silence of these fields, or raise `ContractError` with what is wrong with it."""
    return make(Silence, fields, "a silence")


def encode_silence(silence: Silence) -> bytes:
    """Return the bytes of a silence's record."""
    return silence.model_dump_json().encode()
