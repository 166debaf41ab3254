"""`lapwing worker --processes N`: what dies comes back, what cannot start ends it, and all end together."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from consumers.broker.client import Admin, Cluster
from consumers.loop import Stop
from lapwing.lag import lag_line, offsets
from lapwing.settings.settings import load_settings
from lapwing.supervision.supervisor import Supervisor
from lapwing.supervision.worker_process import WorkerProcess
from tests.integration.desk.stack import LAPWING, RULES, Stack, running_stack
from tests.integration.workers import consume

WITHIN_S: Final = 90.0
SHOP: Final = ("--customers", "60", "--days", "100", "--seed", "5")

pytestmark = pytest.mark.timeout(400)


class WorkersStack(Stack):
    """A stack whose worker is three."""

    def start(self, name: str, *words: str) -> None:
        if name == "sink":
            return
        more = ("--processes", "3", "--metrics-listen", "127.0.0.1:0", "--log-format", "json")
        super().start(name, *words, *more)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log("worker").splitlines()]

    def ask(self, path: str) -> tuple[int, str]:
        found = re.findall(r"metrics at (http://\S+)/metrics", self.log("worker"))
        try:
            with urllib.request.urlopen(found[0] + path, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def values(self, name: str) -> dict[str, float]:
        """Return the sums of a metric by worker."""
        found: dict[str, float] = {}
        for family in text_string_to_metric_families(self.ask("/metrics")[1]):
            for sample in family.samples:
                if sample.name == name:
                    worker = sample.labels["worker"]
                    found[worker] = found.get(worker, 0.0) + sample.value
        return found


class NoProcess(Stack):
    """A stack that starts nothing."""

    FIRST = ()


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gone(pid: int) -> bool:
    """Return whether a process has ended, its parent's knowledge of it aside."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@contextmanager
def workers(folder: Path, broker: str) -> Iterator[WorkersStack]:
    with running_stack(folder, broker, WorkersStack, checkpoint_every="1s") as stack:
        assert isinstance(stack, WorkersStack)
        stack.wait(lambda: "metrics at " in stack.log("worker"), "the endpoint is there")
        yield stack


def wait(reached: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not reached():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def test_a_killed_worker_comes_back_and_the_warnings_are_those_of_a_replay(
    broker: str, tmp_path: Path
) -> None:
    with workers(tmp_path, broker) as stack:
        supervisor = stack.processes["worker"].pid
        stack.wait(lambda: stack.ask("/readyz")[0] == 200, "all are ready", WITHIN_S)
        assert set(stack.values("lapwing_worker_up")) == {"0", "1", "2"}
        # Two partitions: one of three has none, and logs it.
        waiting = "assigned partitions=none: others have all, this one waits"
        stack.wait(lambda: any(line["message"] == waiting for line in stack.lines()), "a standby")
        assert sorted(stack.values("lapwing_partitions_assigned").values()) == [0, 1, 1]
        stack.run("simulate", *SHOP, "--out", str(tmp_path / "events.jsonl"))
        stack.run("simulate", *SHOP, "--broker", broker)
        wait(lambda: sum(stack.values("lapwing_steps_total").values()) > 0, "there are warnings")
        busy = max((n, worker) for worker, n in stack.values("lapwing_events_total").items())[1]
        # They were started in the order of their numbers.
        victim = sorted(children(supervisor))[int(busy)]
        os.kill(victim, signal.SIGKILL)
        wait(lambda: sum(stack.values("lapwing_worker_restarts_total").values()) == 1, "it is started again")
        stack.wait(lambda: stack.ask("/readyz")[0] == 200, "all are ready again", WITHIN_S)
        assert stack.ask("/healthz")[0] == 200
        topic = str(stack.settings["warnings_topic"])
        replayed = tmp_path / "replayed.jsonl"
        config = load_settings(stack.config, environ={})
        stack.run(
            *("replay", str(tmp_path / "events.jsonl"), "--out", str(replayed), "--partitions", "2"),
        )
        expected = [json.loads(line)["id"] for line in replayed.read_text().splitlines()]
        found = [json.loads(record.value)["id"] for record in consume(broker, topic, len(expected))]
        assert sorted(found) == sorted(expected)
        assert expected
        wait(lambda: not sum(stack.values("lapwing_lag_records").values()), "nothing is left to read")
        last = children(supervisor)
        assert stack.stop("worker") == 0
        assert all(gone(pid) for pid in last)
        with closing(Admin(Cluster(broker))) as admin:
            behind = lag_line(config, offsets(config, admin.partitions()), {})
        assert behind == "the workers have saved all that the topics hold"
        assert {line.get("worker") for line in stack.lines()} == {None, 0, 1, 2}


def test_a_worker_that_stands_still_is_killed_and_started_again(broker: str, tmp_path: Path) -> None:
    with running_stack(tmp_path, broker, NoProcess) as stack:
        command = [*LAPWING, "worker", "--config", str(stack.config)]
        child = WorkerProcess(0, command, ask_every_s=0.5, most_unwell=3)
        stop = Stop()
        supervisor = threading.Thread(target=Supervisor([child], stop).run)
        supervisor.start()
        try:
            wait(lambda: child.was_ready, "it is ready")
            first = child.pid
            assert first is not None
            os.kill(first, signal.SIGSTOP)
            wait(lambda: child.starts == 2 and not child.reasons("/readyz"), "it is started again")
            assert gone(first)
            assert child.exit_code == -signal.SIGKILL
        finally:
            stop.ask()
            supervisor.join(WITHIN_S)
        assert not supervisor.is_alive()
        assert child.exit_code == 0


def test_without_their_supervisor_workers_end(broker: str, tmp_path: Path) -> None:
    with workers(tmp_path, broker) as stack:
        supervisor = stack.processes["worker"].pid
        stack.wait(lambda: len(children(supervisor)) == 3, "all are started")
        left = children(supervisor)
        stack.wait(lambda: stack.ask("/readyz")[0] == 200, "all are ready", WITHIN_S)
        assert stack.stop("worker", signal.SIGKILL) == -signal.SIGKILL
        try:
            wait(lambda: all(gone(pid) for pid in left), "they go on")
        finally:
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("rules", "words", "reason"),
    [
        (RULES.replace("orders_30d", "orders_3d"), (), "ended with code 1 3 times in a row"),
        (RULES, ("--session-timeout", "1ms"), "--session-timeout"),
        (RULES, ("--dry-run",), "--processes goes with neither"),
    ],
)
def test_what_cannot_start_ends_with_an_error(
    tmp_path: Path, rules: str, words: tuple[str, ...], reason: str
) -> None:
    (tmp_path / "rules.yaml").write_text(rules)
    command = [*LAPWING, "worker", "--processes", "2", "--rules", "rules.yaml"]
    done = subprocess.run(
        [*command, "--metrics-listen", "none", *words],
        cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode in (1, 2)
    assert reason in done.stderr.splitlines()[-1]
