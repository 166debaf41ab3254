"""Reading the history that a command judges rules by."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from lapwing.backtest.inputs import BacktestInputs, Start
from lapwing.backtest.topics import read_topics
from lapwing.event_files import Refusals, read_files
from lapwing.settings.settings import Settings
from lapwing.terminal.progress import progress_bar
from lapwing.wiring import engine_settings
from streams.backtest.history import History
from streams.files.events import without_stragglers


def read_history(judged: BacktestInputs, settings: Settings) -> tuple[History, dict[str, int]]:
    """Return the history of the event files, or of the broker's topics, and what was refused by reason."""
    if judged.events:
        batch, refusals = read_files(judged.events, settings)
    else:
        with progress_bar("reading") as bar:
            batch, counts = read_topics(settings, judged.start or Start(), bar)
        refusals = Refusals(counts)
        batch, early = without_stragglers(batch)
        refusals.add_events(early)
    history = History.of(
        batch,
        settings.repeat_window,
        judged.until,
        currency=settings.currency,
        activity=engine_settings(settings).activity,
    )
    refusals.add_events(history.refused)
    refusals.report()
    return history, dict(sorted(refusals.counts.items()))


@contextmanager
def no_collector() -> Iterator[None]:
    """Keep Python's collector from looking through millions of events for cycles that are not there."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
