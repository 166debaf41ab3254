"""The queue in two browsers at once, on the real stack: what changes, what stays, what is undone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, Page, expect

from consumers.database.database import Database
from tests.consumers.stored import store_records
from tests.consumers.warning_events import records, value
from tests.integration.desk.conftest import Open
from tests.integration.desk.stack import Stack

WITHIN_MS = 20_000


@pytest.fixture
def store(stack: Stack) -> Iterator[Database]:
    """Yield the stack's database, to store more steps as the sink does."""
    database = Database(str(stack.settings["database"]))
    yield database
    database.close()


def rows(page: Page) -> Locator:
    return page.locator("#queue .row")


def row(page: Page, number: int) -> Locator:
    """Return a row by its warning, so that it is the same one whatever happens to the list."""
    warning = rows(page).nth(number).get_attribute("data-warning")
    return page.locator(f"#w-{warning}")


def height(locator: Locator) -> float:
    box = locator.bounding_box()
    assert box is not None
    return box["y"]


def test_what_one_does_the_other_sees_where_it_stands(open_page: Open) -> None:
    ann, bob = open_page("/"), open_page("/")
    mine = row(ann, 1)
    others = bob.locator(f"#{mine.get_attribute('id')}")
    below = row(bob, 3)
    before = height(below)
    mine.get_by_role("button", name="Acknowledge").click()
    for each in (mine, others):
        expect(each).to_contain_text("acknowledged", timeout=WITHIN_MS)
    assert abs(height(below) - before) < 1, "a row moved"
    expect(mine).not_to_contain_text("on its way", timeout=WITHIN_MS)
    place = mine.get_attribute("id")
    ann.reload()
    expect(ann.locator(f"#{place}")).to_have_count(0)


def test_new_ones_wait_until_they_are_asked_for(open_page: Open, store: Database) -> None:
    page = open_page("/")
    page.locator("#live").wait_for(state="attached")
    first = height(rows(page).first)
    shown = rows(page).count()
    new = [value(customer=f"new-{number}") for number in range(2)]
    store_records(store, records(new), datetime.now(UTC))
    expect(page.locator("#news")).to_contain_text("2 new", timeout=WITHIN_MS)
    assert (height(rows(page).first), rows(page).count()) == (first, shown)
    page.locator("#news").click()
    expect(page.locator(".row[data-customer='new-0']")).to_be_visible()


def test_a_page_is_live_whichever_of_its_files_comes_last(open_page: Open, store: Database) -> None:
    """The library begins with a page as soon as it may: what the stream needs must be there by then."""
    page = open_page("/", late="**/hx-sse*")
    new = [value(customer="late-0")]
    store_records(store, records(new), datetime.now(UTC))
    expect(page.locator("#news")).to_contain_text("new", timeout=WITHIN_MS)


def test_what_happened_while_the_connection_was_lost_is_made_up_for(open_page: Open, stack: Stack) -> None:
    ann, bob = open_page("/"), open_page("/", offline_at_times=True)
    mine = row(ann, 2)
    others = bob.locator(f"#{mine.get_attribute('id')}")
    bob.context.set_offline(True)
    mine.get_by_role("button", name="Acknowledge").click()
    expect(mine).to_contain_text("acknowledged", timeout=WITHIN_MS)
    expect(others).not_to_contain_text("acknowledged")
    bob.context.set_offline(False)
    expect(others).to_contain_text("acknowledged", timeout=WITHIN_MS)


def test_several_are_acknowledged_in_one_request_and_taken_back_as_one(open_page: Open, stack: Stack) -> None:
    page = open_page("/?tier=high")
    for number in (0, 1):
        row(page, number).locator("input[name=id]").check()
    chosen = [str(row(page, number).get_attribute("data-warning")) for number in (0, 1)]
    asked: list[str] = []
    page.on("request", lambda each: asked.append(each.url) if each.method == "POST" else None)
    page.locator(".bulk").get_by_role("button", name="Acknowledge").click()
    expect(page.locator("#toasts")).to_contain_text("acknowledge", timeout=WITHIN_MS)
    assert len(asked) == 1
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("Taken back", timeout=WITHIN_MS)
    query = "SELECT count(*) FROM actions WHERE kind = 'correct' AND warning_id IN (?, ?)"
    stack.wait(lambda: stack.stored(query, *chosen)[0][0] == 2, "both corrections are stored")


def test_filters_stand_in_the_address_and_back_leads_back(open_page: Open) -> None:
    page = open_page("/")
    page.get_by_label("Tier").select_option("high")
    expect(page).to_have_url(re.compile("tier=high"))
    expect(page.locator("#queue")).to_have_attribute("data-query", re.compile("tier=high"))
    expect(page.locator("#queue .row .badge.medium")).to_have_count(0)
    rows(page).first.locator("h3 a").click()
    expect(page).to_have_url(re.compile(r"/customers/[^?]+\?tier=high"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"^[^/]+//[^/]+/\?[^/]*tier=high"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"/$"))


def test_a_saved_view_is_there_for_everybody(open_page: Open) -> None:
    page = open_page("/?tier=high")
    page.locator("summary", has_text="Views").click()
    page.get_by_label("Name of the view").fill("Urgent")
    page.get_by_label("Who sees the view").select_option("all")
    page.get_by_role("button", name="Save view").click()
    colleague = open_page("/")
    colleague.locator("summary", has_text="Views").click()
    colleague.get_by_role("link", name="Urgent").click()
    expect(colleague).to_have_url(re.compile("tier=high"))


def test_an_operators_change_of_a_rule_is_shown_once_workers_have_it(open_page: Open, stack: Stack) -> None:
    page = open_page("/rules")
    expect(page.locator("main")).to_contain_text("A complaint is open")
    path = stack.rules / "rules.yaml"
    path.write_text(path.read_text().replace("days_since_order >= 21", "days_since_order >= 28"))
    adopted = "SELECT count(*) FROM rules_adopted"
    before = stack.stored(adopted)[0][0]
    stack.wait(lambda: stack.stored(adopted)[0][0] > before, "a worker has adopted the rule")  # type: ignore[operator]  # counts
    page.goto("/changes")
    expect(page.locator("main")).to_contain_text("28", timeout=WITHIN_MS)
    expect(page.locator("main")).to_contain_text("21")
