from __future__ import annotations

import http.client
import logging
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing

import pytest

from streams.errors import SettingsError
from streams.telemetry import endpoint as module
from streams.telemetry.endpoint import MOST_REQUESTS, PORTS, Endpoint, Probes
from streams.telemetry.registry import registry_of

FREE = "127.0.0.1:0"


def probes(reasons: list[str] | None = None) -> Probes:
    return Probes(registry_of("worker", (), dict), ready=lambda: reasons or (), status=lambda: {"events": 3})


def get(address: str, method: str = "GET", **headers: str) -> tuple[int, str, bytes]:
    request = urllib.request.Request(address, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.headers["Content-Type"], answer.read()


@pytest.fixture
def served() -> Iterator[Endpoint]:
    with Endpoint(probes(["the broker is away"]), FREE, "worker") as made:
        yield made


def test_it_serves_metrics_health_readiness_and_the_figures(served: Endpoint) -> None:
    status, content_type, content = get(f"{served.url}/metrics")
    assert (status, content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert b"# TYPE lapwing_build_info gauge" in content
    openmetrics = get(f"{served.url}/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert openmetrics[1].startswith("application/openmetrics-text")
    assert openmetrics[2].endswith(b"# EOF\n")
    assert get(f"{served.url}/healthz?probe=1")[::2] == (200, b"healthy\n")
    assert get(f"{served.url}/readyz")[::2] == (503, b"not ready\nthe broker is away\n")
    assert get(f"{served.url}/status") == (200, "application/json", b'{"events": 3}\n')
    assert get(f"{served.url}/healthz", "HEAD")[::2] == (200, b"")
    assert get(f"{served.url}/")[0] == 404
    assert get(f"{served.url}/metrics", "POST")[0] == 501


def test_a_thread_that_hangs_is_seen_while_others_ask(served: Endpoint) -> None:
    reading, release = threading.Event(), threading.Event()

    def hang() -> dict[str, int]:
        reading.set()
        release.wait(10)
        return {}

    asked = Probes(registry_of("worker", (), dict), status=hang, healthy=lambda: ["the loop is stuck"])
    with Endpoint(asked, FREE, "worker") as stuck:
        waiting = threading.Thread(target=get, args=(f"{stuck.url}/status",))
        waiting.start()
        assert reading.wait(5)
        assert get(f"{stuck.url}/healthz")[::2] == (503, b"not healthy\nthe loop is stuck\n")
        assert get(f"{stuck.url}/readyz")[0] == 503
        release.set()
        waiting.join()


def test_a_figure_that_cannot_be_read_is_logged_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    secret = "customer-7"

    def broken() -> dict[str, int]:
        raise KeyError(secret)

    asked = Probes(registry_of("worker", (), dict), status=broken)
    with Endpoint(asked, FREE, "worker") as served:
        assert get(f"{served.url}/status")[::2] == (500, b"see the log\n")
        assert get(f"{served.url}/healthz")[0] == 200
    assert caplog.messages == ["the request for /status failed: KeyError"]
    assert secret not in caplog.text


def test_a_port_that_is_taken_is_an_error_where_it_was_asked_for() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(
            SettingsError, match=rf"^metrics_listen: {address} cannot be listened on: Address"
        ):
            Endpoint(probes(), address, "worker")


def test_the_port_of_the_process_is_taken_or_else_one_that_is_free(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    monkeypatch.setitem(PORTS, "sink", port)
    caplog.set_level(logging.INFO)
    with Endpoint(probes(), "127.0.0.1", "sink") as first:
        assert first.url == f"http://127.0.0.1:{port}"
        assert caplog.messages == []
        first.announce()
        assert caplog.messages == [f"metrics at {first.url}/metrics"]
        with Endpoint(probes(), "127.0.0.1", "sink") as second:
            assert second.url != first.url
            assert get(f"{second.url}/healthz")[0] == 200
            second.announce()
    assert f"port {port} of a sink cannot be had: Address already in use; another" in caplog.messages[1]


def test_a_host_that_is_not_this_machine_is_an_error() -> None:
    with pytest.raises(SettingsError, match=r"^metrics_listen: 192\.0\.2\.1 cannot be listened on: "):
        Endpoint(probes(), "192.0.2.1", "sink")


def test_it_listens_on_ipv6_too() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6")
    with Endpoint(probes(), "[::1]:0", "sink") as served:
        assert served.url.startswith("http://[::1]:")
        assert get(f"{served.url}/healthz")[0] == 200


def test_clients_that_do_not_ask_are_left_and_hold_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module._Handler, "timeout", 0.2)
    with Endpoint(probes(), FREE, "worker") as served:
        host, port = served.url.removeprefix("http://").rsplit(":", 1)
        slow = [socket.create_connection((host, int(port)), timeout=5) for _ in range(MOST_REQUESTS + 4)]
        assert all(each.recv(1) == b"" for each in slow)  # closed: at once or for lack of patience
        assert get(f"{served.url}/healthz")[0] == 200
        for each in slow:
            each.close()


def test_nobody_is_answered_after_it_is_closed(served: Endpoint) -> None:
    other = Endpoint(probes(), FREE, "worker")
    host = other.url.removeprefix("http://")
    other.close()
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(host, timeout=1).request("GET", "/healthz")
