"""A worker as a process of a supervisor: started, asked how it is, started again."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any, Final

from consumers.loop import Backoff

ASK_S: Final = 2.0
"""How long a worker's endpoint may take to answer."""
ASK_EVERY_S: Final = 5.0
"""How often a worker that runs is asked whether it is healthy."""
MOST_UNWELL: Final = 12
"""After so many answers in a row that it is not, or none, a worker stands still: about a minute.

One answer may be late on a busy machine; a loop has had its time before `/healthz` calls it stuck."""
SETTLED_S: Final = 60.0
"""After so long a worker without an endpoint counts as one that has started well."""
USAGE_ERROR: Final = 2
"""The exit code of a command line or settings that no later start makes right."""
_PR_SET_PDEATHSIG: Final = 1


def end_with(parent: int) -> None:
    """Let the kernel (Linux) end this process when the one that started it is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it is gone already
            os.kill(os.getpid(), signal.SIGTERM)


class WorkerProcess:
    """One of a supervisor's workers, over all its starts."""

    def __init__(
        self,
        number: int,
        command: Sequence[str],
        *,
        has_endpoint: bool = True,
        clock: Callable[[], float] = time.monotonic,
        backoff: Backoff | None = None,
        ask_every_s: float = ASK_EVERY_S,
        most_unwell: int = MOST_UNWELL,
    ) -> None:
        self.number = number
        self.starts = 0
        self.failed_starts = 0
        """Starts in a row that ended before the worker was ready."""
        self.was_ready = False
        """Whether any start came so far."""
        self.exit_code: int | None = None
        """Of the last one that ended."""
        self.down_since: float | None = None
        """Since when it is not running or not ready after a start that failed."""
        self.unwell: list[str] = []
        """Why it is not healthy, by its newest answer, once it was healthy."""
        self._command = command
        self._has_endpoint = has_endpoint
        self._clock = clock
        self._backoff = backoff or Backoff(first_s=1.0, limit_s=60.0)
        self._process: subprocess.Popen[bytes] | None = None
        self._url: str | None = None
        self._pipe: int | None = None
        self._ready = False
        self._started_at = 0.0
        self._start_at = clock()
        self._ask_every_s = ask_every_s
        self._most_unwell = most_unwell
        self._ask_at = 0.0
        self._was_healthy = False
        self._unwell_in_a_row = 0

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """The id of its process, while there is one."""
        return self._process.pid if self._process is not None else None

    @property
    def gives_up(self) -> bool:
        """Whether another start would end as the last one did: it is called wrongly."""
        return self.exit_code == USAGE_ERROR and not self.was_ready

    @property
    def stands_still(self) -> bool:
        """Whether its process is there and will do nothing more: it was healthy, and is not for long."""
        return self._process is not None and self._unwell_in_a_row >= self._most_unwell

    def look(self) -> int | None:
        """Start it where that is due; return the exit code where it has ended since the last look."""
        if self._process is None:
            if self._clock() >= self._start_at:
                self._start()
            return None
        code = self._process.poll()
        if code is None:
            self._look_whether_ready()
            self._look_whether_healthy()
            return None
        self._ended(code)
        return code

    def wait_s(self) -> float:
        """Return how long it is until the next start."""
        return max(0.0, self._start_at - self._clock())

    def ask(self, path: str) -> tuple[int, bytes] | None:
        """Return status and content of its endpoint's answer, `None` where none comes."""
        if self._process is None or (url := self._address()) is None:
            return None
        try:
            with urllib.request.urlopen(url + path, timeout=ASK_S) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except (OSError, ValueError):
            return None

    def reasons(self, path: str) -> list[str]:
        """Return why it is not healthy or ready, by its own answer."""
        if self._process is None:
            return [f"it ended with code {self.exit_code}" if self.starts else "it has not started"]
        if not self._has_endpoint:
            return []
        found = self.ask(path)
        if found is None:
            return ["it does not answer yet" if not self._ready else "it does not answer"]
        status, content = found
        return [] if status == 200 else content.decode("utf-8", "replace").splitlines()[1:]

    def figures(self) -> Any:
        """Return its figures, `None` where they cannot be had."""
        found = self.ask("/status")
        return json.loads(found[1]) if found is not None and found[0] == 200 else None

    def signal(self, number: int) -> None:
        """Send its process a signal."""
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """Kill its process; the next look finds that it has ended."""
        self._unwell_in_a_row = 0
        self.signal(signal.SIGKILL)

    def wait(self, seconds: float) -> int | None:
        """Wait for its process to end; return the exit code, `None` where it goes on."""
        if self._process is None:
            return self.exit_code
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._close()
        self._process, self.exit_code = None, code
        return code

    def _start(self) -> None:
        self._close()
        reads, writes = os.pipe()
        os.set_blocking(reads, False)  # the function's only form
        more = ["--worker-of", str(os.getpid()), "--worker-number", str(self.number)]
        if self._has_endpoint:
            more += ["--metrics-listen", "127.0.0.1:0", "--address-to", str(writes)]
        try:
            # In a session of its own, so that Ctrl-C reaches the supervisor alone.
            self._process = subprocess.Popen(
                [*self._command, *more], stdin=subprocess.DEVNULL, start_new_session=True, pass_fds=[writes]
            )
        finally:
            os.close(writes)
        self._pipe, self._url, self._ready = reads, None, False
        self._started_at = self._ask_at = self._clock()
        self._was_healthy, self._unwell_in_a_row, self.unwell = False, 0, []
        self.starts += 1

    def _address(self) -> str | None:
        """Return where its endpoint is, once it has written that."""
        if self._url is None and self._pipe is not None:
            try:
                line = os.read(self._pipe, 1000).decode()
            except BlockingIOError:
                return None
            if line:
                self._url = line.strip()
        return self._url

    def _look_whether_ready(self) -> None:
        if self._ready:
            return
        if self._has_endpoint:
            ready = not self.reasons("/readyz")
        else:
            ready = self._clock() - self._started_at >= SETTLED_S
        if ready:
            self._ready = self.was_ready = True
            self.failed_starts, self.down_since = 0, None

    def _look_whether_healthy(self) -> None:
        """Ask it where that is due. Nothing is held against one that has not begun to work."""
        if not self._has_endpoint or self._clock() < self._ask_at:
            return
        self._ask_at = self._clock() + self._ask_every_s
        reasons = self.reasons("/healthz")
        if not reasons:
            self._was_healthy, self._unwell_in_a_row, self.unwell = True, 0, []
        elif self._was_healthy:
            self._unwell_in_a_row, self.unwell = self._unwell_in_a_row + 1, reasons

    def _ended(self, code: int) -> None:
        self._process, self.exit_code = None, code
        if self.down_since is None:
            self.down_since = self._clock()
        self.failed_starts = 0 if self._ready else self.failed_starts + 1
        self._start_at = self._clock() + self._backoff.delay(max(1, self.failed_starts))

    def _close(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
