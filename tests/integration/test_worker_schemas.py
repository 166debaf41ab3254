"""A worker whose source is Avro: while its registry is away, what needs no new schema goes on."""

from __future__ import annotations

from dataclasses import replace

from streams.core.events.topics import Topic
from streams.inputs.formats.formats import readers
from streams.inputs.formats.registry import RegisteredSchema
from streams.inputs.formats.schemas import Schemas
from streams.inputs.load import parse_inputs
from tests.integration.workers import Sent, event, make_topics, produce, running, settings_on
from tests.registry_endpoint import Producer, Shelf

INPUTS = """\
version: 1
sources:
  app-logins:
    topic: {topic}
    format: avro
    key: trusted
    events:
      - {{to: logins, fields: {{event_id: id, customer_id: who, occurred_at: at}}}}
"""
LOGIN = {"type": "record", "name": "Login", "fields": [
    {"name": "id", "type": "string"}, {"name": "who", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}}]}  # fmt: skip
AT = "2024-01-01T00:00:00Z"
AT_MS = 1_704_067_200_000


def test_a_registry_that_is_away_stops_only_what_needs_it(broker: str) -> None:
    settings = settings_on(broker, 2)
    topic = f"{settings.app}.app.logins"
    make_topics(broker, [topic], 2)
    shelf = Shelf()
    producer = Producer(shelf)
    known = dict(shelf.schemas)
    values = [producer.avro(LOGIN, {"id": f"l{n}", "who": "ann", "at": AT_MS}) for n in range(3)]
    unknown = values[0][:1] + (999).to_bytes(4, "big") + values[0][5:]
    registered: dict[int, RegisteredSchema] = dict(shelf.schemas)
    shelf.schemas, shelf.away = known, True
    schemas = Schemas(shelf, "place")
    inputs = parse_inputs("inputs.yaml", INPUTS.format(topic=topic).encode(), readers(schemas))
    orders = settings.topics[Topic.ORDERS]
    with running(replace(settings, sources=inputs.by_topic)) as worker:
        produce(broker, [Sent(topic, b"x", value, 0) for value in (*values, unknown)])
        worker.wait_until(lambda: worker.stats is not None and worker.stats.schema_wait == [f"{topic}/0"])
        produce(broker, [Sent(orders, b"bob", event(Topic.ORDERS, "o1", "bob", AT), 1)])
        worker.wait_until(lambda: [name for _, name in worker.engines[1].events] == ["o1"])
        assert worker.engines[0].events == []
        shelf.schemas, shelf.away = registered, False
        worker.wait_until(lambda: worker.count() == 4)
        assert [name for _, name in worker.engines[0].events] == ["l0", "l1", "l2"]
        worker.wait_until(
            lambda: worker.stats is not None and worker.stats.refused_by_reason == {"schema_unknown": 1}
        )
        assert worker.stats is not None
        assert worker.stats.schema_wait == []
        shelf.away = True  # known is known
        produce(broker, [Sent(topic, b"x", producer.avro(LOGIN, {"id": "l9", "who": "ann", "at": AT_MS}), 0)])
        worker.wait_until(lambda: worker.count() == 5)
