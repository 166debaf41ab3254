"""A whole run with everything that can go wrong: no line of it names a customer or quotes an event."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest

from lapwing.settings.settings import load_settings
from lapwing.topic_plan import planned
from streams.core.events.topics import Topic
from tests.integration.desk.stack import LAPWING, Stack, running_stack
from tests.integration.test_worker_garbage import GARBAGE
from tests.integration.workers import Sent, produce

MARK: Final = "mark4711é"
"""Stands in every id, word and text of the events."""
SECRET: Final = "whsec_bGFwd2luZy1sYXB3aW5nLWxhcHdpbmct"

pytestmark = pytest.mark.timeout(400)


@dataclass
class LoggedStack(Stack):
    """A stack whose processes write what they log apart from what they print."""

    channels: str = ""
    webhook: str = ""

    def start(self, name: str, *words: str) -> None:
        log, printed = self.folder / f"{name}.log", self.folder / f"{name}.out"
        with log.open("ab") as errors, printed.open("ab") as output:
            self.processes[name] = subprocess.Popen(
                [*LAPWING, name, "--config", str(self.config), *words],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
            )

    def ended(self, name: str, *words: str) -> int:
        """Run a command that may fail to its end, with its output in the same files."""
        self.start(name, *words)
        return self.processes.pop(name).wait(60)

    def log(self, name: str) -> str:
        """Return both; the tests look there for what the desk prints."""
        return super().log(name) + (self.folder / f"{name}.out").read_text(errors="replace")

    def _environment(self) -> dict[str, str]:
        return {
            **super()._environment(),
            "LAPWING_NOTIFY_URLS": self.channels,
            "LAPWING_WEBHOOK_URLS": self.webhook,
            "LAPWING_WEBHOOK_SECRETS": f"hook={SECRET}",
        }


@contextmanager
def echoing() -> Iterator[int]:
    """Yield the port of a receiver that refuses what it is sent, and quotes it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(400, "no")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def events(stack: Stack) -> Iterator[Sent]:
    """Yield what customers did until now, all of it marked."""
    now = datetime.now(UTC)
    for n in range(30):
        customer = f"C-{MARK}-{n}"
        for day in range(60, 0, -10 if n % 2 else -25):
            at = (now - timedelta(days=day, minutes=n)).isoformat()
            base = {"event_id": f"{MARK}-{n}-{day}", "customer_id": customer, "occurred_at": at}
            order = {**base, "order_id": f"o-{MARK}-{n}-{day}", "amount": 12.5, "currency": "EUR"}
            complaint = {**base, "complaint_id": f"c-{MARK}-{n}-{day}", "category": MARK, "text": MARK}
            profile = {**base, "region": MARK, "segment": MARK, "name": MARK}
            for topic, event in (
                (Topic.ORDERS, order),
                (Topic.LOGINS, {**base}),
                (Topic.COMPLAINTS, complaint),
                (Topic.PROFILES, profile),
            ):
                event["event_id"] = f"{topic.label}-{event['event_id']}"
                yield Sent(stack.topic(topic), customer.encode(), json.dumps(event).encode())


def wrong(customer: str) -> list[bytes | None]:
    """Return records that are refused, each in another way, and quote the customer."""
    at = datetime.now(UTC).isoformat()
    base: dict[str, Any] = {
        "event_id": f"bad-{MARK}",
        "customer_id": customer,
        "occurred_at": at,
        "order_id": f"o-{MARK}",
        "amount": 5.0,
        "currency": "EUR",
    }
    changed: list[dict[str, Any]] = [
        {"occurred_at": MARK},
        {"occurred_at": "2999-01-01T00:00:00Z"},
        {"customer_id": [customer]},
        {"customer_id": f"another-{MARK}"},
        {"currency": MARK},
        {"currency": "USD"},
        {"amount": MARK},
        {"amount": -1e9},
        {"cost": {MARK: MARK}},
        {"kind": MARK, "status": MARK, "items": [{MARK: [MARK]}], "id": MARK, "time": MARK, "data": MARK},
        {"key_id": MARK, "hash": MARK, "silence_id": MARK, "matchers": {MARK: MARK}, "warning_id": MARK},
    ]
    texts = [json.dumps(base | change).encode() for change in changed]
    return [*texts, f'{{"customer_id": "{customer}", '.encode(), f"{customer} {MARK}".encode()]


def ask(address: str, data: bytes | None = None) -> int:
    """Ask the desk and return the status of its answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, data), timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_line_of_a_whole_run_names_a_customer(broker: str, tmp_path: Path, log_format: str) -> None:
    changes: dict[str, object] = {"log_format": log_format, "log_level": "debug", "learner": "shared"}
    changes |= {"holdout_share": "0", "score_step": "0.1"}
    customer = f"C-{MARK}-0"
    with echoing() as port, running_stack(tmp_path, broker, LoggedStack, **changes) as stack:
        assert isinstance(stack, LoggedStack)
        stack.channels = f"team=json://127.0.0.1:{port}/a nobody=json://127.0.0.1:1/b"
        stack.webhook = f"hook=http://127.0.0.1:{port}/hook"
        settings = load_settings(stack.config, environ={})
        stack.start("learn")
        topics = [each.name for each in planned(settings)]
        bad = [*wrong(customer), *GARBAGE]
        produce(broker, list(events(stack)))
        produce(broker, [Sent(topic, customer.encode(), each) for topic in topics for each in bad])
        stack.start("notify")
        address = stack.serve()
        opened = "SELECT count(*) FROM warnings WHERE state = 'open'"
        stack.wait(lambda: stack.stored(opened) not in ([], [(0,)]), "warnings are stored")
        stack.wait(lambda: "trying again" in stack.log("notify"), "a receiver refuses")
        stack.wait(lambda: "checkpoint partition=" in stack.log("worker"), "a checkpoint")
        page = f"{address}/customers/{quote(customer)}"
        assert ask(page) == 200
        assert ask(f"{address}/api/customers/{quote(customer)}", MARK.encode()) >= 400
        assert ask(f"{page}/{MARK.encode().hex()}%00?q={quote(MARK)}") >= 400

        # A damaged checkpoint, a crash, and checkpoints that cannot be written.
        stack.stop("worker", signal.SIGKILL)
        for manifest in sorted((tmp_path / "checkpoints").rglob("manifest.json"))[-1:]:
            manifest.write_text(f'{{"{MARK}": "{MARK}"')
        stack.start("worker", "--flush-after", "500ms")
        stack.wait(lambda: stack.log("worker").count("restored partition=") == 2, "it is back")
        folder = tmp_path / "checkpoints"
        folder.rename(tmp_path / "moved")
        folder.write_text("no folder")
        produce(broker, [each for each in events(stack) if each.topic == stack.topic(Topic.ORDERS)])
        stack.wait(lambda: "no checkpoint partition=" in stack.log("worker"), "a checkpoint fails")

        # A database that others have broken: the desk answers, the sink ends with an error.
        with closing(sqlite3.connect(tmp_path / "lapwing.db", timeout=30)) as database, database:
            database.execute("DROP TABLE warning_steps")
            database.execute("ALTER TABLE outcomes RENAME TO others")
        assert ask(page) >= 500
        for name in list(stack.processes):
            with suppress(subprocess.TimeoutExpired):
                stack.stop(name)
        stack.ended("doctor")
        stack.ended("doctor", "--json", "--log-level", "debug")
        stack.ended("sink", "--no-follow")

    logs = {path.stem: path.read_text() for path in tmp_path.glob("*.log")}
    assert set(logs) == {"worker", "learn", "sink", "notify", "desk", "doctor"}
    assert "refused" in logs["worker"]
    assert "passed over" in logs["learn"]
    assert "put aside" in logs["sink"]
    assert "not delivered, error 400" in logs["notify"]
    assert "HTTP 400" in logs["notify"]
    assert "GET /customers/{" in logs["desk"]
    written = {str(path): path.read_text() for path in [*tmp_path.glob("*.log"), *tmp_path.glob("*.out")]}
    found = [
        f"{path}: {line}"
        for path, text in written.items()
        for line in text.splitlines()
        if MARK.removesuffix("é") in line or customer in line
    ]
    assert found == []
    if log_format == "json":
        lines = [json.loads(line) for text in logs.values() for line in text.splitlines()]
        assert all(
            {"time", "level", "logger", "message", "process", "version"} <= line.keys() for line in lines
        )
        saved = [line for line in lines if line["message"].startswith("checkpoint partition=")]
        assert saved
        assert all(line["partition"] in (0, 1) and line["checkpoint"] in line["message"] for line in saved)
