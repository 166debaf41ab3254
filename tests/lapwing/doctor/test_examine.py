import json
import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from consumers.broker.records import Record
from consumers.broker.topics import TopicState
from consumers.database.database import Database
from consumers.database.migrations.runner import newest_version
from consumers.desk.installation import ProcessState
from consumers.erasure import erase_from_store
from lapwing.cli.doctor import command
from lapwing.doctor.check import CheckOutcome
from lapwing.doctor.examine import CHECKS, examine
from lapwing.doctor.installation import Installation
from lapwing.lag import Offsets, Unread, lag_line
from lapwing.settings.settings import load_settings
from streams.checkpoints.store import CheckpointManifest, CheckpointStore
from streams.contract.audit import encode_adopted
from streams.contract.decode import decode_lines
from streams.contract.erasures import ErasureKey, ErasureRequest, encode_erasure
from streams.contract.models import CHAMPION, encode_choice
from streams.contract.rejected import RefusalReason, rejected_headers
from streams.contract.warnings import encode_notice
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.calendar import DAY as DAY_US
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule_set import RuleSet
from streams.core.state_tables import tables
from streams.core.steps import OperationsNotice
from streams.errors import BrokerError, StateError
from streams.intake.merge import TopicPosition
from streams.learning.learner import LearnerSettings, RiverLearner
from streams.learning.shared import SharedLearner
from streams.rulebook.load import load_rulebook
from streams.rulebook.revisions import RuleRevision
from streams.simulate.records import json_lines
from streams.simulate.shop import Shop
from streams.worker.rule_notices import accepted_notice, adopted_notice, adoption, refused_notice
from tests.streams.learning.test_shared import batch_of

RULE = """\
version: 1
rules:
  - id: silent
    title: No order for long
    status: active
    when: days_since_order > 60
    tier: low
    reason: silence
"""


def no_broker(installation: Installation) -> dict[str, int]:
    msg = f"Kafka at {installation.settings.broker} cannot be reached"
    raise BrokerError(msg)


class Broker(Installation):
    """An installation whose broker is made up."""

    def __init__(
        self,
        topics: Mapping[str, int],
        offsets: Offsets | None = None,
        records: Sequence[Record] = (),
        configs: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        super().__init__(load_settings())
        self._topics = topics
        self._offsets = offsets or Offsets({}, {})
        self._records = records
        self._configs = configs or {}

    def ask_configs(self, names: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        return {name: self._configs[name] for name in names if name in self._configs}

    def ask_topics(self) -> Mapping[str, int]:
        return self._topics

    def ask_states(self) -> Mapping[str, TopicState]:
        return {name: TopicState(count, 3) for name, count in self._topics.items()}

    def ask_version(self) -> str:
        return "4.1"

    def ask_processes(self) -> Sequence[ProcessState]:
        return ()

    def ask_unstored(self) -> Mapping[str, Unread]:
        return {}

    def newest(self, topics: Collection[str]) -> Sequence[Record]:
        return ()

    def ask_topic_ids(self, names: Collection[str]) -> Mapping[str, str]:
        return {name: f"id of {name}" for name in names}

    def ask_offsets(self) -> Offsets:
        return self._offsets

    def read(self, topic: str, newest: int | None = None) -> Sequence[Record]:
        self.need_topic(topic)
        return self._records


def outcome(check: str, installation: Installation) -> tuple[str, str]:
    (result,) = [each for each in examine(installation) if each.check == check]
    return result.outcome.value, result.detail


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one rule and no broker."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Installation, "ask_topics", no_broker)
    (tmp_path / "rules.yaml").write_text(RULE)
    (tmp_path / "lapwing.toml").write_text('broker = "127.0.0.1:1"\nrules = "rules.yaml"\n')
    return tmp_path


def run(*args: str) -> tuple[int, dict[str, Any], dict[str, tuple[str, str]]]:
    result = CliRunner().invoke(command, [*args, "--json"], catch_exceptions=False)
    answer = json.loads(result.output)
    checks = {check["check"]: (check["outcome"], check["detail"]) for check in answer["checks"]}
    return result.exit_code, {s["name"]: (s["value"], s["source"]) for s in answer["settings"]}, checks


def test_it_tells_each_value_in_force_and_where_it_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPWING_DATABASE", "sqlite:///a.db")
    _, settings, _ = run("--app", "shop")
    assert settings["app"] == ("shop", "--app")
    assert settings["broker"] == ("127.0.0.1:1", "lapwing.toml: broker")
    assert settings["database"] == ("sqlite:///a.db", "LAPWING_DATABASE")
    assert settings["sweep_every"] == ("1d", "default")


def test_what_cannot_be_reached_fails_and_what_depends_on_it_is_skipped() -> None:
    code, _, checks = run()
    assert code == 1
    assert checks["broker"][0] == "failed"
    assert "127.0.0.1:1" in checks["broker"][1]
    assert checks["topics"] == ("skipped", "the broker does not answer")
    assert checks["database"] == ("skipped", "lapwing.db is not there yet; `lapwing sink` makes it")
    assert checks["channels"] == ("skipped", "none are set")
    assert checks["rules"][0] == "ok"
    assert "1 in force from rules.yaml" in checks["rules"][1]


def test_a_value_of_a_file_is_not_printed_and_a_file_open_to_all_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in {
        "sasl_password": "hunter2",
        "app": "hunter3",
        "database": "sqlite:///h4.db",
    }.items():
        path = tmp_path / f"{name}.txt"
        path.write_text(content)
        path.chmod(0o644)
        monkeypatch.setenv(f"LAPWING_{name.upper()}_FILE", str(path))
    _, settings, checks = run()
    for name in ("sasl_password", "app", "database"):
        place = f"LAPWING_{name.upper()}_FILE: {tmp_path / name}.txt"
        assert settings[name] == ("****", place)
    assert checks["secret files"][0] == "warning"
    assert f"{tmp_path / 'sasl_password.txt'} (sasl_password)" in checks["secret files"][1]
    assert "app.txt" not in checks["secret files"][1]
    for path in tmp_path.glob("*.txt"):
        path.chmod(0o400)
    assert run()[2]["secret files"] == ("ok", "no file with a secret is open to every user")


def test_topics_that_do_not_fit_together_fail() -> None:
    inputs = ["orders", "logins", "complaints"]
    own = ["churn-warnings", "lapwing-control", "lapwing-audit", "lapwing.rejected"]
    fitting = dict.fromkeys([*inputs, *own], 4)
    assert outcome("topics", Broker(fitting))[0] == "ok"
    failed, detail = outcome("topics", Broker({**fitting, "logins": 3}))
    assert (failed, "logins" in detail) == ("failed", True)
    assert "orders: missing" in outcome("topics", Broker({}))[1]
    compacted = Broker(fitting, configs={"orders": {"cleanup.policy": "compact"}})
    assert outcome("topics", compacted)[1].startswith("orders: cleanup.policy is compact and must be delete")


def test_it_creates_nothing(installation: Path) -> None:
    before = sorted(installation.iterdir())
    run()
    assert sorted(installation.iterdir()) == before


def test_broken_rules_fail(installation: Path) -> None:
    (installation / "rules.yaml").write_text(RULE.replace("days_since_order", "days_since_ordr"))
    _, _, checks = run()
    assert checks["rules"][0] == "failed"
    assert "days_since_ordr" in checks["rules"][1]


def test_a_database_that_is_no_database_fails(installation: Path) -> None:
    (installation / "lapwing.db").write_bytes(b"not a database, and long enough to be read as one" * 100)
    _, _, checks = run()
    assert checks["database"][0] == "failed"


def test_a_database_that_is_there_is_asked(installation: Path) -> None:
    (installation / "lapwing.db").touch()
    _, _, checks = run()
    later = f"; the next command that uses it brings it to version {newest_version()}"
    assert checks["database"] == ("ok", f"sqlite:///lapwing.db answers; it has no tables yet{later}")


def test_the_version_of_a_database_is_named_and_one_of_the_future_fails(installation: Path) -> None:
    database = Database("sqlite:///lapwing.db")
    database.prepare(to=3)
    _, _, checks = run()
    later = f"; the next command that uses it brings it to version {newest_version()}"
    assert checks["database"] == ("ok", f"sqlite:///lapwing.db answers; it has version 3{later}")
    database.prepare()
    _, _, checks = run()
    assert checks["database"] == ("ok", f"sqlite:///lapwing.db answers; it has version {newest_version()}")
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    database.close()
    _, _, checks = run()
    assert checks["database"][0] == "failed"
    assert "has version 999, this Lapwing knows up to" in checks["database"][1]


def test_channels_are_named_and_their_secrets_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPWING_NOTIFY_URLS", "desk=json://hunter2 mailto://x")
    _, settings, checks = run()
    assert checks["channels"][0] == "failed"
    monkeypatch.setenv("LAPWING_NOTIFY_URLS", "desk=json://hunter2")
    _, settings, checks = run()
    assert checks["channels"] == ("ok", "desk")
    assert "hunter2" not in str(settings)


def test_people_read_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(command, [], catch_exceptions=False)
    assert result.exit_code == 1
    assert "broker                 127.0.0.1:1" in result.output
    assert "broker                 failed   Kafka at 127.0.0.1:1 cannot be reached" in result.output


def test_checkpoints_are_looked_for_where_workers_keep_them(installation: Path) -> None:
    assert run()[2]["checkpoints"][0] == "skipped"
    place = installation / "var" / "checkpoints" / "lapwing" / "00002"
    place.mkdir(parents=True)
    assert run()[2]["checkpoints"] == ("failed", "var/checkpoints has no whole one of partition 2")
    content = CheckpointManifest({"orders": TopicPosition(1, None)}, {}, "rules")
    CheckpointStore("var/checkpoints", "lapwing").save(2, {}, content)
    assert run()[2]["checkpoints"] == ("ok", "var/checkpoints has whole ones of all its partitions (1)")
    (installation / "lapwing.toml").write_text('checkpoints = "none"\n')
    assert run()[2]["checkpoints"] == ("skipped", "none are kept")


def test_checkpoints_must_fit_the_topics_and_the_group() -> None:
    content = CheckpointManifest({"orders": TopicPosition(5, None)}, {}, "rules", partitions=1)
    store = CheckpointStore("var/checkpoints", "lapwing")
    store.mark_committed(store.save(0, {}, content))

    def found(partitions: int, committed: dict[tuple[str, int], int]) -> tuple[str, str]:
        topics = dict.fromkeys(("orders", "logins", "complaints"), partitions)
        return outcome("checkpoints", Broker(topics, Offsets({("orders", 0): 9}, committed)))

    assert found(1, {("orders", 0): 5})[0] == "ok"
    failed, detail = found(3, {("orders", 0): 5})
    assert (failed, "had 1 partitions, and they have 3" in detail) == ("failed", True)
    assert "--rebuild" in detail
    assert "the group has no offsets of partition 0" in found(1, {})[1]
    assert "the group has no offset of orders/0" in found(1, {("logins", 0): 3})[1]
    assert "were set back" in found(1, {("orders", 0): 2})[1]
    store.mark_committed(store.save(0, {}, replace(content, topic_ids={"orders": "another"})))
    assert "orders: deleted and made anew since" in found(1, {("orders", 0): 5})[1]


def test_the_password_of_a_place_of_checkpoints_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPWING_CHECKPOINTS", "nowhere://me:hunter2@host/states")
    _, settings, checks = run()
    assert checks["checkpoints"][0] == "failed"
    assert "nowhere://me:****@host/states" in checks["checkpoints"][1]
    assert "hunter2" not in str(settings) + str(checks)


DAY = timedelta(days=1)
AT = 1_700_000_000_000_000
SECOND = timedelta(seconds=1)


def lag(committed: dict[tuple[str, int], int], ages: dict[int, timedelta]) -> str:
    ends = {("orders", 0): 1_500, ("logins", 0): 700, ("orders", 1): 0, ("logins", 1): 3}
    return lag_line(load_settings(), Offsets(ends, committed), ages)


def test_lag_is_what_the_topics_have_beyond_the_group() -> None:
    whole = {("orders", 0): 1_500, ("logins", 0): 700, ("logins", 1): 3}
    assert lag(whole, {0: 3 * DAY, 1: 3 * DAY}) == "the workers have saved all that the topics hold"
    some = whole | {("orders", 0): 100}
    assert lag(some, {}) == "1,400 records are not in a saved state yet"
    line = "1,400 records are not in a saved state yet, the oldest state saved 3d ago"
    assert lag(some, {0: 40 * SECOND, 1: 3 * DAY}) == line


def test_a_partition_that_has_lag_and_was_not_saved_for_long_fails() -> None:
    limit = 5 * 30 * SECOND + 60 * SECOND
    some = {("orders", 0): 100}
    assert "the oldest state saved 3m ago" in lag(some, {0: limit})
    with pytest.raises(StateError, match=r"^partition 0 is 2,100 records behind and was last saved 2h ago: "):
        lag(some, {0: timedelta(hours=2), 1: SECOND})


def test_an_open_transaction_is_named_where_the_workers_have_come_to_it() -> None:
    ends = {("orders", 0): 1_500, ("logins", 0): 700}
    committed = {("orders", 0): 100, ("logins", 0): 700}

    def failed(stable: int) -> str:
        found = Offsets(ends, committed, {("orders", 0): stable, ("logins", 0): 700})
        with pytest.raises(StateError) as caught:
            lag_line(load_settings(), found, {0: timedelta(hours=2)})
        return str(caught.value)

    assert "open transaction, neither committed nor aborted, blocks orders/0 from offset 100 on" in failed(
        100
    )
    assert "transaction" not in failed(101)  # the workers could read on
    assert "transaction" not in failed(1_500)


def test_the_doctor_looks_for_lag_where_a_worker_has_been(installation: Path) -> None:
    def found(committed: dict[tuple[str, int], int]) -> tuple[str, str]:
        return outcome("lag", Broker({"orders": 1}, Offsets({("orders", 0): 10}, committed)))

    assert run()[2]["lag"] == ("skipped", "the broker does not answer")
    assert found({}) == ("skipped", "no worker of lapwing has committed anything yet")
    assert found({("orders", 0): 4}) == ("ok", "6 records are not in a saved state yet")
    saved = CheckpointStore("var/checkpoints", "lapwing").save(0, {}, CheckpointManifest({}, {}, "rules"))
    assert found({("orders", 0): 4})[1].endswith("the oldest state saved 0s ago")
    os.utime(Path(saved.path) / "manifest.json", (0, 0))
    assert found({("orders", 0): 4})[0] == "failed"


def record(value: bytes, headers: Sequence[tuple[str, bytes]] = (), *, ago: timedelta = SECOND) -> Record:
    at = int((datetime.now(UTC) - ago).timestamp() * 1000)
    return Record("any", 0, 7, at, None, value, tuple(headers))


def adopted(partition: int, rule_set: str, worker: str = "one-1") -> Record:
    made = adoption(
        "lapwing", worker, partition, {"orders": 3}, 0, None, load_revision(), 1_700_000_000_000_000
    )
    return record(encode_adopted({**made, "rule_set": rule_set}))


def load_revision() -> RuleRevision:
    return RuleRevision(load_rulebook(Path("rules.yaml")).rules, {"rules.yaml": RULE}, 0)


def test_a_partition_that_runs_other_rules_than_the_files_say_is_named(installation: Path) -> None:
    def found(*records: Record) -> tuple[str, str]:
        return outcome("rules in force", Broker({"lapwing-audit": 1}, records=records))

    now = load_revision().rules.hash
    assert found() == ("skipped", "no worker of lapwing has reported any yet")
    assert found(adopted(0, "older"), adopted(0, now), adopted(1, now)) == (
        "ok",
        f"all 2 partitions run rule set {now}",
    )
    behind = (adopted(0, now), adopted(1, now), adopted(1, "older", "two-2"), record(b"[" * 20_000))
    assert found(*behind)[0] == "ok"  # the files have just changed
    assert "1 of 2 partitions have yet to adopt" in found(*behind)[1]
    with_age = pytest.MonkeyPatch.context()
    with with_age as patch:
        patch.setattr("lapwing.doctor.rules.placed_at", lambda path: 0)
        failed, detail = found(*behind)
    assert failed == "failed"
    assert f"the files say {now}, but partition 1 runs older since 2023-11-14 22:13 UTC (two-2)" in detail


def test_a_partition_of_segments_that_runs_other_rules_is_named_too() -> None:
    made = adoption("lapwing", "one-1", 1, {}, 0, None, load_revision(), AT, "segments")
    of_segments = record(encode_adopted({**made, "rule_set": "older"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lapwing.doctor.rules.placed_at", lambda path: 0)
        records = [adopted(1, load_revision().rules.hash), of_segments]
        failed, detail = outcome("rules in force", Broker({"lapwing-audit": 1}, records=records))
    assert failed == "failed"
    assert "but partition of segments 1 runs older since" in detail


def test_rule_files_that_a_worker_refuses_right_now_are_shown() -> None:
    def found(*notices: OperationsNotice) -> tuple[str, str]:
        records = [record(encode_notice(notice, "lapwing")) for notice in notices]
        return outcome("rule files refused", Broker({"lapwing-control": 1}, records=records))

    refused = refused_notice(["rules.yaml:3: unknown feature 'dyas'", "and more"], "abc", "one-1", AT)
    change = adoption("lapwing", "one-1", 0, {}, 0, None, load_revision(), AT)
    assert found() == ("ok", "no worker refuses its rule files")
    assert found(refused) == (
        "warning",
        "one-1 has refused its rule files since 2023-11-14 22:13 UTC and runs abc: "
        "rules.yaml:3: unknown feature 'dyas'",
    )
    assert found(refused, accepted_notice("abd", "one-1", AT))[0] == "ok"
    assert found(refused, accepted_notice("abd", "two-2", AT))[0] == "warning"
    assert found(refused, adopted_notice(change))[0] == "warning"  # what a partition had before


def test_refused_records_are_counted_by_reason_with_the_newest_place() -> None:
    def found(*records: Record) -> tuple[str, str]:
        return outcome("records refused", Broker({"lapwing.rejected": 1}, records=records))

    def refused(reason: RefusalReason, offset: int, ago: timedelta) -> Record:
        return record(b"x", rejected_headers(reason, "amount: \x1b[2J", "orders", 2, offset), ago=ago)

    late = RefusalReason.FUTURE_TIME
    assert found() == ("ok", "none in the last day")
    assert found(refused(late, 1, 2 * DAY)) == ("ok", "none in the last day")
    records = [
        refused(late, 5, SECOND),
        refused(late, 4, 9 * SECOND),
        refused(RefusalReason.NOT_JSON, 9, SECOND),
    ]
    assert found(*records, record(b"a stranger's"), refused(late, 1, 2 * DAY)) == (
        "warning",
        "4 in the last day: 2 future_time, 1 not_json, 1 that are no refusals; "
        "the newest at orders[2]@5: amount:  [2J",
    )


def test_every_check_is_made_and_has_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, checks = run()
    assert list(checks) == list(CHECKS)
    result = CliRunner().invoke(command, [], catch_exceptions=False)
    assert all(f"\n{name:<22} " in result.output for name in CHECKS)
    assert {outcome for outcome, _ in checks.values()} <= {each.value for each in CheckOutcome}


def saved(folder: Path, days: int) -> None:
    """Let a worker's engine save its state after so many days of a shop."""
    frame = pl.concat(list(Shop(customers=120, days=days, seed=2).frames()))
    batch = decode_lines([line.encode() for line in json_lines(frame, with_type=True)], latest_us=None).batch
    settings = EngineSettings(reorder_us=0, horizon_us=20 * DAY_US, learn_within_us=40 * DAY_US)
    engine = Engine(settings, RuleSet((), DTYPES), RiverLearner(LearnerSettings(20, 20)))
    engine.step(batch.take(batch.order()))
    content = CheckpointManifest({"orders": TopicPosition(5, None)}, {0: 3}, "hash")
    CheckpointStore(str(folder / "checkpoints"), "lapwing").save(0, tables(engine), content)


def test_what_a_model_lacks_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAPWING_CHECKPOINTS", str(tmp_path / "checkpoints"))
    assert outcome("model", Broker({}))[0] == "skipped"
    saved(tmp_path, 10)
    kind, text = outcome("model", Broker({}))
    assert kind == "warning"
    assert text.startswith("partition 0: not ready, it lacks 20 of 20 customers who left, 20 of 20 customers")
    assert re.search(r"ready in \d+ days of event time at the earliest$", text)
    saved(tmp_path, 120)
    assert outcome("model", Broker({})) == ("ok", "ready in its partition")
    monkeypatch.setenv("LAPWING_MODEL_ENABLED", "false")
    assert outcome("model", Broker({})) == ("skipped", "none is wanted")


def test_the_model_of_a_shared_learner_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAPWING_LEARNER", "shared")
    learner = SharedLearner()

    def shown() -> tuple[str, str]:
        records = [(None, b"garbage")]
        if learner.at is not None:
            choice = encode_choice("lapwing", learner.model().version, None, DAY_US, "learner", "")
            values = learner.records("lapwing").items()
            records += [*((key.encode(), value) for key, value in values), (CHAMPION, choice)]  # type: ignore[list-item]  # keys
        rows = [Record("lapwing-models", 0, n, 0, key, value, ()) for n, (key, value) in enumerate(records)]
        return outcome("model", Broker({"lapwing-models": 1}, records=rows))

    assert shown()[0] == "warning"
    learner.take(batch_of(60, at=DAY_US), 0)
    kind, text = shown()
    assert kind == "warning"
    assert "of steady: not ready, it lacks" in text
    for day in range(2, 10):
        learner.take(batch_of(60, seed=day, at=day * DAY_US), day)
    kind, text = shown()
    assert kind == "ok"
    assert text.startswith(
        f"{learner.model().version} of steady is in force, learned from 540 samples; 1 record"
    )


ONE, TWO = b"one key for these tests", b"another key for these tests"


def erased_with(secret: bytes) -> Record:
    key = ErasureKey(secret)
    at = datetime(2024, 3, 1, tzinfo=UTC)
    return record(encode_erasure(ErasureRequest(hash=key.hash("c1"), erased_at=at, key_id=key.id)))


def test_the_key_of_erasures_must_be_that_of_the_topic(
    installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(*records: Record) -> tuple[str, str]:
        return outcome("erasures", Broker({"lapwing.erasures": 1}, records=records))

    state, detail = found()
    assert (state, "LAPWING_ERASURE_KEY is not set" in detail) == ("skipped", True)
    assert found(erased_with(ONE))[0] == "failed"
    monkeypatch.setenv("LAPWING_ERASURE_KEY", ONE.decode())
    name = ErasureKey(ONE).id
    assert found() == ("ok", f"nobody was erased with the key {name}")
    assert found(record(b"no erasure")) == ("ok", f"nobody was erased with the key {name}")
    assert found(erased_with(ONE), erased_with(ONE)) == (
        "ok",
        f"1 customer was erased with the key {name}",
    )
    for records in ([erased_with(TWO)], [erased_with(TWO), erased_with(ONE)]):
        state, detail = found(*records)
        assert (state, ErasureKey(TWO).id in detail) == ("failed", True)


def test_the_key_of_erasures_must_be_that_of_the_database(
    installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database("sqlite:///lapwing.db")
    database.prepare()
    for customer in ("c1", "c2"):
        erase_from_store(database, ErasureKey(ONE), customer, datetime(2024, 3, 1, tzinfo=UTC))
    database.close()
    _, _, checks = run()
    assert checks["erasures"][0] == "failed"
    assert "LAPWING_ERASURE_KEY is not set" in checks["erasures"][1]
    monkeypatch.setenv("LAPWING_ERASURE_KEY", TWO.decode())
    assert run()[2]["erasures"][0] == "failed"
    monkeypatch.setenv("LAPWING_ERASURE_KEY", ONE.decode())
    assert run()[2]["erasures"] == ("ok", f"2 customers were erased with the key {ErasureKey(ONE).id}")
