"""`lapwing simulate` on the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

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
    ("arguments", "error", "said"),
    [
        (["--out", "e.csv"], EventFileError, "e.csv: the name must end in"),
        (["--out", "none/e.jsonl"], LapwingError, "none/e.jsonl: cannot be written"),
        (["--truth", "none/t.jsonl"], LapwingError, "none/t.jsonl: cannot be written"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(arguments: list[str], error: type[LapwingError], said: str) -> None:
    result = CliRunner().invoke(command, ["--customers", "5", "--days", "5", *arguments])
    assert isinstance(result.exception, error)
    assert said in str(result.exception)
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
    ("arguments", "said"),
    [
        (["--effect", "call=0.2", "--out", "e.jsonl"], "give --capacity"),
        (["--capacity", "3", "--truth", "t.jsonl"], "--capacity is for --out"),
        ([*TEAM, "--effect", "call=2", "--out", "e.jsonl"], "a chance from 0 to 1"),
        ([*TEAM, "--effect", "coll=0.2", "--out", "e.jsonl"], "there is no play 'coll'; there are call"),
    ],
)
def test_a_team_that_cannot_be_is_refused(rules: Path, arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
