"""`lapwing worker --processes N`: starts workers, starts again what ends or stands still, ends them all."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Sequence
from typing import Final

from consumers.loop import Waiter
from lapwing.supervision.worker_process import WorkerProcess
from streams.errors import LapwingError
from streams.telemetry.health import Heartbeat

log = logging.getLogger(__name__)

LOOK_S: Final = 0.5
MOST_FAILED_STARTS: Final = 3
"""After so many in a row of one worker, before any was ever ready, the supervisor ends."""
FAILING_S: Final = 300.0
"""A worker that has been down for so long makes the supervisor unhealthy."""
STOP_S: Final = 45.0
"""How long workers may take to save their states and end."""


class WorkersFailed(LapwingError):
    """The workers cannot be started, or had to be killed."""


class Supervisor:
    """Keeps workers running until it is asked to stop."""

    def __init__(
        self,
        workers: Sequence[WorkerProcess],
        stop: Waiter,
        *,
        clock: Callable[[], float] = time.monotonic,
        stop_s: float = STOP_S,
    ) -> None:
        self.workers = workers
        self._stop = stop
        self._clock = clock
        self._stop_s = stop_s
        self._heartbeat = Heartbeat("the supervisor", clock=clock)

    def run(self) -> None:
        """Run until a stop is asked for; raise `WorkersFailed` where the workers cannot be started."""
        log.info("starting workers=%(workers)d", {"workers": len(self.workers)})
        try:
            while not self._stop.wait(LOOK_S):
                self._heartbeat.beat()
                for worker in self.workers:
                    code = worker.look()
                    if code is not None:
                        self._on_end(worker, code)
                    elif worker.stands_still:
                        self._end_stuck(worker)
        finally:
            killed = self._end()
        if killed:
            names = ", ".join(map(str, killed))
            message = f"workers that did not end within {self._stop_s:.0f} s were killed: {names}"
            raise WorkersFailed(message)
        log.info("all workers have stopped")

    def healthy(self) -> list[str]:
        """Return why the supervisor or a worker is stuck or does not come back."""
        reasons = list(self._heartbeat.reasons())
        for worker in self.workers:
            down = worker.down_since
            if down is not None and self._clock() - down > FAILING_S:
                reasons.append(f"worker {worker.number} has been down for {self._clock() - down:.0f} s")
            elif worker.running and worker.was_ready:
                reasons += [f"worker {worker.number}: {each}" for each in worker.reasons("/healthz")]
        return reasons

    def ready(self) -> list[str]:
        """Return why not all workers are ready."""
        return [
            f"worker {worker.number}: {each}" for worker in self.workers for each in worker.reasons("/readyz")
        ]

    def _on_end(self, worker: WorkerProcess, code: int) -> None:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        ever = any(each.was_ready for each in self.workers)
        if worker.gives_up or (worker.failed_starts >= MOST_FAILED_STARTS and not ever):
            times = f"{worker.failed_starts} times in a row" if worker.failed_starts > 1 else "at its start"
            message = f"worker {worker.number} {how} {times}, see what it logged: no worker is started again"
            raise WorkersFailed(message)
        log.error(
            "worker %(worker)d %(how)s; it is started again in %(seconds).0f s",
            {"worker": worker.number, "how": how, "code": code, "seconds": worker.wait_s()},
        )

    def _end_stuck(self, worker: WorkerProcess) -> None:
        """Kill a worker that stands still: it could not act on a request to end, and loses nothing by this.

        It goes on from its checkpoints, as after a crash.
        """
        log.error(
            "worker %(worker)d stands still and is killed: %(reasons)s",
            {"worker": worker.number, "reasons": "; ".join(worker.unwell)},
        )
        worker.kill()

    def _end(self) -> list[int]:
        """Ask all workers to end and wait; return which had to be killed."""
        running = [worker for worker in self.workers if worker.running]
        for worker in running:
            worker.signal(signal.SIGTERM)
        until = time.monotonic() + self._stop_s
        killed = []
        for worker in running:
            if worker.wait(max(0.1, until - time.monotonic())) is None:
                worker.signal(signal.SIGKILL)
                worker.wait(5)
                killed.append(worker.number)
        return killed
