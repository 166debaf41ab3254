"""Event files as commands read them: with a bar, and word on stderr of what is refused."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import click

from lapwing.inputs import read_inputs
from lapwing.settings.settings import Settings
from lapwing.terminal.progress import progress_bar
from streams.contract.instants import format_instant
from streams.core.events.batch import Batch
from streams.core.events.refusal import RefusedEvent
from streams.files.events import FileRefusal, read_events, without_stragglers
from streams.imports.batch import read_foreign
from streams.imports.files import ForeignFile, foreign_files, source_of

SHOWN: Final = 5
"""Refusals that are shown one by one; the others are counted."""


class Refusals:
    """What is refused: the first few are shown on stderr, and all are counted by their reasons."""

    def __init__(self, counts: Counter[str] | None = None) -> None:
        self.counts: Counter[str] = Counter() if counts is None else counts
        self._shown = 0

    def add_line(self, refusal: FileRefusal) -> None:
        """Take in a line of a file that is no event."""
        self.add(refusal.reason, str(refusal))

    def add_events(self, events: Iterable[RefusedEvent]) -> None:
        """Take in events that an engine refused."""
        for event in events:
            place = f"event {event.event_id} of customer {event.customer_id} at {format_instant(event.at)}"
            self.add(event.reason, f"{place}: {event.detail} ({event.reason})")

    def add(self, reason: str, text: str) -> None:
        """Take in one refusal; `text` says where it is and what is wrong."""
        self.counts[reason] += 1
        if self._shown < SHOWN:
            self._shown += 1
            click.echo(f"refused {text}", err=True)

    def report(self) -> None:
        """Say how many were refused in all, where not each was shown."""
        if self.counts.total() > self._shown:
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.counts.most_common())
            click.echo(f"refused {self.counts.total():,} in all: {reasons}", err=True)


def _foreign(paths: Sequence[Path], settings: Settings) -> list[ForeignFile]:
    """Return the files that a source of the settings' inputs reads."""
    inputs = read_inputs(settings)
    if inputs is None:
        return []
    sources = list(inputs.sources.values())
    fitting = [path for path in paths if source_of(path, sources) is not None]
    return foreign_files(fitting, sources, where=inputs.path)


def read_files(paths: Sequence[Path], settings: Settings) -> tuple[Batch, Refusals]:
    """Return the events in the order of `Batch.order`, and what was refused."""
    refusals = Refusals()
    foreign = _foreign(paths, settings)
    own = [path for path in paths if path not in {file.path for file in foreign}]
    now_us = time.time_ns() // 1000
    batches: list[Batch] = []
    with progress_bar("reading") as bar:
        if own or not foreign:
            batches.append(
                read_events(
                    own,
                    now_us=now_us,
                    max_skew_us=settings.max_skew,
                    on_refused=refusals.add_line,
                    progress=bar,
                )
            )
        if foreign:
            batches.append(
                read_foreign(
                    foreign,
                    now_us=now_us,
                    max_skew_us=settings.max_skew,
                    on_refused=refusals.add_line,
                    progress=bar,
                )
            )
    batch = batches[0] if len(batches) == 1 else Batch.concat(batches)
    if len(batches) > 1:
        batch = batch.take(batch.order())
    batch, early = without_stragglers(batch)
    refusals.add_events(early)
    return batch, refusals
