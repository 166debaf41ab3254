"""`lapwing simulate`: a seeded shop with known truth, to a file or to Kafka."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lapwing.settings.settings import DEFAULT, Settings
from lapwing.terminal.output import check_outputs, whole_file
from lapwing.terminal.progress import progress_bar
from streams.errors import BrokerError
from streams.kafka.errors import no_topic

if TYPE_CHECKING:
    import polars as pl

    from streams.simulate.helped_shop import HelpedShop
    from streams.simulate.shop import Shop


def run(
    settings: Settings,
    customers: int,
    days: int,
    seed: int,
    start: datetime,
    out: Path | None,
    truth: Path | None,
    speed: float | None,
    capacity: int | None,
    effects: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make a seeded shop with known truth, of any size."""
    to_kafka = out is None and settings.source("broker") != DEFAULT
    if out is None and truth is None and not to_kafka:
        msg = "give --out FILE, --broker HOST:PORT or --truth FILE"
        raise click.UsageError(msg)
    if speed is not None and not to_kafka:
        msg = "--speed is for --broker; a file is written as fast as possible"
        raise click.UsageError(msg)
    if effects and capacity is None:
        msg = "--effect is for a team: give --capacity, too"
        raise click.UsageError(msg)
    if capacity is not None and out is None:
        msg = "--capacity is for --out: the team's shop is written to a file"
        raise click.UsageError(msg)

    from streams.files.packing import suffix_of
    from streams.simulate.files import write_events, write_truth
    from streams.simulate.shop import Shop

    check_outputs((out, truth))
    for path in (out, truth):
        if path is not None:
            suffix_of(path)
    shop = Shop(customers, days, seed, start.date(), settings.time_zone)
    begun = time.perf_counter()
    helped = None if capacity is None else _helped(settings, shop, capacity, effects)
    count = 0
    if out is not None:
        frames = (shop if helped is None else helped).frames()
        with whole_file(out) as part, progress_bar("days") as bar:
            count = write_events(_watched(shop, frames, bar), part, suffix_of(out))
    elif to_kafka:
        count = _send(settings, shop, speed)
    if truth is not None:
        with whole_file(truth) as part:
            write_truth((shop if helped is None else helped).truth(), part, suffix_of(truth))
    _tell(count, shop, time.perf_counter() - begun, str(out or settings.broker), as_json)


def _send(settings: Settings, shop: Shop, speed: float | None) -> int:
    """Send the events to the broker's topics, those of optional topics only where there are such."""
    from consumers.broker.client import Admin, Cluster, Producer
    from consumers.loop import Stop
    from streams.core.events.topics import REQUIRED, Topic
    from streams.simulate.pace import SimulatedPace, Slice
    from streams.simulate.records import records_of
    from streams.simulate.send import send_slice

    cluster = Cluster(settings.broker, settings.kafka_security)
    admin = Admin(cluster)
    try:
        there = admin.partitions()
    finally:
        admin.close()
    missing = [settings.topics[topic] for topic in REQUIRED if settings.topics[topic] not in there]
    if missing:
        raise BrokerError(no_topic(f"Kafka at {settings.broker}", *missing))
    names = {topic: settings.topics[topic] for topic in Topic if settings.topics[topic] in there}

    producer = Producer(cluster)
    count = 0
    try:
        with Stop() as stop, progress_bar("days") as bar:
            parts = (records_of(frame) for frame in _watched(shop, shop.frames(), bar))
            if speed is None:
                slices: Iterable[Slice] = (Slice(r, 0, len(r), int(r.at[-1])) for r in parts)
            else:
                slices = SimulatedPace(speed, time.monotonic, stop.wait).play(parts)
            for part in slices:
                if stop.asked:
                    break
                count += send_slice(producer, part, names)
            producer.flush()
    finally:
        producer.close()
    return count


def _helped(settings: Settings, shop: Shop, capacity: int, effects: tuple[str, ...]) -> HelpedShop:
    """Return the shop with a team that works the queue of the settings' rules and plays."""
    from lapwing.wiring import engine
    from streams.rulebook.load import load_rulebook
    from streams.simulate.helped_shop import HelpedShop

    rules = load_rulebook(settings.rules).rules
    chances = {play.id: play.success.chance for play in rules.plays.plays}
    for given in effects:
        name, _, text = given.partition("=")
        try:
            chance = float(text)
        except ValueError:
            chance = -1.0
        if not 0 <= chance <= 1:
            msg = f"--effect {given}: give PLAY=CHANCE, with a chance from 0 to 1, as in care-call=0.3"
            raise click.UsageError(msg)
        if name not in chances:
            msg = f"--effect {given}: there is no play {name!r}; there are {', '.join(chances) or 'none'}"
            raise click.UsageError(msg)
        chances[name] = chance
    return HelpedShop(shop, engine(settings, rules, desk=True), capacity, chances)


def _watched(
    shop: Shop, frames: Iterable[pl.DataFrame], bar: Callable[[int, int], None]
) -> Iterator[pl.DataFrame]:
    """Yield the shop's frames and show in the bar how many days are done."""
    first = shop.start.toordinal()
    for frame in frames:
        yield frame
        last: datetime = frame["occurred_at"].item(-1)
        bar(last.toordinal() - first + 1, shop.days)


def _tell(count: int, shop: Shop, seconds: float, place: str, as_json: bool) -> None:
    """Print what was made and how fast."""
    rate = count / seconds if seconds else 0.0
    if as_json:
        summary = {
            "events": count,
            "customers": shop.customers,
            "days": shop.days,
            "seconds": round(seconds, 3),
        }
        click.echo(json.dumps(summary))
    else:
        click.echo(
            f"{count:,} events of {shop.customers:,} customers over {shop.days:,} days to {place} "
            f"in {seconds:.1f} s ({rate:,.0f} a second)",
            file=sys.stderr,
        )
