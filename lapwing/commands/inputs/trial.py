"""`lapwing inputs try`: records before and after a mapping."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click

from consumers.broker.client import Cluster, Subscription
from consumers.broker.records import Record
from lapwing.inputs import need_inputs
from lapwing.settings.settings import Settings
from lapwing.terminal.text import counted, printable
from streams.core.conditions.parser import closest
from streams.errors import SettingsError
from streams.files.tables.csv_file import CsvFormat
from streams.files.tables.rows import RowsFormat, default_format, read_rows
from streams.files.tables.table import TableRows
from streams.inputs.formats.reading import with_schemas
from streams.inputs.source import Mapped, Source
from streams.inputs.source_entry import SourceEntry

LONGEST_SHOWN: Final = 2_000
"""Characters of a record that are shown."""
WAIT_S: Final = 10.0
"""How long the broker may take to give the newest records."""


@dataclass(slots=True)
class Trial:
    """Some records of a source, and what they become."""

    places: list[str]
    """Where each record stands: file and line, or topic, partition and offset."""
    shown: list[str]
    """Each record as text."""
    mapped: Mapped
    bad_rows: list[tuple[str, str]] = field(default_factory=list)
    """Rows of a table that cannot be read: where and why."""


def run(source: str, file: Path | None, settings: Settings, limit: int, as_json: bool) -> None:
    """Show records before and after the mapping of a source."""
    inputs = need_inputs(settings)
    if source not in inputs.sources:
        near = closest(source, inputs.sources)
        msg = f"{inputs.path}: there is no source {source!r}" + (f"; did you mean {near!r}?" if near else "")
        raise SettingsError(msg)
    chosen = inputs.sources[source]
    if file is not None:
        trial = _of_file(chosen, file, limit, settings)
    elif chosen.entry.topic is not None:
        trial = _of_topic(chosen, chosen.entry.topic, limit, settings)
    else:
        msg = f"source {source!r} has no topic to read from: name a file of its records"
        raise SettingsError(msg)
    results = list(_results(trial))
    summary = _summary(trial, results)
    for each in results:
        click.echo(json.dumps(each, ensure_ascii=False) if as_json else _as_text(each))
    click.echo(json.dumps(summary) if as_json else _summary_text(summary))


def _of_topic(source: Source, topic: str, limit: int, settings: Settings) -> Trial:
    """Try the newest records of a topic; the broker is asked once, without a group."""
    subscription = Subscription(Cluster(settings.broker, settings.kafka_security), topic, group=None)
    records: list[Record] = []
    try:
        subscription.seek_back(limit, WAIT_S)
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            records += subscription.poll(0.5)
            if subscription.at_end():
                break
    finally:
        subscription.close()
    records = sorted(records, key=lambda each: each.timestamp_ms)[-limit:]
    values = [each.value for each in records]
    mapped = source.judged(
        with_schemas(lambda: source.map(values)),
        [each.key for each in records],
        [each.timestamp_ms for each in records],
        max_skew_us=settings.max_skew,
    )
    places = [f"{each.topic}[{each.partition}]@{each.offset}" for each in records]
    return Trial(places, [_text(value) for value in values], mapped)


def _of_file(source: Source, file: Path, limit: int, settings: Settings) -> Trial:
    """Try the first records of a file."""
    now_us = time.time_ns() // 1_000
    for rows in read_rows(file, rows_format(file, source.entry)):
        bad: list[tuple[str, str]] = []
        if isinstance(rows, TableRows):
            frame = rows.frame.head(limit)
            mapped = source.map_table(frame)
            shown = [json.dumps(row, ensure_ascii=False) for row in frame.to_dicts()]
            bad = [(f"{file}:{each.line}", each.detail) for each in rows.bad]
            if missing := source.missing_columns(frame.columns):
                click.echo(f"{file}: has no column {', '.join(map(repr, missing))}", err=True)
        else:
            values = rows.values[:limit]
            mapped = source.map(values)
            shown = [_text(value) for value in values]
        places = [f"{file}:{line}" for line in rows.lines[: len(shown)].tolist()]
        judged = source.judged(mapped, max_skew_us=settings.max_skew, now_us=now_us)
        if shown or bad:
            return Trial(places, shown, judged, bad)
    return Trial([], [], source.map([]))


def rows_format(file: Path, entry: SourceEntry) -> RowsFormat:
    """Return how a file of a source is written: by its name, and what the mapping says of it."""
    if entry.format is None and entry.files is None:
        return default_format(file)
    kinds: dict[str | None, Any] = {"csv": "csv", "xlsx": "xlsx", "parquet": "parquet", "jsonl": "jsonl"}
    kind = kinds.get(entry.format) or default_format(file).kind
    if entry.csv is None:
        return default_format(file) if entry.format is None else RowsFormat(kind)
    return RowsFormat(kind, csv=CsvFormat(entry.csv.delimiter, entry.csv.encoding, entry.csv.header))


def _text(value: bytes | None) -> str:
    return "no value" if value is None else value[: 4 * LONGEST_SHOWN].decode(errors="replace")


def _results(trial: Trial) -> Iterator[dict[str, Any]]:
    """Yield for each record where it stands, what it was and what becomes of it."""
    for place, why in trial.bad_rows:
        yield {"place": place, "refused": {"reason": "not_a_row", "detail": why}}
    refused = {each.index: each for each in trial.mapped.refused}
    events: dict[int, list[dict[str, Any]]] = {}
    for part in trial.mapped.parts:
        for value, index in zip(part.values, part.index.tolist(), strict=True):
            made = {name: each for name, each in json.loads(value).items() if each is not None}
            events.setdefault(index, []).append({"to": part.topic.label, "event": made})
    for i, (place, shown) in enumerate(zip(trial.places, trial.shown, strict=True)):
        found: dict[str, Any] = {"place": place, "before": shown[:LONGEST_SHOWN], "after": events.get(i, [])}
        if i in refused:
            found["refused"] = {"reason": refused[i].reason.value, "detail": refused[i].detail}
        yield found


def _summary(trial: Trial, results: list[dict[str, Any]]) -> dict[str, Any]:
    refused = Counter(each["refused"]["reason"] for each in results if "refused" in each)
    events = Counter(event["to"] for each in results for event in each.get("after", ()))
    passed = sum(not each.get("after") and "refused" not in each for each in results)
    return {"records": len(results), "events": dict(events), "refused": dict(refused), "passed": passed}


def _as_text(result: dict[str, Any]) -> str:
    lines = [result["place"]]
    if "before" in result:
        lines.append(f"  before   {result['before']}")
    lines += [
        f"  {each['to']:<9}{json.dumps(each['event'], ensure_ascii=False)}"
        for each in result.get("after", ())
    ]
    if "refused" in result:
        lines.append(f"  refused  {result['refused']['detail']} ({result['refused']['reason']})")
    elif not result["after"]:
        lines.append("  passed   no filter takes it")
    return "\n".join(map(printable, lines))


def _summary_text(summary: dict[str, Any]) -> str:
    made = ", ".join(f"{count} {topic}" for topic, count in summary["events"].items()) or "no events"
    refused = ", ".join(f"{count} {reason}" for reason, count in summary["refused"].items())
    passed = f"; {summary['passed']} passed over" if summary["passed"] else ""
    records = counted(summary["records"], "record")
    return f"{records}: {made}{f'; refused: {refused}' if refused else ''}{passed}"
