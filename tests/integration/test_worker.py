"""A worker with recording engines on a broker: what its engines are given, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from streams.contract.rejected import RefusalReason, read_rejected_headers
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule_set import compile_rules
from streams.intake.partition import BatchingPolicy
from tests.integration.workers import RunningWorker, Sent, consume, event, produce, running, settings_on

MANY = 100_000


@pytest.fixture(scope="module")
def worker(broker: str) -> Iterator[RunningWorker]:
    """Yield a worker whose complaints stay empty; each test writes records of its own."""
    settings = settings_on(broker)
    orders, logins = settings.topics[Topic.ORDERS], settings.topics[Topic.LOGINS]
    backlog = [
        # All orders of an hour stand there before the first login is written.
        *(
            Sent(orders, b"b", event(Topic.ORDERS, f"o{m}", "b", f"2024-01-01T00:{m:02}:30Z"))
            for m in range(60)
        ),
        *(
            Sent(logins, b"b", event(Topic.LOGINS, f"l{m}", "b", f"2024-01-01T00:{m:02}:00Z"))
            for m in range(60)
        ),
    ]
    produce(broker, backlog)
    with running(settings) as made:
        made.wait_until(lambda: made.count() == len(backlog))
        yield made


def test_a_backlog_is_merged_in_event_time_however_it_was_written(worker: RunningWorker) -> None:
    merged = [name for _, name in worker.events() if name[1:].isdigit()][:120]
    assert merged == [name for minute in range(60) for name in (f"l{minute}", f"o{minute}")]


@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
def test_records_of_every_codec_are_read(worker: RunningWorker, codec: str | None) -> None:
    broker, topic = worker.settings.broker, worker.settings.topics[Topic.ORDERS]
    names = [f"{codec}-{i}" for i in range(50)]
    produce(
        broker,
        [Sent(topic, n.encode(), event(Topic.ORDERS, n, n, "2024-01-02T00:00:00Z")) for n in names],
        codec,
    )
    worker.wait_until(lambda: set(names) <= {name for _, name in worker.events()})


def test_a_hundred_thousand_events_of_one_customer_come_in_few_steps(worker: RunningWorker) -> None:
    broker, topic = worker.settings.broker, worker.settings.topics[Topic.LOGINS]
    before = worker.count()
    steps = sum(len(engine.sizes) for engine in worker.engines.values())
    value = event(Topic.LOGINS, "x", "many", "2024-01-03T00:00:00Z")
    produce(broker, [Sent(topic, b"many", value.replace(b'"x"', b'"m%d"' % i)) for i in range(MANY)])
    worker.wait_until(lambda: worker.count() == before + MANY)
    own = [name for _, name in worker.events() if name.startswith("m")]
    assert own == [f"m{i}" for i in range(MANY)]
    # The producer is slower than the worker, which takes what has come meanwhile.
    assert sum(len(engine.sizes) for engine in worker.engines.values()) - steps < MANY / 50


def test_what_is_refused_lands_whole_with_its_reason_and_place_and_the_rest_goes_on(
    worker: RunningWorker,
) -> None:
    broker, topics = worker.settings.broker, worker.settings.topics
    orders, logins = topics[Topic.ORDERS], topics[Topic.LOGINS]
    good = event(Topic.ORDERS, "good", "c", "2024-01-04T00:00:00Z")
    far = event(Topic.LOGINS, "far", "c", "2099-01-01T00:00:00Z")
    sent = {
        "not_json": Sent(orders, b"c", b"\xff\x00 garbage", 1),
        "key_mismatch": Sent(orders, b"", good, 1),
        "no_value": Sent(orders, b"c", None, 1),
        "future_time": Sent(logins, b"c", far, 0),
        "megabyte": Sent(logins, b"c", b"m" * 1_000_000, 0),
    }
    offsets = dict(zip(sent, produce(broker, list(sent.values())), strict=True))
    produce(broker, [Sent(orders, b"c", good, 1)])
    worker.wait_until(lambda: "good" in {name for _, name in worker.events()})
    found = consume(broker, worker.settings.rejected_topic, len(sent))
    rejected = {(record.key, record.value): read_rejected_headers(record.headers) for record in found}
    assert len(found) == len(rejected) == len(sent)
    for name, record in sent.items():
        rejection = rejected[record.key, record.value]
        assert rejection.reason is (RefusalReason.NOT_JSON if name == "megabyte" else RefusalReason(name))
        assert (rejection.topic, rejection.partition, rejection.offset) == (
            record.topic,
            record.partition,
            offsets[name],
        )
        assert not rejection.truncated
    worker.wait_until(lambda: worker.stats is not None and worker.stats.refused == len(sent))


@pytest.mark.parametrize("again", [False, True], ids=["at once", "read once more after a restart"])
def test_what_an_engine_refuses_lands_with_its_own_bytes(broker: str, tmp_path: Path, again: bool) -> None:
    settings = settings_on(broker, 1)
    settings = replace(settings, checkpoints=str(tmp_path / "states"), checkpoint_every_s=0.2)
    orders, logins = settings.topics[Topic.ORDERS], settings.topics[Topic.LOGINS]
    first = event(Topic.ORDERS, "one", "c", "2024-01-04T00:00:00Z")
    other = event(Topic.ORDERS, "two", "c", "2024-01-04T00:00:05Z").replace(b"EUR", b'USD"  ,  "x": "')
    reused = event(Topic.LOGINS, "one", "c", "2024-01-04T00:00:06Z")
    # Until something later comes, these two wait in the engine to be put in order.
    reorder = DAY

    def engine(number: int) -> Engine:
        return Engine(
            EngineSettings(app=settings.app, reorder_us=reorder), compile_rules([], DTYPES), None, number
        )

    settings = replace(settings, pace=BatchingPolicy(idle_s=60.0, reorder_us=reorder))
    produce(
        broker, [Sent(orders, b"c", first, 0), Sent(orders, b"c", other, 0), Sent(logins, b"c", reused, 0)]
    )
    later = Sent(logins, b"c", event(Topic.LOGINS, "late", "c", "2024-01-09T00:00:00Z"), 0)
    if again:
        with running(settings, engine) as before:
            before.wait_until(lambda: before.stats is not None and not any(before.stats.lag.values()))
            before.wait_until(lambda: before.stats is not None and before.stats.checkpoints > 0)
    with running(settings, engine) as after:
        after.wait_until(lambda: after.stats is not None and len(after.stats.lag) == 3)
        produce(broker, [later])
        after.wait_until(lambda: after.stats is not None and after.stats.refused == 2)
    found = {record.value: record for record in consume(broker, settings.rejected_topic, 2)}
    assert found.keys() == {other, reused}
    for value, reason, topic, offset in (
        (other, RefusalReason.OTHER_CURRENCY, orders, 1),
        (reused, RefusalReason.ID_REUSED, logins, 0),
    ):
        assert found[value].key == b"c"
        rejection = read_rejected_headers(found[value].headers)
        assert (rejection.reason, rejection.topic, rejection.partition, rejection.offset) == (
            reason,
            topic,
            0,
            offset,
        )
        assert not rejection.named


def test_nothing_lags_in_the_end_and_the_empty_topic_holds_nobody(worker: RunningWorker) -> None:
    def caught_up() -> bool:
        stats = worker.stats
        return stats is not None and len(stats.lag) == 6 and not any(stats.lag.values()) and not stats.behind

    worker.wait_until(caught_up)
    assert {topic for topic, _ in worker.events()} == {Topic.LOGINS, Topic.ORDERS}
    assert worker.stats is not None
    assert worker.stats.reread == 0
