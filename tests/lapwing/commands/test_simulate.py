"""`lapwing simulate` on the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lapwing.cli import lapwing
from lapwing.cli.simulate import command
from streams.errors import EventFileError, LapwingError


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_events_and_truth_are_written_and_summed_up(tmp_path: Path) -> None:
    arguments = ["--customers", "30", "--days", "40", "--out", "e.jsonl", "--truth", "t.jsonl", "--json"]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0
    summary = json.loads(result.stdout)
    assert summary["events"] == len((tmp_path / "e.jsonl").read_text().splitlines())
    assert len((tmp_path / "t.jsonl").read_text().splitlines()) == 30
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.jsonl", "t.jsonl"]


def test_the_time_zone_and_start_move_the_days(tmp_path: Path) -> None:
    arguments = ["--customers", "50", "--days", "3", "--start", "2024-05-01", "--time-zone", "Asia/Tokyo"]
    assert CliRunner().invoke(command, [*arguments, "--out", "e.jsonl"]).exit_code == 0
    times = sorted(
        json.loads(line)["occurred_at"] for line in (tmp_path / "e.jsonl").read_text().splitlines()
    )
    assert times[0] == "2024-04-30T15:00:00.000Z"
    assert times[-1] < "2024-05-03T15:00"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["--out", "e.csv"], EventFileError, "e.csv: the name must end in"),
        (["--out", "none/e.jsonl"], LapwingError, "none/e.jsonl: cannot be written"),
        (["--truth", "none/t.jsonl"], LapwingError, "none/t.jsonl: cannot be written"),
    ],
)
def test_what_cannot_be_written_is_one_line(
    arguments: list[str], error: type[LapwingError], message: str
) -> None:
    result = CliRunner().invoke(command, ["--customers", "5", "--days", "5", *arguments])
    assert isinstance(result.exception, error)
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)


@pytest.mark.parametrize("arguments", [[], ["--out", "e.jsonl", "--speed", "3"]])
def test_a_use_without_sense_is_refused(arguments: list[str]) -> None:
    assert CliRunner().invoke(command, arguments).exit_code == 2


PLAIN_RULE = """version: 1
rules:
  - id: silent
    title: Silent for long
    status: active
    when: overdue >= 2
    tier: high
    reason: silence
    play: call
"""
PLAYS = """version: 1
plays:
  - {id: call, title: A call, cost: {gift: 1}, success: {chance: 0.5, source: prior}}
"""
TEAM = ["--customers", "80", "--days", "220", "--capacity", "5", "--rules", "rules"]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "rules.yaml").write_text(PLAIN_RULE)
    (folder / "plays.yaml").write_text(PLAYS)
    return folder


def test_a_team_acts_and_the_truth_says_what_it_did(rules: Path, tmp_path: Path) -> None:
    arguments = [*TEAM, "--effect", "call=1", "--out", "e.jsonl", "--truth", "t.jsonl"]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    events = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    acts = [event for event in events if event["type"] == "action"]
    assert {act["play"] for act in acts} == {"call"}
    truth = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    done = [each for row in truth for each in row["treatments"]]
    assert len(done) == len(acts) > 10
    assert {each["effect"] for each in done} == {"rescued", "stays"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--effect", "call=0.2", "--out", "e.jsonl"], "give --capacity"),
        (["--capacity", "3", "--truth", "t.jsonl"], "--capacity is for --out"),
        ([*TEAM, "--effect", "call=2", "--out", "e.jsonl"], "a chance from 0 to 1"),
        ([*TEAM, "--effect", "coll=0.2", "--out", "e.jsonl"], "there is no play 'coll'; there are call"),
    ],
)
def test_a_team_that_cannot_be_is_refused(rules: Path, arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_a_replay_and_an_explanation_with_the_same_flags_decide_alike(rules: Path, tmp_path: Path) -> None:
    (rules / "plays.yaml").write_text(PLAYS.replace("{gift: 1}", "{labour_minutes: 20}"))
    terms = ["--rules", "rules", "--labour-rate", "0.5", "--margin", "0.4", "--referral", "0.1"]
    terms += ["--value-horizon", "180d", "--value-prior-orders", "5", "--holdout-salt", "salt"]
    terms += ["--holdout-share", "high=0.4", "--holdout-exempt", "none", "--horizon", "30d"]
    made = ["simulate", "--customers", "250", "--days", "280", "--capacity", "3", "--out", "e.jsonl"]
    assert CliRunner().invoke(lapwing, [*made, *terms]).exit_code == 0
    events = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    acts = [event for event in events if event["type"] == "action"]
    result = CliRunner().invoke(lapwing, ["replay", "e.jsonl", "--out", "w.jsonl", *terms])
    assert result.exit_code == 0, result.output
    steps = [json.loads(line) for line in (tmp_path / "w.jsonl").read_text().splitlines()]
    opened = {s["data"]["warning_id"]: s["data"] for s in steps if s["type"] == "churn.warning.opened"}
    assert len(acts) > 30
    # The team calls whom the replay warns of, and nobody whom it holds out.
    assert {act["warning_id"] for act in acts} <= opened.keys()
    assert not any(opened[act["warning_id"]]["holdout"] for act in acts)
    assert sum(data["holdout"] for data in opened.values()) > 0.3 * len(opened)
    decided = [data for data in opened.values() if data["decision"]["verdict"] != "unknown"]
    assert {data["decision"]["verdict"] for data in decided} == {"rescue", "dont"}
    assert all(data["decision"]["cost"] == {"labour": 10.0} for data in decided)
    for data in (decided[0], decided[-1]):
        asked = ["explain", data["customer_id"], "e.jsonl", "--at", data["opened_at"], "--json", *terms]
        assert json.loads(CliRunner().invoke(lapwing, asked).stdout)["decision"] == data["decision"]
