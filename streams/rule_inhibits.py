"""`inhibits:` of a rule in a rule file: which rules it hides, and where each is written."""

from __future__ import annotations

from collections.abc import Sequence

from streams.core.inhibition import inhibition_problems
from streams.core.rules import Rule
from streams.rule_pause import Refuse
from streams.rule_yaml import Entries, Scalar

Places = dict[tuple[str, str], tuple[str, Scalar]]
"""Rule and a rule that it hides -> the file and the place in it where that is written."""


def listed(node: Scalar | Entries) -> tuple[Scalar, ...]:
    """Return the single values of a list, or a single value as a list of one; nothing for all else."""
    if isinstance(node, Scalar):
        return (node,)
    values = tuple(each for each in node.values if isinstance(each, Scalar))
    return values if node.keys is None and len(values) == len(node.values) else ()


def refuse_inhibits(path: str, rules: Sequence[Rule], places: Places, refuse: Refuse) -> None:
    """Refuse what rules of a file hide that is no rule, worse than they are, or hides them in turn."""
    for found in inhibition_problems(rules):
        file, node = places.get((found.rule, found.hidden), ("", None))
        if file == path:
            refuse(node, found.rule, f"`inhibits`: {found.message}", found.hidden, found.hint)
