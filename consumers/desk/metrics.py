"""The metrics of a desk: what its requests took and what came of them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consumers.database import metrics as database_metrics
from consumers.database.timing import DatabaseFigures
from streams.telemetry.health import Check
from streams.telemetry.histogram import Histogram, HistogramFigures
from streams.telemetry.metric import Metric, Readings, absent_or, counter, gauge, histogram
from streams.telemetry.snapshots import Snapshots

STUCK_S: Final = 60.0
UNROUTED: Final = "none"
"""The route of a request that no page answers, or that is refused before one is looked for."""
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER: Final = "other"
STREAM: Final = b"text/event-stream"

REQUESTS = counter("requests", "Requests, by what was answered.", "route", "method", "status")
REQUEST_SECONDS = histogram(
    "request_seconds", "How long answers took; streams, which go on, are left out.", "route"
)
SIGN_INS_REFUSED = counter("signins_refused", "Attempts to sign in that were refused.", "reason")
STREAMS = gauge("live_streams", "Browsers that are shown what happens as it happens.")
WARNINGS_LISTED = gauge("queue_warnings", "Open warnings that the desk has read; absent before it has.")

METRICS: Final = (
    *(value for value in list(globals().values()) if isinstance(value, Metric)),
    *database_metrics.METRICS,
)


@dataclass(frozen=True, slots=True)
class DeskFigures:
    """What a desk has done since it started."""

    requests: list[tuple[str, str, str, int]]
    """Route, method, status, and how many."""
    request_seconds: dict[str, HistogramFigures]
    """By route."""
    signins_refused: dict[str, int]
    """By reason."""
    live_streams: int
    open_warnings: int | None
    """`None` before they have been read."""
    database: DatabaseFigures


def desk_snapshots(also: Sequence[Check] = ()) -> Snapshots[DeskFigures]:
    """Return what keeps a desk's newest figures for its endpoint; `also` are signs of life of its threads."""
    return Snapshots("desk", METRICS, readings, not_ready, stuck_s=STUCK_S, also=also)


def not_ready(figures: DeskFigures) -> Sequence[str]:
    """Return why pages cannot be shown now."""
    reasons = list(database_metrics.not_ready(figures.database))
    if figures.open_warnings is None:
        reasons.append("the open warnings have not been read yet")
    return reasons


def readings(figures: DeskFigures) -> Readings:
    """Return the values of all metrics."""
    return {
        REQUESTS: {(route, method, status): count for route, method, status, count in figures.requests},
        REQUEST_SECONDS: {(route,): found for route, found in figures.request_seconds.items()},
        SIGN_INS_REFUSED: {(reason,): count for reason, count in figures.signins_refused.items()},
        STREAMS: {(): figures.live_streams},
        WARNINGS_LISTED: absent_or(figures.open_warnings),
        **database_metrics.readings(figures.database),
    }


class RequestMeter:
    """Counts requests by the route that answers them, never by their address, which names customers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._seconds: dict[str, Histogram] = {}

    def note(self, route: str, method: str, status: int, seconds: float | None) -> None:
        """Count a request; `seconds` is `None` of a stream."""
        with self._lock:
            self._counts[route, method if method in METHODS else OTHER, str(status)] += 1
            kept = self._seconds.setdefault(route, Histogram())
        if seconds is not None:
            kept.observe(seconds)

    def requests(self) -> list[tuple[str, str, str, int]]:
        """Return route, method, status and how many."""
        with self._lock:
            return [(*what, count) for what, count in sorted(self._counts.items())]

    def seconds(self) -> dict[str, HistogramFigures]:
        """Return how long answers took, by route."""
        with self._lock:
            kept = dict(self._seconds)
        return {route: found.figures() for route, found in sorted(kept.items())}


class Measured:
    """Middleware that measures all requests."""

    def __init__(self, app: ASGIApp, meter: RequestMeter) -> None:
        self._app = app
        self._meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status, is_stream = time.perf_counter(), 500, False

        async def noted(message: Message) -> None:
            nonlocal status, is_stream
            if message["type"] == "http.response.start":
                status = message["status"]
                is_stream = any(
                    name == b"content-type" and value.startswith(STREAM) for name, value in message["headers"]
                )
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            seconds = None if is_stream else time.perf_counter() - begun
            self._meter.note(_route(scope), scope["method"], status, seconds)


def _route(scope: Scope) -> str:
    """Return the pattern of the route that answered, such as `/customers/{customer_id}`."""
    path = getattr(scope.get("route"), "path", None)
    if path is None and str(scope.get("path", "")).startswith("/static/"):
        return "/static"
    return UNROUTED if path is None else str(path)
