"""The first half of an import: from files to the work file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from streams.files.content import size_of
from streams.files.events import FileRefusal
from streams.imports.batch import none_accepted
from streams.imports.files import ForeignFile
from streams.imports.groups import grouped
from streams.imports.mapped import JudgedPart, MappedBlock, judge_parts, mapped_blocks, whole_groups
from streams.imports.work_file import ImportProgress, WorkFile


def read_all(
    files: Sequence[ForeignFile],
    work: WorkFile,
    progress: ImportProgress,
    *,
    max_skew_us: int,
    on_refused: Callable[[FileRefusal], None],
    on_columns: Callable[[ForeignFile, list[str]], None],
    on_done: Callable[[int, int], None],
) -> None:
    """Read the files from where `progress` stands to their end, and group what is to be grouped.

    `on_refused` gets the lines that are no events, `on_columns` the columns that a table lacks, `on_done` the
    bytes read and the bytes in all files. Raises `EventFileError` for a file that cannot be read, or of which
    no row can be accepted.
    """
    sizes = [size_of(file.path) for file in files]
    while progress.stage == "reading" and progress.file < len(files):
        file, before = files[progress.file], sum(sizes[: progress.file])
        for block in mapped_blocks(file, progress.blocks):
            if progress.blocks == 0 and block.columns is not None:
                missing = file.source.missing_columns(block.columns)
                if missing:
                    on_columns(file, missing)
            refusals = _take(block, file, work, progress, max_skew_us=max_skew_us)
            for refusal in refusals:
                on_refused(refusal)
            on_done(before + min(block.done, sizes[progress.file]), sum(sizes))
        none_accepted(file, progress.accepted_of_file, Counter(progress.refused_of_file))
        with work.changing(progress):
            progress.file, progress.blocks = progress.file + 1, 0
            progress.accepted_of_file, progress.refused_of_file = 0, {}
    if progress.stage == "reading":
        with work.changing(progress):
            progress.stage = "grouping"
    if progress.stage == "grouping":
        _group(files, work, progress, max_skew_us=max_skew_us, on_refused=on_refused)


def _take(
    block: MappedBlock,
    file: ForeignFile,
    work: WorkFile,
    progress: ImportProgress,
    *,
    max_skew_us: int,
) -> list[FileRefusal]:
    """Keep what came of a block and return what was refused of it."""
    refusals = block.refused
    width = len(block.mapped.parts)
    # The number of an event says its row first, so that it does not depend on how a file is cut into blocks.
    of_row = progress.number + width * np.arange(block.rows, dtype=np.int64)
    with work.changing(progress):
        if block.keys is None:
            parts, judged = judge_parts(
                file.source, block.mapped, now_us=progress.now_us, max_skew_us=max_skew_us
            )
            known = {each.index for each in block.mapped.refused}
            refusals = [*refusals, *block.refusals(file, (r for r in judged.refused if r.index not in known))]
            for number, part in enumerate(parts):
                _keep(work, progress, (of_row[part.index] + number).tolist(), part)
                progress.accepted_of_file += len(part.values)
        else:
            for number, lines in enumerate(block.mapped.parts):
                count = len(lines.values)
                work.add_lines(
                    zip(
                        [file.source.name] * count,
                        [number] * count,
                        block.keys[number],
                        (of_row[lines.index] + number).tolist(),
                        [progress.file] * count,
                        block.lines[lines.index].tolist(),
                        block.mapped.customers[number],
                        lines.values,
                        strict=True,
                    )
                )
                progress.accepted_of_file += count
        progress.number += width * block.rows
        progress.rows += block.rows
        progress.passed += block.mapped.passed
        progress.blocks += 1
        _count(progress, refusals)
    return refusals


def _count(progress: ImportProgress, refusals: Sequence[FileRefusal]) -> None:
    for refusal in refusals:
        for counts in (progress.refused, progress.refused_of_file):
            counts[refusal.reason.value] = counts.get(refusal.reason.value, 0) + 1


def _keep(work: WorkFile, progress: ImportProgress, numbers: list[int], part: JudgedPart) -> None:
    """Keep events of one topic and count them."""
    topics = [int(part.topic)] * len(part.values)
    rows = zip(part.batch.at.tolist(), numbers, topics, part.customers, part.values, strict=True)
    work.add_events(sorted(rows))
    if part.values:
        label = part.topic.label
        progress.events[label] = progress.events.get(label, 0) + len(part.values)


def _group(
    files: Sequence[ForeignFile],
    work: WorkFile,
    progress: ImportProgress,
    *,
    max_skew_us: int,
    on_refused: Callable[[FileRefusal], None],
) -> None:
    """Make one event of the lines of each group."""
    sources = {file.source.name: file.source for file in files if file.source.entry.group is not None}
    found: list[tuple[int, FileRefusal]] = []
    with work.changing(progress):
        for source in sources.values():
            assert source.entry.group is not None
            for number in range(len(source.events)):
                for lines in work.lines(source.name, number):
                    events, firsts = grouped(
                        [line.key for line in lines], [line.value for line in lines], source.entry.group.sum
                    )
                    whole = whole_groups(source, number, events, [lines[i].customer for i in firsts])
                    parts, judged = judge_parts(
                        source, whole, now_us=progress.now_us, max_skew_us=max_skew_us
                    )
                    part = parts[number]
                    _keep(work, progress, [lines[firsts[i]].number for i in part.index.tolist()], part)
                    for each in judged.refused:
                        line = lines[firsts[each.index]]
                        refusal = FileRefusal(files[line.file].path, line.line, each.reason, each.detail)
                        found.append((line.file, refusal))
        refusals = [refusal for _, refusal in sorted(found, key=lambda each: (each[0], each[1].line))]
        work.drop_lines()
        progress.stage = "writing"
        _count(progress, refusals)
    for refusal in refusals:
        on_refused(refusal)
