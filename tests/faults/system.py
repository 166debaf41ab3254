"""The system that is put to the test: a broker's topics, two places for workers, and a sink."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from consumers.broker.client import Admin, Cluster, Producer, Subscription
from consumers.broker.records import Record
from consumers.loop import Retryable
from streams.core.events.topics import Topic
from streams.errors import BrokerError
from tests.faults import history
from tests.faults.foreign import INPUTS, MAPPED
from tests.faults.hosts import Host
from tests.faults.processes import Process
from tests.faults.schedule import SESSION_S, WORKERS

PARTITIONS: Final = 3
RULES: Final = Path(__file__).with_name("rules.yaml")
FLUSH_AFTER: Final = "10m"
"""Longer than any run: what is held back to be put in order is released by later events alone."""
FLUSH_S: Final = 60.0


class System:
    """All that one seed needs, in a folder of its own and on topics of its own."""

    def __init__(
        self, host: Host, folder: Path, app: str, settings: Mapping[str, str], *, mapped: bool = False
    ) -> None:
        self.host = host
        self.folder = folder
        self.app = app
        self.warnings_topic = f"{app}-warnings"
        self.outcomes_topic = f"{app}-outcomes"
        self.rejected_topic = f"{app}.rejected"
        self.database = folder / "lapwing.db"
        self.checkpoints = folder / "checkpoints"
        self.config = folder / "lapwing.toml"
        self._cluster = Cluster(host.address)
        self._topics = {topic: f"{app}-{topic.label}" for topic in Topic}
        self._own_topic = f"{app}-shop" if mapped else None
        self._inputs = folder / "inputs.yaml"
        if mapped:
            self.write_inputs("first")
        self._configure(settings)
        self._make_topics()
        config = ["--config", str(self.config)]
        self.workers = {
            name: Process(
                f"worker-{name}",
                ["worker", *config, "--stats", str(self.stats(name)), "--flush-after", FLUSH_AFTER],
                folder,
            )
            for name in WORKERS
        }
        self.sink = Process("sink", ["sink", *config], folder)

    @property
    def processes(self) -> list[Process]:
        """All of them."""
        return [*self.workers.values(), self.sink]

    def stats(self, name: str) -> Path:
        """Return the file that a worker appends its statistics to."""
        return self.folder / f"worker-{name}.stats.jsonl"

    def last_stats(self, name: str) -> dict[str, Any]:
        """Return the newest line of a worker's statistics."""
        file = self.stats(name)
        lines = file.read_text().splitlines() if file.exists() else []
        return json.loads(lines[-1]) if lines else {}

    def newest_checkpoints(self) -> list[list[Path]]:
        """Return, for each partition, the folders of its checkpoints, the newest first."""
        places = sorted((self.checkpoints / self.app).glob("*"))
        return [sorted((path for path in place.iterdir() if path.is_dir()), reverse=True) for place in places]

    def send(self, producer: Producer, records: Sequence[history.Record]) -> None:
        """Send `records` and wait for the broker; what it did not confirm is sent again."""
        while True:
            try:
                for record in records:
                    own = self._own_topic if record.mapped else None
                    producer.send(own or self._topics[record.topic], record.key, record.value)
                producer.flush(FLUSH_S)
            except BrokerError as error:
                if not isinstance(error, Retryable):
                    raise
            else:
                return

    def write_inputs(self, remark: str) -> None:
        """Say how the shop's own records become events: another content each time, of the same meaning."""
        assert self._own_topic is not None
        # A source whose entry is the same is not read again, so it differs by more than the remark.
        text = INPUTS.format(topic=self._own_topic, remark=remark)
        if len(remark) % 2:
            text = text.replace("occurred_at: {path: at_ms", "occurred_at: {trim: true, path: at_ms")
        part = self._inputs.with_suffix(".part")
        part.write_text(text)
        part.replace(self._inputs)

    @contextmanager
    def producer(self) -> Iterator[Producer]:
        """Yield a producer."""
        producer = Producer(self._cluster)
        try:
            yield producer
        finally:
            producer.close()

    @contextmanager
    def reader(self, topic: str) -> Iterator[Subscription]:
        """Yield a reader of all that `topic` holds."""
        subscription = Subscription(self._cluster, topic, group=None)
        try:
            yield subscription
        finally:
            subscription.close()

    def read(self, topic: str) -> list[Record]:
        """Return all that `topic` holds."""
        found: list[Record] = []
        with self.reader(topic) as reader:
            while (records := reader.poll(1.0)) or not reader.at_end():
                found += records
        return found

    def _configure(self, settings: Mapping[str, str]) -> None:
        rules = self.folder / "rules.yaml"
        shutil.copyfile(RULES, rules)
        values = {topic.label: name for topic, name in self._topics.items()} | {
            "broker": self.host.address,
            "app": self.app,
            "warnings_topic": self.warnings_topic,
            "outcomes_topic": self.outcomes_topic,
            "control_topic": f"{self.app}-control",
            "audit_topic": f"{self.app}-audit",
            "rules": str(rules),
            "checkpoints": str(self.checkpoints),
            "checkpoint_every": "1s",
            "session_timeout": f"{SESSION_S:.0f}s",
            "reorder": f"{history.REORDER_DAYS}d",
            "database": f"sqlite:///{self.database}",
            "horizon": "14d",
            "decide_every": "7d",
            "min_positives": 8,
            **settings,
        }
        self.config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))

    def _make_topics(self) -> None:
        admin = Admin(self._cluster)
        try:
            left = [topic for topic in history.TOPICS if self._own_topic is None or topic not in MAPPED]
            inputs = [self._topics[topic] for topic in left]
            inputs += [self._own_topic] if self._own_topic is not None else []
            outputs = [self.warnings_topic, self.outcomes_topic, self.rejected_topic]
            for name in [*inputs, *outputs, f"{self.app}-control", f"{self.app}-audit"]:
                admin.create(name, PARTITIONS, 1, {})
        finally:
            admin.close()
