from __future__ import annotations

import errno
import json
import logging
import re
import shutil
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]  # ships no type hints
import polars as pl
import pytest
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]  # the same

from streams.checkpoints.store import KEPT, MANIFEST, Checkpoint, CheckpointManifest, CheckpointStore
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import compile_rules
from streams.core.state_tables import tables
from streams.core.steps import Tier
from streams.errors import StateError
from streams.intake.merge import TopicPosition
from tests.paths import ROOT

TABLES = {"customers": pl.DataFrame({"customer_id": ["a", "b"]}), "days": pl.DataFrame({"day": [1]})}


def content(orders: int, logins: int = 0) -> CheckpointManifest:
    return CheckpointManifest(
        {"orders": TopicPosition(orders, 7), "logins": TopicPosition(logins, None)}, {0: 5, 11: 6}, "rules"
    )


def save(store: CheckpointStore, *orders: int) -> list[Checkpoint]:
    """Save and commit a checkpoint at each of these offsets."""
    found = []
    for offset in orders:
        found.append(store.save(3, TABLES, content(offset)))
        store.prune(3, found[-1])
    return found


class Full(LocalFileSystem):  # type: ignore[misc]  # of an untyped package
    """A disk with room for so many files more, then none for a byte."""

    cachable = False
    room = 10**9

    def pipe_file(self, path: str, value: bytes, **options: Any) -> None:
        if self.room <= 0:
            super().pipe_file(path, value[: len(value) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= 1
        super().pipe_file(path, value, **options)


@pytest.fixture(params=["directory", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "states") if request.param == "directory" else f"memory://{tmp_path.name}"


def test_what_is_saved_is_loaded_by_the_committed_offsets(url: str) -> None:
    (saved,) = save(CheckpointStore(url, "shop"), 10)
    loaded = CheckpointStore(url, "shop").load(3, {"orders": 10, "logins": 0})
    assert loaded is not None
    assert loaded[0] == saved
    assert loaded[0].content == content(10)
    assert all(loaded[1][name].equals(frame) for name, frame in TABLES.items())
    assert CheckpointStore(url, "shop").load(2, {"orders": 10}) is None
    assert CheckpointStore(url, "other").load(3, {"orders": 10}) is None


def test_only_the_newest_are_kept(url: str) -> None:
    saved = save(CheckpointStore(url, "shop"), *range(10, 16))
    assert [c.sequence for c in saved] == [1, 2, 3, 4, 5, 6]
    assert CheckpointStore(url, "shop").whole(3) == saved[-KEPT:]


def test_the_committed_one_is_kept_however_many_come_after_it(url: str) -> None:
    store = CheckpointStore(url, "shop")
    (committed,) = save(store, 10)
    for offset in range(11, 20):
        store.save(3, TABLES, content(offset))
    loaded = store.load(3, {"orders": 10, "logins": 0})
    assert loaded is not None
    assert loaded[0] == committed


@pytest.mark.parametrize(
    ("committed", "expected"),
    [
        ({"orders": 20, "logins": 0}, 20),
        ({"orders": 29, "logins": 0}, 20),
        ({"orders": 30, "logins": 0, "feedback": 0}, 30),
        ({"orders": 10}, 10),  # a topic that is not read any more does not count
        ({"orders": 9, "logins": 0}, None),
    ],
)
def test_one_beyond_the_committed_offsets_does_not_count(
    url: str, committed: dict[str, int], expected: int | None
) -> None:
    store = CheckpointStore(url, "shop")
    save(store, 10, 20, 30)
    loaded = store.load(3, committed)
    assert (loaded[0].offsets["orders"] if loaded else None) == expected


def test_the_one_with_the_committed_offsets_counts_before_a_later_one_that_lies_within(url: str) -> None:
    store = CheckpointStore(url, "shop")
    save(store, 30)
    store.save(3, TABLES, content(20))  # of a worker that had been frozen
    loaded = store.load(3, {"orders": 30, "logins": 0})
    assert loaded is not None
    assert loaded[0].offsets["orders"] == 30


@pytest.mark.parametrize(
    "damage", ["flipped", "cut", "missing", "no manifest", "half a manifest", "not ours"]
)
def test_a_damaged_one_is_noticed_and_the_one_before_it_used(
    url: str, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = CheckpointStore(url, "shop")
    before, damaged = save(store, 10, 20)
    files = fsspec.core.url_to_fs(url)[0]
    table, manifest = f"{damaged.path}/customers.parquet", f"{damaged.path}/{MANIFEST}"
    data = files.cat_file(table)
    if damage == "flipped":
        files.pipe_file(table, data[:40] + bytes([data[40] ^ 1]) + data[41:])
    elif damage == "cut":
        files.pipe_file(table, data[: len(data) // 2])
    elif damage == "missing":
        files.rm(table)
    elif damage == "no manifest":
        files.rm(manifest)
    elif damage == "half a manifest":
        files.pipe_file(manifest, files.cat_file(manifest)[:50])
    else:
        files.pipe_file(manifest, b'{"sequence": 2}')
    loaded = store.load(3, {"orders": 20, "logins": 0})
    assert loaded is not None
    assert loaded[0] == before
    assert (damage == "no manifest") != bool(caplog.records)
    # The next one takes the place after it, and what was damaged goes with time.
    later = save(store, 30, 40, 50, 60)
    assert later[0].sequence == 3
    assert store.whole(3) == later[-KEPT:]


def test_two_writers_never_overwrite_one_another(url: str) -> None:
    one, other = CheckpointStore(url, "shop"), CheckpointStore(url, "shop")
    place = one._place(3)
    folders = one._folders
    other._folders = one._folders = lambda partition: []  # type: ignore[method-assign]  # neither sees the other
    first, second = one.save(3, TABLES, content(10)), other.save(3, TABLES, content(20))
    one._folders = folders  # type: ignore[method-assign]  # as it was
    assert first.sequence == second.sequence
    assert first.path != second.path
    assert first.path.startswith(place)
    for saved in (first, second):
        loaded = one.load(3, {"orders": saved.offsets["orders"], "logins": 0})
        assert loaded is not None
        assert loaded[0] == saved


@pytest.mark.parametrize("room", range(len(TABLES) + 1))
def test_a_full_disk_leaves_the_older_ones_and_nothing_of_the_new(tmp_path: Path, room: int) -> None:
    disk = Full()
    store = CheckpointStore(str(tmp_path), "shop", disk)
    saved = save(store, 10)
    disk.room = room
    with pytest.raises(StateError, match=r"00003: a checkpoint cannot be written: No space left on device$"):
        store.save(3, TABLES, content(20))
    assert [path.name for path in (tmp_path / "shop" / "00003").iterdir()] == [Path(saved[0].path).name]
    disk.room = 10**9
    assert save(store, 30)[0].sequence == 2


def test_what_was_left_half_written_goes_with_the_next_one(tmp_path: Path) -> None:
    store = CheckpointStore(str(tmp_path), "shop")
    save(store, 10)
    left = tmp_path / "shop" / "00003" / "0000000002-0badc0de"
    left.mkdir()
    (left / "customers.parquet").write_bytes(b"half")
    save(store, 20)
    assert not left.exists()
    assert len(store.whole(3)) == 2


def test_a_place_that_cannot_be_is_named() -> None:
    with pytest.raises(StateError, match="no place for checkpoints"):
        CheckpointStore("nonsense://bucket/states", "shop")


def test_the_query_of_the_page_finds_the_customers_who_are_warned_of(tmp_path: Path) -> None:
    engine = Engine(EngineSettings(), compile_rules([Rule("buys", "orders_7d > 0", Tier.LOW, "t")], DTYPES))
    rows = [
        ("quiet", Topic.LOGINS, 0),
        ("small", Topic.ORDERS, 2_500_000),
        ("large", Topic.ORDERS, 9_000_000),
    ]
    for name, topic, amount in rows:
        event = {"topic": topic, "at": 10**15, "customer_id": name, "event_id": name, "amount": amount}
        engine.step(Batch.of([event]))
    engine.flush()
    saved = CheckpointStore(str(tmp_path), "lapwing").save(0, tables(engine), content(3))
    page = ROOT / "docs" / "checkpoints.md"
    (query,) = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(re.sub(r'folder = ".*"', f"folder = {saved.path!r}", query), names)
    assert names["found"].select("customer_id", "tier", "spend").rows() == [
        ("large", "low", 9.0),
        ("small", "low", 2.5),
    ]


def test_every_flipped_bit_of_a_manifest_is_noticed_and_the_one_before_it_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = CheckpointStore(str(tmp_path), "shop")
    before, damaged = save(store, 10, 20)
    manifest = Path(damaged.path) / MANIFEST
    data = manifest.read_bytes()
    assert store.whole(3) == [before, damaged]
    logging.disable()
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        manifest.write_bytes(flipped)
        assert store._manifest(damaged.path) is None, bytes(flipped)
    logging.disable(logging.NOTSET)
    manifest.write_bytes(data.replace(b'"offset": 20', b'"offset": 21'))
    loaded = store.load(3, {"orders": 20, "logins": 0})
    assert loaded is not None
    assert loaded[0] == before
    assert "has an unreadable manifest: its checksum does not fit" in caplog.text


def test_a_manifest_of_the_first_format_is_read(tmp_path: Path) -> None:
    store = CheckpointStore(str(tmp_path), "shop")
    (saved,) = save(store, 10)
    path = Path(saved.path) / MANIFEST
    manifest = json.loads(path.read_text())
    for name in ("checksum", "partitions", "rejected", "topic_ids", "inputs", "folder"):
        del manifest[name]
    path.write_text(json.dumps(manifest, sort_keys=True))
    assert store.whole(3) == [saved]
    manifest["topics"]["orders"]["offset"] = 11
    path.write_text(json.dumps(manifest | {"checksun": "0"}, sort_keys=True))
    assert store.whole(3) == []


def test_one_that_was_copied_to_another_partition_or_folder_does_not_count(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = CheckpointStore(str(tmp_path), "shop")
    older, newer = save(store, 10, 20)
    shutil.copytree(older.path, tmp_path / "shop/00004" / Path(older.path).name)
    assert store.load(4, {"orders": 10, "logins": 0}) is None
    assert "it belongs to 00003/" in caplog.text
    shutil.copy(f"{older.path}/{MANIFEST}", f"{newer.path}/{MANIFEST}")
    loaded = store.load(3, {"orders": 20, "logins": 0})
    assert loaded is not None
    assert loaded[0].path == older.path


def test_the_states_of_all_partitions_may_be_moved_together(tmp_path: Path) -> None:
    (saved,) = save(CheckpointStore(str(tmp_path / "old"), "shop"), 10)
    shutil.move(tmp_path / "old", tmp_path / "new")
    loaded = CheckpointStore(str(tmp_path / "new"), "shop").load(3, {"orders": 10, "logins": 0})
    assert loaded is not None
    assert Path(loaded[0].path).name == Path(saved.path).name


def test_what_is_not_a_checkpoint_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = CheckpointStore(str(tmp_path), "shop")
    saved = save(store, 10)
    partition = tmp_path / "shop" / "00003"
    others = [partition / name for name in ("1-notes", "0000000001-backup", "2024-01-01", "0000000001")]
    others += [tmp_path / "shop" / "7"]
    for folder in others:
        folder.mkdir()
        (folder / "precious.txt").write_text("mine")
    note = Path(saved[0].path) / "why.txt"
    note.write_text("the incident of May")
    save(store, *range(20, 30))
    assert all((folder / "precious.txt").exists() for folder in others)
    assert note.exists()
    assert "it holds why.txt too" in caplog.text
    assert store.partitions() == [3]


def test_a_checkpoint_says_whether_the_group_has_committed_it(url: str) -> None:
    store = CheckpointStore(url, "shop")
    first, second = save(store, 10, 20)
    store.mark_committed(first)
    assert [c.is_committed for c in store.whole(3)] == [True, False]
    assert store.whole(3) == [first, second]
