"""How long after an event its warning can be read, at steady rates.

python -m benchmarks.latency [--broker kafka|embedded|HOST:PORT] [--rates 1000 10000] [--reorder 0s 250ms]

Orders and logins of known customers come at an even pace; now and then a new customer complains, which a rule
of the benchmark's own answers with a warning. What is measured begins when the complaint is handed to the
producer and ends when a consumer of the warnings topic has it: twice through the broker and once the worker.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiokafka  # type: ignore[import-untyped]  # ships no types
import numpy as np

from benchmarks.jobs import ROOT
from benchmarks.throughput import broker
from lapwing.demo.broker import SESSION_TIMEOUT_S

PROBE: Final = """\
version: 1
rules:
  - id: latency-probe
    title: A customer complained
    when: open_complaints >= 1
    tier: low
    reason: service
"""
TICK_S: Final = 0.005
PROBES_A_SECOND: Final = 40
CUSTOMERS: Final = 10_000
SETTLE_S: Final = 8.0
"""What comes until then, with the worker's start in it, is not measured."""


@dataclass(frozen=True, slots=True)
class Latencies:
    """What was measured at one rate."""

    rate: int
    """Events a second that were asked for."""
    sent: float
    """Events a second that were sent."""
    reorder: str
    milliseconds: list[float]
    """From the complaint to its warning, one for each."""
    missing: int
    """Complaints whose warning never came."""


@contextmanager
def worker(address: str, app: str, reorder: str, folder: Path, partitions: int) -> Iterator[str]:
    """Run a worker with topics of its own, and yield the prefix of their names."""
    rules = folder / "rules"
    shutil.copytree(ROOT / "warning_rules", rules)
    (rules / "latency.yaml").write_text(PROBE)
    environment = {
        **os.environ,
        "LAPWING_BROKER": address,
        "LAPWING_APP": app,
        "LAPWING_REORDER": reorder,
        "LAPWING_RULES": str(rules),
        "LAPWING_CHECKPOINTS": str(folder / "checkpoints"),
        "LAPWING_SESSION_TIMEOUT": f"{SESSION_TIMEOUT_S:.0f}s",
    }
    command = [sys.executable, "-m", "lapwing"]
    subprocess.run(
        [*command, "topics", "--partitions", str(partitions)],
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen([*command, "worker"], env=environment, stdout=log, stderr=log)
        try:
            yield app
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _event(kind: str, customer: str, number: int, **more: object) -> tuple[bytes, bytes, float]:
    now = time.time()
    event = {
        "event_id": f"e{number:010d}",
        "customer_id": customer,
        "occurred_at": datetime.fromtimestamp(now, UTC).isoformat(),
        **more,
    }
    return customer.encode(), json.dumps(event).encode(), now


async def measure(address: str, rate: int, reorder: str, seconds: float, app: str) -> Latencies:
    """Send events at `rate` and read the warnings."""
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=address, acks=1, linger_ms=0)
    consumer = aiokafka.AIOKafkaConsumer(
        "churn-warnings", bootstrap_servers=address, auto_offset_reset="latest", fetch_max_wait_ms=100
    )
    await producer.start()
    await consumer.start()
    await consumer.getmany(timeout_ms=100)
    asked: dict[str, float] = {}
    took: dict[str, float] = {}

    async def read() -> None:
        async for record in consumer:
            now, customer = time.time(), record.key.decode()
            if customer in asked and customer not in took:
                took[customer] = (now - asked[customer]) * 1e3

    reading = asyncio.create_task(read())
    sending = asyncio.create_task(_send(producer, rate, seconds, app, asked))
    sent = await sending
    await asyncio.sleep(3.0)
    reading.cancel()
    await producer.stop()
    await consumer.stop()
    return Latencies(rate, sent, reorder, list(took.values()), len(asked) - len(took))


async def _send(producer: Any, rate: int, seconds: float, app: str, asked: dict[str, float]) -> float:
    begun = time.time()
    number = probes = 0
    while (passed := time.time() - begun) < SETTLE_S + seconds:
        due = int(passed * rate)
        for i in range(number, due):
            customer = f"c{i * 7919 % CUSTOMERS:06d}"
            if i % 3:
                key, value, _ = _event("login", customer, i, channel="web")
                await producer.send("logins", value, key=key)
            else:
                key, value, _ = _event("order", customer, i, order_id=f"o{i}", amount=10.5, currency="EUR")
                await producer.send("orders", value, key=key)
        number = due
        while probes < passed * PROBES_A_SECOND:
            customer = f"{app}-p{probes:06d}"
            key, value, at = _event("complaint", customer, number + probes, complaint_id=f"k{probes}")
            await producer.send("complaints", value, key=key)
            if passed > SETTLE_S:
                asked[customer] = at
            probes += 1
        await asyncio.sleep(TICK_S)
    return number / (time.time() - begun)


def table(results: list[Latencies]) -> str:
    """Return the results as a table."""
    lines = [
        f"{'events/s':>9}{'sent':>9}{'reorder':>9}{'p50 ms':>8}{'p90 ms':>8}{'p99 ms':>8}"
        f"{'worst':>8}{'n':>7}{'missing':>9}"
    ]
    for r in results:
        p50, p90, p99 = np.percentile(r.milliseconds, [50, 90, 99]) if r.milliseconds else (np.nan,) * 3
        lines.append(
            f"{r.rate:>9,}{r.sent:>9,.0f}{r.reorder:>9}{p50:>8.0f}{p90:>8.0f}{p99:>8.0f}"
            f"{max(r.milliseconds, default=np.nan):>8.0f}{len(r.milliseconds):>7,}{r.missing:>9}"
        )
    return "\n".join(lines)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--broker", default="kafka", help="kafka (the default), embedded, or HOST:PORT")
    parser.add_argument("--rates", type=int, nargs="+", default=[1_000, 10_000], help="events a second")
    parser.add_argument("--reorder", nargs="+", default=["0s", "250ms"])
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each is measured")
    arguments = parser.parse_args()
    results = []
    for reorder in arguments.reorder:
        for rate in arguments.rates:
            print(f"{rate:,} events/s, reorder {reorder}", file=sys.stderr)
            # A broker of its own for each, as the topics have no room for two.
            with broker(arguments.broker) as address, tempfile.TemporaryDirectory() as made:
                app = f"latency-{rate}-{reorder}"
                with worker(address, app, reorder, Path(made), arguments.partitions):
                    results.append(asyncio.run(measure(address, rate, reorder, arguments.seconds, app)))
    print(f"{CUSTOMERS:,} customers, {arguments.partitions} partitions, broker {arguments.broker}")
    print(table(results))
    return 1 if any(r.missing or not r.milliseconds for r in results) else 0


if __name__ == "__main__":
    sys.exit(main())
