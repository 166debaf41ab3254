from __future__ import annotations

import pytest

from streams.contract.rejected import RefusalReason
from streams.intake.partition import RejectedRecord
from streams.intake.poll import TopicPartition
from streams.summed_log import EVERY_S
from streams.worker.refusal_log import RefusalLog


def refused(offset: int, reason: RefusalReason) -> RejectedRecord:
    return RejectedRecord(
        TopicPartition("orders", 2), offset, b"k", b"v", reason, f"what is wrong at {offset}"
    )


def test_the_first_of_each_reason_is_logged_at_once_and_the_others_are_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    log = RefusalLog(lambda: now[0])
    for offset in range(1_000):
        log.note(refused(offset, RefusalReason.NOT_JSON))
    log.note(refused(7, RefusalReason.FUTURE_TIME))
    assert caplog.messages == [
        "refused 1 records, reason=not_json, first orders/2@0: what is wrong at 0",
        "refused 1 records, reason=future_time, first orders/2@7: what is wrong at 7",
    ]
    caplog.clear()
    now[0] = EVERY_S - 1
    log.look()
    assert caplog.messages == []
    now[0] = EVERY_S
    log.look()
    assert caplog.messages == ["refused 999 records, reason=not_json, first orders/2@1: what is wrong at 1"]
    now[0] = 10 * EVERY_S
    log.look()
    assert len(caplog.messages) == 1
    log.note(refused(5_000, RefusalReason.NOT_JSON))
    log.look()
    assert caplog.messages[1:] == [
        "refused 1 records, reason=not_json, first orders/2@5000: what is wrong at 5000"
    ]
    assert log.counts == {"not_json": 1_001, "future_time": 1}
