"""The learner's checkpoints: whole, with their offset, and of no partition of the workers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streams.checkpoints.store import CheckpointStore
from streams.core.events.calendar import DAY
from streams.errors import StateError
from streams.learning.shared import SharedLearner
from streams.trainer.store import LearnerStore
from tests.streams.learning.test_shared import batch_of


def learned(records: int) -> SharedLearner:
    learner = SharedLearner()
    for number in range(records):
        learner.take(batch_of(100, seed=number, at=(number + 1) * DAY), number)
    return learner


def test_a_learner_goes_on_from_the_newest(tmp_path: Path) -> None:
    store = LearnerStore(str(tmp_path), "shop", "shop-samples")
    for records in (1, 2, 3):
        store.committed(store.save(learned(records)))
    learner = SharedLearner()
    assert store.load(learner)
    assert json.dumps(learner.state()) == json.dumps(learned(3).state())


def test_without_any_it_begins_anew(tmp_path: Path) -> None:
    learner = SharedLearner()
    assert not LearnerStore(str(tmp_path), "shop", "shop-samples").load(learner)
    assert learner.offset == 0


def test_a_damaged_one_is_passed_over(tmp_path: Path) -> None:
    store = LearnerStore(str(tmp_path), "shop", "shop-samples")
    store.save(learned(2))
    newest = store.save(learned(3))
    (Path(newest.path) / "learner.parquet").write_bytes(b"PAR1")
    learner = SharedLearner()
    assert store.load(learner)
    assert learner.offset == 2


def test_it_is_none_of_the_workers(tmp_path: Path) -> None:
    LearnerStore(str(tmp_path), "shop", "shop-samples").save(learned(1))
    assert CheckpointStore(str(tmp_path), "shop").partitions() == []


def test_a_state_of_another_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LearnerStore(str(tmp_path), "shop", "shop-samples")
    monkeypatch.setattr("streams.learning.shared.FORMAT", 99)
    store.save(learned(1))
    with pytest.raises(StateError, match="the learner's state has format 99, not 1"):
        store.load(SharedLearner())
