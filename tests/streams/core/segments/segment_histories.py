"""Histories of customers who move and complain, and the engines of segments over them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import LabelsRecord, ProfileRecord
from streams.core.events.partitioner import partitions
from streams.core.events.topics import Topic
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import RuleSet
from streams.core.segments.counts import DIMENSIONS, DaySums
from streams.core.segments.engine import SegmentEngine, SegmentSettings, SegmentStep
from streams.core.segments.rules import SegmentRule, SegmentRules
from streams.core.state_tables import restore, tables
from streams.core.steps import Tier
from tests.oracle.conditions import OracleRule
from tests.oracle.days import DAY, EPOCH, HOUR, instant, local_day, midnight
from tests.oracle.histories import SeededDraw, as_batch, cut, delayed, in_time
from tests.oracle.history import Event, Value
from tests.oracle.life import Terms
from tests.oracle.segments import DIMENSIONS as TWINS

ZONE: Final = ZoneInfo("Europe/Berlin")
OFFSET: Final = EPOCH.toordinal()
"""The twin counts days from the year 1."""
TERMS: Final = Terms(Tier.HIGH, for_us=DAY, keep_open_for_us=2 * DAY, cooldown_us=5 * DAY)


def above(name: str, limit: float) -> Callable[[Mapping[str, Value]], bool | None]:
    """Return a condition that holds where a number is greater, and is missing where it is."""

    def holds(row: Mapping[str, Value]) -> bool | None:
        value = row[name]
        assert not isinstance(value, str)
        return None if value is None else value > limit

    return holds


def below_one(row: Mapping[str, Value]) -> bool:
    """Say whether nobody complained in a week."""
    return row["complaints_7d"] == 0


RISE: Final = OracleRule("rise", above("complaint_rise", 1.2), terms=TERMS)
MANY: Final = OracleRule(
    "many",
    above("complaints_7d", 1),
    clear=below_one,
    only=above("active_days_28d", 3),
    terms=Terms(Tier.LOW),
)
RULES: Final = dict.fromkeys(TWINS, (RISE, MANY))


def compiled() -> SegmentRules:
    rules = []
    for dimension in DIMENSIONS:
        rise = Rule(
            f"rise-{dimension}", "complaint_rise > 1.2", Tier.HIGH, "test",
            for_us=TERMS.for_us, keep_open_for_us=TERMS.keep_open_for_us, cooldown_us=TERMS.cooldown_us,
        )  # fmt: skip
        many = Rule(
            f"many-{dimension}", "complaints_7d >= 2", Tier.LOW, "test",
            clear="complaints_7d < 1", only="active_days_28d > 3",
        )  # fmt: skip
        rules += [SegmentRule(dimension, rise), SegmentRule(dimension, many)]
    return SegmentRules(rules)


COMPILED: Final = compiled()


def history(
    seed: int, size: int = 260, days: int = 70, customers: int = 12, *, late: bool = False
) -> list[Event]:
    """Records of a few customers who move, buy here and there and complain, some twice, some late."""
    dice = random.Random(seed)
    start = local_day(instant("2024-02-20T12:00:00Z"), ZONE)
    made: list[Event] = []
    for number in range(size):
        begin = midnight(start + dice.randrange(days), ZONE)
        at = begin + dice.choice([0, 1, -1, 6 * HOUR, dice.randrange(23 * HOUR)])
        topic = dice.choice([Topic.ORDERS] * 5 + [Topic.COMPLAINTS] * 3 + [Topic.LOGINS, Topic.PROFILES])
        fields: dict[str, Any] = {}
        if topic == Topic.ORDERS:
            labels = LabelsRecord(dice.choice([None, "web", "app"]), dice.choice([None, "toys", "food"]))
            fields = {"status": dice.choice([0, 0, 0, 1]), "record": dice.choice([None, labels])}
        if topic == Topic.COMPLAINTS:
            labels = LabelsRecord(None, dice.choice(["delivery", "price"]))
            fields = {
                "status": dice.choice([0, 0, 1, 2]),
                "complaint_id": "k",
                "record": dice.choice([None, labels]),
            }
        if topic == Topic.PROFILES:
            region, kind = dice.choice([None, "north", "süd"]), dice.choice([None, "key"])
            fields = {"record": ProfileRecord(kind, dice.choice([None, "trade"]), region, "fair")}
        made.append(Event(topic, at, f"c{dice.randrange(customers)}", f"e{number:04}", **fields))
        if dice.random() < 0.05:
            made.append(made[-1])
    ordered = in_time(made)
    return delayed(ordered, SeededDraw(dice), [HOUR, DAY, 5 * DAY, 89 * DAY, 91 * DAY]) if late else ordered


def split(records: Sequence[Event], count: int) -> list[list[Event]]:
    """Return the records of each partition, of those that have any."""
    numbers = partitions(as_batch(records).customer_id, count).tolist()
    parts = [[e for e, n in zip(records, numbers, strict=True) if n == number] for number in range(count)]
    return [part for part in parts if part]


def sums_of(
    records: Sequence[Event], number: int, until: int, sizes: Sequence[int], *, restarts: bool = False
) -> list[DaySums]:
    """Return what one partition's engine puts out, restored from its tables after each batch or not."""

    def begun() -> Engine:
        return Engine(EngineSettings(time_zone=ZONE.key, segments=True), RuleSet((), {}), None, number)

    engine, found = begun(), []
    for batch in cut(records, sizes):
        found += engine.step(batch).sums
        if restarts:
            saved = tables(engine)
            engine = begun()
            restore(engine, saved)
    return found + engine.flush().sums + engine.advance(until).sums


def judged(
    sums: Sequence[DaySums], count: int, rows: dict[tuple[int, str], dict[str, Any]] | None = None
) -> list[SegmentStep]:
    engine = SegmentEngine(SegmentSettings(time_zone=ZONE.key, partitions=count), COMPILED)

    def on_features(day: int, dimension: str, frame: Any) -> None:
        for row in frame.iter_rows(named=True):
            rows[day + OFFSET, f"{dimension}={row['value']}"] = row  # type: ignore[index]

    engine.on_features = on_features if rows is not None else None
    steps = []
    for each in sums:
        engine.take(each)
        steps += engine.judge()
    return steps
