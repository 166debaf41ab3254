from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient

from consumers.web.requests import Measured, RequestMeter


def test_requests_are_counted_by_the_pattern_of_their_route_and_streams_have_no_end() -> None:
    meter, app = RequestMeter(), FastAPI()
    app.add_middleware(Measured, meter=meter)
    app.get("/of/{customer}")(lambda customer: customer)
    app.get("/live")(lambda: StreamingResponse(iter([b"x"]), media_type="text/event-stream"))

    @app.get("/broken")
    def broken() -> None:
        _ = 1 / 0

    with TestClient(app) as client:
        for number in range(3):
            client.get(f"/of/c{number}")
        client.get("/live")
        client.get("/nowhere")
        client.request("INVENTED", "/of/c1")
        with pytest.raises(ZeroDivisionError):
            client.get("/broken")
    assert meter.requests() == [
        ("/broken", "GET", "500", 1),
        ("/live", "GET", "200", 1),
        ("/of/{customer}", "GET", "200", 3),
        ("/of/{customer}", "other", "405", 1),
        ("none", "GET", "404", 1),
    ]
    assert {route: found.count for route, found in meter.seconds().items()} == {
        "/broken": 1,
        "/live": 0,
        "/of/{customer}": 4,
        "none": 1,
    }
