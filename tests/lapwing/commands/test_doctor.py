import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lapwing.cli.doctor import command
from lapwing.commands import doctor
from lapwing.commands.doctor import CheckOutcome, CheckResult, examine
from lapwing.lag import Offsets, lag_told
from lapwing.settings.settings import Settings, load_settings
from streams.checkpoints.store import CheckpointManifest, CheckpointStore
from streams.errors import BrokerError, StateError
from streams.intake.merge import TopicPosition

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


def no_broker(settings: Settings) -> dict[str, int]:
    msg = f"Kafka at {settings.broker} cannot be reached"
    raise BrokerError(msg)


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one rule and no broker."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "partitions", no_broker)
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


def test_topics_that_do_not_fit_together_fail() -> None:
    def topics(found: dict[str, int]) -> CheckResult:
        findings = examine(load_settings(), lambda _: found, lambda *_: Offsets({}, {}))
        (finding,) = [finding for finding in findings if finding.check == "topics"]
        return finding

    inputs = ["orders", "logins", "complaints"]
    own = ["churn-warnings", "lapwing-control", "lapwing-audit", "lapwing.rejected"]
    fitting = dict.fromkeys([*inputs, *own], 4)
    assert topics(fitting).outcome is CheckOutcome.OK
    assert topics({**fitting, "logins": 3}).outcome is CheckOutcome.FAILED
    assert "logins" in topics({**fitting, "logins": 3}).detail
    assert "orders: missing" in topics({}).detail


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
    assert checks["database"] == ("ok", "sqlite:///lapwing.db answers")


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


def test_the_password_of_a_place_of_checkpoints_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPWING_CHECKPOINTS", "nowhere://me:hunter2@host/states")
    _, settings, checks = run()
    assert checks["checkpoints"][0] == "failed"
    assert "nowhere://me:****@host/states" in checks["checkpoints"][1]
    assert "hunter2" not in str(settings) + str(checks)


DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def lag(committed: dict[tuple[str, int], int], ages: dict[int, timedelta]) -> str:
    ends = {("orders", 0): 1_500, ("logins", 0): 700, ("orders", 1): 0, ("logins", 1): 3}
    return lag_told(load_settings(), Offsets(ends, committed), ages)


def test_lag_is_what_the_topics_have_beyond_the_group() -> None:
    whole = {("orders", 0): 1_500, ("logins", 0): 700, ("logins", 1): 3}
    assert lag(whole, {0: 3 * DAY, 1: 3 * DAY}) == "the workers have saved all that the topics hold"
    some = whole | {("orders", 0): 100}
    assert lag(some, {}) == "1,400 records are not in a saved state yet"
    told = "1,400 records are not in a saved state yet, the oldest state saved 3d ago"
    assert lag(some, {0: 40 * SECOND, 1: 3 * DAY}) == told


def test_a_partition_that_has_lag_and_was_not_saved_for_long_fails() -> None:
    limit = 5 * 30 * SECOND + 60 * SECOND
    some = {("orders", 0): 100}
    assert "the oldest state saved 3m ago" in lag(some, {0: limit})
    with pytest.raises(StateError, match=r"^partition 0 is 2,100 records behind and was last saved 2h ago: "):
        lag(some, {0: timedelta(hours=2), 1: SECOND})


def test_the_doctor_looks_for_lag_where_a_worker_has_been(installation: Path) -> None:
    def found(committed: dict[tuple[str, int], int]) -> tuple[str, str]:
        findings = examine(
            load_settings(), lambda _: {"orders": 1}, lambda *_: Offsets({("orders", 0): 10}, committed)
        )
        return {f.check: (f.outcome.value, f.detail) for f in findings}["lag"]

    assert run()[2]["lag"] == ("skipped", "the broker does not answer")
    assert found({}) == ("skipped", "no worker of lapwing has committed anything yet")
    assert found({("orders", 0): 4}) == ("ok", "6 records are not in a saved state yet")
    saved = CheckpointStore("var/checkpoints", "lapwing").save(0, {}, CheckpointManifest({}, {}, "rules"))
    assert found({("orders", 0): 4})[1].endswith("the oldest state saved 0s ago")
    os.utime(Path(saved.path) / "manifest.json", (0, 0))
    assert found({("orders", 0): 4})[0] == "failed"
