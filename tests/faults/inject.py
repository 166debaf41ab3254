"""How each fault begins and how it ends."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.processes import Process
from tests.faults.schedule import WORKERS, Damage, Fault, Kind
from tests.faults.system import System

SMALL_BYTES = 600
"""A checkpoint's smaller tables fit, so that it is half written."""
DATABASE_BYTES = 100_000
"""At so many bytes nothing more fits in the database or its log of writes."""
LOCK_TRIES = 50
LOCK_RETRY_S = 0.1


class Faults:
    """Makes faults happen to a system, which may overlap, and end."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._lock: sqlite3.Connection | None = None
        self._killed: list[Process] = []
        self._begin: dict[Kind, Callable[[Fault], None]] = {
            Kind.KILL: lambda fault: self._worker(fault).kill(),
            Kind.FREEZE: lambda fault: self._worker(fault).signal(signal.SIGSTOP),
            Kind.LONG_FREEZE: lambda fault: self._worker(fault).signal(signal.SIGSTOP),
            Kind.STOP: lambda fault: self._worker(fault).ask_to_stop(),
            Kind.JOIN: lambda fault: self._system.workers[WORKERS[1]].start(),
            Kind.DISK_FULL: lambda fault: self._limit_workers(SMALL_BYTES),
            Kind.DAMAGE: self._damage,
            Kind.BROKER_RESTART: lambda fault: self._system.host.signal(signal.SIGKILL),
            Kind.BROKER_FREEZE: lambda fault: self._system.host.signal(signal.SIGSTOP),
            Kind.SINK_KILL: lambda fault: self._system.sink.kill(),
            Kind.DATABASE_LOCKED: lambda fault: self._lock_database(),
            Kind.DATABASE_FULL: lambda fault: self._system.sink.limit_files(DATABASE_BYTES),
            Kind.REMAP: lambda fault: self._system.write_inputs(f"changed by {fault.dice}"),
        }
        self._end: dict[Kind, Callable[[Fault], None]] = {
            Kind.KILL: self._start_worker,
            Kind.FREEZE: lambda fault: self._worker(fault).signal(signal.SIGCONT),
            Kind.LONG_FREEZE: lambda fault: self._worker(fault).signal(signal.SIGCONT),
            Kind.STOP: self._start_worker,
            Kind.JOIN: lambda fault: self._system.workers[WORKERS[1]].ask_to_stop(),
            Kind.DISK_FULL: lambda fault: self._limit_workers(None),
            Kind.DAMAGE: lambda fault: self._start_killed(),
            Kind.BROKER_RESTART: lambda fault: self._system.host.start_again(),
            Kind.BROKER_FREEZE: lambda fault: self._system.host.signal(signal.SIGCONT),
            Kind.SINK_KILL: lambda fault: self._system.sink.start(),
            Kind.DATABASE_LOCKED: lambda fault: self._unlock_database(),
            Kind.DATABASE_FULL: lambda fault: self._system.sink.limit_files(None),
            Kind.REMAP: lambda fault: self._system.write_inputs(f"changed again by {fault.dice}"),
        }

    def begin(self, fault: Fault) -> None:
        """Let the fault happen."""
        self._begin[fault.kind](fault)

    def end(self, fault: Fault) -> None:
        """Mend it."""
        self._end[fault.kind](fault)

    def _worker(self, fault: Fault) -> Process:
        return self._system.workers[fault.worker]

    def _start_worker(self, fault: Fault) -> None:
        worker = self._worker(fault)
        if worker.running and not worker.wanted:
            worker.wait()
        worker.start()

    def _limit_workers(self, size: int | None) -> None:
        for worker in self._system.workers.values():
            worker.limit_files(size)

    def _damage(self, fault: Fault) -> None:
        for worker in self._system.workers.values():
            if worker.running:
                self._killed.append(worker)
                worker.kill()
        dice = random.Random(fault.dice)
        for checkpoints in self._system.newest_checkpoints():
            # At times all of them, so that the state is built again from the topics.
            for path in checkpoints[: dice.choice([1, 1, 2, 9])]:
                damage(fault.damage, path, dice)

    def _start_killed(self) -> None:
        while self._killed:
            self._killed.pop().start()

    def _lock_database(self) -> None:
        if self._lock is not None:
            return
        connection = sqlite3.connect(self._system.database, timeout=0, isolation_level=None)
        for _ in range(LOCK_TRIES):
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                time.sleep(LOCK_RETRY_S)
            else:
                self._lock = connection
                return
        connection.close()

    def _unlock_database(self) -> None:
        if self._lock is not None:
            self._lock.rollback()
            self._lock.close()
            self._lock = None


def damage(how: Damage, checkpoint: Path, dice: random.Random) -> None:
    """Damage a checkpoint as a disk, or a crash of the machine, might."""
    tables = sorted(checkpoint.glob("*.parquet"))
    manifest = checkpoint / "manifest.json"
    if not tables or not manifest.exists():
        return
    table = dice.choice(tables)
    data = bytearray(table.read_bytes())
    match how:
        case Damage.FLIP:
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
            table.write_bytes(data)
        case Damage.TRUNCATE:
            table.write_bytes(data[: dice.randrange(len(data))])
        case Damage.NO_MANIFEST:
            manifest.unlink()
        case Damage.HALF_MANIFEST:
            manifest.write_bytes(manifest.read_bytes()[: dice.randrange(200)])
        case Damage.NO_TABLE:
            table.unlink()
