"""The notifier as its command, with Apprise, sending to a receiver on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import apprise
import pytest
from click.testing import CliRunner

from consumers.database.database import Database
from consumers.notify.attempt import MOST_UNFINISHED, STOP_S, Attempts, SendFailed, SendTimedOut
from consumers.notify.channels import Channel, read_channels
from consumers.notify.message import Message, MessageWriter, StepContent, Style
from consumers.notify.outbox import Outbox
from consumers.notify.senders import AppriseSender
from lapwing.cli import notify
from lapwing.demo.broker import free_port
from streams.errors import SettingsError
from tests.consumers.stored import store_records
from tests.consumers.stubs import NOW, Waits
from tests.consumers.warning_events import life, records, value, warning_id

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

WITHIN_S = 30.0
MESSAGE = Message("t", "b", urgent=False)


class Receiver:
    """A web server that notes what is posted to it, up or down."""

    def __init__(self, port: int = 0) -> None:
        self.bodies: list[dict[str, str]] = []
        self.code = 200
        self.posts = 0
        self.delay_s = 0.0
        self.drips = False
        self.wait = threading.Event()
        self.wait.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts += 1
                receiver.wait.wait(WITHIN_S)
                time.sleep(receiver.delay_s)
                if receiver.code == 200:
                    receiver.bodies.append(json.loads(body))
                self.send_response(receiver.code)
                if receiver.drips:
                    self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b"" if receiver.drips else b"ok")  # Slack says so
                with contextlib.suppress(OSError):
                    for _ in range(1000 if receiver.drips else 0):
                        self.wfile.write(b".")
                        self.wfile.flush()
                        time.sleep(0.5)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self.wait.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'w.db'}")
    opened.prepare()
    contents: list[bytes | None] = [content for n in range(3) for content in life(f"c{n}")]
    store_records(opened, records(contents))
    yield opened
    opened.close()


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def ids(receiver: Receiver) -> list[str]:
    return sorted(body["message"].splitlines()[-1].removeprefix("Warning: ") for body in receiver.bodies)


EXPECTED = sorted(f"{warning_id(f'c{n}')}, step {step}" for n in range(3) for step in (1, 3))


def test_what_is_stored_is_sent_once(receiver: Receiver, database: Database, tmp_path: Path) -> None:
    runner = CliRunner(env={"LAPWING_NOTIFY_URLS": f"desk=json://127.0.0.1:{receiver.port}/hook"})
    args = ["--database", f"sqlite:///{tmp_path / 'w.db'}", "--no-follow", "--json"]
    counts = json.loads(runner.invoke(notify.command, args, catch_exceptions=False).stdout)
    assert counts == {
        "entered": 6,
        "muted": 0,
        "sent": 6,
        "failed": 0,
        "given_up": 0,
        "channels": {"desk": {"pending": 0, "sent": 6, "given_up": 0, "muted": 0}},
        "waiting": {},
    }
    assert ids(receiver) == EXPECTED
    by_id = {body["message"].splitlines()[-1]: body for body in receiver.bodies}
    body = by_id[f"Warning: {warning_id('c0')}, step 3"]
    assert body["title"] == "[high] Churn warning escalated: Title of a (+1)"
    assert body["message"].startswith("Customer: c0\nTier: high (escalated)\n- Title of a\n")
    assert json.loads(runner.invoke(notify.command, args, catch_exceptions=False).stdout)["sent"] == 0
    assert len(receiver.bodies) == 6


def test_a_receiver_that_is_down_and_comes_back_gets_all_of_it(database: Database, tmp_path: Path) -> None:
    port = free_port()
    environ = os.environ | {"LAPWING_NOTIFY_URLS": f"json://user:hunter2@127.0.0.1:{port}/secret-hook"}
    command = [sys.executable, "-m", "lapwing", "notify", "--database", f"sqlite:///{tmp_path / 'w.db'}"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            box = Outbox(database, "test")
            wait_for(lambda: any(counts["pending"] == 6 for counts in box.counts().values()))
            time.sleep(1)  # long enough for a first attempt at nobody
            receiver = Receiver(port)
            wait_for(lambda: len(receiver.bodies) == 6)
            wait_for(lambda: any(counts["sent"] == 6 for counts in box.counts().values()))
            os.kill(process.pid, signal.SIGTERM)
            out, err = process.communicate(timeout=WITHIN_S)
            receiver.close()
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert ids(receiver) == EXPECTED
    assert "6 sent" in out
    assert "Traceback" not in err
    assert "trying again in" in err
    assert "hunter2" not in err + out
    assert "secret-hook" not in err + out


def test_without_following_what_is_left_unsent_is_exit_code_1(
    receiver: Receiver, database: Database, tmp_path: Path
) -> None:
    receiver.code = 503
    runner = CliRunner(env={"LAPWING_NOTIFY_URLS": f"desk=json://127.0.0.1:{receiver.port}/hook"})
    args = ["--database", f"sqlite:///{tmp_path / 'w.db'}", "--no-follow"]
    result = runner.invoke(notify.command, args)
    assert (result.exit_code, result.stdout) == (1, "0 sent, 0 muted, 1 failed attempts, 0 given up\n")


def test_a_receiver_that_never_answers_is_left_at_the_deadline(receiver: Receiver) -> None:
    receiver.wait.clear()
    begin = time.monotonic()
    sender = AppriseSender(Attempts(Waits(), deadline_s=0.5))
    channel = Channel("desk", f"json://127.0.0.1:{receiver.port}/")
    for _ in range(MOST_UNFINISHED):
        with pytest.raises(SendTimedOut, match=r"no answer within 0\.5 s; the message may have arrived"):
            sender(channel, MESSAGE)
    assert time.monotonic() - begin < 5
    with pytest.raises(SendFailed, match="3 earlier deliveries have not ended"):
        sender(channel, MESSAGE)
    assert receiver.posts == MOST_UNFINISHED
    receiver.wait.set()
    wait_for(lambda: len(receiver.bodies) == MOST_UNFINISHED)
    wait_for(lambda: not sent_or_unfinished(sender, channel))


def sent_or_unfinished(sender: AppriseSender, channel: Channel) -> bool:
    try:
        sender(channel, MESSAGE)
    except SendFailed:
        return True
    return False


def test_a_receiver_that_answers_after_five_seconds_gets_each_message_once(
    receiver: Receiver, database: Database, tmp_path: Path
) -> None:
    """Apprise alone waits 4 s: the receiver had the message, and got it again and again."""
    receiver.delay_s = 5
    runner = CliRunner(env={"LAPWING_NOTIFY_URLS": f"desk=json://127.0.0.1:{receiver.port}/hook"})
    with database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM warning_steps WHERE customer_id <> 'c0'")
    args = ["--database", f"sqlite:///{tmp_path / 'w.db'}", "--no-follow", "--json"]
    counts = json.loads(runner.invoke(notify.command, args, catch_exceptions=False).stdout)
    assert (counts["sent"], counts["failed"]) == (2, 0)
    assert receiver.posts == 2


def test_a_stop_is_heeded_while_a_receiver_drips(
    receiver: Receiver, database: Database, tmp_path: Path
) -> None:
    receiver.drips = True
    environ = os.environ | {"LAPWING_NOTIFY_URLS": f"desk=json://127.0.0.1:{receiver.port}/hook"}
    command = [sys.executable, "-m", "lapwing", "notify", "--database", f"sqlite:///{tmp_path / 'w.db'}"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            wait_for(lambda: receiver.posts == 1)
            begin = time.monotonic()
            os.kill(process.pid, signal.SIGTERM)
            _, err = process.communicate(timeout=WITHIN_S)
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert time.monotonic() - begin < STOP_S + 5
    assert "stopped before the receiver answered" in err
    assert Outbox(database, "test").counts()["desk"]["pending"] == 6


def test_a_notifier_that_starts_on_a_locked_file_waits(
    receiver: Receiver, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.database.database.BUSY_MS", 200)
    locked = sqlite3.connect(tmp_path / "w.db", isolation_level=None, check_same_thread=False)
    locked.execute("BEGIN IMMEDIATE")
    threading.Timer(2, lambda: locked.execute("ROLLBACK")).start()
    runner = CliRunner(env={"LAPWING_NOTIFY_URLS": f"desk=json://127.0.0.1:{receiver.port}/hook"})
    args = ["--database", f"sqlite:///{tmp_path / 'w.db'}", "--no-follow", "--json"]
    assert json.loads(runner.invoke(notify.command, args, catch_exceptions=False).stdout)["sent"] == 6
    locked.close()


HOSTILE = "@everyone <@U1> <!channel> [x](http://e.example) **b** `q` a_b"


@pytest.mark.parametrize("service", ["discord", "mattermost", "slack", "json"])
def test_a_customers_id_is_text_on_every_channel(
    receiver: Receiver, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = receiver.port
    urls = {
        "discord": f"discord://{'1' * 18}/{'a' * 68}",
        "mattermost": f"mmost://127.0.0.1:{port}/{'a' * 26}",
        "slack": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/",
        "json": f"json://127.0.0.1:{port}/hook",
    }
    plugin = type(apprise.Apprise.instantiate(urls[service]))
    for name in ("notify_url", "webhook_url"):
        monkeypatch.setattr(plugin, name, f"http://127.0.0.1:{port}/", raising=False)
    (channel,) = read_channels([urls[service]])
    data = json.loads(value(customer=HOSTILE))["data"]
    step = StepContent("w/1", "churn.warning.opened", NOW, data)
    message = MessageWriter().of_step(step, channel, Style())
    AppriseSender(Attempts(Waits()))(channel, message)
    (body,) = receiver.bodies
    sent = json.dumps(body, ensure_ascii=False)
    if service == "json":  # data: whoever reads it gets the id as it is
        assert f"Customer: {HOSTILE}" in body["message"]
        return
    shown = sent.replace("\u200b", "").replace("\\", "").replace("&lt;", "<").replace("&gt;", ">")
    assert f"Customer: {HOSTILE}" in shown
    for pattern in ("@everyone", "<@U1>", "<!channel>", "](http", "&lt;@U1", "&lt;!channel"):
        assert pattern not in sent
    if service != "slack":
        assert "\\\\*\\\\*b" in sent


def test_without_a_channel_there_is_nothing_to_do(tmp_path: Path) -> None:
    runner = CliRunner(env={"LAPWING_NOTIFY_URLS": ""})
    result = runner.invoke(notify.command, ["--database", f"sqlite:///{tmp_path / 'w.db'}"])
    assert isinstance(result.exception, SettingsError)
    assert "set LAPWING_NOTIFY_URLS" in str(result.exception)
    assert not (tmp_path / "w.db").exists()
