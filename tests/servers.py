"""A server that one of the project's scripts runs, for as long as a test session needs it."""

from __future__ import annotations

import selectors
import subprocess
import sys
import tempfile

from tests.paths import ROOT

ABSENT = 3
"""The exit code with which a script says that its server cannot be had on this machine."""


class ServerAbsent(Exception):
    """The server cannot be had here; the text is the reason, in a line."""


class Server:
    """`python -m scripts.<name> run ...`, whose first line of output is the server's address."""

    def __init__(self, name: str, *arguments: str, within_s: float = 300) -> None:
        self.name = name
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # open as long as the server
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"scripts.{name}", "run", *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self.address = self._first_line(within_s)

    def _first_line(self, within_s: float) -> str:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            line = self._process.stdout.readline() if selector.select(within_s) else ""
        if line:
            return line.strip()
        if self._process.poll() is None and not line:
            self._process.terminate()
        code = self._process.wait()
        self._errors.seek(0)
        told = self._errors.read().strip()
        self.stop()
        if code == ABSENT:
            raise ServerAbsent(told.splitlines()[-1])
        msg = f"{self.name} did not start within {within_s} s (exit code {code}):\n{told}"
        raise RuntimeError(msg)

    @property
    def pid(self) -> int:
        """The script's process id."""
        return self._process.pid

    def stop(self) -> None:
        """Stop the server and wait until it is gone."""
        self._process.terminate()
        self._process.wait(30)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()
