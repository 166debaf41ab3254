"""Reading the history that a command judges rules by."""

from __future__ import annotations

from collections.abc import Iterable

from lapwing.backtest.inputs import BacktestInputs, Start
from lapwing.backtest.topics import read_topics
from lapwing.erasure import read_erasures
from lapwing.event_files import read_files
from lapwing.settings.settings import Settings
from lapwing.terminal.progress import progress_bar
from lapwing.wiring import engine_settings, erasure_key
from streams.backtest.history import History
from streams.core.erasures import ErasedCustomers, Erasure, ErasureKey
from streams.core.events.batch import Batch
from streams.core.features.customers import Customers
from streams.files.events import without_stragglers


def read_history(judged: BacktestInputs, settings: Settings) -> tuple[History, dict[str, int]]:
    """Return the history of the event files, or of the broker's topics, and what was refused by reason."""
    erasures = [] if judged.erasures is None else read_erasures(judged.erasures, erasure_key(settings))
    if judged.events:
        batch, refusals = read_files(judged.events, settings)
    else:
        with progress_bar("reading") as bar:
            batch, refusals = read_topics(settings, judged.start or Start(), bar)
        batch, early = without_stragglers(batch)
        refusals.add_events(early)
    if erasures:
        batch = without_erased(batch, erasures, erasure_key(settings))
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


def without_erased(events: Batch, erasures: Iterable[Erasure], key: ErasureKey | None) -> Batch:
    """Return the events that an engine with these erasures counts: of who was erased, only later ones."""
    erased = ErasedCustomers(key)
    erased.adopt(erasures)
    older = erased.among(events, Customers())
    return events if older is None else events.take(~older)
