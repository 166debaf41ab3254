"""Places wait for schemas without the loop waiting for anything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from streams.inputs.formats.reading import SchemasWanted
from streams.intake.poll import TopicPartition
from streams.worker.schema_wait import AT_LEAST_S, SchemaWait

PLACE = TopicPartition("shop", 0)
OTHER = TopicPartition("shop", 1)


def wanted(*delays: float | Exception) -> SchemasWanted:
    """Return what answers each question with the next of these delays."""
    left: Iterator[float | Exception] = iter(delays)

    def fetch() -> float:
        found = next(left)
        if isinstance(found, Exception):
            raise found
        return found

    return SchemasWanted([1], fetch)


async def until_idle(wait: SchemaWait) -> None:
    while wait.places:
        await asyncio.sleep(0)


async def test_a_place_is_read_again_once_its_schemas_are_there() -> None:
    again: list[TopicPartition] = []
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    wait = SchemaWait(again.append, sleep)
    wait.begin(PLACE, wanted(1.0, 2.0, 0.0))
    assert wait.places == {PLACE}
    assert again == []
    await until_idle(wait)
    assert again == [PLACE]
    assert slept == [1.0, 2.0, AT_LEAST_S]


async def test_places_wait_for_themselves_and_end_with_the_worker() -> None:
    again: list[TopicPartition] = []
    never = asyncio.Event()

    async def sleep(seconds: float) -> None:
        if seconds > 1:
            await never.wait()

    wait = SchemaWait(again.append, sleep)
    wait.begin(PLACE, wanted(30.0))
    wait.begin(OTHER, wanted(0.0))
    while wait.places != {PLACE}:
        await asyncio.sleep(0)
    assert again == [OTHER]
    wait.close()
    assert wait.places == frozenset()
    await asyncio.sleep(0)
    assert again == [OTHER]


async def test_a_defect_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    again: list[TopicPartition] = []

    async def sleep(seconds: float) -> None:
        pass

    wait = SchemaWait(again.append, sleep)
    wait.begin(PLACE, wanted(ZeroDivisionError()))
    await until_idle(wait)
    assert again == [PLACE]
    assert "a defect of Lapwing: schemas could not be fetched" in caplog.text
