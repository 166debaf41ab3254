"""Starts servers that are measured, and ends them."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

READY_S: Final = 600.0
"""A desk reads the open warnings of a large store first."""


@contextmanager
def running(
    words: Sequence[str], log: Path, says: str, environ: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Yield the address that a process says it listens on."""
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", *words], stdout=out, stderr=out, env=environ)
    try:
        deadline = time.monotonic() + READY_S
        while (found := re.search(says, log.read_text(errors="replace"))) is None:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(log.read_text(errors="replace"))
            time.sleep(0.1)
        yield found.group(1)
    finally:
        process.terminate()
        process.wait(30)
