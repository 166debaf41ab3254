"""The rules of the partitions that a worker holds: which each runs, and its change to others."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from streams.adoptions import Adoption, adoption
from streams.core.engine import Engine, Output
from streams.core.rules import RuleSet
from streams.core.take_rules import take_rules
from streams.editions import Edition, Editions, InForce
from streams.intake.partition import Partition
from streams.recovery import Recovered

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """A partition's change of rules that is to come."""

    partition: Partition
    then: InForce
    said: Adoption


class Rulings:
    """Decides which rules a partition runs; what is to be told of changes is gathered in `told`."""

    def __init__(self, editions: Editions, app: str, worker: str, wall: Callable[[], float]) -> None:
        self.editions = editions
        self._app = app
        self._worker = worker
        self._wall = wall
        self.told: list[Adoption] = []

    def now(self) -> int:
        """Return what the worker's clock says, microseconds since the epoch."""
        return int(self._wall() * 1_000_000)

    def begin(self, partition: Partition) -> None:
        """Let a new partition run what the files say."""
        own = self.editions.own
        take_rules(engine_of(partition), own.rules)
        partition.in_force = self.editions.begin()
        self._tell(self._adoption(partition, None, own, self.now()))

    def resume(self, partition: Partition, recovered: Recovered) -> None:
        """Let a partition go on under the rules that it was restored under."""
        assert recovered.checkpoint is not None
        assert recovered.in_force is not None
        now, saved = recovered.in_force, recovered.checkpoint.content.rule_set
        partition.in_force = now
        log.info("rules partition=%d rule_set=%s", partition.number, now.rules.hash)
        if now.rules.hash != saved:  # the checkpoint could not say what its rules are
            edition = Edition(now.rules, now.files, now.since)
            self._tell(self._adoption(partition, saved, edition, self.now()))
        elif recovered.adoption is not None:
            self._tell(recovered.adoption)

    def change(self, partition: Partition) -> Change | None:
        """Return the change that a partition is ready for, if any.

        It is not while it brings about once more what was sent before a crash: that was sent under the rules
        it has, and ends under them.
        """
        now = partition.in_force
        if now is None or not _past_what_was_told(partition):
            return None
        edition = self.editions.wanted(now)
        if edition is None:
            return None
        at = self.now()
        return Change(partition, now.then(edition, at), self._adoption(partition, now.rules, edition, at))

    def make(self, change: Change) -> Output:
        """Let a partition go over to other rules, and return what comes of it."""
        output = take_rules(engine_of(change.partition), change.then.rules)
        change.partition.in_force = change.then
        self._tell(change.said)
        return output

    def _tell(self, said: Adoption) -> None:
        changed = "unknown" if said["changes"] is None else ",".join(c["rule"] for c in said["changes"])
        number, before, after = said["partition"], said["rule_set_before"], said["rule_set"]
        if before is None:
            log.info("rules partition=%d rule_set=%s", number, after)
        else:
            log.info("rules adopted partition=%d from=%s to=%s changed=%s", number, before, after, changed)
        self.told.append(said)

    def _adoption(
        self, partition: Partition, before: RuleSet | str | None, edition: Edition, at: int
    ) -> Adoption:
        offsets = {name: stand.offset for name, stand in partition.stands().items()}
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
    told = partition.told
    return told is None or not told.ids or engine_of(partition).reorder.watermark > told.until
