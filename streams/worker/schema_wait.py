"""Places whose next records cannot be read before schemas have been fetched: they wait, the others go on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from streams.inputs.formats.reading import SchemasWanted
from streams.intake.poll import TopicPartition

log = logging.getLogger(__name__)

AT_LEAST_S: Final = 0.05
"""Between two questions, whatever the answer: nothing may turn into a loop without a pause."""


class SchemaWait:
    """Asks for schemas in threads, so that the loop goes on; then a place is read again."""

    def __init__(
        self,
        read_again: Callable[[TopicPartition], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._read_again = read_again
        self._sleep = sleep
        self._tasks: dict[TopicPartition, asyncio.Task[None]] = {}

    @property
    def places(self) -> frozenset[TopicPartition]:
        """Return the places that wait: their records are not read meanwhile."""
        return frozenset(self._tasks)

    def begin(self, place: TopicPartition, wanted: SchemasWanted) -> None:
        """Let a place wait until its schemas have been fetched, or are given up."""
        self._tasks[place] = asyncio.ensure_future(self._fetch(place, wanted))

    def close(self) -> None:
        """Fetch nothing more."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    async def _fetch(self, place: TopicPartition, wanted: SchemasWanted) -> None:
        try:
            while delay := await asyncio.to_thread(wanted.fetch):
                await self._sleep(max(delay, AT_LEAST_S))
        except Exception as error:  # a defect: it is shown, and tried again with the next reading
            log.error("a defect of Lapwing: schemas could not be fetched", exc_info=error)
            await self._sleep(1.0)
        await self._sleep(AT_LEAST_S)
        self._tasks.pop(place, None)
        self._read_again(place)
