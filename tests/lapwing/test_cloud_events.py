from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import zstandard

from consumers.actions import Action
from lapwing.cloud_events import actions_of, cloud_events
from streams.contract.decode import decode_lines
from streams.contract.examples import OUTCOME_EXAMPLE
from streams.contract.outcomes import parse_outcome
from streams.contract.warnings import WARNING_TYPES, parse_warning
from streams.errors import EventFileError
from tests.consumers.segment_events import life as segment_life
from tests.consumers.warning_events import life


def read(path: Path) -> list[str]:
    return [event["id"] for event in cloud_events([path], WARNING_TYPES, parse_warning)]


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".jsonl.zst", ".out"])
def test_events_of_the_wanted_types_are_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"warnings{suffix}"
    content = b"\n".join([*life("c1"), b"", *segment_life("north")]) + b"\n"
    if suffix.endswith("gz"):
        content = gzip.compress(content)
    if suffix.endswith("zst"):
        content = zstandard.ZstdCompressor().compress(content)
    path.write_bytes(content)
    assert read(path) == [parse_warning(line).id for line in life("c1")]


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (b"nonsense", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[1]", "not a CloudEvent"),
        (b'{"type":"churn.warning.opened"}', "not a warning event"),
    ],
)
def test_what_is_no_event_is_refused_with_its_place(tmp_path: Path, line: bytes, wrong: str) -> None:
    path = tmp_path / "w.jsonl"
    path.write_bytes(b"\n".join([*life("c1"), line]))
    with pytest.raises(EventFileError, match=f"w.jsonl:5: {wrong}"):
        read(path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    outcomes, events, segments = (tmp_path / name for name in ("o.jsonl", "e.jsonl", "s.jsonl"))
    outcomes.write_bytes(json.dumps(OUTCOME_EXAMPLE).encode())
    events.write_bytes(
        b'{"type":"login","event_id":"l1","customer_id":"c1","occurred_at":"2024-01-02T00:00:00Z"}'
    )
    with pytest.raises(
        EventFileError, match=r"o\.jsonl: holds another kind of event, such as churn\.customer\.lapsed"
    ):
        read(outcomes)
    with pytest.raises(EventFileError, match=r"such as login: expected are churn\.warning\.acknowledged, "):
        read(events)
    # A replay may have nothing of the types asked for, no warnings, or only those of segments.
    assert list(cloud_events([outcomes], ["churn.warning.matured"], parse_outcome)) == []
    segments.write_bytes(b"\n".join(segment_life("north")))
    assert read(segments) == []
    segments.write_bytes(b"\n")
    assert read(segments) == []


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EventFileError, match="No such file"):
        read(tmp_path / "none.jsonl")


def test_actions_are_those_of_the_lines() -> None:
    lines = [
        b'{"type":"action","event_id":"e1","customer_id":"c1","occurred_at":"2024-01-02T00:00:00Z",'
        b'"warning_id":"w1","kind":"offer","play":"p","result":"declined","reasons":["price"],'
        b'"cost":{"gift":2.5},"actor":"ann","corrects":"e0"}',
        b'{"type":"login","event_id":"l1","customer_id":"c1","occurred_at":"2024-01-02T00:00:00Z"}',
        b'{"type":"action","event_id":"e2","customer_id":"c1","occurred_at":"2024-01-03T00:00:00Z","kind":"x"}',
    ]
    batch = decode_lines(lines, latest_us=None).batch
    day = 1_704_153_600_000_000
    assert list(actions_of(batch)) == [
        Action("e1", "c1", day, "offer", "w1", "p", "declined", "ann", ("price",), {"gift": 2.5}, "e0"),
        Action("e2", "c1", day + 86_400_000_000, "x", cost={}),
    ]
