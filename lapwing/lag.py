"""How far workers are behind, as it can be seen from outside: ends of topics, commits, checkpoints' ages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import text

from consumers.broker.client import Admin, Cluster, Place, Places
from consumers.database.database import Database
from lapwing.settings.settings import Settings
from lapwing.settings.values import NO_CHECKPOINTS
from streams.errors import StateError

MISSED_CHECKPOINTS: Final = 5
"""A partition with lag that was not saved so many times, and a minute more, does not move."""
GRACE: Final = timedelta(minutes=1)
ENDS_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Offsets:
    """How far the topics reach and how far the workers' group has come."""

    ends: Mapping[Place, int]
    committed: Mapping[Place, int]
    stable: Mapping[Place, int] = field(default_factory=dict)
    """Where the first open transaction of each place begins, or the place ends."""
    begins: Mapping[Place, int] = field(default_factory=dict)
    """The oldest record that is kept of each place."""


def offsets(settings: Settings, found: Mapping[str, int], mapped: Collection[str] = ()) -> Offsets:
    """Ask the broker; `found` are its topics, `mapped` those of the input whose records are mapped."""
    cluster = Cluster(settings.broker, settings.kafka_security)
    with closing(Admin(cluster)) as admin:
        committed = admin.committed(settings.app)
    inputs = {*settings.topics.values(), *mapped}
    of_inputs = {at: offset for at, offset in committed.items() if at[0] in inputs}
    topics = inputs & found.keys()
    if not committed or not topics:
        return Offsets({}, of_inputs)
    with closing(Places(cluster, topics)) as places:
        return Offsets(places.ends(ENDS_S), of_inputs, places.stable_ends(), places.begins())


def checkpoint_ages(settings: Settings) -> dict[int, timedelta]:
    """Return, by partition, how long ago its newest whole checkpoint was written, where that is known."""
    from streams.checkpoints.store import CheckpointStore  # Polars is slow to import

    if settings.checkpoints == NO_CHECKPOINTS:
        return {}
    store, now = CheckpointStore(settings.checkpoints, settings.app), datetime.now(UTC)
    newest = {number: store.whole(number)[-1:] for number in store.partitions()}
    written = {number: store.written_at(found[0]) for number, found in newest.items() if found}
    return {number: now - at for number, at in written.items() if at is not None}


def lag_line(settings: Settings, offsets: Offsets, ages: Mapping[int, timedelta]) -> str:
    """Return how far the workers are behind; raise `StateError` where a partition does not move.

    A partition that moves is saved every `checkpoint_every`. So one that has lag and was not saved for much
    longer does not move, or cannot be saved.
    """
    lag: Counter[int] = Counter()
    for (topic, number), end in offsets.ends.items():
        lag[number] += max(0, end - offsets.committed.get((topic, number), 0))
    limit = MISSED_CHECKPOINTS * timedelta(microseconds=settings.checkpoint_every) + GRACE
    still = [
        f"partition {number} is {behind:,} records behind and was last saved {shown_age(ages[number])} ago"
        f"{_open_transactions(offsets, number)}"
        for number, behind in sorted(lag.items())
        if behind and number in ages and ages[number] > limit
    ]
    if still:
        msg = f"{'; '.join(still)}: see whether a worker runs and what it logs"
        raise StateError(msg)
    behind = sum(lag.values())
    if not behind:
        return "the workers have saved all that the topics hold"
    oldest = f", the oldest state saved {shown_age(max(ages.values()))} ago" if ages else ""
    return f"{behind:,} records are not in a saved state yet{oldest}"


def _open_transactions(offsets: Offsets, number: int) -> str:
    """Return what there is to say of open transactions that the workers have read up to."""
    places = [
        f"{topic}/{number} from offset {stable} on"
        for (topic, at), stable in sorted(offsets.stable.items())
        if at == number and offsets.committed.get((topic, at), 0) >= stable < offsets.ends.get((topic, at), 0)
    ]
    if not places:
        return ""
    return (
        f" (a producer's open transaction, neither committed nor aborted, blocks {', '.join(places)}: "
        "`kafka-transactions.sh find-hanging` names it)"
    )


def shown_age(age: timedelta) -> str:
    """Return an age in its largest unit of which it has two: `3d`, `40s`."""
    seconds = int(age.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


@dataclass(frozen=True, slots=True)
class Unread:
    """What a group has yet to read of a topic."""

    records: int = 0
    since: datetime | None = None
    """The time of the oldest of them."""


def unread(cluster: Cluster, group: str, found: Collection[str]) -> dict[str, Unread] | None:
    """Return what a group has yet to read, by topic that it reads; `None` where it has never read anything.

    What is left of open transactions, and their marks, is no record.
    """
    with closing(Admin(cluster)) as admin:
        committed = admin.committed(group)
    if not committed:
        return None
    topics = {topic for topic, _ in committed} & set(found)
    if not topics:
        return {}
    with closing(Places(cluster, topics)) as places:
        ends = places.ends(ENDS_S)
        behind = {at: offset for at, end in ends.items() if (offset := committed.get(at, 0)) < end}
        oldest = places.first_from(behind, ENDS_S) if behind else {}
    left = dict.fromkeys(sorted(topics), Unread())
    for (topic, number), record in oldest.items():
        at = datetime.fromtimestamp(max(0, record.timestamp_ms) / 1000, UTC)
        before = left[topic]
        left[topic] = Unread(
            before.records + ends[topic, number] - behind[topic, number],
            at if before.since is None else min(at, before.since),
        )
    return left


def database_ahead(url: str) -> timedelta | None:
    """Return how far the clock of a database server is ahead of ours; `None` where there is none."""
    with closing(Database(url)) as database:
        if database.dialect == "sqlite":
            return None
        with database.reading() as connection:
            before = datetime.now(UTC)
            theirs: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
            return theirs - (before + (datetime.now(UTC) - before) / 2)
