"""The file of inputs: what it says, whether its topics can be read, and whose records they hold."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from consumers.broker.records import Record
from lapwing.doctor.check import Doubtful, Skipped
from lapwing.doctor.installation import Installation
from lapwing.doctor.rules import NOTICES, refusals
from lapwing.mapped_topics import input_watch
from streams.contract.decode import Decoded
from streams.contract.rejected import RefusalReason
from streams.errors import BrokerError, LapwingError
from streams.inputs.formats.reading import with_schemas
from streams.inputs.source import Source

SAMPLED: Final = 200
"""The newest records of each partition of a topic that are looked at."""


def inputs(installation: Installation) -> str:
    """Check that the file of inputs is right, that its topics can be read, and that keys are customers."""
    watch = input_watch(installation.settings)
    if watch is None:
        msg = "there is no file of inputs: the topics hold events of the contract"
        raise Skipped(msg)
    sources = watch.current.sources
    said = f"{watch.path} maps {len(sources)} topics, inputs {watch.current.hash}"
    if not sources or isinstance(installation.answer, LapwingError):
        return said
    _check_there(installation, sources)
    samples = {name: installation.read(name, SAMPLED) for name in sources}
    doubts = _refused(installation)
    doubts += [line for name, source in sources.items() for line in doubts_of(source, samples[name])]
    doubts += torn(sources, samples)
    if doubts:
        raise Doubtful("; ".join(doubts))
    return f"{said}; their newest {sum(map(len, samples.values())):,} records become events under their keys"


def _check_there(installation: Installation, sources: Mapping[str, Source]) -> None:
    """Raise where a source's topic is missing, or has another number of partitions than the others."""
    found = installation.topics
    if missing := [name for name in sources if name not in found]:
        msg = f"the broker has no topic {', '.join(missing)}: name the right one, or let its writer make it"
        raise BrokerError(msg)
    counts = Counter(
        found[spec.name] for spec in installation.planned() if spec.co_partitioned and spec.name in found
    )
    usual = max(counts, key=lambda count: (counts[count], count))
    if other := [f"{name} has {found[name]}" for name in sources if found[name] != usual]:
        msg = (
            f"{', '.join(other)} partitions and the other topics have {usual}, so a worker cannot read it: "
            "`lapwing import --follow` writes its events to the contract's topics"
        )
        raise BrokerError(msg)


def _refused(installation: Installation) -> list[str]:
    """Return the workers that refuse their file of inputs now."""
    if installation.settings.control_topic not in installation.topics:
        return []
    notices = refusals(installation.read(installation.settings.control_topic, NOTICES), "inputs")
    return [
        f"{worker} has refused its file since {notice.at:%Y-%m-%d %H:%M} UTC and maps by "
        f"{notice.detail.get('inputs')}: {str(notice.detail.get('errors', '')).splitlines()[0]}"
        for worker, notice in sorted(notices.items())
    ]


def doubts_of(source: Source, records: Sequence[Record]) -> list[str]:
    """Return what is doubtful about the newest records of a source's topic."""
    if not records:
        return []
    name, number = records[0].topic, f"{len(records):,}"
    decoded = _decoded(source, records, [record.key for record in records])
    reasons = Counter(bad.reason for bad in decoded.refused)
    found = []
    if wrong := reasons.pop(RefusalReason.KEY_MISMATCH, 0):
        found.append(
            f"{name}: {wrong:,} of the newest {number} records have another key than their customer: "
            "`lapwing import --follow` writes their events under the right ones"
        )
    if reasons:
        reason, _ = reasons.most_common(1)[0]
        first = next(bad for bad in decoded.refused if bad.reason is reason)
        found.append(
            f"{name}: {reasons.total():,} of the newest {number} records are refused: "
            f"{first.detail} ({reason})"
        )
    return found


def _decoded(source: Source, records: Sequence[Record], keys: Sequence[bytes | None] | None) -> Decoded:
    """Return records as events, after fetching the schemas that they need."""
    values = [record.value for record in records]
    return with_schemas(lambda: source.decode(values, keys, None, max_skew_us=0))


def torn(sources: Mapping[str, Source], samples: Mapping[str, Sequence[Record]]) -> list[str]:
    """Return customers whose records lie in several partitions, as the newest records show it."""
    places: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for name, source in sources.items():
        records = samples[name]
        decoded = _decoded(source, records, None)
        for customer, i in zip(decoded.batch.customer_id.tolist(), decoded.index.tolist(), strict=True):
            places[customer].add((name, records[i].partition))
    apart = {who: sorted(at) for who, at in places.items() if len({number for _, number in at}) > 1}
    if not apart:
        return []
    shown = ", ".join(f"{name}[{number}]" for name, number in next(iter(apart.values())))
    return [
        f"{len(apart):,} of {len(places):,} customers have records in several partitions, such as {shown}: "
        "each counts as several: `lapwing import --follow` writes the events of one to one partition"
    ]
