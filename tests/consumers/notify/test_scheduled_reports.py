"""Scheduled reports: each period once, when the store knows it, with the same figures at every attempt."""

from __future__ import annotations

import email
import email.policy
import json
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from consumers.database.database import Database
from consumers.database.notices import MessageRow, OutboxRow
from consumers.notify.channels import Channel, Markup, read_channels
from consumers.notify.message import Message, MessageWriter, ReportContent, Style
from consumers.notify.notifier import REPORT_LOOK_S, Notifier
from consumers.notify.outbox import Outbox
from consumers.notify.router import Router
from consumers.notify.routes import RouteTree, ScheduledReport
from consumers.notify.scheduled_reports import (
    LATEST,
    WAIT,
    ReportNotReady,
    content_of,
    due_at,
    due_period,
    key_of,
    make_report_messages,
    next_due,
)
from consumers.notify.senders import ChannelSender
from consumers.reports.document import Document
from consumers.reports.period import Period, PeriodKind
from streams.errors import StoreError
from tests.consumers.notify.routed_shop import tree
from tests.consumers.reports.formats.documents import document
from tests.consumers.stubs import Clock, Waits

TEXT = """\
version: 1
receivers:
  - {name: team, channels: [desk, mail], time_zone: America/Sao_Paulo}
  - {name: east, channels: [mail], time_zone: Asia/Shanghai}
route: {receiver: team}
reports:
  - {receiver: team, every: week, at: '08:00', view: sales}
  - {receiver: team, every: month, at: '07:30', view: finance}
  - {receiver: east, every: day, at: '06:00', language: zh}
"""
CHANNELS = [Channel("desk", "json://x"), Channel("mail", "mailto://x", takes_files=True)]
TREE: RouteTree = tree(TEXT)
WEEK, MONTH, DAY = TREE.reports
BEGIN = datetime(2026, 2, 26, tzinfo=UTC)


def always(connection: Connection) -> datetime:
    return datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def database() -> Iterator[Database]:
    opened = Database("sqlite://")
    opened.prepare()
    yield opened
    opened.close()


class Desk:
    """A notifier over a database, and what each channel got."""

    def __init__(self, database: Database, known_to: Any = always) -> None:
        self.clock = Clock(BEGIN)
        self.got: list[tuple[str, Message, datetime]] = []
        self.asked: list[tuple[Period, str, str, datetime]] = []
        self.away = False
        self.not_ready = 0
        self.refuses = 0
        names = [channel.name for channel in CHANNELS]
        router = Router(database, TREE, known_to=known_to)
        outbox = Outbox(database, "one", router=router)
        outbox.add_channels(names, BEGIN, from_now=False)
        self.notifier = Notifier(
            outbox, CHANNELS, self._take, Waits(),
            writer=MessageWriter(desk_url="https://desk/"), reports=self._write, clock=self.clock,
        )  # fmt: skip

    def _write(self, period: Period, view: str, language: str, as_of: datetime) -> Document:
        if self.away:
            msg = "the database is away"
            raise StoreError(msg)
        if self.not_ready:
            self.not_ready -= 1
            raise ReportNotReady
        self.asked.append((period, view, language, as_of))
        return document(language)

    def _take(self, channel: Channel, message: Message) -> None:
        from consumers.notify.attempt import SendFailed

        if self.refuses:
            self.refuses -= 1
            msg = "refused"
            raise SendFailed(msg)
        self.got.append((channel.name, message, self.clock()))

    def at(self, when: datetime) -> None:
        self.clock.now = when
        self.notifier.run(follow=False)


@given(hours=st.lists(st.integers(1, 60), min_size=5, max_size=40))
@settings(max_examples=15, deadline=None)
def test_each_period_is_reported_once_and_not_before_its_time(hours: list[int]) -> None:
    database = Database("sqlite://")
    database.prepare()
    desk = Desk(database)
    now, turns = BEGIN, []
    for step in hours:
        now += timedelta(hours=step)
        desk.at(now)
        turns.append(now)
    sent = Counter((name, message.id) for name, message, _ in desk.got)
    assert set(sent.values()) <= {1}
    for each in TREE.reports:
        keys = {key_of(each, period) for at in turns if (period := due_period(each, at)) is not None}
        for channel in each.receiver.channels:
            assert {key for name, key in sent if name == channel and is_of(each, key)} == {
                f"{key}:{channel}" for key in keys
            }
    with database.reading() as connection:
        for row in connection.execute(select(MessageRow.__table__)):
            [each] = [found for found in TREE.reports if is_of(found, row.key)]
            content = content_of(row)
            due = due_at(each, content.period)
            assert due <= row.created_at < due + LATEST[content.period.kind]
            assert content.period.end_at <= row.created_at
    database.close()


def is_of(each: ScheduledReport, key: str) -> bool:
    return key.startswith(f"report/{each.receiver.name}/") and f"/{each.view}/" in key


def test_a_report_comes_at_the_receivers_time_on_the_day_after_the_period() -> None:
    march = Period.parse("2026-03", "UTC")
    assert due_at(MONTH, march) == datetime(2026, 4, 1, 10, 30, tzinfo=UTC)  # 07:30 in São Paulo
    assert due_period(MONTH, datetime(2026, 4, 1, 10, 29, tzinfo=UTC)) is None
    assert due_period(MONTH, datetime(2026, 4, 1, 10, 30, tzinfo=UTC)) == march
    assert due_period(MONTH, datetime(2026, 4, 12, tzinfo=UTC)) is None  # no news any more
    assert next_due(MONTH, datetime(2026, 4, 12, tzinfo=UTC)) == datetime(2026, 5, 1, 10, 30, tzinfo=UTC)
    # 06:00 in Shanghai is before the end of the day in UTC, by which the business lives.
    day = Period.parse("2026-03-03", "UTC")
    assert due_at(DAY, day) == datetime(2026, 3, 4, 22, tzinfo=UTC)
    assert due_at(WEEK, Period.parse("2026-W09", "UTC")) == datetime(2026, 3, 2, 11, tzinfo=UTC)


def test_a_key_says_what_the_message_is_about() -> None:
    class Row:
        key = key_of(WEEK, Period.containing(BEGIN.date(), PeriodKind.WEEK, "America/Argentina/Salta"))
        created_at = BEGIN

    found = content_of(cast("Any", Row))
    assert (found.period.key, found.period.zone, found.view) == (
        "2026-W09", "America/Argentina/Salta", "sales",
    )  # fmt: skip


def test_a_report_waits_until_the_store_knows_the_period_but_not_for_ever(database: Database) -> None:
    known: list[datetime | None] = [None]
    desk = Desk(database, lambda connection: known[0])
    due = datetime(2026, 4, 1, 10, 30, tzinfo=UTC)
    month = Period.parse("2026-03", "UTC")
    ours = f"{key_of(MONTH, month)}:mail"
    for at, seen, expected in (
        (due, None, False),
        (due + timedelta(hours=1), month.end_at - timedelta(seconds=1), False),
        (due + timedelta(hours=2), month.end_at, True),
    ):
        known[0] = seen
        desk.at(at)
        assert (ours in [message.id for _, message, _ in desk.got]) is expected
    known[0] = None
    april = Period.parse("2026-04", "UTC")
    desk.at(due_at(MONTH, april) + WAIT - timedelta(minutes=1))
    assert f"{key_of(MONTH, april)}:mail" not in [message.id for _, message, _ in desk.got]
    desk.at(due_at(MONTH, april) + WAIT)
    assert f"{key_of(MONTH, april)}:mail" in [message.id for _, message, _ in desk.got]


def test_what_is_tried_again_has_what_was_known_when_it_was_made(database: Database) -> None:
    desk = Desk(database)
    at = datetime(2026, 4, 1, 12, tzinfo=UTC)
    desk.refuses = 1
    desk.at(at)
    desk.at(at + timedelta(hours=3))
    assert {as_of for period, view, _, as_of in desk.asked if view == "finance"} == {at}
    assert len([period for period, view, _, _ in desk.asked if view == "finance"]) >= 2


def test_a_database_that_is_away_delays_the_report_and_no_channel(database: Database) -> None:
    desk = Desk(database)
    desk.away = True
    at = datetime(2026, 4, 1, 12, tzinfo=UTC)
    desk.at(at)
    assert desk.got == []
    assert desk.notifier.tally.failed == desk.notifier.tally.given_up == 0
    desk.away = False
    desk.at(at + timedelta(hours=1))
    assert {name for name, _, _ in desk.got} == {"desk", "mail"}
    with database.reading() as connection:
        assert set(connection.scalars(select(OutboxRow.state))) == {"sent"}


def test_without_reports_in_the_file_nothing_is_made(database: Database) -> None:
    plain = tree(TEXT[: TEXT.index("reports:")])
    with database.writing() as connection:
        assert make_report_messages(connection, plain, BEGIN, always) == 0


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_message_has_the_summary_and_by_mail_the_page(language: str) -> None:
    content = ReportContent("report/x", Period.parse("2026-03", "UTC"), "finance", BEGIN)
    writer = MessageWriter(desk_url="https://desk.example/")
    for channel in CHANNELS:
        made = writer.of_report(content, document(language), channel, Style(language, receiver="team"))
        assert document(language).answer[0] in made.body
        assert "https://desk.example/reports?period=2026-03&view=finance" in made.body
        assert len(made.attachments) == channel.takes_files
        payload = json.loads(made.payload)
        assert payload["type"] == "churn.report.made"
        assert payload["data"]["period"] == "2026-03"
        assert payload["data"]["figures"][0]["figure"] == "3.8%"
    [page] = made.attachments
    assert page.name == "lapwing-2026-03-finance.html"
    assert page.content.startswith(b"<!doctype html>")
    hostile = Document(
        "@everyone", "<b>", document().words, ["[x](http://evil)"], [], [], []
    )  # what a segment is called may end up in an answer
    made = writer.of_report(content, hostile, Channel("chat", "x", Markup.MARKDOWN), Style())
    assert "@everyone" not in made.title
    assert "[x](http" not in made.body


class _Mail(socketserver.StreamRequestHandler):
    """As much of an SMTP server as smtplib needs."""

    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper().strip()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = []
                while (part := self.rfile.readline()) != b".\r\n":
                    lines.append(part.removeprefix(b".") if part.startswith(b"..") else part)
                cast("Any", self.server).mails.append(b"".join(lines))
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


def test_a_mail_server_gets_the_page_as_an_attachment() -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail) as server:
        server.daemon_threads = True
        mails: list[bytes] = []
        cast("Any", server).mails = mails
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        port = server.server_address[1]
        url = f"mail=mailto://127.0.0.1:{port}?from=desk@example.com&to=lead@example.com&mode=insecure"
        [channel] = read_channels([url])
        assert channel.takes_files
        content = ReportContent("report/x", Period.parse("2026-03", "UTC"), "all", BEGIN)
        made = MessageWriter().of_report(content, document("zh"), channel, Style("zh"))
        ChannelSender(Waits())(channel, made)
        server.shutdown()
        thread.join()
    [mail] = mails
    read = email.message_from_bytes(mail, policy=email.policy.default)
    [attached] = list(read.iter_attachments())
    assert attached.get_filename() == "lapwing-2026-03-all.html"
    assert attached.get_content_type() == "text/html"
    assert attached.get_payload(decode=True) == made.attachments[0].content
    assert "客户与流失" in read["Subject"]


def test_a_report_that_is_being_made_is_asked_for_again_and_is_no_attempt(database: Database) -> None:
    desk = Desk(database)
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    desk.not_ready = 3
    desk.at(now)
    before = Counter(message.id for _, message, _ in desk.got)
    with database.reading() as connection:
        waiting = connection.execute(select(OutboxRow.__table__).where(OutboxRow.state == "pending")).all()
    assert len(waiting) == 3
    assert {(row.attempts, row.claimed_by, row.unsure, row.last_error) for row in waiting} == {
        (0, None, False, None)
    }
    assert before  # the others did not wait for them
    desk.at(now + timedelta(seconds=1))
    assert Counter(message.id for _, message, _ in desk.got) == before
    desk.at(now + timedelta(seconds=REPORT_LOOK_S))
    with database.reading() as connection:
        states = set(connection.scalars(select(OutboxRow.state)))
    assert states == {"sent"}
    assert len(desk.got) == before.total() + 3
    assert max(Counter((name, message.id) for name, message, _ in desk.got).values()) == 1
