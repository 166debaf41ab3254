from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select

from consumers.broker.errors import BrokerAway, GroupChanged
from consumers.broker.records import Record
from consumers.database.aside import UnreadableRow
from consumers.database.base import Base
from consumers.database.database import Database, StoreAway
from consumers.database.events import ComplaintRow
from consumers.database.warnings import WarningRow, WarningStepRow
from consumers.follow.sources import MappingWaits
from consumers.sink.inputs import MappedInputs
from consumers.sink.kinds import WARNINGS, mapped_complaints
from consumers.sink.sink import Sink
from consumers.sink.store import Counts
from streams.contract.events import Complaint
from streams.contract.examples import EXAMPLES, WARNING_EXAMPLE
from streams.contract.warnings import parse_warning
from streams.core.steps import StepKind
from tests.consumers.shop_records import KINDS, shop_records
from tests.consumers.stored import empty_database, store_records
from tests.consumers.stubs import NOW, Clock, Topic, Waits, refuse_rows
from tests.consumers.warning_events import TOPIC, attended_life, life, records, value, warning_id


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'w.db'}")
    opened.prepare()
    yield opened
    opened.close()


def store(database: Database, contents: Sequence[bytes | None]) -> Counts:
    return store_records(database, records(contents))


def sink_of(topic: Topic, database: Database, stop: Waits | None = None) -> Sink:
    return Sink(topic, database, stop or Waits(), {TOPIC: WARNINGS}, clock=Clock(), enough=1)


def rows(database: Database, table: type[Base], *leave_out: str) -> list[dict[str, Any]]:
    with database.reading() as connection:
        found = [dict(row) for row in connection.execute(select(table.__table__)).mappings()]
    return [{name: cell for name, cell in row.items() if name not in leave_out} for row in found]


def test_a_step_is_stored_with_its_place_and_the_warning_with_its_state(database: Database) -> None:
    contents = life("c1")
    assert store(database, contents[:3]) == Counts(records=3, stored=3)
    first, _, third = rows(database, WarningStepRow)
    assert first["id"] == f"{warning_id('c1')}/1"
    assert (first["type"], first["step"], first["tier"]) == ("churn.warning.opened", 1, "medium")
    assert first["data"] == json.loads(contents[0])["data"]
    assert (first["source_topic"], first["source_partition"], first["source_offset"]) == (
        "churn-warnings",
        0,
        0,
    )
    assert first["received_at"] == NOW
    (warning,) = rows(database, WarningRow)
    assert (warning["id"], warning["customer_id"]) == (warning_id("c1"), "c1")
    assert (warning["state"], warning["tier"], warning["last_step"]) == ("open", "high", 3)
    assert warning["last_type"] == "churn.warning.escalated"
    assert [cause["rule"] for cause in warning["causes"]] == ["a", "c"]
    assert warning["churn_probability"] == 0.73
    assert warning["opened_at"] == first["time"]
    assert warning["updated_at"] == third["time"]
    assert warning["closed_at"] is None
    store(database, contents[3:])
    (warning,) = rows(database, WarningRow)
    assert warning["state"] == "resolved"
    assert warning["closed_at"] == warning["updated_at"] > third["time"]


def test_the_warning_has_the_verdict_and_the_net_of_its_newest_decision(database: Database) -> None:
    event = json.loads(value(customer="c1", number=1))
    for number, decision in ((1, WARNING_EXAMPLE["data"]["decision"]), (2, None)):
        event["id"] = f"{event['data']['warning_id']}/{number}"
        event["data"] |= {"step": number, "decision": decision}
        store(database, [json.dumps(event).encode()])
        (row,) = rows(database, WarningRow)
        expected = (None, None) if decision is None else (decision["verdict"], decision["net"])
        assert (row["decision"], row["net"]) == expected
    assert WARNING_EXAMPLE["data"]["decision"]["net"] > 0


def test_the_warning_says_who_has_it_in_hand_and_until_when(database: Database) -> None:
    contents = attended_life("c1")
    names = ("attention", "attended_by", "attended_until", "deadline")

    def shown() -> list[object]:
        (warning,) = rows(database, WarningRow)
        return [warning[name] for name in names]

    store(database, contents[:1])
    assert shown() == [None, None, None, None]
    store(database, contents[1:2])
    until = parse_warning(contents[2]).time
    assert shown() == ["acknowledged", "ann", until, None]
    store(database, contents[2:3])
    assert shown() == ["lapsed", "ann", None, parse_warning(contents[4]).time]


def test_a_repeated_step_changes_nothing(database: Database) -> None:
    contents = life("c1")
    store(database, contents)
    before = rows(database, WarningStepRow), rows(database, WarningRow)
    assert store(database, contents) == Counts(records=4, repeats=4)
    assert store(database, [contents[0], contents[0]]) == Counts(records=2, repeats=2)
    # Another order of keys and other white space is the same content.
    respelled = json.dumps(dict(reversed(json.loads(contents[0]).items())), indent=1).encode()
    assert store(database, [respelled]) == Counts(records=1, repeats=1)
    assert (rows(database, WarningStepRow), rows(database, WarningRow)) == before
    assert rows(database, UnreadableRow) == []


def test_an_id_with_another_content_is_put_aside_and_the_first_kept(database: Database) -> None:
    contents = life("c1")
    store(database, contents[:1])
    other = value(customer="c1", number=1, causes=("another",))
    assert store(database, [other, contents[1]]) == Counts(records=2, stored=1, unreadable=1)
    (aside,) = rows(database, UnreadableRow)
    assert (aside["reason"], aside["value"]) == ("conflict", other)
    assert rows(database, WarningStepRow)[0]["data"]["causes"][0]["rule"] == "order-collapse"
    # The same within one poll, of a warning not seen before.
    new = value(customer="c2", number=1), value(customer="c2", number=1, causes=("another",))
    assert store(database, list(new)) == Counts(records=2, stored=1, unreadable=1)


LIVES = [content for customer in ("c1", "c2", "c3") for content in life(customer)]
ANY_ORDER = st.lists(st.sampled_from(range(len(LIVES))), max_size=20).flatmap(
    lambda more: st.permutations([*range(len(LIVES)), *more])
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=ANY_ORDER, size=st.integers(1, 40))
def test_whatever_the_order_the_repeats_and_the_polls_the_end_is_one(order: list[int], size: int) -> None:
    database = empty_database()
    contents: list[bytes | None] = [LIVES[n] for n in order]
    counts = Counts()
    for begin in range(0, len(contents), size):
        counts.add(store(database, contents[begin : begin + size]))
    assert (counts.stored, counts.repeats) == (len(LIVES), len(order) - len(LIVES))
    assert {row["id"] for row in rows(database, WarningStepRow)} == {json.loads(c)["id"] for c in LIVES}
    for warning in rows(database, WarningRow):
        assert (warning["state"], warning["last_step"], warning["last_type"]) == (
            "resolved",
            4,
            "churn.warning.resolved",
        )
    database.close()


BAD: list[bytes | None] = [
    None,
    b"",
    b"not json",
    b"\xff\xfe",
    b"{}",
    b"[1]",
    value().replace(b'"medium"', b'"urgent"', 1),
    value().replace(b'"churn_probability":0.73', b'"churn_probability":NaN'),
    b"x" * 1_000_000,
]


def test_what_is_no_warning_is_put_aside_with_its_bytes_and_the_rest_goes_on(database: Database) -> None:
    good = life("secret-customer")
    contents = [good[0], *BAD, good[1]]
    assert store(database, contents) == Counts(records=11, stored=2, unreadable=9)
    aside = rows(database, UnreadableRow)
    assert [row["value"] for row in aside] == BAD
    assert [row["reason"] for row in aside] == ["empty"] + ["invalid"] * 8
    assert [row["source_offset"] for row in aside] == list(range(1, 10))
    # Read again after a crash: neither is there twice.
    assert store(database, contents) == Counts(records=11, repeats=2, unreadable=9)
    assert len(rows(database, UnreadableRow)) == 9


def test_a_row_that_the_database_refuses_is_put_aside_alone(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    contents: list[bytes | None] = [value(customer=f"c{n}") for n in range(23)]
    refuse_rows(database, "warning_steps", "customer_id = 'c17'")
    with caplog.at_level(logging.INFO):
        assert store(database, contents) == Counts(records=23, stored=22, unreadable=1)
    (aside,) = rows(database, UnreadableRow)
    assert (aside["reason"], aside["source_offset"], aside["value"]) == ("refused", 17, contents[17])
    assert len(rows(database, WarningRow)) == 22
    assert "c17" not in caplog.text


def test_a_field_that_a_newer_worker_adds_is_kept(database: Database) -> None:
    event = json.loads(value())
    event["data"]["rescue_chance"] = 0.4
    store(database, [json.dumps(event).encode()])
    assert rows(database, WarningStepRow)[0]["data"]["rescue_chance"] == 0.4


class Failing(Database):
    """A database that is down for its first transactions."""

    def __init__(self, url: str, log: list[str]) -> None:
        super().__init__(url)
        self.down = 0
        self._log = log

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        if self.down:
            self.down -= 1
            msg = "database x: OperationalError: server closed the connection"
            raise StoreAway(msg)
        with super().writing() as connection:
            yield connection
        self._log.append("stored")


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[Failing]:
    log: list[str] = []
    database = Failing(f"sqlite:///{tmp_path / 'w.db'}", log)
    database.prepare()
    log.clear()
    yield database
    database.close()


def test_offsets_are_committed_after_the_database_has(failing: Failing) -> None:
    topic = Topic([*life("c1"), b"bad", *life("c2")], size=4, log=failing._log)
    counts = sink_of(topic, failing).run(follow=False).total
    assert failing._log == ["stored", "commit"] * 3
    assert topic.commits == [4, 8, 9]
    assert counts == Counts(records=9, stored=8, unreadable=1)


def test_while_the_database_is_down_nothing_is_committed_and_nothing_lost(failing: Failing) -> None:
    topic = Topic(life("c1"), size=3, log=failing._log)
    failing.down = 3
    stop = Waits()
    sink = sink_of(topic, failing, stop)
    assert sink.run(follow=False).total.stored == 4
    assert sink.counts.stored_at == NOW.timestamp()
    assert stop.waits == [0.5, 1.0, 2.0]
    assert failing._log == ["stored", "commit"] * 2


def test_a_stop_while_the_database_is_down_leaves_the_records_to_the_next_run(failing: Failing) -> None:
    topic = Topic(life("c1"), size=3)
    failing.down = 100
    assert sink_of(topic, failing, Waits(2)).run().total == Counts()
    assert topic.commits == []


@pytest.mark.parametrize(("error", "commits"), [(GroupChanged("moved"), [4]), (BrokerAway("gone"), [4])])
def test_a_failed_commit_does_not_stop_the_sink(
    failing: Failing, error: Exception, commits: list[int]
) -> None:
    topic = Topic(life("c1"), size=2)
    errors = [error]

    def fail_once() -> None:
        if errors:
            raise errors.pop()

    topic.before_commit = fail_once
    assert sink_of(topic, failing).run(follow=False).total.stored == 4
    assert topic.commits == commits


def test_a_crash_between_the_database_and_the_commit_doubles_nothing(failing: Failing) -> None:
    topic = Topic(life("c1"), size=2)

    def crash() -> None:
        raise KeyboardInterrupt

    topic.before_commit = crash
    with pytest.raises(KeyboardInterrupt):
        sink_of(topic, failing).run()
    assert topic.commits == []
    again = Topic(life("c1"), size=3)
    assert sink_of(again, failing).run(follow=False).total == Counts(4, 2, 2)
    assert [row["step"] for row in rows(failing, WarningStepRow)] == [1, 2, 3, 4]


def test_a_broker_that_is_away_for_a_moment_is_polled_again(failing: Failing) -> None:
    topic = Topic(life("c1"), size=9)
    polls = [BrokerAway("gone"), BrokerAway("gone")]
    poll = topic.poll

    def poll_later(timeout_s: float) -> Any:
        if polls:
            raise polls.pop()
        return poll(timeout_s)

    topic.poll = poll_later  # type: ignore[method-assign]
    assert sink_of(topic, failing).run(follow=False).total.stored == 4


def test_a_lower_step_that_comes_later_does_not_turn_the_state_back(database: Database) -> None:
    contents = life("c1")
    store(database, [contents[3]])
    store(database, [contents[0]])
    (warning,) = rows(database, WarningRow)
    assert (warning["state"], warning["last_step"]) == ("resolved", 4)
    withdrawn = value(customer="c1", number=5, kind=StepKind.WITHDRAWN)
    store(database, [withdrawn, contents[1]])
    (warning,) = rows(database, WarningRow)
    assert (warning["state"], warning["last_step"]) == ("withdrawn", 5)


@pytest.mark.parametrize("wrong", ["", "x", f"{warning_id('c1')}/2", f"{warning_id('c2')}/1"])
def test_a_step_under_another_id_is_put_aside_and_not_stored_twice(database: Database, wrong: str) -> None:
    event = json.loads(value(customer="c1")) | {"id": wrong}
    assert store(database, [json.dumps(event).encode(), value(customer="c1")]) == Counts(
        records=2, stored=1, unreadable=1
    )
    (step,) = rows(database, WarningStepRow)
    assert step["id"] == f"{warning_id('c1')}/1"


class Several:
    """Several topics as one subscription: a poll gives so many records of each."""

    def __init__(self, records: Sequence[Record], size: int, log: list[str]) -> None:
        self.size = size
        self.log = log
        self.committed: dict[tuple[str, int], int] = {}
        self.waiting: dict[str, list[Record]] = {}
        for each in records:
            self.waiting.setdefault(each.topic, []).append(each)

    def poll(self, timeout_s: float) -> list[Record]:
        found = [each for topic in self.waiting for each in self.waiting[topic][: self.size]]
        self.waiting = {topic: records[self.size :] for topic, records in self.waiting.items()}
        self.log.append(f"poll {len(found)}")
        return found

    def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        self.log.append("commit")
        self.committed |= offsets

    def lags(self) -> dict[str, int]:
        return {topic: len(records) for topic, records in self.waiting.items()}

    def at_end(self) -> bool:
        return not any(self.waiting.values())


def test_what_a_poll_gives_of_several_topics_is_one_transaction_and_each_topics_lag_is_known(
    failing: Failing,
) -> None:
    found = [record for record in shop_records() if record.topic != "lapwing-silences"]
    source = Several(found, 100, failing._log)
    lags: list[dict[str, int]] = []
    sink = Sink(
        source,
        failing,
        Waits(),
        KINDS,
        clock=Clock(),
        enough=1,
        on_progress=lambda counts, behind: lags.append(dict(behind)),
    )
    counts = sink.run(follow=False)
    assert counts.total.stored == len(found)
    polls = [entry for entry in failing._log if entry.startswith("poll")]
    assert failing._log == [
        each for poll in polls for each in ([poll] if poll == "poll 0" else [poll, "stored", "commit"])
    ]
    ends = {(r.topic, 0): 1 + max(o.offset for o in found if o.topic == r.topic) for r in found}
    assert source.committed == ends
    outcomes = sum(r.topic == "churn-outcomes" for r in found)
    assert [each["churn-outcomes"] for each in lags][:2] == [outcomes - 100, max(0, outcomes - 200)]
    assert set(lags[-1].values()) == {0}


def test_where_many_records_wait_several_polls_are_one_transaction(failing: Failing) -> None:
    found = [record for record in shop_records() if record.topic == "churn-outcomes"]
    source = Several(found, 40, failing._log)
    sink = Sink(source, failing, Waits(), KINDS, clock=Clock(), enough=100)
    assert sink.run(follow=False).total.stored == len(found) == 218
    assert failing._log[:5] == ["poll 40", "poll 40", "poll 40", "stored", "commit"]
    assert failing._log.count("stored") == -(-len(found) // 120)


def test_what_was_read_is_stored_though_the_broker_goes_away_meanwhile(failing: Failing) -> None:
    gone = "the broker is away"

    class Leaving(Several):
        def poll(self, timeout_s: float) -> list[Record]:
            if failing._log.count("poll 40") == 2 and "away" not in failing._log:
                failing._log.append("away")
                raise BrokerAway(gone)
            return super().poll(timeout_s)

    found = [record for record in shop_records() if record.topic == "churn-outcomes"][:200]
    source = Leaving(found, 40, failing._log)
    stop = Waits()
    counts = Sink(source, failing, stop, KINDS, clock=Clock(), enough=100).run(follow=False)
    assert counts.total.stored == 200
    assert failing._log[:5] == ["poll 40", "poll 40", "away", "stored", "commit"]
    assert stop.waits == []


def test_silences_are_stored_before_the_warnings_and_belong_to_no_group(failing: Failing) -> None:
    silences = Several([r for r in shop_records() if r.topic == "lapwing-silences"], 1, [])
    warnings = Several([r for r in shop_records() if r.topic == "churn-warnings"], 100, failing._log)
    topics: list[Several | None] = [None, silences]
    sink = Sink(
        warnings,
        failing,
        Waits(),
        KINDS,
        clock=Clock(),
        enough=1,
        silences=lambda: topics[0],
        look_for_topics=lambda: topics.insert(0, topics.pop()),
    )
    assert sink.run(follow=False).by_kind["silences"].stored == 2
    number = sum(r.topic == "churn-warnings" for r in shop_records())
    assert failing._log[:4] == ["stored", "stored", f"poll {number}", "stored"]
    assert silences.committed == {}
    assert {topic for topic, _ in warnings.committed} == {"churn-warnings"}


class Killed(BaseException):
    """The process is killed here."""


@pytest.mark.parametrize("point", range(9))
def test_killed_at_any_point_and_started_again_all_is_there_once(tmp_path: Path, point: int) -> None:
    """Kill before the poll, within the transaction, before the commit or after it, and start again."""
    found = [record for record in shop_records() if record.topic != "lapwing-silences"]
    passed = 0

    def may_be_killed() -> None:
        nonlocal passed
        passed += 1
        if passed == point + 1:
            raise Killed

    class Dying(Database):
        @contextmanager
        def writing(self) -> Iterator[Connection]:
            with super().writing() as connection:
                yield connection
                may_be_killed()  # what was written is not committed
            may_be_killed()

    class Broker(Several):
        def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
            super().commit(offsets)
            may_be_killed()

    database = Dying(f"sqlite:///{tmp_path / 'w.db'}")
    Database(f"sqlite:///{tmp_path / 'w.db'}").prepare()
    source = Broker(found, 60, [])
    with pytest.raises(Killed):
        Sink(source, database, Waits(), KINDS, clock=Clock(), enough=1).run(follow=False)
    rest = [each for each in found if each.offset >= source.committed.get((each.topic, 0), 0)]
    passed = 100
    again = Several(rest, 200, [])
    counts = Sink(again, database, Waits(), KINDS, clock=Clock(), enough=1).run(follow=False)
    assert counts.total.records == len(rest) == counts.total.stored + counts.total.repeats
    with database.reading() as connection:
        for topic, kind in KINDS.items():
            own = [each for each in found if each.topic == topic]
            if kind.name not in ("samples", "silences"):
                number = connection.scalar(select(func.count()).select_from(kind.rule.table))
                assert (topic, number) == (topic, len(own))
    database.close()


class HelpDesk(Topic):
    """A topic of others beside the warnings: its only record comes first."""

    def __init__(self, waiting: Record) -> None:
        super().__init__(life("c1"), size=2)
        self.waiting = [waiting]
        self.committed: list[dict[tuple[str, int], int]] = []

    def poll(self, timeout_s: float) -> list[Record]:
        return [self.waiting.pop()] if self.waiting else super().poll(timeout_s)

    def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        self.committed.append(dict(offsets))


def test_records_of_others_that_cannot_be_mapped_yet_wait_and_other_topics_go_on(failing: Failing) -> None:
    tries: list[int] = []

    def mapping(records: Sequence[Record], now: datetime) -> MappedInputs:
        tries.append(len(records))
        if len(tries) < 3:
            msg = "the registry is away"
            raise MappingWaits(msg)
        return MappedInputs([(record, record.value or b"") for record in records])

    content = json.dumps(EXAMPLES[Complaint.topic]).encode()
    desk = HelpDesk(Record("help.desk", 0, 7, 0, b"c", content))
    minutes = iter(range(1_000))
    sink = Sink(
        desk,
        failing,
        Waits(),
        {TOPIC: WARNINGS},
        mapped={"help.desk": [mapped_complaints(mapping)]},
        clock=lambda: NOW + timedelta(minutes=next(minutes)),
        enough=1,
    )
    counts = sink.run(follow=False)
    assert {kind: each.stored for kind, each in counts.by_kind.items()} == {"warnings": 4, "complaints": 1}
    assert tries == [1, 1, 1]
    assert desk.committed[0] == {(TOPIC, 0): 2}
    assert desk.committed[-1][("help.desk", 0)] == 8
    assert [row["source_offset"] for row in rows(failing, ComplaintRow)] == [7]
