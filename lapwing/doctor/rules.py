"""The rules: what the files say, what workers made of it, and which partitions run something else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from consumers.broker.records import Record
from lapwing.doctor.check import Doubtful, Skipped
from lapwing.doctor.installation import Installation
from lapwing.lag import shown_age
from streams.contract.audit import RulesAdopted, parse_adopted
from streams.contract.mistakes import read_json
from streams.contract.warnings import ControlNotice
from streams.errors import ContractError, LapwingError
from streams.rulebook.watch import placed_at

NOTICES: Final = 2_000
"""The newest notices on the control topic that are looked through."""
ADOPTED_WITHIN: Final = timedelta(minutes=2)
"""By when workers have adopted a change of the files, checkpoints included."""


def rule_files(installation: Installation) -> str:
    """Check that the rule files make a rule set."""
    rulebook = installation.rulebook
    rules, segments = rulebook.rules, rulebook.segment_rules
    more = f"; {len(segments.rules)} of segments, set {segments.hash}" if segments.rules else ""
    return f"{len(rules.rules)} in force from {installation.settings.rules}, rule set {rules.hash}{more}"


def rules_of_partitions(installation: Installation) -> str:
    """Check that every partition runs what the rule files say, by the newest adoption of each."""
    newest = adoptions(installation.read(installation.settings.audit_topic))
    if not newest:
        msg = f"no worker of {installation.settings.app} has reported any yet"
        raise Skipped(msg)
    rulebook = installation.rulebook
    hashes = {"customers": rulebook.rules.hash, "segments": rulebook.segment_rules.hash}
    wanted = hashes["customers"]
    behind = {place: each for place, each in sorted(newest.items()) if each.rule_set != hashes[each.judges]}
    if not behind:
        return f"all {len(newest)} partitions run rule set {wanted}"
    if all(each.judges == "segments" for each in behind.values()):
        wanted = f"segment rules {hashes['segments']}"
    changed = datetime.fromtimestamp(placed_at(installation.settings.rules) / 1e6, UTC)
    since = datetime.now(UTC) - changed
    if since < ADOPTED_WITHIN:
        return f"{len(behind)} of {len(newest)} partitions have yet to adopt {wanted}, {shown_age(since)} old"
    lines = [
        f"{place} runs {each.rule_set} since {each.adopted_at:%Y-%m-%d %H:%M} UTC ({each.worker})"
        for place, each in behind.items()
    ]
    msg = f"the files say {wanted}, but {'; '.join(lines)}: see what rule files the workers have"
    raise LapwingError(msg)


def refused_files(installation: Installation) -> str:
    """Check that no worker refuses its rule files right now: a notice says when that begins and ends."""
    refused = refusals(installation.read(installation.settings.control_topic, NOTICES))
    if not refused:
        return "no worker refuses its rule files"
    lines = [
        f"{worker} has refused its rule files since {notice.at:%Y-%m-%d %H:%M} UTC and runs "
        f"{notice.detail.get('rule_set')}: {str(notice.detail.get('errors', '')).splitlines()[0]}"
        for worker, notice in sorted(refused.items())
    ]
    raise Doubtful("; ".join(lines))


def adoptions(records: Iterable[Record]) -> dict[str, RulesAdopted]:
    """Return the newest change of rules of each partition; what is none is passed over."""
    newest: dict[str, RulesAdopted] = {}
    for record in records:
        try:
            adopted = parse_adopted(record.value or b"")
        except ContractError:
            continue
        of_segments = "of segments " if adopted.judges == "segments" else ""
        newest[f"partition {of_segments}{adopted.partition}"] = adopted
    return newest


def refusals(records: Iterable[Record], what: str = "rules") -> dict[str, ControlNotice]:
    """Return, by worker, the refusal of its files of rules, or of inputs, whose end it has not reported."""
    refused: dict[str, ControlNotice] = {}
    for record in records:
        try:
            notice = read_json(ControlNotice, record.value or b"", "a notice")
        except ContractError:
            continue
        worker = str(notice.detail.get("worker"))
        if notice.kind == f"{what}.refused":
            refused[worker] = notice
        elif notice.kind == f"{what}.accepted":
            refused.pop(worker, None)
    return refused
