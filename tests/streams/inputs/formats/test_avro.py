"""Records of Avro, written by Confluent's own serializer, become JSON; bad ones cost no other."""

from __future__ import annotations

import io
import json
import uuid
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import fastavro
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.rejected import RefusalReason
from streams.inputs.formats import avro as reading
from streams.inputs.formats.avro import AvroReader, AvroRecords
from streams.inputs.formats.decimals import decimal_text
from streams.inputs.formats.reading import SchemasWanted
from streams.inputs.formats.registry import RegisteredSchema
from streams.inputs.formats.schemas import Schemas
from tests.registry_endpoint import Producer, Shelf

ORDER = {
    "type": "record",
    "name": "Order",
    "namespace": "shop",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "placed", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "total", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}},
        {"name": "coupon", "type": ["null", "string"], "default": None},
        {"name": "lines", "type": {"type": "array", "items": {"type": "record", "name": "Line", "fields": [
            {"name": "sku", "type": "string"}, {"name": "count", "type": "int"}]}}},
        {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["PAID", "BACK"]}},
    ],
}  # fmt: skip
RECORD = {
    "id": "o-1",
    "placed": datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC),
    "total": Decimal("12.50"),
    "coupon": None,
    "lines": [{"sku": "a", "count": 2}],
    "state": "PAID",
}


def reader(shelf: Shelf) -> AvroReader:
    """Return a reader whose schemas have been fetched as far as they are there."""
    schemas = Schemas(shelf, "place")
    if shelf.schemas:
        schemas.fetch(sorted(shelf.schemas))
    return AvroReader(AvroRecords(schemas))


def record(schema_id: int, payload: bytes) -> bytes:
    return b"\0" + schema_id.to_bytes(4, "big") + payload


def read_one(schema: Any, payload: bytes) -> Any:
    """Return what a payload holds, or the refusal."""
    found, refused = reader(Shelf({1: RegisteredSchema("AVRO", json.dumps(schema))})).read(
        [record(1, payload)]
    )
    assert (found[0] is None) == bool(refused)
    return refused[0] if refused else msgspec.json.decode(found[0] or b"")


def long(number: int) -> bytes:
    file = io.BytesIO()
    fastavro.schemaless_writer(file, {"type": "long"}, number)
    return file.getvalue()


def test_a_record_of_confluents_serializer_becomes_json() -> None:
    shelf = Shelf()
    value = Producer(shelf).avro(ORDER, RECORD)
    found, refused = reader(shelf).read([value])
    assert refused == []
    assert json.loads(found[0] or b"") == {
        "id": "o-1",
        "placed": "2026-03-01T12:30:15.250000Z",
        "total": "12.50",
        "coupon": None,
        "lines": [{"sku": "a", "count": 2}],
        "state": "PAID",
    }


def test_each_record_is_read_by_the_schema_that_it_was_written_with() -> None:
    shelf = Shelf()
    producer = Producer(shelf)
    fields = [{"name": "id", "type": "string"}]
    old = producer.avro({"type": "record", "name": "O", "fields": fields}, {"id": "a"})
    more = [{"name": "note", "type": "string", "default": "none"}, *fields]
    new = producer.avro({"type": "record", "name": "O", "fields": more}, {"id": "b", "note": "x"})
    found, refused = reader(shelf).read([old, new, old])
    assert refused == []
    # What a record does not have it does not have: no default is put in its place.
    assert [json.loads(each or b"") for each in found] == [{"id": "a"}, {"note": "x", "id": "b"}, {"id": "a"}]


def test_schemas_are_asked_for_before_anything_is_read() -> None:
    shelf = Shelf()
    value = Producer(shelf).avro(ORDER, RECORD)
    (schema_id,) = shelf.schemas
    records = AvroReader(AvroRecords(Schemas(shelf, "place")))
    with pytest.raises(SchemasWanted, match=f"from the registry: {schema_id}, 99") as wanted:
        records.read([value, record(99, b""), value, None, b"x"])
    assert wanted.value.ids == (schema_id, 99)
    shelf.away = True
    assert wanted.value.fetch() > 0
    shelf.away = False
    assert wanted.value.fetch() == 0
    found, refused = records.read([value, record(99, b""), value, None, b"x"])
    assert [each is None for each in found] == [False, True, False, True, True]
    assert [(each.index, each.reason) for each in refused] == [
        (1, RefusalReason.SCHEMA_UNKNOWN),
        (4, RefusalReason.UNREADABLE),
    ]
    # A registry that goes away stops nothing that is known.
    shelf.away = True
    assert records.read([value])[1] == []


LOGICAL: list[tuple[Any, Any, Any]] = [
    ({"type": "int", "logicalType": "date"}, date(2026, 3, 1), "2026-03-01"),
    (
        {"type": "long", "logicalType": "timestamp-micros"},
        datetime(2026, 3, 1, 1, 2, 3, 4, tzinfo=UTC),
        "2026-03-01T01:02:03.000004Z",
    ),
    (
        {"type": "long", "logicalType": "timestamp-millis"},
        datetime(1969, 12, 31, 23, 59, tzinfo=UTC),
        "1969-12-31T23:59:00Z",
    ),
    (
        {"type": "long", "logicalType": "local-timestamp-millis"},
        datetime(2026, 3, 1, 1, 2, 3),  # noqa: DTZ001
        "2026-03-01T01:02:03.000000",
    ),
    ({"type": "string", "logicalType": "uuid"}, uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    ({"type": "int", "logicalType": "time-millis"}, time(1, 0, 0), 3_600_000),
    ({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 3}, Decimal("-1.005"), "-1.005"),
    (
        {"type": "fixed", "name": "F", "size": 4, "logicalType": "decimal", "precision": 9, "scale": 2},
        Decimal("7.10"),
        "7.10",
    ),
    ("bytes", b"\x00\xff", "AP8="),
    ("double", float("nan"), None),
    (["null", "long", "string"], "x", "x"),
    ({"type": "map", "values": "int"}, {"a": 1}, {"a": 1}),
]


@pytest.mark.parametrize(("schema", "value", "expected"), LOGICAL)
def test_what_types_become(schema: Any, value: Any, expected: Any) -> None:
    whole = {"type": "record", "name": "R", "fields": [{"name": "x", "type": schema}]}
    file = io.BytesIO()
    fastavro.schemaless_writer(file, fastavro.parse_schema(whole), {"x": value})
    assert read_one(whole, file.getvalue()) == {"x": expected}


@pytest.mark.parametrize("name", ["timestamp-millis", "timestamp-micros", "date"])
def test_a_time_outside_the_calendar_stays_a_number(name: str) -> None:
    kind = "int" if name == "date" else "long"
    number = 2**31 - 1 if name == "date" else 2**62
    schema = {
        "type": "record",
        "name": "R",
        "fields": [{"name": "x", "type": {"type": kind, "logicalType": name}}],
    }
    found = read_one(schema, long(number))
    assert found == {"x": number}


def test_debeziums_names_of_types_are_known_in_avro() -> None:
    names = ["Date", "Timestamp", "MicroTimestamp", "NanoTimestamp"]
    fields = [
        {"name": name, "type": {"type": "long", "connect.name": f"io.debezium.time.{name}"}} for name in names
    ]
    payload = b"".join(map(long, (1, 1_000, 1_000_001, 1_000_001_000)))
    assert read_one({"type": "record", "name": "R", "fields": fields}, payload) == {
        "Date": "1970-01-02",
        "Timestamp": "1970-01-01T00:00:01.000000",
        "MicroTimestamp": "1970-01-01T00:00:01.000001",
        "NanoTimestamp": "1970-01-01T00:00:01.000001",
    }


def test_schemas_that_one_refers_to_are_read() -> None:
    address = {
        "type": "record",
        "name": "Address",
        "namespace": "x",
        "fields": [{"name": "zip", "type": "string"}],
    }
    country = {"type": "enum", "name": "x.Country", "symbols": ["DE"]}
    main = {"type": "record", "name": "Person", "namespace": "x", "fields": [
        {"name": "home", "type": "Address"}, {"name": "work", "type": ["null", "x.Address"]},
        {"name": "country", "type": "Country"}]}  # fmt: skip
    found = RegisteredSchema("AVRO", json.dumps(main), (json.dumps(country), json.dumps(address)))
    value = record(1, b"\x02a" + b"\x02\x02b" + b"\x00")
    read, refused = reader(Shelf({1: found})).read([value])
    assert refused == []
    assert json.loads(read[0] or b"") == {"home": {"zip": "a"}, "work": {"zip": "b"}, "country": "DE"}


@pytest.mark.parametrize(
    "value", [b"", b"\0", b"\0\0\0\0", b"\1\0\0\0\1x", b'{"id": 1}', record(1, b""), record(1, b"\x04a")]
)
def test_bytes_that_are_no_record_are_refused_alone(value: bytes) -> None:
    shelf = Shelf(
        {
            1: RegisteredSchema(
                "AVRO", '{"type": "record", "name": "R", "fields": [{"name": "x", "type": "string"}]}'
            )
        }
    )
    good = record(1, b"\x02a")
    found, refused = reader(shelf).read([good, value, good])
    assert [each.index for each in refused] == [1]
    assert refused[0].reason is RefusalReason.UNREADABLE
    assert found == [b'{"x":"a"}', None, b'{"x":"a"}']


def test_a_record_that_goes_on_is_refused() -> None:
    refused = read_one("string", b"\x02ab")
    assert "goes on after" in refused.detail


def node(inner: Any) -> dict[str, Any]:
    return {"type": "record", "name": "Node", "fields": [{"name": "next", "type": inner}]}


def nested(depth: int) -> Any:
    schema: Any = "int"
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


def doubled(levels: int) -> Any:
    """Return records each of which holds two of the next: written out, two to the power of levels."""
    schema: Any = {"type": "record", "name": "R0", "fields": [{"name": "x", "type": "int"}]}
    for n in range(1, levels):
        inner = schema
        schema = {
            "type": "record",
            "name": f"R{n}",
            "fields": [{"name": "a", "type": inner}, {"name": "b", "type": f"R{n - 1}"}],
        }
    return schema


BOMBS = {
    "contains itself": (node(["null", "Node"]), b"\x02" * 900_000 + b"\0"),
    "Node; such records": (node({"type": "array", "items": "Node"}), b"\x02" * 900_000),
    "contains itself: Node": (node("Node"), b""),
    "takes no bytes": ({"type": "array", "items": "null"}, long(10**12) + b"\0"),
    "what takes no bytes:": ({"type": "array", "items": {"type": "null"}}, long(10**12) + b"\0"),
    "a list of what takes": ({"type": "array", "items": node("null")}, long(10**12) + b"\0"),
    "of what takes no": (
        {"type": "map", "values": {"type": "fixed", "name": "F", "size": 0}},
        long(10**12) + b"\0",
    ),
    "has a list of what": (
        {"type": "array", "items": {"type": "record", "name": "E", "fields": []}},
        long(10**12) + b"\0",
    ),
    "deeper than 40": (nested(300), b"\0"),
    "nests deeper": (nested(41), b"\0"),
    "more than 10,000 types": (doubled(18), b"\0"),
    "has no size": ({"type": "fixed", "name": "F", "size": -1}, b""),
    "defines A twice": (
        [{"type": "fixed", "name": "A", "size": 1}, {"type": "fixed", "name": "A", "size": 2}],
        b"\2xy",
    ),
    "nowhere: Elsewhere": ("Elsewhere", b""),
    "neither a name": ({"type": "array", "items": 7}, b""),
    "without a name or a type": ({"type": "record", "name": "R", "fields": [{"name": "x"}]}, b""),
    "has no name": ({"type": "record", "fields": []}, b""),
    "does not take the schema": ({"type": "enum", "name": "E", "symbols": None}, b""),
}


@pytest.mark.parametrize("wrong", BOMBS)
def test_a_schema_that_cannot_be_trusted_is_refused(wrong: str) -> None:
    schema, payload = BOMBS[wrong]
    refused = read_one(schema, payload)
    assert refused.reason is RefusalReason.UNREADABLE
    assert wrong in refused.detail


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "\ud800".encode("utf-8", "replace").decode()])
def test_a_schema_that_is_no_json_is_refused(text: str) -> None:
    found, refused = reader(Shelf({1: RegisteredSchema("AVRO", text)})).read([record(1, b"")])
    assert found == [None]
    assert "not JSON" in refused[0].detail or "nowhere" in refused[0].detail


def test_a_schema_of_another_kind_is_refused() -> None:
    found, refused = reader(Shelf({1: RegisteredSchema("PROTOBUF", "syntax")})).read([record(1, b"\0")])
    assert (found, refused[0].detail) == ([None], "schema 1: it is a schema of PROTOBUF, not of Avro")


def test_a_long_decimal_is_refused_in_no_time() -> None:
    schema = {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}
    refused = read_one(schema, long(900_000) + b"\x7f" * 900_000)
    assert refused.reason is RefusalReason.UNREADABLE


def test_more_is_said_in_bytes_than_are_there() -> None:
    for schema in ("string", "bytes", {"type": "array", "items": "int"}, {"type": "map", "values": "int"}):
        assert read_one(schema, long(2**60)).reason is RefusalReason.UNREADABLE


def test_compiled_schemas_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST", 2)
    good, bad = RegisteredSchema("AVRO", '"int"'), RegisteredSchema("AVRO", '"Elsewhere"')
    read = reader(Shelf({1: good, 2: good, 3: good, 4: bad, 5: bad, 6: bad}))
    values = [record(n, b"\x02") for n in (1, 2, 3, 4, 5, 6, 1)]
    found, refused = read.read(values)
    assert [each.index for each in refused] == [3, 4, 5]
    assert found[6] == b"1"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20))
def test_decimals_are_written_as_they_are(number: Decimal) -> None:
    whole = int(number.scaleb(4))
    content = whole.to_bytes((whole.bit_length() + 8) // 8, "big", signed=True)
    assert Decimal(decimal_text(content, 4)) == number


@given(st.integers(-3, 10), st.integers(-(10**6), 10**6))
def test_any_scale_is_written(scale: int, whole: int) -> None:
    content = whole.to_bytes(4, "big", signed=True)
    assert Decimal(decimal_text(content, scale)) == Decimal(whole).scaleb(-scale)


@given(st.binary(max_size=200))
def test_no_bytes_end_anything(payload: bytes) -> None:
    shelf = Shelf({1: RegisteredSchema("AVRO", json.dumps(ORDER))})
    found, refused = reader(shelf).read([record(1, payload), b"{}"])
    assert len(found) == 2
    assert all(json.loads(each) is not None for each in found if each is not None)
    assert {each.index for each in refused} == {i for i, each in enumerate(found) if each is None}
