"""What came of an erasure: what is gone, which topics only expire and when, and what is left to people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from streams.checkpoints.erasures import ErasureStage, PartitionErasure
from streams.contract.erasures import ErasureKey, parse_erasure
from streams.contract.instants import format_instant, to_us
from streams.core.erasures import Erasure
from streams.errors import ContractError, ErasureError

NEVER_EXPIRES: Final = -1
COMPACT: Final = "compact"
DELETE: Final = "delete"
YEARS_9000: Final = 9_000 * 365 * 24 * 60 * 60 * 1000
"""Milliseconds: what is kept for longer is kept for good."""

LEFT_TO_YOU: Final = (
    "Backups and replicas of the database, of the checkpoints and of the topics.",
    "Event files, and whatever was made from them: replays, reports, exports.",
    "The systems that send the events: what they send again, dated after the erasure, begins a new customer.",
    "Services that read the warnings: an open one ends with `withdrawn`; what they have stored is theirs.",
    "Messages that were sent to people.",
)
"""What no command of Lapwing reaches."""


@dataclass(frozen=True, slots=True)
class TopicExpiry:
    """A topic that holds records of customers and is not compacted."""

    topic: str
    gone_by: str | None
    """When the records are gone at the latest; `None` where nothing says so."""
    why: str


@dataclass(slots=True)
class ErasureReport:
    """What an erasure did, or what it would have to do; it names no customer."""

    erased_at: str
    hashes: list[str]
    unknown: list[str] = field(default_factory=list)
    """The hashes of ids of which nothing was found."""
    database: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    """Rows of each table."""
    silences: int = 0
    """Silences that named a customer."""
    tombstones: list[str] = field(default_factory=list)
    """Compacted topics that were made to forget the customers."""
    states: list[int] = field(default_factory=list)
    """Partitions whose checkpoints had the customers."""
    partitions: list[PartitionErasure] = field(default_factory=list)
    """How far the erasure is in each, of the customer for whom it is least far."""
    expiring: list[TopicExpiry] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def cleared(self) -> int:
        """Return in how many partitions no checkpoint has the customers any more."""
        return sum(each.stage is ErasureStage.CLEARED for each in self.partitions)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return asdict(self) | {"left_to_you": list(LEFT_TO_YOU)}


def read_erasures(path: Path, key: ErasureKey | None) -> list[Erasure]:
    """Return the erasures of a file that `lapwing erase --list` made."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise ErasureError(msg) from error
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            request = parse_erasure(line)
        except ContractError as error:
            msg = f"{path}:{number}: {error}"
            raise ErasureError(msg) from error
        if key is None or request.key_id != key.id:
            msg = f"{path}:{number}: made with the key {request.key_id}: set LAPWING_ERASURE_KEY to it"
            raise ErasureError(msg)
        found.append(request.erasure)
    return found


def policies(config: Mapping[str, str]) -> frozenset[str]:
    """Return how a topic removes records; Kafka deletes where nothing else is said."""
    found = frozenset(part.strip() for part in config.get("cleanup.policy", DELETE).split(","))
    return found - {""} or frozenset({DELETE})


def expiry(topic: str, config: Mapping[str, str], now: datetime) -> TopicExpiry:
    """Return when the records that a topic has now are gone at the latest.

    Kafka deletes whole segments: one goes when its newest record is too old, and is written to for as long as
    `segment.ms` before that.
    """
    kept = _whole(config.get("retention.ms"))
    if kept is None:
        return TopicExpiry(topic, None, "the broker does not report for how long it keeps records")
    if kept == NEVER_EXPIRES or kept > YEARS_9000:
        return TopicExpiry(topic, None, "it keeps records for good: retention.ms is -1")
    segment = _whole(config.get("segment.ms")) or 0
    gone = now + timedelta(milliseconds=kept) + timedelta(milliseconds=min(segment, kept))
    why = f"it keeps records for {_days(kept)}, and what is in a segment until that is full or old"
    return TopicExpiry(topic, format_instant(to_us(gone)), why)


def _whole(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def _days(ms: int) -> str:
    hours = ms / (60 * 60 * 1000)
    return f"{hours / 24:g} days" if hours >= 24 else f"{hours:g} hours"


def lines(report: ErasureReport, *, checked: bool) -> Iterator[str]:
    """Yield the report as a person reads it."""
    count = len(report.hashes)
    who = "1 customer" if count == 1 else f"{count} customers"
    yield f"{who}, looked for and nothing erased" if checked else f"{who}, erased as of {report.erased_at}"
    for hashed in report.hashes:
        known = "nothing was found of this one" if hashed in report.unknown else "found"
        yield f"  hash {hashed[:16]}...  {known}"
    yield ""
    yield "still there:" if checked else "gone:"
    yield from _gone(report, checked=checked)
    yield ""
    yield "in topics until they expire:"
    width = max((len(each.topic) for each in report.expiring), default=0)
    for each in report.expiring:
        until = "no end" if each.gone_by is None else f"until {each.gone_by[:19]}Z at the latest"
        yield f"  {each.topic:<{width}}  {until}: {each.why}"
    if not report.expiring:
        yield "  none"
    yield ""
    yield "left to you:"
    yield from (f"  {line}" for line in LEFT_TO_YOU)
    for note in report.notes:
        yield f"note: {note}"
    for failure in report.failures:
        yield f"not erased: {failure}"


def _gone(report: ErasureReport, *, checked: bool) -> Iterator[str]:
    rows = ", ".join(f"{table} {found}" for table, found in report.rows.items())
    yield f"  rows of the database {report.database}: {rows or 'none'}"
    yield f"  silences that named them: {report.silences}"
    if not checked:
        yield f"  compacted topics: {', '.join(report.tombstones) or 'none'}"
    where = [f"partition {number}" for number in report.states]
    yield f"  checkpoints: {', '.join(where) or 'none'}"
    if report.partitions:
        yield f"  the erasure is done in {report.cleared} of {len(report.partitions)} partitions"
        yield from _waiting(report.partitions)


def _waiting(partitions: Sequence[PartitionErasure]) -> Iterator[str]:
    for each in partitions:
        if each.stage is ErasureStage.WAITING:
            yield f"    partition {each.partition}: waits for its worker"
        elif each.stage is ErasureStage.CLEARING:
            yield f"    partition {each.partition}: older checkpoints are still there"


def now_utc() -> datetime:
    """Return the time of now, in UTC."""
    return datetime.now(UTC)
