"""The benchmarks run on the code as it is: what they time is there, and those of one process end well."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.__main__ import PARTS
from benchmarks.engine import PLACES
from tests.paths import ROOT

SMALL = {
    "checkpoint": ["--customers", "500"],
    "engine": ["--customers", "500", "--batches", "500", "--events", "1000"],
    "learning": ["500"],
    "state": ["--customers", "500"],
}
"""Those that end within seconds where there is little to do."""


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place[0].__name__}.{place[1]}")
def test_what_the_engines_benchmark_times_is_there(place: tuple[object, str, str]) -> None:
    owner, name, _ = place
    assert callable(getattr(owner, name))


@pytest.mark.parametrize("name", SMALL)
def test_a_benchmark_of_one_process_ends_well(name: str) -> None:
    assert name in PARTS
    command = [sys.executable, "-m", f"benchmarks.{name}", *SMALL[name]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout
