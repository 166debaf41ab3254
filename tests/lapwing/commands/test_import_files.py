"""`lapwing import` on the command line."""

import gzip
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lapwing.cli import lapwing
from streams.errors import BrokerError, EventFileError, RuleFilesError
from streams.imports.work_file import KeptEvent, WorkFile

MAPPING = """
version: 1
sources:
  shop:
    files: "shop*.csv"
    events:
      - to: orders
        fields: {event_id: id, customer_id: who, occurred_at: at, order_id: id, amount: total}
      - to: complaints
        where: {note: {starts_with: bad}}
        fields: {event_id: {path: id, prefix: "k"}, customer_id: who, occurred_at: at, complaint_id: id}
"""
ROWS = """id,who,at,total,note
3,c1,2024-03-03T10:00:00Z,9.5,
1,c2,2024-03-01T10:00:00Z,12,bad box
2,c1,2024-03-02T10:00:00Z,x,
4,c1,2024-03-04T10:00:00Z,1,2,3
"""
EVENTS = [
    ("order", "1", "c2", "2024-03-01T10:00:00Z"),
    ("complaint", "k1", "c2", "2024-03-01T10:00:00Z"),
    ("order", "3", "c1", "2024-03-03T10:00:00Z"),
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("map.yaml").write_text(MAPPING)
    Path("shop.csv").write_text(ROWS)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(lapwing, ["import", *words])


def brief(lines: bytes) -> list[tuple[str, ...]]:
    found = [json.loads(line) for line in lines.splitlines()]
    return [(each["type"], each["event_id"], each["customer_id"], each["occurred_at"]) for each in found]


def test_events_come_in_the_order_of_their_time_and_refusals_with_their_lines(folder: Path) -> None:
    result = run("shop.csv", "--map", "map.yaml", "--to", "out.jsonl")
    assert result.exit_code == 0
    assert brief((folder / "out.jsonl").read_bytes()) == EVENTS
    assert result.stdout.startswith(
        "4 rows of 1 file: 3 events (1 complaints, 2 orders) to out.jsonl, 0 rows passed over by filters, "
        "2 refused ("
    )
    first, second = sorted(result.stderr.splitlines())
    assert first.startswith("refused shop.csv:4: shop: ")
    assert "x" not in first.split("total")[1].replace("exp", "")
    assert second == "refused shop.csv:5: 6 cells, and the header has 5 (not_row)"
    assert sorted(path.name for path in folder.iterdir()) == ["map.yaml", "out.jsonl", "shop.csv"]


def test_the_summary_as_json(folder: Path) -> None:
    summary = json.loads(run("shop.csv", "--map", "map.yaml", "--to", "out.jsonl.zst", "--json").stdout)
    assert summary.pop("seconds") >= 0
    assert summary.pop("refused")["not_row"] == 1
    assert summary == {
        "files": 1,
        "rows": 4,
        "events": {"complaints": 1, "orders": 2},
        "passed_over": 0,
    }


def test_a_folder_gets_a_file_for_each_topic(folder: Path) -> None:
    assert run("shop.csv", "--map", "map.yaml", "--to", "history/").exit_code == 0
    assert sorted(path.name for path in Path("history").iterdir()) == [
        "complaints.jsonl.gz",
        "orders.jsonl.gz",
    ]
    assert brief(gzip.decompress(Path("history/orders.jsonl.gz").read_bytes())) == EVENTS[::2]


def test_the_setting_names_the_mapping(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPWING_INPUTS", "map.yaml")
    assert run("shop.csv", "--to", "out.jsonl").exit_code == 0
    assert run("shop.csv", "--inputs", "map.yaml", "--to", "out.jsonl").exit_code == 0


def test_a_preset_needs_no_mapping(folder: Path) -> None:
    Path("any name.txt").write_text(" 00001 19970101  1   11.77\n")
    assert run("any name.txt", "--preset", "cdnow", "--to", "out.jsonl").exit_code == 0
    assert len(Path("out.jsonl").read_bytes().splitlines()) == 1


def test_columns_that_are_missing_are_named(folder: Path) -> None:
    Path("shop-2.csv").write_text("id,who,at,total\n5,c1,2024-03-03T10:00:00Z,9.5\n")
    result = run("shop-2.csv", "--map", "map.yaml", "--to", "out.jsonl")
    assert result.stderr == "shop-2.csv: has no column 'note', which source shop reads\n"
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (["shop.csv", "--to", "out.jsonl"], SystemExit, "no file of inputs is set"),
        (["shop.csv", "--map", "map.yaml", "--preset", "ga4", "--to", "o.jsonl"], SystemExit, "exclude"),
        (["shop.csv", "--map", "map.yaml", "--to", "shop.csv"], EventFileError, "the name must end in"),
        (["shop.csv", "--map", "map.yaml", "--to", "o.parquet"], SystemExit, "the name must end in"),
        (["shop.csv", "--preset", "none", "--to", "o.jsonl"], EventFileError, "there is no preset 'none'"),
        (["away.csv", "--preset", "ga4", "--to", "o.jsonl"], EventFileError, "away.csv: No such file"),
        (["x.csv", "--map", "map.yaml", "--to", "o.jsonl"], EventFileError, "no source of map.yaml"),
        (["shop.csv", "--map", "bad.yaml", "--to", "o.jsonl"], RuleFilesError, "bad.yaml:1"),
    ],
)
def test_a_use_without_sense_is_refused(words: list[str], error: type[BaseException], says: str) -> None:
    Path("bad.yaml").write_text("version: 2")
    result = run(*words)
    assert isinstance(result.exception, error)
    assert says in result.output + str(result.exception)
    assert not Path("o.jsonl").exists()


def test_a_broker_that_is_away_is_named_before_anything_is_read() -> None:
    result = run("shop.csv", "--map", "map.yaml", "--to", "kafka", "--broker", "127.0.0.1:1")
    assert isinstance(result.exception, BrokerError)
    assert list(Path().glob(".*.import*")) == []


KILLED = """
import os, signal, sys
import streams.files.tables.rows, streams.imports.reading
from lapwing.cli import main

streams.files.tables.rows._BLOCK = streams.files.content._PIECE = 4_000
take, left = streams.imports.reading._take, int(sys.argv[1])

def _take(*args, **more):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return take(*args, **more)

streams.imports.reading._take = _take
main(["import", "shop-long.csv", "--map", "map.yaml", "--to", "out.jsonl", *sys.argv[2:]])
"""


def test_whoever_is_killed_goes_on_to_the_same_file(folder: Path) -> None:
    lines = [f"{n},c{n % 50},2024-03-{n % 28 + 1:02}T10:00:00Z,{n % 90}," for n in range(8_000)]
    Path("shop-long.csv").write_text("id,who,at,total,note\n" + "\n".join(lines))
    assert run("shop-long.csv", "--map", "map.yaml", "--to", "out.jsonl").exit_code == 0
    whole = Path("out.jsonl").read_bytes()
    Path("out.jsonl").unlink()
    for reads in ("3", "4"):
        command = [sys.executable, "-c", KILLED, reads, "--resume"]
        ended = subprocess.run(command, capture_output=True, check=False)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert not Path("out.jsonl").exists()
    work = WorkFile(Path(".out.jsonl.import").absolute(), json.loads(what_of(folder)))
    assert work.progress(0).rows > 1_000
    work.close()
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, "1000", "--resume", "--json"], capture_output=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert Path("out.jsonl").read_bytes() == whole
    assert json.loads(ended.stdout)["events"] == {"orders": 8_000}
    assert list(Path().glob(".*.import*")) == []


def what_of(folder: Path) -> str:
    """Return what a work file is for, but its format."""
    import sqlite3

    database = sqlite3.connect(folder / ".out.jsonl.import")
    [text] = database.execute("SELECT value FROM state WHERE name = 'what'").fetchone()
    database.close()
    what = json.loads(text)
    del what["format"]
    return json.dumps(what)


def interrupted(folder: Path) -> None:
    """Leave a work file behind, as a run does that is killed."""
    Path("shop-long.csv").write_text(ROWS)
    command = [sys.executable, "-c", KILLED, "0"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == -signal.SIGKILL


def test_another_import_does_not_go_on_with_it(folder: Path) -> None:
    interrupted(folder)
    Path("shop-long.csv").write_text(ROWS + "\n")
    result = run("shop-long.csv", "--map", "map.yaml", "--to", "out.jsonl", "--resume")
    assert isinstance(result.exception, EventFileError)
    assert "belongs to another import (files differs)" in str(result.exception)


def test_without_resume_it_begins_anew_and_says_so(folder: Path) -> None:
    interrupted(folder)
    result = run("shop-long.csv", "--map", "map.yaml", "--to", "out.jsonl")
    assert result.exit_code == 0
    assert ".out.jsonl.import of an import that was interrupted is replaced" in result.stderr
    assert brief((folder / "out.jsonl").read_bytes()) == EVENTS


def test_a_work_file_that_is_none_is_named(folder: Path) -> None:
    Path(".out.jsonl.import").write_text("no database, and long enough to be read as one" * 50)
    result = run("shop.csv", "--map", "map.yaml", "--to", "out.jsonl", "--resume")
    assert isinstance(result.exception, EventFileError)
    assert "work file cannot be used" in str(result.exception)


def test_kept_events_come_back_in_order(tmp_path: Path) -> None:
    work = WorkFile(tmp_path / "work", {"a": 1})
    progress = work.progress(5)
    with work.changing(progress):
        work.add_events([(7, 1, 0, "c", b"{}"), (3, 2, 1, "d", b"{}"), (3, 0, 1, "e", b"{}")])
    with pytest.raises(EventFileError, match="UNIQUE"), work.changing(progress):
        work.add_events([(9, 9, 0, "c", b"{}"), (9, 9, 0, "c", b"{}")])
    found = [event for events in work.events() for event in events]
    assert [(event.at, event.number) for event in found] == [(3, 0), (3, 2), (7, 1)]
    assert [event for events in work.events((3, 2)) for event in events] == [found[2]]
    assert isinstance(found[0], KeptEvent)
    work.close()


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (("shop.csv",), "give FILES and --to, or --follow for topics"),
        (("--to", "out.jsonl"), "give FILES and --to, or --follow for topics"),
        (("shop.csv", "--to", "out.jsonl", "--to-end"), "--to-end is for --follow"),
        (("shop.csv", "--follow", "--to", "kafka"), "leave FILES and --to away"),
        (("--follow", "--preset", "cdnow", "--resume"), "leave --preset and --resume away"),
        (("--follow",), "give --map FILE"),
    ],
)
def test_files_and_topics_exclude_each_other(words: tuple[str, ...], wrong: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert wrong in result.output
