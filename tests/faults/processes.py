"""A `lapwing` command as a process that can be killed, frozen and started again, its log kept throughout."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from lapwing.demo.children import die_with_parent
from tests.paths import ROOT

STOP_S: Final = 40.0
"""A worker may save states and wait for the broker before it ends."""

ENDS: Final = 5
"""A process that ends by itself more often than this will not come up any more."""


class Process:
    """One place where a command runs, with one process after the other."""

    def __init__(self, name: str, command: Sequence[str], folder: Path) -> None:
        self.name = name
        self.wanted = False
        """Whether it should be running."""
        self.ended: list[str] = []
        """The ends that nobody asked for, a line each."""
        self.log = folder / f"{name}.log"
        self._command = [sys.executable, "-m", "lapwing", *command]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._copying: threading.Thread | None = None
        self._file_limit: int | None = None

    def start(self) -> None:
        """Start it, unless it runs."""
        self.wanted = True
        if self.running:
            return
        self._note("starting")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LAPWING_")}
        self._process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            env=environment | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,  # a file of its own would feel the limit on files
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        assert self._process.stderr is not None
        self._copying = threading.Thread(target=self._copy, args=[self._process.stderr], daemon=True)
        self._copying.start()
        self.limit_files(self._file_limit)

    def watch(self) -> None:
        """Start it again where it has ended by itself, as a supervisor would."""
        if self.wanted and not self.running:
            assert self._process is not None
            assert self._copying is not None
            self._copying.join(5)
            logged = self.log.read_text(errors="replace").splitlines()
            self.ended.append(f"{self.name} ended with code {self._process.returncode}: {logged[-1]}")
            if len(self.ended) > ENDS:
                msg = f"{self.name} ends again and again"
                raise RuntimeError(msg)
            time.sleep(0.3)
            self.start()

    @property
    def running(self) -> bool:
        """Whether there is a process, be it frozen."""
        return self._process is not None and self._process.poll() is None

    @property
    def up(self) -> bool:
        """Whether it has logged anything: one that is asked to stop before that has nobody to hear it."""
        logged = self.log.read_text(errors="replace").rpartition(" starting\n")[2]
        return self.running and any(not line.startswith("----") for line in logged.splitlines())

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self.running:
            assert self._process is not None
            self._note(number.name)
            self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once, frozen or not."""
        self.wanted = False
        self.signal(signal.SIGKILL)
        self.wait()

    def stop(self) -> int:
        """End it in the ordinary way and return its exit code."""
        self.ask_to_stop()
        return self.wait()

    def ask_to_stop(self) -> None:
        """Begin to end it in the ordinary way."""
        self.wanted = False
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)

    def wait(self) -> int:
        """Wait until it has ended and return its exit code; one that does not end is killed."""
        if self._process is None:
            return 0
        try:
            code = self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.ended.append(f"{self.name} did not stop within {STOP_S:.0f} s")
            self._process.kill()
            code = self._process.wait()
        assert self._copying is not None
        self._copying.join(5)
        return code

    def limit_files(self, size: int | None) -> None:
        """Let no file that it writes grow beyond `size` bytes, as on a full disk; `None`: no limit."""
        self._file_limit = size
        if self.running:
            assert self._process is not None
            _, hard = resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))

    def _copy(self, source: IO[bytes]) -> None:
        with source, self.log.open("ab") as log:
            for line in source:
                log.write(line)
                log.flush()

    def _note(self, what: str) -> None:
        with self.log.open("a") as log:
            log.write(f"---- {time.strftime('%H:%M:%S')} {what}\n")
