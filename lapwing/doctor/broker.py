"""The broker: its topics, how far the workers have come, and what was refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from consumers.broker import topics
from consumers.broker.records import Record
from consumers.silences import silences_of
from lapwing.doctor.check import Doubtful, Skipped
from lapwing.doctor.installation import Installation
from lapwing.lag import checkpoint_ages, lag_line
from lapwing.terminal.text import printable
from streams.contract.rejected import RefusalReason, Rejection, read_rejected_headers
from streams.errors import BrokerError, ContractError, LapwingError

REJECTED: Final = 1_000
"""The newest refused records of each partition that are looked at."""
RECENT: Final = timedelta(days=1)


def broker(installation: Installation) -> str:
    """Check that the broker answers."""
    answer = installation.answer
    if isinstance(answer, LapwingError):
        raise answer
    return f"{installation.settings.broker} answers and has {len(answer)} topics"


def topics_fit(installation: Installation) -> str:
    """Check that the topics are there and fit together."""
    wanted, found = installation.planned(), installation.topics
    findings = topics.check(wanted, found, installation.ask_configs({t.name for t in wanted} & found.keys()))
    bad = [f"{finding.topic}: {finding.remedy}" for finding in findings if finding.remedy]
    if bad:
        raise BrokerError("; ".join(bad))
    return "all that are needed are there and fit together"


def lag(installation: Installation) -> str:
    """Check that no partition stands still."""
    found = installation.offsets if installation.topics else None
    if found is None or not found.committed:
        msg = f"no worker of {installation.settings.app} has committed anything yet"
        raise Skipped(msg)
    return lag_line(installation.settings, found, checkpoint_ages(installation.settings))


@dataclass(frozen=True, slots=True)
class RecentRefusals:
    """Records that were refused of late; the topic is anybody's to write to."""

    counts: Counter[RefusalReason] = field(default_factory=Counter)
    others: int = 0
    """What is no refusal."""
    newest: Rejection | None = None
    """Of the most frequent."""

    def line(self) -> str:
        """Return how many there are, by reason, and where the newest of the most frequent came from."""
        parts = [f"{count:,} {reason.value}" for reason, count in self.counts.most_common()]
        parts += [f"{self.others:,} that are no refusals"] if self.others else []
        text = f"{self.counts.total() + self.others:,} in the last day: {', '.join(parts)}"
        return text + (f"; the newest at {self.place()}" if self.newest is not None else "")

    def place(self) -> str:
        """Return where the newest came from and what is wrong with it."""
        last = self.newest
        return (
            "" if last is None else f"{last.topic}[{last.partition}]@{last.offset}: {printable(last.detail)}"
        )


def refused_records(installation: Installation) -> str:
    """Count the records that were refused of late, by reason, with the newest of the most frequent."""
    found = recent_refusals(installation)
    if not found.counts and not found.others:
        return "none in the last day"
    raise Doubtful(found.line())


def recent_refusals(installation: Installation) -> RecentRefusals:
    """Return the refusals of the last day, of the newest records of each partition."""
    since = datetime.now(UTC) - RECENT
    records = installation.read(f"{installation.settings.app}.rejected", REJECTED)
    return count_refusals(record for record in records if record.timestamp_ms >= since.timestamp() * 1000)


def count_refusals(records: Iterable[Record]) -> RecentRefusals:
    """Return how many records were refused, by reason."""
    counts: Counter[RefusalReason] = Counter()
    newest: dict[RefusalReason, Rejection] = {}
    others = 0
    for record in sorted(records, key=lambda each: each.timestamp_ms):
        try:
            rejection = read_rejected_headers(record.headers)
        except ContractError:
            others += 1
            continue
        counts[rejection.reason] += 1
        newest[rejection.reason] = rejection
    return RecentRefusals(counts, others, newest[counts.most_common(1)[0][0]] if counts else None)


def silences(installation: Installation) -> str:
    """Count the silences there are."""
    records = installation.read(installation.settings.silences_topic)
    states = [silence.state(datetime.now(UTC)) for silence in silences_of(records).values()]
    if not states:
        return "there are none"
    return f"{states.count('active')} active, {states.count('pending')} pending, {len(states)} in all"
