"""How the records and checkpoints of a version are kept."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from scripts.keep_version import APP, VERSIONS, Kept, Record, pack_newest, write_lines


@pytest.mark.parametrize("value", [None, b"", b'{"a": "\xc3\xa9"}', b"\xff\x00"])
def test_a_record_comes_back_as_it_was(value: bytes | None) -> None:
    record = Record("orders", b"c1", value, 1_700_000_000_000, 1, 17, (("name", b"\xfe"),))
    assert Record.parse(record.as_json()) == record


def test_of_each_partition_the_newest_committed_checkpoint_is_kept(tmp_path: Path) -> None:
    for name, is_committed in (("1-a", True), ("2-b", True), ("3-c", False)):
        folder = tmp_path / "checkpoints" / APP / "00000" / name
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(name)
        if is_committed:
            (folder / "committed").touch()
    pack_newest(tmp_path / "checkpoints", tmp_path / "checkpoints.tar.xz")
    with tarfile.open(tmp_path / "checkpoints.tar.xz") as archive:
        assert archive.getnames() == [f"{APP}/00000/2-b/committed", f"{APP}/00000/2-b/manifest.json"]
    Kept(tmp_path).unpack_checkpoints(tmp_path / "again")
    assert (tmp_path / "again" / APP / "00000" / "2-b" / "manifest.json").read_text() == "2-b"


def test_the_same_lines_are_the_same_file(tmp_path: Path) -> None:
    for name in ("one.xz", "other.xz"):
        write_lines(tmp_path / name, ["a", "b"])
    assert (tmp_path / "one.xz").read_bytes() == (tmp_path / "other.xz").read_bytes()


def test_two_versions_are_kept_and_they_are_small() -> None:
    kept = [Kept(path) for path in sorted(VERSIONS.iterdir())]
    assert len(kept) >= 2
    for each in kept:
        assert sum(path.stat().st_size for path in each.folder.rglob("*") if path.is_file()) < 1_000_000
        assert each.records("topics")
        assert each.records("after")
