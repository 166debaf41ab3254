"""`lapwing report`: what was lost in a period, why, and whether it helped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from consumers.reports.document import Document
from consumers.reports.formats.csv_files import csv_files
from consumers.reports.formats.page import page as html_page
from consumers.reports.formats.pdf import pdf as pdf_file
from consumers.reports.formats.plain_text import summary, text
from consumers.reports.formats.workbook import workbook
from consumers.reports.period import YEARS, Period, PeriodKind
from consumers.reports.report import MAKERS
from consumers.reports.reporter import OnPart, Reporter
from consumers.reports.views import SEEN, View
from lapwing.database import opened_database
from lapwing.reports import reporter_of
from lapwing.settings.settings import Settings
from lapwing.terminal.output import OutputError, check_outputs, whole_file
from lapwing.terminal.text import printable
from streams.contract.instants import EPOCH, MICROSECOND
from streams.errors import ReportError

KINDS: Final = tuple(kind.value for kind in PeriodKind if kind is not PeriodKind.SPAN)


def run(
    settings: Settings,
    period: str,
    day: datetime | None,
    as_of: int | None,
    corrected_since: int | None,
    view: str,
    language: str,
    page: Path | None,
    pdf: Path | None,
    xlsx: Path | None,
    folder: Path | None,
    tables: bool,
    as_json: bool,
) -> None:
    """Make a report, write its files and print what is asked for."""
    check_outputs([page, pdf, xlsx])
    at, since = (None if given is None else EPOCH + given * MICROSECOND for given in (as_of, corrected_since))
    with closing(opened_database(settings)) as database:
        reporter = reporter_of(settings, database)
        chosen = chosen_period(reporter, period, _date(day), at)
        wanted = tuple(MAKERS) if as_json else SEEN[View(view)]
        with shown_progress() as on_part:
            report = reporter.with_corrections(chosen, datetime.now(UTC), at, since, wanted, on_part)
    written = reporter.written(report, View(view), language)
    _write_files(written, page, pdf, xlsx, folder)
    if as_json:
        click.echo(json.dumps(report.as_dict()))
    else:
        click.echo((text if tables else summary)(written), nl=False)
    for failure in report.failed:
        click.echo(printable(f"lapwing: check that failed: {failure}"), err=True)
    if report.failed:
        raise SystemExit(1)


def _date(given: datetime | None) -> date | None:
    return None if given is None else given.date()


def chosen_period(
    reporter: Reporter,
    period: str,
    day: date | None,
    as_of: datetime | None,
) -> Period:
    """Return the period that is asked for; by default the last whole one that the store knows."""
    try:
        found = _asked_for(reporter, period, day, as_of)
    except ReportError as error:
        raise click.UsageError(str(error)) from error
    except (OverflowError, ValueError):  # a neighbour lies after the last year of Python's calendar
        found = None
    if found is None or not found.is_reportable:
        msg = f"a period lies between {YEARS.start} and {YEARS.stop - 1}"
        raise click.UsageError(msg)
    return found


def _asked_for(
    reporter: Reporter,
    period: str,
    day: date | None,
    as_of: datetime | None,
) -> Period:
    if period not in KINDS:
        if day is not None:
            msg = f"--date goes with a kind of period, not with {period!r}"
            raise click.UsageError(msg)
        try:
            return Period.parse(period, reporter.zone)
        except ReportError as error:
            msg = f"--period: {error}"
            raise ReportError(msg) from error
    kind = PeriodKind(period)
    if day is not None:
        return Period.containing(day, kind, reporter.zone)
    ends = [datetime.now(UTC) if as_of is None else as_of]
    newest = reporter.newest(as_of)
    return Period.last_ended(kind, min([*ends, *([newest] if newest is not None else [])]), reporter.zone)


@contextmanager
def shown_progress() -> Iterator[OnPart]:
    """Yield what shows each part as it begins: a bar on a terminal, a line elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda name, number, count: click.echo(f"report: {name} ({number} of {count})", err=True)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("report", total=None)
        yield lambda name, number, count: progress.update(
            task, description=f"report: {name}", completed=number - 1, total=count
        )


def _write_files(
    written: Document, page: Path | None, pdf: Path | None, xlsx: Path | None, folder: Path | None
) -> None:
    makers: list[tuple[Path | None, Callable[[Document], bytes]]] = [
        (page, lambda given: html_page(given).encode()),
        (pdf, pdf_file),
        (xlsx, workbook),
    ]
    for path, make in makers:
        if path is not None:
            content = make(written)
            with whole_file(path) as part:
                part.write_bytes(content)
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"{folder}: cannot be made: {error.strerror or error}"
            raise OutputError(msg) from error
        for name, content_of_file in csv_files(written).items():
            with whole_file(folder / name) as part:
                part.write_text(content_of_file, encoding="utf-8", newline="")
