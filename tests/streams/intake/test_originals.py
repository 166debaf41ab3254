from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from streams.contract.rejected import RefusalReason
from streams.intake.originals import NEAR, OriginalRecords
from streams.intake.partition import RejectedRecord
from streams.intake.poll import TopicPartition
from tests.integration.workers import Sent, make_topics, produce

FIRST, SECOND = TopicPartition("originals-first", 1), TopicPartition("originals-second", 0)


def refused(place: TopicPartition, offset: int, *, named: bool = True) -> RejectedRecord:
    return RejectedRecord(place, offset, b"c", b"{}", RefusalReason.ID_REUSED, "event_id: reused", named)


def read(broker: str, refusals: Sequence[RejectedRecord]) -> list[RejectedRecord]:
    async def run() -> list[RejectedRecord]:
        originals = OriginalRecords(broker, {})
        try:
            found = await originals.of(refusals)
            assert await originals.of(found) == found  # those that have their bytes are left alone
            return found
        finally:
            await originals.close()

    return asyncio.run(run())


def test_records_come_with_their_own_bytes_near_and_far(broker: str) -> None:
    make_topics(broker, [FIRST.topic, SECOND.topic], 2)
    many = 3 * NEAR
    produce(broker, [Sent(FIRST.topic, b"k%d" % i, b'{"n": %d}' % i, 1) for i in range(many)])
    produce(broker, [Sent(SECOND.topic, None, b"a", 0), Sent(SECOND.topic, b"", None, 0)])
    offsets = [0, 1, 2, NEAR - 1, NEAR + 5, many - 1, 7]
    wanted = [refused(FIRST, offset) for offset in offsets]
    wanted += [refused(SECOND, 1), refused(SECOND, 0), refused(FIRST, 3, named=False), refused(FIRST, -1)]
    found = read(broker, wanted)
    assert [(each.place, each.offset) for each in found] == [(each.place, each.offset) for each in wanted]
    own: list[tuple[bytes | None, bytes | None, bool]] = [
        (b"k%d" % offset, b'{"n": %d}' % offset, False) for offset in offsets
    ]
    own += [(b"", None, False), (None, b"a", False), (b"c", b"{}", False), (b"c", b"{}", True)]
    assert [(each.key, each.value, each.named) for each in found] == own


def test_a_broker_that_does_not_answer_leaves_them_named(caplog: pytest.LogCaptureFixture) -> None:
    wanted = [refused(FIRST, 0)]
    assert asyncio.run(OriginalRecords("127.0.0.1:1", {}).of(wanted)) == wanted
    assert "refused records are sent without their own bytes" in caplog.text
