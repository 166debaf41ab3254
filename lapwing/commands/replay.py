"""`lapwing replay`: a history of events through the engine."""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import click

from lapwing.event_files import read_files
from lapwing.settings.settings import Settings
from lapwing.terminal.output import check_outputs, whole_file
from lapwing.terminal.progress import progress_bar
from lapwing.wiring import engine, erasure_key, segment_engine
from streams.contract.census import encode_census
from streams.contract.outcomes import encode_outcome
from streams.contract.segments import encode_segment_step
from streams.contract.warnings import encode_step
from streams.core.engine import Engine
from streams.core.outcomes.outcome import CensusEvent, Outcome
from streams.core.removal import erase
from streams.core.segments.engine import SegmentStep
from streams.core.steps import Step
from streams.offline.replay import FeatureFile, replay
from streams.rulebook.load import load_rulebook


def run(
    events: tuple[Path, ...],
    settings: Settings,
    out: Path | None,
    features_path: Path | None,
    outcomes_path: Path | None,
    census_path: Path | None,
    erasures_path: Path | None,
    until: int | None,
    partitions: int,
    as_json: bool,
) -> None:
    """Run the engine over EVENTS (.jsonl, .jsonl.gz, .jsonl.zst or .parquet) and write its warnings."""
    check_outputs((out, features_path, outcomes_path, census_path), events)
    erasures = []
    if erasures_path is not None:
        from lapwing.erasure import read_erasures

        erasures = read_erasures(erasures_path, erasure_key(settings))
    rulebook = load_rulebook(settings.rules)
    rules, segment_rules = rulebook.rules, rulebook.segment_rules
    started = time.monotonic()
    kinds: Counter[str] = Counter()
    segment_kinds: Counter[str] = Counter()
    with ExitStack() as stack:
        lines, outcome_lines, census_lines = (
            stack.enter_context(stack.enter_context(whole_file(path)).open("wb")) if path else None
            for path in (out, outcomes_path, census_path)
        )
        rows = None
        if features_path is not None:
            rows = stack.enter_context(FeatureFile(stack.enter_context(whole_file(features_path))))
        batch, refusals = read_files(events, settings)

        def on_steps(steps: list[Step]) -> None:
            kinds.update(step.kind.value for step in steps)
            if lines is not None:
                lines.writelines(encode_step(step, settings.app) + b"\n" for step in steps)

        def on_segments(steps: list[SegmentStep]) -> None:
            segment_kinds.update(step.kind.value for step in steps)
            if lines is not None:
                lines.writelines(encode_segment_step(step, settings.app) + b"\n" for step in steps)

        def on_outcomes(found: list[Outcome]) -> None:
            if outcome_lines is not None:
                outcome_lines.writelines(encode_outcome(each, settings.app) + b"\n" for each in found)

        def on_census(found: list[CensusEvent]) -> None:
            if census_lines is not None:
                census_lines.writelines(encode_census(each, settings.app) + b"\n" for each in found)

        wanted = outcomes_path is not None or census_path is not None

        def begun(partition: int) -> Engine:
            made = engine(settings, rules, partition, segments=bool(segment_rules), outcomes=wanted)
            made.erased.adopt(erasures)
            ready, _ = erase(made)
            if not wanted:
                ready.keep_no_outcomes()
            return ready

        bar = stack.enter_context(progress_bar("replaying"))
        result = replay(
            batch,
            [begun(n) for n in range(partitions)],
            until=until,
            on_steps=on_steps,
            features=rows,
            progress=bar,
            segments=segment_engine(settings, segment_rules, partitions, 0) if segment_rules else None,
            on_segments=on_segments,
            on_outcomes=on_outcomes,
            on_census=on_census,
        )
    refusals.add_events(result.refused)
    refusals.report()
    seconds = time.monotonic() - started
    summary = {
        "events": result.counts.events,
        "repeats": result.counts.repeats,
        "erased": result.counts.erased,
        "refused": dict(sorted(refusals.counts.items())),
        "ignored_actions": dict(sorted(result.counts.ignored.items())),
        "forgotten": result.counts.forgotten,
        "unknown_words": dict(sorted(result.counts.unknown_words.items())),
        "customers": result.customers,
        "sweeps": result.sweeps,
        "steps": dict(sorted(kinds.items())),
        "segment_steps": dict(sorted(segment_kinds.items())),
        "rule_set": rules.hash,
        "seconds": round(seconds, 3),
        "quiet_sources": [asdict(notice) for notice in result.notices],
    }
    if as_json:
        click.echo(json.dumps(summary))
        return
    by_kind = [f"{count:,} {kind}" for kind, count in sorted(kinds.items())] or ["no warnings"]
    by_kind += [f"{count:,} of segments {kind}" for kind, count in sorted(segment_kinds.items())]
    steps = ", ".join(by_kind)
    bad = f"{refusals.counts.total():,} refused"
    ignored = f"{result.counts.ignored.total():,} actions ignored, " if result.counts.ignored else ""
    ignored += f"{result.counts.erased:,} of erased customers, " if result.counts.erased else ""
    ignored += f"{result.counts.forgotten:,} customers forgotten, " if result.counts.forgotten else ""
    if result.counts.unknown_words:
        ignored += f"{result.counts.unknown_words.total():,} words beyond max_words, "
    click.echo(
        f"{result.counts.events:,} events of {result.customers:,} customers, {result.sweeps:,} sweeps: "
        f"{steps} ({result.counts.repeats:,} repeats, {bad}, {ignored}{seconds:.1f} s)"
    )
