"""A poll becomes columns, and nothing in it can stop the rest."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from streams.contract import validate as authority
from streams.contract.decode import Decoded, decode_lines, decode_poll
from streams.contract.rejected import RefusalReason
from streams.core.events.batch import ActionRecord, ClosureRecord, ComplaintStatus, OrderStatus, ProfileRecord
from streams.core.events.topics import FILE_TYPES, Topic

MARCH = 1_298_937_600_000_000
HOUR = 3_600_000_000

ORDER: dict[str, Any] = {
    "event_id": "e-1",
    "customer_id": "c-1",
    "occurred_at": "2011-03-01T00:00:00Z",
    "order_id": "o-1",
    "amount": 505.3,
}
EVENT = {name: ORDER[name] for name in ("event_id", "customer_id", "occurred_at")}


def _bytes(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode()


def _decoded(topic: Topic, *values: bytes | None) -> Decoded:
    return decode_poll(topic, values, None, None, max_skew_us=HOUR)


def _reason(topic: Topic, value: bytes | None) -> tuple[RefusalReason, str]:
    decoded = _decoded(topic, value)
    assert len(decoded.batch) == 0
    [refused] = decoded.refused
    return refused.reason, refused.detail


BAD_ORDERS: list[tuple[bytes | None, RefusalReason, str]] = [
    (None, RefusalReason.NO_VALUE, "the record has no value"),
    (b"", RefusalReason.NOT_JSON, "Invalid JSON"),
    (b"\x00\xff\xfe", RefusalReason.NOT_JSON, "Invalid JSON"),
    (_bytes(ORDER)[:-1], RefusalReason.NOT_JSON, "Invalid JSON"),
    (_bytes(ORDER) + _bytes(ORDER), RefusalReason.NOT_JSON, "Invalid JSON"),
    (_bytes(ORDER)[:-1] + b',"x":"\xff"}', RefusalReason.NOT_JSON, "Invalid JSON"),
    (_bytes(ORDER)[:-1] + b',"x":' + b"[" * 10**6 + b"}", RefusalReason.NOT_JSON, "recursion"),
    (_bytes(ORDER)[:-1] + b',"x":' + b"9" * 10**5 + b"}", RefusalReason.NOT_JSON, "number out of range"),
    (b"[1, 2]", RefusalReason.NOT_OBJECT, "Input should be an object"),
    (_bytes({}), RefusalReason.MISSING_FIELD, "event_id: Field required (and 4 more)"),
    (
        _bytes({k: v for k, v in ORDER.items() if k != "amount"}),
        RefusalReason.MISSING_FIELD,
        "amount: Field required",
    ),
    (_bytes(ORDER | {"amount": "505.3"}), RefusalReason.WRONG_TYPE, "amount: Input should be a valid number"),
    (_bytes(ORDER | {"amount": True}), RefusalReason.WRONG_TYPE, "amount"),
    (_bytes(ORDER | {"amount": None}), RefusalReason.WRONG_TYPE, "amount"),
    (_bytes(ORDER | {"customer_id": 17}), RefusalReason.WRONG_TYPE, "customer_id"),
    (_bytes(ORDER | {"occurred_at": 1298937600}), RefusalReason.WRONG_TYPE, "occurred_at"),
    (
        _bytes(ORDER | {"occurred_at": "2011-03-01"}),
        RefusalReason.WRONG_VALUE,
        "occurred_at: Text should be an RFC 3339",
    ),
    (_bytes(ORDER | {"status": "eaten"}), RefusalReason.WRONG_VALUE, "status: Input should be 'placed', "),
    (
        _bytes(ORDER | {"event_id": "a\0"}),
        RefusalReason.WRONG_VALUE,
        "event_id: Text should not contain U+0000",
    ),
    (_bytes(ORDER | {"amount": -0.01}), RefusalReason.OUT_OF_RANGE, "amount"),
    (_bytes(ORDER | {"amount": 1_000_000_000_001}), RefusalReason.OUT_OF_RANGE, "amount"),
    (_bytes(ORDER | {"amount": 10**400}), RefusalReason.OUT_OF_RANGE, "amount"),
    (_bytes(ORDER | {"amount": float("nan")}), RefusalReason.OUT_OF_RANGE, "amount"),
    (_bytes(ORDER).replace(b"505.3", b"1e400"), RefusalReason.OUT_OF_RANGE, "amount"),
    (_bytes(ORDER | {"customer_id": ""}), RefusalReason.OUT_OF_RANGE, "customer_id"),
    (_bytes(ORDER | {"customer_id": "x" * 129}), RefusalReason.OUT_OF_RANGE, "customer_id"),
    (_bytes(ORDER | {"event_id": "x" * 10**6}), RefusalReason.OUT_OF_RANGE, "event_id"),
    (_bytes(ORDER | {"occurred_at": "1969-12-31T23:59:59Z"}), RefusalReason.OUT_OF_RANGE, "occurred_at"),
]

BAD_OTHERS: list[tuple[Topic, dict[str, Any], RefusalReason]] = [
    (Topic.COMPLAINTS, {"complaint_id": "k", "satisfaction": 6}, RefusalReason.OUT_OF_RANGE),
    (Topic.COMPLAINTS, {"complaint_id": "k", "satisfaction": 2.5}, RefusalReason.WRONG_TYPE),
    (Topic.COMPLAINTS, {"complaint_id": "k", "satisfaction": 10**400}, RefusalReason.OUT_OF_RANGE),
    (Topic.COMPLAINTS, {"complaint_id": "k", "category": "weather"}, RefusalReason.WRONG_VALUE),
    (Topic.FEEDBACK, {"score": 11, "scale": 10}, RefusalReason.OUT_OF_RANGE),
    (Topic.FEEDBACK, {"score": 0, "scale": 0}, RefusalReason.OUT_OF_RANGE),
    (Topic.PROFILES, {"do_not_contact": 1}, RefusalReason.WRONG_TYPE),
    (Topic.PROFILES, {"customer_class": "vip"}, RefusalReason.WRONG_VALUE),
    (Topic.PROFILES, {"contract_ends_at": "2011-03-01"}, RefusalReason.WRONG_VALUE),
    (Topic.ACTIONS, {"warning_id": "w", "kind": "call", "reasons": "price"}, RefusalReason.WRONG_TYPE),
    (Topic.ACTIONS, {"warning_id": "w", "kind": "call", "reasons": ["x"] * 33}, RefusalReason.OUT_OF_RANGE),
    (Topic.ACTIONS, {"warning_id": "w", "kind": ""}, RefusalReason.OUT_OF_RANGE),
    (Topic.ACTIONS, {"kind": "snooze"}, RefusalReason.MISSING_FIELD),
    (Topic.ACTIONS, {"kind": "contact", "result": "stays"}, RefusalReason.WRONG_VALUE),
    (Topic.ACTIONS, {"kind": "contact", "reasons": ["she moved to Bonn"]}, RefusalReason.WRONG_VALUE),
    (Topic.ACTIONS, {"kind": "contact", "cost": "5"}, RefusalReason.WRONG_TYPE),
    (Topic.ACTIONS, {"kind": "contact", "cost": {"gift": -1}}, RefusalReason.OUT_OF_RANGE),
    (Topic.ACTIONS, {"kind": "contact", "cost": {"gift": "5"}}, RefusalReason.WRONG_TYPE),
    (Topic.ACTIONS, {"kind": "offer", "cost": {str(i): 1 for i in range(17)}}, RefusalReason.OUT_OF_RANGE),
    (Topic.CLOSURES, {"reason": 5}, RefusalReason.WRONG_TYPE),
]


def test_orders_become_columns() -> None:
    cancelled = ORDER | {"status": "cancelled", "amount": 20, "customer_id": "ç", "colour": {"r": [1, 2]}}
    batch = _decoded(Topic.ORDERS, _bytes(ORDER), _bytes(cancelled)).batch
    assert batch.topic.tolist() == [Topic.ORDERS, Topic.ORDERS]
    assert batch.at.tolist() == [MARCH, MARCH]
    assert batch.customer_id.tolist() == ["c-1", "ç"]
    assert batch.amount.tolist() == [505_300_000, 20_000_000]
    assert batch.status.tolist() == [OrderStatus.PLACED, OrderStatus.CANCELLED]
    assert batch.complaint_id.tolist() == [None, None]


def test_complaints_become_columns_and_satisfaction_counts_only_with_resolved() -> None:
    values = [
        _bytes(EVENT | {"complaint_id": "k", "status": status, "satisfaction": 4})
        for status in ("opened", "resolved", "reopened", None)
    ]
    batch = _decoded(Topic.COMPLAINTS, *values).batch
    assert batch.status.tolist() == [
        ComplaintStatus.OPENED,
        ComplaintStatus.RESOLVED,
        ComplaintStatus.REOPENED,
        ComplaintStatus.OPENED,
    ]
    assert batch.satisfaction.tolist() == [0, 4, 0, 0]
    assert batch.complaint_id.tolist() == ["k"] * 4


def test_the_other_topics_become_columns() -> None:
    assert _decoded(Topic.FEEDBACK, _bytes(EVENT | {"score": 7, "scale": 10})).batch.amount.tolist() == [
        700_000
    ]
    assert _decoded(Topic.LOGINS, _bytes(EVENT)).batch.record.tolist() == [None]
    profile = EVENT | {"customer_class": "key", "signed_up_at": "2011-03-01T01:00:00+01:00", "region": None}
    assert _decoded(Topic.PROFILES, _bytes(profile)).batch.record.tolist() == [
        ProfileRecord(customer_class="key", signed_up_at=MARCH)
    ]
    action = EVENT | {"warning_id": "w", "kind": "call", "reasons": ["price"], "cost": 2.5}
    assert _decoded(Topic.ACTIONS, _bytes(action)).batch.record.tolist() == [
        ActionRecord("w", "call", reasons=("price",), cost=(("other", 2_500_000),))
    ]
    offer = EVENT | {
        "kind": "offer",
        "play": "voucher",
        "cost": {"labour": 0.5, "gift": 20},
        "corrects": "e-0",
    }
    assert _decoded(Topic.ACTIONS, _bytes(offer)).batch.record.tolist() == [
        ActionRecord(
            None, "offer", cost=(("gift", 20_000_000), ("labour", 500_000)), play="voucher", corrects="e-0"
        )
    ]
    assert _decoded(Topic.CLOSURES, _bytes(EVENT | {"reason": "moved"})).batch.record.tolist() == [
        ClosureRecord("moved")
    ]


@pytest.mark.parametrize(("value", "reason", "detail"), BAD_ORDERS)
def test_a_bad_order_is_refused_with_its_reason(
    value: bytes | None, reason: RefusalReason, detail: str
) -> None:
    found, words = _reason(Topic.ORDERS, value)
    assert found is reason
    assert detail in words
    assert "c-1" not in words


@pytest.mark.parametrize(("topic", "fields", "reason"), BAD_OTHERS)
def test_bad_events_of_other_topics_are_refused(
    topic: Topic, fields: dict[str, Any], reason: RefusalReason
) -> None:
    assert _reason(topic, _bytes(EVENT | fields))[0] is reason


def test_what_a_cost_is_called_is_not_shown_in_a_refusal() -> None:
    reason, detail = _reason(Topic.ACTIONS, _bytes(EVENT | {"kind": "offer", "cost": {"to Ann Lee": 1}}))
    assert (reason, "Ann" in detail) == (RefusalReason.WRONG_VALUE, False)
    assert detail.startswith("cost: ")


def test_every_kind_of_error_has_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    # The bad events above give all kinds of error that the table names, and no other.
    seen: set[str] = set()

    class Watched(dict[str, RefusalReason]):
        def get(self, key: str, default: Any = None) -> Any:
            seen.add(key)
            return super().get(key, default)

    monkeypatch.setattr(authority, "_REASONS", Watched(authority._REASONS))
    for value, _, _ in BAD_ORDERS:
        authority.judge(Topic.ORDERS, value)
    for topic, fields, _ in BAD_OTHERS:
        authority.judge(topic, _bytes(EVENT | fields))
    assert seen == set(authority._REASONS)


def test_one_bad_record_among_many_is_refused_alone() -> None:
    values: list[bytes | None] = [_bytes(ORDER | {"event_id": f"e-{i}"}) for i in range(1000)]
    values[0], values[500], values[999] = b"{", None, b"\xff"
    decoded = _decoded(Topic.ORDERS, *values)
    assert [refused.index for refused in decoded.refused] == [0, 500, 999]
    assert decoded.index.tolist() == [i for i in range(1000) if i not in (0, 500, 999)]
    assert decoded.batch.event_id.tolist() == [f"e-{i}" for i in decoded.index]


def test_a_record_that_only_the_models_read_keeps_its_place() -> None:
    odd = _bytes(EVENT | {"complaint_id": "k1", "satisfaction": 5.0, "status": "resolved"})
    plain = _bytes(EVENT | {"complaint_id": "k2"})
    decoded = _decoded(Topic.COMPLAINTS, plain, odd, plain)
    assert decoded.batch.complaint_id.tolist() == ["k2", "k1", "k2"]
    assert decoded.batch.satisfaction.tolist() == [0, 5, 0]


def test_a_record_is_judged_by_the_models_at_most_once(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[bytes | None] = []

    def count(topic: Topic, value: bytes | None) -> Any:
        judged.append(value)
        return authority.judge(topic, value)

    monkeypatch.setattr("streams.contract.decode.judge", count)
    bad = [b"{", None, _bytes(ORDER | {"occurred_at": "yesterday"}), b'{"x":"\xff"}']
    _decoded(Topic.ORDERS, *[value for value in bad for _ in range(50)], *[_bytes(ORDER)] * 200)
    assert len(judged) == 200


def test_the_key_has_to_be_the_customer() -> None:
    keys = [b"c-1", None, b"", b"c-2", "ç".encode()]
    values = [_bytes(ORDER)] * 4 + [_bytes(ORDER | {"customer_id": "ç"})]
    decoded = decode_poll(Topic.ORDERS, values, keys, None, max_skew_us=HOUR)
    assert decoded.index.tolist() == [0, 4]
    assert [(r.index, r.reason) for r in decoded.refused] == [
        (i, RefusalReason.KEY_MISMATCH) for i in (1, 2, 3)
    ]


def test_keys_stay_with_their_records_when_others_are_refused() -> None:
    values = [b"{", _bytes(ORDER), _bytes(ORDER | {"customer_id": "c-2"})]
    decoded = decode_poll(Topic.ORDERS, values, [b"c-1", b"c-1", b"c-2"], None, max_skew_us=HOUR)
    assert decoded.index.tolist() == [1, 2]


def test_a_time_too_long_after_the_records_own_is_refused() -> None:
    march_ms = MARCH // 1000
    stamps = [march_ms - 3_600_000, march_ms - 3_600_001, march_ms, -1, 2**62]
    decoded = decode_poll(Topic.ORDERS, [_bytes(ORDER)] * 5, None, stamps, max_skew_us=HOUR)
    assert decoded.index.tolist() == [0, 2, 3, 4]
    assert [(r.index, r.reason) for r in decoded.refused] == [(1, RefusalReason.FUTURE_TIME)]


def test_the_year_2099_is_refused_and_the_rest_goes_on() -> None:
    values = [_bytes(ORDER), _bytes(ORDER | {"occurred_at": "2099-01-01T00:00:00Z"}), _bytes(ORDER)]
    stamps = np.full(3, MARCH // 1000)
    decoded = decode_poll(Topic.ORDERS, values, [b"c-1"] * 3, stamps, max_skew_us=HOUR)
    assert decoded.index.tolist() == [0, 2]
    assert decoded.refused[0].reason is RefusalReason.FUTURE_TIME


@pytest.mark.parametrize("topic", Topic)
def test_an_empty_poll_is_an_empty_batch(topic: Topic) -> None:
    decoded = decode_poll(topic, [], [], [], max_skew_us=HOUR)
    assert (len(decoded.batch), len(decoded.index), decoded.refused) == (0, 0, [])


def test_a_value_of_a_megabyte_is_an_event_like_any_other() -> None:
    assert len(_decoded(Topic.ORDERS, _bytes(ORDER | {"note": "x" * 10**6})).batch) == 1


def test_lines_of_all_types_are_told_apart_and_keep_their_places() -> None:
    more: dict[str, dict[str, Any]] = {
        "order": {"order_id": "o", "amount": 1},
        "complaint": {"complaint_id": "k"},
        "feedback": {"score": 1, "scale": 2},
        "action": {"warning_id": "w", "kind": "call"},
    }
    words = [*FILE_TYPES, *reversed(FILE_TYPES)]
    decoded = decode_lines([_bytes(EVENT | {"type": w} | more.get(w, {})) for w in words], latest_us=MARCH)
    assert decoded.refused == []
    assert decoded.batch.topic.tolist() == [FILE_TYPES[word] for word in words]


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        (b"{", RefusalReason.NOT_JSON, "Invalid JSON"),
        (b"7", RefusalReason.NOT_OBJECT, "object"),
        (_bytes(EVENT), RefusalReason.MISSING_FIELD, "type: Field required"),
        (
            _bytes(EVENT | {"type": "parcel"}),
            RefusalReason.UNKNOWN_TYPE,
            "type: Input should be one of action, closure",
        ),
        (_bytes(EVENT | {"type": ["login"]}), RefusalReason.UNKNOWN_TYPE, "type"),
        (
            _bytes(EVENT | {"type": "order"}),
            RefusalReason.MISSING_FIELD,
            "order_id: Field required (and 1 more)",
        ),
        (
            _bytes(EVENT | {"type": "login", "occurred_at": "2011-03-01T00:00:00.000001Z"}),
            RefusalReason.FUTURE_TIME,
            "time",
        ),
    ],
)
def test_a_bad_line_is_refused_with_its_reason(line: bytes, reason: RefusalReason, detail: str) -> None:
    good = _bytes(EVENT | {"type": "login"})
    decoded = decode_lines([good, line, good], latest_us=MARCH)
    assert decoded.index.tolist() == [0, 2]
    [refused] = decoded.refused
    assert (refused.index, refused.reason) == (1, reason)
    assert detail.lower() in refused.detail.lower()


def test_a_tombstone_of_a_profile_is_passed_over_and_one_of_an_event_is_refused() -> None:
    profile = _bytes({**EVENT, "segment": "s"})
    decoded = _decoded(Topic.PROFILES, None, profile, None, b"garbage")
    assert decoded.index.tolist() == [1]
    assert [record.index for record in decoded.refused] == [3]
    assert _reason(Topic.ORDERS, None)[0] is RefusalReason.NO_VALUE
