"""Events of an import on their way to a broker."""

from pathlib import Path

import pytest

from lapwing.import_to_kafka import send_all
from streams.core.events.topics import Topic
from streams.errors import BrokerError
from streams.imports.work_file import WorkFile

NAMES = {topic: f"my.{topic.label}" for topic in Topic}
Sent = tuple[str, bytes | None, bytes | None, int | None]


class Broker:
    """Takes records, and fails at the flush of some."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.sent: list[Sent] = []
        self.flushed = 0
        self.fails_at = fails_at

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, timestamp_ms: int | None = None
    ) -> None:
        self.sent.append((topic, key, value, timestamp_ms))

    def flush(self) -> None:
        self.flushed += 1
        if self.flushed == self.fails_at:
            message = "away"
            raise BrokerError(message)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkFile:
    monkeypatch.setattr("streams.imports.work_file._AT_A_TIME", 3)
    made = WorkFile(tmp_path / "work", {})
    with made.changing(made.progress(0)):
        made.add_events(
            (1_000_000 + n, n, int(Topic.LOGINS if n % 2 else Topic.ORDERS), f"c{n}", b'{"n":%d}' % n)
            for n in range(8)
        )
    return made


def test_events_go_to_their_topics_under_their_customers_in_order(work: WorkFile) -> None:
    broker = Broker()
    progress = work.progress(0)
    so_far: list[int] = []
    assert send_all(broker, work, progress, NAMES, so_far.append) == 8
    assert so_far == [3, 6, 8]
    assert broker.sent[0] == ("my.orders", b"c0", b'{"n":0}', 1_000)
    assert broker.sent[1] == ("my.logins", b"c1", b'{"n":1}', 1_001)
    assert [value for _, _, value, _ in broker.sent] == [b'{"n":%d}' % n for n in range(8)]
    assert send_all(broker, work, progress, NAMES, so_far.append) == 0


def test_what_was_acknowledged_is_not_sent_again(work: WorkFile) -> None:
    broker = Broker(fails_at=3)
    with pytest.raises(BrokerError):
        send_all(broker, work, work.progress(0), NAMES, lambda _: None)
    again = Broker()
    assert send_all(again, work, work.progress(0), NAMES, lambda _: None) == 2
    assert {value for _, _, value, _ in broker.sent[:6] + again.sent} == {b'{"n":%d}' % n for n in range(8)}
