"""A server kept running in the foreground until it is told to stop, or whoever started it is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from types import FrameType


def keep(
    server: subprocess.Popen[bytes],
    ready: Callable[[], bool],
    address: str,
    *,
    within_s: float,
    stop: signal.Signals = signal.SIGTERM,
) -> int:
    """Print `address` once `ready()`; return the exit code when the server ended or had to be stopped.

    It is stopped at SIGTERM, at Ctrl-C, and when this process has lost its parent: a killed test run leaves
    no server behind.
    """
    parent = os.getppid()
    asked = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, ask)
    began, told = time.monotonic(), False
    try:
        while server.poll() is None and not asked and os.getppid() == parent:
            if not told and ready():
                print(address, flush=True)
                told = True
            if not told and time.monotonic() - began > within_s:
                return 1
            time.sleep(0.2 if told else 0.05)
        return 0 if told and server.poll() is None else 1
    finally:
        if server.poll() is None:
            server.send_signal(stop)
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
