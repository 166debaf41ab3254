"""`lapwing demo` and `lapwing simulate --broker` as processes, on an embedded broker."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from consumers.broker.client import Cluster, Subscription
from lapwing.demo.broker import broker_binary, free_port
from streams.errors import DemoError

LAPWING = (sys.executable, "-m", "lapwing")
SMALL = ("--customers", "200", "--days", "260", "--speed", "60")
"""Long enough for the models to be ready: until then the shipped rules hardly warn of anybody."""


@pytest.fixture(autouse=True)
def _embedded() -> None:
    try:
        broker_binary()
    except DemoError as reason:
        pytest.skip(str(reason))


def demo(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*LAPWING, "demo", "--dir", str(folder), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def of_run(folder: Path) -> list[int]:
    """Return the processes whose command line names the run's folder or its broker's address."""
    marks = [str(folder)]
    config = folder / "lapwing.toml"
    if config.exists():
        marks += re.findall(r'broker = "(.*)"', config.read_text())
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if any(mark in words for mark in marks):
                found.append(int(entry.name))
    return found


def none_left(folder: Path, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while of_run(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not of_run(folder)


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a file is there and says something."""
    deadline = time.monotonic() + 40
    while not (path.exists() and path.stat().st_size):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_it_runs_to_its_end_and_leaves_a_database_and_no_process(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    out, err = demo(folder, *SMALL).communicate(timeout=100)
    assert err == ""
    assert re.search(r"Leavers    \d+ of \d+", out)
    words = r"Database\s+([\d,]+)\s+warnings,\s+([\d,]+)\s+outcomes,\s+([\d,]+)\s+customer\s+days"
    shown = re.search(words, out)
    assert shown is not None
    with closing(sqlite3.connect(folder / "lapwing.db")) as database:
        for number, table in zip(shown.groups(), ("warnings", "outcomes", "customer_days"), strict=True):
            (stored,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()
            assert stored == int(number.replace(",", "")) > 0
    assert none_left(folder, 0)


def test_a_file_of_events_is_played_the_same_way(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl.zst"
    shop = ("--customers", "150", "--days", "200", "--out", str(path))
    subprocess.run([*LAPWING, "simulate", *shop], check=True, capture_output=True)
    out, err = demo(tmp_path / "run", "--data", str(path), "--speed", "60").communicate(timeout=100)
    assert err == ""
    assert "events.jsonl.zst, " in out
    assert re.search(r"Warnings   [\d,]+ of [\d,]+ \(\d+%\) confirmed", out)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_without_a_traceback(tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "run"
    process = demo(folder)
    wait_for(folder / "worker-stats.jsonl", process)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
    assert "Stopped." in out
    assert none_left(folder, 0)


def test_a_worker_that_is_killed_ends_the_demo_with_a_line(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = demo(folder)
    wait_for(folder / "worker-stats.jsonl", process)
    for pid in of_run(folder):
        if b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
            os.kill(pid, signal.SIGKILL)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    last = err.splitlines()[-1]
    assert last.startswith("lapwing: the worker was ended by signal 9")
    assert "Traceback" not in err
    assert none_left(folder, 0)


def test_nothing_outlives_a_demo_that_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = demo(folder)
    wait_for(folder / "worker-stats.jsonl", process)
    process.kill()
    process.communicate(timeout=10)
    assert none_left(folder, 15)


def refused(arguments: Sequence[str]) -> str:
    done = subprocess.run(
        [*LAPWING, "demo", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    return line


def test_a_run_that_cannot_go_on_says_why_in_a_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"port {port} on 127.0.0.1 is taken" in refused(
            ["--port", str(port), "--dir", str(tmp_path / "a")]
        )
    (tmp_path / "file").touch()
    assert "the demo cannot write there" in refused(["--dir", str(tmp_path / "file")])
    assert "none.jsonl" in refused(["--data", str(tmp_path / "none.jsonl")])
    absent = f"127.0.0.1:{free_port()}"
    assert f"Kafka at {absent}: no broker answers" in refused(
        ["--broker", absent, "--dir", str(tmp_path / "b")]
    )


def test_the_shop_goes_to_the_topics_of_a_broker(broker: str, tmp_path: Path) -> None:
    names = {name: f"simulated-{name}" for name in ("orders", "logins", "complaints", "profiles")}
    config = tmp_path / "lapwing.toml"
    lines = [f'{name} = "{topic}"' for name, topic in names.items()]
    config.write_text("\n".join([f'broker = "{broker}"', 'app = "simulated"', *lines]))
    shop = (*LAPWING, "simulate", "--customers", "50", "--days", "30", "--config", str(config))
    missing = subprocess.run(shop, capture_output=True, text=True, check=False)
    assert missing.returncode == 1
    assert "create what is missing with `lapwing topics`" in missing.stderr

    make = (*LAPWING, "topics", "--config", str(config), "--partitions", "2")
    subprocess.run(make, check=True, capture_output=True)
    done = subprocess.run((*shop, "--json"), capture_output=True, text=True, check=True)
    count = int(re.findall(r'"events": (\d+)', done.stdout)[0])
    read = 0
    for topic in names.values():
        subscription = Subscription(Cluster(broker), topic, group=None)
        try:
            deadline = time.monotonic() + 20
            while not subscription.at_end() and time.monotonic() < deadline:
                read += len(subscription.poll(0.2))
        finally:
            subscription.close()
    assert read == count
