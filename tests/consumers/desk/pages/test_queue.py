"""The page of the queue: what it shows, its filters, what is done about several, saved views, CSV."""

from __future__ import annotations

import asyncio
import csv
import functools
import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from consumers.database.database import Database
from consumers.desk.desk import Desk
from consumers.desk.people.person import Person, Role, Team
from consumers.desk.queue.board import Board
from consumers.desk.queue.export import COLUMNS
from consumers.desk.queue.filter import QueueFilter
from consumers.desk.queue.order import Section
from consumers.desk.queue.row import QueueRow
from tests.consumers.desk.desks import browser, desk_over
from tests.consumers.desk.queue.acted_shop import acted_records
from tests.consumers.desk.queue.test_board import OPERATOR, TOPICS, at, events
from tests.consumers.shop_records import KINDS, NOW
from tests.consumers.stored import store_records
from tests.consumers.warning_events import records, value


@functools.cache
def last() -> datetime:
    """Return when the newest event of the shop was."""
    return max(at(event) for found in events().values() for event in found)


@pytest.fixture
def desk(database: Database) -> Desk:
    for topic in TOPICS:
        store_records(database, [r for r in acted_records() if r.topic == topic], NOW, KINDS[topic])
    return desk_over(database, last() + timedelta(hours=9), app="shop", capacity=4)


@pytest.fixture
def client(desk: Desk) -> TestClient:
    return browser(desk)


def shown(text: str) -> list[str]:
    return re.findall(r'data-warning="([^"]+)"', text)


def waiting(desk: Desk) -> list[str]:
    return desk.board.ids(QueueFilter(), OPERATOR)


def test_rows_stand_in_the_order_of_the_board_under_the_names_of_their_parts(
    desk: Desk, client: TestClient
) -> None:
    text = client.get("/").text
    assert shown(text) == waiting(desk)[:50]
    page = desk.board.page(QueueFilter(), OPERATOR)
    assert page.sections[Section.TODAY].count == 4
    assert text.index("<h2>Today") < text.index("<h2>Not served today")
    for row in page.rows:
        own = text[text.index(f'id="w-{row.warning_id}"') :].partition("</li>\n<li")[0]
        assert row.customer_id in own
        for cause in row.causes:
            assert cause.inhibited_by or cause.title in own or cause.rule in own
        if row.decision.verdict == "rescue":
            assert f"€{row.decision.net:,.2f} net" in own


def test_filters_stand_in_the_address_and_choose_rows(desk: Desk, client: TestClient) -> None:
    rows = {row.warning_id: row for row in desk.board.page(QueueFilter(), OPERATOR, limit=10_000).rows}
    tier = next(iter(rows.values())).tier
    region = next(row.region for row in rows.values() if row.region)
    rule = next(iter(rows.values())).causes[0].rule
    by_query: dict[str, Callable[[QueueRow], bool]] = {
        f"tier={tier}": lambda row: row.tier == tier,
        f"region={region}": lambda row: row.region == region,
        f"rule={rule}": lambda row: rule in {cause.rule for cause in row.causes},
        "unassigned=1": lambda row: row.assignee is None,
        "customer=C00": lambda row: "c00" in row.customer_id,
        f"tier={tier}&unassigned=1": lambda row: row.tier == tier and row.assignee is None,
    }
    for query, fits in by_query.items():
        expected = [id_ for id_, row in rows.items() if fits(row)]
        assert expected, query
        text = client.get(f"/?{query}").text
        assert shown(text) == expected[:50], query
        assert f'data-query="{query.replace("&", "&amp;")}"' in text
    part = client.get(f"/?tier={tier}", headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith('<section id="queue"')
    assert "No open warning fits" in client.get("/?region=nowhere").text


def test_what_is_done_about_some_is_one_group_shows_at_once_and_is_undone(
    desk: Desk, client: TestClient
) -> None:
    some = waiting(desk)[:3]
    answer = client.post(
        "/queue/act", data={"kind": "acknowledge", "id": some, "query": "tier=high"}, follow_redirects=False
    )
    assert answer.status_code == 303
    place = answer.headers["location"]
    assert place.startswith("/?tier=high&done=")
    group = place.rpartition("=")[2]
    assert {each.warning_id for each in desk.actions.group(group)} == set(some)
    assert not set(some) & set(waiting(desk))
    row = desk.board.row(some[0], OPERATOR)
    assert row is not None
    assert row.section is Section.ATTENDED
    assert row.attended is not None
    assert (row.attended.state, row.attended.by, row.attended.on_its_way) == ("acknowledged", "you", True)
    assert "on its way" in client.get("/queue/rows", params={"id": some}).text
    page = client.get(f"/?done={group}").text
    assert "Done: acknowledge, 3 warnings" in page
    client.post("/undo", data={"group_id": group, "back": "/"})
    assert set(some) <= set(waiting(desk))


def test_all_matches_are_one_request_however_many_rows_are_shown(desk: Desk, client: TestClient) -> None:
    wanted = QueueFilter.from_query([("tier", "low")])
    all_of_them = desk.board.ids(wanted, OPERATOR)
    before = waiting(desk)
    answer = client.post(
        "/queue/act",
        data={"kind": "snooze", "everything": "1", "query": "tier=low", "until": "2040-01-01T10:00"},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 200
    assert answer.headers["hx-trigger"] == "lapwing:acted"
    assert f"Done: snooze, {len(all_of_them)} warnings" in answer.text
    assert [each for each in before if each not in all_of_them] == waiting(desk)
    assert set(desk.board.ids(QueueFilter(snoozed=True), OPERATOR)) >= set(all_of_them)


def test_an_assignment_shows_who_has_it_and_does_not_attend(desk: Desk, client: TestClient) -> None:
    first, second = waiting(desk)[:2]
    client.post("/queue/act", data={"kind": f"assign:{first}", "assignee": "dora"})
    client.post("/queue/act", data={"kind": f"assign:{second}"})
    assert waiting(desk)[:2] == [first, second]
    rows = {row.warning_id: row.assignee for row in desk.board.rows([first, second], OPERATOR)}
    assert rows == {first: "dora", second: "you"}
    assert second in desk.board.ids(QueueFilter(mine=True), Person("you", Role.AGENT))
    assert first not in desk.board.ids(QueueFilter(mine=True), Person("you", Role.AGENT))
    client.post("/queue/act", data={"kind": f"unassign:{first}"})
    row = desk.board.row(first, OPERATOR)
    assert row is not None
    assert row.assignee is None


@pytest.mark.parametrize(
    "data", [{"kind": "explode", "id": "x"}, {"kind": "acknowledge"}, {"kind": "snooze", "id": "no"}]
)
def test_what_cannot_be_done_changes_nothing(desk: Desk, client: TestClient, data: Any) -> None:
    before = waiting(desk)
    answer = client.post("/queue/act", data=data, follow_redirects=False)
    assert answer.status_code == 422
    if data["kind"] != "explode":
        assert "Choose at least one warning first" in answer.text
    assert waiting(desk) == before


def test_held_out_customers_are_shown_to_operators_only(desk: Desk) -> None:
    held_out = desk.board.ids(QueueFilter(show=(Section.HELD_OUT,)), OPERATOR)
    assert held_out
    agent = Person("ann", Role.AGENT)
    for wanted in (QueueFilter(show=tuple(Section)), QueueFilter(show=(Section.HELD_OUT,))):
        assert not set(held_out) & set(desk.board.ids(wanted, agent))
        assert not set(held_out) & {row.warning_id for row in desk.board.every_row(wanted, agent)}
    assert desk.board.rows(held_out, agent) == []
    assert desk.board.customers(held_out, agent) == {}
    words = dict(desk.board.page(QueueFilter(), agent).words["tier"])
    assert sum(words.values()) == len(desk.board) - len(held_out)


def test_the_csv_has_all_rows_of_the_filter_and_no_formulas(desk: Desk, client: TestClient) -> None:
    answer = client.get("/queue.csv?show=today&show=unserved&show=unknown&show=dont")
    table = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert tuple(table[0]) == COLUMNS
    wanted = QueueFilter(show=(Section.TODAY, Section.UNSERVED, Section.UNKNOWN, Section.DONT))
    assert [row[COLUMNS.index("warning_id")] for row in table[1:]] == desk.board.ids(wanted, OPERATOR)


def test_views_are_saved_shared_and_deleted_by_whoever_may(desk: Desk, client: TestClient) -> None:
    client.post("/views", data={"name": " Calls  today ", "sharing": "all", "query": "tier=high&page=3"})
    text = client.get("/").text
    assert re.search(r'<a href="/\?tier=high"[^>]*>Calls today</a>', text)
    client.post("/views", data={"name": "Calls today", "sharing": "all", "query": "tier=low"})
    text = client.get("/").text
    assert "/?tier=high" not in text
    assert '<a href="/?tier=low"' in text
    seq = re.search(r"/views/(\d+)/delete", text)
    assert seq is not None
    refused = client.post("/views", data={"name": " \0\u202e ", "sharing": "me"})
    assert refused.status_code == 422
    refused = client.post("/views", data={"name": " ", "sharing": "team"})
    assert "A view needs a name" in refused.text
    client.post(f"/views/{seq[1]}/delete")
    assert "Calls today" not in client.get("/").text


def test_a_past_day_is_read_only_and_as_it_was(desk: Desk, client: TestClient) -> None:
    past = (last() - timedelta(days=20)).replace(hour=9, minute=0, second=0, microsecond=0)
    text = client.get("/", params={"at": past.strftime("%Y-%m-%dT%H:%M")}).text
    assert shown(text) == desk.past.at(past).ids(QueueFilter(), OPERATOR)[:50] != waiting(desk)[:50]
    assert "The queue as it was" in text
    assert "/queue/act" not in text.replace('hx-post="/queue/act"', "").replace('action="/queue/act"', "")
    assert 'name="kind"' not in text
    assert client.get("/", params={"at": "nonsense"}).status_code == 422


def test_news_are_counted_and_not_shown_by_themselves(
    desk: Desk, client: TestClient, database: Database
) -> None:
    version = desk.board.page(QueueFilter(), OPERATOR).version
    assert client.get(f"/queue/news?since={version}").json() == {"count": 0, "text": "0 new"}
    store_records(database, records([value(customer="brand-new")]))
    assert client.get(f"/queue/news?since={version}").json() == {"count": 1, "text": "1 new"}
    assert client.get(f"/queue/news?since={version}&tier=high").json()["count"] == 0


def test_a_team_sees_what_it_takes_and_the_line_is_drawn_by_its_own_capacity(desk: Desk) -> None:
    everything = desk.board.page(QueueFilter(), OPERATOR, limit=1_000)
    region = next(row.region for row in everything.rows if row.region and row.decision.verdict == "rescue")
    team = Team("east", capacity=1, takes={"region": (region,)})
    page = desk.board.page(QueueFilter(), Person("ann", Role.AGENT, team), limit=1_000)
    assert {row.region for row in page.rows} == {region}
    assert page.sections[Section.TODAY].count <= 1
    other = desk.board.page(QueueFilter(all=True), Person("ann", Role.AGENT, team), limit=1_000)
    assert len(other.rows) > len(page.rows)


def test_the_neighbours_are_those_of_the_filter(desk: Desk) -> None:
    ids = waiting(desk)
    assert desk.board.neighbours(QueueFilter(), OPERATOR, ids[0]) == (None, ids[1])
    assert desk.board.neighbours(QueueFilter(), OPERATOR, ids[1]) == (ids[0], ids[2])
    assert desk.board.neighbours(QueueFilter(), OPERATOR, ids[-1]) == (ids[-2], None)
    attended = desk.board.ids(QueueFilter(show=(Section.ATTENDED,)), OPERATOR)[0]
    before, after = desk.board.neighbours(QueueFilter(), OPERATOR, attended)
    assert (before, after) in list(zip([None, *ids], [*ids, None], strict=True))


def test_hostile_names_are_text(desk: Desk, client: TestClient, database: Database) -> None:
    name = "<script>alert(1)</script>\"'><img src=x>../=1+1"
    store_records(database, records([value(customer=name)]))
    text = client.get("/", params={"customer": "<script>"}).text
    assert "<script>alert" not in text
    assert "<img src=x>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert datetime.fromisoformat(re.findall(r'<time datetime="([^"]+)"', text)[0])


def test_nothing_is_lost_between_a_page_and_its_stream(
    desk: Desk, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream of a page begins with what happened while the page was made, and after it."""
    made = Board.page

    def page(*given: Any, **named: Any) -> Any:
        found = made(*given, **named)
        desk.live.publish("queue", {"at": "made"})
        return found

    desk.live.publish("queue", {"at": "before"})
    monkeypatch.setattr(Board, "page", page)
    stream = re.search(r'hx-sse:connect="/live[?]after=([^"]+)"', client.get("/").text)
    assert stream is not None
    desk.live.publish("queue", {"at": "after"})

    async def first_two() -> list[str]:
        listening = desk.live.listen(stream[1], lambda event: event)
        return [(await anext(listening)).data["at"] for _ in range(2)]

    assert asyncio.run(first_two()) == ["made", "after"]
