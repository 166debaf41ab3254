"""The endpoint of a process that runs, as Prometheus and a probe see it."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

WITHIN_S = 60.0


class Watched:
    """A process of Lapwing with an endpoint, and its log."""

    def __init__(self, command: Sequence[str], environ: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environ
        )
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        found = self.wait_for(lambda: re.search(r"metrics at (http://\S+)/metrics", "".join(self.log)))
        self.url: str = found[1]

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(self.process.stderr)

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.read().decode()

    def values(self, name: str, **labels: str) -> list[float]:
        """Return the values of the series of a name that have these labels."""
        families = text_string_to_metric_families(self.get("/metrics")[1])
        return [
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.get("/status")[1])
        return found

    def wait_for(self, reached: Callable[[], Any], within_s: float = WITHIN_S) -> Any:
        deadline = time.monotonic() + within_s
        while not (found := reached()):
            assert self.process.poll() is None, "".join(self.log)
            assert time.monotonic() < deadline, "".join(self.log)
            time.sleep(0.1)
        return found

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self._reader.join(10)
        assert self.process.stderr is not None
        self.process.stderr.close()


@contextmanager
def watched(command: Sequence[str], environ: dict[str, str] | None = None) -> Iterator[Watched]:
    made = Watched(command, environ)
    try:
        yield made
    finally:
        made.stop()


def lint(promtool: Path, text: str) -> str:
    """Return what promtool finds wrong with an exposition; nothing where all is well."""
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    found = done.stdout + done.stderr
    assert done.returncode == 0 or found, "promtool failed and said nothing"
    return found
