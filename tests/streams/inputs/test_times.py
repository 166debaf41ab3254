"""Texts as instants."""

from __future__ import annotations

import polars as pl
import pytest

from streams.contract.instants import format_instant
from streams.inputs.times import instants_of, parse_time_format


def read(text: str, *formats: str, zone: str | None = None) -> str | None:
    at, found, outside = instants_of(pl.Series([text]), [parse_time_format(each) for each in formats], zone)
    assert not (found & outside).any()
    return "outside" if outside[0] else format_instant(int(at[0])) if found[0] else None


@pytest.mark.parametrize(
    ("text", "formats", "expected"),
    [
        ("2024-03-01T10:00:00+01:00", ["rfc3339"], "2024-03-01T09:00:00Z"),
        ("1709287200", ["epoch_s"], "2024-03-01T10:00:00Z"),
        ("1709287200.5", ["epoch_s"], "2024-03-01T10:00:00.500000Z"),
        ("1709287200123", ["epoch_ms"], "2024-03-01T10:00:00.123000Z"),
        ("1709287200123456", ["epoch_us"], "2024-03-01T10:00:00.123456Z"),
        ("19783", ["epoch_days"], "2024-03-01T00:00:00Z"),
        ("-1", ["epoch_s"], "outside"),
        ("9" * 30, ["epoch_s"], "outside"),
        ("1e3", ["epoch_s"], None),
        ("01.03.2024 10:00", ["%d.%m.%Y %H:%M"], "2024-03-01T10:00:00Z"),
        ("1.3.2024 9:5", ["%d.%m.%Y %H:%M"], "2024-03-01T09:05:00Z"),
        ("30.02.2024", ["%d.%m.%Y"], None),
        ("01-Mar-24 12:00 am", ["%d-%b-%y %I:%M %p"], "2024-03-01T00:00:00Z"),
        ("March 1, 2024", ["%B %d, %Y"], "2024-03-01T00:00:00Z"),
        ("20240301T100000.25-0500", ["%Y%m%dT%H%M%S.%f%z"], "2024-03-01T15:00:00.250000Z"),
        ("2024/03/01", ["rfc3339", "%d.%m.%Y", "%Y/%m/%d"], "2024-03-01T00:00:00Z"),
        ("1969-12-31", ["%Y-%m-%d"], "outside"),
        ("2024-03-01\n", ["%Y-%m-%d"], None),
    ],
)
def test_forms(text: str, formats: list[str], expected: str | None) -> None:
    assert read(text, *formats) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-07-01 12:00", "2024-07-01T10:00:00Z"),
        ("2024-10-27 02:30", "2024-10-27T00:30:00Z"),  # shown twice: the first
        ("2024-03-31 02:30", "2024-03-31T01:30:00Z"),  # never shown: counted on, 03:30
        ("2024-03-31 03:00", "2024-03-31T01:00:00Z"),
        ("2099-07-01 12:00", "2099-07-01T10:00:00Z"),
    ],
)
def test_local_times_when_clocks_are_changed(text: str, expected: str) -> None:
    assert read(text, "%Y-%m-%d %H:%M", zone="Europe/Berlin") == expected
