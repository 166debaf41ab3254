"""What happens to a request: verified by its own bytes, and only then read, written and answered."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

from consumers.ingest.admission import Admission, Full, Limits
from consumers.ingest.intake import Delivery, Intake, Offer, Outcome
from consumers.ingest.recent import Recent, digest
from consumers.ingest.signatures import Verdict
from consumers.ingest.sources import HookSource, HookSources
from consumers.web.bodies import whole_body
from streams.summed_log import SummedLog
from streams.telemetry.histogram import Histogram, HistogramFigures
from streams.telemetry.metric import OTHERS

log = logging.getLogger(__name__)

AGAIN_S: Final = 30
"""After how long a sender is asked to try again."""


class Result(StrEnum):
    """How a request was answered."""

    TAKEN = "taken"
    REFUSED = "refused"
    PASSED = "passed"
    REPEAT = "repeat"
    """It was taken before."""
    TEST = "test"
    """It only tries the address."""
    SIGNATURE = "signature"
    """It is not signed as it should be."""
    UNKNOWN = "unknown"
    """There is no such source."""
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    """Its body did not come."""
    NOT_JSON = "not_json"
    FULL = "full"
    AWAY = "away"
    """The broker cannot be reached or refuses."""
    LATE = "late"
    """The broker has not acknowledged in time."""
    FAILED = "failed"


STATUS: Final[Mapping[Result, HTTPStatus]] = {
    Result.TAKEN: HTTPStatus.OK,
    # The delivery is kept on the rejected topic: to have it sent again would not mend it.
    Result.REFUSED: HTTPStatus.OK,
    Result.PASSED: HTTPStatus.OK,
    Result.REPEAT: HTTPStatus.OK,
    Result.TEST: HTTPStatus.OK,
    Result.SIGNATURE: HTTPStatus.UNAUTHORIZED,
    Result.UNKNOWN: HTTPStatus.NOT_FOUND,
    Result.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Result.TOO_SLOW: HTTPStatus.REQUEST_TIMEOUT,
    Result.NOT_JSON: HTTPStatus.BAD_REQUEST,
    Result.FULL: HTTPStatus.TOO_MANY_REQUESTS,
    Result.AWAY: HTTPStatus.SERVICE_UNAVAILABLE,
    Result.LATE: HTTPStatus.SERVICE_UNAVAILABLE,
    Result.FAILED: HTTPStatus.INTERNAL_SERVER_ERROR,
}
TRY_AGAIN: Final = frozenset({Result.FULL, Result.AWAY, Result.LATE, Result.FAILED})
_OF_OUTCOME: Final = {
    Outcome.TAKEN: Result.TAKEN,
    Outcome.REFUSED: Result.REFUSED,
    Outcome.PASSED: Result.PASSED,
    Outcome.AWAY: Result.AWAY,
    Outcome.FAILED: Result.FAILED,
}


@dataclass(frozen=True, slots=True)
class HookFigures:
    """What the requests came to."""

    requests: dict[tuple[str, str], int]
    """By source and result."""
    seconds: dict[str, HistogramFigures]
    """How long answers took, by source."""
    bytes: dict[str, int]
    """Of bodies that were verified, by source."""


class Hooks:
    """Answers the requests of all sources."""

    def __init__(
        self,
        sources: HookSources,
        intake: Intake,
        limits: Limits | None = None,
        wall: Callable[[], float] = time.time,
        recent: Recent | None = None,
    ) -> None:
        """Take the parts; `wall` is the clock that signed times are compared with."""
        self.sources = sources
        self.intake = intake
        self.limits = limits or Limits()
        self.admission = Admission(self.limits)
        self._wall = wall
        self._recent = recent or Recent()
        self._unsigned: SummedLog[tuple[str, Verdict]] = SummedLog(_write_unsigned)
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str]] = Counter()
        self._seconds: dict[str, Histogram] = {}
        self._bytes: Counter[str] = Counter()

    def look(self) -> None:
        """Log what is due; to be called every second or so."""
        self._unsigned.look()

    def figures(self) -> HookFigures:
        """Return what was counted."""
        with self._lock:
            seconds = dict(self._seconds)
            return HookFigures(
                dict(sorted(self._requests.items())),
                {name: kept.figures() for name, kept in sorted(seconds.items())},
                dict(sorted(self._bytes.items())),
            )

    async def answer(self, name: str, request: Request) -> Result:
        """Return how a request for a source is answered."""
        begun = time.perf_counter()
        source = self.sources.current().get(name)
        # What somebody writes into an address is no label.
        label = OTHERS if source is None else source.name
        result = Result.FAILED
        try:
            result = Result.UNKNOWN if source is None else await self._admitted(source, request)
        finally:
            with self._lock:
                self._requests[label, result.value] += 1
                kept = self._seconds.setdefault(label, Histogram())
            kept.observe(time.perf_counter() - begun)
        return result

    async def _admitted(self, source: HookSource, request: Request) -> Result:
        length = _length(request)
        if length is not None and length > self.limits.largest:
            return Result.TOO_LARGE
        try:
            with self.admission.enter(length):
                try:
                    async with asyncio.timeout(self.limits.read_s):
                        body = await whole_body(request, self.limits.largest)
                except HTTPException:
                    return Result.TOO_LARGE
                except (TimeoutError, ClientDisconnect):
                    return Result.TOO_SLOW
                return await self._verified(source, request.headers, body)
        except Full:
            return Result.FULL

    async def _verified(self, source: HookSource, headers: Mapping[str, str], body: bytes) -> Result:
        sender = source.sender
        if sender.is_ping(body, headers):
            return Result.TEST
        verdict = sender.verify(body, headers, source.keys, self._wall())
        if verdict is not Verdict.GOOD:
            self._unsigned.note((source.name, verdict), str)
            return Result.SIGNATURE
        with self._lock:
            self._bytes[source.name] += len(body)
        if sender.is_test(headers):
            return Result.TEST
        try:
            content = msgspec.json.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Result.NOT_JSON
        about = sender.about(headers)
        return await self._taken(source, about, content, body)

    async def _taken(self, source: HookSource, about: Mapping[str, str], content: Any, body: bytes) -> Result:
        key = digest(source.name, source.sender.delivery_id(about, content), body)
        if key in self._recent:
            return Result.REPEAT
        mapped = with_about(body, about) if isinstance(content, dict) else body
        delivery = Delivery(source, mapped, body)
        match self.intake.offer(delivery):
            case Offer.FULL:
                return Result.FULL
            case Offer.AWAY:
                return Result.AWAY
            case Offer.ACCEPTED:
                pass
        outcome = asyncio.wrap_future(delivery.outcome)
        await asyncio.wait({outcome}, timeout=self.limits.within_s)
        if not outcome.done():
            delivery.given_up = True
            return Result.LATE
        result = _OF_OUTCOME[outcome.result()]
        if STATUS[result] is HTTPStatus.OK:
            self._recent.add(key)
        return result


def with_about(body: bytes, about: Mapping[str, str]) -> bytes:
    """Return a JSON object with what the headers say under `_webhook`; its own bytes stay as they are.

    >>> with_about(b' {"id": 1}', {"topic": "orders/paid"})
    b'{"_webhook":{"topic":"orders/paid"},"id": 1}'
    """
    if not about:
        return body
    inside = body.lstrip().removeprefix(b"{").lstrip()
    comma = b"" if inside.startswith(b"}") else b","
    return b'{"_webhook":' + msgspec.json.encode(about) + comma + inside


def _length(request: Request) -> int | None:
    """Return how many bytes a request says that its body has."""
    given = request.headers.get("content-length", "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 20 else None


def _write_unsigned(kind: tuple[str, Verdict], count: int, first: str) -> None:
    source, verdict = kind
    log.warning(
        "%(count)d deliveries are not signed as they should be, source=%(source)s: %(verdict)s",
        {"count": count, "source": source, "verdict": verdict.value},
    )
