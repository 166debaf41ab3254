"""`lapwing erase`: erase customers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import click

from consumers.broker.client import Admin, Cluster, Producer, Subscription
from consumers.database.database import Database
from consumers.database.erasure import erase_rows
from consumers.erasure import (
    bury,
    erase_from_silences,
    erase_from_store,
    read_requests,
    request_erasure,
    write_silences,
)
from consumers.silences import read_silences
from lapwing.erasure import COMPACT, DELETE, ErasureReport, expiry, lines, now_utc, policies
from lapwing.mapped_topics import mapped_topics
from lapwing.settings.settings import DEFAULT, Settings
from lapwing.settings.values import NO_CHECKPOINTS
from lapwing.terminal.progress import progress_bar
from lapwing.topic_plan import of_customers, planned
from lapwing.wiring import erasure_key
from streams.checkpoints.erasures import (
    ErasureStage,
    PartitionErasure,
    erasure_progress,
    partitions_with,
)
from streams.checkpoints.store import CheckpointStore
from streams.contract.erasures import ErasureKey, encode_erasure, made_with
from streams.contract.instants import EPOCH, format_instant, to_us
from streams.core.events.calendar import NEVER
from streams.duration import UNITS
from streams.errors import BrokerError, ErasureError, SettingsError, StoreError
from streams.kafka.errors import no_topic
from streams.rulebook.reader import RulebookRefused

LOOK_S: Final = 1.0
"""How often the checkpoints are looked at."""
LONGEST_ID: Final = 128
_STAGES: Final = tuple(ErasureStage)


@dataclass(slots=True)
class _Places:
    """Where customers may be, as far as each can be reached."""

    settings: Settings
    key: ErasureKey
    producer: Producer
    silences: Subscription | None
    topics: Mapping[str, Mapping[str, str]]
    """The topics of customers that there are, with their settings."""
    database: Database | None
    checkpoints: CheckpointStore | None


def run(
    customers: tuple[str, ...],
    settings: Settings,
    wait: bool,
    within: int,
    check: bool,
    listed: bool,
    as_json: bool,
) -> None:
    """Erase customers, report what there is of them, or list all erasures."""
    if listed:
        _list(settings)
        return
    if not customers:
        msg = "name the customers to erase"
        raise click.UsageError(msg)
    key = erasure_key(settings)
    if key is None:
        msg = (
            "LAPWING_ERASURE_KEY is not set: choose a secret of 16 characters or more, give it to workers "
            "and the sink, and keep it for as long as older events may be read again"
        )
        raise SettingsError(msg)
    names = tuple(dict.fromkeys(customers))
    if any(not 1 <= len(name) <= LONGEST_ID for name in names):
        msg = f"a customer's id has 1 to {LONGEST_ID} characters"
        raise click.UsageError(msg)
    with ExitStack() as stack:
        places = _reached(settings, key, stack)
        if check:
            report = _looked(places, names)
        else:
            report = _erased(places, names, wait=wait, within_s=within / UNITS["s"])
    if as_json:
        click.echo(json.dumps(report.as_json()))
    else:
        for line in lines(report, checked=check):
            click.echo(line)
    if report.failures:
        msg = f"not everything is erased: {'; '.join(report.failures)}"
        raise ErasureError(msg)


def _list(settings: Settings) -> None:
    """Print the newest erasure of each hash, as on the topic."""
    cluster = Cluster(settings.broker, settings.kafka_security)
    with closing(Subscription(cluster, settings.erasures_topic, group=None)) as subscription:
        requests = [request for request in read_requests(subscription) if not request.is_marker]
    newest = {request.hash: request for request in requests}
    for request in sorted(newest.values(), key=lambda each: (each.erased_at, each.hash)):
        click.echo(encode_erasure(request).decode())


def _reached(settings: Settings, key: ErasureKey, stack: ExitStack) -> _Places:
    """Return the places; raise where the erasure cannot be asked for at all."""
    cluster = Cluster(settings.broker, settings.kafka_security)
    with closing(Admin(cluster)) as admin:
        there = admin.partitions()
        if settings.erasures_topic not in there:
            msg = no_topic(f"Kafka at {settings.broker}", settings.erasures_topic)
            msg += "; start the workers again after that"
            raise BrokerError(msg)
        names = [name for name in of_customers(settings) if name in there]
        found = admin.configs(names)
    plan = {spec.name: spec.config for spec in planned(settings)}
    topics = {name: found.get(name) or plan[name] for name in names}
    with closing(Subscription(cluster, settings.erasures_topic, group=None)) as subscription:
        made_with(key, read_requests(subscription))  # raises where it is the wrong one
    silences = None
    if settings.silences_topic in there:
        silences = Subscription(cluster, settings.silences_topic, group=None)
        stack.callback(silences.close)
    producer = Producer(cluster)
    stack.callback(producer.close)
    database = Database(settings.database)
    stack.callback(database.close)
    kept = settings.checkpoints != NO_CHECKPOINTS
    return _Places(
        settings,
        key,
        producer,
        silences,
        topics,
        database if database.is_there else None,
        CheckpointStore(settings.checkpoints, settings.app) if kept else None,
    )


def _report(places: _Places, names: Sequence[str], at: datetime, *, checked: bool = False) -> ErasureReport:
    report = ErasureReport(
        format_instant(to_us(at)),
        [places.key.hash(name) for name in names],
        database=Database(places.settings.database).place,
    )
    if places.database is None:
        _absent(report, f"there is no database {report.database}", places.settings, "database")
    if places.checkpoints is None:
        report.notes.append("workers keep no checkpoints: they forget the customers within seconds")
    elif not places.checkpoints.partitions():
        what = f"{places.checkpoints.place} has no checkpoints of {places.settings.app}"
        if checked:
            _absent(report, what, places.settings, "checkpoints")
        else:
            report.notes.append(what)
    report.notes += _of_others(places.settings)
    report.expiring = [
        expiry(topic, config, at)
        for topic, config in places.topics.items()
        if DELETE in policies(config) or COMPACT not in policies(config)
    ]
    return report


def _of_others(settings: Settings) -> list[str]:
    """Return what is to be said of topics that Lapwing reads and others write."""
    try:
        names = sorted(set(mapped_topics(settings)) - set(settings.topics.values()))
    except (RulebookRefused, SettingsError) as error:
        return [f"which of your own topics hold the customers cannot be read: {str(error).splitlines()[0]}"]
    if not names:
        return []
    return [
        f"{', '.join(names)}: your own topics, mapped by {settings.inputs_file}; Lapwing deletes nothing "
        "there. What a worker reads of them again, dated before the erasure, it leaves out"
    ]


def _absent(report: ErasureReport, what: str, settings: Settings, setting: str) -> None:
    """Note that a place is not there: a failure where somebody has named it, as the name may be wrong."""
    (report.notes if settings.source(setting) == DEFAULT else report.failures).append(what)


# -- looking ----------------------------------------------------------------------------------------


def _looked(places: _Places, names: Sequence[str]) -> ErasureReport:
    """Return what there is of customers in the places that can be erased."""
    report = _report(places, names, now_utc(), checked=True)
    found = _find(places, names, report)
    report.unknown = [places.key.hash(name) for name in names if name not in found]
    report.partitions = _progress(places, names, EPOCH)
    if places.silences is not None:
        silences = read_silences(places.silences).values()
        changed = {each for name in names for each in erase_from_silences(silences, name)}
        report.silences = len(changed)
    for what, there in (
        ("rows in the database", report.rows),
        ("silences", report.silences),
        ("checkpoints", report.states),
    ):
        if there:
            report.failures.append(f"there are {what}")
    return report


def _find(places: _Places, names: Sequence[str], report: ErasureReport) -> set[str]:
    """Note what there is of customers in database and checkpoints, and return of whom there is anything."""
    found: set[str] = set()
    if places.database is not None:
        for name in names:
            rows = _rows_of(places.database, name)
            if rows:
                found.add(name)
            _add(report.rows, rows)
    if places.checkpoints is not None:
        there = partitions_with(places.checkpoints, names)
        found |= there.keys()
        report.states = sorted({number for numbers in there.values() for number in numbers})
    return found


def _rows_of(database: Database, name: str) -> dict[str, int]:
    """Return how many rows there are of a customer: they are deleted, and that is taken back."""
    database.prepare()
    with database.writing() as connection:
        attempt = connection.begin_nested()
        rows = erase_rows(connection, name)
        attempt.rollback()
    return rows


def _add(rows: dict[str, int], more: Mapping[str, int]) -> None:
    for table, count in more.items():
        rows[table] = rows.get(table, 0) + count


# -- erasing ----------------------------------------------------------------------------------------


def _erased(places: _Places, names: Sequence[str], *, wait: bool, within_s: float) -> ErasureReport:
    """Erase customers and return what came of it."""
    at = now_utc()
    report = _report(places, names, at)
    known: set[str] = set()
    if places.checkpoints is not None:
        there = partitions_with(places.checkpoints, names)
        known |= there.keys()
        report.states = sorted({number for numbers in there.values() for number in numbers})
    # First, so that nothing that is deleted below comes back from a worker that reads it again.
    for name in names:
        request_erasure(places.producer, places.settings.erasures_topic, places.key, name, at)
    known |= _erase_silences(places, names, report)
    known |= _erase_rows(places, names, at, report)
    if wait and places.checkpoints is not None:
        report.partitions = _waited(places, names, at, within_s)
        late = [each for each in report.partitions if each.stage is not ErasureStage.CLEARED]
        if not report.partitions:
            report.failures.append(f"{places.checkpoints.place} has no checkpoints that could be looked at")
        if late:
            numbers = ", ".join(str(each.partition) for each in late)
            report.failures.append(f"no worker has erased the customers yet in the partitions {numbers}")
        # The workers have gone on until then: what they put out of the customers meanwhile goes too.
        until = max([at, *(_instant(each.cleared_at) for each in report.partitions)])
        _erase_rows(places, names, until, report)
    elif places.checkpoints is not None:
        report.partitions = _progress(places, names, at)
    _bury(places, names, report)
    report.unknown = [places.key.hash(name) for name in names if name not in known]
    return report


def _erase_silences(places: _Places, names: Sequence[str], report: ErasureReport) -> set[str]:
    """Take the customers out of silences; return of whom there were any."""
    if places.silences is None:
        return set()
    found, named = read_silences(places.silences), set()
    for name in names:
        changed = erase_from_silences(found.values(), name)
        if not changed:
            continue
        named.add(name)
        report.silences += len(changed)
        failure = write_silences(places.producer, places.settings.silences_topic, changed)
        if failure is not None:
            report.failures.append(f"silences: {failure}")
            continue
        for silence_id, silence in changed.items():
            if silence is None:
                del found[silence_id]
            else:
                found[silence_id] = silence
    return named


def _erase_rows(places: _Places, names: Sequence[str], until: datetime, report: ErasureReport) -> set[str]:
    """Delete what is stored of customers; return of whom there was anything."""
    database = places.database
    found: set[str] = set()
    if database is None:
        return found
    try:
        database.prepare()
        for name in names:
            rows = erase_from_store(database, places.key, name, until)
            if rows:
                found.add(name)
            _add(report.rows, rows)
        if not database.purge():
            note = f"{database.place} is being read: its log keeps deleted bytes until the next erasure"
            if note not in report.notes:
                report.notes.append(note)
    except StoreError as error:
        report.failures.append(str(error))
    return found


def _bury(places: _Places, names: Sequence[str], report: ErasureReport) -> None:
    """Let the compacted topics of customers forget them."""
    for topic, config in places.topics.items():
        if COMPACT not in policies(config):
            continue
        failures = [bury(places.producer, topic, name) for name in names]
        failed = next((failure for failure in failures if failure is not None), None)
        if failed is None:
            report.tombstones.append(topic)
        else:
            report.failures.append(f"{topic}: {failed}")


def _waited(
    places: _Places,
    names: Sequence[str],
    at: datetime,
    within_s: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[PartitionErasure]:
    """Wait until no checkpoint has the customers any more, or the time is over; return how far it is."""
    deadline = clock() + within_s
    with progress_bar("partitions") as show:
        while True:
            found = _progress(places, names, at)
            done = sum(each.stage is ErasureStage.CLEARED for each in found)
            show(done, len(found))
            if done == len(found) or clock() > deadline:
                return found
            sleep(LOOK_S)


def _progress(places: _Places, names: Sequence[str], at: datetime) -> list[PartitionErasure]:
    """Return how far the erasure is in each partition, of the customer for whom it is least far."""
    if places.checkpoints is None:
        return []
    least: dict[int, PartitionErasure] = {}
    for name in names:
        for each in erasure_progress(places.checkpoints, places.key.hash(name), to_us(at)):
            known = least.get(each.partition, each)
            order = min(known, each, key=lambda one: _STAGES.index(one.stage))
            cleared = [one.cleared_at for one in (known, each) if one.cleared_at is not None]
            least[each.partition] = PartitionErasure(order.partition, order.stage, max(cleared, default=None))
    return [least[number] for number in sorted(least)]


def _instant(us: int | None) -> datetime:
    return EPOCH if us is None or us == NEVER else EPOCH + timedelta(microseconds=us)
