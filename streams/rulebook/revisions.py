"""Revisions of the rules: what a worker's files say, what each partition runs, and when that changes.

A partition changes its rules at a checkpoint and only there, and the checkpoint carries them. So whoever
goes on from it, and whatever that one's files say by then, goes on under the same rules.

Which rules are newer, in three sentences: a partition adopts what the files of its worker say. Where that is
a set which the partition ran before, the files may be a copy that lags behind: they have `CATCH_UP` to say
something else, and are adopted at once where they were put in place, or touched, after the present rules
were adopted. Until then the worker reports that they differ.
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
CATCH_UP: Final = 600_000_000
"""Microseconds that files which say what a partition ran before have to catch up."""


@dataclass(frozen=True, slots=True)
class RuleRevision:
    """A rulebook as it is in a worker's files."""

    rules: RuleSet
    files: Mapping[str, str]
    """Their texts by name, of which the rules can be compiled again."""
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
    """Where the checkpoint's own state is of the set before: what is published of adopting this one."""


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

    def then(self, revision: RuleRevision, at: int) -> ActiveRules:
        """Return what is in force once `revision` is adopted."""
        return ActiveRules(revision.rules, revision.files, at, _before(self))


@dataclass(frozen=True, slots=True)
class ActiveSegmentRules:
    """The segment rules that a partition of the days' sums is judged by."""

    rules: SegmentRules
    since: int
    before: tuple[str, ...] = ()

    def then(self, revision: RuleRevision, at: int) -> ActiveSegmentRules:
        """Return what is in force once `revision` is adopted."""
        return ActiveSegmentRules(revision.segment_rules, at, _before(self))


def _before(now: ActiveRules | ActiveSegmentRules) -> tuple[str, ...]:
    return (now.rules.hash, *now.before)[:BEFORE]


class RuleRevisions:
    """What this worker's files say, and what follows from it for a partition."""

    def __init__(self, own: RuleRevision) -> None:
        self.own = own
        self._had = {own.rules.hash, own.segment_rules.hash}
        """Of every set that was in the files since the worker started."""
        self._compiled: dict[str, RuleSet] = {}

    def take(self, revision: RuleRevision, at: int) -> None:
        """Take note that at `at`, by this machine's clock, the files were put in place anew."""
        self.own = replace(revision, placed_at=max(revision.placed_at, at))
        self._had |= {revision.rules.hash, revision.segment_rules.hash}

    def begin(self) -> ActiveRules:
        """Return what a partition runs of which nothing else is known."""
        return ActiveRules(self.own.rules, self.own.files, self.own.placed_at)

    def begin_segments(self) -> ActiveSegmentRules:
        """Return what judges segments where nothing else is known."""
        return ActiveSegmentRules(self.own.segment_rules, self.own.placed_at)

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

    def own_hash(self, now: ActiveRules | ActiveSegmentRules) -> str:
        """Return the hash of what the files say instead of `now`."""
        return (self.own.rules if isinstance(now, ActiveRules) else self.own.segment_rules).hash

    def wanted(self, now: ActiveRules | ActiveSegmentRules, waited: int = 0) -> RuleRevision | None:
        """Return what a partition is to adopt; `None` where it is to go on as it does.

        `waited` is for how many microseconds the files of this worker have differed from what it runs. The
        clocks of two machines are not the same, so files count as put in place after an adoption although
        they are a little older, where they had the present set too.
        """
        own = self.own_hash(now)
        if own == now.rules.hash:
            return None
        apart = CLOCKS_APART if now.rules.hash in self._had else 0
        put_back = self.own.placed_at > now.since - apart
        return self.own if own not in now.before or put_back or waited >= CATCH_UP else None
