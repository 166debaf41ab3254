"""What the broker's topics bear: lost brokers, our rights there, how long records are kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from consumers.broker.topics import TopicState
from lapwing.doctor.check import Doubtful, Skipped
from lapwing.doctor.installation import Installation
from lapwing.lag import checkpoint_ages, shown_age
from streams.errors import REBUILD, BrokerError, LapwingError, StateError

GROUP_KEPT: Final = timedelta(days=7)
"""How long Kafka keeps the offsets of a group without members, unless `offsets.retention.minutes` differs."""


def copies(installation: Installation) -> str:
    """Check that a broker that is lost takes no topic with it, and stops none."""
    states = _states(installation)
    dead = [f"{name}[{n}]" for name, state in states.items() for n in state.without_leader]
    if dead:
        msg = f"no broker leads {_few(dead)}: nothing is read or written there: start its brokers"
        raise BrokerError(msg)
    configs = installation.ask_configs(states)
    least = {name: int(configs.get(name, {}).get("min.insync.replicas", 1)) for name in states}
    closed = [name for name, state in states.items() if least[name] > state.copies]
    if closed:
        msg = (
            f"{_few(closed)} ask for more copies in sync (min.insync.replicas) than they have: no record is "
            "taken: lower it, or add copies with `kafka-reassign-partitions.sh`"
        )
        raise BrokerError(msg)
    single = [name for name, state in states.items() if state.copies < 2]
    if single:
        msg = (
            f"{len(single)} of {len(states)} topics have one copy ({_few(single)}): whoever loses the broker "
            "with it loses their records: add copies with `kafka-reassign-partitions.sh`, and make new "
            "topics with `lapwing topics --replication 3`"
        )
        raise Doubtful(msg)
    strict = [name for name, state in states.items() if least[name] == state.copies]
    if strict:
        msg = f"{_few(strict)} take nothing while one broker is down: lower min.insync.replicas or add copies"
        raise Doubtful(msg)
    behind = [f"{name}[{n}]" for name, state in states.items() for n in state.lacking_copies]
    if behind:
        msg = f"copies of {_few(behind)} are not up to date: see whether a broker is down or slow"
        raise Doubtful(msg)
    return f"every topic has {min(state.copies for state in states.values())} copies or more"


def rights(installation: Installation) -> str:
    """Check that the topics may be read and written with the settings that this command has."""
    states = _states(installation)
    inputs = set(installation.inputs)
    denied = []
    for name, state in states.items():
        if state.allowed is None:
            continue
        needed = {"READ"} if name in inputs else {"READ", "WRITE"}
        # `ALL` is what a broker without rules answers in full; it may name the one word instead.
        lacking = () if "ALL" in state.allowed else sorted(needed - state.allowed)
        denied += [f"{name} cannot be {'read' if each == 'READ' else 'written'}" for each in lacking]
    if denied:
        msg = (
            f"{_few(denied)} as {installation.settings.sasl_username or 'this client'}: give the right with "
            "`kafka-acls.sh --add`; docs/security.md has what each process needs"
        )
        raise LapwingError(msg)
    known = [state for state in states.values() if state.allowed is not None]
    if not known:
        msg = "the broker does not say what may be done"
        raise Skipped(msg)
    return f"{len(known)} topics may be read, and written where that is needed"


def retention(installation: Installation) -> str:
    """Check that a worker that starts again still finds what follows its checkpoint."""
    offsets, settings = installation.offsets, installation.settings
    if not offsets.committed:
        msg = "no worker has saved anything yet"
        raise Skipped(msg)
    lost = [
        f"{topic}[{number}] begins at {begin}, and the workers have come to {committed}"
        for (topic, number), committed in sorted(offsets.committed.items())
        if (begin := offsets.begins.get((topic, number), 0)) > committed
    ]
    if lost:
        msg = f"{_few(lost)}: records were deleted before they were read: {REBUILD}, and keep them for longer"
        raise StateError(msg)
    ages = checkpoint_ages(settings)
    if not ages:
        return "what the workers have yet to read is there"
    oldest = max(ages.values())
    if oldest > GROUP_KEPT - timedelta(days=2):
        msg = (
            f"the oldest state was saved {shown_age(oldest)} ago: Kafka forgets the offsets of a group "
            f"without members after {GROUP_KEPT.days} days by default: start the workers, later with "
            "--from-checkpoints"
        )
        raise Doubtful(msg)
    kept = _kept(installation)
    short = [f"{name} for {shown_age(each)}" for name, each in kept.items() if each < 2 * oldest]
    if short:
        msg = (
            f"records are kept too short: {_few(short)}, while the oldest state was saved "
            f"{shown_age(oldest)} ago: start the workers, and raise retention.ms, or they need a rebuild"
        )
        raise Doubtful(msg)
    return f"the oldest state was saved {shown_age(oldest)} ago, and what follows it is there"


def _states(installation: Installation) -> Mapping[str, TopicState]:
    """Return the states of those of our topics that are there."""
    names = {topic.name for topic in installation.planned()} & installation.topics.keys()
    if not names:
        msg = "none of the topics is there; `lapwing topics` makes them"
        raise Skipped(msg)
    states = installation.ask_states()
    return {name: states[name] for name in sorted(names & states.keys())}


def _kept(installation: Installation) -> dict[str, timedelta]:
    """Return how long the input topics keep their records, where that has an end."""
    names = set(installation.inputs) & installation.topics.keys()
    kept = {}
    for name, config in sorted(installation.ask_configs(names).items()):
        limit = int(config.get("retention.ms", -1))
        if limit >= 0 and "delete" in config.get("cleanup.policy", "delete"):
            kept[name] = timedelta(milliseconds=limit)
    return kept


def _few(names: list[str], most: int = 3) -> str:
    """Return the first names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
