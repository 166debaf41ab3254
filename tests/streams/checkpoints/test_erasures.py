from __future__ import annotations

from pathlib import Path

import pytest

from streams.checkpoints.erasures import ErasureStage, erasure_progress, partitions_with
from streams.checkpoints.store import CheckpointManifest, CheckpointStore
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.erasures import Erasure, ErasureKey
from streams.core.events.batch import Batch
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.removal import erase
from streams.core.rules.rule_set import compile_rules
from streams.core.state_tables import tables

KEY = ErasureKey(b"a key for tests!")
GONE, OTHER, LATE = "gone", "other", "late"
REQUEST = Erasure(KEY.hash(GONE), 1_000)


def engine() -> Engine:
    """Return an engine that knows two customers, and of a third only what waits to be put in order."""
    made = Engine(EngineSettings(erasure_key=KEY, reorder_us=100), compile_rules([], DTYPES))
    times = ((GONE, 10), (OTHER, 20), (LATE, 500))
    rows = [{"topic": Topic.ORDERS, "customer_id": name, "at": at, "event_id": name} for name, at in times]
    made.step(Batch.of(rows))
    return made


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(str(tmp_path), "lapwing")


def save(store: CheckpointStore, engine: Engine) -> None:
    store.save(0, tables(engine), CheckpointManifest({}, {}, engine.rules.hash))


def progress(store: CheckpointStore) -> list[tuple[str, int | None]]:
    found = erasure_progress(store, REQUEST.hash, REQUEST.erased_at)
    assert {each.partition for each in found} <= {0}
    return [(each.stage, each.cleared_at) for each in found]


def test_the_stages_of_an_erasure(store: CheckpointStore, tmp_path: Path) -> None:
    assert progress(store) == []
    before = engine()
    save(store, before)
    assert progress(store) == [(ErasureStage.WAITING, None)]
    before.erased.adopt([REQUEST])
    save(store, before)
    assert progress(store) == [(ErasureStage.WAITING, None)]
    after, _ = erase(before)
    save(store, after)
    assert progress(store) == [(ErasureStage.CLEARING, 400)]
    newest = store.whole(0)[-1]
    store.prune(0, newest, 1)
    assert progress(store) == [(ErasureStage.CLEARED, 400)]
    # The same customer erased later is another erasure.
    assert erasure_progress(store, REQUEST.hash, REQUEST.erased_at + 1)[0].stage is ErasureStage.WAITING
    (tmp_path / "lapwing" / "00000" / "0000000009-00000000").mkdir()
    assert progress(store) == [(ErasureStage.CLEARING, 400)]


def test_a_state_of_before_anybody_could_be_erased_is_waited_for(store: CheckpointStore) -> None:
    state = tables(engine())
    del state["erasures"]
    store.save(0, state, CheckpointManifest({}, {}, ""))
    assert progress(store) == [(ErasureStage.WAITING, None)]


def test_customers_are_found_in_states_and_in_what_waits(store: CheckpointStore) -> None:
    save(store, engine())
    assert partitions_with(store, [GONE, LATE, "nobody"]) == {GONE: [0], LATE: [0]}
