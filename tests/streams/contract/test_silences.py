"""Silences on the wire: what is one, and what is wrong with what is none."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from streams.contract.examples import SILENCE_EXAMPLE
from streams.contract.silences import Silence, encode_silence, make_silence, parse_silence
from streams.errors import ContractError

NOW = datetime(2024, 3, 2, tzinfo=UTC)


def changed(**changes: Any) -> bytes:
    return json.dumps({**SILENCE_EXAMPLE, **changes}).encode()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"author": " "}, "author: it is empty"),
        ({"reason": ""}, "reason: String should have at least 1 character"),
        ({"ends_at": None}, "it has no end: only recurring silences may have none"),
        ({"ends_at": "2024-02-01T00:00:00Z"}, "it ends before it begins"),
        ({"starts_at": "2024-03-01T00:00:00"}, "starts_at: it should be an RFC 3339 time with an offset"),
        ({"matchers": {}}, "matchers: it names no warnings"),
        (
            {"matchers": {"everything": True, "rules": ["a"]}},
            "matchers: everything cannot be silenced together with rules",
        ),
        ({"matchers": {"tiers": ["urgent"]}}, "matchers.tiers.0: Input should be 'high', 'medium' or 'low'"),
        ({"recurring": {"begins": "24:00"}}, "recurring.begins: String should match pattern"),
        ({"recurring": {"days": ["someday"]}}, "recurring.days.0: Input should be 'mon'"),
        ({"recurring": {"time_zone": "Mars/Base"}}, "recurring.time_zone: 'Mars/Base' is no time zone"),
        ({"id": "a b"}, "id: String should match pattern"),
        ({"author": "a\0b"}, "author: it holds U+0000"),
        ({"matchers": {"customers": ["a\0b"]}}, "matchers.customers.0: it holds U+0000"),
        ({"expired_by": "\0"}, "expired_by: it holds U+0000"),
        ({"starts_at": "0001-01-01T00:00:00Z"}, "starts_at: it should lie between 1970 and 9999"),
        ({"revision": 10**400}, "revision: "),
        ({"revision": 0}, "revision: Input should be greater than or equal to 1"),
    ],
)
def test_what_is_wrong_is_told_with_its_field(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ContractError) as caught:
        parse_silence(changed(**changes))
    assert f"not a silence: {told}" in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(ContractError, match="not a silence: "):
        make_silence(**{**SILENCE_EXAMPLE, **changes})


def test_a_silence_comes_back_as_it_was_written_and_unknown_fields_are_passed_over() -> None:
    silence = parse_silence(changed(added_later=1, starts_at="2024-03-01T01:00:00+01:00"))
    assert encode_silence(silence) == encode_silence(parse_silence(changed()))


def test_a_recurring_one_may_have_no_end() -> None:
    silence = parse_silence(changed(ends_at=None, recurring={"days": ["sat", "sun"]}))
    assert silence.state(NOW + timedelta(days=10_000)) == "active"


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "active"),
        ({"starts_at": "2024-03-02T00:00:00Z"}, "active"),
        ({"starts_at": "2024-03-02T00:00:01Z"}, "pending"),
        ({"ends_at": "2024-03-02T00:00:00Z"}, "expired"),
        ({"expired_at": "2024-03-01T12:00:00Z"}, "expired"),
    ],
)
def test_its_state_follows_from_its_times(changes: dict[str, Any], state: str) -> None:
    silence: Silence = parse_silence(changed(**changes))
    assert silence.state(NOW) == state
