"""`lapwing sink`: store warnings in a database."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from consumers.database.database import Database
from consumers.kafka import Cluster, Subscription
from consumers.loop import Stop
from consumers.sink.sink import Sink
from consumers.sink.store import Counts
from lapwing.options import settings_options
from lapwing.settings import Settings
from lapwing.status import Status


@click.command()
@settings_options("broker", "app", "warnings_topic", "database", "session_timeout")
@click.option("--follow/--no-follow", default=True, help="Go on for ever, or stop at the topic's end.")
@click.option("--json", "as_json", is_flag=True, help="Print the final counts as JSON.")
def command(
    settings: Settings,
    follow: bool,
    as_json: bool,
) -> None:
    """Store warnings in a database, each step once, whatever is repeated or interrupted.

    Runs until Ctrl-C or SIGTERM. Several at once share the topic's partitions.
    """
    store = Database(settings.database)
    try:
        store.prepare()
        subscription = Subscription(
            Cluster(settings.broker, settings.kafka_security),
            settings.warnings_topic,
            group=f"{settings.app}-sink",
            session_timeout_ms=settings.session_timeout // 1000,
        )
        try:
            with Stop() as stop, Status(f"sink into {store.place}") as status:

                def on_progress(counts: Counts, lag: int | None) -> None:
                    status.show(_line(counts) + ("" if lag is None else f", {lag} to come"))

                counts = Sink(subscription, store, stop, on_progress=on_progress).run(follow=follow)
        finally:
            subscription.close()
    finally:
        store.close()
    click.echo(json.dumps(asdict(counts)) if as_json else _line(counts))


def _line(counts: Counts) -> str:
    return f"{counts.steps} steps stored, {counts.repeats} repeats, {counts.unreadable} unreadable"
