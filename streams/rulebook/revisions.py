"""Editions of the rules: what a worker's files say, what each partition runs, and when that changes.

A partition changes its rules at a checkpoint and only there, and the checkpoint carries them. So whoever
goes on from it, and whatever that one's files say by then, goes on under the same rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from streams.core.rules.rule_set import RuleSet
from streams.core.segments.rules import SegmentRules
from streams.errors import LapwingError
from streams.rulebook.load import parse_rulebook

BEFORE: Final = 16
"""Former rule sets that a partition remembers."""
CLOCKS_APART: Final = 60_000_000
"""Microseconds by which the clocks of two workers may differ."""


@dataclass(frozen=True, slots=True)
class RuleRevision:
    """A rule set as a worker's files said it."""

    rules: RuleSet
    files: Mapping[str, str]
    """Their texts by name, of which the set can be compiled again."""
    placed_at: int
    """When they were put where they are, microseconds since the epoch by this machine's clock."""
    revision: str | None = None
    author: str | None = None
    segment_rules: SegmentRules = field(default_factory=SegmentRules)


@dataclass(frozen=True, slots=True)
class CheckpointedRules:
    """What a checkpoint says of the rules in force."""

    files: Mapping[str, str]
    since: int
    """When they were adopted, microseconds since the epoch by the clock of the worker that did."""
    before: tuple[str, ...] = ()
    """Hashes of the sets before, the latest first."""
    adoption: Mapping[str, object] | None = None
    """Where the checkpoint's own state is of the set before: what is told of adopting this one."""


@dataclass(frozen=True, slots=True)
class ActiveRules:
    """The rules that a partition runs."""

    rules: RuleSet
    files: Mapping[str, str]
    since: int
    before: tuple[str, ...] = ()

    def kept(self, adoption: Mapping[str, object] | None = None) -> CheckpointedRules:
        """Return what a checkpoint says of them."""
        return CheckpointedRules(self.files, self.since, self.before, adoption)

    def then(self, edition: RuleRevision, at: int) -> ActiveRules:
        """Return what is in force once `edition` is adopted."""
        before = (self.rules.hash, *self.before)[:BEFORE]
        return ActiveRules(edition.rules, edition.files, at, before)


class RuleRevisions:
    """What this worker's files say, and what follows from it for a partition."""

    def __init__(self, own: RuleRevision) -> None:
        self.own = own
        self._had = {own.rules.hash}
        """Of every set that the files have said since the worker started."""
        self._compiled: dict[str, RuleSet] = {}

    def take(self, edition: RuleRevision, at: int) -> None:
        """Take note that at `at`, by this machine's clock, the files were seen to say something else."""
        self.own = replace(edition, placed_at=max(edition.placed_at, at))
        self._had.add(edition.rules.hash)

    def begin(self) -> ActiveRules:
        """Return what a partition runs of which nothing else is known."""
        return ActiveRules(self.own.rules, self.own.files, self.own.placed_at)

    def restored(self, rule_set: str, kept: CheckpointedRules) -> ActiveRules | None:
        """Return what a checkpoint says is in force; `None` where this version reads its rules otherwise."""
        rules = self.own.rules if self.own.rules.hash == rule_set else self._compiled.get(rule_set)
        if rules is None:
            try:
                rules = parse_rulebook(kept.files).rules
            except LapwingError:
                return None
            self._compiled[rule_set] = rules
        if rules.hash != rule_set:
            return None
        return ActiveRules(rules, kept.files, kept.since, kept.before)

    def wanted(self, now: ActiveRules) -> RuleRevision | None:
        """Return what a partition is to adopt; `None` where it is to go on as it does.

        Files that say what the partition ran before are behind those of the worker that adopted what it runs
        now: a slow copy must not swing it back. They are the last word all the same where they were put in
        place after that: then somebody went back. The clocks of two machines are not the same, so a little
        earlier will do where the files have said the present set too.
        """
        own = self.own
        if own.rules.hash == now.rules.hash:
            return None
        apart = CLOCKS_APART if now.rules.hash in self._had else 0
        went_back = own.placed_at > now.since - apart
        return own if went_back or own.rules.hash not in now.before else None
