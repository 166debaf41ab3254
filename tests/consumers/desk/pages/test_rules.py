"""The rules with their counts, and the scorecard: the figures are those of `lapwing scorecard`."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest

from consumers.database.database import Database
from consumers.desk.pages.rules import PERIOD_NAMES, rows_of
from consumers.desk.people.person import LOCAL, Person, Role
from consumers.desk.queue.filter import QueueFilter
from consumers.desk.reports.reports import PERIODS
from consumers.desk.rulebook import RuleView
from consumers.scorecard.scorecard import scorecard
from consumers.scorecard.store import stored_facts
from tests.consumers.desk.desks import browser, desk_over
from tests.consumers.desk.stored_shop import HORIZON_US, lines, patient_desk, store_shop

VIEWER = Person("vera", Role.VIEWER)


def rule(name: str, status: str = "active", tier: str = "high", by: str | None = None) -> RuleView:
    return RuleView(
        name, "v1", f"Title of {name}", status, tier, "silence", None, "a > 1", None, None, by, "a:1"
    )


def test_counts_are_those_that_somebody_may_see(database: Database) -> None:
    store_shop(database)
    desk = patient_desk(database)
    live, card = desk.reports.live().value, desk.reports.scorecard(None).value
    assert live is not None
    names = sorted({cause["rule"] for line in lines("churn-warnings") for cause in line["data"]["causes"]})
    rules = [rule(name) for name in names]
    by_person = {
        who.name: {row.rule.id: (row.open, row.opened_month) for row in rows_of(rules, live, card, who)}
        for who in (LOCAL, VIEWER)
    }
    for name in names:
        assert by_person["you"][name] == (live.open[name].all, live.opened_month[name].all)
        assert by_person["vera"][name] == (live.open[name].seen(False), live.opened_month[name].seen(False))
    assert by_person["you"] != by_person["vera"]
    shadow, paused, segments = (rule("x", "shadow"), rule("y", "paused"), rule("z", by="region"))
    found = rows_of([shadow, paused, segments], live, card, LOCAL)
    assert [(row.open, row.muted) for row in found] == [(None, None), (None, None), (0, None)]


def test_the_queue_behind_a_count_has_as_many_customers(database: Database) -> None:
    store_shop(database)
    desk = patient_desk(database)
    live = desk.reports.live().value
    assert live is not None
    assert live.open
    for who in (LOCAL, VIEWER):
        for row in rows_of([rule(name) for name in live.open], live, None, who):
            wanted = QueueFilter.from_query(parse_qsl(row.queue))
            assert desk.board.page(wanted, who).matched == row.open, (who.name, row.rule.id)


def test_the_rules_stand_under_their_status_with_links_to_their_queue(database: Database) -> None:
    store_shop(database)
    text = browser(patient_desk(database)).get("/rules").text
    assert text.index("<h2>In force") < text.index("<h2>In shadow")
    assert "Silent for twice" in text
    assert 'href="/?rule=' in text or re.search(r'data-head="Open">0<', text)
    assert "hx-trigger" not in text  # all is there


def test_while_counts_are_being_made_the_page_asks_again(database: Database) -> None:
    desk = desk_over(database)
    desk.reports.wait_s = 0
    with desk.reports._live.turns, desk.reports._live.turns:  # nobody's turn comes
        for address in ("/rules", "/scorecard", "/plays", "/lapsed", "/missed"):
            text = browser(desk).get(address).text
            assert re.search(rf'id="result"[^>]*hx-get="{address}" hx-trigger="load delay:1s"', text), address
    assert browser(desk).get("/lapsed.csv").status_code in (200, 503)


@pytest.mark.parametrize("days", PERIODS)
def test_the_scorecard_is_that_of_the_command(database: Database, days: int | None) -> None:
    store_shop(database)
    desk = patient_desk(database)
    found = desk.reports.scorecard(days).value
    assert found is not None
    facts = stored_facts(database, timedelta(microseconds=HORIZON_US))
    assert found.as_dict(10) == scorecard(facts, HORIZON_US, since=found.since).as_dict(10)
    text = browser(desk).get("/scorecard" if days is None else f"/scorecard?days={days}").text
    every = found.warnings[0].score
    assert f"{every.precision.part:,} of {every.precision.whole:,}" in text
    assert f"{every.recall.part:,} of {every.recall.whole:,}" in text
    for each in found.rules:
        assert each.rule in text
    assert text.count("<svg") == 2


def test_every_period_has_a_name_and_another_one_is_the_whole(database: Database) -> None:
    assert tuple(PERIOD_NAMES) == PERIODS
    assert "Nothing is known yet" in browser(patient_desk(database)).get("/scorecard?days=7").text


def test_a_rule_file_that_cannot_be_read_is_reported(database: Database) -> None:
    desk = patient_desk(database)
    view = desk.rulebook.current()

    class Broken:
        def current(self) -> object:
            from dataclasses import replace

            return replace(view, error="rules.yaml:3: <b>wrong</b>")

    desk.rulebook = Broken()  # type: ignore[assignment]  # what the page needs of one
    text = browser(desk).get("/rules").text
    assert "rules.yaml:3: &lt;b&gt;wrong&lt;/b&gt;" in text
