"""A database of a simulated shop with a team, as workers and the sink would have filled it.

`fill` stores one shop; `multiply` makes a large PostgreSQL database of it: the shop many times over, each
copy with customers and warnings of its own, and censuses that count them all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import polars as pl
from sqlalchemy import Connection, delete, insert, select, text

from consumers.broker.records import Record
from consumers.database.base import Base
from consumers.database.database import Database
from consumers.database.events import ActionRow, ComplaintRow
from consumers.database.outcomes import CensusRow, OutcomeRow
from consumers.database.warnings import WarningRow, WarningStepRow
from consumers.sink import kinds
from consumers.sink.store import write
from lapwing.settings.settings import Settings
from lapwing.wiring import engine_settings, learner
from streams.contract.census import census_key, encode_census
from streams.contract.instants import EPOCH, MICROSECOND, to_us
from streams.contract.outcomes import encode_outcome
from streams.contract.samples import encode_samples
from streams.contract.warnings import encode_step
from streams.core.engine import Engine
from streams.core.engine_io import Output
from streams.core.events.batch import Batch
from streams.rulebook.load import load_rulebook
from streams.simulate.helped_shop import HelpedShop
from streams.simulate.records import json_lines
from streams.simulate.shop import Shop

CHANCES: Final = {"reminder-mail": 0.4, "offer-review": 0.5, "care-call": 0.6}
LATE: Final = timedelta(minutes=1)
"""After its event, or its sweep, a record is stored."""
LIFETIME: Final = "730 days"
SKEW_US: Final = 3_600_000_000
EVENTS: Final = {"complaint": "complaints", "action": "actions"}


class _ListenedEngine(Engine):
    """An engine that hands its outputs to somebody."""

    listener: Callable[[Output], None]

    def step(self, batch: Batch) -> Output:
        """Run it."""
        return self._heard(super().step(batch))

    def flush(self, *, idle: bool = True) -> Output:
        """Run it."""
        return self._heard(super().flush(idle=idle))

    def advance(self, until: int) -> Output:
        """Run it."""
        return self._heard(super().advance(until))

    def _heard(self, output: Output) -> Output:
        self.listener(output)
        return output


class _Storing:
    """Stores what a day brought, at the wall clock of its end."""

    def __init__(self, database: Database, app: str, stored_samples: int) -> None:
        self._database = database
        self._app = app
        self._kinds = {
            "warnings": kinds.WARNINGS,
            "outcomes": kinds.OUTCOMES,
            "census": kinds.CENSUS,
            "samples": kinds.samples(app, stored_samples),
            "complaints": kinds.complaints(SKEW_US),
            "actions": kinds.actions(SKEW_US),
        }
        self._offsets = dict.fromkeys(self._kinds, 0)
        self._waiting: dict[str, list[Record]] = {name: [] for name in self._kinds}

    def take(self, output: Output) -> None:
        """Keep what the engine put out."""
        app = self._app
        for step in output.steps:
            self.add("warnings", step.customer_id, encode_step(step, app), step.at)
        for outcome in output.outcomes:
            self.add("outcomes", outcome.customer_id, encode_outcome(outcome, app), outcome.at)
        for event in output.census:
            self.add("census", census_key(event), encode_census(event, app), event.at)
        for samples in output.samples:
            self.add("samples", "0", encode_samples(samples, app, 0, 1), samples.at)

    def add(self, name: str, key: str, value: bytes, at: int) -> None:
        """Keep a record."""
        self._offsets[name] += 1
        self._waiting[name].append(Record(name, 0, self._offsets[name], at // 1000, key.encode(), value))

    def store(self, at_us: int) -> None:
        """Write what was kept, as if it were that time."""
        now = EPOCH + at_us * MICROSECOND + LATE
        batches = [
            (kind, kind.read(self._waiting[name], now))
            for name, kind in self._kinds.items()
            if self._waiting[name]
        ]
        write(self._database, batches, lambda: now)
        self._waiting = {name: [] for name in self._kinds}


def fill(
    database: Database,
    settings: Settings,
    customers: int,
    days: int,
    *,
    capacity: int = 40,
    seed: int = 1,
    start: date = date(2024, 1, 1),
    on_day: Callable[[int], None] = lambda day: None,
) -> None:
    """Fill an empty database with a shop's days, each stored as it ends."""
    storing = _Storing(database, settings.app, settings.stored_samples)
    rules = load_rulebook(settings.rules).rules
    own = engine_settings(settings, outcomes=True, desk=True, samples=True)
    engine = _ListenedEngine(own, rules, learner(settings))
    engine.listener = storing.take
    shop = Shop(customers, days, seed, start)
    for number, frame in enumerate(HelpedShop(shop, engine, capacity, CHANCES).days()):
        for word, name in EVENTS.items():
            for line in json_lines(frame.filter(pl.col("type") == word), with_type=False).to_list():
                event = json.loads(line)
                at = to_us(datetime.fromisoformat(event["occurred_at"]))
                storing.add(name, event["customer_id"], line.encode(), at)
        end = datetime(start.year, start.month, start.day, tzinfo=UTC) + timedelta(days=number + 1)
        storing.store(to_us(end))
        on_day(number + 1)


def multiply(
    database: Database, times: int, repeats: int, partitions: int, on_part: Callable[[str], None]
) -> None:
    """Make a filled PostgreSQL database `times` as large in customers, and `repeats` times that in warnings.

    A customer's further warnings are those of the shop again, `LIFETIME` earlier each time. Rows are stored
    again day by day, so that they are numbered in the order of their storage as always. Indexes are made
    afterwards, which takes a fraction of the time.
    """
    with database.writing() as connection:
        _multiply_census(connection, times, partitions)
        indexes = _without_indexes(connection)
    for row, (stamp, wanted) in _MULTIPLIED.items():
        table = row.__tablename__
        copied = {
            column.name: _copied(column.name) for column in row.__table__.columns if column.name != "seq"
        }
        statement = text(
            f"INSERT INTO {table} ({', '.join(copied)}) SELECT {', '.join(copied.values())} "
            f"FROM one, generate_series(:times * :again, :times * (:again + 1) - 1) AS copy "
            f"WHERE {stamp} = :day AND ({wanted})"
        )
        with database.writing() as connection:
            connection.execute(text(f"CREATE TEMP TABLE one ON COMMIT DROP AS SELECT * FROM {table}"))
            connection.execute(text(f"DELETE FROM {table}"))
            days = list(connection.scalars(text(f"SELECT DISTINCT {stamp} FROM one ORDER BY 1")))
            for again in range(repeats - 1, -1, -1):
                for day in days:
                    connection.execute(statement, {"day": day, "times": times, "again": again})
            count = connection.scalar(text(f"SELECT count(*) FROM {table}"))
        on_part(f"{table}: {count:,} rows")
    for definition in indexes:
        with database.writing() as connection:
            connection.execute(text("SET LOCAL maintenance_work_mem = '1GB'"))
            connection.execute(text(definition))
    on_part(f"{len(indexes)} indexes")
    database.purge()
    with database.writing() as connection:
        connection.execute(text("ANALYZE"))


_MULTIPLIED: Final[dict[type[Base], tuple[str, str]]] = {
    WarningStepRow: ("received_at", "true"),
    WarningRow: ("opened_at", "true"),
    OutcomeRow: ("stored_at", ":again = 0 OR type LIKE '%.matured'"),
    ActionRow: ("stored_at", "true"),
    ComplaintRow: ("stored_at", ":again = 0"),
}
"""What is multiplied: the column by which days are told apart, and which copies of a row there are."""


def _without_indexes(connection: Connection) -> list[str]:
    """Take away the multiplied tables' indexes that hold no constraint, and return how to make them again."""
    own = text(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i "
        "WHERE i.indrelid = CAST(:name AS regclass) AND NOT i.indisunique"
    )
    definitions = []
    for row in _MULTIPLIED:
        for index, definition in connection.execute(own, {"name": row.__tablename__}).all():
            connection.execute(text(f"DROP INDEX {index}"))
            definitions.append(definition)
    return definitions


def _copied(column: str) -> str:
    """Return the value of a column in a copy."""
    if column in ("id", "event_id", "complaint_id", "warning_id", "corrects"):
        return f"{column} || '~' || copy"
    if column in ("time", "opened_at", "updated_at", "closed_at", "received_at", "stored_at"):
        return f"{column} - :again * interval '{LIFETIME}'"
    if column == "customer_id":
        return "customer_id || '~' || copy % :times"
    if column == "data":
        own = "jsonb_build_object('customer_id', customer_id || '~' || copy % :times)"
        warning = "jsonb_build_object('warning_id', (data ->> 'warning_id') || '~' || copy)"
        return f"data || {own} || CASE WHEN data ->> 'warning_id' IS NULL THEN '{{}}' ELSE {warning} END"
    return column


def _multiply_census(connection: Connection, times: int, partitions: int) -> None:
    """Give each partition's census its part of all shops' counts."""
    rows = connection.execute(select(CensusRow.__table__)).mappings().all()
    connection.execute(delete(CensusRow))
    for row in rows:
        made = []
        for partition in range(partitions):
            factor = times // partitions + (partition < times % partitions)
            data = _scaled(row["data"], factor) | {"partition": partition}
            if row["type"] == "churn.census.summary":
                data["cells"] = row["data"]["cells"]
            own = {"id": f"{row['id']}~{partition}", "partition": partition, "data": data}
            made.append({name: value for name, value in row.items() if name != "seq"} | own)
        connection.execute(insert(CensusRow), made)


def _scaled(data: Any, factor: int) -> Any:
    if isinstance(data, dict):
        return {name: _scaled(value, factor) for name, value in data.items()}
    return data * factor if isinstance(data, int | float) and not isinstance(data, bool) else data
