"""Files of others as one batch, for a run that reads them as it reads event files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from streams.core.events.batch import Batch
from streams.errors import EventFileError
from streams.files.content import size_of
from streams.files.events import FileRefusal
from streams.imports.files import ForeignFile
from streams.imports.groups import grouped
from streams.imports.mapped import judge_parts, mapped_blocks, whole_groups
from streams.inputs.source import Source


@dataclass(slots=True)
class _Waiting:
    """Lines of one part of a source that are to be grouped once all files are read."""

    keys: list[bytes] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)
    customers: list[str] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    """The file, counted from 0, and the line of each."""


def read_foreign(
    files: Sequence[ForeignFile],
    *,
    now_us: int | None,
    max_skew_us: int,
    on_refused: Callable[[FileRefusal], None],
    progress: Callable[[int, int], None] | None = None,
) -> Batch:
    """Return the events of all files in total order, as if they had been imported first.

    `on_refused` gets the lines that are no events, and `progress` the bytes read and the bytes in all files.
    Raises `EventFileError` for a file that cannot be read, or of which no line can be accepted.
    """
    sizes = [size_of(file.path) for file in files]
    batches: list[Batch] = []
    waiting: dict[str, tuple[Source, list[_Waiting]]] = {}
    before = 0
    for place, (file, size) in enumerate(zip(files, sizes, strict=True)):
        accepted, refused = 0, Counter[str]()
        for block in mapped_blocks(file):
            refusals = block.refused
            if block.keys is None:
                parts, judged = judge_parts(file.source, block.mapped, now_us=now_us, max_skew_us=max_skew_us)
                batches += [part.batch for part in parts]
                accepted += sum(len(part.batch) for part in parts)
                known = {each.index for each in block.mapped.refused}
                more = [each for each in judged.refused if each.index not in known]
                refusals = [*refusals, *block.refusals(file, more)]
            else:
                none = (file.source, [_Waiting() for _ in block.mapped.parts])
                _, of_parts = waiting.setdefault(file.source.name, none)
                for number, lines in enumerate(of_parts):
                    part = block.mapped.parts[number]
                    lines.keys += block.keys[number]
                    lines.values += part.values
                    lines.customers += block.mapped.customers[number]
                    lines.places += [(place, line) for line in block.lines[part.index].tolist()]
                    accepted += len(part.values)
            for refusal in refusals:
                refused[refusal.reason] += 1
                on_refused(refusal)
            if progress is not None:
                progress(before + min(block.done, size), sum(sizes))
        none_accepted(file, accepted, refused)
        before += size
    found: list[tuple[int, FileRefusal]] = []
    for source, of_parts in waiting.values():
        for number, lines in enumerate(of_parts):
            sums = source.entry.group.sum if source.entry.group is not None else ()
            events, firsts = grouped(lines.keys, lines.values, sums)
            whole = whole_groups(source, number, events, [lines.customers[i] for i in firsts])
            parts, judged = judge_parts(source, whole, now_us=now_us, max_skew_us=max_skew_us)
            batches += [part.batch for part in parts]
            for each in judged.refused:
                number_of_file, line = lines.places[firsts[each.index]]
                path = files[number_of_file].path
                found.append((number_of_file, FileRefusal(path, line, each.reason, each.detail)))
    for _, refusal in sorted(found, key=lambda each: (each[0], each[1].line)):
        on_refused(refusal)
    batch = Batch.concat(batches)
    return batch.take(batch.order())


def none_accepted(file: ForeignFile, accepted: int, refused: Counter[str]) -> None:
    """Raise where a file has rows that were refused and none that became an event."""
    if refused and not accepted:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in refused.most_common())
        msg = (
            f"{file.path}: none of its {refused.total():,} rows can be accepted by source "
            f"{file.source.name}: {reasons}"
        )
        raise EventFileError(msg)
