"""Broker, worker, sink and desk as processes, with a simulated shop's events."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

from lapwing.demo.broker import SESSION_TIMEOUT_S
from lapwing.settings.values import PREFIX
from streams.core.events.topics import Topic

WITHIN_S: Final = 60.0
LAPWING: Final = (sys.executable, "-m", "lapwing")

RULES: Final = """\
version: 1
rules:
  - id: no-order
    title: No order for three weeks
    when: days_since_order >= 21
    tier: high
    reason: silence
    owner: east
    play: care-call
    message: "no order for {days_since_order} days"
  - id: fewer-orders
    title: Fewer orders than before
    when: orders_prev_30d >= 2 AND orders_30d < orders_prev_30d
    tier: medium
    reason: activity_decline
    play: reminder
    message: "{orders_30d} orders in 30 days, {orders_prev_30d} in the 30 before"
  - id: complaint
    title: A complaint is open
    status: shadow
    when: open_complaints >= 1
    tier: low
    reason: complaints
    message: "{open_complaints} complaints are open"
"""
PLAYS: Final = """\
version: 1
plays:
  - id: care-call
    title: A call that asks how things are
    cost: {labour_minutes: 20}
    success: {chance: 0.15, source: prior}
  - id: reminder
    title: A reminder by mail
    cost: {communication: 0.2}
    success: {chance: 0.03, source: prior}
"""


def lines_of(values: dict[str, object]) -> str:
    """Return settings as TOML; the values are texts or numbers."""
    return "".join(f"{name} = {str(value)!r}\n" for name, value in values.items())


@dataclass
class Stack:
    """A folder with settings, and the processes that were started with it."""

    FIRST: ClassVar[tuple[str, ...]] = ("worker", "sink")
    """What runs from the beginning."""

    folder: Path
    broker: str
    settings: dict[str, object]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.folder / "lapwing.toml"

    @property
    def rules(self) -> Path:
        return self.folder / "rules"

    def topic(self, topic: Topic) -> str:
        return str(self.settings[topic.label])

    def write(self, **changes: object) -> None:
        """Write the settings; processes that are started later have them."""
        self.settings |= changes
        self.config.write_text(lines_of(self.settings))

    def run(self, *words: str) -> str:
        """Run a command to its end and return what it prints."""
        done = subprocess.run(
            [*LAPWING, *words, "--config", str(self.config)],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, name: str, *words: str) -> None:
        """Start a command that runs on; its output goes into a file."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*LAPWING, name, "--config", str(self.config), *words],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        return {**kept, "PYTHONUNBUFFERED": "1"}

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def wait(self, reached: Callable[[], object], what: str, within_s: float = WITHIN_S) -> None:
        """Wait until something is so; fail where a process ends before."""
        deadline = time.monotonic() + within_s
        while not reached():
            for name, process in self.processes.items():
                assert process.poll() is None, f"{name} has ended: {self.log(name)[-2_000:]}"
            assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {what}"
            time.sleep(0.1)

    def serve(self, name: str = "desk", *words: str) -> str:
        """Start a desk and return its address, without the slash at its end."""
        self.start(name, *words)
        before = len(self.log(name))
        address = re.compile(r"the desk is at (\S+)/")
        self.wait(lambda: address.search(self.log(name)[before:]), "the desk says where it is")
        found = address.search(self.log(name)[before:])
        assert found is not None
        return found.group(1)

    def stop(self, name: str, number: int = signal.SIGTERM) -> int:
        """End a process and return its exit code."""
        process = self.processes.pop(name)
        process.send_signal(number)
        return process.wait(30)

    def stored(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Return what the database answers."""
        path = self.folder / "lapwing.db"
        if not path.exists():
            return []
        with closing(sqlite3.connect(path, timeout=10)) as database:
            try:
                return database.execute(query, values).fetchall()
            except sqlite3.OperationalError:  # the tables are not there yet
                return []


@contextmanager
def running_stack(folder: Path, broker: str, make: type[Stack] = Stack, **changes: object) -> Iterator[Stack]:
    """Yield a stack with topics of its own, a worker and a sink; `changes` are settings."""
    app = f"desk-{uuid.uuid4().hex[:8]}"
    rules = folder / "rules"
    rules.mkdir()
    (rules / "rules.yaml").write_text(RULES)
    (rules / "plays.yaml").write_text(PLAYS)
    own = ("warnings", "segment-warnings", "control", "audit", "silences", "outcomes", "census")
    names: dict[str, object] = {f"{name.replace('-', '_')}_topic": f"{app}.{name}" for name in own}
    stack = make(
        folder,
        broker,
        {
            "broker": broker,
            "app": app,
            "database": f"sqlite:///{folder / 'lapwing.db'}",
            "rules": str(rules),
            "checkpoints": str(folder / "checkpoints"),
            "checkpoint_every": "2s",
            "session_timeout": f"{SESSION_TIMEOUT_S:.0f}s",
            "horizon": "30d",
            "min_positives": "5",
            "labour_rate": "0.05",
            "currency": "EUR",
            "desk_listen": "127.0.0.1:0",
            "holdout_share": "0.2",
            **{topic.label: f"{app}.{topic.label}" for topic in Topic},
            **names,
            **changes,
        },
    )
    stack.write()
    try:
        stack.run("topics", "--partitions", "2")
        for name in stack.FIRST:
            stack.start(name, *(("--flush-after", "500ms") if name == "worker" else ()))
        yield stack
    finally:
        for name in list(stack.processes):
            stack.stop(name)
