"""An engine that takes other rules as it goes is as one that was restored under them from the same state."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

from streams.core.engine import Engine
from streams.core.engine_io import EventCounts
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.rules.rule_set import RuleSet, compile_rules
from streams.core.state_tables import restore, tables
from tests.oracle.drive import engine_rule
from tests.oracle.histories import as_batch, random_history
from tests.oracle.sample_rules import ABSENT, RULES
from tests.streams.core.test_state_tables import COMPILED, new_engine, outputs

CATALOGUE_RULES = [engine_rule(rule) for rule in (*RULES, *ABSENT)]


def other_rules(dice: random.Random) -> RuleSet:
    """Some of all rules: switched off, put into shadow, changed, or left as they are."""
    chosen: list[Rule] = []
    for rule in dice.sample(CATALOGUE_RULES, dice.randrange(1, len(CATALOGUE_RULES))):
        match dice.randrange(4):
            case 0:
                chosen.append(replace(rule, status=dice.choice([RuleStatus.SHADOW, RuleStatus.RETIRED])))
            case 1:
                chosen.append(replace(rule, for_us=rule.for_us * 2 + 1, cooldown_us=0))
            case _:
                chosen.append(rule)
    return compile_rules(chosen, DTYPES)


def test_it_is_as_one_that_was_restored_under_them() -> None:
    assert sum(compared(seed) for seed in range(6)) > 30


def compared(seed: int) -> int:
    """Take rules in the midst of a history, again and again, and return how many steps that made."""
    dice = random.Random(seed)
    history = random_history(seed, late=seed % 2 == 1, size=120, days=120)
    zone, batch = history.zone.key, as_batch(history.arrivals)
    going = new_engine(zone, quiet=seed % 3 == 0)
    steps = 0
    for begin in range(0, len(batch), 24):
        rules = other_rules(dice)
        restored = Engine(going.settings, rules, new_engine().scorer.learner)
        restore(restored, tables(going))
        adopted = going.replace_rules(rules)
        assert outputs([adopted]) == outputs([restored.adopt()])
        same(going, restored)
        part = batch.take(slice(begin, begin + 24))
        came = going.step(part)
        assert outputs([came]) == outputs([restored.step(part)])
        same(going, restored)
        steps += len(adopted.steps)
    assert outputs([going.flush()]) == outputs([restored.flush()])
    return steps


def same(one: Engine, other: Engine) -> None:
    known = tables(other)
    assert all(frame.equals(known[name]) for name, frame in tables(one).items())


def test_nothing_in_it_knows_the_former_rules_any_more() -> None:
    engine = new_engine()
    engine.step(as_batch(random_history(3, size=120, days=120).arrivals))
    assert any(held is COMPILED for held in held_by(engine))
    engine.replace_rules(other_rules(random.Random(1)))
    assert not any(held is COMPILED for held in held_by(engine))


def held_by(thing: Any, depth: int = 4) -> Iterator[Any]:
    """Yield what hangs on a thing of ours, in its attributes and theirs."""
    names = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    values = [getattr(thing, name, None) for name in names] + list(getattr(thing, "__dict__", {}).values())
    for value in values:
        yield value
        if depth and type(value).__module__.startswith("streams."):
            yield from held_by(value, depth - 1)


def test_what_became_of_events_is_counted_by_topic_and_openings_by_rule() -> None:
    openings = sweeps = late = repeats = 0
    for seed in range(4):
        history = random_history(seed, late=True, size=150, days=120)
        arrivals = list(history.arrivals)
        again = arrivals[20:26]
        batch = as_batch([*arrivals[:30], *again, *arrivals[30:]])
        engine, total = new_engine(history.zone.key), EventCounts()
        cuts = [0, 31, 33, 90, len(batch)]
        for begin, end in pairwise(cuts):
            total.add(engine.step(batch.take(slice(begin, end))).counts)
        total.add(engine.flush().counts)
        total.add(engine.advance(int(batch.at.max()) + 40 * DAY).counts)
        by = total.by_topic
        assert {what: counts.total() for what, counts in by.items()} == {
            what: count
            for what, count in (
                ("events", total.events),
                ("late", total.late),
                ("repeats", total.repeats),
                ("erased", total.erased),
            )
            if count
        }
        given = Counter(Topic(code) for code in batch.topic.tolist())
        refused = total.refused.total() - total.refused["id_reused"]  # these are repeats too
        assert (given - by["events"] - by["repeats"]).total() == refused
        repeats += by["repeats"].total()
        opened: Counter[str] = Counter()
        for (rule, tier, status), count in total.opened.items():
            opened[rule] += count
            (known,) = [each for each in engine.rules.rules if each.id == rule]
            assert (known.tier.label, known.status.value) == (tier, status)
        assert opened == +Counter(engine.episodes.opened_by_rule())
        assert total.sweeps == engine.sweeps
        openings, sweeps, late = openings + opened.total(), sweeps + total.sweeps, late + total.late
    assert min(openings, sweeps, late) > 20
    assert repeats > 15
