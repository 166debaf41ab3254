"""Rules in a running worker: files are watched, and each partition adopts what they say at a checkpoint."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from streams.checkpoints.restore import RestoredPartition
from streams.core.engine import Engine
from streams.core.engine_io import Output
from streams.core.events.calendar import NEVER
from streams.core.segments.rules import SegmentRules
from streams.core.steps import OperationsNotice
from streams.errors import LapwingError
from streams.intake.partition import Partition
from streams.rulebook.diff import AnyRules
from streams.rulebook.revisions import ActiveRules, ActiveSegmentRules, RuleRevision, RuleRevisions
from streams.rulebook.watch import RefusedRuleFiles, RuleWatch
from streams.worker.rule_notices import (
    AGREE,
    CUSTOMERS,
    DIFFER,
    SEGMENTS,
    Adoption,
    accepted_notice,
    adoption,
    difference_notice,
    refused_notice,
    restart_notice,
)
from streams.worker.task import PartitionTask

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
"""How often the files are looked at."""


@dataclass(frozen=True, slots=True)
class PendingAdoption:
    """A partition's change of rules that is to come."""

    task: PartitionTask
    then: ActiveRules
    adoption: Adoption


@dataclass(frozen=True, slots=True)
class PendingSegmentAdoption:
    """A change of the segment rules of a partition of days' sums that is to come."""

    then: ActiveSegmentRules
    adoption: Adoption


@dataclass(frozen=True, slots=True)
class _Difference:
    """A partition that goes on under other rules than the files say."""

    running: str
    files: str
    since: int
    """By this machine's clock."""


class RuleRollout:
    """Decides which rules a partition runs, and gathers what is to be published of changes."""

    def __init__(self, revisions: RuleRevisions, app: str, worker: str, wall: Callable[[], float]) -> None:
        self.revisions = revisions
        self._app = app
        self._worker = worker
        self._wall = wall
        self._adoptions: list[Adoption] = []
        self._notices: list[OperationsNotice] = []
        self._differences: dict[tuple[str, int], _Difference] = {}

    def take_adoptions(self) -> list[Adoption]:
        """Return the changes since the last call."""
        adoptions, self._adoptions = self._adoptions, []
        return adoptions

    def take_notices(self) -> list[OperationsNotice]:
        """Return what else is to be published since the last call."""
        notices, self._notices = self._notices, []
        return notices

    def compare(self, judges: str, running: Mapping[int, ActiveRules | ActiveSegmentRules]) -> None:
        """Compare what all partitions of a kind run with the files; report where they begin or end to differ.

        A change that is going to be made is none: a partition differs where it goes on as it does.
        """
        at = self.now()
        for key in [key for key in self._differences if key[0] == judges and key[1] not in running]:
            del self._differences[key]  # whoever has the partition now compares it
        for number, now in running.items():
            key, files = (judges, number), self.revisions.own_hash(now)
            known = self._differences.get(key)
            if files == now.rules.hash:
                if known is not None:
                    del self._differences[key]
                    self._report(AGREE, judges, number, files, files, at)
                continue
            same = known is not None and (known.running, known.files) == (now.rules.hash, files)
            if not same and self.revisions.wanted(now) is None:
                self._differences[key] = _Difference(now.rules.hash, files, at)
                self._report(DIFFER, judges, number, now.rules.hash, files, at)

    def differing(self) -> dict[str, str]:
        """Return the partitions whose rules differ from the files, each with the rule set it runs."""
        return {
            f"{'segments/' if judges == SEGMENTS else ''}{number}": difference.running
            for (judges, number), difference in sorted(self._differences.items())
        }

    def _waited(self, judges: str, number: int) -> int:
        known = self._differences.get((judges, number))
        return self.now() - known.since if known is not None else 0

    def _report(self, kind: str, judges: str, number: int, running: str, files: str, at: int) -> None:
        fields = {"judges": judges, "partition": number, "rule_set": running, "files": files}
        place = "partition=%(partition)d" if judges == CUSTOMERS else "segments=%(partition)d"
        if kind == DIFFER:
            log.warning(
                f"rules differ {place} rule_set=%(rule_set)s files=%(files)s: the partition ran those of the "
                "files before; they are adopted when the files change or are touched, or in ten minutes",
                fields,
            )
        else:
            log.info(f"rules agree with the files {place} rule_set=%(rule_set)s", fields)
        self._notices.append(difference_notice(kind, judges, number, running, files, self._worker, at))

    def now(self) -> int:
        """Return what the worker's clock says, microseconds since the epoch."""
        return int(self._wall() * 1_000_000)

    def begin(self, task: PartitionTask) -> None:
        """Let a new partition run what the files say."""
        own = self.revisions.own
        task.adopt(self.revisions.begin())
        self._announce(self._adoption(task, None, own, self.now()))

    def resume(self, task: PartitionTask, restored: RestoredPartition) -> None:
        """Announce, where that is news, the rules that a partition was restored under."""
        assert restored.checkpoint is not None
        assert task.active_rules is not None
        now, saved = task.active_rules, restored.checkpoint.content.rule_set
        log.info(
            "rules partition=%(partition)d rule_set=%(rule_set)s",
            {"partition": task.number, "rule_set": now.rules.hash},
        )
        if now.rules.hash != saved:  # the checkpoint could not say what its rules are
            revision = RuleRevision(now.rules, now.files, now.since)
            self._announce(self._adoption(task, saved, revision, self.now()))
        elif restored.adoption is not None:
            self._announce(restored.adoption)

    def pending(self, task: PartitionTask) -> PendingAdoption | None:
        """Return the change that a partition is ready for, if any.

        It is not while it computes once more what was sent before a crash: that was sent under the rules it
        has, and ends under them.
        """
        now = task.active_rules
        if now is None or task.repeats_sent_steps:
            return None
        revision = self.revisions.wanted(now, self._waited(CUSTOMERS, task.number))
        if revision is None:
            return None
        at = self.now()
        return PendingAdoption(task, now.then(revision, at), self._adoption(task, now.rules, revision, at))

    def adopt(self, change: PendingAdoption) -> Output:
        """Let a partition go over to other rules, and return what comes of it."""
        output = change.task.adopt(change.then)
        self._announce(change.adoption)
        return output

    # -- segments -----------------------------------------------------------------------------------

    def restored_segments(self, kept: Mapping[str, Any] | None) -> ActiveSegmentRules:
        """Return the segment rules that a judge's state says are in force, or else, those of the files."""
        if kept is None:
            return self.revisions.begin_segments()
        try:
            rules = SegmentRules.from_plain(kept["rules"])
            active = ActiveSegmentRules(rules, int(kept["since"]), tuple(kept["before"]))
        except (KeyError, TypeError, ValueError, LapwingError) as error:
            log.warning("segment rules of a judge's state cannot be read: %r: the files' are used", error)
            return self.revisions.begin_segments()
        if (change := kept.get("adoption")) is not None:
            self._announce(change)
        return active

    def pending_segments(
        self, number: int, now: ActiveSegmentRules, offsets: Mapping[str, int], at: int | None
    ) -> PendingSegmentAdoption | None:
        """Return the change of segment rules that a partition of days' sums is ready for, if any."""
        revision = self.revisions.wanted(now, self._waited(SEGMENTS, number))
        if revision is None:
            return None
        then = now.then(revision, self.now())
        return PendingSegmentAdoption(
            then, self._segment_adoption(number, offsets, at, now.rules, revision, then.since)
        )

    def begin_segments(
        self, number: int, before: str | None, offsets: Mapping[str, int], at: int | None
    ) -> None:
        """Announce the rules that segments are judged by from now on, which no state has."""
        self._announce(self._segment_adoption(number, offsets, at, before, self.revisions.own, self.now()))

    def _segment_adoption(
        self,
        number: int,
        offsets: Mapping[str, int],
        at: int | None,
        before: AnyRules | str | None,
        revision: RuleRevision,
        adopted_at: int,
    ) -> Adoption:
        watermark = NEVER if at is None else at
        return adoption(
            self._app, self._worker, number, offsets, watermark, before, revision, adopted_at, SEGMENTS
        )

    def announce_segments(self, change: PendingSegmentAdoption) -> None:
        """Publish a change of segment rules that has been made."""
        self._announce(change.adoption)

    def _announce(self, adoption: Adoption) -> None:
        changes = adoption["changes"]
        changed = "unknown" if changes is None else ",".join(change["rule"] for change in changes)
        if plays := adoption.get("plays"):
            changed += " plays=" + ",".join(change["play"] for change in plays)
        number, before, after = adoption["partition"], adoption["rule_set_before"], adoption["rule_set"]
        place = "segments" if adoption.get("judges") == SEGMENTS else "partition"
        fields = {"partition": number, "before": before, "rule_set": after, "changed": changed}
        if before is None:
            log.info(f"rules {place}=%(partition)d rule_set=%(rule_set)s", fields)
        else:
            log.info(
                f"rules adopted {place}=%(partition)d from=%(before)s to=%(rule_set)s changed=%(changed)s",
                fields,
            )
        self._adoptions.append(adoption)

    def _adoption(
        self, task: PartitionTask, before: AnyRules | str | None, revision: RuleRevision, at: int
    ) -> Adoption:
        offsets = {name: stand.offset for name, stand in task.partition.positions().items()}
        watermark = task.engine.reorder.watermark
        return adoption(self._app, self._worker, task.number, offsets, watermark, before, revision, at)


def rule_sets(partitions: Iterable[Partition]) -> dict[str, str]:
    """Return, by partition, the hash of the rules it runs."""
    engines = {str(p.number): p.engine for p in partitions}
    return {n: engine.rules.hash for n, engine in sorted(engines.items()) if isinstance(engine, Engine)}


def opened(partitions: Collection[Partition]) -> dict[str, dict[str, int]]:
    """Return, by rule and by the status it has, the causes it has opened in the lives of these partitions.

    The counts are part of the states, so that neither a restart nor a rebalance begins them anew.
    """
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for partition in partitions:
        if isinstance(engine := partition.engine, Engine):
            for rule, count in zip(engine.rules.rules, engine.episodes.opened, strict=True):
                found[rule.id][rule.status.value] += count
    return {rule: dict(counts) for rule, counts in sorted(found.items())}


class RuleReloader:
    """A worker's watch over its rule files, and the rules of its partitions."""

    def __init__(
        self,
        watch: RuleWatch,
        app: str,
        worker: str,
        wall: Callable[[], float] = time.time,
        *,
        judges_segments: bool = False,
    ) -> None:
        self._watch = watch
        self._worker = worker
        self._judges_segments = judges_segments
        self.rollout = RuleRollout(RuleRevisions(watch.current), app, worker, wall)
        self.refused = 0
        """Sets that were refused."""
        self.mistakes: tuple[str, ...] = ()
        """Of the files as they are now, where they are refused."""

    @property
    def rule_set(self) -> str:
        """Return the hash of the last good set in the files."""
        return self.rollout.revisions.own.rules.hash

    async def look(self, tasks: Iterable[PartitionTask] = ()) -> list[OperationsNotice]:
        """Look at the files, compare with them what partitions run, and return what is to be published."""
        found = await asyncio.to_thread(self._watch.look)
        notices = [] if found is None else list(self._take(found))
        running = {task.number: task.active_rules for task in tasks}
        self.rollout.compare(CUSTOMERS, {n: now for n, now in running.items() if now is not None})
        return [*notices, *self.rollout.take_notices()]

    def _take(self, found: RuleRevision | RefusedRuleFiles) -> Iterable[OperationsNotice]:
        at, before = self.rollout.now(), self.rollout.revisions.own
        if isinstance(found, RefusedRuleFiles):
            self.refused += 1
            self.mistakes = found.mistakes
            log.error("rule files refused, rule_set=%s stays: %s", self.rule_set, "; ".join(found.mistakes))
            yield refused_notice(found.mistakes, self.rule_set, self._worker, at)
            return
        self.rollout.revisions.take(found, at)
        if self.mistakes:
            self.mistakes = ()
            log.info("rule files are accepted again rule_set=%s", found.rules.hash)
            yield accepted_notice(found.rules.hash, self._worker, at)
        segments = found.segment_rules
        log.info(
            "rule files read rule_set=%s before=%s segment_rules=%s before=%s",
            found.rules.hash, before.rules.hash, segments.hash, before.segment_rules.hash,
        )  # fmt: skip
        if segments and not before.segment_rules and not self._judges_segments:
            log.warning("segment rules are not judged before the worker is started again: it counted none")
            yield restart_notice(len(segments.rules), self._worker, at)
