"""A real schema registry, filled by Confluent's own serializers, is read and goes away."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import urllib3
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from streams.contract.rejected import RefusalReason
from streams.inputs.formats.avro import AvroReader, AvroRecords
from streams.inputs.formats.json_schema import JsonSchemaReader
from streams.inputs.formats.reading import SchemasWanted
from streams.inputs.formats.registry import Registry
from streams.inputs.formats.schemas import Schemas
from tests.servers import Server, ServerAbsent

FIELDS = [{"name": "id", "type": "string"}]
MORE = [*FIELDS, {"name": "note", "type": ["null", "string"], "default": None}]


@pytest.fixture
def registry() -> Iterator[Server]:
    """Yield a registry of the test's own, which it may stop."""
    try:
        server = Server("registry")
    except ServerAbsent as reason:
        pytest.skip(str(reason))
    yield server
    server.stop()


def register(registry: Server, subject: str, schema: object, **more: object) -> int:
    """Return the id of a schema, after registering it: Confluent's client does not name the type of Avro."""
    content = {"schema": json.dumps(schema), "schemaType": "AVRO", **more}
    answer = urllib3.request("POST", f"{registry.address}/subjects/{subject}/versions", json=content)
    found = answer.json()
    assert answer.status == 200, found
    return int(found["id"])


def fetched(reader: AvroReader, values: list[bytes | None]) -> None:
    """Fetch the schemas that records need."""
    with pytest.raises(SchemasWanted) as wanted:
        reader.read(values)
    assert wanted.value.fetch() == 0.0


def test_what_others_register_is_read_and_outlives_the_registry(registry: Server, tmp_path: Path) -> None:
    client = SchemaRegistryClient({"url": registry.address})
    context = SerializationContext("shop.orders", MessageField.VALUE)

    def avro(fields: Sequence[object], record: dict[str, object]) -> bytes:
        schema = json.dumps({"type": "record", "name": "Order", "fields": fields})
        value: bytes = AvroSerializer(client, schema)(record, context)
        return value

    address = {"type": "record", "name": "x.Address", "fields": [{"name": "zip", "type": "string"}]}
    register(registry, "x.Address", address)
    refers = {"type": "record", "name": "Person", "fields": [{"name": "home", "type": "x.Address"}]}
    references = [{"name": "x.Address", "subject": "x.Address", "version": 1}]
    person_id = register(registry, "person", refers, references=references)
    values: list[bytes | None] = [
        avro(FIELDS, {"id": "a"}),
        avro(MORE, {"id": "b", "note": "new"}),
        b"\0" + person_id.to_bytes(4, "big") + b"\x0412",
        b"\0\0\x0f\x42\x40\x02x",
    ]
    place = registry.address
    schemas = Schemas(Registry(place), place, folder=tmp_path)
    reader = AvroReader(AvroRecords(schemas))
    fetched(reader, values)
    found, refused = reader.read(values)
    assert [each and json.loads(each) for each in found] == [
        {"id": "a"},
        {"id": "b", "note": "new"},
        {"home": {"zip": "12"}},
        None,
    ]
    assert [(each.index, each.reason) for each in refused] == [(3, RefusalReason.SCHEMA_UNKNOWN)]

    draft = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Order", "type": "object"}
    others = SerializationContext("shop.others", MessageField.VALUE)
    value = JSONSerializer(json.dumps(draft), client)({"id": "j"}, others)
    assert JsonSchemaReader().read([value]) == ([b'{"id":"j"}'], [])

    client.close()
    registry.stop()
    assert reader.read(values[:3])[0] == found[:3]
    other = b"\0\0\0\0\x63x"
    with pytest.raises(SchemasWanted) as wanted:
        reader.read([other])
    assert wanted.value.fetch() > 0
    # Neither does a new process need it for what the one before has seen.
    again = AvroReader(AvroRecords(Schemas(Registry(place), place, folder=tmp_path)))
    fetched(again, values[:3])
    assert again.read(values[:3])[0] == found[:3]
