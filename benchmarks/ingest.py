"""The intake of webhooks: signed deliveries a second and their latencies, beside a plain route.

python -m benchmarks.ingest [--seconds 20] [--clients 32] [--broker 127.0.0.1:9092]

Each client sends one delivery after the other over a connection of its own, all of them from one process; the
broker is the embedded one unless one is named. The plain route, of the same
web server, reads the body and answers. Intake, broker and clients share this machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import re
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from benchmarks.servers import running
from consumers.broker.client import Admin, Cluster
from consumers.broker.topics import create
from consumers.loop import Stop
from consumers.web.server import serve
from lapwing.demo.broker import EmbeddedBroker
from lapwing.settings.settings import load_settings
from lapwing.topic_plan import planned
from tests.consumers.ingest.signers import SECRETS, signed

MAPPING: Final = """\
version: 1
sources:
  app:
    webhook: signed
    events:
      - to: logins
        fields:
          {event_id: _webhook.id, customer_id: who, occurred_at: at, channel: {path: device, lower: true}}
"""
WARM_UP_S: Final = 2.0


def delivery(number: int) -> tuple[bytes, dict[str, str]]:
    """Return a login, signed as the sender does."""
    now = time.time()
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    login = {"who": f"c-{number % 5_000}", "at": at, "device": "Phone", "note": "x" * 200}
    body = json.dumps(login).encode()
    return body, signed(body, SECRETS["signed"], id_=f"d-{number}", at_s=now)


async def client(host: str, port: int, numbers: Iterator[int], until: float) -> list[float]:
    """Send deliveries over one connection, and return how long each took; anything but 200 ends the run."""
    reader, writer = await asyncio.open_connection(host, port)
    times: list[float] = []
    while time.perf_counter() < until:
        body, headers = delivery(next(numbers))
        lines = ["POST /hooks/app HTTP/1.1", f"host: {host}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        began = time.perf_counter()
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = await reader.readuntil(b"\r\n\r\n")
        size = re.search(rb"content-length: (\d+)", head)
        answer = await reader.readexactly(int(size[1]) if size else 0)
        if b" 200 " not in head.partition(b"\r\n")[0]:
            raise SystemExit((head + answer).decode(errors="replace"))
        times.append(time.perf_counter() - began)
    writer.close()
    return times


async def measured(address: str, clients: int, seconds: float) -> list[float]:
    """Return how long each request of all clients took."""
    host, _, port = address.rpartition(":")
    numbers = itertools.count(time.time_ns() % 1_000_000_000)
    for length in (WARM_UP_S, seconds):
        until = time.perf_counter() + length
        found = await asyncio.gather(*(client(host, int(port), numbers, until) for _ in range(clients)))
    return [each for times in found for each in times]


def row(name: str, times: Sequence[float], seconds: float) -> str:
    """Return a line of the table."""
    cuts = statistics.quantiles(times, n=100)
    middle, late, latest = (1000 * cuts[n - 1] for n in (50, 95, 99))
    return f"{name:<22}{len(times) / seconds:>10,.0f}{middle:>10.1f}{late:>10.1f}{latest:>10.1f}"


def serve_plain() -> None:
    """Serve a route that reads the body, until a stop."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/hooks/app")
    async def hook(request: Request) -> Response:
        await request.body()
        return JSONResponse({"result": "taken"})

    with Stop() as stop:
        serve(app, "127.0.0.1", 0, stop, lambda address: print(f"at {address}", flush=True))


def main() -> None:
    """Measure both and print the table."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    arguments.add_argument("--seconds", type=float, default=20.0)
    arguments.add_argument("--clients", type=int, default=32)
    arguments.add_argument("--broker")
    arguments.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.plain:
        serve_plain()
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = given.broker or stack.enter_context(EmbeddedBroker()).address
        (folder / "inputs.yaml").write_text(MAPPING)
        (folder / "secrets").write_text(f"app={SECRETS['signed']}")
        (folder / "secrets").chmod(0o600)
        admin = Admin(Cluster(broker))
        create(admin, planned(load_settings(environ={})), 6, 1)
        admin.close()
        (folder / "lapwing.toml").write_text(
            f'broker = "{broker}"\ninputs = "{folder / "inputs.yaml"}"\ningest_listen = "127.0.0.1:0"\n'
            'metrics_listen = "none"\n'
        )
        environ = os.environ | {"LAPWING_INGEST_SECRETS_FILE": str(folder / "secrets")}
        intake = ["lapwing", "ingest", "--config", str(folder / "lapwing.toml")]
        plain = ["benchmarks.ingest", "--plain"]
        print(f"{given.clients} clients, {given.seconds:.0f} s    a second    50 % ms    95 % ms    99 % ms")
        for name, words in (("a plain route", plain), ("signed deliveries", intake)):
            with running(words, folder / f"{words[0]}.log", r"at http://(\S+?)/", environ) as address:
                times = asyncio.run(measured(address, given.clients, given.seconds))
            print(row(name, times, given.seconds))


if __name__ == "__main__":
    main()
