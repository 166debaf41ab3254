"""A server kept running in the foreground until it is told to stop, or whoever started it is gone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from http import HTTPStatus
from pathlib import Path
from types import FrameType
from typing import Any


def free_ports(count: int) -> list[int]:
    """Return `count` different ports of 127.0.0.1 that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def keep(
    name: str,
    command: Sequence[str | Path],
    ready: Callable[[], bool],
    address: str,
    *,
    log: Path,
    within_s: float,
    stop: signal.Signals = signal.SIGTERM,
    user: dict[str, Any] | None = None,
) -> int:
    """Run `command` in the folder of its `log` and print `address` once `ready()`.

    It is stopped at SIGTERM, at Ctrl-C, and when this process has lost its parent: a killed test run leaves
    no server behind. Returns 0 then, and 1, with the end of the log, where the server ended by itself or was
    not ready within `within_s` seconds. `user` is whom it runs as, in the words of `Popen`.
    """
    with log.open("ab") as out:
        server = subprocess.Popen(
            command,
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            **(user or {}),
        )
    code = _watched(server, ready, address, within_s, stop)
    if code:
        print(f"{name} did not stay up:\n{log.read_text()[-2000:]}", file=sys.stderr)
    return code


def _watched(
    server: subprocess.Popen[bytes],
    ready: Callable[[], bool],
    address: str,
    within_s: float,
    stop: signal.Signals,
) -> int:
    """Return the exit code when the server ended or was stopped."""
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


def answers(url: str) -> bool:
    """Return whether a server answers a request with 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except (urllib.error.URLError, OSError):
        return False
