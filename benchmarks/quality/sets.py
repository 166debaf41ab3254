"""The histories: where they are, and what activity and horizon suit them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from streams.core.events.batch import Batch
from streams.core.events.dedup import hash_strings
from streams.core.events.topics import Topic
from streams.files.events import read_events

ROOT: Final = Path(__file__).parents[2]
DATA_VARIABLE: Final = "LAPWING_QUALITY_DATA"
"""A folder with the files that are not in the repository."""


@dataclass(frozen=True, slots=True)
class History:
    """One set."""

    name: str
    file: str
    horizon_days: int
    activity: tuple[Topic, ...]
    most_customers: int | None = None
    """Of more, those with the least hashes."""

    def path(self, data: Path | None) -> Path | None:
        """Return where the file is: in `data`, the folder of the variable, or the examples."""
        folders = [data, Path(os.environ[DATA_VARIABLE]) if DATA_VARIABLE in os.environ else None]
        for folder in (*folders, ROOT / "examples"):
            if folder is not None and (folder / self.file).exists():
                return folder / self.file
        return None

    def read(self, path: Path) -> Batch:
        """Return the events of the file."""
        batch = read_events(
            [path], now_us=time.time_ns() // 1000, max_skew_us=3_600_000_000, on_refused=lambda refusal: None
        )
        if self.most_customers is None:
            return batch
        ids, place = np.unique(batch.customer_id.astype(np.str_), return_inverse=True)
        rank = np.argsort(np.argsort(hash_strings(ids.tolist()), kind="stable"), kind="stable")
        return batch.take(np.flatnonzero(rank[place] < self.most_customers))


SETS: Final = (
    History("retail", "online_retail_ii.jsonl.gz", 90, (Topic.ORDERS,)),
    History("cdnow", "cdnow.jsonl.gz", 90, (Topic.ORDERS,), 8000),
    History("households", "households.jsonl.gz", 45, (Topic.ORDERS,)),
    History("platform", "learning_platform.jsonl.gz", 28, (Topic.LOGINS,)),
)
