"""What a worker does beside its work."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from streams.core.events.topics import Topic
from streams.worker.pipeline import Pipeline
from streams.worker.run import stats_to
from streams.worker.settings import WorkerSettings


def test_statistics_that_cannot_be_written_are_reported_once_and_stop_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "stats.jsonl"
    settings = WorkerSettings("127.0.0.1:9092", {Topic.ORDERS: "orders"})
    stats = Pipeline(settings, lambda number: pytest.fail("no partition"), lambda record: None).stats()  # type: ignore[arg-type,return-value]  # neither is used
    report = stats_to(path)
    path.unlink()
    path.mkdir()
    with caplog.at_level(logging.WARNING):
        report(stats)
        report(stats)
    (logged,) = caplog.messages
    assert logged == f"the statistics cannot be written: {path}: Is a directory"
    path.rmdir()
    report(stats)
    assert [json.loads(line)["events"] for line in path.read_text().splitlines()] == [0]
