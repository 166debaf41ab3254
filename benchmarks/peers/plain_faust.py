"""The job on plain Faust 0.15: an agent for each topic, an event at a time.

python -m benchmarks.peers.plain_faust BROKER STATS_FILE [--table PARTITIONS] [--record]

The customers are a dict in memory, which is lost with the process, or a Faust table, which a changelog topic
brings back. Events are dicts from Faust's JSON codec, or `faust.Record`s with `--record`. It leaves out what
such code usually leaves out and Lapwing does: repeats, order between topics, lateness, rejected records, the
daily look at customers who did nothing, and a model that goes on learning.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import faust
import mode.loop
from faust.types import StreamT

from benchmarks.peers.customer import TAKE, Customer, features, instant, new_customer
from benchmarks.peers.model import Scorer
from benchmarks.peers.progress import Progress
from benchmarks.peers.rules import judge

WARNINGS_TOPIC = "plain-faust-warnings"


class Order(faust.Record, serializer="json"):
    """An order."""

    event_id: str
    customer_id: str
    occurred_at: str
    order_id: str
    amount: float
    currency: str
    status: str = "placed"
    channel: str | None = None
    category: str | None = None


class Login(faust.Record, serializer="json"):
    """A login."""

    event_id: str
    customer_id: str
    occurred_at: str
    channel: str | None = None


class Complaint(faust.Record, serializer="json"):
    """A complaint."""

    event_id: str
    customer_id: str
    occurred_at: str
    complaint_id: str
    status: str = "opened"
    category: str | None = None
    satisfaction: int | None = None


RECORDS = {"orders": Order, "logins": Login, "complaints": Complaint}


def build(broker: str, stats: Path, *, table_partitions: int | None, record: bool) -> faust.App:
    """Return the app; with a table of so many partitions, or with a dict."""
    app = faust.App(
        f"plain-faust-{'record' if record else 'table' if table_partitions else 'dict'}",
        broker=f"kafka://{broker}",
        store="memory://",
        web_enabled=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        stream_buffer_maxsize=32_768,
        broker_max_poll_records=10_000,
        producer_linger=0.05,
        consumer_auto_offset_reset="earliest",
    )
    warnings = app.topic(WARNINGS_TOPIC, key_type=bytes, value_serializer="json")
    progress, scorer = Progress(stats), Scorer()
    customers: MutableMapping[str, Customer] = {}
    if table_partitions:
        customers = app.Table("customers", partitions=table_partitions)

    async def process(topic: str, event: Any, fields: dict[str, Any]) -> None:
        customer_id = fields["customer_id"]
        at = instant(fields)
        customer = customers.get(customer_id)
        if customer is None:
            customer = new_customer(at)
        TAKE[topic](customer, fields, at)
        seen = features(customer, at)
        seen["churn_probability"] = scorer.score(seen)
        warned = judge(customer_id, customer, seen, at)
        customers[customer_id] = customer
        if warned is not None:
            await warnings.send(key=customer_id.encode(), value=warned)
        progress.add(warned is not None)

    def add_agent(topic: str) -> None:
        if record:
            source = app.topic(topic, value_type=RECORDS[topic])
        else:
            source = app.topic(topic, value_serializer="json")

        @app.agent(source, name=topic)
        async def take(events: StreamT[Any]) -> None:
            async for event in events:
                await process(topic, event, event.asdict() if record else event)

    for topic in TAKE:
        add_agent(topic)
    return app


def main() -> None:
    """Run until stopped."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.plain_faust", description=__doc__)
    parser.add_argument("broker")
    parser.add_argument("stats", type=Path)
    parser.add_argument("--table", type=int, metavar="PARTITIONS", help="keep customers in a Faust table")
    parser.add_argument("--record", action="store_true", help="decode into faust.Record instead of dict")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    with suppress(ImportError):
        mode.loop.use("uvloop")
    app = build(arguments.broker, arguments.stats, table_partitions=arguments.table, record=arguments.record)
    faust.Worker(app, loglevel="WARN", quiet=True).execute_from_commandline()


if __name__ == "__main__":
    main()
