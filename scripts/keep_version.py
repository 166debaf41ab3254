"""Keep what a version of Lapwing writes, so that tests can show that later ones go on from it.

python -m scripts.keep_version COMMIT    (writes tests/upgrades/versions/rNUMBER-COMMIT/)

The commit's own code, in a worktree and an environment of its own, makes a shop's events, takes three
quarters of them in as worker and sink on an embedded broker, and has a warning acknowledged and a
silence added. The sink stops earlier than the worker. Kept are the rules, every record of every topic,
the offsets of the consumer groups, the newest checkpoint of each partition, the database and the events
that are still to come.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import io
import json
import lzma
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import aiokafka  # type: ignore[import-untyped]  # ships no types
from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped]  # the same

from consumers.broker.client import Admin, Cluster
from lapwing.demo.broker import EmbeddedBroker

ROOT: Final = Path(__file__).parents[1]
VERSIONS: Final = ROOT / "tests" / "upgrades" / "versions"
APP: Final = "lapwing"
PARTITIONS: Final = 2
TOPICS: Final = {"order": "orders", "login": "logins", "complaint": "complaints", "profile": "profiles"}
SHOP: Final = ("--customers", "40", "--days", "330", "--seed", "7")
WITHIN_S: Final = 90.0
RULES: Final = """\
version: 1
rules:
  - id: no-order
    title: No order for six weeks
    when: days_since_order >= 42
    for: 2d
    keep_open_for: 1d
    cooldown: 7d
    tier: high
    reason: silence
    play: care-call
    message: "no order for {days_since_order} days"
  - id: fewer-orders
    title: Fewer orders than before
    when: orders_prev_30d >= 2 AND orders_30d < orders_prev_30d
    tier: medium
    reason: activity_decline
    message: "{orders_30d} orders in 30 days, {orders_prev_30d} in the 30 before"
  - id: likely
    title: The model expects a loss
    when: churn_probability >= 0.5
    tier: low
    reason: model
    message: "Probability of leaving {churn_probability:.0%}"
segments:
  - id: complaints
    title: A region complains
    by: region
    when: complaints_7d >= 2
    tier: low
    reason: complaints
    message: "{complaints_7d} complaints in a week"
"""
PLAYS: Final = """\
version: 1
plays:
  - id: care-call
    title: A call that asks how things are
    cost: {labour_minutes: 20}
    success: {chance: 0.15, source: prior}
"""


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a topic."""

    topic: str
    key: bytes | None
    value: bytes | None
    timestamp: int
    partition: int | None = None
    offset: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()

    def as_json(self) -> str:
        """Return the record as a line."""
        named = asdict(self) | {"key": _text(self.key), "value": _text(self.value)}
        return json.dumps(named | {"headers": [[name, _text(value)] for name, value in self.headers]})

    @classmethod
    def parse(cls, line: str) -> Record:
        """Return the record of a line."""
        named = json.loads(line)
        headers = tuple((name, _bytes(value) or b"") for name, value in named.pop("headers"))
        return cls(
            **named | {"key": _bytes(named["key"]), "value": _bytes(named["value"]), "headers": headers}
        )


def _text(value: bytes | None) -> str | dict[str, str] | None:
    """Return bytes as JSON: text where they are UTF-8."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def _bytes(value: str | dict[str, str] | None) -> bytes | None:
    if value is None:
        return None
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a version."""

    folder: Path

    @property
    def about(self) -> dict[str, Any]:
        """The commit, the settings, the partitions of the topics, the offsets of the groups."""
        about: dict[str, Any] = json.loads((self.folder / "version.json").read_text(encoding="utf-8"))
        return about

    def records(self, name: str) -> list[Record]:
        """Return the records of a file: `topics`, as they were, or `after`, which are still to be sent."""
        with lzma.open(self.folder / f"{name}.jsonl.xz", "rt", encoding="utf-8") as file:
            return [Record.parse(line) for line in file]

    def unpack_checkpoints(self, place: Path) -> None:
        """Put the checkpoints into a folder."""
        with tarfile.open(self.folder / "checkpoints.tar.xz") as archive:
            archive.extractall(place, filter="data")

    def restore_database(self, path: Path) -> None:
        """Make the database anew."""
        script = lzma.decompress((self.folder / "database.sql.xz").read_bytes()).decode()
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript(script)


def settings(folder: Path, broker: str) -> dict[str, object]:
    """Return the settings of the installation whose state is kept, and of the one that goes on."""
    return {
        "broker": broker,
        "app": APP,
        "rules": str(folder / "rules"),
        "checkpoints": str(folder / "checkpoints"),
        "checkpoint_every": "2s",
        "session_timeout": "6s",
        "database": f"sqlite:///{folder / 'lapwing.db'}",
        "horizon": "60d",
        "min_positives": "5",
        "labour_rate": "0.05",
        "currency": "EUR",
        "holdout_share": "0.2",
        "score_step": "0.05",
    }


def write_settings(folder: Path, broker: str) -> None:
    """Write `lapwing.toml`."""
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in settings(folder, broker).items()]
    (folder / "lapwing.toml").write_text("".join(lines), encoding="utf-8")


def send(broker: str, records: Sequence[Record]) -> list[int]:
    """Write records in their order and return their offsets."""

    async def write() -> list[int]:
        async with aiokafka.AIOKafkaProducer(bootstrap_servers=broker, linger_ms=5) as producer:
            acks = [
                await producer.send(
                    each.topic,
                    each.value,
                    each.key,
                    each.partition,
                    timestamp_ms=each.timestamp,
                    headers=[*each.headers] or None,
                )
                for each in records
            ]
            return [ack.offset for ack in await asyncio.gather(*acks)]

    return asyncio.run(write())


def read_topics(broker: str) -> tuple[dict[str, int], list[Record]]:
    """Return how many partitions each topic has, and all records, by topic, partition and offset."""

    async def read() -> tuple[dict[str, int], list[Record]]:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker)
        await admin.start()
        described = await admin.describe_topics()
        await admin.close()
        counts = {each["topic"]: len(each["partitions"]) for each in described if not each["is_internal"]}
        found = []
        async with aiokafka.AIOKafkaConsumer(bootstrap_servers=broker) as consumer:
            for topic, count in sorted(counts.items()):
                for number in range(count):
                    partition = aiokafka.TopicPartition(topic, number)
                    consumer.assign([partition])
                    await consumer.seek_to_beginning(partition)
                    end = (await consumer.end_offsets([partition]))[partition]
                    while await consumer.position(partition) < end:
                        for each in (await consumer.getmany(timeout_ms=500)).get(partition, []):
                            headers = tuple((name, bytes(value)) for name, value in each.headers)
                            found.append(
                                Record(
                                    topic, each.key, each.value, each.timestamp, number, each.offset, headers
                                )
                            )
            return counts, found

    return asyncio.run(read())


def committed(broker: str, group: str) -> dict[str, dict[str, int]]:
    """Return the group's offsets by topic and partition."""
    admin = Admin(Cluster(broker))
    try:
        offsets = admin.committed(group)
    finally:
        admin.close()
    found: dict[str, dict[str, int]] = {}
    for (topic, partition), offset in sorted(offsets.items()):
        found.setdefault(topic, {})[str(partition)] = offset
    return found


def commit(broker: str, group: str, offsets: dict[str, dict[str, int]]) -> None:
    """Commit offsets of a group that nobody is in."""

    async def write() -> None:
        consumer = aiokafka.AIOKafkaConsumer(
            bootstrap_servers=broker, group_id=group, enable_auto_commit=False
        )
        async with consumer:
            places = {
                aiokafka.TopicPartition(topic, int(number)): offset
                for topic, each in offsets.items()
                for number, offset in each.items()
            }
            consumer.assign([*places])
            await consumer.commit(places)

    if offsets:
        asyncio.run(write())


def wait_until(reached: Callable[[], bool], what: str, within_s: float = WITHIN_S) -> None:
    """Wait for something, with an error that names it."""
    deadline = time.monotonic() + within_s
    while not reached():
        if time.monotonic() > deadline:
            msg = f"not within {within_s:.0f} s: {what}"
            raise TimeoutError(msg)
        time.sleep(0.3)


def has_taken(broker: str, group: str, records: Iterable[Record]) -> bool:
    """Return whether the group has committed what lies behind all of these records."""
    at = committed(broker, group)
    return all(at.get(each.topic, {}).get(str(each.partition), 0) > each.offset for each in records)


class Installation:
    """The processes of one version, in a folder."""

    def __init__(self, folder: Path, broker: str, python: Path) -> None:
        self.folder = folder
        self._command = [str(python), "-m", "lapwing"]
        write_settings(folder, broker)

    def run(self, *words: str) -> str:
        """Run a command to its end and return what it prints."""
        done = subprocess.run(
            [*self._command, *words, "--config", "lapwing.toml"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            msg = f"lapwing {' '.join(words)} ended with {done.returncode}: {done.stderr[-3_000:]}"
            raise RuntimeError(msg)
        return done.stdout

    @contextlib.contextmanager
    def running(self, *words: str) -> Iterator[None]:
        """Run a process while the block lasts, then end it as an operator does."""
        with (self.folder / f"{words[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                [*self._command, *words, "--config", "lapwing.toml"],
                cwd=self.folder,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            try:
                yield
            finally:
                process.send_signal(signal.SIGTERM)
                code = process.wait(60)
        if code != 0:
            msg = f"lapwing {words[0]} ended with {code}: {self.log(words[0])[-3_000:]}"
            raise RuntimeError(msg)

    def log(self, name: str) -> str:
        """Return what a process has logged."""
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def open_warnings(self) -> list[dict[str, Any]]:
        """Return the open warnings of the database."""
        found: list[dict[str, Any]] = json.loads(self.run("warnings", "list", "--json"))["warnings"]
        return found


def shop_records(path: Path) -> list[Record]:
    """Return the events of a file as records for their topics."""
    found = []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            topic = TOPICS[event.pop("type")]
            stamp = int(datetime.fromisoformat(event["occurred_at"]).timestamp()) + 1
            found.append(
                Record(topic, event["customer_id"].encode(), json.dumps(event).encode(), stamp * 1000)
            )
    return found


def placed(broker: str, records: Sequence[Record]) -> list[Record]:
    """Send records by their keys and return them with where they lie."""
    send(broker, records)
    _, found = read_topics(broker)
    return [each for each in found if each.topic in TOPICS.values()]


def keep(python: Path, folder: Path, to: Path, about: dict[str, Any]) -> None:
    """Let a version work in `folder`, and keep what it wrote in `to`."""
    rules = folder / "rules"
    rules.mkdir()
    (rules / "rules.yaml").write_text(RULES, encoding="utf-8")
    (rules / "plays.yaml").write_text(PLAYS, encoding="utf-8")
    with EmbeddedBroker() as broker:
        old = Installation(folder, broker.address, python)
        old.run("simulate", *SHOP, "--out", "events.jsonl.gz")
        events = shop_records(folder / "events.jsonl.gz")
        half, most = len(events) // 2, len(events) * 3 // 4
        old.run("topics", "--partitions", str(PARTITIONS))
        with old.running("worker", "--flush-after", "500ms"):
            sent = placed(broker.address, events[:half])
            wait_until(lambda: has_taken(broker.address, APP, sent), "the worker takes the first half")
            old.run("sink", "--no-follow")
            opened = old.open_warnings()
            old.run("act", opened[0]["warning_id"], "acknowledge", "--by", "ann", "--for", "90d")
            old.run(
                "silence", "add", "--rule", "fewer-orders", "--for", "3650d", "--by", "ann", "--reason", "x"
            )
            old.run("sink", "--no-follow")
            sent = placed(broker.address, events[half:most])
            wait_until(lambda: has_taken(broker.address, APP, sent), "the worker takes the next quarter")
        groups = {group: committed(broker.address, group) for group in (APP, f"{APP}-sink")}
        counts, found = read_topics(broker.address)
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    shutil.copytree(rules, to / "rules")
    write_lines(to / "topics.jsonl.xz", (each.as_json() for each in found))
    write_lines(to / "after.jsonl.xz", (each.as_json() for each in events[most:]))
    pack_newest(folder / "checkpoints", to / "checkpoints.tar.xz")
    with contextlib.closing(sqlite3.connect(folder / "lapwing.db")) as database:
        write_lines(to / "database.sql.xz", database.iterdump())
    about |= {"topics": counts, "groups": groups, "acknowledged": opened[0]["warning_id"]}
    (to / "version.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines so that the same lines are the same file."""
    text = "".join(f"{line}\n" for line in lines)
    path.write_bytes(lzma.compress(text.encode()))


def pack_newest(checkpoints: Path, to: Path) -> None:
    """Pack the newest checkpoint of each partition."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for partition in sorted(path for path in (checkpoints / APP).iterdir() if path.is_dir()):
            newest = max(path for path in partition.iterdir() if (path / "committed").exists())
            for file in sorted(newest.iterdir()):
                info = archive.gettarinfo(file, str(file.relative_to(checkpoints)))
                plain = replace_owner(info)
                with file.open("rb") as content:
                    archive.addfile(plain, content)
    to.write_bytes(lzma.compress(packed.getvalue()))


def replace_owner(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return the entry without what is this machine's."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = 0
    return info


def git(*words: str) -> str:
    """Run git in the repository."""
    return subprocess.run(
        ["git", *words], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def main(commit: str) -> None:
    """Keep the version of a commit."""
    name = f"r{int(git('rev-list', '--count', commit)):04d}-{git('rev-parse', '--short=7', commit)}"
    with tempfile.TemporaryDirectory(prefix="lapwing-version-") as folder:
        tree, work = Path(folder, "tree"), Path(folder, "work")
        work.mkdir()
        git("worktree", "add", "--quiet", "--detach", str(tree), commit)
        try:
            subprocess.run(["sh", "scripts/environment.sh", sys.executable, ".venv"], cwd=tree, check=True)
            about = {"commit": git("rev-parse", commit), "date": git("log", "-1", "--format=%cs", commit)}
            keep(tree / ".venv" / "bin" / "python", work, VERSIONS / name, about)
        finally:
            git("worktree", "remove", "--force", str(tree))
    print(f"kept {VERSIONS / name}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
