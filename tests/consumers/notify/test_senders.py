"""Signed webhooks, as a receiver with the library of Standard Webhooks sees them."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from consumers.notify.attempt import Attempts, ReceiverGone, SendFailed
from consumers.notify.channels import Channel
from consumers.notify.message import Bundle, MessageWriter, StepContent, Style
from consumers.notify.senders import WebhookSender, signed
from streams.contract.warnings import WarningEvent, parse_warning
from tests.consumers.stubs import NOW, Waits
from tests.consumers.warning_events import value

OLD, NEW = "whsec_" + "b2xk" * 8, "whsec_" + "bmV3" * 8


class Hook:
    """A web server that notes what is posted to it and answers with what is set."""

    def __init__(self) -> None:
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        self.headers: Mapping[str, str] = {}
        self.body = b""
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.posts.append(({name.lower(): text for name, text in self.headers.items()}, body))
                self.send_response(hook.status)
                for name, text in hook.headers.items():
                    self.send_header(name, text)
                self.send_header("Content-Length", str(len(hook.body)))
                self.end_headers()
                self.wfile.write(hook.body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.channel = Channel(
            "crm", f"http://127.0.0.1:{self._server.server_port}/s3cret-path", secrets=(NEW, OLD)
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def hook() -> Iterator[Hook]:
    with contextlib.closing(Hook()) as server:
        yield server


def content() -> StepContent:
    event = json.loads(value())
    return StepContent(event["id"], event["type"], datetime.fromisoformat(event["time"]), event["data"])


STYLE = Style(route="all/key", receiver="team")
sender = WebhookSender(Attempts(Waits()))


def test_a_receiver_can_check_it_with_either_secret_and_reads_the_event(hook: Hook) -> None:
    sender(hook.channel, MessageWriter(app="shop").of_step(content(), hook.channel, STYLE, "Deferred"))
    ((headers, body),) = hook.posts
    for secret in (OLD, NEW):
        read = Webhook(secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "eHh4" * 8).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(body.replace(b"c1", b"c2"), headers)
    # But for what belongs to the delivery it is the event that stands on the topic.
    event = json.loads(value())
    more = {name: read.pop(name) for name in list(read) if name.startswith("lapwing")}
    assert read == event | {"source": "/lapwing/shop"}
    assert more == {
        "lapwingreceiver": "team",
        "lapwingroute": "all/key",
        "lapwingnote": "Deferred",
        "lapwingrepeated": False,
    }
    assert isinstance(parse_warning(body), WarningEvent)
    assert headers["content-type"] == "application/json"


def test_the_id_is_the_same_however_often_it_is_sent_and_another_for_each_channel() -> None:
    channel, other = Channel("crm", "", secrets=(NEW,)), Channel("erp", "", secrets=(NEW,))
    writer = MessageWriter()
    first = signed(channel, writer.of_step(content(), channel, STYLE), NOW)
    again = signed(channel, writer.of_step(content(), channel, STYLE, again=True), NOW + timedelta(hours=1))
    assert first["webhook-id"] == again["webhook-id"] == f"{content().id}:crm"
    assert first["webhook-timestamp"] != again["webhook-timestamp"]
    assert signed(other, writer.of_step(content(), other, STYLE), NOW)["webhook-id"] == f"{content().id}:erp"


def test_a_bundle_is_one_event_with_its_steps() -> None:
    bundle = Bundle("digest/team/2026-03-02/1", "digest", NOW, [content(), content()], day=NOW.date())
    read = json.loads(MessageWriter().of_bundle(bundle, Channel("crm", "", secrets=(NEW,)), STYLE).payload)
    assert (read["type"], read["id"]) == ("churn.notices.digest", "digest/team/2026-03-02/1")
    assert [each["data"]["customer_id"] for each in read["data"]["steps"]] == ["c1", "c1"]
    assert read["data"]["day"] == "2026-03-01"


def test_a_redirect_is_not_followed(hook: Hook) -> None:
    hook.status, hook.headers = 307, {"Location": hook.channel.url}
    with pytest.raises(SendFailed, match="HTTP 307"):
        sender(hook.channel, MessageWriter().of_step(content(), hook.channel, STYLE))
    assert len(hook.posts) == 1


@pytest.mark.parametrize(
    ("status", "wait", "expected"),
    [
        (429, "120", timedelta(minutes=2)),
        (503, "999999999", timedelta(days=1)),
        (429, "-5", None),
        (500, None, None),
        (503, "soon", None),
    ],
)
def test_a_refusal_says_when_to_come_again(
    hook: Hook, status: int, wait: str | None, expected: timedelta | None
) -> None:
    hook.status, hook.headers = status, {"Retry-After": wait} if wait else {}
    hook.body = b"no\nroom for s3cret-path\x1b[2J"
    with pytest.raises(SendFailed) as caught:
        sender(hook.channel, MessageWriter().of_step(content(), hook.channel, STYLE))
    assert caught.value.retry_after == expected
    assert str(caught.value) == f"HTTP {status} no room for **** [2J"
    assert len(hook.posts) == 1


def test_a_date_to_come_again_at_is_a_wait(hook: Hook) -> None:
    hook.status, hook.headers = 503, {"Retry-After": "Mon, 02 Mar 2026 12:05:00 GMT"}
    at = WebhookSender(Attempts(Waits()), clock=lambda: datetime(2026, 3, 2, 12, tzinfo=UTC))
    with pytest.raises(SendFailed) as caught:
        at(hook.channel, MessageWriter().of_step(content(), hook.channel, STYLE))
    assert caught.value.retry_after == timedelta(minutes=5)


def test_a_receiver_that_is_gone_says_so(hook: Hook) -> None:
    hook.status = 410
    with pytest.raises(ReceiverGone, match="HTTP 410"):
        sender(hook.channel, MessageWriter().of_step(content(), hook.channel, STYLE))


def test_nobody_there_is_a_failure_without_the_url(hook: Hook) -> None:
    hook.close()
    with pytest.raises(SendFailed) as caught:
        sender(hook.channel, MessageWriter().of_step(content(), hook.channel, STYLE))
    assert "s3cret-path" not in str(caught.value)
