"""Trouble that is made on purpose, and the alert that comes of it on a real Prometheus.

An alert counts as fired when its expression gives something: how long that must last is Prometheus' part, as
deploy/prometheus/alerts_test.yaml has it. The tests go one after the other, and each leaves nearly all well
again.
"""

from __future__ import annotations

import hashlib
import itertools
import resource
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from streams.core.events.topics import Topic
from tests.consumers.ingest.signers import OTHER
from tests.deploy.alerts import shipped
from tests.integration.monitoring.monitored import JOBS, Monitored
from tests.integration.workers import Sent, event, produce
from tests.lapwing.hook_samples import LOGIN

pytestmark = [pytest.mark.any_broker, pytest.mark.timeout(300)]

EXPRESSIONS: Final = {alert.name: alert.expression for alert in shipped()}
NUMBERS: Final = itertools.count(1)
FIRST: Final = datetime(2023, 6, 20, tzinfo=UTC)
"""After the last day of the simulated shop."""
CUSTOMERS: Final = [f"provoked-{number}" for number in range(8)]
"""Of both partitions."""


@pytest.fixture
def fires(installation: Monitored) -> Callable[..., None]:
    """Return what waits until an alert fires; spans and bounds may be made shorter than they are shipped."""

    def wait(name: str, *shorter: tuple[str, str], within_s: float = 60) -> None:
        expression = EXPRESSIONS[name]
        for shipped_as, short in shorter:
            assert shipped_as in expression, name
            expression = expression.replace(shipped_as, short)
        installation.prometheus.wait_for(expression, within_s=within_s)

    return wait


def ends(installation: Monitored, name: str, within_s: float = 60) -> None:
    """Wait until an alert has ended."""
    installation.prometheus.wait_for(EXPRESSIONS[name], until=lambda found: not found, within_s=within_s)


def send(installation: Monitored, topic: Topic, at: datetime, customers: list[str] = CUSTOMERS) -> None:
    """Let each of some customers do something at a time."""
    name, when = installation.stack.topic(topic), at.isoformat()
    produce(
        installation.stack.broker,
        [
            Sent(name, customer.encode(), event(topic, f"p{next(NUMBERS)}", customer, when))
            for customer in customers
        ],
    )


def test_records_that_are_refused(installation: Monitored, fires: Callable[..., None]) -> None:
    name = installation.stack.topic(Topic.ORDERS)
    produce(installation.stack.broker, [Sent(name, b"someone", b"garbage")] * 400)
    fires("LapwingRefusals")


def test_events_that_come_late(installation: Monitored, fires: Callable[..., None]) -> None:
    send(installation, Topic.LOGINS, FIRST - timedelta(days=30), CUSTOMERS * 150)
    fires("LapwingLateEvents", ("0.05", "0.01"))


def test_a_source_that_goes_quiet(installation: Monitored, fires: Callable[..., None]) -> None:
    send(installation, Topic.ORDERS, FIRST + timedelta(days=5))
    fires("LapwingSourceQuiet")
    send(installation, Topic.LOGINS, FIRST + timedelta(days=5, hours=1))
    ends(installation, "LapwingSourceQuiet")


def test_rule_files_with_a_mistake(installation: Monitored, fires: Callable[..., None]) -> None:
    file = installation.stack.rules / "rules.yaml"
    before = file.read_text()
    file.write_text(before + "  - {id: broken}\n")
    fires("LapwingRuleFilesRefused")
    file.write_text(before)
    ends(installation, "LapwingRuleFilesRefused")


def test_a_rule_that_opens_for_everybody_while_the_channel_fails(
    installation: Monitored, fires: Callable[..., None]
) -> None:
    installation.hook.statuses |= {"team": 500, "crm": 410}
    file = installation.stack.rules / "rules.yaml"
    everybody = (
        "  - {id: everybody, title: Everybody, when: orders_total > 0, tier: low, reason: silence, "
        "message: everybody}\n"
    )
    file.write_text(file.read_text() + everybody)
    installation.prometheus.wait_for("sum(lapwing_rule_sets_adopted_total) >= 2")
    send(installation, Topic.ORDERS, FIRST + timedelta(days=7))
    installation.prometheus.wait_for(f"({EXPRESSIONS['LapwingOpeningsBurst']}) and {of_rule('everybody')}")
    fires("LapwingChannelDisabled")
    fires("LapwingDeliveriesFail", ("> 2", "> 1"), ("15m", "30s"), within_s=120)
    fires("LapwingNoticesWaiting", ("900", "5"))
    installation.hook.statuses |= {"team": 200, "crm": 200}


def test_a_notifier_that_cannot_write(installation: Monitored, fires: Callable[..., None]) -> None:
    """The rule of before opens for new customers while somebody holds the database."""
    stack, notifier = installation.stack, installation.stack.processes["notify"]
    stored = "SELECT count(*) FROM warning_steps"
    notifier.send_signal(signal.SIGSTOP)
    ((before,),) = stack.stored(stored)
    send(installation, Topic.ORDERS, FIRST + timedelta(days=8), ["behind-1", "behind-2"])
    stack.wait(lambda: stack.stored(stored) > [(before,)], "their warnings are stored")
    with closing(sqlite3.connect(stack.folder / "lapwing.db", timeout=30, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        notifier.send_signal(signal.SIGCONT)
        fires("LapwingNotifierBehind", ("300", "5"))
    ends(installation, "LapwingNotifierBehind")


def of_rule(rule: str) -> str:
    """Return an expression that is there for one rule alone."""
    return f'sum by (rule) (lapwing_rule_openings_total{{rule="{rule}"}})'


def test_records_that_the_sink_cannot_read(installation: Monitored, fires: Callable[..., None]) -> None:
    name = str(installation.stack.settings["warnings_topic"])
    produce(installation.stack.broker, [Sent(name, b"someone", b"garbage")])
    fires("LapwingSinkRefuses")


def test_a_process_that_is_gone_and_one_that_keeps_restarting(
    installation: Monitored, fires: Callable[..., None]
) -> None:
    for _ in range(3):
        installation.stack.stop("sink")
        fires("LapwingDown")
        installation.start("sink")
        ends(installation, "LapwingDown")
    fires("LapwingRestarting")


def test_checkpoints_that_cannot_be_written(installation: Monitored, fires: Callable[..., None]) -> None:
    folder = installation.stack.folder / "checkpoints"
    away = folder.with_name("moved")
    folder.rename(away)
    folder.write_text("no folder")
    for hour in range(4):
        send(installation, Topic.ORDERS, FIRST + timedelta(days=41, hours=hour))
        time.sleep(2.5)  # as often as checkpoints are due
    fires("LapwingCheckpointsFail")
    fires("LapwingCheckpointOld", ("600", "5"))
    folder.unlink()
    away.rename(folder)
    installation.prometheus.wait_for(
        "time() - max by (partition) (lapwing_checkpoint_timestamp_seconds) < 4",
        until=lambda found: len(found) == 2,
    )


def test_a_process_at_the_end_of_its_files(installation: Monitored, fires: Callable[..., None]) -> None:
    desk = installation.stack.processes["desk"].pid
    before = resource.prlimit(desk, resource.RLIMIT_NOFILE)
    (found,) = installation.prometheus.query('process_open_fds{job="lapwing-desk"}')
    resource.prlimit(desk, resource.RLIMIT_NOFILE, (int(found.value * 1.1), before[1]))
    fires("LapwingFilesExhausted")
    resource.prlimit(desk, resource.RLIMIT_NOFILE, before)
    ends(installation, "LapwingFilesExhausted")


def test_strangers_at_the_desk(installation: Monitored, fires: Callable[..., None]) -> None:
    installation.stack.stop("desk")
    people = installation.stack.folder / "people.yaml"
    token = hashlib.sha256(b"hers").hexdigest()
    people.write_text(f"version: 1\npeople: [{{name: ann, role: operator, token: 'sha256:{token}'}}]\n")
    installation.start("desk", "--desk-people", str(people))
    assert {installation.ask("/api/queue", Authorization="Bearer guessed") for _ in range(30)} <= {401, 429}
    fires("LapwingSignInsRefused")


def test_webhooks_that_are_not_signed_or_no_events(
    installation: Monitored, fires: Callable[..., None]
) -> None:
    assert {installation.deliver(f"u{n}", LOGIN, OTHER["signed"]) for n in range(20)} == {401}
    fires("LapwingHooksUnsigned")
    assert {installation.deliver(f"r{n}", {**LOGIN, "at": "soon"}) for n in range(20)} == {200}
    fires("LapwingHooksRefused")


def test_a_file_of_inputs_with_mistakes(installation: Monitored, fires: Callable[..., None]) -> None:
    good = installation.inputs.read_text()
    installation.inputs.write_text(good.replace("user.id", "user..id"))
    fires("LapwingHookInputsBroken")
    installation.inputs.write_text(good)
    ends(installation, "LapwingHookInputsBroken")


def test_no_worker_and_warnings_that_come_late(installation: Monitored, fires: Callable[..., None]) -> None:
    installation.stack.stop("worker")
    fires("LapwingNoWorker")
    send(installation, Topic.ORDERS, FIRST + timedelta(days=70), [*CUSTOMERS, "late-1", "late-2"])
    time.sleep(12)  # longer than a warning may take
    installation.start("worker")
    ends(installation, "LapwingNoWorker")
    fires("LapwingWarningsLate", ("10m", "30s"))
    up = 'count(up{job=~"lapwing-.+"} == 1)'
    installation.prometheus.wait_for(up, until=lambda all_up: bool(all_up) and all_up[0].value == len(JOBS))
