"""Several workers on one group: partitions move whole, and every record reaches the engine that has them."""

from __future__ import annotations

from streams.core.events.topics import Topic
from tests.integration.workers import RunningWorker, Sent, event, produce, running, settings_on

PARTITIONS = 4
AT = "2024-01-01T00:00:00Z"


def send(worker: RunningWorker, name: str, count: int) -> list[str]:
    """Write `count` orders and as many logins over all partitions and return their ids."""
    topics = worker.settings.topics
    names = [f"{name}-{i}" for i in range(count)]
    produce(
        worker.settings.broker,
        [
            Sent(topics[topic], n.encode(), event(topic, f"{topic.label}-{n}", n, AT), i % PARTITIONS)
            for i, n in enumerate(names)
            for topic in (Topic.ORDERS, Topic.LOGINS)
        ],
    )
    return sorted(f"{topic.label}-{n}" for n in names for topic in (Topic.ORDERS, Topic.LOGINS))


def seen(*workers: tuple[RunningWorker, set[int]]) -> list[str]:
    """Return what the engines of the partitions that each worker has now were given."""
    return sorted(
        name for worker, numbers in workers for n in numbers for _, name in list(worker.engines[n].events)
    )


def test_a_worker_that_joins_and_leaves_loses_and_doubles_nothing(broker: str) -> None:
    settings = settings_on(broker, PARTITIONS)
    everything = {0, 1, 2, 3}
    with running(settings) as first:
        sent = send(first, "before", 200)
        first.wait_until(lambda: seen((first, set(first.engines))) == sent)
        with running(settings) as second:
            sent = sorted(sent + send(first, "joining", 200))
            first.wait_until(lambda: len(owned(first)) == 2 == len(owned(second)))
            sent = sorted(sent + send(first, "both", 200))
            assert owned(first) | owned(second) == everything
            first.wait_until(lambda: seen((first, owned(first)), (second, owned(second))) == sent)
        first.wait_until(lambda: owned(first) == everything)
        sent = sorted(sent + send(first, "alone", 200))
        first.wait_until(lambda: seen((first, everything)) == sent)


def owned(worker: RunningWorker) -> set[int]:
    """Return the partitions that `worker` has, of whose every topic it knows how far it reaches."""
    places = worker.stats.lag if worker.stats is not None else {}
    numbers = [int(place.rpartition("/")[2]) for place in places]
    return {n for n in numbers if numbers.count(n) == len(worker.settings.topics)}
