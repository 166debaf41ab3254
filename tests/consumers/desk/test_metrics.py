from __future__ import annotations

from dataclasses import replace

import pytest

from consumers.database.database import Database
from consumers.database.timing import DatabaseFigures
from consumers.desk.metrics import METRICS, DeskFigures, desk_snapshots, not_ready, readings
from streams.errors import StoreError
from streams.telemetry.histogram import Histogram
from tests.consumers.desk.desks import Staff, browser, desk_over
from tests.figures import (
    assert_bounded,
    assert_metrics_are_figures,
    assert_names_follow_the_conventions,
    text,
)

AWAY = DatabaseFigures({"read": Histogram().figures()}, 2, away=True)
THERE = DatabaseFigures({}, 0, away=False)
FULL = DeskFigures(
    requests=[("/queue", "GET", "200", 3)],
    request_seconds={"/queue": Histogram().figures()},
    signins_refused={"token": 1},
    live_streams=2,
    open_warnings=7,
    database=AWAY,
)
NONE = DeskFigures(
    requests=[], request_seconds={}, signins_refused={}, live_streams=0, open_warnings=None, database=THERE
)


def test_each_figure_is_in_a_metric_and_each_metric_is_of_a_figure() -> None:
    assert_metrics_are_figures(METRICS, readings, FULL, NONE)
    assert_names_follow_the_conventions(METRICS)
    assert 'lapwing_requests_total{method="GET",route="/queue",status="200"} 3.0' in text(
        METRICS, readings(FULL)
    )


def test_it_is_ready_with_a_database_and_once_the_open_warnings_are_read() -> None:
    assert not_ready(replace(NONE, open_warnings=0)) == []
    assert not_ready(NONE) == ["the open warnings have not been read yet"]
    assert not_ready(replace(FULL, open_warnings=0)) == ["the database cannot be reached, is locked or full"]


def test_a_thread_that_is_stuck_is_named() -> None:
    snapshots = desk_snapshots([lambda: ("the thread is stuck",)])
    snapshots.take(NONE)
    assert snapshots.probes().answer("/healthz")[::2] == (503, b"not healthy\nthe thread is stuck\n")


def test_requests_are_counted_by_the_pattern_of_their_route(database: Database) -> None:
    desk = desk_over(database, staff=Staff())
    signed_in, stranger = browser(desk, as_="ann"), browser(desk, as_=None)
    for number in range(30):
        signed_in.get(f"/customers/secret-{number}")
        stranger.get(f"/nowhere/secret-{number}")
    signed_in.get("/static/desk.css")
    signed_in.request("INVENTED", "/queue")
    stranger.post(
        "/sign-in", data={"name": "ann", "token": "wrong"}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    figures = desk.figures()
    shown = text(METRICS, readings(figures))
    assert "secret" not in shown
    counts = {(route, method, status): count for route, method, status, count in figures.requests}
    assert sum(n for (route, *_), n in counts.items() if route.startswith("/customers/{")) == 30
    assert sum(n for (route, *_), n in counts.items() if route == "none") >= 30
    assert counts["/static", "GET", "200"] == 1
    assert any(method == "other" for _, method, _ in counts)
    assert figures.request_seconds["/static"].count == 1
    assert_bounded(readings(figures))


def test_errors_of_every_route_begin_at_0(database: Database) -> None:
    """An increase from nothing is unseen: the first error of a page would not count."""
    desk = desk_over(database, staff=Staff())
    signed_in = browser(desk, as_="ann")
    signed_in.get("/customers/c1")
    given = desk.figures().requests
    before = {(route, method): n for route, method, status, n in given if status == "503"}
    assert {(route, method) for route, method, _, _ in given} <= before.keys()
    assert set(before.values()) == {0}
    assert {("/customers/{customer_id:path}", "GET"), ("none", "POST"), ("/api/me", "GET")} <= before.keys()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk.database, "reading", _broken)
        assert signed_in.get("/customers/c1").status_code == 503
    after = {(route, method): n for route, method, status, n in desk.figures().requests if status == "503"}
    assert after == before | {("none", "GET"): 1}


def _broken() -> None:
    msg = "made for the test"
    raise StoreError(msg)


def test_refused_attempts_to_sign_in_are_counted_by_their_reason(database: Database) -> None:
    desk = desk_over(database, staff=Staff())
    with browser(desk, as_=None) as stranger:
        for _ in range(12):
            stranger.get("/api/v1/queue", headers={"Authorization": "Bearer wrong"})
    refused = desk.figures().signins_refused
    assert refused == {"bearer": 10, "token": 0, "oidc": 0, "too_many": 2}
