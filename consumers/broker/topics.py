"""The topics that Lapwing reads and writes: what each should be, whether those found fit, and making them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from streams.errors import BrokerError

DAY_MS: Final = 24 * 60 * 60 * 1000
PARTITIONS: Final = 6
"""How many a topic is given where nothing says otherwise."""
SEGMENT_DAYS_KEPT: Final = 100
"""Days that the internal topic of segments keeps."""
CUSTOMER_DAYS_KEPT: Final = 400
"""Days that the topic of customers' days keeps: a warning may be open for long."""
SAMPLES_KEPT: Final = 400
"""Days that the topic of samples keeps: a learner that has lost its checkpoints learns a year again."""
INPUT_KEPT: Final = 1
"""Days that an input topic must keep events at least: a worker that was down for a night still reads them."""
REJECTED_BYTES: Final = 2 * 1024 * 1024
"""A rejected record keeps its bytes and gains headers, so it may be larger than what the inputs allow."""


UNLIMITED: Final = "-1"
"""How Kafka writes that there is no limit."""
_AT_LEAST: Final = frozenset({"retention.ms", "max.message.bytes"})
"""Settings of which more will do too."""
_WHY: Final = {
    "cleanup.policy": "else records that are needed are removed, or old ones are kept",
    "retention.ms": "else records are deleted that are needed",
    "max.message.bytes": "else a record that is put aside does not fit",
}


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """What a topic should be."""

    name: str
    co_partitioned: bool
    required: bool = True
    config: Mapping[str, str] = field(default_factory=dict)
    """What it is made with; a topic that is there needs the same, or more of it."""
    needs: Mapping[str, str] = field(default_factory=dict)
    """What a topic that is there must have beside `config`; it is made without."""
    wishes: Mapping[str, str] = field(default_factory=dict)
    """What it is made with where the broker knows of it."""
    partitions: int | None = None
    """Its own number of partitions, where that does not follow the inputs'."""
    foreign: bool = False
    """Whether it holds a business's own records, and whoever writes them makes it."""


class ClusterAdmin(Protocol):
    """What is needed of `broker.client.Admin`."""

    def partitions(self) -> dict[str, int]:
        """Return the number of partitions of each topic."""

    def create(self, topic: str, partitions: int, replication: int, config: Mapping[str, str]) -> bool:
        """Create a topic, or return `False` where it is there."""

    def configs(self, names: Collection[str]) -> dict[str, dict[str, str]]:
        """Return the settings of these topics, as far as the broker reports them."""


def plan(
    *,
    required: Sequence[str],
    optional: Sequence[str],
    compacted: Sequence[str],
    warnings: str,
    control: str,
    audit: str,
    rejected: str,
    silences: str,
    segment_warnings: str = "",
    segment_days: str = "",
    outcomes: str = "",
    census: str = "",
    customer_days: str = "",
    scores: str = "",
    samples: str = "",
    models: str = "",
    erasures: str = "",
    shared_learner: bool = False,
    max_skew_ms: int | None = None,
    mapped: Collection[str] = (),
) -> list[TopicSpec]:
    """Return all topics of an application: the inputs, of which `compacted` are some, and its own.

    The records of `mapped` are a business's own, which are mapped to events.
    The broker refuses records of the inputs that are dated more than `max_skew_ms` after its own clock.
    """
    inputs = [
        TopicSpec(
            name,
            co_partitioned=True,
            required=name in required,
            # Of a compacted topic of events nothing but each customer's newest would remain.
            config={"cleanup.policy": "compact" if name in compacted else "delete"},
            needs={} if name in compacted else {"retention.ms": str(INPUT_KEPT * DAY_MS)},
            wishes={} if max_skew_ms is None else {"message.timestamp.after.max.ms": str(max_skew_ms)},
        )
        for name in [*required, *optional]
    ]
    keep = str(30 * DAY_MS)
    return [
        *inputs,
        *(TopicSpec(name, co_partitioned=True, foreign=True) for name in mapped),
        # Kept for good: the open warnings can be rebuilt from this topic alone. Partitioned as the inputs
        # are: a worker finds its customers' warnings in its own partition.
        TopicSpec(warnings, co_partitioned=True, config={"cleanup.policy": "delete", "retention.ms": "-1"}),
        # Not compacted: each notice is news, none replaces another. One partition keeps them in order.
        TopicSpec(control, False, config={"cleanup.policy": "delete", "retention.ms": keep}, partitions=1),
        # Kept for good: what was changed long ago may have to be answered for.
        TopicSpec(audit, False, config={"cleanup.policy": "delete", "retention.ms": "-1"}, partitions=1),
        TopicSpec(
            rejected,
            co_partitioned=False,
            config={"retention.ms": keep, "max.message.bytes": str(REJECTED_BYTES)},
        ),
        # Compacted: of each silence its newest record is kept for good. One partition keeps changes in order.
        TopicSpec(silences, False, required=False, config={"cleanup.policy": "compact"}, partitions=1),
        # Needed where there are rules of segments. Of the days' sums a judge reads the last 35 days again.
        *(
            TopicSpec(name, False, required=False, config={"cleanup.policy": "delete", "retention.ms": kept})
            for name, kept in ((segment_warnings, "-1"), (segment_days, str(SEGMENT_DAYS_KEPT * DAY_MS)))
            if name
        ),
        # Kept for good: what warnings and plays were worth is counted from these. Outcomes stand in the
        # partition of their customer; the census is a few records a month, one partition's in order.
        *(
            TopicSpec(
                name, is_ours, required=False, config={"cleanup.policy": "delete", "retention.ms": "-1"}
            )
            for name, is_ours in ((outcomes, True), (census, False))
            if name
        ),
        # What the desk draws of open warnings; of scores the newest of each customer is all that counts.
        *(
            TopicSpec(name, True, required=False, config=config)
            for name, config in (
                (
                    customer_days,
                    {"cleanup.policy": "delete", "retention.ms": str(CUSTOMER_DAYS_KEPT * DAY_MS)},
                ),
                (scores, {"cleanup.policy": "compact"}),
            )
            if name
        ),
        # Compacted: the hash of an erased customer's id is kept, as older events may be read again.
        *(
            TopicSpec(name, False, required=False, config={"cleanup.policy": "compact"}, partitions=1)
            for name in (erasures,)
            if name
        ),
        # Of a shared learner. The order of samples is the order of learning, so they have one partition; of
        # models the newest record under each version counts, and the choice of the one in force.
        *(
            TopicSpec(name, False, required=shared_learner, config=config, partitions=1)
            for name, config in (
                (samples, {"cleanup.policy": "delete", "retention.ms": str(SAMPLES_KEPT * DAY_MS)}),
                (models, {"cleanup.policy": "compact"}),
            )
            if name
        ),
    ]


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as the broker describes it."""

    partitions: int
    copies: int
    """Of the partition that has the fewest."""
    without_leader: tuple[int, ...] = ()
    """Partitions that nobody can read or write now."""
    lacking_copies: tuple[int, ...] = ()
    """Partitions of which some copies are not up to date."""
    allowed: frozenset[str] | None = None
    """What we may do there, such as `READ`; `None` where the broker does not say."""


@dataclass(frozen=True, slots=True)
class TopicFinding:
    """A topic as it is found, and what is to be fixed, if anything."""

    topic: str
    partitions: int | None
    remedy: str | None


def check(
    topics: Sequence[TopicSpec],
    found: Mapping[str, int],
    configs: Mapping[str, Mapping[str, str]] | None = None,
) -> list[TopicFinding]:
    """Return for each topic what is there and how to fix what does not fit.

    `found` are the broker's topics with their numbers of partitions, `configs` their settings.
    """
    usual = _usual(topics, found)
    findings = []
    for topic in topics:
        count = found.get(topic.name)
        fixes = []
        if count is None and topic.foreign:
            fixes.append("missing: the file of inputs names it, and whoever writes its records makes it")
        elif count is None and topic.required:
            fixes.append("missing: run `lapwing topics`")
        if count is not None and topic.foreign and count != usual:
            fixes.append(
                f"has {count} partitions where others have {usual}, so a worker cannot read it: "
                "`lapwing import --follow` writes its events to the contract's topics"
            )
        elif count is not None and topic.co_partitioned and count != usual:
            fixes.append(
                f"has {count} partitions where others have {usual}, which tears customers' events apart: "
                f"make it anew with {usual} and send its events again (adding some moves no old key)"
            )
        if count is not None:
            settings = (configs or {}).get(topic.name, {})
            fixes += _unfit(topic.config, settings) + _unfit_values(topic.needs, settings)
        findings.append(TopicFinding(topic.name, count, "; ".join(fixes) or None))
    return findings


def _unfit(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Return what is wrong with a topic's settings; what the broker does not report passes."""
    fixes = _unfit_values(wanted, found)
    limit = found.get("retention.bytes", UNLIMITED)
    if "retention.ms" in wanted and "delete" in found.get("cleanup.policy", "delete") and limit != UNLIMITED:
        fixes.append(f"retention.bytes is {limit} and must be {UNLIMITED}: {_WHY['retention.ms']}")
    return fixes


def _unfit_values(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    return [
        f"{name} is {found[name]} and must be {_bound(name)}{value}: {_WHY[name]}"
        for name, value in wanted.items()
        if name in found and not _fits(name, value, found[name])
    ]


def _fits(name: str, wanted: str, found: str) -> bool:
    if name in _AT_LEAST:
        return found == UNLIMITED or (wanted != UNLIMITED and int(found) >= int(wanted))
    return {part.strip() for part in found.split(",")} == {wanted}


def _bound(name: str) -> str:
    return "at least " if name in _AT_LEAST else ""


def _usual(topics: Sequence[TopicSpec], found: Mapping[str, int]) -> int | None:
    """Return the number of partitions that most of the co-partitioned topics have; of two, the larger."""
    counts = Counter(found[topic.name] for topic in topics if topic.co_partitioned and topic.name in found)
    return max(counts, key=lambda count: (counts[count], count), default=None)


def create(
    cluster: ClusterAdmin, topics: Sequence[TopicSpec], partitions: int | None, replication: int
) -> list[tuple[TopicSpec, bool]]:
    """Create the topics that are missing; return each with whether it was made.

    Without `partitions` the topics that are there say how many, else it is `PARTITIONS`.
    """
    found = cluster.partitions()
    usual = _usual(topics, found)
    if partitions and usual and partitions != usual:
        msg = f"topics are there with {usual} partitions: new ones with {partitions} would not fit them"
        raise BrokerError(msg)
    made = []
    for topic in topics:
        count = topic.partitions or usual or partitions or PARTITIONS
        is_new = not topic.foreign and topic.name not in found and _create(cluster, topic, count, replication)
        made.append((topic, is_new))
    return made


def _create(cluster: ClusterAdmin, topic: TopicSpec, partitions: int, replication: int) -> bool:
    try:
        return cluster.create(topic.name, partitions, replication, {**topic.config, **topic.wishes})
    except BrokerError as error:
        if not topic.wishes or type(error.__cause__).__name__ != "InvalidConfigurationError":
            raise
        # Brokers of before Kafka 3.6 do not know it; the worker's own clock bounds the records all the same.
        return cluster.create(topic.name, partitions, replication, topic.config)
