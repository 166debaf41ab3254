"""What the headers of the rejected topic say."""

from __future__ import annotations

import pytest

from streams.contract.rejected import (
    HEADERS,
    RefusalReason,
    Rejection,
    read_rejected_headers,
    rejected_headers,
)
from streams.errors import ContractError


@pytest.mark.parametrize("reason", RefusalReason)
@pytest.mark.parametrize("truncated", [False, True])
def test_headers_read_back_as_they_were_written(reason: RefusalReason, truncated: bool) -> None:
    headers = rejected_headers(reason, "amount: größer", "orders", 3, 2**40, truncated=truncated)
    assert read_rejected_headers(headers) == Rejection(
        reason, "amount: größer", "orders", 3, 2**40, truncated
    )
    assert {name for name, _ in headers} <= set(HEADERS)


def test_headers_are_plain_text() -> None:
    assert rejected_headers(RefusalReason.NOT_JSON, "Invalid JSON", "orders", 0, 17) == [
        ("lapwing-reason", b"not_json"),
        ("lapwing-detail", b"Invalid JSON"),
        ("lapwing-topic", b"orders"),
        ("lapwing-partition", b"0"),
        ("lapwing-offset", b"17"),
    ]


def test_headers_of_others_are_passed_over() -> None:
    headers = [
        ("trace", None),
        ("trace", b"\xff"),
        *rejected_headers(RefusalReason.NO_VALUE, "", "logins", 0, 0),
    ]
    assert read_rejected_headers(headers).topic == "logins"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lapwing-reason", b"bad_weather"),
        ("lapwing-offset", b"x"),
        ("lapwing-detail", b"\xff"),
        ("lapwing-topic", None),
    ],
)
def test_a_record_of_another_kind_is_refused(name: str, value: bytes | None) -> None:
    headers = [
        (n, value if n == name else v)
        for n, v in rejected_headers(RefusalReason.NO_VALUE, "", "logins", 0, 0)
    ]
    with pytest.raises(ContractError, match="not a record of the rejected topic"):
        read_rejected_headers(headers)
