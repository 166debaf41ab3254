"""The time of each query of a command on a database with millions of stored steps.

python -m benchmarks.store [--database URL] [--steps 10000000]

Without a URL it is a SQLite file that is deleted afterwards; a URL of a database that is filled already is
measured as it is. All rows but those of the newest warnings are made here, with the columns that queries look
at as a sink would store them; what is timed is what the commands call.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select, text, update

from consumers.broker.records import Record
from consumers.complaint_lives import find_complaint_lives
from consumers.database.database import Database
from consumers.database.erasure import erase_rows
from consumers.database.notices import JudgingRow
from consumers.database.warnings import WarningStepRow
from consumers.muting.counts import muted_by_reason, muted_by_silence
from consumers.notify.notices import Notices
from consumers.notify.outbox import Outbox
from consumers.sink.kinds import WARNINGS
from consumers.sink.store import write
from consumers.stored_warnings import (
    WarningFilter,
    find_warning,
    find_warnings,
    newest_update,
    warnings_that_begin,
)
from streams.contract.examples import WARNING_EXAMPLE

BEGIN: Final = datetime(2024, 1, 1, tzinfo=UTC)
DAYS: Final = 700
"""Over which the warnings opened."""
LIFE: Final = ("opened", "updated", "escalated", "resolved")
"""The steps of each warning, a day apart."""
OPEN: Final = 100
"""One warning in so many is open still."""
CHUNK: Final = 20_000
AGAIN: Final = 5
_KEYS: Final = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE (conrelid = %(table)s::regclass AND contype IN ('p', 'u', 'f')) OR confrelid = %(table)s::regclass
    ORDER BY contype = 'f'
"""
"""Of a table, and the foreign keys of others that need them, which come last."""
_INDEXES: Final = """
    SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %(table)s
    AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE contype IN ('p', 'u'))
"""

Cell = str | int | float | bool | datetime | date | None


def warning_id(number: int) -> str:
    """Return the id of a warning, spread as the real ones are."""
    return f"{number * 2_654_435_761 % 2**32:08x}-0000-5000-8000-{number:012x}"


def opened_at(number: int, warnings: int) -> datetime:
    """Return when a warning opened: they are numbered in this order."""
    return BEGIN + timedelta(days=DAYS) * (number / warnings)


def tier_of(number: int) -> str:
    """Return a warning's tier: one in ten is high, three are medium."""
    return "high" if number % 10 == 0 else "medium" if number % 10 < 4 else "low"


class Filling:
    """Writes rows by the fastest way of each database."""

    def __init__(self, database: Database, url: str, steps: int, open_every: int = OPEN) -> None:
        self._open_every = open_every
        self.warnings = steps // len(LIFE)
        self.customers = max(1, self.warnings // 3)
        self._database = database
        self._sqlite = database.dialect == "sqlite"
        self._url = url

    def fill(self) -> None:
        """Fill all tables."""
        self._write("channels", ["name", "filled_to", "added_at"], iter([("desk", 2 * self.warnings, BEGIN)]))
        source = ["digest", "source_topic", "source_partition", "source_offset"]
        step = ["id", "time", "type", "warning_id", "step", "customer_id", "state", "tier", "data"]
        self._write("warning_steps", [*step, *source, "received_at"], self._steps())
        warning = ["id", "customer_id", "state", "tier", "opened_at", "updated_at", "last_step", "last_type"]
        self._write("warnings", [*warning, "causes", "reasons", "net"], self._warnings())
        notice = ["step_id", "warning_id", "step", "customer_id", "kind", "at", "tier", "rules", "verdict"]
        self._write("notices", [*notice, "why", "silence_id", "by_wall_clock", "judged_at"], self._notices())
        outbox = ["step_id", "channel", "state", "attempts", "created_at", "due_at"]
        self._write("outbox", outbox, self._outbox())
        with self._database.writing() as connection:
            connection.execute(update(JudgingRow).values(judged_to=len(LIFE) * self.warnings))
        stored = [*source, "stored_at", "data"]
        outcome = ["id", "time", "type", "customer_id", "warning_id", "rule", "tier", "opened_at", "churned"]
        self._write("outcomes", [*outcome, "holdout", *stored], self._outcomes())
        days = ["id", "time", "customer_id", "warning_id", "first_day", "last_day", "churn_probability"]
        self._write("customer_days", [*days, *stored], self._customer_days())
        action = [
            "event_id",
            "customer_id",
            "time",
            "kind",
            "warning_id",
            "play",
            "result",
            "reasons",
            "cost",
        ]
        self._write("actions", [*action, *stored], self._actions())
        complaint = ["event_id", "customer_id", "time", "complaint_id", "status"]
        self._write("complaint_events", [*complaint, *stored], self._complaints())

    def _write(self, table: str, columns: Sequence[str], rows: Iterator[tuple[Cell, ...]]) -> None:
        names = ", ".join(columns)
        if not self._sqlite:
            with self._bare(table) as connection:
                copy = f"COPY {table} ({names}) FROM STDIN"
                with connection.cursor().copy(copy.encode()) as stream:
                    for row in rows:
                        stream.write_row(row)
            return
        self._database.close()  # its journal cannot be left out while others have the file open
        file = sqlite3.connect(self._url.removeprefix("sqlite:///"), isolation_level=None)
        # A failure here costs the file only; the indexes, whose order is random, are to stay in memory.
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -3000000"):
            file.execute(f"PRAGMA {pragma}").close()
        marks = ", ".join("?" * len(columns))
        while some := [tuple(map(_for_sqlite, row)) for row in itertools.islice(rows, CHUNK)]:
            file.execute("BEGIN IMMEDIATE")
            file.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", some)
            file.execute("COMMIT")
        file.close()

    @contextmanager
    def _bare(self, table: str) -> Iterator[Any]:
        """Yield a connection to PostgreSQL with a table's keys and indexes left out until the end.

        Their order is random: made at the end they are sorted once, and not looked up for each row.
        """
        import psycopg

        with psycopg.connect(self._url.replace("+psycopg", "")) as connection:
            keys = connection.execute(_KEYS, {"table": table}).fetchall()
            indexes = connection.execute(_INDEXES, {"table": table}).fetchall()
            for owner, name, _ in reversed(keys):
                connection.execute(f'ALTER TABLE {owner} DROP CONSTRAINT "{name}"'.encode())
            for name, _ in indexes:
                connection.execute(f'DROP INDEX "{name}"'.encode())
            yield connection
            connection.execute("SET maintenance_work_mem = '1GB'")
            for owner, name, key in keys:
                connection.execute(f'ALTER TABLE {owner} ADD CONSTRAINT "{name}" {key}'.encode())
            for _, index in indexes:
                connection.execute(index.encode())

    def _customer(self, number: int) -> str:
        return f"customer-{number % self.customers}"

    def _is_open(self, number: int) -> bool:
        return number % self._open_every == 0

    def _each(self) -> Iterator[tuple[int, str, datetime]]:
        for number in range(self.warnings):
            yield number, warning_id(number), opened_at(number, self.warnings)

    def _steps(self) -> Iterator[tuple[Cell, ...]]:
        data = json.dumps(WARNING_EXAMPLE["data"])
        for number, warning, opened in self._each():
            is_open = self._is_open(number)
            kinds = LIFE[:-1] if is_open else LIFE
            for step, kind in enumerate(kinds, start=1):
                if is_open:
                    data = json.dumps(self._data(number, step, warning, opened))
                state = "open" if kind != "resolved" else kind
                time_ = opened + timedelta(days=step - 1)
                yield (
                    *(f"{warning}/{step}", time_, f"churn.warning.{kind}", warning, step),
                    *(self._customer(number), state, tier_of(number), data),
                    *("0" * 64, "churn-warnings", number % 8, number, time_),
                )

    def _data(self, number: int, step: int, warning: str, opened: datetime) -> dict[str, Any]:
        """Return the data of a step of a warning that is open, each one's own."""
        data: dict[str, Any] = WARNING_EXAMPLE["data"]
        tier = tier_of(number)
        net = float(number * 7 % 10_000) / 10
        return data | {
            "warning_id": warning,
            "step": step,
            "customer_id": self._customer(number),
            "customer_class": ("key", "ordinary", "small", None)[number // 3 % 4],
            "segment": f"segment-{number // 7 % 12}",
            "region": ("north", "east", "south", "west")[number // 11 % 4],
            "account_owner": f"owner-{number // 13 % 40}",
            "tier": tier,
            "opened_at": opened.isoformat(),
            "attention": None,
            "causes": [data["causes"][0] | {"rule": f"rule-{number // 5 % 20}", "tier": tier}],
            "decision": data["decision"] | {"net": net, "gain": net + 20.0},
        }

    def _warnings(self) -> Iterator[tuple[Cell, ...]]:
        for number, warning, opened in self._each():
            last = len(LIFE) - self._is_open(number)
            kind = LIFE[last - 1]
            yield (
                *(warning, self._customer(number), "resolved" if last == len(LIFE) else "open"),
                *(tier_of(number), opened, opened + timedelta(days=last - 1), last, f"churn.warning.{kind}"),
                *("[]", "[]", float(number % 100)),
            )

    def _notices(self) -> Iterator[tuple[Cell, ...]]:
        for number, warning, opened in self._each():
            for step, kind in ((1, "opened"), (3, "escalated")):
                muted = number % 50 == 0
                yield (
                    *(f"{warning}/{step}", warning, step, self._customer(number), kind, opened),
                    *(tier_of(number), "[]", "muted" if muted else "told", "silence" if muted else None),
                    *("s" if muted else None, False, opened),
                )

    def _outbox(self) -> Iterator[tuple[Cell, ...]]:
        for _, warning, opened in self._each():
            for step in (1, 3):
                yield f"{warning}/{step}", "desk", "sent", 1, opened, opened

    def _stored(self, number: int, at: datetime) -> tuple[Cell, ...]:
        return "0" * 64, "topic", number % 8, number, at, '{"number": 1}'

    def _outcomes(self) -> Iterator[tuple[Cell, ...]]:
        for number, warning, opened in self._each():
            at, customer = opened + timedelta(days=90), self._customer(number)
            for type_, rule in (("churn.warning.matured", None), ("churn.cause.matured", "order-collapse")):
                yield (
                    *(f"{type_}/{warning}", at, type_, customer, warning, rule, tier_of(number), opened),
                    *(number % 3 == 0, number % 10 == 0, *self._stored(number, at)),
                )
            if number % 5 == 0:
                yield (
                    *(f"lapsed/{warning}", at, "churn.customer.lapsed", customer, warning, None, None, None),
                    *(None, number % 10 == 0, *self._stored(number, at)),
                )

    def _customer_days(self) -> Iterator[tuple[Cell, ...]]:
        for number, warning, opened in self._each():
            for day in (0, 1):
                at = opened + timedelta(days=day)
                yield (
                    *(f"{warning}/days/{day}", at, self._customer(number), warning, at.date(), at.date()),
                    *(0.5, *self._stored(number, at)),
                )

    def _actions(self) -> Iterator[tuple[Cell, ...]]:
        for number, warning, opened in self._each():
            if number % 4 == 0:
                yield (
                    *(f"a-{number}", self._customer(number), opened, "contact", warning, "care-call"),
                    *("no_effect", "[]", "{}", *self._stored(number, opened)),
                )

    def _complaints(self) -> Iterator[tuple[Cell, ...]]:
        for number, _, opened in self._each():
            if number % 4 == 1:
                yield (
                    *(f"k-{number}", self._customer(number), opened, f"complaint-{number}", "opened"),
                    *self._stored(number, opened),
                )


def _for_sqlite(cell: Cell) -> str | int | float | None:
    """Return a value as SQLAlchemy stores it."""
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S.%f")
    return cell.isoformat() if isinstance(cell, date) else cell


def fill(database: Database, url: str, steps: int, open_every: int = OPEN) -> None:
    """Fill an empty database with so many steps and what belongs to them."""
    Filling(database, url, steps, open_every).fill()
    if database.dialect == "postgresql":
        database.purge()
        with database.writing() as connection:
            connection.execute(text("ANALYZE"))


def new_records(count: int, first: int = 0) -> list[Record]:
    """Return records of the opening steps of warnings that the database does not have."""
    found = []
    for number in range(first, first + count):
        warning = f"ffffffff-0000-5000-8000-{number:012x}"
        event = WARNING_EXAMPLE | {"id": f"{warning}/1"}
        event["data"] = WARNING_EXAMPLE["data"] | {"warning_id": warning, "customer_id": f"new-{number}"}
        found.append(Record("churn-warnings", 0, number, 0, b"new", json.dumps(event).encode()))
    return found


def queries(database: Database, warnings: int) -> dict[str, Callable[[], object]]:
    """Return what commands ask of the database, by what they do."""
    now = BEGIN + timedelta(days=DAYS + 10)
    middle = warning_id(warnings // 2)
    customer = f"customer-{(warnings // 2) % max(1, warnings // 3)}"
    recent = BEGIN + timedelta(days=DAYS - 1)
    records = iter(range(0, 10**9, 500))
    outbox = Outbox(database, "benchmark")

    def store(rows: Iterable[Record]) -> object:
        return write(database, [(WARNINGS, WARNINGS.read(list(rows), now))], lambda: now)

    def reading(ask: Callable[[Any], object]) -> object:
        with database.reading() as connection:
            return ask(connection)

    def erase() -> object:
        with database.writing() as connection:
            found = erase_rows(connection, customer)
            connection.rollback()
        return found

    return {
        "warnings list": lambda: find_warnings(database, WarningFilter()),
        "warnings list --tier high": lambda: find_warnings(database, WarningFilter(tiers=("high",))),
        "warnings list --customer": lambda: find_warnings(
            database, WarningFilter(states=(), customers=(customer,))
        ),
        "warnings list --state all --since 1d": lambda: find_warnings(
            database, WarningFilter(states=(), since=recent)
        ),
        "warnings show ID": lambda: find_warning(database, middle),
        "warnings show BEGINNING": lambda: find_warning(database, middle[:8]),
        "act BEGINNING": lambda: reading(lambda connection: warnings_that_begin(connection, middle[:8], 4)),
        "act: where the warnings stand": lambda: reading(newest_update),
        "complaints of a customer": lambda: find_complaint_lives(database, (customer,)),
        "sink: 500 new steps": lambda: store(new_records(500, next(records))),
        "sink: 500 repeats": lambda: store(new_records(500)),
        "notify: judge what is new": lambda: Notices(database).judge(now),
        "notify: judge nothing": lambda: Notices(database).judge(now),
        "notify: enter and claim": lambda: (outbox.fill(["desk"], now), outbox.claim("desk", 100, now)),
        "notify: try again what was given up": lambda: outbox.retry_given_up(now),
        "notify: count the outbox": lambda: outbox.counts(),
        "silence list": lambda: (muted_by_silence(database), muted_by_reason(database)),
        "erase a customer (rolled back)": erase,
    }


def measure(database: Database, warnings: int) -> None:
    """Print the time of each query: of the first call, the median of the next, and of the processor's."""
    print(f"{'':40} {'first':>10} {'then':>10} {'processor':>10}")
    for name, ask in queries(database, warnings).items():
        times, used = [], []
        for _ in range(AGAIN + 1):
            began, began_used = time.perf_counter(), time.process_time()
            ask()
            times.append(1000 * (time.perf_counter() - began))
            used.append(1000 * (time.process_time() - began_used))
        then, processor = statistics.median(times[1:]), statistics.median(used[1:])
        print(f"{name:40} {times[0]:7.1f} ms {then:7.1f} ms {processor:7.1f} ms", flush=True)


def main() -> int:
    """Fill where it is empty, measure, and delete the file where none was named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store")
    parser.add_argument("--database", help="an SQLAlchemy URL; without it, a file that is deleted afterwards")
    parser.add_argument("--steps", type=int, default=10_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lapwing-store-") as folder:
        url: str = arguments.database or f"sqlite:///{Path(folder) / 'store.db'}"
        database = Database(url)
        database.prepare()
        with database.reading() as connection:
            stored = connection.scalar(select(func.max(WarningStepRow.seq))) or 0
        if not stored:
            began = time.perf_counter()
            fill(database, url, arguments.steps)
            print(f"filled in {time.perf_counter() - began:.0f} s")
            with database.reading() as connection:
                stored = connection.scalar(select(func.max(WarningStepRow.seq))) or 0
        print(f"{database.place}: {stored:,} steps")
        measure(database, arguments.steps // len(LIFE))
        database.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
