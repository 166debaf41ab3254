"""`lapwing rules audit`: what was changed in the rules, when, from which set to which."""

from __future__ import annotations

import click

from consumers.audit import adopted, lines, together
from consumers.broker.client import Cluster, Subscription
from consumers.broker.records import Record
from consumers.loop import Stop
from lapwing.settings.settings import Settings
from lapwing.terminal.text import printable


def run(settings: Settings, as_json: bool) -> None:
    """Print every change of the rules that workers have made: when, where, from what to what."""
    cluster = Cluster(settings.broker, settings.kafka_security)
    subscription = Subscription(cluster, settings.audit_topic, group=None, from_beginning=True)

    def on_unreadable(record: Record, why: str) -> None:
        click.echo(f"{record.topic}[{record.partition}]@{record.offset}: {why}", err=True)

    try:
        with Stop() as stop:
            found = adopted(subscription, stop, on_unreadable)
            if as_json:
                for adoption in found:
                    click.echo(adoption.model_dump_json())
                return
            for change in together(found):
                for line in lines(change):
                    click.echo(printable(line))
    finally:
        subscription.close()
