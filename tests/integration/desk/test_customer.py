"""An agent at a customer's page, by keyboard, on the real stack."""

from __future__ import annotations

import re
import signal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships no types
from playwright.sync_api import Page, expect

from tests.integration.desk.conftest import Open
from tests.integration.desk.stack import Stack
from tests.integration.desk.test_look import LOOKS, SCREENS, STANDARDS

WITHIN_MS = 40_000


def someone(stack: Stack, number: int) -> tuple[str, str]:
    """Return a customer with an open warning that nobody has touched, and the warning."""
    query = "SELECT customer_id, id FROM warnings WHERE state = 'open' ORDER BY id"
    rows = stack.stored(query)
    assert len(rows) > number
    customer, warning = rows[number]
    return str(customer), str(warning)


def shown(page: Page, text: str) -> None:
    expect(page.locator("#standing")).to_contain_text(text, timeout=WITHIN_MS)


def test_a_key_acknowledges_and_the_engine_takes_it_up(stack: Stack, open_page: Open) -> None:
    customer, warning = someone(stack, 0)
    page = open_page(f"/customers/{customer}")
    page.keyboard.press("a")
    expect(page.locator("#toasts")).to_contain_text("Done: acknowledge")
    shown(page, "acknowledged")
    expect(page.locator("#standing .pending")).to_have_count(0, timeout=WITHIN_MS)
    shown(page, "acknowledged")
    expect(page.locator("#life-card")).to_contain_text("acknowledged")
    rows = stack.stored(f"SELECT attention FROM warnings WHERE id = '{warning}'")
    assert [tuple(row) for row in rows] == [("acknowledged",)]


def test_a_contact_is_noted_by_keyboard_and_undone_before_it_is_sent(stack: Stack, open_page: Open) -> None:
    customer, warning = someone(stack, 1)
    page = open_page(f"/customers/{customer}")
    page.keyboard.press("c")
    page.keyboard.press("r")  # of the results the first with an r: reached
    page.locator("details.drop[open] button", has_text=re.compile("^Note the contact$")).press("Enter")
    shown(page, "contacted by")
    expect(page.locator("#toasts button", has_text="Undo")).to_be_visible()
    page.keyboard.press("u")
    expect(page.locator("#toasts")).to_contain_text("Taken back")
    expect(page.locator("#standing .pending")).to_have_count(0)
    rows = stack.stored(f"SELECT kind, state FROM desk_actions WHERE warning_id = '{warning}'")
    assert [tuple(row) for row in rows] == [("contact", "undone")]


def test_keys_are_listed_and_can_be_switched_off(stack: Stack, open_page: Open) -> None:
    customer, warning = someone(stack, 2)
    page = open_page(f"/customers/{customer}")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.locator("#keys-off").press("Space")
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("a")
    page.wait_for_timeout(300)
    assert stack.stored(f"SELECT count(*) FROM desk_actions WHERE warning_id = '{warning}'")[0][0] == 0


def test_on_a_phone_everything_can_be_done_without_sideways_scrolling(stack: Stack, open_page: Open) -> None:
    customer, _warning = someone(stack, 3)
    page = open_page(f"/customers/{customer}", viewport={"width": 390, "height": 844})
    for name in ("Acknowledge", "Snooze", "Assign", "Contact", "Offer", "False alarm", "Close"):
        button = page.locator(".acting").locator("button, summary", has_text=re.compile(f"^{name}$")).first
        expect(button).to_be_visible()
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44, name
    for summary in page.locator(".acting > .buttons > details > summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_was_done_at_a_desk_that_is_killed_is_sent_once_by_another(
    stack: Stack, open_page: Open, desk: str
) -> None:
    customer, warning = someone(stack, 4)
    others = stack.processes.pop("desk")
    address = stack.serve()
    page = open_page("/")
    assert address != desk
    page.goto(f"{address}/customers/{customer}")
    page.keyboard.press("o")
    page.locator("details.drop[open] button", has_text=re.compile("^Note the offer$")).press("Enter")
    shown(page, "contacted by")
    page.goto("about:blank")
    # That of the other tests would send it too: it stands still meanwhile.
    others.send_signal(signal.SIGSTOP)
    assert stack.stop("desk", signal.SIGKILL) == -signal.SIGKILL
    query = f"SELECT count(*) FROM actions WHERE warning_id = '{warning}' AND kind = 'offer'"
    assert stack.stored(query)[0][0] == 0
    stack.serve()
    stack.wait(lambda: stack.stored(query)[0][0] == 1, "the offer is stored", within_s=60)
    stack.stop("desk")
    others.send_signal(signal.SIGCONT)
    stack.processes["desk"] = others


@pytest.mark.any_broker
@pytest.mark.parametrize(("screen", "language"), LOOKS)
def test_the_page_with_all_that_opens_can_be_used_by_everybody(
    stack: Stack, open_page: Open, screen: str, language: str
) -> None:
    customer, _warning = someone(stack, 5)
    page = open_page(f"/customers/{customer}", locale=language, **SCREENS[screen])
    for summary in page.locator(".cause details > summary").all():
        summary.click()
    page.locator("details.drop.wide > summary").first.click()
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": STANDARDS}})
    wrong = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found.response["violations"]]
    assert wrong == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
