"""A guess as inputs.yaml, tried on the rows that it was made from."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import Final

from streams.files.events import FileRefusal
from streams.files.tables.csv_file import CsvFormat
from streams.imports.files import ForeignFile, rows_format
from streams.imports.groups import grouped
from streams.imports.guess import EventGuess, FieldGuess
from streams.imports.mapped import judge_parts, mapped_blocks, whole_groups
from streams.imports.sample import Sample
from streams.inputs.load import parse_inputs
from streams.inputs.paths import show_path
from streams.inputs.source import Source

_SAFE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[ .(/-]?[A-Za-z0-9_)]+)*")
_WORDS_OF_YAML: Final = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """What a proposal makes of the first rows of its file."""

    rows: int
    events: int
    passed: int
    refused: Counter[str]
    examples: tuple[FileRefusal, ...]

    def lines(self) -> list[str]:
        """Return what came of it, a line each."""
        found = [
            f"Tried on {self.rows:,} rows: {self.events:,} events, {self.passed:,} rows passed over, "
            f"{self.refused.total():,} refused."
        ]
        return found + [f"refused {each}" for each in self.examples]


def proposed(sample: Sample, guess: EventGuess, name: str) -> str:
    """Return the guess as the text of a file of inputs, each field with how sure it is and why."""
    source = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_") or "source"
    lines = ["version: 1", "sources:", f"  {source}:", f"    files: {_word(sample.path.name)}"]
    if sample.form.kind == "csv" and (options := _csv(sample.form.csv)):
        lines.append(f"    csv: {{{', '.join(options)}}}")
    if guess.group_by is not None:
        lines.append("    # Lines with the same of these are the items of one order.")
        lines.append(f"    group: {{by: [{_path(guess.group_by)}], sum: [amount]}}")
    lines += ["    events:", f"      - to: {guess.topic}"]
    if guess.present is not None:
        lines.append("        # Only the first line of an order has its total; the others are its items.")
        lines.append(f"        where: {{{_path(guess.present)}: {{present: true}}}}")
    lines.append("        fields:")
    lines += [f"          # {field}: no column was found for it" for field in guess.missing]
    for each in guess.fields:
        lines.append(f"          # {each.sure}: {each.why}")
        lines.append(f"          {each.field}: {_field(each)}")
    return "\n".join(lines) + "\n"


def source_of_text(text: str) -> Source:
    """Return the one source of a proposal."""
    [source] = parse_inputs("the proposal", text.encode()).sources.values()
    return source


def tried(sample: Sample, source: Source, *, now_us: int, max_skew_us: int) -> Trial:
    """Return what a source makes of the first block of the sample's file."""
    file = ForeignFile(sample.path, source, rows_format(sample.path, source.entry))
    events = passed = rows = 0
    refused: list[FileRefusal] = []
    for block in islice(mapped_blocks(file), 1):
        rows, passed, refused = block.rows, block.mapped.passed, list(block.refused)
        for number, part in enumerate(block.mapped.parts):
            mapped, lines = block.mapped, block.lines
            if block.keys is not None and source.entry.group is not None:
                values, firsts = grouped(block.keys[number], part.values, source.entry.group.sum)
                customers = [block.mapped.customers[number][i] for i in firsts]
                mapped = whole_groups(source, number, values, customers)
                lines = block.lines[part.index[firsts]]
            elif number:
                continue  # the first turn has judged all parts
            parts, judged = judge_parts(source, mapped, now_us=now_us, max_skew_us=max_skew_us)
            events += sum(len(each.values) for each in parts)
            known = {each.index for each in mapped.refused}
            refused += [
                FileRefusal(sample.path, int(lines[each.index]), each.reason, each.detail)
                for each in judged.refused
                if each.index not in known
            ]
    counts = Counter(each.reason.value for each in refused)
    return Trial(rows, events, passed, counts, tuple(refused[:_SHOWN]))


def _field(each: FieldGuess) -> str:
    if each.kind == "path":
        options = [f"path: {_path(each.paths[0])}"]
    else:
        options = [f"{each.kind}: [{', '.join(map(_path, each.paths))}]"]
    if each.upper:
        options.append("upper: true")
    if each.whole:
        options.append("whole: true")
    if each.words is not None:
        words = ", ".join(f"{_word(word)}: {status}" for word, status in each.words.items())
        options.append(f"map: {{{words}}}")
    if each.comma:
        options.append("decimal: comma")
    if each.time is not None:
        options.append(f"time: {_word(each.time)}")
    if len(options) == 1 and each.kind == "path":
        return _path(each.paths[0])
    return f"{{{', '.join(options)}}}"


def _csv(form: CsvFormat) -> list[str]:
    """Return the options in which a CSV file differs from what is taken without any."""
    options = []
    if form.delimiter != ",":
        options.append(f"delimiter: {json.dumps(form.delimiter)}")
    if form.encoding != "utf-8":
        options.append(f"encoding: {form.encoding}")
    if not form.header:
        options.append("header: false")
    return options


def _path(path: tuple[str, ...]) -> str:
    return _word(show_path(path))


def _word(text: str) -> str:
    """Return a text as YAML has it, in quotes where it would be something else without."""
    if _SAFE.fullmatch(text) and text.lower() not in _WORDS_OF_YAML:
        return text
    return json.dumps(text, ensure_ascii=False)
