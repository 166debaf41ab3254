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
