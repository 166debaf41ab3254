"""A shop on a real stack, and a browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.integration.desk.stack import Stack, running_stack

Open = Callable[..., Page]
OFFLINE: Final = "net::ERR_INTERNET_DISCONNECTED"


@pytest.fixture(scope="session")
def stack(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Yield the stack with a shop of 100 customers, whose warnings are stored."""
    with running_stack(tmp_path_factory.mktemp("stack"), broker) as running:
        running.run("simulate", "--customers", "100", "--days", "160", "--seed", "3")
        opened = "SELECT count(*) FROM warnings WHERE state = 'open'"
        running.wait(lambda: _steady(running, opened), "the shop's warnings are stored", within_s=90)
        yield running


def _steady(running: Stack, query: str) -> bool:
    """Return whether the count is there and the worker has nothing left to read."""
    before = running.stored(query)
    if not before or not before[0][0]:
        return False
    time.sleep(2.0)
    return running.stored(query) == before


@pytest.fixture(scope="session")
def desk(stack: Stack) -> str:
    """Return the address of a desk."""
    return stack.serve()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield a browser; skip where there is none.

    Not for the session: while it is there its event loop runs, and tests of other files could run none.
    """
    from scripts.chromium import chromium  # `scripts` can be imported once pytest is configured
    from scripts.debian import Missing

    try:
        path = chromium()
    except Missing as reason:
        pytest.skip(str(reason))
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


def _late(route: Route) -> None:
    time.sleep(1.5)
    route.continue_()


@pytest.fixture
def open_page(browser: Browser, desk: str) -> Iterator[Open]:
    """Yield what opens the desk as somebody does, on a screen of some size, in some language.

    What a page writes to the console as an error, or what its policy blocks, fails the test.
    """
    contexts: list[Any] = []
    errors: list[str] = []

    def note(text: str, offline_at_times: bool) -> None:
        if not (offline_at_times and OFFLINE in text):
            errors.append(text)

    def opened(path: str = "/", *, offline_at_times: bool = False, late: str = "", **how: Any) -> Page:
        context = browser.new_context(base_url=desk, **{"locale": "en-GB", "reduced_motion": "reduce", **how})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: note(said.text, offline_at_times) if said.type == "error" else None)
        page.on("pageerror", lambda error: note(str(error), offline_at_times=False))
        if late:  # a file of the page, such as `**/hx-sse*`, that comes after all others
            page.route(late, _late)
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []
