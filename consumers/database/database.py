"""An open database: SQLite or PostgreSQL behind one face, its errors leaving as `StoreError`."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from consumers.database.base import Base
from consumers.database.many_rows import Insert, ManyRows, Row, RowRefused
from consumers.database.migrations.runner import MIGRATIONS, newest_version, run_next, version_of
from consumers.database.schema import METADATA
from consumers.database.timing import DatabaseTiming, Operation
from consumers.loop import Retryable
from streams.errors import StoreError
from streams.redact import masked

log = logging.getLogger(__name__)

BUSY_MS: Final = 5_000
"""How long SQLite waits for another process's transaction to end."""
CONNECT_S: Final = 5
CACHE_KIB: Final = 64 * 1024
"""What SQLite may keep in memory: of a table with a million rows the pages of its indexes."""
LOG_PAGES: Final = 8_000
"""SQLite writes its log of changes into the file after so many pages (32 MB), each page of them once."""

_WRITE: Final = "lapwing_write"
_MIGRATE: Final = "lapwing_migrate"
_LOCK: Final = 0x1A9B1A9  # any number of our own: the key of PostgreSQL's advisory lock
_BUSY_SQLITE: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_PASSING_SQLITE: Final = _BUSY_SQLITE | {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
}
_BUSY_POSTGRES: Final = ("40", "53300", "55", "57P03")
"""SQLSTATE, or classes of it: rollback by a deadlock, too many connections, locks, starting up."""
_PASSING_POSTGRES: Final = ("08", "40", "53", "55", "57", "58")
"""Classes of SQLSTATE: connection, rollback by a deadlock, resources, locks, shutdown, disk."""


class StoreAway(StoreError, Retryable):
    """The database cannot be reached, is locked or has no space: it may come back."""


class StoreBusy(StoreAway):
    """Others hold the database: it is there, and will be free."""


def store_error(error: Exception, place: str) -> StoreError:
    """Return the `StoreError` that stands for an error of the driver; its text holds no row's values."""
    origin = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    # Only the first line: PostgreSQL puts values under DETAIL and CONTEXT.
    lines = str(origin).strip().splitlines()
    text = masked(f"database {place}: {type(origin).__name__}: {lines[0] if lines else ''}")[:400]
    if _is_older(origin):
        text += "; `lapwing sink` brings the database up to date"
    unfit = isinstance(error, DataError | IntegrityError | OverflowError | UnicodeError)
    if unfit or type(error) is StatementError:  # the latter: a value could not even be bound
        return RowRefused(text)
    if _is_busy(origin):
        return StoreBusy(text)
    return StoreAway(text) if _passes(error, origin) else StoreError(text)


def _is_older(origin: BaseException) -> bool:
    """Return whether a table or column is missing."""
    if isinstance(origin, sqlite3.Error):
        return str(origin).startswith(("no such table", "no such column"))
    return getattr(origin, "sqlstate", None) in ("42P01", "42703")


def _is_busy(origin: BaseException) -> bool:
    if isinstance(origin, sqlite3.Error):
        # The low byte is the primary code.
        return getattr(origin, "sqlite_errorcode", 0) & 0xFF in _BUSY_SQLITE
    return (getattr(origin, "sqlstate", None) or "").startswith(_BUSY_POSTGRES)


def _passes(error: Exception, origin: BaseException) -> bool:
    if isinstance(error, PoolTimeoutError):
        return True
    if isinstance(origin, sqlite3.Error):
        return getattr(origin, "sqlite_errorcode", 0) & 0xFF in _PASSING_SQLITE
    state = getattr(origin, "sqlstate", None) or ""
    return state.startswith(_PASSING_POSTGRES) or (
        not state and isinstance(error, OperationalError | InterfaceError)
    )


class Database:
    """Connections to one database, made by URL."""

    def __init__(self, url: str) -> None:
        try:
            address = make_url(url)
            if address.drivername in {"postgresql", "postgres"}:
                address = address.set(drivername="postgresql+psycopg")
            self.place = masked(address.render_as_string(hide_password=True))
            self.dialect = address.get_backend_name()
            if address.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
                msg = f"database {self.place}: only sqlite:/// and postgresql:// are known"
                raise StoreError(msg)
            self._engine = create_engine(
                address,
                hide_parameters=True,  # rows hold customer ids: they belong in no error's text
                json_serializer=_to_json,
                json_deserializer=msgspec.json.decode,  # four times as fast as the standard library's
                **({} if self.dialect == "sqlite" else {"pool_pre_ping": True}),
                connect_args={"timeout": BUSY_MS / 1000}
                if self.dialect == "sqlite"
                else {"connect_timeout": CONNECT_S},
            )
        except ModuleNotFoundError as error:
            msg = f"a PostgreSQL database needs {error.name}: pip install 'lapwing[postgres]'"
            raise StoreError(msg) from error
        except (ArgumentError, ValueError) as error:  # the latter: a port that is no number
            msg = "not a database URL: expected sqlite:///FILE or postgresql://USER@HOST/NAME"
            raise StoreError(msg) from error
        self._many: dict[tuple[type[Base], str], ManyRows] = {}
        """Statements by table, and the rank of those that replace."""
        self.timing = DatabaseTiming()
        self._turn = threading.Lock()
        """Taken by this process's writer where it is SQLite, whose own waiters poll the file."""
        if self.dialect == "sqlite":
            _prepare_sqlite(self._engine)

    @property
    def is_there(self) -> bool:
        """Whether its file is there, which SQLite would make; a server is taken to be there."""
        file = self._engine.url.database
        return self.dialect != "sqlite" or not file or file == ":memory:" or Path(file).exists()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that sees one state of the database."""
        # PostgreSQL's default would let each query see what was committed before it began.
        one_state = {} if self.dialect == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        with self.timing.of(Operation.READ), self._connection(one_state) as connection:
            yield connection

    @contextmanager
    def reading_same(self, snapshot: str) -> Iterator[Connection]:
        """Yield one more connection, of PostgreSQL, that sees the state of `snapshot_of` another one."""
        with self.reading() as connection:
            connection.execute(text(f"SET TRANSACTION SNAPSHOT '{snapshot}'"))  # before any other query
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that is the only one writing, and commit it.

        Writers take turns, so `seq` numbers become visible in their order and two sinks cannot deadlock.
        """
        with self._writing({}) as connection:
            yield connection

    @contextmanager
    def _writing(self, options: Mapping[str, bool]) -> Iterator[Connection]:
        with (
            self.timing.of(Operation.WRITE),
            self._taking_turns(),
            self._connection({_WRITE: True, **options}) as connection,
        ):
            if self.dialect == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            yield connection

    @contextmanager
    def _taking_turns(self) -> Iterator[None]:
        if self.dialect != "sqlite":
            yield
            return
        if not self._turn.acquire(timeout=BUSY_MS / 1000):
            msg = f"database {self.place}: another thread writes for longer than {BUSY_MS / 1000:.0f} s"
            raise StoreBusy(msg)
        try:
            yield
        finally:
            self._turn.release()

    @contextmanager
    def _connection(self, options: Mapping[str, bool | str]) -> Iterator[Connection]:
        try:
            with (
                self._engine.connect().execution_options(**options) as connection,
                connection.begin(),
            ):
                yield connection
        # OverflowError and UnicodeError come from binding a value that the database has no room for.
        except (SQLAlchemyError, OverflowError, UnicodeError) as error:
            raise store_error(error, self.place) from error

    def insert_many(self, connection: Connection, rows: type[Base], given: Sequence[Row]) -> None:
        """Insert rows with values for all columns; one whose key exists is skipped."""
        self._many_rows(rows, "", self.insert_new).write(connection, given)

    def upsert_many(self, connection: Connection, rows: type[Base], rank: str, given: Sequence[Row]) -> None:
        """Insert rows with values for all columns; each replaces the row of its key of a lower `rank`."""
        self._many_rows(rows, rank, partial(self.upsert, rank=rank)).write(connection, given)

    def _many_rows(self, rows: type[Base], rank: str, statement: Callable[[type[Base]], Insert]) -> ManyRows:
        found = self._many.get((rows, rank))
        if found is None:
            found = self._many[rows, rank] = ManyRows(statement(rows), self._engine.dialect)
        return found

    def insert_new(self, rows: type[Base]) -> Insert:
        """Return an insert that skips a row whose key exists."""
        return self._insert(rows).on_conflict_do_nothing()

    def upsert(self, rows: type[Base], rank: str) -> Insert:
        """Return an insert that replaces the row of the same key where it has a lower `rank`."""
        statement = self._insert(rows)
        new, table = statement.excluded, _table(rows)
        keys = [column.name for column in table.primary_key]
        return statement.on_conflict_do_update(
            index_elements=keys,
            set_={column.name: new[column.name] for column in table.columns if column.name not in keys},
            where=new[rank] > table.c[rank],
        )

    def _insert(self, rows: type[Base]) -> Insert:
        insert = sqlite.insert if self.dialect == "sqlite" else postgresql.insert
        return insert(_table(rows))

    def prepare(self, to: int | None = None, migrations: Path = MIGRATIONS) -> tuple[int, int]:
        """Create the tables or bring them up to date; return the version before and after.

        Each revision is one transaction and asks again which version the database has, since another process
        may prepare it too.
        """
        to = newest_version(migrations) if to is None else to
        with self.reading() as connection:
            before = version = version_of(connection, self.place, migrations)
        if 0 < version < to:
            log.info("database %s: from version %d to %d; large tables take minutes", self.place, version, to)
        while version < to:
            with self._writing({_MIGRATE: True}) as connection:
                version = run_next(connection, self.place, to, migrations)
        return before, version

    def refuse_newer(self) -> None:
        """Raise `StoreError` where a newer Lapwing has changed the tables."""
        with self.reading() as connection:
            version_of(connection, self.place)

    def purge(self) -> bool:
        """Remove the bytes of deleted rows from the files; return whether it was done.

        SQLite's log is written into the file and cut, which cannot be done while others read. PostgreSQL
        vacuums; its own log and backups keep the bytes for as long as they are kept.
        """
        try:
            if self.dialect == "sqlite":
                with contextlib.closing(self._engine.raw_connection()) as raw:
                    found = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                    return bool(found[0] == 0)  # else somebody was in the way
            outside = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            with outside as connection:
                for table in METADATA.sorted_tables:
                    connection.execute(text(f"VACUUM {table.name}"))
            return True
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise store_error(error, self.place) from error

    def close(self) -> None:
        """Close all connections."""
        with contextlib.suppress(SQLAlchemyError):
            self._engine.dispose()


def snapshot_of(connection: Connection) -> str | None:
    """Return the name of what a reading connection sees, for others of the same database to see it too.

    It is valid while the connection's transaction lasts. SQLite has none.
    """
    if connection.dialect.name != "postgresql":
        return None
    return str(connection.scalar(text("SELECT pg_export_snapshot()")))


def _table(rows: type[Base]) -> Table:
    table = rows.__table__
    assert isinstance(table, Table)
    return table


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _prepare_sqlite(engine: Engine) -> None:
    """Begin transactions ourselves: the driver's own way takes the write lock too late to wait for it."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None
        # FULL: what is committed here is then committed to Kafka, so it must outlive a loss of power.
        settings = (
            "journal_mode = WAL",
            "synchronous = FULL",
            f"cache_size = -{CACHE_KIB}",
            f"wal_autocheckpoint = {LOG_PAGES}",
        )
        for setting in settings:
            connection.execute(f"PRAGMA {setting}").close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        # Only outside of a transaction can this be changed, and a table is made anew without it only.
        connection.exec_driver_sql(f"PRAGMA foreign_keys = {'OFF' if options.get(_MIGRATE) else 'ON'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_WRITE) else "BEGIN")
