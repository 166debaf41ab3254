"""`lapwing tail`: print warnings from the topic as they come."""

from __future__ import annotations

import click

from consumers.broker.client import Cluster, Subscription
from consumers.broker.records import Record
from consumers.loop import Stop
from consumers.tail import one_line, tail_of
from lapwing.settings.settings import Settings
from lapwing.terminal.text import printable
from streams.contract.segments import SegmentEvent, parse_segment_warning
from streams.contract.warnings import WarningEvent, parse_warning

COLOURS = {"high": "red", "medium": "yellow", "low": "cyan"}


def run(
    settings: Settings, segments: bool, from_beginning: bool, follow: bool, as_json: bool, holdout: bool
) -> None:
    """Print warnings from the topic as they come: time, tier, what happened, customer, why."""
    subscription = Subscription(
        Cluster(settings.broker, settings.kafka_security),
        settings.segment_warnings_topic if segments else settings.warnings_topic,
        group=None,
        from_beginning=from_beginning,
    )

    if follow and not from_beginning:
        said = "waiting for new warnings; those of before are printed with --from-beginning"
        click.echo(said, err=True)

    def on_event(event: WarningEvent | SegmentEvent, value: bytes) -> None:
        if as_json:
            click.echo(value.replace(b"\n", b" "))
        else:
            click.secho(printable(one_line(event)), fg=COLOURS.get(event.data.tier))

    def on_unreadable(record: Record, why: str) -> None:
        click.echo(f"{record.topic}[{record.partition}]@{record.offset}: {why}", err=True)

    def parse(value: bytes) -> WarningEvent | SegmentEvent:
        return parse_segment_warning(value) if segments else parse_warning(value)

    try:
        with Stop() as stop:
            tail_of(
                parse,
                subscription,
                stop,
                follow=follow,
                on_event=on_event,
                on_unreadable=on_unreadable,
                passes=lambda event: holdout or isinstance(event, SegmentEvent) or not event.data.holdout,
            )
    except BrokenPipeError:  # `lapwing tail | head` has read enough
        raise SystemExit(0) from None
    finally:
        subscription.close()
