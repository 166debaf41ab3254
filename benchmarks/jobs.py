"""Runs one job against a filled broker and takes its time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
LOOK_S: Final = 0.02
START_S: Final = 60.0
"""How long a job may take until it has consumed the first event."""
STALLED_S: Final = 15.0
"""A job that gets no further for so long is taken to be at its end."""
STOP_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Job:
    """A command that consumes the topics and appends its progress to the file `stats`.

    Several processes that share the work have a file each, FILE-0 and so on: what they did is added up.
    """

    name: str
    command: Sequence[str]
    stats: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    processes: int = 1

    @property
    def files(self) -> list[Path]:
        """Where its processes say how far they are."""
        if self.processes == 1:
            return [self.stats]
        name, suffix = self.stats.stem, self.stats.suffix
        return [self.stats.with_name(f"{name}-{number}{suffix}") for number in range(self.processes)]


@dataclass(frozen=True, slots=True)
class Sample:
    """How far a job was at a time."""

    at: float
    events: int
    steps: int
    processor_s: float


@dataclass(frozen=True, slots=True)
class Result:
    """What a job did between two samples."""

    name: str
    events: int
    seconds: float
    processor_s: float
    steps: int
    peak_bytes: int

    @property
    def rate(self) -> float:
        """Events a second by the wall clock."""
        return self.events / self.seconds


class JobFailed(Exception):
    """The job did not consume anything; the text has the last line of its log."""


def run(job: Job, total: int, *, after: int, seconds: float, log: Path) -> Result:
    """Run `job` until it has consumed `total` events, or for so long after it consumed `after`.

    The rate is taken between samples that lie inside the work: start-up, the way to `after` and an idle end
    do not count.
    """
    samples: list[Sample] = []
    for file in job.files:
        file.unlink(missing_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            job.command,
            cwd=ROOT,
            env={**os.environ, **job.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            _watch(process, job.files, samples, lambda: _at_end(samples, total, after, seconds))
            peak = sum(map(_peak_bytes, _family(process.pid)))
        finally:
            _stop(process)
    inside = [sample for sample in samples if sample.events >= max(after, 1)]
    if len(inside) < 2:
        lines = log.read_text(errors="replace").strip().splitlines()
        message = f"{job.name} did not get there; its last line: {lines[-1] if lines else 'nothing'}"
        raise JobFailed(message)
    first, last = inside[0], inside[-1]
    return Result(
        job.name,
        last.events - first.events,
        last.at - first.at,
        last.processor_s - first.processor_s,
        last.steps - first.steps,
        peak,
    )


def _watch(
    process: subprocess.Popen[bytes],
    files: Sequence[Path],
    samples: list[Sample],
    at_end: Callable[[], bool],
) -> None:
    """Take a sample whenever the job reports that it has got further."""
    begun, progress = time.monotonic(), [_Progress(file) for file in files]
    while process.poll() is None and not at_end():
        now = time.monotonic()
        if now - (samples[-1].at if samples else begun) > (STALLED_S if samples else START_S):
            return
        for each in progress:
            each.look()
        events = sum(each.events for each in progress)
        if events > (samples[-1].events if samples else 0):
            used = sum(map(_processor_seconds, _family(process.pid)))
            samples.append(Sample(now, events, sum(each.steps for each in progress), used))
        time.sleep(LOOK_S)


class _Progress:
    """How far one process is, by the newest line of its file."""

    def __init__(self, file: Path) -> None:
        self.events = self.steps = 0
        self._file = file
        self._read = 0
        self._rest = b""

    def look(self) -> None:
        """Read what has been added."""
        if not self._file.exists():
            return
        with self._file.open("rb") as file:
            file.seek(self._read)
            added = file.read()
        self._read += len(added)
        *lines, self._rest = (self._rest + added).split(b"\n")
        if lines:
            line = json.loads(lines[-1])
            self.events, self.steps = line["events"], line["steps"]


def _family(process: int) -> list[int]:
    """Return a process and those that it has started, and they."""
    found = [process]
    for each in found:
        try:
            children = [path.read_text() for path in Path(f"/proc/{each}/task").glob("*/children")]
        except OSError:  # it has just ended
            continue
        found += [int(child) for text in children for child in text.split()]
    return found


def _at_end(samples: list[Sample], total: int, after: int, seconds: float) -> bool:
    if not samples:
        return False
    begun = next((sample.at for sample in samples if sample.events >= after), None)
    return samples[-1].events >= total or (begun is not None and time.monotonic() - begun > seconds)


def _processor_seconds(process: int) -> float:
    """Return what the process has used of the processors; 0 where the system does not report it."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_bytes(process: int) -> int:
    """Return the most memory that the process has had; 0 where the system does not say."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) * 1024 if lines else 0


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
