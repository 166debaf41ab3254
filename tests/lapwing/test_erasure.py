from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lapwing.erasure import ErasureReport, TopicExpiry, expiry, lines, policies, read_erasures
from streams.checkpoints.erasures import ErasureStage, PartitionErasure
from streams.contract.erasures import ErasureKey, ErasureRequest, encode_erasure
from streams.core.erasures import Erasure
from streams.errors import ErasureError

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY_MS = 24 * 60 * 60 * 1000


@pytest.mark.parametrize(
    ("config", "gone_by", "why"),
    [
        ({"retention.ms": str(7 * DAY_MS), "segment.ms": str(DAY_MS)}, "2026-03-09T00:00:00Z", "7 days"),
        # A segment that is never full still goes with its newest record.
        (
            {"retention.ms": str(DAY_MS // 2), "segment.ms": str(7 * DAY_MS)},
            "2026-03-02T00:00:00Z",
            "12 hours",
        ),
        ({"retention.ms": str(DAY_MS)}, "2026-03-02T00:00:00Z", "1 days"),
        ({"retention.ms": "-1"}, None, "for good"),
        ({"retention.ms": str(2**63 - 1)}, None, "for good"),
        ({}, None, "does not report"),
        ({"retention.ms": "soon"}, None, "does not report"),
    ],
)
def test_when_records_are_gone_at_the_latest(config: dict[str, str], gone_by: str | None, why: str) -> None:
    found = expiry("orders", config, NOW)
    assert (found.topic, found.gone_by) == ("orders", gone_by)
    assert why in found.why


def test_how_a_topic_removes_records() -> None:
    assert policies({}) == {"delete"}
    assert policies({"cleanup.policy": ""}) == {"delete"}
    assert policies({"cleanup.policy": "compact, delete"}) == {"compact", "delete"}


def test_erasures_are_read_as_they_are_listed(tmp_path: Path) -> None:
    key = ErasureKey(b"a key for tests!")
    request = ErasureRequest(hash=key.hash("c"), erased_at=NOW, key_id=key.id)
    path = tmp_path / "erasures.jsonl"
    path.write_bytes(encode_erasure(request) + b"\n")
    assert read_erasures(path, key) == [Erasure(key.hash("c"), 1_772_323_200_000_000)]
    for other in (None, ErasureKey(b"another")):
        with pytest.raises(ErasureError, match=rf"erasures.jsonl:1: made with the key {key.id}"):
            read_erasures(path, other)
    path.write_bytes(encode_erasure(request) + b"\nnonsense\n")
    with pytest.raises(ErasureError, match=r"erasures.jsonl:2: not an erasure"):
        read_erasures(path, key)
    with pytest.raises(ErasureError, match="cannot be read"):
        read_erasures(tmp_path / "none", key)


def report() -> ErasureReport:
    return ErasureReport(
        "2026-03-01T00:00:00Z",
        ["a" * 64, "b" * 64],
        unknown=["b" * 64],
        database="sqlite:///w.db",
        rows={"warnings": 1, "warning_steps": 3},
        silences=2,
        tombstones=["profiles"],
        states=[0],
        partitions=[
            PartitionErasure(0, ErasureStage.CLEARED, 5),
            PartitionErasure(1, ErasureStage.CLEARING, 5),
            PartitionErasure(2, ErasureStage.WAITING),
        ],
        expiring=[
            TopicExpiry("orders", "2026-03-09T00:00:00Z", "so"),
            TopicExpiry("warnings", None, "never"),
        ],
        failures=["profiles: denied"],
        notes=["a note"],
    )


def test_the_report_says_what_is_gone_and_what_is_not() -> None:
    text = "\n".join(lines(report(), checked=False))
    for expected in (
        "2 customers, erased as of 2026-03-01T00:00:00Z",
        "hash aaaaaaaaaaaaaaaa...  found",
        "hash bbbbbbbbbbbbbbbb...  nothing was found of this one",
        "rows of the database sqlite:///w.db: warnings 1, warning_steps 3",
        "silences that named them: 2",
        "compacted topics: profiles",
        "the erasure is done in 1 of 3 partitions",
        "partition 1: older checkpoints are still there",
        "partition 2: waits for its worker",
        "orders    until 2026-03-09T00:00:00Z at the latest: so",
        "warnings  no end: never",
        "Backups and replicas",
        "note: a note",
        "not erased: profiles: denied",
    ):
        assert expected in text
    assert "still there:" in list(lines(report(), checked=True))
    assert report().as_json()["partitions"][1] == {"partition": 1, "stage": "clearing", "cleared_at": 5}
    assert len(report().as_json()["left_to_you"]) > 3
