from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from streams.contract.erasures import (
    ErasureKey,
    ErasureRequest,
    WrongErasureKey,
    encode_erasure,
    made_with,
    marker,
    parse_erasure,
)
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


def of(key: ErasureKey, customer: str = "c") -> ErasureRequest:
    return ErasureRequest(hash=key.hash(customer), erased_at=REQUEST.erased_at, key_id=key.id)


OTHER = ErasureKey(b"made up by someone")


def test_beside_requests_of_the_key_others_are_nobodys() -> None:
    assert made_with(KEY, [of(OTHER), REQUEST]) == ([REQUEST], [of(OTHER)])
    for key in (KEY, None):
        with pytest.raises(WrongErasureKey, match=f"with the key {OTHER.id}"):
            made_with(key, [of(OTHER)])


def test_a_marker_makes_a_key_known_before_anybody_is_erased() -> None:
    sent = parse_erasure(encode_erasure(marker(KEY)))
    assert sent.is_marker
    assert made_with(KEY, [of(OTHER), sent]) == ([], [of(OTHER)])
    assert made_with(KEY, [sent, REQUEST]) == ([REQUEST], [])


def test_a_marker_alone_asks_nobody_for_its_key() -> None:
    for key in (None, OTHER):
        assert made_with(key, [marker(KEY)]) == ([], [])


def test_a_marker_of_another_key_or_one_that_is_made_up_makes_nothing_known() -> None:
    made_up = ErasureRequest(hash=OTHER.check, erased_at=REQUEST.erased_at, key_id=OTHER.id)
    for key in (KEY, None):
        with pytest.raises(WrongErasureKey):
            made_with(key, [of(OTHER), made_up])
    assert not REQUEST.is_marker
