"""Segments' warnings, open and past, and how many of their customers are warned of."""

from __future__ import annotations

from datetime import timedelta

from consumers.database.database import Database
from consumers.desk.pages.segments import HISTORY, warnings_of
from consumers.desk.people.person import Person, Role
from consumers.desk.queue.filter import QueueFilter
from consumers.sink.kinds import SEGMENT_WARNINGS
from tests.consumers import segment_events
from tests.consumers.desk.desks import NOW, browser
from tests.consumers.desk.stored_shop import patient_desk, store_shop
from tests.consumers.stored import store_records


def test_open_warnings_and_those_of_the_last_months_are_shown(database: Database) -> None:
    records = segment_events.records([*segment_events.life("north"), segment_events.value("so<u>th")])
    store_records(database, records, NOW, SEGMENT_WARNINGS)
    found = warnings_of(database, NOW - HISTORY)
    assert sorted((each.value, each.state) for each in found) == [("north", "resolved"), ("so<u>th", "open")]
    text = browser(patient_desk(database, NOW)).get("/segments").text
    assert (
        text.index("so&lt;u&gt;th") < text.index("The last 180 days") < text.index("Warnings that are over")
    )
    assert "so<u>th" not in text
    assert text.count("<svg") == 2
    assert "complaint_rise 2.5" in text
    assert [each.value for each in warnings_of(database, NOW + HISTORY)] == ["so<u>th"]


def test_groups_have_what_somebody_may_see(database: Database) -> None:
    store_shop(database)
    desk = patient_desk(database)
    live = desk.reports.live().value
    assert live is not None
    for who in (Person("vera", Role.VIEWER), Person("olga", Role.OPERATOR)):
        text = browser(desk, as_=who).get("/segments").text
        sees = who.may(Role.OPERATOR)
        for name, each in live.groups["region"].items():
            if name is not None and each.warnings.seen(sees):
                wanted = QueueFilter(region=(name,), all=True)
                begin = f'href="/?{wanted.to_query().replace("&", "&amp;")}'
                [row] = [part.split("</tr>")[0] for part in text.split("<tr>") if begin in part]
                assert f'<td class="number">{each.warnings.seen(sees):,}</td>' in row
                assert f"€{each.value_at_risk(sees):,.2f}" in row
    assert any(each.warnings.held_out for each in live.groups["region"].values())


def test_without_warnings_the_page_says_so(database: Database) -> None:
    text = browser(patient_desk(database, NOW + timedelta(days=1))).get("/segments").text
    assert "<svg" not in text
    assert "No rule of segments is in force" in text
    assert "No warning is open." in text
