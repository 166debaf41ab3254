"""The desk over a large store, alone and with a team at work.

python -m benchmarks.desk [--database URL] [--steps 1000000] [--open 25000] [--agents 50] [--seconds 30]

A desk process answers over a store with so many steps and open warnings; the broker is the embedded one.
Times are those of a client on this machine, in milliseconds. Each of the agents does something every two
seconds: looks at the queue, opens a customer, or acknowledges a warning. Anything but success is an error.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Final
from urllib.parse import quote

import httpx
from sqlalchemy import func, select

from benchmarks.servers import running
from benchmarks.store import LIFE, fill
from consumers.broker.client import Admin, Cluster
from consumers.broker.topics import create
from consumers.database.database import Database
from consumers.database.warnings import WarningRow, WarningStepRow
from lapwing.demo.broker import EmbeddedBroker
from lapwing.settings.settings import load_settings
from lapwing.topic_plan import planned

ALONE: Final = 30
"""Requests of each kind by one client."""
PAUSE_S: Final = 2.0
TIMEOUT_S: Final = 30.0


class Figures:
    """Times by what was asked, and errors."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)
        self.errors: list[str] = []
        self._lock = threading.Lock()

    def ask(
        self, client: httpx.Client, what: str, method: str, path: str, **how: object
    ) -> httpx.Response | None:
        """Ask, and note how long it took."""
        began = time.perf_counter()
        try:
            answer = client.request(method, path, **how)  # type: ignore[arg-type]  # as `request` takes them
        except httpx.HTTPError as error:
            with self._lock:
                self.errors.append(f"{what}: {error!r}")
            return None
        took = 1000 * (time.perf_counter() - began)
        with self._lock:
            self.times[what].append(took)
            if answer.status_code >= 400:
                self.errors.append(f"{what}: {answer.status_code} {answer.text[:200]}")
        return answer

    def print(self, title: str) -> None:
        """Print the table."""
        print(f"\n{title:40} {'n':>6} {'median':>9} {'95 %':>9} {'worst':>9}")
        for what, times in self.times.items():
            high = statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
            shown = " ".join(f"{each:6.0f} ms" for each in (statistics.median(times), high, max(times)))
            print(f"{what:40} {len(times):6} {shown}")
        print(f"errors: {len(self.errors)}")
        for each in sorted(set(self.errors))[:5]:
            print(f"  {each}")


def alone(address: str, customers: list[str]) -> None:
    """Measure one client."""
    figures = Figures()
    with httpx.Client(base_url=address, timeout=TIMEOUT_S) as client:
        began = time.perf_counter()
        while client.get("/").status_code == 503:  # the open warnings are being read
            time.sleep(0.5)
        print(f"first page after {time.perf_counter() - began:.1f} s")
        for number in range(ALONE):
            figures.ask(client, "queue", "GET", "/")
            figures.ask(
                client, "queue, filtered", "GET", f"/?tier=high&region=east&segment=segment-{number % 12}"
            )
            figures.ask(client, "customer", "GET", f"/customers/{quote(customers[number], safe='')}")
            figures.ask(client, "api queue", "GET", "/api/queue")
    figures.print("one client")


def team(address: str, agents: int, seconds: float, customers: list[str], warnings: list[str]) -> None:
    """Measure agents at work side by side."""
    figures = Figures()
    ends = time.monotonic() + seconds

    def work(number: int) -> None:
        chance = random.Random(number)
        with httpx.Client(base_url=address, timeout=TIMEOUT_S) as client:
            time.sleep(chance.random() * PAUSE_S)
            csrf = {"X-CSRF-Token": _csrf(client), "Origin": address}
            while time.monotonic() < ends:
                began = time.monotonic()
                at = chance.randrange(len(warnings))
                what = chance.random()
                if what < 0.3:
                    figures.ask(client, "queue", "GET", "/")
                elif what < 0.6:
                    figures.ask(client, "customer", "GET", f"/customers/{quote(customers[at], safe='')}")
                else:
                    body = {"actions": [{"warning_id": warnings[at], "kind": "acknowledge"}]}
                    figures.ask(client, "acknowledge", "POST", "/api/actions", json=body, headers=csrf)
                time.sleep(max(0.0, PAUSE_S - (time.monotonic() - began)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(agents)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    figures.print(f"{agents} agents, every {PAUSE_S:.0f} s")


def bulk(address: str) -> None:
    """Measure one click that is about all open warnings, and its undoing."""
    figures = Figures()
    with httpx.Client(base_url=address, timeout=10 * TIMEOUT_S, headers={"Origin": address}) as client:
        form = {"csrf": _csrf(client), "kind": "acknowledge", "everything": "1", "query": "", "until": ""}
        answer = figures.ask(
            client,
            "acknowledge all that match",
            "POST",
            "/queue/act",
            data=form,
            headers={"HX-Request": "true"},
        )
        shown = "" if answer is None else re.sub(r"<[^>]*>", " ", answer.text)
        print(" ".join(shown.split()))
        group = re.search(r'name="group_id" value="([^"]*)"', answer.text if answer is not None else "")
        undo = {"csrf": _csrf(client), "group_id": group.group(1) if group else "", "back": "/"}
        figures.ask(client, "undo it", "POST", "/undo", data=undo, headers={"HX-Request": "true"})
        figures.ask(client, "queue, right after", "GET", "/")
    figures.print("one click")


def _csrf(client: httpx.Client) -> str:
    found = re.search(r'name="csrf" value="([^"]*)"', client.get("/").text)
    return found.group(1) if found else ""


def main() -> int:
    """Fill where it is empty, serve, measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.desk")
    parser.add_argument("--database", help="an SQLAlchemy URL; without it, a file that is deleted afterwards")
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--open", type=int, default=25_000)
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lapwing-desk-") as name, EmbeddedBroker(None) as broker:
        folder = Path(name)
        url: str = arguments.database or f"sqlite:///{folder / 'store.db'}"
        database = Database(url)
        database.prepare()
        with database.reading() as connection:
            filled = connection.scalar(select(func.max(WarningStepRow.seq))) or 0
        if not filled:
            began = time.perf_counter()
            fill(database, url, arguments.steps, max(1, arguments.steps // len(LIFE) // arguments.open))
            print(f"filled in {time.perf_counter() - began:.0f} s")
        with database.reading() as connection:
            steps = connection.scalar(select(func.max(WarningStepRow.seq))) or 0
            still = WarningRow.state == "open"
            opened = connection.scalar(select(func.count()).select_from(WarningRow).where(still)) or 0
            some = select(WarningRow.id, WarningRow.customer_id).where(still).limit(2_000)
            rows = connection.execute(some).all()
        print(f"{database.place}: {steps:,} steps, {opened:,} open warnings", flush=True)
        config = folder / "lapwing.toml"
        values = {
            "broker": broker.address,
            "database": url,
            "desk_listen": "127.0.0.1:0",
            "desk_capacity": "400",
        }
        config.write_text("".join(f"{key} = {str(value)!r}\n" for key, value in values.items()))
        admin = Admin(Cluster(broker.address, {}))
        create(admin, planned(load_settings(config, environ={})), 2, 1)
        admin.close()
        desk = ["lapwing", "desk", "--config", str(config)]
        with running(desk, folder / "desk.log", r"the desk is at (\S+)/") as address:
            customers = [row.customer_id for row in rows]
            alone(address, customers)
            team(address, arguments.agents, arguments.seconds, customers, [row.id for row in rows])
            bulk(address)
        database.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
