"""Each process works with the rights of its own and no others, on an Apache Kafka that allows no more."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
import urllib3
from kafka import KafkaAdminClient  # type: ignore[import-untyped]  # kafka-python ships no types
from kafka.admin import (  # type: ignore[import-untyped]  # the same
    ACL,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourceType,
)

from consumers.broker.client import Admin, Cluster, Producer
from lapwing.access_plan import PROCESSES, Operation, Resource, Right, rights
from lapwing.mapped_topics import followed_topics
from lapwing.settings.settings import Settings, load_settings
from lapwing.settings.values import PREFIX
from streams.contract.examples import EXAMPLES
from streams.core.events.topics import Topic
from streams.inputs.contract_fields import required
from tests.consumers.ingest.signers import SECRETS, signed
from tests.integration.workers import consume
from tests.servers import Server, ServerAbsent

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.timeout(600),
    # kafka-python leaves the sockets of failed handshakes to the garbage collector.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <(ssl.SSLSocket|socket.socket)"),
]

WITHIN_S: Final = 120.0
FOLLOWED: Final = "others"
"""A topic of others, which an importer follows."""
RARELY: Final = {
    ("worker", "Read", "churn-warnings"),  # after a crash
    ("worker", "Read", "segment-warnings"),  # where a judge begins with warnings that are open
    ("worker", "Read", "shop.rejected"),
    ("worker", "Write", "churn-scores"),  # at a sweep after a model is ready, which no event brings here
    ("learner", "Read", "shop-models"),  # at its next start
    ("learner", "Write", "lapwing-control"),  # where a challenger wins
    ("desk", "Write", "actions"),  # nobody clicks here
    ("desk", "Write", "lapwing-silences"),
    # It asks where these end, for which its client may fetch a record or not.
    *(
        ("desk", "Read", name)
        for name in ("churn-census", "churn-outcomes", "churn-warnings", "segment-warnings")
    ),
    *(("desk", "Read", name) for name in ("shop-samples", "shop.customer-days", "others")),
}
"""Rights for what this run does not come to."""
RULES: Final = """\
version: 1
rules:
  - {id: any, title: Any, status: active, when: orders_total > 0, tier: high, reason: test, message: any}
segments:
  - {id: many, by: region, when: orders_7d > 2, tier: low, reason: test}
"""
LOGGED: Final = re.compile(
    r"Principal = User:(?P<user>\S+) is (?P<verdict>Allowed|Denied) operation = (?P<operation>\w+) from host "
    r"= \S+ on resource = (?P<resource>\w+):LITERAL:(?P<name>\S+)"
)


@dataclass
class Installation:
    """A secured broker, a user for each process, and their settings."""

    folder: Path
    open_address: str
    listeners: dict[str, Any]
    settings: Settings
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def environment(self, user: str) -> dict[str, str]:
        secret = self.folder / f"{user}.password"
        secret.write_text(self.listeners["users"][user] + "\n")
        secret.chmod(0o600)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        return kept | {
            "PYTHONUNBUFFERED": "1",
            f"{PREFIX}CONFIG": str(self.folder / "lapwing.toml"),
            f"{PREFIX}BROKER": self.listeners["addresses"]["SASL_SSL"],
            f"{PREFIX}SECURITY_PROTOCOL": "SASL_SSL",
            f"{PREFIX}SASL_MECHANISM": "PLAIN",
            f"{PREFIX}SASL_USERNAME": user,
            f"{PREFIX}SASL_PASSWORD_FILE": str(secret),
            f"{PREFIX}SSL_CAFILE": self.listeners["ca"],
            f"{PREFIX}ERASURE_KEY": "a key of sixteen or more",
        }

    def run(self, user: str, *words: str, code: int | None = 0) -> str:
        """Run a command to its end as a user, and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "lapwing", *words],
            cwd=self.folder,
            env=self.environment(user),
            capture_output=True,
            text=True,
            check=False,
            timeout=WITHIN_S,
        )
        assert code is None or done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def feed(self) -> None:
        """Write the events of a shop to the topics, as a source of events that may do so."""
        environment = self.environment("nobody") | {f"{PREFIX}SECURITY_PROTOCOL": "PLAINTEXT"}
        command = ["simulate", "--customers", "50", "--days", "100", "--broker", self.open_address]
        done = subprocess.run(
            [sys.executable, "-m", "lapwing", *command],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=WITHIN_S,
        )
        assert done.returncode == 0, done.stderr
        producer = Producer(Cluster(self.open_address))
        producer.send("logins", b"c1", b"not JSON")
        producer.flush()
        producer.close()

    def start(self, user: str, *words: str, environ: Mapping[str, str] | None = None) -> None:
        with (self.folder / f"{user}.log").open("ab") as log:
            self.processes[user] = subprocess.Popen(
                [sys.executable, "-m", "lapwing", *words],
                cwd=self.folder,
                env=self.environment(user) | dict(environ or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def log(self, user: str) -> str:
        return (self.folder / f"{user}.log").read_text(errors="replace")

    def wait(self, reached: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not reached():
            for user, process in self.processes.items():
                assert process.poll() is None, f"{user} has ended: {self.log(user)[-3_000:]}"
            assert time.monotonic() < deadline, f"not within {WITHIN_S:.0f} s: {what}"
            time.sleep(0.2)

    def stop(self, user: str) -> None:
        process = self.processes.pop(user)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, self.log(user)[-3_000:]

    def judged(self) -> tuple[dict[str, set[Right]], dict[str, set[str]]]:
        """Return by user what the broker has allowed, and what it has denied."""
        allowed: dict[str, set[Right]] = {}
        denied: dict[str, set[str]] = {}
        for line in (self.folder / "data" / "kafka.log").read_text(errors="replace").splitlines():
            if not (found := LOGGED.search(line)):
                continue
            if found["verdict"] == "Denied":
                denied.setdefault(found["user"], set()).add(
                    f"{found['operation']} {found['resource']} {found['name']}"
                )
                continue
            operation = found["operation"].title().replace("_", "").replace("configs", "Configs")
            if found["resource"] in ("Topic", "Group") and operation in set(Operation):
                right = Right(Resource(found["resource"].lower()), found["name"], Operation(operation))
                allowed.setdefault(found["user"], set()).add(right)
        return allowed, denied


def grant(address: str, wanted: dict[str, tuple[Right, ...]]) -> None:
    """Write the access control lists, as somebody who may do everything."""
    kinds = {Resource.TOPIC: ResourceType.TOPIC, Resource.GROUP: ResourceType.GROUP}
    operations = {
        Operation.READ: ACLOperation.READ,
        Operation.WRITE: ACLOperation.WRITE,
        Operation.CREATE: ACLOperation.CREATE,
        Operation.DESCRIBE: ACLOperation.DESCRIBE,
        Operation.DESCRIBE_CONFIGS: ACLOperation.DESCRIBE_CONFIGS,
    }
    admin = KafkaAdminClient(bootstrap_servers=address)
    made = admin.create_acls(
        [
            ACL(
                principal=f"User:{user}",
                host="*",
                operation=operations[right.operation],
                permission_type=ACLPermissionType.ALLOW,
                resource_pattern=ResourcePattern(kinds[right.resource], right.name),
            )
            for user, each in wanted.items()
            for right in each
        ]
    )
    admin.close()
    assert not made["failed"]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("access")
    file = folder / "secure.json"
    users = ",".join([*PROCESSES, "nobody"])
    try:
        server = Server(
            *("kafka", "--data", str(folder / "data"), "--secure", str(file), "--heap", "512m"),
            *("--users", users),
        )
    except ServerAbsent as reason:
        pytest.skip(f"no Apache Kafka: {reason}")
    (folder / "rules.yaml").write_text(RULES)
    config = folder / "lapwing.toml"
    config.write_text(
        f'app = "shop"\ndatabase = "sqlite:///{folder / "lapwing.db"}"\nrules = "{folder / "rules.yaml"}"\n'
        f'checkpoints = "{folder / "checkpoints"}"\ncheckpoint_every = "1s"\nsession_timeout = "6s"\n'
        'learner = "shared"\nscore_step = 0.01\ndesk_listen = "127.0.0.1:0"\n'
        f'import_inputs = "{folder / "follow.yaml"}"\n'
        'horizon = "14d"\ndecide_every = "1d"\nmin_positives = 5\n'
    )
    (folder / "follow.yaml").write_text(mapping_of_all(f"topic: {FOLLOWED}"))
    settings = load_settings(config, environ={})
    made = Installation(folder, server.address, json.loads(file.read_text()), settings)
    admin = Admin(Cluster(server.address))
    admin.create(FOLLOWED, 2, 1, {})
    admin.close()
    grant(server.address, given(settings))
    yield made
    for user in list(made.processes):
        made.processes[user].kill()
        made.processes.pop(user).wait()
    server.stop()


def given(settings: Settings) -> dict[str, tuple[Right, ...]]:
    """Return the rights of each process, those of an importer included."""
    return dict(rights(settings, None, followed_topics(settings)))


def mapping_of_all(origin: str) -> str:
    """Return a file of inputs whose source brings events of each topic of the contract."""
    events = "".join(
        f"      - to: {topic.label}\n        where: {{to: {topic.label}}}\n"
        f"        fields: {{{', '.join(f'{name}: {name}' for name in required(topic))}}}\n"
        for topic in Topic
    )
    return f"version: 1\nsources:\n  app:\n    {origin}\n    events:\n{events}"


def import_to_each_topic(at: Installation) -> None:
    """Let the importer write an event to each topic of the contract, and one that is refused."""
    producer = Producer(Cluster(at.open_address))
    for topic in Topic:
        record = EXAMPLES[topic] | {"to": topic.label, "event_id": f"import-{topic.label}"}
        producer.send(FOLLOWED, b"any", json.dumps(record).encode())
    producer.send(FOLLOWED, b"any", b"no json")
    producer.flush()
    producer.close()
    at.start("importer", "import", "--follow")
    admin = Admin(Cluster(at.open_address))
    at.wait(lambda: sum(admin.committed("shop-import").values()) == len(Topic) + 1, "all is imported")
    admin.close()


def send_to_each_topic(at: Installation) -> None:
    """Let the intake write an event to each topic of the contract, and one that is refused."""
    file = at.folder / "hooks.yaml"
    file.write_text(mapping_of_all("webhook: signed"))
    secret = at.folder / "hooks.secret"
    secret.write_text(f"app={SECRETS['signed']}")
    secret.chmod(0o600)
    at.start(
        *("intake", "ingest", "--inputs", str(file), "--ingest-listen", "127.0.0.1:0"),
        environ={f"{PREFIX}INGEST_SECRETS_FILE": str(secret)},
    )
    address = re.compile(r"webhooks are taken at (\S+)")
    at.wait(lambda: address.search(at.log("intake")), "the intake is there")
    found = address.search(at.log("intake"))
    assert found is not None
    deliveries = [EXAMPLES[topic] | {"to": topic.label} for topic in Topic]
    with urllib3.PoolManager() as pool:
        at.wait(
            lambda: pool.request("GET", f"{found[1].removesuffix('hooks/')}readyz").status == 200, "ready"
        )
        for number, content in enumerate([*deliveries, {"to": "logins"}]):
            body = json.dumps(content | {"event_id": f"hook-{number}"}).encode()
            headers = signed(body, SECRETS["signed"], id_=f"d-{number}", at_s=time.time())
            answer = pool.request("POST", f"{found[1]}app", body=body, headers=headers)
            assert answer.status == 200, answer.data
            assert json.loads(answer.data)["result"] == ("taken" if number < len(deliveries) else "refused")


def test_each_process_works_with_exactly_its_rights(installation: Installation) -> None:
    at = installation
    assert "orders" in at.run("topics", "topics", "--partitions", "2")
    at.feed()
    at.start("learner", "learn")
    at.start("worker", "worker", "--flush-after", "300ms")
    for topic in ("churn-warnings", "segment-warnings", "shop-models"):
        at.wait(partial(consume, at.open_address, topic, 1, 2), topic)
    at.run("sink", "sink", "--no-follow")
    at.start("desk", "desk")
    address = re.compile(r"the desk is at (\S+)/")
    at.wait(lambda: address.search(at.log("desk")), "the desk is there")
    found = address.search(at.log("desk"))
    assert found is not None
    with urllib3.PoolManager() as pool:
        for page in ("/", "/operations", "/silences"):
            assert pool.request("GET", found[1] + page).status == 200
    assert "sent" in at.run("act", "act", "-", "contact", "--customer", "c1", "--by", "ann")
    send_to_each_topic(at)
    import_to_each_topic(at)
    at.run("silence", "silence", "add", "--rule", "any", "--for", "1d", "--by", "ann", "--reason", "test")
    assert "any" in at.run("silence", "silence", "list")
    assert "opened" in at.run("tail", "tail", "--from-beginning", "--no-follow")
    assert "added" in at.run("audit", "rules", "audit")
    oldest = json.loads(at.run("model", "model", "list", "--json").splitlines()[0])["models"][-1]["version"]
    at.run("model", "model", "promote", oldest, "--by", "ann", "--reason", "test")
    mine = ("--for", "1d", "--by", "ann", "--reason", "on leave")
    at.run("silence", "silence", "add", "--customer", "c0000018", *mine)
    at.run("erase", "erase", "c0000018")
    at.run("doctor", "doctor", "--json", code=None)
    at.run("topics", "topics", "--check")
    for user in ("worker", "learner", "desk", "intake", "importer"):
        at.stop(user)
    allowed, denied = at.judged()
    unused = {
        (user, right.operation, right.name)
        for user, wanted in given(at.settings).items()
        for right in set(wanted) - allowed.get(user, set())
    }
    assert not denied
    assert {each for each in unused if each[0] != "doctor"} <= RARELY


def test_a_right_that_is_missing_is_named_and_no_secret_is(installation: Installation) -> None:
    at = installation
    for words in (
        ["tail", "--no-follow"],
        ["sink", "--no-follow"],
        ["worker"],
        ["learn"],
        ["import", "--follow"],
        ["act", "-", "contact", "--customer", "c1", "--by", "ann"],
        ["silence", "list"],
        ["topics", "--check"],
    ):
        text = at.run("nobody", *words, code=1)
        assert at.listeners["users"]["nobody"] not in text
        assert re.search("has no topic|topics? .*missing|denies access|missing or do not fit", text), text
    for user, password in at.listeners["users"].items():
        for log in at.folder.glob("*.log"):
            assert password not in log.read_text(errors="replace"), (user, log)
