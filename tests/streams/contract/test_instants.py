"""Instants as text: what is read, to which microsecond, and what is not."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contract.instants import (
    LAST_US,
    InstantOutOfRange,
    NotAnInstant,
    format_instant,
    read_instant,
    read_instants,
    to_us,
)

from .generated import instants


def _one_by_one(texts: list[str]) -> list[int | None]:
    read: list[int | None] = []
    for text in texts:
        try:
            read.append(to_us(read_instant(text)))
        except (NotAnInstant, InstantOutOfRange):
            read.append(None)
    return read


@settings(max_examples=100, deadline=None)
@given(st.lists(instants(), max_size=5))
def test_the_column_reads_what_one_by_one_is_read(texts: list[str]) -> None:
    at, readable = read_instants(texts)
    assert [int(us) if good else None for us, good in zip(at, readable, strict=True)] == _one_by_one(texts)


@given(st.integers(0, LAST_US))
def test_an_instant_written_is_read_back(us: int) -> None:
    assert to_us(read_instant(format_instant(us))) == us
    assert read_instants([format_instant(us)])[0].tolist() == [us]


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30)),  # noqa: DTZ001 -- the zone comes below
    st.integers(-1439, 1439),
)
def test_instants_are_read_as_the_standard_library_reads_them(local: datetime, offset_minutes: int) -> None:
    text = local.replace(tzinfo=timezone(timedelta(minutes=offset_minutes))).isoformat()
    assert to_us(read_instant(text)) == to_us(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00Z"),
        ("2024-02-29t12:00:00z", "2024-02-29T12:00:00Z"),
        ("2024-02-29 12:00:00Z", "2024-02-29T12:00:00Z"),
        ("2024-02-29T12:00:00+05:30", "2024-02-29T06:30:00Z"),
        ("2024-02-29T12:00:00-0530", "2024-02-29T17:30:00Z"),
        ("2024-02-29T12:00:00-00:00", "2024-02-29T12:00:00Z"),
        ("2024-02-29T12:00:00.5Z", "2024-02-29T12:00:00.500000Z"),
        ("2024-02-29T12:00:00.123456999999Z", "2024-02-29T12:00:00.123456Z"),
        ("2024-02-29T23:59:59.9999999Z", "2024-02-29T23:59:59.999999Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("1969-12-31T23:00:00-01:00", "1970-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ("2024-01-01T00:00:00." + "0" * 100 + "Z", "2024-01-01T00:00:00Z"),
    ],
)
def test_forms_that_are_read(text: str, read: str) -> None:
    assert format_instant(to_us(read_instant(text))) == read


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-02-29",
        "1709208000",
        "2024-02-29T12:00:00",
        "2024-02-29T12:00Z",
        "2024-02-30T12:00:00Z",
        "2023-02-29T12:00:00Z",
        "2024-13-01T12:00:00Z",
        "2024-02-29T24:00:00Z",
        "2016-12-31T23:59:60Z",
        "2024-02-29T12:00:00.Z",
        "2024-02-29T12:00:00,5Z",
        "2024-02-29T12:00:00+24:00",
        "2024-02-29T12:00:00+05:60",
        "2024-02-29T12:00:00+05",
        " 2024-02-29T12:00:00Z",
        "2024-02-29T12:00:00Z\n",
        "٢٠٢٤-02-29T12:00:00Z",
    ],
)
def test_what_is_no_instant(text: str) -> None:
    with pytest.raises(NotAnInstant):
        read_instant(text)


@pytest.mark.parametrize(
    "text",
    [
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    ],
)
def test_instants_outside_the_years_that_are_kept(text: str) -> None:
    with pytest.raises(InstantOutOfRange):
        read_instant(text)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (
            "2025-01-05 10:00:00 -0500",
            "its offset should follow the time without a blank, as in 2025-01-05 10:00",
        ),
        ("2025-01-05T10:00:00", "it has no offset from UTC: write Z or one such as -05:00"),
        ("2025-01-05T10:00:00-5", "its offset should have hours and minutes"),
        ("2025-01-05T10:00:00+24:00", "its offset should be at most 23:59"),
        ("2025-01-05", "it has no time of day"),
        ("2025-01-05T10:00Z", "it has no seconds"),
        ("2025-01-05T10:00:00,5Z", "decimals of a second follow a point"),
        ("2025-02-30T10:00:00Z", "there is no such day"),
        ("2025-01-05T24:00:00Z", "there is no such day or time of day; hours go to 23"),
        ("1736074800", "a number counts from an epoch"),
        (" 2025-01-05T10:00:00Z", "there are blanks around it"),
        (
            "2025-01-05T10:00:00\N{MINUS SIGN}05:00",
            "dates and offsets have the plain hyphen, as in 2025-01-05",
        ),
        (
            "2025\N{EN DASH}01\N{EN DASH}05T10:00:00Z",
            "dates and offsets have the plain hyphen, as in 2025-01-05",
        ),
        ("2025-01-05T10:00:00UTC", "it names a zone: write Z or an offset from UTC, as in 2025-01-05"),
        ("2025-01-05 10:00:00 Europe/Berlin", "it names a zone: write Z or an offset from UTC"),
        ("2025-01-05T10:00:00+01:00[Europe/Paris]", "it should end with its offset, as in 2025-01-05"),
        ("2025-01-05T10:00:00Z+01:00", "it should end with its offset, as in 2025-01-05"),
        ("2025-1-5T10:00:00Z", "month, day and hour have two digits, as in 2025-01-05T10:00:00-05:00"),
        ("05.01.2025 10:00", "write it as in 2025-01-05T10:00:00-05:00"),
    ],
)
def test_the_error_says_what_is_wrong_with_an_example_that_is_right(text: str, wrong: str) -> None:
    with pytest.raises(NotAnInstant) as caught:
        read_instant(text)
    message = str(caught.value)
    assert wrong in message
    if " as in " in message:
        read_instant(message.rsplit(" as in ", 1)[1])


@pytest.mark.parametrize(
    "text", ["2025-01-05 10:00:00-05:00", "2025-01-05 10:00:00-0500", "2025-01-05t15:00:00z"]
)
def test_a_blank_may_stand_between_date_and_time(text: str) -> None:
    assert read_instant(text).isoformat() == "2025-01-05T15:00:00+00:00"
