"""The server as a process: it says where it is, answers, and ends when it is asked to."""

import threading
import urllib.request

import pytest
from fastapi import FastAPI

from consumers.loop import Stop
from consumers.web.server import serve
from streams.errors import ListenError


def test_it_answers_until_a_stop_is_asked_for() -> None:
    app = FastAPI()
    app.get("/")(lambda: "here")
    stop, found = Stop(), []
    ready = threading.Event()

    def on_ready(address: str) -> None:
        found.append(address)
        ready.set()

    thread = threading.Thread(target=serve, args=(app, "127.0.0.1", 0, stop, on_ready))
    thread.start()
    assert ready.wait(30)
    with urllib.request.urlopen(found[0], timeout=30) as answer:
        assert answer.read() == b'"here"'
    with pytest.raises(ListenError, match=r"the desk cannot listen on 127\.0\.0\.1"):
        serve(app, "127.0.0.1", int(found[0].rstrip("/").rpartition(":")[2]), stop, on_ready)
    stop.ask()
    thread.join(30)
    assert not thread.is_alive()
