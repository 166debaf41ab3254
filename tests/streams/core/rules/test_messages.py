"""Messages of rules: their fields, and values for people."""

from __future__ import annotations

import pytest

from streams.core.rules.messages import MISSING, message_fields, render, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"), (-3, "-3"), (0.0, "0"), (0.3333333, "0.333"), (12.0, "12"), (12.345, "12.3"),
        (99.96, "100"), (123456.7, "123457"), (0.00012345, "0.0001"), (-0.5, "-0.5"), ("key", "key"),
    ],
)  # fmt: skip
def test_numbers_are_short_unless_a_format_is_given(value: float | str, text: str) -> None:
    assert shown(value) == text


def test_braces_written_twice_are_braces() -> None:
    assert list(message_fields("{{orders_30d}} {overdue}")) == [("overdue", "")]


def test_a_format_is_that_of_the_field() -> None:
    values = {"overdue": 2.04, "complaint_rate_90d": 0.256, "orders_30d": 7, "region": None}
    text = "{overdue:.1f} {complaint_rate_90d:.0%} {orders_30d} {region} {unknown}"
    assert render(text, values) == f"2.0 26% 7 {MISSING} {MISSING}"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{", "a single { in the message"),
        ("{orders_30d.real}", "is not a field"),
        ("{overdue:>9}", "has an unknown format"),
    ],
)
def test_a_wrong_field_is_named(template: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(message_fields(template))
