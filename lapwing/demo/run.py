"""The demo from beginning to end: broker, topics, worker, sink, the live stream, and the figures."""

from __future__ import annotations

import math
import os
import shlex
import sys
import time
import webbrowser
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from rich.console import Console

from consumers.broker import topics
from consumers.broker.client import Admin, Cluster, Producer, Subscription
from consumers.database.database import Database
from consumers.loop import Stop
from lapwing.demo.broker import EmbeddedBroker
from lapwing.demo.children import Child
from lapwing.demo.feed import Feed
from lapwing.demo.outcome import observed_outcome, simulated_outcome
from lapwing.demo.place import DemoFolders, embedded_broker, find_rules, lay_out, make_folder, users_broker
from lapwing.demo.report import observed_report, simulated_report
from lapwing.demo.screen import Screen
from lapwing.demo.source import FileSource, ShopSource, until
from lapwing.demo.stats import WorkerStats
from lapwing.demo.watch import Watch
from lapwing.settings.settings import Settings
from lapwing.topic_plan import planned
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.errors import BrokerError, DemoError
from streams.rulebook.load import load_rulebook
from streams.simulate.shop import Shop

PLAY_S: Final = 65.0
"""How long the stream lasts where no speed is given and the machine keeps up."""
LATEST_END_S: Final = 88.0
"""How long after the demo's start the stream is cut off where it is slower, if no speed is given."""
FULL: Final = 12_000
"""Records that the worker may be behind before the stream waits for it."""
READY_S: Final = 40.0
"""How long the worker may take to get its partitions."""
DESK_S: Final = 20.0
"""How long the desk may take to say where it is."""
PARTITIONS: Final = 3
START: Final = date(2023, 1, 2)
REORDER_S: Final = 0.5
"""Records of two topics may come so far apart; the speed makes simulated time of it, for the worker."""
FLUSH_AFTER: Final = "1500ms"
"""When the stream has stood still for this long, the worker judges the last events too."""
INTERRUPTED: Final = 130
"""The exit code of a program that Ctrl-C ended."""


@dataclass(frozen=True, slots=True)
class Options:
    """What may be chosen."""

    customers: int
    days: int
    seed: int
    data: Path | None
    speed: float | None
    """Simulated days a second."""
    folder: Path | None
    port: int | None
    broker: str | None
    rules: Path | None
    serve: bool


def run(options: Options, console: Console) -> int:
    """Run the demo and return its exit code."""
    latest_end = math.inf if options.speed else time.monotonic() + LATEST_END_S
    rules = find_rules(options.rules)
    load_rulebook(rules)
    broker_settings = users_broker(options.broker) if options.broker else embedded_broker()
    source = FileSource(options.data) if options.data else ShopSource(_shop(options))
    speed = options.speed or max(source.days, 1.0) / PLAY_S
    with Stop() as stop, ExitStack() as stack:
        address = options.broker or stack.enter_context(EmbeddedBroker(options.port)).address
        reorder_us = int(speed * REORDER_S * DAY)
        place = lay_out(make_folder(options.folder), rules, address, reorder_us, broker_settings)
        console.print(f"Everything of this run is in {place.folder}", highlight=False, soft_wrap=True)
        watch, feed, desk = _start(stack, place, source, speed, Screen(console, time.monotonic))
        where = None if desk is None else _where(desk, stop)
        at = (
            f"is at {where}"
            if where
            else "is slow to start"
            if desk
            else "needs: pip install 'lapwing[desk]'"
        )
        console.print(f"The desk {at}", highlight=False, soft_wrap=True)
        if where and console.is_terminal and _has_screen():
            webbrowser.open(where)
        finished = _play(watch, feed, stop, latest_end)
        if stop.asked:
            console.print(
                f"Stopped. The warnings so far are in {place.database}", highlight=False, soft_wrap=True
            )
            return INTERRUPTED
        for line in _report(source, feed, watch, place.settings, finished=finished):
            console.print(line, highlight=False, soft_wrap=True, markup=False)
        for line in _database(place, watch):
            console.print(line, highlight=False, soft_wrap=True, markup=False)
        if options.serve:
            _serve(place, watch, stop, console, where)
    return 0


def _shop(options: Options) -> Shop:
    return Shop(options.customers, options.days, options.seed, START)


def _start(
    stack: ExitStack, place: DemoFolders, source: ShopSource | FileSource, speed: float, screen: Screen
) -> tuple[Watch, Feed, Child | None]:
    """Start all parts; each is ended by `stack`, the last one first."""
    settings = place.settings
    cluster = Cluster(settings.broker, settings.kafka_security)
    inputs = _make_topics(cluster, settings)
    database = Database(settings.database)
    stack.callback(database.close)
    database.prepare()
    config = ("--config", str(place.config))
    own = ("--stats", str(place.stats), "--flush-after", FLUSH_AFTER)
    worker = Child("worker", [*config, *own], place.folder, place.environment)
    stack.enter_context(worker)
    sink = stack.enter_context(Child("sink", config, place.folder, place.environment))
    desk = None
    if find_spec("fastapi") is not None:  # of the extra `desk`
        listen = ("--desk-listen", "127.0.0.1:0")
        desk = stack.enter_context(Child("desk", [*config, *listen], place.folder, place.environment))
    subscription = Subscription(cluster, settings.warnings_topic, group=None)
    stack.callback(_quietly, subscription.close)
    producer = Producer(cluster)
    stack.callback(_quietly, producer.close)
    stats = WorkerStats(place.stats)
    feed = Feed(source, producer, inputs, speed, lambda: stats.behind > FULL)
    stack.callback(feed.stop)
    children = (worker, sink) if desk is None else (worker, sink, desk)
    watch = Watch(children, stats, subscription, database, feed, screen, source.title)
    return watch, feed, desk


def _where(desk: Child, stop: Stop) -> str | None:
    """Return the address of the desk; `None` where it is slow, or the user asks to stop."""
    deadline = time.monotonic() + DESK_S
    while time.monotonic() < deadline:
        desk.check()
        address = desk.printed(r"the desk is at (\S+)")
        if address is not None or stop.wait(0.1):
            return address
    return None


def _has_screen() -> bool:
    """Return whether a browser opened here is seen by somebody, and is none that runs in the terminal."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _quietly(close: Callable[[], None]) -> None:
    """Close what may have lost its broker already: why the demo ends was printed before."""
    with suppress(BrokerError):
        close()


def _make_topics(cluster: Cluster, settings: Settings) -> dict[Topic, str]:
    """Create the topics of this run and return the names of the inputs."""
    admin = Admin(cluster)
    try:
        wanted = planned(settings)
        topics.create(admin, wanted, PARTITIONS, 1)
        there = admin.partitions()
        bad = [finding for finding in topics.check(wanted, there) if finding.remedy]
    finally:
        admin.close()
    if bad:
        msg = f"the broker's topic {bad[0].topic} does not fit: {bad[0].remedy}"
        raise DemoError(msg)
    return {topic: name for topic, name in settings.topics.items() if name in there}


def _play(watch: Watch, feed: Feed, stop: Stop, latest_end: float) -> bool:
    """Play the stream until the worker and the sink have all of it; return whether they had it in time."""
    with watch.screen:
        if not watch.until(watch.worker_ready, READY_S, stop, "waiting for the worker to get its partitions"):
            if stop.asked:
                return False
            msg = f"the worker got no partitions within {READY_S:.0f} s (its log: {watch.children[0].log})"
            raise DemoError(msg)
        feed.start()
        watch.until(lambda: feed.done, latest_end - time.monotonic(), stop, "")
        feed.stop()
        watch.mark_end()
        return watch.until_settled(stop, "the stream is over; what is under way is finished")


def _report(
    source: ShopSource | FileSource, feed: Feed, watch: Watch, settings: Settings, *, finished: bool
) -> list[str]:
    """Return the report on the warnings."""
    horizon_days = settings.horizon // DAY
    lines = ["", f"{feed.sent:,} events, {feed.part * source.days:,.0f} days of {source.title}"]
    if feed.part < 0.99:
        lines.append(
            f"This machine was too slow for all {source.days:,.0f} days in a minute; --speed plays them all"
        )
    if watch.stats.refused:
        lines.append(f"{watch.stats.refused:,} events were refused")
    if not finished:
        behind = watch.stats.behind
        lines.append(
            f"The worker did not come to the end in time: {behind:,} records are in none of the figures below"
            if behind
            else "The sink did not come to the end in time: the database does not hold everything yet"
        )
    lines.append("")
    if feed.at is None:
        return lines
    episodes, end = watch.ledger.episodes(), feed.at
    if isinstance(source, ShopSource):
        orders = until(source.orders, end)
        outcome = simulated_outcome(episodes, source.truth(), orders, end, settings.horizon)
        return lines + simulated_report(outcome, horizon_days)
    if source.refused:
        lines.insert(-1, f"{source.refused:,} lines of the file are no events and were left out")
    history = source.history(end, settings)
    observed = observed_outcome(episodes, history, settings.time_zone, settings.horizon)
    return lines + observed_report(observed, horizon_days)


def _database(place: DemoFolders, watch: Watch) -> list[str]:
    """Return where the warnings are and how to look at them."""
    query = "SELECT tier, state, count(*) FROM warnings GROUP BY tier, state"
    rows = watch.rows() or {}
    return [
        f"Database   {rows.get('warnings', 0):,} warnings, {rows.get('outcomes', 0):,} outcomes, "
        f"{rows.get('customer_days', 0):,} customer days and {rows.get('census', 0):,} cells of the census "
        f"in {place.database}; for example",
        f'           sqlite3 {place.database} "{query}"',
        f"           lapwing report --config {shlex.quote(str(place.config))} --html report.html",
    ]


def _serve(place: DemoFolders, watch: Watch, stop: Stop, console: Console, desk: str | None) -> None:
    """Keep everything up until Ctrl-C."""
    console.print(
        f"\nBroker, worker, sink and desk go on at {place.settings.broker} until Ctrl-C; for example\n"
        f"           {desk or f'lapwing desk --config {place.config}'}\n"
        f"           lapwing tail --config {place.config} --from-beginning",
        highlight=False,
        soft_wrap=True,
    )
    while not stop.wait(1.0):
        watch.check()
