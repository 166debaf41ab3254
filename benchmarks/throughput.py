"""The same job on Lapwing and on its peers, one after the other on one broker: one table with ratios.

python -m benchmarks.throughput [--broker kafka|embedded|HOST:PORT] [--customers 100000] [--events 1500000]

Lapwing runs three times: as it is, without topics for outcomes, census and customer days, and with the same
records read as a business's own, whose every field `inputs.yaml` maps. With `--processes 2` it runs once
more, as two workers under one supervisor.
Every job reads the same topics from their beginning. What is measured of Lapwing begins when every customer
is known and its model is ready; the peers' model is ready from the start, and so is what is measured of them.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.fill import fill
from benchmarks.jobs import ROOT, Job, JobFailed, Result, run
from benchmarks.peers import plain_faust, quix
from benchmarks.workload import ACTIVE, MODEL_SETTINGS, Workload
from consumers.broker.client import Admin, Cluster
from lapwing.demo.broker import SESSION_TIMEOUT_S, EmbeddedBroker
from tests.servers import Server, ServerAbsent

PEERS_PYTHON: Final = ROOT / ".cache" / "peers" / "bin" / "python"
"""An environment with `benchmarks/peers/requirements.txt`; `make bench` makes it."""
LAPWING: Final = "Lapwing"
WITHOUT: Final = "Lapwing without outcomes"
MAPPED: Final = "Lapwing, records mapped"
APP, APP_WITHOUT, APP_MAPPED = "bench", "bench-without", "bench-mapped"
INPUTS: Final = """\
version: 1
sources:
  shop-orders:
    topic: orders
    events:
      - to: orders
        fields:
          {event_id: event_id, customer_id: customer_id, occurred_at: occurred_at, order_id: order_id,
           amount: amount, currency: currency, status: status, channel: channel, category: category}
  shop-logins:
    topic: logins
    events:
      - to: logins
        fields: {event_id: event_id, customer_id: customer_id, occurred_at: occurred_at, channel: channel}
  shop-complaints:
    topic: complaints
    events:
      - to: complaints
        fields:
          {event_id: event_id, customer_id: customer_id, occurred_at: occurred_at, status: status,
           complaint_id: complaint_id, category: category, satisfaction: satisfaction}
"""


@contextmanager
def broker(name: str) -> Iterator[str]:
    """Yield the address of the broker that `--broker` names, started where it is not an address."""
    if name == "embedded":
        with EmbeddedBroker() as embedded:
            yield embedded.address
    elif name == "kafka":
        try:
            server = Server("kafka")
        except ServerAbsent as reason:
            message = f"no Apache Kafka ({reason}): try --broker embedded, or --broker HOST:PORT"
            raise SystemExit(message) from reason
        try:
            yield server.address
        finally:
            server.stop()
    else:
        yield name


def jobs(
    address: str,
    folder: Path,
    state: Path,
    partitions: int,
    peers_python: Path,
    processes: Sequence[int],
    *,
    embedded: bool,
) -> list[Job]:
    """Return the jobs, Lapwing's first; how far they are goes to `folder`, what they know to `state`."""
    # The embedded broker does not report the settings that Quix would give its changelog topic.
    plain = ["--no-changelog"] if embedded else []

    def peer(name: str, module: str, *arguments: str) -> Job:
        stats = folder / f"{re.sub('[^a-z]+', '-', name.lower())}.jsonl"
        python = str(peers_python) if peers_python.exists() else sys.executable
        command = [python, "-m", f"benchmarks.peers.{module}", address, str(stats), *arguments]
        return Job(name, command, stats)

    def lapwing(name: str, app: str, processes: int = 1, **more: str) -> Job:
        stats = folder / f"{app}.jsonl"
        command = [sys.executable, "-m", "lapwing", "worker", "--broker", address, "--app", app]
        given = MODEL_SETTINGS | ACTIVE
        settings = {f"LAPWING_{setting.upper()}": value for setting, value in given.items()}
        settings["LAPWING_CHECKPOINTS"] = str(state / f"{app}-checkpoints")
        settings["LAPWING_SESSION_TIMEOUT"] = f"{SESSION_TIMEOUT_S:.0f}s"
        arguments = ["--stats", str(stats), "--rules", str(ROOT / "warning_rules")]
        if processes > 1:
            arguments += ["--processes", str(processes)]
        return Job(name, [*command, *arguments], stats, settings | more, processes)

    return [
        lapwing(LAPWING, APP),
        *(lapwing(f"{LAPWING}, {count} processes", app_of(count), count) for count in processes),
        # Their topics do not exist, so they are neither computed nor sent.
        lapwing(
            WITHOUT,
            APP_WITHOUT,
            LAPWING_OUTCOMES_TOPIC="bench-no-outcomes",
            LAPWING_CENSUS_TOPIC="bench-no-census",
        ),
        lapwing(MAPPED, APP_MAPPED, LAPWING_INPUTS=str(folder / "inputs.yaml")),
        peer("plain Faust, dict in memory", "plain_faust"),
        peer("plain Faust, faust.Record", "plain_faust", "--record"),
        peer("plain Faust, Faust table", "plain_faust", "--table", str(partitions)),
        peer("Quix Streams, RocksDB", "quix", str(state), *plain),
    ]


def app_of(processes: int) -> str:
    """Return the name of the installation that so many processes are."""
    return f"{APP}-{processes}"


def prepare(address: str, partitions: int, processes: Sequence[int]) -> None:
    """Create the topics of all jobs."""
    for app in (APP, APP_MAPPED, *map(app_of, processes)):
        command = [sys.executable, "-m", "lapwing", "topics", "--broker", address, "--app", app]
        subprocess.run([*command, "--partitions", str(partitions)], check=True, stdout=subprocess.DEVNULL)
    admin = Admin(Cluster(address))
    try:
        for topic in (plain_faust.WARNINGS_TOPIC, quix.WARNINGS_TOPIC, f"{APP_WITHOUT}.rejected"):
            admin.create(topic, partitions, 1, {})
    finally:
        admin.close()


def table(results: list[Result]) -> str:
    """Return the results as a table."""
    lapwing = next((result.rate for result in results if result.name == LAPWING), None)
    lines = [
        f"{'':<30}{'events/s':>10}{'Lapwing is':>12}{'CPU us/event':>14}{'cores':>7}"
        f"{'events':>11}{'seconds':>9}{'steps/1000':>12}{'peak MB':>9}"
    ]
    for result in results:
        ratio = f"{lapwing / result.rate:.1f} x" if lapwing is not None else ""
        processor_us = result.processor_s / result.events * 1e6
        lines.append(
            f"{result.name:<30}{result.rate:>10,.0f}{ratio:>12}{processor_us:>14.1f}"
            f"{result.processor_s / result.seconds:>7.2f}{result.events:>11,}{result.seconds:>9.1f}"
            f"{result.steps / result.events * 1e3:>12.2f}{result.peak_bytes / 1e6:>9,.0f}"
        )
    return "\n".join(lines)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=__doc__)
    parser.add_argument("--broker", default="kafka", help="kafka (the default), embedded, or HOST:PORT")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_500_000, help="measured, after the warm-up")
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20.0, help="the longest that is measured of a job")
    parser.add_argument(
        "--processes", type=int, nargs="+", default=[], help="also as so many workers, as with 2 4"
    )
    parser.add_argument("--only", nargs="+", default=[""], help="jobs whose names contain one of these")
    parser.add_argument("--peers-python", type=Path, default=PEERS_PYTHON)
    parser.add_argument("--logs", type=Path, help="keep the jobs' output and progress in this folder")
    arguments = parser.parse_args()
    if any(not 2 <= count <= arguments.partitions for count in arguments.processes):
        parser.error("--processes: 2 or more, and no more than there are --partitions")
    if not arguments.peers_python.exists():
        print("the peers have no environment (make bench makes it): Quix is left out", file=sys.stderr)
    workload = Workload(arguments.customers)
    total = workload.warm_up + arguments.events
    results = []
    with broker(arguments.broker) as address, tempfile.TemporaryDirectory(prefix="lapwing-bench-") as made:
        folder = arguments.logs or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "inputs.yaml").write_text(INPUTS)
        prepare(address, arguments.partitions, arguments.processes)
        fill(address, workload, total, arguments.partitions, _say_filled)
        print(file=sys.stderr)
        embedded = arguments.broker == "embedded"
        planned = jobs(
            address,
            folder,
            Path(made),
            arguments.partitions,
            arguments.peers_python,
            arguments.processes,
            embedded=embedded,
        )
        for job in planned:
            if not any(word.lower() in job.name.lower() for word in arguments.only):
                continue
            print(f"running {job.name}", file=sys.stderr)
            after = workload.warm_up if job.name.startswith(LAPWING) else 1
            log = job.stats.with_suffix(".log")
            try:
                results.append(run(job, total, after=after, seconds=arguments.seconds, log=log))
            except JobFailed as reason:
                print(reason, file=sys.stderr)
    print(f"{arguments.customers:,} customers, {arguments.partitions} partitions, broker {arguments.broker}")
    print(table(results))
    return 0 if results else 1


def _say_filled(done: int, count: int) -> None:
    print(f"\rfilling the topics: {done:,} of {count:,} events", end="", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
