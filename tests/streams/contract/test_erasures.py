from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from streams.contract.erasures import ErasureKey, ErasureRequest, encode_erasure, parse_erasure
from streams.core.erasures import Erasure
from streams.errors import ContractError

KEY = ErasureKey(b"a key for tests!")
REQUEST = ErasureRequest(
    hash=KEY.hash("c"), erased_at=datetime(1970, 1, 1, 0, 0, 0, 7, tzinfo=UTC), key_id=KEY.id
)


def test_a_record_says_no_more_than_a_hash_a_time_and_which_key() -> None:
    value = encode_erasure(REQUEST)
    assert parse_erasure(value) == REQUEST
    assert json.loads(value) == {
        "hash": KEY.hash("c"), "erased_at": "1970-01-01T00:00:00.000007Z", "key_id": KEY.id
    }  # fmt: skip
    assert REQUEST.erasure == Erasure(KEY.hash("c"), 7)


@pytest.mark.parametrize(
    ("value", "mistake"),
    [
        (encode_erasure(REQUEST).replace(b'"hash":"', b'"hash":"x'), "hash"),
        (encode_erasure(REQUEST).replace(b"1970-01-01T", b"1970-13-01T"), "erased_at"),
        (encode_erasure(REQUEST).replace(b"key_id", b"key"), "key_id"),
    ],
)
def test_a_record_of_something_else_is_refused(value: bytes, mistake: str) -> None:
    with pytest.raises(ContractError, match=f"not an erasure: {mistake}"):
        parse_erasure(value)
