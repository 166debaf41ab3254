"""What the commands of the pages work on: a small installation at work, and a reader's folder."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from lapwing.demo.broker import SESSION_TIMEOUT_S, free_port
from lapwing.settings.values import PREFIX
from tests.integration.desk.stack import Stack, lines_of
from tests.paths import ROOT

WITHIN_S: Final = 60.0
EXAMPLE: Final = "examples/online_retail_ii.jsonl.gz"
EXPORTS: Final = "examples/your_data"
NAMED: Final = frozenset({"14280", "13883"})
"""Customers of the example that pages name."""
ONE_IN: Final = 150
"""So many of the example's customers are left out for one that stays."""
SHOP: Final = ("--customers", "150", "--days", "310", "--start", "2025-06-01", "--seed", "3")
LAST_MONTH: Final = "2026-04"
"""In which its events end."""
PORTS: Final = {9464: "worker", 9466: "sink", 9468: "desk"}
"""Where the pages find the metrics of a process."""

SILENCE: Final = "5f0c91d2"
"""The silence of the page: whoever types the command has the id of one that is listed."""

SERVICES: Final = {
    "worker": "assigned partitions=",
    "tail": r"\S",
    "sink": r"\S",
    "desk": r"the desk is at http://\S+/",
    "notify": r"\S",
}
"""Commands that go on until they are ended, with what they print once they work."""

SETTINGS: Final[dict[str, object]] = {
    "session_timeout": f"{SESSION_TIMEOUT_S:.0f}s",
    "checkpoint_every": "1s",
    "horizon": "30d",
    "min_positives": "5",
    "labour_rate": "0.5",
    "currency": "EUR",
    "holdout_share": "0.2",
    "desk_listen": "127.0.0.1:0",
    "metrics_listen": "127.0.0.1:0",
}


def environment() -> dict[str, str]:
    """Return the environment of a reader: `lapwing` is on the path, and the erasure key is known."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
        "PYTHONUNBUFFERED": "1",
        f"{PREFIX}ERASURE_KEY": "a key of the documented shop",
    }


def write_example(path: Path) -> None:
    """Write the real example with fewer customers, those whom pages name among them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(ROOT / EXAMPLE, "rt") as whole, gzip.open(path, "wt", compresslevel=1) as part:
        for line in whole:
            customer = json.loads(line)["customer_id"]
            if customer in NAMED or (customer.isdecimal() and int(customer) % ONE_IN == 0):
                part.write(line)


class Installation(Stack):
    """A broker's topics with a shop's events, and a worker, a sink and a desk that have taken them in."""

    FIRST = ()

    def __init__(self, folder: Path, broker: str) -> None:
        super().__init__(folder, broker, {"broker": broker, **SETTINGS})
        self.ports = {command: free_port() for command in PORTS.values()}
        self.write()
        shutil.copytree(ROOT / "warning_rules", folder / "warning_rules")

    def _environment(self) -> dict[str, str]:
        return environment()

    def take_in(self) -> None:
        """Make the shop's events and wait until the store has what becomes of them."""
        self.run("topics", "--partitions", "2")
        for command in PORTS.values():
            more = ("--flush-after", "500ms") if command == "worker" else ()
            self.start(command, "--metrics-listen", f"127.0.0.1:{self.ports[command]}", *more)
        self.run("simulate", *SHOP, "--broker", self.broker)
        self.wait(lambda: self._counted_to() >= LAST_MONTH, "the census of the last month is stored")

    def _counted_to(self) -> str:
        """Return up to when the census of every partition is stored."""
        query = "SELECT min(newest) FROM (SELECT max(time) AS newest FROM census GROUP BY partition)"
        ((newest,),) = self.stored(query) or [("",)]
        return str(newest or "")

    def open_warning(self) -> str:
        """Return the id of an open warning that people may see."""
        ((found,), *_) = self.stored("SELECT id FROM warnings WHERE state = 'open' AND NOT holdout")
        return str(found)

    def customers(self) -> list[str]:
        """Return customers who have warnings."""
        return [str(each) for (each,) in self.stored("SELECT DISTINCT customer_id FROM warnings ORDER BY 1")]


@dataclass
class Reader:
    """Somebody who types what a page shows, in a folder of their own."""

    folder: Path
    given: dict[str, str]
    """What the page has, and what stands here for it."""
    services: dict[str, tuple[subprocess.Popen[bytes], str, Path]] = field(default_factory=dict)

    def type(self, line: str) -> str:
        """Run a command line as it stands; return what it prints, or fail where it fails."""
        for shown, ours in self.given.items():
            line = line.replace(shown, ours)
        if SILENCE in line:
            listed = json.loads(self.type("lapwing silence list --json"))["silences"]
            line = line.replace(SILENCE, listed[0]["id"])
        service = next((name for name in SERVICES if re.match(rf"lapwing {name}\b(?! token)", line)), None)
        if service is not None and "--no-follow" not in line:
            self._start(service, line)
            return ""
        line = re.sub(r" \| head -\d+$", "", line)  # whose reader goes early may end with an error
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line], cwd=self.folder, env=environment(),
            capture_output=True, text=True, timeout=WITHIN_S * 3, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\nended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def _start(self, name: str, line: str) -> None:
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {line}"], cwd=self.folder, env=environment(),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        self.services[line] = (process, SERVICES[name], log)

    def finish(self) -> None:
        """Wait until all that runs on has said that it works, and end it."""
        for line, (process, says, log) in self.services.items():
            wait(lambda log=log, says=says: re.search(says, log.read_text()), line, process, log)  # type: ignore[misc]
        for line, (process, _, log) in self.services.items():
            process.send_signal(signal.SIGTERM)
            assert process.wait(WITHIN_S) == 0, f"{line}: {log.read_text()}"

    def close(self) -> None:
        """End what a failed test left."""
        for process, _, _ in self.services.values():
            if process.poll() is None:
                process.kill()
                process.wait()


def wait(reached: Callable[[], object], line: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a command that runs on has said something."""
    deadline = time.monotonic() + WITHIN_S
    while not reached():
        assert process.poll() is None, f"{line} has ended: {log.read_text()}"
        assert time.monotonic() < deadline, f"{line} says nothing of its work: {log.read_text()}"
        time.sleep(0.1)


def reader(folder: Path, installation: Installation, example: Path, files: Path, hook: str) -> Reader:
    """Return somebody with the repository's files, the installation's store and files of their own."""
    (folder / "examples").mkdir()
    (folder / EXAMPLE).symlink_to(example)
    (folder / EXPORTS).symlink_to(ROOT / EXPORTS)
    for file in files.iterdir():
        (folder / file.name).symlink_to(file)
    shutil.copytree(ROOT / "warning_rules", folder / "warning_rules")
    stores = (sqlite3.connect(place / "lapwing.db") for place in (installation.folder, folder))
    with closing(next(stores)) as store, closing(next(stores)) as copy:
        store.backup(copy)  # a file that is written to is not copied by its bytes
    shutil.copytree(installation.folder / "var", folder / "var")
    places = {
        "broker": installation.broker,
        "checkpoints": str(installation.folder / "var" / "checkpoints"),
        "notify_urls": f"team=json://{hook}/team",
    }
    (folder / "lapwing.toml").write_text(lines_of({**SETTINGS, **places}))
    _commit(folder)
    customers = installation.customers()
    given = {
        "127.0.0.1:9092": installation.broker,
        **{f"127.0.0.1:{port}/": f"127.0.0.1:{installation.ports[name]}/" for port, name in PORTS.items()},
        "6c3e9a52-6e5b-5c7e-a2a4-0f7f4f2a9a11": installation.open_warning(),
        "14280 --checkpoint": f"{customers[0]} --checkpoint",
        "CUSTOMER": customers[1],
        # A small shop shows the same as the page's.
        "--customers 3000 --days 730": "--customers 300 --days 730",
        "simulate --capacity": "simulate --customers 200 --capacity",
        # Silences end in the future.
        "2026-12-": f"{datetime.now(UTC).year + 1}-12-",
    }
    return Reader(folder, given)


def _commit(folder: Path) -> None:
    """Make the folder's rules a git repository with two revisions."""
    rules = folder / "warning_rules" / "activity.yaml"
    now = rules.read_text()
    git = ("git", "-c", "user.name=ops", "-c", "user.email=ops@example.com")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    for text in (now.replace("for: 5d", "for: 6d"), now):
        rules.write_text(text)
        subprocess.run(["git", "add", "warning_rules"], cwd=folder, check=True)
        subprocess.run(
            [*git, "commit", "--quiet", "--allow-empty", "-m", "rules: change"], cwd=folder, check=True
        )
