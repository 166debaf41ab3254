"""`lapwing notify`: send opened and escalated warnings to the team's channels."""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import click

from consumers.database.database import Database, StoreBusy
from consumers.loop import Backoff, Retryable, Stop, Stopped, log_wait, persist
from consumers.notify.background_reports import BackgroundReports
from consumers.notify.message import MessageWriter
from consumers.notify.metrics import NotifierFigures, notifier_snapshots
from consumers.notify.notifier import DeliveryResult, Notifier, NotifierTotals
from consumers.notify.outbox import Outbox
from consumers.notify.router import Router
from consumers.notify.routes import everything_to
from consumers.notify.senders import ChannelSender
from consumers.notify.templates import Templates
from lapwing.monitoring import endpoint
from lapwing.reports import reporter_of
from lapwing.routes import channels_of, read_routes, wrong_templates
from lapwing.settings.settings import Settings
from lapwing.terminal.status import StatusLine, log
from streams.errors import SettingsError, StoreError

LOOK_S: Final = 10.0
"""How often it is counted what waits in the outbox."""


def run(
    settings: Settings,
    follow: bool,
    from_now: bool,
    give_up_after: int,
    retry_given_up: bool,
    enable: tuple[str, ...],
    as_json: bool,
) -> None:
    """Send opened and escalated warnings from the database to the team's channels."""
    channels = channels_of(settings)
    if not channels:
        msg = "no channel to send to: set LAPWING_NOTIFY_URLS to Apprise URLs, such as json://127.0.0.1:8080"
        raise SettingsError(msg)
    names = [channel.name for channel in channels]
    if unknown := next((name for name in enable if name not in names), None):
        msg = f"--enable: there is no channel {unknown!r}: {', '.join(names)}"
        raise SettingsError(msg)
    read = read_routes(settings, names)
    tree = everything_to(names) if read is None else read.tree
    templates = Templates(settings.notify_templates)
    if mistakes := wrong_templates(tree, templates):
        raise SettingsError("\n".join(mistakes))
    with ExitStack() as stack:
        store = Database(settings.database)
        stack.callback(store.close)
        stop = stack.enter_context(Stop())
        status = stack.enter_context(StatusLine(f"notify {', '.join(names)}"))
        owner = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        reporter = reporter_of(settings, store)
        router = Router(store, tree, routes_customers=read is not None, known_to=reporter.known_to)
        outbox = Outbox(store, owner, settings.limits, router)
        watch = NotifierWatch(store, outbox, names)
        stack.enter_context(endpoint(settings, watch.snapshots))

        def on_progress(tally: NotifierTotals) -> None:
            status.show(_line(tally))
            watch.take()

        notifier = Notifier(
            outbox,
            channels,
            ChannelSender(stop),
            stop,
            writer=MessageWriter(templates, settings.app, desk_url=settings.desk_url),
            reports=BackgroundReports(reporter) if follow else reporter,
            give_up_after=timedelta(microseconds=give_up_after),
            on_progress=on_progress,
            on_wait=watch.wait,
        )
        watch.notifier = notifier
        options = {"from_now": from_now, "retry_given_up": retry_given_up}
        begin = partial(_begin, store, outbox, names, enable, **options)
        try:
            persist(begin, stop=stop, backoff=Backoff(), on_wait=log_wait, only=StoreBusy)
        except Stopped:
            log.info("stopped while waiting for the database")
            return
        tally = notifier.run(follow=follow)
        counts, waiting = outbox.counts(), outbox.waiting()
    if as_json:
        click.echo(json.dumps({**asdict(tally), "channels": counts, "waiting": waiting}))
    else:
        click.echo(_line(tally) + _waiting(waiting))
    if not follow and any(counts[name]["pending"] for name in names):
        raise SystemExit(1)


class NotifierWatch:
    """Takes the figures of a notifier as it goes on, and while it waits."""

    def __init__(self, store: Database, outbox: Outbox, channels: Sequence[str]) -> None:
        self.snapshots = notifier_snapshots()
        self.notifier: Notifier | None = None
        self._store = store
        self._outbox = outbox
        self._channels = channels
        self._looked_at = -LOOK_S
        self._waiting: int | None = None
        self._oldest: datetime | None = None
        self._lag: int | None = None
        self._lag_since: datetime | None = None
        self._disabled: list[str] = []

    def wait(self, error: Retryable, delay: float) -> None:
        """Take the figures while the notifier waits for the database."""
        log_wait(error, delay)
        self.take()

    def take(self) -> None:
        """Take the figures; what has to be read from the database only now and then."""
        if self.notifier is None:
            return
        if time.monotonic() - self._looked_at >= LOOK_S:
            self._looked_at = time.monotonic()
            with suppress(StoreError):  # the next transaction of the notifier itself says so
                self._waiting, self._oldest = self._outbox.backlog(datetime.now(UTC))
                self._lag, self._lag_since = self._outbox.lag(self._channels)
                self._disabled = self._outbox.disabled()
        paused = {*self._disabled, *self.notifier.paused()}
        counts, tally = self.notifier.deliveries, self.notifier.tally
        self.snapshots.take(
            NotifierFigures(
                deliveries={
                    name: {result.value: counts[name, result] for result in DeliveryResult}
                    for name in self._channels
                },
                entered=tally.entered,
                muted=tally.muted,
                waiting=self._waiting,
                oldest=None if self._oldest is None else self._oldest.timestamp(),
                lag_steps=self._lag,
                lag_since=None if self._lag_since is None else self._lag_since.timestamp(),
                paused={name: name in paused for name in self._channels},
                disabled={name: name in self._disabled for name in self._channels},
                database=self._store.timing.figures(),
            )
        )


def _begin(
    store: Database,
    outbox: Outbox,
    names: list[str],
    enable: tuple[str, ...],
    *,
    from_now: bool,
    retry_given_up: bool,
) -> None:
    """Bring the database up to date and make the channels known; what was done already changes nothing."""
    store.prepare()
    now = datetime.now(UTC)
    for name, waiting in outbox.add_channels(names, now, from_now=from_now).items():
        log.info("channel %s is new%s", name, "" if waiting is None else _to_be_sent(waiting))
    for name in outbox.enable(enable):
        log.info("channel %s is sent to again", name)
    for name in outbox.disabled():
        log.error("channel %s wants no more messages: `lapwing notify --enable %s` tries again", name, name)
    if retry_given_up:
        log.info("%d given up are tried again", outbox.retry_given_up(now))
    for name, counts in sorted(outbox.counts().items()):
        if name not in names and counts["pending"]:
            log.warning("%d messages wait for channel %s, which has no URL now", counts["pending"], name)


def _to_be_sent(waiting: int) -> str:
    return f": {waiting} stored steps are to be sent to it"


def _waiting(waiting: Mapping[str, int]) -> str:
    """Return the end of the last line: messages that wait for quiet hours to end or for a rate limit."""
    if not waiting:
        return ""
    return "; for later: " + ", ".join(f"{count} to {receiver}" for receiver, count in waiting.items())


def _line(tally: NotifierTotals) -> str:
    return (
        f"{tally.sent} sent, {tally.muted} muted, {tally.failed} failed attempts, {tally.given_up} given up"
    )
