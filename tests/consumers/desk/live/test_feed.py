"""The feed: everything once and in order, also to whoever was away, until it is closed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from consumers.desk.live.feed import KEPT, Feed, LiveEvent


def everything(event: LiveEvent) -> LiveEvent | None:
    return event


async def taken(
    feed: Feed,
    count: int,
    after: str | None = None,
    seen_by: Callable[[LiveEvent], LiveEvent | None] = everything,
    started: threading.Event | None = None,
) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    stream = feed.listen(after, seen_by)
    async with asyncio.timeout(20):
        while len(found) < count:
            task = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0)
            if started is not None:
                started.set()
            found.append(await task)
    await stream.aclose()  # type: ignore[attr-defined]  # it is a generator
    return found


def test_what_threads_publish_comes_in_order_to_everybody() -> None:
    feed = Feed()
    ready = [threading.Event() for _ in range(3)]

    def publish() -> None:
        for each in ready:
            each.wait(20)
        for number in range(100):
            feed.publish("queue", {"n": number})

    async def listen() -> list[list[LiveEvent]]:
        thread = threading.Thread(target=publish)
        thread.start()
        found = await asyncio.gather(*(taken(feed, 100, started=each) for each in ready))
        thread.join()
        return list(found)

    for found in asyncio.run(listen()):
        assert [each.data["n"] for each in found] == list(range(100))
        assert len({each.id for each in found}) == 100


def test_who_comes_back_is_given_what_was_missed() -> None:
    feed = Feed()
    for number in range(5):
        feed.publish("queue", {"n": number})
    first = asyncio.run(taken(feed, 1, after="other-1"))
    assert first[0].kind == "reload"
    process = first[0].id.rpartition("-")[0]
    found = asyncio.run(taken(feed, 2, after=f"{process}-3"))
    assert [each.data["n"] for each in found] == [3, 4]


@pytest.mark.parametrize("after", ["nonsense", "x-1", "-", "x-²"])
def test_an_id_of_another_process_asks_to_read_anew(after: str) -> None:
    feed = Feed()
    feed.publish("queue", {})
    assert [each.kind for each in asyncio.run(taken(feed, 1, after=after))] == ["reload"]


def test_who_was_away_for_too_long_reads_anew() -> None:
    feed = Feed()
    feed.publish("queue", {})
    process = asyncio.run(taken(feed, 1, after="x-0"))[0].id.rpartition("-")[0]
    for _ in range(KEPT + 5):
        feed.publish("queue", {})
    assert [each.kind for each in asyncio.run(taken(feed, 1, after=f"{process}-1"))] == ["reload"]


def test_what_somebody_may_not_see_is_left_out() -> None:
    feed = Feed()
    process = asyncio.run(taken(feed, 1, after="x-0"))[0].id.rpartition("-")[0]
    for number in range(4):
        feed.publish("queue", {"n": number})
    odd = asyncio.run(taken(feed, 2, f"{process}-0", lambda event: event if event.data["n"] % 2 else None))
    assert [each.data["n"] for each in odd] == [1, 3]


def test_streams_end_when_it_is_closed() -> None:
    feed = Feed()

    async def until_the_end() -> list[LiveEvent]:
        asyncio.get_running_loop().call_later(0.01, feed.close)
        return [each async for each in feed.listen(None, everything)]

    assert asyncio.run(asyncio.wait_for(until_the_end(), 20)) == []
    assert asyncio.run(asyncio.wait_for(until_the_end(), 20)) == []
