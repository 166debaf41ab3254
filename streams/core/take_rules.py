"""Other rules for an engine that goes on."""

from __future__ import annotations

from streams.core.adoption import taken_over
from streams.core.engine import Engine, Output
from streams.core.rules import RuleSet


def take_rules(engine: Engine, rules: RuleSet) -> Output:
    """Let an engine go on under other rules, and return what comes of adopting them.

    It is then as an engine with these rules that was restored from its state and has adopted it, which is
    what a crash at this moment would lead to; but it costs what the causes cost, not the customers.
    """
    engine.rules = rules
    engine.episodes = taken_over(engine.episodes, rules)
    return engine.adopt()
