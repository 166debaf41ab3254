"""No query of a command reads a whole table that grows: on either database, by the plan that it makes."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import Connection, Engine, Select, event, literal, select, text, update

from benchmarks.store import BEGIN as FIRST
from benchmarks.store import DAYS, fill, queries
from consumers.complaint_lives import find_complaint_lives
from consumers.database.database import Database
from consumers.database.events import ActionRow
from consumers.database.learning import AdoptionRow, SampleRow
from consumers.database.notices import JudgingRow, MessageRow
from consumers.database.outcomes import CensusRow, CustomerDaysRow, OutcomeRow
from consumers.database.schema import METADATA
from consumers.database.warnings import WarningRow, WarningStepRow
from consumers.desk.acting.action_desk import ActionDesk
from consumers.desk.acting.sending import ActionSender
from consumers.desk.clock import DeskClock
from consumers.desk.customer.history import read_customer
from consumers.desk.pages.changes import rule_changes
from consumers.desk.pages.segments import warnings_of
from consumers.desk.people.person import Person, Role
from consumers.desk.queue.filter import QueueFilter
from consumers.desk.queue.reader import Changes
from consumers.desk.queue.store import Position
from consumers.desk.queue.views import views_of
from consumers.desk.reports.live_counts import LiveCounter
from consumers.drafts import Draft
from consumers.effects.store import stored_input
from consumers.lapsed import store as lapsed_store
from consumers.notify.router import ROUTES, Router
from consumers.reports.alarms import read_alarms
from consumers.reports.complaints import read_complaints
from consumers.reports.funnels import read_funnels
from consumers.reports.knowledge import Knowledge
from consumers.reports.period import Period
from consumers.reports.plays import read_plays
from consumers.reports.profile import read_profile
from consumers.reports.reasons import read_reasons
from consumers.scorecard import store as scorecard_store
from consumers.sink.kinds import CENSUS, CUSTOMER_DAYS, OUTCOMES, WARNINGS, actions, complaints
from consumers.sink.store import topics_without_rows
from tests.consumers.desk.desks import Sent, desk_over
from tests.consumers.notify.notice_shop import BEGIN, DAY, put, silence
from tests.consumers.notify.routed_shop import tree
from tests.consumers.scorecard.made import made
from tests.consumers.scorecard.stored import store

STEPS: Final = {"sqlite": 4_000, "postgresql": 40_000}
"""SQLite plans without regard to the number of rows, PostgreSQL by it."""
SMALL: Final = frozenset(
    {
        "segment_warnings",
        "segment_warning_steps",
        "channels",
        "judging",
        "silences",
        "erasures",
        "alembic_version",
        "lapwing_schema",
        "desk_presence",
    }
)
"""Tables with a row for each channel, silence, segment's step, erased customer or open page."""
WHOLE: Final = {
    "notify: count the outbox": {"outbox"},
    "a channel is added": {"notices"},
    "erase a customer (rolled back)": {"unreadable"},
    "effects": {"actions", "outcomes"},
    "desk: the queue of a past day": {"warnings", "rules_adopted"},  # one row for each change of rules
    "scorecard": {"actions"},
    "all complaints": {"complaint_events"},
    "report: alarms": {"actions"},
    "report: plays": {"actions", "outcomes"},
}
"""What may read all of a table: counts at a command's end, reports, and what no index finds in bytes."""

LAST: Final = FIRST + timedelta(days=DAYS)
"""When the last warnings open."""

Statement = tuple[str, Any]


@contextlib.contextmanager
def statements() -> Iterator[list[Statement]]:
    """Note each statement that is run, with the values of its first row."""
    found: list[Statement] = []

    def note(
        connection: Connection, cursor: object, statement: str, values: Any, context: object, many: bool
    ) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")):
            found.append((statement, values[0] if many else values))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def whole_tables(connection: Connection, statement: str, values: Any) -> set[str]:
    """Return the tables that a statement reads from end to end."""
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
        found = {
            table
            for row in rows
            # A SEARCH by nothing looks for the greatest value of a column without an index.
            if (match := re.match(r"SCAN (\w+)|SEARCH (\w+)$", row[3]))
            for table in match.groups()
            if table in METADATA.tables  # and not a subquery that the statement names
        }
        # By an index for what most rows do not have.
        for row in rows:
            search = re.match(r"SEARCH (\w+) USING .*INDEX \w+ \((\w+)=\?\)$", row[3])
            if search and re.search(rf"\b{search[2]} IS NULL", statement):
                found.add(search[1])
        # Of the row number it is the last row.
        if re.search(r"max\(\w+\.seq\)", statement):
            found.clear()
    else:
        (plan,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values).scalar_one()
        found = set(_whole_of(plan["Plan"]))
    # A limit without a condition stops at the first rows.
    if re.search(r"\bLIMIT\b", statement) and not re.search(r"\bWHERE\b", statement):
        return set()
    return {re.sub(r"_\d+$", "", table) for table in found} - SMALL


def _whole_of(node: dict[str, Any], table: str = "", limited: bool = False) -> Iterator[str]:
    table = node.get("Relation Name", table)
    if node["Node Type"] in ("Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Index Scan"):
        # In the order of an index until there are enough, without a condition.
        in_order = limited and "Filter" not in node and node["Node Type"].startswith("Index")
        if "Index Cond" not in node and not in_order:
            yield table
    for child in node.get("Plans", ()):
        yield from _whole_of(child, table, limited=node["Node Type"] == "Limit")


def empty_tables(connection: Connection) -> set[str]:
    """Return the tables without a row: of these PostgreSQL chooses any index; SQLite's plan is as ever."""
    return {
        name
        for name, table in METADATA.tables.items()
        if connection.execute(select(literal(1)).select_from(table).limit(1)).first() is None
    }


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    opened.prepare()
    yield opened
    opened.close()


def without_seq_scan(database: Database, connection: Connection) -> None:
    """Ask PostgreSQL whether there is an index: so few rows are read as fast without one."""
    if database.dialect == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")


def asked(database: Database) -> dict[str, Callable[[], object]]:
    """Return what the benchmark measures, and what is not worth being measured."""
    kinds = {
        "churn-warnings": WARNINGS,
        "churn-outcomes": OUTCOMES,
        "churn-census": CENSUS,
        "customer-days": CUSTOMER_DAYS,
        "actions": actions(0),
        "complaints": complaints(0),
    }
    return {
        **queries(database, STEPS[database.dialect] // 4),
        "a sink starts": lambda: topics_without_rows(database, kinds),
        "a silence changes": lambda: put(database, silence("s", BEGIN, BEGIN + DAY)),
        "rules of the desk": lambda: _counted_twice(database),
        "segments of the desk": lambda: warnings_of(database, LAST - 3 * DAY),
        "changes of the desk": lambda: rule_changes(database),
    }


ROUTES_TEXT: Final = """\
version: 1
receivers:
  - {name: team, channels: desk, rate_limit: {messages: 2, per: 1h}}
  - {name: night, channels: desk}
route:
  receiver: team
  routes:
    - {name: digest, match: {tier: [high, medium, low]}, digest: '00:00', continue: true}
    - name: night
      match: {tier: [high, medium, low]}
      receiver: night
      quiet_hours: {begins: '20:00', ends: '07:00'}
"""


def routed(database: Database) -> dict[str, Callable[[], object]]:
    """Return what routes ask: notices and digests become messages, and messages deliveries."""
    router = Router(database, tree(ROUTES_TEXT))

    def at(hours: int) -> Callable[[], object]:
        def turn() -> int:
            with database.writing() as connection:
                router.begin(connection, from_now=True)
                back = update(JudgingRow).where(JudgingRow.name == ROUTES)
                connection.execute(back.values(judged_to=JudgingRow.judged_to - 20))
            return router.turn(["desk"], LAST + timedelta(hours=hours))

        return turn

    with database.writing() as connection:  # the benchmark's warnings are all of high tier
        for table in ("warnings", "warning_steps"):
            connection.execute(text(f"UPDATE {table} SET tier = 'low' WHERE state = 'open'"))
    # At night some wait, by day those are due, and a day later there is a digest before.
    return {"routes: at night": at(23), "routes: by day": at(33), "routes: a day later": at(57)}


def _counted_twice(database: Database) -> None:
    """Count what is open and what opened of late, and again what is new since."""
    counter = LiveCounter(database)
    counter.count(LAST)
    counter.count(LAST)


def lookups(database: Database) -> dict[str, Callable[[], object]]:
    """Return what each index is for, where no command asks it yet."""

    def ask(statement: Select[Any]) -> Callable[[], object]:
        def run() -> object:
            with database.reading() as connection:
                return connection.execute(statement).first()

        return run

    some, at = "customer-7", LAST - 3 * DAY
    return {
        "outcomes of a type since": ask(
            select(OutcomeRow.data).where(OutcomeRow.type == "churn.customer.lapsed", OutcomeRow.time >= at)
        ),
        "outcomes of a customer": ask(
            select(OutcomeRow.data)
            .where(OutcomeRow.customer_id == some)
            .order_by(OutcomeRow.type, OutcomeRow.time)
        ),
        "outcomes of a warning": ask(select(OutcomeRow.data).where(OutcomeRow.warning_id == "w")),
        "actions of a warning": ask(select(ActionRow.data).where(ActionRow.warning_id == "w")),
        "actions of a customer since": ask(
            select(ActionRow.data).where(ActionRow.customer_id == some, ActionRow.time >= at)
        ),
        "actions since": ask(select(ActionRow.data).where(ActionRow.time >= at)),
        "days of a warning": ask(
            select(CustomerDaysRow.data)
            .where(CustomerDaysRow.warning_id == "w")
            .order_by(CustomerDaysRow.time)
        ),
        "newest day of a customer": ask(
            select(CustomerDaysRow.data)
            .where(CustomerDaysRow.customer_id == some)
            .order_by(CustomerDaysRow.time.desc())
            .limit(1)
        ),
        "a month of the census": ask(
            select(CensusRow.data).where(CensusRow.type == "churn.census.taken", CensusRow.time == at)
        ),
        "steps of a customer": ask(select(WarningStepRow.data).where(WarningStepRow.customer_id == some)),
        "samples of an instant": ask(select(SampleRow.inputs).where(SampleRow.at == at)),
        "rules since": ask(select(AdoptionRow.data).where(AdoptionRow.adopted_at >= at)),
    }


def desk_queries(database: Database) -> dict[str, Callable[[], object]]:
    """Return what a customer's page and acting ask, over actions in every state."""
    clock = DeskClock(lambda: LAST, lambda: LAST)
    desk = ActionDesk(database, clock)
    with database.reading() as connection:
        first, second = connection.execute(
            select(WarningRow.id, WarningRow.customer_id).where(WarningRow.state == "open").limit(2)
        )
    agent = Person("ann", Role.AGENT)
    sender = ActionSender(database, clock, Sent(), "actions")
    groups = [
        desk.submit(agent, [Draft(row.customer_id, "acknowledge", row.id)], group_id=str(n))
        for n, row in enumerate([first, second] * 20)
    ]
    return {
        "a customer's page": lambda: read_customer(database, first.customer_id, holdout=True),
        "actions on their way": lambda: desk.pending([first.id, second.id]),
        "all actions on their way": desk.pending,
        "a customer's actions on their way": lambda: desk.of_customer(first.customer_id),
        "act": lambda: desk.submit(agent, [Draft(first.customer_id, "contact", first.id)]),
        "undo": lambda: desk.undo(agent, groups[0]),
        "send": sender.send_due,
        "note arrivals": sender.note_arrivals,
    }


def queue(database: Database) -> dict[str, Callable[[], object]]:
    """Return what the desk asks for its queue."""
    desk = desk_over(database, LAST)
    board = desk.board
    anybody = Person("ann", Role.OPERATOR)

    def catch_up() -> None:
        board.refresh()
        board.reader._position = Position()
        board.reader._catch_up_some(Changes())

    return {
        "desk: the open warnings are read": board.refresh,
        "desk: what is new is read": catch_up,
        "desk: a page of the queue": lambda: board.page(QueueFilter(), anybody),
        "desk: the queue of a past day": lambda: desk.past.at(LAST - DAY).page(QueueFilter(), anybody),
        "desk: saved views": lambda: views_of(database, anybody),
        "desk: who looks": lambda: (desk.presence.enter("ann", "c1"), desk.presence.exchange(LAST)),
    }


def test_the_queue_reads_what_is_open_and_what_is_new(database: Database, database_url: str) -> None:
    fill(database, database_url, STEPS[database.dialect])
    check(database, queue(database), at_least=15)


def reports(database: Database) -> dict[str, Callable[[], object]]:
    """Return what reports ask of the database."""
    return {
        "effects": lambda: stored_input(database),
        "scorecard": lambda: scorecard_store.stored_facts(database, timedelta(days=30)),
        "lapsed": lambda: lapsed_store.stored_facts(database),
        "all complaints": lambda: find_complaint_lives(database),
    }


PERIOD: Final = Period.parse("2025-06", "UTC")
KNOWLEDGE: Final = Knowledge("UTC", timedelta(days=90), timedelta(days=90))


def of_a_period(database: Database) -> dict[str, Callable[[], object]]:
    """Return what the parts of a report ask of the database."""
    readers: dict[str, Callable[..., object]] = {
        "report: funnels": read_funnels,
        "report: reasons": read_reasons,
        "report: alarms": read_alarms,
        "report: complaints": read_complaints,
        "report: profile": read_profile,
        "report: plays": read_plays,
    }

    def ask(read: Callable[..., object]) -> object:
        with database.reading() as connection:
            return read(connection, PERIOD, KNOWLEDGE)

    return {name: functools.partial(ask, read) for name, read in readers.items()}


def test_no_query_reads_a_whole_table_that_grows(database: Database, database_url: str) -> None:
    fill(database, database_url, STEPS[database.dialect])
    check(database, asked(database) | lookups(database) | desk_queries(database), at_least=60)
    check(database, routed(database), at_least=60)
    with database.reading() as connection:
        kinds = set(connection.execute(select(MessageRow.kind, MessageRow.why)).all())
    assert kinds >= {("digest", None), ("gathered", "rate_limit"), ("notice", "gathered")}, kinds


def test_reports_read_what_they_are_about(database: Database, database_url: str) -> None:
    fill(database, database_url, STEPS[database.dialect])
    with database.writing() as connection:
        for table in ("outcomes", "actions"):  # theirs are no outcomes that a report can read
            connection.execute(text(f"DELETE FROM {table}"))
    store(database, made(1))
    check(database, reports(database), at_least=10)
    check(database, of_a_period(database), at_least=30)


def check(database: Database, asks: dict[str, Callable[[], object]], at_least: int) -> None:
    """Ask everything and look at the plans of all the statements."""
    wrong: dict[str, list[tuple[str, set[str]]]] = {}
    seen = 0
    for name, ask in asks.items():
        with statements() as found:
            ask()
        assert found, name
        with database.reading() as connection:
            without_seq_scan(database, connection)
            empty = empty_tables(connection) if database.dialect == "postgresql" else set()
            for statement, values in found:
                if "pg_advisory" in statement:
                    continue
                seen += 1
                whole = whole_tables(connection, statement, values) - WHOLE.get(name, set()) - empty
                if whole:
                    wrong.setdefault(name, []).append((statement, whole))
    assert wrong == {}
    assert seen >= at_least


def test_a_plan_that_reads_a_whole_table_is_seen(database: Database) -> None:
    expected = {
        "SELECT * FROM warning_steps WHERE data IS NULL": {"warning_steps"},
        "SELECT max(last_step) FROM warnings": {"warnings"},
        "SELECT count(*) FROM notices WHERE note = 'x'": {"notices"},
        "SELECT id FROM warnings WHERE lower(id) = 'x' LIMIT 1": {"warnings"},
        "SELECT id FROM warnings WHERE id = 'x'": set(),
        "SELECT max(notices.seq) FROM notices": set(),
        "SELECT seq FROM warning_steps ORDER BY seq DESC LIMIT 1": set(),
        "DELETE FROM outbox WHERE last_error = 'x'": {"outbox"},
    }
    if database.dialect == "sqlite":  # PostgreSQL knows how many rows have no value
        expected["SELECT seq FROM outbox WHERE message_seq IS NULL"] = {"outbox"}
    with database.reading() as connection:
        without_seq_scan(database, connection)
        found = {statement: whole_tables(connection, statement, ()) for statement in expected}
    assert found == expected
