"""A schema registry's HTTP on this machine, bent as a test wants it, and the serializers of others."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from streams.inputs.formats.registry import RegisteredSchema, RegistryAway, RegistryError


@dataclass
class Shelf:
    """Schemas by their ids, as a registry has them; it may be away."""

    schemas: dict[int, RegisteredSchema] = field(default_factory=dict)
    away: bool = False
    asked: list[int] = field(default_factory=list)

    def fetch(self, schema_id: int) -> RegisteredSchema:
        self.asked.append(schema_id)
        if self.away:
            msg = "the schema registry is away"
            raise RegistryAway(msg)
        if schema_id not in self.schemas:
            msg = f"the schema registry does not know schema {schema_id}"
            raise RegistryError(msg)
        return self.schemas[schema_id]


class Producer:
    """Writes records as Confluent's own serializer does, into a registry of its own in memory."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._client = SchemaRegistryClient.new_client({"url": "mock://"})

    def avro(self, schema: Any, record: Any, topic: str = "orders") -> bytes:
        """Return a record, its schema registered."""
        text = schema if isinstance(schema, str) else json.dumps(schema)
        write = AvroSerializer(self._client, text, conf={"auto.register.schemas": True})
        value: bytes = write(record, SerializationContext(topic, MessageField.VALUE))
        schema_id = int.from_bytes(value[1:5], "big")
        found = self._client.get_schema(schema_id)
        self._shelf.schemas[schema_id] = RegisteredSchema(found.schema_type or "AVRO", found.schema_str or "")
        return value


Answer = tuple[int, bytes]


@dataclass
class RegistryEndpoint:
    """Answers with what `answers` says by path: a status and a body, or what makes them of the headers."""

    answers: dict[str, Answer | Callable[[Any], Answer]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Path and authorization."""
    headers: dict[str, str] = field(default_factory=dict)
    url: str = ""
    _server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                login = self.headers.get("authorization", "")
                endpoint.asked.append((self.path, login))
                found = endpoint.answers.get(self.path, (404, b'{"error_code": 40403, "message": "no"}'))
                status, content = found(self.headers) if callable(found) else found
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                for name, value in endpoint.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()


def basic(username: str, password: str) -> str:
    """Return the header with which somebody signs in."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
