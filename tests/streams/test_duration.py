import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.duration import LONGEST, UNITS, closest_duration, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("0", 0),
        (0, 0),
        ("0d", 0),
        ("7us", 7),
        ("250ms", 250_000),
        ("30s", 30_000_000),
        ("10m", 600_000_000),
        ("12h", 43_200_000_000),
        ("2d", 172_800_000_000),
        ("1w", 604_800_000_000),
        ("1d12h", 129_600_000_000),
        (" 1h30m ", 5_400_000_000),
        ("36525d", LONGEST),
    ],
)
def test_reads_a_whole_number_and_a_unit(text: str | int, us: int) -> None:
    assert parse_duration(text) == us


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2",
        "2 d",
        "-2d",
        "+2d",
        "1.5h",
        "d",
        "2D",
        "2 days",
        "2dd",
        "1h1d",
        "1h1h",
        "٢d",
        "1d,",
        "1d\n1h",
        "1e3s",
    ],
)
def test_refuses_what_would_be_a_guess(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration: (write a whole number|its units must go)"):
        parse_duration(text)


@pytest.mark.parametrize("value", [2, True, None, 1.5])
def test_refuses_a_bare_number(value: object) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(value)  # type: ignore[arg-type]  # what a TOML file may hold


@pytest.mark.parametrize("text", ["36526d", "99999999999999999999999w", "9" * 10_000 + "s"])
def test_refuses_more_than_a_hundred_years(text: str) -> None:
    with pytest.raises(ValueError, match="longer than a hundred years"):
        parse_duration(text)


@given(st.integers(0, LONGEST) | st.integers(0, 5000).map(lambda n: n * UNITS["h"]))
def test_what_is_written_reads_back_the_same(us: int) -> None:
    assert parse_duration(format_duration(us)) == us


def test_writes_the_shortest_form() -> None:
    assert [format_duration(parse_duration(t)) for t in ("24h", "90m", "14d", "1500ms")] == [
        "1d",
        "1h30m",
        "2w",
        "1s500ms",
    ]


@pytest.mark.parametrize(
    ("text", "closest"),
    [
        ("3 dayz", "3d"), ("3 days", "3d"), ("90secs", "1m30s"), ("5 Min", "5m"), ("2wekks", "2w"),
        ("1.5 hours", "1h30m"), ("3d, 4 hurs", "3d4h"), ("2 months", "60d"), ("1 year", "365d"),
        ("10", None), ("soon", None), ("7 quux", None), ("0 days", None), ("300 years", None), ("", None),
    ],
)  # fmt: skip
def test_what_was_most_likely_meant(text: str, closest: str | None) -> None:
    assert closest_duration(text) == closest


@given(st.text(max_size=30))
def test_what_was_meant_is_a_duration(text: str) -> None:
    closest = closest_duration(text)
    assert closest is None or parse_duration(closest) > 0
