"""Which records of a poll are refused once more."""

from __future__ import annotations

from dataclasses import dataclass

from streams.contract.rejected import RefusalReason, rejected_headers
from streams.core.events.topics import Topic
from streams.intake.standing_refusals import RejectedTopic, StandingRefusals
from tests.streams.intake.logs import Log

LOG = Log(Topic.ORDERS, (1, 2, 3, 4))


@dataclass
class Record:
    headers: list[tuple[str, bytes]]
    value: bytes | None


def rejected(offset: int, value: bytes | None, reason: RefusalReason, *, truncated: bool = False) -> Record:
    return Record(rejected_headers(reason, "", "orders", 0, offset, truncated=truncated), value)


class Tail:
    """Stands in for a `TopicTail`."""

    def __init__(self, *records: Record) -> None:
        self._records = records

    async def records(self, offsets: object) -> object:
        for record in self._records:
            yield record


async def test_only_what_was_refused_for_its_time_and_is_the_same_record_is_refused_again() -> None:
    poll = LOG.poll(0, 4)
    late = RefusalReason.FUTURE_TIME
    topic = RejectedTopic(
        Tail(  # type: ignore[arg-type]  # stands in for it
            rejected(0, poll.values[0], RefusalReason.NOT_JSON),
            rejected(1, poll.values[1], late),
            rejected(2, b"of the topic as it was before it was made anew", late),
            rejected(3, b"cut", late, truncated=True),
            Record([("other", b"x")], b"not ours"),
        )
    )
    standing = await topic.since({0: 7})
    assert standing.since == {0: 7}
    assert standing.of(poll) == [1, 3]
    assert standing.of(LOG.poll(2, 4)) == [1]
    assert standing.of(Log(Topic.LOGINS, (1, 2)).poll(0, 2)) == []
    assert StandingRefusals().of(poll) == []


def test_they_are_needed_until_all_of_them_have_been_read() -> None:
    standing = StandingRefusals({("orders", 0, 5): None})
    assert standing.are_ahead(0, {"orders": 5})
    assert standing.are_ahead(0, {})
    assert not standing.are_ahead(0, {"orders": 6})
    assert not standing.are_ahead(1, {"orders": 5})
