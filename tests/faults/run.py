"""One seed: a history is sent while faults happen, and what came out is judged."""

from __future__ import annotations

import heapq
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from consumers.broker.records import Record
from tests.faults.foreign import in_own_form
from tests.faults.history import CHUNK_DAYS, History, Size, history_of
from tests.faults.history import Record as SentRecord
from tests.faults.hosts import Host
from tests.faults.inject import Faults
from tests.faults.schedule import FAULTS, Fault, Kind, schedule_of, starts_with_two
from tests.faults.system import PARTITIONS, System
from tests.faults.verdict import (
    Due,
    database_against_topic,
    firsts,
    outcomes_against_topic,
    rejected_against_garbage,
    topic_against_replay,
)

DAYS_A_SECOND: Final = 2.0
"""How fast the live part is played: what a fetch may be behind another is far less than `reorder`."""
TICK_S: Final = 0.05
UP_S: Final = 60.0
COMPLETE_S: Final = 90.0
"""How long the warnings that are due are waited for, without any progress."""
REPLAY_S: Final = 120.0


@dataclass(slots=True)
class Outcome:
    """What came of a seed."""

    seed: int
    schedule: Sequence[Fault]
    differences: list[str] = field(default_factory=list)
    events: int = 0
    steps: int = 0
    doubles: int = 0
    """Records of the warnings topic whose id had been there before."""
    ended: list[str] = field(default_factory=list)
    """The ends of processes that nobody asked for."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a seed is played with."""

    size: Size = field(default_factory=Size)
    kinds: frozenset[Kind] = frozenset(Kind)
    faults: tuple[int, int] = FAULTS
    settings: Mapping[str, str] = field(default_factory=dict)
    """What is set beside what every seed has."""
    mapped: bool | None = None
    """Whether orders and logins are sent in the shop's own form; by default those of every third seed."""

    def is_mapped(self, seed: int) -> bool:
        """Return whether a seed's are."""
        return seed % 3 == 0 if self.mapped is None else self.mapped


class Run:
    """Plays one seed on a broker, in a folder of its own."""

    def __init__(self, seed: int, host: Host, folder: Path, plan: Plan) -> None:
        mapped = plan.is_mapped(seed)
        self._history = history_of(seed, plan.size, PARTITIONS)
        if mapped:
            self._history = in_own_form(self._history)
        live_s = plan.size.live_days / DAYS_A_SECOND
        kinds = plan.kinds & (set(host.kinds()) - (set() if mapped else {Kind.REMAP}))
        self.outcome = Outcome(seed, schedule_of(seed, live_s, kinds, plan.faults))
        self._two = starts_with_two(seed)
        folder.mkdir(parents=True)
        (folder / "schedule").write_text("".join(f"{fault}\n" for fault in self.outcome.schedule))
        self._system = System(host, folder, f"seed{seed}-{folder.name}", plan.settings, mapped=mapped)
        self._faults = Faults(self._system)
        self._failed: BaseException | None = None

    def play(self) -> Outcome:
        """Play the seed and return what came of it."""
        began = time.monotonic()
        system, history, outcome = self._system, self._history, self.outcome
        outcome.events = len(history.lines)
        replaying = self._start_replay()
        try:
            with system.producer() as producer:
                for place in sorted({_place(record) for record in history.backlog}):
                    system.send(producer, [each for each in history.backlog if _place(each) == place])
            system.sink.start()
            for worker in list(system.workers.values())[: 2 if self._two else 1]:
                worker.start()
            self._wait(lambda: any(system.last_stats(name).get("lag") for name in system.workers), UP_S)
            self._live(history)
            self._judge(history, replaying)
        finally:
            for process in system.processes:
                process.kill()
            replaying.kill()
            replaying.wait()
            outcome.ended = [line for process in system.processes for line in process.ended]
            outcome.seconds = time.monotonic() - began
        return outcome

    def _start_replay(self) -> subprocess.Popen[bytes]:
        folder = self._system.folder
        events = folder / "events.jsonl"
        events.write_text("".join(f"{line}\n" for line in self._history.lines))
        command = ["replay", str(events), "--config", str(self._system.config)]
        options = ["--partitions", str(PARTITIONS), "--out", str(folder / "due.jsonl"), "--json"]
        with (folder / "replay.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "lapwing", *command, *options], stdout=log, stderr=log, cwd=folder
            )

    def _live(self, history: History) -> None:
        """Send what is live at its pace, and let each fault begin and end at its time."""
        sending = threading.Thread(target=self._send, args=[history], daemon=True)
        began = time.monotonic()
        sending.start()
        due: list[tuple[float, int, Callable[[Fault], None], Fault]] = []
        for number, fault in enumerate(self.outcome.schedule):
            heapq.heappush(due, (fault.at, number, self._faults.begin, fault))
            heapq.heappush(due, (fault.until, number, self._faults.end, fault))
        while due or sending.is_alive():
            while due and time.monotonic() - began >= due[0][0]:
                _, _, act, fault = heapq.heappop(due)
                act(fault)
            self._watch()
            time.sleep(TICK_S)
        if self._failed is not None:
            raise self._failed
        workers = list(self._system.workers.values())
        if not any(worker.wanted for worker in workers):
            workers[0].start()

    def _send(self, history: History) -> None:
        """Send a chunk at its time, and never before the one before it has arrived."""
        try:
            with self._system.producer() as producer:
                began = time.monotonic()
                for number, chunk in enumerate(history.chunks):
                    time.sleep(max(0.0, began + number * CHUNK_DAYS / DAYS_A_SECOND - time.monotonic()))
                    self._system.send(producer, chunk)
                self._system.send(producer, history.closing)
        except BaseException as error:
            self._failed = error

    def _judge(self, history: History, replaying: subprocess.Popen[bytes]) -> None:
        system, outcome = self._system, self.outcome
        if replaying.wait(REPLAY_S):
            raise RuntimeError((system.folder / "replay.log").read_text())
        due = Due((system.folder / "due.jsonl").read_bytes().splitlines(), history.until)
        assert due.ids, "nobody is warned: this history tests nothing"
        self._wait_for_all(due)
        running = [worker for worker in system.workers.values() if worker.running]
        self._wait(lambda: all(worker.up for worker in running if worker.running), UP_S)
        for worker in running:
            worker.ask_to_stop()
        codes = {worker.name: worker.wait() for worker in running}
        outcome.differences += [
            f"{name}: exit code {code} at the end" for name, code in codes.items() if code
        ]
        records = system.read(system.warnings_topic)
        outcome.steps = len(firsts(records))
        outcome.doubles = len(records) - outcome.steps
        outcome.differences += topic_against_replay(records, due)
        outcome.differences += rejected_against_garbage(system.read(system.rejected_topic), history.garbage)
        outcome.differences += self._stored(records)
        if outcome.differences:
            lates = {name: system.last_stats(name).get("late") for name in system.workers}
            outcome.differences.append(f"note: late events by the workers' last words: {lates}")
            (system.folder / "topic.jsonl").write_bytes(b"".join((r.value or b"") + b"\n" for r in records))

    def _stored(self, records: Sequence[Record]) -> list[str]:
        """Let the sink store the rest, and compare."""
        sink = self._system.sink
        code = sink.stop()
        wrong = [f"sink: exit code {code} at the end"] if code else []
        rest = subprocess.run(
            [sys.executable, "-m", "lapwing", "sink", "--config", str(self._system.config), "--no-follow"],
            cwd=self._system.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if rest.returncode:
            return [*wrong, f"sink: {rest.stderr}"]
        outcomes = self._system.read(self._system.outcomes_topic)
        assert outcomes, "nobody was acquired: this history tests nothing"
        wrong += database_against_topic(self._system.database, records)
        return wrong + outcomes_against_topic(self._system.database, outcomes)

    def _wait_for_all(self, due: Due) -> None:
        """Wait until all that is due has come, as long as more comes."""
        found: set[str] = set()
        heard = time.monotonic()
        with self._system.reader(self._system.warnings_topic) as reader:
            while due.ids - found and time.monotonic() - heard < COMPLETE_S:
                self._watch()
                for record in reader.poll(0.2):
                    key = json.loads(record.value or b"")["id"]
                    if key not in found:
                        heard = time.monotonic()
                        found.add(key)

    def _wait(self, reached: Callable[[], bool], within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while not reached():
            if time.monotonic() > deadline:
                msg = f"not reached within {within_s:.0f} s; logs are in {self._system.folder}"
                raise TimeoutError(msg)
            self._watch()
            time.sleep(TICK_S)

    def _watch(self) -> None:
        for process in self._system.processes:
            process.watch()


def _place(record: SentRecord) -> str:
    """Return where a record is sent to: the shop's own records are in one topic, in the order of time."""
    return "own" if record.mapped else record.topic.label
