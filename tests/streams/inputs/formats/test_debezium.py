"""Change records that Debezium itself wrote (scripts/debezium), and what no connector writes."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.rejected import RefusalReason
from streams.inputs.formats.avro import AvroRecords
from streams.inputs.formats.debezium import Debezium, DebeziumAvroReader, DebeziumReader, RecordOf
from streams.inputs.formats.json_schema import without_header
from streams.inputs.formats.schemas import Schemas
from tests.registry_endpoint import Producer, Shelf

RECORDS = [
    json.loads(line) for line in (Path(__file__).parent / "debezium.jsonl").read_text("utf-8").splitlines()
]
CHANGE = Debezium(RecordOf.CHANGE)
SCALES = Debezium(decimals=(("total", 2),))
FIRST = {
    "id": 1,
    "customer": "ann",
    "total": "12.50",
    "any_number": "1.2345",
    "state": "new",
    "placed": "2026-03-01T10:00:00.123456",
    "paid": "2026-03-01T09:00:00.000000Z",
    "due": "2026-03-05",
    "at_ms": "2026-03-01T10:00:00.123000",
    "gift": True,
    "note": 'äöü "quoted"',
    "doc": '{"a": 1}',
}


def values(run: str, kind: str, table: str = "orders") -> list[bytes | None]:
    """Return the values of a table's topic as Debezium wrote them."""
    found = [each[kind] for each in RECORDS if each["run"] == run and each["topic"] == f"shop.public.{table}"]
    return [None if each is None else each.encode() for each in found]


def read(options: Debezium, given_: list[bytes | None]) -> list[Any]:
    """Return what a reader makes of records, all of which it takes."""
    found, refused = DebeziumReader(options).read(given_)
    assert refused == []
    return [None if each is None else json.loads(each) for each in found]


def test_with_their_schema_rows_have_times_and_decimals_as_text() -> None:
    first, second, third, deletion, tombstone = read(Debezium(), values("usual", "with_schema"))
    assert {name: first[name] for name in FIRST} == FIRST
    assert first["place"]["x"] == 1.0  # a geometry stays what it is
    assert (second["total"], second["any_number"]) == ("-3.00", "100000000000000000000.5")
    assert isinstance(second["placed"], int)  # infinity
    assert (third["state"], third["total"]) == ("paid", "13.00")
    assert (deletion, tombstone) == (None, None)


def test_without_their_schema_times_are_numbers_and_decimals_need_their_scale() -> None:
    first, *_ = read(SCALES, values("usual", "without"))
    assert first["total"] == "12.50"
    assert first["placed"] == 1772359200123456
    assert first["due"] == 20517
    plain, *_ = read(Debezium(), values("usual", "without"))
    assert plain["total"] == "BOI="


@pytest.mark.parametrize("kind", ["with_schema", "without"])
def test_as_changes_deletions_come_too(kind: str) -> None:
    changes = read(CHANGE, values("usual", kind))
    assert [each and each["op"] for each in changes] == ["r", "c", "u", "d", None]
    update, deletion = changes[2], changes[3]
    assert (update["before"]["state"], update["after"]["state"]) == ("new", "paid")
    assert (deletion["before"]["customer"], deletion["after"]) == ("bob", None)
    assert update["source"]["table"] == "orders"
    assert isinstance(update["ts_ms"], int)
    if kind == "with_schema":
        assert update["before"]["total"] == "12.50"


def test_decimals_as_text_and_connects_own_times_are_read() -> None:
    first, *_ = read(Debezium(), values("connect", "with_schema"))
    assert (first["total"], first["due"]) == ("12.50", "2026-03-05")
    # Connect's own type does not say that the time has no zone, and has no more than milliseconds.
    assert first["placed"] == "2026-03-01T10:00:00.123000Z"


@pytest.mark.parametrize("kind", ["with_schema", "without"])
@pytest.mark.parametrize("options", [Debezium(), CHANGE])
def test_a_value_that_the_change_did_not_touch_is_not_there(kind: str, options: Debezium) -> None:
    found = read(options, values("usual", kind, "notes"))
    rows = [each if options.record is RecordOf.AFTER else each["after"] for each in found[:2]]
    assert len(rows[0]["text"]) == 100 * 32
    assert rows[1] == {"id": 1, "seen": 1}
    assert found[2:] == [None]  # the table made empty is about no row


def test_the_same_in_avro_is_read_the_same() -> None:
    time = {"type": "long", "connect.name": "io.debezium.time.MicroTimestamp"}
    decimal = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
    row = {"type": "record", "name": "Value", "fields": [
        {"name": "id", "type": "long"}, {"name": "placed", "type": ["null", time]},
        {"name": "note", "type": "string"}, {"name": "total", "type": decimal}]}  # fmt: skip
    envelope = {"type": "record", "name": "Envelope", "namespace": "shop.orders", "fields": [
        {"name": "before", "type": ["null", row]}, {"name": "after", "type": ["null", "Value"]},
        {"name": "op", "type": "string"}, {"name": "ts_ms", "type": ["null", "long"]}]}  # fmt: skip
    shelf = Shelf()
    producer = Producer(shelf)
    filled = {"id": 1, "placed": 1772359200123456, "note": "x", "total": Decimal(12)}
    known = {"id": 1, "placed": "2026-03-01T10:00:00.123456", "note": "x", "total": "12.00"}
    unknown = {**filled, "note": "__debezium_unavailable_value"}
    changes = [
        {"before": None, "after": filled, "op": "c", "ts_ms": 5},
        {"before": filled, "after": unknown, "op": "u", "ts_ms": 6},
        {"before": filled, "after": None, "op": "d", "ts_ms": 7},
        {"before": None, "after": None, "op": "t", "ts_ms": 8},
        {"before": None, "after": None, "op": "u", "ts_ms": 9},
    ]
    records: list[bytes | None] = [producer.avro(envelope, each) for each in changes]
    records += [None, producer.avro({"type": "record", "name": "X", "fields": []}, {})]
    schemas = Schemas(shelf, "place")
    schemas.fetch(sorted(shelf.schemas))
    found, refused = DebeziumAvroReader(Debezium(), AvroRecords(schemas)).read(records)
    short = {name: value for name, value in known.items() if name != "note"}
    assert [each and json.loads(each) for each in found] == [known, short, None, None, None, None, None]
    assert [(each.index, each.reason) for each in refused] == [
        (4, RefusalReason.MISSING_FIELD),
        (6, RefusalReason.UNREADABLE),
    ]
    found, _ = DebeziumAvroReader(CHANGE, AvroRecords(schemas)).read(records[:3])
    assert json.loads(found[2] or b"") == {"before": known, "after": None, "op": "d", "ts_ms": 7}


def test_with_the_id_of_a_json_schema_before_it() -> None:
    value = b"\0\0\0\0\7" + json.dumps({"op": "c", "before": None, "after": {"id": 1}}).encode()
    found, refused = DebeziumReader(Debezium(), without_header).read([value, value[5:]])
    assert found == [b'{"id": 1}', None]
    assert [each.reason for each in refused] == [RefusalReason.UNREADABLE]


BAD: list[tuple[bytes, RefusalReason, str]] = [
    (b"", RefusalReason.NOT_JSON, "not JSON"),
    (b"{", RefusalReason.NOT_JSON, "not JSON"),
    (b"[" * 100_000, RefusalReason.NOT_OBJECT, "no JSON object"),
    (b'"\xff"', RefusalReason.NOT_OBJECT, "no JSON object"),
    (b"7", RefusalReason.NOT_OBJECT, "no JSON object"),
    (b'{"id": 1}', RefusalReason.UNREADABLE, "ExtractNewRecordState"),
    (b'{"op": 7, "after": {}}', RefusalReason.UNREADABLE, "no change record"),
    (b'{"op": "x", "after": {}}', RefusalReason.WRONG_VALUE, "op: none of"),
    (b'{"op": "c"}', RefusalReason.MISSING_FIELD, "after: is empty"),
    (b'{"op": "u", "before": {}, "after": null}', RefusalReason.MISSING_FIELD, "after: is empty"),
    (b'{"payload": 7, "schema": {}}', RefusalReason.NOT_OBJECT, "no JSON object"),
    (b'{"payload": {"id": 1}}', RefusalReason.UNREADABLE, "ExtractNewRecordState"),
]


@pytest.mark.parametrize(("value", "reason", "detail"), BAD)
def test_what_is_no_change_is_refused_alone(value: bytes, reason: RefusalReason, detail: str) -> None:
    good = b'{"op": "r", "after": {"id": 1}}'
    found, refused = DebeziumReader(Debezium()).read([good, value, good])
    assert found == [b'{"id": 1}', None, b'{"id": 1}']
    assert [(each.index, each.reason) for each in refused] == [(1, reason)]
    assert detail in refused[0].detail


@pytest.mark.parametrize(
    "total", ['"!"', "7", '"' + "A" * 100_000 + '"', '{"scale": 1}', '{"scale": "1", "value": "BOI="}', "[]"]
)
@pytest.mark.parametrize(
    "name", ["org.apache.kafka.connect.data.Decimal", "io.debezium.data.VariableScaleDecimal"]
)
def test_a_column_that_is_not_what_its_type_says_is_refused(total: str, name: str) -> None:
    column = {"field": "total", "type": "bytes", "name": name, "parameters": {"scale": "2"}}
    schema = json.dumps({"fields": [{"field": "after", "fields": [column]}]})
    value = f'{{"schema": {schema}, "payload": {{"op": "c", "after": {{"total": {total}}}}}}}'.encode()
    found, refused = DebeziumReader(Debezium()).read([value])
    assert found == [None]
    assert refused[0].detail == "column total: is not what its type says"


def test_a_message_with_an_empty_payload_is_a_tombstone() -> None:
    assert read(Debezium(), [b'{"schema": null, "payload": null}']) == [None]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["op", "after", "before", "payload", "schema", "fields", "field", "name", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from(["c", "u", "d", "t", 7]), st.sampled_from([Debezium(), CHANGE, SCALES]))
def test_no_json_ends_anything(inner: Any, op: Any, options: Debezium) -> None:
    values_ = [
        json.dumps(each).encode()
        for each in (
            inner,
            {"op": op, "after": inner, "before": inner},
            {"schema": inner, "payload": {"op": op, "after": inner}},
            {
                "schema": {"fields": [{"field": "after", "fields": inner}]},
                "payload": {"op": op, "after": {"x": 1}},
            },
        )
    ]
    found, refused = DebeziumReader(options).read([*values_])
    assert len(found) == len(values_)
    assert {each.index for each in refused} <= {i for i, each in enumerate(found) if each is None}
