"""`inhibits:` of a rule in a rule file: which rules it hides, and where each is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from streams.core.rules.inhibition import inhibition_problems
from streams.core.rules.rule import Rule
from streams.rulebook.pause import Refuse
from streams.rulebook.reader import Node, WrongValueError, slug, written
from streams.rulebook.yaml import Scalar

INHIBITS: Final = "inhibits"
"""The one field of a rule that is a list."""
Places = dict[tuple[str, str], tuple[str, Scalar]]
"""Rule and a rule that it hides -> the file and the place in it where that is written."""


def listed(node: Node) -> tuple[Scalar, ...]:
    """Return the single values of a list, or a single value as a list of one; nothing for all else."""
    if isinstance(node, Scalar):
        return (node,)
    values = tuple(each for each in node.values if isinstance(each, Scalar))
    return values if node.keys is None and len(values) == len(node.values) else ()


def read_inhibits(node: Node, rule: str, refuse: Refuse) -> tuple[str, ...]:
    """Return the ids of a list of rules, or of one; `refuse` is told of what is none."""
    names = listed(node)
    if not names:
        refuse(node, rule, f"`{INHIBITS}` must be a list of rule ids, at least one", written(node))
    found = []
    for each in names:
        try:
            found.append(slug(each))
        except WrongValueError as error:
            refuse(each, rule, f"`{INHIBITS}` {error}", each.text, error.hint)
    return tuple(found)


def refuse_inhibits(path: str, rules: Sequence[Rule], places: Places, refuse: Refuse) -> None:
    """Refuse what rules of a file hide that is no rule, worse than they are, or hides them in turn."""
    for found in inhibition_problems(rules):
        file, node = places.get((found.rule, found.hidden), ("", None))
        if file == path:
            refuse(node, found.rule, f"`inhibits`: {found.message}", found.hidden, found.hint)
