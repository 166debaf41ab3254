"""What the shop writes is what event files are."""

import json
from pathlib import Path

import polars as pl
import pytest

from streams.core.events.batch import Batch
from streams.errors import EventFileError
from streams.files.events import read_events
from streams.files.packing import SUFFIXES, suffix_of
from streams.simulate.files import write_events, write_truth
from streams.simulate.shop import Shop

SHOP = Shop(customers=60, days=90, seed=2)


def read(path: Path) -> Batch:
    refused: list[object] = []
    batch = read_events([path], now_us=None, max_skew_us=0, on_refused=refused.append)
    assert refused == []
    return batch


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_form_is_read_back_as_the_same_events(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"shop{suffix}"
    count = write_events(SHOP.frames(500), path, suffix)
    frame = pl.concat(SHOP.frames())
    batch = read(path)
    assert len(batch) == len(frame) == count
    assert batch.event_id.tolist() == frame["event_id"].to_list()
    assert batch.at.tolist() == frame["occurred_at"].dt.timestamp("us").to_list()
    assert batch.amount.tolist() == [round((amount or 0) * 1_000_000) for amount in frame["amount"].to_list()]


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".jsonl.zst"])
def test_the_same_shop_gives_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    one, two = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    write_events(SHOP.frames(500), one, suffix)
    write_events(SHOP.frames(10**9), two, suffix)
    assert one.read_bytes() == two.read_bytes()


def test_the_truth_is_a_line_for_each_customer(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    write_truth(SHOP.truth(), path, ".jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["customer_id"] for row in rows] == [f"c{i:07}" for i in range(60)]
    assert set(rows[0]) == {
        "customer_id",
        "kind",
        "gap_days",
        "joined_at",
        "leaving_from",
        "left_at",
        "left",
        "reason",
        "holidays",
    }


@pytest.mark.parametrize("name", ["events.csv", ".jsonl", "events"])
def test_another_ending_is_refused(name: str) -> None:
    with pytest.raises(EventFileError, match=r"must end in \.jsonl"):
        suffix_of(Path(name))
