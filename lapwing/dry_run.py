"""`lapwing worker --dry-run`: what a worker would send, printed at its end."""

from __future__ import annotations

import json
import logging
import uuid
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from lapwing.terminal.output import whole_file
from streams.inputs.watch import InputWatch
from streams.intake.partition import StepEngine
from streams.rulebook.watch import RuleWatch
from streams.worker.dry_run import DryRun
from streams.worker.run import Report, Stats, WorkerSettings, run_worker

log = logging.getLogger(__name__)


def run_dry(
    settings: WorkerSettings,
    engines: Callable[[int], StepEngine],
    watch: RuleWatch,
    report: Report | None,
    out: Path | None,
    inputs: InputWatch | None = None,
    *,
    follow: bool,
    as_json: bool,
) -> None:
    """Run a worker that sends nothing, and print what it would have sent.

    Its group is a new one: it takes no partition from the live workers, nor from another dry run.
    """
    group = f"{settings.app}.dry-run-{uuid.uuid4().hex[:8]}"
    settings = replace(settings, group=group, checkpoints="")
    log.info("dry run group=%s: nothing is sent, committed or saved", group)
    with ExitStack() as stack:
        file = stack.enter_context(stack.enter_context(whole_file(out)).open("wb")) if out else None
        dry = DryRun(settings, file, follow=follow)

        def both(stats: Stats) -> None:
            dry.report(stats)
            if report is not None:
                report(stats)

        run_worker(settings, engines, both, watch, dry, inputs=inputs)
    result = summary(dry)
    click.echo(json.dumps(result) if as_json else text(result))


def summary(dry: DryRun) -> dict[str, Any]:
    """Return what a dry run came to."""
    stats = dry.stats
    steps: dict[str, dict[str, int]] = defaultdict(dict)
    for (kind, tier), count in sorted(dry.steps.items()):
        steps[kind][tier] = count
    return {
        "events": stats.events if stats else 0,
        "refused": stats.refused if stats else 0,
        "steps": dict(steps),
        "opened": stats.opened if stats else {},
        "rule_set": stats.rule_set if stats else None,
    }


def text(result: dict[str, Any]) -> str:
    """Return a summary as people read it."""
    total = sum(count for tiers in result["steps"].values() for count in tiers.values())
    lines = [
        f"{result['events']:,} events, {result['refused']:,} records refused, rule set {result['rule_set']}",
        f"{total:,} steps would have been sent:",
    ]
    for kind, tiers in result["steps"].items():
        for tier, count in tiers.items():
            lines.append(f"  {kind:<12} {tier:<7} {count:>9,}")
    lines.append("causes opened, by rule:")
    for rule, counts in result["opened"].items():
        for status, count in counts.items():
            note = "" if status == "active" else f"  ({status}: warns nobody)"
            lines.append(f"  {rule:<28} {count:>9,}{note}")
    return "\n".join(lines)
