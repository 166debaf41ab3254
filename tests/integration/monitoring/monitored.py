"""An installation with all its processes, and a Prometheus that scrapes them."""

from __future__ import annotations

import base64
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from lapwing.demo.broker import free_port
from lapwing.settings.values import PREFIX
from tests.consumers.ingest.signers import SECRETS, signed
from tests.integration.desk.stack import Stack, running_stack
from tests.lapwing.hook_samples import mappings
from tests.prometheus import Prometheus, Scrape

JOBS: Final = {
    "worker": "lapwing-worker",
    "learn": "lapwing-learner",
    "sink": "lapwing-sink",
    "notify": "lapwing-notifier",
    "desk": "lapwing-desk",
    "ingest": "lapwing-intake",
}
"""The job of each command, as deploy/prometheus/prometheus.yaml has it."""


class Hook:
    """A receiver of notices, which answers each channel with a status of choice."""

    def __init__(self) -> None:
        self.statuses = {"team": 200, "crm": 200}
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(hook.statuses[self.path.strip("/")])
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Bare(Stack):
    """A stack without processes."""

    FIRST = ()

    def _environment(self) -> dict[str, str]:
        secret = base64.b64encode(bytes(range(32))).decode()
        return {
            **super()._environment(),
            f"{PREFIX}WEBHOOK_SECRETS": f"crm=whsec_{secret}",
            f"{PREFIX}INGEST_SECRETS": f"app={SECRETS['signed']}",
        }


class Monitored:
    """The installation: its processes by their command, each with its own port for metrics."""

    def __init__(self, stack: Stack, hook: Hook) -> None:
        self.stack = stack
        self.hook = hook
        self.desk = ""
        self.prometheus: Prometheus
        self.ports = {command: free_port() for command in JOBS}
        self.inputs = stack.folder / "inputs.yaml"
        self.inputs.write_text(mappings()["signed"])
        self._hooks = f"127.0.0.1:{free_port()}"

    def start(self, command: str, *words: str) -> None:
        """Start a process, with the port that it had before."""
        listen = ("--metrics-listen", f"127.0.0.1:{self.ports[command]}", *words)
        if command == "desk":
            self.desk = self.stack.serve("desk", *listen)
            return
        own = {
            "worker": ("--flush-after", "500ms"),
            "notify": ("--follow",),
            "ingest": ("--inputs", str(self.inputs), "--ingest-listen", self._hooks),
        }.get(command, ())
        self.stack.start(command, *own, *listen)

    def deliver(self, id_: str, content: Mapping[str, object], secret: str = SECRETS["signed"]) -> int:
        """Send the intake a webhook; return the status of the answer."""
        body = json.dumps(content).encode()
        headers = signed(body, secret, id_=id_, at_s=time.time())
        request = urllib.request.Request(f"http://{self._hooks}/hooks/app", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code

    def ask(self, path: str, **headers: str) -> int:
        """Ask the desk for a page; return the status of the answer."""
        request = urllib.request.Request(self.desk + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code


@contextmanager
def monitored(folder: Path, broker: str, scrape: Scrape) -> Iterator[Monitored]:
    """Yield an installation whose processes all run and are scraped."""
    hook = Hook()
    more: dict[str, object] = {
        "learner": "shared",
        "decide_every": "1d",
        "quiet_after": "logins=10d",
        "notify_urls": f"team=json://{hook.place}/team",
        "webhook_urls": f"crm=http://{hook.place}/crm",
    }
    try:
        with running_stack(folder, broker, Bare, **more) as stack:
            installation = Monitored(stack, hook)
            for command in JOBS:
                installation.start(command)
            installation.prometheus = scrape(
                {job: [f"127.0.0.1:{installation.ports[command]}"] for command, job in JOBS.items()}
            )
            yield installation
    finally:
        hook.close()
