"""Event files as commands read them: with a bar, and a line on stderr for each line that is refused."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from lapwing.settings.settings import Settings
from lapwing.terminal.progress import progress_bar
from streams.core.events.batch import Batch
from streams.files.events import FileRefusal, read_events


def read_files(paths: Sequence[Path], settings: Settings) -> tuple[Batch, Counter[str]]:
    """Return the events in the order of `Batch.order`, and how many lines were refused, by the reason."""
    refused: Counter[str] = Counter()

    def on_refused(refusal: FileRefusal) -> None:
        refused[refusal.reason] += 1
        click.echo(f"refused {refusal}", err=True)

    with progress_bar("reading") as bar:
        batch = read_events(
            paths,
            now_us=time.time_ns() // 1000,
            max_skew_us=settings.max_skew,
            on_refused=on_refused,
            progress=bar,
        )
    return batch, refused
