"""`lapwing inputs guess`: a mapping proposed from a file."""

from __future__ import annotations

import time
from pathlib import Path

import click

from lapwing.settings.settings import Settings
from lapwing.terminal.output import check_outputs, whole_file
from streams.errors import EventFileError
from streams.imports.guess import EventGuess, guess
from streams.imports.preset import PRESETS, preset
from streams.imports.proposal import proposed, source_of_text, tried
from streams.imports.sample import Sample, read_sample
from streams.inputs.load import parse_inputs


def run(settings: Settings, file: Path, to: Path | None) -> None:
    """Propose a mapping for FILE."""
    check_outputs([to], [file])
    if to is not None and to.exists():
        msg = f"{to} is there already: it is not replaced"
        raise click.UsageError(msg)
    sample = read_sample(file)
    found = guess(sample)
    text = proposed(sample, found, file.name.partition(".")[0])
    lines = [f"Proposed from {file.name}, of which {sample.rows:,} rows were looked at."]
    refusals: list[str] = []
    if not found.missing:
        trial = tried(
            sample, source_of_text(text), now_us=time.time_ns() // 1000, max_skew_us=settings.max_skew
        )
        outcome, *refusals = trial.lines()
        lines.append(outcome)
    lines += _presets(sample)
    lines += [f"Note: {note}." for note in found.notes]
    content = "".join(f"# {line}\n" for line in lines) + text
    if to is None:
        click.echo(content, nl=False)
    else:
        with whole_file(to) as part:
            part.write_text(content, encoding="utf-8")
        for line in lines:
            click.echo(line, err=True)
    for refusal in refusals:
        click.echo(refusal, err=True)
    _complete(file, found)


def _presets(sample: Sample) -> list[str]:
    """Return which presets have only columns that the file has."""
    names = [".".join(path) for path in sample.columns]
    fitting = []
    for name in PRESETS:
        [source] = parse_inputs(name, preset(name)).sources.values()
        if not source.missing_columns(names) and source.entry.csv is None:
            fitting.append(name)
    return [f"Its columns are those of the preset {name}: lapwing inputs preset {name}." for name in fitting]


def _complete(file: Path, found: EventGuess) -> None:
    if found.missing:
        fields = ", ".join(found.missing)
        msg = f"{file}: no column was found for {fields}, which {found.topic} need: write them in"
        raise EventFileError(msg)
