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

    partition: Partition
    then: ActiveRules
    said: Adoption


class RuleRollout:
    """Decides which rules a partition runs; what is to be told of changes is gathered in `told`."""

    def __init__(self, editions: RuleRevisions, app: str, worker: str, wall: Callable[[], float]) -> None:
        self.revisions = editions
        self._app = app
        self._worker = worker
        self._wall = wall
        self.adoptions: list[Adoption] = []

    def now(self) -> int:
        """Return what the worker's clock says, microseconds since the epoch."""
        return int(self._wall() * 1_000_000)

    def begin(self, partition: Partition) -> None:
        """Let a new partition run what the files say."""
        own = self.revisions.own
        engine_of(partition).replace_rules(own.rules)
        partition.active_rules = self.revisions.begin()
        self._announce(self._adoption(partition, None, own, self.now()))

    def resume(self, partition: Partition, recovered: RestoredPartition) -> None:
        """Let a partition go on under the rules that it was restored under."""
        assert recovered.checkpoint is not None
        assert recovered.active_rules is not None
        now, saved = recovered.active_rules, recovered.checkpoint.content.rule_set
        partition.active_rules = now
        log.info("rules partition=%d rule_set=%s", partition.number, now.rules.hash)
        if now.rules.hash != saved:  # the checkpoint could not say what its rules are
            edition = RuleRevision(now.rules, now.files, now.since)
            self._announce(self._adoption(partition, saved, edition, self.now()))
        elif recovered.adoption is not None:
            self._announce(recovered.adoption)

    def pending(self, partition: Partition) -> PendingAdoption | None:
        """Return the change that a partition is ready for, if any.

        It is not while it brings about once more what was sent before a crash: that was sent under the rules
        it has, and ends under them.
        """
        now = partition.active_rules
        if now is None or not _past_what_was_told(partition):
            return None
        edition = self.revisions.wanted(now)
        if edition is None:
            return None
        at = self.now()
        return PendingAdoption(
            partition, now.then(edition, at), self._adoption(partition, now.rules, edition, at)
        )

    def adopt(self, change: PendingAdoption) -> Output:
        """Let a partition go over to other rules, and return what comes of it."""
        output = engine_of(change.partition).replace_rules(change.then.rules)
        change.partition.active_rules = change.then
        self._announce(change.said)
        return output

    def _announce(self, said: Adoption) -> None:
        changed = "unknown" if said["changes"] is None else ",".join(c["rule"] for c in said["changes"])
        number, before, after = said["partition"], said["rule_set_before"], said["rule_set"]
        if before is None:
            log.info("rules partition=%d rule_set=%s", number, after)
        else:
            log.info("rules adopted partition=%d from=%s to=%s changed=%s", number, before, after, changed)
        self.adoptions.append(said)

    def _adoption(
        self, partition: Partition, before: RuleSet | str | None, edition: RuleRevision, at: int
    ) -> Adoption:
        offsets = {name: stand.offset for name, stand in partition.positions().items()}
        watermark = engine_of(partition).reorder.watermark
        return adoption(self._app, self._worker, partition.number, offsets, watermark, before, edition, at)


def engine_of(partition: Partition) -> Engine:
    """Return the engine of a partition, which must be a real one where its rules or state are looked at."""
    assert isinstance(partition.engine, Engine)
    return partition.engine


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


def _past_what_was_told(partition: Partition) -> bool:
    told = partition.sent_steps
    return told is None or not told.ids or engine_of(partition).reorder.watermark > told.until


class RuleReloader:
    """A worker's watch over its rule files, and the rules of its partitions."""

    def __init__(
        self, watch: RuleWatch, app: str, worker: str, wall: Callable[[], float] = time.time
    ) -> None:
        self._watch = watch
        self._worker = worker
        self.rollout = RuleRollout(RuleRevisions(watch.edition, watch.catalogue), app, worker, wall)
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
