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


def test_a_part_in_brackets_is_left_out_where_its_value_is_missing() -> None:
    text = "No order for {days_since_order:.0f} days[, no visit for {days_since_login:.0f}] [sic] [{{x}}]"
    assert list(message_fields(text)) == [("days_since_order", ".0f"), ("days_since_login", ".0f")]
    known = {"days_since_order": 46.2, "days_since_login": 8.0}
    assert render(text, known) == "No order for 46 days, no visit for 8 [sic] [{x}]"
    assert render(text, known | {"days_since_login": None}) == "No order for 46 days [sic] [{x}]"
    assert (
        render(text, {"days_since_login": 8.0})
        == f"No order for {MISSING} days, no visit for 8 [sic] [{{x}}]"
    )


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
