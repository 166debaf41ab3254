"""JSON with the id of its schema before it, written by Confluent's own serializer."""

from __future__ import annotations

import json

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from streams.contract.rejected import RefusalReason
from streams.inputs.formats.json_schema import JsonSchemaReader

SCHEMA = {"title": "Order", "type": "object", "properties": {"id": {"type": "string"}}}


def test_what_follows_the_id_is_the_record() -> None:
    client = SchemaRegistryClient.new_client({"url": "mock://"})
    write = JSONSerializer(json.dumps(SCHEMA), client)
    value = write({"id": "o-1"}, SerializationContext("orders", MessageField.VALUE))
    found, refused = JsonSchemaReader().read([value, None, b'{"id": "o-2"}'])
    assert [None if each is None else json.loads(each) for each in found] == [{"id": "o-1"}, None, None]
    assert [(each.index, each.reason) for each in refused] == [(2, RefusalReason.UNREADABLE)]
