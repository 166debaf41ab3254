"""Checkpoints: a partition's state with the offsets it was taken at, written whole and found by them."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
import uuid
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import fsspec  # type: ignore[import-untyped]  # ships no type hints
import msgspec
import polars as pl

from streams.core.state_tables import Tables
from streams.errors import StateError
from streams.inputs.watch import CheckpointedInputs
from streams.intake.merge import TopicPosition
from streams.redact import masked
from streams.rulebook.revisions import CheckpointedRules

log = logging.getLogger(__name__)

MANIFEST: Final = "manifest.json"
COMMITTED: Final = "committed"
"""The name of the empty file that says that the group has committed a checkpoint's offsets."""
KEPT: Final = 3
"""Checkpoints of a partition that are kept: the newest may turn out damaged."""
MANIFEST_FIELDS: Final = frozenset({"sequence", "files", "topics", "warnings", "rule_set", "rules"})
"""Of the first format, which had no checksum."""
_FOLDER: Final = re.compile(r"(\d{10,})-[0-9a-f]{8}")
_FILE: Final = re.compile(r"\w+\.parquet|manifest\.json(\.part)?|committed")
_PARTITION: Final = re.compile(r"\d{5,}")


@dataclass(frozen=True, slots=True)
class CheckpointManifest:
    """What a checkpoint says beside its tables."""

    topics: Mapping[str, TopicPosition]
    """How far each topic had been taken in: the state knows what lies before, and nothing else."""
    warnings: Mapping[int, int]
    """Where each partition of the warnings topic ended, at the latest, when the state was taken."""
    rule_set: str
    rules: CheckpointedRules | None = None
    """What the rules in force are; `None` where the worker has no rule files."""
    rejected: Mapping[int, int] = field(default_factory=dict)
    """The same as `warnings`, of the rejected topic."""
    partitions: int | None = None
    """How many partitions the input topics had; `None` in a checkpoint of before this was kept."""
    topic_ids: Mapping[str, str] = field(default_factory=dict)
    """The ids of the input topics, as far as the broker gave them."""
    inputs: CheckpointedInputs | None = None
    """The file by which what follows is mapped; `None` where there is none."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that was written whole."""

    path: str
    sequence: int
    """1 for the first of its partition, then one more than the newest there was."""
    content: CheckpointManifest
    files: Mapping[str, str]
    """Table -> SHA-256 of its file."""
    is_committed: bool = field(default=False, compare=False)
    """Whether the group is known to have committed its offsets."""
    size: int | None = field(default=None, compare=False)
    """Bytes of its tables; `None` of one that was read."""

    @property
    def offsets(self) -> dict[str, int]:
        """Return, by topic, the offset of the first record that the state does not know."""
        return {topic: position.offset for topic, position in self.content.topics.items()}

    def stands_for(self, committed: Mapping[str, int]) -> bool:
        """Return whether its offsets are the committed ones of these topics."""
        return all(self.offsets.get(topic, 0) == offset for topic, offset in committed.items())

    def within(self, committed: Mapping[str, int]) -> bool:
        """Return whether its offsets lie nowhere beyond the committed ones of these topics."""
        return all(self.offsets.get(topic, 0) <= offset for topic, offset in committed.items())


class CheckpointStore:
    """The checkpoints of an application in a directory, or at any URL that `fsspec` knows.

    Each is a folder of Parquet files under `<url>/<app>/<partition>/`; its manifest, with the checksums of
    the others and of itself, is put in place last and at once: a checkpoint without one was never written.
    Nothing but such folders is ever removed. `files` replaces the file system of the URL.
    """

    def __init__(self, url: str, app: str, files: Any = None) -> None:
        try:
            found, root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError, OSError) as error:
            msg = masked(f"{url}: no place for checkpoints: {error}")
            raise StateError(msg) from error
        self._files = found if files is None else files
        self._root = f"{root.rstrip('/')}/{app}"
        self.place = masked(url)
        """The URL as it may be shown."""

    def save(self, partition: int, tables: Tables, content: CheckpointManifest) -> Checkpoint:
        """Write a checkpoint.

        Raises `StateError` where it cannot be written; the ones before it are then as they were.
        """
        path = ""
        try:
            newest = max((_sequence(folder) for folder in self._folders(partition)), default=0)
            # The suffix keeps two workers apart that both believe the partition to be theirs.
            path = f"{self._place(partition)}/{newest + 1:010d}-{uuid.uuid4().hex[:8]}"
            self._files.makedirs(path, exist_ok=True)
            written = {name: self._write(f"{path}/{name}.parquet", frame) for name, frame in tables.items()}
            files = {name: digest for name, (digest, _) in written.items()}
            names = {"sequence": newest + 1, "folder": _folder(path), "files": files}
            manifest = {**names, **asdict(content)}
            self._put(f"{path}/{MANIFEST}", _with_checksum(manifest))
        except Exception as error:  # each of fsspec's file systems has errors of its own
            self._remove(path)
            msg = f"{self._place(partition)}: a checkpoint cannot be written: {_reason(error)}"
            raise StateError(msg) from error
        return Checkpoint(path, newest + 1, content, files, size=sum(size for _, size in written.values()))

    def whole(self, partition: int) -> list[Checkpoint]:
        """Return the partition's checkpoints that have a manifest, oldest first."""
        try:
            folders = self._folders(partition)
        except Exception as error:  # as in `save`
            msg = f"{self._place(partition)}: the checkpoints cannot be read: {_reason(error)}"
            raise StateError(msg) from error
        found = [checkpoint for path in folders if (checkpoint := self._manifest(path)) is not None]
        return sorted(found, key=lambda c: (c.sequence, c.path))

    def load(self, partition: int, committed: Mapping[str, int]) -> tuple[Checkpoint, Tables] | None:
        """Return the checkpoint that the committed offsets name, else the newest whole one before them.

        `committed` has every topic that is read, with 0 for one of which nothing was committed. A checkpoint
        beyond does not count: its worker lost the partition before it could commit. `None` if there is none.
        """
        newest_first = list(reversed(self.whole(partition)))
        named = [c for c in newest_first if c.stands_for(committed)]
        return self._first(named + [c for c in newest_first if c.within(committed) and c not in named])

    def newest(self, partition: int) -> tuple[Checkpoint, Tables] | None:
        """Return the newest whole checkpoint, committed or not: to look at, not to go on from."""
        return self._first(list(reversed(self.whole(partition))))

    def _first(self, checkpoints: list[Checkpoint]) -> tuple[Checkpoint, Tables] | None:
        """Return the first that can be read."""
        for checkpoint in checkpoints:
            try:
                return checkpoint, self._read(checkpoint)
            except StateError as error:
                log.warning("%s; the one before it is used", error)
        return None

    def written_at(self, checkpoint: Checkpoint) -> datetime | None:
        """Return when a checkpoint was written; `None` where the file system does not say."""
        try:
            at: datetime = self._files.modified(f"{checkpoint.path}/{MANIFEST}")
        except Exception:  # as in `save`
            return None
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)

    def partitions(self) -> list[int]:
        """Return the partitions that have any."""
        try:
            entries = self._files.ls(self._root, detail=False)
        except FileNotFoundError:
            return []
        except Exception as error:  # as in `save`
            msg = f"{self.place}: the checkpoints cannot be read: {_reason(error)}"
            raise StateError(msg) from error
        names = (str(entry).rstrip("/").rpartition("/")[2] for entry in entries)
        return sorted(int(name) for name in names if _PARTITION.fullmatch(name))

    def mark_committed(self, checkpoint: Checkpoint) -> None:
        """Record that the group has committed a checkpoint's offsets, should the group forget them."""
        try:
            self._files.pipe_file(f"{checkpoint.path}/{COMMITTED}", b"")
        except Exception as error:  # the group knows it too, and the next checkpoint is marked again
            log.warning(
                "checkpoint %(checkpoint)s cannot be marked as committed: %(error)s",
                {"checkpoint": checkpoint.path, "error": _reason(error)},
            )

    def discard(self, checkpoint: Checkpoint) -> None:
        """Remove a checkpoint that was never committed and never will be."""
        self._remove(checkpoint.path)

    def prune(self, partition: int, committed: Checkpoint, keep: int = KEPT) -> bool:
        """Remove what lies before `committed`, but for the newest `keep` whole ones, itself among them.

        What comes after it in sequence may be another worker's, being written now. Return whether all that
        was to be removed is gone.
        """
        try:
            older = [c.path for c in self.whole(partition) if c.sequence < committed.sequence]
            kept = older[-(keep - 1) :] if keep > 1 else []
            for path in self._outdated(partition, committed, kept):
                self._remove(path)
            return not self._outdated(partition, committed, kept)
        except Exception as error:  # what is not removed now will be removed after the next one
            log.warning(
                "old checkpoints of partition %(partition)d cannot be removed: %(error)s",
                {"partition": partition, "error": _reason(error)},
            )
            return False

    def _outdated(self, partition: int, committed: Checkpoint, kept: Collection[str]) -> list[str]:
        """Return the folders before `committed` that are not kept."""
        folders = self._folders(partition)
        return [path for path in folders if _sequence(path) < committed.sequence and path not in kept]

    def leftovers(self, partition: int) -> list[str]:
        """Return the folders of a partition without a manifest: what was begun and not finished."""
        return [path for path in self._folders(partition) if self._manifest(path) is None]

    def _manifest(self, path: str) -> Checkpoint | None:
        try:
            manifest = _checked(self._files.cat_file(f"{path}/{MANIFEST}"))
            if (folder := manifest.get("folder", _folder(path))) != _folder(path):
                msg = f"it belongs to {folder}"
                raise StateError(msg)
            content = CheckpointManifest(
                topics={topic: _position(position) for topic, position in manifest["topics"].items()},
                warnings=_of_kind(manifest["warnings"], dict[int, int]),
                rule_set=_of_kind(manifest["rule_set"], str),
                rules=_rules(manifest.get("rules")),
                rejected=_of_kind(manifest.get("rejected", {}), dict[int, int]),
                partitions=_of_kind(manifest.get("partitions"), int | None),
                topic_ids=_of_kind(manifest.get("topic_ids", {}), dict[str, str]),
                inputs=_of_kind(manifest.get("inputs"), CheckpointedInputs | None),
            )
            committed = self._files.exists(f"{path}/{COMMITTED}")
            sequence, files = _of_kind(manifest["sequence"], int), _of_kind(manifest["files"], dict[str, str])
            return Checkpoint(path, sequence, content, files, committed)
        except FileNotFoundError:
            return None
        except Exception as error:  # damaged in whatever way, or not to be had
            log.warning(
                "checkpoint %(checkpoint)s has an unreadable manifest: %(error)s",
                {"checkpoint": path, "error": _reason(error)},
            )
            return None

    def _read(self, checkpoint: Checkpoint) -> Tables:
        return {name: self.table(checkpoint, name) for name in checkpoint.files}

    def table(self, checkpoint: Checkpoint, name: str) -> pl.DataFrame:
        """Return one table of a checkpoint; raise `StateError` where its file is damaged."""
        path = f"{checkpoint.path}/{name}.parquet"
        try:
            data = self._files.cat_file(path)
        except Exception as error:  # as in `save`
            msg = f"{path}: a file of the checkpoint cannot be read: {_reason(error)}"
            raise StateError(msg) from error
        if hashlib.sha256(data).hexdigest() != checkpoint.files[name]:
            msg = f"{path}: a file of the checkpoint is damaged: its checksum does not fit"
            raise StateError(msg)
        return pl.read_parquet(io.BytesIO(data))

    def _write(self, path: str, frame: pl.DataFrame) -> tuple[str, int]:
        """Write a table; return its SHA-256 and its size."""
        buffer = io.BytesIO()
        # Most of the state is zeros; LZ4 takes them away at little cost and every reader knows it.
        frame.write_parquet(buffer, compression="lz4", statistics=False)
        data = buffer.getvalue()
        self._files.pipe_file(path, data)
        return hashlib.sha256(data).hexdigest(), len(data)

    def _put(self, path: str, data: bytes) -> None:
        """Put a small file in place at once: object stores do so by nature, file systems by a rename."""
        part = f"{path}.part"
        self._files.pipe_file(part, data)
        self._files.mv(part, path)

    def _folders(self, partition: int) -> list[str]:
        place = self._place(partition)
        self._files.invalidate_cache(place)
        try:
            entries: list[dict[str, Any]] = self._files.ls(place, detail=True)
        except FileNotFoundError:
            return []
        names = sorted(entry["name"].rstrip("/") for entry in entries if entry["type"] == "directory")
        return [name for name in names if _sequence(name)]

    def _remove(self, path: str) -> None:
        """Remove a checkpoint's folder, unless somebody else has put something there."""
        try:
            if not path:
                return
            names = [str(name).rstrip("/").rpartition("/")[2] for name in self._files.ls(path, detail=False)]
            others = sorted(name for name in names if not _FILE.fullmatch(name))
            if others:
                log.warning(
                    "checkpoint %(checkpoint)s is not removed: it holds %(other)s too",
                    {"checkpoint": path, "other": others[0]},
                )
            else:
                self._files.rm(path, recursive=True)
        except FileNotFoundError:
            pass
        except Exception as error:  # as in `prune`
            log.warning(
                "checkpoint %(checkpoint)s cannot be removed: %(error)s",
                {"checkpoint": path, "error": _reason(error)},
            )

    def _place(self, partition: int) -> str:
        return f"{self._root}/{partition:05d}"


def _with_checksum(manifest: Mapping[str, Any]) -> bytes:
    """Return a manifest as it is written, with the checksum of all else that it says."""
    checksum = hashlib.sha256(_json(manifest)).hexdigest()
    return _json({**manifest, "checksum": checksum})


def _checked(data: bytes) -> dict[str, Any]:
    """Return a manifest; raise `StateError` unless every byte is as it was written."""
    manifest: dict[str, Any] = json.loads(data)
    if manifest.keys() - {"rules"} == MANIFEST_FIELDS - {"rules"}:
        return manifest
    stated = {name: value for name, value in manifest.items() if name != "checksum"}
    # Compared as bytes, which also finds what changes no value, such as another way to write a number.
    if data != _with_checksum(stated):
        msg = "its checksum does not fit"
        raise StateError(msg)
    return manifest


def _folder(path: str) -> str:
    """Return the last two folders, the partition's and the checkpoint's: a copy elsewhere is not its own."""
    return "/".join(path.rstrip("/").rsplit("/", 2)[-2:])


def _json(manifest: Mapping[str, Any]) -> bytes:
    return json.dumps(manifest, sort_keys=True).encode()


def _sequence(path: str) -> int:
    """Return the number that a checkpoint's folder begins with; 0 if it is no such folder."""
    found = _FOLDER.fullmatch(path.rpartition("/")[2])
    return int(found[1]) if found else 0


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).replace("\n", " ")


def _of_kind(value: object, kind: Any) -> Any:
    """Return a value, or raise where it is of another kind: the first format had no checksum."""
    return msgspec.convert(value, kind, str_keys=True)


def _position(given: dict[str, Any]) -> TopicPosition:
    position = TopicPosition(**given)
    _of_kind([position.offset, position.reached], tuple[int, int | None])
    return position


def _rules(kept: dict[str, Any] | None) -> CheckpointedRules | None:
    return CheckpointedRules(**kept | {"before": tuple(kept["before"])}) if kept is not None else None
