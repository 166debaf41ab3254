"""Rules in a running worker: files are watched, and each partition adopts what they say at a checkpoint."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from streams.checkpoints.restore import RestoredPartition
from streams.contract.audit import adoption_id
from streams.contract.instants import format_instant, read_instant, to_us
from streams.core.engine import Engine
from streams.core.engine_io import Output
from streams.core.events.calendar import NEVER
from streams.core.rules.rule_set import RuleSet
from streams.core.steps import OperationsNotice
from streams.intake.partition import Partition
from streams.rulebook.diff import rule_changes
from streams.rulebook.revisions import ActiveRules, RuleRevision, RuleRevisions
from streams.rulebook.watch import RefusedRuleFiles, RuleWatch
from streams.worker.task import PartitionTask

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
"""How often the files are looked at."""
ADOPTED: Final = "rules.adopted"
REFUSED: Final = "rules.refused"
MISTAKES_SHOWN: Final = 20

Adoption = Mapping[str, Any]
"""The fields of `RulesAdopted`."""


@dataclass(frozen=True, slots=True)
class PendingAdoption:
    """A partition's change of rules that is to come."""

    task: PartitionTask
    then: ActiveRules
    adoption: Adoption


class RuleRollout:
    """Decides which rules a partition runs, and gathers what is to be published of changes."""

    def __init__(self, editions: RuleRevisions, app: str, worker: str, wall: Callable[[], float]) -> None:
        self.revisions = editions
        self._app = app
        self._worker = worker
        self._wall = wall
        self._adoptions: list[Adoption] = []

    def take_adoptions(self) -> list[Adoption]:
        """Return the changes since the last call."""
        adoptions, self._adoptions = self._adoptions, []
        return adoptions

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
        log.info("rules partition=%d rule_set=%s", task.number, now.rules.hash)
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
        revision = self.revisions.wanted(now)
        if revision is None:
            return None
        at = self.now()
        return PendingAdoption(task, now.then(revision, at), self._adoption(task, now.rules, revision, at))

    def adopt(self, change: PendingAdoption) -> Output:
        """Let a partition go over to other rules, and return what comes of it."""
        output = change.task.adopt(change.then)
        self._announce(change.adoption)
        return output

    def _announce(self, adoption: Adoption) -> None:
        changes = adoption["changes"]
        changed = "unknown" if changes is None else ",".join(change["rule"] for change in changes)
        number, before, after = adoption["partition"], adoption["rule_set_before"], adoption["rule_set"]
        if before is None:
            log.info("rules partition=%d rule_set=%s", number, after)
        else:
            log.info("rules adopted partition=%d from=%s to=%s changed=%s", number, before, after, changed)
        self._adoptions.append(adoption)

    def _adoption(
        self, task: PartitionTask, before: RuleSet | str | None, revision: RuleRevision, at: int
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
        self, watch: RuleWatch, app: str, worker: str, wall: Callable[[], float] = time.time
    ) -> None:
        self._watch = watch
        self._worker = worker
        self.rollout = RuleRollout(RuleRevisions(watch.edition), app, worker, wall)
        self.refused = 0
        """Sets that were refused."""

    @property
    def rule_set(self) -> str:
        """Return the hash of what the files said when they last made a good set."""
        return self.rollout.revisions.own.rules.hash

    async def look(self) -> OperationsNotice | None:
        """Look at the files; return a notice where what they say is refused."""
        found = await asyncio.to_thread(self._watch.look)
        if found is None:
            return None
        if isinstance(found, RefusedRuleFiles):
            self.refused += 1
            log.error("rule files refused, rule_set=%s stays: %s", self.rule_set, "; ".join(found.mistakes))
            return refused_notice(found.mistakes, self.rule_set, self._worker, self.rollout.now())
        log.info("rule files read rule_set=%s before=%s", found.rules.hash, self.rule_set)
        self.rollout.revisions.take(found, self.rollout.now())
        return None


# -- what is published about adoptions and refusals ---------------------------------------------------------


def adoption(
    app: str,
    worker: str,
    partition: int,
    offsets: Mapping[str, int],
    watermark: int,
    before: RuleSet | str | None,
    edition: RuleRevision,
    adopted_at: int,
) -> Adoption:
    """Return what is told of a partition's change to `edition`; `before` may be known by its hash alone."""
    at = None if watermark == NEVER else watermark
    was = before.hash if isinstance(before, RuleSet) else before
    changes = None
    if not isinstance(before, str):
        changes = [asdict(change) for change in rule_changes(before, edition.rules)]
    return {
        "id": adoption_id(app, was, edition.rules.hash, partition, offsets, at),
        "app": app,
        "kind": ADOPTED,
        "adopted_at": format_instant(adopted_at),
        "at": None if at is None else format_instant(at),
        "partition": partition,
        "offsets": dict(offsets),
        "rule_set_before": was,
        "rule_set": edition.rules.hash,
        "worker": worker,
        "revision": edition.revision,
        "author": edition.author,
        "changes": changes,
    }


def adopted_notice(said: Adoption) -> OperationsNotice:
    """Return the notice of a change of rules."""
    offsets = ",".join(f"{topic}={offset}" for topic, offset in sorted(said["offsets"].items()))
    detail = {"id": said["id"], "rule_set_before": said["rule_set_before"], "rule_set": said["rule_set"]}
    detail |= {"worker": said["worker"], "offsets": offsets}
    at = to_us(read_instant(said["at"] or said["adopted_at"]))
    return OperationsNotice(ADOPTED, at, said["partition"], detail)


def refused_notice(mistakes: Sequence[str], in_force: str, worker: str, at: int) -> OperationsNotice:
    """Return the notice of rule files that were refused."""
    told = [*mistakes[:MISTAKES_SHOWN]]
    if len(mistakes) > len(told):
        told.append(f"and {len(mistakes) - len(told)} more")
    detail: dict[str, str | int | float | None] = {
        "mistakes": len(mistakes),
        "errors": "\n".join(told),
        "rule_set": in_force,
        "worker": worker,
    }
    return OperationsNotice(REFUSED, at, None, detail)
