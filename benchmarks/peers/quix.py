"""The job on Quix Streams 3: one dataframe of the three topics, a state for each customer in RocksDB.

python -m benchmarks.peers.quix BROKER STATS_FILE STATE_FOLDER [--no-changelog]

Quix aligns the topics by time as Lapwing does and keeps its state behind a changelog topic. It leaves out
what `plain_faust` leaves out, but for that. Quix Streams needs an older pydantic than Lapwing, so it has an
environment of its own.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

from benchmarks.peers.customer import TAKE, Event, features, instant, new_customer
from benchmarks.peers.model import Scorer
from benchmarks.peers.progress import Progress
from benchmarks.peers.rules import Warned, judge

WARNINGS_TOPIC = "quix-warnings"


def run(quixstreams: Any, broker: str, stats: Path, state_folder: Path, *, changelog: bool) -> None:
    """Run until stopped."""
    app = quixstreams.Application(
        broker_address=broker,
        consumer_group="quix",
        auto_offset_reset="earliest",
        state_dir=state_folder,
        use_changelog_topics=changelog,
        loglevel="WARNING",
    )
    progress, scorer = Progress(stats), Scorer()

    def process(event: Event, state: Any) -> list[Warned]:
        at = instant(event)
        customer = state.get("customer")
        if customer is None:
            customer = new_customer(at)
        TAKE[topic_of(event)](customer, event, at)
        seen = features(customer, at)
        seen["churn_probability"] = scorer.score(seen)
        warned = judge(event["customer_id"], customer, seen, at)
        state.set("customer", customer)
        progress.add(warned is not None)
        return [] if warned is None else [warned]

    orders, logins, complaints = (app.dataframe(app.topic(name, value_deserializer="json")) for name in TAKE)
    frame = orders.concat(logins).concat(complaints)
    frame = frame.apply(process, stateful=True, expand=True)
    frame.to_topic(app.topic(WARNINGS_TOPIC, value_serializer="json"))
    app.run()


def topic_of(event: Event) -> str:
    """Return the topic of an event: the joint dataframe does not have it."""
    if "order_id" in event:
        return "orders"
    return "complaints" if "complaint_id" in event else "logins"


def main() -> int:
    """Run, or say that it is not installed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.quix", description=__doc__)
    parser.add_argument("broker")
    parser.add_argument("stats", type=Path)
    parser.add_argument("state", type=Path)
    parser.add_argument(
        "--no-changelog", action="store_true", help="for brokers that report no topic's settings"
    )
    arguments = parser.parse_args()
    try:
        quixstreams = importlib.import_module("quixstreams")
    except ImportError:
        print("Quix Streams is not installed in this environment", file=sys.stderr)
        return 3
    changelog = not arguments.no_changelog
    run(quixstreams, arguments.broker, arguments.stats, arguments.state, changelog=changelog)
    return 0


if __name__ == "__main__":
    sys.exit(main())
