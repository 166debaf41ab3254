"""`lapwing import`: your own files become events, in event files or in Kafka."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import click

from lapwing.commands import import_topics
from lapwing.event_files import Refusals
from lapwing.presets import inputs_of
from lapwing.settings.settings import Settings
from lapwing.terminal.output import OutputError, check_outputs, whole_file
from lapwing.terminal.progress import progress_bar
from lapwing.terminal.text import counted
from streams import __version__
from streams.core.events.topics import Topic
from streams.files.content import size_of
from streams.files.packing import PACKERS, suffix_of
from streams.imports.event_files import FOLDER_SUFFIX, write_file, write_folder
from streams.imports.files import ForeignFile, foreign_files
from streams.imports.reading import read_all
from streams.imports.work_file import ImportProgress, WorkFile, remove_work_file
from streams.inputs.load import Inputs

KAFKA: Final = "kafka"


def run(
    settings: Settings,
    files: tuple[Path, ...],
    to: str | None,
    map_path: Path | None,
    preset: str | None,
    source: str | None,
    follow: bool,
    to_end: bool,
    resume: bool,
    as_json: bool,
) -> None:
    """Turn FILES of your own, or with `follow` the records of topics, into events by a mapping."""
    if follow:
        _check_follow(files, to, preset, resume)
        import_topics.run(settings, map_path, source, to_end, as_json)
        return
    if not files or to is None or to_end:
        msg = "--to-end is for --follow" if to_end else "give FILES and --to, or --follow for topics"
        raise click.UsageError(msg)
    begun = time.monotonic()
    inputs = inputs_of(settings, map_path, preset)
    if preset is not None and source is None:
        [source] = inputs.sources
    read = foreign_files(files, list(inputs.sources.values()), source, where=inputs.path)
    target = None if to == KAFKA else Path(to)
    suffix = None if target is None or _is_folder(target, to) else suffix_of(target)
    if suffix is not None and suffix not in PACKERS:
        msg = f"{to}: the name must end in {', '.join(PACKERS)}"
        raise click.UsageError(msg)
    if suffix is not None:
        check_outputs([target], files)
    work_path = _work_path(settings, target)
    if not resume:
        if work_path.exists():
            click.echo(
                f"{work_path} of an import that was interrupted is replaced; --resume goes on", err=True
            )
        remove_work_file(work_path)
    for file in read:
        size_of(file.path)
    _make_folder(target if suffix is None else None)
    with _sending(settings, read, to) as send:
        work = WorkFile(work_path, _what(read, inputs, to))
        try:
            progress = work.progress(time.time_ns() // 1000)
            refusals = Refusals(Counter(progress.refused))
            with progress_bar("reading") as bar:
                read_all(
                    read,
                    work,
                    progress,
                    max_skew_us=settings.max_skew,
                    on_refused=refusals.add_line,
                    on_columns=_say_missing,
                    on_done=bar,
                )
            refusals.report()
            total = sum(progress.events.values())
            with progress_bar("sending" if send else "writing") as bar:
                if send is not None:
                    send(work, progress, lambda done: bar(done, total))
                elif suffix is None:
                    _write_folder(work, Path(to), lambda done: bar(done, total))
                else:
                    with whole_file(Path(to)) as part:
                        write_file(work, part, suffix, lambda done: bar(done, total))
        except BaseException:
            work.close()
            raise
        work.remove()
    _tell(progress, len(read), to, time.monotonic() - begun, as_json)


def _check_follow(files: tuple[Path, ...], to: str | None, preset: str | None, resume: bool) -> None:
    """Refuse beside --follow what is for files."""
    given = {"FILES": bool(files), "--to": to is not None, "--preset": preset is not None, "--resume": resume}
    if wrong := [name for name, there in given.items() if there]:
        msg = f"--follow reads topics and writes to Kafka: leave {' and '.join(wrong)} away"
        raise click.UsageError(msg)


def _is_folder(target: Path, given: str) -> bool:
    return target.is_dir() or given.endswith("/") or not target.suffix


def _make_folder(target: Path | None) -> None:
    if target is None:
        return
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{target}: cannot be written: {error.strerror or error}"
        raise OutputError(msg) from error


def _work_path(settings: Settings, target: Path | None) -> Path:
    """Return where the work file stands: beside the output."""
    if target is None:
        return Path(f".{settings.app}.{KAFKA}.import")
    whole = target.absolute()
    return whole.with_name(f".{whole.name}.import")


def _what(files: Sequence[ForeignFile], inputs: Inputs, to: str) -> dict[str, Any]:
    """Return what makes an import another one."""
    stats = [(file.path, file.path.stat()) for file in files]
    return {
        # Another version may cut files into other blocks.
        "version": __version__,
        "files": [[str(path.absolute()), stat.st_size, stat.st_mtime_ns] for path, stat in stats],
        "sources": [file.source.name for file in files],
        "mapping": inputs.hash,
        "to": to,
    }


def _say_missing(file: ForeignFile, columns: list[str]) -> None:
    names = ", ".join(map(repr, columns))
    one = "column" if len(columns) == 1 else "columns"
    click.echo(f"{file.path}: has no {one} {names}, which source {file.source.name} reads", err=True)


def _write_folder(work: WorkFile, folder: Path, on_written: Callable[[int], None]) -> None:
    """Write a file for each topic; all take their places once all are written."""
    with ExitStack() as stack:

        def place_of(topic: Topic) -> Path:
            return stack.enter_context(whole_file(folder / f"{topic.label}{FOLDER_SUFFIX}"))

        write_folder(work, place_of, on_written)


Send = Callable[[WorkFile, ImportProgress, Callable[[int], None]], None]


@contextmanager
def _sending(settings: Settings, files: Sequence[ForeignFile], to: str) -> Iterator[Send | None]:
    """Yield what sends events to the broker's topics, `None` where they go to files."""
    if to != KAFKA:
        yield None
        return
    from lapwing.import_to_kafka import connected, send_all

    topics = {topic for file in files for topic in file.source.topics}
    with connected(settings, topics) as producer:

        def send(work: WorkFile, progress: ImportProgress, on_sent: Callable[[int], None]) -> None:
            send_all(producer, work, progress, settings.topics, on_sent)

        yield send


def _tell(progress: ImportProgress, files: int, to: str, seconds: float, as_json: bool) -> None:
    """Print what was imported."""
    events, refused = sum(progress.events.values()), sum(progress.refused.values())
    if as_json:
        summary = {
            "files": files,
            "rows": progress.rows,
            "events": dict(sorted(progress.events.items())),
            "passed_over": progress.passed,
            "refused": dict(sorted(progress.refused.items())),
            "seconds": round(seconds, 3),
        }
        click.echo(json.dumps(summary))
        return
    of_files = counted(files, "file")
    by_topic = ", ".join(f"{count:,} {label}" for label, count in sorted(progress.events.items()))
    click.echo(
        f"{progress.rows:,} rows of {of_files}: {events:,} events{f' ({by_topic})' if by_topic else ''} "
        f"to {to}, {progress.passed:,} rows passed over by filters, {refused:,} refused ({seconds:.1f} s)"
    )
