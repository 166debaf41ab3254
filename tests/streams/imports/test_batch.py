"""Files of others read as event files are: the same events as when they are imported first."""

import random
from pathlib import Path

import numpy as np
import pytest

from streams.core.events.batch import Batch
from streams.errors import EventFileError
from streams.files.events import FileRefusal, read_events
from streams.imports.batch import read_foreign
from streams.imports.event_files import write_file
from streams.imports.files import ForeignFile, foreign_files
from streams.imports.reading import read_all
from streams.imports.work_file import WorkFile
from streams.inputs.load import parse_inputs

NOW_US = 1_800_000_000_000_000
MAPPING = b"""
version: 1
sources:
  items:
    files: "items*.csv"
    group: {by: [order], sum: [amount]}
    events:
      - to: orders
        where: {kind: {not: [note]}}
        fields:
          event_id: order
          customer_id: customer
          occurred_at: {path: day, time: "%d.%m.%Y %H:%M"}
          order_id: order
          amount: {product: [price, count], decimal: comma}
  visits:
    files: "visits*"
    events:
      - to: logins
        fields: {event_id: {hash: [who, at]}, customer_id: who, occurred_at: at}
      - to: closures
        where: {bye: true}
        fields: {event_id: {hash: [who, at, bye]}, customer_id: who, occurred_at: at}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with files that are read in many small blocks."""
    monkeypatch.setattr("streams.files.tables.rows._BLOCK", 200)
    monkeypatch.setattr("streams.files.content._PIECE", 50)
    chance = random.Random(3)
    items = ["order,customer,day,price,count,kind"]
    for number in range(300):
        order = number // 3 if chance.random() < 0.8 else chance.randrange(100)
        day = f"{chance.randint(1, 28):02}.03.2024 {chance.randint(0, 23):02}:{chance.randint(0, 59):02}"
        kind = chance.choice(["item", "item", "note"])
        items.append(f'o{order},c{order % 20},{day},"1,5",{chance.randint(-1, 4)},{kind}')
    items[50] = 'o16,c1,31.02.2024 10:00,"2,5",1,item'
    items[60] = "o19,c1,12.03.2024 10:00,1,5,1,item"
    (tmp_path / "items.csv").write_text("\n".join(items[:150]) + "\n")
    (tmp_path / "items-2.csv").write_text("\n".join([items[0], *items[150:]]) + "\n")
    visits = [
        f'{{"who": "c{chance.randrange(30)}", "at": "2024-03-{chance.randint(1, 28):02}T10:00:00Z"'
        f', "bye": {"true" if n % 40 == 0 else "false"}}}'
        for n in range(200)
    ]
    visits[7] = "{"
    visits[9] = '{"who": 5.5, "at": "yesterday", "bye": true}'
    (tmp_path / "visits.jsonl").write_text("\n".join(visits))
    return tmp_path


def the_files(folder: Path) -> list[ForeignFile]:
    paths = [folder / name for name in ("items.csv", "visits.jsonl", "items-2.csv")]
    sources = list(parse_inputs("inputs.yaml", MAPPING).sources.values())
    return foreign_files(paths, sources, where="inputs.yaml")


class Stopped(Exception):
    """What ends an import in the middle."""


def import_some(folder: Path, steps: int | None = None) -> tuple[bytes, list[FileRefusal]] | None:
    """Import the files, all or until so many blocks are read, going on where another call stopped."""
    work = WorkFile(folder / "work", {})
    progress = work.progress(NOW_US)
    refused: list[FileRefusal] = []
    count = 0

    def on_done(done: int, total: int) -> None:
        nonlocal count
        count += 1
        if count == steps:
            raise Stopped

    try:
        read_all(
            the_files(folder),
            work,
            progress,
            max_skew_us=0,
            on_refused=refused.append,
            on_columns=lambda file, columns: None,
            on_done=on_done,
        )
    except Stopped:
        work.close()
        return None
    write_file(work, folder / "out.jsonl", ".jsonl", lambda done: None)
    work.remove()
    assert sum(progress.refused.values()) >= len(refused)
    return (folder / "out.jsonl").read_bytes(), refused


def same(one: Batch, other: Batch) -> bool:
    return all(
        np.array_equal(
            getattr(one, name), getattr(other, name), equal_nan=getattr(one, name).dtype.kind == "f"
        )
        for name in ("customer_id", "event_id", "at", "topic", "amount", "status")
    )


def test_the_events_are_those_of_an_import(folder: Path) -> None:
    refused: list[FileRefusal] = []
    done: list[tuple[int, int]] = []
    batch = read_foreign(
        the_files(folder),
        now_us=NOW_US,
        max_skew_us=0,
        on_refused=refused.append,
        progress=lambda n, total: done.append((n, total)),
    )
    imported = import_some(folder)
    assert imported is not None
    assert refused == imported[1]
    of_file = read_events([folder / "out.jsonl"], now_us=NOW_US, max_skew_us=0, on_refused=refused.append)
    assert same(batch, of_file)
    assert len(batch) > 250
    assert done == sorted(done)
    assert done[-1][0] == done[-1][1] == sum((folder / n).stat().st_size for n in
                                             ("items.csv", "items-2.csv", "visits.jsonl"))  # fmt: skip
    assert {each.reason for each in refused} >= {"wrong_value", "not_row", "not_json", "out_of_range"}


def test_refusals_name_the_line(folder: Path) -> None:
    refused: list[FileRefusal] = []
    read_foreign(the_files(folder), now_us=NOW_US, max_skew_us=0, on_refused=refused.append)
    lines = [f"{each.path.name}:{each.line} {each.reason}" for each in refused]
    assert lines[0] == "items.csv:51 wrong_value"
    assert "items.csv:61 not_row" in lines
    assert {"visits.jsonl:8 not_json", "visits.jsonl:10 wrong_value"} <= set(lines)


def test_an_import_that_is_stopped_anywhere_goes_on_to_the_same_file(folder: Path) -> None:
    whole = import_some(folder)
    assert whole is not None
    for steps in (1, 2, 3, 7):
        while (found := import_some(folder, steps)) is None:
            steps += 1  # each goes a little further
        assert found[0] == whole[0]


def test_a_file_of_which_nothing_can_be_accepted_is_named(tmp_path: Path) -> None:
    (tmp_path / "visits.csv").write_text("who,at\na,b\nc,d\n")
    sources = list(parse_inputs("inputs.yaml", MAPPING).sources.values())
    files = foreign_files([tmp_path / "visits.csv"], sources, where="inputs.yaml")
    with pytest.raises(
        EventFileError, match=r"visits\.csv: none of its 2 rows .* source visits: 2 wrong_value"
    ):
        read_foreign(files, now_us=NOW_US, max_skew_us=0, on_refused=lambda _: None)
