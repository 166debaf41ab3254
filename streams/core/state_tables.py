"""The whole state of an engine as tables, and back: what a checkpoint holds."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.core.engine import Engine
from streams.core.erasures import Erasure
from streams.core.events.batch import COLUMNS, Batch, read_record, record_json
from streams.core.events.calendar import ALWAYS, NEVER
from streams.core.features import complaint_followups, rhythm
from streams.core.features.complaints import Rows, TrackedComplaint
from streams.core.features.customers import SCHEMA, UNANSWERED
from streams.core.features.ranks import ScoreRanks
from streams.core.model.treatment import NO_VERDICT, NO_WARNING
from streams.core.outcomes.tables import restore_outcomes, take_outcomes
from streams.core.segments.tables import restore_counts, take_counts
from streams.core.warnings.tables import (
    cause_columns,
    causes_table,
    restore_episodes,
    warnings_now,
)

FORMAT: Final = 2
"""Version of the tables; a state of another format is refused, never guessed at."""
READABLE: Final = (1, FORMAT)
"""Formats that can be gone on from: 1 knows nothing of actions on warnings, as there were none."""

Tables = dict[str, pl.DataFrame]

_COMPLAINTS: Final = {
    "customer": pl.Int32,
    "complaint_id": pl.String,
    "opened_at": pl.Int64,
    "resolved_at": pl.Int64,
    "uncounted": pl.Int32,
    "answered_at": pl.Int64,
}
_ERASURES: Final = {"hash": pl.String, "erased_at": pl.Int64, "cleared_at": pl.Int64}
_RETURNED: Final = {"customer": pl.Int32, "erased_at": pl.Int64}


class StateMismatch(ValueError):
    """The state is not one of this engine: another format, application or partition."""


def tables(engine: Engine) -> Tables:
    """Return everything the engine knows, as tables of plain columns; `restore` goes on from them.

    `customers` has one row per customer, and other tables name a customer by its row there. `engine` holds
    what there is once: instants, settings of the format, and the learner, as JSON.
    """
    return take(engine)()


def take(engine: Engine) -> Callable[[], Tables]:
    """Take what the engine knows at this moment and return what makes `tables` of it.

    The engine must stand still for the first, which is short, and may go on during the second.
    """
    customers, episodes = engine.customers, engine.episodes
    known = customers.known
    once = _once(engine)
    ids = customers.ids[:known]
    columns = {name: customers.state[name][:known].copy() for name in SCHEMA}
    days = [(m, day, *cells) for m, log in customers.logs.items() for day, *cells in log.items()]
    books = customers.book_rows()
    repeats = engine.deduplicator.at_rest()
    waiting = engine.reorder.waiting
    names = [rule.id for rule in engine.rules.rules]
    causes = cause_columns(episodes.causes)
    warnings = warnings_now(episodes, names)
    openings = list(episodes.newest.items())
    decisions = engine.scorer.delayed_labels.state()
    ranks = customers.ranks
    segments = take_counts(engine.segments, known)
    outcomes = take_outcomes(engine.outcomes, known)
    sent = None if engine.score_keeper is None else engine.score_keeper.state(known)
    erasures, returned = engine.erased.state()

    def made() -> Tables:
        return {
            "engine": pl.DataFrame({"json": [json.dumps(once, sort_keys=True)]}),
            "customers": pl.DataFrame({"customer_id": pl.Series(ids, dtype=pl.String)} | columns),
            "days": _days(days),
            "complaints": _complaints(books),
            "repeats": pl.DataFrame(repeats.columns()),
            "held": _waiting(*waiting),
            "lives": causes_table(names, causes),
            "warnings": warnings(),
            "openings": pl.DataFrame(
                [(customer, at, again) for customer, (at, again) in sorted(openings)],
                schema={"customer": pl.Int32, "at": pl.Int64, "again": pl.Int32},
                orient="row",
            ),
            "decisions": _decisions(decisions),
            "scores": pl.DataFrame({"p": np.empty(0) if ranks is None else ranks.p}),
            "erasures": pl.DataFrame(
                [(each.hash, each.erased_at, each.cleared_at) for each in erasures],
                schema=_ERASURES,
                orient="row",
            ),
            "returned": pl.DataFrame(returned, schema=_RETURNED, orient="row"),
            **segments(),
            **outcomes(),
            **({} if sent is None else {"sent_scores": pl.DataFrame({"probability": sent})}),
        }

    return made


def restore(engine: Engine, state: Mapping[str, pl.DataFrame]) -> None:
    """Let a new engine go on from `tables`.

    Causes of rules that the engine no longer has are left out; `Engine.adopt` withdraws their warnings.
    Raises `StateMismatch` for a state of another format, application or partition.
    """
    once = json.loads(state["engine"]["json"][0])
    read = once["format"] if once["format"] in READABLE else FORMAT
    for name, mine in (
        ("format", read),
        ("app", engine.settings.app),
        ("partition", engine.partition),
        ("time_zone", engine.settings.time_zone),
        ("activity", [topic.label for topic in engine.settings.activity]),
        *([("erasure_key", _key_id(engine))] if once.get("erasure_key") is not None else []),
    ):
        found = once.get(name, ["orders"] if name == "activity" else None)
        if found != mine:
            msg = f"the state's {name} is {found!r}, not {mine!r}"
            raise StateMismatch(msg)
    customers = engine.customers
    frame = state["customers"]
    columns = {
        name: (frame[name] if name in frame.columns else _restored(frame, name, once["day"])).to_numpy()
        for name in SCHEMA
    }
    customers.restore(frame["customer_id"].to_numpy().astype(np.object_), columns, once)
    for (measure, day), cells in state["days"].partition_by("measure", "day", as_dict=True).items():
        customers.logs[measure].add(day, cells["customer"].to_numpy(), cells["amount"].to_numpy())
    complaints = state["complaints"]
    if "answered_at" not in complaints.columns:  # a state of before complaints could be answered
        complaints = complaints.with_columns(answered_at=pl.lit(NEVER, pl.Int64))
    rows = complaints.select(list(_COMPLAINTS)).iter_rows()
    for customer, complaint_id, opened_at, resolved_at, uncounted, answered_at in rows:
        book = customers.book(customer)
        if complaint_id is None:
            book.uncounted = uncounted
        else:
            known = book.known.setdefault(complaint_id, TrackedComplaint([], resolved_at, answered_at))
            known.openings += [] if opened_at is None else [opened_at]
    engine.deduplicator.restore(
        {name: column.to_numpy() for name, column in state["repeats"].to_dict().items()}
    )
    engine.admission.resume()
    _restore_waiting(engine, state["held"], once)
    restore_episodes(engine.episodes, state, once)
    _restore_decisions(engine, state["decisions"], once)
    restore_counts(engine.segments, state)
    if engine.segments is not None and "word_fields" not in once:
        for field, codes in engine.segments.words_used().items():
            customers.vocabulary.know(field, codes)
    restore_outcomes(engine.outcomes, state, engine.calendar.start(once["day"]) if len(frame) else 0)
    if engine.score_keeper is not None and "sent_scores" in state:
        engine.score_keeper.restore(state["sent_scores"]["probability"].to_numpy())
    engine.resume(once["midnight"], once["next_sweep"], once["sweeps"])
    if "scores" in state:
        customers.use_ranks(ScoreRanks.of(state["scores"]["p"].to_numpy()))
    block, parameters = once.get("buying", (None, None))
    engine.restore_buying(block, parameters, once.get("value"))
    engine.source_guard.restore(once["quiet"])
    if "erasures" in state:  # a state of before anybody could be erased has none
        erasures = [Erasure(*row) for row in state["erasures"].select(list(_ERASURES)).iter_rows()]
        engine.erased.restore(erasures, dict(state["returned"].select(list(_RETURNED)).iter_rows()))


def _key_id(engine: Engine) -> str | None:
    """Return the name of the erasure key in force."""
    return None if engine.erased.key is None else engine.erased.key.id


def _restored(customers: pl.DataFrame, name: str, day: int) -> pl.Series:
    """Return a state column for customers of a state that was saved before there was such a column."""
    if name in rhythm.GAPS:
        return rhythm.restored(customers, name, day)
    if name == "last_event":
        known = ("last_order", "last_login", "last_complaint", "closed_at", "profile_at")
        first = customers["first_at"].to_numpy()
        times = [customers[each].to_numpy() for each in known if each in customers.columns]
        return pl.Series(name, np.max([*times, np.where(first == ALWAYS, NEVER, first)], axis=0))
    if name == "turnover":
        return customers["spend_total"].abs()
    if name in UNANSWERED:
        return complaint_followups.restored(customers, name)
    dtype, neutral = SCHEMA[name]
    return pl.Series(name, np.full(len(customers), neutral, dtype=dtype))


def _once(engine: Engine) -> dict[str, Any]:
    customers, reorder = engine.customers, engine.reorder
    midnight, next_sweep, sweeps = engine.place
    return {
        "format": FORMAT,
        "app": engine.settings.app,
        "partition": engine.partition,
        "time_zone": engine.settings.time_zone,
        "rule_set": engine.rules.hash,
        **customers.once(),
        "midnight": midnight,
        "next_sweep": next_sweep,
        "sweeps": sweeps,
        "watermark": reorder.watermark,
        "newest": reorder.newest,
        "begun": reorder.begun,
        "quiet": engine.source_guard.state(),
        "erasure_key": _key_id(engine) if len(engine.erased) else None,
        "opened": engine.episodes.opened_by_rule(),
        "activity": [topic.label for topic in engine.settings.activity],
        "buying": (engine.buying_block, None if customers.buying is None else customers.buying.state()),
        "value": None if customers.value_model is None else customers.value_model.state(),
        "level": engine.scorer.calibration.state(),
        "learner": engine.scorer.learner.state() if engine.scorer.learner is not None else None,
        "samples": dict(engine.scorer.delayed_labels.counts),
        "warm_up": None if (warm_up := engine.warm_up()) is None else warm_up.to_dict(),
        "shared_model": engine.scorer.state() if engine.settings.shared_learner else None,
    }


def _days(days: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    parts = [
        pl.DataFrame(
            {
                "measure": pl.repeat(measure, len(rows), dtype=pl.String, eager=True),
                "day": pl.repeat(day, len(rows), dtype=pl.Int32, eager=True),
                "customer": rows,
                "amount": amounts,
            }
        )
        for measure, day, rows, amounts in days
    ]
    schema = {"measure": pl.String, "day": pl.Int32, "customer": pl.Int32, "amount": pl.Int64}
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)


def _complaints(books: Iterable[Rows]) -> pl.DataFrame:
    rows = [row for book in sorted(books, key=lambda rows: rows[0][0]) for row in book]
    return pl.DataFrame(rows, schema=_COMPLAINTS, orient="row")


def _waiting(events: Batch, instant: NDArray[np.int64]) -> pl.DataFrame:
    """Return the events that wait to be put in order."""
    columns: dict[str, Any] = {"instant": instant}
    for name, (dtype, _) in COLUMNS.items():
        values = getattr(events, name)
        if name == "record":
            values = pl.Series([record_json(r) for r in values.tolist()], dtype=pl.String)
        elif dtype is np.object_:
            values = pl.Series(values.tolist(), dtype=pl.String)
        columns[name] = values
    return pl.DataFrame(columns)


def _restore_waiting(engine: Engine, frame: pl.DataFrame, once: Mapping[str, Any]) -> None:
    columns: dict[str, Any] = {}
    for name, (dtype, neutral) in COLUMNS.items():
        if name not in frame.columns:
            columns[name] = np.full(len(frame), neutral, dtype=dtype)
        elif dtype is np.object_:
            values = np.empty(len(frame), dtype=np.object_)
            values[:] = frame[name].to_list()
            if name == "record":
                values[:] = [read_record(text) for text in values.tolist()]
            columns[name] = values
        else:
            columns[name] = frame[name].to_numpy().astype(dtype)
    engine.reorder.restore(
        Batch(**columns),
        frame["instant"].to_numpy(),
        once["watermark"],
        once["newest"],
        begun=once.get("begun", True),
    )


def _decisions(state: Mapping[str, NDArray[Any]]) -> pl.DataFrame:
    columns: dict[str, Any] = {
        "at": np.repeat(state["at"], state["size"]),
        "customer": state["customers"],
        "p": state["p"],
        "logit": state["logit"],
        "full": np.repeat(state["full"], state["size"]),
        **{name: state[name] for name in ("tier", "verdict", "holdout")},
    }
    columns |= {f"x:{name}": state["x"][:, i] for i, name in enumerate(state["inputs"].tolist())}
    return pl.DataFrame(columns)


def _restore_decisions(engine: Engine, frame: pl.DataFrame, once: Mapping[str, Any]) -> None:
    if engine.scorer.learner is not None and once["learner"] is not None:
        engine.scorer.restore_learner(once["learner"], once.get("level"))
        if engine.settings.shared_learner and once.get("shared_model") is not None:
            engine.scorer.restore(once["shared_model"])
    at = frame["at"].to_numpy()
    starts = np.flatnonzero(np.diff(at, prepend=at[0] - 1)) if len(at) else np.empty(0, dtype=np.int64)
    names = [name for name in frame.columns if name.startswith("x:")]
    # States of before the model had a level do not know the first two, those of before treatment the others.
    unknown: dict[str, pl.Expr] = {"logit": pl.lit(math.nan), "full": pl.lit(0.0)}
    unknown |= {"tier": pl.lit(NO_WARNING, pl.Int8), "verdict": pl.lit(NO_VERDICT, pl.Int8)}
    unknown |= {"holdout": pl.lit(False)}
    known = frame.with_columns(**{n: v for n, v in unknown.items() if n not in frame.columns})
    engine.scorer.delayed_labels.restore(
        {
            "at": at[starts],
            "size": np.diff(starts, append=len(at)),
            "customers": frame["customer"].to_numpy(),
            "x": frame.select(names).to_numpy().astype(np.float32).reshape(len(at), len(names)),
            "p": frame["p"].to_numpy(),
            "logit": known["logit"].to_numpy(),
            "full": known["full"].to_numpy()[starts],
            **{name: known[name].to_numpy() for name in ("tier", "verdict", "holdout")},
            "inputs": np.array([name.removeprefix("x:") for name in names], dtype=np.str_),
        },
        once.get("samples"),
    )
